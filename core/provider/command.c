// SPDX-License-Identifier: MIT
/*
 * Kind command: an argv with a guard that says when there is nothing to do. `unless` runs when a
 * plan is made as well and must only read; it is the operator's word that it does. After a run the
 * guard has to hold: that the command ended well proves nothing.
 */
#include "base/str.h"
#include "provider/table.h"

enum {
	GUARD_MS = 4000, /* within the deadline of an observation */
	RUN_MS = 60000,
};

static int check(const struct resource *want, struct err *err)
{
	const struct command *command = &want->command;

	if (!command->argv.count) {
		return err_set(err, ERR_INPUT, 0, "argv names no program");
	}
	if (!command->unless.count && !command->creates) {
		return err_set(
		    err, ERR_INPUT, 0,
		    "a command needs a guard: unless or creates says when there is nothing to do");
	}
	return 0;
}

static const char **argv_of(struct arena *arena, const struct list *list)
{
	const char **argv = arena_array(arena, list->count + 1, sizeof *argv);

	for (size_t i = 0; i < list->count; i++) {
		argv[i] = list->items[i];
	}
	return argv;
}

static const char *first_line(struct arena *arena, const struct child_result *result)
{
	const struct str *said = result->err.length ? &result->err : &result->out;
	AUTO(str_free) struct str text = {0}, shown = {0};

	str_addn(&text, str_text(said), said->length);
	char *line = arena_strdup(arena, str_text(&text));

	for (char *c = line; *c; c++) {
		if (*c == '\n') {
			*c = '\0';
			break;
		}
	}
	str_add_printable(&shown, line, 200);
	return arena_strdup(arena, str_text(&shown));
}

/* A guard that cannot run, or was killed, says nothing. */
static int ask_guard(struct host *host, const struct list *unless, struct arena *arena,
                     bool *ret_holds, const char **ret_why, struct err *err)
{
	struct child_command command = {.argv = argv_of(arena, unless),
	                                .timeout_ms = host_patience(host, GUARD_MS)};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	if (result.timed_out) {
		*ret_why = arena_printf(arena, "unless: %s did not end within %d s", unless->items[0],
		                        (command.timeout_ms + 500) / 1000);
	} else if (result.signalled) {
		*ret_why = arena_printf(arena, "unless: %s was ended by signal %d", unless->items[0],
		                        result.status);
	}
	*ret_holds = !result.signalled && result.status == 0;
	child_result_free(&result);
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	const struct kind *kind = &kind_table[KIND_COMMAND];
	struct resource *have = resource_create(arena, kind, key);
	const char *why = NULL;
	bool holds = false;

	if (!want) {
		*ret_have = resource_undetermined(
		    arena, kind, key,
		    "what a command does is known only with its guard, where it is wanted");
		return 0;
	}
	if (want->command.creates) {
		struct file_look look;

		if (host->ops->look(host, want->command.creates, &look, err)) {
			return -(int)err->code;
		}
		holds = look.type != FILE_NONE;
	}
	if (!holds && want->command.unless.count &&
	    ask_guard(host, &want->command.unless, arena, &holds, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		*ret_have = resource_undetermined(arena, kind, key, "%s", why);
		return 0;
	}
	have->command.satisfied = (struct truth){.set = true, .value = holds};
	*ret_have = have;
	return 0;
}

static const char *shown_argv(struct arena *arena, const struct list *argv)
{
	AUTO(str_free) struct str text = {0}, shown = {0};

	for (size_t i = 0; i < argv->count; i++) {
		str_add(&text, i ? " " : "");
		str_add(&text, argv->items[i]);
	}
	str_add_printable(&shown, str_text(&text), 400);
	return arena_strdup(arena, str_text(&shown));
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (have->command.satisfied.value) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = ACTION_RUN;
	differences_add(arena, &verdict->differences, "satisfied", "no",
	                arena_printf(arena, "yes, by %s", shown_argv(arena, &want->command.argv)));
}

static const char *said(struct arena *arena, const struct child_result *result)
{
	AUTO(str_free) struct str text = {0};

	str_addn(&text, str_text(&result->out), result->out.length);
	if (text.length && result->err.length && text.data[text.length - 1] != '\n') {
		str_addc(&text, '\n');
	}
	str_addn(&text, str_text(&result->err), result->err.length);
	return text.length ? arena_strndup(arena, text.data, text.length) : NULL;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	const struct list *argv = &change->want->command.argv;
	struct child_command command = {.argv = argv_of(arena, argv), .timeout_ms = RUN_MS};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	applied->detail = said(arena, &result);
	if (result.timed_out) {
		applied->outcome = OUTCOME_FAILED;
		applied->why =
		    arena_printf(arena, "%s did not end within %d s%s", argv->items[0], RUN_MS / 1000,
		                 result.running ? " and cannot be ended" : " and was ended");
	} else if (result.signalled) {
		applied->outcome = OUTCOME_FAILED;
		applied->why =
		    arena_printf(arena, "%s was ended by signal %d", argv->items[0], result.status);
	} else if (result.status) {
		const char *words = first_line(arena, &result);

		applied->outcome = OUTCOME_FAILED;
		applied->why = arena_printf(arena, "%s ended with status %d%s%s", argv->items[0],
		                            result.status, *words ? ": " : "", words);
	}
	child_result_free(&result);
	return 0;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);

	(void)ret_exact;
	after->command.satisfied = (struct truth){.set = true, .value = true};
	return after;
}

const struct provider provider_command = {
    .kind = KIND_COMMAND,
    .timeout_ms = RUN_MS + 5000, /* the child's own deadline comes first, and says more */
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
