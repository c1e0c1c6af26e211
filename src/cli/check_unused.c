/* What silences nothing: entries of the configuration and of the baseline, and globs without files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "cli/check_options.h"
#include "lint/lint.h"
#include "rules/leftover.h"

#define LEFTOVERS_MAX 1000
#define PACKED_MAX_BYTES ((size_t)16 << 20)
#define ID_SIZE 17

/* ---- what was looked at ---- */

/** The folder that a file of the configuration is about; absolute. */
static const char *folder_of(const char *file, wpa_arena *arena)
{
    static const char below[] = "/.github";
    const char *real = wpa_tree_real_path(file, arena);
    const char *slash = real ? strrchr(real, '/') : NULL;
    if (!slash) {
        return NULL;
    }
    char *folder = wpa_arena_slice(arena, real, (size_t)(slash - real));
    if (wpa_text_ends(folder, below)) {
        folder[strlen(folder) - (sizeof below - 1)] = '\0';
    }
    return folder;
}

static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 &&
           (path[length] == '\0' || path[length] == '/' || wpa_text_is(folder, "/"));
}

bool wpa_check_covers(const wpa_check_run *run, const char *file)
{
    wpa_arena *arena = run->cli->arena;
    const wpa_check_options *options = run->options;
    const char *folder = folder_of(file, arena);
    static const char *const here[] = {"."};
    const char *const *paths = options->n_paths ? options->paths : here;
    for (size_t i = 0; folder && i < (options->n_paths ? options->n_paths : 1); i++) {
        const char *root = options->n_paths ? NULL : wpa_tree_root(".", arena);
        const char *start = root ? root : paths[i];
        const char *real = wpa_path_is_dir(start) ? wpa_tree_real_path(start, arena) : NULL;
        if (real && is_within(folder, real)) {
            return true;
        }
    }
    return false;
}

/** Were rules left out for this run alone? */
static bool is_narrowed(const wpa_check_run *run)
{
    static const char *const options[] = {"only", "skip", "dimension", "kind"};
    bool is = false;
    for (size_t i = 0; i < WPA_COUNT(options); i++) {
        is = is || wpa_cli_is_given(run->cli, options[i]);
    }
    return is;
}

static bool has_note(const wpa_check_run *run, const char *rule)
{
    size_t n;
    const wpa_note *notes = wpa_lint_notes(run->lint, &n);
    bool has = false;
    for (size_t i = 0; i < n; i++) {
        has = has || wpa_text_is(notes[i].rule, rule);
    }
    return has;
}

static bool is_on(const wpa_check_run *run, const wpa_settings *settings, const wpa_rule *rule)
{
    if (rule == &wpa_rule_external) {
        return run->outside != NULL;
    }
    return wpa_settings_of(settings, rule)->toggle != WPA_TOGGLE_OFF &&
           !settings->dimension_off[rule->dimension] && !settings->kind_off[rule->kind] &&
           !has_note(run, rule->id);
}

bool wpa_check_has_run(void *context, const char *name)
{
    const wpa_check_run *run = context;
    const wpa_settings *settings = run->options->settings;
    const char *check;
    wpa_error err = {0};
    const wpa_rule *rule = wpa_rules_find(name, &check, &err);
    wpa_persona level = rule ? settings->dimension_persona[rule->dimension] : WPA_PERSONA_DEFAULT;
    level = level > settings->persona ? level : settings->persona;
    /* What is not shown is in no result, and yet may be there. */
    return rule && is_on(run, settings, rule) && rule->persona <= level &&
           settings->min_severity == (wpa_severity)0 &&
           settings->min_confidence == (wpa_confidence)0;
}

/* ---- the files that entries stand in ---- */

typedef struct leftover_file {
    const char *path, *text; /* NULL: cannot be read */
    size_t size_bytes;
    wpa_leftover *items; /* [n] */
    size_t n, capacity;
} leftover_file;

typedef struct leftovers {
    wpa_check_run *run;
    wpa_tree *tree;
    wpa_arena *arena;
    wpa_map *used;  /* ids of entries that silenced something, in hex */
    wpa_map *told;  /* of entries that were spoken of: place and id */
    wpa_map *files; /* path → leftover_file */
} leftovers;

/** As it is reached from the current folder, if it lies in it. */
static const char *shown_path(const char *path, wpa_arena *arena)
{
    const char *here = wpa_tree_real_path(".", arena);
    size_t length = here ? strlen(here) : 0;
    bool is_here = here && path[0] == '/' && is_within(path, here) && path[length] == '/';
    return is_here ? path + length + 1 : wpa_text_starts(path, "./") ? path + 2 : path;
}

