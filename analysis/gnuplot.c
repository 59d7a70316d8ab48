#include "analysis/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_NO_GNUPLOT = 127, EXIT_NO_DIR = 126 };

/* In the child. */
static void become_gnuplot(const char *dir, int in, int out)
{
    setpgid(0, 0);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir(dir) != 0)
        _exit(EXIT_NO_DIR);
    close(in);
    close(out);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1);
    unsetenv("GNUTERM");
    unsetenv("DISPLAY");
    execlp("gnuplot", "gnuplot", "-d", "-", (char *)NULL);
    _exit(errno == ENOENT ? EXIT_NO_GNUPLOT : EXIT_NO_DIR);
}

/* Waits to the end; what ran too long is killed. False then. */
static bool wait_for(pid_t pid, int *status)
{
    const struct timespec nap = {.tv_nsec = 5000000};
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (waitpid(pid, status, WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - from.tv_sec >= GNUPLOT_LIMIT_S) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return false;
        }
        nanosleep(&nap, NULL);
    }
    return true;
}

/* What it said first, on one line. */
static void first_words(FILE *from, char *buf, size_t cap)
{
    size_t n;
    rewind(from);
    n = fread(buf, 1, cap - 1, from);
    buf[n] = 0;
    for (char *p = buf; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
}

int gnuplot_run(const char *dir, const char *script, struct err *e)
{
    FILE *in = tmpfile(), *out = tmpfile();
    char words[240];
    int status = 0, rc = OK;
    pid_t pid;
    if (!in || !out || fputs(script, in) == EOF || fflush(in) != 0 ||
        lseek(fileno(in), 0, SEEK_SET) != 0) {
        rc = err_set(e, ERR_IO, "no temporary file for gnuplot: %s", strerror(errno));
    } else if ((pid = fork()) < 0) {
        rc = err_set(e, ERR_IO, "no process for gnuplot: %s", strerror(errno));
    } else if (pid == 0) {
        become_gnuplot(dir, fileno(in), fileno(out));
    } else if (!wait_for(pid, &status)) {
        rc = err_set(e, ERR_FAULT, "gnuplot did not end within %d s", GNUPLOT_LIMIT_S);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_GNUPLOT) {
        rc = err_set(e, ERR_ABSENT,
                     "plots need gnuplot, which is not installed: apt-get install gnuplot-nox");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        first_words(out, words, sizeof words);
        rc = err_set(e, ERR_FAULT, "gnuplot failed: %s", words);
    }
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    return rc;
}
