#include "engine/worlds/lab/lab_inner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 400, PATIENCE = 60 /* rounds, until what did not end is killed */ };

/* ---- whose it is ------------------------------------------------------------------------ */

unsigned long long lab_started(pid_t pid)
{
    char path[64], text[1024], *at;
    unsigned long long value = 0;
    ssize_t n;
    int fd;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    at = strrchr(text, ')'); /* field 2; 22 is the start */
    if (at && at[1] && (at[2] == 'Z' || at[2] == 'X'))
        return 0;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at)
        value = strtoull(at, NULL, 10);
    return value;
}

static bool is_id(const char *name)
{
    size_t n = strspn(name, "abcdefghijkmnpqrstuvwxyz23456789");
    return n == LAB_ID && !name[n];
}

bool lab_orphaned(const char *id)
{
    char root[LAB_PATH], path[2 * LAB_PATH];
    unsigned long long started = 0;
    int pid = 0, got;
    FILE *f;
    if (!is_id(id))
        return false;
    snprintf(path, sizeof path, "%s/%s/owner", lab_root(root), id);
    f = fopen(path, "re");
    if (!f)
        return false;
    got = fscanf(f, "%d %llu", &pid, &started);
    fclose(f);
    return got == 2 && pid > 0 && lab_started(pid) != started;
}

int lab_list(char (**ids)[LAB_ID + 1], size_t *n, struct err *e)
{
    char root[LAB_PATH], (*list)[LAB_ID + 1] = NULL, (*more)[LAB_ID + 1];
    const struct dirent *entry;
    DIR *dir = opendir(lab_root(root));
    *ids = NULL;
    *n = 0;
    if (!dir)
        return errno == ENOENT ? OK : err_set(e, ERR_IO, "%s: %s", root, strerror(errno));
    while ((entry = readdir(dir))) {
        if (!is_id(entry->d_name))
            continue;
        more = realloc(list, (*n + 1) * sizeof *list);
        if (!more)
            break;
        list = more;
        memcpy(list[(*n)++], entry->d_name, LAB_ID + 1);
    }
    closedir(dir);
    *ids = list;
    return OK;
}

/* ---- processes -------------------------------------------------------------------------- */

/* Calls for each of the lab's namespaces; by name, so nothing has to have been written down. */
static void each_namespace(const char *id, void (*call)(void *, const char *path), void *ctx)
{
    char prefix[LAB_PATH], path[LAB_PATH + 300];
    const struct dirent *entry;
    DIR *dir = opendir("/run/netns");
    snprintf(prefix, sizeof prefix, "pl-%s-", id);
    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        snprintf(path, sizeof path, "/run/netns/%s", entry->d_name);
        call(ctx, path);
    }
    if (dir)
        closedir(dir);
}

struct inodes {
    ino_t list[3 * LAB_NODES_MAX + 1];
    size_t n;
};

static void note_inode(void *ctx, const char *path)
{
    struct inodes *all = ctx;
    struct stat st;
    if (stat(path, &st) == 0 && all->n < sizeof all->list / sizeof *all->list)
        all->list[all->n++] = st.st_ino;
}

static bool is_inside(const struct inodes *all, pid_t pid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    if (stat(path, &st) != 0)
        return false;
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i] == st.st_ino)
            return true;
    return false;
}

static bool is_wan(pid_t pid)
{
    char path[64], name[32] = "";
    FILE *f;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(name, sizeof name, f))
        name[0] = 0;
    fclose(f);
    return strncmp(name, "partyline-wan", 13) == 0;
}

/* Sends a signal to all that are inside, but not to the caller; true: there was none. The WAN
 * is asked first, as it has a file to finish. */
static bool signal_all(const struct inodes *all, bool patient)
{
    const struct dirent *entry;
    DIR *dir = opendir("/proc");
    bool none = true;
    while (dir && (entry = readdir(dir))) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)atoi(entry->d_name) : 0;
        if (pid <= 0 || pid == getpid() || !is_inside(all, pid))
            continue;
        none = false;
        kill(pid, patient && is_wan(pid) ? SIGTERM : SIGKILL);
        waitpid(pid, NULL, WNOHANG);
    }
    if (dir)
        closedir(dir);
    return none;
}

/* ---- the rest --------------------------------------------------------------------------- */

/* What a maker who died can't take away any more. */
static void remove_folder(const char *dir)
{
    char path[2 * LAB_PATH + 16], folder[LAB_PATH] = "", *base;
    FILE *f;
    snprintf(path, sizeof path, "%s/folder", dir);
    f = fopen(path, "re");
    if (f && !fgets(folder, sizeof folder, f))
        folder[0] = 0;
    if (f)
        fclose(f);
    base = strrchr(folder, '/');
    if (base && folder[0] == '/' && strncmp(base, "/partyline-", 11) == 0)
        lab_remove(folder);
}

static void remove_namespace(void *ctx, const char *path)
{
    int *left = ctx;
    while (umount2(path, MNT_DETACH) == 0)
        ;
    if (unlink(path) != 0)
        ++*left;
}

int lab_down(const char *id, struct err *e)
{
    char root[LAB_PATH], dir[2 * LAB_PATH];
    struct timespec pause = {.tv_nsec = 5000000};
    struct inodes all = {.n = 0};
    struct stat st;
    bool none = false, orphaned;
    int left = 0;
    if (!is_id(id))
        return err_set(e, ERR_INVALID, "%s is not a lab's number", id);
    orphaned = lab_orphaned(id);
    each_namespace(id, note_inode, &all);
    for (int i = 0; all.n && i < ROUNDS && !none; i++) {
        none = signal_all(&all, i < PATIENCE);
        if (!none)
            nanosleep(&pause, NULL);
    }
    each_namespace(id, remove_namespace, &left);
    for (int i = 0; !lab_group_remove(id); i++) {
        if (i == ROUNDS) {
            left++;
            break;
        }
        nanosleep(&pause, NULL);
    }
    snprintf(dir, sizeof dir, "%s/%s", lab_root(root), id);
    if (orphaned)
        remove_folder(dir);
    if (left == 0)
        lab_remove(dir);
    rmdir(root);
    if (left || stat(dir, &st) == 0)
        return err_set(e, ERR_STATE,
                       "something of the lab %s is left: pl-%s-* among namespaces and "
                       "control groups, or %s",
                       id, id, dir);
    return OK;
}
