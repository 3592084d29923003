-- Plans a reboot, and only when one is needed: the pinned kernel does not run, what is needed
-- cannot be had for the running one while the next has it, what is loaded is not what is on disk,
-- or a kernel is tried or left again. When it may happen is for reboot.when to say; never is said
-- as well, so that the need is seen. A node that Slurm rebooted for us gets work again when it is
-- whole.
-- Does not decide which kernel boots: see kernel.lua.
local boot, kernels = lib.boot, lib.kernels

-- That every wanted module and mount comes first, and comes right, the engine sees to; it knows
-- nothing of mounts that are only observed.
local function plan_resume(plan, want, facts)
  if not want.reboot or not facts:known("reboot") or not facts.reboot.drained then
    return
  end
  for target, mount in pairs(want.mounts or {}) do
    if mount.manage == "observe" and mount.state ~= "absent" and not facts.mount[target].live then
      plan:block{
        rule = "node-stays-drained",
        reason = target .. " is not mounted since the reboot by Slurm; the node gets no work",
      }
      return
    end
  end
  plan:scheduler{
    drained = false,
    reason = facts.kernel.running .. " was started by Slurm; once all that is wanted is there, "
      .. "the node gets work again",
  }
end

local function plan_reboot(plan, want, facts)
  local d = boot.decide(want, facts)
  local into, why, renew = boot.reboot_into(want, facts, d)
  if not into then
    return plan_resume(plan, want, facts)
  end
  if not renew and d.strategy ~= "pin" and boot.index_is_stale(want, facts) then
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
    renew = renew,
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
