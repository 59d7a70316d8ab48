#include "engine/worlds/uv/uvstore.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum statement { GET, PUT, INSERT, REMOVE, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    "SELECT value FROM kept WHERE key = ?1",
    "INSERT INTO kept (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    "INSERT INTO kept (key, value) VALUES (?1, ?2)",
    "DELETE FROM kept WHERE key = ?1",
};

struct uvstore {
    struct store base;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
};

static int code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_DONE:
    case SQLITE_ROW:
        return OK;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_FULL:
        return ERR_LIMIT;
    case SQLITE_TOOBIG:
        return ERR_TOO_BIG;
    default:
        return ERR_IO;
    }
}

/* Bound to its key and value; NULL: refused, with the code in *rc. */
static sqlite3_stmt *bind(struct uvstore *s, enum statement which, const void *key, size_t key_len,
                          const void *value, size_t len, int *rc)
{
    sqlite3_stmt *st = s->statements[which];
    *rc = key_len == 0                                       ? ERR_INVALID
          : key_len > STORE_KEY_MAX || len > STORE_VALUE_MAX ? ERR_TOO_BIG
                                                             : OK;
    if (*rc != OK)
        return NULL;
    sqlite3_reset(st);
    if (sqlite3_bind_blob(st, 1, key, (int)key_len, SQLITE_STATIC) != SQLITE_OK ||
        ((which == PUT || which == INSERT) &&
         sqlite3_bind_blob(st, 2, len ? value : "", (int)len, SQLITE_STATIC) != SQLITE_OK)) {
        *rc = ERR_IO;
        return NULL;
    }
    return st;
}

static void release(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

static int change(struct store *base, enum statement which, const void *key, size_t key_len,
                  const void *value, size_t len)
{
    int rc;
    sqlite3_stmt *st = bind((struct uvstore *)base, which, key, key_len, value, len, &rc);
    if (!st)
        return rc;
    rc = code_of(sqlite3_step(st));
    release(st);
    return rc;
}

static int op_get(struct store *base, const void *key, size_t key_len, void *out, size_t cap,
                  size_t *len)
{
    int rc;
    sqlite3_stmt *st = bind((struct uvstore *)base, GET, key, key_len, NULL, 0, &rc);
    if (!st)
        return rc;
    rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        const void *value = sqlite3_column_blob(st, 0);
        *len = (size_t)sqlite3_column_bytes(st, 0);
        if (*len && cap)
            memcpy(out, value, *len < cap ? *len : cap);
        rc = OK;
    } else {
        rc = rc == SQLITE_DONE ? ERR_ABSENT : ERR_IO;
    }
    release(st);
    return rc;
}

static int op_put(struct store *s, const void *key, size_t key_len, const void *value, size_t len)
{
    return change(s, PUT, key, key_len, value, len);
}

static int op_insert(struct store *s, const void *key, size_t key_len, const void *value,
                     size_t len)
{
    return change(s, INSERT, key, key_len, value, len);
}

static int op_remove(struct store *s, const void *key, size_t key_len)
{
    return change(s, REMOVE, key, key_len, NULL, 0);
}

static const struct store_ops ops = {
    .get = op_get, .put = op_put, .insert = op_insert, .remove = op_remove};

static int count_life(struct uvstore *s, uint32_t *incarnation)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db,
                                "INSERT INTO life (one, lives) VALUES (1, 0) ON CONFLICT (one) DO "
                                "UPDATE SET lives = lives + 1 RETURNING lives",
                                -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        *incarnation = (uint32_t)sqlite3_column_int64(st, 0);
        rc = sqlite3_step(st);
    }
    sqlite3_finalize(st);
    return rc;
}

static int prepare(struct uvstore *s, uint32_t *incarnation)
{
    char limit[64];
    int rc = sqlite3_exec(s->db,
                          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY NOT NULL, "
                          "value BLOB NOT NULL) WITHOUT ROWID;"
                          "CREATE TABLE IF NOT EXISTS life (one INTEGER PRIMARY KEY, "
                          "lives INTEGER NOT NULL);",
                          NULL, NULL, NULL);
    sqlite3_snprintf(sizeof limit, limit, "PRAGMA max_page_count = %d", UVSTORE_BYTES_MAX / 4096);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, limit, NULL, NULL, NULL);
    if (rc == SQLITE_OK && count_life(s, incarnation) != SQLITE_DONE)
        rc = SQLITE_ERROR;
    for (int i = 0; rc == SQLITE_OK && i < STATEMENTS; i++)
        rc = sqlite3_prepare_v2(s->db, texts[i], -1, &s->statements[i], NULL);
    return rc;
}

int uvstore_open(struct uvstore **out, const char *path, uint32_t *incarnation, struct err *e)
{
    struct uvstore *s = calloc(1, sizeof *s);
    int rc;
    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a store");
    s->base.ops = &ops;
    rc = sqlite3_open(path, &s->db);
    if (rc == SQLITE_OK)
        rc = prepare(s, incarnation);
    if (rc != SQLITE_OK) {
        err_set(e, ERR_IO, "%s: %s", path, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
        uvstore_close(s);
        return ERR_IO;
    }
    *out = s;
    return OK;
}

struct store *uvstore_base(struct uvstore *s)
{
    return &s->base;
}

void uvstore_close(struct uvstore *s)
{
    if (!s)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s);
}
