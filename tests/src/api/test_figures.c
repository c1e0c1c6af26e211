/*
 * GET /metrics over a fleet of two repositories whose every figure can be worked out by hand. Times
 * are in days before now; triggers are off while it is filled, so that a history can be made up.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/figures.h"
#include "api/metrics.h"
#include "db/db.h"
#include "gen/sql.h"
#include "harness/pg.h"

#define DAY 86400.0

typedef struct world {
    wpa_test_pg *pg;
    wpa_arena *arena;
    wpa_db *db; /* as the server is connected */
} world;

/* a belongs to platform, has two workflows and counts twice; b belongs to data. */
static const char fleet[] =
    "INSERT INTO wpa.repository (id, name, url, owner, criticality) OVERRIDING SYSTEM VALUE VALUES "
    "(1, 'a', '/a', 'platform', 2), (2, 'b', '/b', 'data', 1);"
    "INSERT INTO wpa.workflow (id, repository_id, path, name, kind, blob_oid, head_commit, "
    "open_findings) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'x.yml', 'a-x', 'workflow', '', '', 1), "
    "(2, 1, 'y.yml', 'a-y', 'workflow', '', '', 0), (3, 2, 'z.yml', 'b-z', 'workflow', '', '', 1);"
    "INSERT INTO wpa.health (workflow_id, total, uncapped, grade, parts) VALUES (1, 80, 80, 'B', "
    "5), (2, 40, 40, 'F', 5), (3, 90, 90, 'A', 5);"
    "INSERT INTO wpa.workflow_run (workflow_id, external_id, status) SELECT 1, n::text, "
    "'completed' FROM generate_series(1, 9) n;" /* its weight is 1 + log10(1 + 9) */
    "INSERT INTO wpa.workflow_analysis (workflow_id, status, is_complete, finished_at) VALUES (1, "
    "'new', true, now()), (2, 'new', false, now()), (3, 'new', true, now()), (3, 'cancelled', "
    "false, now());";

/* one: mended by a patch in four days, and open for twenty; two: mended in five days, long ago,
   and open for three. */
static const char findings[] =
    "INSERT INTO wpa.finding (id, workflow_id, fingerprint, rule, code, dimension, kind, severity, "
    "confidence, message, path, start_line, start_column, end_line, end_column, start_byte, "
    "end_byte, state, fixes, first_seen, fixed_at) OVERRIDING SYSTEM VALUE SELECT id, w, "
    "repeat(id::text, 40), rule, 'X', 'security', 'issue', 'high', 'high', '', '', 1, 1, 1, 1, 0, "
    "1, CASE WHEN gone IS NULL THEN 'open' ELSE 'fixed' END, fixes::jsonb, now() - seen * interval "
    "'1 day', now() - gone * interval '1 day' FROM (VALUES (1, 1, 'one', 10, 6, '[{}]'), (2, 1, "
    "'one', 20, NULL, '[]'), (3, 3, 'two', 40, 35, '[]'), (4, 3, 'two', 3, NULL, '[{}]')) x(id, w, "
    "rule, seen, gone, fixes);";

/* Two patches: the second one's content was tested twice, with different results. */
static const char patches[] =
    "INSERT INTO wpa.patch (id, state, digest, tested_digest, author_id, created_at, tested_at) "
    "OVERRIDING SYSTEM VALUE SELECT id, 'deployed', sha256(id::text::bytea), "
    "sha256(id::text::bytea), 1, now() - made * interval '1 day', now() - tested * interval '1 "
    "day' FROM (VALUES (1, 9, 8.5), (2, 39, 38)) x(id, made, tested);"
    "INSERT INTO wpa.patch_finding VALUES (1, 1), (2, 3);"
    "INSERT INTO wpa.patch_edit (patch_id, repository_id, ref, path, after_oid, after_bytes) "
    "VALUES "
    "(1, 1, 'r', 'x.yml', 'o', ''), (2, 2, 'r', 'z.yml', 'o', '');"
    "INSERT INTO wpa.approval (patch_id, digest, guardian_id, at, expires_at) VALUES (1, "
    "sha256('1'), 1, now() - interval '8 days', now());"
    "INSERT INTO wpa.test_run (patch_id, digest, state, finished_at) VALUES (1, sha256('1'), "
    "'passed', now()), (2, sha256('2'), 'failed', now()), (2, sha256('2'), 'passed', now());"
    "INSERT INTO wpa.waiver (patch_id, digest, check_id, guardian_id, reason, at, expires_at) "
    "VALUES (1, sha256('1'), 'T1', 1, 'x', now() - interval '1 day', now() + interval '1 day');";

