#include "engine/protocols/share_url/url.h"

#include "engine/base/err.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char scheme[] = "https://", query[] = "/?payload=";

_Static_assert(sizeof scheme + sizeof query - 2 == URL_HEAD, "length of the constant parts");

void url_encode(char *out, const uint8_t *bytes, size_t n)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *out++ = digits[bits >> (held - 6) & 63];
    }
    if (held)
        *out = digits[bits << (6 - held) & 63];
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int url_decode(uint8_t *out, size_t n, const char *text, size_t len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    if (len != (n * 8 + 5) / 6)
        return ERR_FORMAT;
    for (size_t i = 0; i < len; i++) {
        int v = value_of(text[i]);
        if (v < 0)
            return ERR_FORMAT;
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    return (bits & ((1u << held) - 1)) == 0 ? OK : ERR_FORMAT;
}

bool url_host_valid(const char *host)
{
    size_t n = strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
    return n > 0 && n <= URL_HOST_MAX && host[n] == '\0';
}

size_t url_make(char out[URL_MAX], const char *host, const uint8_t payload[PAYLOAD_LEN])
{
    size_t n = strlen(host);
    char *at = out;
    memcpy(at, scheme, sizeof scheme - 1);
    at += sizeof scheme - 1;
    memcpy(at, host, n);
    at += n;
    memcpy(at, query, sizeof query - 1);
    at += sizeof query - 1;
    url_encode(at, payload, PAYLOAD_LEN);
    return URL_HEAD + n + PAYLOAD_TEXT;
}

int url_parse(uint8_t payload[PAYLOAD_LEN], const char *host, const char *url, size_t len)
{
    size_t n = strlen(host);
    if (len != URL_HEAD + n + PAYLOAD_TEXT || memcmp(url, scheme, sizeof scheme - 1) != 0 ||
        memcmp(url + sizeof scheme - 1, host, n) != 0 ||
        memcmp(url + sizeof scheme - 1 + n, query, sizeof query - 1) != 0)
        return ERR_FORMAT;
    return url_decode(payload, PAYLOAD_LEN, url + URL_HEAD + n, PAYLOAD_TEXT);
}
