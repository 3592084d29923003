-- How the modules that a node needs stand under its kernels: used by the policies kernel, modules,
-- mounts, beegfs and reboot, which must agree. All functions read facts only; none plans anything.
local kernels = {}

-- ---- Small things

-- "/fsx", "/fsx and /lustre", "/a, /b and /c"
function kernels.list(names)
  if #names < 2 then
    return names[1] or ""
  end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

local function add_once(list, item)
  if item and not lib.has(list, item) then
    table.insert(list, item)
  end
end

-- deb-control(5): lower case letters, digits, plus, minus, period.
function kernels.can_be_package(name)
  return name:find("^[a-z0-9][a-z0-9+.-]+$") ~= nil
end

-- Is the package there, or can it be had? "installed", "published" or "missing". What is installed
-- is never asked for in the index: it stays right when nobody publishes it any more. A kernel built
-- by hand may be called what no package can be (6.6.1-CUSTOM).
function kernels.package_state(facts, name)
  if not kernels.can_be_package(name) then
    return "missing"
  end
  if facts.package[name].state == "present" then
    return "installed"
  end
  return facts.candidate[name].state == "present" and "published" or "missing"
end

-- ---- What is wanted

-- The package that brings the module for a release; nil when the desired state names none.
function kernels.package_name(module, release)
  return module.package and lib.template(module.package, { kernel = release })
end

-- The name under which DKMS builds it, or nil.
function kernels.dkms_name(name, module)
  return module.dkms or (name == "beegfs" and not module.package and "beegfs") or nil
end

-- The targets of the mounts that need the module, sorted.
function kernels.mounts_of(want, name, module)
  local targets = {}
  for target, mount in pairs(want.mounts or {}) do
    if mount.type == (module.filesystem or name) and mount.state ~= "absent" then
      table.insert(targets, target)
    end
  end
  return targets
end

-- Types whose module is no part of the kernel's own package, for trees that only name the mount.
local type_modules = { "beegfs", "lustre" }

-- The modules that a kernel must have to be of use: {{name, module}, ...} in sorted order. What is
-- wanted absent is not among them, nor what the node does without (unsupported: skip).
function kernels.needed(want)
  local needed, types = {}, {}
  for name, module in pairs(want.modules or {}) do
    types[module.filesystem or name] = true
    if module.state ~= "absent" and module.unsupported ~= "skip" then
      table.insert(needed, { name = name, module = module })
    end
  end
  for _, type in ipairs(type_modules) do
    if not types[type] and #kernels.mounts_of(want, type, {}) > 0 then
      table.insert(needed, { name = type, module = {} })
    end
  end
  return needed
end

-- ---- Modules and kernels

-- The release that will boot next, as far as the boot loader tells; nil when it does not.
function kernels.next_boot(facts)
  return facts.kernel.boot_next or facts.kernel.boot_default
end

