#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>

#include "auth/hash.h"
#include "auth/secret.h"
#include "world.h"

/* ---- how long to wait ---------------------------------------------------------------------------
 */

static void waits_double_up_to_an_hour(void **state)
{
    (void)state;
    static const struct {
        int tries;
        int64_t asked_ms, low_ms, high_ms;
    } rows[] = {
        {0, 0, 1600, 2400},       {1, 0, 1600, 2400},        {2, 0, 3200, 4800},
        {5, 0, 25600, 38400},     {12, 0, 2880000, 4320000}, {50, 0, 2880000, 4320000},
        {1, 60000, 60000, 60000}, {3, 100, 6400, 9600},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        int64_t least = INT64_MAX, most = 0;
        for (int n = 0; n < 200; n++) {
            int64_t wait_ms = wpa_notify_backoff_ms(rows[i].tries, rows[i].asked_ms);
            least = wait_ms < least ? wait_ms : least;
            most = wait_ms > most ? wait_ms : most;
        }
        assert_in_range(least, rows[i].low_ms, rows[i].high_ms);
        assert_in_range(most, rows[i].low_ms, rows[i].high_ms);
        assert_true(rows[i].asked_ms >= rows[i].low_ms ||
                    least < most); /* they do not come at once */
    }
}

/* ---- references to secrets ----------------------------------------------------------------------
 */

/** The folder of secrets in a home of its own. */
static const char *secrets_make(fixture *f)
{
    wpa_error err = {0};
    f->home = wpa_dir_temp("/tmp/wpa-notify", f->arena, &err);
    const char *folder = wpa_path_join(f->arena, f->home, "config/wpa/secrets");
    assert_true(wpa_dir_make(folder, 0700, &err));
    static const char *const variables[][2] = {{"XDG_CONFIG_HOME", "config"},
                                               {"XDG_STATE_HOME", "state"}};
    for (size_t i = 0; i < WPA_COUNT(variables); i++) {
        assert_int_equal(setenv(variables[i][0], // NOLINT(concurrency-mt-unsafe)
                                wpa_path_join(f->arena, f->home, variables[i][1]), 1),
                         0);
    }
    return folder;
}

static void references_name_what_may_be_read(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const char *folder = secrets_make(f);
    static const struct {
        const char *file;
        mode_t mode;
        size_t size_bytes;
        wpa_code code;
    } files[] = {
        {"fine", 0600, 3, WPA_OK},          {"group", 0640, 3, WPA_OK},
        {"world", 0644, 3, WPA_E_REFUSED},  {"empty", 0600, 0, WPA_E_NOT_FOUND},
        {"large", 0600, 9000, WPA_E_LIMIT},
    };
    char text[9001];
    memset(text, 'k', sizeof text);
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        const char *path = wpa_path_join(f->arena, folder, files[i].file);
        wpa_error_clear(&err);
        assert_true(wpa_file_replace(path, text, files[i].size_bytes, files[i].mode, &err));
        assert_int_equal(chmod(path, files[i].mode), 0);
        WPA_AUTO(wpa_secret) *secret =
            wpa_notify_secret_read(wpa_arena_printf(f->arena, "file:%s", path), &err);
        assert_int_equal(err.code, files[i].code);
        assert_int_equal(secret != NULL, files[i].code == WPA_OK);
    }
    static const struct {
        const char *reference;
        wpa_code code;
    } others[] = {
        {"env:WPA_SECRET_SET", WPA_OK},
        {"env:WPA_SECRET_NOT_SET", WPA_E_NOT_FOUND},
        {"env:WPA_SECRET_", WPA_E_INVALID},
        {"env:HOME", WPA_E_INVALID},
        {"env:WPA_SECRET_x", WPA_E_INVALID},
        {"file:relative", WPA_E_INVALID},
        {"file:/nowhere/at/all", WPA_E_REFUSED},
        {"file:/etc/passwd", WPA_E_REFUSED},
        {"file:/etc/wpa/secrets", WPA_E_REFUSED},
        {"file:/etc/wpa/secrets/not-there", WPA_E_NOT_FOUND},
        {"file:/dev", WPA_E_REFUSED},
        {"the secret itself", WPA_E_INVALID},
        {"", WPA_E_INVALID},
    };
    assert_int_equal(setenv("WPA_SECRET_SET", "value", 1), 0); // NOLINT(concurrency-mt-unsafe)
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        wpa_error_clear(&err);
        WPA_AUTO(wpa_secret) *secret = wpa_notify_secret_read(others[i].reference, &err);
        assert_int_equal(err.code, others[i].code);
        assert_int_equal(secret != NULL, others[i].code == WPA_OK);
    }
    assert_true(wpa_dir_remove(f->home, &err));
}

