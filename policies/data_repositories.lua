-- Wants each directory that is tied to a bucket to be there, on a live mount; and on the one node
-- that is named as its owner, the association itself. Two that cannot stand beside each other are
-- blocked before anybody is asked. Does not make the directory: it comes with the association.

-- "s3://bucket/data" and "s3://bucket/data/" are the same place.
local function slashed(path)
  return path:sub(-1) == "/" and path or path .. "/"
end

local function overlap(a, b)
  a, b = slashed(a), slashed(b)
  return a:sub(1, #b) == b or b:sub(1, #a) == a
end

-- So many associations does a file system have at the most.
local most = 8

-- The rule of the service that `path` breaks together with others of its file system, and how. None
-- of too many is wanted more than the others: all are blocked, and whoever wrote them chooses.
local function conflict(entries, path, entry)
  local count = 0
  for other_path, other in pairs(entries) do
    if entry.file_system and other.file_system == entry.file_system then
      count = count + 1
      if other_path ~= path and overlap(other_path, path) then
        return "repositories-overlap", path .. " and " .. other_path .. " lie within each other"
      end
      if other_path ~= path and overlap(other.repository, entry.repository) then
        return "repositories-overlap", entry.repository .. " and " .. other.repository .. " ("
          .. other_path .. ") lie within each other"
      end
    end
  end
  if count > most then
    return "repositories-limit", entry.file_system .. " is wanted to have " .. count
      .. " associations, and " .. most .. " is the most"
  end
end

local function why(entry, owned)
  if owned then
    return "wanted by data_repositories, which this node owns"
  end
  return "wanted by data_repositories"
    .. (entry.owner and "; the service is asked by its owner " .. entry.owner or "")
end

return {
  name = "data_repositories",
  summary = "directories of a Lustre file system that are tied to a bucket",
  handles = { "data_repositories" },

  plan = function(want, facts, plan)
    plan:each(want.data_repositories, function(path, entry)
      local rule, conflicts = conflict(want.data_repositories, path, entry)
      if rule then
        plan:block{
          rule = rule,
          resource = "data_repository:" .. path,
          reason = conflicts .. ": the service refuses that",
        }
        return
      end
      local owned = entry.owner ~= nil and entry.owner == facts.node.name
      plan:data_repository{
        path = path,
        repository = entry.repository,
        file_system = entry.file_system,
        region = entry.region,
        import = entry.import,
        export = entry.export,
        batch_import = entry.batch_import,
        chunk_mib = entry.chunk_mib,
        owner = owned and entry.owner or nil,
        manage = owned and entry.manage or "observe",
        reason = why(entry, owned),
      }
    end)
  end,
}
