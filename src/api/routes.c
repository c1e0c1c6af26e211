#include "api/routes.h"

#include <string.h>

#include <wpa/text.h>

#define SEGMENTS_MAX 8
#define VALUE_MAX_BYTES 512

/* clang-format off */
static const wpa_api_route *const routes[] = {
    &wpa_api_sign_in,
    &wpa_api_refresh,
    &wpa_api_sign_out,
    &wpa_api_whoami,
    &wpa_api_code_enrol,
    &wpa_api_code_confirm,
    &wpa_api_code_off,
    &wpa_api_sessions,
    &wpa_api_session_revoke,
    &wpa_api_analyze,
    &wpa_api_analyses,
    &wpa_api_analysis,
    &wpa_api_analysis_review,
    &wpa_api_patch_create,
    &wpa_api_patches,
    &wpa_api_patch,
    &wpa_api_patch_change,
    &wpa_api_patch_test,
    &wpa_api_patch_deploy,
    &wpa_api_patch_rollback,
    &wpa_api_health,
    &wpa_api_findings,
    &wpa_api_finding,
    &wpa_api_finding_ignore,
    &wpa_api_finding_unignore,
    &wpa_api_finding_comment,
    &wpa_api_deployments,
    &wpa_api_deployment,
    &wpa_api_deployment_pause,
    &wpa_api_deployment_resume,
    &wpa_api_deployment_promote,
    &wpa_api_deployment_abort,
    &wpa_api_deployment_conclude,
    &wpa_api_deployment_skip,
    &wpa_api_deployment_retry,
    &wpa_api_deployment_rollback,
    &wpa_api_deployment_cancel_rollback,
    &wpa_api_jobs,
    &wpa_api_job,
    &wpa_api_job_cancel,
    &wpa_api_agents,
    &wpa_api_fleet,
    &wpa_api_fleet_one,
    &wpa_api_fleet_add,
    &wpa_api_fleet_remove,
    &wpa_api_fleet_scan,
    &wpa_api_scan,
    &wpa_api_workflows,
    &wpa_api_config,
    &wpa_api_config_change,
    &wpa_api_config_remove,
    &wpa_api_guardians,
    &wpa_api_guardian_add,
    &wpa_api_guardian_change,
    &wpa_api_guardian_code_off,
    &wpa_api_tokens,
    &wpa_api_token_make,
    &wpa_api_token_revoke,
    &wpa_api_notices,
    &wpa_api_notice_acknowledge,
    &wpa_api_destination_add,
    &wpa_api_destinations,
    &wpa_api_destination,
    &wpa_api_destination_change,
    &wpa_api_destination_test,
    &wpa_api_destination_retry,
    &wpa_api_outbox,
    &wpa_api_outbox_retry,
    &wpa_api_destination_remove,
    &wpa_api_webhook_github,
    &wpa_api_hook_add,
    &wpa_api_hooks,
    &wpa_api_hook_remove,
    &wpa_api_audit,
    &wpa_api_audit_verify,
    &wpa_api_events,
    &wpa_api_healthz,
    &wpa_api_readyz,
    &wpa_api_metrics,
    &wpa_api_openapi,
    &wpa_api_docs,
};
/* clang-format on */

const wpa_api_route *const *wpa_api_routes(size_t *n)
{
    *n = WPA_COUNT(routes);
    return routes;
}

/** Next part of a path between slashes; empty at its end. */
static wpa_slice next_part(const char **at)
{
    *at += **at == '/';
    size_t length = strcspn(*at, "/");
    wpa_slice part = {*at, length};
    *at += length;
    return part;
}

static bool is_value(wpa_slice part)
{
    return part.length > 2 && part.at[0] == '{' && part.at[part.length - 1] == '}';
}

static bool path_fits(const wpa_api_route *route, const char *path, wpa_arena *arena,
                      const char *values[4])
{
    const char *pattern = route->path;
    size_t n = 0;
    for (int i = 0; i < SEGMENTS_MAX && *pattern; i++) {
        wpa_slice wanted = next_part(&pattern), given = next_part(&path);
        if (route->takes_rest && *pattern == '\0') {
            given.length += strlen(path);
            path += strlen(path);
        }
        if (is_value(wanted)) {
            if (given.length == 0 || given.length > VALUE_MAX_BYTES || n >= 4) {
                return false;
            }
            values[n++] = wpa_arena_slice(arena, given.at, given.length);
        } else if (wanted.length != given.length ||
                   memcmp(wanted.at, given.at, wanted.length) != 0) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

/** What lies at the root as well: probes and documents are asked for without the base. */
static const char *below_base(const char *path)
{
    size_t length = strlen(WPA_API_BASE);
    bool is_below = strncmp(path, WPA_API_BASE, length) == 0 && path[length] == '/';
    return is_below ? path + length : path;
}

static bool is_reachable(const wpa_api_route *route, bool has_base)
{
    return has_base || route->access == WPA_API_OPEN || route->access == WPA_API_METRICS;
}

const wpa_api_route *wpa_api_route_find(const char *method, const char *path, wpa_arena *arena,
                                        const char *values[4], const char **allowed)
{
    const char *below = below_base(path);
    *allowed = NULL;
    for (size_t i = 0; i < WPA_COUNT(routes); i++) {
        if (!is_reachable(routes[i], below != path) ||
            !path_fits(routes[i], below, arena, values)) {
            continue;
        }
        if (wpa_text_is(routes[i]->method, method)) {
            return routes[i];
        }
        *allowed = wpa_arena_printf(arena, "%s%s%s%s", *allowed ? *allowed : "",
                                    *allowed ? ", " : "", routes[i]->method,
                                    wpa_text_is(routes[i]->method, "GET") ? ", HEAD" : "");
    }
    *allowed = *allowed ? wpa_arena_printf(arena, "%s, OPTIONS", *allowed) : NULL;
    return NULL;
}
