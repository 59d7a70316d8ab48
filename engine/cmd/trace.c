#include "engine/cmd/cmd.h"

#include "analysis/trace_svg.h"
#include "engine/cmd/trace_wish.h"
#include "engine/run/suggest.h"
#include "engine/run/trace_pcap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const struct cmd_option options[] = {
    {"--cell", "N", "which cell of the matrix (default 0; see partyline show)"},
    {"--trial", "N", "which trial of it (default 0)"},
    {"--party", "NAME", "only what happens at this node, or between it and others; repeatable"},
    {"--link", "A,B", "only what passes between these two, and their crashes; repeatable"},
    {"--kind", "KIND,...", "only lines of these kinds: up, data, lost, timer, crash, send, ..."},
    {"--layer", "LAYER,...", "of these layers: world (default), transport, channel, protocol"},
    {"--protocol", "NAME", "the messages of this protocol, with round and instance"},
    {"--from", "TIME", "from this time on, such as 20ms"},
    {"--until", "TIME", "before this time"},
    {"--svg", "FILE", "draws a space-time diagram instead of printing lines; - is stdout"},
    {"--pcap", "FILE", "writes the packets for Wireshark instead of printing lines; - is stdout"},
    {"--set", "KEY.PATH=VALUE", "overrides a key of the scenario; repeatable"},
    {"--seed", "N", "instead of the scenario's seed"},
    {"--world", "W", "the world to run in (default sim)"},
    {"--help", NULL, "this text"},
    {0},
};

/* What is wanted, and of which trial. */
struct job {
    struct trace_wish wish;
    const char *svg, *pcap;
    FILE *lines;
    const struct world *world;
    const struct scenario *scenario;
    struct cell *cell;
    uint32_t trial;
    struct trace_pcap *packets;
};

/* ---- the command line ----------------------------------------------------------------- */

static uint32_t number(const struct cmd_args *args, const char *option)
{
    const char *text = cmd_given(args, option);
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    return text && (*end || *text < '0' || *text > '9' || n >= UINT32_MAX) ? UINT32_MAX
                                                                           : (uint32_t)n;
}

/* The cell that was named, else the first with the protocol. */
static int choose_cell(const struct cmd_args *args, struct job *j, uint32_t cell)
{
    const struct scenario *s = j->scenario;
    struct suggest near = suggest_for(j->wish.protocol ? j->wish.protocol : "");
    char hint[96];
    size_t i = cell, end = cmd_given(args, "--cell") ? (size_t)cell + 1 : s->n_cells;
    if (cell >= s->n_cells || j->trial >= s->cells[cell].repeat) {
        fprintf(stderr, "partyline trace: there are cells 0 to %zu, and trials 0 to %u of each\n",
                s->n_cells - 1, (unsigned)s->cells[0].repeat - 1);
        return ERR_INVALID;
    }
    for (; j->wish.protocol && i < end; i++) {
        if (strcmp(s->cells[i].spec.protocol->name, j->wish.protocol) == 0)
            break;
        suggest_offer(&near, s->cells[i].spec.protocol->name);
    }
    if (i < end) {
        j->cell = &s->cells[i];
        return OK;
    }
    fprintf(stderr, "partyline trace: --protocol %s: %s runs it%s\n", j->wish.protocol,
            cmd_given(args, "--cell") ? "this cell never" : "no cell",
            suggest_text(&near, hint, sizeof hint));
    return ERR_INVALID;
}

/* ---- what comes out ------------------------------------------------------------------- */

static FILE *open_out(const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (!f)
        fprintf(stderr, "partyline: %s: %s\n", path, strerror(errno));
    return f;
}

static int close_out(FILE *f, const char *path)
{
    bool good = !ferror(f);
    if ((f == stdout ? fflush(f) : fclose(f)) == 0 && good)
        return EXIT_DONE;
    fprintf(stderr, "partyline: %s: %s\n", path, strerror(errno));
    return EXIT_LACKING;
}

static void print_lines(FILE *lines, const struct trace_filter *f)
{
    char *text = NULL, *copy;
    size_t cap = 0;
    while (getline(&text, &cap, lines) >= 0) {
        struct trace_line l;
        copy = strdup(text);
        if (!copy)
            abort();
        if (trace_line_parse(copy, &l) == OK && trace_filter_concerns(f, &l) &&
            trace_filter_when(f, l.at))
            fputs(text, stdout);
        free(copy);
    }
    free(text);
}

static int draw(const struct job *j, FILE *lines)
{
    FILE *f = open_out(j->svg);
    struct trace_svg_size size;
    struct err e = {0};
    char title[256];
    int rc, code;
    if (!f)
        return EXIT_LACKING;
    snprintf(title, sizeof title, "%s, cell %u, trial %u", j->scenario->name,
             (unsigned)j->cell->index, (unsigned)j->trial);
    rc = trace_svg_write(lines, &j->wish.filter, title, f, &size, &e);
    code = close_out(f, j->svg);
    if (rc != OK) {
        fprintf(stderr, "partyline trace: %s\n", e.text);
        if (f != stdout)
            remove(j->svg);
        return rc == ERR_NOMEM ? EXIT_LACKING : EXIT_USAGE;
    }
    fprintf(stderr,
            "%s: %" PRIu64 " messages and %" PRIu64 " lost packets between %zu nodes, %" PRId64
            " ms to %" PRId64 " ms\n",
            j->svg, size.messages, size.lost, size.nodes, size.from / NS_MS, size.until / NS_MS);
    if (size.left_out)
        fprintf(stderr,
                "%s: %" PRIu64
                " more were left out; choose with --from, --until, --party, --link\n",
                j->svg, size.left_out);
    return code;
}

