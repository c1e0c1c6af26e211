#include "harness/scripted.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#define MAX_WORKFLOWS 16
#define MAX_PATCHES 16
#define MAX_DEPLOYMENTS 8
#define MINUTE_US ((int64_t)60 * 1000000)
#define HOUR_US (60 * MINUTE_US)

struct wpa_scripted {
    pthread_mutex_t lock;
    wpa_queue *inbox;
    wpa_console_port port;
    int64_t now_us;
    wpa_workflow_row workflows[MAX_WORKFLOWS];
    size_t n_workflows;
    size_t n_findings;
    int64_t fixed_finding;
    bool needs_code, can_browse;
    const char *browser_code;
    wpa_patch_row patches[MAX_PATCHES];
    size_t n_patches;
    wpa_deployment_row deployments[MAX_DEPLOYMENTS];
    size_t n_deployments;
    int64_t test_ends_us;
    int64_t testing_patch;
    char alarm[256];
    char name[256];
    bool is_lost, is_signed_in;
    wpa_role role;
    wpa_list_query query; /* watched list; texts not kept */
    char filter[128];
    uint64_t list_request, object_request;
    wpa_object watched;
    size_t counts[WPA_COMMAND_COUNT];
    wpa_object last[WPA_COMMAND_COUNT];
};

static const uint8_t some_runs[] = {2, 2, 2, 1, 2, 0, 2, 2, 2, 2, 0, 2};
static const wpa_check_row checks[] = {
    {.name = "api answers",
     .kind = "http",
     .stage = 2,
     .state = WPA_CHECK_OK,
     .now = "0.21 s",
     .baseline = "0.20 s",
     .limit = "<= 1 s",
     .meter = 0.21,
     .meter_limit = 0.9,
     .hits = 0,
     .hit_limit = 3,
     .n_measured = 42,
     .interval_ms = 5000},
    {.name = "run success rate",
     .kind = "ci_run",
     .stage = 2,
     .state = WPA_CHECK_NEAR,
     .now = "97.9 %",
     .baseline = "98.9 %",
     .limit = ">= 97.0 %",
     .meter = 0.93,
     .meter_limit = 0.85,
     .hits = 1,
     .hit_limit = 3,
     .n_measured = 12,
     .interval_ms = 30000},
    {.name = "score not worse",
     .kind = "rescore",
     .stage = 2,
     .state = WPA_CHECK_OK,
     .now = "+17",
     .baseline = "0",
     .limit = ">= 0",
     .meter = 0,
     .meter_limit = -1,
     .hits = 0,
     .hit_limit = 1,
     .n_measured = 3,
     .interval_ms = 10000},
};

static void add_workflow(wpa_scripted *s, const char *name, double overall, double change,
                         int64_t findings)
{
    wpa_workflow_row *row = &s->workflows[s->n_workflows++];
    *row = (wpa_workflow_row){.id = (int64_t)s->n_workflows,
                              .name = name,
                              .repository = "payments",
                              .change_24h = change,
                              .n_findings = findings,
                              .runs = some_runs,
                              .n_runs = sizeof some_runs,
                              .p95_ms = 483000,
                              .runs_per_day = 16,
                              .analysed_at_us = s->now_us - 5 * MINUTE_US,
                              .cursor = name};
    row->scores.overall = overall;
    row->scores.runs = WPA_UNKNOWN;
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        row->scores.dimension[i] = overall - 10 + 7 * i;
    }
}

static void add_patch(wpa_scripted *s, int64_t id, wpa_patch_state state, const char *name)
{
    static const wpa_suite_state passed[WPA_PHASE_COUNT] = {WPA_SUITE_PASSED, WPA_SUITE_PASSED,
                                                            WPA_SUITE_PASSED, WPA_SUITE_PASSED};
    wpa_patch_row *row = &s->patches[s->n_patches++];
    *row = (wpa_patch_row){.id = id,
                           .state = state,
                           .name = name,
                           .version = "1.0.0",
                           .type = WPA_PATCH_TYPE_SECURITY,
                           .severity = WPA_SEVERITY_HIGH,
                           .n_workflows = 4,
                           .n_repositories = 2,
                           .n_checks_done = WPA_UNKNOWN,
                           .n_checks = WPA_UNKNOWN,
                           .author = "agent",
                           .created_at_us = s->now_us - HOUR_US,
                           .updated_at_us = s->now_us - 12 * MINUTE_US,
                           .cursor = name};
    if (state >= WPA_PATCH_TESTED && state != WPA_PATCH_FAILED) {
        memcpy(row->suites, passed, sizeof passed);
    }
    if (state == WPA_PATCH_FAILED) {
        row->reason = "test_failed";
        row->suites[0] = WPA_SUITE_PASSED;
        row->suites[1] = WPA_SUITE_FAILED;
    }
}

