-- Hands on what stands under resources: as it is, kind by kind. Decides nothing.
return {
  name = "resources",
  summary = "resources of any kind, as they are written",
  handles = { "resources" },

  plan = function(want, facts, plan)
    plan:each(want.resources, function(id, resource)
      plan[resource.kind](plan, lib.with(resource, { reason = "wanted by resources" }))
    end)
  end,
}