/* Whoever names a file has it sent where he likes: our own keys, and what else we may read. */
static void no_file_outside_of_the_secrets_is_taken(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const char *folder = secrets_make(f);
    const char *keys = wpa_path_join(f->arena, wpa_path_state(f->arena, &err), "session.keys");
    assert_true(wpa_file_replace(keys, "key", 3, 0600, &err));
    assert_true(wpa_file_replace(wpa_path_join(f->arena, folder, "fine"), "key", 3, 0600, &err));
    const char *inside = wpa_arena_printf(f->arena, "%s-more", folder);
    assert_true(wpa_file_replace(inside, "key", 3, 0600, &err));
    const struct {
        const char *name, *link; /* in the folder; where it leads, if it is a link */
        wpa_code code;
    } rows[] = {
        {keys, NULL, WPA_E_REFUSED},
        {inside, NULL, WPA_E_REFUSED},
        {"../../../state/wpa/session.keys", NULL, WPA_E_REFUSED},
        {"absolute", keys, WPA_E_REFUSED},
        {"relative", "../../../state/wpa/session.keys", WPA_E_REFUSED},
        {"folder", wpa_path_state(f->arena, &err), WPA_OK},
        {"folder/session.keys", NULL, WPA_E_REFUSED},
        {"within", "fine", WPA_OK},
        {"../secrets/fine", NULL, WPA_OK},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *path =
            rows[i].name[0] == '/' ? rows[i].name : wpa_path_join(f->arena, folder, rows[i].name);
        if (rows[i].link) {
            assert_int_equal(symlink(rows[i].link, path), 0);
        }
        if (wpa_path_is_dir(path)) {
            continue;
        }
        wpa_error_clear(&err);
        WPA_AUTO(wpa_secret) *secret =
            wpa_notify_secret_read(wpa_arena_printf(f->arena, "file:%s", path), &err);
        if (err.code != rows[i].code || (secret != NULL) != (rows[i].code == WPA_OK)) {
            fail_msg("%s: %s", path, err.message);
        }
        assert_true(rows[i].code == WPA_OK ||
                    strstr(err.message, "is not in /etc/wpa/secrets or ~/.config/wpa/secrets"));
    }
    /* Not even where somebody has led the folder itself to what the program keeps. */
    assert_true(wpa_dir_remove(folder, &err));
    assert_int_equal(symlink("../../state/wpa", folder), 0);
    wpa_error_clear(&err);
    assert_null(
        wpa_notify_secret_read(wpa_arena_printf(f->arena, "file:%s/session.keys", folder), &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_true(wpa_dir_remove(f->home, &err));
}

/* ---- the outbox ---------------------------------------------------------------------------------
 */

static int64_t add(fixture *f, const char *name, const char *more)
{
    wpa_error err = {0};
    int64_t id = 0;
    const char *text = wpa_arena_printf(f->arena,
                                        "{\"name\":\"%s\",\"channel\":\"webhook\",\"settings\":{"
                                        "\"url\":\"http://127.0.0.1:9/\"}%s}",
                                        name, more);
    const wpa_json *given = wpa_json_parse(text, strlen(text), 4096, f->arena, &err);
    assert_non_null(given);
    assert_true(
        wpa_notify_add(f->api, &f->guardian, WPA_NOTIFY_FROM_AFAR, given, f->arena, &id, &err));
    return id;
}

static void tell(fixture *f, const char *message)
{
    assert_string_equal(
        wpa_test_sql(
            f->pg, "wpa_agent", f->engine.principal_id,
            wpa_arena_printf(f->arena, "SELECT wpa.notice_add('error', '', '', '%s')", message)),
        "00000");
}

static void one_at_a_time_for_each_destination(void **state)
{
    fixture *f = *state;
    (void)add(f, "first", "");
    (void)add(f, "second", ",\"min_severity\":\"critical\"");
    tell(f, "one");
    tell(f, "two");
    assert_string_equal(claim(f->agent, f->arena), "one");
    assert_null(claim(f->other, f->arena)); /* the other one waits its turn */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE state "
                                     "= 'sending'"),
                        "00000");
    assert_string_equal(claim(f->other, f->arena), "two"); /* due for longer */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, "DELETE FROM wpa.outbox"), "00000");
}

