/* Webhooks in, as GitHub sends them. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/secret.h"
#include "fleet/fleet.h"
#include "gen/sql.h"
#include "notify/notify.h"

#define URLS_MAX 8
#define HEADER_MAX_BYTES 100
#define REF_MAX_BYTES 300
#define SIGNATURE_LEAD "sha256="
#define BRANCH_LEAD "refs/heads/"

/* What is being taken in. */
typedef struct taking {
    const wpa_hook_call *call;
    const wpa_json *payload;
    const char *urls;       /* array, as a parameter */
    int64_t fleet_id;       /* the hook of the fleet, once its secret was tried; 0: none */
    int64_t hook_id;        /* whose secret fits */
    wpa_rows *repositories; /* id, name, branch: those that the hook speaks for */
    wpa_json *answer;
    bool is_done;
    wpa_arena *arena;
} taking;

/* ---- the signature ------------------------------------------------------------------------------
 */

static bool read_signature(const char *text, uint8_t mac[WPA_SHA256_SIZE])
{
    return text && wpa_text_starts(text, SIGNATURE_LEAD) &&
           wpa_hex_decode(text + strlen(SIGNATURE_LEAD), mac, WPA_SHA256_SIZE);
}

static bool fits(const taking *t, int64_t hook_id, const char *reference,
                 const uint8_t given[WPA_SHA256_SIZE])
{
    uint8_t mac[WPA_SHA256_SIZE];
    wpa_error why = {0};
    WPA_AUTO(wpa_secret) *secret = wpa_notify_secret_read(reference, &why);
    if (!secret) {
        wpa_log_write(t->call->log, WPA_LOG_WARN, "notify", "webhook h-%lld: %s",
                      (long long)hook_id, why.message);
        return false;
    }
    wpa_hmac_sha256(wpa_secret_bytes(secret), wpa_secret_size(secret), t->call->body,
                    t->call->body_bytes, mac);
    return wpa_equal_constant_time(mac, given, sizeof mac);
}

/** All addresses that the forge gives its repository: any of them may be the one we were given. */
static const char *urls_of(const wpa_json *payload, wpa_arena *arena)
{
    static const char *const keys[] = {"clone_url", "ssh_url", "git_url", "html_url", "svn_url"};
    const wpa_json *repository = wpa_json_find(payload, "repository");
    const char *urls[URLS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const char *url = wpa_json_text_of(wpa_json_find(repository, keys[i]));
        if (url && *url && strlen(url) < 1000) {
            urls[n++] = url;
        }
    }
    return wpa_db_array(arena, urls, n);
}

/** Of the rows, as hook_secrets and hook_fleet give them, the hook whose secret fits; or 0. */
static int64_t find_fitting(const taking *t, const wpa_rows *rows,
                            const uint8_t given[WPA_SHA256_SIZE])
{
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        int64_t hook_id = wpa_rows_int(rows, i, 0);
        if (hook_id != t->fleet_id && fits(t, hook_id, wpa_rows_text(rows, i, 1), given)) {
            return hook_id;
        }
    }
    return 0;
}

/** Does the fleet's secret speak for what the body names? Not where there is one of its own. */
static bool is_spoken_for(const taking *t, const wpa_rows *rows)
{
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        if (wpa_rows_int(rows, i, 0) == t->fleet_id) {
            return true;
        }
    }
    return false;
}

static void read_body(taking *t, wpa_error *err)
{
    t->payload =
        wpa_json_parse(t->call->body, t->call->body_bytes, WPA_JSON_MAX_BYTES, t->arena, err);
    t->urls = urls_of(t->payload, t->arena);
}

static bool may_be_read(const wpa_hook_call *call)
{
    return !call->may_be_read || call->may_be_read(call->context);
}

/*
 * The body is bytes of anybody until a signature fits. The fleet's secret is tried on them as they
 * are; only where repositories have secrets of their own does the body have to say which one's is
 * meant, and that is read for those alone who were not refused too often.
 *
 * Nothing of why goes to the caller: whether a repository is known is nobody's business.
 */
