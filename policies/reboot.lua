-- Says that this version never reboots, whatever reboot.when allows. Decides nothing else.
return {
  name = "reboot",
  summary = "when the node may be rebooted",
  handles = { "reboot" },

  plan = function(want, _, plan)
    local when = want.reboot.when
    if when and when ~= "never" then
      plan:warn{
        rule = "reboot-not-managed",
        reason = "reboot.when is " .. when .. "; this version never reboots",
      }
    end
  end,
}
