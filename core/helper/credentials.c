// SPDX-License-Identifier: MIT
/* See credentials.h. */
#include "helper/credentials.h"

#include "base/clock.h"
#include "base/json.h"
#include "helper/http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 20, METADATA_MS = 1500 };

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* 1: found, 0: nothing there, negative: there, and of no use. */
static int from_environment(struct credentials *c, struct err *err)
{
	c->key = setting("AWS_ACCESS_KEY_ID");
	c->secret = setting("AWS_SECRET_ACCESS_KEY");
	c->token = setting("AWS_SESSION_TOKEN");
	c->source = "environment";
	if (!c->key && !c->secret) {
		return 0;
	}
	return c->key && c->secret ? 1
	                           : err_set(err, ERR_INPUT, 0,
	                                     "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one "
	                                     "is set");
}

/* ---- Profile file ---- */

static int read_file(const char *path, struct arena *arena, char **ret_text, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	FILE *file = fopen(path, "re");
	char buffer[4096];
	size_t n;

	*ret_text = NULL;
	if (!file) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, ERR_INPUT, errno, "%s", path);
	}
	while ((n = fread(buffer, 1, sizeof buffer, file)) > 0 && text.length < FILE_MOST) {
		str_addn(&text, buffer, n);
	}
	int failed = ferror(file);

	if (fclose(file) || failed) {
		return err_set(err, ERR_INPUT, EIO, "%s", path);
	}
	*ret_text = arena_strdup(arena, str_text(&text));
	return 0;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--) {
		text[n - 1] = '\0';
	}
	return text;
}

/* The keys of one section of a file of `name = value` lines. */
static void take_profile(char *text, const char *profile, struct credentials *c)
{
	bool ours = false;

	for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
		line = trimmed(line);
		if (*line == '[') {
			line[strcspn(line, "]")] = '\0';
			line = trimmed(line + 1);
			/* ~/.aws/config says "profile NAME", ~/.aws/credentials only NAME. */
			line = text_starts(line, "profile ") ? trimmed(line + strlen("profile ")) : line;
			ours = strcmp(line, profile) == 0;
			continue;
		}
		char *value = strchr(line, '=');

		if (!ours || !value || *line == '#' || *line == ';') {
			continue;
		}
		*value++ = '\0';
		line = trimmed(line);
		value = trimmed(value);
		if (strcmp(line, "aws_access_key_id") == 0) {
			c->key = value;
		} else if (strcmp(line, "aws_secret_access_key") == 0) {
			c->secret = value;
		} else if (strcmp(line, "aws_session_token") == 0) {
			c->token = value;
		}
	}
}

static int from_profile(struct arena *arena, struct credentials *c, struct err *err)
{
	const char *profile = setting("AWS_PROFILE"), *home = setting("HOME");
	const char *const paths[] = {
	    setting("AWS_SHARED_CREDENTIALS_FILE"),
	    home ? arena_printf(arena, "%s/.aws/credentials", home) : NULL,
	    setting("AWS_CONFIG_FILE"),
	    home ? arena_printf(arena, "%s/.aws/config", home) : NULL,
	};
	char *text;

	*c = (struct credentials){0};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		/* A file that is named stands in place of the one that is not. */
		if (!paths[i] || (i % 2 && paths[i - 1])) {
			continue;
		}
		if (read_file(paths[i], arena, &text, err)) {
			return -(int)err->code;
		}
		if (text) {
			take_profile(text, profile ? profile : "default", c);
		}
		if (c->key && c->secret) {
			c->source =
			    arena_printf(arena, "profile %s of %s", profile ? profile : "default", paths[i]);
			return 1;
		}
	}
	return profile
	           ? err_set(err, ERR_INPUT, 0,
	                     "AWS_PROFILE is %s, and no file has keys under that name (profiles that "
	                     "assume a role or sign in are not supported)",
	                     profile)
	           : 0;
}

/* ---- Services that hand them out ---- */

static int64_t soon(int64_t deadline)
{
	int64_t mine = clock_ms() + METADATA_MS;

	return mine < deadline ? mine : deadline;
}

/* The answer to a request without a signature; another status than 200 is an error. */
static int ask(struct http_request request, struct arena *arena, const char **ret_text,
               struct err *err)
{
	struct http_reply reply;

	request.no_proxy = true;
	if (http_send(&request, &reply, err)) {
		return -(int)err->code;
	}
	*ret_text = arena_strdup(arena, str_text(&reply.body));
	http_reply_free(&reply);
	return reply.status == 200
	           ? 0
	           : err_set(err, ERR_HOST, 0, "%s answers with status %ld", request.url, reply.status);
}

