/* Commands of the console as calls of the engine's service. A table: what to call for each kind. */
#include <string.h>

#include <wpa/text.h>

#include "agent/pool.h"
#include "feed/parts.h"
#include "fleet/fleet.h"
#include "notify/notify.h"

#define MATCHING_MAX 10000 /* done in one go to all that match a filter */

typedef struct doing {
    wpa_engine *engine;
    const wpa_actor *actor;
    const wpa_command *command;
    wpa_arena *arena;
    wpa_object *object; /* out */
    const char **text;  /* out */
} doing;

static bool is_left_out(const wpa_command *command, int64_t id)
{
    for (size_t i = 0; i < command->n_objects; i++) {
        if (command->objects[i].id == id) {
            return true;
        }
    }
    return false;
}

/** All that match, without those left out: as many as the person was asked about, or none. */
static int64_t *matching(const doing *d, size_t *n, wpa_error *err)
{
    const wpa_command *command = d->command;
    wpa_db *db = wpa_engine_take(d->engine, err);
    int64_t *ids =
        db ? wpa_feed_matching(db, &command->query, MATCHING_MAX, d->arena, n, err) : NULL;
    wpa_engine_give(d->engine, db);
    size_t kept = 0;
    for (size_t i = 0; ids && i < *n; i++) {
        if (!is_left_out(command, ids[i])) {
            ids[kept++] = ids[i];
        }
    }
    if (ids && (int64_t)kept != command->n_expected) {
        (void)WPA_FAIL(err, WPA_E_CONFLICT, "%zu match by now, not %lld: look again", kept,
                       (long long)command->n_expected);
        return NULL;
    }
    *n = kept;
    return ids;
}

/** Ids of what the command is about; NULL with *err set. */
static int64_t *ids_of(const doing *d, size_t *n, wpa_error *err)
{
    const wpa_command *command = d->command;
    if (command->is_matching) {
        return matching(d, n, err);
    }
    *n = command->n_objects;
    int64_t *ids = wpa_arena_array(d->arena, *n + 1, sizeof *ids);
    for (size_t i = 0; i < *n; i++) {
        ids[i] = command->objects[i].id;
    }
    if (*n == 0 && command->object.kind) {
        ids[(*n)++] = command->object.id;
    }
    return ids;
}

static const char *subject_of(const wpa_command *command, wpa_arena *arena)
{
    static const struct {
        wpa_object_kind kind;
        const char *word;
    } words[] = {
        {WPA_OBJECT_WORKFLOW, "workflow"}, {WPA_OBJECT_FINDING, "finding"},
        {WPA_OBJECT_PATCH, "patch"},       {WPA_OBJECT_DEPLOYMENT, "deployment"},
        {WPA_OBJECT_JOB, "job"},           {WPA_OBJECT_DESTINATION, "destination"},
    };
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (words[i].kind == command->object.kind) {
            return wpa_arena_printf(arena, "%s:%lld", words[i].word, (long long)command->object.id);
        }
    }
    return "console";
}

static bool is_kind(const doing *d, wpa_object_kind kind, wpa_error *err)
{
    return d->command->object.kind == kind ||
           WPA_FAIL(err, WPA_E_INVALID, "%s needs another kind of thing",
                    wpa_command_name(d->command->kind));
}

/* ---- workflows and findings -------------------------------------------------------------------
 */

static bool analyse(const doing *d, wpa_error *err)
{
    int64_t workflow_id =
        d->command->object.kind == WPA_OBJECT_WORKFLOW ? d->command->object.id : 0;
    int64_t job_id = 0;
    size_t n = 0;
    if (workflow_id == 0) { /* the whole fleet: its heads may have moved, so look first */
        if (!wpa_agent_scan(d->engine, d->actor, NULL, &n, err)) {
            return false;
        }
        *d->text = wpa_arena_printf(
            d->arena,
            n == 1 ? "%zu repository queued for scan" : "%zu repositories queued for scan", n);
    }
    if (!wpa_agent_analyze_workflow(d->engine, d->actor, workflow_id, NULL, &job_id, err)) {
        return false;
    }
    if (job_id) {
        *d->text = wpa_arena_printf(d->arena, "j-%lld queued for analysis", (long long)job_id);
        *d->object = (wpa_object){WPA_OBJECT_JOB, job_id};
    }
    return true;
}

static bool ignore(const doing *d, wpa_error *err)
{
    size_t n = 0;
    int64_t *ids = ids_of(d, &n, err);
    bool is_back = d->command->kind == WPA_COMMAND_UNIGNORE;
    return ids && wpa_agent_ignore_findings(d->engine, d->actor, ids, n, d->command->text,
                                            is_back ? 0 : d->command->until_us, err);
}

static bool comment(const doing *d, wpa_error *err)
{
    return wpa_agent_comment(d->engine, d->actor, subject_of(d->command, d->arena),
                             d->command->text ? d->command->text : "", err);
}

