/*
 * The database has the last word: every pair of states against the transition rules, and each
 * invariant of the specification violated by direct SQL as the agent's own role.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "harness/pg.h"

#define AGENT "wpa_agent"
#define API "wpa_api"

typedef struct world {
    wpa_test_pg *pg;
    wpa_arena *arena;
    int64_t engine, mira, joe;
} world;

static const char *sql(world *w, const char *format, ...) WPA_PRINTF(2, 3);
static const char *sql(world *w, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = wpa_arena_vprintf(w->arena, format, values);
    va_end(values);
    return text;
}

/** The text with {0}, {1} ... replaced by values[]. */
static const char *fill(world *w, const char *text, const char *const values[])
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(1 << 20);
    for (const char *at = text; *at; at++) {
        if (at[0] == '{' && at[1] >= '0' && at[1] <= '9' && at[2] == '}') {
            wpa_buf_text(buf, values[at[1] - '0']);
            at += 2;
        } else {
            wpa_buf_char(buf, *at);
        }
    }
    return wpa_buf_dup(buf, w->arena);
}

static const char *number(world *w, int64_t value)
{
    return wpa_arena_printf(w->arena, "%lld", (long long)value);
}

static void must(world *w, const char *role, int64_t actor, const char *text)
{
    const char *state = wpa_test_sql(w->pg, role, actor, text);
    if (strcmp(state, "00000") != 0) {
        fail_msg("%s\n%s: %s", text, state, wpa_test_sql_message(w->pg));
    }
}

static void refused(world *w, const char *role, int64_t actor, const char *state, const char *text)
{
    const char *got = wpa_test_sql(w->pg, role, actor, text);
    if (strcmp(got, state) != 0) {
        fail_msg("%s\nexpected %s, got %s: %s", text, state, got, wpa_test_sql_message(w->pg));
    }
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->pg = wpa_test_pg_new();
    w->arena = wpa_arena_new();
    w->engine = wpa_test_engine(w->pg).principal_id;
    w->mira = wpa_test_person(w->pg, "mira", WPA_ROLE_GUARDIAN).principal_id;
    w->joe = wpa_test_person(w->pg, "joe", WPA_ROLE_GUARDIAN).principal_id;
    must(w, NULL, 0, "INSERT INTO repository (name, url) VALUES ('a','/a'), ('b','/b')");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    wpa_test_pg_free(w->pg);
    wpa_arena_free(w->arena);
    free(w);
    return 0;
}

static int64_t new_patch(world *w)
{
    return wpa_test_sql_int(w->pg, w->engine,
                            "INSERT INTO patch (digest, author_id, requester_id) VALUES "
                            "(sha256('x'), 1, 2) RETURNING id");
}

static int64_t tested_patch(world *w)
{
    int64_t id = new_patch(w);
    must(w, AGENT, w->engine,
         sql(w, "UPDATE patch SET state='testing' WHERE id=%lld", (long long)id));
    must(w, AGENT, w->engine,
         sql(w, "UPDATE patch SET state='tested', tested_digest=digest WHERE id=%lld",
             (long long)id));
    return id;
}

static void approve(world *w, int64_t patch, int64_t who)
{
    must(w, API, who,
         sql(w,
             "INSERT INTO approval (patch_id, digest, guardian_id, expires_at) SELECT id, digest, "
             "%lld, now() + interval '1 day' FROM patch WHERE id=%lld",
             (long long)who, (long long)patch));
}

static int64_t approved_patch(world *w)
{
    int64_t id = tested_patch(w);
    approve(w, id, w->mira);
    must(w, API, w->mira, sql(w, "UPDATE patch SET state='approved' WHERE id=%lld", (long long)id));
    return id;
}

static int64_t planned(world *w, int64_t patch)
{
    int64_t id = wpa_test_sql_int(
        w->pg, w->mira,
        sql(w,
            "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT id, digest, '{}', "
            "%lld FROM patch WHERE id=%lld RETURNING id",
            (long long)w->mira, (long long)patch));
    const char *values[] = {number(w, id)};
    must(w, API, w->mira,
         fill(w,
              "INSERT INTO deployment_stage (deployment_id, n) VALUES ({0},1), ({0},2);"
              "INSERT INTO deployment_target (deployment_id, n, target_id, ref) VALUES "
              "({0},1,1,'refs/heads/main'), ({0},2,2,'refs/heads/main')",
              values));
    return id;
}

