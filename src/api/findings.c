/* Findings: looking for them, setting one aside, saying something about one. */
#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/patches.h"
#include "api/routes.h"
#include "feed/terms.h"
#include "gen/sql.h"
#include "rules/registry.h"

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
static const char *const kinds[] = {"issue", "inefficiency", "opportunity", NULL};
static const char *const dimensions[] = {"security",      "performance", "efficiency",
                                         "compatibility", "quality",     NULL};
static const char *const states[] = {"open",      "ignored", "baseline", "in_patch",
                                     "verifying", "fixed",   NULL};

static const wpa_api_field list_query[] = {
    {.name = "workflow_name", .type = WPA_API_TEXT, .min = 1, .max = 512},
    {.name = "repository", .type = WPA_API_TEXT, .min = 1, .max = 100},
    {.name = "status_filter",
     .type = WPA_API_TEXT,
     .choices = states,
     .words = "without it, what is open for everybody"},
    {.name = "severity_filter", .type = WPA_API_TEXT, .choices = severities},
    {.name = "dimension", .type = WPA_API_TEXT, .choices = dimensions},
    {.name = "kind", .type = WPA_API_TEXT, .choices = kinds},
    {.name = "rule", .type = WPA_API_TEXT, .min = 1, .max = 100, .words = "id or code"},
    {.name = "has_fix", .type = WPA_API_BOOL},
    {.name = "contains", .type = WPA_API_TEXT, .min = 1, .max = 200, .words = "in its message"},
    {.name = "filter",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 500,
     .words = "as typed in the console: sev:crit,high rule:SEC-* wf:web/* repo:api path:*.yml "
              "state:open age<7d cat:security has:fix !term word \"exact words\" ~regex~",
     .example = "\"sev>=high !rule:QUA-* has:fix\""},
    {0},
};

static const wpa_api_field finding_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"f-12\""},
    {.name = "schema", .type = WPA_API_TEXT, .is_required = true},
    {.name = "fingerprint", .type = WPA_API_TEXT, .is_required = true},
    {.name = "rule", .type = WPA_API_TEXT, .is_required = true},
    {.name = "code", .type = WPA_API_TEXT, .is_required = true},
    {.name = "check", .type = WPA_API_TEXT, .is_nullable = true},
    {.name = "dimension", .type = WPA_API_TEXT, .is_required = true, .choices = dimensions},
    {.name = "kind", .type = WPA_API_TEXT, .is_required = true, .choices = kinds},
    {.name = "severity", .type = WPA_API_TEXT, .is_required = true, .choices = severities},
    {.name = "confidence", .type = WPA_API_TEXT, .is_required = true},
    {.name = "persona", .type = WPA_API_TEXT, .is_required = true},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true, .choices = states},
    {.name = "message", .type = WPA_API_TEXT, .is_required = true},
    {.name = "repository", .type = WPA_API_TEXT, .is_required = true},
    {.name = "workflow_name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "path", .type = WPA_API_TEXT, .is_required = true},
    {.name = "span", .type = WPA_API_OBJECT, .is_required = true},
    {.name = "related", .type = WPA_API_ANY},
    {.name = "structure", .type = WPA_API_ANY},
    {.name = "aliases", .type = WPA_API_ANY},
    {.name = "help", .type = WPA_API_TEXT},
    {.name = "data", .type = WPA_API_ANY},
    {.name = "fixes", .type = WPA_API_ANY},
    {.name = "has_fix", .type = WPA_API_BOOL, .is_required = true},
    {.name = "patch_id",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "of the last patch that answers it and has not failed"},
    {.name = "ignored", .type = WPA_API_OBJECT, .is_required = true, .is_nullable = true},
    {.name = "first_seen", .type = WPA_API_TIME, .is_required = true},
    {.name = "last_seen", .type = WPA_API_TIME, .is_required = true},
    {.name = "fixed_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "comments", .type = WPA_API_LIST, .item = WPA_API_ANY},
    {0},
};

static const wpa_api_field ignore_fields[] = {
    {.name = "reason", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 2000},
    {.name = "until", .type = WPA_API_TIME, .is_required = true, .words = "then it is open again"},
    {0},
};

static const wpa_api_field comment_fields[] = {
    {.name = "text", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 10000},
    {0},
};

/** The console's filter as the database takes it; NULL without one. */
static bool read_filter(const wpa_api_request *request, const char **terms, wpa_error *err)
{
    const char *text = wpa_api_query_text(request, "filter"), *ignored = NULL;
    size_t n = 0;
    *terms = NULL;
    if (!text) {
        return true;
    }
    const wpa_filter_term *all = wpa_filter_parse(text, request->arena, &n);
    *terms = wpa_feed_terms(WPA_LIST_FINDINGS, all, n, request->arena, &ignored);
    return !ignored ||
           WPA_FAIL(err, WPA_E_INVALID, "parameter 'filter': not understood: %s", ignored);
}

/** A rule by its id; its code is known to the registry. */
static const char *rule_id(const char *wanted)
{
    wpa_error ignored = {0};
    const char *check;
    const wpa_rule *rule = wanted ? wpa_rules_find(wanted, &check, &ignored) : NULL;
    return rule ? rule->id : wanted;
}

static wpa_api_next list(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL,
                            NULL,
                            NULL,
                            NULL,
                            wpa_api_query_text(request, "status_filter"),
                            wpa_api_query_text(request, "severity_filter"),
                            wpa_api_query_text(request, "dimension"),
                            wpa_api_query_text(request, "kind"),
                            rule_id(wpa_api_query_text(request, "rule")),
                            wpa_api_query_flag(request, "has_fix"),
                            wpa_api_query_text(request, "contains"),
                            NULL};
    const char *name = wpa_api_query_text(request, "workflow_name");
    const char *repository = wpa_api_query_text(request, "repository");
    if (!wpa_api_workflow_id(request, name, &params[2], err) ||
        !wpa_api_repository_name(request, repository, &params[3], err) ||
        !read_filter(request, &params[WPA_COUNT(params) - 1], err)) {
        return WPA_API_FAILED;
    }
    wpa_api_next next = wpa_api_list(request, WPA_SQL_API_FINDINGS, params, WPA_COUNT(params), err);
    if (next == WPA_API_FAILED && err->code == WPA_E_TIMEOUT) {
        *err = (wpa_error){0};
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "parameter 'filter' takes too long: narrow it down by rule, workflow or "
                       "severity");
    }
    return next;
}

