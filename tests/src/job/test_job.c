/* Jobs and leases: one job a subject, lost leases, ends, retries, the heartbeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "gen/sql.h"
#include "harness/patience.h"
#include "harness/pg.h"
#include "job/job.h"
#include "job/lease.h"

typedef struct fixture {
    wpa_test_pg *pg;
    wpa_db *db;
    wpa_actor engine;
    wpa_heart *heart;
    wpa_job_worker worker;
} fixture;

static wpa_job_handler handler_of(const char *kind);
static const char *const queues[] = {"urgent", "test"};

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    wpa_error err = {0};
    f->pg = wpa_test_pg_new();
    f->db = wpa_test_pg_connect(f->pg, "wpa_agent");
    f->engine = wpa_test_engine(f->pg);
    f->heart = wpa_heart_start(wpa_test_pg_dsn(f->pg), "wpa_agent", 1, NULL, &err);
    assert_non_null(f->heart);
    f->worker = (wpa_job_worker){.db = f->db,
                                 .actor = &f->engine,
                                 .heart = f->heart,
                                 .owner = "here",
                                 .queues = queues,
                                 .n_queues = WPA_COUNT(queues),
                                 .handler_of = handler_of};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_heart_stop(f->heart);
    wpa_db_close(f->db);
    wpa_test_pg_free(f->pg);
    free(f);
    return 0;
}

static int64_t enqueue(fixture *f, const char *kind, const char *subject)
{
    wpa_error err = {0};
    int64_t id = 0;
    const wpa_job_spec spec = {.kind = kind, .subject = subject, .max_attempts = 2};
    if (!wpa_job_enqueue(f->db, &spec, &id, &err)) {
        fail_msg("%s", err.message);
    }
    return id;
}

static bool work(fixture *f)
{
    wpa_error err = {0};
    bool did_one = false;
    if (!wpa_job_work(&f->worker, &did_one, &err)) {
        fail_msg("%s", err.message);
    }
    return did_one;
}

static wpa_job_state_view look(fixture *f, int64_t id)
{
    wpa_error err = {0};
    wpa_job_state_view view;
    if (!wpa_job_look(f->db, id, &view, &err)) {
        fail_msg("%s", err.message);
    }
    return view;
}

/* ---- handlers: the subject says what happens ------------------------------------------------- */

static bool steal_lease(wpa_job_context *context, wpa_error *err)
{
    static const wpa_sql lapse = {.name = "lapse",
                                  .text = "UPDATE wpa.job SET lease_until = now() - interval '1 s'",
                                  .index = -1};
    return wpa_db_run(context->db, &lapse, NULL, 0, err) && !wpa_job_begin(context, err) && false;
}

#define ANEW "ordered anew, "

/** Orders itself while it runs, and fails; told to stop before or behind that order, if at all. */
static bool order_anew(wpa_job_context *context, const char *how, wpa_error *err)
{
    const wpa_job_spec spec = {.kind = "test", .subject = context->job->subject};
    int64_t id = context->job->id;
    bool is_before = strcmp(how, "stopped before") == 0;
    bool is_behind = strcmp(how, "stopped behind") == 0;
    bool ok = (!is_before || wpa_job_cancel(context->db, id, err)) &&
              wpa_job_enqueue(context->db, &spec, NULL, err) &&
              (!is_behind || wpa_job_cancel(context->db, id, err));
    return ok && (is_before || is_behind ? WPA_FAIL(err, WPA_E_CANCELLED, "told to stop")
                                         : WPA_FAIL(err, WPA_E_REFUSED, "not allowed"));
}

