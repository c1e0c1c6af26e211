#include "facts/ask.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/map.h>

#include "auth/secret.h"
#include "facts/tables.h"
#include "facts/update.h"
#include "git/git.h"
#include "http/http.h"

#define THREADS_MAX 8
#define PAGES_MAX 200
#define PAGE_MAX_BYTES ((size_t)8 << 20)
#define FILE_MAX_BYTES ((size_t)512 << 10)
/* When nothing at all has answered by then, there is no network: the rest is not asked. */
#define SILENT_MAX 8
/* A repository may be closed by itself; when so many are, it is the forge that has enough. */
#define REFUSED_MAX 4

typedef enum job_state {
    JOB_UNASKED,
    JOB_KNOWN, /* what is there is of the same release */
    JOB_DONE,
    JOB_FAILED
} job_state;

typedef struct job {
    wpa_arena *arena;
    job_state state;
    wpa_error error;
    wpa_told_repo repo;
    wpa_told_action action;
} job;

typedef struct asking {
    const wpa_ask_request *request;
    wpa_ask_outcome *outcome;
    wpa_arena *arena;
    const char *folder; /* real path of a mirror on this machine, or NULL */
    const wpa_told *mirror;
    wpa_told told; /* the new table */
    /* Of the list that is worked through. */
    job *jobs;
    size_t n_jobs;
    bool (*ask)(struct asking *a, size_t i, job *at, wpa_error *err);
    atomic_size_t next, n_done, n_silent, n_refused;
    atomic_bool is_refused; /* the forge takes no more requests */
} asking;

static void add_fault(asking *a, const char *what, const char *why)
{
    wpa_ask_add_fault(a->outcome, a->arena, wpa_arena_printf(a->arena, "%s: %s", what, why));
}

static bool wants(const asking *a, wpa_fact_table table)
{
    return (a->request->tables >> table & 1U) != 0;
}

/* ---- requests ---- */

static bool is_own_host(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < WPA_COUNT(hosts); i++) {
        const char *behind = wpa_text_starts(url, hosts[i]) ? url + strlen(hosts[i]) : "x";
        behind += *behind == ':' ? 1 + strspn(behind + 1, "0123456789") : 0;
        if (*behind == '\0' || *behind == '/') { /* no "127.0.0.1:x@elsewhere" */
            return true;
        }
    }
    return false;
}

static bool check_api(const wpa_ask_request *request, wpa_error *err)
{
    const char *api = request->api;
    bool is_secure = api && wpa_text_starts(api, "https://");
    if (api && !is_secure && !wpa_text_starts(api, "http://")) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no URL of a REST API", api);
    }
    if (api && request->token && !is_secure && !is_own_host(api)) {
        return WPA_FAIL(err, WPA_E_INVALID, "a token is not sent to '%s': it would go in the clear",
                        api);
    }
    return true;
}

/** Why an answer is none; some hold for whatever else could be asked, too. */
static bool refuse(asking *a, int status, wpa_error *err)
{
    bool is_closed = status == 403 && atomic_fetch_add(&a->n_refused, 1) + 1 < REFUSED_MAX;
    if (status == 401 || status == 429 || (status == 403 && !is_closed)) {
        atomic_store(&a->is_refused, true);
    }
    if (status == 401) {
        return WPA_FAIL(err, WPA_E_DENIED, "the forge does not take the token");
    }
    if (status == 403 || status == 429) {
        return WPA_FAIL(err, WPA_E_LIMIT, "the forge takes no more requests for now (%d)", status);
    }
    if (status == 404 || status == 410 || status == 451) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "the forge does not have it, or does not show it");
    }
    return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the forge answers %d", status);
}

static bool is_below(const char *url, const char *base)
{
    size_t length = strlen(base);
    return wpa_text_starts(url, base) && (url[length] == '/' || url[length] == '?');
}

/** An answer of the API, from wherever within it the question was sent on to. */
static const wpa_http_response *get(asking *a, const char *url, size_t max_bytes, wpa_arena *arena,
                                    wpa_error *err)
{
    const char *token = a->request->token;
    char *bearer = token ? wpa_arena_printf(arena, "Authorization: Bearer %s", token) : NULL;
    const char *const headers[] = {"Accept: application/vnd.github+json",
                                   "X-GitHub-Api-Version: 2022-11-28", bearer, NULL};
    const wpa_http_request request = {.url = url,
                                      .headers = headers,
                                      .timeout_ms = a->request->timeout_ms,
                                      .max_body_bytes = max_bytes};
    const wpa_http_response *response = wpa_http_send(&request, arena, err);
    if (bearer) {
        wpa_wipe(bearer, strlen(bearer));
    }
    if (response && response->status != 200) {
        (void)refuse(a, response->status, err);
        return NULL;
    }
    if (response && !is_below(response->url, a->request->api)) {
        (void)WPA_FAIL(err, WPA_E_REFUSED, "the answer comes from elsewhere: '%s'",
                       wpa_told_text(response->url, arena));
        return NULL;
    }
    return response;
}