/* {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ...}, of both kinds of service. */
static int take_document(const char *text, const char *url, struct arena *arena,
                         struct credentials *c, struct err *err)
{
	struct value document;

	if (json_parse_foreign(text, strlen(text), url, arena, &document, err)) {
		return -(int)err->code;
	}
	c->key = value_text(&document, "AccessKeyId");
	c->secret = value_text(&document, "SecretAccessKey");
	c->token = value_text(&document, "Token");
	return c->key && c->secret ? 1
	                           : err_set(err, ERR_HOST, 0, "%s: no credentials in the answer", url);
}

/* Plain HTTP only to where the AWS tools allow it: this machine, and the addresses of the container
 * agents. */
static bool may_be_plain(const char *url)
{
	static const char *const hosts[] = {"127.0.0.1",     "localhost",      "[::1]",
	                                    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};

	if (!text_starts(url, "http://")) {
		return text_starts(url, "https://");
	}
	url += strlen("http://");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i]);

		/* "http://127.0.0.1:x@elsewhere" is elsewhere. */
		if (strncmp(url, hosts[i], n) == 0 && (!url[n] || strchr(":/", url[n])) &&
		    !strchr(url, '@')) {
			return true;
		}
	}
	return false;
}

static int from_container(struct arena *arena, int64_t deadline, struct credentials *c,
                          struct err *err)
{
	const char *relative = setting("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *url = setting("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *token = setting("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	const char *token_file = setting("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *headers[2] = {0}, *text;
	char *held = NULL;

	if (relative) {
		url = arena_printf(arena, "http://169.254.170.2%s", relative);
	}
	if (!url) {
		return 0;
	}
	if (!may_be_plain(url)) {
		return err_set(
		    err, ERR_INPUT, 0,
		    "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine: %s", url);
	}
	if (token_file && read_file(token_file, arena, &held, err)) {
		return -(int)err->code;
	}
	token = held ? trimmed(held) : token;
	headers[0] = token ? arena_printf(arena, "Authorization: %s", token) : NULL;
	c->source = "container";
	return ask(
	           (struct http_request){
	               .method = "GET", .url = url, .headers = headers, .deadline = soon(deadline)},
	           arena, &text, err)
	           ? -(int)err->code
	           : take_document(text, url, arena, c, err);
}

/* IMDSv2: a token first, then the name of the role, then its credentials. */
static int from_instance(struct arena *arena, int64_t deadline, struct credentials *c,
                         struct err *err)
{
	static const char *const ttl[] = {"X-aws-ec2-metadata-token-ttl-seconds: 60", NULL};
	const char *base = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *headers[2] = {0}, *token, *role, *text;

	if (text_equal(setting("AWS_EC2_METADATA_DISABLED"), "true")) {
		return 0;
	}
	base = base ? base : "http://169.254.169.254";
	const char *folder = arena_printf(arena, "%s/latest/meta-data/iam/security-credentials/", base);

	if (ask((struct http_request){.method = "PUT",
	                              .url = arena_printf(arena, "%s/latest/api/token", base),
	                              .headers = ttl,
	                              .body = "",
	                              .deadline = soon(deadline)},
	        arena, &token, err)) {
		return -(int)err->code;
	}
	headers[0] = arena_printf(arena, "X-aws-ec2-metadata-token: %s", token);
	if (ask(
	        (struct http_request){
	            .method = "GET", .url = folder, .headers = headers, .deadline = soon(deadline)},
	        arena, &role, err)) {
		return -(int)err->code;
	}
	const char *url = arena_printf(arena, "%s%.*s", folder, (int)strcspn(role, "\r\n"), role);

	c->source = "instance role";
	return ask(
	           (struct http_request){
	               .method = "GET", .url = url, .headers = headers, .deadline = soon(deadline)},
	           arena, &text, err)
	           ? -(int)err->code
	           : take_document(text, url, arena, c, err);
}

int credentials_find(struct arena *arena, int64_t deadline, struct credentials *ret_credentials,
                     struct err *err)
{
	struct credentials c = {0};
	int r = from_environment(&c, err);

	r = r ? r : from_profile(arena, &c, err);
	r = r ? r : from_container(arena, deadline, &c, err);
	if (!r && (r = from_instance(arena, deadline, &c, err)) < 0) {
		return err_wrap(err, "no credentials in environment, profile file or container, and the "
		                     "instance has none");
	}
	if (r < 0) {
		return r;
	}
	if (!r) {
		return err_set(err, ERR_HOST, 0,
		               "no credentials in environment, profile file or container, and the "
		               "instance's metadata is disabled");
	}
	*ret_credentials = c;
	return 0;
}
