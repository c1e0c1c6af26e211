/* Asking a forge: of a server here, of repositories here, out of a mirror, and of one that means
 * harm. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>

#include "auth/hash.h"
#include "facts/ask.h"
#include "facts/tables.h"
#include "git/git.h"
#include "harness/patience.h"
#include "http/http.h"

#define TODAY "2027-01-15"
#define ONES "1111111111111111111111111111111111111111"
#define S(text) wpa_slice_of(text)

/* ---- a forge ---- */

#define PAGES_MAX 8

typedef struct page {
    const char *path, *body; /* what "GET path" is answered with */
    int status;              /* 0: 200 */
    const char *header;      /* one more, with a line break; or NULL */
} page;

typedef struct forge {
    int fd, port;
    page pages[PAGES_MAX];
    const char *rest; /* sent behind every body without end, or NULL */
    atomic_int n_asked, n_authorised, n_unknown;
    pthread_t thread;
} forge;

static void answer(forge *f, int client, const char *path)
{
    static const page gone = {"", "{}", 404, NULL};
    const page *found = &gone;
    for (size_t i = 0; i < PAGES_MAX && f->pages[i].path; i++) {
        found = strcmp(path, f->pages[i].path) == 0 ? &f->pages[i] : found;
    }
    atomic_fetch_add(&f->n_unknown, found == &gone);
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    wpa_buf_printf(out, "HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n%s",
                   found->status ? found->status : 200, found->header ? found->header : "",
                   found->body);
    ssize_t sent = send(client, wpa_buf_data(out), wpa_buf_size(out), MSG_NOSIGNAL);
    while (f->rest && sent > 0) {
        sent = send(client, f->rest, strlen(f->rest), MSG_NOSIGNAL);
    }
}

static void *serve(void *argument)
{
    forge *f = argument;
    int client;
    while ((client = accept(f->fd, NULL, NULL)) >= 0) {
        char request[4096];
        ssize_t n = recv(client, request, sizeof request - 1, 0);
        request[n > 0 ? n : 0] = '\0';
        atomic_fetch_add(&f->n_asked, 1);
        atomic_fetch_add(&f->n_authorised, strstr(request, "Authorization: Bearer s3cret") != NULL);
        char *path = strchr(request, ' '), *end = path ? strchr(path + 1, ' ') : NULL;
        if (end) {
            *end = '\0';
            answer(f, client, path + 1);
        }
        (void)close(client);
    }
    return NULL;
}

static void start(forge *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(f->fd, 64), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&address, &length), 0);
    f->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop(forge *f)
{
    (void)shutdown(f->fd, SHUT_RDWR);
    (void)pthread_join(f->thread, NULL);
    (void)close(f->fd);
}

/* ---- asking ---- */

typedef struct state {
    wpa_arena *arena;
    const char *folder; /* of repositories by owner and name */
    char release[WPA_OID_SIZE];
} state;

static const wpa_told *read_back(state *s, const wpa_ask_outcome *outcome)
{
    wpa_error err = {0};
    if (!outcome->table) {
        return NULL;
    }
    const wpa_told *told =
        wpa_told_parse("new", outcome->table, outcome->table_bytes, TODAY, s->arena, &err);
    if (!told) {
        fail_msg("%s", err.message);
    }
    return told;
}

static const wpa_told *ask(state *s, wpa_ask_request request, wpa_ask_outcome *outcome)
{
    wpa_error err = {0};
    request.timeout_ms = request.timeout_ms ? request.timeout_ms : WPA_PATIENCE_MS;
    request.today = TODAY;
    request.tables = request.tables ? request.tables : WPA_ASK_TABLES;
    if (!wpa_ask(&request, s->arena, outcome, &err)) {
        fail_msg("%s: %s", err.context, err.message);
    }
    return read_back(s, outcome);
}

static const char *base_of(state *s, const forge *f)
{
    return wpa_arena_printf(s->arena, "http://127.0.0.1:%d/api/v3", f->port);
}

#define ADVISORIES "/api/v3/advisories?ecosystem=actions&per_page=100"
#define PACKAGE(name) "{\"package\":{\"ecosystem\":\"actions\",\"name\":\"" name "\"},"
#define ADVISORY(id, name, range)                                                                  \
    "{\"ghsa_id\":\"" id "\",\"summary\":\"It\\u001b[2J\\nleaks\",\"severity\":\"high\","          \
    "\"published_at\":\"2027-01-02T03:04:05Z\",\"withdrawn_at\":null,\"vulnerabilities\":"         \
    "[" PACKAGE(name) "\"vulnerable_version_range\":\"" range "\"}]}"

