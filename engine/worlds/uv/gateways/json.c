#include "engine/worlds/uv/gateways/json.h"

#include <jansson.h>
#include <stdlib.h>

/* A copy with a NUL behind it; NULL: no room. */
static const char *keep(struct json_request *r, const char *text, size_t len)
{
    char *at = r->strings + r->used;
    if (len >= sizeof r->strings - r->used)
        return NULL;
    memcpy(at, text, len);
    at[len] = 0;
    r->used += len + 1;
    return at;
}

/* The next field, with that name; NULL: there are too many, or it is there already. */
static struct gateway_field *add(struct json_request *r, const char *name, size_t len)
{
    struct gateway_field *f = &r->fields[r->request.n_fields];
    if (r->request.n_fields == GATEWAY_FIELDS)
        return NULL;
    *f = (struct gateway_field){.name = keep(r, name, len)};
    if (!f->name)
        return NULL;
    for (size_t i = 0; i < r->request.n_fields; i++)
        if (strcmp(r->fields[i].name, f->name) == 0)
            return NULL;
    r->request.n_fields++;
    return f;
}

/* ---- the target ----------------------------------------------------------------------- */

static int read_target(struct json_request *r, const char *target)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    size_t path = strcspn(target, "?");
    const char *at = target + path;
    if (target[0] != '/' || path > JSON_PATH ||
        strspn(target + 1, plain) + 1 < strcspn(target, "?/"))
        return ERR_FORMAT;
    memcpy(r->path, target, path);
    r->path[path] = 0;
    while (*at) {
        size_t name = strspn(at + 1, plain), value;
        struct gateway_field *f;
        if (name == 0 || at[1 + name] != '=')
            return ERR_FORMAT;
        value = strspn(at + 2 + name, plain);
        f = add(r, at + 1, name);
        if (!f)
            return ERR_LIMIT;
        f->text = keep(r, at + 2 + name, value);
        at += 2 + name + value;
        if (!f->text || (*at && (*at != '&' || !at[1])))
            return ERR_FORMAT;
    }
    return OK;
}

/* ---- the body ------------------------------------------------------------------------- */

static bool read_numbers(struct gateway_field *f, const json_t *v)
{
    size_t n = json_is_array(v) ? json_array_size(v) : 1;
    if (n > GATEWAY_NUMBERS)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *x = json_is_array(v) ? json_array_get(v, i) : v;
        if (!json_is_integer(x))
            return false;
        f->numbers[i] = json_integer_value(x);
    }
    f->n_numbers = n;
    return true;
}

static int read_object(struct json_request *r, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        struct gateway_field *f = add(r, name, strlen(name));
        if (!f)
            return ERR_LIMIT;
        if (json_is_string(value))
            f->text = keep(r, json_string_value(value), json_string_length(value));
        if (json_is_string(value) ? !f->text : !read_numbers(f, value))
            return ERR_FORMAT;
    }
    return OK;
}

static int read_body(struct json_request *r, const char *body, size_t len)
{
    json_error_t why;
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
    int rc = json_is_object(root) ? read_object(r, root) : ERR_FORMAT;
    json_decref(root);
    return rc;
}

int json_read(struct json_request *r, bool post, const char *target, const char *body, size_t len)
{
    int rc;
    memset(r, 0, sizeof *r);
    r->request = (struct gateway_request){.post = post, .path = r->path, .fields = r->fields};
    rc = read_target(r, target);
    if (rc == OK && post)
        rc = read_body(r, body, len);
    return rc;
}

/* ---- a reply -------------------------------------------------------------------------- */

char *json_write(const struct gateway_reply *reply)
{
    json_t *root = json_object();
    char *text = NULL, *line;
    size_t len;
    bool good = root != NULL;
    for (size_t i = 0; good && i < reply->n; i++)
        good = json_object_set_new(root, reply->fields[i].name,
                                   reply->fields[i].is_number
                                       ? json_integer(reply->fields[i].number)
                                       : json_string(reply->fields[i].text)) == 0;
    if (good)
        text = json_dumps(root, JSON_SORT_KEYS);
    json_decref(root);
    if (!text)
        return NULL;
    len = strlen(text);
    line = realloc(text, len + 2);
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + len, "\n", 2);
    return line;
}
