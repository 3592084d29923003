// SPDX-License-Identifier: MIT
/* See rival_line.h. */
#include "provider/rival_line.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

enum { WORDS_MOST = 64, WORD_MOST = 256 };

/* A command within a line: its words, cut at blanks and quotes. */
struct command {
	char words[WORDS_MOST][WORD_MOST];
	size_t count;
};

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, list[i]) == 0) {
			return true;
		}
	}
	return false;
}

#define IS_ONE_OF(word, list) is_one_of(word, list, ARRAY_LEN(list))

static const char *base_name(const char *word)
{
	const char *slash = strrchr(word, '/');

	return slash ? slash + 1 : word;
}

/* Does the text name a storage client? */
static bool speaks_of_storage(const char *text)
{
	static const char *const names[] = {"lustre", "beegfs", "fsx",  "lnet",   "gpfs",
	                                    "mmfs",   "ceph",   "weka", "gluster"};

	for (const char *at = text; *at; at++) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (strncasecmp(at, names[i], strlen(names[i])) == 0) {
				return true;
			}
		}
	}
	return false;
}

bool rival_line_is_ours(const char *text)
{
	static const char *const after[] = {"-boot.service", ".service", ".timer"};
	static const char blanks[] = " \t\"';|&()";
	size_t ours = strlen("reconcile");

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t n = strcspn(text, blanks);
		const char *name = memrchr(text, '/', n);

		name = name ? name + 1 : text;
		size_t length = (size_t)(text + n - name);

		text += n;
		if (length < ours || strncmp(name, "reconcile", ours) != 0) {
			continue;
		}
		if (length == ours) {
			return true;
		}
		for (size_t i = 0; i < ARRAY_LEN(after); i++) {
			if (length - ours == strlen(after[i]) &&
			    strncmp(name + ours, after[i], length - ours) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* The next command of the line; false at its end. A comment ends the line. */
static bool next_command(const char **rest, struct command *ret_command)
{
	const char *at = *rest;
	size_t length = 0;

	ret_command->count = 0;
	if (!*at) {
		return false;
	}
	for (;; at++) {
		bool comment = *at == '#' && length == 0;
		bool ends = !*at || comment || strchr(";&|()`{}", *at);
		bool cuts = ends || strchr(" \t\"'$<>=\\", *at);

		if (!cuts && length < WORD_MOST - 1 && ret_command->count < WORDS_MOST) {
			ret_command->words[ret_command->count][length++] = *at;
			continue;
		}
		if (cuts && length) {
			ret_command->words[ret_command->count++][length] = '\0';
			length = 0;
		}
		if (ends) {
			*rest = !*at || comment ? "" : at + 1;
			return true;
		}
	}
}

/* Words before the command itself: of the shell, and programs that run another one. */
static size_t first_word(const struct command *c)
{
	static const char *const before[] = {"if",   "then",    "else",  "elif", "do",    "while",
	                                     "!",    "sudo",    "time",  "nice", "until", "ionice",
	                                     "exec", "timeout", "flock", "env",  "[[",    "command"};
	size_t i = 0;

	while (i < c->count && (IS_ONE_OF(base_name(c->words[i]), before) || c->words[i][0] == '-' ||
	                        isdigit((unsigned char)c->words[i][0]))) {
		i++;
	}
	return i;
}

static bool has_word(const struct command *c, size_t from, const char *const *list, size_t n)
{
	for (size_t i = from; i < c->count; i++) {
		if (is_one_of(c->words[i], list, n)) {
			return true;
		}
	}
	return false;
}

static bool names_storage(const struct command *c, size_t from, const struct list *targets)
{
	for (size_t i = from; i < c->count; i++) {
		if (speaks_of_storage(c->words[i])) {
			return true;
		}
		for (size_t k = 0; k < targets->count; k++) {
			if (strcmp(targets->items[k], c->words[i]) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* `at` is a word that may be the command: does it act, with what follows? */
static bool acts(const struct command *c, size_t at, const struct list *targets)
{
	static const char *const direct[] = {"modprobe", "insmod",  "rmmod", "mount.lustre",
	                                     "mount",    "umount",  "dkms",  "mount.beegfs",
	                                     "depmod",   "lnetctl", "lctl"};
	static const char *const managers[] = {"apt-get", "apt", "aptitude", "dnf",
	                                       "yum",     "rpm", "dpkg",     "zypper"};
	static const char *const installs[] = {"install", "reinstall", "upgrade", "full-upgrade",
	                                       "update",  "-i",        "-U",      "--install",
	                                       "remove",  "purge"};
	static const char *const services[] = {"systemctl", "service"};
	static const char *const starts[] = {"start", "restart", "try-restart", "reload-or-restart",
	                                     "stop"};
	static const char *const all[] = {"-a", "--all", "-fav", "-av", "-va"};
	const char *name = base_name(c->words[at]);

	if (strcmp(name, "lustre_rmmod") == 0) {
		return true;
	}
	if (strcmp(name, "mount") == 0 && has_word(c, at + 1, all, ARRAY_LEN(all))) {
		return true;
	}
	if (!names_storage(c, at + 1, targets)) {
		return false;
	}
	return IS_ONE_OF(name, direct) ||
	       (IS_ONE_OF(name, managers) && has_word(c, at + 1, installs, ARRAY_LEN(installs))) ||
	       (IS_ONE_OF(name, services) && has_word(c, at + 1, starts, ARRAY_LEN(starts)));
}

static bool command_repairs(const struct command *c, const struct list *targets)
{
	static const char *const talkers[] = {"echo", "printf", "logger", "wall",
	                                      "grep", "cat",    "test",   "log"};
	size_t first = first_word(c);

	if (first >= c->count || IS_ONE_OF(base_name(c->words[first]), talkers)) {
		return false;
	}
	/* The command may stand anywhere: after a shell's -c, a user name of a crontab, srun. */
	for (size_t i = first; i < c->count; i++) {
		if (acts(c, i, targets)) {
			return true;
		}
	}
	return false;
}

bool rival_line_repairs(const char *line, const struct list *targets)
{
	struct command command;

	if (rival_line_is_ours(line)) {
		return false;
	}
	while (next_command(&line, &command)) {
		if (command_repairs(&command, targets)) {
			return true;
		}
	}
	return false;
}

bool rival_line_script(const char *command, char *ret_path, size_t size)
{
	static const char *const shells[] = {"sh",   "bash",   "dash",    "env",   "python3", "perl",
	                                     "nice", "ionice", "timeout", "flock", "sudo"};

	command += strspn(command, "@-+!:"); /* of systemd.service(5) */
	while (*command) {
		command += strspn(command, " \t\"'");
		size_t n = strcspn(command, " \t\"';|&");
		bool assigns = memchr(command, '=', n) != NULL;

		if (!n || n >= size) {
			return false;
		}
		memcpy(ret_path, command, n);
		ret_path[n] = '\0';
		command += n;
		if (ret_path[0] == '/' && !IS_ONE_OF(base_name(ret_path), shells)) {
			return true;
		}
		if (!assigns && !strchr("/-", ret_path[0]) && !IS_ONE_OF(ret_path, shells) &&
		    !isdigit((unsigned char)ret_path[0])) {
			return false;
		}
	}
	return false;
}