/* Of the first patch one that succeeded, and one that was taken back two days after it had; of the
   second one that was rolled back by a rule. One was given up before it began. */
static const char deployments[] =
    "INSERT INTO wpa.deployment (id, patch_id, digest, state, reason, plan, started_by, rule, "
    "rolling_back_at, finished_at, summary, rolled_back_by) OVERRIDING SYSTEM VALUE SELECT x.id, "
    "patch, sha256('x'), state, 'x', '{}', 1, rule, now() - back * interval '1 day', now() - ended "
    "* interval '1 day', summary::jsonb, p.id FROM (VALUES (1, 1, 'succeeded', NULL, NULL, 7.0, "
    "'{}', NULL), (2, 2, 'rolled_back', 'R1', 5.1, 5, '{\"detect_s\": 60, \"restore_s\": 30, "
    "\"blast_radius\": 0.5, \"downtime\": [{\"possible_s\": 12}]}', NULL), (3, 1, 'rolled_back', "
    "NULL, 3, 2.9, '{}', 'mira'), (4, 1, 'aborted', NULL, NULL, 1, '{}', NULL)) x(id, patch, "
    "state, "
    "rule, back, ended, summary, who) LEFT JOIN wpa.principal p ON p.name = x.who;"
    "INSERT INTO wpa.deployment_target (deployment_id, n, target_id, ref, base_oid, applied_oid) "
    "VALUES (1, 1, 1, 'r', 'o', 'o'), (2, 1, 2, 'r', 'o', 'o'), (3, 1, 1, 'r', 'o', 'o'), (4, 1, "
    "1, 'r', NULL, NULL);"
    "INSERT INTO wpa.audit (seq, at, actor, action, subject, detail, prev, hash) SELECT n, now() - "
    "ago * interval '1 day', '1', 'deployment.succeeded', subject, '{}', sha256('x'), sha256('x') "
    "FROM (VALUES (9001, 7, 'deployment:1'), (9002, 5.5, 'deployment:2'), (9003, 5, "
    "'deployment:3')) x(n, ago, subject);";

/* Deliveries: one waits as its receiver asked for, one for another reason. */
static const char deliveries[] =
    "INSERT INTO wpa.destination (id, name, channel, created_by) OVERRIDING SYSTEM VALUE VALUES "
    "(1, 'd', 'webhook', 1);"
    "INSERT INTO wpa.outbox (destination_id, event, severity, message, answer_status, due_at) "
    "VALUES (1, 'x', 'info', 'x', 429, now() + interval '1 hour'), (1, 'x', 'info', 'x', 503, "
    "now() + interval '1 hour');"
    "INSERT INTO wpa.notice (level, message) VALUES ('error', 'x');"
    "INSERT INTO wpa.audit_verification (n_rows, to_seq, to_at) VALUES (1, 1, now());";

/* Jobs whose agents were lost: another one goes on with the first, the same one with the second;
   the third is given back in order, with the old error still on it. */
static const char *const jobs[] = {
    "INSERT INTO wpa.job (queue, kind, subject) VALUES ('q', 'scan', '1'), ('q', 'scan', '2')",
    "SELECT wpa.claim('q', 'first', '0'), wpa.claim('q', 'second', '0')",
    "SELECT wpa.reap(10)",
    "SELECT wpa.claim('q', 'second', '1 hour'), wpa.claim('q', 'second', '1 hour')",
    "UPDATE wpa.job SET state = 'queued', owner = NULL, token = NULL, lease_until = NULL, "
    "run_after = clock_timestamp() WHERE subject = '2'",
    "UPDATE wpa.job SET state = 'done', owner = NULL, token = NULL, lease_until = NULL, last_error "
    "= NULL, finished_at = clock_timestamp() WHERE subject = '1'",
};

