/* Couriers: many that wait, many that take, alerts that last. */
#include "world.h"

static void sql(fixture *f, const char *text)
{
    if (strcmp(wpa_test_sql(f->pg, NULL, f->guardian.principal_id, text), "00000") != 0) {
        fail_msg("%s: %s", text, wpa_test_sql_message(f->pg));
    }
}

static void add(fixture *f, const char *name, const char *channel, const char *url,
                const char *events)
{
    wpa_error err = {0};
    int64_t id = 0;
    const char *text = wpa_arena_printf(f->arena,
                                        "{\"name\":\"%s\",\"channel\":\"%s\",\"settings\":{"
                                        "\"url\":\"%s\"},\"events\":[\"%s\"]}",
                                        name, channel, url, events);
    const wpa_json *given = wpa_json_parse(text, strlen(text), 4096, f->arena, &err);
    if (!wpa_notify_add(f->api, &f->guardian, WPA_NOTIFY_FROM_AFAR, given, f->arena, &id, &err)) {
        fail_msg("%s", err.message);
    }
}

static void tell(fixture *f, int n)
{
    sql(f, wpa_arena_printf(f->arena,
                            "SELECT wpa.notice_add('error', '', '', 'm' || i) FROM "
                            "generate_series(1, %d) i",
                            n));
}

/* Two that look at once: what one has taken the other does not see yet. */
static void two_that_look_at_once_take_one(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    add(f, "one", "webhook", "http://127.0.0.1:9/", "notice.*");
    tell(f, 3);
    assert_true(wpa_db_begin(f->agent, &f->engine, &err));
    assert_string_equal(claim(f->agent, f->arena), "m1");
    assert_null(claim(f->other, f->arena));
    assert_true(wpa_db_commit(f->agent, &err));
    assert_null(claim(f->other, f->arena));
    sql(f, "UPDATE wpa.outbox SET state = 'sent', sent_at = now(), token = NULL, due_at = NULL "
           "WHERE state = 'sending'");
    assert_string_equal(claim(f->other, f->arena), "m2");
}

/** The largest number behind these words in the plan of a claim, which is carried out. */
static int64_t most_in_claim(fixture *f, const char *words)
{
    wpa_error err = {0};
    const wpa_sql explain = {.name = "explain",
                             .text = wpa_arena_printf(f->arena,
                                                      "EXPLAIN (ANALYZE, COSTS off, TIMING off) %s",
                                                      WPA_SQL_NOTIFY_CLAIM->text),
                             .n_params = 1,
                             .index = -1};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(f->agent, &explain, (const char *[]){"{}"}, 1, &err);
    assert_non_null(rows);
    int64_t most = 0;
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        const char *at = strstr(wpa_rows_text(rows, i, 0), words);
        int64_t number = at ? strtoll(at + strlen(words), NULL, 10) : 0;
        most = number > most ? number : most;
    }
    return most;
}

/* Behind one that hangs thousands may wait: it is not asked for each of them whether it hangs. */
static void one_that_hangs_holds_up_nobody(void **state)
{
    fixture *f = *state;
    add(f, "hangs", "webhook", "http://127.0.0.1:9/", "notice.*");
    tell(f, 400);
    assert_string_equal(claim(f->other, f->arena), "m1");
    sql(f, "ANALYZE wpa.outbox");
    assert_in_range(most_in_claim(f, "loops="), 1, 20);
}

/* And behind one that fails, put off for up to an hour: none of them is looked at before it is due.
 */
static void what_is_put_off_is_not_looked_at(void **state)
{
    fixture *f = *state;
    add(f, "fails", "webhook", "http://127.0.0.1:9/", "notice.*");
    tell(f, 400);
    sql(f, "UPDATE wpa.outbox SET due_at = now() + interval '1 hour'");
    sql(f, "ANALYZE wpa.outbox");
    assert_in_range(most_in_claim(f, "Rows Removed by Filter: "), 0, 20);
}

/* What an alert was first told of long ago says nothing of how long its receiver has failed. */
static void an_alert_that_lasts_is_said_again(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const wpa_courier courier = {.db = f->agent, .actor = &f->engine};
    static const char fill[] =
        "INSERT INTO wpa.outbox (destination_id, event, severity, message, state, at, sent_at, "
        "due_at) SELECT d.id, 'x', 'error', x.message, 'waiting', now() - interval '9 days', "
        "now() - x.age, now() + interval '1 hour' FROM (VALUES ('lasts', interval '2 minutes'), "
        "('is not taken any more', interval '4 days'), ('never was', NULL)) x(message, age), "
        "wpa.destination d";
    add(f, "alerts", "alertmanager", "http://127.0.0.1:9/", "alert.*");
    sql(f, fill);
    assert_true(wpa_courier_clean(&courier, &err));
    assert_string_equal(wpa_test_sql_value(f->pg, 0, f->arena,
                                           "SELECT string_agg(message || ' ' || state, ', ' ORDER "
                                           "BY message) FROM wpa.outbox"),
                        "is not taken any more dead, lasts waiting, never was dead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_that_look_at_once_take_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_hangs_holds_up_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_put_off_is_not_looked_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alert_that_lasts_is_said_again, set_up, tear_down),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
