-- Wants the mounts under mounts: as they are written. One whose file system type needs a module
-- that the running kernel neither has nor can get is blocked, with the reason. What is only
-- observed is not planned: it is reported when it is not as written. Does not decide how the
-- module gets there: see modules.lua.
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

-- The package that brings the module for the running kernel comes before the mount, which loads it.
local function brought_by(brings, facts, mount)
  if brings and brings.module.package and mount.state ~= "absent" then
    local package = kernels.package_name(brings.module, facts.kernel.running)
    return kernels.can_be_package(package) and { "package:" .. package } or nil
  end
end

local function report(facts, plan, target, mount)
  local fact = facts.mount[target]
  if mount.state == "absent" then
    if fact.live then
      plan:warn{
        rule = "observed-mount-there",
        resource = "mount:" .. target,
        reason = target .. " is mounted and should not be; it is only observed",
      }
    end
  elseif not fact.live then
    plan:warn{
      rule = "observed-mount-missing",
      resource = "mount:" .. target,
      reason = target .. " is not mounted; it is only observed",
    }
  elseif mount.type and fact.type ~= mount.type then
    plan:warn{
      rule = "observed-mount-differs",
      resource = "mount:" .. target,
      reason = target .. " is mounted as " .. (fact.type or "an unknown type") .. ", not as "
        .. mount.type .. "; it is only observed",
    }
  end
end

-- Why the running kernel cannot mount this, or nil. Asks for facts only where a module is at stake.
local function obstacle(brings, facts, target, mount)
  if not brings or not brings.module.package or facts.mount[target].live
    or kernels.is_loadable(facts, brings.name) then
    return nil
  end
  local release = facts.kernel.running
  local package = kernels.package_name(brings.module, release)
  if kernels.package_state(facts, package) ~= "missing" then
    return nil
  end
  return mount.type .. " needs the module " .. brings.name .. ", and the running kernel " .. release
    .. " has none: " .. package .. " is not published; "
    .. kernels.served_sentence(facts, brings.module)
end

return {
  name = "mounts",
  summary = "mounted file systems",
  handles = { "mounts" },

  plan = function(want, facts, plan)
    local by_type = modules_by_type(want)
    plan:each(want.mounts, function(target, mount)
      if mount.manage == "observe" then
        report(facts, plan, target, mount)
        return
      end
      local brings = by_type[mount.type or ""]
      plan:mount(lib.with(mount, {
        target = target,
        reason = "wanted by mounts",
        after = brought_by(brings, facts, mount),
      }))
      local why = mount.state ~= "absent" and obstacle(brings, facts, target, mount)
      if why then
        plan:block{ rule = "no-module-for-mount", resource = "mount:" .. target, reason = why }
      end
    end)
  end,
}
