#define _XOPEN_SOURCE 700 /* nftw */
#include "engine/run/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_make_dir(const char *path, struct err *e)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return err_set(e, ERR_INVALID, "%s: a path of this length can't be made", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return err_set(e, ERR_IO, "%s: %s", part, strerror(errno));
    }
    return OK;
}

int files_write(const char *path, const void *data, size_t len, struct err *e)
{
    char temp[PATH_MAX];
    FILE *f;
    bool good;
    if (snprintf(temp, sizeof temp, "%s.part", path) >= (int)sizeof temp)
        return err_set(e, ERR_INVALID, "%s: path too long", path);
    f = fopen(temp, "wb");
    if (!f)
        return err_set(e, ERR_IO, "%s: %s", temp, strerror(errno));
    good = fwrite(data, 1, len, f) == len;
    good = fflush(f) == 0 && good;
    good = fclose(f) == 0 && good;
    if (good && rename(temp, path) == 0)
        return OK;
    err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    unlink(temp);
    return ERR_IO;
}

int files_write_json(const char *path, const json_t *value, struct err *e)
{
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_INDENT(1));
    size_t len;
    int rc;
    if (!text)
        return err_set(e, ERR_NOMEM, "%s: can't be written as JSON", path);
    len = strlen(text);
    text[len] = '\n'; /* in the place of the NUL */
    rc = files_write(path, text, len + 1, e);
    free(text);
    return rc;
}

int files_read(const char *path, size_t max, char **data, size_t *len, struct err *e)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 4096, n = 0, got;
    char *buf, *more;
    if (!f)
        return err_set(e, errno == ENOENT ? ERR_ABSENT : ERR_IO, "%s: %s", path, strerror(errno));
    buf = malloc(cap);
    while (buf && (got = fread(buf + n, 1, cap - n - 1, f)) > 0) {
        n += got;
        if (n > max)
            break;
        if (cap - n < 2) {
            cap *= 2;
            more = realloc(buf, cap);
            if (!more)
                free(buf);
            buf = more;
        }
    }
    if (!buf || n > max || ferror(f)) {
        int rc = !buf ? ERR_NOMEM : n > max ? ERR_TOO_BIG : ERR_IO;
        err_set(e, rc, "%s: %s", path, ferror(f) ? strerror(errno) : err_name(rc));
        fclose(f);
        free(buf);
        return rc;
    }
    fclose(f);
    buf[n] = 0;
    *data = buf;
    *len = n;
    return OK;
}

void files_last_line(const char *path, char *line, size_t cap)
{
    char *text, *from;
    size_t len;
    line[0] = 0;
    if (files_read(path, 1 << 20, &text, &len, NULL) != OK)
        return;
    while (len && text[len - 1] == '\n')
        text[--len] = 0;
    from = strrchr(text, '\n');
    snprintf(line, cap, "%s", from ? from + 1 : text);
    free(text);
}

void files_wipe(const char *path)
{
    static const char zeros[4096];
    struct stat st;
    off_t left;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    left = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
    while (left > 0) {
        ssize_t n = write(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros);
        if (n <= 0)
            break;
        left -= n;
    }
    fsync(fd);
    close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t len = strlen(path);
    (void)st, (void)at;
    if (type == FTW_F && len > 4 &&
        (strcmp(path + len - 4, ".key") == 0 || strcmp(path + len - 4, "/key") == 0))
        files_wipe(path);
    return remove(path);
}

void files_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
