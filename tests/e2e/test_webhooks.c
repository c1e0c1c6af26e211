/* Webhooks in, end to end: a forge's calls, signed by openssl, to the program that serves the
 * sample. */
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

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "harness/client.h"
#include "harness/patience.h"
#include "harness/receiver.h"

#define BASE "/api/v1/workflow-patch-agent"
#define SECRETS "config/wpa/secrets"
#define FLEET_SECRET "the fleet's own"
#define OWN_SECRET "of ledger-api alone"

typedef struct fixture {
    wpa_sample *sample;
    wpa_client client;
    int n_deliveries;
} fixture;

static wpa_arena *arena_of(const fixture *f)
{
    return f->client.arena;
}

static int set_up(void **state)
{
    static fixture f;
    wpa_error err = {0};
    f.sample = wpa_sample_new();
    *state = &f; /* for tear_down, also after a step that fails */
    f.client.arena = wpa_sample_arena(f.sample);
    f.client.port = wpa_client_free_port();
    wpa_sample_import(f.sample, false);
    const char *folder = wpa_path_join(f.client.arena, wpa_sample_folder(f.sample), SECRETS);
    const char *path = wpa_path_join(f.client.arena, folder, "own");
    assert_true(wpa_dir_make(folder, 0700, &err));
    assert_true(wpa_file_replace(path, OWN_SECRET, strlen(OWN_SECRET), 0600, &err));
    (void)wpa_sample_wpa(f.sample, 0, "webhook add --secret env:WPA_SECRET_FLEET");
    (void)wpa_sample_wpa(f.sample, 0, "webhook add --repository ledger-api --secret file:%s", path);
    (void)wpa_sample_wpa(f.sample, 3, "webhook add --secret env:WPA_SECRET_OTHER");
    (void)wpa_sample_wpa(f.sample, 2, "webhook add --repository nothing --secret env:WPA_SECRET_X");
    (void)wpa_sample_spawn(
        f.sample,
        wpa_arena_printf(f.client.arena, "serve --workers 2 --listen 127.0.0.1:%d", f.client.port),
        "WPA_SECRET_FLEET=" FLEET_SECRET);
    (void)close(wpa_client_connect(&f.client)); /* waits for it */
    wpa_sample_sql_wait(f.sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE kind IN ('scan','analyse')");
    return 0;
}

static int tear_down(void **state)
{
    if (*state) { /* else there is no sample */
        wpa_sample_free(((fixture *)*state)->sample);
    }
    return 0;
}

/* ---- calling ------------------------------------------------------------------------------------
 */

static const char *sign(fixture *f, const char *body, const char *secret)
{
    const char *path = wpa_path_join(arena_of(f), wpa_sample_folder(f->sample), "payload");
    wpa_error err = {0};
    assert_true(wpa_file_replace(path, body, strlen(body), 0600, &err));
    return wpa_test_shell(f->sample, "openssl dgst -sha256 -hmac \"%s\" <'%s' | sed 's/.*= *//'",
                          secret, path);
}

static wpa_client_answer send(fixture *f, const char *event, const char *delivery,
                              const char *signature, const char *body)
{
    f->client.headers = wpa_arena_printf(
        arena_of(f),
        "User-Agent: GitHub-Hookshot/abc\r\nX-GitHub-Event: %s\r\nX-GitHub-Delivery: %s\r\n"
        "X-Hub-Signature-256: sha256=%s\r\n",
        event, delivery, signature);
    wpa_client_answer answer = wpa_client_call(&f->client, "POST", BASE "/webhooks/github", body);
    f->client.headers = NULL;
    return answer;
}

static const char *next_delivery(fixture *f)
{
    return wpa_arena_printf(arena_of(f), "72d3162e-cc78-11e3-81ab-%012d", ++f->n_deliveries);
}

static void expect(fixture *f, const char *event, const char *secret, const char *body, int status,
                   const char *has)
{
    wpa_client_answer answer = send(f, event, next_delivery(f), sign(f, body, secret), body);
    if (answer.status != status || !strstr(answer.body, has)) {
        fail_msg("%s: %d, expected %d with %s: %s", event, answer.status, status, has, answer.body);
    }
}

/** A repository as the payload names it: the sample's are folders of this host. */
static const char *repository_json(fixture *f, const char *name)
{
    return wpa_arena_printf(
        arena_of(f),
        "\"repository\":{\"full_name\":\"acme/%s\",\"clone_url\":"
        "\"file://%s/fleet/%s.git\",\"html_url\":\"https://git.example/acme/%s\"}",
        name, wpa_sample_folder(f->sample), name, name);
}

static const char *push_json(fixture *f, const char *name, const char *ref)
{
    return wpa_arena_printf(arena_of(f), "{\"ref\":\"%s\",\"after\":\"0\",%s}", ref,
                            repository_json(f, name));
}

static const char *run_json(fixture *f, const char *action, int id, int attempt,
                            const char *conclusion)
{
    return wpa_arena_printf(
        arena_of(f),
        "{\"action\":\"%s\",\"workflow_run\":{\"id\":%d,\"run_attempt\":%d,\"path\":"
        "\".github/workflows/ci.yml@refs/heads/main\",\"head_branch\":\"main\",\"head_sha\":"
        "\"acb5820ced9479c074f688cc328bf03f341a511d\",\"event\":\"push\",\"status\":\"completed\","
        "\"conclusion\":\"%s\",\"created_at\":\"2026-11-26T10:00:00Z\",\"run_started_at\":"
        "\"2026-11-26T10:00:05Z\",\"updated_at\":\"2026-11-26T10:04:05Z\"},%s}",
        action, id, attempt, conclusion, repository_json(f, "web-front"));
}

/* ---- tests --------------------------------------------------------------------------------------
 */

static void a_ping_is_answered(void **state)
{
    fixture *f = *state;
    expect(f, "ping", FLEET_SECRET, "{\"zen\":\"Keep it logically awesome.\"}", 200, "pong");
    expect(f, "issues", FLEET_SECRET, "{\"action\":\"opened\"}", 202,
           "nothing is done for the event 'issues'");
}

static const char *scans_of(fixture *f, const char *name)
{
    return wpa_sample_sql(f->sample,
                          "SELECT count(*) FROM wpa.job_history WHERE kind = 'scan' AND subject = "
                          "'repository:' || (SELECT id FROM wpa.repository WHERE name = '%s')",
                          name);
}

/* What is pushed is found: the scan fetches first. */
static void a_push_orders_a_scan(void **state)
{
    fixture *f = *state;
    const char *folder = wpa_sample_folder(f->sample);
    const char *before = scans_of(f, "web-front");
    (void)wpa_test_shell(
        f->sample,
        "cd '%s' && git -c safe.directory='*' clone -q fleet/web-front.git work && "
        "cd work && printf 'on: push\\njobs: {a: {runs-on: ubuntu-24.04, steps: "
        "[{run: echo}]}}\\n' > .github/workflows/pushed.yml && git add . && git -c "
        "user.name=a -c user.email=a@b.c commit -qm pushed && git push -q",
        folder);
    const char *body = push_json(f, "web-front", "refs/heads/main");
    const char *delivery = next_delivery(f), *signature = sign(f, body, FLEET_SECRET);
    wpa_client_answer first = send(f, "push", delivery, signature, body);
    assert_int_equal(first.status, 200);
    assert_non_null(strstr(first.body, "\"scans\":[\"web-front\"]"));
    wpa_sample_sql_wait(f->sample, "1", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.workflow WHERE path = "
                        "'.github/workflows/pushed.yml' AND state = 'present'");
    wpa_sample_sql_wait(f->sample, "0", WPA_PATIENCE_MS,
                        "SELECT count(*) FROM wpa.job WHERE kind = 'scan'");
    wpa_client_answer again = send(f, "push", delivery, signature, body);
    assert_int_equal(again.status, 200);
    assert_non_null(strstr(again.body, "\"duplicate\":true"));
    assert_non_null(strstr(again.body, "\"scans\":[\"web-front\"]"));
    assert_string_equal(
        wpa_sample_sql(f->sample, "SELECT count(*) FROM wpa.job WHERE kind = 'scan'"), "0");
    assert_int_equal(strtol(scans_of(f, "web-front"), NULL, 10), strtol(before, NULL, 10) + 1);
    expect(f, "push", FLEET_SECRET, push_json(f, "web-front", "refs/heads/side"), 202,
           "does not follow side");
    expect(f, "push", FLEET_SECRET, push_json(f, "web-front", "refs/tags/v1"), 202,
           "no branch was pushed");
    expect(f, "push", FLEET_SECRET, push_json(f, "unheard-of", "refs/heads/main"), 202,
           "not in the fleet");
}

/* A repository with a secret of its own is spoken for by that one alone. */
static void each_repository_may_have_its_own_secret(void **state)
{
    fixture *f = *state;
    const char *body = push_json(f, "ledger-api", "refs/heads/main");
    expect(f, "push", OWN_SECRET, body, 200, "\"scans\":[\"ledger-api\"]");
    expect(f, "push", FLEET_SECRET, body, 401, "the signature does not fit");
    expect(f, "push", OWN_SECRET, push_json(f, "web-front", "refs/heads/main"), 401,
           "does not fit");
    assert_non_null(strstr(wpa_sample_wpa(f->sample, 0, "webhook list"), "ledger-api"));
}

static void a_run_goes_into_the_history(void **state)
{
    fixture *f = *state;
    expect(f, "workflow_run", FLEET_SECRET, run_json(f, "requested", 77, 1, ""), 202,
           "has not completed");
    expect(f, "workflow_run", FLEET_SECRET, run_json(f, "completed", 77, 1, "failure"), 200,
           "web-front/ci.yml");
    expect(f, "workflow_run", FLEET_SECRET, run_json(f, "completed", 77, 2, "success"), 200,
           "recorded");
    expect(f, "workflow_run", FLEET_SECRET, run_json(f, "completed", 77, 2, "success"), 200,
           "recorded"); /* another delivery of the same run */
    assert_string_equal(
        wpa_sample_sql(
            f->sample,
            "SELECT string_agg(concat_ws(' ', u.external_id, u.conclusion, u.branch, "
            "extract(epoch FROM u.completed_at - u.started_at)::int), ',' ORDER BY u.id) "
            "FROM wpa.workflow_run u JOIN wpa.workflow w ON w.id = u.workflow_id WHERE "
            "u.source = 'github'"),
        "77 failure main 240,77/2 success main 240");
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT jsonb_array_length(runs) FROM "
                                                  "wpa.v_workflow WHERE name = "
                                                  "'web-front/ci.yml'"),
                        "2");
    /* Scored anew: the history is a part of it once there is enough. */
    wpa_sample_sql_wait(
        f->sample, "t", WPA_PATIENCE_MS,
        "SELECT count(*) > 0 FROM wpa.job_history WHERE kind = 'analyse' AND label = "
        "'score web-front/ci.yml'");
}

