/* Shell completions, made from the command table: what a word may be follows from an option's
 * `value` and a command's `usage` ("FILE", "a|b|c", "W": a world).
 */
#ifndef PARTYLINE_CMD_COMPLETE_H
#define PARTYLINE_CMD_COMPLETE_H

#include "engine/base/err.h"

#include <stdio.h>

/* shell: bash, zsh or fish. ERR_ABSENT: another one. */
int complete_print(const char *shell, FILE *);

#endif
