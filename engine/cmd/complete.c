#include "engine/cmd/complete.h"

#include "engine/cmd/cmd.h"
#include "engine/plugins.h"
#include "engine/run/circuitgen.h"

enum what { NOTHING, FILES, FOLDERS, WORDS };

/* What a value may be. */
struct guess {
    enum what what;
    char words[512]; /* WORDS: with spaces between them */
};

static void add_word(struct guess *g, const char *word, size_t len)
{
    size_t n = strlen(g->words);
    if (n + len + 2 > sizeof g->words)
        return;
    if (n)
        g->words[n++] = ' ';
    memcpy(g->words + n, word, len);
    g->words[n + len] = 0;
    g->what = WORDS;
}

/* "a|b|c", with or without brackets around it. */
static void add_alternatives(struct guess *g, const char *text, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '|' && text[i] != '[' && text[i] != ']')
            continue;
        if (i > from)
            add_word(g, text + from, i - from);
        from = i + 1;
    }
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* By the name that help gives it. */
static void guess(const char *name, struct guess *g)
{
    size_t len = strcspn(name, " ");
    *g = (struct guess){0};
    if (memchr(name, '|', len)) {
        add_alternatives(g, name, len);
    } else if (begins(name, "FILE")) {
        g->what = FILES;
    } else if (begins(name, "DIR") || begins(name, "RUN") || begins(name, "FOLDER") ||
               begins(name, "OUT") || begins(name, "A B")) {
        g->what = FOLDERS;
    } else if (begins(name, "KIND ")) {
        for (const struct circuitgen_kind *k = circuitgen_kinds(); k->name; k++)
            add_word(g, k->name, strlen(k->name));
    } else if (begins(name, "[COMMAND]")) {
        for (size_t i = 0; cmd_table[i]; i++)
            add_word(g, cmd_table[i]->name, strlen(cmd_table[i]->name));
    } else if (strcmp(name, "W") == 0) {
        for (size_t i = 0; plugin_worlds[i]; i++)
            add_word(g, plugin_worlds[i]->name, strlen(plugin_worlds[i]->name));
    }
}

/* Text inside single quotes of any of the shells; zsh's own signs with a backslash. */
static void put_quoted(FILE *f, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", f);
            continue;
        }
        if (strchr(escaped, *text))
            fputc('\\', f);
        fputc(*text, f);
    }
}

/* ---- bash ----------------------------------------------------------------------------- */

static void bash_reply(FILE *f, const struct guess *g)
{
    switch (g->what) {
    case FILES:
        fputs("_partyline_paths -f", f);
        return;
    case FOLDERS:
        fputs("_partyline_paths -d", f);
        return;
    case WORDS:
        fprintf(f, "COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", g->words);
        return;
    default:
        fputs("COMPREPLY=()", f);
    }
}

static void bash_command(FILE *f, const struct cmd *c)
{
    struct guess g;
    fprintf(f, "    %s)\n        case $prev in\n", c->name);
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        if (!o->value)
            continue;
        guess(o->value, &g);
        fprintf(f, "        %s) ", o->name);
        bash_reply(f, &g);
        fputs("; return ;;\n", f);
    }
    fputs("        esac\n        if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '", f);
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        fprintf(f, "%s%s", o == c->options ? "" : " ", o->name);
    fputs("' -- \"$cur\"))\n        else ", f);
    guess(c->usage, &g);
    bash_reply(f, &g);
    fputs("; fi ;;\n", f);
}

static void print_bash(FILE *f)
{
    fputs("# bash completion for partyline; made by: partyline help --completions bash\n"
          "_partyline_paths() {\n"
          "    compopt -o filenames 2>/dev/null\n"
          "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
          "}\n"
          "_partyline() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '",
          f);
    for (size_t i = 0; cmd_table[i]; i++)
        fprintf(f, "%s ", cmd_table[i]->name);
    fputs("--help --version' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n",
          f);
    for (size_t i = 0; cmd_table[i]; i++)
        bash_command(f, cmd_table[i]);
    fputs("    esac\n}\ncomplete -F _partyline partyline\n", f);
}

/* ---- zsh ------------------------------------------------------------------------------ */

