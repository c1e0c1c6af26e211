/* CMP-030: what one job uploads and another downloads do not fit together. */
#include <string.h>

#include "rules/flow.h"
#include "rules/handover.h"
#include "rules/hidden.h"
#include "rules/jobs.h"
#include "rules/legs.h"
#include "rules/pin.h"
#include "rules/shell_roles.h"
#include "rules/toolchain.h"
#include "rules/unpacked.h"
#include "rules/work.h"

#define ITEMS_MAX 400
#define UNIQUE_MAJOR 4 /* from here on a name is taken once in a run */
#define BAD_CHARACTERS "\":<>|*?\r\n\\/"

typedef struct item {
    const wpa_outline_step *step;
    const wpa_outline_job *job;
    const wpa_yaml_node *name; /* NULL: not given */
    const char *text;          /* of name, its default if there is none; NULL: several or unknown */
    bool is_dynamic;           /* the name holds an expression */
    bool is_upload;
    int major;        /* -1: not known */
    const char *need; /* of a download that comes too early: the job that uploads */
} item;

typedef struct contract {
    wpa_rule_run *run;
    const wpa_outline *outline;
    item *items;
    size_t n;
    bool has_others;           /* steps and calls that cannot be looked into may upload as well */
    const wpa_graph *graph;    /* or NULL */
    const wpa_graph_file *own; /* NULL without a graph */
} contract;

static const char *text_of(const item *it, const char *input)
{
    return wpa_outline_with_text(it->step, input);
}

static bool is_true(const item *it, const char *input)
{
    return wpa_text_is_ci(text_of(it, input), "true");
}

static wpa_span place_of(const item *it)
{
    return it->name ? it->name->span : it->step->uses.span;
}

static const char *quoted(const contract *c, const char *text)
{
    return wpa_rule_quote(c->run, text, strlen(text));
}

/* ---- reading ---- */

static item read_item(const wpa_outline_step *step, bool is_upload)
{
    item it = {.step = step,
               .job = step->job,
               .is_upload = is_upload,
               .major = wpa_outline_major(&step->uses),
               .name = wpa_outline_with(step, "name")};
    it.text = it.name ? wpa_yaml_text(it.name) : is_upload ? "artifact" : NULL;
    it.is_dynamic = wpa_outline_has_expression(it.text);
    return it;
}

static bool may_upload(const wpa_outline_step *step)
{
    const wpa_outline_uses *uses = &step->uses;
    bool is_known = uses->kind == WPA_OUTLINE_NONE ||
                    (uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact->action &&
                     !wpa_text_find(uses->slug.at, uses->slug.length, "artifact"));
    return !is_known;
}

/** The workflow that the job calls; NULL if it is none or not known. */
static const wpa_graph_file *callee_of(const contract *c, const wpa_outline_job *job)
{
    const char *text = job->is_call && c->graph ? wpa_yaml_text(job->uses.node) : NULL;
    const char *local = text ? wpa_graph_local_path(text, c->run->arena) : NULL;
    return local ? wpa_graph_local(c->graph, local) : NULL;
}

static void read_steps(contract *c, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps && c->n < ITEMS_MAX; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_upload = wpa_outline_step_uses(step, "actions/upload-artifact");
        if (is_upload || wpa_outline_step_uses(step, "actions/download-artifact")) {
            c->items[c->n++] = read_item(step, is_upload);
        } else {
            c->has_others = c->has_others || may_upload(step);
        }
    }
    c->has_others = c->has_others || (job->is_call && !callee_of(c, job));
}

/* ---- conditions ---- */

static bool runs_always(const wpa_yaml_node *condition)
{
    const char *text = condition ? wpa_yaml_text(condition) : "always()";
    return text &&
           (wpa_text_seek_ci(text, "always()") || wpa_text_seek_ci(text, "!cancelled()") ||
            wpa_text_is(text, "success()")) &&
           !strchr(text, '&') && !strchr(text, '=');
}

