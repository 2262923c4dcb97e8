// SPDX-License-Identifier: BSD-3-Clause
/*
 * Message -- say something while the configuration is loaded
 *
 * Usage:    Message(MESSAGE, TYPE MESSAGE)
 * Ports:    none
 * Args:     MESSAGE  text
 *           TYPE     MESSAGE (the default), WARNING, or ERROR: the configuration is
 *                    refused
 * Counters: none
 * Handlers: none
 * Example:  Message("this is the old firewall", WARNING);
 * See also: Error, Print
 */

#include "engine/element.h"

struct message {
    struct text message, type;
};

static const struct arg_spec message_args[] = {
    ARG_STRING(message, message, "MESSAGE", ARG_M, NULL, "text"),
    ARG_WORD(message, type, "TYPE", ARG_POS, "MESSAGE", "MESSAGE, WARNING or ERROR"),
    ARG_END,
};

static int message_configure(struct element *e, struct conf *c, struct diag *d)
{
    const struct message *s = element_state(e);

    if (!strcmp(s->type.s, "ERROR"))
        return diag_err(d, "%s", s->message.s);
    if (!strcmp(s->type.s, "WARNING")) {
        diag_warn(d, "%s", s->message.s);
        return -1;
    }
    if (strcmp(s->type.s, "MESSAGE") != 0)
        return diag_err(d, "unrecognized message type");
    diag_note(d, "%s", s->message.s);
    return 0;
}

ELEMENT(Message) = {
    .name = "Message",
    .state_size = sizeof(struct message),
    .ports = "0/0",
    .args = message_args,
    .configure = message_configure,
};
