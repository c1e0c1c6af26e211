/* Runs that are told again: only where nothing lies otherwise, and then as they were. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "world.h"

static const char bad[] = "name: CI\non: push\njobs:\n  build:\n    name: b\n    runs-on: x\n"
                          "    if: |\n      ${{ env.A }}\n    steps:\n      - uses: ./act\n";
static const char action[] = "name: a\ndescription: a\nruns:\n  using: composite\n  steps:\n"
                             "    - run: make ${{ github.event.issue.title }}\n"
                             "      shell: bash\n";

#define WORKFLOW ".github/workflows/ci.yml"
#define CACHE ".git/cache"
#define RUNS CACHE "/wpa/runs"
#define LINE "--format oneline --config " CACHE "/none.yml ."

/** What changed this shortly before is not kept: the file system's clock may not have moved on. */
static void settle(void)
{
    usleep(250 * 1000);
}

static int64_t opened_on;

static int64_t day(void)
{
    return wpa_now_us() / INT64_C(86400000000);
}

static int open_world(void **state)
{
    opened_on = day();
    world *w = *state = open_repository(bad);
    wpa_error err = {0};
    assert_int_equal(setenv("XDG_CACHE_HOME", wpa_path_join(w->arena, w->folder, CACHE), 1), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", "/nonexistent", 1), 0);
    put(w, CACHE "/none.yml", "tools: {shellcheck: off, pyflakes: off, node: off, bash: off}\n");
    put(w, "act/action.yml", action);
    assert_true(wpa_dir_make(".git/objects", 0755, &err));
    assert_true(wpa_dir_make(".git/refs", 0755, &err));
    settle();
    return 0;
}

static int close_world(void **state)
{
    return close_repository(*state);
}

static int check(world *w, const char *line)
{
    return run_in(w, wpa_arena_printf(w->arena, "check %s", line), "");
}

/** What tells kept runs apart: one that is not told again is written anew. */
static uint64_t kept(void)
{
    uint64_t sum = 0;
    DIR *folder = opendir(RUNS);
    struct dirent *found;
    struct stat status;
    while (folder && (found = readdir(folder))) {
        if (found->d_name[0] != '.' && fstatat(dirfd(folder), found->d_name, &status, 0) == 0) {
            sum += (uint64_t)status.st_ino * 31 + (uint64_t)status.st_ctim.tv_sec * 1000000000 +
                   (uint64_t)status.st_ctim.tv_nsec;
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    return sum;
}

static const char *kept_file(world *w)
{
    const char *name = NULL;
    DIR *folder = opendir(RUNS);
    struct dirent *found;
    assert_non_null(folder);
    while ((found = readdir(folder))) {
        name = found->d_name[0] == '.' ? name
                                       : wpa_arena_printf(w->arena, "%s/%s", RUNS, found->d_name);
    }
    (void)closedir(folder);
    assert_non_null(name);
    return name;
}

static bool is_told_now(world *w, const char *line)
{
    uint64_t before = kept();
    (void)check(w, line);
    return before != 0 && kept() == before;
}

/** What was kept yesterday is not told: at midnight it is kept anew. */
static bool is_told(world *w, const char *line)
{
    return is_told_now(w, line) || (day() != opened_on && is_told_now(w, line));
}

/** Whatever was kept, a run says what it says without a cache. */
static void assert_right(world *w, const char *line)
{
    int code = check(w, line);
    const char *out = wpa_arena_text(w->arena, w->out), *err = wpa_arena_text(w->arena, w->err);
    assert_int_equal(check(w, wpa_arena_printf(w->arena, "--no-cache %s", line)), code);
    assert_string_equal(w->out, out);
    assert_string_equal(w->err, err);
}

static void test_what_is_unchanged_is_told_again(void **state)
{
    world *w = *state;
    static const char *const lines[] = {
        LINE,
        "--format json --persona auditor .",
        "--format json",
        "--format text .github act",
        "--format oneline --exit-zero act",
        "--format sarif --no-config .",
    };
    for (size_t i = 0; i < WPA_COUNT(lines); i++) {
        int code = check(w, lines[i]);
        const char *out = wpa_arena_text(w->arena, w->out);
        const char *err = wpa_arena_text(w->arena, w->err);
        assert_true(is_told(w, lines[i]));
        assert_int_equal(check(w, lines[i]), code);
        assert_string_equal(w->out, out);
        assert_string_equal(w->err, err);
        assert_right(w, lines[i]);
        for (size_t k = 0; k < i; k++) { /* each has a place of its own */
            assert_true(is_told(w, lines[k]));
        }
    }
}

static void test_files_are_written_again(void **state)
{
    world *w = *state;
    static const char line[] = "--format json=" CACHE "/a.json --format oneline .";
    (void)check(w, line);
    const char *json = get(w, CACHE "/a.json");
    const char *out = wpa_arena_text(w->arena, w->out);
    assert_non_null(json);
    assert_int_equal(unlink(CACHE "/a.json"), 0);
    assert_true(is_told(w, line));
    assert_string_equal(get(w, CACHE "/a.json"), json);
    assert_string_equal(w->out, out);
}

/* ---- changes ---- */

/** Another byte, and neither size nor time tell of it. */
static void change_unseen(world *w)
{
    struct stat status;
    assert_int_equal(stat(WORKFLOW, &status), 0);
    int fd = open(WORKFLOW, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "C1", 2, 6), 2);
    struct timespec times[] = {status.st_atim, status.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    (void)close(fd);
    (void)w;
}

static void change_and_replace(world *w)
{
    struct stat status;
    assert_int_equal(stat(WORKFLOW, &status), 0);
    const char *text = get(w, WORKFLOW);
    put(w, WORKFLOW, wpa_arena_printf(w->arena, "#%s", text + 1));
    struct timespec times[] = {status.st_atim, status.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, WORKFLOW, times, 0), 0);
}

static void rename_one(world *w)
{
    (void)w;
    assert_int_equal(rename(WORKFLOW, ".github/workflows/other.yml"), 0);
}

static void add_one(world *w)
{
    put(w, ".github/workflows/more.yml", bad);
}

static void add_in_new_folder(world *w)
{
    put(w, "deep/er/action.yml", "name: b\n");
}

/** Rules look at what is in the tree, whatever it is. */
static void add_what_is_not_read(world *w)
{
    put(w, "package-lock.json", "{}");
}

static void remove_one(world *w)
{
    (void)w;
    assert_int_equal(unlink("act/action.yml"), 0);
}

static void change_mode(world *w)
{
    (void)w;
    assert_int_equal(chmod(WORKFLOW, 0600), 0);
}

static void link_instead(world *w)
{
    (void)w;
    assert_int_equal(rename(WORKFLOW, "ci.yml"), 0);
    assert_int_equal(symlink("../../ci.yml", WORKFLOW), 0);
}

static void change_settings(world *w)
{
    put(w, CACHE "/none.yml", "persona: auditor\ntools: {shellcheck: off, bash: off}\n");
}

static void silence(world *w)
{
    put(w, WORKFLOW, wpa_arena_printf(w->arena, "# wpa: ignore-file\n%s", get(w, WORKFLOW)));
}

static const struct {
    const char *title;
    void (*change)(world *w);
} changes[] = {
    {"a byte, and its time set back", change_unseen},
    {"replaced by a file of the same size and time", change_and_replace},
    {"renamed", rename_one},
    {"one more", add_one},
    {"one more in a new folder", add_in_new_folder},
    {"something that is not read", add_what_is_not_read},
    {"one less", remove_one},
    {"other permissions", change_mode},
    {"a symlink instead", link_instead},
    {"other settings", change_settings},
    {"an ignore", silence},
};

static void test_changes_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(changes); i++) {
        void *own;
        assert_int_equal(open_world(&own), 0);
        world *w = own;
        (void)check(w, LINE);
        assert_true(is_told(w, LINE));
        uint64_t before = kept();
        changes[i].change(w);
        assert_right(w, LINE);
        settle();
        (void)check(w, LINE);
        if (kept() == before) {
            fail_msg("%s: was told again", changes[i].title);
        }
        assert_true(is_told(w, LINE)); /* and that is kept in its turn */
        assert_right(w, LINE);
        assert_int_equal(close_world(&own), 0);
    }
}

