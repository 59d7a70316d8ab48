#include "analysis/html.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>

size_t html_char(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c = s[0];
    size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 4;
    if (c < 0x80)
        return c >= ' ' && c != 0x7f ? 1 : c == '\t' || c == '\n';
    if (c < 0xc2 || c > 0xf4)
        return 0;
    c &= 0xffU >> (n + 1);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) /* the NUL as well */
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0x80 && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe)
        return 0;
    return n;
}

void html_text(FILE *f, const char *text)
{
    while (*text) {
        size_t n = html_char(text);
        switch (n ? *text : 0) {
        case 0:
            fputs("\xef\xbf\xbd", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        case '\'':
            fputs("&#39;", f);
            break;
        default:
            fwrite(text, 1, n, f);
        }
        text += n ? n : 1;
    }
}

void html_put(FILE *f, const char *markup, ...)
{
    va_list args;
    va_start(args, markup);
    for (; *markup; markup++) {
        if (*markup == '%') {
            const char *text = va_arg(args, const char *);
            assert(text);
            html_text(f, text);
        } else {
            fputc(*markup, f);
        }
    }
    va_end(args);
}
