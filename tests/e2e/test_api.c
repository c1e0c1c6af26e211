/* The REST API end to end: the program serves the sample fleet, and a client talks to it. */
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
#include <wpa/text.h>

#include "api/route.h"
#include "auth/hash.h"
#include "harness/client.h"
#include "harness/readme.h"
#include "harness/sample.h"

#define BASE "/api/v1/workflow-patch-agent"

typedef struct fixture {
    wpa_sample *sample;
    wpa_client client;
} fixture;

static int run_shell(const char *script)
{
    pid_t child = fork();
    if (child == 0) {
        (void)execl("/bin/bash", "bash", "-c", script, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

/* ---- saying what is expected --------------------------------------------------------------------
 */

typedef struct step {
    const char *call; /* "GET /analyses" */
    const char *body;
    int status;
    const char *has[4]; /* texts in the answer's body */
} step;

/** Without the blanks that the database's JSON has around colons. */
static const char *tight(fixture *f, const char *body)
{
    char *copy = wpa_arena_text(f->client.arena, body), *to = copy;
    for (const char *at = body; *at; at++) {
        bool is_behind_colon = *at == ' ' && at - body >= 2 && at[-1] == ':' && at[-2] == '"';
        bool is_before_colon = *at == ' ' && at > body && at[-1] == '"' && at[1] == ':';
        is_behind_colon = is_behind_colon || (*at == ' ' && at - body >= 3 && at[-1] == ':' &&
                                              at[-2] == ' ' && at[-3] == '"');
        if (!is_behind_colon && !is_before_colon) {
            *to++ = *at;
        }
    }
    *to = '\0';
    return copy;
}

static wpa_client_answer ask(fixture *f, const step *s)
{
    const char *path = strchr(s->call, ' ') + 1;
    const char *method = wpa_arena_slice(f->client.arena, s->call, (size_t)(path - s->call) - 1);
    const char *whole = strncmp(path, "/api", 4) == 0 || strncmp(path, "//", 2) == 0
                            ? path
                            : wpa_arena_printf(f->client.arena, "%s%s", BASE, path);
    wpa_client_answer answer = wpa_client_call(&f->client, method, whole, s->body);
    answer.body = tight(f, answer.body);
    for (size_t i = 0; i < WPA_COUNT(s->has) && s->has[i]; i++) {
        if (!strstr(answer.body, s->has[i])) {
            fail_msg("%s: no %s in %d %s", s->call, s->has[i], answer.status, answer.body);
        }
    }
    if (answer.status != s->status) {
        fail_msg("%s: %d, expected %d: %s", s->call, answer.status, s->status, answer.body);
    }
    return answer;
}

static void tell(fixture *f, const step steps[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)ask(f, &steps[i]);
    }
}

/** Text of a member in the answer, as far as that can be told without reading JSON. */
static const char *member(fixture *f, const char *body, const char *name)
{
    const char *key = wpa_arena_printf(f->client.arena, "\"%s\":\"", name);
    const char *at = strstr(body, key);
    assert_non_null(at);
    at += strlen(key);
    return wpa_arena_slice(f->client.arena, at, strcspn(at, "\""));
}

static void sign_in(fixture *f)
{
    f->client.token = NULL;
    const step s = {"POST /auth/token",
                    "{\"name\":\"mira\",\"passphrase\":\"" WPA_SAMPLE_PASSPHRASE "\"}",
                    200,
                    {"\"role\":\"guardian\""}};
    f->client.token = member(f, ask(f, &s).body, "token");
}

static int set_up(void **state)
{
    static fixture f;
    f.sample = wpa_sample_new();
    f.client.arena = wpa_sample_arena(f.sample);
    f.client.port = wpa_client_free_port();
    wpa_sample_import(f.sample, false);
    (void)wpa_sample_spawn(
        f.sample,
        wpa_arena_printf(f.client.arena, "serve --workers 2 --listen 127.0.0.1:%d", f.client.port),
        NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_sample_free(f->sample);
    return 0;
}

/* ---- tests --------------------------------------------------------------------------------------
 */

static void who_calls_is_checked(void **state)
{
    fixture *f = *state;
    f->client.token = NULL;
    static const step nobody[] = {
        {"GET //healthz", NULL, 404, {"not_found"}},
        {"GET /healthz", NULL, 200, {"\"ok\""}},
        {"GET /readyz", NULL, 200, {"\"ok\""}},
        {"GET /docs", NULL, 200, {"<h1>wpa REST API</h1>"}},
        {"GET /openapi.json", NULL, 200, {"\"openapi\":\"3.1.0\"", "/analyses/{analysis_id}"}},
        {"GET /analyses", NULL, 401, {"\"title\":\"denied\""}},
        {"GET /nowhere", NULL, 404, {"there is no"}},
        {"DELETE /analyses", NULL, 405, {"allowed: GET"}},
        {"POST /auth/token", "{\"name\":\"mira\"}", 422, {"\"field\":\"passphrase\""}},
        {"POST /auth/token", "{\"name\":\"mira\",\"passphrase\":\"x\",\"y\":1}", 422, {"'y'"}},
        {"POST /auth/token", "{\"name\":", 422, {"line 1"}},
        {"POST /auth/token",
         "{\"name\":\"mira\",\"passphrase\":\"wrong\"}",
         401,
         {"wrong name, passphrase or code"}},
    };
    tell(f, nobody, WPA_COUNT(nobody));
    f->client.token = "a.b.c";
    static const step false_token = {"GET /analyses", NULL, 401, {"the token is not valid"}};
    (void)ask(f, &false_token);
    f->client.token = "wpa_0123456789";
    (void)ask(f, &false_token);
    sign_in(f);
    static const step whoami = {"GET /auth/whoami", NULL, 200, {"\"name\":\"mira\""}};
    static const step sign_out = {"DELETE /auth/token", NULL, 204, {NULL}};
    static const step refresh = {"POST /auth/refresh", NULL, 200, {"\"token\""}};
    (void)ask(f, &whoami);
    const char *before = f->client.token;
    f->client.token = member(f, ask(f, &refresh).body, "token");
    (void)ask(f, &whoami);
    f->client.token = before;
    (void)ask(f, &false_token);
    sign_in(f);
    (void)ask(f, &sign_out);
    (void)ask(f, &false_token);
}

static void a_workflow_is_analysed(void **state)
{
    fixture *f = *state;
    sign_in(f);
    static const step steps[] = {
        {"POST /analyze", "{\"workflow_name\":\"nothing-ci\"}", 404, {"nothing-ci"}},
        {"POST /analyze",
         "{\"workflow_name\":\"ledger-api-ci\",\"analysis_type\":\"taste\"}",
         422,
         {"\"field\":\"analysis_type\"", "must be one of"}},
        {"POST /analyze",
         "{\"workflow_name\":\"ledger-api-ci\"}",
         200,
         {"\"workflow_name\":\"ledger-api-ci\"", "\"analyzed_by\":\"WorkflowPatchAgent\"",
          "\"recommendations\":[{\"action\":"}},
        {"POST /analyze?workflow_name=ledger-api-ci&analysis_type=security",
         NULL,
         200,
         {"\"analysis_type\":\"security\"", "\"issues\":["}},
        {"POST /analyze?workflow_name=ledger-api-ci&wait=60",
         NULL,
         200,
         {"\"analysis_type\":\"all\"", "\"inefficiencies\":[", "\"opportunities\":["}},
        {"POST /analyze?workflow_name=ledger-api-ci&wait=60",
         "{\"analysis_type\":\"quality\"}",
         200,
         {"\"analysis_type\":\"quality\""}},
        {"POST /analyze?workflow_name=ledger-api-ci",
         "{\"workflow_name\":\"ledger-api-ci\"}",
         422,
         {"stands in the body too"}},
        {"GET /analyses?limit=1", NULL, 200, {"\"short_id\":\"a-"}},
        {"GET /analyses?status_filter=bad", NULL, 422, {"\"field\":\"status_filter\""}},
        {"GET /analyses?limit=0", NULL, 422, {"between 1 and 500"}},
        {"GET /analyses?limit=1&limit=2", NULL, 422, {"twice"}},
        {"GET /analyses?workflow_name=ledger-api-ci", NULL, 200, {"ledger-api-ci"}},
        {"GET /analyses/a-999999", NULL, 404, {"no such analysis"}},
        {"GET /health/ledger-api-ci",
         NULL,
         200,
         {"\"health_score\":", "\"explanation\":[", "\"short_id\":\"f-"}},
        {"GET /health/nothing", NULL, 404, {"nothing"}},
    };
    tell(f, steps, WPA_COUNT(steps));
    wpa_sample_sql_wait(f->sample, "0", 60000,
                        "SELECT count(*) FROM wpa.job WHERE kind IN ('scan','analyse') AND "
                        "run_after < clock_timestamp() + interval '1 minute'");
    static const step first_page = {"GET /analyses?limit=1", NULL, 200, {NULL}};
    wpa_client_answer page = ask(f, &first_page);
    const char *link = wpa_client_header(&f->client, &page, "Link");
    assert_non_null(link);
    const char *next = wpa_arena_slice(f->client.arena, link + 1, strcspn(link, ">") - 1);
    wpa_client_answer second = wpa_client_call(&f->client, "GET", next, NULL);
    assert_int_equal(second.status, 200);
    assert_string_not_equal(member(f, page.body, "id"), member(f, tight(f, second.body), "id"));
    f->client.headers = wpa_arena_printf(f->client.arena, "If-None-Match: %s\r\n",
                                         wpa_client_header(&f->client, &page, "ETag"));
    static const step unchanged = {"GET /analyses?limit=1", NULL, 304, {NULL}};
    (void)ask(f, &unchanged);
    f->client.headers = NULL;
    const step by_uid = {
        wpa_arena_printf(f->client.arena, "PATCH /analyses/%s", member(f, page.body, "id")),
        "{\"status\":\"reviewed\"}",
        200,
        {"\"status\":\"reviewed\"", "\"reviewed_by\":\"mira\""}};
    (void)ask(f, &by_uid);
}

/** The short id with this letter in an answer. */
static const char *short_id(fixture *f, const char *body, char letter)
{
    const char *key = wpa_arena_printf(f->client.arena, "\"short_id\":\"%c-", letter);
    const char *at = strstr(body, key);
    assert_non_null(at);
    return member(f, at, "short_id");
}

/** Id of the analysis that a POST /analyze answers. */
static const char *analysis_of(fixture *f, const char *workflow)
{
    const step s = {"POST /analyze",
                    wpa_arena_printf(f->client.arena, "{\"workflow_name\":\"%s\"}", workflow),
                    200,
                    {NULL}};
    return short_id(f, ask(f, &s).body, 'a');
}

static void a_patch_is_made_tested_deployed_and_taken_back(void **state)
{
    fixture *f = *state;
    wpa_arena *arena = f->client.arena;
    sign_in(f);
    const char *analysis = analysis_of(f, "ledger-api-ci");
    const step refused[] = {
        {"POST /patches", "{\"patch_name\":\"x\"}", 422, {"\"field\":\"analysis_id\""}},
        {"POST /patches", "{\"analysis_id\":\"a-999999\"}", 404, {"no such analysis"}},
        {"POST /patches", "{\"analysis_id\":\"a-1\",\"taste\":1}", 422, {"'taste'"}},
        {"POST /patches",
         wpa_arena_printf(
             arena,
             "{\"analysis_id\":\"%s\",\"patch_content\":{\"files_modified\":[\"a.txt\"],"
             "\"changes\":{\"a.txt\":\"AKIAIOSFODNN7REALKEY secret: "
             "ghp_0123456789abcdefghijklmnopqrstuvwxyz\"}}}",
             analysis),
         422,
         {"looks like a secret"}},
        {"POST /patches",
         wpa_arena_printf(
             arena,
             "{\"analysis_id\":\"%s\",\"patch_content\":{\"files_modified\":[\"README.md\"],"
             "\"changes\":{\"README.md\":\"@@ -1 +1 @@\\n-nothing like it\\n+x\\n\"}}}",
             analysis),
         422,
         {"line 2 of the diff"}},
        {"POST /patches",
         wpa_arena_printf(
             arena,
             "{\"analysis_id\":\"%s\",\"patch_content\":{\"dependencies\":[\"tj-actions/"
             "changed-files@v44\"]}}",
             analysis),
         422,
         {"advisory"}},
    };
    tell(f, refused, WPA_COUNT(refused));
    const step make = {
        "POST /patches",
        wpa_arena_printf(arena,
                         "{\"analysis_id\":\"%s\",\"patch_name\":\"Fixes\","
                         "\"patch_version\":\"2.1.0\",\"patch_type\":\"security\","
                         "\"severity\":\"high\",\"patch_content\":{\"changes\":"
                         "{\"why\":\"because\"},\"dependencies\":[\"actions/"
                         "checkout@v4\"],\"configuration\":{\"declares\":[\"names\"]}}}",
                         analysis),
        201,
        {"\"created_by\":\"WorkflowPatchAgent\"", "\"why\":\"because\"",
         "\"patch_version\":\"2.1.0\""}};
    wpa_client_answer made = ask(f, &make);
    const char *patch = short_id(f, made.body, 'p');
    const char *etag = wpa_client_header(&f->client, &made, "ETag");
    assert_non_null(wpa_client_header(&f->client, &made, "Location"));
    const char *path = wpa_arena_printf(arena, "/patches/%s", patch);
#define AT(method, rest) wpa_arena_printf(arena, method " %s" rest, path)
    f->client.headers = "If-Match: \"v999\"\r\n";
    const step stale = {AT("PATCH", ""), "{\"reviewed_by\":\"ada\"}", 412, {"has changed"}};
    (void)ask(f, &stale);
    f->client.headers = NULL;
    assert_non_null(etag);
    const step steps[] = {
        {AT("POST", "/test?wait=120"),
         NULL,
         200,
         {"\"isolated_tests\":{", "\"status\":\"tested\""}},
        {AT("POST", "/test"), NULL, 200, {"\"safety_checks\":{", "\"skipped\":["}},
        {AT("GET", ""),
         NULL,
         200,
         {"\"status\":\"tested\"", "\"diff\":\"--- a/", "\"why\":\"because\""}},
        {"GET /patches?status_filter=tested",
         NULL,
         200,
         {patch, "\"target_workflow\":\"ledger-api-ci\"", "\"path\":\".github/workflows/ci.yml\""}},
        {"GET /patches?workflow_name=ledger-api-ci&severity_filter=high", NULL, 200, {patch}},
        {"GET /patches?severity_filter=low", NULL, 200, {"{\"items\":["}},
        {AT("PATCH", ""), "{}", 422, {"\"field\":\"status\""}},
        {AT("PATCH", ""), "{\"status\":\"deployed\"}", 409, {"/deploy"}},
        {AT("PATCH", ""), "{\"status\":\"failed\"}", 422, {"\"field\":\"reason\""}},
        {AT("PATCH", ""),
         "{\"status\":\"approved\",\"approved_by\":\"ada\"}",
         422,
         {"\"field\":\"approved_by\""}},
        {AT("PATCH", ""),
         "{\"reviewed_by\":\"Ada\",\"deployment_config\":{\"strategy\":\"all-at-once\","
         "\"bake_ms\":100,\"rollback_verify_ms\":0}}",
         200,
         {"\"reviewed_by\":\"Ada\"", "\"strategy\":\"all-at-once\"", "\"status\":\"tested\""}},
        {AT("PATCH", ""),
         "{\"status\":\"approved\",\"approved_by\":\"mira\"}",
         200,
         {"\"status\":\"approved\"", "\"approvals_missing\":0"}},
        {AT("PATCH", ""), "{\"status\":\"tested\"}", 200, {"\"status\":\"tested\""}},
        {AT("DELETE", "/rollback"), NULL, 409, {"no deployment"}},
        {AT("POST", "/deploy?wait=120"),
         NULL,
         200,
         {"\"deployment_status\":\"success\"", "\"rollback_available\":true",
          "\"issues_fixed\":["}},
        {AT("PATCH", ""), "{\"deployment_config\":{\"bake_ms\":1}}", 409, {"has started"}},
        {AT("POST", "/deploy"), NULL, 409, {NULL}},
        {AT("DELETE", "/rollback?wait=120&reason=enough"),
         NULL,
         200,
         {"\"status\":\"rolled_back\"", "\"message\":", "\"patch_id\":"}},
        {AT("GET", ""), NULL, 200, {"\"status\":\"rolled_back\""}},
    };
    tell(f, steps, WPA_COUNT(steps));
#undef AT
}

/* A file, and a diff of another one, are written by a person: his is the patch. */
static void a_patch_brings_its_own_contents(void **state)
{
    fixture *f = *state;
    sign_in(f);
    static const step steps[] = {
        {"POST /patches",
         "{\"target_workflow\":\"ledger-api-ci\",\"patch_name\":\"Docs\",\"patch_type\":"
         "\"feature\","
         "\"severity\":\"low\",\"patch_content\":{\"files_modified\":[\"docs/a.md\",\"docs/b.md\"],"
         "\"changes\":{\"docs/a.md\":\"first\\n\",\"docs/b.md\":\"--- /dev/null\\n+++ "
         "b/docs/b.md\\n"
         "@@ -0,0 +1 @@\\n+second\\n\",\"docs/c.md\":\"not listed: a note\"}}}",
         201,
         {"\"created_by\":\"mira\"", "+second\\n", "\"docs/c.md\":\"not listed",
          "\"target_workflow\":\"ledger-api-ci\""}},
        {"POST /patches",
         "{\"target_workflow\":\"ledger-api-ci\",\"patch_content\":{\"files_modified\":[\"../x\"],"
         "\"changes\":{\"../x\":\"y\"}}}",
         422,
         {NULL}},
        {"POST /patches", "{\"target_workflow\":\"ledger-api-ci\"}", 422, {"nothing to change"}},
        {"POST /patches",
         "{\"target_workflow\":\"ledger-api-ci\",\"patch_version\":\"1.0.x\",\"patch_content\":"
         "{\"files_modified\":[\"a\"],\"changes\":{\"a\":\"y\"}}}",
         422,
         {"1.0.0"}},
        {"POST /patches",
         "{\"target_workflow\":\"ledger-api-ci\",\"patch_content\":{\"files_modified\":[\"a\"],"
         "\"changes\":{\"a\":\"y\"},\"configuration\":{\"declares\":[\"taste\"]}}}",
         422,
         {"declares"}},
    };
    const char *patch = short_id(f, ask(f, &steps[0]).body, 'p');
    tell(f, steps + 1, WPA_COUNT(steps) - 1);
    const step reject = {
        wpa_arena_printf(f->client.arena, "PATCH /patches/%s", patch),
        "{\"status\":\"failed\",\"reason\":\"no docs now\"}",
        200,
        {"\"status\":\"failed\"", "\"reason\":\"rejected\"", "\"comment\":\"no docs now\""}};
    const step test = {wpa_arena_printf(f->client.arena, "POST /patches/%s/test?wait=120", patch),
                       NULL,
                       200,
                       {"\"isolated_tests\":{"}};
    const step again = {
        wpa_arena_printf(f->client.arena, "POST /patches/%s/test?again=true&wait=0", patch),
        NULL,
        202,
        {"\"patch_id\":"}};
    (void)ask(f, &test);
    (void)ask(f, &reject);
    (void)ask(f, &again);
}

/** The thing is found by the id that a list gives it, a UUID, and by its short id: one answer. */
static void check_ids(fixture *f, const char *list, char letter)
{
    wpa_arena *arena = f->client.arena;
    const step all = {wpa_arena_printf(arena, "GET %s?limit=1", list), NULL, 200, {NULL}};
    const char *item = ask(f, &all).body;
    const char *id = member(f, item, "id"), *name = short_id(f, item, letter);
    assert_true(wpa_uuid_is_valid(id));
    const step by_id = {
        wpa_arena_printf(arena, "GET %s/%s", list, id), NULL, 200, {id, name, NULL}};
    const step by_name = {wpa_arena_printf(arena, "GET %s/%s", list, name), NULL, 200, {id, NULL}};
    const char *before, *named, *after;
    do { /* until nobody has gone on with it meanwhile */
        before = ask(f, &by_id).body;
        named = ask(f, &by_name).body;
        after = ask(f, &by_id).body;
    } while (!wpa_text_is(before, after));
    assert_string_equal(named, after);
    const step unknown = {
        wpa_arena_printf(arena, "GET %s/00000000-0000-4000-8000-000000000000", list),
        NULL,
        404,
        {"there is no"}};
    (void)ask(f, &unknown);
}

static void an_id_is_a_uuid(void **state)
{
    fixture *f = *state;
    wpa_arena *arena = f->client.arena;
    sign_in(f);
    check_ids(f, "/findings", 'f');
    check_ids(f, "/analyses", 'a');
    check_ids(f, "/patches", 'p');
    check_ids(f, "/deployments", 'd');
    static const step one = {"GET /deployments/d-1", NULL, 200, {NULL}};
    const char *patch = member(f, ask(f, &one).body, "patch_id");
    const step by_patch = {wpa_arena_printf(arena, "GET /patches/%s", patch), NULL, 200, {NULL}};
    wpa_client_answer answered = ask(f, &by_patch);
    const char *deployment = member(f, answered.body, "deployment_id");
    const step there = {
        wpa_arena_printf(arena, "GET /deployments/%s", deployment), NULL, 200, {patch}};
    const char *finding = member(f, strstr(answered.body, "\"answers\":"), "id");
    const step back = {wpa_arena_printf(arena, "GET /findings/%s", finding), NULL, 200, {finding}};
    const step noted = {wpa_arena_printf(arena, "POST /findings/%s/comments", finding),
                        "{\"text\":\"seen\"}",
                        201,
                        {"\"text\":\"seen\"", finding}};
    (void)ask(f, &there);
    (void)ask(f, &back);
    (void)ask(f, &noted);
    assert_true(wpa_uuid_is_valid(patch) && wpa_uuid_is_valid(deployment));
    assert_true(wpa_uuid_is_valid(finding));
}

static void everything_else_has_a_route(void **state)
{
    fixture *f = *state;
    wpa_arena *arena = f->client.arena;
    sign_in(f);
    const char *person = f->client.token;
    static const step steps[] = {
        {"GET /findings?severity_filter=high&limit=2", NULL, 200, {"\"severity\":\"high\""}},
        {"GET /findings?has_fix=maybe", NULL, 422, {"\"field\":\"has_fix\""}},
        {"GET /findings?rule=unpinned-uses&has_fix=true&repository=ledger-api",
         NULL,
         200,
         {"unpinned"}},
        {"GET /findings/f-1", NULL, 200, {"\"short_id\":\"f-1\"", "\"comments\":[]"}},
        {"GET /findings/f-999999", NULL, 404, {"no such finding"}},
        {"POST /findings/f-1/ignore", "{\"reason\":\"x\"}", 422, {"\"field\":\"until\""}},
        {"POST /findings/f-1/ignore",
         "{\"reason\":\"x\",\"until\":\"2001-01-01T00:00:00Z\"}",
         422,
         {"\"field\":\"until\""}},
        {"DELETE /findings/f-1/ignore", NULL, 409, {"ignored"}},
        {"GET /deployments?status_filter=rolled_back", NULL, 200, {"\"short_id\":\"d-1\""}},
        {"GET /deployments/d-1",
         NULL,
         200,
         {"\"stages\":[{", "\"target_list\":[{", "\"checks\":[{"}},
        {"POST /deployments/d-1/pause", "{\"reason\":\"x\"}", 409, {"rolled_back"}},
        {"POST /deployments/d-1/pause", "{}", 422, {"\"field\":\"reason\""}},
        {"GET /jobs?kind=analyse&status_filter=done&limit=1", NULL, 200, {"\"kind\":\"analyse\""}},
        {"GET /jobs/j-1", NULL, 200, {"\"short_id\":\"j-1\""}},
        {"DELETE /jobs/j-1", NULL, 409, {"not running"}},
        {"GET /agents", NULL, 200, {"\"is_alive\":true"}},
        {"GET /sessions?limit=1",
         NULL,
         200,
         {"{\"items\":[{\"id\":\"", "\"address\":\"127.0.0.1\""}},
        {"GET /audit?action=patch&subject=patch:1", NULL, 200, {"patch.rolled_back", "127.0.0.1"}},
        {"GET /audit/verify", NULL, 200, {"\"is_sound\":true"}},
        {"GET /fleet", NULL, 200, {"\"name\":\"ledger-api\""}},
        {"POST /fleet", "{\"url\":\"relative\"}", 422, {NULL}},
        {"GET /workflows?repository=ledger-api",
         NULL,
         200,
         {"\"workflow_name\":\"ledger-api-ci\""}},
        {"GET /config", NULL, 200, {"\"content\":null", "\"version\":1"}},
        {"PATCH /config",
         "{\"content\":\"rule: {}\"}",
         422,
         {"\"field\":\"content\"", "unknown key 'rule'"}},
        {"PATCH /config",
         "{\"content\":\"tools: {shellcheck: /bin/sh}\"}",
         422,
         {"path of a program"}},
        {"PATCH /config",
         "{\"content\":\"version: 1\\n\"}",
         200,
         {"\"version\":2", "\"changed_by\":\"mira\""}},
        {"PATCH /config", "{\"content\":\"version: 1\\n\"}", 200, {"\"version\":2"}},
        {"GET /audit?action=setting&subject=setting:wpa.yml", NULL, 200, {"setting.changed"}},
        {"DELETE /config", NULL, 204, {NULL}},
        {"GET /config", NULL, 200, {"\"content\":null", "\"version\":3"}},
        {"POST /guardians",
         "{\"name\":\"wall\",\"role\":\"viewer\",\"passphrase\":\"twelve letters and more\"}",
         201,
         {"\"role\":\"viewer\""}},
        {"POST /tokens",
         "{\"name\":\"x\",\"scopes\":[\"all\"],\"expires_in_days\":1}",
         422,
         {"must be one of"}},
        {"POST /tokens", "{\"name\":\"x\",\"scopes\":[\"read\"]}", 422, {"expires_at"}},
    };
    tell(f, steps, WPA_COUNT(steps));
    f->client.headers = "If-Match: \"v2\"\r\n";
    static const step outdated = {"PATCH /config", "{\"content\":\"version: 1\"}", 412, {"since"}};
    (void)ask(f, &outdated);
    f->client.headers = NULL;
    static const step make = {
        "POST /tokens",
        "{\"name\":\"ci\",\"scopes\":[\"read\",\"analyse\"],\"expires_in_days\":1}",
        201,
        {"\"acts_as\":\"mira\"", "\"token\":\"wpa_"}};
    static const step wall = {
        "POST /tokens",
        "{\"name\":\"wall\",\"scopes\":[\"read\"],\"expires_in_days\":1,\"acts_as\":\"wall\"}",
        201,
        {"\"role\":\"viewer\""}};
    wpa_client_answer made = ask(f, &make);
    const char *id = member(f, made.body, "id");
    f->client.token = member(f, made.body, "token");
    static const step of_machine[] = {
        {"GET /auth/whoami", NULL, 200, {"\"scopes\":[\"read\",\"analyse\"]"}},
        {"GET /patches", NULL, 200, {"items"}},
        {"PATCH /patches/p-1", "{\"status\":\"approved\"}", 403, {"scope 'approve'"}},
        {"POST /tokens",
         "{\"name\":\"y\",\"scopes\":[\"admin\"],\"expires_in_days\":1}",
         403,
         {"scope"}},
        {"GET /config", NULL, 200, {"content"}},
        {"PATCH /config", "{\"content\":\"version: 1\"}", 403, {"scope"}},
        {"DELETE /config", NULL, 403, {"scope"}},
    };
    tell(f, of_machine, WPA_COUNT(of_machine));
    const char *machine = f->client.token;
    f->client.token = person;
    f->client.token = member(f, ask(f, &wall).body, "token");
    static const step of_wall[] = {
        {"GET /patches", NULL, 403, {"role viewer"}},
        {"POST /analyze", "{\"workflow_name\":\"ledger-api-ci\"}", 403, {"scope"}},
    };
    tell(f, of_wall, WPA_COUNT(of_wall));
    f->client.token = person;
    const step revoke = {
        wpa_arena_printf(arena, "DELETE /tokens/%s", id), NULL, 200, {"\"is_valid\":false"}};
    const step again = {revoke.call, NULL, 409, {"revoked already"}};
    (void)ask(f, &revoke);
    (void)ask(f, &again);
    f->client.token = machine;
    static const step ended = {"GET /patches", NULL, 401, {"not valid"}};
    (void)ask(f, &ended);
}

/* ---- the documentation's own examples -----------------------------------------------------------
 */

static int n_complaints; /* all of them are told, then the test fails */

#define complain(...)                                                                              \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        n_complaints++;                                                                            \
    } while (0)

static void check_answer(const wpa_api_route *route, const wpa_api_field *fields,
                         const wpa_json *object);

static void check_member(const wpa_api_route *route, const wpa_api_field *field,
                         const wpa_json *value)
{
    if (wpa_json_kind_of(value) == WPA_JSON_NULL) {
        if (!field->is_nullable && field->type != WPA_API_ANY) {
            complain("%s %s: '%s' is null\n", route->method, route->path, field->name);
        }
        return;
    }
    if (field->type == WPA_API_OBJECT && field->fields) {
        check_answer(route, field->fields, value);
    }
    for (size_t i = 0; field->type == WPA_API_LIST && field->fields && i < wpa_json_count(value);
         i++) {
        check_answer(route, field->fields, wpa_json_at(value, i));
    }
}

/** Nothing that the document does not know, and all that it promises. */
static void check_answer(const wpa_api_route *route, const wpa_api_field *fields,
                         const wpa_json *object)
{
    for (size_t i = 0; i < wpa_json_count(object); i++) {
        const char *key = wpa_json_key_at(object, i);
        const wpa_api_field *field = wpa_api_field_find(fields, key);
        if (!field) {
            complain("%s %s: '%s' is not documented\n", route->method, route->path, key);
            continue;
        }
        check_member(route, field, wpa_json_at(object, i));
    }
    for (const wpa_api_field *field = fields; field->name; field++) {
        if (field->is_required && !wpa_json_find(object, field->name)) {
            complain("%s %s: there is no '%s'\n", route->method, route->path, field->name);
        }
    }
}

/** A UUID is what names a thing, wherever it is named; what others have made up is theirs. */
static void check_named(const wpa_api_route *route, const wpa_json *json)
{
    static const char *const theirs[] = {"detail", "data", "settings", "health_checks", "short_id"};
    for (size_t i = 0; i < wpa_json_count(json); i++) {
        const char *key = wpa_json_key_at(json, i); /* NULL in a list */
        const wpa_json *value = wpa_json_at(json, i);
        if (key && wpa_text_index(key, theirs, WPA_COUNT(theirs)) >= 0) {
            continue;
        }
        bool is_id = key && (wpa_text_is(key, "id") || wpa_text_ends(key, "_id"));
        if (is_id && wpa_json_kind_of(value) != WPA_JSON_NULL &&
            !wpa_uuid_is_valid(wpa_json_text_of(value))) {
            complain("%s %s: '%s' is no UUID\n", route->method, route->path, key);
        }
        check_named(route, value);
    }
}

/** Rows of the audit log in the name of whoever calls here, with address and user agent. */
static const char *audited(fixture *f)
{
    return wpa_sample_sql(f->sample,
                          "SELECT count(*) FROM wpa.audit a JOIN wpa.principal p ON p.id::text = "
                          "a.actor WHERE p.name = 'mira' AND a.detail::jsonb->>'address' = "
                          "'127.0.0.1' AND a.detail::jsonb->>'user_agent' = 'examples/1.0'");
}

/* A scan that is ordered already is ordered once, a tested patch is not tested again, who is
   active stays so, and nothing was given up that could be sent again. */
static bool changes_something(const wpa_api_route *route, int status)
{
    static const char *const nothing_new[] = {"/scan", "/fleet/{repository}/scan",
                                              "/patches/{patch_id}/test", "/guardians/{name}",
                                              "/destinations/{destination}/retry"};
    return !wpa_text_is(route->method, "GET") && status < 300 &&
           !wpa_text_is(route->tag, "audit") &&
           wpa_text_index(route->path, nothing_new, WPA_COUNT(nothing_new)) < 0;
}

static void run_example(fixture *f, const wpa_api_route *route)
{
    wpa_error err = {0};
    const char *before = audited(f);
    const char *path = wpa_arena_printf(f->client.arena, "%s%s", BASE,
                                        route->example ? route->example : route->path);
    wpa_client_answer answer =
        wpa_client_call(&f->client, route->method, path, route->example_body);
    print_message("%s %s: %d\n", route->method, path, answer.status);
    if (changes_something(route, answer.status) && wpa_text_is(before, audited(f))) {
        complain("%s %s: the audit log says nothing\n", route->method, path);
    }
    int expected = route->status ? route->status : 200;
    bool is_fine = answer.status == expected || answer.status == 202 ||
                   (answer.status == 409 && !wpa_text_is(route->method, "GET"));
    if (!is_fine) {
        complain("%s %s: %d %s\n", route->method, path, answer.status, answer.body);
    }
    if (!is_fine || answer.status != expected || !route->answer) {
        return;
    }
    const wpa_json *json =
        wpa_json_parse(answer.body, answer.body_bytes, WPA_JSON_MAX_BYTES, f->client.arena, &err);
    assert_non_null(json);
    check_named(route, json);
    const wpa_json *items = wpa_json_find(json, "items");
    for (size_t i = 0; route->is_list && i < wpa_json_count(items); i++) {
        check_answer(route, route->answer, wpa_json_at(items, i));
    }
    if (!route->is_list) {
        check_answer(route, route->answer, json);
    }
}

static void every_example_works(void **state)
{
    fixture *f = *state;
    size_t n;
    const wpa_api_route *const *routes = wpa_api_routes(&n);
    sign_in(f);
    f->client.headers = "User-Agent: examples/1.0\r\n";
    for (size_t i = 0; i < n; i++) {
        if (!wpa_text_is(routes[i]->tag, "sign-in") && !wpa_text_is(routes[i]->tag, "events") &&
            !routes[i]->takes_raw) { /* webhooks are signed: test_webhooks.c */
            run_example(f, routes[i]);
        }
    }
    f->client.headers = NULL;
    assert_int_equal(n_complaints, 0);
}

static void refusals_are_recorded(void **state)
{
    fixture *f = *state;
    f->client.token = NULL;
    f->client.headers = "User-Agent: stranger/1.0\r\n";
    static const step nobody = {"DELETE /fleet/ledger-api", NULL, 401, {"token is needed"}};
    (void)ask(f, &nobody);
    f->client.headers = NULL;
    sign_in(f);
    static const step steps[] = {
        {"POST /deployments/d-1/abort", "{\"reason\":\"x\"}", 409, {NULL}},
        {"GET /audit?action=access.refused&limit=2",
         NULL,
         200,
         {"\"actor\":\"mira\"", "stranger/1.0", "\"role\":\"nobody\""}},
    };
    tell(f, steps, WPA_COUNT(steps));
    static const char text[] =
        "POST " BASE "/analyze HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: text/xml\r\nContent-Length: 3\r\nAuthorization: Bearer ";
    const char *whole = wpa_arena_printf(f->client.arena, "%s%s\r\n\r\n<a>", text, f->client.token);
    assert_int_equal(wpa_client_raw(&f->client, whole, strlen(whole)).status, 415);
}

static void figures_are_told(void **state)
{
    fixture *f = *state;
    f->client.token = NULL;
    static const step closed = {"GET //metrics", NULL, 404, {NULL}};
    static const step nobody = {"GET /metrics", NULL, 401, {NULL}};
    static const step person = {"GET /metrics",
                                NULL,
                                200,
                                {"wpa_deploy_success_ratio{window=\"30d\"} 0\n",
                                 "wpa_rollbacks_total{by=\"guardian\"",
                                 "# TYPE process_resident_memory_bytes gauge\n"}};
    (void)ask(f, &closed);
    (void)ask(f, &nobody);
    sign_in(f);
    wpa_client_answer answer = ask(f, &person);
    assert_non_null(
        strstr(wpa_client_header(&f->client, &answer, "Content-Type"), "version=0.0.4"));
}

/* What this installation has a history of by now, of all that is told; each by its kind. */
static const char *const told[] = {
    "wpa_analysis_success_ratio gauge",
    "wpa_repository_analysis_success_ratio gauge",
    "wpa_owner_analysis_success_ratio gauge",
    "wpa_patches_created_total counter",
    "wpa_patch_coverage_ratio gauge",
    "wpa_rule_patches_created_total counter",
    "wpa_rule_patch_coverage_ratio gauge",
    "wpa_rule_findings_open gauge",
    "wpa_rule_findings_opened gauge",
    "wpa_test_pass_ratio gauge",
    "wpa_test_first_pass_ratio gauge",
    "wpa_rule_test_pass_ratio gauge",
    "wpa_deploy_success_ratio gauge",
    "wpa_rule_deploy_success_ratio gauge",
    "wpa_repository_deploy_success_ratio gauge",
    "wpa_rollbacks_total counter",
    "wpa_rollback_ratio gauge",
    "wpa_rule_rollbacks_total counter",
    "wpa_rule_rollback_ratio gauge",
    "wpa_health_score gauge",
    "wpa_owner_health_score gauge",
    "wpa_fleet_health_score gauge",
    "wpa_approval_wait_seconds gauge",
    "wpa_target_conflict_ratio gauge",
    "wpa_change_failure_ratio gauge",
    "wpa_waivers gauge",
    "wpa_queue_wait_seconds gauge",
    "wpa_lease_losses gauge",
    "wpa_takeovers gauge",
    "wpa_rate_limit_waits gauge",
    "wpa_api_rate_limited_total counter",
    "wpa_audit_chain_length gauge",
};

static void history_is_told(void **state)
{
    fixture *f = *state;
    static const step person = {"GET /metrics", NULL, 200, {NULL}};
    sign_in(f);
    wpa_client_answer answer = ask(f, &person);
    for (size_t i = 0; i < WPA_COUNT(told); i++) {
        if (!strstr(answer.body, wpa_arena_printf(f->client.arena, "\n# TYPE %s\n", told[i]))) {
            fail_msg("%s is not told", told[i]);
        }
    }
}

/* Each name has its words and its kind once, in front of all its values. */
static void figures_are_in_their_place(void **state)
{
    fixture *f = *state;
    static const step person = {"GET /metrics", NULL, 200, {NULL}};
    sign_in(f);
    wpa_client_answer answer = ask(f, &person);
    const char *name = "", *at = answer.body;
    for (size_t length; *at; at += length + 1) {
        length = strcspn(at, "\n");
        const char *line = wpa_arena_slice(f->client.arena, at, length);
        assert_int_equal(at[length], '\n');
        if (wpa_text_starts(line, "# HELP ")) {
            name = wpa_arena_slice(f->client.arena, line + 7, strcspn(line + 7, " "));
            assert_true(strlen(line) > 7 + strlen(name) + 1);
            const char *head = wpa_arena_printf(f->client.arena, "# HELP %s ", name);
            assert_null(strstr(at + 1, head));
        } else if (wpa_text_starts(line, "# TYPE ")) {
            assert_true(wpa_text_starts(line + 7, name));
        } else if (!wpa_text_starts(line, name) || !strchr(" {", line[strlen(name)])) {
            fail_msg("below %s: %s", name, line);
        }
    }
}

/* ---- the README ---------------------------------------------------------------------------------
 */

/** The text with one part replaced, which must be there. */
static const char *with(fixture *f, const char *text, const char *part, const char *by)
{
    const char *at = strstr(text, part);
    if (!at) {
        fail_msg("the README's example has no '%s'", part);
        return text;
    }
    return wpa_arena_printf(f->client.arena, "%.*s%s%s", (int)(at - text), text, by,
                            at + strlen(part));
}

static void the_readme_works_as_printed(void **state)
{
    fixture *f = *state;
    wpa_arena *arena = f->client.arena;
    if (access("/usr/bin/jq", X_OK) != 0 || access("/usr/bin/curl", X_OK) != 0) {
        print_message("skipped: curl or jq is not installed\n");
        skip();
    }
    const char *script = wpa_test_readme_example("curl", arena);
    script = with(f, script, ":8000", wpa_arena_printf(arena, ":%d", f->client.port));
    script = with(f, script, "name=guardian", "name=mira");
    script = with(f, script, "$(cat build/sample/passphrase)", WPA_SAMPLE_PASSPHRASE);
    assert_int_equal(run_shell(wpa_arena_printf(arena, "set -euo pipefail\n%s", script)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_calls_is_checked),
        cmocka_unit_test(a_workflow_is_analysed),
        cmocka_unit_test(a_patch_is_made_tested_deployed_and_taken_back),
        cmocka_unit_test(a_patch_brings_its_own_contents),
        cmocka_unit_test(an_id_is_a_uuid),
        cmocka_unit_test(everything_else_has_a_route),
        cmocka_unit_test(refusals_are_recorded),
        cmocka_unit_test(figures_are_told),
        cmocka_unit_test(history_is_told),
        cmocka_unit_test(figures_are_in_their_place),
        cmocka_unit_test(the_readme_works_as_printed),
        cmocka_unit_test(every_example_works),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
