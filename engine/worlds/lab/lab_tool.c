#define _GNU_SOURCE /* setns, pipe2 */
#include "engine/worlds/lab/lab_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 4096 };

int lab_enter(const char *netns, struct err *e)
{
    char path[LAB_PATH + 16];
    int fd, rc;
    snprintf(path, sizeof path, "/run/netns/%s", netns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    rc = setns(fd, CLONE_NEWNET);
    close(fd);
    return rc == 0 ? OK : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

/* ---- commands ------------------------------------------------------------------------- */

static void become(const char *netns, const char *const *argv, int in, int said)
{
    char *list[16], path[4096];
    const char *old = getenv("PATH");
    size_t n = 0;
    struct err e;
    for (; argv[n] && n < 15; n++)
        list[n] = (char *)(uintptr_t)argv[n];
    list[n] = NULL;
    if ((netns && lab_enter(netns, &e) != OK) || dup2(in, STDIN_FILENO) < 0 ||
        dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
        _exit(126);
    snprintf(path, sizeof path, "%s:/usr/sbin:/sbin:/usr/bin:/bin", old ? old : "");
    setenv("PATH", path, 1);
    execvp(list[0], list);
    _exit(127);
}

static int file_of(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t len = strlen(text);
    if (fd >= 0 && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int complain(const char *const *argv, int said, int status, struct err *e)
{
    char text[SAID_MAX + 1];
    ssize_t n = pread(said, text, SAID_MAX, 0);
    text[n > 0 ? n : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(e, ERR_UNSUPPORTED, "the command %s is not there", argv[0]);
    return err_set(e, ERR_IO, "%s: %s", argv[0], text[0] ? text : "failed");
}

int lab_tool(const char *netns, const char *const *argv, const char *input, struct err *e)
{
    int in = file_of(input ? input : ""), said = file_of(""), status = 0, rc = OK;
    pid_t pid = in >= 0 && said >= 0 ? fork() : -1;
    if (pid == 0)
        become(netns, argv, in, said);
    if (pid < 0)
        rc = err_set(e, ERR_IO, "can't run %s: %s", argv[0], strerror(errno));
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            status = 1 << 8;
    if (rc == OK && status != 0)
        rc = complain(argv, said, status, e);
    if (in >= 0)
        close(in);
    if (said >= 0)
        close(said);
    return rc;
}

/* ---- files ---------------------------------------------------------------------------- */

int lab_text(const char *path, const char *text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int why = errno;
    if (fd >= 0)
        close(fd);
    return good ? OK : err_set(e, ERR_IO, "%s: %s", path, strerror(why));
}

/* A process's view of /proc/sys/net is that of the network namespace that it is in. */
int lab_set(const char *netns, const char *path, const char *text, struct err *e)
{
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int rc = own < 0 ? err_set(e, ERR_IO, "/proc: %s", strerror(errno)) : lab_enter(netns, e);
    if (rc == OK) {
        rc = lab_text(path, text, e);
        if (setns(own, CLONE_NEWNET) != 0)
            abort();
    }
    if (own >= 0)
        close(own);
    return rc;
}

int lab_folder(const char *path, struct err *e)
{
    char part[LAB_PATH * 2];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(part, 0755);
        *slash = '/';
    }
    if (mkdir(part, 0755) == 0 || errno == EEXIST)
        return OK;
    return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

static void wipe(const char *path, off_t size)
{
    static const char zeros[4096];
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    while (fd >= 0 && size > 0) {
        ssize_t n = write(fd, zeros, size < (off_t)sizeof zeros ? (size_t)size : sizeof zeros);
        size = n > 0 ? size - n : 0;
    }
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t len = strlen(path);
    (void)at;
    if (type == FTW_F && len > 4 && strcmp(path + len - 4, ".key") == 0)
        wipe(path, st->st_size);
    return remove(path), 0;
}

void lab_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- births --------------------------------------------------------------------------- */

int lab_birth_begin(struct lab_birth *b, struct err *e)
{
    return pipe2(b->pipe, O_CLOEXEC) == 0 ? OK : err_set(e, ERR_IO, "pipe: %s", strerror(errno));
}

int lab_birth_adopt(struct lab_birth *b, pid_t maker, const char *log)
{
    int nothing, said;
    if (maker)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (maker && getppid() != maker && getppid() != 0)
        return ERR_STATE;
    setsid();
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    said = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (nothing < 0 || said < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
        return ERR_IO;
    if (b->pipe[1] != 3 && dup3(b->pipe[1], 3, O_CLOEXEC) < 0)
        return ERR_IO;
    b->pipe[1] = 3;
    close_range(4, ~0U, 0);
    return OK;
}

void lab_birth_good(struct lab_birth *b)
{
    if (write(b->pipe[1], "", 1) != 1)
        _exit(1);
    close(b->pipe[1]);
}

void lab_birth_bad(struct lab_birth *b, const struct err *e)
{
    if (write(b->pipe[1], e->text, strlen(e->text)) < 0)
        _exit(2);
    _exit(1);
}

int lab_birth_wait(struct lab_birth *b, const char *who, struct err *e)
{
    char text[ERR_TEXT];
    ssize_t n;
    close(b->pipe[1]);
    while ((n = read(b->pipe[0], text, sizeof text - 1)) < 0 && errno == EINTR)
        ;
    close(b->pipe[0]);
    if (n == 1 && text[0] == 0)
        return OK;
    text[n > 0 ? n : 0] = 0;
    return err_set(e, ERR_IO, "%s: %s", who, n > 0 ? text : "died");
}
