-- Says whether the node runs, and will boot, the kernel that is wanted: pin compares with
-- kernel.release, follow says when the next boot moves to another kernel. This version does not
-- change what boots, does not reboot, and does not decide about modules: see modules.lua.

local function matching(installed, pattern)
  local found = {}
  for _, release in ipairs(installed or {}) do
    if lib.glob(pattern, release) then
      table.insert(found, release)
    end
  end
  return found
end

local function check_pin(plan, kernel, release)
  local next_boot = kernel.boot_next or kernel.boot_default
  local runs = lib.glob(release, kernel.running)
  if runs and (not next_boot or lib.glob(release, next_boot)) then
    return
  end
  local parts = { kernel.running .. " is running" }
  if next_boot and next_boot ~= kernel.running then
    table.insert(parts, next_boot .. " will boot next")
  end
  table.insert(parts, release .. " is pinned")
  if #matching(kernel.installed, release) == 0 then
    table.insert(parts, "it is not installed")
  end
  plan:block{
    rule = "kernel-not-pinned",
    reason = table.concat(parts, "; ") .. "; this version does not change what boots",
  }
end

local function check_follow(plan, kernel)
  local next_boot = kernel.boot_next or kernel.boot_default
  if next_boot and next_boot ~= kernel.running then
    plan:warn{
      rule = "kernel-moves",
      reason = next_boot .. " will boot next; " .. kernel.running .. " is running",
    }
  end
end

return {
  name = "kernel",
  summary = "which kernel the node runs and boots",
  handles = { "kernel" },

  plan = function(want, facts, plan)
    local strategy = want.kernel.strategy or (want.kernel.release and "pin") or "none"
    if strategy == "pin" and want.kernel.release then
      check_pin(plan, facts.kernel, want.kernel.release)
    elseif strategy == "follow" then
      check_follow(plan, facts.kernel)
    end
  end,
}