static void add_deployment(wpa_scripted *s, int64_t id, int64_t patch, const char *name,
                           wpa_deployment_state state)
{
    bool is_live = state == WPA_DEPLOYMENT_RUNNING;
    wpa_deployment_row *row = &s->deployments[s->n_deployments++];
    *row = (wpa_deployment_row){.id = id,
                                .patch_id = patch,
                                .patch = name,
                                .state = state,
                                .stage = is_live ? 2 : 3,
                                .n_stages = 3,
                                .stage_state = is_live ? WPA_STAGE_BAKING : WPA_STAGE_PASSED,
                                .stage_label = is_live ? "25 %" : "100 %",
                                .n_done = is_live ? 2 : 4,
                                .n_total = is_live ? 2 : 4,
                                .bake_until_us = is_live ? s->now_us + 348 * 1000000 : 0,
                                .bake_ms = 600000,
                                .bake_left_ms = WPA_UNKNOWN,
                                .n_checks_ok = 3,
                                .n_checks = 3,
                                .nearest = is_live ? &checks[1] : NULL,
                                .downtime_ms = 0,
                                .n_probes = 663,
                                .started_by = "mira",
                                .started_at_us = s->now_us - 11 * MINUTE_US,
                                .ended_at_us = is_live ? 0 : s->now_us - MINUTE_US,
                                .updated_at_us = s->now_us,
                                .can_roll_back = true,
                                .n_switched = is_live ? 2 : 4,
                                .back_to = "3c1f09e",
                                .cursor = name};
}

static void make_fleet(wpa_scripted *s)
{
    static const struct {
        const char *name;
        double score, change;
        int64_t findings;
    } rows[] = {{"payments/ci.yml", 41, -6, 18},    {"web/release.yml", 49, -1, 11},
                {"mobile/nightly.yml", 58, 3, 9},   {"infra/terraform-plan.yml", 63, 0, 8},
                {"auth/integration.yml", 66, 1, 7}, {"data/backfill.yml", 69, 0, 7},
                {"search/ci.yml", 71, 0, 6},        {"billing/deploy.yml", 72, 0, 5},
                {"docs/pages.yml", 73, 0, 4}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        add_workflow(s, rows[i].name, rows[i].score, rows[i].change, rows[i].findings);
    }
    add_patch(s, 2217, WPA_PATCH_TESTED, "pin actions, batch 2");
    add_patch(s, 2214, WPA_PATCH_FAILED, "merge duplicate matrix");
    add_patch(s, 2207, WPA_PATCH_APPROVED, "pin actions to hashes");
    add_patch(s, 2219, WPA_PATCH_PENDING, "quote issue title");
    add_patch(s, 2190, WPA_PATCH_DEPLOYED, "pin docker images");
    s->patches[2].deployment_id = 1042;
    s->patches[2].is_live = true;
    s->patches[2].stage = 2;
    s->patches[2].n_stages = 3;
    add_deployment(s, 1042, 2207, "pin actions to hashes", WPA_DEPLOYMENT_RUNNING);
    add_deployment(s, 1040, 2190, "pin docker images", WPA_DEPLOYMENT_SUCCEEDED);
    s->deployments[1].can_roll_back = false;
    s->n_findings = 12;
}

/* ---- views ----------------------------------------------------------------------------------- */

static void push(wpa_scripted *s, wpa_msg *msg)
{
    wpa_error err = {0};
    (void)!wpa_queue_push(s->inbox, msg, WPA_QUEUE_DROP_OLDEST, &err);
}

static wpa_finding_row finding_of(const wpa_scripted *s, size_t i)
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
                             .first_seen_us = s->now_us - (int64_t)(i + 2) * MINUTE_US,
                             .cursor = "f"};
}

static const wpa_needs_row *make_needs(wpa_scripted *s, wpa_arena *arena, size_t *n)
{
    wpa_needs_row *rows = wpa_arena_array(arena, 4, sizeof *rows);
    rows[0] = (wpa_needs_row){{WPA_OBJECT_FINDING, 99812},
                              "triage",
                              "CRIT issue title reaches bash code, web/release.yml",
                              "open",
                              s->now_us - 2 * MINUTE_US,
                              NULL};
    rows[1] = (wpa_needs_row){{WPA_OBJECT_PATCH, 2214},           "decide",
                              "test failed: integration, exit 1", "failed",
                              s->now_us - 31 * MINUTE_US,         "joe"};
    rows[2] = (wpa_needs_row){
        {WPA_OBJECT_PATCH, 2217},   "approve", "pin actions, batch 2, 4 workflows", "tested",
        s->now_us - 12 * MINUTE_US, NULL};
    *n = 3;
    return rows;
}

