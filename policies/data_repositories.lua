-- Checks that each directory that is tied to a bucket is there, on a live mount. Does not make
-- the directory (it comes with the association) and does not decide about the association itself,
-- which belongs to the file system and not to the node.
return {
  name = "data_repositories",
  summary = "directories of a Lustre file system that are tied to a bucket",
  handles = { "data_repositories" },

  plan = function(want, _, plan)
    plan:each(want.data_repositories, function(path, repository)
      plan:data_repository(lib.with(repository, {
        path = path,
        reason = "wanted by data_repositories",
      }))
    end)
  end,
}
