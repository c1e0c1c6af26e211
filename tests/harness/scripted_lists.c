/* The scripted engine's dashboard and lists. */
#include <string.h>

#include "harness/scripted_internal.h"

wpa_finding_row wpa_scripted_finding(const wpa_scripted *s, size_t i)
{
    static const struct {
        wpa_severity severity;
        wpa_kind kind;
        wpa_dimension dimension;
        const char *code, *rule, *workflow, *message;
    } kinds[] = {
        {WPA_SEVERITY_CRITICAL, WPA_KIND_ISSUE, WPA_DIMENSION_SECURITY, "SEC-014",
         "template-injection", "web/release.yml", "issue title reaches bash code"},
        {WPA_SEVERITY_HIGH, WPA_KIND_ISSUE, WPA_DIMENSION_SECURITY, "SEC-001", "unpinned-uses",
         "payments/ci.yml", "'actions/checkout@v4' can be moved to other code"},
        {WPA_SEVERITY_MEDIUM, WPA_KIND_INEFFICIENCY, WPA_DIMENSION_PERFORMANCE, "PRF-007",
         "missing-cache", "payments/ci.yml", "dependencies are fetched anew in every run"},
        {WPA_SEVERITY_MEDIUM, WPA_KIND_ISSUE, WPA_DIMENSION_PERFORMANCE, "PRF-001",
         "missing-timeout", "data/backfill.yml", "job 'test' may run for six hours"},
        {WPA_SEVERITY_LOW, WPA_KIND_OPPORTUNITY, WPA_DIMENSION_QUALITY, "QUA-004", "long-script",
         "docs/pages.yml", "script of 64 lines inside the workflow"},
    };
    size_t kind = i == 0 ? 0 : 1 + (i - 1) * 4 / (s->n_findings ? s->n_findings : 1);
    kind = kind < WPA_COUNT(kinds) ? kind : WPA_COUNT(kinds) - 1;
    return (wpa_finding_row){.id = 99812 + (int64_t)i,
                             .severity = kinds[kind].severity,
                             .kind = kinds[kind].kind,
                             .confidence = WPA_CONFIDENCE_HIGH,
                             .dimension = kinds[kind].dimension,
                             .state = i == 0 ? WPA_FINDING_IN_PATCH : WPA_FINDING_OPEN,
                             .code = kinds[kind].code,
                             .rule = kinds[kind].rule,
                             .workflow = kinds[kind].workflow,
                             .workflow_id = 2,
                             .line = 48 + (int)i,
                             .message = kinds[kind].message,
                             .has_fix = true,
                             .patch_id = i == 0 ? 2219 : 0,
                             .first_seen_us = s->now_us - (int64_t)(i + 2) * WPA_SCRIPTED_MINUTE_US,
                             .cursor = "f"};
}

static const wpa_needs_row *make_needs(wpa_scripted *s, wpa_arena *arena, size_t *n)
{
    wpa_needs_row *rows = wpa_arena_array(arena, 4, sizeof *rows);
    rows[0] = (wpa_needs_row){{WPA_OBJECT_FINDING, 99812},
                              "triage",
                              "CRIT issue title reaches bash code, web/release.yml",
                              "open",
                              s->now_us - 2 * WPA_SCRIPTED_MINUTE_US,
                              NULL};
    rows[1] = (wpa_needs_row){{WPA_OBJECT_PATCH, 2214},
                              "decide",
                              "test failed: integration, exit 1",
                              "failed",
                              s->now_us - 31 * WPA_SCRIPTED_MINUTE_US,
                              "joe"};
    rows[2] = (wpa_needs_row){{WPA_OBJECT_PATCH, 2217},
                              "approve",
                              "pin actions, batch 2, 4 workflows",
                              "tested",
                              s->now_us - 12 * WPA_SCRIPTED_MINUTE_US,
                              NULL};
    bool is_fixed = s->fixed_finding == 99812;
    *n = is_fixed ? 2 : 3;
    return rows + is_fixed;
}

