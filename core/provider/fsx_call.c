// SPDX-License-Identifier: MIT
/* See fsx_call.h. */
#include "provider/fsx_call.h"

#include "base/json.h"
#include "base/str.h"
#include "host/self.h"

#include <stdlib.h>
#include <string.h>

/* Within the deadlines of observing (5 s) and of applying (60 s). GRACE: for starting and
 * ending. */
enum { DESCRIBE_MS = 4000, CHANGE_MS = 30000, GRACE_MS = 500 };

/* What the AWS tools take from their environment, and TLS and proxies from theirs. Nothing else of
 * ours is handed on. */
static const char *const handed_on[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL_FSX",
    "HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
};

static const char *const *environment(struct arena *arena)
{
	const char **list = arena_array(arena, ARRAY_LEN(handed_on) + 1, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(handed_on); i++) {
		const char *value = getenv(handed_on[i]);

		if (value && *value) {
			list[n++] = arena_printf(arena, "%s=%s", handed_on[i], value);
		}
	}
	return list;
}

/* Beside the program itself where it was built, in libexec where it was installed. */
static int find_program(struct host *host, struct arena *arena, const char **ret_path,
                        struct err *err)
{
	const char *folder = self_program_folder(arena);
	const char *const places[] = {
	    arena_printf(arena, "%s/../libexec/reconcile/reconcile-fsx", folder),
	    arena_printf(arena, "%s/reconcile-fsx", folder),
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO(mem_auto) char *path = realpath(places[i], NULL);
		struct file_look look;

		if (!path) {
			continue;
		}
		if (host->ops->look(host, path, &look, err)) {
			return -(int)err->code;
		}
		if (look.type == FILE_REGULAR) {
			*ret_path = arena_strdup(arena, path);
			return 0;
		}
	}
	*ret_path = NULL;
	return 0;
}

static struct fsx_answer trouble(const char *word, const char *why)
{
	return (struct fsx_answer){.body = value_null(), .trouble = word, .why = why};
}

static struct fsx_answer read_answer(struct arena *arena, const struct child_result *result)
{
	AUTO(str_free) struct str shown = {0};
	struct value body;
	struct err fault;

	if (result->timed_out || result->signalled) {
		return trouble("unreachable", result->timed_out ? "reconcile-fsx did not end in time"
		                                                : "reconcile-fsx was killed");
	}
	if (json_parse(str_text(&result->out), result->out.length, "reconcile-fsx", arena, &body,
	               &fault)) {
		str_add_words(&shown, str_text(&result->err), 300);
		return trouble("unreachable", arena_printf(arena, "reconcile-fsx ended with status %d: %s",
		                                           result->status, str_text(&shown)));
	}
	const char *word = value_text(&body, "trouble"), *message = value_text(&body, "message");

	if (result->status || word) {
		str_add_words(&shown, message ? message : "", 300);
		return trouble(word ? word : "unreachable", arena_strdup(arena, str_text(&shown)));
	}
	return (struct fsx_answer){.body = body};
}

int fsx_ask(struct host *host, const struct fsx_question *question, struct arena *arena,
            struct fsx_answer *ret_answer, struct err *err)
{
	const char *region = question->region;
	int timeout = strcmp(question->verb, "describe") == 0 ? DESCRIBE_MS : CHANGE_MS;
	const char *program = NULL, *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	struct child_result result;

	for (size_t i = 0; !region && i < ARRAY_LEN(names); i++) {
		region = getenv(names[i]);
	}
	if (!region || !*region) {
		*ret_answer = trouble("unreachable", "the region is not known: region is not set");
		return 0;
	}
	if (find_program(host, arena, &program, err)) {
		return -(int)err->code;
	}
	if (!program) {
		*ret_answer = trouble("unreachable", "the program reconcile-fsx is not installed");
		return 0;
	}
	const char *const argv[] = {program,
	                            question->verb,
	                            question->argument,
	                            region,
	                            arena_printf(arena, "%d", timeout - GRACE_MS),
	                            NULL};
	struct child_command command = {
	    .argv = argv, .environment = environment(arena), .timeout_ms = timeout};

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	*ret_answer = read_answer(arena, &result);
	child_result_free(&result);
	return 0;
}
