#include "engine/worlds/lab/lab_inner.h"
#include "engine/worlds/lab/lab_nat.h"

#include "engine/worlds/link/nat.h"
#include "engine/worlds/result/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what it can't imitate -------------------------------------------------------------- */

static bool same_place(const struct host_spec *a, const struct host_spec *b)
{
    const struct access *x = &a->access, *y = &b->access;
    return a->region == b->region && x->up_bps == y->up_bps && x->down_bps == y->down_bps &&
           x->latency == y->latency && x->jitter == y->jitter && x->loss_ppm == y->loss_ppm &&
           x->queue_bytes == y->queue_bytes && x->burst == y->burst && x->bad_ppm == y->bad_ppm &&
           x->jitter_shape == y->jitter_shape;
}

static bool is_named(const struct action *a, uint32_t node)
{
    return (a->kind == ACT_PARTITION && a->side[node]) ||
           ((a->kind == ACT_LINK || a->kind == ACT_FLAP) && (a->a == node || a->b == node));
}

/* Hosts behind one outermost box are one to the WAN. */
static void check_shared(struct refusal *r, const struct trial_spec *t, const struct lab *lab)
{
    for (uint32_t i = 0; i < t->roster->n; i++) {
        uint32_t first = lab_site(lab, i);
        const char *name = t->roster->entries[i].name;
        if (first == i)
            continue;
        if (!same_place(&t->hosts[i], &t->hosts[first]))
            refuse(r, t->hosts[i].line, "%s shares a NAT with %s, and so its region and last mile",
                   name, t->roster->entries[first].name);
        for (size_t k = 0; k < t->n_actions + t->n_links; k++) {
            const struct action *a =
                k < t->n_actions ? &t->actions[k] : &t->links[k - t->n_actions];
            if (is_named(a, i) || is_named(a, first))
                refuse(r, a->line, "a link of %s or %s alone, who share a NAT", name,
                       t->roster->entries[first].name);
        }
    }
}

static void check_nats(struct refusal *r, const struct trial_spec *t)
{
    for (uint32_t i = 0; i < t->roster->n; i++) {
        const struct host_spec *h = &t->hosts[i];
        const struct nat_spec *s = h->nat_spec ? h->nat_spec : nat_preset(h->nat);
        const char *lacks = nat_translates(h->nat) && s ? lab_nat_lacks(s) : NULL;
        if (lacks)
            refuse(r, h->line, "the NAT of %s: %s", t->roster->entries[i].name, lacks);
    }
}

int lab_check(const struct trial_spec *t, void (*say)(void *, int, const char *), void *ctx)
{
    struct refusal r = {say, ctx, OK};
    struct lab lab;
    if (t->roster->n > LAB_NODES_MAX) {
        refuse(&r, 0, "%u nodes, and it makes a host for each: at most %d", (unsigned)t->roster->n,
               LAB_NODES_MAX);
        return r.rc;
    }
    for (size_t i = 0; i < t->n_actions; i++)
        if (t->actions[i].kind == ACT_READDRESS)
            refuse(&r, t->actions[i].line, "readdress: a lab's addresses stay");
    check_nats(&r, t);
    if (lab_plan(&lab, t, NULL) == OK) {
        check_shared(&r, t, &lab);
        lab_free(&lab);
    }
    return r.rc;
}

/* ---- making it -------------------------------------------------------------------------- */

static int draw_id(struct lab *lab, struct err *e)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 */
    uint8_t bytes[LAB_ID];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(e, ERR_IO, "the system gives no random bytes");
    for (int i = 0; i < LAB_ID; i++)
        lab->id[i] = letters[bytes[i] & 31];
    lab->id[LAB_ID] = 0;
    return OK;
}

/* With its owner in it from the first moment on: a folder without is nobody's. */
static int make_folder(struct lab *lab, bool mine, struct err *e)
{
    char root[LAB_PATH], path[LAB_PATH + 16], text[32];
    int rc = lab_folder(lab_root(root), e);
    if (rc == OK)
        rc = draw_id(lab, e);
    if (rc != OK)
        return rc;
    if (snprintf(lab->dir, sizeof lab->dir, "%s/%s", root, lab->id) >= (int)sizeof lab->dir)
        return err_set(e, ERR_TOO_BIG, "the path %s is too long", root);
    /* Another lab's end may just have taken the empty folder above away. */
    if (mkdir(lab->dir, 0700) != 0 &&
        (errno != ENOENT || lab_folder(root, e) != OK || mkdir(lab->dir, 0700) != 0))
        return err_set(e, ERR_IO, "%s: %s", lab->dir, strerror(errno));
    snprintf(path, sizeof path, "%s/owner", lab->dir);
    snprintf(text, sizeof text, "%d %llu\n", mine ? (int)getpid() : 0,
             mine ? lab_started(getpid()) : 0);
    return lab_text(path, text, e);
}

static void reap_orphans(void)
{
    char(*ids)[LAB_ID + 1];
    size_t n;
    if (lab_list(&ids, &n, NULL) != OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (lab_orphaned(ids[i]))
            lab_down(ids[i], NULL);
    free(ids);
}

int lab_up(struct lab *lab, const struct lab_options *o, struct err *e)
{
    int rc;
    if (geteuid() != 0)
        return err_set(e, ERR_UNSUPPORTED,
                       "a lab needs root (see partyline doctor lab): run it with sudo");
    reap_orphans();
    rc = make_folder(lab, o->mine, e);
    if (rc == OK && o->folder) {
        char path[LAB_PATH + 16];
        snprintf(path, sizeof path, "%s/folder", lab->dir);
        rc = lab_text(path, o->folder, e);
    }
    if (rc == OK)
        rc = lab_net_make(lab, e);
    if (rc == OK)
        rc = lab_wan_start(lab, o, e);
    if (rc == OK)
        rc = lab_net_join(lab, e);
    if (rc == OK)
        rc = lab_hosts_start(lab, o, e);
    if (rc != OK)
        lab_down(lab->id, NULL);
    return rc;
}

void lab_free(struct lab *lab)
{
    wan_board_close(lab->board);
    for (uint32_t i = 0; lab->hosts && i < lab->spec->roster->n; i++)
        if (lab->hosts[i].init > 0)
            waitpid(lab->hosts[i].init, NULL, WNOHANG);
    if (lab->wan > 0)
        waitpid(lab->wan, NULL, WNOHANG);
    free(lab->hosts);
    free(lab->boxes);
    *lab = (struct lab){0};
}