static void set_matter(fixture *f, const char *name, bool is_open)
{
    assert_string_equal(
        wpa_test_sql(f->pg, NULL, 0,
                     wpa_arena_printf(f->arena,
                                      "SELECT wpa.matter_set('%s', 'audit', 'critical', 'audit', "
                                      "'%s', %s)",
                                      name, name, wpa_db_bool(is_open))),
        "00000");
}

/* What belongs to one matter goes in order, whatever has to wait. */
static void a_matter_goes_in_order(void **state)
{
    fixture *f = *state;
    (void)add(f, "matters", ",\"events\":[\"alert.*\"]");
    set_matter(f, "broken", true);
    set_matter(f, "broken", true); /* told twice: it stands already */
    set_matter(f, "broken", false);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM wpa.outbox"), 2);
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() + interval "
                                     "'1 hour' WHERE NOT is_over"),
                        "00000");
    assert_null(claim(f->agent, f->arena)); /* its beginning has not been told */
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE NOT "
                                     "is_over"),
                        "00000");
    assert_string_equal(claim(f->agent, f->arena), "broken");
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET state = 'dead', token = NULL, due_at = "
                                     "NULL, error = 'x' WHERE state = 'sending'"),
                        "00000");
    assert_string_equal(claim(f->agent, f->arena), "over: broken");
}

static void switch_it(fixture *f, bool is_on)
{
    assert_string_equal(
        wpa_test_sql(f->pg, NULL, f->guardian.principal_id,
                     is_on ? "UPDATE wpa.destination SET is_enabled = true WHERE name = 'rests'"
                           : "UPDATE wpa.destination SET is_enabled = false WHERE name = 'rests'"),
        "00000");
}

/* One that is off is told nothing; once it is on it knows what stands, and what is over of what it
   knew. */
static void what_stands_is_told_to_one_that_is_on_again(void **state)
{
    fixture *f = *state;
    static const char told[] = "SELECT string_agg(message, ', ' ORDER BY o.id) FROM wpa.outbox o "
                               "JOIN wpa.destination d ON d.id = o.destination_id AND d.name = "
                               "'rests'";
    (void)add(f, "rests", ",\"events\":[\"alert.*\"]");
    set_matter(f, "lasts", true);
    set_matter(f, "ends", true);
    switch_it(f, false);
    set_matter(f, "ends", false);
    set_matter(f, "begins", true);
    set_matter(f, "is short", true);
    set_matter(f, "is short", false);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing new */
        switch_it(f, true);
        assert_string_equal(wpa_test_sql_value(f->pg, 0, f->arena, told),
                            "lasts, ends, over: ends, begins");
        switch_it(f, false);
    }
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, "DELETE FROM wpa.outbox"), "00000");
}

