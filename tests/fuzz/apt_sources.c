// SPDX-License-Identifier: MIT
/* Files of apt's sources in both styles: an entry is mended or removed, and what stands around it
 * stays byte for byte. */
#include "fuzz/fuzz.h"

#include "provider/apt_sources.h"

static bool is_kept(const char *text, const char *now, const struct apt_entry *entry)
{
	size_t length = strlen(text), n = strlen(now), behind = length - entry->end;

	return n >= entry->start && n - entry->start >= behind &&
	       memcmp(text, now, entry->start) == 0 &&
	       memcmp(text + entry->end, now + n - behind, behind) == 0;
}

static void mend(struct arena *arena, const char *text, const struct apt_entry *entry)
{
	static const char *suites[] = {"noble"}, *components[] = {"main"};
	const struct apt_edit edit = {.uri = "https://other.example/apt",
	                              .suites = {.set = true, .count = 1, .items = suites},
	                              .components = {.set = true, .count = 1, .items = components},
	                              .signed_by = "/etc/apt/keyrings/other.gpg"};
	const char *now = apt_sources_mend(arena, text, entry, &edit);
	struct apt_entries again = {0};
	bool is_there = false;

	HOLDS(is_kept(text, now, entry));
	apt_sources_parse(arena, entry->path, now, &again);
	for (size_t i = 0; i < again.count; i++) {
		is_there = is_there || (again.list[i].enabled && again.list[i].line == entry->line &&
		                        apt_sources_is_at(&again.list[i], edit.uri));
	}
	HOLDS(is_there);
}

static void look_at(struct arena *arena, const char *path, const char *text)
{
	struct apt_entries entries = {0};

	apt_sources_parse(arena, path, text, &entries);
	for (size_t i = 0; i < entries.count; i++) {
		const struct apt_entry *entry = &entries.list[i];

		HOLDS(entry->start < entry->end && entry->end <= strlen(text));
		mend(arena, text, entry);
		apt_sources_is_empty(apt_sources_remove(arena, text, entry));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *text = arena_strndup(arena, (const char *)data, size);

	look_at(arena, "/etc/apt/sources.list", text);
	look_at(arena, "/etc/apt/sources.list.d/a.sources", text);
	return 0;
}