/** Page by page; what is withdrawn is known as that, and the token goes to the API alone. */
static void advisories_come_page_by_page(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    forge f = {
        .pages = {
            {ADVISORIES,
             "[" ADVISORY("GHSA-2", "acme/deploy",
                          ">= 1.0.0, < 1.2.3") "," ADVISORY("GHSA-1", "Acme/Ship", "<= 2.0.0") "]",
             0, NULL},
            {"/api/v3/advisories?after=x",
             "[" ADVISORY("GHSA-1", "Acme/Ship", "<= 2.0.0") "," ADVISORY(
                 "GHSA-3", "acme/one",
                 "= 3.0.0") ","
                            "{\"ghsa_id\":\"GHSA-4\",\"summary\":\"\",\"published_at\":"
                            "\"2026-12-01T00:00:00Z\",\"withdrawn_at\":\"2027-01-01T00:00:00Z\","
                            "\"vulnerabilities\":[]}]",
             0, NULL},
        }};
    start(&f);
    f.pages[0].header = wpa_arena_printf(
        s->arena, "Link: <%s/x>; rel=\"prev\", <%s/advisories?after=x>; rel=\"next\"\r\n",
        base_of(s, &f), base_of(s, &f));
    const wpa_told *told =
        ask(s, (wpa_ask_request){.api = base_of(s, &f), .token = "s3cret"}, &outcome);
    stop(&f);
    assert_int_equal(outcome.n_faults, 0);
    assert_int_equal(atomic_load(&f.n_authorised), 2);
    assert_int_equal(told->n_advisories, 3);
    assert_string_equal(told->advisories_date, TODAY);
    const wpa_fact_advisory *row = &told->advisories[0];
    assert_string_equal(row->action, "acme/deploy");
    assert_string_equal(row->severity, "high");
    assert_string_equal(row->published, "2027-01-02");
    assert_null(strchr(row->summary, '\033'));
    assert_string_equal(row->ranges[0].introduced, "1.0.0");
    assert_string_equal(row->ranges[0].fixed, "1.2.3");
    assert_string_equal(row->first_patched, "1.2.3");
    assert_string_equal(told->advisories[1].ranges[0].introduced, "3.0.0");
    assert_string_equal(told->advisories[1].ranges[0].last_affected, "3.0.0");
    assert_string_equal(told->advisories[2].ranges[0].last_affected, "2.0.0");
    assert_true(wpa_told_is_withdrawn(told, "GHSA-4"));
}

static const struct {
    const char *title, *body, *fault; /* NULL: it is taken */
    size_t n;                         /* advisories in the table */
} bodies[] = {
    {"one", "[" ADVISORY("GHSA-1", "a/b", "< 2") "]", NULL, 1},
    {"of another ecosystem alone",
     "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"x\",\"published_at\":\"2027-01-02T00:00:00Z\","
     "\"vulnerabilities\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"x\"}}]}]",
     "advisories: the forge says that there is not one", 0},
    {"a range that starts behind a version",
     "[" ADVISORY("GHSA-1", "a/b", "> 1.0, < 2") "," ADVISORY("GHSA-2", "a/b", "< 2") "]",
     "GHSA-1: '> 1.0, < 2' of 'a/b' is not understood", 1},
    {"a name that leads out",
     "[" ADVISORY("GHSA-1", "a/../b", "< 2") "," ADVISORY("GHSA-2", "a/b", "< 2") "]",
     "GHSA-1: '< 2' of 'a/../b' is not understood", 1},
    {"half of one is none",
     "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"x\",\"published_at\":\"2027-01-02T00:00:00Z\","
     "\"vulnerabilities\":[" PACKAGE("a/b") "\"vulnerable_version_range\":\"< 1\"}," PACKAGE(
         "a/b") "\"vulnerable_version_range\":\"soon\"}]}," ADVISORY("GHSA-2", "c/d", "< 2") "]",
     "GHSA-1: 'soon' of 'a/b' is not understood", 1},
    {"ranges of one action",
     "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"x\",\"published_at\":\"2027-01-02T00:00:00Z\","
     "\"vulnerabilities\":[" PACKAGE("a/b") "\"vulnerable_version_range\":\"< 1\"}," PACKAGE(
         "A/B") "\"vulnerable_version_range\":\">= 2, < 3\"}]}]",
     NULL, 1},
    {"nothing", "[]", "advisories: the forge says that there is not one", 0},
    {"no list", "{\"message\":\"hello\"}", "advisories: ", 0},
    {"no JSON", "<html>", "advisories: ", 0},
    {"cut short", "[" ADVISORY("GHSA-1", "a/b", "< 2"), "advisories: ", 0},
    {"an id that is none", "[" ADVISORY("GHSA 1", "a/b", "< 2") "]", "advisories: ", 0},
    {"a day to come",
     "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"x\",\"published_at\":\"2999-01-02T00:00:00Z\","
     "\"vulnerabilities\":[]}]",
     "advisories: ", 0},
    {"a number for a text",
     "[{\"ghsa_id\":1,\"summary\":\"x\",\"published_at\":\"2027-01-02T00:00:00Z\","
     "\"vulnerabilities\":[]}]",
     "advisories: ", 0},
    {"a list that is none",
     "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"x\",\"published_at\":\"2027-01-02T00:00:00Z\","
     "\"vulnerabilities\":{}}]",
     "advisories: ", 0},
};

