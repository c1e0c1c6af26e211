/* The fleet, the people, and the tokens of machines. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/pool.h"
#include "api/routes.h"
#include "fleet/fleet.h"
#include "gen/sql.h"
#include "guardian/guardian.h"

#define DAY_US INT64_C(86400000000)

static wpa_api_next show_by_name(wpa_api_request *request, const wpa_sql *statement,
                                 const char *name, const char *missing, wpa_error *err)
{
    return wpa_api_one(request, statement, &name, 1, missing, err);
}

/* ---- fleet --------------------------------------------------------------------------------------
 */

static const wpa_api_field repository_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"r-4\""},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "url",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "without what opens it: *** is in the place of a password or token"},
    {.name = "branch", .type = WPA_API_TEXT, .is_required = true},
    {.name = "owner", .type = WPA_API_TEXT, .is_required = true},
    {.name = "labels", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "criticality", .type = WPA_API_INT, .is_required = true},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true},
    {.name = "error", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "head", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "scanned_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "rollout", .type = WPA_API_OBJECT, .is_required = true},
    {.name = "health_checks", .type = WPA_API_LIST, .item = WPA_API_ANY, .is_required = true},
    {.name = "workflows", .type = WPA_API_INT, .is_required = true},
    {.name = "health_score", .type = WPA_API_REAL, .is_required = true, .is_nullable = true},
    {0},
};

static const wpa_api_field add_fields[] = {
    {.name = "url",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = 2000,
     .words = "absolute path or URL"},
    {.name = "name", .type = WPA_API_TEXT, .min = 1, .max = 100},
    {.name = "branch", .type = WPA_API_TEXT, .min = 1, .max = 250},
    {.name = "owner", .type = WPA_API_TEXT, .max = 200},
    {.name = "criticality", .type = WPA_API_INT, .min = 1, .max = 3, .fallback = "2"},
    {0},
};

static const wpa_api_field workflow_query[] = {
    {.name = "repository", .type = WPA_API_TEXT, .min = 1, .max = 100},
    {0},
};

static const wpa_api_field workflow_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"w-88\""},
    {.name = "workflow_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "repository", .type = WPA_API_TEXT, .is_required = true},
    {.name = "path", .type = WPA_API_TEXT, .is_required = true},
    {.name = "kind", .type = WPA_API_TEXT, .is_required = true},
    {.name = "title", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "health_score", .type = WPA_API_REAL, .is_required = true, .is_nullable = true},
    {.name = "grade", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "open_findings", .type = WPA_API_INT, .is_required = true},
    {.name = "error", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "last_analysis", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

static const wpa_api_field scan_fields[] = {
    {.name = "ordered", .type = WPA_API_INT, .is_required = true, .words = "scans"},
    {0},
};

static const char no_repository[] = "there is no such repository";

static wpa_api_next list_fleet(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL};
    return wpa_api_list(request, WPA_SQL_API_REPOSITORIES, params, 2, err);
}

static wpa_api_next show_repository(wpa_api_request *request, wpa_error *err)
{
    const char *name;
    return wpa_api_repository_name(request, request->values[0], &name, err)
               ? show_by_name(request, WPA_SQL_API_REPOSITORY, name, no_repository, err)
               : WPA_API_FAILED;
}

static wpa_api_next list_workflows(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, NULL};
    const char *repository = wpa_api_query_text(request, "repository");
    return wpa_api_repository_name(request, repository, &params[2], err)
               ? wpa_api_list(request, WPA_SQL_API_WORKFLOWS, params, WPA_COUNT(params), err)
               : WPA_API_FAILED;
}

