// SPDX-License-Identifier: MIT
/* See package_explain.h. */
#include "provider/package_explain.h"

#include "base/str.h"
#include "provider/package_command.h"
#include "provider/simulate.h"
#include "provider/transaction.h"

#include <string.h>

enum { CHAIN_MOST = 6 };

/* What apt-get says of a dependency it would not install: the reason lies with that one. */
static int ask_about(struct host *host, const char *name, struct arena *arena, char **ret_out,
                     struct err *err)
{
	struct resource *want = resource_create(arena, &kind_table[KIND_PACKAGE], name);
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE], name);
	struct package_command command;
	const char *why;

	have->package.candidate = "";
	package_command_make(arena, want, have, true, &command);
	command.list[command.count - 1] = name; /* of any version */
	return transaction_ask(host, command.list, arena, ret_out, &why, err);
}

/* apt could bring it, but not so that it fits. */
static int explain_last(struct host *host, const char *needed, struct str *text, struct err *err)
{
	struct host_candidate candidate;

	if (host->ops->candidate(host, needed, &candidate, err)) {
		return -(int)err->code;
	}
	if (candidate.version) {
		str_addf(text, ", but %s is what there would be", candidate.version);
	} else {
		str_add(text, ", which apt would not install");
	}
	return 0;
}

int package_explain(struct host *host, const char *name, char *out, struct arena *arena,
                    const char **ret_why, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct unmet unmet;
	bool is_first = true;

	for (int i = 0; i < CHAIN_MOST && simulate_unmet(arena, out, &unmet); i++) {
		if (is_first) {
			str_add(&text, name);
		}
		if (strcmp(unmet.name, name) != 0) {
			str_addf(&text, "%s brings %s", is_first ? "" : ", which", unmet.name);
			is_first = false;
		}
		str_addf(&text, "%s needs %s", is_first ? "" : ", which", unmet.dependency);
		is_first = false;
		name = unmet.needed;
		if (unmet.unknown || unmet.there) {
			break;
		}
		if (ask_about(host, name, arena, &out, err)) {
			return -(int)err->code;
		}
	}
	if (!text.length) {
		return 0;
	}
	if (unmet.unknown) {
		str_add(&text, ", which is not published");
	} else if (unmet.there) {
		str_addf(&text, ", but %s is what there would be", unmet.there);
	} else if (explain_last(host, name, &text, err)) {
		return -(int)err->code;
	}
	*ret_why = arena_strdup(arena, str_text(&text));
	return 0;
}
