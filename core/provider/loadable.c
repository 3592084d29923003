// SPDX-License-Identifier: MIT
/*
 * Kind loadable: would a module load under a kernel, running or not? Told from files; nothing is
 * loaded. Of a file system that only its own program can mount, that program counts as well.
 */
#include "base/str.h"
#include "provider/module_verdict.h"
#include "provider/table.h"

#include <string.h>

/* Types that mount(2) alone cannot mount, of modules that do not come with the kernel. */
static const char *const need_helper[] = {"lustre"};

static int look_for_helper(struct host *host, const char *type, struct arena *arena,
                           struct module_verdict *verdict, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(need_helper); i++) {
		const char *helper = arena_printf(arena, "/sbin/mount.%s", need_helper[i]);
		struct file_look look;

		if (!text_equal(type, need_helper[i])) {
			continue;
		}
		if (host->ops->look(host, helper, &look, err)) {
			return -(int)err->code;
		}
		if (look.type == FILE_NONE) {
			verdict->answer = MODULE_NO;
			verdict->cause = "no-helper";
			verdict->reason = arena_printf(
			    arena, "it would load, but %s, which alone can mount %s, is missing", helper, type);
		}
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_LOADABLE], key);
	const char *at = strchr(key, '@');
	struct host_loadable found;

	(void)want;
	if (!at) {
		return err_set(err, ERR_BUG, 0, "%s is not MODULE@RELEASE", key);
	}
	const char *name = arena_strndup(arena, key, (size_t)(at - key));

	if (host->ops->loadable(host, name, at + 1, &found, err)) {
		return -(int)err->code;
	}
	struct module_verdict verdict = module_verdict(arena, name, &found);

	if (verdict.answer != MODULE_NO &&
	    look_for_helper(host, found.file.filesystem, arena, &verdict, err)) {
		return -(int)err->code;
	}
	have->loadable = (struct loadable){
	    .verdict = module_verdict_word(verdict.answer),
	    .cause = verdict.cause,
	    .reason = verdict.reason,
	    .file = found.file.path,
	    .vermagic = found.file.vermagic,
	    .version = found.file.version,
	};
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

const struct provider provider_loadable = {.kind = KIND_LOADABLE, .observe = observe};
