#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/text.h>

#include "sandbox/parts.h"

#define SHARED_MEMORY_BYTES (64 << 20)
#define SCRIPT_MAX_BYTES (256 << 10)
#define INSIDE_ID "1000"

/* Programs, and what those need to run that only read and print. Each costs a mount, and bubblewrap
 * looks through all of them again for the next. */
static const char *const programs[] = {
    "/usr",
    "/opt",
    "/etc/ld.so.cache",
    "/etc/alternatives",
};
/* What others need. Not /etc as a whole: it holds keys and passwords. */
static const char *const shown[] = {
    "/etc/ld.so.conf",      "/etc/ld.so.conf.d",   "/etc/nsswitch.conf", "/etc/localtime",
    "/etc/timezone",        "/etc/mime.types",     "/etc/ssl/certs",     "/etc/ssl/openssl.cnf",
    "/etc/java-17-openjdk", "/etc/python3",        "/etc/perl",          "/etc/services",
    "/etc/protocols",       "/etc/debian_version", "/etc/os-release",    "/etc/bash.bashrc",
    "/etc/profile",         "/etc/magic",
};
/* Links into /usr on merged systems, folders elsewhere. */
static const char *const merged[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
static const char *const devices[] = {"/dev/null", "/dev/urandom", "/dev/zero", "/dev/full",
                                      "/dev/random"};
#define READER_DEVICES 2

typedef struct arg_list {
    wpa_arena *arena;
    char **items;
    size_t n, capacity;
} arg_list;

static void add(arg_list *list, const char *arg)
{
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = wpa_arena_text(list->arena, arg);
}

static void add_all(arg_list *list, const char *const args[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(list, args[i]);
    }
}

#define ADD(list, ...)                                                                             \
    add_all((list), (const char *const[]){__VA_ARGS__},                                            \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *number(arg_list *list, int64_t value)
{
    return wpa_arena_printf(list->arena, "%" PRId64, value);
}

const char *sandbox_find_bwrap(wpa_error *err)
{
    static const char *const places[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"};
    for (size_t i = 0; i < WPA_COUNT(places); i++) {
        if (access(places[i], X_OK) == 0) {
            return places[i];
        }
    }
    WPA_FAIL(err, WPA_E_UNAVAILABLE, "bubblewrap is not installed (package bubblewrap)");
    return NULL;
}

static void add_shown(arg_list *list, const char *const paths[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ADD(list, "--ro-bind-try", paths[i], paths[i]);
    }
}

static void add_tools(arg_list *list, bool is_reader)
{
    add_shown(list, programs, WPA_COUNT(programs));
    add_shown(list, shown, is_reader ? 0 : WPA_COUNT(shown));
    for (size_t i = 0; i < WPA_COUNT(merged); i++) {
        char target[256];
        ssize_t length = readlink(merged[i], target, sizeof target - 1);
        if (length > 0) {
            target[length] = '\0';
            ADD(list, "--symlink", target, merged[i]);
        } else {
            ADD(list, "--ro-bind-try", merged[i], merged[i]);
        }
    }
    for (size_t i = 0; i < (is_reader ? READER_DEVICES : WPA_COUNT(devices)); i++) {
        ADD(list, "--dev-bind", devices[i], devices[i]);
    }
    ADD(list, "--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/0",
        "/dev/stdin");
    ADD(list, "--symlink", "/proc/self/fd/1", "/dev/stdout");
    ADD(list, "--symlink", "/proc/self/fd/2", "/dev/stderr", "--proc", "/proc");
}

static void add_etc(arg_list *list, bool has_network)
{
    ADD(list, "--ro-bind-data", number(list, CHILD_FD_PASSWD), "/etc/passwd");
    ADD(list, "--ro-bind-data", number(list, CHILD_FD_GROUP), "/etc/group");
    ADD(list, "--ro-bind-data", number(list, CHILD_FD_HOSTS), "/etc/hosts");
    if (has_network) {
        ADD(list, "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf");
    }
}

static void add_work(arg_list *list, const wpa_sandbox_limits *limits)
{
    const char *size = number(list, limits->work_bytes);
    ADD(list, "--size", size, "--tmpfs", "/repo", "--size", size, "--tmpfs", "/tmp");
    ADD(list, "--dir", "/tmp/home", "--size", number(list, SHARED_MEMORY_BYTES), "--tmpfs",
        "/dev/shm", "--remount-ro", "/", "--chdir", "/repo");
}

static void add_environment(arg_list *list, const char *const *environment)
{
    static const char *const base[][2] = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"HOME", "/tmp/home"},
        {"TMPDIR", "/tmp"},
        {"LANG", "C.UTF-8"},
        {"USER", "wpa"},
        {"LOGNAME", "wpa"},
        {"CI", "true"},
    };
    ADD(list, "--clearenv");
    for (size_t i = 0; i < WPA_COUNT(base); i++) {
        ADD(list, "--setenv", base[i][0], base[i][1]);
    }
    for (size_t i = 0; environment && environment[i]; i++) {
        const char *pair = environment[i];
        size_t length = 0;
        while (pair[length] && pair[length] != '=') {
            length++;
        }
        if (length > 0 && pair[length] == '=') {
            ADD(list, "--setenv", wpa_arena_slice(list->arena, pair, length), pair + length + 1);
        }
    }
}

/**
 * Inside, because there they count this user namespace only. The program gets a session of its own
 * there too, so that it can end its group and not ours; bubblewrap's --new-session would take its
 * first process out of our reach before that has bound its life to bubblewrap's.
 */
static void add_limits(arg_list *list, const wpa_sandbox_limits *limits, bool is_memory_grouped)
{
    ADD(list, "--", "/usr/bin/setsid", "/usr/bin/prlimit");
    add(list, wpa_arena_printf(list->arena, "--nproc=%" PRId64, limits->processes));
    add(list, wpa_arena_printf(list->arena, "--fsize=%" PRId64, limits->file_bytes));
    add(list, wpa_arena_printf(list->arena, "--cpu=%" PRId64, limits->cpu_s));
    add(list, "--core=0");
    if (!is_memory_grouped) {
        /* Address space is a poor measure (some runtimes reserve much), but the only one left. */
        add(list, wpa_arena_printf(list->arena, "--as=%" PRId64, limits->memory_bytes));
    }
    add(list, "--");
}

static void quote(wpa_buf *script, const char *text)
{
    wpa_buf_char(script, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            wpa_buf_text(script, "'\\''");
        } else {
            wpa_buf_char(script, *text);
        }
    }
    wpa_buf_char(script, '\'');
}

