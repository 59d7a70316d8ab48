#include "engine/channel/hello.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "engine/base/bytes.h"

void hello_set_program(struct hello *h, const char *program)
{
    const char *text = program ? program : "";
    size_t len = strlen(text);
    crypto_generichash(h->program_digest, sizeof h->program_digest, (const uint8_t *)text, len,
                       NULL, 0);
    h->program_len = (uint8_t)(len < CHANNEL_PROGRAM_MAX ? len : CHANNEL_PROGRAM_MAX);
    memset(h->program, 0, sizeof h->program);
    memcpy(h->program, text, h->program_len);
}

void hello_encode(const struct hello *h, uint8_t out[HELLO_LEN])
{
    struct writer w = writer_of(out, HELLO_LEN);
    identity_encode(&h->identity, write_room(&w, IDENTITY_PUBLIC));
    write_u32(&w, h->incarnation);
    write_u8(&w, h->knows_peer);
    write_u32(&w, h->knows_peer ? h->peer_incarnation : 0);
    write_u64(&w, h->knows_peer ? h->expected : 0);
    write_u64(&w, h->scenario_digest);
    write_bytes(&w, h->program_digest, sizeof h->program_digest);
    write_u8(&w, h->program_len);
    write_bytes(&w, h->program, sizeof h->program);
}

int hello_decode(struct hello *h, const uint8_t *in, size_t len)
{
    struct reader r = reader_of(in, len);
    const uint8_t *identity, *digest, *program;
    uint8_t knows;
    if (len != HELLO_LEN)
        return ERR_FORMAT;
    identity = read_bytes(&r, IDENTITY_PUBLIC);
    h->incarnation = read_u32(&r);
    knows = read_u8(&r);
    h->knows_peer = knows == 1;
    h->peer_incarnation = read_u32(&r);
    h->expected = read_u64(&r);
    h->scenario_digest = read_u64(&r);
    digest = read_bytes(&r, HELLO_PROGRAM_DIGEST);
    h->program_len = read_u8(&r);
    program = read_bytes(&r, CHANNEL_PROGRAM_MAX);
    if (knows > 1 || h->program_len > CHANNEL_PROGRAM_MAX ||
        identity_decode(&h->identity, identity, IDENTITY_PUBLIC))
        return ERR_FORMAT;
    memcpy(h->program_digest, digest, HELLO_PROGRAM_DIGEST);
    memcpy(h->program, program, CHANNEL_PROGRAM_MAX);
    return ERR_OK;
}

static const char *words(const struct hello *h, char out[CHANNEL_PROGRAM_MAX + 1])
{
    for (size_t i = 0; i < h->program_len; i++)
        out[i] = h->program[i] >= 0x20 && h->program[i] < 0x7f ? h->program[i] : '?';
    out[h->program_len] = '\0';
    return out;
}

static bool same_words(const struct hello *a, const struct hello *b)
{
    return a->program_len == b->program_len && memcmp(a->program, b->program, a->program_len) == 0;
}

int hello_compare(const struct hello *ours, const struct hello *theirs, const char *name, char *why,
                  size_t cap)
{
    char their[CHANNEL_PROGRAM_MAX + 1], our[CHANNEL_PROGRAM_MAX + 1];
    if (!same_words(ours, theirs))
        snprintf(why, cap, "%s computes `%s`, we compute `%s`", name, words(theirs, their),
                 words(ours, our));
    else if (memcmp(ours->program_digest, theirs->program_digest, HELLO_PROGRAM_DIGEST) != 0)
        snprintf(why, cap, "%s computes another program that also begins with `%s`", name,
                 words(theirs, their));
    else if (ours->scenario_digest != theirs->scenario_digest)
        snprintf(why, cap,
                 "%s runs another scenario: its digest is %016" PRIx64 ", ours is %016" PRIx64,
                 name, theirs->scenario_digest, ours->scenario_digest);
    else
        return ERR_OK;
    return ERR_MISMATCH;
}
