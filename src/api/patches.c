/* Patches: making one, listing and reading them, deciding about one. */
#include "api/patches.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "api/routes.h"
#include "fleet/fleet.h"
#include "gen/sql.h"

#define FILES_MAX 2000

static const char *const types[] = {"bug_fix", "performance", "security",
                                    "feature", "refactor",    NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
static const char *const statuses[] = {"pending",  "testing", "tested",      "approved",
                                       "deployed", "failed",  "rolled_back", NULL};
static const char *const strategies[] = {"waves-percent", "waves-count", "canary", "all-at-once",
                                         NULL};
static const char *const on_failures[] = {"rollback", "hold", NULL};
static const char *const gates[] = {"auto", "guardian", NULL};

/* ---- what is taken ------------------------------------------------------------------------------
 */

static const wpa_api_field content_fields[] = {
    {.name = "files_modified",
     .type = WPA_API_LIST,
     .item = WPA_API_TEXT,
     .words = "paths in the repository of target_workflow",
     .example = "[\".github/workflows/ci.yml\"]"},
    {.name = "changes",
     .type = WPA_API_MAP,
     .item = WPA_API_ANY,
     .words =
         "a path of files_modified to a unified diff or to its new content; any other entry is "
         "kept as a note. Without a content the engine fixes what the analysis found in "
         "files_modified, or in all files if nothing can be fixed in these"},
    {.name = "dependencies",
     .type = WPA_API_LIST,
     .item = WPA_API_ANY,
     .words = "owner/action@ref, an image, or {name, from, to}: each is checked by V101 to V115 as "
              "far as the tables know it (V109, lock files of npm and Go, and V114, toolchains, by "
              "the patch's files and those beside them), and refused if it has a known advisory",
     .example = "[\"actions/checkout@v4\"]"},
    {.name = "configuration",
     .type = WPA_API_OBJECT,
     .words = "kept and shown; its `declares` lists what the patch means to change: triggers, "
              "matrix, jobs, permissions, ..."},
    {0},
};

static const wpa_api_field order_fields[] = {
    {.name = "analysis_id",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 64,
     .words = "that it answers: UUID or short id; may be left out if contents are given",
     .example = "\"a-1\""},
    {.name = "patch_name",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 200,
     .words = "made from what it changes if left out"},
    {.name = "patch_version",
     .type = WPA_API_TEXT,
     .min = 5,
     .max = 64,
     .fallback = "1.0.0",
     .words = "semantic (semver.org)",
     .example = "\"1.0.0\""},
    {.name = "patch_type", .type = WPA_API_TEXT, .choices = types},
    {.name = "description", .type = WPA_API_TEXT, .max = 20000},
    {.name = "target_workflow",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 512,
     .words = "the analysis's if left out",
     .example = "\"ledger-api-ci\""},
    {.name = "issue_identified", .type = WPA_API_TEXT, .max = 20000},
    {.name = "patch_content", .type = WPA_API_OBJECT, .fields = content_fields},
    {.name = "severity", .type = WPA_API_TEXT, .choices = severities},
    {0},
};

static const wpa_api_field list_query[] = {
    {.name = "workflow_name", .type = WPA_API_TEXT, .min = 1, .max = 512},
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = statuses},
    {.name = "severity_filter", .type = WPA_API_TEXT, .choices = severities},
    {0},
};

/* As `rollout:` of fleet.yml, times in milliseconds. */
static const wpa_api_field rollout_fields[] = {
    {.name = "strategy", .type = WPA_API_TEXT, .choices = strategies},
    {.name = "percents", .type = WPA_API_LIST, .item = WPA_API_INT, .min = 1, .max = 100},
    {.name = "counts", .type = WPA_API_LIST, .item = WPA_API_INT, .min = 1, .max = 1000000},
    {.name = "canary", .type = WPA_API_LIST, .item = WPA_API_TEXT, .words = "repositories"},
    {.name = "canary_labels", .type = WPA_API_LIST, .item = WPA_API_TEXT},
    {.name = "bake_ms", .type = WPA_API_INT, .min = 0, .max = INT64_C(2592000000)},
    {.name = "canary_bake_ms", .type = WPA_API_INT, .min = 0, .max = INT64_C(2592000000)},
    {.name = "max_parallel", .type = WPA_API_INT, .min = 1, .max = 100},
    {.name = "max_failures", .type = WPA_API_INT, .min = 0, .max = 1000000},
    {.name = "max_conflicts", .type = WPA_API_INT, .min = 0, .max = 1000000},
    {.name = "deadline_ms", .type = WPA_API_INT, .min = 1000, .max = 604800000},
    {.name = "on_failure", .type = WPA_API_TEXT, .choices = on_failures},
    {.name = "gate", .type = WPA_API_TEXT, .choices = gates},
    {.name = "rollback_verify_ms", .type = WPA_API_INT, .min = 0, .max = 86400000},
    {0},
};