static int64_t running(world *w)
{
    int64_t id = planned(w, approved_patch(w));
    must(w, AGENT, w->engine,
         sql(w, "UPDATE deployment SET state='running' WHERE id=%lld", (long long)id));
    return id;
}

#define OID "'1111111111111111111111111111111111111111'"
#define OID2 "'2222222222222222222222222222222222222222'"

static const char *intent(world *w, int64_t deployment, const char *kind, int64_t token)
{
    return sql(w,
               "INSERT INTO target_intent (id, deployment_id, target_id, kind, ref, old_oid, "
               "new_oid, commit_object, token) VALUES (gen_random_uuid(), %lld, 1, '%s', "
               "'refs/heads/main', " OID ", " OID2 ", decode(repeat('00', 80), 'hex'), %lld)",
               (long long)deployment, kind, (long long)token);
}

/* ---- every pair of states x every kind of actor -------------------------------------------------
 */

static const struct {
    const char *machine, *table, *row, *columns;
} machines[] = {
    {"patch", "patch", "id = 1", "reason = CASE WHEN '%s' = 'failed' THEN 'rejected' END"},
    {"deployment", "deployment", "id = 1", "reason = 'x'"},
    {"stage", "deployment_stage", "deployment_id = 1 AND n = 1", "bake_until = now()"},
    {"target", "deployment_target", "deployment_id = 1 AND n = 1",
     "base_oid = 'x', applied_oid = 'x', revert_oid = 'x'"},
    {"test", "test_run", "id = 1",
     "finished_at = CASE WHEN '%s' = 'running' THEN NULL ELSE now() END"},
};

/**
 * Put the row into each state with the triggers off, try each other state as each kind of actor,
 * and compare with transition_rule: what is not listed must fail with WP002 or WP003, what is
 * listed must get past the machine (it may still be refused for a reason of its own).
 */
static void pairs_of(world *w, size_t m)
{
    const char *table = machines[m].table;
    wpa_test_sql_value(w->pg, 0, w->arena, "SELECT 1");
    const char *states = wpa_test_sql_value(
        w->pg, 0, w->arena,
        sql(w,
            "SELECT string_agg(DISTINCT s[1], ' ') FROM pg_constraint, "
            "regexp_matches(pg_get_constraintdef(oid), '''([a-z_]+)''::text', 'g') s WHERE "
            "conrelid = 'wpa.%s'::regclass AND conname = '%s_state_check'",
            table, table));
    const char *values[] = {
        states,          number(w, w->engine), number(w, w->mira), table, machines[m].columns,
        machines[m].row, machines[m].machine};
    const char *body = fill(
        w,
        "DO $body$ DECLARE f text; t text; k text; who bigint; listed boolean; got text; n int := "
        "0;"
        " BEGIN"
        "  FOREACH f IN ARRAY string_to_array('{0}', ' ') LOOP"
        "  FOREACH t IN ARRAY string_to_array('{0}', ' ') LOOP"
        "  FOREACH k IN ARRAY ARRAY['agent','guardian','nobody'] LOOP"
        "   CONTINUE WHEN f = t;"
        "   who := CASE k WHEN 'agent' THEN {1} WHEN 'guardian' THEN {2} END;"
        "   BEGIN"
        "    SET LOCAL session_replication_role = replica;"
        "    EXECUTE format('UPDATE wpa.{3} SET state = %L, ', f) || replace($q${4}$q$, '%s', f) "
        "|| "
        "' WHERE {5}';"
        "    SET LOCAL session_replication_role = origin;"
        "    PERFORM set_config('wpa.actor', coalesce(who::text, ''), true);"
        "    got := '00000';"
        "    BEGIN EXECUTE format('UPDATE wpa.{3} SET state = %L, ', t) || replace($q${4}$q$, "
        "'%s', "
        "t) || ' WHERE {5}';"
        "    EXCEPTION WHEN OTHERS THEN got := SQLSTATE; END;"
        "    SELECT EXISTS (SELECT FROM wpa.transition_rule r WHERE r.machine = '{6}' AND "
        "r.from_state = f AND r.to_state = t AND r.actor_kind = k) INTO listed;"
        "    IF listed = (got IN ('WP002','WP003')) AND NOT (listed AND f = 'failed' AND '{6}' = "
        "'patch') THEN"
        "     RAISE EXCEPTION '{6} % -> % by %: listed %, got %', f, t, k, listed, got USING "
        "ERRCODE = 'XX001'; END IF;"
        "    n := n + 1;"
        "    RAISE EXCEPTION 'undo' USING ERRCODE = 'XX002';"
        "   EXCEPTION WHEN SQLSTATE 'XX002' THEN NULL; END;"
        "  END LOOP; END LOOP; END LOOP;"
        "  IF n < 20 THEN RAISE EXCEPTION 'only % pairs', n; END IF;"
        " END $body$",
        values);
    must(w, NULL, w->engine, body);
}

