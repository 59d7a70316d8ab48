#include "engine/run/hlog.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    WRAPPER_COOKIE = 0x1c849314,
    COOKIE = 0x1c849313,
    WRAPPER = 8,
    HEADER = 40,
    WORD = 9,
    DIGITS = 3,
    INFLATED_MAX = HEADER + WORD * HIST_SLOTS,
    DEFLATED_MAX = INFLATED_MAX + 4096,
    BASE64 = sodium_base64_VARIANT_ORIGINAL
};
static const uint64_t RATIO_ONE = UINT64_C(0x3ff0000000000000); /* the double 1.0 */

/* ---- bytes ---- */

static void put_be32(uint8_t *p, uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

static void put_be64(uint8_t *p, uint64_t v)
{
    put_be32(p, (uint32_t)(v >> 32));
    put_be32(p + 4, (uint32_t)v);
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

/* LEB128 of at most nine bytes: the ninth holds eight bits. */
static uint8_t *put_leb(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < WORD - 1 && v >= 0x80; i++, v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static uint64_t get_leb(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 7 * (WORD - 1); shift += 7) {
        uint8_t b = read_u8(r);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    return v | (uint64_t)read_u8(r) << 7 * (WORD - 1);
}

/* ---- writing ---- */

static size_t encoded_max(const struct hist *h)
{
    unsigned cursor = 0;
    int64_t value;
    uint64_t count;
    size_t n = HEADER + 1;
    while (hist_next(h, &cursor, &value, &count))
        n += 2 * WORD; /* a run of zeros and a count */
    return n;
}

/* ZigZag: a count n is 2n, a run of z zeros (-z) is 2z - 1; a single zero is written as such. */
static size_t encode(const struct hist *h, uint8_t *out)
{
    uint8_t *p = out + HEADER;
    unsigned cursor = 0, next = 0;
    int64_t value;
    uint64_t count;
    while (hist_next(h, &cursor, &value, &count)) {
        unsigned slot = hist_slot(value), zeros = slot - next;
        if (zeros)
            p = put_leb(p, zeros == 1 ? 0 : 2 * (uint64_t)zeros - 1);
        p = put_leb(p, count << 1);
        next = slot + 1;
    }
    if (next == 0)
        p = put_leb(p, 0);
    put_be32(out, COOKIE);
    put_be32(out + 4, (uint32_t)(p - out - HEADER));
    put_be32(out + 8, 0); /* normalizing index offset */
    put_be32(out + 12, DIGITS);
    put_be64(out + 16, 1); /* lowest discernible value */
    put_be64(out + 24, (uint64_t)HIST_MAX);
    put_be64(out + 32, RATIO_ONE);
    return (size_t)(p - out);
}

/* The base64 text of h, to be freed; NULL without memory. */
static char *base64_of(const struct hist *h)
{
    char *text = NULL;
    uint8_t *plain = malloc(encoded_max(h)), *packed = NULL;
    if (plain) {
        size_t len = encode(h, plain);
        uLongf packed_len = compressBound(len);
        packed = malloc(WRAPPER + packed_len);
        if (packed && compress(packed + WRAPPER, &packed_len, plain, len) == Z_OK) {
            put_be32(packed, WRAPPER_COOKIE);
            put_be32(packed + 4, (uint32_t)packed_len);
            size_t room = sodium_base64_encoded_len(WRAPPER + packed_len, BASE64);
            text = malloc(room);
            if (text)
                sodium_bin2base64(text, room, packed, WRAPPER + packed_len, BASE64);
        }
    }
    free(packed);
    free(plain);
    return text;
}

static bool tag_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != ',';
}

int hlog_tag(char out[HLOG_TAG + 1], const char *cell, const char *metric)
{
    int n = snprintf(out, HLOG_TAG + 1, "%s%s%s", cell, *cell ? "/" : "", metric);
    if (n < 0 || n > HLOG_TAG) {
        out[0] = 0;
        return ERR_TOO_BIG;
    }
    for (char *p = out; *p; p++)
        if (!tag_char(*p))
            *p = *p == ',' ? ';' : '_';
    return ERR_OK;
}

int hlog_write_header(FILE *to, const char *comment)
{
    if (comment) {
        fputs("#[", to);
        for (; *comment; comment++)
            fputc(*comment == '\n' || *comment == '\r' ? ' ' : *comment, to);
        fputs("]\n", to);
    }
    fputs("#[Histogram log format version 1.3]\n"
          "#[StartTime: 0.000 (seconds since epoch), Thu Jan 01 00:00:00 UTC 1970]\n"
          "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
          "\"Interval_Compressed_Histogram\"\n",
          to);
    return ferror(to) ? ERR_IO : ERR_OK;
}

/* value / (1000 part) with three decimals, rounded half up. */
static void put_decimal(FILE *to, int64_t value, int64_t part)
{
    int64_t parts = value / part + (value % part >= part - part / 2);
    fprintf(to, "%" PRId64 ".%03d,", parts / 1000, (int)(parts % 1000));
}

int hlog_write(FILE *to, const char *tag, ns_t start, ns_t length, const struct hist *h)
{
    char *text;
    size_t n = tag ? strlen(tag) : 0;
    assert(start >= 0 && length >= 0);
    if (n > HLOG_TAG)
        return ERR_INVALID;
    for (size_t i = 0; i < n; i++)
        if (!tag_char(tag[i]))
            return ERR_INVALID;
    text = base64_of(h);
    if (!text)
        return ERR_NOMEM;
    if (n)
        fprintf(to, "Tag=%s,", tag);
    put_decimal(to, start, NS_MS);
    put_decimal(to, length, NS_MS);
    put_decimal(to, hist_max(h), 1000);
    fprintf(to, "%s\n", text);
    free(text);
    return ferror(to) ? ERR_IO : ERR_OK;
}

/* ---- reading ---- */

/* A sample counts as its bucket's middle; then min and max move to their buckets' ends. */
static int decode_counts(struct reader *r, struct hist *h)
{
    uint64_t slot = 0;
    while (r->left) {
        uint64_t v = get_leb(r), n = v >> 1;
        if (r->bad)
            return ERR_TRUNCATED;
        if (v & 1) { /* n + 1 zeros */
            if (n >= HIST_SLOTS - slot)
                return ERR_FORMAT;
            slot += n + 1;
            continue;
        }
        if (slot >= HIST_SLOTS)
            return ERR_FORMAT;
        if (n > INT64_MAX - hist_count(h))
            return ERR_TOO_BIG;
        int64_t low = hist_slot_low((unsigned)slot), high = hist_slot_high((unsigned)slot);
        hist_add_n(h, low + (high - low + 1) / 2, n);
        slot++;
    }
    if (h->lost)
        return ERR_NOMEM;
    if (hist_count(h))
        return hist_restore(h, hist_slot_low(hist_slot(hist_min(h))),
                            hist_slot_high(hist_slot(hist_max(h))), hist_sum(h));
    return ERR_OK;
}

static int decode(const uint8_t *plain, size_t len, struct hist *h)
{
    struct reader r;
    if (len < HEADER)
        return ERR_TRUNCATED;
    if (get_be32(plain) != COOKIE || get_be32(plain + 8) != 0 || get_be32(plain + 12) != DIGITS ||
        get_be64(plain + 16) != 1 || get_be64(plain + 32) != RATIO_ONE)
        return ERR_UNSUPPORTED;
    if (get_be32(plain + 4) != len - HEADER)
        return ERR_FORMAT;
    r = reader_of(plain + HEADER, len - HEADER);
    return decode_counts(&r, h);
}

/* packed is the wrapper and what it wraps. */
static int inflate_and_decode(const uint8_t *packed, size_t len, struct hist *h)
{
    uLongf plain_len = INFLATED_MAX;
    uLong used = len - WRAPPER;
    uint8_t *plain;
    int code;
    if (get_be32(packed) != WRAPPER_COOKIE)
        return ERR_UNSUPPORTED;
    if (get_be32(packed + 4) != used)
        return ERR_FORMAT;
    plain = malloc(INFLATED_MAX);
    if (!plain)
        return ERR_NOMEM;
    int z = uncompress2(plain, &plain_len, packed + WRAPPER, &used);
    if (z == Z_OK)
        code = used == len - WRAPPER ? decode(plain, plain_len, h) : ERR_FORMAT;
    else
        code = z == Z_MEM_ERROR ? ERR_NOMEM : z == Z_BUF_ERROR ? ERR_TOO_BIG : ERR_FORMAT;
    free(plain);
    return code;
}

struct span {
    const char *at;
    size_t len;
};

static int read_base64(struct span text, struct hist *h)
{
    size_t len;
    uint8_t *packed;
    int code;
    if (text.len / 4 * 3 > WRAPPER + DEFLATED_MAX)
        return ERR_TOO_BIG;
    packed = malloc(text.len / 4 * 3 + 3);
    if (!packed)
        return ERR_NOMEM;
    if (sodium_base642bin(packed, text.len / 4 * 3 + 3, text.at, text.len, NULL, &len, NULL,
                          BASE64) != 0)
        code = ERR_FORMAT;
    else
        code = len < WRAPPER ? ERR_TRUNCATED : inflate_and_decode(packed, len, h);
    free(packed);
    return code;
}

/* Up to the separator, which is taken away; false if there is none. */
static bool cut(struct span *from, char separator, struct span *out)
{
    const char *end = memchr(from->at, separator, from->len);
    if (!end)
        return false;
    *out = (struct span){from->at, (size_t)(end - from->at)};
    from->at = end + 1;
    from->len -= out->len + 1;
    return true;
}

/* digits[.digits], in units of 1e-9; what is finer is cut off. out NULL: any size will do. */
static bool read_decimal(struct span s, int64_t *out)
{
    int64_t v = 0;
    int decimals = -1; /* before the point */
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '.' && decimals < 0 && i > 0) {
            decimals = 0;
        } else if (c < '0' || c > '9') {
            return false;
        } else if (out && decimals < 9) {
            if (v > (INT64_MAX - 9) / 10)
                return false;
            v = v * 10 + (c - '0');
            decimals += decimals >= 0;
        }
    }
    if (s.len == 0 || s.at[s.len - 1] == '.')
        return false;
    for (decimals = decimals < 0 ? 0 : decimals; out && decimals < 9; decimals++) {
        if (v > INT64_MAX / 10)
            return false;
        v *= 10;
    }
    if (out)
        *out = v;
    return true;
}

