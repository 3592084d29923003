-- Which kernel is to boot, which kernels matter then, and whether a reboot is needed: used by the
-- policies kernel, modules, beegfs and reboot, which must agree. Reads facts only; plans nothing.
local kernels = lib.kernels

local boot = {}

local function add_once(list, item)
  if item and not lib.has(list, item) then
    table.insert(list, item)
  end
end

local function first_key(table, fits)
  for key in pairs(table or {}) do
    if not fits or fits(key) then
      return key
    end
  end
end

-- Does `act` for the line of the desired state that what is decided about the kernel rests on: the
-- pinned release or the strategy, else the first module or mount that a kernel must serve. An
-- undetermined fact ends just that. `section` and `key`: a line of its own, where there is one.
function boot.anchored(plan, want, act, section, key)
  local needed = kernels.needed(want)
  if not section and want.kernel then
    section = want.kernel
    key = section.release and "release" or first_key(section)
  elseif not section then
    section = want.modules
    key = first_key(section, function(name)
      return needed[1] and needed[1].name == name
    end)
    if not key then
      section = want.mounts
      key = first_key(section, function(target)
        return needed[1] and section[target].type == needed[1].name
      end)
    end
  end
  plan:each(key and section, function(name)
    if name == key then
      act()
    end
  end)
end

local function strategy_of(want)
  local kernel = want.kernel or {}
  return kernel.strategy or (kernel.release and "pin") or "none"
end

-- The newest installed kernel that the glob or release fits; an exact release stands for itself,
-- installed or not.
local function resolve(facts, pattern)
  if not pattern:find("[*?]") then
    return pattern
  end
  local found
  for _, release in ipairs(facts.kernel.installed or {}) do
    if lib.glob(pattern, release) then
      found = release
    end
  end
  return found
end

-- What no kernel is called in the name of a package.
local function is_release(text)
  return text:find("^[0-9]") ~= nil and not text:find("%-dbg") and not text:find("%-unsigned$")
end

