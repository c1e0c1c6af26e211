/* What the scripted engine shows of one thing. */
#include "harness/scripted_internal.h"

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
    *detail = (wpa_finding_detail){.row = wpa_scripted_finding(s, (size_t)(id - 99812)),
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
                                .started_at_us = s->now_us - 10 * WPA_SCRIPTED_MINUTE_US,
                                .finished_at_us = s->now_us - 8 * WPA_SCRIPTED_MINUTE_US,
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
    findings[0] = wpa_scripted_finding(s, 1);
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
    wpa_check_row *measured = wpa_arena_dup(arena, wpa_scripted_checks, sizeof wpa_scripted_checks);
    for (size_t i = 0; i < WPA_COUNT(wpa_scripted_checks); i++) {
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
    events[0] = (wpa_activity_row){.at_us = s->now_us - WPA_SCRIPTED_MINUTE_US,
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
                                      .n_checks = WPA_COUNT(wpa_scripted_checks),
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

/* The first and the second use each other; the third has many callers; the fourth is alone. */
static void fill_map(const wpa_scripted *s, wpa_arena *arena, wpa_workflow_detail *detail)
{
    static const wpa_use_row outside[] = {
        {"actions/checkout@v4", "actions/checkout@v4", 12, {WPA_OBJECT_NONE, 0}, WPA_UNKNOWN},
        {"org/setup@11bd71901bbe5b1630ceea73d27597364c9af683",
         "org/setup@11bd71901bbe5b1630ceea73d27597364c9af683",
         14,
         {WPA_OBJECT_NONE, 0},
         WPA_UNKNOWN}};
    int64_t id = detail->row.id;
    if (id == 4) {
        return;
    }
    size_t n_users = id == 3 ? 60 : s->n_workflows;
    wpa_use_row *uses = wpa_arena_array(arena, 3, sizeof *uses);
    wpa_use_row *users = wpa_arena_array(arena, n_users, sizeof *users);
    const char *ref = wpa_arena_printf(arena, "org/%s@main", detail->row.name);
    uses[0] = outside[0];
    uses[1] = outside[1];
    detail->n_uses = id > 2 ? 2 : 3;
    uses[2] = (wpa_use_row){s->workflows[id == 1].name,
                            "./.github/workflows/release.yml",
                            31,
                            {WPA_OBJECT_WORKFLOW, id == 1 ? 2 : 1},
                            s->workflows[id == 1].scores.overall};
    for (size_t i = 0; i < n_users; i++) {
        const wpa_workflow_row *user = &s->workflows[i % s->n_workflows];
        if (user->id != id) {
            users[detail->n_used_by++] = (wpa_use_row){user->name,
                                                       ref,
                                                       20 + (int)i,
                                                       {WPA_OBJECT_WORKFLOW, user->id},
                                                       user->scores.overall};
        }
    }
    detail->uses = uses;
    detail->used_by = users;
    detail->triggers = "pull_request_target, workflow_call";
}

static const wpa_workflow_detail *workflow_detail(wpa_scripted *s, wpa_arena *arena,
                                                  const wpa_workflow_row *row)
{
    static const wpa_score_line lines[] = {
        {"SEC-014 issue title reaches bash code", 17.2, {WPA_OBJECT_FINDING, 99812}}};
    wpa_workflow_detail *detail = wpa_arena_alloc(arena, sizeof *detail);
    wpa_finding_row *findings = wpa_arena_array(arena, 2, sizeof *findings);
    findings[0] = wpa_scripted_finding(s, 0);
    findings[1] = wpa_scripted_finding(s, 1);
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
                                    .n_findings = 2};
    fill_map(s, arena, detail);
    detail->tally[WPA_SEVERITY_CRITICAL] = 1;
    detail->tally[WPA_SEVERITY_HIGH] = 1;
    return detail;
}

void wpa_scripted_send_object(wpa_scripted *s)
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
    wpa_scripted_push(s, msg);
}
