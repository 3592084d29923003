// SPDX-License-Identifier: MIT
/* See package_closure.h. */
#include "provider/package_closure.h"

#include "base/clock.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_explain.h"
#include "provider/simulate.h"
#include "provider/source_files.h"
#include "provider/transaction.h"

#include <stdlib.h>
#include <string.h>

enum {
	AT_ONCE = 12,     /* names in one question: the answer must fit what is kept of an output */
	PARTS_MOST = 400, /* packages; more is no closure of a module but a distribution */
};

struct search {
	struct host *host;
	struct arena *arena;
	struct closure closure;
	const char *why;
};

#define ASKING "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", PACKAGES_EXACT

/* Asks `before` about n words, at most AT_ONCE of them at a time; the answers one after the other.
 */
static int ask(struct search *s, const char *const *before, const char *const *words, size_t n,
               struct str *ret_text, struct err *err)
{
	for (size_t at = 0; at < n && !s->why; at += AT_ONCE) {
		const char *argv[AT_ONCE + 12];
		size_t count = 0;
		char *out;

		for (; before[count]; count++) {
			argv[count] = before[count];
		}
		for (size_t i = at; i < n && i < at + AT_ONCE; i++) {
			argv[count++] = words[i];
		}
		argv[count] = NULL;
		if (transaction_ask(s->host, argv, s->arena, &out, &s->why, err)) {
			return -(int)err->code;
		}
		if (strstr(out, " bytes left out]")) { /* the mark of base/capture.h */
			s->why = arena_printf(s->arena, "%s said more than can be looked through", argv[0]);
		}
		str_add(ret_text, out);
		str_addc(ret_text, '\n');
	}
	return 0;
}

