/* The share URL, and its one spelling.
 *
 *     https://HOST/?payload=TEXT
 *
 * TEXT is the payload in base64url (RFC 4648, section 5) without padding: exactly PAYLOAD_TEXT
 * characters of A-Z a-z 0-9 - _, the unused bits of the last one zero. Nothing else is accepted: no
 * padding, no + or /, no white space, no percent escapes, no other parameter, nothing behind.
 */
#ifndef PARTYLINE_PROTOCOLS_SHARE_URL_URL_H
#define PARTYLINE_PROTOCOLS_SHARE_URL_URL_H

#include "engine/protocols/share_url/seal.h"

enum {
    PAYLOAD_TEXT = (PAYLOAD_LEN * 8 + 5) / 6,
    URL_HEAD = 18, /* https:// and /?payload= */
    URL_HOST_MAX = 63,
    URL_MAX = URL_HEAD + URL_HOST_MAX + PAYLOAD_TEXT
};

/* Writes ceil(8 n / 6) characters, without a NUL. */
void url_encode(char *out, const uint8_t *bytes, size_t n);
/* OK, or ERR_FORMAT: that is not the one spelling of n bytes. */
int url_decode(uint8_t *out, size_t n, const char *text, size_t len);

/* Letters, digits, hyphens and dots, 1 to URL_HOST_MAX of them. */
bool url_host_valid(const char *host);
/* The URL's length. The host is valid. */
size_t url_make(char out[URL_MAX], const char *host, const uint8_t payload[PAYLOAD_LEN]);
/* OK or ERR_FORMAT. */
int url_parse(uint8_t payload[PAYLOAD_LEN], const char *host, const char *url, size_t len);

#endif
