#include "harness/scripted.h"

#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "harness/scripted_internal.h"

static const uint8_t some_runs[] = {2, 2, 2, 1, 2, 0, 2, 2, 2, 2, 0, 2};
const wpa_check_row wpa_scripted_checks[WPA_SCRIPTED_CHECKS] = {
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
                              .analysed_at_us = s->now_us - 5 * WPA_SCRIPTED_MINUTE_US,
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
                           .created_at_us = s->now_us - WPA_SCRIPTED_HOUR_US,
                           .updated_at_us = s->now_us - 12 * WPA_SCRIPTED_MINUTE_US,
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
                                .nearest = is_live ? &wpa_scripted_checks[1] : NULL,
                                .downtime_ms = 0,
                                .n_probes = 663,
                                .started_by = "mira",
                                .started_at_us = s->now_us - 11 * WPA_SCRIPTED_MINUTE_US,
                                .ended_at_us = is_live ? 0 : s->now_us - WPA_SCRIPTED_MINUTE_US,
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
    (void)wpa_text_copy(s->joes_place, sizeof s->joes_place, "p-2214");
}

/* ---- what is said unasked -------------------------------------------------------------------- */

void wpa_scripted_push(wpa_scripted *s, wpa_msg *msg)
{
    wpa_error err = {0};
    (void)!wpa_queue_push(s->inbox, msg, WPA_QUEUE_DROP_OLDEST, &err);
}

static void send_all(wpa_scripted *s)
{
    if (s->is_signed_in && !s->is_lost) {
        wpa_scripted_send_dashboard(s);
        wpa_scripted_send_list(s);
        wpa_scripted_send_object(s);
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
    wpa_scripted_push(s, msg);
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
    wpa_scripted_push(s, msg);
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
    wpa_scripted_push(s, msg);
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
    wpa_scripted_send_dashboard(s);
}

/* The last term that can be meant is the filter; of several it is the one in the way. */
static void take_terms(wpa_scripted *s, const wpa_command *command)
{
    size_t n = 0;
    s->filter[0] = s->in_the_way[0] = s->ignored[0] = '\0';
    for (size_t i = 0; i < command->query.n_terms; i++) {
        const wpa_filter_term *term = &command->query.terms[i];
        const char *fault = wpa_filter_fault(command->query.list, term, command->arena);
        if (fault) {
            (void)wpa_text_copy(s->ignored, sizeof s->ignored, fault);
            continue;
        }
        (void)wpa_text_copy(s->filter, sizeof s->filter, term->values[0]);
        (void)wpa_text_format(s->in_the_way, sizeof s->in_the_way, n++ ? "%s%s" : "", term->field,
                              term->op);
    }
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
    take_terms(s, command);
    s->query.terms = NULL;
    s->list_request = command->request_id;
    if (!s->is_slow) {
        wpa_scripted_send_list(s);
    }
}

static void start_deployment(wpa_scripted *s, const wpa_command *command)
{
    wpa_patch_row *patch = patch_row(s, command->object.id);
    int64_t id = 1043;
    if (patch && s->n_deployments < WPA_SCRIPTED_DEPLOYMENTS_MAX) {
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
    s->n_expected = command->is_matching ? command->n_expected : s->n_expected;
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
        if (!s->is_slow || !s->is_lost) {
            wpa_scripted_send_object(s);
        }
        break;
    case WPA_COMMAND_PLACE:
        (void)wpa_text_copy(s->place, sizeof s->place, command->text);
        reply(s, command, command->object, NULL, NULL);
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

int64_t wpa_scripted_expected(const wpa_scripted *s)
{
    return s->n_expected;
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

void wpa_scripted_joe(wpa_scripted *s, const char *place)
{
    (void)wpa_text_copy(s->joes_place, sizeof s->joes_place, place);
    send_all(s);
}

const char *wpa_scripted_place(const wpa_scripted *s)
{
    return s->place;
}

void wpa_scripted_swap(wpa_scripted *s, size_t i, size_t k)
{
    wpa_workflow_row row = s->workflows[i];
    s->workflows[i] = s->workflows[k];
    s->workflows[k] = row;
    send_all(s);
}

void wpa_scripted_rescore(wpa_scripted *s, size_t i, double overall)
{
    s->workflows[i].scores.overall = overall;
    s->n_happened++;
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

void wpa_scripted_set_runs(wpa_scripted *s, size_t n)
{
    s->n_runs = n;
    send_all(s);
}

void wpa_scripted_set_slow(wpa_scripted *s, bool is_slow)
{
    (void)pthread_mutex_lock(&s->lock);
    s->is_slow = is_slow;
    if (!is_slow) {
        wpa_scripted_send_list(s);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_scripted_refuse_list(wpa_scripted *s, const char *why)
{
    (void)pthread_mutex_lock(&s->lock);
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_LIST);
    wpa_error err = {0};
    (void)!WPA_FAIL(&err, WPA_E_TIMEOUT, "%s", why);
    command->request_id = s->list_request;
    reply(s, command, (wpa_object){WPA_OBJECT_NONE, 0}, &err, NULL);
    wpa_command_free(command);
    (void)pthread_mutex_unlock(&s->lock);
}

void wpa_scripted_send(wpa_scripted *s)
{
    (void)pthread_mutex_lock(&s->lock);
    wpa_scripted_send_dashboard(s);
    wpa_scripted_send_list(s);
    (void)pthread_mutex_unlock(&s->lock);
}
