-- Plans a reboot, and only when one is needed: the pinned kernel does not run, what is needed
-- cannot be had for the running one while the next has it, or a kernel is tried or left again. When
-- it may happen is for reboot.when to say; never is said as well, so that the need is seen. Does
-- not decide which kernel boots: see kernel.lua.
local boot, kernels = lib.boot, lib.kernels

local function plan_reboot(plan, want, facts)
  local d = boot.decide(want, facts)
  local into, why = boot.reboot_into(want, facts, d)
  if not into then
    return
  end
  if d.strategy ~= "pin" and boot.index_is_stale(want, facts) then
    plan:block{
      rule = "reboot-waits-for-index",
      reason = why .. "; a reboot into " .. into
        .. " waits until the package index was refreshed: what is missing may be published",
    }
    return
  end
  local reboot = want.reboot or {}
  plan:reboot{
    into = into,
    when = reboot.when or "never",
    window = reboot.window,
    per_day = reboot.per_day,
    attempts_per_kernel = reboot.attempts_per_kernel,
    force = reboot.force,
    trial = d.trial or nil,
    after = kernels.bringers(want, facts, into),
    reason = why,
  }
end

return {
  name = "reboot",
  summary = "whether the node must be rebooted, and when that may happen",
  handles = { "reboot", "kernel", "modules", "mounts" },

  plan = function(want, facts, plan)
    local own = want.reboot and want.reboot.when and want.reboot or nil
    if want.kernel or #kernels.needed(want) > 0 then
      boot.anchored(plan, want, function()
        plan_reboot(plan, want, facts)
      end, own, own and "when")
    end
  end,
}
