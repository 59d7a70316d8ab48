/* Bad peers: what the fuzzers found worth keeping (tests/fuzz/corpus) is sent to every node of
 * every transport over real sockets of the loopback, as bytes of a stream, as a message, and as a
 * datagram, while parties work. They must get their result, and what was thrown away must be
 * counted by name. Run from the root of the sources. */
#include "engine/base/bytes.h"
#include "tests/conformance/bed.h"
#include "tests/conformance/conform.h"
#include "tests/unit/uv_bed.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <unistd.h>

enum { PARTIES = 3, FILES_MAX = 1024, OPEN = 64, A_TICK = 2 };

static const char corpus[] = "tests/fuzz/corpus";

/* ---- what they say ---------------------------------------------------------------------- */

struct said {
    uint8_t *data;
    size_t len;
};

static struct said sayings[FILES_MAX];
static size_t n_sayings;

static void read_saying(const char *path)
{
    struct said *s = &sayings[n_sayings];
    FILE *f = fopen(path, "rb");
    if (!f || n_sayings == FILES_MAX)
        return;
    s->data = malloc(LINK_MESSAGE_MAX);
    s->len = s->data ? fread(s->data, 1, LINK_MESSAGE_MAX, f) : 0;
    n_sayings += s->len > 0;
    fclose(f);
}

static void read_sayings(void)
{
    char path[PATH_MAX];
    struct dirent *kind, *file;
    DIR *kinds = opendir(corpus), *files;
    while (kinds && (kind = readdir(kinds))) {
        if (kind->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", corpus, kind->d_name);
        files = opendir(path);
        while (files && (file = readdir(files))) {
            snprintf(path, sizeof path, "%s/%.255s/%.255s", corpus, kind->d_name, file->d_name);
            if (file->d_name[0] != '.')
                read_saying(path);
        }
        if (files)
            closedir(files);
    }
    if (kinds)
        closedir(kinds);
}

/* ---- how -------------------------------------------------------------------------------- */

struct visit {
    size_t next;    /* saying */
    uint32_t node;  /* to whom */
    unsigned shape; /* 0: bytes, 1: a message, 2: a message in halves */
    uint64_t n, refused;
    int open[OPEN];
    size_t at;
    bool over;
};

static struct sockaddr_in address(const struct uv_bed *b, uint32_t node, unsigned k)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(b->ports.first[node] + k)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void put(int fd, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static void talk(struct visit *v, const struct sockaddr_in *to, const struct said *s)
{
    uint8_t head[4];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    put_le32(head, (uint32_t)(s->len + (v->shape == 2 ? 40 : 0)));
    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        v->refused++;
        if (fd >= 0)
            close(fd);
        return;
    }
    if (v->shape > 0)
        put(fd, head, sizeof head);
    put(fd, s->data, s->len);
    if (v->open[v->at] > 0)
        close(v->open[v->at]);
    v->open[v->at] = fd;
    v->at = (v->at + 1) % OPEN;
}

static void drop_in(const struct sockaddr_in *to, const struct said *s)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    sendto(fd, s->data, s->len < 60000 ? s->len : 60000, MSG_DONTWAIT, (const struct sockaddr *)to,
           sizeof *to);
    close(fd);
}

static void visit(struct uv_bed *b, struct visit *v)
{
    const struct said *s = &sayings[v->next];
    const struct accept *list = node_accepts(b->spec, v->node);
    for (unsigned k = 0; list && list[k].port; k++) {
        struct sockaddr_in to = address(b, v->node, k);
        v->n++;
        if (list[k].kind == LINK_DATAGRAM)
            drop_in(&to, s);
        else
            talk(v, &to, s);
    }
    if (++v->shape < 3)
        return;
    v->shape = 0;
    if (++v->node < b->spec->roster->n)
        return;
    v->node = 0;
    v->over |= ++v->next == n_sayings;
    v->next %= n_sayings;
}

static void tick(struct uv_bed *b)
{
    struct visit *v = b->user;
    bool done = true;
    for (int i = 0; i < A_TICK && !v->over && uv_bed_now(b) > 200 * NS_MS; i++)
        visit(b, v);
    for (uint32_t i = 0; i < PARTIES; i++)
        done &= b->nodes[i].done;
    /* Nobody leaves before all has been said. */
    if (done && !v->over)
        b->nodes[0].done = false;
    else if (v->over && node_outcome(uvnode_node(b->nodes[0].node)).done)
        b->nodes[0].done = true;
}

/* ---- the test --------------------------------------------------------------------------- */

static bool judge(const struct visit *v, const struct trial_result *r, char *why, size_t cap)
{
    uint64_t drops = 0;
    const char *most = "none";
    uint64_t count = 0;
    for (uint32_t i = 0; i < PARTIES; i++)
        if (!r->outcomes[i].done)
            return snprintf(why, cap, "p%u has not ended: %.300s", i,
                            r->outcomes[i].failure ? r->outcomes[i].failure
                            : r->why               ? r->why
                                                   : ""),
                   false;
    for (int i = 0; i < DROP_COUNT; i++) {
        drops += r->metrics.drops[i];
        if (r->metrics.drops[i] > count) {
            count = r->metrics.drops[i];
            most = drop_infos[i].name;
        }
    }
    snprintf(why, cap,
             "%" PRIu64 " visits, %" PRIu64 " refused, %" PRIu64 " drops (%s: %" PRIu64 ")", v->n,
             v->refused, drops, most, count);
    return v->over && v->n > 0 && drops > 0;
}

static void run_test(struct tally *tally, const struct transport *t, enum channel_mode channel)
{
    bool mix = strcmp(t->name, "mix") == 0;
    struct conform_plan plan = {.messages = mix ? 3 : 40, .max = 2000, .every = 20 * NS_MS};
    struct visit v = {0};
    struct uv_bed uv = {.poll = tick, .user = &v};
    struct trial_result r = {0};
    char name[96], why[600];
    struct bed b;
    snprintf(name, sizeof name, "bad_peers/%s/%s", t->name, bed_channel_name(channel));
    if (!tally_wants(tally, name))
        return;
    if (!bed_make(&b, t, &protocol_conform, PARTIES)) {
        tally_not_ok(tally, name, "the bed can't be made", "bad_peers");
        return;
    }
    b.spec.plan = &plan;
    b.spec.channel = channel;
    b.spec.limit = 60 * NS_S;
    if (!bed_people(&b) || uv_bed_run(&uv, &b.spec, &r) != OK)
        tally_not_ok(tally, name, uv.err.text, "bad_peers");
    else if (judge(&v, &r, why, sizeof why))
        tally_ok(tally, name, why);
    else
        tally_not_ok(tally, name, why, "bad_peers");
    for (size_t i = 0; i < OPEN; i++)
        if (v.open[i] > 0)
            close(v.open[i]);
    trial_result_free(&r, PARTIES);
    bed_free(&b);
}

int main(int argc, char **argv)
{
    struct tally tally = {.only = argc > 1 ? argv[1] : NULL};
    read_sayings();
    if (n_sayings == 0)
        tally_not_ok(&tally, "bad_peers", "there is no tests/fuzz/corpus here", argv[0]);
    for (size_t k = 0; n_sayings && plugin_transports[k]; k++)
        if (!plugin_transports[k]->needs_handover)
            run_test(&tally, plugin_transports[k], CHANNEL_NOISE);
    for (size_t i = 0; i < n_sayings; i++)
        free(sayings[i].data);
    return tally_end(&tally);
}
