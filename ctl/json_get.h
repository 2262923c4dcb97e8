// SPDX-License-Identifier: BSD-3-Clause
/*
 * json_get.h -- members of a JSON object, with errors that name them
 *
 * Absent members and null leave the out-parameter as it was and are no error. All return
 * 0, or -1 with one message.
 */

#ifndef CTL_JSON_GET_H
#define CTL_JSON_GET_H

#include "base/diag.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* `len` bytes of JSON text that must be an object; NULL with a message. An empty text is
 * an empty object. */
json_t *json_get_object(const char *text, size_t len, struct diag *d);

/* Refuse members that are not among `n` known ones. */
int json_get_only(const json_t *o, const char *const *known, size_t n, struct diag *d);

int json_get_string(const json_t *o, const char *key, const char **out, struct diag *d);
int json_get_bool(const json_t *o, const char *key, bool *out, struct diag *d);

/* A number from `min` to `max`, or a string that size_parse() takes. */
int json_get_u64(const json_t *o, const char *key, uint64_t min, uint64_t max,
                 uint64_t *out, struct diag *d);

/* Something a second: a number, or "10k", "1.5M", "10G". */
int json_get_rate(const json_t *o, const char *key, double *out, struct diag *d);

/* So many things, from 0 on, with the same units: "10k" packets are 10,000. */
int json_get_count(const json_t *o, const char *key, uint64_t max, uint64_t *out,
                   struct diag *d);

/* Sort a list of objects by their "name"; as it was if memory has run out. */
void json_sort_by_name(json_t *list);

#endif