static wpa_api_next add_repository(wpa_api_request *request, wpa_error *err)
{
    wpa_repository repository;
    int64_t id;
    const char *owner = wpa_api_body_text(request, "owner");
    const char *url = wpa_api_body_text(request, "url");
    if (url[0] != '/' && !strchr(url, ':')) { /* relative to what? */
        (void)WPA_FAIL(err, WPA_E_INVALID, "field 'url' must be an absolute path or a URL");
        return WPA_API_FAILED;
    }
    if (!wpa_fleet_declare(wpa_api_body_text(request, "name"), url,
                           wpa_api_body_text(request, "branch"), request->arena, &repository,
                           err)) {
        return WPA_API_FAILED;
    }
    repository.owner = owner ? owner : repository.owner;
    repository.criticality = wpa_json_int_of(wpa_json_find(request->body, "criticality"), 2);
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_added = db && wpa_fleet_add(db, &request->actor, &repository, &id, err);
    wpa_engine_give(request->engine, db);
    return is_added
               ? show_by_name(request, WPA_SQL_API_REPOSITORY, repository.name, no_repository, err)
               : WPA_API_FAILED;
}

static wpa_api_next remove_repository(wpa_api_request *request, wpa_error *err)
{
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_removed = db && wpa_fleet_remove(db, &request->actor, request->values[0], err);
    wpa_engine_give(request->engine, db);
    return is_removed ? WPA_API_DONE : WPA_API_FAILED;
}

static wpa_api_next scan(wpa_api_request *request, wpa_error *err)
{
    size_t n = 0;
    if (!wpa_agent_scan(request->engine, &request->actor, request->values[0], &n, err)) {
        return WPA_API_FAILED;
    }
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_int(answer, "ordered", (int64_t)n);
    return wpa_api_answer(request, answer);
}

const wpa_api_route wpa_api_fleet = {
    .method = "GET",
    .path = "/fleet",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "fleet",
    .summary = "Repositories of the fleet, the newest first",
    .answer = repository_fields,
    .is_list = true,
    .run = list_fleet,
};

const wpa_api_route wpa_api_fleet_one = {
    .method = "GET",
    .path = "/fleet/{repository}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "fleet",
    .summary = "One repository",
    .answer = repository_fields,
    .example = "/fleet/ledger-api",
    .run = show_repository,
};

const wpa_api_route wpa_api_fleet_add = {
    .method = "POST",
    .path = "/fleet",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "fleet",
    .summary = "Add a repository; its first scan is ordered",
    .body = add_fields,
    .answer = repository_fields,
    .status = 201,
    .example_body = "{\"name\": \"added\", \"url\": \"/nowhere/added.git\", \"branch\": \"main\"}",
    .run = add_repository,
};

const wpa_api_route wpa_api_fleet_remove = {
    .method = "DELETE",
    .path = "/fleet/{repository}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "fleet",
    .summary = "Take a repository out of the fleet; its history stays",
    .status = 204,
    .example = "/fleet/added",
    .run = remove_repository,
};

const wpa_api_route wpa_api_fleet_scan = {
    .method = "POST",
    .path = "/fleet/{repository}/scan",
    .access = WPA_API_GUARDIAN,
    .scope = "analyse",
    .tag = "fleet",
    .summary = "Order a scan of one repository",
    .answer = scan_fields,
    .example = "/fleet/ledger-api/scan",
    .run = scan,
};

const wpa_api_route wpa_api_scan = {
    .method = "POST",
    .path = "/scan",
    .access = WPA_API_GUARDIAN,
    .scope = "analyse",
    .tag = "fleet",
    .summary = "Order a scan of the whole fleet",
    .answer = scan_fields,
    .run = scan,
};

const wpa_api_route wpa_api_workflows = {
    .method = "GET",
    .path = "/workflows",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "fleet",
    .summary = "Workflows at the heads of the branches, the newest first",
    .query = workflow_query,
    .answer = workflow_fields,
    .is_list = true,
    .example = "/workflows?repository=ledger-api",
    .run = list_workflows,
};

/* ---- guardians ----------------------------------------------------------------------------------
 */

static const char *const roles[] = {"guardian", "viewer", NULL};

static const wpa_api_field guardian_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "role", .type = WPA_API_TEXT, .is_required = true},
    {.name = "active", .type = WPA_API_BOOL, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "last_sign_in_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "sessions", .type = WPA_API_INT, .is_required = true, .words = "that stand now"},
    {.name = "one_time_code",
     .type = WPA_API_BOOL,
     .is_required = true,
     .words = "is one asked for at sign-in?"},
    {0},
};

