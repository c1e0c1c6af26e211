/* Rules over files whose trees are there, or are made now: bundle by bundle. */
#include <wpa/memory.h>

#include "analysis/key.h"
#include "analysis/unit.h"
#include "core/paged.h"

/* With fewer than this each, threads would wait for the one that has the last bundle. */
#define BUNDLES_PER_THREAD 2

/* Files that have their turn, as they are handed out. */
typedef struct bundles {
    wpa_tree *tree;
    wpa_unit_file **files; /* all of them */
    size_t *starts;        /* [n + 1] of bundles among them */
    size_t n;
} bundles;

static bool has_turn(const wpa_unit_file *file)
{
    return file->state == WPA_UNIT_WAITING && !file->is_twice;
}

/** The graph is made once the trees are there: what was parsed before it learns of it now. */
static const wpa_source *source_of(const bundles *b, wpa_unit_file *file, wpa_arena *arena)
{
    if (!file->shown.source) { /* next to what rules make: in memory that the last file was in */
        wpa_unit_parse(file, arena);
    }
    wpa_source *source = wpa_arena_dup(arena, file->shown.source, sizeof *source);
    if (b->tree->options->cache) { /* else nobody asks what the result depends on */
        source->around = wpa_surroundings_traced(&file->unit->around, arena);
    }
    file->shown.source = source;
    file->shown.settings = wpa_settings_at(file->shown.settings, file->identity, arena);
    return source;
}

/** Nobody looks at a result again before all of them are reported. */
static bool are_final(const wpa_tree_options *options)
{
    return !options->cache && !options->fixes && !options->outside && !options->baseline;
}

/** To those of the tree; packed is room for it. */
static void put(const bundles *b, const wpa_unit_file *file, const wpa_result *result,
                wpa_buf *packed)
{
    wpa_result_counts counts;
    wpa_buf_truncate(packed, 0);
    wpa_result_pack(result, b->tree->options->has_excerpts, packed);
    wpa_result_count(result, &counts);
    wpa_results_put(b->tree->results, file->shown.path, file->unit->around.prefix, file->identity,
                    wpa_buf_data(packed), wpa_buf_size(packed), &counts);
}

static void keep(const bundles *b, wpa_unit_file *file, const wpa_result *result, wpa_buf *packed)
{
    const wpa_tree_options *options = b->tree->options;
    file->state = WPA_UNIT_DONE;
    if (are_final(options)) {
        put(b, file, result, packed);
    } else {
        wpa_key_pack(options->cache, file, result, options->has_excerpts);
        wpa_unit_put_early(b->tree, file);
    }
}

static void copy_notes(const wpa_fix_outcome *from, wpa_fix_outcome *to, wpa_arena *arena)
{
    wpa_note *notes = wpa_arena_array(arena, from->n_notes, sizeof *notes);
    for (size_t i = 0; i < from->n_notes; i++) {
        const wpa_note *note = &from->notes[i];
        notes[i] = (wpa_note){.path = wpa_arena_text(arena, note->path),
                              .rule = note->rule,
                              .text = wpa_arena_text(arena, note->text)};
    }
    to->notes = notes;
    to->n_notes = from->n_notes;
}

/** What is delivered, and what fixes over several files begin with: of many files that is little,
    and what it was made of is much. */
static void keep_outcome(const wpa_fix_choice *choice, wpa_unit_file *file,
                         const wpa_fix_outcome *from)
{
    wpa_unit *unit = file->unit;
    wpa_fix_outcome *to = file->shown.fixed;
    (void)pthread_mutex_lock(&unit->lock);
    if (from->n_applied || file->is_stdin) {
        to->text = wpa_arena_slice(unit->arena, from->text, from->size_bytes);
        to->size_bytes = from->size_bytes;
    }
    if (from->n_applied) {
        file->original = wpa_arena_slice(unit->arena, file->shown.text, file->shown.size_bytes);
    }
    copy_notes(from, to, unit->arena);
    (void)pthread_mutex_unlock(&unit->lock);
    to->n_applied = from->n_applied;
    to->work = from->work;
    file->is_across = wpa_fix_is_across(&from->result, choice);
}