static void fill_live(wpa_scripted *s, wpa_arena *arena, wpa_dashboard_view *view)
{
    wpa_deployment_row *live = wpa_arena_array(arena, WPA_SCRIPTED_DEPLOYMENTS_MAX, sizeof *live);
    wpa_patch_row *testing = wpa_arena_array(arena, WPA_SCRIPTED_PATCHES_MAX, sizeof *testing);
    for (size_t i = 0; i < s->n_deployments; i++) {
        wpa_deployment_state state = s->deployments[i].state;
        bool has_ended = state == WPA_DEPLOYMENT_SUCCEEDED || state == WPA_DEPLOYMENT_ROLLED_BACK ||
                         state == WPA_DEPLOYMENT_ABORTED;
        if (!has_ended) {
            live[view->n_live++] = s->deployments[i];
        }
    }
    for (size_t i = 0; i < s->n_patches; i++) {
        view->patches[s->patches[i].state]++;
        if (s->patches[i].state == WPA_PATCH_TESTING) {
            testing[view->n_testing++] = s->patches[i];
        }
    }
    view->live = live;
    view->testing = testing;
}

void wpa_scripted_send_dashboard(wpa_scripted *s)
{
    static const double history[] = {70, 71, 70, 72, 74, 75, 75, 78, 80, 82, 85, 87};
    static const wpa_activity_row activity[] = {
        {.at_us = 1, .who = "engine", .text = "p-2217 tested: 4 of 4 suites passed"},
        {.at_us = 1, .who = "joe", .text = "f-99720 ignored for 30 days: \"legacy runner\""},
    };
    static const char *const agents[] = {"ops-host-3"};
    wpa_msg *msg = wpa_msg_new(WPA_FEED_DASHBOARD);
    wpa_dashboard_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    view->taken_at_us = s->now_us;
    view->n_workflows = (int64_t)s->n_workflows;
    view->n_repositories = 6;
    view->scores =
        (wpa_scores){.overall = 87, .dimension = {91, 84, 79, 93, 88}, .runs = WPA_UNKNOWN};
    view->change_24h = 2;
    view->history = history;
    view->n_history = WPA_COUNT(history);
    view->worst = wpa_arena_dup(msg->arena, s->workflows, s->n_workflows * sizeof *s->workflows);
    view->n_worst = s->n_workflows;
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        for (int k = 0; k < WPA_TALLY_COUNT; k++) {
            view->findings.open[i][k] = i * 7 + k * 3;
        }
        view->findings.newest_us[i] = s->now_us - (i + 2) * WPA_SCRIPTED_MINUTE_US;
    }
    view->findings.open[0][WPA_SEVERITY_CRITICAL] = 1;
    view->findings.n_open = (int64_t)s->n_findings;
    view->findings.n_analysed = (int64_t)s->n_workflows;
    fill_live(s, msg->arena, view);
    view->needs = make_needs(s, msg->arena, &view->n_needs);
    view->n_needs_all = (int64_t)view->n_needs;
    view->n_activity = s->n_happened + WPA_COUNT(activity);
    wpa_activity_row *rows = wpa_arena_array(msg->arena, view->n_activity, sizeof *rows);
    for (size_t i = 0; i < view->n_activity; i++) {
        size_t old = i < s->n_happened ? 0 : i - s->n_happened;
        rows[i] = activity[old];
        rows[i].at_us =
            s->now_us - (i < s->n_happened ? 0 : (int64_t)(old + 1) * WPA_SCRIPTED_MINUTE_US);
    }
    view->activity = rows;
    if (s->alarm[0]) {
        wpa_notice_row *alarm = wpa_arena_alloc(msg->arena, sizeof *alarm);
        *alarm = (wpa_notice_row){.id = 9,
                                  .at_us = s->now_us,
                                  .level = WPA_NOTICE_ALARM,
                                  .text = wpa_arena_text(msg->arena, s->alarm),
                                  .count = 1};
        view->alarms = alarm;
        view->n_alarms = 1;
    }
    wpa_person_row *people = wpa_arena_array(msg->arena, 2, sizeof *people);
    people[view->n_people++] = (wpa_person_row){.name = "joe",
                                                .role = WPA_ROLE_GUARDIAN,
                                                .place = wpa_arena_text(msg->arena, s->joes_place),
                                                .address = "10.2.0.21",
                                                .seen_at_us = s->now_us - 12000000};
    if (s->place[0]) {
        people[view->n_people++] = (wpa_person_row){.name = "mira",
                                                    .role = WPA_ROLE_GUARDIAN,
                                                    .place = wpa_arena_text(msg->arena, s->place),
                                                    .address = "10.2.0.14",
                                                    .seen_at_us = s->now_us};
    }
    view->people = people;
    view->engine = (wpa_engine_view){.n_workers = 4,
                                     .n_busy = 1,
                                     .n_queued = 2,
                                     .database_ms = 0.4,
                                     .notify_lag_ms = WPA_UNKNOWN,
                                     .agents = agents,
                                     .n_agents = 1};
    msg->body = view;
    wpa_scripted_push(s, msg);
}

