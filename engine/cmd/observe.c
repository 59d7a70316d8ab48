#include "engine/cmd/cmd.h"

#include "engine/plugins.h"
#include "engine/run/observe.h"
#include "engine/run/privacy.h"
#include "engine/run/suggest.h"

#include <inttypes.h>

static const struct cmd_option options[] = {
    {"--observer", "NAME", "which observer (default exposure; see partyline list observers)"},
    {"--at", "PLACE", "what it has tapped; repeatable (see partyline list places)"},
    {"--option", "KEY=VALUE", "an option of the observer; repeatable"},
    {"--map", "FILE", "the hosts of a pcap: {parties: {NAME: ADDRESS}, services: {...}}"},
    {"--truth", "FILE", "what a pcap's packets are, for judging alone: traces/*.truth of a lab"},
    {"--json", NULL, "print JSON"},
    {"--help", NULL, "this text"},
    {0},
};

static const char *who_of(const struct roster *r, party_t who, char buf[80])
{
    snprintf(buf, 80, "%s%s", who < r->n ? "" : "isp_",
             r->entries[who < r->n ? who : who - r->n].name);
    return buf;
}

static void print_text(const struct sights_found *f, const struct roster *r, bool pcap)
{
    char who[80], value[64];
    for (size_t i = 0; i < f->n_exposures; i++) {
        const struct exposure *x = &f->exposures[i];
        printf("%s learns %s of %s%s%s, level %u, at %" PRId64 " ns\n", who_of(r, x->who, who),
               x->what, r->entries[x->whom].name, x->other < r->n ? " and " : "",
               x->other < r->n ? r->entries[x->other].name : "", x->level, x->first);
    }
    for (size_t i = 0; i < f->n_findings; i++) {
        const struct finding_row *x = &f->findings[i];
        printf("%s at %s: %s%s%s %s (n %" PRIu64, x->observer, x->at, privacy_infos[x->what].name,
               *x->about ? " " : "", x->about,
               privacy_value(privacy_infos[x->what].unit, x->value, value, sizeof value), x->n);
        if (x->population)
            printf(", of %" PRIu64, x->population);
        if (*x->prior)
            printf(", prior %s", x->prior);
        if (x->window)
            printf(", window %s", privacy_value("ns", x->window, value, sizeof value));
        puts(!pcap && privacy_message_level(x->what) ? ", message-level)" : ")");
    }
    if (f->n_exposures + f->n_findings == 0)
        puts("nothing found");
}

static void print_json(const struct sights_found *f, const struct roster *r)
{
    json_t *exposures = json_array(), *o;
    char who[80];
    for (size_t i = 0; i < f->n_exposures; i++) {
        const struct exposure *x = &f->exposures[i];
        json_t *row = json_pack("[s, s, s, s, i, I]", x->observer, x->what, who_of(r, x->who, who),
                                r->entries[x->whom].name, (int)x->level, (json_int_t)x->first);
        if (x->other < r->n)
            json_array_append_new(row, json_string(r->entries[x->other].name));
        json_array_append_new(exposures, row);
    }
    o = json_pack("{s:o, s:o}", "exposures", exposures, "privacy",
                  privacy_encode(f->findings, f->n_findings));
    json_dumpf(o, stdout, JSON_SORT_KEYS | JSON_INDENT(1));
    putchar('\n');
    json_decref(o);
}

static const struct observer *find_observer(const char *name)
{
    const struct observer *o = plugin_observer(name);
    struct suggest near = suggest_for(name);
    char hint[96];
    for (size_t i = 0; !o && plugin_observers[i]; i++)
        suggest_offer(&near, plugin_observers[i]->name);
    if (!o)
        fprintf(stderr, "partyline observe: there is no observer %s%s\n", name,
                suggest_text(&near, hint, sizeof hint));
    return o;
}

static size_t gather(const struct cmd_args *args, const char *option, const char *out[])
{
    size_t n = 0, cursor = 0;
    const char *value;
    while ((value = cmd_next(args, option, &cursor)))
        out[n++] = value;
    return n;
}

static int observe(const struct cmd_args *args)
{
    const char *name = cmd_given(args, "--observer"), *at[CMD_SETS_MAX], *opts[CMD_SETS_MAX];
    struct observe_setup s = {.map = cmd_given(args, "--map"),
                              .truth = cmd_given(args, "--truth"),
                              .at = at,
                              .options = opts,
                              .say = stderr};
    struct sights_found found;
    struct observe_people people;
    struct err e = {0};
    int rc, code;
    if (args->n_files != 1) {
        fprintf(stderr, "partyline observe: one file, please: partyline observe %s\n",
                cmd_observe.usage);
        return EXIT_USAGE;
    }
    s.file = args->files[0];
    s.observer = find_observer(name ? name : "exposure");
    s.n_at = gather(args, "--at", at);
    s.n_options = gather(args, "--option", opts);
    for (size_t i = 0; i < s.n_options; i++)
        if (!strchr(opts[i], '=')) {
            fprintf(stderr, "partyline observe: --option %s: expected KEY=VALUE\n", opts[i]);
            return EXIT_USAGE;
        }
    if (!s.observer)
        return EXIT_USAGE;
    rc = observe_file(&s, &found, &people, &e);
    if (rc != OK)
        fprintf(stderr, "partyline observe: %s\n", e.text);
    else if (cmd_given(args, "--json"))
        print_json(&found, &people.roster);
    else
        print_text(&found, &people.roster, s.map != NULL);
    code = rc == OK                                ? found.invalid ? EXIT_TRIAL_FAILED : EXIT_DONE
           : rc == ERR_INVALID || rc == ERR_ABSENT ? EXIT_USAGE
                                                   : cmd_results_code(rc);
    if (rc == OK && found.invalid)
        fprintf(stderr, "partyline observe: void: %s\n", found.invalid);
    sights_found_free(&found);
    observe_people_free(&people);
    return code;
}

const struct cmd cmd_observe = {
    .name = "observe",
    .usage = "FILE [--observer NAME] [--at PLACE]... [--map HOSTS]",
    .help = "Runs an observer on recorded sightings (run --sightings) or on a pcap.",
    .options = options,
    .run = observe,
};
