#include "engine/cmd/cmd.h"

#include "engine/plugins.h"
#include "engine/run/suggest.h"
#include "version.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The program's own scenarios: beside the program in a checkout, or where it was installed. */
static void find_scenarios(void)
{
    static char dir[PATH_MAX + 64];
    static const char *const places[] = {"/scenarios", "/../scenarios",
                                         "/../share/partyline/scenarios",
                                         "/../../share/partyline/scenarios"};
    char self[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = 0;
    *strrchr(self, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(dir, sizeof dir, "%s%s", self, places[i]);
        if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) {
            scenario_set_data_dir(dir);
            return;
        }
    }
}

static int unknown_command(const char *name)
{
    struct suggest near = suggest_for(name);
    char hint[96];
    for (size_t i = 0; cmd_table[i]; i++)
        suggest_offer(&near, cmd_table[i]->name);
    fprintf(stderr, "partyline: there is no command \"%s\"%s; see partyline help\n", name,
            suggest_text(&near, hint, sizeof hint));
    return EXIT_USAGE;
}

/* The world that is asked for, if another executable of ours has it; else NULL. */
static const struct world *elsewhere(const struct cmd_args *args)
{
    const char *name = cmd_given(args, "--world");
    const struct world *w = name ? plugin_world(name) : NULL;
    return w && !w->run ? w : NULL;
}

/* It takes over, with the same arguments; returns only if it is not there. */
static int become(const struct world *w, char **argv)
{
    static const char *const places[] = {"", "/../libexec/partyline"};
    char self[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    if (n > 0)
        *strrchr(self, '/') = 0;
    for (size_t i = 0; n > 0 && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s%s/%s", self, places[i], w->program);
        execv(path, argv);
    }
    fprintf(stderr, "partyline: the world %s needs the program %s, which is not there. %s\n",
            w->name, w->program, w->lacking);
    return EXIT_LACKING;
}

static int command(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    struct cmd_args args;
    if (sodium_init() < 0) {
        fprintf(stderr, "partyline: libsodium does not start\n");
        return EXIT_LACKING;
    }
    find_scenarios();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0) {
        printf("partyline %s (%s)\n", PARTYLINE_VERSION, PARTYLINE_REVISION);
        return EXIT_DONE;
    }
    for (size_t i = 0; cmd_table[i]; i++) {
        if (strcmp(cmd_table[i]->name, name) != 0)
            continue;
        if (cmd_parse(cmd_table[i], argc > 2 ? argc - 2 : 0, argv + 2, &args) != OK)
            return EXIT_USAGE;
        if (cmd_given(&args, "--help")) {
            cmd_print_help(cmd_table[i], stdout);
            return EXIT_DONE;
        }
        return elsewhere(&args) ? become(elsewhere(&args), argv) : cmd_table[i]->run(&args);
    }
    return unknown_command(name);
}

int main(int argc, char **argv)
{
    int code = command(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "partyline: stdout: %s\n", strerror(errno));
    return code == EXIT_DONE ? EXIT_LACKING : code;
}
