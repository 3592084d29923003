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

-- The rule of the service that `path` breaks together with another entry of its file system: at
-- most eight, and neither directories nor repositories lie within each other.
local function conflict(entries, path, entry)
  local count = 0
  for other_path, other in pairs(entries) do
    if entry.file_system and other.file_system == entry.file_system then
      count = count + 1
      if other_path ~= path and overlap(other_path, path) then
        return path .. " and " .. other_path .. " lie within each other"
      end
      if other_path ~= path and overlap(other.repository, entry.repository) then
        return entry.repository .. " and " .. other.repository .. " (" .. other_path
          .. ") lie within each other"
      end
    end
  end
  return count > 8 and entry.file_system .. " is wanted to have " .. count
    .. " associations, and 8 is the most"
end

return {
  name = "data_repositories",
  summary = "directories of a Lustre file system that are tied to a bucket",
  handles = { "data_repositories" },

  plan = function(want, facts, plan)
    plan:each(want.data_repositories, function(path, entry)
      local why = conflict(want.data_repositories, path, entry)
      if why then
        plan:block{
          rule = "repositories-overlap",
          resource = "data_repository:" .. path,
          reason = why .. ": the service refuses that",
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
        reason = owned and "wanted by data_repositories, which this node owns"
          or "wanted by data_repositories",
      }
    end)
  end,
}
