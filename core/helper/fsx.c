// SPDX-License-Identifier: MIT
/* See fsx.h. */
#include "helper/fsx.h"

#include "base/clock.h"
#include "base/json.h"
#include "helper/http.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* PAGES: an answer that goes on for ever is not believed. */
enum { PAUSE_FIRST_MS = 200, PAUSE_MOST_MS = 5000, PAGES = 100 };

const char *fsx_trouble_name(enum fsx_trouble trouble)
{
	static const char *const names[] = {"none",    "no-credentials", "denied",
	                                    "refused", "not-found",      "unreachable"};

	return names[trouble];
}

static int fail(struct fsx *fsx, enum fsx_trouble trouble)
{
	fsx->trouble = trouble;
	return 0;
}

/* ---- What the service says when it does not do what it is asked ---- */

/* "__type" is "com.amazonaws.fsx#BadRequest", or the last part alone. */
static const char *type_of(const struct value *body)
{
	const char *type = value_text(body, "__type");
	const char *hash = type ? strrchr(type, '#') : NULL;

	return hash ? hash + 1 : type ? type : "";
}

static bool is_throttled(long status, const char *type)
{
	return status == 429 || strstr(type, "Throttl") || strstr(type, "TooManyRequests") ||
	       strcmp(type, "RequestLimitExceeded") == 0;
}

static enum fsx_trouble trouble_of(long status, const char *type)
{
	static const char *const not_ours[] = {
	    "AccessDenied",          "UnrecognizedClient",  "InvalidClientTokenId",
	    "ExpiredToken",          "InvalidSignature",    "SignatureDoesNotMatch",
	    "MissingAuthentication", "IncompleteSignature", "NotAuthorized",
	};

	for (size_t i = 0; i < ARRAY_LEN(not_ours); i++) {
		if (text_starts(type, not_ours[i])) {
			return FSX_DENIED;
		}
	}
	if (status == 401 || status == 403) {
		return FSX_DENIED;
	}
	return strcmp(type, "FileSystemNotFound") == 0 ? FSX_NOT_FOUND : FSX_REFUSED;
}

static int refuse(struct fsx *fsx, const char *operation, long status, const struct value *body,
                  struct err *err)
{
	const char *message = value_text(body, "Message");

	message = message ? message : value_text(body, "message");
	fsx->type = type_of(body);
	fsx->trouble = trouble_of(status, fsx->type);
	return err_set(err, ERR_HOST, 0, "%s: %s%s%s", operation,
	               *fsx->type ? fsx->type : arena_printf(fsx->arena, "status %ld", status),
	               message ? ": " : "", message ? message : "");
}

/* ---- One request, and again ---- */

static int send_once(struct fsx *fsx, const char *operation, const char *body,
                     struct http_reply *ret_reply, struct err *err)
{
	/* The partition of China has a domain of its own. */
	const char *host = arena_printf(fsx->arena, "https://fsx.%s.amazonaws.com%s/", fsx->region,
	                                text_starts(fsx->region, "cn-") ? ".cn" : "");
	const char *headers[] = {
	    "Content-Type: application/x-amz-json-1.1",
	    arena_printf(fsx->arena, "X-Amz-Target: AWSSimbaAPIService_v20180301.%s", operation),
	    fsx->credentials.token
	        ? arena_printf(fsx->arena, "X-Amz-Security-Token: %s", fsx->credentials.token)
	        : NULL,
	    NULL,
	};
	struct http_request request = {
	    .method = "POST",
	    .url = fsx->endpoint ? fsx->endpoint : host,
	    .headers = headers,
	    .body = body,
	    .sigv4 = arena_printf(fsx->arena, "aws:amz:%s:fsx", fsx->region),
	    .key = fsx->credentials.key,
	    .secret = fsx->credentials.secret,
	    .deadline = fsx->deadline,
	};

	return http_send(&request, ret_reply, err);
}

/* Twice as long each time, and never the same on two nodes. False: there is no time left for it. */
static bool pause_before(const struct fsx *fsx, unsigned attempt)
{
	int64_t most = (int64_t)PAUSE_FIRST_MS << (attempt < 5 ? attempt : 5);
	uint32_t noise = 0;

	if (getrandom(&noise, sizeof noise, GRND_NONBLOCK) != sizeof noise) {
		noise = UINT32_MAX;
	}
	most = most < PAUSE_MOST_MS ? most : PAUSE_MOST_MS;
	int64_t ms = most / 2 + (int64_t)(noise % (uint32_t)(most / 2 + 1));

	if (ms >= clock_left(fsx->deadline)) {
		return false;
	}
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&time, &time)) {
	}
	return true;
}

/* 1: worth another try. */
static int attempt(struct fsx *fsx, const char *operation, const char *request,
                   struct value *ret_value, struct err *err)
{
	struct http_reply reply;