static void only_listed_transitions(void **state)
{
    world *w = *state;
    int64_t deployment = running(w);
    assert_int_equal(deployment, 1);
    must(w, AGENT, w->engine,
         "INSERT INTO test_run (patch_id, digest) SELECT id, digest FROM patch WHERE id=1");
    for (size_t m = 0; m < WPA_COUNT(machines); m++) {
        pairs_of(w, m);
    }
}

/* ---- the invariants -----------------------------------------------------------------------------
 */

static void i1_i2_i3_i6(void **state)
{
    world *w = *state;
    int64_t p = new_patch(w);
    long long id = p;
    refused(w, AGENT, w->engine, "WP002",
            "INSERT INTO patch (digest, author_id, state) VALUES (sha256('x'), 1, 'testing')");
    refused(w, AGENT, w->engine, "WP002",
            sql(w, "UPDATE patch SET state='deployed' WHERE id=%lld", id));
    refused(w, AGENT, 0, "WP003", sql(w, "UPDATE patch SET state='testing' WHERE id=%lld", id));
    /* an agent's connection cannot put on a guardian's name */
    refused(w, AGENT, w->mira, "WP003",
            sql(w, "UPDATE patch SET state='failed', reason='rejected' WHERE id=%lld", id));
    must(w, AGENT, w->engine, sql(w, "UPDATE patch SET digest=sha256('y') WHERE id=%lld", id));
    must(w, AGENT, w->engine, sql(w, "UPDATE patch SET state='testing' WHERE id=%lld", id));
    refused(w, AGENT, w->engine, "WP005",
            sql(w, "UPDATE patch SET digest=sha256('z') WHERE id=%lld", id));
    refused(w, AGENT, w->engine, "WP005",
            sql(w,
                "INSERT INTO patch_edit (patch_id, repository_id, ref, path, after_oid, "
                "after_bytes) VALUES (%lld, 1, 'r', 'p', 'o', 'b')",
                id));
    refused(w, AGENT, w->engine, "23514",
            sql(w, "UPDATE patch SET state='tested', tested_digest=sha256('q') WHERE id=%lld", id));
    refused(w, AGENT, w->engine, "23514",
            sql(w, "UPDATE patch SET state='failed' WHERE id=%lld", id));
    refused(w, AGENT, w->engine, "23514",
            sql(w, "UPDATE patch SET reason='rejected' WHERE id=%lld", id));
    refused(w, NULL, w->engine, "WP006", sql(w, "DELETE FROM patch WHERE id=%lld", id));
}