/* As often as it takes: of slow tries some are forgiven meanwhile. */
static void try_until_late(fixture *f, const char *wrong, const char *body)
{
    wpa_client_answer answer = {0};
    for (int i = 0; i < 1000 && answer.status != 429; i++) {
        answer = send(f, "push", next_delivery(f), wrong, body);
        assert_true(answer.status == 401 || answer.status == 429);
    }
    assert_int_equal(answer.status, 429);
    assert_non_null(wpa_client_header(&f->client, &answer, "Retry-After"));
}

static void what_is_not_signed_is_refused(void **state)
{
    fixture *f = *state;
    const char *body = push_json(f, "web-front", "refs/heads/main");
    const char *right = sign(f, body, FLEET_SECRET);
    const char *wrong =
        wpa_arena_printf(arena_of(f), "%c%s", right[0] == '0' ? '1' : '0', right + 1);
    const char *before = wpa_sample_sql(f->sample, "SELECT count(*) FROM wpa.hook_delivery");
    assert_int_equal(send(f, "push", next_delivery(f), wrong, body).status, 401);
    assert_int_equal(send(f, "push", next_delivery(f), "", body).status, 401);
    assert_int_equal(send(f, "push", next_delivery(f), right, "{}").status, 401);
    assert_int_equal(send(f, "push", next_delivery(f), right, "{{{").status, 401);
    assert_int_equal(send(f, "push", "", right, body).status, 422);
    wpa_client_answer bare = wpa_client_call(&f->client, "POST", BASE "/webhooks/github", body);
    assert_int_equal(bare.status, 401);
    expect(f, "push", FLEET_SECRET, "{\"repository\":", 422, "the body");
    assert_string_equal(wpa_sample_sql(f->sample, "SELECT count(*) FROM wpa.hook_delivery"),
                        before);
    assert_string_equal(
        wpa_sample_sql(f->sample,
                       "SELECT detail::jsonb->>'address' || ' ' || (detail::jsonb->>'user_agent') "
                       "FROM wpa.audit WHERE action = 'access.refused' AND subject = 'webhook' AND "
                       "detail LIKE '%%Hookshot%%' LIMIT 1"),
        "127.0.0.1 GitHub-Hookshot/abc");
    /* What only its own words would say whose it is, is not even read while the address waits. On a
     * busy machine it may have waited enough by then. */
    const char *own = push_json(f, "ledger-api", "refs/heads/main");
    const char *own_right = sign(f, own, OWN_SECRET);
    wpa_client_answer unread = {0};
    for (int i = 0; i < 20 && unread.status != 429; i++) {
        try_until_late(f, wrong, body);
        unread = send(f, "push", next_delivery(f), own_right, own);
    }
    assert_int_equal(unread.status, 429);
    assert_non_null(strstr(unread.body, "too many refused calls"));
    expect(f, "ping", FLEET_SECRET, "{}", 200, "pong"); /* who is signed is not held up by it */
}

