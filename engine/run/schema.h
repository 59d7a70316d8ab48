/* The scenario format, as one table of keys: validation, --help, the JSON Schema and the
 * README's reference are all made from it.
 *
 * A row's path names its place: `parties[].access.down`. `[]` stands for an entry of a list,
 * `*` for any name. A row says which forms its value may have (a scalar, a list, a map, a
 * plugin: its name, or a map of name and options) and, for a scalar, its type, range and
 * default, as a struct opt.
 */
#ifndef PARTYLINE_RUN_SCHEMA_H
#define PARTYLINE_RUN_SCHEMA_H

#include "engine/base/opt.h"
#include "engine/run/yaml.h"

#include <jansson.h>

enum schema_form {
    FORM_TEXT = 1,
    FORM_LIST = 2,
    FORM_MAP = 4,
    FORM_PLUGIN = 8, /* a name, or {name: ..., option: ...} */
    FORM_ANY = 16    /* not looked into here */
};

/* What a scalar must be the name of. */
enum schema_names { OF_NOTHING, OF_TRANSPORT, OF_PROTOCOL, OF_OBSERVER, OF_ACCESS };

struct schema_row {
    const char *path;
    unsigned forms;
    enum schema_names names;
    bool required;
    struct opt opt; /* name and offset unused; for maps and lists only its help */
};

extern const struct schema_row schema_rows[]; /* in the order of the reference; ends with
                                                 path NULL */

/* The row of a path, which must exist. */
const struct schema_row *schema_find(const char *path);
/* The row below parent for a key (a `*` row if there is no other), or NULL. */
const struct schema_row *schema_child(const struct schema_row *parent, const char *key);
/* The key by which row stands directly below parent, or NULL if it does not. */
const char *schema_key(const struct schema_row *parent, const struct schema_row *row);
/* The i-th name that a row's scalar may be, or NULL after the last: of plugins, profiles,
 * choices. */
const char *schema_name(const struct schema_row *row, size_t i);
/* The option table of the plugin of that name, and its help in *help; NULL and *help NULL if
 * there is no such plugin. */
const struct opt *schema_plugin(enum schema_names kind, const char *name, const char **help);
/* What a scalar of this row looks like: "a duration such as 20ms". */
const char *schema_expects(const struct schema_row *row);

/* Checks everything below root against the table; all findings go to diags. True if there
 * was none (also none before, for nodes seen earlier). */
bool schema_check(struct yaml_node *root, struct diag_list *diags);
/* The same for what stands at one path. */
bool schema_check_at(const char *path, struct yaml_node *node, struct diag_list *diags);
/* Checks an option table's value: a finding at the node, unless it is fine. Files are not
 * read. */
bool schema_check_option(const struct opt *o, const struct yaml_node *node,
                         struct diag_list *diags);
/* Says that a key is unknown: with what was expected and what is near. */
void schema_unknown_option(const struct opt *table, const struct yaml_node *key, const char *of,
                           struct diag_list *diags);

/* The number (OPT_CHOICE: the index) at node by the row of that path; its default if node is
 * NULL or invalid. */
int64_t schema_value(const char *path, const struct yaml_node *node);
/* The same for a text; may be NULL. */
const char *schema_text(const char *path, const struct yaml_node *node);

/* For --help: every key with what it takes, its default and what it means. */
void schema_print_help(FILE *out);
/* The README's reference. */
void schema_print_markdown(FILE *out);
/* JSON Schema, draft 2020-12, plugins and their options included. */
json_t *schema_json(void);
void schema_print_json(FILE *out);

#endif