static void an_answer_is_taken_whole_or_not(void **in)
{
    state *s = *in;
    for (size_t i = 0; i < WPA_COUNT(bodies); i++) {
        wpa_ask_outcome outcome;
        print_message("%s\n", bodies[i].title);
        forge f = {.pages = {{ADVISORIES, bodies[i].body, 0, NULL}}};
        start(&f);
        const wpa_told *told = ask(s, (wpa_ask_request){.api = base_of(s, &f)}, &outcome);
        stop(&f);
        assert_int_equal(outcome.n_faults, bodies[i].fault != NULL);
        if (bodies[i].fault) {
            assert_non_null(strstr(outcome.faults[0], bodies[i].fault));
        }
        assert_int_equal(told ? told->n_advisories : 0, bodies[i].n);
        assert_int_equal(outcome.has_advisories, bodies[i].n > 0);
    }
}

/** Whatever a forge calls an advisory, the table can be read again, and is the same then. */
static void words_of_any_kind_stand_in_a_table(void **in)
{
    state *s = *in;
    static const char *const words[] = {"",
                                        "  in the middle  of  it ",
                                        "\\u001b]0;x\\u0007",
                                        "a\\\\x1b\\\\n",
                                        "\\n\\n",
                                        "\\u202e\\u2066",
                                        "\\u00a0",
                                        "advisory GHSA-2 x"};
    for (size_t i = 0; i <= WPA_COUNT(words); i++) {
        char word[2 * WPA_TOLD_MAX_TEXT + 4];
        memset(word, 'x', sizeof word);
        for (size_t k = 1; k + 1 < sizeof word; k += 2) { /* the limit falls into a character */
            memcpy(word + k, "\xc3\xa9", 2);
        }
        word[sizeof word - 1] = '\0';
        forge f = {.pages = {{ADVISORIES, "", 0, NULL}}};
        f.pages[0].body = wpa_arena_printf(
            s->arena,
            "[{\"ghsa_id\":\"GHSA-1\",\"summary\":\"%s\",\"severity\":\"low\","
            "\"published_at\":\"2027-01-02T03:04:05Z\",\"vulnerabilities\":[" PACKAGE(
                "a/b") "\"vulnerable_version_range\":\"< 2\"}]}]",
            i < WPA_COUNT(words) ? words[i] : word);
        wpa_ask_outcome outcome;
        start(&f);
        const wpa_told *told = ask(s, (wpa_ask_request){.api = base_of(s, &f)}, &outcome);
        stop(&f);
        assert_non_null(told);
        assert_int_equal(told->n_advisories, 1);
        const char *summary = told->advisories[0].summary;
        assert_string_equal(wpa_told_text(summary, s->arena), summary);
    }
}