/* Signed does not mean sound: whatever stands in it, nothing breaks. */
static void what_makes_no_sense_breaks_nothing(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *event, *body;
        int status;
    } rows[] = {
        {"push", "[]", 202},
        {"push", "\"text\"", 202},
        {"push", "{\"repository\":5}", 202},
        {"push", "{\"repository\":{\"clone_url\":{}}}", 202},
        {"push", "{\"repository\":{\"clone_url\":\"\\u0000\"}}", 422},
        {"push", "{\"repository\":{\"clone_url\":\"'; DROP TABLE wpa.hook; --\"}}", 202},
        {"push", "{\"ref\":\"a\",\"ref\":\"b\"}", 422},
        {"workflow_run", "{\"action\":\"completed\"}", 202},
        {"unheard_of", "{}", 202},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        expect(f, rows[i].event, FLEET_SECRET, rows[i].body, rows[i].status, "");
    }
    static const char *const runs[] = {
        "5",
        "{}",
        "{\"id\":-1,\"path\":\".github/workflows/ci.yml\"}",
        "{\"id\":1,\"path\":\".github/workflows/ci.yml\",\"run_started_at\":\"soon\"}",
        "{\"id\":1,\"path\":\"x\",\"run_started_at\":\"2026-99-99T99:99:99Z\"}",
    };
    for (size_t i = 0; i < WPA_COUNT(runs); i++) {
        expect(f, "workflow_run", FLEET_SECRET,
               wpa_arena_printf(arena_of(f), "{\"action\":\"completed\",\"workflow_run\":%s,%s}",
                                runs[i], repository_json(f, "web-front")),
               422, "workflow_run");
    }
}

