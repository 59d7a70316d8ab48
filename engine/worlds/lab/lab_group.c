#define _GNU_SOURCE /* unshare */
#include "engine/worlds/lab/lab_inner.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS "/sys/fs/cgroup"

/* Calls for the folder of every hierarchy: of the only one, or of each of version 1 (and 2 beside
 * them). */
static void each_hierarchy(void (*call)(void *, const char *folder), void *ctx)
{
    char path[LAB_PATH + 300];
    const struct dirent *entry;
    DIR *dir;
    if (access(GROUPS "/cgroup.procs", F_OK) == 0) {
        call(ctx, GROUPS);
        return;
    }
    dir = opendir(GROUPS);
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof path, GROUPS "/%s/cgroup.procs", entry->d_name);
        if (entry->d_type != DT_DIR || access(path, F_OK) != 0)
            continue;
        *strrchr(path, '/') = 0;
        call(ctx, path);
    }
    if (dir)
        closedir(dir);
}

struct joining {
    char group[LAB_PATH];
    unsigned joined;
};

static void join(void *ctx, const char *folder)
{
    struct joining *j = ctx;
    char path[3 * LAB_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, j->group);
    if (mkdir(path, 0755) != 0)
        return;
    strcat(path, "/cgroup.procs");
    j->joined += lab_text(path, "0", NULL) == OK;
}

int lab_group_join(const char *id, const char *host, struct err *e)
{
    struct joining j = {.joined = 0};
    lab_netns(id, "h", host, j.group);
    each_hierarchy(join, &j);
    if (j.joined == 0)
        return err_set(e, ERR_UNSUPPORTED,
                       "a host with its own init needs control groups at " GROUPS);
    return unshare(CLONE_NEWCGROUP) == 0
               ? OK
               : err_set(e, ERR_UNSUPPORTED, "a namespace of control groups: %s", strerror(errno));
}

struct leaving {
    char prefix[LAB_PATH];
    unsigned left;
};

static void leave(void *ctx, const char *folder)
{
    struct leaving *l = ctx;
    char path[LAB_PATH + 600];
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, l->prefix, strlen(l->prefix)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        lab_remove(path);
        l->left += access(path, F_OK) == 0;
    }
    if (dir)
        closedir(dir);
}

bool lab_group_remove(const char *id)
{
    struct leaving l = {.left = 0};
    snprintf(l.prefix, sizeof l.prefix, "pl-%s-", id);
    each_hierarchy(leave, &l);
    return l.left == 0;
}
