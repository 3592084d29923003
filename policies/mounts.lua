-- Wants the mounts under mounts: as they are written. One whose file system type needs a module
-- that the running kernel neither has nor can get is blocked, with the reason. A mount that a
-- service makes wants that service enabled as well. What is only observed is planned as such: it is
-- compared as any other, and never changed. Does not decide how the module gets there: see
-- modules.lua.
local kernels = lib.kernels

-- File system type to the module of the desired state that brings it: its name and entry.
local function modules_by_type(want)
  local by_type = {}
  for name, module in pairs(want.modules or {}) do
    local type = module.filesystem or name
    if module.state ~= "absent" and not by_type[type] then
      by_type[type] = { name = name, module = module }
    end
  end
  return by_type
end

-- What brings the module for the running kernel comes before the mount, which loads it.
local function brought_by(brings, facts, mount)
  if not brings or mount.state == "absent" then
    return nil
  end
  local release, ids = facts.kernel.running, {}
  local package = kernels.package_name(brings.module, release)
  local dkms = kernels.dkms_name(brings.name, brings.module)
  if package and kernels.can_be_package(package) then
    table.insert(ids, "package:" .. package)
  end
  if dkms then
    table.insert(ids, "dkms:" .. dkms .. "@" .. release)
  end
  table.insert(ids, "module:" .. brings.name)
  return #ids > 0 and ids or nil
end

-- Why the running kernel cannot mount this, or nil. Asks for facts only where a module is at stake.
local function obstacle(brings, facts, target, mount)
  if not brings or facts.mount[target].live
    or not (brings.module.package or kernels.dkms_name(brings.name, brings.module)) then
    return nil
  end
  if kernels.is_loadable(facts, brings.name) then
    return nil
  end
  local release = facts.kernel.running
  local word, why = kernels.standing(facts, brings.name, brings.module, release)
  if word == "broken" then
    return mount.type .. " needs the module " .. brings.name .. ", which would not load under "
      .. release .. ": " .. why
  elseif word ~= "none" then
    return nil
  end
  return mount.type .. " needs the module " .. brings.name .. ", and the running kernel " .. release
    .. " has none: " .. why .. "; " .. kernels.served_sentence(facts, brings.name, brings.module)
end

-- One without an [Install] section cannot be enabled: something else starts it, or the mount does.
local function can_be_enabled(facts, unit)
  return not (facts:known("service", unit)
    and (facts.service[unit].unit_state or ""):find("^static/"))
end

local function plan_mount(plan, facts, brings, target, mount)
  plan:mount(lib.with(mount, {
    target = target,
    reason = "wanted by mounts",
    after = brought_by(brings, facts, mount),
  }))
  local why = mount.state ~= "absent" and obstacle(brings, facts, target, mount)
  if why then
    plan:block{ rule = "no-module-for-mount", resource = "mount:" .. target, reason = why }
  elseif mount.service and mount.state ~= "absent" and can_be_enabled(facts, mount.service) then
    -- Started by the mount itself, which waits for what the service mounts.
    plan:service{ unit = mount.service, enabled = true, reason = "it makes the mount " .. target }
  end
end

return {
  name = "mounts",
  summary = "mounted file systems",
  handles = { "mounts" },

  plan = function(want, facts, plan)
    local by_type = modules_by_type(want)
    plan:each(want.mounts, function(target, mount)
      if mount.manage == "observe" then
        plan:mount(lib.with(mount, { target = target, reason = "observed, as written in mounts" }))
      else
        plan_mount(plan, facts, by_type[mount.type or ""], target, mount)
      end
    end)
  end,
}
