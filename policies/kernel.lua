-- Decides which kernel boots. pin: the pinned one is installed, is the default, and is kept:
-- metapackages and versioned packages held, all of it safe from automatic removal and from
-- unattended-upgrades. follow: the newest kernel boots, unless a module that is needed cannot be
-- had for it; then the newest kernel that has one, until it can. What a pin made before is undone
-- then, and by none, when it is written. Does not decide about the modules themselves (modules.lua)
-- nor about rebooting (reboot.lua).
local boot, kernels = lib.boot, lib.kernels

local never_remove, blacklist = "APT::NeverAutoRemove", "Unattended-Upgrade::Package-Blacklist"

-- Both options are lists of regular expressions: just this one name.
local function exactly(package)
  return "^" .. package:gsub("[.+]", "\\%0") .. "$"
end

-- ---- The packages of a kernel

local function templates(want)
  return want.kernel and want.kernel.packages or { "linux-image-{kernel}" }
end

-- The packages that bring the pinned kernel, where it has to be installed; their ids.
local function plan_kernel_packages(plan, want, facts, release)
  local ids = {}
  for _, template in ipairs(templates(want)) do
    local name = lib.template(template, { kernel = release })
    local there = lib.has(facts.kernel.installed, release)
    if there and not facts:known("package", name) then
      -- The kernel itself is there, which is what matters.
    elseif kernels.package_state(facts, name) ~= "missing" then
      plan:package{ name = name, reason = "kernel " .. release .. " is pinned" }
      table.insert(ids, "package:" .. name)
    elseif not there then
      plan:block{
        rule = "kernel-not-published",
        resource = "kernel",
        reason = release .. " is pinned and not installed; " .. name .. " is not published",
      }
    end
  end
  return ids
end

-- A pattern that fits no installed kernel and no published one: packages that are named without a
-- release may bring one.
local function plan_first_match(plan, want, facts, pattern)
  local named = false
  for _, template in ipairs(templates(want)) do
    if not template:find("{kernel}", 1, true)
      and kernels.package_state(facts, template) ~= "missing" then
      plan:package{ name = template, reason = "no installed kernel fits " .. pattern }
      named = true
    end
  end
  if not named then
    plan:block{
      rule = "kernel-not-installed",
      reason = "neither an installed nor a published kernel fits " .. pattern
        .. "; kernel.packages may name a package that brings one that does",
    }
  end
end

-- ---- Keeping a kernel