/** What one delivery is, and how many tries it had: "dead 2 ...". */
static const char *row_of(fixture *f, const char *message)
{
    return wpa_test_sql_value(
        f->pg, 0, f->arena,
        wpa_arena_printf(f->arena,
                         "SELECT state || ' ' || tries || coalesce(': ' || error, '') FROM "
                         "wpa.outbox WHERE message = '%s'",
                         message));
}

/** The lease of whoever sends lapses. */
static void lapse(fixture *f)
{
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0,
                                     "UPDATE wpa.outbox SET due_at = clock_timestamp() - interval "
                                     "'1 second' WHERE state = 'sending'"),
                        "00000");
}

static void nothing_is_on_its_way(fixture *f)
{
    assert_string_equal(wpa_test_sql(f->pg, NULL, f->guardian.principal_id,
                                     "DELETE FROM wpa.outbox; UPDATE wpa.destination SET "
                                     "is_enabled = false"),
                        "00000");
}

/* What kills whoever sends it would do so for ever: a try that had no end is one as well. */
static void a_try_that_had_no_end_counts(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    bool did_one = false;
    wpa_courier courier = {.db = f->agent, .actor = &f->engine};
    nothing_is_on_its_way(f);
    (void)add(f, "killer", ",\"max_tries\":2,\"events\":[\"notice.error\"]");
    tell(f, "deadly");
    for (int i = 1; i <= 2; i++) {
        assert_string_equal(claim(f->other, f->arena), "deadly");
        lapse(f);
        assert_string_equal(row_of(f, "deadly"), i == 1 ? "sending 1" : "sending 2");
    }
    assert_true(wpa_courier_work(&courier, &did_one, &err));
    assert_true(did_one);
    assert_string_equal(row_of(f, "deadly"),
                        "dead 2: the agent was lost in the middle of the last try");
    assert_int_equal(wpa_test_sql_int(f->pg, 0,
                                      "SELECT count(*) FROM wpa.notice WHERE message LIKE "
                                      "'notices to ''killer'' are given up after 2 tries: %'"),
                     1);
    assert_null(claim(f->agent, f->arena));
}

/* Whoever orders a test waits for it: nobody else sends it, and not later. */
static void a_test_is_sent_by_nobody_else(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t wait_ms = 0;
    char number[WPA_DB_NUMBER_SIZE];
    const wpa_courier courier = {.db = f->agent, .actor = &f->engine};
    nothing_is_on_its_way(f);
    int64_t id = add(f, "tested", ",\"events\":[\"nothing\"]");
    const char *params[] = {wpa_db_number(id, number), "lost", "1"};
    assert_true(wpa_db_run(f->agent, WPA_SQL_NOTIFY_TEST_ROW, params, 3, &err));
    lapse(f); /* its agent never comes back */
    assert_null(claim(f->other, f->arena));
    assert_true(wpa_courier_idle_ms(&courier, 5000, &wait_ms, &err));
    assert_int_equal(wait_ms, 5000); /* nor does anybody wait for it */
    assert_true(wpa_courier_clean(&courier, &err));
    assert_string_equal(row_of(f, "lost"), "cancelled 1");
    params[1] = "stopped";
    WPA_AUTO(wpa_rows) *made = wpa_db_exec(f->agent, WPA_SQL_NOTIFY_TEST_ROW, params, 3, &err);
    assert_non_null(made);
    const char *which[] = {wpa_rows_text(made, 0, 0),
                           wpa_test_sql_value(f->pg, 0, f->arena,
                                              "SELECT token FROM wpa.outbox WHERE message = "
                                              "'stopped'")};
    assert_true(wpa_db_run(f->agent, WPA_SQL_NOTIFY_GIVE_BACK, which, 2, &err));
    assert_string_equal(row_of(f, "stopped"), "cancelled 0");
    assert_null(claim(f->other, f->arena));
}

