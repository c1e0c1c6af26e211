/* T006, T101, T102 and the analysis behind S4: what the rules say of both versions. */
#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/fix.h"
#include "testing/checks.h"

/* Rules by which a file is one that the forge accepts, or is not. */
static const char *const validity_rules[] = {
    "syntax",
    "schema",
    "expression-syntax",
    "expression-type",
    "uses-format",
    "events",
    "context-availability",
    "job-graph",
    "matrix-shape",
    "glob",
    "permission-scope",
    "shell-name",
    "call-contract",
    "dispatch-inputs",
    "dependabot-schema",
    "action-metadata",
};

static const char *describe(const wpa_finding *finding, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s %s: %s", wpa_severity_name(finding->severity),
                            finding->rule->id, finding->message);
}

bool wpa_test_is_refusal(const wpa_finding *finding)
{
    return wpa_text_index(finding->rule->id, validity_rules, WPA_COUNT(validity_rules)) >= 0;
}

static bool is_definition_after(const wpa_test_context *context)
{
    return context->file->is_definition && context->file->after.bytes;
}

static const wpa_analysis *after_of(const wpa_test_context *context)
{
    return wpa_test_image_analysis(context, context->file, &context->file->after);
}

/** What the patch changed; a new file has everything new. */
static wpa_analysis_change change_of(const wpa_test_context *context)
{
    const wpa_analysis *after = after_of(context);
    if (!context->file->before.bytes) {
        wpa_analysis_change change = {.score_change = 0};
        change.new =
            wpa_arena_array(context->arena, after->result.n_findings + 1, sizeof *change.new);
        for (size_t i = 0; i < after->result.n_findings; i++) {
            if (after->result.findings[i]->state == WPA_FINDING_OPEN) {
                change.new[change.n_new++] = after->result.findings[i];
            }
        }
        return change;
    }
    const wpa_analysis *before =
        wpa_test_image_analysis(context, context->file, &context->file->before);
    return wpa_analysis_compare(before, after, context->arena);
}

static void show(const wpa_test_context *context, const wpa_test_image *image,
                 const wpa_finding *finding, const char *label, wpa_test_outcome *outcome)
{
    wpa_test_evidence_at(outcome, context->arena, context->file, image, finding->span.bytes.start,
                         label, describe(finding, context->arena));
}

static size_t count_like(const wpa_result *result, const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        n += finding->state == WPA_FINDING_OPEN && finding->rule == like->rule &&
             wpa_text_is(finding->check, like->check);
    }
    return n;
}

/** Open findings of this rule and check in one version of all files of the patch. */
static size_t count_all(const wpa_test_context *context, const wpa_finding *like, bool is_after)
{
    size_t n = 0;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        wpa_test_file *file = &context->patch->files[i];
        wpa_test_image *image = is_after ? &file->after : &file->before;
        if (file->is_definition && file->target == context->file->target && image->bytes) {
            n += count_like(&wpa_test_image_analysis(context, file, image)->result, like);
        }
    }
    return n;
}

/** It came along with what moved here from another file of the patch: there are no more of it. */
static bool is_moved(const wpa_test_context *context, const wpa_finding *finding)
{
    return context->patch->n_files > 1 &&
           count_all(context, finding, true) <= count_all(context, finding, false);
}

/* ---- T101 ---- */

static bool check_valid(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_analysis *after = after_of(context);
    wpa_analysis_change change = change_of(context);
    (void)err;
    if (!after->is_valid) {
        wpa_test_fail(outcome, context->arena, "the forge could not read the patched file");
    }
    for (size_t i = 0; i < change.n_new; i++) {
        if (wpa_test_is_refusal(change.new[i])) {
            show(context, &context->file->after, change.new[i], "new", outcome);
            wpa_test_fail(outcome, context->arena, "the patch brings: %s", change.new[i]->message);
        }
    }
    for (size_t i = 0; i < after->result.n_findings; i++) {
        const wpa_finding *finding = after->result.findings[i];
        if (wpa_test_is_refusal(finding) && finding->state == WPA_FINDING_OPEN) {
            show(context, &context->file->after, finding, "there", outcome);
            wpa_test_warn(outcome, context->arena, "not of the patch, but there: %s",
                          finding->message);
        }
    }
    return true;
}

bool wpa_test_was_invalid(const wpa_test_context *context)
{
    const wpa_analysis *before =
        wpa_test_image_analysis(context, context->file, &context->file->before);
    for (size_t i = 0; i < before->result.n_findings; i++) {
        const wpa_finding *finding = before->result.findings[i];
        if (wpa_test_is_refusal(finding) && finding->severity >= WPA_SEVERITY_HIGH &&
            finding->state == WPA_FINDING_OPEN) {
            return true;
        }
    }
    return !before->is_valid;
}

