#include "cli/check_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "analysis/seen.h"
#include "auth/hash.h"
#include "core/mix.h"
#include "lint/lint.h"

#define BLOCK_BYTES ((size_t)64 * 1024)
#define MAGIC "wpa-run1" /* of this layout */

/* In front of a file: what was seen, the reports and what was said stand behind, in this order. */
typedef struct preface {
    char magic[8];
    uint64_t check; /* of all below and behind */
    uint8_t state[WPA_SHA256_SIZE];
    int64_t code;
    uint64_t seen_bytes, said_bytes;
    uint64_t text_bytes[WPA_CHECK_FORMATS_MAX];
} preface;

#define CHECKED_FROM offsetof(preface, state)

struct wpa_check_kept {
    wpa_arena *arena;
    const char *folder, *path;
    uint8_t state[WPA_SHA256_SIZE]; /* of what a run depends on besides the folders */
    wpa_seen *seen;                 /* borrowed */
    size_t n_lint_notes;            /* said before any script is looked at */
    wpa_check_told told;
    void *map; /* [map_bytes] the file, while it is told; or NULL */
    size_t map_bytes;
    char *draft; /* NULL: nothing is being kept */
    int fd;
    preface written;
    uint8_t *block; /* [block_bytes] of BLOCK_BYTES, on its way to the file */
    size_t block_bytes, total_bytes;
    uint64_t sum;
};

/* ---- which run it is ---- */

static void add_text(wpa_sha256_state *hash, const char *text)
{
    size_t length = text ? strlen(text) : SIZE_MAX;
    wpa_sha256_update(hash, &length, sizeof length);
    wpa_sha256_update(hash, text ? text : "", text ? length : 0);
}

/** Every option as it was given; how many threads there are changes nothing. */
static void add_options(wpa_sha256_state *hash, const wpa_cli *cli)
{
    for (size_t i = 0; i < cli->command->n_options; i++) {
        const char *name = cli->command->options[i].name;
        size_t n;
        const char *const *texts = wpa_cli_texts(cli, name, &n);
        if (wpa_text_is(name, "threads")) {
            continue;
        }
        wpa_sha256_update(hash, &n, sizeof n);
        for (size_t k = 0; k < n; k++) {
            add_text(hash, texts[k]);
        }
    }
}

/** A folder, and the repository that it lies in. */
static void add_folder(wpa_sha256_state *hash, const char *path, wpa_arena *arena)
{
    static const char *const names[] = {".git", ".github"};
    add_text(hash, path);
    add_text(hash, wpa_tree_real_path(path, arena));
    add_text(hash, wpa_tree_root(path, arena));
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const bool is_there = wpa_path_exists(wpa_path_join(arena, path, names[i]));
        wpa_sha256_update(hash, &is_there, sizeof is_there);
    }
}

static const char *file_name(const wpa_check_run *run, wpa_arena *arena)
{
    const wpa_check_options *options = run->options;
    wpa_sha256_state hash;
    uint8_t digest[WPA_SHA256_SIZE];
    char hex[WPA_BLAKE2B_HEX_SIZE];
    const bool has_colour = wpa_check_has_colour(run->cli);
    wpa_sha256_init(&hash);
    add_options(&hash, run->cli);
    wpa_sha256_update(&hash, &has_colour, sizeof has_colour);
    add_folder(&hash, ".", arena);
    for (size_t i = 0; i < options->n_paths; i++) {
        add_folder(&hash, options->paths[i], arena);
    }
    wpa_sha256_final(&hash, digest);
    return wpa_arena_printf(arena, "%s.run", wpa_blake2b_hex(digest, sizeof digest, hex));
}

/** The program itself, by how it lies on disk: another build says other things. */
static bool add_program(wpa_sha256_state *hash)
{
    struct stat status;
    if (stat("/proc/self/exe", &status) != 0) {
        return false;
    }
    const wpa_stamp stamp = wpa_stamp_of(&status);
    wpa_sha256_update(hash, &stamp, sizeof stamp);
    add_text(hash, WPA_VERSION);
    add_text(hash, wpa_rules_version());
    return true;
}

