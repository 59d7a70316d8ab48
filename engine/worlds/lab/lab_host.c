#define _GNU_SOURCE /* setns, unshare, clone flags */
#include "engine/worlds/lab/lab_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct birth_place {
    const struct lab *lab;
    const struct lab_options *options;
    uint32_t host;
    char root[3 * LAB_PATH]; /* of the overlay */
    char share[2 * LAB_PATH];
};

static int mount_it(const char *what, const char *where, const char *type, unsigned long flags,
                    const char *data, struct err *e)
{
    return mount(what, where, type, flags, data) == 0
               ? OK
               : err_set(e, ERR_UNSUPPORTED, "mounting %s at %s: %s", type ? type : what, where,
                         strerror(errno));
}

static void in_root(const struct birth_place *p, const char *path, char out[4 * LAB_PATH])
{
    snprintf(out, 4 * LAB_PATH, "%s%s", p->root, path);
}

/* ---- the root: an overlay over the machine's ------------------------------------------- */

static int make_overlay(struct birth_place *p, struct err *e)
{
    char fs[LAB_PATH * 2], path[LAB_PATH * 4], data[LAB_PATH * 8];
    static const char *const parts[] = {"up", "work", "root"};
    int rc;
    snprintf(fs, sizeof fs, "%s/hosts/%s/fs", p->lab->dir,
             p->lab->spec->roster->entries[p->host].name);
    rc = lab_folder(fs, e);
    if (rc == OK)
        rc = mount_it("none", "/", NULL, MS_REC | MS_PRIVATE, NULL, e);
    if (rc == OK)
        rc = mount_it("partyline", fs, "tmpfs", 0, "mode=755", e);
    for (int i = 0; rc == OK && i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", fs, parts[i]);
        rc = lab_folder(path, e);
    }
    snprintf(p->root, sizeof p->root, "%s/root", fs);
    snprintf(data, sizeof data, "lowerdir=/,upperdir=%s/up,workdir=%s/work", fs, fs);
    return rc == OK ? mount_it("overlay", p->root, "overlay", 0, data, e) : rc;
}

static int mount_in(const struct birth_place *p, const char *what, const char *where,
                    const char *type, unsigned long flags, const char *data, struct err *e)
{
    char path[LAB_PATH * 4];
    int rc;
    in_root(p, where, path);
    rc = lab_folder(path, e);
    return rc == OK ? mount_it(what, path, type, flags, data, e) : rc;
}

static int make_devices(const struct birth_place *p, struct err *e)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } list[] = {{"/dev/null", 1, 3},      {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                {"/dev/random", 1, 8},    {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
                {"/dev/net/tun", 10, 200}};
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"},
                                           {"pts/ptmx", "/dev/ptmx"}};
    char path[LAB_PATH * 4];
    in_root(p, "/dev/net", path);
    if (lab_folder(path, e) != OK)
        return ERR_IO;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        in_root(p, list[i].path, path);
        if (mknod(path, S_IFCHR | 0666, makedev(list[i].major, list[i].minor)) != 0 ||
            chmod(path, 0666) != 0)
            return err_set(e, ERR_UNSUPPORTED, "%s: %s", path, strerror(errno));
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        in_root(p, links[i][1], path);
        if (symlink(links[i][0], path) != 0)
            return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return OK;
}

/* The machine's own /tmp and /run are none of its business. */
static int make_mounts(const struct birth_place *p, struct err *e)
{
    int rc = mount_in(p, "proc", "/proc", "proc", 0, NULL, e);
    if (rc == OK)
        rc = mount_in(p, "sysfs", "/sys", "sysfs", 0, NULL, e);
    if (rc == OK)
        rc = mount_in(p, "tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755", e);
    if (rc == OK)
        rc = make_devices(p, e);
    if (rc == OK)
        rc = mount_in(p, "devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666", e);
    if (rc == OK)
        rc = mount_in(p, "tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", e);
    if (rc == OK)
        rc = mount_in(p, "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", e);
    if (rc == OK)
        rc = mount_in(p, "tmpfs", "/run", "tmpfs", MS_NOSUID, "mode=755", e);
    return rc == OK ? mount_in(p, p->share, LAB_SHARE, NULL, MS_BIND, NULL, e) : rc;
}

static int write_names(const struct birth_place *p, struct err *e)
{
    const struct roster *r = p->lab->spec->roster;
    const char *own = r->entries[p->host].name;
    char path[LAB_PATH * 4], *text = malloc(128 + (size_t)r->n * (LAB_PATH + 24)), ip[16];
    size_t len = 0;
    int rc;
    if (!text)
        return err_set(e, ERR_NOMEM, "no memory for names");
    in_root(p, "/etc/hostname", path);
    len = (size_t)sprintf(text, "%.*s\n", LAB_PATH, own);
    rc = lab_text(path, text, e);
    len = (size_t)sprintf(text, "127.0.0.1 localhost\n");
    for (uint32_t i = 0; i < r->n; i++)
        len += (size_t)sprintf(text + len, "%s %.*s\n", lab_ip(p->lab->hosts[i].published, ip),
                               LAB_PATH, r->entries[i].name);
    in_root(p, "/etc/hosts", path);
    if (rc == OK)
        rc = lab_text(path, text, e);
    free(text);
    if (rc == OK && sethostname(own, strlen(own)) != 0)
        rc = err_set(e, ERR_IO, "the host name %s: %s", own, strerror(errno));
    return rc;
}