-- The newest published kernel that a pattern fits, by the name of its package; nil: none, or nobody
-- can tell.
function boot.published(want, facts, pattern)
  local template = want.kernel and want.kernel.packages and want.kernel.packages[1]
    or "linux-image-{kernel}"
  local before, after = template:match("^(.*){kernel}(.*)$")
  local glob = before and before .. pattern .. after
  if not glob or not glob:find("^[a-z0-9+.*?-]+$") or not facts:known("candidate", glob) then
    return nil
  end
  local found
  for _, name in ipairs(facts.candidate[glob].names or {}) do
    local release = name:sub(#before + 1, #name - #after)
    if is_release(release) then
      found = release
    end
  end
  return found
end

local function newest_served(want, facts)
  local found
  for _, release in ipairs(facts.kernel.installed or {}) do
    if kernels.serves(want, facts, release) == "yes" then
      found = release
    end
  end
  return found
end

local function unsupported_pin(want)
  for _, needed in ipairs(kernels.needed(want)) do
    if needed.module.unsupported == "pin" then
      return true
    end
  end
  return false
end

-- Never a kernel that cannot be proved: the newest one when it serves, else the newest that does.
-- What an operator chose is left alone while it serves. Nothing is given back or chosen on account
-- of what nobody can tell.
local function decide_follow(want, facts, d)
  local kernel, newest, default = facts.kernel, kernels.newest(facts), facts.kernel.boot_default
  if not newest or not default then
    return
  end
  local ours = kernel.own_entry ~= nil
  local newest_serves, why_newest = kernels.serves(want, facts, newest)
  local default_serves, why_default = kernels.serves(want, facts, default)
  if newest_serves == "yes" and ours and default == newest then
    d.target = newest
    d.why = newest .. " is the newest kernel, and all that is needed loads under it"
  elseif newest_serves == "yes" and ours then
    d.back_to, d.next = newest, newest
    d.why = newest .. " is the newest kernel and all that is needed loads under it: what boots is "
      .. "the distribution's choice again"
  elseif default_serves == "no" or (newest_serves == "no" and ours) then
    local target = newest_served(want, facts)
    local boots = default_serves == "no"
    d.unserved, d.unserved_why = boots and default or newest, why_default or why_newest
    if target then
      d.target, d.next, d.fallback = target, target, true
      d.why = d.unserved .. (boots and " would boot next" or " is the newest kernel") .. "; "
        .. d.unserved_why .. "; " .. target
        .. " is the newest installed kernel under which it loads or can be had"
    end
  end
  -- What an operator lets boot once is his.
  d.next = kernel.boot_next or d.next
end

local function attempts_of(facts, release)
  for _, item in ipairs(facts.reboot.attempts or {}) do
    local name, count = item:match("^(.*)=([0-9]+)$")
    if name == release then
      return tonumber(count)
    end
  end
  return 0
end

-- So many runs have their chance to bring everything up under a kernel on trial.
local trial_runs = 2

-- The first mount that needs a module, is wanted, and is known not to be there.
local function first_down(want, facts)
  for _, needed in ipairs(kernels.needed(want)) do
    for _, target in ipairs(kernels.mounts_of(want, needed.name, needed.module)) do
      if want.mounts[target].manage ~= "observe" and facts:known("mount", target)
        and not facts.mount[target].live and not facts.mount[target].automount then
        return target
      end
    end
  end
end

-- A kernel that is not the default yet is started once; it becomes the default when everything
-- that is wanted came up under it, and is left again when it cannot.
local function decide_trial(want, facts, d)
  local kernel = facts.kernel
  local reboot = want.reboot or {}
  if not reboot.trial or not d.target or d.target == kernel.boot_default or not kernel.boot_default
    or not facts:known("reboot") then
    return
  end
  if kernel.running ~= d.target then
    local tried = attempts_of(facts, d.target)
    if tried >= (reboot.attempts_per_kernel or 2) then
      d.given_up = d.target .. " was tried " .. tried .. (tried == 1 and " time" or " times")
        .. " and the node came back; " .. kernel.boot_default .. " stays the default"
    else
      d.trial = true
    end
    return
  end
  local open = facts.reboot
  d.arrived = true
  if open.open ~= d.target or not open.open_trial or open.result ~= "arrived" then
    return
  end
  local serves, why = kernels.serves(want, facts, d.target)
  local down = serves ~= "no" and (open.runs or 0) > trial_runs and first_down(want, facts)
  if serves == "no" or down then
    d.back = kernel.boot_default
    d.given_up = "the trial of " .. d.target .. " failed: "
      .. (down and down .. " did not come up in " .. trial_runs .. " runs" or why)
  end
end

local function decide_pin(want, facts, d)
  d.pattern = want.kernel.release
  d.pinned = d.pattern and (resolve(facts, d.pattern) or boot.published(want, facts, d.pattern))
  if not d.pinned then
    return
  end
  d.target, d.next, d.protect = d.pinned, d.pinned, true
  d.why = d.pinned .. " is pinned"
  local serves, why = kernels.serves(want, facts, d.pinned)
  if serves == "no" then
    d.unserved, d.unserved_why = d.pinned, why
  end
  decide_trial(want, facts, d)
end

-- What is done about the kernel that boots:
--   strategy    pin, follow or none; explicit: it stands in the desired state
--   pinned      the release that is pinned; nil with a pattern: none fits
--   target      the release that is to be the default; nil: that is left alone
--   next        what boots next once the plan is carried out, as far as can be told
--   why         of target, in a sentence
--   fallback    target stands in for a kernel that does not serve: unserved, unserved_why
--   back_to     the default that we set goes, and that kernel boots again
--   forget_next a one-shot entry for another kernel than the pinned one goes
--   protect     target and its modules are held and safe from automatic removal
--   trial       target is started once and not yet made the default
--   arrived     target runs on trial: it becomes the default after the checks
--   given_up    why the trial is over; back: the release to return to
function boot.decide(want, facts)
  local d = {
    strategy = strategy_of(want),
    explicit = want.kernel ~= nil and want.kernel.strategy ~= nil,
    next = kernels.next_boot(facts),
  }
  if d.strategy == "pin" then
    decide_pin(want, facts, d)
  elseif d.strategy == "follow" or (not d.explicit and unsupported_pin(want)) then
    decide_follow(want, facts, d)
    -- The newest kernel stands in for nothing: when another one comes, that is looked at anew.
    d.protect = d.fallback and unsupported_pin(want) and d.target ~= kernels.newest(facts)
  end
  local once = facts.kernel.boot_next
  d.forget_next = d.strategy == "pin" and d.target ~= nil and once ~= nil and once ~= d.target
  return d
end

-- Kernels that matter: the running one, what boots next when the plan is carried out (once, and by
-- default), the pinned.
function boot.that_matter(facts, d)
  local list = { facts.kernel.running }
  if not d.forget_next then
    add_once(list, facts.kernel.boot_next)
  end
  add_once(list, d.target or d.back_to or facts.kernel.boot_default)
  if d.trial or d.given_up then
    add_once(list, facts.kernel.boot_default)
  end
  add_once(list, d.pinned)
  return list
end

-- Is what is published about to be asked anew? An index that is old, or lacks a source that is
-- wanted, may not know yet what would make a reboot needless.
function boot.index_is_stale(want, facts)
  for _, source in pairs(want.package_sources or {}) do
    if source.state ~= "absent" and facts:known("package_source", source.uri)
      and facts.package_source[source.uri].state == "absent" then
      return true
    end
  end
  if not facts:known("package_index", "apt") then
    return false
  end
  local index = facts.package_index.apt
  return index.outdated ~= nil or not index.age or index.age > 86400
end

-- What is loaded and is not what lies on disk: only another boot puts that right. A sentence, or
-- nil.
local function outdated(want, facts)
  local found = {}
  for _, needed in ipairs(kernels.needed(want)) do
    local name = needed.name
    local why = facts:known("module", name) and facts.module[name].outdated
    if why then
      table.insert(found, name .. ": " .. why)
    end
  end
  return #found > 0 and table.concat(found, "; ") or nil
end

-- Into what boots next, when all that is needed can be had there. That may be the kernel that runs.
local function renew(want, facts, d)
  local why = outdated(want, facts)
  if not why or not d.next or kernels.serves(want, facts, d.next) ~= "yes" then
    return nil
  end
  return d.next, why, d.next == facts.kernel.running and why or nil
end

-- Why the node has to be started anew, and into which kernel: nil when it need not be. A third
-- value says what another boot of the very kernel that runs puts right.
function boot.reboot_into(want, facts, d)
  local running = facts.kernel.running
  if d.back then
    return d.back, d.given_up
  elseif d.given_up then
    return nil
  elseif d.strategy == "pin" and d.pinned then
    if d.unserved then
      return nil
    elseif d.pinned == running then
      return renew(want, facts, d)
    end
    return d.pinned, running .. " is running; " .. d.pinned .. " is pinned"
  end
  if d.next and d.next ~= running then
    local serves, why = kernels.serves(want, facts, running)
    if serves == "no" and kernels.serves(want, facts, d.next) == "yes" then
      return d.next, running .. " is running; " .. why .. "; " .. d.next .. " serves"
    end
  end
  return renew(want, facts, d)
end

return boot