/** Tables that were refreshed, and the day: what lasts until a day is told by it. */
static void add_facts(wpa_sha256_state *hash, const wpa_check_run *run, wpa_arena *arena)
{
    const wpa_facts_loaded *facts = &run->cli->facts;
    const char *today = run->options->settings->today;
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        add_text(hash, wpa_facts_date((wpa_fact_table)i));
    }
    add_text(hash, wpa_facts_digest());
    add_text(hash, facts->path);
    add_text(hash, facts->told_path);
    add_text(hash, facts->fault);
    add_text(hash, today);
    add_text(hash, wpa_facts_age_note(today, arena));
}

/** Programs outside, by name and version, and what is said of those that are not there. */
static void add_tools(wpa_sha256_state *hash, const wpa_check_run *run)
{
    size_t n;
    const wpa_note *notes = wpa_lint_notes(run->lint, &n);
    add_text(hash, wpa_lint_programs_asked(run->lint));
    for (size_t i = 0; i < n; i++) {
        add_text(hash, notes[i].text);
    }
}

static bool make_state(const wpa_check_run *run, wpa_arena *arena, uint8_t state[WPA_SHA256_SIZE])
{
    wpa_sha256_state hash;
    wpa_sha256_init(&hash);
    bool ok = add_program(&hash);
    add_facts(&hash, run, arena);
    add_tools(&hash, run);
    add_text(&hash, setlocale(LC_ALL, NULL)); /* NOLINT(concurrency-mt-unsafe): only asked */
    wpa_sha256_final(&hash, state);
    return ok;
}

/* ---- which runs are kept ---- */

static bool has_summary(const wpa_check_options *options)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY"); /* NOLINT(concurrency-mt-unsafe) */
    for (size_t i = 0; path && *path && i < options->n_formats; i++) {
        if (wpa_text_is(options->formats[i].format->name, "github")) {
            return true;
        }
    }
    return false;
}

static bool has_baseline(const wpa_check_options *options)
{
    return options->baseline || options->settings->baseline || options->writes_baseline ||
           options->updates_baseline || options->diff_base;
}

static bool can_be_kept(const wpa_check_run *run)
{
    const wpa_check_options *options = run->options;
    if (!options->seen || !run->cache || options->has_no_cache || run->watch ||
        options->fix != WPA_CHECK_FIX_NONE || options->is_diff || has_baseline(options) ||
        options->settings->n_analysers || has_summary(options) ||
        wpa_cli_is_given(run->cli, "verbose")) {
        return false;
    }
    for (size_t i = 0; i < options->n_paths; i++) {
        if (!wpa_path_is_dir(options->paths[i])) {
            return false;
        }
    }
    return true;
}

wpa_check_kept *wpa_check_kept_open(const wpa_check_run *run)
{
    wpa_error err = {0};
    if (!can_be_kept(run)) {
        return NULL;
    }
    WPA_AUTO(wpa_check_kept) *kept = wpa_alloc(sizeof *kept);
    kept->arena = wpa_arena_new();
    kept->fd = -1;
    const char *folder = wpa_path_cache(kept->arena, &err);
    if (!folder || !make_state(run, kept->arena, kept->state)) {
        return NULL;
    }
    kept->folder = wpa_path_join(kept->arena, folder, "runs");
    kept->path = wpa_path_join(kept->arena, kept->folder, file_name(run, kept->arena));
    kept->seen = run->options->seen;
    (void)wpa_lint_notes(run->lint, &kept->n_lint_notes);
    return WPA_STEAL(kept);
}

static void drop_draft(wpa_check_kept *kept)
{
    if (kept->fd >= 0) {
        (void)close(kept->fd);
        (void)unlink(kept->draft);
    }
    kept->fd = -1;
    kept->draft = NULL;
}

void wpa_check_kept_close(wpa_check_kept *kept)
{
    if (!kept) {
        return;
    }
    drop_draft(kept);
    if (kept->map) {
        (void)munmap(kept->map, kept->map_bytes);
    }
    wpa_arena_free(kept->arena);
    wpa_free(kept);
}

/* ---- telling ---- */

static uint64_t add_block(uint64_t sum, const void *block, size_t size_bytes)
{
    const uint64_t both[] = {sum, wpa_mix(block, size_bytes)};
    return wpa_mix(both, sizeof both);
}