static bool check_signature(taking *t, wpa_db *db, wpa_error *unread, wpa_error *err)
{
    static const char refusal[] = "the signature does not fit";
    uint8_t given[WPA_SHA256_SIZE];
    if (!read_signature(t->call->signature, given)) {
        return WPA_FAIL(err, WPA_E_DENIED, "%s", refusal);
    }
    WPA_AUTO(wpa_rows) *fleet = wpa_db_exec(db, WPA_SQL_HOOK_FLEET, NULL, 0, err);
    if (!fleet) {
        return false;
    }
    bool has_own = wpa_rows_count(fleet) > 0 && wpa_rows_bool(fleet, 0, 2);
    bool has_fleet = wpa_rows_count(fleet) > 0 && !wpa_rows_is_null(fleet, 0, 0);
    int64_t fleet_id = has_fleet ? find_fitting(t, fleet, given) : 0;
    if (!fleet_id && (!has_own || !may_be_read(t->call))) {
        return WPA_FAIL(err, WPA_E_DENIED, "%s", refusal);
    }
    t->fleet_id = has_fleet ? wpa_rows_int(fleet, 0, 0) : 0;
    read_body(t, unread);
    const char *params[] = {t->urls};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_HOOK_SECRETS, params, 1, err);
    if (!rows) {
        return false;
    }
    t->hook_id = fleet_id && is_spoken_for(t, rows) ? fleet_id : find_fitting(t, rows, given);
    return t->hook_id || WPA_FAIL(err, WPA_E_DENIED, "%s", refusal);
}

/* ---- the payload --------------------------------------------------------------------------------
 */

static const char *text_at(const wpa_json *object, const char *key)
{
    const char *text = wpa_json_text_of(wpa_json_find(object, key));
    return text && strlen(text) <= REF_MAX_BYTES ? text : "";
}

static void ignore(taking *t, const char *reason)
{
    wpa_json_set_text(t->answer, "status", "ignored");
    wpa_json_set_text(t->answer, "reason", reason);
}

/* ---- events -------------------------------------------------------------------------------------
 */

static bool take_ping(taking *t, wpa_db *db, wpa_error *err)
{
    (void)db, (void)err;
    wpa_json_set_text(t->answer, "status", "pong");
    t->is_done = true;
    return true;
}

/** A scan fetches first: it sees at least what was pushed. */
static bool take_push(taking *t, wpa_db *db, wpa_error *err)
{
    const char *ref = text_at(t->payload, "ref");
    bool is_branch = wpa_text_starts(ref, BRANCH_LEAD);
    const char *branch = is_branch ? ref + strlen(BRANCH_LEAD) : "";
    wpa_json *scanned = wpa_json_new_array(t->arena);
    for (size_t i = 0; i < wpa_rows_count(t->repositories); i++) {
        if (!wpa_text_is(wpa_rows_text(t->repositories, i, 2), branch)) {
            continue;
        }
        const char *name = wpa_rows_dup(t->repositories, i, 1, t->arena);
        if (!wpa_fleet_queue_scan(db, t->call->actor, wpa_rows_int(t->repositories, i, 0), name,
                                  err)) {
            return false;
        }
        wpa_json_push_text(scanned, name);
    }
    if (wpa_json_count(scanned) == 0) {
        ignore(t, is_branch ? wpa_arena_printf(t->arena, "the fleet does not follow %s", branch)
                            : "no branch was pushed");
        return true;
    }
    wpa_json_set_text(t->answer, "status", "queued");
    wpa_json_set(t->answer, "scans", scanned);
    t->is_done = true;
    return true;
}

/** Their words for how a run ended, in ours. */
static const char *conclusion_of(const char *theirs)
{
    static const struct {
        const char *theirs, *ours;
    } rows[] = {
        {"success", "success"},
        {"failure", "failure"},
        {"cancelled", "cancelled"},
        {"skipped", "skipped"},
        {"timed_out", "timed_out"},
        {"action_required", "action_required"},
        {"startup_failure", "failure"},
        {"neutral", "none"},
        {"stale", "none"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_text_is(rows[i].theirs, theirs)) {
            return rows[i].ours;
        }
    }
    return "none";
}

static const char *time_at(const wpa_json *run, const char *key, wpa_arena *arena)
{
    char text[WPA_TIMESTAMP_SIZE];
    int64_t time_us = 0;
    wpa_error ignored = {0};
    const char *given = text_at(run, key);
    return *given && wpa_timestamp_parse(given, &time_us, &ignored)
               ? wpa_arena_text(arena, wpa_timestamp_format(time_us, text))
               : NULL;
}

