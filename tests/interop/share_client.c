/* What a browser does for its person in share_url, without a browser:
 *     share_client seal IDENTITY CONTACT PROGRAM AGE_S VALUE...   prints: post (base64url), id
 *     share_client check IDENTITY HOST URL                        prints: payload (base64url)
 * IDENTITY as GET /api/server tells it. 1: the URL is not the server's; 2: usage. */
#include "engine/base/err.h"
#include "engine/protocols/share_url/url.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print(const uint8_t *bytes, size_t n)
{
    char text[1024];
    url_encode(text, bytes, n);
    printf("%.*s\n", (int)((n * 8 + 5) / 6), text);
}

static int seal(const struct identity_public *server, char **arg, int n)
{
    struct seal in = {.program = (enum deal_program)atoi(arg[1])};
    uint8_t key[PRNG_KEY], post[POST_LEN];
    struct prng rng;
    struct timespec now;
    randombytes_buf(key, sizeof key);
    prng_key(&rng, key);
    prng_bytes(&rng, in.id, sizeof in.id);
    clock_gettime(CLOCK_REALTIME, &now);
    in.created = ((ns_t)now.tv_sec - atoi(arg[2])) * NS_S;
    snprintf(in.contact, sizeof in.contact, "%s", arg[0]);
    for (int i = 3; i < n && i < 5; i++)
        in.values[i - 3] = atoll(arg[i]);
    if (seal_close(post, &in, server->x25519, &rng, false) != OK)
        return 1;
    print(post, sizeof post);
    print(in.id, sizeof in.id);
    return 0;
}

static int check(const struct identity_public *server, const char *host, const char *url)
{
    uint8_t payload[PAYLOAD_LEN];
    ns_t stamp;
    if (url_parse(payload, host, url, strlen(url)) != OK ||
        seal_check(payload, server, false, &stamp) != OK)
        return 1;
    print(payload, sizeof payload);
    return 0;
}

int main(int n, char **arg)
{
    struct identity_public server;
    uint8_t bytes[IDENTITY_PUBLIC];
    size_t len = 0;
    if (n < 5 || sodium_init() < 0 ||
        sodium_hex2bin(bytes, sizeof bytes, arg[2], strlen(arg[2]), NULL, &len, NULL) != 0 ||
        identity_decode(&server, bytes, len) != OK || identity_verify(&server) != OK)
        return 2;
    if (strcmp(arg[1], "seal") == 0 && n >= 7)
        return seal(&server, arg + 3, n - 3);
    return strcmp(arg[1], "check") == 0 ? check(&server, arg[3], arg[4]) : 2;
}
