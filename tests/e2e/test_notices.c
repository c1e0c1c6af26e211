/* Notices out, end to end: the program serves the sample fleet, real receivers take what it sends.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "harness/client.h"
#include "harness/patience.h"
#include "harness/receiver.h"

#define BASE "/api/v1/workflow-patch-agent"
#define SECRET "a key that nobody guesses"

typedef struct fixture {
    wpa_sample *sample;
    wpa_client client;
    pid_t server;
    const char *secret_folder, *secret_path;
} fixture;

static wpa_arena *arena_of(const fixture *f)
{
    return f->client.arena;
}

static const char *without_blanks(fixture *f, const char *text)
{
    char *copy = wpa_arena_text(arena_of(f), text), *to = copy;
    for (const char *at = text; *at; at++) {
        if (!(*at == ' ' && at - text >= 2 && at[-1] == ':' && at[-2] == '"')) {
            *to++ = *at;
        }
    }
    *to = '\0';
    return copy;
}

/** The body of an answer with this status, in which this text stands. */
static const char *ask(fixture *f, const char *method, const char *path, const char *body,
                       int status, const char *has)
{
    const char *whole = wpa_arena_printf(arena_of(f), "%s%s", BASE, path);
    wpa_client_answer answer = wpa_client_call(&f->client, method, whole, body);
    const char *text = without_blanks(f, answer.body);
    if (answer.status != status || (has && !strstr(text, has))) {
        fail_msg("%s %s: %d, expected %d with %s: %s", method, path, answer.status, status,
                 has ? has : "anything", text);
    }
    return text;
}

static const char *member(fixture *f, const char *body, const char *name)
{
    const char *key = wpa_arena_printf(arena_of(f), "\"%s\":\"", name);
    const char *at = strstr(body, key);
    assert_non_null(at);
    at += strlen(key);
    return wpa_arena_slice(arena_of(f), at, strcspn(at, "\""));
}

static void start_server(fixture *f)
{
    f->server = wpa_sample_spawn(
        f->sample,
        wpa_arena_printf(arena_of(f), "serve --workers 2 --listen 127.0.0.1:%d", f->client.port),
        "WPA_SECRET_HOOK=" SECRET);
    f->client.token = NULL;
    f->client.token =
        member(f,
               ask(f, "POST", "/auth/token",
                   "{\"name\":\"mira\",\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE "\"}", 200, NULL),
               "token");
}

