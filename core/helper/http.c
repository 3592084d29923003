// SPDX-License-Identifier: MIT
/* See http.h. */
#include "helper/http.h"

#include "base/clock.h"

#include <curl/curl.h>
#include <string.h>

enum { BODY_MOST = 4 << 20, CONNECT_MS = 3000 };

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
	struct str *body = context;

	if (body->length + size * n > BODY_MOST) {
		return 0; /* libcurl: CURLE_WRITE_ERROR */
	}
	str_addn(body, bytes, size * n);
	return size * n;
}

static struct curl_slist *headers_of(const char *const *headers)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; headers && headers[i]; i++) {
		struct curl_slist *longer = curl_slist_append(list, headers[i]);

		if (!longer) {
			mem_exhausted();
		}
		list = longer;
	}
	return list;
}

/* What can only fail for want of memory, or is not in this libcurl. */
static CURLcode set_up(CURL *curl, const struct http_request *request, struct curl_slist *headers,
                       struct str *body)
{
	int64_t left = clock_left(request->deadline);
	CURLcode r = CURLE_OK;

#define SET(option, value) (r = r ? r : curl_easy_setopt(curl, (option), (value)))
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_CUSTOMREQUEST, request->method);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)(left ? left : 1));
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, body);
	SET(CURLOPT_HTTPHEADER, headers);
	if (request->no_proxy) {
		SET(CURLOPT_NOPROXY, "*");
	}
	if (request->body) {
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
		SET(CURLOPT_POSTFIELDS, request->body);
	}
	if (request->sigv4) {
		SET(CURLOPT_AWS_SIGV4, request->sigv4);
		SET(CURLOPT_USERNAME, request->key);
		SET(CURLOPT_PASSWORD, request->secret);
	}
#undef SET
	return r;
}

static int fail(struct err *err, const struct http_request *request, CURLcode r, const char *words)
{
	const char *why = *words ? words : curl_easy_strerror(r);

	switch (r) {
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_LIMIT, 0, "%s does not answer: %s", request->url, why);
	case CURLE_WRITE_ERROR:
		return err_set(err, ERR_LIMIT, 0, "%s answers with more than %d bytes", request->url,
		               BODY_MOST);
	default:
		return err_set(err, ERR_HOST, 0, "%s: %s", request->url, why);
	}
}

int http_send(const struct http_request *request, struct http_reply *ret_reply, struct err *err)
{
	char words[CURL_ERROR_SIZE] = "";
	struct http_reply reply = {0};
	CURL *curl = curl_easy_init();

	if (!curl) {
		return err_set(err, ERR_HOST, 0, "libcurl cannot be started");
	}
	struct curl_slist *headers = headers_of(request->headers);
	CURLcode r = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);

	r = r ? r : set_up(curl, request, headers, &reply.body);
	r = r ? r : curl_easy_perform(curl);
	r = r ? r : curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (r) {
		http_reply_free(&reply);
		return fail(err, request, r, words);
	}
	*ret_reply = reply;
	return 0;
}

void http_reply_free(struct http_reply *reply)
{
	str_free(&reply->body);
}
