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

static bool is_validity_rule(const wpa_finding *finding)
{
    return wpa_text_index(finding->rule->id, validity_rules, WPA_COUNT(validity_rules)) >= 0;
}

static bool is_definition_after(const wpa_test_context *context)
{
    return context->file->is_definition && context->file->after.bytes;
}

static const wpa_analysis *after_of(const wpa_test_context *context)
{
    return wpa_test_image_analysis(context->file, &context->file->after, context->arena);
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
        wpa_test_image_analysis(context->file, &context->file->before, context->arena);
    return wpa_analysis_compare(before, after, context->arena);
}

static void show(const wpa_test_context *context, const wpa_test_image *image,
                 const wpa_finding *finding, const char *label, wpa_test_outcome *outcome)
{
    wpa_test_evidence_at(outcome, context->arena, context->file, image, finding->span.bytes.start,
                         label, describe(finding, context->arena));
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
        if (is_validity_rule(change.new[i])) {
            show(context, &context->file->after, change.new[i], "new", outcome);
            wpa_test_fail(outcome, context->arena, "the patch brings: %s", change.new[i]->message);
        }
    }
    for (size_t i = 0; i < after->result.n_findings; i++) {
        const wpa_finding *finding = after->result.findings[i];
        if (is_validity_rule(finding) && finding->state == WPA_FINDING_OPEN) {
            show(context, &context->file->after, finding, "there", outcome);
            wpa_test_warn(outcome, context->arena, "not of the patch, but there: %s",
                          finding->message);
        }
    }
    return true;
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

static void check_answered(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_analysis *after = after_of(context);
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        const wpa_test_finding *answered = &context->patch->findings[i];
        if (!answers_here(context, answered)) {
            continue;
        }
        const wpa_finding *left = find_open(&after->result, answered->fingerprint);
        wpa_test_evidence(outcome, context->arena, left ? "still there" : "gone", answered->rule);
        if (left) {
            show(context, &context->file->after, left, "still there", outcome);
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
                      WPA_KIND_OPPORTUNITY;
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

static bool check_idempotent(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    const wpa_analysis *after = after_of(context);
    const wpa_settings *settings = context->file->target->settings;
    (void)err;
    if (!settings) {
        settings = wpa_settings_new(0, context->arena);
    }
    for (size_t i = 0; i < context->patch->n_findings; i++) {
        const wpa_test_finding *answered = &context->patch->findings[i];
        if (!answers_here(context, answered)) {
            continue;
        }
        const wpa_fix_choice choice = {.has_unsafe = true, .fingerprint = answered->fingerprint};
        wpa_fix_outcome again =
            wpa_rules_fix(after->result.source, settings, &choice, context->arena);
        if (again.n_applied > 0) {
            wpa_test_evidence(outcome, context->arena, "again", again.fixes[0]->title);
            wpa_test_fail(outcome, context->arena, "the fix of '%s' would change the file again",
                          answered->rule);
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
                finding->kind == WPA_KIND_OPPORTUNITY || finding->severity < WPA_SEVERITY_MEDIUM) {
                continue;
            }
            show(&at, &at.file->after, finding, "new", outcome);
            wpa_test_fail(outcome, at.arena, "a new security finding: %s",
                          describe(finding, at.arena));
        }
        if (!at.file->before.bytes) {
            continue;
        }
        double before = wpa_test_image_analysis(at.file, &at.file->before, at.arena)
                            ->score.parts[WPA_DIMENSION_SECURITY]
                            .score;
        double after = after_of(&at)->score.parts[WPA_DIMENSION_SECURITY].score;
        wpa_test_evidence(outcome, at.arena, "security score",
                          wpa_arena_printf(at.arena, "%s: %.1f before, %.1f after",
                                           at.file->subject, before, after));
        if (after < before - 1e-9) {
            wpa_test_fail(outcome, at.arena,
                          "the security score of %s would fall from %.1f to %.1f", at.file->subject,
                          before, after);
        }
    }
}

const wpa_test_check wpa_test_t006 = {.id = "T006",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "a second run of the fix changes nothing",
                                      .applies = answers_something,
                                      .run = check_idempotent};
const wpa_test_check wpa_test_t101 = {.id = "T101",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "valid for the schema, expressions included",
                                      .applies = is_definition_after,
                                      .run = check_valid};
const wpa_test_check wpa_test_t102 = {.id = "T102",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the finding is gone, nothing new",
                                      .applies = is_definition_after,
                                      .run = check_findings};
