#define _GNU_SOURCE /* unshare */
#include "engine/cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct cmd_option options[] = {
    {"--help", NULL, "this text"},
    {0},
};

/* What one world needs. NULL: it is there; else what is lacking, in words. */
struct need {
    const char *world;
    const char *(*lacking)(void);
    const char *remedy;
};

static bool program(const char *name)
{
    const char *path = getenv("PATH"), *usual = "/usr/sbin:/sbin:/usr/bin:/bin";
    char all[PATH_MAX], file[PATH_MAX + 64], *save = NULL;
    snprintf(all, sizeof all, "%s:%s", path ? path : "", usual);
    for (char *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        snprintf(file, sizeof file, "%s/%s", dir, name);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

static const char *lack_ns3(void)
{
    static const char *const places[] = {"", "/../libexec/partyline"};
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    if (n > 0)
        *strrchr(self, '/') = 0;
    for (size_t i = 0; n > 0 && i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s%s/partyline-ns3", self, places[i]);
        if (access(path, X_OK) == 0)
            return NULL;
    }
    return "the program partyline-ns3";
}

static const char *lack_ip(void)
{
    return program("ip") ? NULL : "the command ip";
}

static const char *lack_nft(void)
{
    return program("nft") ? NULL : "the command nft";
}

static const char *lack_coturn(void)
{
    return program("turnserver") ? NULL : "coturn, for services of the role turn";
}

static const char *lack_overlay(void)
{
    char line[64];
    bool found = false;
    FILE *f = fopen("/proc/filesystems", "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, "overlay") != NULL;
    if (f)
        fclose(f);
    return found ? NULL : "the file system overlay";
}

/* In a process of its own: what it makes ends with it. */
static const char *lack_namespaces(void)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS) == 0 ? 0 : 1);
    if (pid > 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? NULL
               : "the right to make network namespaces";
}

static const char *lack_tun(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return "/dev/net/tun, or the right to use it";
    close(fd);
    return NULL;
}

static const char *lack_ansible(void)
{
    return program("ansible-playbook") ? NULL : "the command ansible-playbook";
}

static const char *lack_ssh(void)
{
    return program("ssh") ? NULL : "the command ssh";
}

static const struct need needs[] = {
    {"ns3", lack_ns3, "apt-get install libns3-dev libgsl-dev && make ns3"},
    {"lab", lack_ip, "apt-get install iproute2"},
    {"lab", lack_nft, "apt-get install nftables"},
    {"lab", lack_namespaces, "run it as root (sudo), outside of a container without CAP_SYS_ADMIN"},
    {"lab", lack_tun, "modprobe tun, as root; in a container: --device /dev/net/tun"},
    {"lab", lack_overlay, "modprobe overlay, as root"},
    {"lab", lack_coturn, "apt-get install coturn"},
    {"local", lack_coturn, "apt-get install coturn"},
    {"hosts", lack_ansible, "apt-get install ansible-core"},
    {"hosts", lack_ssh, "apt-get install openssh-client"},
};

static const char *const worlds[] = {"sim", "ns3", "local", "lab", "hosts", NULL};

static bool known(const char *name)
{
    for (size_t i = 0; worlds[i]; i++)
        if (strcmp(worlds[i], name) == 0)
            return true;
    fprintf(stderr, "partyline doctor: there is no world %s; there are: sim ns3 local lab hosts\n",
            name);
    return false;
}

static bool examine(const char *world)
{
    bool good = true;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        const char *lacking = strcmp(needs[i].world, world) == 0 ? needs[i].lacking() : NULL;
        if (!lacking)
            continue;
        printf("%-6s lacks %s: %s\n", world, lacking, needs[i].remedy);
        good = false;
    }
    if (good)
        printf("%-6s has all it needs\n", world);
    return good;
}

static int run(const struct cmd_args *args)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < args->n_files; i++)
        if (!known(args->files[i]))
            return EXIT_USAGE;
    for (size_t i = 0; i < args->n_files; i++)
        if (!examine(args->files[i]))
            code = EXIT_LACKING;
    for (size_t i = 0; args->n_files == 0 && worlds[i]; i++)
        examine(worlds[i]);
    return code;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .usage = "[WORLD...]",
    .help = "Says what this machine lacks for each world, or for those named, and what installs\n"
            "it. Exit 11 if something is lacking for a world that was named.",
    .options = options,
    .run = run,
};
