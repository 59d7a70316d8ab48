/* Any bytes as a share URL and as a payload: refused, or the one spelling of what comes out; a seal
 * that opens was sealed by us. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/err.h"
#include "engine/protocols/share_url/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[PRNG_KEY] = {1};
    uint8_t payload[PAYLOAD_LEN], role[8] = {0};
    char url[URL_MAX], contact[SEAL_CONTACT] = "";
    struct roster roster = {.n = 8, .n_parties = 8};
    struct share_plan plan = {.roster = &roster, .role = role};
    struct identity server;
    struct prng rng;
    struct seal seal;
    struct deal deal;
    ns_t stamp;
    prng_key(&rng, key);
    identity_make_modelled(&server, &rng); /* so that what is inside is reached */
    if (url_parse(payload, "mpc.example", (const char *)data, size) == OK) {
        need(url_make(url, "mpc.example", payload) == size && memcmp(url, data, size) == 0);
        need(seal_check(payload, &server.pub, false, &stamp) == ERR_AUTH);
    }
    memset(payload, 0, sizeof payload);
    memcpy(payload, data, size < sizeof payload ? size : sizeof payload);
    if (seal_open(&seal, payload, &server) == OK)
        need(deal_valid(seal.program, seal.values) && strlen(seal.contact) < SEAL_CONTACT);
    memcpy(contact, data, size < sizeof contact ? size : sizeof contact);
    need(share_of_contact(&plan, contact) < 8 || share_of_contact(&plan, contact) == PARTY_NONE);
    if (size >= DEAL_RESULT)
        deal_get(DEAL_FAIR, &deal, data);
    return 0;
}
