/* Published test data, below PARTYLINE_DATA or else ../shared/data. What is not there is NULL, and
 * said aloud; the test then calls skip(). */
#ifndef PARTYLINE_TESTS_DATA_H
#define PARTYLINE_TESTS_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static inline void data_path(char path[1024], const char *name)
{
    const char *root = getenv("PARTYLINE_DATA");
    snprintf(path, 1024, "%s/%s", root ? root : "../shared/data", name);
}

static inline json_t *data_json(const char *name)
{
    char path[1024];
    data_path(path, name);
    json_t *j = json_load_file(path, 0, NULL);
    if (!j)
        print_message("SKIP: no %s\n", path);
    return j;
}

/* A text of at most 8 MiB that gzip may have packed; to be freed. */
static inline char *data_text(const char *name, size_t *len)
{
    enum { CAP = 8 << 20 };
    char path[1024];
    data_path(path, name);
    gzFile f = gzopen(path, "rb");
    if (!f) {
        print_message("SKIP: no %s\n", path);
        return NULL;
    }
    char *text = malloc(CAP);
    int n = text ? gzread(f, text, CAP) : -1;
    gzclose(f);
    assert_in_range(n, 1, CAP - 1);
    *len = (size_t)n;
    return text;
}

/* The bytes of a hexadecimal field; -1 if there is no such field. */
static inline long data_hex(const json_t *object, const char *field, uint8_t *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(object, field));
    size_t len;
    if (!text)
        return -1;
    assert_int_equal(sodium_hex2bin(out, cap, text, strlen(text), NULL, &len, NULL), 0);
    assert_int_equal(len * 2, strlen(text));
    return (long)len;
}

#endif