static void take_packet(void *ctx, const struct trace_packet *p)
{
    struct job *j = ctx;
    const struct roster_entry *who = j->cell->spec.roster->entries;
    bool shown = trace_filter_when(&j->wish.filter, p->at) &&
                 trace_filter_between(&j->wish.filter, who[p->sender].name, who[p->receiver].name);
    trace_pcap_add(j->packets, p, shown);
}

static int write_packets(const struct job *j)
{
    FILE *f = open_out(j->pcap);
    struct err e = {0};
    uint64_t n;
    int rc, code;
    if (!f)
        return EXIT_LACKING;
    rc = trace_pcap_write(j->packets, f, &n, &e);
    code = close_out(f, j->pcap);
    if (rc == OK) {
        fprintf(stderr, "%s: %" PRIu64 " packets%s\n", j->pcap, n,
                n ? "" : ": nothing here crosses a network, or passes the filter");
        return code;
    }
    fprintf(stderr, "partyline: %s: %s\n", j->pcap, e.text);
    if (f != stdout)
        remove(j->pcap);
    return rc == ERR_LIMIT ? EXIT_USAGE : EXIT_LACKING;
}

/* ---- the trial ------------------------------------------------------------------------ */

static bool filtered(const struct trace_filter *f)
{
    return f->n_parties || f->n_pairs || f->kinds || f->from > 0 || f->until < NS_NEVER;
}

static void take_layer(void *ctx, const struct trace_layer *l)
{
    const struct job *j = ctx;
    trace_line_print(j->lines, &j->cell->spec, l);
}

static int run_trial(struct job *j, FILE *lines)
{
    struct trace to = {.out = lines, .packet = j->packets ? take_packet : NULL, .ctx = j};
    struct trial_record rec;
    struct people people;
    struct err e = {0};
    int code = EXIT_BUG;
    j->lines = lines;
    if (lines && j->wish.filter.kinds & TRACE_OF_LAYERS)
        to.layer = take_layer;
    if (people_make(&people, &j->cell->spec, j->cell->seed) != OK)
        return code;
    if (trial_run(j->world, &j->cell->spec, j->cell->index, j->trial, j->cell->seed, &to, &rec,
                  &e) != OK) {
        fprintf(stderr, "partyline: %s\n", e.text);
    } else {
        code = rec.status == TRIAL_COMPLETED ? EXIT_DONE : EXIT_TRIAL_FAILED;
        if (lines && lines != stdout)
            rewind(lines);
        if (lines != stdout && lines && !j->svg)
            print_lines(lines, &j->wish.filter);
        if (lines && !j->svg)
            printf("# %s %s, digest %016llx\n", j->scenario->name,
                   rec.status == TRIAL_COMPLETED ? "completed"
                   : rec.status == TRIAL_WRONG   ? "wrong"
                                                 : "unfinished",
                   (unsigned long long)rec.digest);
        if (rec.why)
            fprintf(stderr, "partyline: %s\n", rec.why);
    }
    trial_record_free(&rec);
    people_free(&people);
    return code;
}

static int worse(int a, int b)
{
    return a == EXIT_DONE || (b != EXIT_DONE && b < a) ? b : a;
}

static int trace_cell(struct job *j)
{
    bool print = !j->svg && !j->pcap, direct = print && !filtered(&j->wish.filter);
    FILE *lines = direct ? stdout : print || j->svg ? tmpfile() : NULL;
    int code;
    if ((print || j->svg) && !lines) {
        fprintf(stderr, "partyline: no temporary file: %s\n", strerror(errno));
        return EXIT_LACKING;
    }
    if (j->pcap && !(j->packets = trace_pcap_new()))
        abort();
    code = run_trial(j, lines);
    if (code != EXIT_BUG && j->svg)
        code = worse(code, draw(j, lines));
    if (code != EXIT_BUG && j->pcap)
        code = worse(code, write_packets(j));
    trace_pcap_free(j->packets);
    if (lines && lines != stdout)
        fclose(lines);
    return code;
}

static int trace(const struct cmd_args *args)
{
    struct job j = {.world = cmd_world(args),
                    .trial = number(args, "--trial"),
                    .svg = cmd_given(args, "--svg"),
                    .pcap = cmd_given(args, "--pcap")};
    uint32_t cell = number(args, "--cell");
    struct scenario *s = NULL;
    int code = EXIT_USAGE;
    if (!j.world || args->n_files != 1)
        fprintf(stderr, "partyline trace: expected one scenario\n");
    else if (j.svg && j.pcap && strcmp(j.svg, "-") == 0 && strcmp(j.pcap, "-") == 0)
        fprintf(stderr, "partyline trace: --svg and --pcap can't both go to stdout\n");
    else if (trace_wish_read(args, &j.wish) == OK)
        code = cmd_load(args, args->files[0], &s);
    if (code == EXIT_DONE) {
        j.scenario = s;
        code = choose_cell(args, &j, cell) == OK &&
                       trace_wish_check(&j.wish, j.cell->spec.roster) == OK
                   ? trace_cell(&j)
                   : EXIT_USAGE;
    }
    scenario_free(s);
    trace_wish_free(&j.wish);
    return code;
}

const struct cmd cmd_trace = {
    .name = "trace",
    .usage = "FILE [options]",
    .help = "Runs one trial and prints one line per event and per lost packet, draws it, or writes "
            "its packets.",
    .options = options,
    .run = trace,
};