static void i4_i5(void **state)
{
    world *w = *state;
    long long id = tested_patch(w);
    const char *give =
        sql(w,
            "INSERT INTO approval (patch_id, digest, guardian_id, expires_at) SELECT "
            "id, digest, %lld, now() + interval '1 day' FROM patch WHERE id=%lld",
            (long long)w->mira, id);
    const char *set = sql(w, "UPDATE patch SET state='approved' WHERE id=%lld", id);
    refused(w, API, w->mira, "WP004", set);
    refused(w, AGENT, w->engine, "42501", give);
    refused(w, API, w->joe, "WP003", give);    /* in another's name */
    refused(w, API, w->engine, "WP003", give); /* an agent is no guardian */
    approve(w, id, w->mira);
    refused(w, API, w->mira, "23505", give);
    must(w, NULL, 0, "UPDATE setting SET value='2' WHERE key='approvals_required'");
    refused(w, API, w->mira, "WP004", set);
    approve(w, id, w->joe);
    refused(w, API, w->joe, "WP004", set); /* mira (id 2) is the requester: she does not count */
    must(w, NULL, 0, "UPDATE setting SET value='1' WHERE key='approvals_required'");
    must(w, NULL, 0, "UPDATE principal SET active=false WHERE name='mira'");
    must(w, API, w->joe, set); /* joe's alone is enough now */
    refused(w, API, w->joe, "WP006", "UPDATE approval SET digest=sha256('other')");
    refused(w, NULL, w->joe, "WP006", "DELETE FROM approval");
}

static void approvals_of_the_inactive_and_the_late_do_not_count(void **state)
{
    world *w = *state;
    long long id = tested_patch(w);
    const char *set = sql(w, "UPDATE patch SET state='approved' WHERE id=%lld", id);
    approve(w, id, w->joe);
    must(w, NULL, 0, "UPDATE principal SET active=false WHERE name='joe'");
    refused(w, API, w->mira, "WP004", set);
    must(w, API, w->mira,
         sql(w,
             "INSERT INTO approval (patch_id, digest, guardian_id, expires_at) SELECT id, digest, "
             "%lld, now() FROM patch WHERE id=%lld",
             (long long)w->mira, id));
    refused(w, API, w->mira, "WP004", set);
}

static void approvals_are_counted_again_at_the_start(void **state)
{
    world *w = *state;
    long long id = tested_patch(w);
    const char *insert = sql(w,
                             "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT "
                             "id, digest, '{}', %lld FROM patch WHERE id=%lld",
                             (long long)w->mira, id);
    approve(w, id, w->joe);
    must(w, API, w->joe, sql(w, "UPDATE patch SET state='approved' WHERE id=%lld", id));
    must(w, NULL, 0, "UPDATE principal SET active=false WHERE name='joe'");
    refused(w, API, w->mira, "WP004", insert);
    must(w, NULL, 0, "UPDATE principal SET active=true WHERE name='joe'");
    must(w, NULL, 0, "UPDATE setting SET value='on' WHERE key='separate_deployer'");
    refused(w, API, w->joe, "WP004",
            sql(w,
                "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT id, digest, "
                "'{}', %lld FROM patch WHERE id=%lld",
                (long long)w->joe, id));
    must(w, API, w->mira, insert); /* whom another has approved it for */
    refused(w, API, w->engine, "42501", "UPDATE setting SET value='off' WHERE value='on'");
}

static void i7_i8_i9(void **state)
{
    world *w = *state;
    long long p = tested_patch(w);
    const char *insert = sql(w,
                             "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT "
                             "id, digest, '{}', %lld FROM patch WHERE id=%lld",
                             (long long)w->mira, p);
    refused(w, API, w->mira, "WP008", insert); /* tested, not approved */
    int64_t approved = approved_patch(w);
    long long d = planned(w, approved);
    refused(w, API, w->mira, "23505",
            sql(w,
                "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT id, digest, "
                "'{}', %lld FROM patch WHERE id=%lld",
                (long long)w->mira, (long long)approved));
    refused(w, AGENT, w->engine, "WP003",
            sql(w,
                "INSERT INTO deployment (patch_id, digest, plan, started_by) SELECT id, digest, "
                "'{}', %lld FROM patch WHERE id=%lld",
                (long long)w->engine, (long long)approved));
    refused(w, API, w->mira, "WP008", /* only without a live deployment */
            sql(w, "UPDATE patch SET state='tested' WHERE id=%lld", (long long)approved));
    must(w, AGENT, w->engine,
         sql(w, "INSERT INTO target_claim VALUES (1, 'refs/heads/main', %lld)", d));
    refused(w, AGENT, w->engine, "23505",
            sql(w, "INSERT INTO target_claim VALUES (1, 'refs/heads/main', %lld)", d));
    refused(w, AGENT, w->engine, "WP006",
            sql(w, "UPDATE deployment SET plan='{\"x\":1}' WHERE id=%lld", d));
    refused(w, NULL, w->engine, "WP006", sql(w, "DELETE FROM deployment WHERE id=%lld", d));
}