static bool is_unconditional(const item *it)
{
    return runs_always(it->step->condition) && runs_always(it->job->condition);
}

/* ---- the checks ---- */

/* Do versions of this major, if they are known, not see what is uploaded by the other? */
static bool are_apart(int upload, int download)
{
    return upload >= 0 && download >= 0 && (upload < UNIQUE_MAJOR) != (download < UNIQUE_MAJOR);
}

static wpa_finding *report_majors(const contract *c, const item *download, const char *name,
                                  int uploaded_by)
{
    wpa_finding *finding = wpa_rule_report(
        c->run, place_of(download), "A1", NULL,
        "%s is uploaded by version %d and downloaded by version %d: versions below 4 and from 4 on "
        "do not see each other's artifacts",
        quoted(c, name), uploaded_by, download->major);
    finding->confidence = WPA_CONFIDENCE_HIGH;
    return finding;
}

static void check_majors(const contract *c, const item *download, const item *upload)
{
    if (upload->text && are_apart(upload->major, download->major)) {
        wpa_finding *finding = report_majors(c, download, upload->text, upload->major);
        wpa_rule_relate(c->run, finding, place_of(upload), "uploaded here");
    }
}

/* The name holds values of the leg, and yet two legs have the same. */
static void check_clash(const contract *c, const item *it)
{
    wpa_matrix_legs legs = wpa_work_legs(c->run, it->job, c->run->arena);
    const char *name = wpa_legs_clash(&legs, it->text, c->run->arena);
    if (name) {
        wpa_rule_report(c->run, place_of(it), "A2", NULL,
                        "two legs of job %s upload %s: the second upload fails, a name is taken "
                        "once in a run",
                        quoted(c, it->job->id), quoted(c, name));
    }
}

static void check_legs(const contract *c, const item *it)
{
    bool mentions_leg = (it->step->condition && strstr(it->step->condition->text, "matrix.")) ||
                        (it->job->condition && strstr(it->job->condition->text, "matrix."));
    if (it->major < UNIQUE_MAJOR || !it->text || is_true(it, "overwrite") || mentions_leg ||
        (it->step->condition && !runs_always(it->step->condition)) ||
        !wpa_legs_are_several(it->job)) {
        return;
    }
    if (!wpa_legs_share(it->text, c->run->arena)) {
        check_clash(c, it);
        return;
    }
    wpa_rule_report(c->run, place_of(it), "A2", it,
                    "every leg of job %s uploads %s: the second upload fails, a name is taken "
                    "once in a run",
                    quoted(c, it->job->id), quoted(c, it->text));
}

static void check_twice(const contract *c, const item *it)
{
    if (it->major < UNIQUE_MAJOR || !it->text || is_true(it, "overwrite") ||
        !is_unconditional(it)) {
        return;
    }
    for (const item *other = c->items; other < it; other++) {
        bool is_same = other->is_upload && other->major >= UNIQUE_MAJOR && other->text &&
                       wpa_text_is(other->text, it->text) && is_unconditional(other) &&
                       (!it->is_dynamic || wpa_legs_share(it->text, c->run->arena));
        if (is_same) {
            wpa_finding *finding =
                wpa_rule_report(c->run, place_of(it), "A2", NULL,
                                "%s is uploaded twice: the second upload fails, a name is taken "
                                "once in a run",
                                quoted(c, it->text));
            wpa_rule_relate(c->run, finding, place_of(other), "uploaded here already");
            return;
        }
    }
}

