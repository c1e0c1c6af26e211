/* The feed as the console uses it: first guardian, sign-in, snapshots, orders, a database cut off.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "db/db.h"
#include "feed/feed.h"
#include "harness/patience.h"
#include "harness/pg.h"

typedef struct fixture {
    wpa_test_pg *pg;
    wpa_feed *feed;
    wpa_arena *arena;
    wpa_log *log;
    uint64_t request;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    wpa_error err = {0};
    f->pg = wpa_test_pg_new();
    f->arena = wpa_arena_new();
    f->log = wpa_log_new(STDERR_FILENO, WPA_LOG_ERROR);
    const wpa_feed_options options = {
        .engine = {.dsn = wpa_test_pg_dsn(f->pg),
                   .cache_folder = wpa_dir_temp("wpa-feed", f->arena, &err),
                   .n_workers = 1,
                   .log = f->log},
        .fleet = "test-fleet",
        .rollback_delay_ms = 3000,
    };
    f->feed = wpa_feed_open(&options, &err);
    assert_non_null(f->feed);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wpa_feed_close(f->feed);
    wpa_test_pg_free(f->pg);
    wpa_log_free(f->log);
    wpa_arena_free(f->arena);
    free(f);
    return 0;
}

typedef bool (*wanted)(const wpa_msg *msg, const void *context);

/** The first message that is wanted; others are dropped. Fails the test after WPA_PATIENCE_MS. */
static wpa_msg *expect(fixture *f, wanted is_wanted, const void *context, const char *what)
{
    wpa_queue *inbox = wpa_feed_port(f->feed)->inbox;
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (wpa_monotonic_ms() < end_ms) {
        wpa_msg *msg = wpa_queue_pop(inbox);
        if (msg && is_wanted(msg, context)) {
            return msg;
        }
        wpa_msg_free(msg);
        if (!msg) {
            struct pollfd fd = {.fd = wpa_queue_fd(inbox), .events = POLLIN};
            (void)poll(&fd, 1, 1000);
        }
    }
    fail_msg("no %s", what);
    return NULL;
}

static wpa_command *command(fixture *f, wpa_command_kind kind)
{
    wpa_command *c = wpa_command_new(kind);
    c->request_id = ++f->request;
    return c;
}

static void submit(fixture *f, wpa_command *c)
{
    wpa_error err = {0};
    wpa_console_port *port = wpa_feed_port(f->feed);
    if (!port->submit(port->context, c, &err)) {
        fail_msg("submit: %s", err.message);
    }
}

static bool is_session(const wpa_msg *msg, const void *context)
{
    return msg->kind == WPA_FEED_SESSION &&
           ((const wpa_session_view *)msg->body)->state == *(const wpa_session_state *)context;
}

static void expect_session(fixture *f, wpa_session_state state)
{
    wpa_msg_free(expect(f, is_session, &state, "session view"));
}

static bool is_reply(const wpa_msg *msg, const void *context)
{
    return msg->kind == WPA_FEED_REPLY &&
           ((const wpa_reply_view *)msg->body)->request_id == *(const uint64_t *)context;
}

/** Submit and wait for the answer; its code. The reply's text is copied to text if not NULL. */
static wpa_code ask(fixture *f, wpa_command *c, char *text, wpa_object *object)
{
    uint64_t id = c->request_id;
    submit(f, c);
    wpa_msg *msg = expect(f, is_reply, &id, "reply");
    const wpa_reply_view *reply = msg->body;
    wpa_code code = reply->error.code;
    if (text) {
        (void)wpa_text_copy(text, 256,
                            code          ? reply->error.message
                            : reply->text ? reply->text
                                          : "");
    }
    if (object) {
        *object = reply->object;
    }
    wpa_msg_free(msg);
    return code;
}

static wpa_command *sign_in(fixture *f, wpa_command_kind kind, const char *passphrase)
{
    wpa_command *c = command(f, kind);
    c->name = wpa_arena_text(c->arena, "mira");
    c->secret_bytes = strlen(passphrase);
    memcpy(c->secret, passphrase, c->secret_bytes);
    return c;
}