static uint64_t add_preface(uint64_t sum, const preface *p)
{
    return add_block(sum, (const uint8_t *)p + CHECKED_FROM, sizeof *p - CHECKED_FROM);
}

static bool map_file(wpa_check_kept *kept)
{
    struct stat status;
    int fd = open(kept->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    bool is_sound = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_size > (off_t)sizeof(preface) &&
                    (size_t)status.st_size <= WPA_KEPT_RUN_MAX_BYTES;
    void *map =
        is_sound ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0)
                 : MAP_FAILED;
    (void)close(fd);
    if (map == MAP_FAILED) {
        return false;
    }
    kept->map = map;
    kept->map_bytes = (size_t)status.st_size;
    return true;
}

/** Find the parts; false if they are not exactly all there is. */
static bool divide(wpa_check_kept *kept, const preface *p, const char *at)
{
    uint64_t left = kept->map_bytes - sizeof *p;
    wpa_check_told *told = &kept->told;
    if (p->seen_bytes > left) {
        return false;
    }
    at += p->seen_bytes;
    left -= p->seen_bytes;
    for (size_t i = 0; i < WPA_CHECK_FORMATS_MAX; i++) {
        if (p->text_bytes[i] > left) {
            return false;
        }
        told->texts[i] = at;
        told->text_bytes[i] = (size_t)p->text_bytes[i];
        at += p->text_bytes[i];
        left -= p->text_bytes[i];
    }
    told->said = at;
    told->said_bytes = (size_t)p->said_bytes;
    told->code = (int)p->code;
    return p->said_bytes == left;
}

static bool is_whole(const wpa_check_kept *kept, const preface *p)
{
    const uint8_t *at = kept->map, *end = at + kept->map_bytes;
    uint64_t sum = 0;
    at += sizeof *p;
    while (at < end) {
        size_t size_bytes = (size_t)(end - at) < BLOCK_BYTES ? (size_t)(end - at) : BLOCK_BYTES;
        sum = add_block(sum, at, size_bytes);
        at += size_bytes;
    }
    return add_preface(sum, p) == p->check;
}

const wpa_check_told *wpa_check_kept_find(wpa_check_kept *kept)
{
    preface p;
    if (!kept || !map_file(kept)) {
        return NULL;
    }
    memcpy(&p, kept->map, sizeof p);
    const char *body = (const char *)kept->map + sizeof p;
    bool is_usable = memcmp(p.magic, MAGIC, sizeof p.magic) == 0 &&
                     memcmp(p.state, kept->state, sizeof p.state) == 0 && divide(kept, &p, body) &&
                     is_whole(kept, &p) && wpa_seen_holds(body, (size_t)p.seen_bytes);
    return is_usable ? &kept->told : NULL;
}

/* ---- keeping ---- */

static void flush_block(wpa_check_kept *kept)
{
    wpa_error err = {0};
    if (kept->block_bytes == 0) {
        return;
    }
    kept->sum = add_block(kept->sum, kept->block, kept->block_bytes);
    if (!wpa_fd_write_all(kept->fd, kept->block, kept->block_bytes, &err)) {
        drop_draft(kept);
    }
    kept->block_bytes = 0;
}

static void put(wpa_check_kept *kept, const void *data, size_t size_bytes)
{
    const uint8_t *at = data;
    kept->total_bytes += size_bytes;
    if (kept->total_bytes > WPA_KEPT_RUN_MAX_BYTES) {
        drop_draft(kept);
    }
    while (kept->draft && size_bytes) {
        size_t room = BLOCK_BYTES - kept->block_bytes;
        size_t n = size_bytes < room ? size_bytes : room;
        memcpy(kept->block + kept->block_bytes, at, n);
        kept->block_bytes += n;
        at += n;
        size_bytes -= n;
        if (kept->block_bytes == BLOCK_BYTES) {
            flush_block(kept);
        }
    }
}

static void open_draft(wpa_check_kept *kept)
{
    wpa_error err = {0};
    if (!wpa_dir_make(kept->folder, 0700, &err)) {
        return;
    }
    char *draft = wpa_arena_printf(kept->arena, "%s.XXXXXX", kept->path);
    kept->fd = mkostemp(draft, O_CLOEXEC);
    kept->draft = kept->fd >= 0 ? draft : NULL;
}

