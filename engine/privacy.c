#include "engine/privacy.h"

const struct privacy_info privacy_infos[PRIVACY_COUNT] = {
#define X(id, name, unit, range, source, about) {name, unit, range, source, about},
    PRIVACY(X)
#undef X
};
