// SPDX-License-Identifier: MIT
/*
 * OpenPGP keys as text and as bytes (RFC 9580, section 6: ASCII armour). Pure. Results live in the
 * arena.
 */
#ifndef PROVIDER_APT_KEY_H
#define PROVIDER_APT_KEY_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the first armoured public key of the text. ERR_INPUT says what is wrong with it: no
 * armour, a secret key, bad letters, a checksum that does not fit. */
int apt_key_bytes(struct arena *arena, const char *text, const char **ret_bytes, size_t *ret_length,
                  struct err *err) MUST_CHECK;

/* SHA-256 of a keyring's bytes, in armour or not: the same key has the same one either way. */
const char *apt_key_digest(struct arena *arena, const char *data, size_t n);

#endif