static int set_up(void **state)
{
    static fixture f;
    wpa_error err = {0};
    f.sample = wpa_sample_new();
    f.client.arena = wpa_sample_arena(f.sample);
    f.client.port = wpa_client_free_port();
    f.secret_folder =
        wpa_path_join(f.client.arena, wpa_sample_folder(f.sample), "config/wpa/secrets");
    f.secret_path = wpa_path_join(f.client.arena, f.secret_folder, "hook.secret");
    assert_true(wpa_dir_make(f.secret_folder, 0700, &err));
    assert_true(wpa_file_replace(f.secret_path, SECRET "\n", strlen(SECRET) + 1, 0600, &err));
    wpa_sample_import(f.sample, false);
    start_server(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    wpa_sample_free(((fixture *)*state)->sample);
    return 0;
}

/** Its receiver may be of this host, as those of the tests are. */
static void add(fixture *f, const char *name, const char *channel, const char *settings,
                const char *more)
{
    (void)ask(f, "POST", "/destinations",
              wpa_arena_printf(arena_of(f),
                               "{\"name\":\"%s\",\"channel\":\"%s\",\"private_addresses\":true,"
                               "\"settings\":%s%s}",
                               name, channel, settings, more),
              201, "\"is_enabled\":true");
}

static const char *hook_settings(fixture *f, const wpa_receiver *receiver)
{
    return wpa_arena_printf(arena_of(f), "{\"url\":\"http://127.0.0.1:%d/hook\"}", receiver->port);
}

static void take_away(fixture *f, const char *name)
{
    (void)ask(f, "DELETE", wpa_arena_printf(arena_of(f), "/destinations/%s", name), NULL, 204,
              NULL);
}

/** Something happens that is written down as repository.added. */
static void add_repository(fixture *f, const char *name)
{
    (void)wpa_sample_wpa(f->sample, 0, "fleet add %s/fleet/docs-site.git --name %s",
                         wpa_sample_folder(f->sample), name);
}

static int64_t milliseconds_between(const wpa_receiver *receiver, int first, int second)
{
    double a, b;
    assert_true(wpa_text_to_double(wpa_receiver_get(receiver, first, "at"), &a));
    assert_true(wpa_text_to_double(wpa_receiver_get(receiver, second, "at"), &b));
    return (int64_t)((b - a) * 1000);
}

/* ---- webhooks -----------------------------------------------------------------------------------
 */

static void check_signature(fixture *f, const wpa_receiver *receiver, int n)
{
    const char *body_path = wpa_path_join(arena_of(f), wpa_sample_folder(f->sample), "signed");
    const char *text = wpa_arena_printf(arena_of(f), "%s.%s",
                                        wpa_receiver_get(receiver, n, "headers/x-wpa-timestamp"),
                                        wpa_receiver_get(receiver, n, "body"));
    wpa_error err = {0};
    assert_true(wpa_file_replace(body_path, text, strlen(text), 0600, &err));
    const char *by_openssl = wpa_test_shell(
        f->sample, "openssl dgst -sha256 -hmac '" SECRET "' <'%s' | sed 's/.*= *//'", body_path);
    assert_string_equal(wpa_receiver_get(receiver, n, "headers/x-wpa-signature-256"),
                        wpa_arena_printf(arena_of(f), "sha256=%s", by_openssl));
}

static void a_webhook_is_signed_and_tried_again(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--fail 2");
    add(f, "hook", "webhook", hook_settings(f, &receiver),
        wpa_arena_printf(arena_of(f), ",\"secret\":\"file:%s\",\"events\":[\"repository.added\"]",
                         f->secret_path));
    const char *shown = ask(f, "GET", "/destinations/hook", NULL, 200, "\"has_secret\":true");
    assert_null(strstr(shown, "hook.secret"));
    assert_null(strstr(shown, SECRET));
    add_repository(f, "signed-one");
    wpa_receiver_wait(&receiver, 3);
    for (int n = 1; n <= 3; n++) {
        assert_string_equal(wpa_receiver_get(&receiver, n, "headers/x-wpa-delivery"),
                            wpa_receiver_get(&receiver, 1, "headers/x-wpa-delivery"));
        assert_string_equal(wpa_receiver_get(&receiver, n, "body"),
                            wpa_receiver_get(&receiver, 1, "body"));
        assert_string_equal(wpa_receiver_get(&receiver, n, "headers/x-wpa-attempt"),
                            wpa_arena_printf(arena_of(f), "%d", n));
        check_signature(f, &receiver, n);
    }
    assert_string_equal(wpa_receiver_get(&receiver, 3, "status"), "200");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "headers/x-wpa-event"), "repository.added");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/repositories/0"), "signed-one");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/detail/actor"), "mira");
    /* 2 s and 4 s, each 20 % more or less, and whatever a busy machine adds */
    assert_in_range(milliseconds_between(&receiver, 1, 2), 1500, WPA_PATIENCE_MS);
    assert_in_range(milliseconds_between(&receiver, 2, 3), 3100, WPA_PATIENCE_MS);
    wpa_sample_sql_wait(f->sample, "sent", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.outbox ORDER BY id DESC LIMIT 1");
    (void)ask(f, "GET", "/outbox?destination=hook&status_filter=sent", NULL, 200, "\"tries\":3");
    take_away(f, "hook");
}

/* Killed after the receiver has it and before that is written down: it comes again, the same. */
static void what_was_sent_and_not_marked_comes_again(void **state)
{
    fixture *f = *state;
    int status = 0;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--hang 1");
    add(f, "slow", "webhook", hook_settings(f, &receiver),
        ",\"secret\":\"env:WPA_SECRET_HOOK\",\"timeout_ms\":60000,\"events\":[\"repository."
        "added\"]");
    add_repository(f, "killed-one");
    wpa_receiver_wait(&receiver, 1);
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT state FROM wpa.outbox ORDER BY id DESC "
                                                  "LIMIT 1"),
                        "sending");
    assert_int_equal(kill(-f->server, SIGKILL), 0);
    assert_int_equal(waitpid(f->server, &status, 0), f->server);
    assert_true(WIFSIGNALED(status));
    start_server(f);
    (void)wpa_sample_sql(f->sample,
                         "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE state = "
                         "'sending'"); /* the lease lapses */
    wpa_receiver_wait(&receiver, 2);
    assert_string_equal(wpa_receiver_get(&receiver, 2, "headers/x-wpa-delivery"),
                        wpa_receiver_get(&receiver, 1, "headers/x-wpa-delivery"));
    assert_string_equal(wpa_receiver_get(&receiver, 2, "headers/x-wpa-attempt"), "2");
    check_signature(f, &receiver, 2);
    wpa_sample_sql_wait(f->sample, "sent", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.outbox ORDER BY id DESC LIMIT 1");
    take_away(f, "slow");
}