/** Are its answers those of the next run too? What a limit or a broken file cut short is not. */
static bool is_lasting(const wpa_check_kept *kept, const wpa_check_run *run, wpa_tree *tree)
{
    size_t n_lint_notes;
    const wpa_results *results = wpa_tree_results(tree);
    (void)wpa_lint_notes(run->lint, &n_lint_notes);
    return n_lint_notes == kept->n_lint_notes && wpa_tree_count_unreadable(tree) == 0 &&
           wpa_results_count(results) > 0 && wpa_results_total(results)->n_notes == 0;
}

void wpa_check_kept_begin(wpa_check_kept *kept, const wpa_check_run *run, wpa_tree *tree)
{
    if (!kept || !is_lasting(kept, run, tree)) {
        return;
    }
    WPA_AUTO(wpa_buf) *seen = wpa_buf_new(WPA_SEEN_MAX_BYTES);
    if (!wpa_seen_write(kept->seen, seen)) {
        return;
    }
    open_draft(kept);
    kept->block = wpa_arena_alloc(kept->arena, BLOCK_BYTES);
    kept->total_bytes = sizeof kept->written;
    kept->written.seen_bytes = wpa_buf_size(seen);
    if (kept->draft && lseek(kept->fd, sizeof kept->written, SEEK_SET) < 0) {
        drop_draft(kept);
    }
    put(kept, wpa_buf_data(seen), wpa_buf_size(seen));
}

void wpa_check_kept_add(wpa_check_kept *kept, size_t i, const void *data, size_t size_bytes)
{
    if (kept && kept->draft) {
        kept->written.text_bytes[i] += size_bytes;
        put(kept, data, size_bytes);
    }
}

/* A file among those that are kept. */
typedef struct kept_file {
    const char *path;
    int64_t modified_ns;
    size_t size_bytes;
} kept_file;

static int compare_newest_first(const void *a, const void *b)
{
    const kept_file *x = a, *y = b;
    return x->modified_ns < y->modified_ns ? 1 : x->modified_ns > y->modified_ns ? -1 : 0;
}

/** The oldest go, drafts that nobody has finished among them. */
static void make_room(const wpa_check_kept *kept)
{
    wpa_seen_listing listing;
    size_t n = 0, all_bytes = 0;
    if (!wpa_seen_list(kept->folder, kept->arena, &listing)) {
        return;
    }
    kept_file *files = wpa_arena_array(kept->arena, listing.n + 1, sizeof *files);
    for (size_t i = 0; i < listing.n; i++) {
        struct stat status;
        const char *path = wpa_path_join(kept->arena, kept->folder, listing.entries[i].name);
        if (lstat(path, &status) == 0 && S_ISREG(status.st_mode)) {
            files[n++] =
                (kept_file){path, wpa_stamp_of(&status).modified_ns, (size_t)status.st_size};
        }
    }
    qsort(files, n, sizeof *files, compare_newest_first);
    for (size_t i = 0; i < n; i++) {
        all_bytes += files[i].size_bytes;
        if (i >= WPA_KEPT_MAX_RUNS || all_bytes > WPA_KEPT_MAX_BYTES) {
            (void)unlink(files[i].path);
        }
    }
}

/** Without fsync: a file that a crash leaves short or empty is as good as none. */
void wpa_check_kept_finish(wpa_check_kept *kept, const char *said, size_t said_bytes, int code)
{
    if (!kept || !kept->draft) {
        return;
    }
    put(kept, said, said_bytes);
    if (kept->draft) {
        flush_block(kept);
    }
    if (!kept->draft) {
        return;
    }
    preface *p = &kept->written;
    memcpy(p->magic, MAGIC, sizeof p->magic);
    memcpy(p->state, kept->state, sizeof p->state);
    p->code = code;
    p->said_bytes = said_bytes;
    p->check = add_preface(kept->sum, p);
    bool ok = pwrite(kept->fd, p, sizeof *p, 0) == (ssize_t)sizeof *p;
    ok = close(kept->fd) == 0 && ok;
    kept->fd = -1;
    if (!ok || rename(kept->draft, kept->path) != 0) {
        (void)unlink(kept->draft);
    }
    kept->draft = NULL;
    make_room(kept);
}