static int read_line(struct span line, struct hlog_entry *out, const char **what)
{
    struct span field;
    *what = "the tag";
    if (line.len >= 4 && memcmp(line.at, "Tag=", 4) == 0) {
        if (!cut(&line, ',', &field))
            return ERR_TRUNCATED;
        if (field.len - 4 > HLOG_TAG)
            return ERR_TOO_BIG;
        memcpy(out->tag, field.at + 4, field.len - 4);
        if (strlen(out->tag) != field.len - 4)
            return ERR_FORMAT;
    }
    *what = "the times and the maximum";
    if (!cut(&line, ',', &field))
        return ERR_TRUNCATED;
    if (!read_decimal(field, &out->start))
        return ERR_FORMAT;
    if (!cut(&line, ',', &field))
        return ERR_TRUNCATED;
    if (!read_decimal(field, &out->length))
        return ERR_FORMAT;
    if (!cut(&line, ',', &field))
        return ERR_TRUNCATED;
    if (!read_decimal(field, NULL))
        return ERR_FORMAT;
    *what = "the histogram";
    return read_base64(line, &out->hist);
}

void hlog_open(struct hlog_reader *r, const void *text, size_t len)
{
    *r = (struct hlog_reader){.at = text, .left = len, .line = 0};
}

int hlog_read(struct hlog_reader *r, struct hlog_entry *out, struct err *e)
{
    const char *what;
    memset(out, 0, sizeof *out);
    while (r->left) {
        struct span rest = {r->at, r->left}, line;
        if (!cut(&rest, '\n', &line)) {
            line = rest;
            rest.len = 0;
        }
        r->at = rest.at;
        r->left = rest.len;
        r->line++;
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0 || line.at[0] == '#' || line.at[0] == '"')
            continue;
        int code = read_line(line, out, &what);
        if (code == ERR_OK)
            return ERR_OK;
        hist_free(&out->hist);
        memset(out, 0, sizeof *out);
        return err_set(e, code, "line %u: %s: %s", r->line, what, err_name(code));
    }
    return ERR_ABSENT;
}