/* ---- T102 ---- */

static bool answers_here(const wpa_test_context *context, const wpa_test_finding *finding)
{
    return wpa_text_is(finding->path, context->file->path) &&
           wpa_text_is(finding->repository, context->file->target->repository);
}

static const wpa_finding *find_open(const wpa_result *result, const char *fingerprint)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (result->findings[i]->state == WPA_FINDING_OPEN &&
            strcmp(result->findings[i]->fingerprint, fingerprint) == 0) {
            return result->findings[i];
        }
    }
    return NULL;
}

static const wpa_finding *find_answered(const wpa_test_context *context,
                                        const wpa_test_finding *answered)
{
    if (!context->file->before.bytes || !answers_here(context, answered)) {
        return NULL;
    }
    const wpa_analysis *before =
        wpa_test_image_analysis(context, context->file, &context->file->before);
    return find_open(&before->result, answered->fingerprint);
}

/** How many findings like this one the patch answers in this file. */
static size_t count_answered(const wpa_test_context *context, const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        const wpa_finding *finding = find_answered(context, &context->patch->findings[i]);
        n += finding && finding->rule == like->rule && wpa_text_is(finding->check, like->check);
    }
    return n;
}

/** Both stand in one step; of steps alone, whose names tell them apart. */
static bool is_same_step(const wpa_finding *a, const wpa_finding *b)
{
    size_t n = a->n_structure < b->n_structure ? a->n_structure : b->n_structure;
    for (size_t i = 0; i < n && wpa_text_is(a->structure[i], b->structure[i]); i++) {
        if (i > 0 && wpa_text_is(a->structure[i - 1], "steps")) {
            return true;
        }
    }
    return false;
}

/**
 * A fix has brought it to a step that had none like it, as when one action goes to a version that
 * is not the newest either: it is none of those before, in other words or elsewhere.
 */
static bool is_another(const wpa_result *before, const wpa_finding *now)
{
    bool has_step = false;
    for (size_t i = 0; i < before->n_findings; i++) {
        const wpa_finding *was = before->findings[i];
        bool is_like = was->rule == now->rule && wpa_text_is(was->check, now->check);
        if (is_like && (wpa_text_is(was->message, now->message) || is_same_step(was, now))) {
            return false;
        }
        has_step = has_step || is_same_step(was, now);
    }
    return has_step;
}

static size_t count_others(const wpa_result *before, const wpa_result *after,
                           const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *now = after->findings[i];
        n += now->state == WPA_FINDING_OPEN && now->rule == like->rule &&
             wpa_text_is(now->check, like->check) && is_another(before, now);
    }
    return n;
}

/*
 * Equal findings of one file are numbered in their fingerprints, so when one of them goes, the next
 * takes its place: counting tells whether as many are gone as the patch answers.
 */
static bool is_gone(const wpa_test_context *context, const wpa_test_finding *answered)
{
    const wpa_result *after = &after_of(context)->result;
    const wpa_finding *was = find_answered(context, answered);
    if (!was) {
        return find_open(after, answered->fingerprint) == NULL;
    }
    const wpa_analysis *before =
        wpa_test_image_analysis(context, context->file, &context->file->before);
    return count_like(after, was) - count_others(&before->result, after, was) +
               count_answered(context, was) <=
           count_like(&before->result, was);
}

static void check_answered(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        const wpa_test_finding *answered = &context->patch->findings[i];
        if (!answers_here(context, answered)) {
            continue;
        }
        bool was_answered = is_gone(context, answered);
        wpa_test_evidence(outcome, context->arena, was_answered ? "gone" : "still there",
                          answered->rule);
        if (!was_answered) {
            wpa_test_fail(outcome, context->arena, "the finding '%s' is still there",
                          answered->rule);
        }
    }
}

static bool check_findings(const wpa_test_context *context, wpa_test_outcome *outcome,
                           wpa_error *err)
{
    (void)err;
    check_answered(context, outcome);
    wpa_analysis_change change = change_of(context);
    for (size_t i = 0; i < change.n_new; i++) {
        bool counts = change.new[i]->severity >= WPA_SEVERITY_MEDIUM &&change.new[i]->kind !=
                          WPA_KIND_OPPORTUNITY &&
                      !is_moved(context, change.new[i]);
        show(context, &context->file->after, change.new[i], "new", outcome);
        if (counts) {
            wpa_test_fail(outcome, context->arena, "a new finding: %s",
                          describe(change.new[i], context->arena));
        }
    }
    return true;
}