/* ---- many at once ---- */

static bool is_over(asking *a)
{
    return atomic_load(&a->is_refused) ||
           (atomic_load(&a->n_done) == 0 && atomic_load(&a->n_silent) >= SILENT_MAX);
}

static void ask_one(asking *a, size_t i)
{
    job *at = &a->jobs[i];
    at->arena = wpa_arena_new();
    bool ok = a->ask(a, i, at, &at->error);
    at->state = !ok ? JOB_FAILED : at->state == JOB_KNOWN ? JOB_KNOWN : JOB_DONE;
    bool is_silence = at->error.code == WPA_E_UNAVAILABLE || at->error.code == WPA_E_TIMEOUT;
    atomic_fetch_add(&a->n_done, at->state != JOB_KNOWN && !is_silence);
    atomic_fetch_add(&a->n_silent, is_silence);
}

static void *work_through(void *argument)
{
    asking *a = argument;
    size_t i;
    while ((i = atomic_fetch_add(&a->next, 1)) < a->n_jobs && !is_over(a)) {
        ask_one(a, i);
    }
    return NULL;
}

static void ask_each(asking *a, size_t n, bool (*ask)(asking *, size_t, job *, wpa_error *))
{
    pthread_t threads[THREADS_MAX];
    size_t n_started = 0;
    a->jobs = wpa_arena_array(a->arena, n + 1, sizeof *a->jobs);
    a->n_jobs = n;
    a->ask = ask;
    atomic_store(&a->next, 0);
    atomic_store(&a->n_done, 0);
    atomic_store(&a->n_silent, 0);
    atomic_store(&a->n_refused, 0);
    atomic_store(&a->is_refused, false);
    while (n_started + 1 < THREADS_MAX && n_started + 1 < n &&
           pthread_create(&threads[n_started], NULL, work_through, a) == 0) {
        n_started++;
    }
    work_through(a);
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* ---- advisories ---- */

/** All of them or none: what is missing from half a list would count as sound. */
static bool ask_for_advisories(asking *a, wpa_told *fresh, wpa_error *err)
{
    const char *url =
        wpa_arena_printf(a->arena, "%s/advisories?ecosystem=actions&per_page=100", a->request->api);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new(); /* of one page, which may be long */
    for (size_t n = 0; url; n++) {
        wpa_arena_reset(scratch);
        if (n == PAGES_MAX) {
            return WPA_FAIL(err, WPA_E_LIMIT, "there are more than %d pages", PAGES_MAX);
        }
        const wpa_http_response *response = get(a, url, PAGE_MAX_BYTES, scratch, err);
        if (!response ||
            !wpa_ask_read_advisories(response->body, response->body_bytes, a->request->today,
                                     a->arena, fresh, a->outcome, err)) {
            return false;
        }
        const char *next = wpa_ask_next_page(response->link, a->request->api, a->arena);
        if (!next && strstr(response->link, "rel=\"next\"")) {
            return WPA_FAIL(err, WPA_E_INVALID, "the next page is said to be elsewhere");
        }
        url = next;
    }
    return fresh->n_advisories > 0 ||
           WPA_FAIL(err, WPA_E_INVALID, "the forge says that there is not one");
}

static void take_advisories(asking *a, const wpa_told *from)
{
    bool is_newer =
        from && from->advisories_date &&
        (!a->told.advisories_date || strcmp(from->advisories_date, a->told.advisories_date) > 0);
    if (is_newer) {
        a->told.advisories_date = from->advisories_date;
        a->told.advisories = from->advisories;
        a->told.n_advisories = from->n_advisories;
        a->told.withdrawn = from->withdrawn;
        a->told.n_withdrawn = from->n_withdrawn;
    }
}

static void refresh_advisories(asking *a)
{
    wpa_error err = {0};
    const wpa_told *before = a->request->before;
    wpa_told fresh = {.advisories_date = a->request->today};
    if (before && before->advisories_date &&
        strcmp(before->advisories_date, a->request->today) > 0) {
        fresh.advisories_date = before->advisories_date;
    }
    if (!ask_for_advisories(a, &fresh, &err)) {
        add_fault(a, "advisories", err.message);
        return;
    }
    a->told.advisories_date = NULL; /* asked for just now: that is newer than whatever there is */
    take_advisories(a, &fresh);
    a->outcome->has_advisories = true;
    a->outcome->n_advisories = fresh.n_advisories;
}

/* ---- repositories ---- */

static bool ask_for_repo(asking *a, size_t i, job *at, wpa_error *err)
{
    const char *slug = a->request->slugs[i];
    const char *url = wpa_arena_printf(at->arena, "%s/repos/%s", a->request->api, slug);
    const wpa_http_response *response = get(a, url, PAGE_MAX_BYTES, at->arena, err);
    at->repo = (wpa_told_repo){.name = slug, .date = a->request->today};
    return response &&
           wpa_ask_read_repo(response->body, response->body_bytes, at->arena, &at->repo, err);
}

/** What is newer stays. */
static void merge_repos(asking *a, wpa_map *seen, const wpa_told_repo *repos, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *key = wpa_fact_folded(repos[i].name, a->arena);
        wpa_told_repo *known = wpa_map_get(seen, key);
        if (!known && a->told.n_repos < WPA_REFRESHED_MAX_REPOS) {
            known = &a->told.repos[a->told.n_repos++];
            *known = repos[i];
            wpa_map_put(seen, key, known);
        } else if (known && strcmp(repos[i].date, known->date) >= 0) {
            *known = repos[i];
        }
    }
}

