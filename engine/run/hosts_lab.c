#include "engine/run/hosts_lab.h"

#include "engine/run/files.h"
#include "engine/run/hosts_world.h"
#include "engine/run/lab_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 16 << 10 };

struct lab_ssh {
    json_t *state;
    char dir[LAB_PATH + 16]; /* LAB/ssh */
    char log[LAB_PATH + 32];
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* ---- which lab ------------------------------------------------------------------------ */

static bool is_it(const json_t *state, const char *what)
{
    const char *base = strrchr(what, '/'), *name = text_of(state, "scenario");
    size_t len;
    base = base ? base + 1 : what;
    len = strlen(base);
    if (len > 5 && strcmp(base + len - 5, ".yaml") == 0)
        len -= 5;
    return strcmp(text_of(state, "id"), what) == 0 ||
           (strlen(name) == len && strncmp(name, base, len) == 0);
}

/* The last one of that name. */
static int find_lab(const char *what, json_t **out, struct err *e)
{
    char(*ids)[LAB_ID + 1];
    json_t *state;
    size_t n;
    int rc = lab_list(&ids, &n, e);
    *out = NULL;
    if (rc != OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (lab_state_read(ids[i], &state, NULL) != OK)
            continue;
        if (is_it(state, what)) {
            json_decref(*out);
            *out = json_incref(state);
        }
        json_decref(state);
    }
    free(ids);
    return *out ? OK
                : err_set(e, ERR_ABSENT, "no lab of %s is up: partyline lab up %s", what, what);
}

/* ---- its SSH servers ------------------------------------------------------------------- */

static int make_key(const struct lab_ssh *s, const char *path, struct err *e)
{
    const char *argv[] = {"ssh-keygen",    "-q", "-t", "ed25519", "-N", "", "-C",
                          "partyline-lab", "-f", path, NULL};
    int status;
    if (access(path, F_OK) == 0)
        return OK;
    status = hosts_run_tool(argv, s->log);
    if (status == 127)
        return err_set(e, ERR_ABSENT, "ssh-keygen is not there: apt-get install openssh-client");
    return status == 0 ? OK : err_set(e, ERR_IO, "%s: ssh-keygen failed", path);
}

static int copy_file(const char *from, const char *to, mode_t mode, struct err *e)
{
    char *text;
    size_t len;
    int rc = files_read(from, KEY_FILE_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    rc = files_write(to, text, len, e);
    free(text);
    if (rc == OK && chmod(to, mode) != 0)
        rc = err_set(e, ERR_IO, "%s: %s", to, strerror(errno));
    return rc;
}

/* The host's key, and ours, where the host sees them. */
static int give_keys(const struct lab_ssh *s, const json_t *host, struct err *e)
{
    char to[PATH_MAX], from[LAB_PATH + 32];
    int rc;
    snprintf(to, sizeof to, "%s/ssh", text_of(host, "share"));
    rc = files_make_dir(to, e);
    snprintf(from, sizeof from, "%s/host", s->dir);
    snprintf(to, sizeof to, "%s/ssh/host", text_of(host, "share"));
    if (rc == OK)
        rc = copy_file(from, to, 0600, e);
    snprintf(from, sizeof from, "%s/key.pub", s->dir);
    snprintf(to, sizeof to, "%s/ssh/authorized", text_of(host, "share"));
    return rc == OK ? copy_file(from, to, 0644, e) : rc;
}

/* The server goes into the background by itself, and ends with its host. What the machine's root
 * runs in every shell is not for the host, whose files are its own. */
static int serve(const struct lab_ssh *s, const json_t *host, struct err *e)
{
    static const char script[] =
        "mkdir -p /run/sshd && rm -f /root/.bashrc && exec /usr/sbin/sshd -f /dev/null -h "
        "$0/ssh/host"
        " -o AuthorizedKeysFile=$0/ssh/authorized -o StrictModes=no -o UsePAM=no -o UseDNS=no"
        " -o ListenAddress=127.0.0.1 -o Port=2200 -o PasswordAuthentication=no -o "
        "PermitRootLogin=prohibit-password"
        " -o MaxStartups=64 -o PidFile=/run/sshd/pid";
    char pid[32];
    const char *argv[] = {"nsenter", "-t", pid, "-a", "sh", "-c", script, NULL, NULL};
    char *text, said[200] = "";
    size_t len;
    int status;
    argv[7] = text_of(s->state, "inside");
    snprintf(pid, sizeof pid, "%lld", (long long)json_integer_value(json_object_get(host, "pid")));
    status = hosts_run_tool(argv, s->log);
    if (status == 0)
        return OK;
    if (files_read(s->log, KEY_FILE_MAX, &text, &len, NULL) == OK) {
        snprintf(said, sizeof said, "%.*s", (int)strcspn(text, "\n"), text);
        free(text);
    }
    return err_set(e, status == 127 ? ERR_ABSENT : ERR_IO, "%s: no SSH server can be started%s: %s",
                   text_of(host, "name"), status == 127 ? " (apt-get install openssh-server)" : "",
                   said);
}

static bool serves(const json_t *host)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/ssh/up", text_of(host, "share"));
    return access(path, F_OK) == 0;
}

static int serve_all(const struct lab_ssh *s, struct err *e)
{
    char path[PATH_MAX], known[KEY_FILE_MAX], *key;
    size_t i, len, key_len;
    json_t *host;
    FILE *f = NULL;
    int rc;
    snprintf(path, sizeof path, "%s/host.pub", s->dir);
    rc = files_read(path, KEY_FILE_MAX, &key, &key_len, e);
    if (rc != OK)
        return rc;
    snprintf(known, sizeof known, "* %.*s\n", (int)strcspn(key, "\n"), key);
    free(key);
    len = strlen(known);
    snprintf(path, sizeof path, "%s/known_hosts", s->dir);
    rc = files_write(path, known, len, e);
    json_array_foreach(json_object_get(s->state, "hosts"), i, host)
    {
        if (rc != OK || serves(host))
            continue;
        rc = give_keys(s, host, e);
        if (rc == OK)
            rc = serve(s, host, e);
        snprintf(path, sizeof path, "%s/ssh/up", text_of(host, "share"));
        if (rc == OK && (f = fopen(path, "w")))
            fclose(f);
    }
    return rc;
}

/* ---- the inventory --------------------------------------------------------------------- */

static json_t *vars_of(const struct lab_ssh *s, const json_t *host)
{
    char common[4 * LAB_PATH], key[LAB_PATH + 32];
    snprintf(key, sizeof key, "%s/key", s->dir);
    snprintf(
        common, sizeof common,
        "-o UserKnownHostsFile=%s/known_hosts -o IdentitiesOnly=yes -o ProxyCommand=\"ip netns "
        "exec %s nc 127.0.0.1 2200\"",
        s->dir, text_of(host, "netns"));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "ansible_host", text_of(host, "name"),
                     "ansible_user", "root", "ansible_ssh_private_key_file", key,
                     "ansible_ssh_common_args", common, "partyline_address",
                     text_of(host, "address"), "partyline_bind", text_of(host, "bind"),
                     "partyline_port", 0);
}