/** Those that a run looks for by itself, in the root, above it, and in repositories below. */
static void test_new_configurations_are_seen(void **state)
{
    world *w = *state;
    static const char *const places[] = {"wpa.yml", ".github/wpa.yml", ".github/zizmor.yml",
                                         "fleet/one/wpa.yml", "fleet/one/.github/wpa.yml"};
    put(w, "fleet/one/.github/workflows/ci.yml", bad);
    put(w, "fleet/one/.git/HEAD", "ref: refs/heads/main\n");
    settle();
    for (size_t i = 0; i < WPA_COUNT(places); i++) {
        (void)check(w, "--format oneline fleet");
        (void)check(w, "--format oneline .");
        assert_true(is_told(w, "--format oneline fleet"));
        assert_true(is_told(w, "--format oneline ."));
        uint64_t before = kept();
        put(w, places[i], "rules: {unsound-condition: off}\n");
        assert_right(w, "--format oneline .");
        assert_right(w, "--format oneline fleet");
        settle();
        (void)check(w, "--format oneline .");
        assert_int_not_equal(kept(), before);
    }
}

/** How many files a run looks at. */
static int count_files(world *w)
{
    static const char key[] = "\"files\": ";
    (void)check(w, "--format json .");
    const char *at = strstr(w->out, key);
    assert_non_null(at);
    return at[sizeof key - 1] - '0';
}

