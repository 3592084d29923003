// SPDX-License-Identifier: MIT
/*
 * Kind rival, a fact: what else on this node repairs mounts, modules and packages of storage
 * clients: units of systemd that something starts, lines of crontabs, scripts of cron and rc.local.
 * Read as text, one script deep; systemctl is not asked. A unit of /usr/lib came with a package and
 * counts only by what its own lines do; mount units are no rivals but owners (kind mount, `unit`).
 */
#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/rival_line.h"
#include "provider/table.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* systemd.unit(5), in the order of precedence. */
static const char *const unit_folders[] = {"/etc/systemd/system", "/run/systemd/system",
                                           "/usr/local/lib/systemd/system",
                                           "/usr/lib/systemd/system", "/lib/systemd/system"};
static const char *const cron_scripts[] = {"/etc/cron.hourly", "/etc/cron.daily",
                                           "/etc/cron.weekly", "/etc/cron.monthly"};
static const char *const spools[] = {"/var/spool/cron/crontabs", "/var/spool/cron"};

enum { SCRIPT_MOST = 64 << 10, SHOWN_MOST = 160 };

/* What a search is about: all there are, or the one of that key. */
struct search {
	struct host *host;
	struct arena *arena;
	struct list targets; /* of fstab */
	struct keys *keys;   /* when all are wanted */
	const char *key;     /* else: this one */
	struct resource *found;
};

/* What cannot be read says nothing; that a whole folder cannot is said by find_spools. */
static int read_lines(struct search *s, const char *path, char **ret_text, struct err *err)
{
	struct err fault = {0};
	struct file_bytes bytes;

	*ret_text = NULL;
	if (s->host->ops->read(s->host, path, SCRIPT_MOST, s->arena, &bytes, &fault)) {
		bool shut = files_is_missing(&fault) || files_is_hidden(&fault) ||
		            fault.code == ERR_LIMIT || fault.code == ERR_BUSY || fault.os == EISDIR ||
		            fault.code == ERR_INPUT;

		return shut ? 0 : err_copy(err, &fault);
	}
	if (strlen(bytes.data) == bytes.length) {
		*ret_text = arena_strndup(s->arena, bytes.data, bytes.length);
	}
	return 0;
}

static void add(struct search *s, const char *key, const char *kind, const char *where,
                const char *does)
{
	AUTO(str_free) struct str shown = {0};

	if (s->keys) {
		keys_add(s->arena, s->keys, arena_strdup(s->arena, key));
		return;
	}
	if (s->found || !text_equal(s->key, key)) {
		return;
	}
	s->found = resource_create(s->arena, &kind_table[KIND_RIVAL], key);
	does += strspn(does, " \t");
	str_add_printable(&shown, does, SHOWN_MOST);
	s->found->rival.kind = kind;
	s->found->rival.where = arena_strdup(s->arena, where);
	s->found->rival.does = arena_strdup(s->arena, str_text(&shown));
}

/* The first line of a script that repairs, or NULL; *ret_number is which. */
static int find_in_script(struct search *s, const char *path, const char **ret_line,
                          unsigned *ret_number, struct err *err)
{
	char *text, *line;

	*ret_line = NULL;
	if (path_fault(path) || read_lines(s, path, &text, err)) {
		return path_fault(path) ? 0 : -(int)err->code;
	}
	if (!text || !text_starts(text, "#!")) {
		return 0; /* a program: what it does cannot be read */
	}
	for (*ret_number = 1; (line = lines_next(&text)); ++*ret_number) {
		if (rival_line_repairs(line, &s->targets)) {
			*ret_line = line;
			return 0;
		}
	}
	return 0;
}

/* What a command line does, and where that stands; does NULL: nothing of ours. */
struct deed {
	const char *where, *does;
};

/* What it does itself or, with `deep`, what the script does that it runs. */
static int judge_command(struct search *s, const char *command, const char *where, bool deep,
                         struct deed *ret_deed, struct err *err)
{
	char script[PATH_MAX];
	unsigned number;

	*ret_deed = (struct deed){.where = where};
	if (rival_line_is_ours(command)) {
		return 0;
	}
	if (rival_line_repairs(command, &s->targets)) {
		ret_deed->does = command;
		return 0;
	}
	if (!deep || !rival_line_script(command, script, sizeof script)) {
		return 0;
	}
	if (find_in_script(s, script, &ret_deed->does, &number, err)) {
		return -(int)err->code;
	}
	if (ret_deed->does) {
		ret_deed->where = arena_printf(s->arena, "%s, which runs %s:%u", where, script, number);
	}
	return 0;
}

