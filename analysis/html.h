/* Writing HTML, SVG and XML text so that nothing which came from a scenario or a result can be
 * markup: whatever is not a literal of ours goes through here.
 *
 * Escaped are & < > " and '. What is not text in XML 1.0 (control characters but tab and line
 * feed, ill-formed UTF-8, surrogates) becomes U+FFFD. So a text is safe between tags and inside
 * a quoted attribute; not in a script, a style, or as an attribute that is a link.
 */
#ifndef PARTYLINE_ANALYSIS_HTML_H
#define PARTYLINE_ANALYSIS_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

void html_text(FILE *, const char *text);

/* Markup with holes: every % stands for the next argument, a const char *, escaped.
 *     html_put(f, "<td>%</td>", name); */
void html_put(FILE *, const char *markup, ...);

/* The bytes of the well-formed UTF-8 character at text, which is not its NUL; 0 if it is none
 * that XML takes. */
size_t html_char(const char *text);

#endif