static bool matches(const wpa_scripted *s, const wpa_finding_row *row)
{
    return row->id != s->fixed_finding &&
           (!s->filter[0] || strstr(row->message, s->filter) || strstr(row->workflow, s->filter));
}

static size_t fill_findings(wpa_scripted *s, wpa_arena *arena, wpa_list_view *view)
{
    size_t first = 0, n = 0;
    if (s->query.from_end && s->n_findings > s->query.n_before + 1) {
        first = s->n_findings - s->query.n_before - 1;
    }
    size_t most = s->query.from_end ? s->n_findings : s->query.n_before + s->query.n_after + 1;
    wpa_finding_row *rows = wpa_arena_array(arena, s->n_findings + 1, sizeof *rows);
    for (size_t i = first; i < s->n_findings && n < most; i++) {
        rows[n] = wpa_scripted_finding(s, i);
        n += matches(s, &rows[n]);
    }
    view->findings = rows;
    view->n_rows = n;
    view->position = (int64_t)first;
    view->has_before = first > 0;
    view->has_after = first + n < s->n_findings && !s->filter[0];
    return s->filter[0] ? n : s->n_findings;
}

static size_t fill_audit(wpa_scripted *s, wpa_arena *arena, wpa_list_view *view)
{
    static const struct {
        const char *who, *address, *action, *text, *subject;
        wpa_object object;
    } rows[] = {
        {"mira",
         "10.2.0.14",
         "session.start",
         "signed in over ssh, tty pts/3",
         "session:91",
         {WPA_OBJECT_NONE, 0}},
        {"joe",
         "10.2.0.21",
         "deployment.running",
         "deploy started, 3 stages",
         "deployment:1042",
         {WPA_OBJECT_DEPLOYMENT, 1042}},
        {"engine",
         NULL,
         "patch.tested",
         "patch tested: 4 of 4 suites",
         "patch:2207",
         {WPA_OBJECT_PATCH, 2207}},
    };
    wpa_audit_row *audit = wpa_arena_array(arena, WPA_COUNT(rows), sizeof *audit);
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        audit[i] = (wpa_audit_row){.seq = 41207 - (int64_t)i,
                                   .at_us = s->now_us - (int64_t)i * WPA_SCRIPTED_HOUR_US,
                                   .who = rows[i].who,
                                   .address = rows[i].address,
                                   .action = rows[i].action,
                                   .text = rows[i].text,
                                   .subject = rows[i].subject,
                                   .object = rows[i].object,
                                   .detail = "{\"from\":\"planned\",\"version\":2}",
                                   .hash = "9f3c0000000000000000000000000071",
                                   .prev = "22ab000000000000000000000000000e",
                                   .cursor = "a"};
    }
    view->audit = audit;
    view->n_rows = WPA_COUNT(rows);
    return view->n_rows;
}