static int change_root(const struct birth_place *p, struct err *e)
{
    if (chdir(p->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
        umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return err_set(e, ERR_IO, "changing the root to %s: %s", p->root, strerror(errno));
    return OK;
}

/* ---- process 1 ------------------------------------------------------------------------- */

static int settle(struct birth_place *p, struct err *e)
{
    const char *host = p->lab->spec->roster->entries[p->host].name;
    char name[LAB_PATH];
    int rc = lab_enter(lab_netns(p->lab->id, "h", host, name), e);
    if (rc == OK && p->options->init)
        rc = lab_group_join(p->lab->id, host, e);
    if (rc == OK)
        rc = make_overlay(p, e);
    if (rc == OK)
        rc = make_mounts(p, e);
    if (rc == OK)
        rc = write_names(p, e);
    return rc == OK ? change_root(p, e) : rc;
}

static void be_init(struct birth_place *p, struct lab_birth *birth)
{
    const char *init = p->options->init;
    struct err e;
    prctl(PR_SET_NAME, "partyline-host");
    if (settle(p, &e) != OK)
        lab_birth_bad(birth, &e);
    if (init) {
        lab_birth_good(birth);
        setenv("container", "partyline", 1); /* what systemd looks at */
        execl(init, init, (char *)NULL);
        dprintf(STDERR_FILENO, "%s: %s\n", init, strerror(errno));
        _exit(127);
    }
    signal(SIGCHLD, SIG_IGN); /* nobody is waited for: none becomes a zombie */
    lab_birth_good(birth);
    for (;;)
        pause();
}

static int start(struct lab *lab, uint32_t host, const struct lab_options *o,
                 struct lab_birth *birth, struct err *e)
{
    unsigned long flags =
        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | (unsigned long)SIGCHLD;
    const char *name = lab->spec->roster->entries[host].name;
    struct birth_place p = {.lab = lab, .options = o, .host = host};
    char log[2 * LAB_PATH];
    pid_t parent = getpid(), pid;
    int rc;
    if (o->shares)
        snprintf(p.share, sizeof p.share, "%s", o->shares[host]);
    else
        snprintf(p.share, sizeof p.share, "%s/hosts/%s/share", lab->dir, name);
    rc = lab_folder(p.share, e);
    snprintf(log, sizeof log, "%s/hosts/%s", lab->dir, name);
    if (rc == OK)
        rc = lab_folder(log, e);
    strcat(log, "/log");
    if (rc == OK)
        rc = lab_birth_begin(birth, e);
    if (rc != OK)
        return rc;
    pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return err_set(e, ERR_UNSUPPORTED, "namespaces: %s", strerror(errno));
    if (pid == 0) {
        if (lab_birth_adopt(birth, o->mine ? parent : 0, log) != OK)
            _exit(1);
        be_init(&p, birth);
    }
    lab->hosts[host].init = pid;
    return OK;
}

int lab_hosts_start(struct lab *lab, const struct lab_options *o, struct err *e)
{
    uint32_t n = lab->spec->roster->n, begun = 0;
    struct lab_birth *births = calloc(n, sizeof *births);
    int rc = births ? OK : err_set(e, ERR_NOMEM, "no memory for hosts");
    for (; rc == OK && begun < n; begun += rc == OK)
        rc = start(lab, begun, o, &births[begun], e);
    for (uint32_t i = 0; i < begun; i++) {
        struct err other;
        int its = lab_birth_wait(&births[i], lab->spec->roster->entries[i].name, &other);
        if (its != OK && rc == OK)
            rc = err_set(e, its, "%s", other.text);
    }
    free(births);
    return rc;
}

/* ---- visitors -------------------------------------------------------------------------- */

static int open_ns(pid_t pid, const char *kind)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kind);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* In the child; the process namespace is its own already. */
static bool enter_rest(pid_t init)
{
    static const struct {
        const char *kind;
        int flag;
    } list[] = {
        {"net", CLONE_NEWNET}, {"uts", CLONE_NEWUTS}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS}};
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = open_ns(init, list[i].kind);
    for (int i = 0; i < 4; i++)
        if (fds[i] < 0 || setns(fds[i], list[i].flag) != 0)
            return false;
    return chdir("/") == 0;
}

int lab_fork(const struct lab *lab, uint32_t host, pid_t *pid, struct err *e)
{
    pid_t init = lab->hosts[host].init;
    int own = open_ns(getpid(), "pid"), its = open_ns(init, "pid");
    int rc = OK;
    if (own < 0 || its < 0 || setns(its, CLONE_NEWPID) != 0)
        rc = err_set(e, ERR_STATE, "the host %s is gone", lab->spec->roster->entries[host].name);
    if (rc == OK) {
        *pid = fork();
        if (*pid == 0) {
            if (!enter_rest(init))
                _exit(126);
            return OK;
        }
        if (*pid < 0)
            rc = err_set(e, ERR_LIMIT, "can't start a process: %s", strerror(errno));
        if (setns(own, CLONE_NEWPID) != 0)
            abort();
    }
    if (own >= 0)
        close(own);
    if (its >= 0)
        close(its);
    return rc;
}