static bool is_kind(const wpa_msg *msg, const void *context)
{
    return msg->kind == *(const int *)context;
}

static bool is_list(const wpa_msg *msg, const void *context)
{
    return msg->kind == WPA_FEED_LIST &&
           ((const wpa_list_view *)msg->body)->list == *(const wpa_list *)context;
}

static wpa_msg *watch(fixture *f, wpa_list list, const char *cursor, uint32_t before,
                      uint32_t after)
{
    wpa_command *c = command(f, WPA_COMMAND_WATCH_LIST);
    c->query = (wpa_list_query){.list = list,
                                .n_before = before,
                                .n_after = after,
                                .cursor = wpa_arena_text(c->arena, cursor)};
    uint64_t id = c->request_id;
    submit(f, c);
    for (;;) {
        wpa_msg *msg = expect(f, is_list, &list, "list");
        if (((const wpa_list_view *)msg->body)->request_id == id) {
            return msg;
        }
        wpa_msg_free(msg);
    }
}

#define FLEET                                                                                      \
    "INSERT INTO repository (name, url, branch, state) VALUES ('ledger-api', "                     \
    "'https://me:hunter2@x.example/l', 'main', 'ok');"                                             \
    "INSERT INTO workflow (repository_id, path, name, kind, blob_oid, head_commit) SELECT 1, "     \
    "'.github/workflows/w' || n || '.yml', 'ledger-api-w' || n, 'workflow', 'b1', 'c1' FROM "      \
    "generate_series(1, 30) n;"                                                                    \
    "INSERT INTO health (workflow_id, total, uncapped, grade, parts) SELECT id, id, id, 'F', 5 "   \
    "FROM workflow WHERE id <= 20;"                                                                \
    "UPDATE workflow SET triggers = '[\"push\", \"workflow_call\"]', uses = '[{\"name\": "         \
    "\"actions/checkout@v4\", \"line\": 7}, {\"name\": \"./.github/workflows/w2.yml\", "           \
    "\"line\": 9}, {\"name\": \"org/ledger-api/.github/workflows/w25.yml@main\", \"line\": 11}, "  \
    "{\"name\": \"docker://ledger-api/.github/workflows/w3.yml@main\", \"line\": 13}]' "           \
    "WHERE id IN (1, 3);"                                                                          \
    "INSERT INTO source (blob_oid, content) VALUES ('b1', 'name: x\non: push\n');"                 \
    "INSERT INTO finding (workflow_id, fingerprint, rule, code, dimension, kind, severity, "       \
    "confidence, message, path, start_line, start_column, end_line, end_column, start_byte, "      \
    "end_byte, blob_oid) SELECT (n % 30) + 1, lpad(to_hex(n), 40, '0'), 'missing-timeout', "       \
    "'PRF-001', 'performance', 'issue', (ARRAY['critical','high','medium','low'])[n % 4 + 1], "    \
    "'high', 'job ' || n, '.github/workflows/w' || (n % 30) + 1 || '.yml', 2, 1, 2, 3, 8, 10, "    \
    "'b1' FROM generate_series(1, 40) n"

/* The engine wrote it, mira ordered it. */
#define ORDERED_PATCH                                                                              \
    "INSERT INTO patch (name, digest, author_id, requester_id) SELECT 'limits', sha256(''), "      \
    "e.id, m.id FROM principal e, principal m WHERE e.name = 'engine' AND m.name = 'mira'"

/** Ignore all that match but f-1, if they are as many as expected. */
static void ignore_matching(fixture *f, const char *filter, int64_t n_expected, wpa_code code,
                            const char *words)
{
    char text[256];
    wpa_command *c = command(f, WPA_COMMAND_IGNORE);
    wpa_object *left_out = wpa_arena_array(c->arena, 1, sizeof *left_out);
    left_out[0] = (wpa_object){WPA_OBJECT_FINDING, 1};
    c->objects = left_out;
    c->n_objects = 1;
    c->is_matching = true;
    c->n_expected = n_expected;
    c->query.list = WPA_LIST_FINDINGS;
    c->query.terms = wpa_filter_parse(filter, c->arena, &c->query.n_terms);
    c->text = "legacy runner";
    c->until_us = wpa_now_us() + 86400000000;
    assert_int_equal(ask(f, c, text, NULL), code);
    assert_non_null(strstr(text, words));
}