/* ---- Units ---- */

/* Something starts it: a .wants or .requires folder of the node's own, or a timer that is started
 * so. */
static int is_started(struct search *s, const char *unit, bool *ret_started, struct err *err)
{
	struct file_names names;
	bool shut;

	*ret_started = false;
	for (size_t f = 0; f < 2; f++) {
		if (files_names_in(s->host, unit_folders[f], s->arena, &names, &shut, err)) {
			return -(int)err->code;
		}
		for (size_t i = 0; i < names.count && !*ret_started; i++) {
			struct file_look look;

			if (!text_ends(names.list[i], ".wants") && !text_ends(names.list[i], ".requires")) {
				continue;
			}
			if (s->host->ops->look(
			        s->host,
			        arena_printf(s->arena, "%s/%s/%s", unit_folders[f], names.list[i], unit), &look,
			        err)) {
				return -(int)err->code;
			}
			*ret_started = look.type != FILE_NONE;
		}
	}
	return 0;
}

static int has_timer(struct search *s, const char *unit, bool *ret_timer, struct err *err)
{
	const char *timer =
	    arena_printf(s->arena, "%.*s.timer", (int)(strlen(unit) - strlen(".service")), unit);

	return is_started(s, timer, ret_timer, err);
}

/* Units that came with the storage clients' own packages start those clients: owners, no rivals. */
static bool is_vendors(const char *folder, const char *unit)
{
	static const char *const prefixes[] = {"lnet.", "lustre.", "lsvcgss.", "beegfs-",
	                                       "ceph",  "gluster", "nfs-",     "rpc-",
	                                       "mmsdr", "gpfs.",   "weka"};

	if (!text_starts(folder, "/usr/lib") && !text_starts(folder, "/lib")) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (text_starts(unit, prefixes[i])) {
			return true;
		}
	}
	return false;
}

static int judge_unit(struct search *s, const char *folder, const char *unit, struct err *err)
{
	const char *path = path_join(s->arena, folder, unit);
	struct deed deed = {0};
	bool timer = false, started = false, own = text_starts(folder, "/etc");
	char *text, *line;
	unsigned number = 1;

	if (is_vendors(folder, unit) || rival_line_is_ours(unit)) {
		return 0;
	}
	if (read_lines(s, path, &text, err)) {
		return -(int)err->code;
	}
	for (; !deed.does && (line = lines_next(&text)); number++) {
		line += strspn(line, " \t");
		if (text_starts(line, "Exec") && strchr(line, '=') &&
		    judge_command(s, strchr(line, '=') + 1, arena_printf(s->arena, "%s:%u", path, number),
		                  own, &deed, err)) {
			return -(int)err->code;
		}
	}
	if (!deed.does) {
		return 0;
	}
	if (has_timer(s, unit, &timer, err) || is_started(s, unit, &started, err)) {
		return -(int)err->code;
	}
	if (timer || started) {
		add(s, unit, timer ? "timer" : "service", deed.where, deed.does);
	}
	return 0;
}

/* A unit of an earlier folder stands in for those of the same name (systemd.unit(5)). */
static bool is_overruled(const struct file_names *folders, size_t n, const char *unit)
{
	for (size_t f = 0; f < n; f++) {
		for (size_t i = 0; i < folders[f].count; i++) {
			if (strcmp(folders[f].list[i], unit) == 0) {
				return true;
			}
		}
	}
	return false;
}

static int find_units(struct search *s, struct err *err)
{
	struct file_names folders[ARRAY_LEN(unit_folders)];
	bool shut;

	for (size_t f = 0; f < ARRAY_LEN(unit_folders); f++) {
		if (files_names_in(s->host, unit_folders[f], s->arena, &folders[f], &shut, err)) {
			return -(int)err->code;
		}
		for (size_t i = 0; i < folders[f].count; i++) {
			const char *unit = folders[f].list[i];

			if (!text_ends(unit, ".service") || (s->key && strcmp(s->key, unit) != 0) ||
			    is_overruled(folders, f, unit)) {
				continue;
			}
			if (judge_unit(s, unit_folders[f], unit, err)) {
				return -(int)err->code;
			}
		}
	}
	return 0;
}

/* ---- cron ---- */

/* cron(8) and crontab(5): five fields or @word, in the system's own files then a user. */
static const char *command_of(const char *line, bool with_user)
{
	int fields = with_user ? 6 : 5;

	line += strspn(line, " \t");
	if (!*line || *line == '#') {
		return NULL;
	}
	if (*line == '@') {
		fields = with_user ? 2 : 1;
	} else if (!strchr("0123456789*", *line)) {
		return NULL; /* a variable */
	}
	for (; fields > 0; fields--) {
		line += strcspn(line, " \t");
		line += strspn(line, " \t");
	}
	return *line ? line : NULL;
}