static void what_is_given_up_is_told_and_can_be_retried(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--fail 1 --status 500");
    add(f, "dying", "webhook", hook_settings(f, &receiver),
        ",\"max_tries\":1,\"events\":[\"repository.added\"]");
    add_repository(f, "dead-one");
    wpa_sample_sql_wait(f->sample, "dead", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.outbox ORDER BY id DESC LIMIT 1");
    const char *dead = ask(f, "GET", "/outbox?status_filter=dead", NULL, 200, "answered 500");
    (void)ask(f, "GET", "/notices?level=error", NULL, 200,
              "notices to 'dying' are given up after 1 tries: answered 500");
    (void)ask(f, "GET", "/destinations/dying", NULL, 200, "\"dead\":1");
    (void)ask(f, "GET", "/metrics", NULL, 200,
              "wpa_deliveries{state=\"dead\",destination=\"dying\"} 1\n");
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "notices list"), "failing"));
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "notices outbox --state dead"), "dying"));
    (void)ask(f, "POST", wpa_arena_printf(arena_of(f), "/outbox/%s/retry", member(f, dead, "id")),
              NULL, 200, "\"event\":\"repository.added\"");
    wpa_receiver_wait(&receiver, 2);
    wpa_sample_sql_wait(f->sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.outbox WHERE state <> 'sent'");
    (void)ask(f, "GET", "/destinations/dying", NULL, 200, "\"failing_since\":null");
    (void)ask(f, "POST", "/outbox/m-999999/retry", NULL, 409, "given up");
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "notices retry dying"), "0 deliveries"));
    (void)ask(f, "GET", "/audit?action=destination.retried", NULL, 200, "\"actor\":\"mira\"");
    take_away(f, "dying");
}

/* One that fails is asked by one delivery at a time; the others keep their tries, and follow at
 * once. */
static void what_waits_for_a_failing_one_is_put_off(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--fail 2");
    add(f, "many", "webhook", hook_settings(f, &receiver), ",\"events\":[\"notice.note\"]");
    for (int i = 0; i < 20; i++) {
        (void)wpa_sample_sql(f->sample, "SELECT wpa.notice_add('note', '', '', 'number %d')", i);
    }
    wpa_receiver_wait(&receiver, 22);
    /* Both refusals may have met the same one; what is told at the same instant may be tried too.
     */
    wpa_sample_sql_wait(
        f->sample, "20 t", WPA_PATIENCE_MS,
        "SELECT count(*) || ' ' || CASE WHEN count(*) FILTER (WHERE tries > 1) <= 2 "
        "AND sum(tries) = 22 THEN 't' ELSE 'f' END FROM wpa.outbox WHERE event = "
        "'notice.note' AND state = 'sent' AND message LIKE 'number %%'");
    assert_int_equal(wpa_receiver_count(&receiver), 22);
    take_away(f, "many");
}

/* A receiver may say when to come again, or that it never wants to hear of us any more. */
static void what_a_receiver_asks_for_is_done(void **state)
{
    fixture *f = *state;
    wpa_receiver busy =
        wpa_receiver_start(f->sample, "http", "--fail 1 --status 429 --retry-after 7");
    wpa_receiver gone = wpa_receiver_start(f->sample, "http", "--fail 9 --status 410");
    add(f, "busy", "webhook", hook_settings(f, &busy), ",\"events\":[\"notice.note\"]");
    add(f, "gone", "webhook", hook_settings(f, &gone), ",\"events\":[\"notice.note\"]");
    (void)wpa_sample_sql(f->sample, "SELECT wpa.notice_add('note', '', '', 'asked for')");
    wpa_receiver_wait(&busy, 2);
    assert_in_range(milliseconds_between(&busy, 1, 2), 6900, WPA_PATIENCE_MS);
    wpa_sample_sql_wait(
        f->sample, "dead 1", WPA_PATIENCE_MS,
        "SELECT o.state || ' ' || o.tries FROM wpa.outbox o JOIN wpa.destination d ON "
        "d.id = o.destination_id WHERE d.name = 'gone'");
    assert_int_equal(wpa_receiver_count(&gone), 1);
    take_away(f, "busy");
    take_away(f, "gone");
}

/* What did not happen is not told. */
static void the_outbox_goes_with_its_transaction(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "");
    add(f, "all", "webhook", hook_settings(f, &receiver), ",\"events\":[\"notice.*\"]");
    const char *count = "SELECT count(*) FROM wpa.outbox WHERE event = 'notice.alarm'";
    const char *before = wpa_sample_sql(f->sample, "%s", count);
    (void)wpa_sample_sql(f->sample, "BEGIN; SELECT wpa.notice_add('alarm', 'x', '', 'never'); "
                                    "ROLLBACK");
    assert_string_equal(wpa_sample_sql(f->sample, "%s", count), before);
    (void)wpa_sample_sql(f->sample, "BEGIN; SELECT wpa.notice_add('alarm', 'x', '', 'really'); "
                                    "COMMIT");
    wpa_receiver_wait(&receiver, 1);
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/message"), "really");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/severity"), "critical");
    take_away(f, "all");
}