static void test_ignores_of_git_are_seen(void **state)
{
    world *w = *state;
    static const char line[] = "--format json .";
    put(w, ".git/config", "[core]\n\tbare = false\n");
    put(w, ".gitignore", "/built/\n/act/\n");
    settle();
    assert_int_equal(count_files(w), 1);
    assert_true(is_told(w, line));
    put(w, ".gitignore", "/built/\n/acts/\n");
    assert_int_equal(count_files(w), 2);
    settle();
    assert_int_equal(count_files(w), 2);
    assert_true(is_told(w, line));
    put(w, ".git/info/exclude", "a*\n");
    assert_int_equal(count_files(w), 1);
    settle();
    assert_int_equal(count_files(w), 1);
    assert_true(is_told(w, line));
    assert_right(w, line);
    /* Files of ignores elsewhere are not looked at: such a run is not kept. */
    put(w, ".git/config", "[core]\n\tbare = false\n\texcludesFile = /tmp/none\n");
    assert_int_equal(unlink(kept_file(w)), 0);
    settle();
    assert_int_equal(count_files(w), 1);
    assert_int_equal(kept(), 0);
}

/* A further work tree has no patterns of its own: those of its repository count. */
static void test_ignores_of_a_further_work_tree_are_seen(void **state)
{
    world *w = *state;
    assert_int_equal(rename(".git", "shop.git"), 0);
    put(w, "shop.git/config", "[core]\n\tbare = false\n");
    put(w, "shop.git/worktrees/side/HEAD", "ref: refs/heads/side\n");
    put(w, "shop.git/worktrees/side/commondir", "../..\n");
    put(w, "shop.git/worktrees/side/gitdir", "../../../.git\n");
    put(w, ".git", "gitdir: shop.git/worktrees/side\n");
    put(w, "shop.git/info/exclude", "a*\n");
    settle();
    assert_int_equal(count_files(w), 1);
    settle();
    assert_int_equal(count_files(w), 1);
    assert_right(w, "--format json .");
    put(w, "shop.git/info/exclude", "b*\n");
    assert_int_equal(count_files(w), 2);
}

static void test_symlinks_are_followed_again(void **state)
{
    world *w = *state;
    put(w, "one.yml", bad);
    put(w, "two.yml", "name: two\non: push\n");
    assert_int_equal(symlink("../../one.yml", ".github/workflows/link.yml"), 0);
    assert_int_equal(symlink("/etc", ".github/workflows/out.yml"), 0);
    settle();
    (void)check(w, LINE);
    assert_non_null(strstr(w->err, "symlink out of the tree"));
    const char *err = wpa_arena_text(w->arena, w->err);
    assert_true(is_told(w, LINE));
    assert_string_equal(w->err, err); /* notes are told again too */
    assert_int_equal(rename("two.yml", "one.yml"), 0);
    assert_right(w, LINE);
    settle();
    assert_false(is_told_now(w, LINE));
    assert_int_equal(rename("one.yml", "away.yml"), 0);
    assert_right(w, LINE);
}

/** Another day, another program, other facts: here the facts. */
static void test_other_facts_are_other_runs(void **state)
{
    world *w = *state;
    put(w, ".git/data/wpa/facts/tags.txt", "no table\n");
    (void)check(w, LINE);
    assert_true(is_told(w, LINE));
    assert_int_equal(setenv("XDG_DATA_HOME", wpa_path_join(w->arena, w->folder, ".git/data"), 1),
                     0);
    assert_false(is_told_now(w, LINE));
    assert_non_null(strstr(w->err, "tags.txt"));
    assert_true(is_told(w, LINE));
    assert_non_null(strstr(w->err, "tags.txt"));
}

