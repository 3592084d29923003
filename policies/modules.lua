-- Wants each module loaded, and had for every kernel that matters: the running one, the one that
-- boots next when this plan is carried out, the pinned one. Its package is installed and kept in
-- the cache, or DKMS builds it. A kernel for which it cannot be had is said, with the mounts that
-- need it and the installed kernels that would do. Does not decide which kernel should run: see
-- kernel.lua.
local boot, kernels = lib.boot, lib.kernels

-- ---- What cannot be had

-- The running kernel has no module and cannot get one.
local function block_now(plan, want, facts, name, module, release, why)
  local mounts = kernels.mounts_of(want, name, module)
  local lost = #mounts > 0 and "; it is needed by " .. kernels.list(mounts) or ""
  plan:block{
    rule = "no-module-package",
    resource = "module:" .. name,
    reason = release .. " is running; no " .. name .. " module for it: " .. why .. "; "
      .. kernels.served_sentence(facts, name, module) .. lost,
  }
end

-- A kernel that does not run yet has no module and cannot get one.
local function block_later(plan, want, facts, d, name, module, release, why)
  local mounts = kernels.mounts_of(want, name, module)
  local boots = release == d.next and lib.has(facts.kernel.installed, release)
  local lost = ""
  if boots and #mounts > 0 then
    lost = "; " .. kernels.list(mounts) .. " will be lost at the next reboot"
  end
  plan:block{
    rule = boots and "no-module-next-boot" or "no-module-package",
    reason = release .. (boots and " is installed and will boot next" or " is pinned")
      .. "; no " .. name .. " module for it: " .. why .. lost,
  }
end

-- It is there and would not load, and nothing that is planned here mends that.
local function block_broken(plan, facts, name, release, package, why, cause)
  local remedy = ""
  if cause == "missing" or cause == "damaged" then
    remedy = "; " .. package .. " has to be installed anew: apt-get install --reinstall " .. package
  end
  plan:block{
    rule = "module-would-not-load",
    resource = release == facts.kernel.running and "module:" .. name or nil,
    reason = package .. " is installed, and " .. name .. " would not load under " .. release .. ": "
      .. why .. remedy,
  }
end

-- ---- Packages

local function why_package(want, facts, d, name, module, release)
  local why = "kernel " .. release .. " needs its own " .. name
  if release ~= facts.kernel.running and release == d.next then
    why = why .. "; it will boot next"
    local mounts = kernels.mounts_of(want, name, module)
    if #mounts > 0 then
      why = why .. " and " .. kernels.list(mounts) .. " would be lost"
    end
  end
  return why
end

-- Kept on the node for a repair without network. What is installed and no longer published cannot
-- be fetched, and is no reason for alarm.
local function plan_cache(plan, facts, module, package, release)
  if module.cached == false or not facts:known("cached_package", package) then
    return
  end
  if facts.cached_package[package].state == "present"
    or (facts:known("candidate", package) and facts.candidate[package].state == "present") then
    plan:cached_package{
      name = package,
      version = module.version,
      reason = "a repair of kernel " .. release .. " must not depend on the network",
    }
  end
end

-- `damage`: why what is installed would not load, where installing it anew puts that right.
local function plan_package(plan, want, facts, d, name, module, release, damage)
  local package = kernels.package_name(module, release)
  local why = why_package(want, facts, d, name, module, release)
  plan:package{
    name = package,
    version = module.version,
    intact = damage and true or nil,
    provides = { module = name, kernel = release },
    reason = damage and why .. "; as it is there it would not load: " .. damage or why,
  }
  plan_cache(plan, facts, module, package, release)
end

-- Lists that do not have the package may be older than it. Refreshed at most once a day for that.
local function refresh_index(plan, want, facts, package)
  local other = want.resources and want.resources["package_index:apt"]
  if not want.package_sources and facts:known("package_index", "apt")
    and facts.package_index.apt.age then
    plan:package_index{
      source = "apt",
      max_age = other and other.max_age or "1d",
      reason = package .. " is not in the package index, which may be older than it",
    }
  end
end

-- ---- DKMS

-- Builds it where it can be built and is not, after the headers that it needs.
local function plan_dkms(plan, facts, name, module, release)
  local key = kernels.dkms_name(name, module) .. "@" .. release
  local fact = facts:known("dkms", key) and facts.dkms[key]
  if not fact or fact.state == "absent" then
    return
  end
  local headers = "linux-headers-" .. release
  local lacks = fact.status == "no headers"
  if lacks then
    plan:package{
      name = headers,
      reason = "DKMS builds " .. name .. " for " .. release .. " with its headers",
    }
  end
  plan:dkms{
    module = key,
    after = lacks and { "package:" .. headers } or nil,
    reason = "kernel " .. release .. " needs its own " .. name,
  }
end

-- ---- One module, one kernel

local function plan_for_kernel(plan, want, facts, d, name, module, release)
  local word, why, cause = kernels.standing(facts, name, module, release)
  local package = kernels.package_name(module, release)
  local dkms = kernels.dkms_name(name, module)
  if word == "none" then
    -- It can be loaded all the same when it is loaded already.
    if release ~= facts.kernel.running then
      block_later(plan, want, facts, d, name, module, release, why)
    elseif not kernels.is_loadable(facts, name) then
      block_now(plan, want, facts, name, module, release, why)
    end
    if package then
      refresh_index(plan, want, facts, package)
    end
    return
  end
  if dkms and word ~= "unknown" then
    plan_dkms(plan, facts, name, module, release)
  end
  if package and kernels.package_state(facts, package) ~= "missing" then
    plan_package(plan, want, facts, d, name, module, release,
      word == "comes" and cause and why or nil)
    -- What depmod has not seen, the module's own step puts right where it runs.
    local depmod_helps = cause == "not-indexed" and release == facts.kernel.running
    if word == "broken" and not depmod_helps then
      block_broken(plan, facts, name, release, package, why, cause)
    end
  end
end

-- On a kernel that it cannot be had for, the node does without it: its mounts are blocked
-- (mounts.lua), the rest converges.
local function is_skipped(facts, name, module, release)
  return module.unsupported == "skip"
    and (kernels.standing(facts, name, module, release)) == "none"
end

local function plan_module(plan, want, facts, d, name, module)
  for _, release in ipairs(boot.that_matter(facts, d)) do
    if not is_skipped(facts, name, module, release) then
      plan_for_kernel(plan, want, facts, d, name, module, release)
    end
  end
  if is_skipped(facts, name, module, facts.kernel.running) then
    return
  end
  plan:module{
    name = name,
    loaded = true,
    parameters = module.parameters,
    after = kernels.dkms_name(name, module)
      and { "dkms:" .. kernels.dkms_name(name, module) .. "@" .. facts.kernel.running } or nil,
    reason = "wanted by modules",
  }
end

return {
  name = "modules",
  summary = "kernel modules, and what brings them for each kernel",
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
      plan_module(plan, want, facts, boot.decide(want, facts), name, module)
    end)
  end,
}
