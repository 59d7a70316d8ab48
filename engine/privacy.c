#include "engine/privacy.h"

const struct privacy_info privacy_infos[PRIVACY_COUNT] = {
#define X(id, name, unit, range, source, about) {name, unit, range, source, about},
    PRIVACY(X)
#undef X
};

enum privacy_sense privacy_sense(enum privacy what)
{
    switch (what) {
    case PRIVACY_FIRST_EXPOSURE:
    case PRIVACY_FIRST_TRACED:
    case PRIVACY_FIRST_EXPECTED:
    case PRIVACY_FIRST_COMPROMISED:
    case PRIVACY_COALITION_ADDRESS:
    case PRIVACY_COALITION_PAIR:
    case PRIVACY_COALITION_INPUT:
    case PRIVACY_COVER:
    case PRIVACY_TIMING_SIGMA:
    case PRIVACY_ROUNDS:
    case PRIVACY_NOISE:
    case PRIVACY_BOUND:
    case PRIVACY_HEADROOM:
        return PRIVACY_NEUTRAL;
    case PRIVACY_MESSAGE_ENTROPY:
    case PRIVACY_MESSAGE_MIN_ENTROPY:
    case PRIVACY_MESSAGE_WORK:
    case PRIVACY_PARTY_ENTROPY:
    case PRIVACY_PARTY_MIN_ENTROPY:
    case PRIVACY_PARTY_WORK:
    case PRIVACY_PARTY_DEGREE:
    case PRIVACY_TIMING_EER:
    case PRIVACY_CANDIDATES:
    case PRIVACY_ROUNDS_TO_ONE:
    case PRIVACY_DISCLOSURE_ROUNDS:
        return PRIVACY_LESS_IS_WORSE;
    default:
        return PRIVACY_MORE_IS_WORSE;
    }
}