-- What the boot loader starts when nobody chose: the newest one.
function kernels.newest(facts)
  local installed = facts.kernel.installed or {}
  return installed[#installed]
end

-- Could the running kernel use the module without any package? It is built in, loaded, or its
-- file is there.
function kernels.is_loadable(facts, name)
  local module = facts.module[name]
  return module.builtin == true or module.loaded == true or module.file ~= nil
end

-- "yes", "no" or nil (not proved either way), and for no: reason and cause.
function kernels.verdict(facts, name, release)
  local key = name .. "@" .. release
  if facts:known("loadable", key) then
    local fact = facts.loadable[key]
    if fact.state == "absent" then
      return "no", "there is no " .. name .. " module for " .. release, "missing"
    elseif fact.verdict == "yes" then
      return "yes"
    elseif fact.verdict == "no" then
      return "no", fact.reason or fact.cause or "it would not load", fact.cause
    end
  end
  if release == facts.kernel.running and facts:known("module", name)
    and kernels.is_loadable(facts, name) then
    return "yes"
  end
end

-- The version of the source that a module would be built from for a release: what DKMS has, else
-- what is wanted; nil when neither tells.
function kernels.version(facts, name, module, release)
  local key = (kernels.dkms_name(name, module) or name) .. "@" .. release
  return facts:known("dkms", key) and facts.dkms[key].version or module.version
end

-- What is said about a module on a kernel where nobody tried: verdict and note, or nil.
function kernels.claims(name, version, release)
  if name == "beegfs" then
    return lib.beegfs_matrix.judge(version, release)
  end
end

local function by_claims(facts, name, module, release)
  local version = kernels.version(facts, name, module, release)
  local claim, note = kernels.claims(name, version, release)
  if claim == "incompatible" then
    return "none", "BeeGFS " .. lib.beegfs_matrix.version(version) .. " is incompatible with "
      .. release .. " (" .. note .. ")"
  end
  return claim == "supported" and "comes" or "unknown"
end

local function no_headers(facts, name, release)
  local headers = "linux-headers-" .. release
  if kernels.package_state(facts, headers) == "missing" then
    return "none", "DKMS cannot build " .. name .. " for " .. release .. " without " .. headers
      .. ", which is not published"
  end
  return "comes"
end

local function one_line(text)
  return (text:gsub("%s*\n%s*", "; "))
end

-- DKMS has no source to build from: nothing promises that one comes, whatever is said of it. Of a
-- version that nobody tells nothing is said at all.
local function without_source(facts, name, module, release)
  local lacks = "DKMS has no source of " .. name
  if module.version then
    local word, why = by_claims(facts, name, module, release)
    if word == "none" then
      return word, why .. ", and " .. lacks
    end
  end
  return "unknown", lacks
end

-- What DKMS did tells more than what anybody claims.
local function standing_with_dkms(facts, name, module, release, key)
  local fact = facts:known("dkms", key) and facts.dkms[key] or nil
  if fact and fact.state == "absent" then
    return without_source(facts, name, module, release)
  elseif not fact or not fact.status then
    return by_claims(facts, name, module, release)
  elseif fact.status == "installed" then
    return "loads"
  elseif fact.status == "failed" then
    return "none", name .. " does not build for " .. release
      .. (fact.log and ": " .. one_line(fact.log) or "")
  elseif fact.status == "excluded" then
    return "none", name .. " says itself that it is not for " .. release
  end
  local word, why = by_claims(facts, name, module, release)
  if word == "none" then
    return word, why
  elseif fact.status == "no headers" then
    return no_headers(facts, name, release)
  end
  return "comes"
end

-- Would installing the package anew put back what is damaged or missing? Only where dpkg finds it
-- so, and the very version that is installed can be had.
function kernels.can_be_put_back(facts, package, cause)
  if (cause ~= "missing" and cause ~= "damaged") or not facts:known("package_files", package)
    or #(facts.package_files[package].damaged or {}) == 0 then
    return false
  end
  local version = facts.package[package].version
  if facts:known("candidate", package)
    and lib.has(facts.candidate[package].versions or {}, version) then
    return true
  end
  return facts:known("cached_package", package)
    and facts.cached_package[package].state == "present"
    and facts.cached_package[package].version == version
end

local function standing_with_package(facts, package, verdict, reason, cause)
  local state = kernels.package_state(facts, package)
  if state == "installed" then
    if verdict == "no" and kernels.can_be_put_back(facts, package, cause) then
      return "comes", reason, cause
    elseif verdict == "no" and cause ~= "no-helper" then
      return "broken", reason, cause
    end
    return "loads"
  elseif state == "published" then
    return "comes"
  end
  return "none", package .. " is not published"
end

-- How a module stands under a kernel, in a word, with the reason where it does not:
--   loads    it would load as things are
--   comes    it can be had: its package is published, or DKMS can build it; with a cause: what is
--            damaged or missing of the installed package can be put back
--   broken   it is installed and would not load; also the cause, in a word
--   none     it cannot be had
--   unknown  nobody can tell
function kernels.standing(facts, name, module, release)
  local verdict, reason, cause = kernels.verdict(facts, name, release)
  if verdict == "yes" then
    return "loads"
  end
  local package = kernels.package_name(module, release)
  local dkms = kernels.dkms_name(name, module)
  if dkms then
    return standing_with_dkms(facts, name, module, release, dkms .. "@" .. release)
  elseif package then
    return standing_with_package(facts, package, verdict, reason, cause)
  end
  return verdict == "no" and "none" or "unknown", reason
end

-- Does a kernel serve all that the node needs, or can it be made to? "yes", "no" or "unknown", and
-- for no: why.
function kernels.serves(want, facts, release)
  local answer = "yes"
  for _, needed in ipairs(kernels.needed(want)) do
    local word, why = kernels.standing(facts, needed.name, needed.module, release)
    if word == "none" then
      return "no", "no " .. needed.name .. " module for it: " .. (why or "there is none")
    elseif word == "broken" then
      return "no", needed.name .. " would not load under it: " .. (why or "nobody says why")
    elseif word == "unknown" then
      answer = "unknown"
    end
  end
  return answer
end

-- Installed kernels under which the module loads or can be had, newest last; also those of them
-- under which it loads as things are, and those for which it can be had.
function kernels.served(facts, name, module)
  local served, of = {}, { loads = {}, comes = {} }
  for _, release in ipairs(facts.kernel.installed or {}) do
    local word = kernels.standing(facts, name, module, release)
    if of[word] then
      table.insert(served, release)
      table.insert(of[word], release)
    end
  end
  return served, of.loads, of.comes
end

-- A sentence about them, for reasons.
function kernels.served_sentence(facts, name, module)
  local served, loads, comes = kernels.served(facts, name, module)
  if #served == 0 then
    return "no installed kernel has one"
  end
  local has = #loads > 0 and kernels.list(loads) .. (#loads == 1 and " has one" or " have one")
  local comes_for = #comes > 0 and "for " .. kernels.list(comes) .. " one can be had"
  return "of the installed kernels " .. (has or "none has one")
    .. (comes_for and ", and " .. comes_for or "")
end

-- Ids of what brings the modules for a release: whoever makes that kernel the one that boots comes
-- after them.
function kernels.bringers(want, facts, release)
  local ids = {}
  for _, needed in ipairs(kernels.needed(want)) do
    local package = kernels.package_name(needed.module, release)
    local dkms = kernels.dkms_name(needed.name, needed.module)
    if package and kernels.can_be_package(package) then
      add_once(ids, "package:" .. package)
    end
    if dkms then
      add_once(ids, "dkms:" .. dkms .. "@" .. release)
    end
  end
  return ids
end

return kernels