/* What has ended is let go of after a while, unless something is still told of it. */
static void what_has_ended_is_not_kept_for_ever(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    const wpa_courier courier = {.db = f->agent, .actor = &f->engine};
    nothing_is_on_its_way(f);
    (void)add(f, "kept", "");
    static const char fill[] =
        "DELETE FROM wpa.matter; INSERT INTO wpa.matter (key, kind, severity, subject, summary, "
        "ended_at) SELECT key, 'audit', 'error', '', '', now() - age FROM (VALUES ('stands', "
        "NULL), ('young', interval '29 days'), ('told', interval '60 days'), ('old', interval '31 "
        "days')) x(key, age);"
        "INSERT INTO wpa.outbox (destination_id, event, severity, message, matter_id, state, "
        "sent_at, due_at, at) SELECT d.id, 'x', 'info', x.message, m.id, 'sent', now(), NULL, "
        "now() - x.age FROM (VALUES ('told', interval '29 days', 'fresh'), (NULL, interval '31 "
        "days', 'stale')) x(key, age, message) JOIN wpa.destination d ON d.name = 'kept' LEFT JOIN "
        "wpa.matter m ON m.key = x.key;"
        "INSERT INTO wpa.outbox (destination_id, event, severity, message, state, error, due_at, "
        "at) SELECT d.id, 'x', 'info', x.message, 'dead', 'x', NULL, now() - x.age FROM (VALUES "
        "(interval '89 days', 'given up'), (interval '91 days', 'forgotten')) x(age, message) JOIN "
        "wpa.destination d ON d.name = 'kept'";
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, fill), "00000");
    assert_true(wpa_courier_clean(&courier, &err));
    assert_string_equal(wpa_test_sql_value(f->pg, 0, f->arena,
                                           "SELECT string_agg(key, ' ' ORDER BY key) FROM "
                                           "wpa.matter"),
                        "stands told young");
    assert_string_equal(wpa_test_sql_value(f->pg, 0, f->arena,
                                           "SELECT string_agg(message, ', ' ORDER BY message) FROM "
                                           "wpa.outbox"),
                        "fresh, given up");
}

static void nobody_else_says_where_notices_go(void **state)
{
    fixture *f = *state;
    static const char insert[] =
        "INSERT INTO wpa.destination (name, channel, created_by) VALUES ('x', 'webhook', %lld)";
    const char *sql = wpa_arena_printf(f->arena, insert, (long long)f->guardian.principal_id);
    assert_string_equal(wpa_test_sql(f->pg, "wpa_agent", f->engine.principal_id, sql), "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_api", f->engine.principal_id, sql), "WP003");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_viewer", 0, "SELECT secret FROM wpa.destination"),
                        "42501");
    assert_string_equal(wpa_test_sql(f->pg, "wpa_viewer", 0, "SELECT * FROM wpa.hook"), "42501");
}

