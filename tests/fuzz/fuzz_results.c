/* Any bytes as a trial's file: refused with a sentence, or read as a trial that is written and
 * read back as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int truth)
{
    if (!truth)
        abort();
}

static char *write_out(const struct trial_record *rec)
{
    json_t *o = trial_encode(rec);
    char *text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    need(text != NULL);
    json_decref(o);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trial_record rec, again;
    double values[MEASURE_COUNT];
    struct err e = {0};
    if (load_trial_text((const char *)data, size, &rec, &e) != OK) {
        need(e.text[0] != 0);
        return 0;
    }
    measure_values(&rec, values);
    for (int i = 0; i < MEASURE_COUNT; i++)
        need(values[i] >= 0.0 || values[i] <= MEASURE_ABSENT);
    char *text = write_out(&rec);
    need(load_trial_text(text, strlen(text), &again, &e) == OK);
    char *twice = write_out(&again);
    need(strcmp(text, twice) == 0);
    free(text);
    free(twice);
    trial_record_free(&rec);
    trial_record_free(&again);
    return 0;
}
