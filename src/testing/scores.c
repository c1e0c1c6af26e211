/*
 * T208: the whole repository, analysed in both versions. No dimension may lose points for anything
 * that is new in any of its definitions, those included that the patch leaves as they are.
 */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "testing/around.h"
#include "testing/checks.h"

#define NEW_MAX 2000  /* findings that are held against what is gone */
#define ROUNDING 1e-9 /* sums of the same points in another order */

/** Open findings of one rule and check in all definitions, by severity. */
typedef struct tally {
    size_t before[WPA_SEVERITY_COUNT], after[WPA_SEVERITY_COUNT];
} tally;

/** A finding that its file did not have before. */
typedef struct newcomer {
    const char *key; /* of its tally */
    const char *path, *rule, *message;
    wpa_dimension dimension;
    wpa_severity severity;
    size_t line, column;
    bool is_doubtful; /* the rule did not look at all of that file before */
} newcomer;

typedef struct sums {
    const wpa_test_context *context;
    const wpa_surroundings *around, *around_after;
    bool is_second_pass; /* over files that were not there before */
    wpa_map *tallies;
    newcomer *new;
    size_t n_new, capacity;
    bool is_cut;
    size_t n_before, n_after; /* definitions */
    double lost_before[WPA_DIMENSION_COUNT], lost_after[WPA_DIMENSION_COUNT];
} sums;

/** Does it cost anything? */
static bool counts(const wpa_finding *finding)
{
    return finding->state == WPA_FINDING_OPEN && finding->kind != WPA_KIND_OPPORTUNITY &&
           finding->persona == WPA_PERSONA_DEFAULT;
}

static const char *key_of(const wpa_finding *finding, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s %s", finding->rule->id,
                            finding->check ? finding->check : "");
}

static void add_to_tallies(sums *s, const wpa_analysis *analysis, bool is_after, wpa_arena *scratch)
{
    for (size_t i = 0; i < analysis->result.n_findings; i++) {
        const wpa_finding *finding = analysis->result.findings[i];
        if (!counts(finding)) {
            continue;
        }
        const char *key = key_of(finding, scratch);
        tally *one = wpa_map_get(s->tallies, key);
        if (!one) {
            one = wpa_arena_alloc(s->context->arena, sizeof *one);
            wpa_map_put(s->tallies, wpa_arena_text(s->context->arena, key), one);
        }
        (is_after ? one->after : one->before)[finding->severity]++;
    }
}

static void add_points(sums *s, const wpa_analysis *analysis, bool is_after)
{
    double *lost = is_after ? s->lost_after : s->lost_before;
    for (int d = 0; d < WPA_DIMENSION_COUNT; d++) {
        lost[d] += 100 - analysis->score.parts[d].score;
    }
    *(is_after ? &s->n_after : &s->n_before) += 1;
}

static bool has_note(const wpa_analysis *analysis, const char *rule)
{
    for (size_t i = 0; i < analysis->result.n_notes; i++) {
        if (wpa_text_is(analysis->result.notes[i].rule, rule)) {
            return true;
        }
    }
    return false;
}

/** before NULL: the file is new. */
static void add_new(sums *s, const char *path, const wpa_finding *finding,
                    const wpa_analysis *before, wpa_arena *scratch)
{
    wpa_arena *arena = s->context->arena;
    s->is_cut = s->is_cut || (counts(finding) && s->n_new == NEW_MAX);
    if (!counts(finding) || s->is_cut) {
        return;
    }
    s->new = wpa_arena_grow(arena, s->new, s->n_new, &s->capacity, sizeof *s->new);
    s->new[s->n_new++] = (newcomer){.key = wpa_arena_text(arena, key_of(finding, scratch)),
                                    .path = wpa_arena_text(arena, path),
                                    .rule = finding->rule->id,
                                    .message = wpa_arena_text(arena, finding->message),
                                    .dimension = finding->dimension,
                                    .severity = finding->severity,
                                    .line = finding->span.start.line,
                                    .column = finding->span.start.column,
                                    .is_doubtful = before && has_note(before, finding->rule->id)};
}

static wpa_analysis analyse(const sums *s, const char *path, const char *bytes, size_t size_bytes,
                            bool is_after, wpa_arena *scratch)
{
    return wpa_analysis_of(path, bytes, size_bytes, is_after ? s->around_after : s->around,
                           s->context->target->settings, scratch);
}