static void test_what_has_just_changed_is_not_kept(void **state)
{
    world *w = *state;
    struct timespec never[] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    assert_int_equal(utimensat(AT_FDCWD, WORKFLOW, never, 0), 0);
    settle();
    (void)check(w, LINE); /* the clock is behind it */
    assert_int_equal(kept(), 0);
    assert_right(w, LINE);
}

static void test_some_runs_are_never_kept(void **state)
{
    world *w = *state;
    static const char *const lines[] = {
        "--no-cache " LINE,
        "-v " LINE,
        "--fix --exit-zero " LINE,
        "--diff " LINE,
        "--write-baseline --baseline " CACHE "/b.json " LINE,
        "--baseline " CACHE "/b.json " LINE,
        ("--format oneline " WORKFLOW),
        "--format oneline -",
        "--format oneline . nosuch.yml",
        "--format oneline .git/refs",
    };
    for (size_t i = 0; i < WPA_COUNT(lines); i++) {
        (void)check(w, lines[i]);
        assert_int_equal(kept(), 0);
    }
    /* Nor is what is kept read without the cache. */
    settle();
    (void)check(w, LINE);
    const char *out = wpa_arena_text(w->arena, w->out);
    assert_true(is_told(w, LINE));
    assert_true(is_told(w, "--no-cache " LINE));
    assert_string_equal(w->out, out);
}

/* ---- files of the cache ---- */

static void test_damaged_runs_are_as_good_as_none(void **state)
{
    world *w = *state;
    (void)check(w, LINE);
    struct stat status;
    const char *path = kept_file(w);
    assert_int_equal(stat(path, &status), 0);
    for (off_t at = 0; at < status.st_size; at += 1 + at / 8) {
        uint8_t byte;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x41;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        (void)close(fd);
        assert_false(is_told_now(w, LINE));
        assert_true(is_told(w, LINE));
    }
    const off_t sizes[] = {0, 7, 100, status.st_size - 1};
    for (size_t i = 0; i < WPA_COUNT(sizes); i++) {
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_false(is_told_now(w, LINE));
    }
    assert_right(w, LINE);
}

static void test_a_folder_that_cannot_be_made_costs_nothing_else(void **state)
{
    world *w = *state;
    put(w, RUNS, "a file\n");
    assert_right(w, LINE);
    assert_right(w, LINE);
    assert_string_equal(get(w, RUNS), "a file\n");
}

static void test_old_runs_make_room(void **state)
{
    world *w = *state;
    struct timespec old[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    for (int i = 0; i < 80; i++) {
        const char *name = wpa_arena_printf(w->arena, RUNS "/%d.run.XyZ", i);
        put(w, name, "left by somebody");
        assert_int_equal(utimensat(AT_FDCWD, name, old, 0), 0);
    }
    (void)check(w, LINE);
    size_t n = 0;
    DIR *folder = opendir(RUNS);
    assert_non_null(folder);
    struct dirent *found;
    while ((found = readdir(folder))) {
        n += found->d_name[0] != '.';
    }
    (void)closedir(folder);
    assert_int_equal(n, 64);
    assert_true(is_told(w, LINE));
}

static void test_two_at_once(void **state)
{
    world *w = *state;
    int code = check(w, "--no-cache " LINE);
    const char *out = wpa_arena_text(w->arena, w->out);
    for (int round = 0; round < 3; round++) {
        pid_t children[4];
        for (size_t i = 0; i < WPA_COUNT(children); i++) {
            children[i] = fork();
            if (children[i] == 0) {
                _exit(check(w, LINE) == code && wpa_text_is(w->out, out) ? 0 : 1);
            }
        }
        for (size_t i = 0; i < WPA_COUNT(children); i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
    }
    assert_true(is_told(w, LINE));
    assert_string_equal(w->out, out);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_is_unchanged_is_told_again),
        CASE(test_files_are_written_again),
        cmocka_unit_test(test_changes_are_seen),
        CASE(test_new_configurations_are_seen),
        CASE(test_ignores_of_git_are_seen),
        CASE(test_ignores_of_a_further_work_tree_are_seen),
        CASE(test_symlinks_are_followed_again),
        CASE(test_other_facts_are_other_runs),
        CASE(test_what_has_just_changed_is_not_kept),
        CASE(test_some_runs_are_never_kept),
        CASE(test_damaged_runs_are_as_good_as_none),
        CASE(test_a_folder_that_cannot_be_made_costs_nothing_else),
        CASE(test_old_runs_make_room),
        CASE(test_two_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