static const wpa_api_field rollback_fields[] = {
    {.name = "irreversible",
     .type = WPA_API_BOOL,
     .words = "it has a step that cannot be taken back: on_failure must be hold"},
    {.name = "note", .type = WPA_API_TEXT, .max = 4000},
    {0},
};

static const wpa_api_field decision_fields[] = {
    {.name = "status",
     .type = WPA_API_TEXT,
     .choices = statuses,
     .words = "approved: give your approval; tested: withdraw it; failed: reject (with reason); "
              "pending: test anew"},
    {.name = "reviewed_by",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 200,
     .words = "kept as stated; no approval"},
    {.name = "approved_by",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 200,
     .words = "with status approved; nobody but the token's person"},
    {.name = "reason", .type = WPA_API_TEXT, .max = 2000},
    {.name = "deployment_config",
     .type = WPA_API_OBJECT,
     .fields = rollout_fields,
     .words = "what this rollout does otherwise than its repositories say; until it starts"},
    {.name = "rollback_config", .type = WPA_API_OBJECT, .fields = rollback_fields},
    {0},
};

/* ---- what is answered ---------------------------------------------------------------------------
 */

static const wpa_api_field file_fields[] = {
    {.name = "repository", .type = WPA_API_TEXT, .is_required = true},
    {.name = "path", .type = WPA_API_TEXT, .is_required = true},
    {0},
};

static const wpa_api_field patch_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"p-2217\""},
    {.name = "patch_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_version", .type = WPA_API_TEXT, .is_required = true},
    {.name = "patch_type", .type = WPA_API_TEXT, .is_required = true, .choices = types},
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .choices = statuses},
    {.name = "reason",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "of a failed one: test_failed, test_error, rejected, superseded, deploy_failed, "
              "partial, rollback_incomplete"},
    {.name = "comment", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "severity", .type = WPA_API_TEXT, .is_required = true, .choices = severities},
    {.name = "revision", .type = WPA_API_INT, .is_required = true},
    {.name = "description",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "as it was ordered; the engine's own if nothing was said"},
    {.name = "issue_identified", .type = WPA_API_TEXT, .is_required = true},
    {.name = "analysis_id", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "target_workflow", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "target_workflows", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "files_modified",
     .type = WPA_API_LIST,
     .item = WPA_API_OBJECT,
     .fields = file_fields,
     .is_required = true,
     .words = "that it really changes"},
    {.name = "lines_added", .type = WPA_API_INT, .is_required = true},
    {.name = "lines_removed", .type = WPA_API_INT, .is_required = true},
    {.name = "findings", .type = WPA_API_INT, .is_required = true, .words = "that it answers"},
    {.name = "created_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "requested_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "reviewed_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "approvals", .type = WPA_API_INT, .is_required = true, .words = "valid ones"},
    {.name = "approvals_required", .type = WPA_API_INT, .is_required = true},
    {.name = "approvals_missing",
     .type = WPA_API_INT,
     .words = "after an approval: how many more are needed"},
    {.name = "deployment_config",
     .type = WPA_API_OBJECT,
     .is_required = true,
     .words = "the rollout as it would start now; stages are not in lists"},
    {.name = "rollback_config", .type = WPA_API_OBJECT, .is_required = true},
    {.name = "deployment_id", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "digest", .type = WPA_API_TEXT, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "tested_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "updated_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "diff", .type = WPA_API_TEXT, .words = "unified; not in lists, as what follows"},
    {.name = "patch_content",
     .type = WPA_API_OBJECT,
     .words = "notes, dependencies as checked, configuration"},
    {.name = "declares", .type = WPA_API_LIST, .item = WPA_API_TEXT},
    {.name = "engine_notes",
     .type = WPA_API_TEXT,
     .is_nullable = true,
     .words = "what the engine changed, a line for each fix, and what it left unanswered; null: it "
              "wrote nothing of it"},
    {.name = "answers", .type = WPA_API_LIST, .item = WPA_API_ANY},
    {.name = "approved_by", .type = WPA_API_LIST, .item = WPA_API_ANY},
    {.name = "waivers", .type = WPA_API_LIST, .item = WPA_API_ANY},
    {.name = "comments", .type = WPA_API_LIST, .item = WPA_API_ANY},
    {.name = "confidence", .type = WPA_API_OBJECT, .is_nullable = true},
    {.name = "test_report",
     .type = WPA_API_OBJECT,
     .is_nullable = true,
     .words = "of the last test of this content, as POST .../test answers it; null: there is none"},
    {0},
};

