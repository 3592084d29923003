-- Says for each kernel that matters whether the BeeGFS client is said to build on it, and which
-- installed kernels would do. Where it cannot work the node is reported blocked; everything else
-- on it goes on. Does not decide which kernel should run: see kernel.lua.
local matrix = lib.beegfs_matrix

local function judge(release)
  for _, row in ipairs(matrix.kernels) do
    if lib.glob(row.pattern, release) then
      return row.verdict, row.note
    end
  end
  return "unknown", "not in the matrix"
end

local function supported(installed)
  local found = {}
  for _, release in ipairs(installed or {}) do
    if judge(release) == "supported" then
      table.insert(found, release)
    end
  end
  return #found == 0 and "none of the installed kernels would do"
    or "of the installed kernels " .. table.concat(found, ", ") .. " would do"
end

local function report(plan, facts, release)
  local verdict, note = judge(release)
  local which = release == facts.kernel.running and "is running" or "will boot next"
  local reason = release .. " " .. which .. "; BeeGFS " .. matrix.version .. " on it is " .. verdict
    .. " (" .. note .. "); " .. supported(facts.kernel.installed)
  if verdict == "incompatible" then
    plan:block{ rule = "beegfs-kernel", reason = reason }
  elseif verdict ~= "supported" then
    plan:warn{ rule = "beegfs-kernel", reason = reason }
  end
end

return {
  name = "beegfs",
  summary = "kernels that the BeeGFS client builds on, as a matrix",
  handles = { "modules" },

  plan = function(want, facts, plan)
    plan:each(want.modules, function(name)
      if name ~= "beegfs" then
        return
      end
      report(plan, facts, facts.kernel.running)
      local next_boot = facts.kernel.boot_next or facts.kernel.boot_default
      if next_boot and next_boot ~= facts.kernel.running then
        report(plan, facts, next_boot)
      end
    end)
  end,
}
