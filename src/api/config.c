/* The configuration that holds for every repository of the fleet. */
#include "agent/pool.h"
#include "analysis/default_config.h"
#include "api/routes.h"
#include "gen/sql.h"

static const wpa_api_field config_fields[] = {
    {.name = "content",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "a wpa.yml; null: there is none"},
    {.name = "version", .type = WPA_API_INT, .is_required = true},
    {.name = "changed_by", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "changed_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

static const wpa_api_field change_fields[] = {
    {.name = "content",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = (int64_t)WPA_DEFAULT_CONFIG_MAX_BYTES,
     .words = "a wpa.yml without baseline, analysers, compat and paths of programs"},
    {0},
};

static wpa_api_next show(wpa_api_request *request, wpa_error *err)
{
    return wpa_api_one(request, WPA_SQL_API_DEFAULT_CONFIG, NULL, 0, "there is no such thing", err);
}

static bool set(wpa_api_request *request, const char *content, wpa_error *err)
{
    int64_t version;
    if (!wpa_api_version_wanted(request, &version, err)) {
        return false;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_set = db && wpa_default_config_set(db, &request->actor, content, version, err);
    wpa_engine_give(request->engine, db);
    request->field = is_set || !content ? NULL : "content";
    return is_set;
}

static wpa_api_next change(wpa_api_request *request, wpa_error *err)
{
    return set(request, wpa_api_body_text(request, "content"), err) ? show(request, err)
                                                                    : WPA_API_FAILED;
}

static wpa_api_next take_away(wpa_api_request *request, wpa_error *err)
{
    return set(request, NULL, err) ? WPA_API_DONE : WPA_API_FAILED;
}

const wpa_api_route wpa_api_config = {
    .method = "GET",
    .path = "/config",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "fleet",
    .summary = "The configuration of the whole fleet",
    .details = "A wpa.yml below those of repositories: what one of them says itself counts in its "
               "place, key by key. Analyses go by it from their next run on.",
    .answer = config_fields,
    .run = show,
};

const wpa_api_route wpa_api_config_change = {
    .method = "PATCH",
    .path = "/config",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "fleet",
    .summary = "Replace the configuration of the whole fleet",
    .details = "If-Match with the version that was read keeps what others have changed since.",
    .body = change_fields,
    .answer = config_fields,
    .example_body = "{\"content\": \"version: 1\\nrequire-reason: true\\n\"}",
    .run = change,
};

const wpa_api_route wpa_api_config_remove = {
    .method = "DELETE",
    .path = "/config",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "fleet",
    .summary = "Take the configuration of the whole fleet away",
    .status = 204,
    .run = take_away,
};