/** What the file names: of the outside world, of its own repository, of another one, no file. */
static void check_map(const wpa_workflow_detail *it)
{
    static const struct {
        const char *name;
        int line;
        int64_t id;
    } uses[] = {{"actions/checkout@v4", 7, 0},
                {"ledger-api/w2.yml", 9, 2},
                {"ledger-api/w25.yml", 11, 25},
                {"docker://ledger-api/.github/workflows/w3.yml@main", 13, 0}};
    assert_string_equal(it->triggers, "push, workflow_call");
    assert_int_equal(it->n_uses, WPA_COUNT(uses));
    for (size_t i = 0; i < WPA_COUNT(uses); i++) {
        assert_string_equal(it->uses[i].name, uses[i].name);
        assert_int_equal(it->uses[i].line, uses[i].line);
        assert_int_equal(it->uses[i].object.id, uses[i].id);
        assert_int_equal(it->uses[i].object.kind,
                         uses[i].id ? WPA_OBJECT_WORKFLOW : WPA_OBJECT_NONE);
    }
    assert_string_equal(it->uses[1].ref, "./.github/workflows/w2.yml");
    assert_true(it->uses[1].score > 1.9 && it->uses[2].score < 0);
}

/** The answer to a filter as it is typed. */
static wpa_msg *watch_filtered(fixture *f, wpa_list list, const char *text)
{
    wpa_command *c = command(f, WPA_COMMAND_WATCH_LIST);
    c->query = (wpa_list_query){.list = list, .n_after = 99};
    c->query.terms = wpa_filter_parse(text, c->arena, &c->query.n_terms);
    uint64_t id = c->request_id;
    submit(f, c);
    for (;;) {
        wpa_msg *msg = expect(f, is_list, &list, "filtered list");
        if (((const wpa_list_view *)msg->body)->request_id == id) {
            return msg;
        }
        wpa_msg_free(msg);
    }
}

static const struct {
    wpa_list list;
    const char *filter;
    int64_t n_matching;
    const char *ignored; /* begins so; NULL: nothing */
    const char *without; /* term in the way, and how many would be left; NULL: none */
    int64_t n_without;
} filters[] = {
    {WPA_LIST_FINDINGS, "sev:hihg", 40, "sev:hihg", NULL, 0},
    {WPA_LIST_FINDINGS, "sev:crit,hihg", 10, "sev:hihg", NULL, 0},
    {WPA_LIST_FINDINGS, "age:7d score:3 @mine", 40, "age:7d score @mine", NULL, 0},
    {WPA_LIST_FINDINGS, "age<2026-01-01", 40, NULL, NULL, 0},
    {WPA_LIST_FINDINGS, "age>2026-01-01", 0, NULL, NULL, 0},
    {WPA_LIST_FINDINGS, "age<2100-01-01", 0, NULL, NULL, 0},
    {WPA_LIST_FINDINGS, "~job 1.~", 10, NULL, NULL, 0},
    {WPA_LIST_FINDINGS, "~job [~", 40, "~job [~ (invalid regular expression", NULL, 0},
    {WPA_LIST_FINDINGS, "sev:low ~(~", 10, "~(~ (invalid regular expression", NULL, 0},
    {WPA_LIST_FINDINGS, "sev:crit wf:nowhere/*", 0, NULL, "wf:", 10},
    {WPA_LIST_FINDINGS, "sev:crit wf:nowhere/* nothing", 0, NULL, NULL, 0},
    {WPA_LIST_FINDINGS, "cat:perf !rule:PRF-001", 0, NULL, "!rule:", 40},
    {WPA_LIST_FINDINGS, "\"no such\" sev:low", 0, NULL, "\"no such\"", 10},
    {WPA_LIST_FINDINGS, "nowhere", 0, NULL, NULL, 0},
    {WPA_LIST_PATCHES, "requester:mira", 1, NULL, NULL, 0},
    {WPA_LIST_PATCHES, "by:mira", 0, NULL, NULL, 0},
    {WPA_LIST_WORKFLOWS, "sev:crit score<11", 10, "sev", NULL, 0},
};