static void i10_i11_i14_i25(void **state)
{
    world *w = *state;
    long long d = running(w);
    refused(
        w, AGENT, w->engine, "WP008",
        sql(w, "UPDATE deployment_stage SET state='applying' WHERE deployment_id=%lld AND n=2", d));
    must(
        w, AGENT, w->engine,
        sql(w, "UPDATE deployment_stage SET state='applying' WHERE deployment_id=%lld AND n=1", d));
    refused(w, AGENT, w->engine, "WP008",
            sql(w, "UPDATE deployment SET state='succeeded' WHERE id=%lld", d));
    must(w, AGENT, w->engine,
         sql(w, "UPDATE deployment_target SET state='intended' WHERE deployment_id=%lld AND n=1",
             d));
    refused(
        w, AGENT, w->engine, "23514",
        sql(w, "UPDATE deployment_target SET state='applied' WHERE deployment_id=%lld AND n=1", d));
    must(w, AGENT, w->engine,
         sql(w,
             "UPDATE deployment_target SET state='applied', base_oid='b', applied_oid='a' WHERE "
             "deployment_id=%lld AND n=1",
             d));
    refused(w, AGENT, w->engine, "WP008",
            sql(w, "UPDATE deployment SET state='aborted', reason='x' WHERE id=%lld", d));
    must(w, AGENT, w->engine,
         sql(w,
             "UPDATE deployment_target SET state='revert_intended' WHERE deployment_id=%lld AND "
             "n=1",
             d));
    refused(w, AGENT, w->engine, "23514",
            sql(w, "UPDATE deployment_target SET state='reverted' WHERE deployment_id=%lld AND n=1",
                d));
    refused(w, AGENT, w->engine, "23514",
            sql(w, "UPDATE deployment SET state='paused' WHERE id=%lld", d)); /* no reason */
}

static void i12_i13(void **state)
{
    world *w = *state;
    long long d = running(w);
    const char *values[] = {number(w, d)};
    refused(w, AGENT, w->engine, "WP008", "UPDATE patch SET state='deployed' WHERE id=1");
    must(w, AGENT, w->engine,
         fill(w,
              "UPDATE deployment_target SET state='intended' WHERE deployment_id={0} AND n=1;"
              "UPDATE deployment_target SET state='applied', base_oid='b', applied_oid='a' WHERE "
              "deployment_id={0} AND n=1;"
              "UPDATE deployment SET state='rolling_back', reason='x' WHERE id={0}",
              values));
    refused(w, AGENT, w->engine, "WP008",
            sql(w, "UPDATE deployment SET state='rolled_back' WHERE id=%lld", d));
    refused(w, AGENT, w->engine, "WP008", "UPDATE patch SET state='rolled_back' WHERE id=1");
}