static void count_unasked(asking *a)
{
    for (size_t i = 0; i < a->n_jobs; i++) {
        a->outcome->n_unasked += a->jobs[i].state == JOB_UNASKED;
    }
}

static void refresh_repos(asking *a, wpa_map *seen)
{
    ask_each(a, a->request->n_slugs, ask_for_repo);
    for (size_t i = 0; i < a->n_jobs; i++) {
        job *at = &a->jobs[i];
        if (at->state == JOB_DONE) {
            at->repo.target = at->repo.target ? wpa_arena_text(a->arena, at->repo.target) : NULL;
            merge_repos(a, seen, &at->repo, 1);
            a->outcome->n_repos++;
        } else if (at->state == JOB_FAILED) {
            add_fault(a, a->request->slugs[i], at->error.message);
        }
        wpa_arena_free(at->arena);
    }
    count_unasked(a);
}

/* ---- what action.yml says ---- */

/** The newest release, by refs as they are now, or were. */
static bool newest_release(const asking *a, wpa_slice slug, wpa_fact_ref *newest)
{
    const wpa_fact_repo *repo =
        a->request->tags ? wpa_refreshed_repo_find(a->request->tags, slug) : NULL;
    wpa_version version, best = {0};
    bool is_found = false;
    repo = repo ? repo : wpa_fact_compiled_repo(slug);
    for (size_t i = 0; repo && i < wpa_facts_repo_ref_count(repo); i++) {
        wpa_fact_ref ref = wpa_facts_repo_ref_at(repo, i);
        if (ref.kind == WPA_FACT_TAG && wpa_told_major(ref.name) >= 0 &&
            wpa_version_parse(wpa_slice_of(ref.name), &version) &&
            (!is_found || wpa_version_compare(&version, &best) > 0)) {
            *newest = ref;
            best = version;
            is_found = true;
        }
    }
    return is_found;
}

/** Is the file at this release known already, from a forge or from the tables? */
static bool is_known(const asking *a, const char *name, const wpa_fact_ref *newest)
{
    const wpa_told_action *told = wpa_told_action_find(a->request->before, wpa_slice_of(name));
    if (told) {
        return wpa_text_is(told->tag, newest->name) &&
               memcmp(told->commit, newest->commit, WPA_COMMIT_BYTES) == 0;
    }
    const wpa_fact_action *action = wpa_facts_action_find(wpa_slice_of(name));
    wpa_fact_major major;
    return action && wpa_facts_major_find(action, wpa_told_major(newest->name), &major) &&
           wpa_text_is(major.metadata, newest->name);
}

