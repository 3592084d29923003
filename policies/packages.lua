-- Wants the packages under packages: as they are written. A version is a condition on what is
-- installed, never a wish to upgrade. Does not decide about packages that bring kernel modules:
-- see modules.lua.
return {
  name = "packages",
  summary = "installed packages",
  handles = { "packages" },

  plan = function(want, facts, plan)
    plan:each(want.packages, function(name, package)
      plan:package{
        name = name,
        version = package.version,
        state = package.state,
        reason = "wanted by packages",
      }
    end)
  end,
}