static void filters_say_what_they_do(void **state)
{
    fixture *f = *state;
    char text[256];
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN);
    assert_int_equal(
        ask(f, sign_in(f, WPA_COMMAND_FIRST_GUARDIAN, "a long passphrase"), text, NULL), WPA_OK);
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, FLEET), "00000");
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, ORDERED_PATCH), "00000");
    for (size_t i = 0; i < WPA_COUNT(filters); i++) {
        wpa_msg *msg = watch_filtered(f, filters[i].list, filters[i].filter);
        const wpa_list_view *list = msg->body;
        const char *ignored = list->ignored ? list->ignored : "";
        const char *told = filters[i].ignored ? filters[i].ignored : "";
        bool is_told = *told ? wpa_text_starts(ignored, told) : !*ignored;
        bool is_without = filters[i].without
                              ? list->n_without == 1 &&
                                    wpa_text_is(list->without[0].term, filters[i].without) &&
                                    list->without[0].n_matching == filters[i].n_without
                              : list->n_without == 0;
        if (list->n_matching != filters[i].n_matching || !is_told || !is_without) {
            fail_msg("'%s': %lld match, '%s' ignored, %zu without", filters[i].filter,
                     (long long)list->n_matching, ignored, list->n_without);
        }
        wpa_msg_free(msg);
    }
}

static bool is_any(const wpa_msg *msg, const void *context)
{
    (void)msg;
    (void)context;
    return true;
}

/* What each of several terms keeps out is told behind the rows, if they came soon: asked anew until
   this machine is quick enough. */
static void terms_say_what_they_keep_out(void **state)
{
    fixture *f = *state;
    char text[256];
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN);
    assert_int_equal(
        ask(f, sign_in(f, WPA_COMMAND_FIRST_GUARDIAN, "a long passphrase"), text, NULL), WPA_OK);
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, FLEET), "00000");
    size_t n_told = 0;
    for (int i = 0; i < 500 && n_told == 0; i++) {
        wpa_msg *msg = watch_filtered(f, WPA_LIST_FINDINGS, "sev:crit cat:perf");
        uint64_t id = ((const wpa_list_view *)msg->body)->request_id;
        assert_int_equal(((const wpa_list_view *)msg->body)->n_without, 0); /* rows first */
        wpa_msg_free(msg);
        wpa_command *object = command(f, WPA_COMMAND_WATCH_OBJECT); /* is answered behind it */
        object->object = (wpa_object){WPA_OBJECT_FINDING, 1};
        submit(f, object);
        int kind = 0;
        do {
            msg = expect(f, is_any, NULL, "counts or detail");
            kind = msg->kind;
            const wpa_list_view *list = msg->body;
            if (kind == WPA_FEED_LIST && list->request_id == id && list->n_without) {
                n_told = list->n_without;
                assert_string_equal(list->without[0].term, "sev:");
                assert_int_equal(list->without[0].n_matching, 40);
                assert_int_equal(list->n_matching, 10);
            }
            wpa_msg_free(msg);
        } while (kind != WPA_FEED_DETAIL);
    }
    assert_int_equal(n_told, 1); /* all of them are of performance */
}