static void only_what_is_wanted_is_sent(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "");
    static const struct {
        const char *name, *more;
    } rows[] = {
        {"by-name", ",\"repositories\":[\"ledger-*\"]"},
        {"by-owner", ",\"repositories\":[\"owner:nobody\"]"},
        {"by-severity", ",\"min_severity\":\"error\""},
        {"by-event", ",\"events\":[\"patch.*\"]"},
        {"off", ",\"is_enabled\":false"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        (void)ask(
            f, "POST", "/destinations",
            wpa_arena_printf(arena_of(f),
                             "{\"name\":\"%s\",\"channel\":\"webhook\",\"private_addresses\":true,"
                             "\"settings\":%s%s%s}",
                             rows[i].name, hook_settings(f, &receiver), rows[i].more,
                             strstr(rows[i].more, "events") ? "" : ",\"events\":[\"notice.*\"]"),
            201, NULL);
    }
    static const char tell[] =
        "SELECT wpa.notice_add('%s', '', 'repository:' || (SELECT id FROM wpa.repository WHERE "
        "name = '%s'), '%s')";
    (void)wpa_sample_sql(f->sample, tell, "note", "ledger-api", "one");
    (void)wpa_sample_sql(f->sample, tell, "error", "infra", "two");
    wpa_sample_sql_wait(
        f->sample, "by-name one,by-severity two", WPA_PATIENCE_MS,
        "SELECT string_agg(d.name || ' ' || o.message, ',' ORDER BY o.id) FROM "
        "wpa.outbox o JOIN wpa.destination d ON d.id = o.destination_id WHERE "
        "d.removed_at IS NULL AND o.message IN ('one', 'two') AND o.state = 'sent'");
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        take_away(f, rows[i].name);
    }
}

static void a_test_is_really_sent(void **state)
{
    fixture *f = *state;
    wpa_receiver good = wpa_receiver_start(f->sample, "http", "");
    wpa_receiver moved = wpa_receiver_start(
        f->sample, "http",
        wpa_arena_printf(arena_of(f), "--redirect http://127.0.0.1:%d/", good.port));
    /* of nothing that happens by itself meanwhile */
    add(f, "good", "webhook", hook_settings(f, &good), ",\"events\":[\"repository.added\"]");
    add(f, "moved", "webhook", hook_settings(f, &moved), ",\"events\":[\"repository.added\"]");
    (void)ask(f, "POST", "/destinations",
              wpa_arena_printf(arena_of(f),
                               "{\"name\":\"inside\",\"channel\":\"webhook\",\"settings\":%s,"
                               "\"events\":[\"repository.added\"]}",
                               hook_settings(f, &good)),
              201, "\"private_addresses\":false"); /* unless somebody says so */
    add(f, "lost", "webhook", hook_settings(f, &good),
        ",\"secret\":\"env:WPA_SECRET_NOT_SET\",\"events\":[\"repository.added\"]");
    (void)ask(f, "POST", "/destinations/good/test", NULL, 200, "\"answer\":\"taken\"");
    assert_int_equal(wpa_receiver_count(&good), 1);
    assert_string_equal(wpa_receiver_get(&good, 1, "body/test"), "true");
    (void)ask(f, "POST", "/destinations/moved/test", NULL, 200, "redirects are not followed");
    assert_int_equal(wpa_receiver_count(&moved), 1);
    (void)ask(f, "POST", "/destinations/inside/test", NULL, 200, "an address of this host");
    (void)ask(f, "POST", "/destinations/lost/test", NULL, 200, "WPA_SECRET_NOT_SET is not set");
    assert_int_equal(wpa_receiver_count(&good), 1);
    (void)ask(f, "PATCH", "/destinations/inside", "{\"private_addresses\":true}", 200, NULL);
    (void)ask(f, "POST", "/destinations/inside/test", NULL, 200, "\"answer\":\"taken\"");
    (void)wpa_sample_wpa(f->sample, 0, "notices change inside --public-only");
    (void)ask(f, "POST", "/destinations/inside/test", NULL, 200, "an address of this host");
    assert_int_equal(wpa_receiver_count(&good), 2);
    (void)ask(f, "POST", "/destinations/nowhere/test", NULL, 404, "no destination");
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "notices test good"), "200 taken"));
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 4, "notices test moved"), "did not take it"));
    static const char *const names[] = {"good", "moved", "inside", "lost"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        take_away(f, names[i]);
    }
}