static void run(world *w, const char *sql)
{
    if (!wpa_text_is(wpa_test_sql(w->pg, NULL, 0, sql), "00000")) {
        fail_msg("%s\n%s", wpa_test_sql_message(w->pg), sql);
    }
}

/** At one instant, so that what lies between two of its times is what is written above. */
static void fill(world *w)
{
    (void)wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN);
    run(w, wpa_arena_printf(w->arena, "SET LOCAL session_replication_role = replica; %s%s%s%s%s",
                            fleet, findings, patches, deployments, deliveries));
    for (size_t i = 0; i < WPA_COUNT(jobs); i++) {
        run(w, jobs[i]);
    }
}

static int set_up(void **state)
{
    static world w;
    w.pg = wpa_test_pg_new();
    w.arena = wpa_arena_new();
    fill(&w);
    w.db = wpa_test_pg_connect(w.pg, "wpa_api");
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    wpa_db_close(w->db);
    wpa_test_pg_free(w->pg);
    wpa_arena_free(w->arena);
    return 0;
}

static const wpa_sql *statement_at(size_t i)
{
    const wpa_sql *const statements[] = {WPA_SQL_API_METRICS, WPA_SQL_API_METRICS_WINDOWS,
                                         WPA_SQL_API_METRICS_SPLIT};
    return i < WPA_COUNT(statements) ? statements[i] : NULL;
}

static wpa_rows *ask(world *w, const wpa_sql *statement)
{
    wpa_error err = {0};
    wpa_rows *rows = wpa_db_exec(w->db, statement, NULL, 0, &err);
    if (!rows) {
        fail_msg("%s", err.message);
    }
    return rows;
}

/* In the order in which the database writes labels: shorter names first. */
#define RULE(name, window) "{\"rule\": \"" name "\", \"window\": \"" window "\"}"
#define RULE_STAT(name, stat, window)                                                              \
    "{\"rule\": \"" name "\", \"stat\": \"" stat "\", \"window\": \"" window "\"}"
#define OWNER(name, window) "{\"owner\": \"" name "\", \"window\": \"" window "\"}"
#define REPOSITORY(name, window) "{\"window\": \"" window "\", \"repository\": \"" name "\"}"
#define WINDOW(window) "{\"window\": \"" window "\"}"
#define STAT(stat, window) "{\"stat\": \"" stat "\", \"window\": \"" window "\"}"
#define PHASE(phase) "{\"stat\": \"p50\", \"phase\": \"" phase "\", \"window\": \"30d\"}"
#define NONE (-1.0) /* no data: not told */