static json_t *list_of(const struct lab_ssh *s)
{
    json_t *names = json_array(), *vars = json_object(), *host;
    size_t i;
    json_array_foreach(json_object_get(s->state, "hosts"), i, host)
    {
        json_array_append_new(names, json_string(text_of(host, "name")));
        json_object_set_new(vars, text_of(host, "name"), vars_of(s, host));
    }
    return json_pack("{s:{s:o}, s:{s:o}}", "_meta", "hostvars", vars, "partyline", "hosts", names);
}

int hosts_lab_inventory(const char *lab, json_t **out, struct err *e)
{
    struct lab_ssh s;
    char root[LAB_PATH], path[LAB_PATH + 32];
    int rc = find_lab(lab, &s.state, e);
    *out = NULL;
    if (rc != OK)
        return rc;
    snprintf(s.dir, sizeof s.dir, "%.200s/%.16s/ssh", lab_root(root), text_of(s.state, "id"));
    snprintf(s.log, sizeof s.log, "%s/log", s.dir);
    rc = files_make_dir(s.dir, e);
    if (rc == OK && chmod(s.dir, 0700) != 0)
        rc = err_set(e, ERR_IO, "%s: %s", s.dir, strerror(errno));
    snprintf(path, sizeof path, "%s/key", s.dir);
    if (rc == OK)
        rc = make_key(&s, path, e);
    snprintf(path, sizeof path, "%s/host", s.dir);
    if (rc == OK)
        rc = make_key(&s, path, e);
    if (rc == OK)
        rc = serve_all(&s, e);
    if (rc == OK)
        *out = list_of(&s);
    json_decref(s.state);
    return rc;
}