static void fill_live(wpa_scripted *s, wpa_arena *arena, wpa_dashboard_view *view)
{
    wpa_deployment_row *live = wpa_arena_array(arena, MAX_DEPLOYMENTS, sizeof *live);
    wpa_patch_row *testing = wpa_arena_array(arena, MAX_PATCHES, sizeof *testing);
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

static void send_dashboard(wpa_scripted *s)
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
        view->findings.newest_us[i] = s->now_us - (i + 2) * MINUTE_US;
    }
    view->findings.open[0][WPA_SEVERITY_CRITICAL] = 1;
    view->findings.n_open = (int64_t)s->n_findings;
    view->findings.n_analysed = (int64_t)s->n_workflows;
    fill_live(s, msg->arena, view);
    view->needs = make_needs(s, msg->arena, &view->n_needs);
    view->n_needs_all = (int64_t)view->n_needs;
    wpa_activity_row *rows = wpa_arena_dup(msg->arena, activity, sizeof activity);
    rows[0].at_us = s->now_us - MINUTE_US;
    rows[1].at_us = s->now_us - 2 * MINUTE_US;
    view->activity = rows;
    view->n_activity = WPA_COUNT(activity);
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
    view->engine = (wpa_engine_view){.n_workers = 4,
                                     .n_busy = 1,
                                     .n_queued = 2,
                                     .database_ms = 0.4,
                                     .notify_lag_ms = WPA_UNKNOWN,
                                     .agents = agents,
                                     .n_agents = 1};
    msg->body = view;
    push(s, msg);
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
        rows[n] = finding_of(s, i);
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
                                   .at_us = s->now_us - (int64_t)i * HOUR_US,
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
    case WPA_LIST_DESTINATIONS:
        return fill_destinations(s, arena, view);
    default:
        return 0;
    }
}

static void send_list(wpa_scripted *s)
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
    msg->body = view;
    push(s, msg);
}

static const wpa_finding_detail *finding_detail(wpa_scripted *s, wpa_arena *arena, int64_t id)
{
    static const wpa_source_line lines[] = {
        {44, "    steps:"},
        {45, "      - uses: actions/checkout@v4"},
        {46, "      - name: Announce"},
        {47, "        run: |"},
        {48, "          echo \"${{ github.event.issue.title }}\""},
        {49, "          ./announce.sh \033[31m"},
        {50, ""},
        {51, "  next:"}};
    static const wpa_place places[] = {{.line = 48,
                                        .column = 20,
                                        .end_line = 48,
                                        .end_column = 44,
                                        .label = "text becomes shell code",
                                        .is_primary = true}};
    static const wpa_fix_row fixes[] = {{"bind the title to an environment variable", false}};
    wpa_finding_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
    *detail = (wpa_finding_detail){.row = finding_of(s, (size_t)(id - 99812)),
                                   .repository = "web",
                                   .path = ".github/workflows/release.yml",
                                   .fingerprint = "3f1c9a",
                                   .commit = "4f2c9ab1",
                                   .last_seen_us = s->now_us,
                                   .reach = "workflow runs on issues from anyone; job token can "
                                            "write contents",
                                   .score_now = 49,
                                   .score_fixed = 66,
                                   .lines = lines,
                                   .n_lines = WPA_COUNT(lines),
                                   .places = places,
                                   .n_places = 1,
                                   .why = "Anyone who can open an issue can run commands with this "
                                          "job's token.",
                                   .todo = "Bind the value to an environment variable and quote it "
                                           "in the script.",
                                   .help = "wpa explain template-injection",
                                   .fixes = fixes,
                                   .n_fixes = 1};
    return detail;
}