/** ".github/workflows/ci.yml", which may have "@refs/heads/main" behind it. */
static const char *path_of(const wpa_json *run, wpa_arena *arena)
{
    const char *path = text_at(run, "path");
    return wpa_arena_slice(arena, path, strcspn(path, "@"));
}

/** Each try of a run is one of the history: what failed and then worked is flaky. */
static const char *number_of(const wpa_json *run, wpa_arena *arena)
{
    int64_t id = wpa_json_int_of(wpa_json_find(run, "id"), 0);
    int64_t attempt = wpa_json_int_of(wpa_json_find(run, "run_attempt"), 1);
    return id <= 0        ? NULL
           : attempt <= 1 ? wpa_arena_printf(arena, "%lld", (long long)id)
                          : wpa_arena_printf(arena, "%lld/%lld", (long long)id, (long long)attempt);
}

static bool order_score(taking *t, wpa_db *db, int64_t workflow_id, const char *name,
                        wpa_error *err)
{
    const wpa_job_spec spec = {
        .kind = "analyse",
        .subject = wpa_arena_printf(t->arena, "workflow:%lld", (long long)workflow_id),
        .label = wpa_arena_printf(t->arena, "score %s", name),
        .requested_by = t->call->actor->principal_id,
    };
    return wpa_job_enqueue(db, &spec, NULL, err);
}

static wpa_rows *store_run(taking *t, wpa_db *db, const wpa_json *run, wpa_error *err)
{
    wpa_arena *arena = t->arena;
    size_t n = wpa_rows_count(t->repositories);
    int64_t *ids = wpa_arena_array(arena, n + 1, sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        ids[i] = wpa_rows_int(t->repositories, i, 0);
    }
    const char *started = time_at(run, "run_started_at", arena);
    const char *created = time_at(run, "created_at", arena);
    const char *params[] = {
        wpa_db_array_int(arena, ids, n),
        path_of(run, arena),
        number_of(run, arena),
        text_at(run, "head_branch"),
        text_at(run, "head_sha"),
        text_at(run, "event"),
        conclusion_of(text_at(run, "conclusion")),
        created,
        started ? started : created,
        time_at(run, "updated_at", arena),
    };
    if (!params[2] || !params[8] || !params[9]) {
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "field 'workflow_run' has no id, run_started_at or updated_at");
        return NULL;
    }
    return wpa_db_exec(db, WPA_SQL_HOOK_RUN_STORE, params, WPA_COUNT(params), err);
}

static bool take_run(taking *t, wpa_db *db, wpa_error *err)
{
    const wpa_json *run = wpa_json_find(t->payload, "workflow_run");
    if (!wpa_text_is(text_at(t->payload, "action"), "completed")) {
        ignore(t, "the run has not completed");
        return true;
    }
    WPA_AUTO(wpa_rows) *rows = store_run(t, db, run, err);
    if (!rows) {
        return false;
    }
    wpa_json *workflows = wpa_json_new_array(t->arena);
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        const char *name = wpa_rows_dup(rows, i, 1, t->arena);
        if (!order_score(t, db, wpa_rows_int(rows, i, 0), name, err)) {
            return false;
        }
        wpa_json_push_text(workflows, name);
    }
    if (wpa_json_count(workflows) == 0) {
        ignore(t, "no workflow of the fleet has this path");
        return true;
    }
    wpa_json_set_text(t->answer, "status", "recorded");
    wpa_json_set(t->answer, "workflows", workflows);
    t->is_done = true;
    return true;
}

static const struct {
    const char *event;
    bool (*take)(taking *t, wpa_db *db, wpa_error *err);
    bool needs_repository;
} events[] = {
    {"ping", take_ping, false},
    {"push", take_push, true},
    {"workflow_run", take_run, true},
};