/* A forge that is impatient sends again before it was answered. */
static void the_same_at_once_is_taken_once(void **state)
{
    fixture *f = *state;
    static const char script[] =
        "import threading, urllib.request\n"
        "body, answers = b'%s', []\n"
        "def call():\n"
        "    request = urllib.request.Request('http://127.0.0.1:%d" BASE
        "/webhooks/github', body, {\n"
        "        'Content-Type': 'application/json', 'X-GitHub-Event': 'push',\n"
        "        'X-GitHub-Delivery': '%s', 'X-Hub-Signature-256': 'sha256=%s'})\n"
        "    answers.append(urllib.request.urlopen(request).read())\n"
        "threads = [threading.Thread(target=call) for _ in range(12)]\n"
        "[t.start() for t in threads]\n"
        "[t.join() for t in threads]\n"
        "print(len(answers), sum(b'duplicate' in a for a in answers), sum(b'web-front' in a for a "
        "in "
        "answers))\n";
    const char *body = push_json(f, "web-front", "refs/heads/main");
    const char *path = wpa_path_join(arena_of(f), wpa_sample_folder(f->sample), "at_once.py");
    const char *text = wpa_arena_printf(arena_of(f), script, body, f->client.port, next_delivery(f),
                                        sign(f, body, FLEET_SECRET));
    wpa_error err = {0};
    assert_true(wpa_file_replace(path, text, strlen(text), 0600, &err));
    assert_string_equal(wpa_test_shell(f->sample, "python3 '%s'", path), "12 11 12");
}

static void what_is_too_large_is_refused(void **state)
{
    fixture *f = *state;
    size_t size_bytes = (size_t)5 << 20;
    char *body = wpa_alloc(size_bytes + 1);
    memset(body, ' ', size_bytes);
    body[size_bytes] = '\0';
    assert_int_equal(send(f, "push", next_delivery(f), "00", body).status, 413);
    wpa_free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_is_answered),
        cmocka_unit_test(a_push_orders_a_scan),
        cmocka_unit_test(each_repository_may_have_its_own_secret),
        cmocka_unit_test(a_run_goes_into_the_history),
        cmocka_unit_test(what_makes_no_sense_breaks_nothing),
        cmocka_unit_test(the_same_at_once_is_taken_once),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(what_is_not_signed_is_refused),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