static const wpa_patch_tests *make_report(wpa_scripted *s, wpa_arena *arena,
                                          const wpa_patch_row *row)
{
    static const wpa_evidence_row evidence[] = {
        {"expected", "same job set as before the patch: 6 jobs"},
        {"got", "5 jobs: train (gpu, 3.11) is missing"}};
    wpa_patch_check *list = wpa_arena_array(arena, 3, sizeof *list);
    wpa_patch_tests *report = wpa_arena_alloc(arena, sizeof *report);
    bool is_failed = row->state == WPA_PATCH_FAILED;
    list[0] = (wpa_patch_check){.id = "T101",
                                .name = "after image is valid",
                                .is_required = true,
                                .phase = WPA_PHASE_ISOLATED,
                                .took_ms = 12};
    list[1] = (wpa_patch_check){.id = "T102",
                                .name = "the finding is gone, nothing new",
                                .phase = WPA_PHASE_ISOLATED,
                                .is_required = true,
                                .took_ms = 40};
    list[2] = (wpa_patch_check){.id = "T201",
                                .name = "same jobs as before",
                                .phase = WPA_PHASE_INTEGRATION,
                                .is_required = true,
                                .result = is_failed ? WPA_RESULT_FAIL : WPA_RESULT_PASS,
                                .reason = is_failed ? "a job is missing" : NULL,
                                .took_ms = 1904,
                                .evidence = evidence,
                                .n_evidence = is_failed ? 2 : 0};
    *report = (wpa_patch_tests){.run = 1,
                                .started_at_us = s->now_us - 10 * MINUTE_US,
                                .finished_at_us = s->now_us - 8 * MINUTE_US,
                                .checks = list,
                                .n_checks = 3};
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        report->phases[i] = (wpa_test_phase){
            .state = row->suites[i], .n_passed = 9, .n_total = 9, .took_ms = 12000, .note = NULL};
    }
    report->phases[0].note = "parses, plans, own test suite";
    return report;
}

static const wpa_patch_detail *patch_detail(wpa_scripted *s, wpa_arena *arena,
                                            const wpa_patch_row *row)
{
    static const wpa_plan_stage plan[] = {{"canary", 1, 1, "docs-site", 60000},
                                          {"50 %", 2, 2, "payments", 60000},
                                          {"100 %", 4, 4, "web, infra", 60000}};
    static const wpa_diff_line lines[] = {
        {' ', 20, 20, "    steps:"},
        {'-', 22, 0, "      - uses: actions/checkout@v4"},
        {'+', 0, 22, "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"},
        {' ', 23, 23, "      - name: Set up"}};
    static const wpa_diff_hunk hunks[] = {{"job test", lines, WPA_COUNT(lines)}};
    static const wpa_diff_file files[] = {
        {"payments", ".github/workflows/ci.yml", "aaaa", "bbbb", hunks, 1}};
    wpa_patch_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
    wpa_finding_row *findings = wpa_arena_array(arena, 1, sizeof *findings);
    findings[0] = finding_of(s, 1);
    *detail = (wpa_patch_detail){.row = *row,
                                 .issue = "actions are used by tags that can move",
                                 .rules = "SEC-001",
                                 .digest = "d1d1",
                                 .n_lines_added = 4,
                                 .n_lines_removed = 4,
                                 .risk = "low: same code, fixed revision",
                                 .findings = findings,
                                 .n_findings = 1,
                                 .n_findings_all = 1,
                                 .n_approvals_required = 1,
                                 .plan = plan,
                                 .n_plan = 3,
                                 .plan_ms = 180000,
                                 .n_plan_checks = 3,
                                 .plan_note = "three hits in a row roll it back",
                                 .plan_digest = "plan-1",
                                 .files = files,
                                 .n_files = 1};
    if (row->state != WPA_PATCH_PENDING) {
        detail->report = make_report(s, arena, row);
    }
    return detail;
}