-- Packages of exactly that release, with the modules for it.
local function versioned_packages(want, facts, release)
  local names = {}
  local known = facts:known("boot_entry", release) and facts.boot_entry[release].packages or {}
  for _, name in ipairs(known) do
    table.insert(names, name)
  end
  for _, template in ipairs(#names == 0 and templates(want) or {}) do
    table.insert(names, lib.template(template, { kernel = release }))
  end
  for _, needed in ipairs(kernels.needed(want)) do
    local name = kernels.package_name(needed.module, release)
    if name and name:find(release, 1, true) and not lib.has(names, name)
      and kernels.package_state(facts, name) ~= "missing" then
      table.insert(names, name)
    end
  end
  return names
end

-- The packages that keep `release` and what belongs to it, and those that bring in the next.
local function protected(want, facts, release)
  return versioned_packages(want, facts, release), facts.kernel.metapackages or {}
end

local function protect(plan, want, facts, release, after)
  local versioned, metapackages = protected(want, facts, release)
  local kept, listed = {}, {}
  for _, name in ipairs(versioned) do
    plan:hold{ package = name, manual = true,
      reason = name .. " belongs to the kernel " .. release .. ", which is kept" }
    table.insert(kept, exactly(name))
    table.insert(listed, exactly(name))
  end
  for _, name in ipairs(metapackages) do
    plan:hold{ package = name, manual = true,
      reason = name .. " brings in the next kernel when it is upgraded; " .. release .. " is kept" }
    table.insert(listed, exactly(name))
  end
  if #kept > 0 then
    plan:apt_option{ option = never_remove, items = kept, after = after,
      reason = "a kernel that does not run may be removed automatically; " .. release
        .. " is kept" }
    plan:apt_option{ option = blacklist, items = listed, after = after,
      reason = "unattended-upgrades must not move the kernel away from " .. release }
  end
end

-- Does the desired state speak of it in so many words? Names of options are the same in capitals
-- and small letters.
local function is_written(want, kind, key)
  for id, resource in pairs(want.resources or {}) do
    if resource.kind == kind and id:lower() == (kind .. ":" .. key):lower() then
      return true
    end
  end
  return kind == "hold" and want.holds ~= nil and want.holds[key] ~= nil
end

-- What a pin put into an option: only the file that was written for it tells. Lists in files of
-- others, and what the desired state says about an option, are no part of a pin.
local function pinned_by(want, facts, option)
  local names = {}
  if is_written(want, "apt_option", option) or not facts:known("apt_option", option) then
    return names, false
  end
  local ours = facts.apt_option[option].ours
  for _, item in ipairs(ours or {}) do
    local name = item:match("^%^(.*)%$$")
    name = name and name:gsub("\\", "")
    if name and kernels.can_be_package(name) and exactly(name) == item then
      table.insert(names, name)
    end
  end
  return names, ours ~= nil
end

-- Takes back what a pin made: the holds of the packages that it listed, then the lists. What is
-- wanted otherwise stays; so does the mark manual, of which nobody can tell who made it. `kept`:
-- the kernel for which the lists are needed on, or nil. Returns the ids of the holds: the lists are
-- what they are known by, and may only change after them.
local function release_pin(plan, want, facts, strategy, kept)
  local why = "kernel.strategy is " .. strategy
  local needed, undone = {}, {}
  for _, names in ipairs(kept and { protected(want, facts, kept) } or {}) do
    for _, name in ipairs(names) do
      needed[name] = true
    end
  end
  for _, option in ipairs{ never_remove, blacklist } do
    for _, name in ipairs((pinned_by(want, facts, option))) do
      if not needed[name] and not is_written(want, "hold", name)
        and not lib.has(undone, "hold:" .. name) and facts.hold[name].state == "present" then
        plan:hold{ package = name, state = "absent", reason = why .. "; it was held by the pin" }
        table.insert(undone, "hold:" .. name)
      end
    end
  end
  for _, option in ipairs(not kept and { never_remove, blacklist } or {}) do
    local _, there = pinned_by(want, facts, option)
    if there then
      plan:apt_option{ option = option, state = "absent", after = undone,
        reason = why .. ": what the pin wrote goes" }
    end
  end
  return undone
end

-- ---- What boots

-- Everything that has to stand before a kernel on trial is made the default: ids, and what is not
-- there or cannot be told and that nothing in this plan brings.
local function checks(want, facts)
  local ids, open = {}, {}
  for _, needed in ipairs(kernels.needed(want)) do
    if want.modules and want.modules[needed.name] then
      table.insert(ids, "module:" .. needed.name)
      if not facts:known("module", needed.name) then
        table.insert(open, "module " .. needed.name)
      end
    end
  end
  for target, mount in pairs(want.mounts or {}) do
    if mount.state ~= "absent" then
      table.insert(ids, "mount:" .. target)
      if not facts:known("mount", target)
        or (mount.manage == "observe" and not facts.mount[target].live) then
        table.insert(open, target)
      end
    end
  end
  return ids, open
end

-- A kernel on trial that runs.
local function plan_arrived(plan, want, facts, d, after)
  local ids, open = checks(want, facts)
  if #open > 0 then
    plan:block{ rule = "trial-undecided", reason = d.target .. " runs on trial and "
      .. kernels.list(open) .. " did not come up, as far as can be told; "
      .. facts.kernel.boot_default .. " stays the default" }
    return
  end
  for _, id in ipairs(ids) do
    table.insert(after, id)
  end
  plan:kernel{ boot_default = d.target, after = after,
    reason = d.target .. " runs on trial, and what is wanted came up" }
end

local function plan_default(plan, want, facts, d)
  local after = kernels.bringers(want, facts, d.target)
  for _, id in ipairs(d.package_ids or {}) do
    table.insert(after, id)
  end
  if d.given_up then
    plan:block{ rule = "trial-failed", reason = d.given_up }
  elseif d.trial then
    plan:kernel{ boot_next = d.target, after = after,
      reason = d.why .. "; it is started once, and becomes the default after everything came up" }
  elseif d.arrived then
    plan_arrived(plan, want, facts, d, after)
  else
    plan:kernel{ boot_default = d.target, boot_next = d.forget_next and "none" or nil,
      after = after, reason = d.why }
  end
  -- What runs or boots already is not made worse by saying so once more.
  if d.unserved == d.target and facts.kernel.boot_default ~= d.target then
    plan:block{ rule = "no-module-for-default", resource = "kernel",
      reason = d.target .. " is pinned, and would lose what the node needs: " .. d.unserved_why }
  end
end

local function plan_pin(plan, want, facts, d)
  if not d.pattern then
    return
  elseif not d.pinned then
    plan_first_match(plan, want, facts, d.pattern)
    return
  end
  -- A kernel that would lose what the node needs is not even installed: it might boot next.
  local there = lib.has(facts.kernel.installed, d.pinned)
  if there or d.unserved ~= d.pinned then
    d.package_ids = plan_kernel_packages(plan, want, facts, d.pinned)
    protect(plan, want, facts, d.pinned)
  end
  plan_default(plan, want, facts, d)
end

local function plan_follow(plan, want, facts, d, undone)
  if d.back_to then
    plan:kernel{ boot_default = "distribution", after = kernels.bringers(want, facts, d.back_to),
      reason = d.why }
  elseif d.target then
    plan_default(plan, want, facts, d)
  elseif d.unserved then
    plan:block{ rule = "no-kernel-serves",
      reason = d.unserved .. " would boot next; " .. d.unserved_why
        .. "; no installed kernel is known to do" }
  end
  if d.target and d.protect then
    protect(plan, want, facts, d.target, undone)
  end
end

return {
  name = "kernel",
  summary = "which kernel boots, and how it is kept",
  handles = { "kernel", "modules", "mounts" },

  plan = function(want, facts, plan)
    local undone
    -- An item of its own: that a hold cannot be told must not keep the node from booting well.
    boot.anchored(plan, want, function()
      local d = boot.decide(want, facts)
      if d.explicit and d.strategy ~= "pin" then
        undone = release_pin(plan, want, facts, d.strategy, d.protect and d.target)
      end
    end)
    boot.anchored(plan, want, function()
      local d = boot.decide(want, facts)
      if d.strategy == "pin" then
        plan_pin(plan, want, facts, d)
      elseif d.strategy == "none" and d.explicit then
        plan:kernel{ boot_default = "distribution",
          reason = "kernel.strategy is none: what boots is the distribution's choice" }
      else
        plan_follow(plan, want, facts, d, undone)
      end
    end)
  end,
}
