#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *err_name(int code)
{
    static const char *const names[] = {
#define X(name, text) text,
        ERR_CODES(X)
#undef X
    };
    return code >= 0 && code < ERR_COUNT ? names[code] : "unknown error";
}

int err_set(struct err *e, int code, const char *format, ...)
{
    if (e) {
        va_list ap;
        e->code = code;
        va_start(ap, format);
        vsnprintf(e->text, sizeof e->text, format, ap);
        va_end(ap);
    }
    return code;
}
