/* M7, what sizes give away.
 *
 * Definition: I(class; observation) in bits, class being a message's type or a variant that
 * depends on a secret, observation O = (bytes, packets): a constant size still leaks by how many
 * packets there are. Prior: classes as often as they occurred. Range [0, min(H(C), H(O))].
 * The plug-in estimate is too high by (|C|-1)(|O|-1) / (2 N ln 2) (Miller and Madow 1955), which
 * is subtracted. Max-leakage log2 sum_o max_c P(o|c) (Issa et al. 2020) holds for every prior.
 * Constant padding: 0. No padding: H(C) where sizes are distinct.
 */
#ifndef PARTYLINE_OBSERVERS_LEAK_H
#define PARTYLINE_OBSERVERS_LEAK_H

#include <stdint.h>

enum { LEAK_CELLS = 65536 };

struct leak_cell {
    uint64_t count;
    uint32_t class, bytes, packets;
};

/* Zeroed: empty. Cells are sorted by observation, then class. */
struct leak {
    struct leak_cell *cells; /* owned */
    uint32_t n, cap;
    uint64_t samples, lost; /* lost: beyond LEAK_CELLS, or no memory */
};

void leak_add(struct leak *, uint32_t class, uint32_t bytes, uint32_t packets);
void leak_free(struct leak *);

struct leak_figures {
    double plug_in, bias, corrected; /* corrected: plug_in - bias, within its range */
    double max_leakage;
    double class_entropy, observed_entropy;
    uint32_t classes, observations;
};
/* ERR_ABSENT: no samples; ERR_NOMEM. */
int leak_judge(const struct leak *, struct leak_figures *);

#endif