static bool handle(wpa_job_context *context, wpa_error *err)
{
    const char *subject = context->job->subject;
    if (wpa_text_is(subject, "done")) {
        wpa_job_set_result(context, "{\"n\":1}");
        return wpa_job_progress(context, 1, 2, "half", err) && wpa_job_begin(context, err) &&
               wpa_db_commit(context->db, err);
    }
    if (wpa_text_is(subject, "again")) {
        return wpa_job_again(context, 60000);
    }
    if (wpa_text_is(subject, "twice")) { /* ordered anew while it runs */
        const wpa_job_spec spec = {.kind = "test", .subject = "twice"};
        return context->job->payload[1] != '}' || wpa_job_enqueue(context->db, &spec, NULL, err);
    }
    if (strncmp(subject, ANEW, strlen(ANEW)) == 0) {
        return order_anew(context, subject + strlen(ANEW), err);
    }
    if (wpa_text_is(subject, "refused")) {
        return WPA_FAIL(err, WPA_E_REFUSED, "not allowed");
    }
    if (wpa_text_is(subject, "lost")) {
        return steal_lease(context, err);
    }
    if (wpa_text_is(subject, "cancelled")) {
        return wpa_job_cancel(context->db, context->job->id, err) &&
               WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
    }
    if (wpa_text_is(subject, "open")) { /* leaves a transaction open */
        return wpa_job_begin(context, err);
    }
    if (wpa_text_is(subject, "long")) { /* with what stands before it, it is cut in a character */
        char words[252] = "x";
        for (size_t i = 1; i + 2 < sizeof words; i += 2) {
            memcpy(words + i, "\xc3\xa4", 3);
        }
        (void)WPA_FAIL(err, WPA_E_REFUSED, "not allowed");
        return wpa_error_within(err, "%s", words);
    }
    return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the network is gone");
}

static wpa_job_handler handler_of(const char *kind)
{
    return wpa_text_is(kind, "test") || wpa_text_is(kind, "urgent") ? handle : NULL;
}

/* ---- cases -------------------------------------------------------------------------------------
 */

static const struct {
    const char *subject, *state, *error;
} endings[] = {
    {"done", "done", ""},
    {"again", "queued", ""},
    {"twice", "queued", ""},
    {"refused", "dead", "j-1 test refused: not allowed"},
    {"lost", "running", ""},
    {"cancelled", "cancelled", ""},
    {"open", "done", ""},
    {"broken", "queued", "j-1 test broken: the network is gone"},
    {"ordered anew, refused", "queued", "j-1 test ordered anew, refused: not allowed"},
    {"ordered anew, stopped before", "queued", ""},
    {"ordered anew, stopped behind", "cancelled", ""},
};

static void every_ending(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(endings); i++) {
        fixture *f = NULL;
        assert_int_equal(set_up((void **)&f), 0);
        int64_t id = enqueue(f, "test", endings[i].subject);
        assert_true(work(f));
        wpa_job_state_view view = look(f, id);
        if (strcmp(view.state, endings[i].state) != 0 ||
            strcmp(view.last_error, endings[i].error) != 0) {
            fail_msg("%s: %s '%s'", endings[i].subject, view.state, view.last_error);
        }
        assert_false(wpa_db_in_transaction(f->db));
        assert_int_equal(tear_down((void **)&f), 0);
    }
}

static void one_job_a_subject(void **state)
{
    fixture *f = *state;
    int64_t id = enqueue(f, "test", "same");
    assert_int_equal(enqueue(f, "test", "same"), id);
    assert_int_not_equal(enqueue(f, "test", "other"), id);
    assert_int_not_equal(enqueue(f, "urgent", "same"), id);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM job"), 3);
}

static const char *payload_of(fixture *f, const char *payload)
{
    static char text[64];
    wpa_error err = {0};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_job_spec spec = {.kind = "test", .subject = "wide", .payload = payload};
    assert_true(wpa_job_enqueue(f->db, &spec, NULL, &err));
    (void)wpa_text_copy(
        text, sizeof text,
        wpa_test_sql_value(f->pg, 0, arena, "SELECT payload FROM job WHERE subject = 'wide'"));
    return text;
}

/* Of two orders in one job neither is lost: where they differ, all of it is done. */
static void what_was_ordered_is_done_with_what_waits(void **state)
{
    fixture *f = *state;
    static const char part[] = "{\"only\": \"this\"}", other[] = "{\"only\": \"that\"}";
    assert_string_equal(payload_of(f, part), part);
    assert_string_equal(payload_of(f, part), part);
    assert_string_equal(payload_of(f, NULL), "{}");
    assert_string_equal(payload_of(f, part), "{}");
    (void)wpa_test_sql(f->pg, NULL, 0, "DELETE FROM job");
    assert_string_equal(payload_of(f, part), part);
    assert_string_equal(payload_of(f, other), "{}");
    (void)wpa_test_sql(f->pg, NULL, 0, "DELETE FROM job");
    assert_string_equal(payload_of(f, part), part);
    assert_int_equal(wpa_test_sql_int(f->pg, f->engine.principal_id,
                                      "SELECT count(*) FROM claim('test', 'x', '20 seconds')"),
                     1);
    assert_string_equal(payload_of(f, NULL), "{}"); /* it runs once more, for the new order */
}

