-- What kernels and the modules for them mean to a node: used by the policies kernel, modules and
-- mounts. All functions read facts only; none plans anything.
local kernels = {}

-- The release that will boot next, as far as the boot loader tells; nil when it does not.
function kernels.next_boot(facts)
  return facts.kernel.boot_next or facts.kernel.boot_default
end

-- The package that brings the module for a release; nil when the desired state names none.
function kernels.package_name(module, release)
  return module.package and lib.template(module.package, { kernel = release })
end

-- deb-control(5): lower case letters, digits, plus, minus, period.
function kernels.can_be_package(name)
  return name:find("^[a-z0-9][a-z0-9+.-]+$") ~= nil
end

-- Is the package there for that release, or can it be had? "installed", "published" or "missing".
-- What is installed is never asked for in the index: it stays right when nobody publishes it any
-- more. A kernel built by hand may be called what no package can be (6.6.1-CUSTOM).
function kernels.package_state(facts, name)
  if not kernels.can_be_package(name) then
    return "missing"
  end
  if facts.package[name].state == "present" then
    return "installed"
  end
  return facts.candidate[name].state == "present" and "published" or "missing"
end

-- Could the running kernel use the module without any package? It is built in, loaded, or its
-- file is there.
function kernels.is_loadable(facts, name)
  local module = facts.module[name]
  return module.builtin == true or module.loaded == true or module.file ~= nil
end

-- Installed kernels for which the package is there or can be had, newest last.
function kernels.served(facts, module)
  local served = {}
  for _, release in ipairs(facts.kernel.installed or {}) do
    local name = kernels.package_name(module, release)
    if name and kernels.package_state(facts, name) ~= "missing" then
      table.insert(served, release)
    end
  end
  return served
end

-- A sentence about them, for reasons.
function kernels.served_sentence(facts, module)
  local served = kernels.served(facts, module)
  if #served == 0 then
    return "no installed kernel has one"
  end
  return "of the installed kernels " .. table.concat(served, ", ")
    .. (#served == 1 and " has one" or " have one")
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

-- "/fsx", "/fsx and /lustre", "/a, /b and /c"
function kernels.list(names)
  if #names < 2 then
    return names[1] or ""
  end
  return table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
end

return kernels
