/* Errors: every function that can fail returns int, 0 is OK, else a code below.
 *
 * Setup functions (they run before a trial, on what a person wrote) also fill a
 * struct err with one sentence. The data path returns codes and never prints.
 * Foreign bytes are dropped and counted by name; bugs of our own are asserts.
 */
#ifndef PARTYLINE_BASE_ERR_H
#define PARTYLINE_BASE_ERR_H

#define ERR_CODES(X)                                                                               \
    X(OK, "no error")                                                                              \
    X(AGAIN, "no room now, wait for room")                                                         \
    X(INVALID, "invalid value")                                                                    \
    X(FORMAT, "malformed")                                                                         \
    X(TRUNCATED, "ends too early")                                                                 \
    X(TOO_BIG, "too big")                                                                          \
    X(LIMIT, "limit reached")                                                                      \
    X(ABSENT, "not there")                                                                         \
    X(EXISTS, "already there")                                                                     \
    X(CLOSED, "closed")                                                                            \
    X(STATE, "not in this state")                                                                  \
    X(AUTH, "authentication failed")                                                               \
    X(REPLAY, "seen before")                                                                       \
    X(MISMATCH, "the two sides differ")                                                            \
    X(UNSUPPORTED, "not supported here")                                                           \
    X(NOMEM, "out of memory")                                                                      \
    X(IO, "input or output failed")                                                                \
    X(FAULT, "injected fault")                                                                     \
    X(WRONG, "wrong result")

enum err_code {
#define X(name, text) ERR_##name,
    ERR_CODES(X)
#undef X
        ERR_COUNT,
    OK = ERR_OK
};

enum { ERR_TEXT = 512 };

/* What a setup function says: the code and one sentence, truncated to fit. */
struct err {
    int code;
    char text[ERR_TEXT];
};

/* The code's words, never NULL; for an unknown code "unknown error". */
const char *err_name(int code);

/* Fills e (which may be NULL) and returns code, so that callers can
 * `return err_set(e, ERR_INVALID, "...")`. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
