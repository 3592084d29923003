-- Wants the sources under package_sources: as they are written, and the package index refreshed
-- when there is none, when it is older than a file of sources, together with a source that is added
-- or mended, and when it is more than a day old and lacks what is wanted. Does not decide which
-- packages come from them: what a refresh brings is planned in the next pass.

-- By its place, wherever it stands.
local function is_as_wanted(facts, source)
  if not source.uri then
    return true -- one that is to go, and of which only the name is told
  end
  local fact = facts.package_source[source.uri]
  if fact.state ~= (source.state or "present") then
    return false
  end
  if source.state == "absent" then
    return true
  end
  for _, suite in ipairs(source.suites) do
    if not lib.has(fact.suites, suite) then
      return false
    end
  end
  return (not source.signed_by or fact.signed_by == source.signed_by)
    and (not source.key or fact.key_digest ~= nil)
end

-- Does the index not have a package that the node should have?
local function lacks_one(want, facts)
  local kernels = lib.kernels
  for name, package in pairs(want.packages or {}) do
    if package.state ~= "absent" and kernels.package_state(facts, name) == "missing" then
      return true
    end
  end
  local kernel = facts.kernel
  for _, module in pairs(want.modules or {}) do
    if module.package and module.state ~= "absent" then
      for _, part in ipairs({ "running", "boot_next", "boot_default" }) do
        local release = kernel[part]
        local name = release and kernels.package_name(module, release)
        if name and kernels.package_state(facts, name) == "missing" then
          return true
        end
      end
    end
  end
  return false
end

local function is_index_old(want, facts, index)
  return index.outdated or not index.age or (index.age > 86400 and lacks_one(want, facts))
end

return {
  name = "package_sources",
  summary = "where packages come from, and the index of what is there",
  handles = { "package_sources" },

  plan = function(want, facts, plan)
    local sources, refresh = {}, false
    plan:each(want.package_sources, function(name, source)
      table.insert(sources, "package_source:" .. name)
      refresh = refresh or not is_as_wanted(facts, source)
      plan:package_source{
        name = name,
        state = source.state,
        uri = source.uri,
        suites = source.suites,
        components = source.components,
        signed_by = source.signed_by,
        public_key = source.key,
        reason = "wanted by package_sources",
      }
    end)
    local index = facts.package_index.apt
    if #sources > 0 and (refresh or is_index_old(want, facts, index)) then
      local other = want.resources and want.resources["package_index:apt"]
      plan:package_index{
        source = "apt",
        max_age = other and other.max_age,
        after = sources,
        reason = "what the sources offer is known from the index alone",
      }
    end
  end,
}