static void check_hidden(const contract *c, const item *it)
{
    const char *paths = text_of(it, "path");
    wpa_slice line = wpa_hidden_is_left_out(it->step) ? wpa_hidden_path(paths) : (wpa_slice){0};
    if (line.length) {
        wpa_rule_report(c->run, wpa_outline_with(it->step, "path")->span, "A9", it,
                        "%s is hidden and so left out of the artifact: include-hidden-files takes "
                        "it in",
                        wpa_rule_quote(c->run, line.at, line.length))
            ->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* A5 of what the name says by itself: these bytes are outside of expressions. */
static bool has_bad_text(const contract *c, const item *it, wpa_span part)
{
    for (size_t i = part.start; i < part.end; i++) {
        if (strchr(BAD_CHARACTERS, it->text[i])) {
            wpa_span span = wpa_yaml_source_span(wpa_yaml_resolve(it->name), i, i + 1);
            wpa_finding *finding =
                wpa_rule_report(c->run, span, "A5", NULL,
                                "an artifact cannot be called %s: %s is refused in its name",
                                quoted(c, it->text), wpa_rule_quote(c->run, it->text + i, 1));
            finding->confidence = WPA_CONFIDENCE_HIGH;
            return true;
        }
    }
    return false;
}

/* A5 of matrix values that are put into the name by this expression. */
static bool has_bad_value(const contract *c, const item *it, wpa_span fence)
{
    wpa_arena *arena = c->run->arena;
    const char *text = wpa_arena_slice(arena, it->text + fence.start, wpa_span_length(fence));
    const char *key = wpa_matrix_key(text, arena);
    const wpa_yaml_node *bad = key ? wpa_legs_refused(it->job, key, BAD_CHARACTERS, NULL) : NULL;
    if (bad) {
        wpa_finding *finding = wpa_rule_report(
            c->run, place_of(it), "A5", NULL,
            "the leg %s gives this artifact a name with a character that is refused",
            wpa_rule_quote(c->run, bad->text, bad->length));
        wpa_rule_relate(c->run, finding, bad->span, "the value");
    }
    return bad != NULL;
}

static void check_characters(const contract *c, const item *it)
{
    size_t at = 0, length = it->name && it->text ? strlen(it->text) : 0, behind = 0;
    bool has_more = length > 0;
    while (has_more) {
        wpa_span fence = {length, length}, inside;
        has_more = wpa_flow_next_fence(it->text, length, &at, &fence, &inside);
        if (has_bad_text(c, it, (wpa_span){behind, has_more ? fence.start : length}) ||
            (has_more && has_bad_value(c, it, fence))) {
            return;
        }
        behind = fence.end;
    }
}

/* ---- downloads ---- */

static bool is_of_other_run(const item *it)
{
    return wpa_outline_with(it->step, "run-id") || wpa_outline_with(it->step, "repository") ||
           wpa_outline_with(it->step, "github-token") ||
           wpa_outline_with(it->step, "artifact-ids") || wpa_outline_with(it->step, "workflow");
}

/* A name with expressions may be any: only what is surely another does not fit. */
static bool may_fit(const item *upload, const item *download)
{
    if (!upload->text || upload->is_dynamic) {
        const char *fence = upload->text ? strstr(upload->text, "${{") : NULL;
        size_t head = fence ? (size_t)(fence - upload->text) : 0;
        return !upload->text || strncmp(upload->text, download->text, head) == 0;
    }
    return wpa_text_is(upload->text, download->text);
}

/* ---- called workflows, whose artifacts are those of the same run ---- */

/* A4. is_fixable: may the job need that one? */
static wpa_finding *report_early(const contract *c, item *it, const char *need, bool is_fixable)
{
    it->need = need;
    return wpa_rule_report(
        c->run, place_of(it), "A4", is_fixable ? it : NULL,
        "%s comes from job %s, which job %s does not need: it may not be there yet",
        quoted(c, it->text), quoted(c, need), quoted(c, it->job->id));
}

/** Does a called workflow upload it, or may it? Tells of one that may come too late. */
static bool is_from_callee(const contract *c, item *it, const bool *is_before)
{
    const wpa_store_artifact wanted = {.name = it->text};
    for (size_t i = 0; i < c->outline->n_jobs; i++) {
        const wpa_outline_job *job = &c->outline->jobs[i];
        const wpa_graph_file *callee = callee_of(c, job);
        wpa_handovers found =
            callee ? wpa_handover_within(c->graph, callee, &wanted) : (wpa_handovers){0};
        const wpa_source *source = NULL;
        bool is_sure = found.n && !found.is_open &&
                       wpa_text_is(found.items[0].artifact->name, it->text) &&
                       wpa_handover_step(c->run, &found.items[0], &source);
        if (is_sure && !is_before[i]) {
            wpa_finding *finding = report_early(c, it, job->id, true);
            wpa_rule_relate_in(c->run, finding, source, found.items[0].artifact->span,
                               "uploaded here");
        }
        if (found.n || found.is_open) {
            return true;
        }
    }
    return false;
}

/* ---- runs before this one ---- */

/** The one download of artifacts of the run that a workflow_run tells of. */
static void check_parents(const contract *c, const item *it)
{
    const wpa_store_artifact *own = c->own ? wpa_handover_of(c->own, it->step, c->outline) : NULL;
    const char *id = wpa_outline_with_text(it->step, "run-id");
    if (!own || !it->text || it->is_dynamic || !id || !strstr(id, "workflow_run.id") ||
        wpa_outline_with(it->step, "repository")) {
        return;
    }
    wpa_handovers found = wpa_handover_uploads(c->graph, c->own, own);
    if (found.n == 0 && !found.is_open) {
        wpa_rule_report(
            c->run, place_of(it), "A3", NULL,
            "no workflow that this one follows uploads %s: there is nothing to download",
            quoted(c, it->text));
    }
    for (size_t i = 0; i < found.n && !found.is_open; i++) {
        const wpa_store_artifact *upload = found.items[i].artifact;
        const wpa_source *source = NULL;
        if (are_apart(upload->major, it->major) && wpa_text_is(upload->name, it->text) &&
            wpa_handover_step(c->run, &found.items[i], &source)) {
            wpa_finding *finding = report_majors(c, it, it->text, upload->major);
            wpa_rule_relate_in(c->run, finding, source, upload->span, "uploaded here");
            return;
        }
    }
}

/* ---- this run ---- */

/* Which jobs are over when this one begins, by their index. */
static const bool *jobs_before(const contract *c, const wpa_outline_job *job)
{
    bool *is_before = wpa_arena_array(c->run->arena, c->outline->n_jobs, sizeof *is_before);
    wpa_jobs_mark_needs(c->outline, (size_t)(job - c->outline->jobs), is_before);
    return is_before;
}

/* What is uploaded when the download begins, or else what fits best of the rest; or NULL. */
static const item *find_upload(const contract *c, const item *it, const bool *is_before,
                               bool *is_in_time)
{
    const item *late = NULL;
    for (const item *up = c->items; up < c->items + c->n; up++) {
        if (!up->is_upload || !may_fit(up, it)) {
            continue;
        }
        *is_in_time = up->job == it->job ? up->step->index < it->step->index
                                         : is_before[up->job - c->outline->jobs];
        if (*is_in_time) {
            return up;
        }
        bool is_exact = up->text && !up->is_dynamic;
        late = is_exact || !late ? up : late;
    }
    return late;
}

static void check_late(const contract *c, item *it, const item *late)
{
    if (!late->text || late->is_dynamic) {
        return;
    }
    check_majors(c, it, late);
    if (late->job != it->job) {
        bool is_circle = jobs_before(c, late->job)[it->job - c->outline->jobs];
        wpa_finding *finding = report_early(c, it, late->job->id, !is_circle);
        wpa_rule_relate(c->run, finding, place_of(late), "uploaded here");
    } else if (!c->has_others) { /* which may have uploaded it before */
        wpa_rule_report(c->run, place_of(it), "A3", NULL,
                        "%s is uploaded only after this step: there is nothing to download",
                        quoted(c, it->text));
    }
}

static void check_source(const contract *c, item *it)
{
    bool is_in_time = false;
    const bool *is_before = jobs_before(c, it->job);
    const item *up = find_upload(c, it, is_before, &is_in_time);
    if (is_in_time) {
        check_majors(c, it, up);
    } else if (up) {
        check_late(c, it, up);
    } else if (!is_from_callee(c, it, is_before) && !c->has_others && !c->run->source->is_partial) {
        wpa_rule_report(c->run, place_of(it), "A3", NULL,
                        "no job uploads %s: there is nothing to download", quoted(c, it->text));
    }
}

static void check_cross_run(const contract *c, const item *it)
{
    const wpa_yaml_node *id = wpa_outline_with(it->step, "run-id");
    bool is_this = id && wpa_yaml_text(id) && strstr(wpa_yaml_text(id), "github.run_id");
    if (it->major >= UNIQUE_MAJOR && id && !is_this &&
        !wpa_outline_with(it->step, "github-token")) {
        wpa_rule_report(c->run, id->span, "A8", NULL,
                        "run-id without github-token: artifacts of another run are not found");
    } else if (it->major >= UNIQUE_MAJOR && !id && wpa_outline_with(it->step, "repository")) {
        wpa_rule_report(c->run, wpa_outline_with(it->step, "repository")->span, "A8", NULL,
                        "repository without run-id: the artifacts of this run are not there");
    }
}

/* Is the name one that every leg makes, and may the pattern (or NULL) take them all? */
static bool takes_legs(const char *pattern, const item *up)
{
    const char *fence = up->is_upload && up->text ? strstr(up->text, "${{ matrix.") : NULL;
    size_t head = fence ? (size_t)(fence - up->text) : 0;
    size_t fixed = pattern ? strcspn(pattern, "*") : 0;
    return fence && (!pattern || strncmp(pattern, up->text, fixed < head ? fixed : head) == 0);
}

static void check_merged(const contract *c, const item *it)
{
    const char *pattern = text_of(it, "pattern");
    if (it->major < UNIQUE_MAJOR || !is_true(it, "merge-multiple")) {
        return;
    }
    for (const item *up = c->items; up < c->items + c->n; up++) {
        if (takes_legs(pattern, up) && wpa_legs_are_several(up->job) &&
            wpa_unpacked_is_file(text_of(up, "path"))) {
            const wpa_yaml_node *path = wpa_outline_with(up->step, "path");
            wpa_finding *finding = wpa_rule_report(
                c->run, wpa_outline_with(it->step, "merge-multiple")->span, "A6", NULL,
                "the artifacts of all legs hold the file %s: merged into one folder, only one "
                "of them is left",
                wpa_rule_quote(c->run, path->text, path->length));
            finding->severity = WPA_SEVERITY_MEDIUM;
            wpa_rule_relate(c->run, finding, path->span, "uploaded by every leg");
            return;
        }
    }
}

static void check_folders(const contract *c, const item *it)
{
    const char *path = text_of(it, "path");
    const wpa_yaml_node *merge = wpa_outline_with(it->step, "merge-multiple");
    if (it->name || merge || it->major < UNIQUE_MAJOR || !path ||
        wpa_outline_has_expression(path) || is_of_other_run(it)) {
        return;
    }
    path += wpa_text_starts(path, "./") ? 2 : 0;
    size_t length = strlen(path);
    length -= length && path[length - 1] == '/';
    const char *folder = wpa_arena_slice(c->run->arena, path, length);
    for (size_t i = it->step->index + 1; length && i < it->job->n_steps; i++) {
        if (wpa_unpacked_moves(&it->job->steps[i])) {
            return;
        }
        if (wpa_unpacked_reads_flat(&it->job->steps[i], folder)) {
            wpa_finding *finding = wpa_rule_report(
                c->run, it->step->uses.span, "A7", NULL,
                "without a name every artifact gets a folder of its own below %s: the step that "
                "reads files there finds none",
                quoted(c, folder));
            finding->severity = WPA_SEVERITY_MEDIUM;
            wpa_rule_relate(c->run, finding, it->job->steps[i].node->span, "reads them");
            return;
        }
    }
}

static void check_download(const contract *c, item *it)
{
    bool is_called = wpa_outline_trigger_find(c->outline, "workflow_call") != NULL ||
                     c->run->source->kind != WPA_INPUT_WORKFLOW;
    check_cross_run(c, it);
    check_parents(c, it);
    if (it->name && it->text && !it->is_dynamic && !is_called && !is_of_other_run(it) &&
        !wpa_outline_with(it->step, "pattern") && c->outline->n_jobs <= WPA_JOBS_MAX) {
        check_source(c, it);
    }
    check_merged(c, it);
    check_folders(c, it);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    contract *c = wpa_arena_alloc(run->arena, sizeof *c);
    *c = (contract){.run = run, .outline = run->source->outline};
    c->graph = run->source->around ? run->source->around->graph : NULL;
    c->own = c->graph ? wpa_graph_own(c->graph, run->source, run->arena) : NULL;
    size_t n_steps = 0;
    for (size_t i = 0; i < c->outline->n_jobs; i++) {
        n_steps += c->outline->jobs[i].n_steps;
    }
    c->items =
        wpa_arena_array(run->arena, n_steps < ITEMS_MAX ? n_steps : ITEMS_MAX, sizeof *c->items);
    for (size_t i = 0; i < c->outline->n_jobs; i++) {
        read_steps(c, &c->outline->jobs[i]);
    }
    for (size_t i = 0; i < c->n; i++) {
        item *it = &c->items[i];
        if (it->is_upload) {
            check_legs(c, it);
            check_twice(c, it);
            check_hidden(c, it);
        } else {
            check_download(c, it);
        }
        check_characters(c, it);
    }
    return true;
}

/* ---- fixes ---- */

static bool is_downloaded(const wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_uses(&o->jobs[i].steps[k], "actions/download-artifact")) {
                return true;
            }
        }
    }
    return false;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const item *it = finding->subject;
    if (it && wpa_text_is(finding->check, "A4")) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "let the job need %s", it->need);
        wpa_jobs_add_need(run, fix, it->job, it->need);
    }
    if (it && wpa_text_is(finding->check, "A9")) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add include-hidden-files: true");
        (void)wpa_rule_add_in(run, fix, it->step->node, "with", "uses", "include-hidden-files",
                              "true");
    }
    if (!it || !wpa_text_is(finding->check, "A2") || is_downloaded(run)) {
        return;
    }
    const char *suffix = wpa_legs_suffix(it->job, BAD_CHARACTERS, run->arena);
    if (*suffix) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "name the leg in the artifact");
        if (it->name) {
            size_t end = wpa_yaml_source_span(it->name, 0, it->name->length).end;
            wpa_rule_edit(run, fix, (wpa_span){end, end}, "%s", suffix);
        } else {
            (void)wpa_rule_add_in(run, fix, it->step->node, "with", "uses", "name",
                                  wpa_arena_printf(run->arena, "artifact%s", suffix));
        }
    }
}

const wpa_rule wpa_rule_artifact_contract = {
    .code = "CMP-030",
    .id = "artifact-contract",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "What is uploaded and what is downloaded as artifact do not fit together",
    .why = "The upload is refused, or the download finds nothing, and the run fails late.",
    .fix = "Give each artifact a name of its own, and let the job that reads it need its maker.",
    .checks = (const char *const[]){"A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", NULL},
    .tables = 1U << WPA_FACTS_ACTIONS,
    .declares = WPA_DECLARES_NAMES | WPA_DECLARES_JOBS,
    .words = (const char *const[]){"actions/upload-artifact", "actions/download-artifact", NULL},
    .check = check,
    .repair = repair,
};