static int judge_crontab(struct search *s, const char *path, bool with_user, struct err *err)
{
	char *text, *line;

	if (read_lines(s, path, &text, err)) {
		return -(int)err->code;
	}
	for (unsigned number = 1; (line = lines_next(&text)); number++) {
		const char *command = command_of(line, with_user);
		struct deed deed = {0};
		const char *here = arena_printf(s->arena, "%s:%u", path, number);

		if (command && judge_command(s, command, here, true, &deed, err)) {
			return -(int)err->code;
		}
		if (deed.does) {
			add(s, here, "cron", deed.where, deed.does);
		}
	}
	return 0;
}

/* A script that is run as it is: all of a folder for run-parts(8), rc.local. */
static int judge_script(struct search *s, const char *path, const char *kind, struct err *err)
{
	const char *line;
	unsigned number;

	if (rival_line_is_ours(path_name(path))) {
		return 0;
	}
	if (find_in_script(s, path, &line, &number, err)) {
		return -(int)err->code;
	}
	if (line) {
		add(s, path, kind, arena_printf(s->arena, "%s:%u", path, number), line);
	}
	return 0;
}

static int in_folder(struct search *s, const char *folder,
                     int (*judge)(struct search *, const char *, struct err *), struct err *err)
{
	struct file_names names;
	bool shut;

	if (files_names_in(s->host, folder, s->arena, &names, &shut, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (names.list[i][0] != '.' && judge(s, path_join(s->arena, folder, names.list[i]), err)) {
			return -(int)err->code;
		}
	}
	if (!shut) {
		return 0;
	}
	/* That there may be something is a fact of its own, which cannot be told. */
	if (s->keys) {
		keys_add(s->arena, s->keys, folder);
	} else if (text_equal(s->key, folder)) {
		s->found = resource_undetermined(s->arena, &kind_table[KIND_RIVAL], folder,
		                                 "only root may read the crontabs of the users");
	}
	return 0;
}

static int judge_system_crontab(struct search *s, const char *path, struct err *err)
{
	return judge_crontab(s, path, true, err);
}

static int judge_user_crontab(struct search *s, const char *path, struct err *err)
{
	return judge_crontab(s, path, false, err);
}

static int judge_cron_script(struct search *s, const char *path, struct err *err)
{
	return judge_script(s, path, "cron", err);
}

static int find_scripts(struct search *s, struct err *err)
{
	if (judge_script(s, "/etc/rc.local", "hook", err) ||
	    judge_system_crontab(s, "/etc/crontab", err) ||
	    in_folder(s, "/etc/cron.d", judge_system_crontab, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < ARRAY_LEN(cron_scripts); i++) {
		if (in_folder(s, cron_scripts[i], judge_cron_script, err)) {
			return -(int)err->code;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(spools); i++) {
		if (in_folder(s, spools[i], judge_user_crontab, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

/* ---- The kind ---- */

/* The targets of fstab: whoever mounts one of them does what reconcile does. Without an fstab the
 * names of the clients are what there is. */
static void find_targets(struct search *s)
{
	const struct fstab *fstab;
	struct err ignored = {0};
	size_t cap = 0;

	if (s->host->ops->fstab(s->host, &fstab, &ignored)) {
		return;
	}
	for (size_t i = 0; i < fstab_count(fstab); i++) {
		const char *target = fstab_at(fstab, i)->target;

		if (target[0] == '/' && target[1]) {
			lines_add(s->arena, &s->targets, &cap, arena_strdup(s->arena, target));
		}
	}
}

static int search(struct search *s, struct err *err)
{
	bool is_file = s->key && s->key[0] == '/';

	find_targets(s);
	if (!is_file && find_units(s, err)) {
		return -(int)err->code;
	}
	return s->key && !is_file ? 0 : find_scripts(s, err);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct search s = {.host = host, .arena = arena, .key = key};

	(void)want;
	if (search(&s, err)) {
		return -(int)err->code;
	}
	if (!s.found) {
		s.found = resource_create(arena, &kind_table[KIND_RIVAL], key);
		s.found->state = STATE_ABSENT;
	}
	*ret_have = s.found;
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct search s = {.host = host, .arena = arena, .keys = ret_keys};

	return search(&s, err);
}

const struct provider provider_rival = {.kind = KIND_RIVAL, .observe = observe, .list = list};