/* Nobody takes up again what was told to stop, even if its agent dies before it looks. */
static void what_was_told_to_stop_ends_with_its_agent(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t n = 0;
    int64_t id = enqueue(f, "test", "lost");
    assert_true(work(f));
    assert_true(wpa_job_cancel(f->db, id, &err));
    assert_true(wpa_job_reap(f->db, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(look(f, id).state, "cancelled");
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM lease_loss"), 1);
    id = enqueue(f, "test", "lost");
    assert_true(work(f));
    assert_true(wpa_job_cancel(f->db, id, &err));
    assert_int_equal(enqueue(f, "test", "lost"), id); /* ordered anew behind that */
    assert_true(wpa_job_reap(f->db, &n, &err));
    assert_string_equal(look(f, id).state, "queued");
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT cancel::int FROM job"), 0);
}

static void urgent_queues_first_and_attempts_run_out(void **state)
{
    fixture *f = *state;
    int64_t slow = enqueue(f, "test", "broken");
    int64_t fast = enqueue(f, "urgent", "done");
    assert_true(work(f));
    assert_int_equal(look(f, fast).ending, WPA_JOB_ENDED_DONE);
    assert_string_equal(look(f, fast).result, "{\"n\": 1}");
    assert_true(work(f));
    assert_false(work(f)); /* waits for its delay */
    (void)wpa_test_sql(f->pg, NULL, 0, "UPDATE job SET run_after = now()");
    assert_true(work(f));
    assert_int_equal(look(f, slow).ending, WPA_JOB_ENDED_DEAD);
}

/* Words that are cut are still words that the database takes: or the job has no end. */
static void what_failed_with_many_words_has_ended(void **state)
{
    fixture *f = *state;
    int64_t id = enqueue(f, "test", "long");
    assert_true(work(f));
    wpa_job_state_view view = look(f, id);
    assert_int_equal(view.ending, WPA_JOB_ENDED_DEAD);
    assert_true(wpa_utf8_is_valid(view.last_error, strlen(view.last_error)));
    assert_non_null(strstr(view.last_error, "\xc3\xa4: not allowed"));
}

static void a_lapsed_job_is_taken_back(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t n = 0;
    int64_t id = enqueue(f, "test", "lost");
    assert_true(work(f));
    assert_true(wpa_job_reap(f->db, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(look(f, id).state, "queued");
    assert_true(work(f));
    assert_true(wpa_job_reap(f->db, &n, &err));
    assert_string_equal(look(f, id).state, "dead"); /* a job that kills its agents ends too */
    id = enqueue(f, "test", "lost");
    (void)wpa_test_sql(f->pg, NULL, 0, "UPDATE job SET attempt = max_attempts - 1");
    assert_true(work(f));
    assert_int_equal(enqueue(f, "test", "lost"), id);
    assert_true(wpa_job_reap(f->db, &n, &err));
    assert_string_equal(look(f, id).state, "queued"); /* and not what was ordered meanwhile */
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT attempt FROM job"), 0);
}

static int64_t claim(fixture *f)
{
    return wpa_test_sql_int(f->pg, f->engine.principal_id,
                            "SELECT token FROM claim('test', 'here', interval '20 seconds')");
}

/* What was ordered while a job ran is answered by its next run, whatever ended the first one: it
   has all its tries for that, and is not done a third time. */
static void an_order_is_answered_once(void **state)
{
    fixture *f = *state;
    static const char *const ends[] = {"given back", "tried again", "lapsed"};
    for (size_t i = 0; i < WPA_COUNT(ends); i++) {
        wpa_error err = {0};
        char id[WPA_DB_NUMBER_SIZE], token[WPA_DB_NUMBER_SIZE];
        wpa_db_number(enqueue(f, "test", ends[i]), id);
        const char *params[] = {id, wpa_db_number(claim(f), token), "the network is gone"};
        (void)enqueue(f, "test", ends[i]);
        int64_t n = 0;
        bool is_good =
            i == 0   ? wpa_db_run(f->db, WPA_SQL_JOB_RELEASE, params, 2, &err)
            : i == 1 ? wpa_db_run(f->db, WPA_SQL_JOB_RETRY, params, 3, &err)
                     : strcmp(wpa_test_sql(f->pg, NULL, 0,
                                           "UPDATE job SET lease_until = now() - interval '1 s'"),
                              "00000") == 0 &&
                           wpa_job_reap(f->db, &n, &err);
        assert_true(is_good);
        assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT attempt FROM job"), 0);
        const char *done[] = {id, wpa_db_number(claim(f), token), NULL};
        assert_true(wpa_db_run(f->db, WPA_SQL_JOB_DONE, done, WPA_COUNT(done), &err));
        if (wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM job") != 0) {
            fail_msg("%s: it is done once more", ends[i]);
        }
    }
}

static bool has_line(const char *text, const char *key, const char *value)
{
    for (const char *at = strstr(text, key); at; at = strstr(at + 1, key)) {
        const char *found = strstr(at, value);
        if (found && found < at + strcspn(at, "\n")) {
            return true;
        }
    }
    return false;
}

/* Every agent asks every few seconds or minutes; of the jobs there may be hundred thousands, of
   those that have ended three months. */
static void times_are_looked_up_by_an_index(void **state)
{
    fixture *f = *state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *forget = wpa_test_sql_value(f->pg, 0, arena,
                                            "SELECT prosrc FROM pg_proc WHERE proname = "
                                            "'forget_old'");
    const struct {
        const char *sql, *key, *value;
    } rows[] = {
        {WPA_SQL_AGENT_SCHEDULE->text, "Index Cond", "(finished_at >"},
        {WPA_SQL_AGENT_NEXT_DUE->text, "Index Name", "job_due"},
        {forget, "Index Cond", "(finished_at <"},
        {forget, "Index Cond", "(expires_at <"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *plan =
            wpa_test_sql_value(f->pg, 0, arena,
                               wpa_arena_printf(arena,
                                                "SET LOCAL enable_seqscan = off; SET LOCAL "
                                                "enable_bitmapscan = off; EXPLAIN (FORMAT JSON) %s",
                                                rows[i].sql));
        if (!has_line(plan, rows[i].key, rows[i].value)) {
            fail_msg("%s %s: %s", rows[i].key, rows[i].value, plan);
        }
    }
}

static void the_heart_renews_and_notices(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t id = enqueue(f, "test", "renewed");
    const wpa_job job = {.id = id, .token = claim(f)};
    /* as if claimed long ago: due for renewal at once, but not yet lost */
    wpa_lease *lease =
        wpa_heart_take(f->heart, 0, &job, wpa_monotonic_ms() - WPA_JOB_RENEW_MS - 1000);
    assert_true(wpa_job_cancel(f->db, id, &err));
    static const char until[] = "SELECT (extract(epoch FROM lease_until) * 1000)::bigint FROM job";
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS,
            before = wpa_test_sql_int(f->pg, 0, until);
    while (!wpa_lease_is_cancelled(lease) && wpa_monotonic_ms() < end_ms) {
        wpa_sleep_ms(50);
    }
    assert_true(wpa_lease_is_cancelled(lease));
    assert_false(wpa_lease_is_lost(lease));
    assert_true(wpa_test_sql_int(f->pg, 0, until) > before);
    wpa_heart_drop(f->heart, 0);
    lease = wpa_heart_take(f->heart, 0, &job, wpa_monotonic_ms() - WPA_JOB_LEASE_MS);
    assert_true(wpa_lease_is_lost(lease));
    wpa_heart_drop(f->heart, 0);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ending),
        cmocka_unit_test_setup_teardown(one_job_a_subject, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_ordered_is_done_with_what_waits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_told_to_stop_ends_with_its_agent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(urgent_queues_first_and_attempts_run_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_failed_with_many_words_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lapsed_job_is_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_is_answered_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(times_are_looked_up_by_an_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_heart_renews_and_notices, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