static bool has_part(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->closure.count; i++) {
		if (strcmp(s->closure.list[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static void add_part(struct search *s, const char *name, const char *version)
{
	struct closure *closure = &s->closure;

	closure->list =
	    arena_grow(s->arena, closure->list, closure->count, &closure->cap, sizeof *closure->list);
	closure->list[closure->count++] = (struct closure_part){
	    .name = arena_strdup(s->arena, name), .version = arena_strdup(s->arena, version)};
}

/* ---- What apt would bring ---- */

static int simulate(struct search *s, const char *name, const char *version, struct err *err)
{
	const char *const argv[] = {"apt-get",
	                            "-q",
	                            "-y",
	                            "-s",
	                            "--no-install-recommends",
	                            "--no-auto-remove",
	                            "--reinstall",
	                            "--allow-change-held-packages",
	                            "--allow-downgrades",
	                            "-o",
	                            "Debug::NoLocking=true",
	                            ASKING,
	                            "-o",
	                            "Dir::Log::Planner=/dev/null",
	                            "install",
	                            "--",
	                            arena_printf(s->arena, "%s=%s", name, version),
	                            NULL};
	struct simulation simulation;
	char *out;

	if (transaction_ask(s->host, argv, s->arena, &out, &s->why, err)) {
		return -(int)err->code;
	}
	if (s->why) {
		return package_explain(s->host, name, out, s->arena, &s->why, err);
	}
	simulate_parse(s->arena, out, &simulation);
	if (simulation.cut_short || simulation.count > PARTS_MOST) {
		s->why = "it brings more packages than can be kept";
		return 0;
	}
	add_part(s, name, version);
	for (size_t i = 0; i < simulation.count; i++) {
		const struct simulated *one = &simulation.list[i];

		if (one->version && !has_part(s, one->name)) {
			add_part(s, one->name, one->version);
		}
	}
	return 0;
}

/* ---- What is installed of the same place ---- */

/* The part of `apt-cache policy` that is about one package: from its name to the next one. */
static const char *section_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = text; *line;) {
		if (strncmp(line, name, n) == 0 && line[n] == ':' && line[n + 1] == '\n') {
			return line + n + 2;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

struct list package_closure_places(struct arena *arena, const char *text, const char *name,
                                   const char *version)
{
	const char *line = section_of(text, name);
	struct list places = {.set = true};
	bool is_it = false;
	size_t cap = 0;

	for (; line && line[0] == ' '; line += strcspn(line, "\n"), line += *line == '\n') {
		char *copy = arena_strndup(arena, line, strcspn(line, "\n")), *rest = copy;
		bool is_source = text_starts(copy, "        ");
		const char *first, *second;

		if (!is_source && (text_starts(copy, "     ") || text_starts(copy, " *** "))) {
			rest = copy + 5;
			first = lines_word(&rest);
			is_it = text_equal(first, version);
		} else if (is_source && is_it) {
			lines_word(&rest); /* the priority */
			second = lines_word(&rest);
			if (second && second[0] != '/') {
				lines_add(arena, &places, &cap, second);
			}
		}
	}
	return places;
}

/* "  Depends: part", " |PreDepends: other:any": the name; "" of a virtual one, of other lines. */
static const char *needed_name(struct arena *arena, const char *line)
{
	const char *mark = line[0] == ' ' ? strstr(line, "Depends: ") : NULL;
	const char *name = mark ? mark + strlen("Depends: ") : "";

	return name[0] == '<' ? "" : arena_strndup(arena, name, strcspn(name, ":"));
}

/* What the parts from number `first` on need and is installed: it may be kept as well. */
static int list_needed(struct search *s, size_t first, struct list *ret_names,
                       struct list *ret_versions, struct err *err)
{
	static const char *const before[] = {"apt-cache", ASKING, "depends", "--", NULL};
	size_t count = s->closure.count - first, cap = 0, versions_cap = 0;
	const char **names = arena_array(s->arena, count + 1, sizeof *names);
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < count; i++) {
		names[i] = s->closure.list[first + i].name;
	}
	if (ask(s, before, names, count, &text, err)) {
		return -(int)err->code;
	}
	char *rest = arena_strdup(s->arena, str_text(&text));

	for (char *line; (line = lines_next(&rest));) {
		const char *name = needed_name(s->arena, line);
		struct host_package package;

		if (!*name || has_part(s, name) || list_has(ret_names, name)) {
			continue;
		}
		if (s->host->ops->package(s->host, name, &package, err)) {
			return -(int)err->code;
		}
		if (package.known && text_equal(package.status, "installed")) {
			lines_add(s->arena, ret_names, &cap, name);
			lines_add(s->arena, ret_versions, &versions_cap,
			          arena_strdup(s->arena, package.version));
		}
	}
	return 0;
}

static bool shares(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (list_has(b, a->items[i])) {
			return true;
		}
	}
	return false;
}

/* From part to part, as long as they come from the place that the first one comes from: what the
 * vendor's packages need of the system is not followed. */
static int add_same_place(struct search *s, const char *name, const char *version, struct err *err)
{
	static const char *const before[] = {"apt-cache", ASKING, "policy", "--", NULL};
	struct list ours = {0};

	for (size_t first = 0; !s->why && first < s->closure.count;) {
		struct list names = {0}, versions = {0};
		size_t cap = 0, next = s->closure.count;
		AUTO(str_free) struct str text = {0};

		if (list_needed(s, first, &names, &versions, err)) {
			return -(int)err->code;
		}
		cap = names.count;
		lines_add(s->arena, &names, &cap, name); /* to know its own place */
		if (!s->why && ask(s, before, names.items, names.count, &text, err)) {
			return -(int)err->code;
		}
		ours = package_closure_places(s->arena, str_text(&text), name, version);
		for (size_t i = 0; i + 1 < names.count; i++) {
			struct list places = package_closure_places(s->arena, str_text(&text), names.items[i],
			                                            versions.items[i]);

			if (shares(&places, &ours)) {
				add_part(s, names.items[i], versions.items[i]);
			}
		}
		first = next;
	}
	return 0;
}

/* ---- Where it comes from, and what it must be ---- */

/* A place that is taken without a signature, by the files of sources. */
static const char *distrust(struct arena *arena, const struct source_files *files, const char *name,
                            const char *place)
{
	for (size_t i = 0; i < files->entries.count; i++) {
		const struct apt_entry *entry = &files->entries.list[i];

		if (entry->enabled && entry->trusted && apt_sources_is_at(entry, place)) {
			return arena_printf(
			    arena, "%s comes from an unsigned source: %s:%u is trusted without a signature",
			    name, entry->path, entry->line);
		}
	}
	return NULL;
}

int package_closure_distrust(struct host *host, const char *name, const char *place,
                             struct arena *arena, const char **ret_why, struct err *err)
{
	struct source_files files;

	if (source_files_read(host, arena, &files, err)) {
		return -(int)err->code;
	}
	*ret_why = distrust(arena, &files, name, arena_strndup(arena, place, strcspn(place, " ")));
	return 0;
}

static int find_places(struct search *s, struct err *err)
{
	static const char *const before[] = {"apt-cache", ASKING, "policy", "--", NULL};
	size_t count = s->closure.count;
	const char **names = arena_array(s->arena, count + 1, sizeof *names);
	AUTO(str_free) struct str text = {0};
	struct source_files files;

	for (size_t i = 0; i < count; i++) {
		names[i] = s->closure.list[i].name;
	}
	if (s->why || ask(s, before, names, count, &text, err) ||
	    source_files_read(s->host, s->arena, &files, err)) {
		return s->why ? 0 : -(int)err->code;
	}
	for (size_t i = 0; i < count && !s->why; i++) {
		struct closure_part *part = &s->closure.list[i];
		struct list places =
		    package_closure_places(s->arena, str_text(&text), part->name, part->version);

		part->place = places.count ? places.items[0] : NULL;
		for (size_t k = 0; k < places.count && !s->why; k++) {
			s->why = distrust(s->arena, &files, part->name, places.items[k]);
		}
		if (!places.count && !s->why) {
			s->why = arena_printf(s->arena, "%s %s is not published any more", part->name,
			                      part->version);
		}
	}
	return 0;
}

/* The value of a field of the stanza that begins at `stanza`. */
static const char *field_of(struct arena *arena, const char *stanza, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = stanza; *line && *line != '\n';) {
		size_t length = strcspn(line, "\n");

		if (strncmp(line, name, n) == 0 && line[n] == ':') {
			const char *value = line + n + 1;

			value += strspn(value, " ");
			return arena_strndup(arena, value, (size_t)(line + length - value));
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

/* apt keeps a package under NAME_VERSION_ARCH.deb, an underscore or a colon within as %xx. */
static void add_quoted(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ':' || *text == '_') {
			str_addf(out, "%%%02x", (unsigned)(unsigned char)*text);
		} else {
			str_addc(out, *text);
		}
	}
}

static const char *file_name(struct arena *arena, const char *name, const char *version,
                             const char *architecture)
{
	AUTO(str_free) struct str file = {0};

	add_quoted(&file, name);
	str_addc(&file, '_');
	add_quoted(&file, version);
	str_addc(&file, '_');
	add_quoted(&file, architecture);
	str_add(&file, ".deb");
	return arena_strdup(arena, str_text(&file));
}

static const char *next_stanza(const char *stanza)
{
	const char *end = strstr(stanza, "\n\n");

	return end ? end + 2 : NULL;
}

bool package_closure_take(struct arena *arena, const char *text, struct closure_part *part)
{
	size_t n = strcspn(part->name, ":");

	for (const char *at = text; at; at = next_stanza(at)) {
		at += strspn(at, "\n");
		const char *name = field_of(arena, at, "Package"), *size = field_of(arena, at, "Size");
		const char *version = field_of(arena, at, "Version");
		const char *sha256 = field_of(arena, at, "SHA256");
		const char *architecture = field_of(arena, at, "Architecture");

		if (!name || strlen(name) != n || strncmp(name, part->name, n) != 0 ||
		    !text_equal(version, part->version) || !size || !sha256 || !architecture ||
		    (part->name[n] && strcmp(part->name + n + 1, architecture) != 0)) {
			continue;
		}
		part->size = strtoll(size, NULL, 10);
		part->sha256 = sha256;
		part->file = file_name(arena, name, version, architecture);
		return strlen(sha256) == 64 && part->size > 0;
	}
	return false;
}

static int find_files(struct search *s, struct err *err)
{
	static const char *const before[] = {"apt-cache", ASKING, "show", "--", NULL};
	size_t count = s->closure.count;
	const char **words = arena_array(s->arena, count + 1, sizeof *words);
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < count; i++) {
		words[i] =
		    arena_printf(s->arena, "%s=%s", s->closure.list[i].name, s->closure.list[i].version);
	}
	if (s->why || ask(s, before, words, count, &text, err)) {
		return s->why ? 0 : -(int)err->code;
	}
	for (size_t i = 0; i < count && !s->why; i++) {
		if (!package_closure_take(s->arena, str_text(&text), &s->closure.list[i])) {
			s->why = arena_printf(s->arena, "the index has no size and SHA-256 of %s", words[i]);
		}
	}
	return 0;
}

int package_closure_obstacle(struct host *host, const char *name, const char *version,
                             struct arena *arena, const char **ret_why, struct err *err)
{
	struct search s = {.host = host, .arena = arena};

	if (simulate(&s, name, version, err)) {
		return -(int)err->code;
	}
	*ret_why = host->deadline && !clock_left(host->deadline) ? NULL : s.why;
	return 0;
}

int package_closure_find(struct host *host, const struct closure_part *of, struct arena *arena,
                         struct closure *ret_closure, const char **ret_why, struct err *err)
{
	struct search s = {.host = host, .arena = arena};

	if (simulate(&s, of->name, of->version, err) ||
	    add_same_place(&s, of->name, of->version, err) || find_places(&s, err) ||
	    find_files(&s, err)) {
		return -(int)err->code;
	}
	if (s.why) {
		s.closure.count = 0;
	}
	*ret_why = s.why;
	*ret_closure = s.closure;
	return 0;
}
