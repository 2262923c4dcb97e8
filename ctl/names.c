// SPDX-License-Identifier: BSD-3-Clause
/* names.c -- what operators type: see names.h */

#include "ctl/names.h"

#include "base/strmap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_set_aside(const char *name, size_t len)
{
    size_t n = strlen(NAME_DAMAGED);

    return len > n && strcmp(name + len - n, NAME_DAMAGED) == 0;
}

int name_check(const char *what, const char *name, bool dots, struct diag *d)
{
    size_t len = strlen(name);

    if (len == 0)
        return diag_err(d, "a %s needs a name", what);
    if (len >= NAME_ROOM)
        return diag_err(d, "%s name '%.20s...' is longer than %d characters", what,
                        name, NAME_ROOM - 1);
    for (size_t i = 0; i < len; i++) {
        bool good = is_alnum(name[i]) ||
                    (i > 0 && (strchr("_-", name[i]) || (dots && name[i] == '.')));

        if (!good)
            return diag_err(d,
                            "'%s' is no %s name: use letters, digits, '_' and '-'%s, "
                            "beginning with a letter or digit",
                            name, what, dots ? " and '.'" : "");
    }
    if (is_set_aside(name, len))
        return diag_err(
            d, "a %s name must not end in '%s', as files do that are set aside", what,
            NAME_DAMAGED);
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mac_parse(const char *text, uint8_t mac[6])
{
    uint8_t m[6];

    for (int i = 0; i < 6; i++) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        m[i] = (uint8_t)(high << 4 | low);
        text += 3;
    }
    if (m[0] & 1 || !memcmp(m, (uint8_t[6]){0}, 6))
        return false;
    memcpy(mac, m, 6);
    return true;
}

const char *mac_format(const uint8_t mac[6], char text[MAC_TEXT])
{
    snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
    return text;
}

void mac_from_name(const char *vm, unsigned n, uint8_t mac[6])
{
    /* The interface's number is the last byte, so that neighbours are easy to spot. */
    uint64_t h = strmap_hash(0x636c69636b6f73, vm, strlen(vm));

    mac[0] = 0x02;
    for (int i = 1; i < 5; i++)
        mac[i] = (uint8_t)(h >> (8 * i));
    mac[5] = (uint8_t)n;
}

bool size_parse(const char *text, uint64_t *bytes)
{
    static const char units[] = "kmgt";
    char *end;
    double value = strtod(text, &end);
    const char *unit;
    int shift = 0;

    if (end == text || !(value >= 0) || *text == '-' || isinf(value))
        return false;
    if (*end && (unit = strchr(units, *end | 0x20))) {
        shift = 10 * (int)(unit - units + 1);
        end++;
    }
    if (strcasecmp(end, "") && strcasecmp(end, "b") && strcasecmp(end, "ib"))
        return false;
    value *= (double)(1ull << shift);
    if (value > 1e18)
        return false;
    *bytes = (uint64_t)value;
    return true;
}

bool seconds_parse(const char *text, uint64_t *ms)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || !(value >= 0))
        return false;
    if (!strcmp(end, "ms"))
        value /= 1000;
    else if (!strcmp(end, "m") || !strcmp(end, "min"))
        value *= 60;
    else if (*end && strcmp(end, "s"))
        return false;
    if (value > 1e9)
        return false;
    *ms = (uint64_t)(value * 1000 + 0.5);
    return true;
}