/* Stopped in the middle, it is not sent by somebody else, nor later; nor does it hold up others. */
static void a_test_that_is_cancelled_ends(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--hang 1");
    add(f, "stopped", "webhook", hook_settings(f, &receiver),
        ",\"timeout_ms\":60000,\"events\":[\"repository.added\"]");
    (void)ask(f, "POST", "/destinations/stopped/test?wait=0", NULL, 202, NULL);
    wpa_receiver_wait(&receiver, 1);
    const char *job = wpa_sample_sql(f->sample, "SELECT id FROM wpa.job WHERE kind = 'notify'");
    (void)ask(f, "DELETE", wpa_arena_printf(arena_of(f), "/jobs/j-%s", job), NULL, 200, NULL);
    wpa_sample_sql_wait(f->sample, "cancelled", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.outbox WHERE is_test ORDER BY id DESC LIMIT 1");
    wpa_sample_sql_wait(f->sample, "cancelled", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.job_history WHERE id = %s", job);
    add_repository(f, "after-the-test");
    wpa_receiver_wait(&receiver, 2);
    assert_string_equal(wpa_receiver_get(&receiver, 2, "body/test"), "false");
    take_away(f, "stopped");
    assert_int_equal(wpa_receiver_count(&receiver), 2);
}

static void what_makes_no_sense_is_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *body, *has;
    } rows[] = {
        {"\"channel\":\"pigeon\",\"settings\":{}", "\"field\":\"channel\""},
        {"\"channel\":\"webhook\",\"settings\":{}", "settings.url"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"ftp://x/\"}", "settings.url"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"http://u:p@x/\"}", "without user"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"http://x/\",\"y\":1}", "settings.y"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"http://x/\"},\"secret\":\"abc\"",
         "says where the secret is"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"http://x/"
         "\"},\"secret\":\"env:PGPASSWORD\"",
         "WPA_SECRET_"},
        {"\"channel\":\"slack\",\"settings\":{}", "where to post"},
        {"\"channel\":\"command\",\"settings\":{\"argv\":[\"/usr/bin/tee\"]}",
         "\"field\":\"channel\""},
        {"\"channel\":\"email\",\"settings\":{\"server\":\"smtp://x\",\"from\":\"a@b\",\"to\":"
         "[\"c@d\\r\\nBcc: e@f\"]}",
         "mail addresses"},
        {"\"channel\":\"webhook\",\"settings\":{\"url\":\"http://x/\"},\"events\":[]", "events"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        (void)ask(f, "POST", "/destinations",
                  wpa_arena_printf(arena_of(f), "{\"name\":\"odd\",%s}", rows[i].body), 422,
                  rows[i].has);
    }
    add(f, "odd", "webhook", "{\"url\":\"http://127.0.0.1:9/\"}",
        ",\"secret\":\"env:WPA_SECRET_HOOK\"");
    (void)ask(f, "POST", "/destinations",
              "{\"name\":\"ODD\",\"channel\":\"webhook\",\"settings\":{\"url\":\"http://x/\"}}",
              409, "already");
    (void)ask(f, "PATCH", "/destinations/odd", "{\"settings\":{\"url\":\"http://evil/\"}}", 422,
              "given again");
    (void)ask(f, "PATCH", "/destinations/odd", "{\"min_severity\":\"error\",\"name\":\"even\"}",
              200, "\"min_severity\":\"error\"");
    (void)ask(f, "GET", "/audit?action=destination", NULL, 200, "destination.changed");
    take_away(f, "even");
    (void)ask(f, "GET", "/destinations/even", NULL, 404, "no destination");
}

/* ---- the other channels -------------------------------------------------------------------------
 */

static void slack_gets_its_text(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "");
    const char *url_path = wpa_path_join(arena_of(f), f->secret_folder, "slack.secret");
    const char *url =
        wpa_arena_printf(arena_of(f), "http://127.0.0.1:%d/services/T0/B0/xyz", receiver.port);
    assert_true(wpa_file_replace(url_path, url, strlen(url), 0600, &err));
    add(f, "chat", "slack", "{}",
        wpa_arena_printf(arena_of(f), ",\"secret\":\"file:%s\",\"events\":[\"notice.error\"]",
                         url_path));
    add(f, "plain", "slack", wpa_arena_printf(arena_of(f), "{\"url\":\"%s\"}", url),
        ",\"events\":[\"nothing\"]");
    const char *shown = ask(f, "GET", "/destinations/plain", NULL, 200, "/...");
    assert_null(strstr(shown, "xyz"));
    (void)wpa_sample_sql(f->sample,
                         "SELECT wpa.notice_add('error', '', 'patch:1', '<!channel> a & b')");
    wpa_receiver_wait(&receiver, 1);
    assert_string_equal(wpa_receiver_get(&receiver, 1, "path"), "/services/T0/B0/xyz");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/text"),
                        ":x: &lt;!channel&gt; a &amp; b");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/attachments/0/color"), "#d9480f");
    take_away(f, "chat");
    take_away(f, "plain");
}