/** One file may be reached by several paths. */
static leftover_file *file_at(leftovers *l, const char *path)
{
    const char *real = wpa_tree_real_path(path, l->arena);
    path = real ? real : path;
    leftover_file *file = wpa_map_get(l->files, path);
    if (!file) {
        wpa_error err = {0};
        file = wpa_arena_alloc(l->arena, sizeof *file);
        file->path = path;
        file->text = wpa_file_read(path, WPA_BASELINE_MAX_BYTES, l->arena, &file->size_bytes, &err);
        wpa_map_put(l->files, path, file);
    }
    return file;
}

/** What stands on a line, without the blanks and the dash in front. */
static wpa_span span_on(const leftover_file *file, size_t line)
{
    size_t at = 0;
    for (size_t n = 1; n < line && at < file->size_bytes; n++) {
        const char *stop = memchr(file->text + at, '\n', file->size_bytes - at);
        at = stop ? (size_t)(stop - file->text) + 1 : file->size_bytes;
    }
    size_t end = at + strcspn(file->text + at, "\r\n");
    at += strspn(file->text + at, " \t");
    at += file->text[at] == '-' ? 1 + strspn(file->text + at + 1, " \t") : 0;
    return (wpa_span){at < end ? at : end, end};
}

static void add_leftover(leftover_file *file, wpa_leftover item, wpa_arena *arena)
{
    if (file->text && file->n < LEFTOVERS_MAX) {
        file->items =
            wpa_arena_grow(arena, file->items, file->n, &file->capacity, sizeof *file->items);
        file->items[file->n++] = item;
    }
}

/* ---- entries of the configuration ---- */

static const char *id_text(uint64_t id, char text[ID_SIZE])
{
    (void)wpa_text_format(text, ID_SIZE, "%016llx", (unsigned long long)id);
    return text;
}

static void collect_used(leftovers *l)
{
    const wpa_results *results = wpa_tree_results(l->tree);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_arena_reset(scratch);
        wpa_result result = wpa_results_at(results, i, scratch);
        for (size_t k = 0; k < result.n_used; k++) {
            char text[ID_SIZE];
            if (!wpa_map_has(l->used, id_text(result.used[k], text))) {
                wpa_map_put(l->used, wpa_arena_text(l->arena, text), l);
            }
        }
    }
}

static bool fits_any(const leftovers *l, const wpa_ignore_entry *entry)
{
    const wpa_results *results = wpa_tree_results(l->tree);
    bool fits = false;
    for (size_t i = 0; i < wpa_results_count(results) && !fits; i++) {
        fits = wpa_ignore_entry_is_about(entry, wpa_results_identity(results, i));
    }
    return fits;
}

/** Have all rules run that the entry names? Without names: all there are. */
static bool have_run(const leftovers *l, const wpa_settings *settings,
                     const wpa_ignore_entry *entry)
{
    bool have_all = entry->n_rules > 0 || !is_narrowed(l->run);
    for (size_t i = 0; i < entry->n_rules && have_all; i++) {
        const char *check, *name = entry->rules[i];
        wpa_error err = {0};
        const wpa_rule *rule = wpa_rules_find(name, &check, &err);
        have_all = rule ? is_on(l->run, settings, rule) : !is_narrowed(l->run);
    }
    return have_all;
}

/** One that is meant for a file is spoken of there, where a rule sees it. */
static bool is_told_there(const leftovers *l, const wpa_ignore_entry *entry)
{
    const wpa_results *results = wpa_tree_results(l->tree);
    bool is_plain = entry->path && !strpbrk(entry->path, "*?[{") && !entry->is_base_name;
    bool is_told = false;
    for (size_t i = 0; is_plain && entry->n_rules && i < wpa_results_count(results); i++) {
        is_told = is_told || wpa_text_is(wpa_results_identity(results, i), entry->path);
    }
    return is_told;
}

static const char *quoted(const char *text, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "'%s'", wpa_text_visible(arena, text, strlen(text), false));
}

static const char *what_it_says(const wpa_ignore_entry *entry, wpa_arena *arena)
{
    return entry->n_rules       ? quoted(entry->rules[0], arena)
           : entry->message     ? quoted(entry->message, arena)
           : entry->fingerprint ? quoted(entry->fingerprint, arena)
           : entry->path        ? quoted(entry->path, arena)
                                : "everything";
}

