/* Durable key-value state of one node, with an atomic insert-if-absent.
 *
 * Synchronous: when put returns OK, the value is durable and survives a crash of the
 * node. Keys are 1 to STORE_KEY_MAX bytes, values up to STORE_VALUE_MAX. In the
 * simulator it is memory with crash semantics: the n-th operation can be made to fail
 * (ERR_IO), or the node to die just before or just after it. In real worlds it is SQLite.
 */
#ifndef PARTYLINE_STORE_H
#define PARTYLINE_STORE_H

#include <stddef.h>
#include <stdint.h>

enum { STORE_KEY_MAX = 256, STORE_VALUE_MAX = 1 << 20 };

struct store;

struct store_ops {
    /* Copies at most cap bytes to out, the value's length to *len. OK, ERR_ABSENT, ERR_IO. */
    int (*get)(struct store *, const void *key, size_t key_len, void *out, size_t cap, size_t *len);
    /* Replaces. OK, ERR_TOO_BIG, ERR_LIMIT, ERR_IO. */
    int (*put)(struct store *, const void *key, size_t key_len, const void *value, size_t len);
    /* Inserts only if the key is absent: exactly one of many callers gets OK, the others
     * ERR_EXISTS. */
    int (*insert)(struct store *, const void *key, size_t key_len, const void *value, size_t len);
    /* OK also when there was none. */
    int (*remove)(struct store *, const void *key, size_t key_len);
};

struct store {
    const struct store_ops *ops;
};

#endif