static bool finding_id(wpa_api_request *request, int64_t *id, wpa_error *err)
{
    return wpa_api_id(request, 0, 'f', id, err);
}

static wpa_api_next show(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    char number[WPA_DB_NUMBER_SIZE];
    if (!finding_id(request, &id, err)) {
        return WPA_API_FAILED;
    }
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, WPA_SQL_API_FINDING, params, 1, "there is no such finding", err);
}

static bool find(wpa_api_request *request, int64_t *id, wpa_error *err)
{
    wpa_api_next next = show(request, err);
    return next == WPA_API_DONE && finding_id(request, id, err);
}

static wpa_api_next ignore(wpa_api_request *request, wpa_error *err)
{
    int64_t id, until_us;
    if (!find(request, &id, err) ||
        !wpa_timestamp_parse(wpa_api_body_text(request, "until"), &until_us, err)) {
        return WPA_API_FAILED;
    }
    if (until_us <= wpa_now_us()) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "field 'until' must lie in the future");
        return WPA_API_FAILED;
    }
    return wpa_agent_ignore_findings(request->engine, &request->actor, &id, 1,
                                     wpa_api_body_text(request, "reason"), until_us, err)
               ? show(request, err)
               : WPA_API_FAILED;
}

static wpa_api_next unignore(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return find(request, &id, err) &&
                   wpa_agent_ignore_findings(request->engine, &request->actor, &id, 1, NULL, 0, err)
               ? show(request, err)
               : WPA_API_FAILED;
}

static wpa_api_next comment(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (!find(request, &id, err)) {
        return WPA_API_FAILED;
    }
    const char *subject = wpa_arena_printf(request->arena, "finding:%lld", (long long)id);
    return wpa_agent_comment(request->engine, &request->actor, subject,
                             wpa_api_body_text(request, "text"), err)
               ? show(request, err)
               : WPA_API_FAILED;
}

const wpa_api_route wpa_api_findings = {
    .method = "GET",
    .path = "/findings",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "findings",
    .summary = "Findings, the newest first",
    .query = list_query,
    .answer = finding_fields,
    .is_list = true,
    .example = "/findings?severity_filter=high&has_fix=true&limit=10",
    .is_kept = true,
    .run = list,
};

const wpa_api_route wpa_api_finding = {
    .method = "GET",
    .path = "/findings/{finding_id}",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "findings",
    .summary = "One finding with its fixes and comments",
    .answer = finding_fields,
    .example = "/findings/f-1",
    .is_kept = true,
    .run = show,
};

const wpa_api_route wpa_api_finding_ignore = {
    .method = "POST",
    .path = "/findings/{finding_id}/ignore",
    .access = WPA_API_GUARDIAN,
    .scope = "approve",
    .tag = "findings",
    .summary = "Set a finding aside until a day, for a reason",
    .body = ignore_fields,
    .answer = finding_fields,
    .example = "/findings/f-1/ignore",
    .example_body = "{\"reason\": \"the runner goes next month\", \"until\": "
                    "\"2099-01-01T00:00:00Z\"}",
    .run = ignore,
};

const wpa_api_route wpa_api_finding_unignore = {
    .method = "DELETE",
    .path = "/findings/{finding_id}/ignore",
    .access = WPA_API_GUARDIAN,
    .scope = "approve",
    .tag = "findings",
    .summary = "Take the ignoring back",
    .answer = finding_fields,
    .example = "/findings/f-1/ignore",
    .run = unignore,
};

const wpa_api_route wpa_api_finding_comment = {
    .method = "POST",
    .path = "/findings/{finding_id}/comments",
    .access = WPA_API_GUARDIAN,
    .scope = "patch",
    .tag = "findings",
    .summary = "Say something about a finding",
    .body = comment_fields,
    .answer = finding_fields,
    .status = 201,
    .example = "/findings/f-1/comments",
    .example_body = "{\"text\": \"seen\"}",
    .run = comment,
};