static bool create_patch(const doing *d, wpa_error *err)
{
    size_t n = 0;
    int64_t patch_id = 0;
    int64_t *ids = ids_of(d, &n, err);
    if (!ids || !wpa_agent_create_patch(d->engine, d->actor, ids, n, d->command->name, &patch_id,
                                        NULL, err)) {
        return false;
    }
    *d->object = (wpa_object){WPA_OBJECT_PATCH, patch_id};
    *d->text = wpa_arena_printf(d->arena, "p-%lld made and queued for test", (long long)patch_id);
    return true;
}

/* ---- patches ----------------------------------------------------------------------------------
 */

static bool test(const doing *d, wpa_error *err)
{
    int64_t job_id = 0;
    if (!is_kind(d, WPA_OBJECT_PATCH, err) ||
        !wpa_agent_test_patch(d->engine, d->actor, d->command->object.id, &job_id, err)) {
        return false;
    }
    *d->text = wpa_arena_printf(d->arena, "p-%lld queued for test, j-%lld",
                                (long long)d->command->object.id, (long long)job_id);
    return true;
}

static bool stop_test(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_PATCH, err) &&
           wpa_agent_stop_test(d->engine, d->actor, d->command->object.id, err);
}

static bool approve(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_PATCH, err) &&
           wpa_agent_approve_patch(d->engine, d->actor, d->command->object.id, d->command->text,
                                   err);
}

static bool withdraw(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_PATCH, err) &&
           wpa_agent_withdraw_approval(d->engine, d->actor, d->command->object.id, err);
}

static bool reject(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_PATCH, err) &&
           wpa_agent_reject_patch(d->engine, d->actor, d->command->object.id, d->command->text,
                                  err);
}

static bool waive(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_PATCH, err) &&
           wpa_agent_waive_check(d->engine, d->actor, d->command->object.id,
                                 d->command->name ? d->command->name : "", d->command->text,
                                 d->command->until_us, err);
}

static bool deploy(const doing *d, wpa_error *err)
{
    int64_t id = 0;
    if (!is_kind(d, WPA_OBJECT_PATCH, err) ||
        !wpa_agent_deploy_patch(d->engine, d->actor, d->command->object.id, d->command->digest, &id,
                                err)) {
        return false;
    }
    *d->object = (wpa_object){WPA_OBJECT_DEPLOYMENT, id};
    *d->text = wpa_arena_printf(d->arena, "d-%lld started", (long long)id);
    return true;
}

/* ---- deployments ------------------------------------------------------------------------------
 */

static bool steer(const doing *d, wpa_error *err)
{
    const wpa_command *c = d->command;
    int64_t id = c->object.id;
    const char *reason = c->text && c->text[0] ? c->text : NULL;
    const char *by_key =
        wpa_arena_printf(d->arena, "Guardian %s, key %s", d->actor->name, c->key ? c->key : "-");
    if (!is_kind(d, WPA_OBJECT_DEPLOYMENT, err)) {
        return false;
    }
    if (c->kind == WPA_COMMAND_HOLD) {
        return wpa_agent_pause(d->engine, d->actor, id, -1, reason ? reason : by_key, err);
    }
    if (c->kind == WPA_COMMAND_RESUME) {
        return wpa_agent_resume(d->engine, d->actor, id, -1, err);
    }
    if (c->kind == WPA_COMMAND_PROMOTE) {
        return wpa_agent_promote(d->engine, d->actor, id, -1, reason, err);
    }
    if (c->kind == WPA_COMMAND_CONCLUDE) {
        return wpa_agent_conclude(d->engine, d->actor, id, -1, reason, err);
    }
    if (c->kind == WPA_COMMAND_ABORT) {
        return wpa_agent_abort(d->engine, d->actor, id, -1, reason ? reason : by_key, err);
    }
    if (c->kind == WPA_COMMAND_CANCEL_ROLL_BACK) {
        return wpa_agent_cancel_rollback(d->engine, d->actor, id, err);
    }
    return wpa_agent_rollback_patch(d->engine, d->actor, id, -1,
                                    c->kind == WPA_COMMAND_ROLL_BACK ? c->delay_ms : 0,
                                    reason ? reason : by_key, err);
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static bool find(const doing *d, wpa_error *err)
{
    const char *text = d->command->text ? d->command->text : "";
    int64_t id = 0;
    if (text[0] && strchr("wfpdjr", text[0]) && text[1] == '-' &&
        wpa_text_to_int(text + 2, 1, INT64_MAX, &id)) {
        *d->object = (wpa_object){(wpa_object_kind)text[0], id};
        return true;
    }
    wpa_workflow_ref workflow;
    wpa_db *db = wpa_engine_take(d->engine, err);
    bool is_found = db && wpa_fleet_find_workflow(db, text, d->arena, &workflow, err);
    wpa_engine_give(d->engine, db);
    if (is_found) {
        *d->object = (wpa_object){WPA_OBJECT_WORKFLOW, workflow.id};
    }
    return is_found;
}

static bool verify(const doing *d, wpa_error *err)
{
    wpa_audit_report report;
    if (!wpa_actor_check(d->actor, WPA_ACTION_VERIFY_AUDIT, err) ||
        !wpa_agent_verify_audit(d->engine, 0, 0, &report, err)) {
        return false;
    }
    if (report.fault_seq) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "audit log broken at row %lld: %s",
                        (long long)report.fault_seq, report.fault);
    }
    *d->text = wpa_arena_printf(d->arena, "audit log sound: %lld row%s checked",
                                (long long)report.n_rows, report.n_rows == 1 ? "" : "s");
    return true;
}