static const struct {
    const char *name, *labels;
    double value;
} figures[] = {
    {"wpa_analysis_success_ratio", WINDOW("30d"), 2.0 / 3},
    {"wpa_repository_analysis_success_ratio", REPOSITORY("a", "30d"), 0.5},
    {"wpa_repository_analysis_success_ratio", REPOSITORY("a", "7d"), NONE},
    {"wpa_owner_analysis_success_ratio", OWNER("data", "7d"), 1},

    {"wpa_patches_created_total", "{}", 2},
    {"wpa_rule_patches_created_total", "{\"rule\": \"one\"}", 1},
    {"wpa_owner_patches_created_total", "{\"owner\": \"data\"}", 1},
    {"wpa_rule_findings_opened", RULE("one", "30d"), 2},
    {"wpa_rule_findings_opened", RULE("one", "7d"), NONE},
    {"wpa_rule_findings_fixed", RULE("two", "90d"), 1},
    {"wpa_patch_coverage_ratio", WINDOW("30d"), 0.5},
    {"wpa_rule_patch_coverage_ratio", RULE("one", "30d"), 1},
    {"wpa_rule_patch_coverage_ratio", RULE("two", "7d"), 0},
    {"wpa_rule_findings_open", "{\"rule\": \"one\"}", 1},
    {"wpa_repository_findings_open", "{\"repository\": \"b\"}", 1},

    {"wpa_test_pass_ratio", WINDOW("7d"), 1},
    {"wpa_rule_test_pass_ratio", RULE("two", "7d"), 1},
    {"wpa_rule_test_first_pass_ratio", RULE("two", "7d"), 0},
    {"wpa_rule_test_first_pass_ratio", RULE("one", "7d"), 1},
    {"wpa_rule_test_flake_ratio", RULE("two", "7d"), 1},
    {"wpa_rule_test_flake_ratio", RULE("one", "7d"), NONE},
    {"wpa_repository_test_first_pass_ratio", REPOSITORY("b", "30d"), 0},

    {"wpa_deploy_success_ratio", WINDOW("30d"), 2.0 / 3},
    {"wpa_rule_deploy_success_ratio", RULE("one", "30d"), 1},
    {"wpa_rule_deploy_success_ratio", RULE("two", "30d"), 0},
    {"wpa_repository_deploy_success_ratio", REPOSITORY("b", "30d"), 0},
    {"wpa_owner_deploy_success_ratio", OWNER("platform", "90d"), 1},
    {"wpa_deploys_aborted_early", WINDOW("7d"), 1},
    {"wpa_rollback_ratio", WINDOW("30d"), 2.0 / 3},
    {"wpa_rule_rollback_ratio", RULE("one", "30d"), 0.5},
    {"wpa_rule_rollback_ratio", RULE("two", "30d"), 1},
    {"wpa_rollbacks_total", "{\"by\": \"automatic\", \"rule\": \"R1\"}", 1},
    {"wpa_rollbacks_total", "{\"by\": \"guardian\", \"rule\": \"\"}", 1},
    {"wpa_rule_rollbacks_total", "{\"rule\": \"one\"}", 1},

    {"wpa_health_score", "{\"repository\": \"a\"}", (80.0 * 2 + 40) / 3},
    {"wpa_owner_health_score", "{\"stat\": \"mean\", \"owner\": \"data\"}", 90},
    {"wpa_fleet_health_score", "{\"stat\": \"mean\"}", ((80.0 * 2 + 40) / 3 * 2 + 90) / 3},
    {"wpa_fleet_health_score", "{\"stat\": \"p50\"}", ((80.0 * 2 + 40) / 3 + 90) / 2},

    {"wpa_issue_resolution_seconds", STAT("p50", "30d"), 4 * DAY},
    {"wpa_issue_resolution_seconds", STAT("p50", "90d"), 4.5 * DAY},
    {"wpa_rule_issue_resolution_seconds", RULE_STAT("one", "p50", "30d"), 4 * DAY},
    {"wpa_rule_issue_resolution_seconds", RULE_STAT("one", "p90", "7d"), 4 * DAY},
    {"wpa_rule_issue_resolution_seconds", RULE_STAT("one", "median_with_open", "30d"), 4 * DAY},
    {"wpa_rule_issue_resolution_seconds", RULE_STAT("two", "p50", "30d"), NONE},
    {"wpa_rule_issue_resolution_seconds", RULE_STAT("two", "p50", "90d"), 5 * DAY},
    {"wpa_issue_phase_seconds", PHASE("detected_to_patch"), 1 * DAY},
    {"wpa_issue_phase_seconds", PHASE("patch_to_tested"), 0.5 * DAY},
    {"wpa_issue_phase_seconds", PHASE("tested_to_approved"), 0.5 * DAY},
    {"wpa_issue_phase_seconds", PHASE("approved_to_deployed"), 1 * DAY},
    {"wpa_issue_phase_seconds", PHASE("deployed_to_verified"), 1 * DAY},

    {"wpa_approval_wait_seconds", STAT("p50", "30d"), 0.5 * DAY},
    {"wpa_lead_time_seconds", STAT("p90", "30d"), 2 * DAY},
    {"wpa_time_to_detect_seconds", STAT("p90", "7d"), 60},
    {"wpa_time_to_restore_seconds", STAT("p50", "7d"), 30},
    {"wpa_blast_radius_ratio", WINDOW("7d"), 0.5},
    {"wpa_target_down_seconds", WINDOW("7d"), 12},
    {"wpa_target_conflict_ratio", WINDOW("7d"), 0},
    {"wpa_change_failure_ratio", WINDOW("30d"), 1.0 / 3},
    {"wpa_waivers", "{}", 1},
    {"wpa_lease_losses", "{}", 2},
    {"wpa_takeovers", "{}", 1},
    {"wpa_rate_limit_waits", "{}", 1},
    {"wpa_rate_limited_hosts", "{}", 1},
    {"wpa_notices_open", "{\"level\": \"error\"}", 1},
    {"wpa_deliveries", "{\"state\": \"waiting\", \"destination\": \"d\"}", 2},
    {"wpa_audit_is_sound", "{}", 1},
};