wpa_api_next wpa_api_patch_answer(wpa_api_request *request, int64_t id, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, WPA_SQL_API_PATCH, params, 1, "there is no such patch", err);
}

bool wpa_api_patch_id(wpa_api_request *request, int64_t *id, wpa_error *err)
{
    return wpa_api_id(request, 0, 'p', id, err);
}

bool wpa_api_workflow_id(wpa_api_request *request, const char *name, const char **id,
                         wpa_error *err)
{
    wpa_workflow_ref workflow;
    *id = NULL;
    if (!name) {
        return true;
    }
    if (!wpa_fleet_find_workflow(request->db, name, request->arena, &workflow, err)) {
        request->field =
            wpa_json_find(request->query, "workflow_name") ? "workflow_name" : "target_workflow";
        return false;
    }
    *id = wpa_arena_printf(request->arena, "%lld", (long long)workflow.id);
    return true;
}

/* ---- making -------------------------------------------------------------------------------------
 */

static void read_content(const wpa_json *content, wpa_patch_order *order, wpa_arena *arena)
{
    const wpa_json *files = wpa_json_find(content, "files_modified");
    const wpa_json *changes = wpa_json_find(content, "changes");
    const char **paths = wpa_arena_array(arena, wpa_json_count(files) + 1, sizeof *paths);
    wpa_patch_text *texts = wpa_arena_array(arena, wpa_json_count(changes) + 1, sizeof *texts);
    wpa_json *notes = wpa_json_new_object(arena);
    for (size_t i = 0; i < wpa_json_count(files); i++) {
        paths[order->n_files++] = wpa_json_text_of(wpa_json_at(files, i));
    }
    for (size_t i = 0; i < wpa_json_count(changes); i++) {
        const char *path = wpa_json_key_at(changes, i);
        const char *text = wpa_json_text_of(wpa_json_at(changes, i));
        if (text && wpa_json_has_text(files, path)) {
            texts[order->n_texts++] = (wpa_patch_text){path, text, strlen(text)};
        } else {
            wpa_json_set(notes, path, wpa_json_dup(wpa_json_at(changes, i), arena));
        }
    }
    order->files = paths;
    order->texts = texts;
    order->notes = wpa_json_dump(notes, arena);
}

static const char *dump_of(const wpa_json *object, const char *key, wpa_arena *arena)
{
    const wpa_json *value = wpa_json_find(object, key);
    bool is_given = value && wpa_json_kind_of(value) != WPA_JSON_NULL;
    return is_given ? wpa_json_dump(value, arena) : NULL;
}

static bool read_places(wpa_api_request *request, wpa_patch_order *order, wpa_error *err)
{
    const char *analysis = wpa_api_body_text(request, "analysis_id");
    const char *name = wpa_api_body_text(request, "target_workflow");
    const char *workflow;
    if (!analysis && !name) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'analysis_id' is missing");
    }
    request->field = "analysis_id"; /* whatever is said to be missing */
    if ((analysis && !wpa_api_id_of(request, analysis, 'a', &order->analysis_id, err)) ||
        !wpa_api_workflow_id(request, name, &workflow, err)) {
        return false;
    }
    return !workflow || wpa_text_to_int(workflow, 1, INT64_MAX, &order->workflow_id);
}