static const struct {
    const char *title, *link, *rest, *fault;
    int status;
} harms[] = {
    {"an error", NULL, NULL, "the forge answers 500", 500},
    {"no more requests", NULL, NULL, "takes no more requests for now (403)", 403},
    {"a bad token", NULL, NULL, "does not take the token", 401},
    {"a next page elsewhere", "Link: <http://127.0.0.2/advisories>; rel=\"next\"\r\n", NULL,
     "the next page is said to be elsewhere", 0},
    {"a next page that is not below", "Link: <BASE-evil/advisories>; rel=\"next\"\r\n", NULL,
     "the next page is said to be elsewhere", 0},
    {"pages without end",
     "Link: <BASE/advisories?ecosystem=actions&per_page=100>; rel=\"next\"\r\n", NULL,
     "there are more than 200 pages", 0},
    {"a body without end", NULL, "          ", "advisories: ", 0},
    {"a redirect into files", "Location: file:///etc/passwd\r\n", NULL, "advisories: ", 302},
};

static void a_hostile_forge_gets_nothing_in(void **in)
{
    state *s = *in;
    for (size_t i = 0; i < WPA_COUNT(harms); i++) {
        wpa_ask_outcome outcome;
        print_message("%s\n", harms[i].title);
        forge f = {.pages = {{ADVISORIES, "[" ADVISORY("GHSA-1", "a/b", "< 2") "]", harms[i].status,
                              NULL}},
                   .rest = harms[i].rest};
        start(&f);
        const char *link = harms[i].link, *base = link ? strstr(link, "BASE") : NULL;
        f.pages[0].header = base ? wpa_arena_printf(s->arena, "%.*s%s%s", (int)(base - link), link,
                                                    base_of(s, &f), base + strlen("BASE"))
                                 : link;
        (void)ask(s, (wpa_ask_request){.api = base_of(s, &f), .timeout_ms = 5000}, &outcome);
        stop(&f);
        assert_null(outcome.table);
        assert_int_equal(outcome.n_faults, 1);
        assert_non_null(strstr(outcome.faults[0], harms[i].fault));
    }
}

/** Where an answer comes from is where it was asked for, and no token goes elsewhere. */
static void a_redirect_out_of_the_api_is_no_answer(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    forge other = {.pages = {{"/x", "[" ADVISORY("GHSA-1", "a/b", "< 2") "]", 0, NULL}}};
    forge f = {.pages = {{ADVISORIES, "", 302, NULL}}};
    start(&other);
    start(&f);
    f.pages[0].header =
        wpa_arena_printf(s->arena, "Location: http://127.0.0.1:%d/x\r\n", other.port);
    (void)ask(s, (wpa_ask_request){.api = base_of(s, &f), .token = "s3cret"}, &outcome);
    stop(&f);
    stop(&other);
    assert_null(outcome.table);
    assert_non_null(strstr(outcome.faults[0], "the answer comes from elsewhere"));
    assert_int_equal(atomic_load(&f.n_authorised), 1);
    assert_int_equal(atomic_load(&other.n_authorised), 0);
}

static void a_token_does_not_go_in_the_clear(void **in)
{
    state *s = *in;
    static const char *const urls[] = {
        "http://forge.example/api/v3", "http://127.0.0.1.evil.example",
        "http://127.0.0.1:80@evil.example", "http://localhost:x", "ftp://forge.example"};
    for (size_t i = 0; i < WPA_COUNT(urls); i++) {
        wpa_error err = {0};
        wpa_ask_outcome outcome;
        const wpa_ask_request request = {.api = urls[i], .token = "s3cret", .today = TODAY};
        assert_false(wpa_ask(&request, s->arena, &outcome, &err));
        assert_int_equal(err.code, WPA_E_INVALID);
    }
}

/* ---- repositories ---- */

