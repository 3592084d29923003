// SPDX-License-Identifier: MIT
/* See module_closed.h. */
#include "provider/module_closed.h"

#include "base/str.h"
#include "provider/lines.h"

#include <stdlib.h>
#include <string.h>

/* Bit of a capability set, linux/capability.h. */
enum { SYS_MODULE = 16 };

int module_closed_read(struct host *host, struct arena *arena, struct truth *ret_closed,
                       struct err *err)
{
	char *text;

	if (lines_read(host, "/proc/sys/kernel/modules_disabled", arena, &text, err)) {
		return -(int)err->code;
	}
	*ret_closed = (struct truth){.set = text != NULL, .value = text && text_starts(text, "1")};
	return 0;
}

/* What is not in the bounding set no program of ours can have, were it root's: so it is in most
 * containers (capabilities(7)). Who only plans without root may lack the rest. */
static int is_bounded(struct host *host, struct arena *arena, bool *ret_bounded, struct err *err)
{
	char *text;

	*ret_bounded = false;
	if (lines_read(host, "/proc/self/status", arena, &text, err)) {
		return -(int)err->code;
	}
	for (char *line; text && (line = lines_next(&text));) {
		if (text_starts(line, "CapBnd:")) {
			unsigned long long set = strtoull(line + strlen("CapBnd:"), NULL, 16);

			*ret_bounded = !(set >> SYS_MODULE & 1);
		}
	}
	return 0;
}

int module_closed_why(struct host *host, struct arena *arena, const char **ret_why, struct err *err)
{
	struct file_look look;
	struct truth closed;
	bool is_bound;

	*ret_why = NULL;
	if (module_closed_read(host, arena, &closed, err) ||
	    host->ops->look(host, "/proc/modules", &look, err) ||
	    is_bounded(host, arena, &is_bound, err)) {
		return -(int)err->code;
	}
	if (closed.value) {
		*ret_why = "kernel.modules_disabled is set: nothing is loaded until the next boot";
	} else if (look.type == FILE_NONE) {
		*ret_why = "the running kernel loads no modules: all it has is built in";
	} else if (is_bound) {
		*ret_why = "no module can be loaded from here: CAP_SYS_MODULE is not in the bounding set, "
		           "as in most containers";
	}
	return 0;
}