static wpa_api_next create(wpa_api_request *request, wpa_error *err)
{
    const wpa_json *content = wpa_json_find(request->body, "patch_content");
    int64_t id;
    wpa_patch_order order = {
        .name = wpa_api_body_text(request, "patch_name"),
        .version = wpa_api_body_text(request, "patch_version"),
        .type = wpa_api_body_text(request, "patch_type"),
        .description = wpa_api_body_text(request, "description"),
        .issue = wpa_api_body_text(request, "issue_identified"),
        .severity = wpa_api_body_text(request, "severity"),
        .dependencies = dump_of(content, "dependencies", request->arena),
        .configuration = dump_of(content, "configuration", request->arena),
    };
    read_content(content, &order, request->arena);
    if (order.n_files > FILES_MAX) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "field 'files_modified' has more than %d", FILES_MAX);
        return WPA_API_FAILED;
    }
    if (!read_places(request, &order, err) ||
        !wpa_agent_order_patch(request->engine, &request->actor, &order, &id, err)) {
        /* Refused is what the content says, not what state something is in. */
        request->status = err->code == WPA_E_REFUSED ? 422 : 0;
        bool is_content = err->code == WPA_E_REFUSED || err->code == WPA_E_INVALID;
        request->field = is_content ? (order.n_texts ? "patch_content.changes" : "patch_content")
                                    : request->field;
        return WPA_API_FAILED;
    }
    request->location =
        wpa_arena_printf(request->arena, "%s/patches/p-%lld", WPA_API_BASE, (long long)id);
    return wpa_api_patch_answer(request, id, err);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static wpa_api_next list(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, NULL, wpa_api_query_text(request, "status_filter"),
                            wpa_api_query_text(request, "severity_filter")};
    const char *name = wpa_api_query_text(request, "workflow_name");
    if (!wpa_api_workflow_id(request, name, &params[2], err)) {
        return WPA_API_FAILED;
    }
    return wpa_api_list(request, WPA_SQL_API_PATCHES, params, WPA_COUNT(params), err);
}

static wpa_api_next show(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return wpa_api_patch_id(request, &id, err) ? wpa_api_patch_answer(request, id, err)
                                               : WPA_API_FAILED;
}

/* ---- deciding -----------------------------------------------------------------------------------
 */

static const struct {
    const char *status;
    wpa_patch_verdict verdict;
    const char *instead; /* where there is no deciding: the call that leads there */
} decisions[] = {
    {"approved", WPA_VERDICT_APPROVE, NULL},
    {"tested", WPA_VERDICT_WITHDRAW, NULL},
    {"failed", WPA_VERDICT_REJECT, NULL},
    {"pending", WPA_VERDICT_TEST, NULL},
    {"testing", WPA_VERDICT_NONE, "POST /patches/{patch_id}/test"},
    {"deployed", WPA_VERDICT_NONE, "POST /patches/{patch_id}/deploy"},
    {"rolled_back", WPA_VERDICT_NONE, "DELETE /patches/{patch_id}/rollback"},
};

static bool read_verdict(const wpa_api_request *request, wpa_patch_change *change, wpa_error *err)
{
    const char *status = wpa_api_body_text(request, "status");
    const char *by = wpa_api_body_text(request, "approved_by");
    for (size_t i = 0; status && i < WPA_COUNT(decisions); i++) {
        if (!wpa_text_is(decisions[i].status, status)) {
            continue;
        }
        if (decisions[i].instead) {
            const char *place = strstr(decisions[i].instead, "{patch_id}");
            return WPA_FAIL(err, WPA_E_REFUSED, "field 'status': %s is reached by %.*s%s%s", status,
                            (int)(place - decisions[i].instead), decisions[i].instead,
                            request->values[0], place + strlen("{patch_id}"));
        }
        change->verdict = decisions[i].verdict;
    }
    if (change->verdict == WPA_VERDICT_REJECT && (!change->text || !*change->text)) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'reason' is missing: say why it is rejected");
    }
    if (by && change->verdict != WPA_VERDICT_APPROVE) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'approved_by' goes with status 'approved' only");
    }
    return !by || wpa_text_is(by, request->actor.name) ||
           WPA_FAIL(err, WPA_E_INVALID,
                    "field 'approved_by' must be '%s': an approval is given in one's own name",
                    request->actor.name);
}