static void addresses_are_known_however_they_are_written(void **state)
{
    fixture *f = *state;
    static const char *const rows[][2] = {
        {"https://github.com/Acme/Ledger-API.git", "github.com/acme/ledger-api"},
        {"https://user:token@github.com/acme/ledger-api", "github.com/acme/ledger-api"},
        {"git@github.com:acme/ledger-api.git", "github.com/acme/ledger-api"},
        {"ssh://git@github.com:22/acme/ledger-api.git/", "github.com/acme/ledger-api"},
        {"git://github.com/acme/ledger-api.git", "github.com/acme/ledger-api"},
        {"/srv/git/ledger-api.git", "/srv/git/ledger-api"},
        {"file:///srv/git/ledger-api.git", "/srv/git/ledger-api"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        assert_string_equal(
            wpa_test_sql_value(f->pg, 0, f->arena,
                               wpa_arena_printf(f->arena, "SELECT wpa.url_key('%s')", rows[i][0])),
            rows[i][1]);
    }
}

/* ---- webhooks in --------------------------------------------------------------------------------
 */

typedef struct asking {
    bool may;
    int n;
} asking;

static bool ask(void *context)
{
    asking *a = context;
    a->n++;
    return a->may;
}

static wpa_code hook(fixture *f, const char *key, const char *body, asking *asked)
{
    static int n;
    uint8_t mac[WPA_SHA256_SIZE];
    char hex[2 * WPA_SHA256_SIZE + 1];
    wpa_error err = {0};
    bool is_done = false;
    wpa_hmac_sha256(key, strlen(key), body, strlen(body), mac);
    for (size_t i = 0; i < WPA_SHA256_SIZE; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    }
    const wpa_hook_call call = {
        .event = "ping",
        .delivery = wpa_arena_printf(f->arena, "delivery-%d", ++n),
        .signature = wpa_arena_printf(f->arena, "sha256=%s", hex),
        .body = body,
        .body_bytes = strlen(body),
        .actor = &f->engine,
        .may_be_read = ask,
        .context = asked,
    };
    (void)wpa_hook_github(f->api, &call, &is_done, f->arena, &err);
    return err.code;
}

/* Bytes of anybody are not parsed: only where a repository's own secret could fit do they have to
   say whose they are, and only of those who may still try. */
static void an_unsigned_body_is_read_only_for_who_may_try(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    int64_t id = 0;
    static const char own[] = "{\"repository\":{\"clone_url\":\"https://x.example/a/own.git\"}}";
    static const struct {
        const char *key, *body;
        bool has_own, may;
        wpa_code code;
        int n_asked;
    } rows[] = {
        {"fleet", "{}", false, false, WPA_OK, 0},
        {"fleet", "{{", false, false, WPA_E_INVALID, 0},
        {"wrong", own, false, true, WPA_E_DENIED, 0}, /* nothing it could say would help */
        {"fleet", "{}", true, false, WPA_OK, 0},
        {"fleet", own, true, true, WPA_E_DENIED, 0},
        {"own", own, true, true, WPA_OK, 1},
        {"own", own, true, false, WPA_E_DENIED, 1},
        {"own", "{}", true, true, WPA_E_DENIED, 1},
        {"wrong", "{{", true, true, WPA_E_DENIED, 1},
    };
    assert_int_equal(setenv("WPA_SECRET_FLEET", "fleet", 1), 0); // NOLINT(concurrency-mt-unsafe)
    assert_int_equal(setenv("WPA_SECRET_OWN", "own", 1), 0);     // NOLINT(concurrency-mt-unsafe)
    assert_true(wpa_hook_add(f->api, &f->guardian, NULL, "env:WPA_SECRET_FLEET", &id, &err));
    assert_string_equal(wpa_test_sql(f->pg, NULL, f->guardian.principal_id,
                                     "INSERT INTO wpa.repository (name, url) VALUES ('own', "
                                     "'https://x.example/a/own.git')"),
                        "00000");
    bool has_own = false;
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        asking asked = {.may = rows[i].may};
        if (rows[i].has_own && !has_own) {
            has_own = wpa_hook_add(f->api, &f->guardian, "own", "env:WPA_SECRET_OWN", &id, &err);
            assert_true(has_own);
        }
        wpa_code code = hook(f, rows[i].key, rows[i].body, &asked);
        if (code != rows[i].code || asked.n != rows[i].n_asked) {
            fail_msg("row %zu: %s, asked %d times", i, wpa_code_name(code), asked.n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_an_hour),
        cmocka_unit_test(references_name_what_may_be_read),
        cmocka_unit_test(no_file_outside_of_the_secrets_is_taken),
        cmocka_unit_test(one_at_a_time_for_each_destination),
        cmocka_unit_test(a_matter_goes_in_order),
        cmocka_unit_test(what_stands_is_told_to_one_that_is_on_again),
        cmocka_unit_test(a_try_that_had_no_end_counts),
        cmocka_unit_test(a_test_is_sent_by_nobody_else),
        cmocka_unit_test(what_has_ended_is_not_kept_for_ever),
        cmocka_unit_test(nobody_else_says_where_notices_go),
        cmocka_unit_test(addresses_are_known_however_they_are_written),
        cmocka_unit_test(an_unsigned_body_is_read_only_for_who_may_try),
    };
    wpa_test_pg_need();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