static size_t fill_destinations(wpa_scripted *s, wpa_arena *arena, wpa_list_view *view)
{
    const wpa_destination_row rows[] = {
        {.id = 2,
         .name = "siem",
         .channel = "webhook",
         .state = "failing",
         .what = "deployment.* approval.*",
         .n_waiting = 12,
         .n_dead = 3,
         .last_sent_at_us = s->now_us - 7200000000,
         .error = "answered 503: not now",
         .cursor = "a"},
        {.id = 1,
         .name = "ops",
         .channel = "slack",
         .state = "on",
         .what = "notice.* finding.new from error",
         .last_sent_at_us = s->now_us - 60000000,
         .cursor = "b"},
        {.id = 3,
         .name = "mail",
         .channel = "email",
         .state = "off",
         .what = "notice.*",
         .cursor = "c"},
    };
    view->destinations = wpa_arena_dup(arena, rows, sizeof rows);
    view->n_rows = WPA_COUNT(rows);
    return view->n_rows;
}

static size_t fill_runs(wpa_scripted *s, wpa_arena *arena, wpa_list_view *view)
{
    wpa_run_row *runs = wpa_arena_array(arena, s->n_runs + 1, sizeof *runs);
    for (size_t i = 0; i < s->n_runs; i++) {
        runs[i] = (wpa_run_row){.id = 88123 - (int64_t)i,
                                .workflow = s->workflows[i % s->n_workflows].name,
                                .result = i % 3 ? WPA_RUN_OK : WPA_RUN_FAILED,
                                .ended_by = i % 3 ? NULL : "test, step 4",
                                .commit = "4f2c9ab",
                                .took_ms = 182000,
                                .started_at_us = s->now_us - WPA_SCRIPTED_MINUTE_US,
                                .cursor = "a"};
    }
    view->runs = runs;
    view->n_rows = s->n_runs;
    return s->n_runs;
}

static size_t fill_rows(wpa_scripted *s, wpa_arena *arena, wpa_list_view *view)
{
    switch ((int)s->query.list) {
    case WPA_LIST_WORKFLOWS:
        view->workflows = wpa_arena_dup(arena, s->workflows, s->n_workflows * sizeof *s->workflows);
        view->n_rows = s->n_workflows;
        return s->n_workflows;
    case WPA_LIST_FINDINGS:
        return fill_findings(s, arena, view);
    case WPA_LIST_PATCHES:
        view->patches = wpa_arena_dup(arena, s->patches, s->n_patches * sizeof *s->patches);
        view->n_rows = s->n_patches;
        return s->n_patches;
    case WPA_LIST_DEPLOYMENTS:
        view->deployments =
            wpa_arena_dup(arena, s->deployments, s->n_deployments * sizeof *s->deployments);
        view->n_rows = s->n_deployments;
        return s->n_deployments;
    case WPA_LIST_AUDIT:
        return fill_audit(s, arena, view);
    case WPA_LIST_RUNS:
        return fill_runs(s, arena, view);
    case WPA_LIST_DESTINATIONS:
        return fill_destinations(s, arena, view);
    default:
        return 0;
    }
}

void wpa_scripted_send_list(wpa_scripted *s)
{
    if (!s->list_request) {
        return;
    }
    wpa_msg *msg = wpa_msg_new(WPA_FEED_LIST);
    wpa_list_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    view->request_id = s->list_request;
    view->list = s->query.list;
    view->n_matching = (int64_t)fill_rows(s, msg->arena, view);
    view->n_all = s->query.list == WPA_LIST_FINDINGS ? (int64_t)s->n_findings : view->n_matching;
    view->took_us = 4000;
    view->ignored = s->ignored[0] ? wpa_arena_text(msg->arena, s->ignored) : NULL;
    if (!view->n_matching && s->in_the_way[0]) {
        const wpa_without without = {wpa_arena_text(msg->arena, s->in_the_way), view->n_all};
        view->without = wpa_arena_dup(msg->arena, &without, sizeof without);
        view->n_without = 1;
    }
    msg->body = view;
    wpa_scripted_push(s, msg);
}