static const wpa_deployment_detail *deployment_detail(wpa_scripted *s, wpa_arena *arena,
                                                      const wpa_deployment_row *row)
{
    static const wpa_rollback_step steps[] = {
        {"hold the rollout", false, true, false, -1, -1, 0},
        {"switch workflows back", true, false, false, 1, 2, 900},
        {"confirm against baseline", false, false, false, -1, -1, -1}};
    wpa_deployment_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
    wpa_stage_row *stages = wpa_arena_array(arena, 3, sizeof *stages);
    wpa_activity_row *events = wpa_arena_array(arena, 1, sizeof *events);
    wpa_target_row *targets = wpa_arena_array(arena, 1, sizeof *targets);
    wpa_check_row *measured = wpa_arena_dup(arena, checks, sizeof checks);
    for (size_t i = 0; i < WPA_COUNT(checks); i++) {
        measured[i].next_at_us = s->now_us + 5000000;
    }
    bool is_back =
        row->state >= WPA_DEPLOYMENT_ROLLING_BACK && row->state != WPA_DEPLOYMENT_SUCCEEDED;
    for (int i = 0; i < 3; i++) {
        stages[i] = (wpa_stage_row){.n = i + 1,
                                    .label = i == 0   ? "canary"
                                             : i == 1 ? "50 %"
                                                      : "100 %",
                                    .n_scope = 1 + i,
                                    .n_total = 1 + i,
                                    .n_done = is_back ? 0
                                              : i < 2 ? 1 + i
                                                      : 0,
                                    .state = is_back  ? WPA_STAGE_REVERTED
                                             : i == 0 ? WPA_STAGE_PASSED
                                             : i == 1 ? WPA_STAGE_BAKING
                                                      : WPA_STAGE_WAITING,
                                    .bake_ms = 600000,
                                    .bake_until_us = i == 1 && !is_back ? row->bake_until_us : 0,
                                    .baked_ms = i == 0 ? 600000 : WPA_UNKNOWN,
                                    .downtime_ms = i < 2 ? 0 : WPA_UNKNOWN};
    }
    events[0] = (wpa_activity_row){.at_us = s->now_us - MINUTE_US,
                                   .who = "engine",
                                   .text = "payments/ci.yml switched, probe ok in 0.4 s"};
    targets[0] = (wpa_target_row){.name = "payments",
                                  .ref = "refs/heads/main",
                                  .stage = 1,
                                  .state = is_back ? WPA_TARGET_REVERTED : WPA_TARGET_VERIFIED,
                                  .base = "1111111aaaa",
                                  .applied = "2222222bbbb"};
    *detail = (wpa_deployment_detail){.row = *row,
                                      .stages = stages,
                                      .n_stages = 3,
                                      .checks = measured,
                                      .n_checks = WPA_COUNT(checks),
                                      .checks_stage = 2,
                                      .n_probes = 663,
                                      .probe_interval_ms = 1000,
                                      .is_armed = true,
                                      .steps = steps,
                                      .n_steps = is_back ? 3 : 0,
                                      .events = events,
                                      .n_events = 1,
                                      .targets = targets,
                                      .n_targets = 1};
    if (is_back) {
        detail->rollback_reason = "Guardian, key R";
        detail->rollback_requested_us = detail->rollback_started_us = s->now_us - 1000000;
    }
    return detail;
}

static const wpa_workflow_detail *workflow_detail(wpa_scripted *s, wpa_arena *arena,
                                                  const wpa_workflow_row *row)
{
    static const wpa_use_row uses[] = {
        {"actions/checkout v4", "not pinned", 12, {WPA_OBJECT_NONE, 0}}};
    static const wpa_score_line lines[] = {
        {"SEC-014 issue title reaches bash code", 17.2, {WPA_OBJECT_FINDING, 99812}}};
    wpa_workflow_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
    wpa_finding_row *findings = wpa_arena_array(arena, 2, sizeof *findings);
    findings[0] = finding_of(s, 0);
    findings[1] = finding_of(s, 1);
    *detail = (wpa_workflow_detail){.row = *row,
                                    .url = "/srv/git/payments.git",
                                    .branch = "main",
                                    .path = ".github/workflows/ci.yml",
                                    .commit = "4f2c9ab1",
                                    .n_jobs = 9,
                                    .uncapped = row->scores.overall,
                                    .n_parts = 5,
                                    .lines = lines,
                                    .n_lines = 1,
                                    .findings = findings,
                                    .n_findings = 2,
                                    .uses = uses,
                                    .n_uses = 1};
    detail->tally[WPA_SEVERITY_CRITICAL] = 1;
    detail->tally[WPA_SEVERITY_HIGH] = 1;
    return detail;
}

static void send_object(wpa_scripted *s)
{
    if (!s->object_request || s->watched.kind == WPA_OBJECT_NONE) {
        return;
    }
    wpa_msg *msg = wpa_msg_new(WPA_FEED_DETAIL);
    wpa_detail_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    view->request_id = s->object_request;
    view->object = s->watched;
    view->missing = "there is no such thing";
    if (s->watched.kind == WPA_OBJECT_FINDING && s->watched.id >= 99812) {
        view->missing = NULL;
        view->finding = finding_detail(s, msg->arena, s->watched.id);
    }
    for (size_t i = 0; s->watched.kind == WPA_OBJECT_PATCH && i < s->n_patches; i++) {
        if (s->patches[i].id == s->watched.id) {
            view->missing = NULL;
            view->patch = patch_detail(s, msg->arena, &s->patches[i]);
        }
    }
    for (size_t i = 0; s->watched.kind == WPA_OBJECT_DEPLOYMENT && i < s->n_deployments; i++) {
        if (s->deployments[i].id == s->watched.id) {
            view->missing = NULL;
            view->deployment = deployment_detail(s, msg->arena, &s->deployments[i]);
        }
    }
    for (size_t i = 0; s->watched.kind == WPA_OBJECT_WORKFLOW && i < s->n_workflows; i++) {
        if (s->workflows[i].id == s->watched.id) {
            view->missing = NULL;
            view->workflow = workflow_detail(s, msg->arena, &s->workflows[i]);
        }
    }
    msg->body = view;
    push(s, msg);
}