static void add_file(sums *s, const char *path, const wpa_test_image *was, const wpa_test_image *is,
                     wpa_arena *scratch)
{
    wpa_analysis before, after;
    if (was->bytes) {
        before = analyse(s, path, was->bytes, was->size_bytes, false, scratch);
        add_points(s, &before, false);
        add_to_tallies(s, &before, false, scratch);
    }
    if (!is->bytes) {
        return;
    }
    after = analyse(s, path, is->bytes, is->size_bytes, true, scratch);
    add_points(s, &after, true);
    add_to_tallies(s, &after, true, scratch);
    if (was->bytes) {
        const wpa_analysis_change change = wpa_analysis_compare(&before, &after, scratch);
        for (size_t i = 0; i < change.n_new; i++) {
            add_new(s, path, change.new[i], &before, scratch);
        }
    } else {
        for (size_t i = 0; i < after.result.n_findings; i++) {
            add_new(s, path, after.result.findings[i], NULL, scratch);
        }
    }
}

static bool look_at(const wpa_test_definition *definition, wpa_arena *scratch, void *of)
{
    static const wpa_test_image absent = {.bytes = NULL};
    sums *s = of;
    const wpa_test_file *patched = definition->patched;
    const wpa_test_image own = {.bytes = definition->text, .size_bytes = definition->size_bytes};
    if (!s->is_second_pass) {
        add_file(s, definition->path, &own, patched ? &patched->after : &own, scratch);
    } else if (patched && !patched->before.bytes) {
        add_file(s, definition->path, &absent, &own, scratch);
    }
    return true;
}

/** What has only moved: in all files together there are no more like it, and none is worse. */
static bool is_moved(const sums *s, const newcomer *one)
{
    const tally *of = wpa_map_get(s->tallies, one->key);
    size_t before = 0, after = 0;
    for (size_t i = one->severity; i < WPA_SEVERITY_COUNT; i++) {
        before += of->before[i];
        after += of->after[i];
    }
    return after <= before;
}

static void judge_new(const sums *s, const newcomer *one, wpa_test_outcome *outcome)
{
    wpa_arena *arena = s->context->arena;
    const char *dimension = wpa_dimension_name(one->dimension);
    wpa_json *item =
        wpa_test_evidence(outcome, arena, "new",
                          wpa_arena_printf(arena, "%s %s: %s", wpa_severity_name(one->severity),
                                           one->rule, one->message));
    wpa_json_set_text(item, "file", one->path);
    wpa_json_set_int(item, "line", (int64_t)one->line);
    wpa_json_set_int(item, "column", (int64_t)one->column);
    if (s->lost_after[one->dimension] <= s->lost_before[one->dimension] + ROUNDING) {
        return; /* made up for by what the patch answers */
    }
    /* As in T102 a low one is for whoever approves to weigh. */
    if (one->is_doubtful || one->severity < WPA_SEVERITY_MEDIUM) {
        wpa_test_warn(outcome, arena, "%s of the repository falls a little, for %s line %zu: %s%s",
                      dimension, one->path, one->line, one->message,
                      one->is_doubtful ? " (which may have been there before)" : "");
    } else {
        wpa_test_fail(outcome, arena, "%s of the repository falls, for %s line %zu: %s", dimension,
                      one->path, one->line, one->message);
    }
}

static void judge(const sums *s, wpa_test_outcome *outcome)
{
    wpa_arena *arena = s->context->arena;
    for (int d = 0; d < WPA_DIMENSION_COUNT; d++) {
        wpa_test_evidence(outcome, arena, wpa_dimension_name((wpa_dimension)d),
                          wpa_arena_printf(arena, "%.1f points lost in all before, %.1f after",
                                           s->lost_before[d], s->lost_after[d]));
    }
    wpa_test_evidence(
        outcome, arena, "analysed",
        wpa_arena_printf(arena, "%zu definitions before, %zu after", s->n_before, s->n_after));
    /* A finding in every job counts once in all, so that to mend it in one job, or to cut a file in
       two, can cost points without anything that is new: that is no loss. */
    for (size_t i = 0; i < s->n_new; i++) {
        if (!is_moved(s, &s->new[i])) {
            judge_new(s, &s->new[i], outcome);
        }
    }
    if (s->is_cut) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, arena, "more than %d new findings",
                           NEW_MAX);
    }
}

/** Files that only come, or change, are none that a definition was found to miss before. */
static bool has_subject(const wpa_test_context *context)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target == context->target && (file->is_definition || !file->after.bytes)) {
            return true;
        }
    }
    return false;
}

static bool check_scores(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    sums s = {.context = context, .tallies = wpa_map_new(context->arena)};
    s.around = wpa_test_around(context, false, err);
    s.around_after = s.around ? wpa_test_around(context, true, err) : NULL;
    if (!s.around_after || !wpa_test_each_definition(context, false, look_at, &s, err)) {
        return false;
    }
    s.is_second_pass = true;
    if (!wpa_test_each_definition(context, true, look_at, &s, err)) {
        return false;
    }
    judge(&s, outcome);
    return true;
}

const wpa_test_check wpa_test_t208 = {.id = "T208",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .is_waivable = true,
                                      .title = "no dimension of the whole repository falls",
                                      .applies = has_subject,
                                      .run = check_scores};
