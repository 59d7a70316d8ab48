/* What an HTTP request says, as fields, and a reply as JSON. The bytes are a stranger's. */
#ifndef PARTYLINE_WORLDS_UV_GATEWAYS_JSON_H
#define PARTYLINE_WORLDS_UV_GATEWAYS_JSON_H

#include "engine/base/err.h"
#include "engine/gateway.h"

enum { JSON_STRINGS = 4096 + 64, JSON_PATH = 63 };

/* A request that was taken apart. Its texts may be secret: wipe it. */
struct json_request {
    struct gateway_request request;
    struct gateway_field fields[GATEWAY_FIELDS];
    char path[JSON_PATH + 1], strings[JSON_STRINGS];
    size_t used;
};

/* The target (path and query; RFC 9112, section 3.2.1, origin-form): no percent escapes and
 * nothing else that has two spellings, each parameter once. Then a JSON object (RFC 8259), if
 * there is a body: of texts, whole numbers or lists of those, each name once, no NUL in a text.
 * OK, ERR_FORMAT, ERR_LIMIT: too many fields. The fields are *out's own. */
int json_read(struct json_request *out, bool post, const char *target, const char *body,
              size_t len);

/* A line of text from malloc(); NULL: no memory. */
char *json_write(const struct gateway_reply *);

#endif