/** A file of a repository in a folder, at a commit. */
static const char *read_here(const asking *a, wpa_slice slug, const char *commit, const char *path,
                             wpa_arena *arena, size_t *size_bytes, wpa_error *err)
{
    wpa_git_entry entry;
    const char *plain =
        wpa_arena_printf(arena, "%s/" WPA_SLICE_FORMAT, a->folder, WPA_SLICE_ARGS(slug));
    const char *bare = wpa_arena_printf(arena, "%s.git", plain);
    WPA_AUTO(wpa_git) *git = wpa_git_open(wpa_path_is_dir(bare) ? bare : plain, err);
    if (!git || !wpa_git_tree_find(git, commit, path, arena, &entry, err)) {
        return NULL;
    }
    return wpa_git_blob_read(git, entry.oid, FILE_MAX_BYTES, arena, size_bytes, err);
}

static const char *read_there(asking *a, wpa_slice slug, const char *commit, const char *path,
                              wpa_arena *arena, size_t *size_bytes, wpa_error *err)
{
    const wpa_http_request request = {
        .url = wpa_arena_printf(arena, "%s/" WPA_SLICE_FORMAT "/raw/%s/%s", a->request->web,
                                WPA_SLICE_ARGS(slug), commit, path),
        .timeout_ms = a->request->timeout_ms,
        .max_body_bytes = FILE_MAX_BYTES};
    const wpa_http_response *response = wpa_http_send(&request, arena, err);
    if (!response || response->status != 200) {
        (void)(!response || refuse(a, response->status, err));
        return NULL;
    }
    *size_bytes = response->body_bytes;
    return response->body;
}

static const char *read_file(asking *a, const char *name, const uint8_t *commit, wpa_arena *arena,
                             size_t *size_bytes, wpa_error *err)
{
    static const char *const files[] = {"action.yml", "action.yaml"};
    char hex[2 * WPA_COMMIT_BYTES + 1];
    wpa_slice slug = wpa_fact_repo_slug(wpa_slice_of(name));
    const char *below = name + slug.length + (name[slug.length] == '/');
    const char *text = NULL;
    wpa_hex_encode(commit, WPA_COMMIT_BYTES, hex);
    for (size_t i = 0; i < WPA_COUNT(files) && !text; i++) {
        const char *path = *below ? wpa_arena_printf(arena, "%s/%s", below, files[i]) : files[i];
        if (i > 0 && err->code != WPA_E_NOT_FOUND) {
            break;
        }
        *err = (wpa_error){0};
        text = a->folder ? read_here(a, slug, hex, path, arena, size_bytes, err)
                         : read_there(a, slug, hex, path, arena, size_bytes, err);
    }
    return text;
}

static bool ask_for_action(asking *a, size_t i, job *at, wpa_error *err)
{
    const char *name = a->request->actions[i];
    wpa_fact_ref newest = {0};
    size_t size_bytes;
    if (!newest_release(a, wpa_fact_repo_slug(wpa_slice_of(name)), &newest) ||
        is_known(a, name, &newest)) {
        at->state = JOB_KNOWN;
        return true;
    }
    at->action = (wpa_told_action){.name = name,
                                   .date = a->request->today,
                                   .tag = newest.name,
                                   .major = wpa_told_major(newest.name)};
    memcpy(at->action.commit, newest.commit, WPA_COMMIT_BYTES);
    const char *text = read_file(a, name, newest.commit, at->arena, &size_bytes, err);
    return text && wpa_ask_read_action(text, size_bytes, at->arena, &at->action, err);
}

static void merge_actions(asking *a, wpa_map *seen, const wpa_told_action *actions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const wpa_told_action *action = &actions[i];
        wpa_slice slug = wpa_fact_repo_slug(wpa_slice_of(action->name));
        const char *key = wpa_arena_printf(
            a->arena, "%s%s",
            wpa_fact_folded(wpa_arena_slice(a->arena, slug.at, slug.length), a->arena),
            action->name + slug.length);
        wpa_told_action *known = wpa_map_get(seen, key);
        if (!known && a->told.n_actions < WPA_REFRESHED_MAX_REPOS) {
            known = &a->told.actions[a->told.n_actions++];
            *known = *action;
            wpa_map_put(seen, key, known);
        } else if (known && strcmp(action->date, known->date) >= 0) {
            *known = *action;
        }
    }
}