/* A repository that cannot be read is an alert; one that can be again is its end. */
static void an_alert_begins_and_ends(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "");
    const char *folder = wpa_path_join(arena_of(f), wpa_sample_folder(f->sample), "fleet/late.git");
    (void)wpa_test_shell(f->sample, "cp -r '%s/fleet/docs-site.git' '%s'",
                         wpa_sample_folder(f->sample), folder);
    (void)wpa_sample_wpa(f->sample, 0, "fleet add %s --name late", folder);
    wpa_sample_sql_wait(f->sample, "ok", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.repository WHERE name = 'late'");
    add(f, "alerts", "alertmanager",
        wpa_arena_printf(arena_of(f),
                         "{\"url\":\"http://127.0.0.1:%d/am/\",\"labels\":{\"team\":"
                         "\"ci\"}}",
                         receiver.port),
        ",\"events\":[\"alert.repository\"],\"repositories\":[\"late\"]");
    (void)wpa_test_shell(f->sample, "mv '%s' '%s.away'", folder, folder);
    (void)wpa_sample_wpa(f->sample, 0, "fleet scan late");
    wpa_receiver_wait(&receiver, 1);
    (void)wpa_test_shell(f->sample, "mv '%s.away' '%s'", folder, folder);
    assert_string_equal(wpa_receiver_get(&receiver, 1, "path"), "/am/api/v2/alerts");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/0/labels/alertname"),
                        "WpaRepositoryUnreadable");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/0/labels/team"), "ci");
    assert_string_equal(wpa_receiver_get(&receiver, 1, "body/0/labels/repository"), "late");
    wpa_sample_sql_wait(
        f->sample, "t", WPA_PATIENCE_MS, /* it will be said again while it lasts */
        "SELECT o.due_at > clock_timestamp() + interval '1 minute' FROM wpa.outbox o "
        "WHERE o.state = 'sent' AND o.event = 'alert.repository'");
    (void)wpa_sample_sql(f->sample,
                         "UPDATE wpa.outbox SET due_at = clock_timestamp() WHERE state = "
                         "'sent' AND event = 'alert.repository'; NOTIFY wpa_outbox");
    wpa_receiver_wait(&receiver, 2);
    (void)wpa_sample_wpa(f->sample, 0, "fleet scan late");
    wpa_receiver_wait(&receiver, 3);
    for (int n = 2; n <= 3; n++) {
        assert_string_equal(wpa_receiver_get(&receiver, n, "body/0/labels"),
                            wpa_receiver_get(&receiver, 1, "body/0/labels"));
        assert_string_equal(wpa_receiver_get(&receiver, n, "body/0/startsAt"),
                            wpa_receiver_get(&receiver, 1, "body/0/startsAt"));
    }
    const char *lasting = wpa_receiver_get(&receiver, 2, "body/0/endsAt");
    const char *over = wpa_receiver_get(&receiver, 3, "body/0/endsAt");
    int64_t lasting_us = 0, over_us = 0, now_us = wpa_now_us();
    wpa_error err = {0};
    assert_true(wpa_timestamp_parse(lasting, &lasting_us, &err));
    assert_true(wpa_timestamp_parse(over, &over_us, &err));
    assert_true(lasting_us > now_us + 60000000);
    assert_true(over_us <= now_us);
    take_away(f, "alerts");
}

/* What is told as lasting is what stands in the tables, no more and no less. */
static void matters_are_what_stands(void **state)
{
    fixture *f = *state;
    wpa_sample_sql_wait(f->sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE kind IN ('scan', 'analyse')");
    static const char wanted[] =
        "SELECT 'patch:' || id FROM wpa.patch WHERE state = 'failed' AND reason IN ('test_failed', "
        "'test_error') UNION SELECT 'deployment:' || id FROM wpa.deployment WHERE state IN "
        "('paused', "
        "'rolling_back', 'stuck') UNION SELECT 'repository:' || id FROM wpa.repository WHERE state "
        "= "
        "'error' UNION SELECT 'workflow:' || w.id || '/' || f.severity FROM wpa.finding f JOIN "
        "wpa.workflow w ON w.id = f.workflow_id AND w.state = 'present' WHERE f.severity IN "
        "('critical', 'high') AND f.kind <> 'opportunity' AND wpa.finding_is_counted(f.state, "
        "f.persona)";
    static const char standing[] = "SELECT key FROM wpa.matter WHERE ended_at IS NULL";
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT count(*) > 5 FROM (%s) x", standing),
                        "t");
    assert_string_equal(wpa_sample_sql(f->sample,
                                       "SELECT string_agg(x, ' ') FROM ((%s) EXCEPT (%s)) "
                                       "AS e(x)",
                                       wanted, standing),
                        "");
    assert_string_equal(wpa_sample_sql(f->sample,
                                       "SELECT string_agg(x, ' ') FROM ((%s) EXCEPT (%s)) "
                                       "AS e(x)",
                                       standing, wanted),
                        "");
}

