/* Files of a results folder: made whole or not at all.
 *
 * Every function fills err with a sentence that names the path and the system's reason.
 */
#ifndef PARTYLINE_RUN_FILES_H
#define PARTYLINE_RUN_FILES_H

#include "engine/base/err.h"

#include <jansson.h>
#include <stddef.h>

/* Makes a folder and those above it. OK if it is there already. */
int files_make_dir(const char *path, struct err *e);

/* Writes beside the target, flushes, renames: a reader sees the old file or the new one. */
int files_write(const char *path, const void *data, size_t len, struct err *e);

/* The same for JSON: sorted keys, one space of indent, a newline at the end. Takes no
 * ownership of the value. */
int files_write_json(const char *path, const json_t *value, struct err *e);

/* Reads a whole file of at most max bytes; *data is malloc'd, with a NUL behind its len
 * bytes. ERR_ABSENT, ERR_TOO_BIG, ERR_IO. */
int files_read(const char *path, size_t max, char **data, size_t *len, struct err *e);

/* The last line of a small file, what its writer said last; "" if there is none. */
void files_last_line(const char *path, char *line, size_t cap);

/* Overwrites a file that held a secret; it stays. */
void files_wipe(const char *path);
/* Removes a folder with all that is in it; files named key or *.key are wiped before. */
void files_remove_tree(const char *path);

#endif
