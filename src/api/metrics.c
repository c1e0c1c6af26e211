/* GET /metrics: the figures of the installation and of this process, as Prometheus text. */
#include "api/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/figures.h"
#include "api/routes.h"
#include "api/server.h"
#include "gen/sql.h"

typedef struct metric {
    const char *name, *type, *help;
} metric;

/* Names of the database's rows; what is not listed is not told. */
static const metric metrics[] = {
    {"wpa_agents", "gauge", "Agents that have not ended, by state; silent for 30 s is a state"},
    {"wpa_analysis_success_ratio", "gauge", "Analyses with a complete result, of all that ended"},
    {"wpa_approval_wait_seconds", "gauge", "From tested to the first approval"},
    {"wpa_audit_chain_length", "gauge", "Rows of the audit log"},
    {"wpa_audit_is_sound", "gauge", "1 if the last verification of the audit log found no fault"},
    {"wpa_audit_verified_timestamp_seconds", "gauge", "When the audit log was verified last"},
    {"wpa_blast_radius_ratio", "gauge", "Targets changed when a failure was seen, of all"},
    {"wpa_change_failure_ratio", "gauge", "Deployments that changed a target and did not succeed"},
    {"wpa_database_oldest_transaction_seconds", "gauge", "Age of the oldest open transaction"},
    {"wpa_deliveries", "gauge", "Notices for a destination that wait, or were given up"},
    {"wpa_deploy_success_ratio", "gauge", "Deployments that succeeded, of those that changed any"},
    {"wpa_deployments", "gauge", "Deployments by state"},
    {"wpa_deploys_aborted_early", "gauge", "Deployments given up before any change"},
    {"wpa_findings_open", "gauge", "Open findings"},
    {"wpa_fleet_health_score", "gauge", "Health of the fleet's repositories, 0 to 100"},
    {"wpa_health_score", "gauge", "Health of a repository, 0 to 100"},
    {"wpa_issue_phase_seconds", "gauge",
     "Parts of the way of findings that a patch has closed, from detected to verified"},
    {"wpa_issue_resolution_seconds", "gauge",
     "From first seen to gone; median_with_open counts the open ones as censored"},
    {"wpa_jobs", "gauge", "Jobs that wait or run"},
    {"wpa_jobs_dead", "gauge", "Jobs of the last day that gave up"},
    {"wpa_lead_time_seconds", "gauge", "From a patch made to its deployment done"},
    {"wpa_lease_losses", "gauge", "Jobs of the last day whose agent lost its lease"},
    {"wpa_notices_open", "gauge", "Notices that nobody has acknowledged"},
    {"wpa_owner_health_score", "gauge", "Health of an owner's repositories, 0 to 100"},
    {"wpa_patch_coverage_ratio", "gauge", "Fixable findings that got a patch, of those opened"},
    {"wpa_patches", "gauge", "Patches by status"},
    {"wpa_patches_created_total", "counter", "Patches made, first revisions"},
    {"wpa_queue_wait_seconds", "gauge", "From a job queued to its claim"},
    {"wpa_rate_limit_waits", "gauge", "Deliveries that wait because their receiver said so"},
    {"wpa_rate_limited_hosts", "gauge", "Receivers that have told us to wait"},
    {"wpa_repositories", "gauge", "Repositories by state"},
    {"wpa_rollback_ratio", "gauge", "Deployments that were rolled back, of those that changed any"},
    {"wpa_rollbacks_total", "counter", "Rollbacks begun, by whom, and by which rule"},
    {"wpa_rule_findings_open", "gauge", "Open findings by rule, of every persona"},
    {"wpa_takeovers", "gauge", "Jobs of the last day that another agent went on with"},
    {"wpa_target_conflict_ratio", "gauge", "Targets in conflict, of all"},
    {"wpa_target_down_seconds", "gauge", "Downtime of targets, the possible one"},
    {"wpa_test_first_pass_ratio", "gauge", "Patches whose first test passed"},
    {"wpa_test_flake_ratio", "gauge", "Contents tested more than once with different results"},
    {"wpa_test_pass_ratio", "gauge", "Patches whose last test passed"},
    {"wpa_time_to_detect_seconds", "gauge", "From a deployment's start to its first failed check"},
    {"wpa_time_to_restore_seconds", "gauge", "From the first failed check to the last revert"},
    {"wpa_waiver_age_seconds", "gauge", "Age of the oldest waiver that stands"},
    {"wpa_waivers", "gauge", "Waivers that stand"},
};