static void mail_cannot_be_bent(void **state)
{
    fixture *f = *state;
    const char *folder = wpa_sample_folder(f->sample);
    (void)wpa_test_shell(f->sample,
                         "cd '%s' && openssl req -x509 -newkey rsa:2048 -nodes -keyout smtp.key "
                         "-out smtp.crt -days 2 -subj /CN=localhost -addext "
                         "subjectAltName=IP:127.0.0.1 2>/dev/null",
                         folder);
    wpa_receiver receiver = wpa_receiver_start(
        f->sample, "smtp",
        wpa_arena_printf(arena_of(f),
                         "--fail 1 --tls '%s/smtp.crt' '%s/smtp.key' --auth wpa '" SECRET "'",
                         folder, folder));
    add(f, "mail", "email",
        wpa_arena_printf(arena_of(f),
                         "{\"server\":\"smtp://127.0.0.1:%d\",\"from\":\"wpa@example.org\",\"to\":["
                         "\"a@example.org\",\"b@example.org\"],\"user\":\"wpa\",\"ca_file\":"
                         "\"%s/smtp.crt\"}",
                         receiver.port, folder),
        wpa_arena_printf(arena_of(f), ",\"secret\":\"file:%s\",\"events\":[\"notice.alarm\"]",
                         f->secret_path));
    (void)wpa_sample_sql(f->sample,
                         "SELECT wpa.notice_add('alarm', '', '', E'stra\\u00dfe\\r\\nBcc: "
                         "x@example.org\\r\\n\\r\\n.\\r\\nQUIT\\r\\nrest')");
    wpa_receiver_wait(&receiver, 2); /* the first one is answered 451 */
    assert_string_equal(wpa_receiver_get(&receiver, 2, "tls"), "true");
    assert_string_equal(wpa_receiver_get(&receiver, 2, "auth"), "true");
    assert_string_equal(wpa_receiver_get(&receiver, 2, "to"),
                        "[\"RCPT TO:<a@example.org>\", \"RCPT TO:<b@example.org>\"]");
    assert_string_equal(wpa_receiver_get(&receiver, 2, "data/Bcc"), "null");
    assert_string_equal(wpa_receiver_get(&receiver, 2, "data/To"), "a@example.org, b@example.org");
    assert_non_null(strstr(wpa_receiver_get(&receiver, 2, "data/Subject"), "stra\u00dfe"));
    assert_non_null(strstr(wpa_receiver_get(&receiver, 2, "data/"), "\r\n.\r\nQUIT"));
    assert_string_equal(wpa_receiver_get(&receiver, 2, "data/X-Wpa-Delivery"),
                        wpa_receiver_get(&receiver, 1, "data/X-Wpa-Delivery"));
    assert_string_equal(wpa_receiver_get(&receiver, 2, "data/Auto-Submitted"), "auto-generated");
    wpa_sample_sql_wait(f->sample, "sent", WPA_PATIENCE_MS,
                        "SELECT state FROM wpa.outbox ORDER BY id DESC LIMIT 1");
    wpa_receiver tls = wpa_receiver_start(
        f->sample, "smtp",
        wpa_arena_printf(arena_of(f), "--smtps --tls '%s/smtp.crt' '%s/smtp.key'", folder, folder));
    static const char smtps[] = "{\"server\":\"smtps://127.0.0.1:%d\",\"from\":\"w@x.org\",\"to\":"
                                "[\"a@x.org\"]%s}";
    const char *trusted = wpa_arena_printf(arena_of(f), ",\"ca_file\":\"%s/smtp.crt\"", folder);
    add(f, "tls", "email", wpa_arena_printf(arena_of(f), smtps, tls.port, trusted), "");
    add(f, "unknown", "email", wpa_arena_printf(arena_of(f), smtps, tls.port, ""), "");
    (void)ask(f, "POST", "/destinations/tls/test", NULL, 200, "\"answer\":\"250 taken\"");
    assert_string_equal(wpa_receiver_get(&tls, 1, "tls"), "true");
    (void)ask(f, "POST", "/destinations/unknown/test", NULL, 200, "certificate");
    assert_int_equal(wpa_receiver_count(&tls), 1);
    take_away(f, "tls");
    take_away(f, "unknown");
    /* A server without TLS is not spoken to. */
    wpa_receiver open = wpa_receiver_start(f->sample, "smtp", "");
    add(f, "open", "email",
        wpa_arena_printf(arena_of(f),
                         "{\"server\":\"smtp://127.0.0.1:%d\",\"from\":\"w@x.org\","
                         "\"to\":[\"a@x.org\"]}",
                         open.port),
        "");
    (void)ask(f, "POST", "/destinations/open/test", NULL, 200, "\"state\":\"dead\"");
    assert_int_equal(wpa_receiver_count(&open), 0);
    take_away(f, "mail");
    take_away(f, "open");
}

static void add_command(fixture *f, const char *name, const char *program, const char *argument,
                        const char *more)
{
    (void)wpa_sample_wpa(f->sample, 0,
                         "notices add %s --channel command --set argv=%s --set 'argv=%s' %s", name,
                         program, argument, more);
}

/* Whoever has caught a token, a machine's or a Guardian's, does not say what runs here. */
static void what_a_command_runs_is_said_at_a_terminal(void **state)
{
    fixture *f = *state;
    static const char body[] = "{\"name\":\"run\",\"channel\":\"command\",\"settings\":{\"argv\":"
                               "[\"/usr/bin/id\"]}}";
    static const char settings[] = "{\"settings\":{\"argv\":[\"/usr/bin/id\"]}}";
    const char *person = f->client.token;
    const char *machine =
        member(f,
               ask(f, "POST", "/tokens",
                   "{\"name\":\"m\",\"expires_in_days\":1,\"scopes\":[\"admin\"]}", 201, NULL),
               "token");
    (void)wpa_sample_wpa(f->sample, 2, "notices add odd --channel command --set argv=tee");
    add_command(f, "fixed", "/usr/bin/true", "x", "");
    const char *const tokens[] = {person, machine};
    for (size_t i = 0; i < WPA_COUNT(tokens); i++) {
        f->client.token = tokens[i];
        (void)ask(f, "POST", "/destinations", body, 422, "\"field\":\"channel\"");
        (void)ask(f, "PATCH", "/destinations/fixed", settings, 403, "at a terminal");
        (void)ask(f, "PATCH", "/destinations/fixed", "{\"min_severity\":\"error\"}", 200, NULL);
    }
    f->client.token = person;
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT settings->>'argv' FROM wpa.destination "
                                                  "WHERE name = 'fixed'"),
                        "[\"/usr/bin/true\", \"x\"]");
    (void)wpa_sample_wpa(f->sample, 0, "notices change fixed --set argv=/usr/bin/false");
    take_away(f, "fixed");
}