/** Whatever it silences. */
static void judge_reason(leftovers *l, const wpa_settings *settings, const wpa_ignore_entry *entry)
{
    bool lacks =
        settings->require_reason && !entry->has_no_room && !(entry->reason && *entry->reason);
    leftover_file *file =
        lacks && wpa_check_covers(l->run, entry->file) ? file_at(l, entry->file) : NULL;
    if (file && file->text) {
        add_leftover(file,
                     (wpa_leftover){.span = span_on(file, entry->at_line),
                                    .check = "I5",
                                    .message = "this ignore gives no reason"},
                     l->arena);
    }
}

static void judge_entry(leftovers *l, const wpa_settings *settings, const wpa_ignore_entry *entry)
{
    char id[ID_SIZE];
    const char *path = entry->file ? wpa_tree_real_path(entry->file, l->arena) : NULL;
    const char *key = wpa_arena_printf(l->arena, "%s:%zu:%s", path ? path : "", entry->at_line,
                                       id_text(wpa_ignore_entry_id(entry), id));
    if (!path || wpa_map_has(l->told, key)) {
        return;
    }
    wpa_map_put(l->told, key, l);
    judge_reason(l, settings, entry);
    if (wpa_map_has(l->used, id)) {
        return;
    }
    bool has_file = fits_any(l, entry);
    bool has_ended = entry->until && strcmp(entry->until, settings->today) < 0;
    if (!wpa_check_covers(l->run, entry->file) || is_told_there(l, entry) ||
        (has_file && !have_run(l, settings, entry))) {
        return;
    }
    leftover_file *file = file_at(l, entry->file);
    wpa_leftover item = {.check = has_ended ? "I4" : "I6"};
    item.span = file->text ? span_on(file, entry->at_line) : item.span;
    item.is_for_auditors = entry->is_base_name; /* zizmor itself may still need it */
    const char *what = what_it_says(entry, l->arena);
    item.message =
        has_ended ? wpa_arena_printf(l->arena, "this ignore of %s ended on %s", what, entry->until)
        : !has_file
            ? wpa_arena_printf(l->arena, "no file that was checked fits %s, so nothing is ignored",
                               quoted(entry->path, l->arena))
            : wpa_arena_printf(l->arena, "nothing is silenced by this ignore of %s", what);
    add_leftover(file, item, l->arena);
}

static void judge_entries(leftovers *l, const wpa_settings *settings)
{
    for (size_t i = 0; i < settings->n_ignores; i++) {
        judge_entry(l, settings, &settings->ignores[i]);
    }
}

/* ---- entries of the baseline ---- */

/** Where the text stands; entries come in the order of the file, so it is looked for from the last
    one on. 0: nowhere. */
static size_t find_from(const leftover_file *file, size_t from, const char *text)
{
    size_t length = strlen(text);
    const char *at = memmem(file->text + from, file->size_bytes - from, text, length);
    at = at ? at : memmem(file->text, file->size_bytes, text, length);
    return at ? (size_t)(at - file->text) : 0;
}

static void judge_baseline(leftovers *l)
{
    const char *path = wpa_check_baseline_file(l->run);
    wpa_baseline_gone *gone = wpa_arena_array(l->arena, LEFTOVERS_MAX, sizeof *gone);
    size_t n = wpa_baseline_list_gone(l->run->baseline, gone, LEFTOVERS_MAX);
    leftover_file *file = n && wpa_path_exists(path) ? file_at(l, path) : NULL;
    size_t start = 0;
    for (size_t i = 0; file && file->text && i < n; i++) {
        start = find_from(file, start, gone[i].fingerprint);
        add_leftover(file,
                     (wpa_leftover){
                         .span = {start, start ? start + strlen(gone[i].fingerprint) : 0},
                         .check = "I7",
                         .message = wpa_arena_printf(
                             l->arena, "the finding of %s in %s that the baseline knows is gone",
                             gone[i].rule, quoted(gone[i].path, l->arena)),
                     },
                     l->arena);
    }
}

/* ---- globs of paths ---- */

static bool fits_a_file(const leftovers *l, const char *glob)
{
    const wpa_results *results = wpa_tree_results(l->tree);
    bool fits = false;
    for (size_t i = 0; i < wpa_results_count(results) && !fits; i++) {
        fits = wpa_glob_fits(glob, wpa_results_identity(results, i));
    }
    return fits;
}