static void repositories_are_asked_for(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    static const char *const slugs[] = {"acme/deploy", "acme/old", "acme/gone", "acme/odd",
                                        "acme/still"};
    forge f = {
        .pages = {
            {"/api/v3/repos/acme/deploy",
             "{\"full_name\":\"Acme/Deploy\",\"archived\":true,\"more\":[1]}", 0, NULL},
            {"/api/v3/repos/acme/old", "", 301, NULL},
            {"/api/v3/repositories/7", "{\"full_name\":\"acme/new\",\"archived\":false}", 0, NULL},
            {"/api/v3/repos/acme/odd", "{\"full_name\":\"../x\",\"archived\":false}", 0, NULL},
            {"/api/v3/repos/acme/still", "{\"full_name\":\"acme/still\",\"archived\":false}", 0,
             NULL},
        }};
    start(&f);
    f.pages[1].header =
        wpa_arena_printf(s->arena, "Location: %s/repositories/7\r\n", base_of(s, &f));
    const wpa_ask_request request = {.api = base_of(s, &f),
                                     .tables = 1U << WPA_FACTS_ARCHIVED,
                                     .slugs = slugs,
                                     .n_slugs = WPA_COUNT(slugs)};
    const wpa_told *told = ask(s, request, &outcome);
    stop(&f);
    assert_int_equal(outcome.n_repos, 3);
    assert_int_equal(outcome.n_faults, 2);
    assert_non_null(strstr(outcome.faults[0], "acme/gone: the forge does not have it"));
    assert_non_null(strstr(outcome.faults[1], "acme/odd: it says that it is called '../x'"));
    assert_int_equal(told->n_repos, 3);
    assert_int_equal(wpa_told_repo_find(told, S("acme/deploy"))->state, WPA_TOLD_ARCHIVED);
    assert_int_equal(wpa_told_repo_find(told, S("ACME/old"))->state, WPA_TOLD_MOVED);
    assert_string_equal(wpa_told_repo_find(told, S("acme/old"))->target, "acme/new");
    assert_int_equal(wpa_told_repo_find(told, S("acme/still"))->state, WPA_TOLD_ACTIVE);

    /* What answers no more keeps what was known, with its day. */
    f = (forge){.pages = {{"/api/v3/repos/acme/deploy", "", 429, NULL}}};
    start(&f);
    wpa_ask_request again = request;
    again.api = base_of(s, &f);
    again.before = told;
    again.n_slugs = 1;
    (void)ask(s, again, &outcome);
    stop(&f);
    assert_null(outcome.table);
    assert_non_null(strstr(outcome.faults[0], "takes no more requests for now (429)"));
}

/** Once a forge says no, the rest is not asked. */
static void a_forge_that_refuses_is_left_alone(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    const char *slugs[100];
    forge f = {.pages = {{"/api/v3/repos/acme/a0", "", 403, NULL}}};
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        slugs[i] = "acme/a0";
    }
    start(&f);
    (void)ask(s,
              (wpa_ask_request){.api = base_of(s, &f),
                                .tables = 1U << WPA_FACTS_ARCHIVED,
                                .slugs = slugs,
                                .n_slugs = WPA_COUNT(slugs)},
              &outcome);
    stop(&f);
    assert_true(atomic_load(&f.n_asked) <= 16);
    assert_int_equal(outcome.n_unasked + outcome.n_faults, WPA_COUNT(slugs));
}

/** One that is closed by itself says nothing about the others. */
static void a_closed_repository_keeps_no_other_back(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    static const char *const slugs[] = {"acme/closed", "acme/a", "acme/b", "acme/shut"};
    forge f = {
        .pages = {
            {"/api/v3/repos/acme/closed", "", 403, NULL},
            {"/api/v3/repos/acme/a", "{\"full_name\":\"acme/a\",\"archived\":true}", 0, NULL},
            {"/api/v3/repos/acme/b", "{\"full_name\":\"acme/b\",\"archived\":false}", 0, NULL},
            {"/api/v3/repos/acme/shut", "", 403, NULL},
        }};
    start(&f);
    (void)ask(s,
              (wpa_ask_request){.api = base_of(s, &f),
                                .tables = 1U << WPA_FACTS_ARCHIVED,
                                .slugs = slugs,
                                .n_slugs = WPA_COUNT(slugs)},
              &outcome);
    stop(&f);
    assert_int_equal(outcome.n_repos, 2);
    assert_int_equal(outcome.n_faults, 2);
    assert_int_equal(outcome.n_unasked, 0);
}

static void silence_ends_the_asking(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    const char *slugs[200];
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        slugs[i] = wpa_arena_printf(s->arena, "acme/a%zu", i);
    }
    assert_null(ask(
        s,
        (wpa_ask_request){.api = "http://127.0.0.1:1", .slugs = slugs, .n_slugs = WPA_COUNT(slugs)},
        &outcome));
    assert_true(outcome.n_unasked > 150);
}

/* ---- action.yml ---- */

#define FILE_TEXT                                                                                  \
    "name: x\ninputs:\n  token: {required: true, deprecationMessage: \"not\\nread\"}\n"            \
    "  url: {default: ''}\n  plain:\noutputs:\n  place: {value: x}\n"                              \
    "runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n    - uses: ./local\n"     \
    "    - run: x\n      shell: bash\n"

