// SPDX-License-Identifier: BSD-3-Clause
/* cli_http.c -- requests to the daemon, over a Unix socket: see cli.h */

#include "ctl/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 256 * 1024 * 1024 };

void http_reply_fini(struct http_reply *r)
{
    sbuf_fini(&r->body);
    *r = (struct http_reply){0};
}

/* A descriptor, or -errno. */
static int open_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, saved;

    if (strlen(path) >= sizeof a.sun_path)
        return -ENAMETOOLONG;
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    saved = errno;
    close(fd);
    return -saved;
}

int http_probe(const char *socket_path)
{
    int fd = open_socket(socket_path);

    if (fd < 0)
        return -fd;
    close(fd);
    return 0;
}

static int unreachable(struct cli *c, int error)
{
    const char *path = c->socket_path;

    if (error == EACCES || error == EPERM)
        return cli_fail(
            c, EXIT_UNREACHABLE,
            "no permission for %s: run as root, or join the group that owns "
            "it",
            path);
    if (error == ENOENT || error == ECONNREFUSED)
        return cli_fail(c, EXIT_UNREACHABLE,
                        "clickosd is not running (nobody answers on %s): start it, or "
                        "name its socket with --socket",
                        path);
    return cli_fail(c, EXIT_UNREACHABLE, "cannot reach clickosd on %s: %s", path,
                    strerror(error));
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static int read_all(int fd, struct sbuf *out)
{
    char chunk[16384];

    while (out->len < REPLY_MAX) {
        ssize_t n = read(fd, chunk, sizeof chunk);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && out->len == 0 ? -1 : 0;
        sbuf_add(out, chunk, (size_t)n);
    }
    errno = EFBIG;
    return -1;
}

/* Length of the line at `text`, without its end; -1 if the end is not there. */
static long line_len(const char *text, size_t len)
{
    const char *eol = memchr(text, '\n', len);

    return eol ? eol - text : -1;
}

static void take_header(const char *line, size_t len, struct http_reply *r,
                        long *length)
{
    static const char type[] = "content-type: application/json";
    static const char size[] = "content-length:";

    if (len >= sizeof type - 1 && !strncasecmp(line, type, sizeof type - 1))
        r->is_json = true;
    if (len > sizeof size - 1 && !strncasecmp(line, size, sizeof size - 1))
        *length = strtol(line + sizeof size - 1, NULL, 10);
}

int http_parse_head(const char *text, size_t len, struct http_reply *r, size_t *body_at,
                    long *length)
{
    size_t at = 0;
    long n;

    *body_at = 0;
    *length = -1;
    if (len < 12)
        return 0;
    if (memcmp(text, "HTTP/1.", 7) || text[8] != ' ')
        return -1;
    r->status = 0;
    for (int i = 9; i < 12; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        r->status = r->status * 10 + (unsigned)(text[i] - '0');
    }
    while ((n = line_len(text + at, len - at)) >= 0) {
        size_t used = (size_t)n;

        if (used && text[at + used - 1] == '\r')
            used--;
        if (used == 0 && at > 0) {
            *body_at = at + (size_t)n + 1;
            return 0;
        }
        if (at > 0)
            take_header(text + at, used, r, length);
        at += (size_t)n + 1;
    }
    return 0;
}

static int take_reply(struct sbuf *all, struct http_reply *r)
{
    size_t body_at;
    long length;

    if (all->failed ||
        http_parse_head(sbuf_text(all), all->len, r, &body_at, &length) || body_at == 0)
        return -1;
    if (length >= 0 && all->len - body_at < (size_t)length)
        return -1;
    sbuf_add(&r->body, all->data + body_at, all->len - body_at);
    return 0;
}

static void make_request(struct sbuf *out, const char *method, const char *path,
                         const char *content_type, const char *body, size_t len)
{
    sbuf_printf(out,
                "%s %s HTTP/1.1\r\nHost: clickos\r\nConnection: close\r\n"
                "Content-Length: %zu\r\n",
                method, path, len);
    if (content_type)
        sbuf_printf(out, "Content-Type: %s\r\n", content_type);
    sbuf_puts(out, "\r\n");
    if (len)
        sbuf_add(out, body, len);
}

int http_call(struct cli *c, const char *method, const char *path,
              const char *content_type, const char *body, size_t len,
              struct http_reply *r)
{
    struct sbuf request = SBUF_INIT, all = SBUF_INIT;
    int fd = open_socket(c->socket_path), status = 0;

    *r = (struct http_reply){0};
    if (fd < 0)
        return unreachable(c, -fd);
    make_request(&request, method, path, content_type, body, len);
    /* A daemon that refuses early may stop reading: its answer counts, not our EPIPE. */
    send_all(fd, sbuf_text(&request), request.len);
    if (read_all(fd, &all) < 0 || take_reply(&all, r) < 0) {
        http_reply_fini(r);
        status = cli_fail(c, EXIT_UNREACHABLE,
                          "clickosd went away before it answered: see its log");
    }
    sbuf_fini(&request);
    sbuf_fini(&all);
    close(fd);
    return status;
}

void http_encode(struct sbuf *out, const char *part, const char *keep)
{
    static const char plain[] = "-._~@:";

    for (const char *p = part; *p; p++) {
        bool alnum = (*p >= '0' && *p <= '9') ||
                     ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z');

        if (alnum || strchr(plain, *p) || strchr(keep, *p))
            sbuf_putc(out, *p);
        else
            sbuf_printf(out, "%%%02X", (unsigned char)*p);
    }
}

char *api_path(const char *fmt, va_list ap)
{
    struct sbuf out = SBUF_INIT;

    for (const char *p = fmt; *p; p++)
        if (p[0] == '%' && p[1] == 's') {
            http_encode(&out, va_arg(ap, const char *), "");
            p++;
        } else {
            sbuf_putc(&out, *p);
        }
    return sbuf_take(&out);
}

const char *json_str(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

json_int_t json_num(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

int cli_print_json(struct cli *c, json_t *o)
{
    json_dumpf(o, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
    fputc('\n', c->out);
    json_decref(o);
    return EXIT_OK;
}

static int exit_status_of(unsigned status)
{
    return status == 404 ? EXIT_UNKNOWN : EXIT_FAILED;
}

int api_fail(struct cli *c, const struct http_reply *r, const struct source *source)
{
    json_t *o = json_loadb(sbuf_text(&r->body), r->body.len, 0, NULL);
    const json_t *details = json_object_get(o, "details");
    const char *text = json_str(o, "error");

    /* A configuration's errors speak for themselves. */
    if (json_array_size(details))
        caret_print(c->err, details, source);
    if (*text)
        cli_fail(c, 0, "%s", text);
    else
        cli_fail(c, 0, "clickosd answered with status %u", r->status);
    json_decref(o);
    return exit_status_of(r->status);
}

static int call_path(struct cli *c, const char *method, const char *path, json_t *body,
                     json_t **answer)
{
    char *text = body ? json_dumps(body, 0) : NULL;
    struct http_reply r;
    int status = http_call(c, method, path, text ? "application/json" : NULL, text,
                           text ? strlen(text) : 0, &r);

    free(text);
    if (status)
        return status;
    if (r.status >= 300) {
        status = api_fail(c, &r, NULL);
    } else if (answer) {
        *answer = json_loadb(sbuf_text(&r.body), r.body.len, 0, NULL);
        if (!*answer)
            status = cli_fail(c, EXIT_FAILED, "clickosd answered with no JSON");
    }
    http_reply_fini(&r);
    return status;
}

int api(struct cli *c, const char *method, json_t *body, json_t **answer,
        const char *fmt, ...)
{
    va_list ap;
    char *path;
    int status;

    va_start(ap, fmt);
    path = api_path(fmt, ap);
    va_end(ap);
    status = path ? call_path(c, method, path, body, answer)
                  : cli_fail(c, EXIT_FAILED, "out of memory");
    free(path);
    json_decref(body);
    return status;
}