static void a_command_reads_its_standard_input(void **state)
{
    fixture *f = *state;
    const char *script = wpa_path_join(arena_of(f), wpa_sample_folder(f->sample), "tell.sh");
    static const char text[] = "#!/bin/sh\nread -r line\nprintf '%s|%s|' \"$1\" \"$WPA_EVENT\"\n"
                               "printf '%s' \"$line\" | grep -o '\"event\":\"[a-z]*\"'\n"
                               "test \"$1\" = '$(id); exit 1'\n";
    wpa_error err = {0};
    assert_true(wpa_file_replace(script, text, strlen(text), 0755, &err));
    add_command(f, "script", script, "$(id); exit 1", "--timeout 60s");
    add_command(f, "broken", script, "x", "--timeout 60s");
    add_command(f, "sleepy", "/usr/bin/sleep", "60", "--timeout 1s");
    const char *answer = ask(f, "POST", "/destinations/script/test", NULL, 200, NULL);
    bool has_sandbox = !strstr(answer, "bubblewrap") && !strstr(answer, "no sandbox");
    if (has_sandbox) {
        assert_non_null(strstr(answer, "$(id); exit 1|test|\\\"event\\\":\\\"test\\\""));
        assert_non_null(strstr(answer, "\"state\":\"sent\""));
        (void)ask(f, "POST", "/destinations/broken/test", NULL, 200, "the command ended with 1");
        (void)ask(f, "POST", "/destinations/sleepy/test", NULL, 200, "timed out");
    }
    take_away(f, "script");
    take_away(f, "broken");
    take_away(f, "sleepy");
    if (!has_sandbox) {
        print_message("skipped: no sandbox here: %s\n", answer);
        skip();
    }
}

/* In the console: O shows where notices go, t really sends, x sends again what was given up. */
static void the_console_has_a_key_for_it(void **state)
{
    fixture *f = *state;
    wpa_receiver receiver = wpa_receiver_start(f->sample, "http", "--fail 1");
    add(f, "keyed", "webhook", hook_settings(f, &receiver),
        ",\"max_tries\":1,\"events\":[\"repository.added\"]");
    add_repository(f, "console-one");
    wpa_sample_sql_wait(f->sample, "1", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.outbox WHERE state = 'dead' AND NOT is_test AND "
                        "event = 'repository.added'");
    wpa_tty *tty = wpa_sample_tty(f->sample, "--workers 1", 24, 100);
    wpa_tty_expect(tty, "mira");
    wpa_tty_send(tty, WPA_SAMPLE_PASSPHRASE "\r");
    wpa_tty_expect(tty, "LIVE  mira guardian");
    wpa_tty_press(tty, "O");
    wpa_tty_expect(tty, "Where notices go");
    wpa_tty_expect(tty, "failing");
    wpa_tty_expect(tty, "answered 503");
    wpa_tty_press(tty, "t");
    wpa_tty_expect(tty, "test of 'keyed': taken in");
    assert_string_equal(wpa_receiver_get(&receiver, 2, "body/test"), "true");
    wpa_tty_press(tty, "x");
    wpa_receiver_wait(&receiver, 3);
    assert_string_equal(wpa_receiver_get(&receiver, 3, "headers/x-wpa-delivery"),
                        wpa_receiver_get(&receiver, 1, "headers/x-wpa-delivery"));
    wpa_tty_expect_gone(tty, "failing");
    wpa_tty_free(tty);
    take_away(f, "keyed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_is_signed_and_tried_again),
        cmocka_unit_test(what_was_sent_and_not_marked_comes_again),
        cmocka_unit_test(what_is_given_up_is_told_and_can_be_retried),
        cmocka_unit_test(what_waits_for_a_failing_one_is_put_off),
        cmocka_unit_test(what_a_receiver_asks_for_is_done),
        cmocka_unit_test(the_outbox_goes_with_its_transaction),
        cmocka_unit_test(only_what_is_wanted_is_sent),
        cmocka_unit_test(a_test_is_really_sent),
        cmocka_unit_test(a_test_that_is_cancelled_ends),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(slack_gets_its_text),
        cmocka_unit_test(an_alert_begins_and_ends),
        cmocka_unit_test(matters_are_what_stands),
        cmocka_unit_test(mail_cannot_be_bent),
        cmocka_unit_test(what_a_command_runs_is_said_at_a_terminal),
        cmocka_unit_test(a_command_reads_its_standard_input),
        cmocka_unit_test(the_console_has_a_key_for_it),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