/* ---- T006 ---- */

static bool answers_something(const wpa_test_context *context)
{
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        if (answers_here(context, &context->patch->findings[i])) {
            return is_definition_after(context);
        }
    }
    return false;
}

/** A finding like was that begins where was did, or inside what the patch put there. */
static const wpa_finding *find_again(const wpa_test_context *context, const wpa_finding *was)
{
    const wpa_test_edits *edits = &context->file->edits;
    size_t low = was->span.bytes.start, high = low;
    long shift = 0;
    for (size_t i = 0; i < edits->n && edits->items[i].start <= was->span.bytes.start; i++) {
        const wpa_test_edit *edit = &edits->items[i];
        bool is_inside = was->span.bytes.start < edit->end;
        low = (size_t)((long)(is_inside ? edit->start : was->span.bytes.start) + shift);
        high = is_inside ? low + edit->text_bytes : low;
        shift += (long)edit->text_bytes - (long)(edit->end - edit->start);
        if (!is_inside) {
            low = high = (size_t)((long)was->span.bytes.start + shift);
        }
    }
    const wpa_result *after = &after_of(context)->result;
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *finding = after->findings[i];
        size_t start = finding->span.bytes.start;
        if (finding->state == WPA_FINDING_OPEN && finding->rule == was->rule &&
            wpa_text_is(finding->check, was->check) && start >= low && start <= high) {
            return finding;
        }
    }
    return NULL;
}

static bool check_idempotent(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    const wpa_settings *settings = context->file->target->settings;
    (void)err;
    if (!settings) {
        settings = wpa_settings_new(0, context->arena);
    }
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        const wpa_finding *was = find_answered(context, &context->patch->findings[i]);
        const wpa_finding *again = was ? find_again(context, was) : NULL;
        if (!again) {
            continue;
        }
        const wpa_fix_choice choice = {.has_unsafe = true, .fingerprint = again->fingerprint};
        wpa_fix_outcome fixed =
            wpa_rules_fix(after_of(context)->result.source, settings, &choice, context->arena);
        if (fixed.n_applied > 0) {
            wpa_test_evidence(outcome, context->arena, "again", fixed.fixes[0]->title);
            wpa_test_fail(outcome, context->arena, "the fix of '%s' would change the file again",
                          again->rule->id);
        }
    }
    return true;
}

/* ---- S4, the part of the analysis ---- */

void wpa_test_compare_security(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    wpa_test_context at = *context;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        at.target = at.file->target;
        if (!is_definition_after(&at)) {
            continue;
        }
        wpa_analysis_change change = change_of(&at);
        for (size_t k = 0; k < change.n_new; k++) {
            const wpa_finding *finding = change.new[k];
            if (finding->dimension != WPA_DIMENSION_SECURITY ||
                finding->kind == WPA_KIND_OPPORTUNITY || finding->severity < WPA_SEVERITY_MEDIUM ||
                is_moved(&at, finding)) {
                continue;
            }
            show(&at, &at.file->after, finding, "new", outcome);
            wpa_test_fail(outcome, at.arena, "a new security finding: %s",
                          describe(finding, at.arena));
        }
        if (!at.file->before.bytes) {
            continue;
        }
        double before = wpa_test_image_analysis(&at, at.file, &at.file->before)
                            ->score.parts[WPA_DIMENSION_SECURITY]
                            .score;
        double after = after_of(&at)->score.parts[WPA_DIMENSION_SECURITY].score;
        wpa_test_evidence(outcome, at.arena, "security score",
                          wpa_arena_printf(at.arena, "%s: %.1f before, %.1f after",
                                           at.file->subject, before, after));
        /* A finding in every job counts once in all, so fixing it in one job alone can lower the
           score: without anything new that is no loss. */
        if (after < before - 1e-9 && change.n_new > 0) {
            wpa_test_fail(outcome, at.arena,
                          "the security score of %s would fall from %.1f to %.1f", at.file->subject,
                          before, after);
        }
    }
}

const wpa_test_check wpa_test_t006 = {.id = "T006",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "a second run of the fix changes nothing",
                                      .applies = answers_something,
                                      .run = check_idempotent};
const wpa_test_check wpa_test_t101 = {.id = "T101",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 3,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "valid for the schema, expressions included",
                                      .applies = is_definition_after,
                                      .run = check_valid};
const wpa_test_check wpa_test_t102 = {.id = "T102",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 3,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the finding is gone, nothing new",
                                      .applies = is_definition_after,
                                      .run = check_findings};