/** Fixes are tried one by one, and so are files. */
static void judge_and_fix(const bundles *b, wpa_unit_file *file)
{
    if (!wpa_unit_read(file)) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_fix_choice *choice = b->tree->options->fixes;
    const wpa_settings *settings = file->shown.settings;
    const wpa_source *source = source_of(b, file, arena);
    wpa_fix_outcome outcome = wpa_rules_fix(source, file->shown.settings, choice, arena);
    wpa_key_pack(NULL, file, &outcome.result, b->tree->options->has_excerpts);
    file->state = WPA_UNIT_DONE;
    keep_outcome(choice, file, &outcome);
    file->shown.settings = settings; /* not those of its path, which go now */
    file->shown.source = NULL;
    if (!file->is_held) {
        wpa_unit_release(file);
    }
    wpa_paged_relax();
}

static void judge_together(const bundles *b, wpa_unit_file **files, size_t n)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_rules_task tasks[WPA_RULES_TOGETHER_MAX] = {0};
    wpa_unit_file *judged[WPA_RULES_TOGETHER_MAX];
    size_t n_tasks = 0;
    for (size_t i = 0; i < n; i++) {
        if (wpa_unit_read(files[i])) {
            tasks[n_tasks].source = source_of(b, files[i], arena);
            tasks[n_tasks].settings = files[i]->shown.settings;
            judged[n_tasks++] = files[i];
        }
    }
    wpa_rules_run_together(tasks, n_tasks, arena);
    WPA_AUTO(wpa_buf) *packed = wpa_buf_new(WPA_PACKED_MAX_BYTES);
    for (size_t i = 0; i < n_tasks; i++) {
        keep(b, judged[i], &tasks[i].result, packed);
        wpa_paged_relax();
        judged[i]->shown.source = NULL;
        if (!judged[i]->is_held) {
            wpa_unit_release(judged[i]);
        }
    }
}

static void judge_bundle(void *context, size_t i)
{
    const bundles *b = context;
    wpa_unit_file **files = b->files + b->starts[i];
    if (b->tree->options->fixes) {
        judge_and_fix(b, files[0]);
    } else {
        judge_together(b, files, b->starts[i + 1] - b->starts[i]);
    }
}

static size_t most_in_bundle(const wpa_tree *tree, size_t n_files)
{
    size_t n_threads = tree->n_groups_at_once;
    size_t n = n_threads > 1 ? 1 + n_files / (n_threads * BUNDLES_PER_THREAD) : n_files;
    n = tree->options->fixes ? 1 : n;
    return n < WPA_RULES_TOGETHER_MAX ? n : WPA_RULES_TOGETHER_MAX;
}

static void divide(bundles *b, size_t n_files, size_t max_files)
{
    size_t size_bytes = 0;
    for (size_t i = 0; i < n_files; i++) {
        size_t n_in = i - b->starts[b->n];
        size_t own_bytes = b->files[i]->shown.size_bytes;
        if (n_in == max_files || (n_in && size_bytes + own_bytes > WPA_RULES_TOGETHER_BYTES)) {
            b->starts[++b->n] = i;
            size_bytes = 0;
        }
        size_bytes += own_bytes;
    }
    if (n_files) {
        b->starts[++b->n] = n_files;
    }
}

void wpa_unit_judge(wpa_tree *tree, wpa_unit_file **files, size_t n)
{
    bundles b = {.tree = tree,
                 .files = wpa_alloc((n + 1) * sizeof *files),
                 .starts = wpa_alloc((n + 1) * sizeof(size_t))};
    size_t n_files = 0;
    for (size_t i = 0; i < n; i++) {
        if (has_turn(files[i])) {
            b.files[n_files++] = files[i];
        }
    }
    divide(&b, n_files, most_in_bundle(tree, n_files));
    wpa_pool_each(tree->pool, b.n, judge_bundle, &b);
    wpa_free(b.files);
    wpa_free(b.starts);
}
