/* What the halves of load share. */
#ifndef PARTYLINE_ANALYSIS_LOAD_INNER_H
#define PARTYLINE_ANALYSIS_LOAD_INNER_H

#include "analysis/load.h"

enum { LOAD_FILE_MAX = 256 << 20 };

/* 16 hexadecimal digits. */
bool load_read_hex(const json_t *v, uint64_t *out);
/* A file of the folder; false if the path is too long. */
bool load_path_of(const struct load_run *, const char *name, char path[PATH_MAX]);
/* ERR_MISMATCH with the sentence. */
int load_mismatch(const struct load_run *, const char *what, struct err *);

#endif