static bool take_event(taking *t, wpa_db *db, wpa_error *err)
{
    for (size_t i = 0; i < WPA_COUNT(events); i++) {
        if (!wpa_text_is(events[i].event, t->call->event)) {
            continue;
        }
        if (events[i].needs_repository && wpa_rows_count(t->repositories) == 0) {
            ignore(t, "the repository is not in the fleet");
            return true;
        }
        return events[i].take(t, db, err);
    }
    ignore(t, wpa_arena_printf(t->arena, "nothing is done for the event '%s'", t->call->event));
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

/** What was answered to the same delivery before. */
static bool repeat_answer(taking *t, wpa_db *db, wpa_error *err)
{
    const char *params[] = {t->call->delivery};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_HOOK_ANSWER, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    wpa_json *before = wpa_json_parse(wpa_rows_text(rows, 0, 0), wpa_rows_length(rows, 0, 0),
                                      WPA_JSON_MAX_BYTES, t->arena, err);
    if (!before) {
        return false;
    }
    wpa_json_set_bool(before, "duplicate", true);
    t->answer = before;
    t->is_done = true;
    return true;
}

/** The delivery is remembered in the transaction of what it sets going: both, or neither. */
static bool take(wpa_db *db, void *context, wpa_error *err)
{
    taking *t = context;
    char hook[WPA_DB_NUMBER_SIZE];
    t->answer = wpa_json_new_object(t->arena);
    wpa_json_set_text(t->answer, "event", t->call->event);
    const char *params[] = {t->call->delivery, wpa_db_number(t->hook_id, hook), t->call->event,
                            t->call->actor->address};
    const char *which[] = {t->urls, hook};
    WPA_AUTO(wpa_rows) *fresh = wpa_db_exec(db, WPA_SQL_HOOK_TAKE, params, 4, err);
    if (!fresh || wpa_rows_count(fresh) == 0) {
        return fresh && repeat_answer(t, db, err);
    }
    WPA_AUTO(wpa_rows) *repositories = wpa_db_exec(db, WPA_SQL_HOOK_REPOSITORIES, which, 2, err);
    t->repositories = repositories;
    bool is_taken = repositories && take_event(t, db, err);
    t->repositories = NULL;
    const char *answered[] = {t->call->delivery, wpa_json_dump(t->answer, t->arena)};
    return is_taken && wpa_db_run(db, WPA_SQL_HOOK_ANSWERED, answered, 2, err);
}

static bool is_word(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    bool is_right = length > 0 && length <= HEADER_MAX_BYTES;
    for (const char *c = text; is_right && *c; c++) {
        is_right = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' || *c == '-' ||
                   (*c >= '0' && *c <= '9');
    }
    return is_right;
}

const wpa_json *wpa_hook_github(wpa_db *db, const wpa_hook_call *call, bool *is_done,
                                wpa_arena *arena, wpa_error *err)
{
    taking t = {.call = call, .arena = arena};
    wpa_error unread = {0};
    *is_done = false;
    if (!check_signature(&t, db, &unread, err)) {
        return NULL;
    }
    if (!t.payload) { /* said only to whoever has the secret */
        (void)WPA_FAIL(err, unread.code, "the body: %s", unread.message);
        return NULL;
    }
    if (!is_word(call->event) || !is_word(call->delivery)) {
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "the headers X-GitHub-Event and X-GitHub-Delivery must be there");
        return NULL;
    }
    if (!wpa_db_transact(db, call->actor, take, &t, err)) {
        return NULL;
    }
    *is_done = t.is_done;
    return t.answer;
}

/* ---- whose are taken ----------------------------------------------------------------------------
 */

typedef struct adding {
    const char *repository, *reference;
    const wpa_actor *actor;
    int64_t id;
} adding;

static bool add(wpa_db *db, void *context, wpa_error *err)
{
    adding *a = context;
    char who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {a->repository, a->reference,
                            wpa_db_number(a->actor->principal_id, who)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_HOOK_ADD, params, WPA_COUNT(params), err);
    if (!rows) {
        return wpa_text_is(wpa_db_sqlstate(db), "23505")
                   ? WPA_FAIL(err, WPA_E_CONFLICT,
                              "webhooks of %s are taken already: remove it first",
                              a->repository ? a->repository : "the fleet")
                   : false;
    }
    a->id = wpa_rows_count(rows) ? wpa_rows_int(rows, 0, 0) : 0;
    return a->id || WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no repository '%s'", a->repository);
}

bool wpa_hook_add(wpa_db *db, const wpa_actor *actor, const char *repository, const char *reference,
                  int64_t *id, wpa_error *err)
{
    adding a = {.repository = repository, .reference = reference, .actor = actor};
    bool is_added = wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
                    wpa_notify_secret_check(reference, err) &&
                    wpa_db_transact(db, actor, add, &a, err);
    *id = a.id;
    return is_added;
}
