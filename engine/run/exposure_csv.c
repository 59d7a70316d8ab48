#include "engine/run/exposure_csv.h"

#include <inttypes.h>

static void write_text(FILE *f, const char *prefix, const char *text)
{
    fprintf(f, "\"%s", prefix);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

/* Who learned it: a party, a service, or the ISP of one. */
static void write_who(FILE *f, const struct roster *r, party_t who)
{
    bool isp = who >= r->n;
    write_text(f, isp ? "isp_" : "", r->entries[isp ? who - r->n : who].name);
}

void exposure_csv_head(FILE *f)
{
    fprintf(f, "cell,observer,what,who,whom,level,trials,first_ns,other\n");
}

void exposure_csv_cell(FILE *f, const char *name, const struct tally *t)
{
    const struct roster *r = t->spec->roster;
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct exposure_row *x = &t->rows[i];
        write_text(f, "", name);
        fprintf(f, ",%s,%s,", x->observer, x->what);
        write_who(f, r, x->who);
        fputc(',', f);
        write_text(f, "", x->whom < r->n ? r->entries[x->whom].name : "");
        fprintf(f, ",%u,%u,%" PRId64 ",", (unsigned)x->level, (unsigned)t->row_trials[i], x->first);
        write_text(f, "", x->other < r->n ? r->entries[x->other].name : "");
        fputc('\n', f);
    }
}