static void send_all(wpa_scripted *s)
{
    if (s->is_signed_in && !s->is_lost) {
        send_dashboard(s);
        send_list(s);
        send_object(s);
    }
}

static void send_link(wpa_scripted *s, const char *reason)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_LINK);
    wpa_link_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    *view = (wpa_link_view){.state = s->is_lost ? WPA_LINK_LOST : WPA_LINK_LIVE,
                            .lost_at_us = s->is_lost ? s->now_us : 0,
                            .next_try_us = s->is_lost ? s->now_us + 4000000 : 0,
                            .attempt = s->is_lost ? 1 : 0,
                            .reason = wpa_arena_text(msg->arena, reason),
                            .database = "PostgreSQL 15.20",
                            .latency_ms = 0.4};
    msg->body = view;
    push(s, msg);
}

static void send_session(wpa_scripted *s, wpa_session_state state)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_SESSION);
    wpa_session_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    *view =
        (wpa_session_view){.state = state,
                           .fleet = "prod-fleet",
                           .host = "ops-host-3",
                           .user = "mira",
                           .name = state == WPA_SESSION_SIGNED_IN ? "mira" : NULL,
                           .role = s->role,
                           .is_read_only = s->role == WPA_ROLE_VIEWER,
                           .can_read_only = true,
                           .needs_code = s->needs_code,
                           .can_browse = s->can_browse,
                           .browser_url = s->browser_code ? "https://login.example/device" : NULL,
                           .browser_code = s->browser_code,
                           .tries_left = WPA_UNKNOWN,
                           .rollback_delay_ms = 3000};
    for (int i = 0; i < WPA_ACTION_COUNT; i++) {
        view->may[i] = s->role == WPA_ROLE_GUARDIAN || i == WPA_ACTION_READ;
    }
    s->is_signed_in = state == WPA_SESSION_SIGNED_IN;
    msg->body = view;
    push(s, msg);
}

/* ---- commands -------------------------------------------------------------------------------- */

static void reply(wpa_scripted *s, const wpa_command *command, wpa_object object,
                  const wpa_error *error, const char *text)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_REPLY);
    wpa_reply_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    view->request_id = command->request_id;
    view->kind = command->kind;
    view->object = object;
    view->text = wpa_arena_text(msg->arena, text);
    if (error) {
        view->error = *error;
    }
    msg->body = view;
    push(s, msg);
}

static wpa_patch_row *patch_row(wpa_scripted *s, int64_t id)
{
    for (size_t i = 0; i < s->n_patches; i++) {
        if (s->patches[i].id == id) {
            return &s->patches[i];
        }
    }
    return NULL;
}

static wpa_deployment_row *deployment_row(wpa_scripted *s, int64_t id)
{
    for (size_t i = 0; i < s->n_deployments; i++) {
        if (s->deployments[i].id == id) {
            return &s->deployments[i];
        }
    }
    return NULL;
}

static void sign_in(wpa_scripted *s, const wpa_command *command)
{
    wpa_error err = {0};
    bool is_right = command->secret_bytes == strlen(WPA_SCRIPTED_PASSPHRASE) &&
                    memcmp(command->secret, WPA_SCRIPTED_PASSPHRASE, command->secret_bytes) == 0;
    if (command->kind == WPA_COMMAND_SIGN_IN && !is_right) {
        (void)WPA_FAIL(&err, WPA_E_DENIED, "Wrong name or passphrase.");
        reply(s, command, (wpa_object){WPA_OBJECT_NONE, 0}, &err, NULL);
        return;
    }
    s->role = command->kind == WPA_COMMAND_SIGN_IN_READ_ONLY ? WPA_ROLE_VIEWER : WPA_ROLE_GUARDIAN;
    reply(s, command, (wpa_object){WPA_OBJECT_NONE, 0}, NULL, NULL);
    send_session(s, WPA_SESSION_SIGNED_IN);
    send_dashboard(s);
}

static void watch_list(wpa_scripted *s, const wpa_command *command)
{
    if (!command->query.n_before && !command->query.n_after) {
        if (command->query.list == s->query.list) {
            s->list_request = 0;
        }
        return;
    }
    s->query = command->query;
    s->filter[0] = '\0';
    for (size_t i = 0; i < command->query.n_terms; i++) {
        if (command->query.terms[i].n_values) {
            (void)wpa_text_copy(s->filter, sizeof s->filter, command->query.terms[i].values[0]);
        }
    }
    s->query.terms = NULL;
    s->list_request = command->request_id;
    send_list(s);
}

