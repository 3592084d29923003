-- Says for each kernel that matters whether the BeeGFS client is said to build on it, as far as
-- DKMS itself has not answered yet, and which kernels would do. Where it cannot work, module and
-- mount are blocked by modules.lua and mounts.lua, and another kernel is chosen by kernel.lua;
-- everything else on the node goes on. The matrix is data with its sources: lib/beegfs_matrix.lua.
-- Wants the daemon beside the client where a service makes the mount and that daemon is installed.
local boot, kernels = lib.boot, lib.kernels

local function has_answered(facts, key)
  local status = facts:known("dkms", key) and facts.dkms[key].status
  return status == "installed" or status == "failed" or status == "excluded"
end

local function which(facts, d, release)
  if release == facts.kernel.running then
    return "is running"
  end
  return release == d.next and "will boot next" or "is pinned"
end

-- Does it load there, or is it said to, whether or not its source is there to build it from? What
-- is only untested is no advice.
local function is_said_to_do(facts, name, module, release)
  local word = kernels.standing(facts, name, module, release)
  if word == "comes" or word == "unknown" then
    return kernels.claims(name, kernels.version(facts, name, module, release), release)
      == "supported"
  end
  return word == "loads"
end

-- Installed kernels that it is said to build on; or the series, when there is none.
local function would_do(facts, name, module, version)
  local served, claims = {}, {}
  for _, release in ipairs(facts.kernel.installed or {}) do
    if is_said_to_do(facts, name, module, release) then
      table.insert(served, release)
    end
  end
  if #served > 0 then
    return "of the installed kernels " .. kernels.list(served) .. " would do"
  end
  for _, series in ipairs{ "6.1", "6.6", "6.8", "6.11" } do
    if kernels.claims(name, version, series) == "supported" then
      table.insert(claims, series)
    end
  end
  return "none of the installed kernels is said to do"
    .. (#claims > 0 and "; " .. kernels.list(claims) .. (#claims > 1 and " are" or " is") or "")
end

local function report(plan, facts, d, name, module, release)
  local key = (kernels.dkms_name(name, module) or name) .. "@" .. release
  if has_answered(facts, key) or kernels.verdict(facts, name, release) == "yes" then
    return
  end
  local version = kernels.version(facts, name, module, release)
  local verdict, note = kernels.claims(name, version, release)
  local shown = lib.beegfs_matrix.version(version)
  if verdict == "incompatible" or verdict == "untested" or verdict == "unknown" then
    plan:warn{
      rule = "beegfs-kernel",
      reason = release .. " " .. which(facts, d, release) .. "; BeeGFS " .. shown .. " on it is "
        .. verdict .. " (" .. note .. "); " .. would_do(facts, name, module, version),
    }
  end
end

-- Without a source no kernel gets a module, and nothing that is planned for one would say so.
-- Silent where a package that may bring one is wanted: then it is on its way.
local function report_source(want, plan, facts, name, module)
  local key = (kernels.dkms_name(name, module) or name) .. "@" .. facts.kernel.running
  if not kernels.dkms_name(name, module) or not facts:known("dkms", key)
    or facts.dkms[key].state ~= "absent" then
    return
  end
  -- One that is there may have been built in another way, where DKMS is not named.
  if not module.dkms and facts:known("module", name) and kernels.is_loadable(facts, name) then
    return
  end
  for package in pairs(want.packages or {}) do
    if package:find("-dkms$") then
      return
    end
  end
  plan:warn{
    rule = "beegfs-source",
    reason = "DKMS has no source of " .. name .. " to build from: the package beegfs-client-dkms "
      .. "brings it, and packages does not name it",
  }
end

-- BeeGFS 7 resolves names and writes its log through a daemon beside the client's service.
local helper = "beegfs-helperd.service"

local function plan_helper(plan, facts, mount)
  if mount.type == "beegfs" and mount.service and mount.state ~= "absent"
    and facts:known("service", helper) and facts.service[helper].state == "present" then
    -- One without an [Install] section is started by the client's unit, and cannot be enabled.
    local is_static = (facts.service[helper].unit_state or ""):find("^static/") ~= nil
    plan:service{ unit = helper, enabled = not is_static or nil, active = true,
      reason = "the BeeGFS client logs and resolves names through it" }
  end
end

return {
  name = "beegfs",
  summary = "kernels that the BeeGFS client builds on, and its helper",
  handles = { "modules", "mounts" },

  plan = function(want, facts, plan)
    plan:each(want.mounts, function(_, mount)
      plan_helper(plan, facts, mount)
    end)
    plan:each(want.modules, function(name, module)
      if name ~= "beegfs" or module.state == "absent" then
        return
      end
      report_source(want, plan, facts, name, module)
      local d = boot.decide(want, facts)
      for _, release in ipairs(boot.that_matter(facts, d)) do
        report(plan, facts, d, name, module, release)
      end
    end)
  end,
}
