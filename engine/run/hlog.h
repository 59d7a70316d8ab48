/* Histograms in HdrHistogram's log format, version 1.3: text that the HdrHistogram tools read.
 *
 *     #[Histogram log format version 1.3]
 *     #[StartTime: 0.000 (seconds since epoch), Thu Jan 01 00:00:00 UTC 1970]
 *     "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
 *     Tag=direct/round,0.000,12.500,3.141,HISTFAAA...
 *
 * A line per histogram: tag, start and length in seconds, max / 10^6 (milliseconds, if the
 * values are nanoseconds), and the buckets as base64 of 0x1c849314, a length and a zlib stream
 * of HdrHistogram's V2 encoding (0x1c849313; ZigZag LEB128 counts, negative for runs of zeros).
 * Every line covers the same range, 1 .. HIST_MAX at three digits, so that any tool can add up
 * any two lines. Times are the trial's own and StartTime is 0: two runs of one scenario decode
 * to the same counts (the bytes can differ with the version of zlib).
 *
 * The log keeps the buckets. Exact min, max and sum, and negative, overflow and lost are not in
 * the format: what is read back has min and max at its buckets' ends and a sum estimated from
 * their middles, as HdrHistogram does, until hist_restore.
 *
 * Source: HdrHistogram 2.1 (public domain), HistogramLogWriter, AbstractHistogram.encode*,
 * ZigZagEncoding.
 */
#ifndef PARTYLINE_RUN_HLOG_H
#define PARTYLINE_RUN_HLOG_H

#include "engine/base/err.h"
#include "engine/base/hist.h"
#include "engine/base/ns.h"

#include <stddef.h>
#include <stdio.h>

enum { HLOG_TAG = 1023 }; /* a tag's longest length */

/* Writes "cell/metric", or the metric alone if cell is "", with what a tag can't hold replaced:
 * ',' by ';', blanks and control characters by '_'. ERR_TOO_BIG if it is too long: out is "". */
int hlog_tag(char out[HLOG_TAG + 1], const char *cell, const char *metric);

/* The lines before the first histogram. comment: one more line (its line breaks
 * become blanks), or NULL. OK or ERR_IO. */
int hlog_write_header(FILE *to, const char *comment);
/* One line. tag: as from hlog_tag; "" or NULL for a line without one. start and length are not
 * negative. OK, ERR_INVALID (the tag), ERR_NOMEM, ERR_IO. */
int hlog_write(FILE *to, const char *tag, ns_t start, ns_t length, const struct hist *h);

/* Reads a text, which is lent and may be anything: nothing is trusted, and at most about 2 MiB
 * are allocated at a time, whatever lengths it claims. */
struct hlog_reader {
    const char *at;
    size_t left;
    unsigned line; /* the last one read, from 1 */
};

struct hlog_entry {
    char tag[HLOG_TAG + 1]; /* "" if there was none */
    ns_t start, length;
    struct hist hist; /* the caller's to free */
};

void hlog_open(struct hlog_reader *r, const void *text, size_t len);
/* The next histogram. OK: fills out, which held nothing. ERR_ABSENT: no more. Else e (NULL is
 * fine) names the line, out holds nothing, and the next call goes on behind that line:
 * ERR_FORMAT, ERR_TRUNCATED, ERR_TOO_BIG; ERR_UNSUPPORTED (another encoding or precision);
 * ERR_NOMEM. */
int hlog_read(struct hlog_reader *r, struct hlog_entry *out, struct err *e);

#endif