static void start_deployment(wpa_scripted *s, const wpa_command *command)
{
    wpa_patch_row *patch = patch_row(s, command->object.id);
    int64_t id = 1043;
    if (patch && s->n_deployments < MAX_DEPLOYMENTS) {
        add_deployment(s, id, patch->id, patch->name, WPA_DEPLOYMENT_RUNNING);
        patch->state = WPA_PATCH_APPROVED;
        patch->deployment_id = id;
        patch->is_live = true;
    }
    reply(s, command, (wpa_object){WPA_OBJECT_DEPLOYMENT, id}, NULL, "d-1043 planned");
}

static void change(wpa_scripted *s, const wpa_command *command)
{
    wpa_patch_row *patch = patch_row(s, command->object.id);
    wpa_deployment_row *deployment = deployment_row(s, command->object.id);
    if (command->kind == WPA_COMMAND_DEPLOY) {
        start_deployment(s, command);
        return;
    }
    if (command->kind == WPA_COMMAND_CREATE_PATCH) {
        add_patch(s, 2300, WPA_PATCH_PENDING, "made by p");
        reply(s, command, (wpa_object){WPA_OBJECT_PATCH, 2300}, NULL, "p-2300 made");
        return;
    }
    if (command->kind == WPA_COMMAND_TEST && patch) {
        patch->state = WPA_PATCH_TESTING;
        patch->suites[0] = WPA_SUITE_RUNNING;
        s->testing_patch = patch->id;
        s->test_ends_us = s->now_us + 2000000;
    } else if (command->kind == WPA_COMMAND_APPROVE && patch) {
        patch->state = WPA_PATCH_APPROVED;
    } else if (command->kind == WPA_COMMAND_HOLD && deployment) {
        deployment->state = WPA_DEPLOYMENT_PAUSED;
        deployment->reason = "held by mira";
        deployment->bake_left_ms = 348000;
    } else if (command->kind == WPA_COMMAND_RESUME && deployment) {
        deployment->state = WPA_DEPLOYMENT_RUNNING;
        deployment->reason = NULL;
    } else if (command->kind == WPA_COMMAND_ROLL_BACK && deployment) {
        deployment->rollback_at_us = s->now_us + command->delay_ms * 1000;
        deployment->rollback_by = "mira";
        deployment->state = WPA_DEPLOYMENT_PAUSED;
        deployment->reason = "rollback ordered";
    } else if (command->kind == WPA_COMMAND_CANCEL_ROLL_BACK && deployment) {
        deployment->rollback_at_us = 0;
        deployment->rollback_by = NULL;
        deployment->state = WPA_DEPLOYMENT_RUNNING;
        deployment->reason = NULL;
    } else if (command->kind == WPA_COMMAND_ROLL_BACK_NOW && deployment) {
        deployment->rollback_at_us = 0;
        deployment->updated_at_us = s->now_us;
        deployment->state = WPA_DEPLOYMENT_ROLLING_BACK;
    } else if (command->kind == WPA_COMMAND_ACKNOWLEDGE) {
        s->alarm[0] = '\0';
    }
    reply(s, command, command->object, NULL, NULL);
}