	if (send_once(fsx, operation, request, &reply, err)) {
		fail(fsx, FSX_UNREACHABLE);
		return 1;
	}
	const char *text = arena_strdup(fsx->arena, str_text(&reply.body));
	struct value body = value_map();
	struct err garbled = {0};
	int bad =
	    *text ? json_parse_foreign(text, strlen(text), operation, fsx->arena, &body, &garbled) : 0;

	http_reply_free(&reply);
	if (reply.status == 200 && !bad) {
		fsx->trouble = FSX_NO_TROUBLE;
		*ret_value = body;
		return 0;
	}
	if (reply.status == 200) {
		fail(fsx, FSX_UNREACHABLE);
		return err_copy(err, &garbled);
	}
	if (bad) {
		body = value_map();
	}
	(void)!refuse(fsx, operation, reply.status, &body, err);
	if (reply.status >= 500 || is_throttled(reply.status, fsx->type)) {
		fail(fsx, FSX_UNREACHABLE);
		return 1;
	}
	return -(int)err->code;
}

int fsx_call(struct fsx *fsx, const char *operation, const struct value *request,
             struct value *ret_value, struct err *err)
{
	AUTO(str_free) struct str body = {0};
	int r;

	json_print(&body, request, 0);
	for (unsigned i = 0; (r = attempt(fsx, operation, str_text(&body), ret_value, err)) > 0; i++) {
		if (!pause_before(fsx, i)) {
			return -(int)err->code;
		}
	}
	return r;
}

/* ---- Describing ---- */

static struct value only(struct arena *arena, const char *text)
{
	struct value list = value_list();

	value_append(arena, &list, value_string(text));
	return list;
}

static int describe_file_system(struct fsx *fsx, const char *id, struct value *ret_value,
                                struct err *err)
{
	struct value request = value_map(), answer;

	value_put(fsx->arena, &request, "FileSystemIds", only(fsx->arena, id));
	if (fsx_call(fsx, "DescribeFileSystems", &request, &answer, err)) {
		return -(int)err->code;
	}
	const struct value *list = value_get(&answer, "FileSystems");

	if (!list || list->type != VALUE_LIST || list->count != 1) {
		fail(fsx, FSX_UNREACHABLE);
		return err_set(err, ERR_HOST, 0, "DescribeFileSystems: the answer does not name %s", id);
	}
	*ret_value = list->items[0];
	return 0;
}

static int add_page(struct fsx *fsx, const struct value *answer, struct value *associations,
                    struct err *err)
{
	const struct value *page = value_get(answer, "Associations");

	if (!page || page->type != VALUE_LIST) {
		fail(fsx, FSX_UNREACHABLE);
		return err_set(err, ERR_HOST, 0,
		               "DescribeDataRepositoryAssociations: no Associations in the answer");
	}
	for (size_t i = 0; i < page->count; i++) {
		value_append(fsx->arena, associations, page->items[i]);
	}
	return 0;
}

static int describe_associations(struct fsx *fsx, const char *id, struct value *ret_value,
                                 struct err *err)
{
	struct value filter = value_map(), filters = value_list(), associations = value_list();
	const char *next = NULL;

	value_put(fsx->arena, &filter, "Name", value_string("file-system-id"));
	value_put(fsx->arena, &filter, "Values", only(fsx->arena, id));
	value_append(fsx->arena, &filters, filter);
	for (int page = 0; page < PAGES; page++) {
		struct value request = value_map(), answer;

		value_put(fsx->arena, &request, "Filters", filters);
		value_put(fsx->arena, &request, "MaxResults", value_int(25));
		if (next) {
			value_put(fsx->arena, &request, "NextToken", value_string(next));
		}
		if (fsx_call(fsx, "DescribeDataRepositoryAssociations", &request, &answer, err) ||
		    add_page(fsx, &answer, &associations, err)) {
			return -(int)err->code;
		}
		next = value_text(&answer, "NextToken");
		if (!next || !*next) {
			*ret_value = associations;
			return 0;
		}
	}
	fail(fsx, FSX_UNREACHABLE);
	return err_set(err, ERR_LIMIT, 0, "DescribeDataRepositoryAssociations: more than %d pages",
	               PAGES);
}

int fsx_describe(struct fsx *fsx, const char *file_system, struct value *ret_value, struct err *err)
{
	struct value described = value_map(), part, associations;

	if (describe_file_system(fsx, file_system, &part, err) ||
	    describe_associations(fsx, file_system, &associations, err)) {
		return -(int)err->code;
	}
	value_put(fsx->arena, &described, "file_system", part);
	value_put(fsx->arena, &described, "associations", associations);
	*ret_value = described;
	return 0;
}
