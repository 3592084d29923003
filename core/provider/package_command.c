// SPDX-License-Identifier: MIT
/* See package_command.h. */
#include "provider/package_command.h"

#include "provider/package_cache.h"
#include "provider/package_change.h"
#include "provider/transaction.h"

#include <string.h>

enum { ARGUMENTS = 40 };

static void add(struct package_command *command, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		command->list[command->count++] = words[i];
	}
}

/* Ours last: what was set here holds whatever apt.conf says. */
void package_command_make(struct arena *arena, const struct resource *want,
                          const struct resource *have, bool simulate,
                          struct package_command *command)
{
	static const char *const look[] = {"-s", "--allow-change-held-packages",
	                                   "-o", "Debug::NoLocking=true",
	                                   "-o", "APT::Get::Show-User-Simulation-Note=false",
	                                   "-o", "Dir::Cache::pkgcache=",
	                                   "-o", "Dir::Cache::srcpkgcache=",
	                                   "-o", "Dir::Log::Planner=/dev/null",
	                                   NULL};
	static const char *const act[] = {"-o",
	                                  "Dpkg::Options::=--force-confdef",
	                                  "-o",
	                                  "Dpkg::Options::=--force-confold",
	                                  "-o",
	                                  "Dpkg::Use-Pty=0",
	                                  "-o",
	                                  "DPkg::Lock::Timeout=60",
	                                  "-o",
	                                  "Acquire::Retries=3",
	                                  TRANSACTION_PATIENCE,
	                                  NULL};
	static const char *const common[] = {
	    "-q", "-y", "--no-install-recommends", "--no-auto-remove", "-o", PACKAGES_EXACT, NULL};
	static const char *const without_sources[] = {
	    "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "Dir::Etc::sourceparts=/dev/null",
	    "-o", "Dir::Cache::pkgcache=",          "-o", "Dir::Cache::srcpkgcache=",
	    NULL};
	const struct package *package = &have->package;

	*command = (struct package_command){.list = arena_array(arena, ARGUMENTS, sizeof(const char *)),
	                                    .is_simulation = simulate};
	command->list[command->count++] = "apt-get";
	add(command, common);
	add(command, simulate ? look : act);
	if (want->state == STATE_ABSENT) {
		add(command, (const char *const[]){"remove", "--", want->key, NULL});
		return;
	}
	if (!simulate) {
		add(command, (const char *const[]){"--no-remove", NULL});
	}
	if (package->version && packages_compare(package->candidate, package->version) < 0) {
		add(command, (const char *const[]){"--allow-downgrades", NULL});
	}
	if (package_is_damaged(want, have)) {
		add(command, (const char *const[]){"--reinstall", NULL});
	}
	if (package->from) {
		add(command, without_sources); /* only what was kept, and what is there */
	}
	add(command, (const char *const[]){"install", "--", NULL});
	if (!package->from) {
		command->list[command->count++] =
		    arena_printf(arena, "%s=%s", want->key, package->candidate);
	}
}

int package_command_add_kept(struct host *host, const struct resource *want, struct arena *arena,
                             struct package_command *command, const char **ret_why, struct err *err)
{
	struct package_cache cache;
	struct list paths = {0};

	*ret_why = NULL;
	if (package_cache_read(host, arena, &cache, err)) {
		return -(int)err->code;
	}
	cache.in_doubt = !command->is_simulation;
	const struct cached_set *set = package_cache_find(&cache, want->key);

	if (!set) {
		*ret_why = "it is not in the cache any more";
		return 0;
	}
	if (package_cache_check(host, &cache, set, arena, ret_why, err) ||
	    (!*ret_why && package_cache_needed(host, &cache, set, arena, &paths, err))) {
		return -(int)err->code;
	}
	const char **all = arena_array(arena, command->count + paths.count + 1, sizeof *command->list);

	memcpy((void *)all, (const void *)command->list, command->count * sizeof *all);
	for (size_t i = 0; i < paths.count; i++) {
		all[command->count++] = paths.items[i];
	}
	command->list = all;
	return 0;
}