/* What the console offers and refuses is what the views have. */
static void fields_are_those_of_the_views(void **state)
{
    fixture *f = *state;
    static const char *const all[] = {"sev",   "rule", "cat",   "wf",  "repo", "path",
                                      "state", "age",  "score", "has", "by",   "text"};
    static const char *const names[WPA_LIST_COUNT] = {
        [WPA_LIST_WORKFLOWS] = "workflows",
        [WPA_LIST_FINDINGS] = "findings",
        [WPA_LIST_PATCHES] = "patches",
        [WPA_LIST_DEPLOYMENTS] = "deployments",
        [WPA_LIST_AUDIT] = "audit",
        [WPA_LIST_NOTICES] = "notices",
        [WPA_LIST_JOBS] = "jobs",
        [WPA_LIST_RUNS] = "runs",
        [WPA_LIST_DESTINATIONS] = "destinations",
    };
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN); /* the schema is there */
    for (int list = 0; list < WPA_LIST_COUNT; list++) {
        for (size_t i = 0; i < WPA_COUNT(all); i++) {
            const char *column = wpa_text_is(all[i], "age") ? "at_us" : all[i];
            const char *sql = wpa_arena_printf(
                f->arena,
                "SELECT count(*) FROM list_view l JOIN information_schema.columns c ON "
                "c.table_name = l.view AND c.table_schema = 'wpa' WHERE l.list = '%s' AND "
                "c.column_name = '%s'",
                names[list], column);
            bool has = wpa_test_sql_int(f->pg, 0, sql) == 1;
            if (has != wpa_filter_has_field((wpa_list)list, all[i])) {
                fail_msg("%s: %s %s", names[list], all[i], has ? "is there" : "is not there");
            }
        }
    }
}