/* The same by what a figure is told apart by: wpa_rule_test_pass_ratio{rule="..."}. */
static const char *const splits[] = {"rule", "repository", "owner"};
static const metric split_metrics[] = {
    {"analysis_success_ratio", "gauge", "Analyses with a complete result, of all that ended"},
    {"deploy_success_ratio", "gauge", "Deployments that succeeded, of those that changed any"},
    {"findings_fixed", "gauge", "Findings that are gone"},
    {"findings_open", "gauge", "Open findings"},
    {"findings_opened", "gauge", "Findings that were seen first"},
    {"issue_resolution_seconds", "gauge",
     "From first seen to gone; median_with_open counts the open ones as censored"},
    {"patch_coverage_ratio", "gauge", "Fixable findings that got a patch, of those opened"},
    {"patches_created_total", "counter", "Patches made, first revisions"},
    {"rollback_ratio", "gauge", "Deployments that were rolled back, of those that changed any"},
    {"rollbacks_total", "counter", "Rollbacks begun"},
    {"test_first_pass_ratio", "gauge", "Patches whose first test passed"},
    {"test_flake_ratio", "gauge", "Contents tested more than once with different results"},
    {"test_pass_ratio", "gauge", "Patches whose last test passed"},
};

/* Of this process. */
static const metric process_metrics[] = {
    {"process_cpu_seconds_total", "counter", "Processor time used"},
    {"process_resident_memory_bytes", "gauge", "Memory in use"},
    {"process_virtual_memory_bytes", "gauge", "Address space in use"},
    {"process_open_fds", "gauge", "Open files"},
    {"process_max_fds", "gauge", "Files that may be open"},
    {"process_start_time_seconds", "gauge", "When the server started"},
    {"wpa_api_sign_ins_refused_total", "counter", "Sign-ins that were refused"},
    {"wpa_api_rate_limited_total", "counter", "Calls that were told to wait"},
    {"wpa_api_event_streams", "gauge", "Open event streams"},
    {"wpa_api_workers", "gauge", "Threads that do requests"},
    {"wpa_api_workers_busy", "gauge", "Of those, at work"},
    {"wpa_api_requests_total", "counter", "Requests answered, by class of status"},
    {"wpa_build_info", "gauge", "The program's version"},
};

static const metric *find(const metric *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(list[i].name, name)) {
            return &list[i];
        }
    }
    return NULL;
}

/** Of the installation. by: receives what it is told apart by, NULL: nothing. */
static const metric *find_told(const char *name, const char **by)
{
    const metric *found = find(metrics, WPA_COUNT(metrics), name);
    *by = NULL;
    for (size_t i = 0; !found && i < WPA_COUNT(splits); i++) {
        size_t length = strlen(splits[i]);
        if (wpa_text_starts(name, "wpa_") && wpa_text_starts(name + 4, splits[i]) &&
            name[4 + length] == '_') {
            *by = splits[i];
            found = find(split_metrics, WPA_COUNT(split_metrics), name + 4 + length + 1);
        }
    }
    return found;
}

bool wpa_api_metric_is_known(const char *name)
{
    const char *by;
    return find_told(name, &by) || find(process_metrics, WPA_COUNT(process_metrics), name);
}

/* ---- text ---------------------------------------------------------------------------------------
 */

static void put_head(wpa_buf *out, const char *name, const char *type, const char *help)
{
    wpa_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_label(wpa_buf *out, const char *key, const char *value)
{
    wpa_buf_printf(out, "%s=\"", key);
    for (const char *at = value; *at; at++) {
        if (*at == '\\' || *at == '"') {
            wpa_buf_char(out, '\\');
        }
        wpa_buf_text(out, *at == '\n' ? "\\n" : (char[]){*at, '\0'});
    }
    wpa_buf_char(out, '"');
}

static void put_value(wpa_buf *out, const char *name, const wpa_json *labels, double value)
{
    wpa_buf_text(out, name);
    for (size_t i = 0; i < wpa_json_count(labels); i++) {
        const char *text = wpa_json_text_of(wpa_json_at(labels, i));
        wpa_buf_char(out, i ? ',' : '{');
        put_label(out, wpa_json_key_at(labels, i), text ? text : "");
    }
    wpa_buf_text(out, wpa_json_count(labels) ? "}" : "");
    wpa_buf_printf(out, " %.17g\n", value);
}

/* ---- the installation ---------------------------------------------------------------------------
 */

static void put_told_head(wpa_buf *out, const metric *m, const char *name, const char *by)
{
    wpa_buf_printf(out, "# HELP %s %s%s%s\n# TYPE %s %s\n", name, m->help, by ? ", by " : "",
                   by ? by : "", name, m->type);
}

static bool put_told(wpa_buf *out, const wpa_rows *rows, size_t i, const char *name,
                     wpa_arena *arena, wpa_error *err)
{
    const wpa_json *labels = wpa_json_parse(wpa_rows_text(rows, i, 1), wpa_rows_length(rows, i, 1),
                                            WPA_JSON_MAX_BYTES, arena, err);
    if (labels) {
        put_value(out, name, labels, wpa_rows_double(rows, i, 2));
    }
    return labels != NULL;
}

/** Rows of one name stand together. */
static bool put_rows(wpa_api_request *request, const wpa_sql *statement, wpa_buf *out,
                     wpa_error *err)
{
    const char *last = "", *by = NULL;
    const metric *m = NULL;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, statement, NULL, 0, err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        const char *name = wpa_rows_text(rows, i, 0);
        if (!wpa_text_is(name, last)) {
            m = find_told(name, &by);
            last = name;
            if (m) {
                put_told_head(out, m, name, by);
            }
        }
        if (m && !put_told(out, rows, i, name, request->arena, err)) {
            return false;
        }
    }
    return rows != NULL;
}

