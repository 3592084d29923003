// SPDX-License-Identifier: MIT
/*
 * One HTTP request, by libcurl (only here). Nothing is followed: a redirect is an answer like any
 * other. What may be signed (AWS Signature Version 4) is signed by libcurl.
 */
#ifndef HELPER_HTTP_H
#define HELPER_HTTP_H

#include "base/str.h"

#include <stdint.h>

struct http_request {
	const char *method; /* GET, PUT, POST */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;           /* NULL: none */
	/* Signed with these when `sigv4` is not NULL: "aws:amz:REGION:SERVICE"
	 * (CURLOPT_AWS_SIGV4(3)). */
	const char *sigv4, *key, *secret;
	int64_t deadline; /* of clock_ms */
	bool no_proxy;    /* link-local services are never behind one */
};

struct http_reply {
	long status;
	struct str body; /* at most 4 MiB; http_reply_free */
};

/* 0 when there was an answer, whatever its status. ERR_LIMIT: no answer in time, or too long a one;
 * ERR_HOST: could not be asked at all (the name, the connection, TLS). */
int http_send(const struct http_request *request, struct http_reply *ret_reply,
              struct err *err) MUST_CHECK;
void http_reply_free(struct http_reply *reply);

#endif