static void zsh_action(FILE *f, const struct guess *g)
{
    if (g->what == WORDS)
        fprintf(f, "(%s)", g->words);
    else
        fputs(g->what == FILES ? "_files" : g->what == FOLDERS ? "_files -/" : " ", f);
}

static void zsh_command(FILE *f, const struct cmd *c)
{
    struct guess g;
    fprintf(f, "    %s) _arguments -s \\\n", c->name);
    for (const struct cmd_option *o = c->options; o && o->name; o++) {
        fprintf(f, "        '*%s%s[", o->name, !o->value ? "" : o->name[1] == '-' ? "=" : "+");
        put_quoted(f, o->help, "[]\\");
        fputc(']', f);
        if (o->value) {
            guess(o->value, &g);
            fputc(':', f);
            put_quoted(f, g.what == WORDS ? "value" : o->value, ":\\");
            fputc(':', f);
            zsh_action(f, &g);
        }
        fputs("' \\\n", f);
    }
    guess(c->usage, &g);
    fputs("        '*: :", f);
    zsh_action(f, &g);
    fputs("' ;;\n", f);
}

static void print_zsh(FILE *f)
{
    fputs("#compdef partyline\n# made by: partyline help --completions zsh\n"
          "_partyline() {\n    local -a commands\n    commands=(\n",
          f);
    for (size_t i = 0; cmd_table[i]; i++) {
        fprintf(f, "        '%s:", cmd_table[i]->name);
        put_quoted(f, cmd_table[i]->help, ":\\");
        fputs("'\n", f);
    }
    fputs("    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n"
          "        return\n    fi\n    shift words\n    ((CURRENT--))\n    case $words[1] in\n",
          f);
    for (size_t i = 0; cmd_table[i]; i++)
        zsh_command(f, cmd_table[i]);
    fputs("    esac\n}\nif [ \"$funcstack[1]\" = _partyline ]; then _partyline \"$@\"; "
          "else compdef _partyline partyline; fi\n",
          f);
}

/* ---- fish ----------------------------------------------------------------------------- */

static void fish_option(FILE *f, const struct cmd *c, const struct cmd_option *o)
{
    struct guess g = {0};
    fprintf(f, "complete -c partyline -n '__fish_seen_subcommand_from %s' %s %s", c->name,
            o->name[1] == '-' ? "-l" : "-s", o->name + (o->name[1] == '-' ? 2 : 1));
    if (o->value)
        guess(o->value, &g);
    if (o->value)
        fputs(g.what == FILES ? " -r -F" : " -x", f);
    if (g.what == WORDS)
        fprintf(f, " -a '%s'", g.words);
    else if (g.what == FOLDERS)
        fputs(" -a '(__fish_complete_directories)'", f);
    fputs(" -d '", f);
    put_quoted(f, o->help, "\\");
    fputs("'\n", f);
}

static void fish_command(FILE *f, const struct cmd *c)
{
    struct guess g;
    fprintf(f, "complete -c partyline -n __fish_use_subcommand -a %s -d '", c->name);
    put_quoted(f, c->help, "\\");
    fputs("'\n", f);
    guess(c->usage, &g);
    if (g.what != NOTHING)
        fprintf(f, "complete -c partyline -n '__fish_seen_subcommand_from %s' ", c->name);
    if (g.what == FILES)
        fputs("-F\n", f);
    else if (g.what == FOLDERS)
        fputs("-a '(__fish_complete_directories)'\n", f);
    else if (g.what == WORDS)
        fprintf(f, "-a '%s'\n", g.words);
    for (const struct cmd_option *o = c->options; o && o->name; o++)
        fish_option(f, c, o);
}

static void print_fish(FILE *f)
{
    fputs("# fish completion for partyline; made by: partyline help --completions fish\n"
          "complete -c partyline -f\n",
          f);
    for (size_t i = 0; cmd_table[i]; i++)
        fish_command(f, cmd_table[i]);
}

int complete_print(const char *shell, FILE *f)
{
    if (strcmp(shell, "bash") == 0)
        print_bash(f);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(f);
    else if (strcmp(shell, "fish") == 0)
        print_fish(f);
    else
        return ERR_ABSENT;
    return OK;
}