/** The answers' memory is needed until the table is printed. */
static void refresh_actions(asking *a, wpa_map *seen)
{
    ask_each(a, a->request->n_actions, ask_for_action);
    for (size_t i = 0; i < a->n_jobs; i++) {
        job *at = &a->jobs[i];
        bool is_elsewhere = a->folder && at->error.code == WPA_E_NOT_FOUND;
        if (at->state == JOB_DONE) {
            merge_actions(a, seen, &at->action, 1);
            a->outcome->n_actions++;
        } else if (at->state == JOB_FAILED && !is_elsewhere) { /* refs were asked for there, too */
            add_fault(a, a->request->actions[i], at->error.message);
        }
    }
}

static void forget_jobs(asking *a)
{
    for (size_t i = 0; i < a->n_jobs; i++) {
        wpa_arena_free(a->jobs[i].arena);
    }
}

/* ---- the table ---- */

static bool open_mirror(asking *a, wpa_error *err)
{
    const char *from = a->request->from, *name, *text = NULL;
    size_t size_bytes;
    char *real = from && wpa_facts_is_folder(from) ? realpath(from, NULL) : NULL;
    a->folder = real ? wpa_arena_text(a->arena, real) : NULL;
    free(real); /* libc's memory */
    if (from && !wpa_facts_mirror_read(from, WPA_TOLD_FILE, a->request->timeout_ms, a->arena, &name,
                                       &text, &size_bytes, err)) {
        return false;
    }
    a->mirror =
        text ? wpa_told_parse(name, text, size_bytes, a->request->today, a->arena, err) : NULL;
    return a->mirror || !text;
}

static size_t count_rows(const asking *a, size_t offset)
{
    const wpa_told *tables[] = {a->request->before, a->mirror};
    size_t n = 1;
    for (size_t i = 0; i < WPA_COUNT(tables); i++) {
        n += tables[i] ? *(const size_t *)(const void *)((const char *)tables[i] + offset) : 0;
    }
    return n;
}

/** What is there, from before and out of the mirror, before anything is asked. */
static void take_what_is_there(asking *a, wpa_map *repos, wpa_map *actions)
{
    const wpa_told *tables[] = {a->request->before, a->mirror};
    const char *date = a->request->today;
    a->told.repos =
        wpa_arena_array(a->arena, count_rows(a, offsetof(wpa_told, n_repos)) + a->request->n_slugs,
                        sizeof *a->told.repos);
    a->told.actions = wpa_arena_array(
        a->arena, count_rows(a, offsetof(wpa_told, n_actions)) + a->request->n_actions,
        sizeof *a->told.actions);
    for (size_t i = 0; i < WPA_COUNT(tables); i++) {
        const wpa_told *from = tables[i];
        if (from) {
            date = strcmp(from->date, date) > 0 ? from->date : date;
            take_advisories(a, from);
            merge_repos(a, repos, from->repos, from->n_repos);
            merge_actions(a, actions, from->actions, from->n_actions);
        }
    }
    a->told.date = date;
}

/** What later runs could not read is not handed out: it would stand in place of what they can. */
static bool print_table(asking *a, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REFRESHED_MAX_BYTES);
    if (!wpa_told_print(&a->told, out, err)) {
        return false;
    }
    const char *table = wpa_buf_dup(out, a->arena);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    if (!wpa_told_parse(WPA_TOLD_FILE, table, wpa_buf_size(out), a->request->today, scratch, err)) {
        return wpa_error_within(err, "make a table of what was answered");
    }
    a->outcome->table = table;
    a->outcome->table_bytes = wpa_buf_size(out);
    return true;
}

bool wpa_ask(const wpa_ask_request *request, wpa_arena *arena, wpa_ask_outcome *outcome,
             wpa_error *err)
{
    asking a = {.request = request, .outcome = outcome, .arena = arena};
    wpa_map *repos = wpa_map_new(arena), *actions = wpa_map_new(arena);
    *outcome = (wpa_ask_outcome){0};
    if (!check_api(request, err) || !open_mirror(&a, err)) {
        return false;
    }
    take_what_is_there(&a, repos, actions);
    if (request->api && wants(&a, WPA_FACTS_ADVISORIES)) {
        refresh_advisories(&a);
    }
    if (request->api && wants(&a, WPA_FACTS_ARCHIVED)) {
        refresh_repos(&a, repos);
    }
    a.n_jobs = 0;
    if ((a.folder || request->web) && wants(&a, WPA_FACTS_ACTIONS)) {
        refresh_actions(&a, actions);
    }
    bool is_fresh = outcome->has_advisories || outcome->n_repos || outcome->n_actions || a.mirror;
    bool ok = !is_fresh || print_table(&a, err);
    forget_jobs(&a);
    return ok;
}
