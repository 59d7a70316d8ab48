/* What the halves of load share. */
#ifndef PARTYLINE_ANALYSIS_LOAD_INNER_H
#define PARTYLINE_ANALYSIS_LOAD_INNER_H

#include "analysis/load.h"

enum { LOAD_FILE_MAX = 256 << 20 };

/* 16 hexadecimal digits. */
bool load_read_hex(const json_t *v, uint64_t *out);
/* The text of a file of the folder, for the caller to free, and its path. ERR_ABSENT: the run is
 * not finished. */
int load_read(const struct load_run *, const char *name, char path[PATH_MAX], char **text,
              size_t *len, struct err *);
/* ERR_MISMATCH with the sentence. */
int load_mismatch(const struct load_run *, const char *what, struct err *);

#endif