/*
 * Unpack, run, kill what stayed behind, hand the reports out. All of it runs inside, so it is
 * trusted with nothing: what it says is read as what the program itself might have said.
 */
static const char *make_script(const wpa_sandbox_request *request, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *script = wpa_buf_new(SCRIPT_MAX_BYTES);
    wpa_buf_text(script, "tar -xf - <&3 && exec 3<&- && cd -- ");
    quote(script, wpa_arena_printf(arena, "./%s", request->folder ? request->folder : ""));
    wpa_buf_text(script, " && printf 'ready\\n' >&4 || exit 125\n"
                         "\"$@\" <");
    quote(script,
          request->input ? wpa_arena_printf(arena, "/repo/%s", request->input) : "/dev/null");
    wpa_buf_text(script, " 4>&-\n"
                         "code=$?\n"
                         "kill -KILL -1 2>/dev/null\n"
                         "printf 'done\\n' >&4\n");
    if (request->outputs && request->outputs[0]) {
        wpa_buf_text(script, "cd /repo && find . -type f '('");
        for (size_t i = 0; request->outputs[i]; i++) {
            wpa_buf_text(script, i ? " -o -path " : " -path ");
            quote(script, wpa_arena_printf(arena, "./%s", request->outputs[i]));
        }
        wpa_buf_text(script, " ')' -print0 | sort -z | "
                             "tar -cf - --format=gnu --null --no-recursion -T - >&4 2>/dev/null\n");
    }
    wpa_buf_text(script, "exit $code\n");
    return wpa_buf_dup(script, arena);
}

char *const *sandbox_command(const wpa_sandbox_request *request, const char *bwrap,
                             bool is_memory_grouped, wpa_arena *arena)
{
    arg_list list = {.arena = arena};
    wpa_sandbox_limits limits = sandbox_limits_of(request);
    ADD(&list, bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent");
    ADD(&list, "--uid", INSIDE_ID, "--gid", INSIDE_ID, "--hostname", "sandbox");
    if (request->has_network) {
        add(&list, "--share-net");
    }
    add_environment(&list, request->environment);
    add_tools(&list, request->is_reader);
    add_etc(&list, request->has_network);
    add_work(&list, &limits);
    ADD(&list, "--cap-drop", "ALL", "--seccomp", number(&list, CHILD_FD_SECCOMP));
    ADD(&list, "--json-status-fd", number(&list, CHILD_FD_STATUS));
    add_limits(&list, &limits, is_memory_grouped);
    ADD(&list, "/bin/sh", "-c", make_script(request, arena), "sh");
    for (size_t i = 0; request->argv[i]; i++) {
        add(&list, request->argv[i]);
    }
    list.items = wpa_arena_grow(arena, list.items, list.n, &list.capacity, sizeof *list.items);
    list.items[list.n] = NULL;
    return list.items;
}
