-- Wants the holds under holds: as they are written. Does not decide which packages a kernel pin
-- needs held: holding a package of one kernel release does not keep its metapackage from bringing
-- in the next.
return {
  name = "holds",
  summary = "packages that nobody else may upgrade or remove",
  handles = { "holds" },

  plan = function(want, facts, plan)
    plan:each(want.holds, function(name, hold)
      plan:hold{ package = name, state = hold.state, reason = "wanted by holds" }
    end)
  end,
}
