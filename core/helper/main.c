// SPDX-License-Identifier: MIT
/*
 * reconcile-fsx: asks the FSx service for reconcile, in a process of its own, so that TLS and HTTP
 * are not in the agent.
 *
 * 	reconcile-fsx describe FILE-SYSTEM REGION TIMEOUT-MS
 * 	reconcile-fsx create|update|delete REQUEST-JSON REGION TIMEOUT-MS
 *
 * Prints one line of JSON: the answer, or {"trouble": WORD, "type": ..., "message": ...}. Exit
 * status 0, or 1 with trouble, or 2 for a call that cannot be understood. AWS_ENDPOINT_URL_FSX
 * names another endpoint.
 */
#include "base/clock.h"
#include "base/json.h"
#include "helper/fsx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FINE, EXIT_TROUBLE, EXIT_USAGE };

static int print(const struct value *value)
{
	AUTO(str_free) struct str text = {0};

	json_print(&text, value, 0);
	return puts(str_text(&text)) < 0 || fflush(stdout) ? EXIT_TROUBLE : EXIT_FINE;
}

static int complain(const struct fsx *fsx, const struct err *err)
{
	struct value trouble = value_map();

	value_put(fsx->arena, &trouble, "trouble", value_string(fsx_trouble_name(fsx->trouble)));
	value_put(fsx->arena, &trouble, "type", value_string(fsx->type ? fsx->type : ""));
	value_put(fsx->arena, &trouble, "message", value_string(err->text));
	value_seal(&trouble);
	(void)print(&trouble);
	return EXIT_TROUBLE;
}

/* Signed requests do not go over plain HTTP, but to this machine. */
static bool is_endpoint_safe(const char *url)
{
	static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		size_t n = strlen(local[i]);

		/* "http://127.0.0.1:x@elsewhere" is elsewhere. */
		if (strncmp(url, local[i], n) == 0 && (!url[n] || strchr(":/", url[n])) &&
		    !strchr(url, '@')) {
			return true;
		}
	}
	return text_starts(url, "https://");
}

static const char *operation_of(const char *verb)
{
	static const struct {
		const char *verb, *operation;
	} table[] = {
	    {"create", "CreateDataRepositoryAssociation"},
	    {"update", "UpdateDataRepositoryAssociation"},
	    {"delete", "DeleteDataRepositoryAssociation"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].verb, verb) == 0) {
			return table[i].operation;
		}
	}
	return NULL;
}

static int carry_out(struct fsx *fsx, const char *verb, const char *argument,
                     struct value *ret_value, struct err *err)
{
	struct value request;

	if (strcmp(verb, "describe") == 0) {
		return fsx_describe(fsx, argument, ret_value, err);
	}
	if (json_parse(argument, strlen(argument), "request", fsx->arena, &request, err)) {
		return -(int)err->code;
	}
	/* Whatever is asked for: what lies on the file system is not deleted by us. */
	if (value_truth(&request, "DeleteDataInFileSystem", false)) {
		return err_set(err, ERR_INPUT, 0, "DeleteDataInFileSystem is never set by reconcile");
	}
	return fsx_call(fsx, operation_of(verb), &request, ret_value, err);
}

int main(int argc, char **argv)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct fsx fsx = {.arena = arena, .endpoint = getenv("AWS_ENDPOINT_URL_FSX")};
	struct value answer = value_map();
	struct err err;

	if (argc != 5 || (strcmp(argv[1], "describe") != 0 && !operation_of(argv[1])) ||
	    atoi(argv[4]) <= 0) {
		fputs("usage: reconcile-fsx describe FILE-SYSTEM REGION TIMEOUT-MS\n"
		      "       reconcile-fsx create|update|delete REQUEST-JSON REGION TIMEOUT-MS\n",
		      stderr);
		return EXIT_USAGE;
	}
	fsx.region = argv[3];
	/* It becomes a part of the host's name, and of what is signed. */
	if (!*fsx.region || fsx.region[strspn(fsx.region, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		err_set(&err, ERR_INPUT, 0, "%s is no region", fsx.region);
		fsx.trouble = FSX_UNREACHABLE;
		return complain(&fsx, &err);
	}
	fsx.deadline = clock_ms() + atoi(argv[4]);
	if (fsx.endpoint && !is_endpoint_safe(fsx.endpoint)) {
		err_set(&err, ERR_INPUT, 0, "AWS_ENDPOINT_URL_FSX is neither https nor on this machine: %s",
		        fsx.endpoint);
		fsx.trouble = FSX_UNREACHABLE;
		return complain(&fsx, &err);
	}
	if (credentials_find(arena, fsx.deadline, &fsx.credentials, &err)) {
		fsx.trouble = FSX_NO_CREDENTIALS;
		return complain(&fsx, &err);
	}
	if (carry_out(&fsx, argv[1], argv[2], &answer, &err)) {
		return complain(&fsx, &err);
	}
	value_seal(&answer);
	return print(&answer);
}
