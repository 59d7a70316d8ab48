/* What a world's check() refuses (engine/world.h), sentence by sentence. */
#ifndef PARTYLINE_WORLDS_RESULT_REFUSAL_H
#define PARTYLINE_WORLDS_RESULT_REFUSAL_H

struct refusal {
    void (*say)(void *, int line, const char *);
    void *ctx;
    int rc; /* OK until something is refused, then ERR_UNSUPPORTED */
};

/* Refuses what stands at that line of the scenario; 0: at none. At most 255 bytes. */
void refuse(struct refusal *, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