/** The figure if it is among these, or else what was found before. */
static double find(const wpa_rows *rows, const char *name, const char *labels, double before)
{
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        if (wpa_text_is(wpa_rows_text(rows, i, 0), name) &&
            wpa_text_is(wpa_rows_text(rows, i, 1), labels)) {
            return wpa_rows_double(rows, i, 2);
        }
    }
    return before;
}

static void every_figure_is_right(void **state)
{
    world *w = *state;
    double found[WPA_COUNT(figures)];
    for (size_t i = 0; i < WPA_COUNT(figures); i++) {
        found[i] = NONE;
    }
    for (size_t k = 0; statement_at(k); k++) {
        WPA_AUTO(wpa_rows) *rows = ask(w, statement_at(k));
        for (size_t i = 0; i < WPA_COUNT(figures); i++) {
            found[i] = find(rows, figures[i].name, figures[i].labels, found[i]);
        }
    }
    for (size_t i = 0; i < WPA_COUNT(figures); i++) {
        if (fabs(found[i] - figures[i].value) > 1e-6 * (1 + fabs(figures[i].value))) {
            fail_msg("%s%s: %g instead of %g", figures[i].name, figures[i].labels, found[i],
                     figures[i].value);
        }
    }
}

/* What the database tells of is told, and none of it twice. */
static void every_row_is_told(void **state)
{
    world *w = *state;
    for (size_t k = 0; statement_at(k); k++) {
        WPA_AUTO(wpa_rows) *rows = ask(w, statement_at(k));
        for (size_t i = 0; i < wpa_rows_count(rows); i++) {
            const char *name = wpa_rows_text(rows, i, 0);
            if (!wpa_api_metric_is_known(name)) {
                fail_msg("%s is not told", name);
            }
            if (i > 0 && wpa_text_is(name, wpa_rows_text(rows, i - 1, 0)) &&
                wpa_text_is(wpa_rows_text(rows, i, 1), wpa_rows_text(rows, i - 1, 1))) {
                fail_msg("%s%s twice", name, wpa_rows_text(rows, i, 1));
            }
        }
    }
}

/* ---- what is kept -------------------------------------------------------------------------------
 */

typedef struct counting {
    int n;
    int64_t takes_ms;
    bool is_broken;
} counting;

static bool count(void *context, wpa_buf *out, wpa_error *err)
{
    counting *c = context;
    c->n++;
    wpa_sleep_ms(c->takes_ms);
    wpa_buf_printf(out, "%d;", c->n);
    return !c->is_broken || WPA_FAIL(err, WPA_E_UNAVAILABLE, "broken");
}

/* As long as counting took, ten times; not at all if that was nothing, or failed. */
static void what_took_long_is_told_again(void **state)
{
    (void)state;
    wpa_error err = {0};
    counting slow = {.takes_ms = 1000}, quick = {0}, broken = {.is_broken = true},
             stuck = {.takes_ms = 1000, .is_broken = true};
    counting *const kinds[] = {&slow, &quick, &broken, &stuck};
    static const char *const texts[] = {"1;1;", "1;2;", "", ""};
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        int64_t begun_ms = wpa_monotonic_ms();
        wpa_api_figures *kept = wpa_api_figures_new(1000);
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(1000);
        for (int k = 0; k < 2; k++) {
            bool is_put = wpa_api_figures_put(kept, count, kinds[i], out, &err);
            assert_int_equal(is_put, !kinds[i]->is_broken || (k > 0 && kinds[i] == &stuck));
            if (k == 0 && !kinds[i]->takes_ms) { /* it has taken some time on a busy machine */
                wpa_sleep_ms(10 * (wpa_monotonic_ms() - begun_ms + 1));
            }
        }
        wpa_api_figures_free(kept);
        wpa_buf_char(out, '\0');
        assert_string_equal(wpa_buf_data(out), texts[i]);
    }
    assert_int_equal(slow.n, 1);
    assert_int_equal(broken.n, 2);
    assert_int_equal(stuck.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_is_right),
        cmocka_unit_test(every_row_is_told),
        cmocka_unit_test(what_took_long_is_told_again),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
