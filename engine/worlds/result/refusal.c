#include "engine/worlds/result/refusal.h"

#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>

void refuse(struct refusal *r, int line, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->say(r->ctx, line, text);
    r->rc = ERR_UNSUPPORTED;
}