static void make_repo(state *s)
{
    static const wpa_git_identity identity = {"wpa", "wpa@example.org", 1767225600};
    wpa_error err = {0};
    char root[WPA_OID_SIZE], below[WPA_OID_SIZE];
    static const char docker[] = "runs: {using: docker, image: Dockerfile}\n";
    const char *path = wpa_path_join(s->arena, s->folder, "acme/deploy.git");
    assert_true(wpa_dir_make(path, 0755, &err));
    WPA_AUTO(wpa_git) *git = wpa_git_create(path, "main", &err);
    assert_non_null(git);
    assert_true(wpa_git_blob_id(FILE_TEXT, strlen(FILE_TEXT), root, &err));
    assert_true(wpa_git_blob_id(docker, strlen(docker), below, &err));
    const wpa_git_edit edits[] = {{"action.yml", NULL, root, FILE_TEXT, strlen(FILE_TEXT)},
                                  {"sub/action.yaml", NULL, below, docker, strlen(docker)}};
    assert_true(wpa_git_commit_make(git, NULL, edits, 2, &identity, "x", s->release, &err));
}

static const wpa_refreshed *tags_at(state *s, const char *commit)
{
    wpa_error err = {0};
    char digest[WPA_SHA256_HEX_SIZE];
    const char *rows =
        wpa_arena_printf(s->arena,
                         "repo acme/deploy 2027-01-15\ntag v1.9.0 " ONES "\ntag v2 " ONES
                         "\ntag v2.10.0 %s\ntag v2.9.0 " ONES "\ntag v3.0.0-rc.1 " ONES "\n",
                         commit);
    const char *text =
        wpa_arena_printf(s->arena, "wpa.facts/1 tags\ndate 2027-01-15\ndigest %s\n%s",
                         wpa_sha256_hex(rows, strlen(rows), digest), rows);
    const wpa_refreshed *tags = wpa_refreshed_parse("t", text, strlen(text), TODAY, s->arena, &err);
    assert_non_null(tags);
    return tags;
}

static void assert_read(const wpa_told *told, const char *commit)
{
    char hex[2 * WPA_COMMIT_BYTES + 1];
    const wpa_told_action *action = wpa_told_action_find(told, S("Acme/deploy"));
    assert_non_null(action);
    wpa_hex_encode(action->commit, WPA_COMMIT_BYTES, hex);
    assert_string_equal(hex, commit);
    assert_string_equal(action->tag, "v2.10.0");
    assert_string_equal(action->using, "composite");
    assert_int_equal(action->n_inputs, 3);
    assert_string_equal(action->inputs[0].name, "token");
    assert_true(action->inputs[0].is_required && !action->inputs[0].has_default);
    assert_string_equal(action->inputs[0].deprecated, "not read");
    assert_true(action->inputs[1].has_default);
    assert_false(action->inputs[2].is_required);
    assert_int_equal(action->n_outputs, 1);
    assert_int_equal(action->n_uses, 1);
    assert_string_equal(action->uses[0], "actions/cache@v4");
}

static const char *const actions[] = {"acme/deploy", "acme/deploy/sub", "acme/deploy/none",
                                      "acme/elsewhere"};