static const wpa_api_field new_guardian_fields[] = {
    {.name = "name", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 63},
    {.name = "role", .type = WPA_API_TEXT, .choices = roles, .fallback = "guardian"},
    WPA_API_PASSPHRASE,
    {0},
};

static const wpa_api_field active_fields[] = {
    {.name = "active",
     .type = WPA_API_BOOL,
     .is_required = true,
     .words = "false: the sessions end at once"},
    {0},
};

static const char no_guardian[] = "there is no such person";

static wpa_api_next list_guardians(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL};
    return wpa_api_list(request, WPA_SQL_API_GUARDIANS, params, 2, err);
}

static wpa_api_next add_guardian(wpa_api_request *request, wpa_error *err)
{
    const char *name = wpa_api_body_text(request, "name");
    const char *role_name = wpa_api_body_text(request, "role");
    wpa_role role = WPA_ROLE_GUARDIAN;
    if (role_name && !wpa_role_parse(role_name, &role, err)) {
        return WPA_API_FAILED;
    }
    WPA_AUTO(wpa_secret) *secret = wpa_api_body_passphrase(request);
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_added = db && wpa_guardian_add(db, &request->actor, name, role, secret, err);
    wpa_engine_give(request->engine, db);
    return is_added ? show_by_name(request, WPA_SQL_API_GUARDIAN, name, no_guardian, err)
                    : WPA_API_FAILED;
}

static wpa_api_next set_active(wpa_api_request *request, wpa_error *err)
{
    bool is_active = wpa_json_bool_of(wpa_json_find(request->body, "active"), true);
    const char *name;
    if (!wpa_api_principal_name(request, &name, err) ||
        show_by_name(request, WPA_SQL_API_GUARDIAN, name, no_guardian, err) != WPA_API_DONE ||
        !wpa_api_is_as_read(request, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_set = db && wpa_guardian_set_active(db, &request->actor, name, is_active, err);
    wpa_engine_give(request->engine, db);
    return is_set ? show_by_name(request, WPA_SQL_API_GUARDIAN, name, no_guardian, err)
                  : WPA_API_FAILED;
}

const wpa_api_route wpa_api_guardians = {
    .method = "GET",
    .path = "/guardians",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "guardians",
    .summary = "Guardians, viewers and the agents' principal",
    .answer = guardian_fields,
    .is_list = true,
    .run = list_guardians,
};

const wpa_api_route wpa_api_guardian_add = {
    .method = "POST",
    .path = "/guardians",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "guardians",
    .summary = "Add a guardian or viewer",
    .body = new_guardian_fields,
    .answer = guardian_fields,
    .status = 201,
    .example_body = "{\"name\": \"hall\", \"role\": \"viewer\", \"passphrase\": "
                    "\"a long one that nobody guesses\"}",
    .run = add_guardian,
};

const wpa_api_route wpa_api_guardian_change = {
    .method = "PATCH",
    .path = "/guardians/{name}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "guardians",
    .summary = "Disable or enable a person",
    .body = active_fields,
    .answer = guardian_fields,
    .example = "/guardians/hall",
    .example_body = "{\"active\": true}",
    .run = set_active,
};

/* ---- tokens -------------------------------------------------------------------------------------
 */

static const char *const scopes[] = {"read",   "analyse", "patch", "approve",
                                     "deploy", "admin",   NULL};

static const wpa_api_field token_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"t-2\""},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "acts_as", .type = WPA_API_TEXT, .is_required = true},
    {.name = "role", .type = WPA_API_TEXT, .is_required = true},
    {.name = "made_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "scopes", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "expires_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "revoked_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "is_valid", .type = WPA_API_BOOL, .is_required = true},
    {.name = "token", .type = WPA_API_TEXT, .words = "shown this once, when it is made"},
    {0},
};