static void the_whole_way(void **state)
{
    fixture *f = *state;
    char text[256];
    wpa_object object;
    int dashboard = WPA_FEED_DASHBOARD;
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN);
    wpa_command *early = command(f, WPA_COMMAND_VERIFY_AUDIT);
    assert_int_equal(ask(f, early, text, NULL), WPA_E_DENIED);
    assert_int_equal(
        ask(f, sign_in(f, WPA_COMMAND_FIRST_GUARDIAN, "a long passphrase"), text, NULL), WPA_OK);
    assert_string_equal(wpa_test_sql(f->pg, NULL, 0, FLEET), "00000");
    wpa_msg *msg = NULL;
    for (int i = 0; i < 50; i++) { /* until the fleet is in it */
        msg = expect(f, is_kind, &dashboard, "dashboard");
        if (((const wpa_dashboard_view *)msg->body)->n_workflows == 30) {
            break;
        }
        wpa_msg_free(msg);
        msg = NULL;
    }
    if (!msg) {
        fail_msg("the fleet is never on the dashboard");
        return; /* for the compiler, which does not know that fail_msg never comes back */
    }
    const wpa_dashboard_view *view = msg->body;
    assert_int_equal(view->findings.n_open, 40);
    assert_int_equal(view->findings.open[WPA_DIMENSION_PERFORMANCE][WPA_SEVERITY_CRITICAL], 10);
    assert_int_equal(view->n_worst, 30);
    assert_string_equal(view->worst[0].name, "ledger-api/w1.yml");
    assert_true(view->worst[0].scores.overall == 1);
    assert_true(view->worst[29].scores.overall < 0);
    assert_int_equal(view->n_needs_all, 10);
    assert_true(view->n_activity > 0);
    for (size_t i = 0; i < view->n_activity; i++) { /* who comes and goes is in the audit log */
        assert_false(wpa_text_starts(view->activity[i].text, "session"));
    }
    wpa_msg_free(msg);

    /* windows by key: down, around a row, up from the end */
    msg = watch(f, WPA_LIST_FINDINGS, NULL, 0, 9);
    const wpa_list_view *list = msg->body;
    assert_int_equal(list->n_rows, 10);
    assert_int_equal(list->n_matching, 40);
    assert_int_equal(list->position, 0);
    assert_false(list->has_before);
    assert_true(list->has_after);
    char cursor[128];
    (void)wpa_text_copy(cursor, sizeof cursor, list->findings[9].cursor);
    int64_t tenth = list->findings[9].id;
    wpa_msg_free(msg);
    msg = watch(f, WPA_LIST_FINDINGS, cursor, 3, 4);
    list = msg->body;
    assert_int_equal(list->n_rows, 8);
    assert_int_equal(list->findings[3].id, tenth);
    assert_int_equal(list->position, 6);
    wpa_msg_free(msg);

    /* a filter, and a term nobody knows */
    msg = watch_filtered(f, WPA_LIST_FINDINGS, "sev:crit,high colour:red");
    list = msg->body;
    assert_int_equal(list->n_matching, 20);
    assert_int_equal(list->n_all, 40);
    assert_string_equal(list->ignored, "colour");
    assert_int_equal(list->n_without, 0);
    wpa_msg_free(msg);

    /* detail, order, its effect on the list */
    wpa_command *c = command(f, WPA_COMMAND_WATCH_OBJECT);
    c->object = (wpa_object){WPA_OBJECT_FINDING, 1};
    submit(f, c);
    int detail = WPA_FEED_DETAIL;
    msg = expect(f, is_kind, &detail, "detail");
    const wpa_detail_view *d = msg->body;
    assert_null(d->missing);
    assert_int_equal(d->finding->n_lines, 2);
    assert_string_equal(d->finding->lines[1].text, "on: push");
    assert_int_equal(d->finding->n_also_all, 39);
    wpa_msg_free(msg);
    c = command(f, WPA_COMMAND_WATCH_OBJECT);
    c->object = (wpa_object){WPA_OBJECT_WORKFLOW, 1};
    submit(f, c);
    msg = expect(f, is_kind, &detail, "detail");
    d = msg->body;
    assert_string_equal(d->workflow->url, "https://***@x.example/l");
    check_map(d->workflow);
    wpa_msg_free(msg);
    c = command(f, WPA_COMMAND_WATCH_OBJECT);
    c->object = (wpa_object){WPA_OBJECT_WORKFLOW, 25};
    submit(f, c);
    msg = expect(f, is_kind, &detail, "detail");
    d = msg->body;
    assert_int_equal(d->workflow->n_uses, 0);
    assert_null(d->workflow->triggers);
    assert_int_equal(d->workflow->n_used_by, 2);
    assert_string_equal(d->workflow->used_by[1].name, "ledger-api/w3.yml");
    assert_string_equal(d->workflow->used_by[1].ref,
                        "org/ledger-api/.github/workflows/w25.yml@main");
    assert_int_equal(d->workflow->used_by[1].line, 11);
    assert_int_equal(d->workflow->used_by[1].object.id, 3);
    assert_true(d->workflow->used_by[1].score > 2.9);
    wpa_msg_free(msg);
    c = command(f, WPA_COMMAND_IGNORE);
    wpa_object *objects = wpa_arena_array(c->arena, 1, sizeof *objects);
    objects[0] = (wpa_object){WPA_OBJECT_FINDING, 4};
    c->objects = objects;
    c->n_objects = 1;
    c->text = "legacy runner";
    c->until_us = wpa_now_us() + 86400000000;
    assert_int_equal(ask(f, c, text, NULL), WPA_OK);
    ignore_matching(f, "sev:crit colour:red", 10, WPA_E_INVALID, "not understood: colour");
    ignore_matching(f, "sev:crit", 10, WPA_E_CONFLICT, "9 match by now, not 10: look again");
    ignore_matching(f, "sev:crit", 9, WPA_OK, "");
    ignore_matching(f, "sev:crit", 9, WPA_E_CONFLICT, "0 match by now");
    c = command(f, WPA_COMMAND_FIND);
    c->text = "ledger-api/w7.yml";
    assert_int_equal(ask(f, c, text, &object), WPA_OK);
    assert_int_equal(object.kind, WPA_OBJECT_WORKFLOW);
    assert_int_equal(object.id, 7);
    assert_int_equal(ask(f, command(f, WPA_COMMAND_VERIFY_AUDIT), text, NULL), WPA_OK);
    assert_non_null(strstr(text, "sound"));
    c = command(f, WPA_COMMAND_HOLD);
    c->object = (wpa_object){WPA_OBJECT_DEPLOYMENT, 99};
    assert_int_not_equal(ask(f, c, text, NULL), WPA_OK);

    /* out, wrong passphrase, read-only: an order is refused and stands in the log */
    assert_int_equal(ask(f, command(f, WPA_COMMAND_SIGN_OUT), text, NULL), WPA_OK);
    assert_int_equal(ask(f, sign_in(f, WPA_COMMAND_SIGN_IN, "wrong"), text, NULL), WPA_E_DENIED);
    assert_int_equal(ask(f, command(f, WPA_COMMAND_SIGN_IN_READ_ONLY), text, NULL), WPA_OK);
    c = command(f, WPA_COMMAND_ANALYSE);
    assert_int_equal(ask(f, c, text, NULL), WPA_E_DENIED);
    assert_int_equal(
        wpa_test_sql_int(f->pg, 0, "SELECT count(*) FROM audit WHERE action='access.refused'"), 1);
}