static bool submit(void *context, wpa_command *taken, wpa_error *err)
{
    wpa_scripted *s = context;
    WPA_AUTO(wpa_command) *command = taken;
    (void)err;
    (void)pthread_mutex_lock(&s->lock);
    s->counts[command->kind]++;
    s->last[command->kind] = command->object;
    switch ((int)command->kind) {
    case WPA_COMMAND_FIRST_GUARDIAN:
    case WPA_COMMAND_SIGN_IN:
    case WPA_COMMAND_SIGN_IN_READ_ONLY:
        sign_in(s, command);
        break;
    case WPA_COMMAND_SIGN_OUT:
        send_session(s, WPA_SESSION_SIGNED_OUT);
        break;
    case WPA_COMMAND_WATCH_LIST:
        watch_list(s, command);
        break;
    case WPA_COMMAND_WATCH_OBJECT:
        s->watched = command->object;
        s->object_request = command->request_id;
        send_object(s);
        break;
    case WPA_COMMAND_REFRESH:
        send_all(s);
        break;
    default:
        change(s, command);
        send_all(s);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

wpa_scripted *wpa_scripted_new(int64_t now_us)
{
    wpa_scripted *s = wpa_alloc(sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
    s->now_us = now_us;
    s->inbox = wpa_queue_new(256);
    s->port = (wpa_console_port){.context = s, .submit = submit, .inbox = s->inbox};
    make_fleet(s);
    return s;
}

void wpa_scripted_free(wpa_scripted *s)
{
    if (s) {
        wpa_queue_free(s->inbox);
        (void)pthread_mutex_destroy(&s->lock);
        wpa_free(s);
    }
}

wpa_console_port *wpa_scripted_port(wpa_scripted *s)
{
    return &s->port;
}

void wpa_scripted_start(wpa_scripted *s, bool is_first)
{
    (void)pthread_mutex_lock(&s->lock);
    send_link(s, NULL);
    send_session(s, is_first ? WPA_SESSION_FIRST_GUARDIAN : WPA_SESSION_SIGNED_OUT);
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_scripted_set_sign_in(wpa_scripted *s, bool needs_code, bool can_browse,
                              const char *browser_code)
{
    (void)pthread_mutex_lock(&s->lock);
    s->needs_code = needs_code;
    s->can_browse = can_browse;
    s->browser_code = browser_code;
    send_session(s, WPA_SESSION_SIGNED_OUT);
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_scripted_sign_in(wpa_scripted *s, wpa_role role)
{
    (void)pthread_mutex_lock(&s->lock);
    s->role = role;
    send_link(s, NULL);
    send_session(s, WPA_SESSION_SIGNED_IN);
    send_all(s);
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_scripted_tick(wpa_scripted *s, int64_t now_us)
{
    bool is_changed = false;
    (void)pthread_mutex_lock(&s->lock);
    s->now_us = now_us;
    for (size_t i = 0; i < s->n_deployments; i++) {
        wpa_deployment_row *row = &s->deployments[i];
        if (row->rollback_at_us && row->rollback_at_us <= now_us) {
            row->rollback_at_us = 0;
            row->state = WPA_DEPLOYMENT_ROLLING_BACK;
            row->reason = "Guardian, key R";
            row->updated_at_us = now_us;
            is_changed = true;
        } else if (row->state == WPA_DEPLOYMENT_ROLLING_BACK &&
                   now_us - row->updated_at_us > 2000000) {
            row->state = WPA_DEPLOYMENT_ROLLED_BACK;
            row->n_back = row->n_switched;
            row->n_switched = 0;
            row->can_roll_back = false;
            is_changed = true;
        }
    }
    wpa_patch_row *testing = s->test_ends_us ? patch_row(s, s->testing_patch) : NULL;
    if (testing && now_us >= s->test_ends_us) {
        for (int i = 0; i < WPA_PHASE_COUNT; i++) {
            testing->suites[i] = WPA_SUITE_PASSED;
        }
        testing->state = WPA_PATCH_TESTED;
        s->test_ends_us = 0;
        is_changed = true;
    }
    if (is_changed) {
        send_all(s);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

size_t wpa_scripted_count(const wpa_scripted *s, wpa_command_kind kind)
{
    return s->counts[kind];
}

wpa_object wpa_scripted_last(const wpa_scripted *s, wpa_command_kind kind)
{
    return s->last[kind];
}

void wpa_scripted_lose(wpa_scripted *s, const char *reason)
{
    s->is_lost = true;
    send_link(s, reason);
}

void wpa_scripted_restore(wpa_scripted *s)
{
    s->is_lost = false;
    send_link(s, NULL);
    send_all(s);
}

void wpa_scripted_add_worst(wpa_scripted *s)
{
    add_workflow(s, "new/worst.yml", 12, 0, 40);
    wpa_workflow_row worst = s->workflows[s->n_workflows - 1];
    memmove(&s->workflows[1], &s->workflows[0], (s->n_workflows - 1) * sizeof worst);
    s->workflows[0] = worst;
    send_all(s);
}

void wpa_scripted_fix(wpa_scripted *s, int64_t finding_id)
{
    s->fixed_finding = finding_id;
    send_all(s);
}

void wpa_scripted_alarm(wpa_scripted *s, const char *text)
{
    (void)wpa_text_copy(s->alarm, sizeof s->alarm, text);
    send_all(s);
}

void wpa_scripted_rename(wpa_scripted *s, const char *name)
{
    (void)wpa_text_copy(s->name, sizeof s->name, name);
    s->workflows[0].name = s->name;
    send_all(s);
}

void wpa_scripted_set_findings(wpa_scripted *s, size_t n)
{
    s->n_findings = n;
    send_all(s);
}