static void i15_i16_i19_i20(void **state)
{
    world *w = *state;
    const char *job = "INSERT INTO job (queue, kind, subject) VALUES ('q','deploy','deployment:1')";
    must(w, AGENT, w->engine, job);
    refused(w, AGENT, w->engine, "23505", job);
    refused(w, AGENT, w->engine, "23514", "UPDATE job SET state='running'");
    refused(w, AGENT, w->engine, "23514", "UPDATE job SET state='done'");
    int64_t token =
        wpa_test_sql_int(w->pg, w->engine, "SELECT token FROM claim('q', 'me', interval '30 s')");
    must(w, AGENT, w->engine, sql(w, "SELECT fence(1, %lld)", (long long)token));
    refused(w, AGENT, w->engine, "WP001", sql(w, "SELECT fence(1, %lld)", (long long)token - 1));
    must(w, NULL, 0, "UPDATE job SET lease_until = now() - interval '1 s'");
    refused(w, AGENT, w->engine, "WP001", sql(w, "SELECT fence(1, %lld)", (long long)token));
    assert_int_equal(wpa_test_sql_int(w->pg, w->engine, "SELECT reap(10)"), 1);
    int64_t later =
        wpa_test_sql_int(w->pg, w->engine, "SELECT token FROM claim('q', 'you', interval '30 s')");
    assert_true(later > token);
    long long d = running(w);
    must(w, AGENT, w->engine, sql(w, "UPDATE deployment SET token=9 WHERE id=%lld", d));
    refused(w, AGENT, w->engine, "WP001", sql(w, "UPDATE deployment SET token=8 WHERE id=%lld", d));
}

static void i17_i18_i19_i24(void **state)
{
    world *w = *state;
    long long d = running(w);
    refused(w, AGENT, w->engine, "WP008", intent(w, d, "revert", 5));
    must(w, AGENT, w->engine, intent(w, d, "apply", 5));
    refused(w, AGENT, w->engine, "23505", intent(w, d, "apply", 6));
    refused(w, AGENT, w->engine, "WP006", "UPDATE target_intent SET new_oid=" OID);
    must(w, AGENT, w->engine, "UPDATE target_intent SET state='done', done_at=now()");
    refused(w, AGENT, w->engine, "WP006", "UPDATE target_intent SET state='void'");
    refused(w, NULL, w->engine, "WP006", "DELETE FROM target_intent");
    refused(w, AGENT, w->engine, "WP001", intent(w, d, "apply", 4));
    must(w, API, w->mira,
         sql(w, "UPDATE deployment SET state='rolling_back', reason='R' WHERE id=%lld", d));
    refused(w, AGENT, w->engine, "WP008", intent(w, d, "apply", 7));
    must(w, AGENT, w->engine, intent(w, d, "revert", 7));
    refused(w, NULL, w->engine, "WP006", "DELETE FROM deployment_target");
    refused(w, NULL, w->engine, "WP006", "DELETE FROM deployment_stage");
}

static void i21_i22_i23(void **state)
{
    world *w = *state;
    long long d = running(w);
    int64_t rows = wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM audit");
    must(w, API, w->mira,
         sql(w, "UPDATE deployment SET state='paused', reason='held' WHERE id=%lld", d));
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT count(*) FROM audit"), rows + 1);
    assert_string_equal(
        wpa_test_sql_value(w->pg, 0, w->arena,
                           "SELECT actor || ' ' || action || ' ' || subject || ' ' || "
                           "(detail::jsonb->>'address') FROM audit ORDER BY seq DESC LIMIT 1"),
        "2 deployment.paused deployment:1 test");
    /* what fails leaves no row and no gap */
    refused(w, AGENT, w->engine, "WP002",
            sql(w, "UPDATE deployment SET state='planned' WHERE id=%lld", d));
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT max(seq) FROM audit"), rows + 1);
    refused(w, AGENT, w->engine, "42501", "UPDATE audit SET detail='{}'");
    refused(w, AGENT, w->engine, "42501", "DELETE FROM audit");
    refused(w, AGENT, w->engine, "42501", "UPDATE audit_head SET seq=0");
    refused(w, NULL, 0, "WP007", "UPDATE audit SET detail='{}'");
    refused(w, NULL, 0, "WP007", "DELETE FROM audit");
    refused(w, NULL, 0, "WP007", "TRUNCATE audit");
    int64_t version = wpa_test_sql_int(w->pg, 0, "SELECT version FROM deployment");
    must(w, API, w->mira, "UPDATE deployment SET reason='again', version=0");
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT version FROM deployment"), version + 1);
    assert_int_equal(wpa_test_sql_int(w->pg, 0, "SELECT coalesce(audit_verify(1, 99999), 0)"), 0);
}