static bool is_notice(const wpa_msg *msg, const void *context)
{
    return msg->kind == WPA_FEED_NOTICE &&
           wpa_text_is(((const wpa_notice_row *)msg->body)->text, context);
}

/* Of two notices the one that took its number first may be committed last; each is told once. */
static void notices_come_in_any_order(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    char text[256];
    static const wpa_sql add = {
        .name = "add", .text = "SELECT wpa.notice_add('ok', '', '', 'slow')", .index = -1};
    int dashboard = WPA_FEED_DASHBOARD;
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN);
    assert_int_equal(
        ask(f, sign_in(f, WPA_COMMAND_FIRST_GUARDIAN, "a long passphrase"), text, NULL), WPA_OK);
    wpa_msg_free(expect(f, is_kind, &dashboard, "dashboard")); /* what stands has been read */
    wpa_db *slow = wpa_test_pg_connect(f->pg, NULL);
    assert_true(wpa_db_begin(slow, NULL, &err) && wpa_db_run(slow, &add, NULL, 0, &err));
    assert_string_equal(
        wpa_test_sql(f->pg, NULL, 0, "SELECT wpa.notice_add('ok', '', '', 'quick')"), "00000");
    wpa_msg_free(expect(f, is_notice, "quick", "notice"));
    assert_true(wpa_db_commit(slow, &err));
    wpa_msg_free(expect(f, is_notice, "slow", "notice that was committed late"));
    wpa_db_close(slow);
}

static bool is_link(const wpa_msg *msg, const void *context)
{
    return msg->kind == WPA_FEED_LINK &&
           ((const wpa_link_view *)msg->body)->state == *(const wpa_link_state *)context;
}

static void a_cut_is_said_and_mended(void **state)
{
    fixture *f = *state;
    wpa_link_state live = WPA_LINK_LIVE;
    wpa_link_state lost = WPA_LINK_LOST;
    wpa_msg_free(expect(f, is_link, &live, "live link"));
    (void)wpa_test_sql(f->pg, NULL, 0,
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                       "datname = current_database() AND pid <> pg_backend_pid()");
    wpa_msg *msg = expect(f, is_link, &lost, "lost link");
    assert_non_null(((const wpa_link_view *)msg->body)->reason);
    wpa_msg_free(msg);
    wpa_msg_free(expect(f, is_link, &live, "live link again"));
}

/** For the others he is there no longer than the console is. */
static void who_leaves_is_gone(void **state)
{
    static const char there[] = "SELECT count(*) FROM wpa.session WHERE kind = 'console' AND "
                                "ended_at IS NULL AND place = 'f-7'";
    fixture *f = *state;
    expect_session(f, WPA_SESSION_FIRST_GUARDIAN);
    assert_int_equal(
        ask(f, sign_in(f, WPA_COMMAND_FIRST_GUARDIAN, "a long passphrase"), NULL, NULL), WPA_OK);
    wpa_command *place = command(f, WPA_COMMAND_PLACE);
    place->text = "f-7";
    assert_int_equal(ask(f, place, NULL, NULL), WPA_OK);
    assert_int_equal(wpa_test_sql_int(f->pg, 0, there), 1);
    wpa_feed_close(f->feed);
    f->feed = NULL;
    assert_int_equal(wpa_test_sql_int(f->pg, 0, there), 0);
}

int main(void)
{
    wpa_test_pg_need();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(filters_say_what_they_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(terms_say_what_they_keep_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_are_those_of_the_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_come_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_is_said_and_mended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_gone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
