/* Which lines of a trial are wanted: --party, --link, --kind, --layer, --protocol, --from and
 * --until of `partyline trace`.
 */
#ifndef PARTYLINE_CMD_TRACE_WISH_H
#define PARTYLINE_CMD_TRACE_WISH_H

#include "engine/cmd/cmd.h"
#include "engine/run/trace_line.h"

/* Points into itself: stays where it is. */
struct trace_wish {
    struct trace_filter filter;
    const char *protocol; /* NULL: whatever runs */
    const char *parties[CMD_SETS_MAX];
    struct trace_pair pairs[CMD_SETS_MAX];
    char *texts[CMD_SETS_MAX]; /* of the pairs; own */
    size_t n_texts;
};

/* OK, or ERR_INVALID after saying so on stderr; freed in any case. */
int trace_wish_read(const struct cmd_args *, struct trace_wish *);
/* Are there nodes of all its names? */
int trace_wish_check(const struct trace_wish *, const struct roster *);
void trace_wish_free(struct trace_wish *);

#endif