static void files_of_repositories_here(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    wpa_ask_request request = {.from = s->folder,
                               .actions = actions,
                               .n_actions = WPA_COUNT(actions),
                               .tags = tags_at(s, s->release)};
    const wpa_told *told = ask(s, request, &outcome);
    assert_int_equal(outcome.n_actions, 2);
    assert_int_equal(outcome.n_faults, 0);
    assert_read(told, s->release);
    const wpa_told_action *sub = wpa_told_action_find(told, S("acme/deploy/sub"));
    assert_string_equal(sub->using, "docker");
    assert_string_equal(sub->image, "Dockerfile");
    assert_null(wpa_told_action_find(told, S("acme/deploy/SUB")));

    /* The same release is not asked for again; another table is a mirror of this one. */
    request.before = told;
    (void)ask(s, request, &outcome);
    assert_int_equal(outcome.n_actions, 0);
    assert_null(outcome.table);
    wpa_error err = {0};
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(1 << 20);
    wpa_told copy = *told;
    const char *mirror = wpa_path_join(s->arena, s->folder, "mirror");
    const char *file = wpa_path_join(s->arena, mirror, WPA_TOLD_FILE);
    assert_true(wpa_told_print(&copy, out, &err) && wpa_dir_make(mirror, 0755, &err));
    assert_true(wpa_file_replace(file, wpa_buf_data(out), wpa_buf_size(out), 0644, &err));
    told = ask(s, (wpa_ask_request){.from = mirror}, &outcome);
    assert_int_equal(outcome.n_faults, 0);
    assert_read(told, s->release);
    assert_true(wpa_file_replace(file, "x", 1, 0644, &err));
    const wpa_ask_request bad = {.from = mirror, .timeout_ms = WPA_PATIENCE_MS, .today = TODAY};
    assert_false(wpa_ask(&bad, s->arena, &outcome, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

static void files_from_the_pages_of_a_forge(void **in)
{
    state *s = *in;
    wpa_ask_outcome outcome;
    forge f = {.pages = {{"/acme/deploy/raw/" ONES "/action.yml", FILE_TEXT, 0, NULL},
                         {"/acme/deploy/raw/" ONES "/sub/action.yaml", "runs: {}\n", 0, NULL},
                         {"/acme/deploy/raw/" ONES "/none/action.yml", "inputs: [", 0, NULL}}};
    start(&f);
    const wpa_ask_request request = {.web =
                                         wpa_arena_printf(s->arena, "http://127.0.0.1:%d", f.port),
                                     .token = "s3cret",
                                     .actions = actions,
                                     .n_actions = WPA_COUNT(actions),
                                     .tags = tags_at(s, ONES)};
    const wpa_told *told = ask(s, request, &outcome);
    stop(&f);
    assert_read(told, ONES);
    assert_int_equal(outcome.n_actions, 1);
    assert_int_equal(outcome.n_faults, 2);
    assert_non_null(strstr(outcome.faults[0], "acme/deploy/sub: it does not say what it runs on"));
    assert_int_equal(atomic_load(&f.n_authorised), 0);
}

static const struct {
    const char *title, *yaml, *message;
} files[] = {
    {"inputs that are a list", "runs: {using: x}\ninputs: [a]\n", "its inputs are no mapping"},
    {"a name with a blank", "runs: {using: x}\ninputs: {'a b': {}}\n", "a name among its inputs"},
    {"a name that moves the cursor", "runs: {using: x}\noutputs: {\"\\e[2J\": {}}\n",
     "a name among its outputs"},
    {"no runtime", "inputs: {}\n", "it does not say what it runs on"},
    {"a runtime with a line break", "runs: {using: \"a\\nb\"}\n", "it does not say"},
    {"a list", "- a\n", "it does not say"},
    {"nothing", "", ""},
    {"a key twice", "runs: {using: x}\nruns: {using: y}\n", ""},
    {"an endless alias", "runs: &a {using: x, b: *a}\n", ""},
};

static void an_action_file_is_read_whole_or_not(void **in)
{
    state *s = *in;
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        wpa_error err = {0};
        wpa_told_action action = {0};
        print_message("%s\n", files[i].title);
        assert_false(
            wpa_ask_read_action(files[i].yaml, strlen(files[i].yaml), s->arena, &action, &err));
        assert_non_null(strstr(err.message, files[i].message));
    }
}

static int setup(void **out)
{
    wpa_error err = {0};
    state *s = test_calloc(1, sizeof *s);
    s->arena = wpa_arena_new();
    s->folder = wpa_dir_temp("/tmp/wpa-ask", s->arena, &err);
    assert_non_null(s->folder);
    make_repo(s);
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(s->folder, &err));
    wpa_arena_free(s->arena);
    test_free(s);
    return 0;
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(advisories_come_page_by_page),
        CASE(an_answer_is_taken_whole_or_not),
        CASE(a_hostile_forge_gets_nothing_in),
        CASE(a_redirect_out_of_the_api_is_no_answer),
        CASE(a_token_does_not_go_in_the_clear),
        CASE(repositories_are_asked_for),
        CASE(a_forge_that_refuses_is_left_alone),
        CASE(silence_ends_the_asking),
        CASE(files_of_repositories_here),
        CASE(files_from_the_pages_of_a_forge),
        CASE(an_action_file_is_read_whole_or_not),
        CASE(words_of_any_kind_stand_in_a_table),
        CASE(a_closed_repository_keeps_no_other_back),
    };
    wpa_error err = {0};
    if (!wpa_git_init(&err) || !wpa_http_init(&err)) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
