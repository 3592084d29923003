-- Wants each module loaded, and its package installed for every kernel that matters: the running
-- one, the one that boots next, the pinned one. A kernel for which nobody publishes the package
-- is said: for the running kernel the module is blocked, for the next one so is the node, with
-- the mounts that will be lost. Does not decide which kernel should run: see kernel.lua.
local kernels = lib.kernels

-- The running kernel has no module and cannot get one.
local function block_now(plan, want, facts, name, module, release, package)
  local mounts = kernels.mounts_of(want, name, module)
  local lost = #mounts > 0 and "; it is needed by " .. kernels.list(mounts) or ""
  plan:block{
    rule = "no-module-package",
    resource = "module:" .. name,
    reason = release .. " is running; no " .. name .. " module for it: " .. package
      .. " is not published; " .. kernels.served_sentence(facts, module) .. lost,
  }
end

-- A kernel that does not run yet has no module and cannot get one.
local function block_later(plan, want, facts, name, module, release, package)
  local mounts = kernels.mounts_of(want, name, module)
  local boots = release == kernels.next_boot(facts)
  local lost = ""
  if boots and #mounts > 0 then
    lost = "; " .. kernels.list(mounts) .. " will be lost at the next reboot"
  end
  plan:block{
    rule = boots and "no-module-next-boot" or "no-module-package",
    reason = release .. (boots and " is installed and will boot next" or " is pinned")
      .. "; no " .. name .. " module for it: " .. package .. " is not published" .. lost,
  }
end

local function why_package(want, facts, name, module, release)
  local why = "kernel " .. release .. " needs its own " .. name
  if release ~= facts.kernel.running and release == kernels.next_boot(facts) then
    why = why .. "; it will boot next"
    local mounts = kernels.mounts_of(want, name, module)
    if #mounts > 0 then
      why = why .. " and " .. kernels.list(mounts) .. " would be lost"
    end
  end
  return why
end

local function plan_package(plan, want, facts, name, module, release)
  local running = facts.kernel.running
  local package = kernels.package_name(module, release)
  if kernels.package_state(facts, package) ~= "missing" then
    plan:package{
      name = package,
      version = module.version,
      provides = { module = name, kernel = release },
      reason = why_package(want, facts, name, module, release),
    }
  elseif release ~= running then
    block_later(plan, want, facts, name, module, release, package)
  elseif not kernels.is_loadable(facts, name) then
    block_now(plan, want, facts, name, module, release, package)
  end
end

return {
  name = "modules",
  summary = "kernel modules, and the packages that bring them for each kernel",
  handles = { "modules" },

  plan = function(want, facts, plan)
    plan:each(want.modules, function(name, module)
      if module.state == "absent" then
        plan:module{ name = name, state = "absent", reason = "wanted absent by modules" }
        return
      end
      if facts.module[name].builtin then
        return -- part of the kernel image: there is nothing to install or to load
      end
      if module.package then
        for _, release in ipairs(facts.kernel.that_matter) do
          plan_package(plan, want, facts, name, module, release)
        end
      end
      plan:module{
        name = name,
        loaded = true,
        parameters = module.parameters,
        reason = "wanted by modules",
      }
    end)
  end,
}
