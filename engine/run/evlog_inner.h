/* What writing and reading a log share. */
#ifndef PARTYLINE_RUN_EVLOG_INNER_H
#define PARTYLINE_RUN_EVLOG_INNER_H

#define EVLOG_MAGIC "PLEVENT1"

enum {
    EVLOG_HEAD = 40,
    EVLOG_MARK = 16,
    EVLOG_EVENT_MAX = 36, /* bytes: 1 + 10 + 5 + 5 + 10 + 5 */
    EVLOG_KIND = 0x07,
    EVLOG_SAME = 0x08,
    EVLOG_LINK = 0x10,
    EVLOG_SIZE = 0x20,
    EVLOG_PEER = 0x40
};

#endif