/** Members of what is there, replaced by those given. */
static wpa_api_next answer_decided(wpa_api_request *request, int64_t id, bool is_approval,
                                   wpa_error *err)
{
    wpa_api_next next = wpa_api_patch_answer(request, id, err);
    wpa_json *patch = next == WPA_API_DONE && is_approval
                          ? wpa_json_parse(request->text, request->text_bytes, WPA_JSON_MAX_BYTES,
                                           request->arena, err)
                          : NULL;
    if (!patch) {
        return next;
    }
    int64_t missing = wpa_json_int_of(wpa_json_find(patch, "approvals_required"), 1) -
                      wpa_json_int_of(wpa_json_find(patch, "approvals"), 0);
    wpa_json_set_int(patch, "approvals_missing", missing > 0 ? missing : 0);
    request->text = NULL;
    return wpa_api_answer(request, patch);
}

/* What is changed and what is decided are one: both if the patch is as it was read, or none. */
static wpa_api_next change(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    const wpa_patch_revision revision = {
        .reviewed_by = wpa_api_body_text(request, "reviewed_by"),
        .deployment_config = dump_of(request->body, "deployment_config", request->arena),
        .rollback_config = dump_of(request->body, "rollback_config", request->arena)};
    bool is_revision =
        revision.reviewed_by || revision.deployment_config || revision.rollback_config;
    wpa_patch_change all = {.revision = is_revision ? &revision : NULL,
                            .text = wpa_api_body_text(request, "reason")};
    if (!wpa_api_body_text(request, "status") && !is_revision) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "field 'status' is missing: there is nothing to change");
        return WPA_API_FAILED;
    }
    if (!read_verdict(request, &all, err) || !wpa_api_patch_id(request, &id, err) ||
        !wpa_api_version_wanted(request, &all.if_version, err) ||
        !wpa_agent_change_patch(request->engine, &request->actor, id, &all, err)) {
        return WPA_API_FAILED;
    }
    return answer_decided(request, id, all.verdict == WPA_VERDICT_APPROVE, err);
}

/* ---- routes -------------------------------------------------------------------------------------
 */

const wpa_api_route wpa_api_patch_create = {
    .method = "POST",
    .path = "/patches",
    .access = WPA_API_GUARDIAN,
    .scope = "patch",
    .tag = "patches",
    .summary = "Make a patch",
    .details = "From contents or unified diffs, or from the fixable findings of an analysis. Its "
               "test is queued with it. 422 if there is nothing to change, or if the content holds "
               "a secret.",
    .body = order_fields,
    .answer = patch_fields,
    .status = 201,
    .example_body = "{\"analysis_id\": \"a-1\", \"patch_name\": \"Fixes of the analysis\", "
                    "\"patch_version\": \"1.0.0\", \"patch_type\": \"security\", \"severity\": "
                    "\"high\"}",
    .run = create,
};

const wpa_api_route wpa_api_patches = {
    .method = "GET",
    .path = "/patches",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "patches",
    .summary = "Patches, the newest first",
    .query = list_query,
    .answer = patch_fields,
    .is_list = true,
    .example = "/patches?status_filter=tested&limit=10",
    .is_kept = true,
    .run = list,
};

const wpa_api_route wpa_api_patch = {
    .method = "GET",
    .path = "/patches/{patch_id}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "patches",
    .summary = "One patch: what it really changes, who approved it, how it would be deployed",
    .answer = patch_fields,
    .example = "/patches/p-1",
    .is_kept = true,
    .run = show,
};

const wpa_api_route wpa_api_patch_change = {
    .method = "PATCH",
    .path = "/patches/{patch_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "approve",
    .tag = "patches",
    .summary = "Approve, withdraw, reject or test a patch anew; say how it is deployed",
    .details = "While more approvals are needed it stays tested, and approvals_missing says how "
               "many. With If-Match only if it is still as it was read.",
    .body = decision_fields,
    .answer = patch_fields,
    .example = "/patches/p-1",
    .example_body = "{\"reviewed_by\": \"Mira\"}",
    .run = change,
};