static const struct {
    const char *role, *text;
} forbidden[] = {
    {AGENT, "INSERT INTO principal (name, role) VALUES ('evil', 'guardian')"},
    {AGENT, "UPDATE principal SET role='guardian'"},
    {AGENT, "UPDATE setting SET value='0'"},
    {AGENT, "INSERT INTO transition_rule VALUES ('patch','pending','deployed','agent')"},
    {AGENT, "INSERT INTO waiver (patch_id, digest, check_id, guardian_id, reason, expires_at) "
            "VALUES (1, 'x', 'T1', 1, 'r', now())"},
    {AGENT, "SELECT passphrase_hash FROM credential"},
    {AGENT, "SELECT value FROM secret"},
    {API, "INSERT INTO transition_rule VALUES ('patch','pending','deployed','agent')"},
    {"wpa_viewer", "INSERT INTO comment (subject, principal_id, text) VALUES ('x', 1, 'y')"},
    {"wpa_viewer", "UPDATE patch SET name='x'"},
    {"wpa_viewer", "DELETE FROM notice"},
    {"wpa_viewer", "SELECT passphrase_hash FROM credential"},
    {"wpa_viewer", "SELECT claim('q', 'x', interval '1 s')"},
    {"wpa_viewer", "SELECT notice_add('ok', '', '', 'x')"},
    {"wpa_viewer", "SELECT summary_fold()"},
};

static void roles_may_what_they_may(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < WPA_COUNT(forbidden); i++) {
        refused(w, forbidden[i].role, w->engine, "42501", forbidden[i].text);
    }
    must(w, "wpa_viewer", 0, "SELECT count(*) FROM patch, audit, job, finding, v_deployment");
}

static void findings_follow_their_patch(void **state)
{
    world *w = *state;
    must(w, AGENT, w->engine,
         "INSERT INTO workflow (repository_id, path, name, kind, blob_oid, head_commit) VALUES (1, "
         "'p', 'a-p', 'workflow', 'b', 'c');"
         "INSERT INTO finding (workflow_id, fingerprint, rule, code, dimension, kind, severity, "
         "confidence, message, path, start_line, start_column, end_line, end_column, start_byte, "
         "end_byte) VALUES (1, repeat('a', 40), 'r', 'SEC-001', 'security', 'issue', 'high', "
         "'high', 'm', 'p', 1, 1, 1, 2, 0, 1)");
    long long p = new_patch(w);
    must(w, AGENT, w->engine, sql(w, "INSERT INTO patch_finding VALUES (%lld, 1)", p));
    const char *look = "SELECT state || ' ' || (SELECT open_findings FROM workflow) || ' ' || "
                       "coalesce((SELECT n FROM summary WHERE name='finding' AND "
                       "key='security/high'), 0) FROM finding";
    assert_string_equal(wpa_test_sql_value(w->pg, 0, w->arena, look), "in_patch 1 1");
    must(w, AGENT, w->engine,
         sql(w, "UPDATE patch SET state='failed', reason='superseded' WHERE id=%lld", p));
    assert_string_equal(wpa_test_sql_value(w->pg, 0, w->arena, look), "open 1 1");
    refused(w, AGENT, w->engine, "WP003",
            "UPDATE finding SET state='ignored', ignored_by=1, ignored_reason='x', "
            "ignored_until=now()");
    must(w, API, w->mira,
         "UPDATE finding SET state='ignored', ignored_by=2, ignored_reason='x', "
         "ignored_until=now()");
    must(w, AGENT, w->engine, "SELECT summary_fold()");
    assert_string_equal(wpa_test_sql_value(w->pg, 0, w->arena, look), "ignored 0 0");
}

int main(void)
{
    wpa_test_pg_need();
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(only_listed_transitions),
        CASE(i1_i2_i3_i6),
        CASE(i4_i5),
        CASE(approvals_of_the_inactive_and_the_late_do_not_count),
        CASE(approvals_are_counted_again_at_the_start),
        CASE(i7_i8_i9),
        CASE(i10_i11_i14_i25),
        CASE(i12_i13),
        CASE(i15_i16_i19_i20),
        CASE(i17_i18_i19_i24),
        CASE(i21_i22_i23),
        CASE(roles_may_what_they_may),
        CASE(findings_follow_their_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