static bool count_windows(void *context, wpa_buf *out, wpa_error *err)
{
    return put_rows(context, WPA_SQL_API_METRICS_WINDOWS, out, err);
}

static bool count_split(void *context, wpa_buf *out, wpa_error *err)
{
    return put_rows(context, WPA_SQL_API_METRICS_SPLIT, out, err);
}

/** What stands now is told even if what lies weeks back takes longer than may be. */
static void put_figures(wpa_api_request *request, wpa_api_figures *figures,
                        wpa_api_figures_count count, wpa_buf *out)
{
    wpa_error err = {0};
    if (!wpa_api_figures_put(figures, count, request, out, &err)) {
        wpa_log_error(request->api->log, "metrics", &err);
    }
}

static bool put_installation(wpa_api_request *request, wpa_buf *out, wpa_error *err)
{
    if (!put_rows(request, WPA_SQL_API_METRICS, out, err)) {
        return false;
    }
    put_figures(request, request->api->windows, count_windows, out);
    put_figures(request, request->api->split, count_split, out);
    return true;
}

/* ---- this process -------------------------------------------------------------------------------
 */

static double count_files(void)
{
    double n = -3; /* ".", "..", and the folder's own */
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) {
        n++;
    }
    if (folder) {
        (void)closedir(folder);
    }
    return n > 0 ? n : 0;
}

/** Column of /proc/self/statm: 0 the address space, 1 what is resident. */
static double memory_bytes(int column)
{
    char text[256] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    bool is_read = file && fgets(text, sizeof text, file);
    if (file) {
        (void)fclose(file);
    }
    const char *number = is_read ? text : "";
    for (; column > 0 && *number; column--) {
        number += strcspn(number, " ");
        number += *number == ' ';
    }
    int64_t pages = 0;
    for (; *number >= '0' && *number <= '9'; number++) {
        pages = pages * 10 + (*number - '0');
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/** Counted under the lock of those who count. */
static double count_locked(pthread_mutex_t *mutex, const size_t *n)
{
    pthread_mutex_lock(mutex);
    double count = (double)*n;
    pthread_mutex_unlock(mutex);
    return count;
}

static void put_process(wpa_api *api, wpa_buf *out)
{
    struct rusage used = {0};
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct rlimit files = {0};
    (void)getrusage(RUSAGE_SELF, &used);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    /* In the order of the table; what has labels comes behind. */
    const double values[] = {
        (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
        memory_bytes(1),
        memory_bytes(0),
        count_files(),
        (double)files.rlim_cur,
        (double)api->started_at_us / 1e6,
        (double)atomic_load(&api->n_refused_sign_ins),
        (double)atomic_load(&api->n_held_off),
        count_locked(&api->stream_mutex, &api->n_streams),
        (double)api->n_workers,
        count_locked(&api->mutex, &api->n_working),
    };
    const metric *m = process_metrics;
    for (size_t i = 0; i < WPA_COUNT(values); i++, m++) {
        put_head(out, m->name, m->type, m->help);
        put_value(out, m->name, NULL, values[i]);
    }
    put_head(out, m->name, m->type, m->help);
    for (size_t i = 0; i < WPA_COUNT(classes); i++) {
        wpa_buf_printf(out, "%s{status=\"%s\"} %llu\n", m->name, classes[i],
                       (unsigned long long)atomic_load(&api->n_requests[i]));
    }
    m++;
    put_head(out, m->name, m->type, m->help);
    wpa_buf_printf(out, "%s{version=\"" WPA_VERSION "\"} 1\n", m->name);
}

static wpa_api_next run(wpa_api_request *request, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_API_METRICS_MAX_BYTES);
    put_process(request->api, out);
    if (!put_installation(request, out, err) || !wpa_buf_check(out, "the metrics", err)) {
        return WPA_API_FAILED;
    }
    request->text = wpa_buf_dup(out, request->arena);
    request->text_bytes = wpa_buf_size(out);
    return WPA_API_DONE;
}

const wpa_api_route wpa_api_metrics = {
    .method = "GET",
    .path = "/metrics",
    .access = WPA_API_METRICS,
    .scope = "read",
    .tag = "service",
    .summary = "Figures of the installation and of this process, as Prometheus text",
    .details =
        "Ratios and times are over windows of 7, 30 and 90 days; what has no data is left "
        "out. wpa_rule_..., wpa_owner_... and wpa_repository_... (30 days alone) tell them "
        "apart by the rules whose findings a patch answers, and by what it changes. What takes "
        "long to count is told again for ten times as long as that took.",
    .content = "text/plain; version=0.0.4; charset=utf-8",
    .run = run,
};
