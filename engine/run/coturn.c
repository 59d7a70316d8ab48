#include "engine/run/coturn.h"

#include "engine/run/files.h"
#include "transports/turn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCENARIO_MAX = 64 << 20 };

static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

bool coturn_runs(const struct trial_spec *t, party_t id)
{
    const char *role = t->roster->entries[id].role;
    return id >= t->roster->n_parties && strcmp(t->transport->name, "turn") == 0 && role &&
           strcmp(role, "turn") == 0;
}

bool coturn_needed(const struct trial_spec *t)
{
    for (party_t i = t->roster->n_parties; i < t->roster->n; i++)
        if (coturn_runs(t, i))
            return true;
    return false;
}

static const char *find(char path[64])
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, 64, "%s/turnserver", folders[i]);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

const char *coturn_lacks(void)
{
    char path[64];
    return find(path) ? NULL : "role turn needs coturn: apt-get install coturn";
}

/* ---- the secret ----------------------------------------------------------------------- */

int coturn_secret(char secret[COTURN_SECRET], struct err *e)
{
    uint8_t bytes[COTURN_SECRET / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(e, ERR_IO, "the system gives no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    return OK;
}

int coturn_share(const char *dir, const char *name, const char *secret, struct err *e)
{
    char path[PATH_MAX], *text;
    size_t len;
    json_t *o;
    int rc;
    snprintf(path, sizeof path, "%s/%s.yaml", dir, name);
    rc = files_read(path, SCENARIO_MAX, &text, &len, e);
    if (rc != OK)
        return rc;
    o = json_loadb(text, len, 0, NULL);
    free(text);
    json_object_set_new(json_object_get(o, "transport"), "secret", json_string(secret));
    rc = o ? files_write_json(path, o, e) : err_set(e, ERR_FORMAT, "%s: not JSON", path);
    json_decref(o);
    return rc == OK && chmod(path, 0600) != 0 ? err_set(e, ERR_IO, "%s: %s", path, strerror(errno))
                                              : rc;
}

/* ---- the server ----------------------------------------------------------------------- */

static int64_t seconds(int64_t ns)
{
    return ns > NS_S ? ns / NS_S : 1;
}

static void say_alternate(FILE *f, const struct trial_spec *t, const char *own,
                          const char *const *addresses, const char *alternate)
{
    for (party_t i = 0; i < t->roster->n; i++)
        if (strcmp(t->roster->entries[i].name, alternate) == 0 && strcmp(addresses[i], own) != 0)
            fprintf(f, "alternate-server=%s:%d\n", addresses[i], TURN_PORT);
}

int coturn_write(const char *dir, const struct trial_spec *t, const char *ip,
                 const char *const *addresses, const char *secret, struct err *e)
{
    const struct turn_server_limits *o = &((const struct turn_opts *)t->transport_opts)->limits;
    char path[PATH_MAX];
    FILE *f;
    int fd;
    snprintf(path, sizeof path, "%s/" COTURN_CONFIG, dir);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    fprintf(f, "listening-ip=%s\nrelay-ip=%s\nlistening-port=%d\n", ip, ip, TURN_PORT);
    fprintf(f, "realm=%s\nfingerprint\nuse-auth-secret\nstatic-auth-secret=%s\n", o->realm, secret);
    fprintf(f, "stale-nonce=%" PRId64 "\nmax-allocate-lifetime=%" PRId64 "\n",
            o->stale_nonce ? seconds(o->stale_nonce) : 0, seconds(o->max_lifetime));
    fprintf(f, "permission-lifetime=%" PRId64 "\nchannel-lifetime=%" PRId64 "\n",
            seconds(o->permission_life), seconds(o->channel_life));
    fprintf(f, "user-quota=%" PRId64 "\ntotal-quota=%" PRId64 "\n", o->user_quota, o->total_quota);
    if (o->loopback_peers || strncmp(ip, "127.", 4) == 0)
        fprintf(f, "allow-loopback-peers\n");
    say_alternate(f, t, ip, addresses, o->alternate);
    fprintf(f, "no-multicast-peers\nno-cli\nno-tls\nno-dtls\nno-tcp-relay\nno-rfc5780\n"
               "userdb=coturn.db\npidfile=coturn.pid\nlog-file=stdout\n");
    return fclose(f) == 0 ? OK : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

void coturn_exec(void)
{
    char path[64];
    if (find(path))
        execl(path, path, "-c", COTURN_CONFIG, (char *)NULL);
    _exit(127);
}

bool coturn_ready(pid_t pid, const char *ip)
{
    char path[64], line[256], want[32];
    struct in_addr a;
    bool found = false;
    FILE *f;
    if (inet_pton(AF_INET, ip, &a) != 1)
        return false;
    snprintf(want, sizeof want, "%08X:%04X ", a.s_addr, (unsigned)TURN_PORT);
    snprintf(path, sizeof path, "/proc/%d/net/udp", (int)pid);
    f = fopen(path, "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, want) != NULL;
    if (f)
        fclose(f);
    return found;
}