static void note_glob(leftovers *l, const char *path, const char *what, const char *glob)
{
    wpa_check_run *run = l->run;
    const leftover_file *file = file_at(l, path);
    const char *at = file->text ? memmem(file->text, file->size_bytes, glob, strlen(glob)) : NULL;
    size_t line = 1;
    for (const char *c = file->text; at && c < at; c++) {
        line += *c == '\n';
    }
    const char *shown = shown_path(path, l->arena);
    run->notes = wpa_arena_grow(run->cli->arena, run->notes, run->n_notes, &run->notes_capacity,
                                sizeof *run->notes);
    run->notes[run->n_notes++] = (wpa_note){
        .path = at ? wpa_arena_printf(run->cli->arena, "%s:%zu", shown, line)
                   : wpa_arena_text(run->cli->arena, shown),
        .text = wpa_arena_printf(run->cli->arena, "no file that wpa reads fits %s of %s",
                                 quoted(glob, l->arena), what),
    };
}

/** Most files have none, and who names thousands of paths waits for each to be looked at. */
static bool has_globs(const wpa_settings *settings)
{
    size_t n_rules, n = settings->n_exclude + settings->n_path_settings;
    (void)wpa_rules_all(&n_rules);
    for (size_t i = 0; i < n_rules; i++) {
        n += settings->rules[i].paths.n;
    }
    return n > 0;
}

static void judge_globs(leftovers *l, const wpa_settings *settings)
{
    size_t n_rules;
    const wpa_rule *const *rules = wpa_rules_all(&n_rules);
    if (!settings->file || !has_globs(settings) || !wpa_check_covers(l->run, settings->file)) {
        return;
    }
    for (size_t i = 0; i < settings->n_exclude; i++) {
        if (!wpa_tree_has_excluded(l->tree, settings->exclude[i])) {
            note_glob(l, settings->file, "paths.exclude", settings->exclude[i]);
        }
    }
    for (size_t i = 0; i < settings->n_path_settings; i++) {
        const wpa_path_setting *at = &settings->path_settings[i];
        if (!fits_a_file(l, at->glob)) {
            note_glob(l, at->file, "paths", at->glob);
        }
    }
    for (size_t i = 0; i < n_rules; i++) {
        const wpa_text_list *paths = &settings->rules[i].paths;
        for (size_t k = 0; k < paths->n; k++) {
            if (!fits_a_file(l, paths->items[k])) {
                note_glob(l, settings->file,
                          wpa_arena_printf(l->arena, "rules.%s.paths", rules[i]->id),
                          paths->items[k]);
            }
        }
    }
}

/* ---- the whole ---- */

static int compare_leftovers(const void *a, const void *b)
{
    const wpa_leftover *x = a, *y = b;
    return x->span.start < y->span.start ? -1 : x->span.start > y->span.start;
}

static void put_file(leftovers *l, const leftover_file *file)
{
    wpa_arena *kept = l->run->cli->arena; /* results borrow paths */
    const char *path = wpa_arena_text(kept, shown_path(file->path, l->arena));
    qsort(file->items, file->n, sizeof *file->items, compare_leftovers);
    wpa_result result = wpa_leftovers_report(path, path, file->text, file->size_bytes, file->items,
                                             file->n, l->run->options->settings, l->arena);
    if (result.n_findings == 0) {
        return;
    }
    WPA_AUTO(wpa_buf) *packed = wpa_buf_new(PACKED_MAX_BYTES);
    wpa_result_counts counts;
    wpa_result_pack(&result, true, packed);
    wpa_result_count(&result, &counts);
    wpa_results_put(wpa_tree_results(l->tree), path, "", path, wpa_buf_data(packed),
                    wpa_buf_size(packed), &counts);
}

void wpa_check_add_leftovers(wpa_check_run *run, wpa_tree *tree)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_settings *settings = run->options->settings;
    leftovers l = {run, tree, arena, wpa_map_new(arena), wpa_map_new(arena), wpa_map_new(arena)};
    run->n_notes = 0;
    if (settings->ignores_off || run->options->diff_base) {
        return;
    }
    size_t n_ignores = settings->n_ignores;
    for (size_t i = 0; i < run->n_configured; i++) {
        n_ignores += run->configured[i]->n_ignores;
    }
    if (n_ignores) {
        collect_used(&l);
        judge_entries(&l, settings);
    }
    for (size_t i = 0; i < run->n_configured; i++) {
        judge_entries(&l, run->configured[i]);
    }
    judge_globs(&l, settings);
    if (run->baseline && !run->options->writes_baseline && !run->options->updates_baseline) {
        judge_baseline(&l);
    }
    for (size_t i = 0; i < wpa_map_count(l.files); i++) {
        void *file;
        (void)wpa_map_at(l.files, i, &file);
        if (((const leftover_file *)file)->n) {
            put_file(&l, file);
        }
    }
    wpa_results_close(wpa_tree_results(tree));
}