static bool acknowledge(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_NOTICE, err) &&
           wpa_agent_acknowledge(d->engine, d->actor, d->command->object.id, err);
}

static bool read_notice(const doing *d, wpa_error *err)
{
    return wpa_agent_read_notices(d->engine, d->actor, d->command->object.id, err);
}

static bool cancel_job(const doing *d, wpa_error *err)
{
    return is_kind(d, WPA_OBJECT_JOB, err) &&
           wpa_agent_cancel_job(d->engine, d->actor, d->command->object.id, err);
}

/** Where notices go is the notify module's; the engine lends its connection. */
static bool with_destination(const doing *d, wpa_db *db, wpa_error *err)
{
    int64_t job_id = 0;
    size_t n = 0;
    bool is_test = d->command->kind == WPA_COMMAND_TEST_DESTINATION;
    bool is_done = is_test
                       ? wpa_notify_order_test(db, d->actor, d->command->object.id, &job_id, err)
                       : wpa_notify_retry(db, d->actor, 0, d->command->object.id, &n, err);
    if (is_done) {
        *d->text = is_test ? wpa_arena_printf(d->arena,
                                              "j-%lld sends a test: a notice will say "
                                              "what was answered",
                                              (long long)job_id)
                           : wpa_arena_printf(d->arena, "%zu sent again", n);
    }
    return is_done;
}

static bool tell_destination(const doing *d, wpa_error *err)
{
    if (!is_kind(d, WPA_OBJECT_DESTINATION, err)) {
        return false;
    }
    wpa_db *db = wpa_engine_take(d->engine, err);
    bool is_done = db && with_destination(d, db, err);
    wpa_engine_give(d->engine, db);
    return is_done;
}

static bool refused(const doing *d, wpa_error *err)
{
    return wpa_agent_record_refusal(d->engine, d->actor,
                                    d->command->text ? d->command->text : "a key",
                                    subject_of(d->command, d->arena), err);
}

static bool (*const doers[WPA_COMMAND_COUNT])(const doing *d, wpa_error *err) = {
    [WPA_COMMAND_FIND] = find,
    [WPA_COMMAND_VERIFY_AUDIT] = verify,
    [WPA_COMMAND_ANALYSE] = analyse,
    [WPA_COMMAND_IGNORE] = ignore,
    [WPA_COMMAND_UNIGNORE] = ignore,
    [WPA_COMMAND_COMMENT] = comment,
    [WPA_COMMAND_CREATE_PATCH] = create_patch,
    [WPA_COMMAND_TEST] = test,
    [WPA_COMMAND_STOP_TEST] = stop_test,
    [WPA_COMMAND_APPROVE] = approve,
    [WPA_COMMAND_WITHDRAW] = withdraw,
    [WPA_COMMAND_REJECT] = reject,
    [WPA_COMMAND_WAIVE] = waive,
    [WPA_COMMAND_DEPLOY] = deploy,
    [WPA_COMMAND_HOLD] = steer,
    [WPA_COMMAND_RESUME] = steer,
    [WPA_COMMAND_PROMOTE] = steer,
    [WPA_COMMAND_CONCLUDE] = steer,
    [WPA_COMMAND_ABORT] = steer,
    [WPA_COMMAND_ROLL_BACK] = steer,
    [WPA_COMMAND_ROLL_BACK_NOW] = steer,
    [WPA_COMMAND_CANCEL_ROLL_BACK] = steer,
    [WPA_COMMAND_ACKNOWLEDGE] = acknowledge,
    [WPA_COMMAND_READ_NOTICE] = read_notice,
    [WPA_COMMAND_CANCEL_JOB] = cancel_job,
    [WPA_COMMAND_TEST_DESTINATION] = tell_destination,
    [WPA_COMMAND_RETRY_DESTINATION] = tell_destination,
    [WPA_COMMAND_REFUSED] = refused,
};

bool wpa_feed_do(wpa_engine *engine, const wpa_actor *actor, const wpa_command *command,
                 wpa_arena *arena, wpa_object *object, const char **text, wpa_error *err)
{
    const doing d = {engine, actor, command, arena, object, text};
    if ((unsigned)command->kind >= WPA_COMMAND_COUNT || !doers[command->kind]) {
        return WPA_FAIL(err, WPA_E_INVALID, "unknown command");
    }
    if (command->kind != WPA_COMMAND_REFUSED &&
        !wpa_actor_check(actor, wpa_command_action(command->kind), err)) {
        wpa_error ignored = {0}; /* the refusal itself is the answer */
        (void)!wpa_agent_record_refusal(engine, actor, wpa_command_name(command->kind),
                                        subject_of(command, arena), &ignored);
        return false;
    }
    return doers[command->kind](&d, err);
}
