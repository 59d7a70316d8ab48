/* The store contract (engine/store.h) on SQLite: one file a node, write-ahead log, synchronous
 * FULL, so that what was accepted is there after a crash of the process or the machine. Insert
 * if absent is a unique key's. The file also counts the node's lives.
 */
#ifndef PARTYLINE_WORLDS_UV_UVSTORE_H
#define PARTYLINE_WORLDS_UV_UVSTORE_H

#include "engine/base/err.h"
#include "engine/store.h"

enum { UVSTORE_BYTES_MAX = 1 << 28 }; /* the file: beyond it ERR_LIMIT */

struct uvstore;

/* path ":memory:" for one that is gone with its process. Sets *incarnation: 0 at the first
 * opening, then one more at each. ERR_IO with a sentence. */
int uvstore_open(struct uvstore **, const char *path, uint32_t *incarnation, struct err *);
struct store *uvstore_base(struct uvstore *);
/* NULL is allowed. */
void uvstore_close(struct uvstore *);

#endif