static const wpa_api_field new_token_fields[] = {
    {.name = "name", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 100},
    {.name = "scopes",
     .type = WPA_API_LIST,
     .item = WPA_API_TEXT,
     .choices = scopes,
     .is_required = true,
     .words = "what it may; admin is all"},
    {.name = "expires_at", .type = WPA_API_TIME, .words = "one of both: at most 366 days from now"},
    {.name = "expires_in_days", .type = WPA_API_INT, .min = 1, .max = 366},
    {.name = "acts_as",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 63,
     .words = "a viewer, for a token that may only look (of a wall); yourself if left out"},
    {0},
};

static wpa_api_next show_token(wpa_api_request *request, int64_t id, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, WPA_SQL_API_TOKEN, params, 1, "there is no such token", err);
}

static wpa_api_next list_tokens(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL};
    return wpa_api_list(request, WPA_SQL_API_TOKENS, params, 2, err);
}

static bool read_end(const wpa_api_request *request, int64_t *end_us, wpa_error *err)
{
    const char *text = wpa_api_body_text(request, "expires_at");
    int64_t days = wpa_json_int_of(wpa_json_find(request->body, "expires_in_days"), 0);
    if (!text == !days) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "field 'expires_at' or expires_in_days must be given, not both");
    }
    *end_us = wpa_now_us() + days * DAY_US;
    return !text || wpa_timestamp_parse(text, end_us, err);
}

static wpa_api_next make_token(wpa_api_request *request, wpa_error *err)
{
    const wpa_json *list = wpa_json_find(request->body, "scopes");
    const char *wanted[WPA_COUNT(scopes)];
    wpa_machine_token token = {.name = wpa_api_body_text(request, "name"),
                               .acts_as = wpa_api_body_text(request, "acts_as"),
                               .scopes = wanted};
    for (size_t i = 0; i < wpa_json_count(list) && i < WPA_COUNT(wanted); i++) {
        wanted[token.n_scopes++] = wpa_json_text_of(wpa_json_at(list, i));
    }
    if (!read_end(request, &token.expires_at_us, err) ||
        !wpa_agent_make_token(request->engine, &request->actor, &token, request->arena, err) ||
        show_token(request, token.id, err) != WPA_API_DONE) {
        return WPA_API_FAILED;
    }
    wpa_json *answer =
        wpa_json_parse(request->text, request->text_bytes, WPA_JSON_MAX_BYTES, request->arena, err);
    if (!answer) {
        return WPA_API_FAILED;
    }
    wpa_json_set_text(answer, "token", token.text);
    request->text = NULL;
    request->etag = NULL;
    request->holds_secret = true;
    return wpa_api_answer(request, answer);
}

static wpa_api_next revoke_token(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return wpa_api_id(request, 0, 't', &id, err) &&
                   wpa_agent_revoke_token(request->engine, &request->actor, id, err)
               ? show_token(request, id, err)
               : WPA_API_FAILED;
}

const wpa_api_route wpa_api_tokens = {
    .method = "GET",
    .path = "/tokens",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "tokens",
    .summary = "Tokens of machines, the newest first; never the tokens themselves",
    .answer = token_fields,
    .is_list = true,
    .run = list_tokens,
};

const wpa_api_route wpa_api_token_make = {
    .method = "POST",
    .path = "/tokens",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "tokens",
    .summary = "Make a token for a machine",
    .details = "It acts in your name within its scopes, until its end, until it is revoked, or "
               "until you are disabled. The token is shown this once.",
    .body = new_token_fields,
    .answer = token_fields,
    .status = 201,
    .example_body = "{\"name\": \"nightly\", \"scopes\": [\"read\", \"analyse\"], "
                    "\"expires_in_days\": 30}",
    .run = make_token,
};

const wpa_api_route wpa_api_token_revoke = {
    .method = "DELETE",
    .path = "/tokens/{token_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "tokens",
    .summary = "Revoke a token at once",
    .answer = token_fields,
    .example = "/tokens/t-1",
    .run = revoke_token,
};
