// SPDX-License-Identifier: MIT
/* See redact.h. */
#include "model/redact.h"

#include "base/digest.h"
#include "base/str.h"

#include <string.h>

/* A file made without a mode is 0644, readable by all. */
static bool is_secret(const struct value *file)
{
	const char *mode = value_text(file, "mode");
	size_t n = mode ? strlen(mode) : 0;

	return n && !((mode[n - 1] - '0') & 4);
}

static struct value without_content(struct arena *arena, const struct value *file)
{
	struct value copy = value_copy(arena, file);
	struct value *content = (struct value *)value_get(&copy, "content");

	if (content && content->type == VALUE_STRING) {
		struct digest digest = digest_bytes(content->string, strlen(content->string));

		content->string = arena_printf(arena, "sha256:%s", digest.hex);
	}
	return copy;
}

struct value redact_state(struct arena *arena, const struct value *state, enum redact which)
{
	struct value shown = value_copy(arena, state);
	struct value *resources = (struct value *)value_get(&shown, "resources");

	for (size_t i = 0; resources && resources->type == VALUE_MAP && i < resources->count; i++) {
		struct value *entry = &resources->entries[i].value;

		if (text_equal(value_text(entry, "kind"), "file") &&
		    (which == REDACT_ALL || is_secret(entry))) {
			*entry = without_content(arena, entry);
		}
	}
	return shown;
}
