#include "facts/update.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/map.h>

#include "facts/places.h"
#include "facts/tables.h"
#include "git/git.h"
#include "http/http.h"

#define GITHUB "https://github.com"
#define THREADS_MAX 8
#define BRANCHES_MAX 1000 /* of a repository; tags are complete or it is not taken */
/* When nothing at all has answered by then, there is no network: the rest is not asked. */
#define SILENT_MAX 8
#define HEX_LENGTH ((size_t)2 * WPA_COMMIT_BYTES)

typedef enum job_state {
    JOB_UNASKED,
    JOB_DONE,
    JOB_FAILED
} job_state;

typedef struct job {
    const char *slug;
    wpa_arena *arena; /* of refs */
    wpa_refreshed_repo repo;
    job_state state;
    wpa_error error;
} job;

typedef struct update {
    const wpa_facts_request *request;
    const char *folder;          /* real path of a mirror on this machine, or NULL */
    const char *url;             /* or its URL, without a slash behind */
    const wpa_refreshed *mirror; /* its table, or NULL: git is asked */
    job *jobs;                   /* [request->n_slugs] */
    atomic_size_t next, n_done, n_silent;
} update;

/* ---- one repository ---- */

static const char *tag_of(const wpa_git_remote_ref *ref)
{
    static const char prefix[] = "refs/tags/";
    return wpa_text_starts(ref->name, prefix) ? ref->name + sizeof prefix - 1 : NULL;
}

static const char *branch_of(const wpa_git_remote_ref *ref)
{
    static const char prefix[] = "refs/heads/";
    return wpa_text_starts(ref->name, prefix) ? ref->name + sizeof prefix - 1 : NULL;
}

/** Branches of bots come and go, and nobody uses an action by one. */
static bool is_of_bot(const char *branch)
{
    return wpa_text_starts(branch, "dependabot/") || wpa_text_starts(branch, "renovate/");
}

/** The place of a ref in the list: its own, or that of its tag if it is what the tag stands for. */
static wpa_refreshed_ref *place_of(wpa_map *places, wpa_refreshed_repo *repo, const char *name)
{
    wpa_refreshed_ref *ref = wpa_map_get(places, name);
    if (!ref) {
        ref = &repo->refs[repo->n_refs++];
        wpa_map_put(places, name, ref);
    }
    return ref;
}

static bool take_refs(job *at, const wpa_git_remote_ref *refs, size_t n)
{
    wpa_map *places = wpa_map_new(at->arena);
    size_t n_branches = 0;
    at->repo.refs = wpa_arena_array(at->arena, n + 1, sizeof *at->repo.refs);
    for (size_t i = 0; i < n; i++) {
        const char *tag = tag_of(&refs[i]), *branch = branch_of(&refs[i]);
        const char *name = tag ? tag : branch;
        bool is_wanted = tag || (branch && !is_of_bot(branch) && n_branches < BRANCHES_MAX);
        if (!is_wanted || !wpa_refreshed_name_is_valid(wpa_slice_of(name)) ||
            strlen(refs[i].oid) != HEX_LENGTH) {
            continue;
        }
        bool is_new = !wpa_map_has(places, refs[i].name);
        wpa_refreshed_ref *ref = place_of(places, &at->repo, refs[i].name);
        ref->name = name;
        ref->is_branch = branch != NULL;
        n_branches += is_new && branch;
        if (!wpa_hex_decode(refs[i].oid, ref->commit, WPA_COMMIT_BYTES)) {
            return false;
        }
    }
    return at->repo.n_refs > 0;
}

static bool ask_url(job *at, const char *url, int64_t timeout_ms, wpa_error *err)
{
    wpa_git_remote_ref *refs;
    size_t n;
    if (!wpa_git_remote_refs(url, timeout_ms, WPA_REFRESHED_MAX_REFS, at->arena, &refs, &n, err)) {
        return false;
    }
    return take_refs(at, refs, n) ||
           WPA_FAIL(err, WPA_E_INVALID, "it says that it has neither tag nor branch");
}

/** A mirror may have the repository with ".git" behind its name, or without. */
static bool ask_git(const update *u, job *at, wpa_error *err)
{
    int64_t timeout_ms = u->request->timeout_ms;
    const char *base = u->folder ? u->folder : u->url;
    const char *bare = wpa_arena_printf(at->arena, "%s/%s.git", base, at->slug);
    const char *plain = wpa_arena_printf(at->arena, "%s/%s", base, at->slug);
    if (u->folder) {
        const char *path = wpa_path_is_dir(bare) ? bare : plain;
        return wpa_path_is_dir(path) ? ask_url(at, path, timeout_ms, err)
                                     : WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no '%s'", path);
    }
    if (ask_url(at, bare, timeout_ms, err)) {
        return true;
    }
    wpa_error again = {0};
    bool is_worth_it = u->request->from && err->code != WPA_E_TIMEOUT && err->code != WPA_E_LIMIT;
    bool is_asked = is_worth_it && ask_url(at, plain, timeout_ms, &again);
    if (again.code == WPA_E_TIMEOUT) { /* it may be there: it is asked once more */
        *err = again;
    }
    return is_asked;
}

/** What an earlier refresh has left of it, or NULL. */
static const wpa_fact_repo *refreshed_before(const update *u, const char *slug)
{
    return u->request->before ? wpa_refreshed_repo_find(u->request->before, wpa_slice_of(slug))
                              : NULL;
}

/** Today, or tomorrow if that is what a mirror where it is tomorrow has said before. */
static const char *day_asked(const update *u, const char *slug)
{
    const wpa_fact_repo *known = refreshed_before(u, slug);
    const char *before = known ? wpa_facts_repo_date(known) : u->request->today;
    return strcmp(before, u->request->today) > 0 ? before : u->request->today;
}

/** Out of the table of a mirror; what that has from before the program was built helps nobody. */
static bool copy_mirrored(const update *u, job *at, wpa_error *err)
{
    wpa_slice slug = wpa_slice_of(at->slug);
    const wpa_fact_repo *repo = wpa_refreshed_repo_find(u->mirror, slug);
    const wpa_fact_repo *known = refreshed_before(u, at->slug);
    if (!repo) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "the mirror does not have it");
    }
    if (known && strcmp(wpa_facts_repo_date(known), wpa_facts_repo_date(repo)) > 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "the mirror's is older (%s) than what is there (%s)",
                        wpa_facts_repo_date(repo), wpa_facts_repo_date(known));
    }
    at->repo.date = wpa_facts_repo_date(repo);
    at->repo.refs = wpa_arena_array(at->arena, repo->n_refs + 1, sizeof *at->repo.refs);
    for (size_t i = 0; i < repo->n_refs; i++) {
        const wpa_fresh_ref *from = &wpa_fresh_repo_of(repo)->refs[i];
        wpa_refreshed_ref *to = &at->repo.refs[at->repo.n_refs++];
        *to = (wpa_refreshed_ref){
            .name = from->name, .seen = from->seen, .is_branch = from->kind == WPA_FACT_BRANCH};
        memcpy(to->commit, from->commit, WPA_COMMIT_BYTES);
    }
    return true;
}

static void ask_one(update *u, job *at)
{
    at->arena = wpa_arena_new();
    at->repo.name = at->slug;
    at->repo.date = day_asked(u, at->slug);
    bool ok = u->mirror ? copy_mirrored(u, at, &at->error) : ask_git(u, at, &at->error);
    at->state = ok ? JOB_DONE : JOB_FAILED;
    /* What was found by its second name has the first one's error still. */
    bool is_silence =
        !ok && (at->error.code == WPA_E_UNAVAILABLE || at->error.code == WPA_E_TIMEOUT);
    atomic_fetch_add(&u->n_done, !is_silence);
    atomic_fetch_add(&u->n_silent, is_silence);
}

static bool is_silent(update *u)
{
    return atomic_load(&u->n_done) == 0 && atomic_load(&u->n_silent) >= SILENT_MAX;
}

static void *work_through(void *argument)
{
    update *u = argument;
    size_t i;
    while ((i = atomic_fetch_add(&u->next, 1)) < u->request->n_slugs && !is_silent(u)) {
        ask_one(u, &u->jobs[i]);
    }
    return NULL;
}

/**
 * Once more, with no other thread at work: a child that was forked while one held a lock of libc's
 * or libgit2's waits for it in vain, and looks as silent as its repository would.
 */
static void ask_late_ones_again(update *u)
{
    size_t n_asked = 0;
    for (size_t i = 0; i < u->request->n_slugs && n_asked < SILENT_MAX; i++) {
        job *at = &u->jobs[i];
        if (at->state == JOB_FAILED && at->error.code == WPA_E_TIMEOUT) {
            wpa_arena_free(at->arena);
            *at = (job){.slug = at->slug};
            ask_one(u, at);
            n_asked++;
        }
    }
}

static void ask_all(update *u)
{
    pthread_t threads[THREADS_MAX];
    size_t n_started = 0;
    while (n_started + 1 < THREADS_MAX && n_started + 1 < u->request->n_slugs &&
           pthread_create(&threads[n_started], NULL, work_through, u) == 0) {
        n_started++;
    }
    work_through(u);
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (atomic_load(&u->n_done)) {
        ask_late_ones_again(u);
    }
}

/* ---- the mirror ---- */

static bool is_web(const char *url)
{
    return wpa_text_starts(url, "https://") || wpa_text_starts(url, "http://");
}

bool wpa_facts_is_folder(const char *from)
{
    return wpa_git_url_is_local(from) && !wpa_text_starts(from, "file://");
}

static const char *without_slash(const char *url, wpa_arena *arena)
{
    size_t length = strlen(url);
    while (length && url[length - 1] == '/') {
        length--;
    }
    return wpa_arena_slice(arena, url, length);
}

bool wpa_facts_mirror_read(const char *from, const char *file, int64_t timeout_ms, wpa_arena *arena,
                           const char **name, const char **text, size_t *size_bytes, wpa_error *err)
{
    *text = NULL;
    *name = wpa_path_join(arena, without_slash(from, arena), file);
    if (wpa_facts_is_folder(from)) {
        *text = wpa_path_exists(*name)
                    ? wpa_file_read(*name, WPA_REFRESHED_MAX_BYTES, arena, size_bytes, err)
                    : NULL;
        return *text || !wpa_path_exists(*name);
    }
    if (!is_web(from)) {
        return true;
    }
    const wpa_http_request request = {
        .url = *name, .timeout_ms = timeout_ms, .max_body_bytes = WPA_REFRESHED_MAX_BYTES};
    const wpa_http_response *response = wpa_http_send(&request, arena, err);
    if (response && response->status == 200) {
        *text = response->body;
        *size_bytes = response->body_bytes;
    }
    return response != NULL;
}

static bool open_folder(update *u, wpa_arena *arena, wpa_error *err)
{
    char *real = realpath(u->request->from, NULL);
    if (!real) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no folder '%s'", u->request->from);
    }
    u->folder = wpa_arena_text(arena, real);
    free(real); /* libc's memory */
    return true;
}

/** A table in the mirror, or else repositories below it. */
static bool open_source(update *u, wpa_arena *arena, wpa_error *err)
{
    const char *from = u->request->from, *name, *text;
    size_t size_bytes;
    u->url = from ? without_slash(from, arena) : GITHUB;
    if (!from) {
        return true;
    }
    if ((wpa_facts_is_folder(from) && !open_folder(u, arena, err)) ||
        !wpa_facts_mirror_read(u->folder ? u->folder : from, WPA_FACTS_FILE, u->request->timeout_ms,
                               arena, &name, &text, &size_bytes, err)) {
        return false;
    }
    u->mirror =
        text ? wpa_refreshed_parse(name, text, size_bytes, u->request->today, arena, err) : NULL;
    return u->mirror || !text;
}

/* ---- the new table ---- */

/* What is known of a repository's refs so far. */
static const wpa_fact_repo *known_repo(const update *u, const char *slug)
{
    const wpa_fact_repo *repo = refreshed_before(u, slug);
    return repo ? repo : wpa_fact_compiled_repo(wpa_slice_of(slug));
}

static void note_moved(const char *slug, const wpa_fact_ref *before, const wpa_refreshed_ref *after,
                       wpa_facts_outcome *outcome, size_t *capacity, wpa_arena *arena)
{
    wpa_version version;
    bool is_release =
        wpa_version_parse(wpa_slice_of(after->name), &version) && version.n_parts >= 3;
    if (!is_release || memcmp(before->commit, after->commit, WPA_COMMIT_BYTES) == 0) {
        return;
    }
    outcome->moved =
        wpa_arena_grow(arena, outcome->moved, outcome->n_moved, capacity, sizeof *outcome->moved);
    wpa_facts_moved *moved = &outcome->moved[outcome->n_moved++];
    moved->slug = slug;
    moved->tag = wpa_arena_text(arena, after->name);
    memcpy(moved->before, before->commit, WPA_COMMIT_BYTES);
    memcpy(moved->after, after->commit, WPA_COMMIT_BYTES);
}

/**
 * When a mirror says that it has first seen a tag. One that was not there on the day that its
 * repository was last asked has been seen by nobody before that, whatever the mirror says.
 */
static const char *not_before(const wpa_fact_repo *known, const job *at, const char *seen)
{
    const char *day = known ? wpa_facts_repo_date(known) : NULL;
    bool is_bound = day && strcmp(day, at->repo.date) <= 0;
    return is_bound && (!seen || strcmp(seen, day) < 0) ? day : seen;
}

/** Since when a tag is known, which is the latest that it can have been made on. */
static void date_tags(const update *u, job *at, wpa_facts_outcome *outcome, size_t *capacity,
                      wpa_arena *arena)
{
    const wpa_fact_repo *known = known_repo(u, at->slug);
    for (size_t i = 0; i < at->repo.n_refs; i++) {
        wpa_refreshed_ref *ref = &at->repo.refs[i];
        wpa_fact_ref before;
        bool is_known = known && wpa_facts_ref_find(known, wpa_slice_of(ref->name), &before) &&
                        before.kind != WPA_FACT_BRANCH;
        if (ref->is_branch) {
            continue;
        }
        if (is_known) {
            note_moved(at->slug, &before, ref, outcome, capacity, arena);
            ref->seen = wpa_refreshed_seen(known, wpa_slice_of(ref->name));
        } else {
            ref->seen = u->mirror ? not_before(known, at, ref->seen) : u->request->today;
        }
    }
}

static wpa_refreshed_repo repo_before(const wpa_fact_repo *repo, wpa_arena *arena)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    wpa_refreshed_repo copy = {.name = fresh->name, .date = fresh->date};
    copy.refs = wpa_arena_array(arena, fresh->head.n_refs + 1, sizeof *copy.refs);
    for (size_t i = 0; i < fresh->head.n_refs; i++) {
        wpa_refreshed_ref *to = &copy.refs[copy.n_refs++];
        *to = (wpa_refreshed_ref){.name = fresh->refs[i].name,
                                  .seen = fresh->refs[i].seen,
                                  .is_branch = fresh->refs[i].kind == WPA_FACT_BRANCH};
        memcpy(to->commit, fresh->refs[i].commit, WPA_COMMIT_BYTES);
    }
    return copy;
}

static bool make_table(update *u, wpa_arena *arena, wpa_facts_outcome *outcome, wpa_error *err)
{
    const wpa_refreshed *before = u->request->before;
    size_t n_before = before ? wpa_refreshed_repo_count(before) : 0, n = 0, capacity = 0;
    wpa_refreshed_repo *repos =
        wpa_arena_array(arena, u->request->n_slugs + n_before + 1, sizeof *repos);
    wpa_map *fresh = wpa_map_new(arena);
    for (size_t i = 0; i < u->request->n_slugs; i++) {
        if (u->jobs[i].state == JOB_DONE) {
            wpa_map_put(fresh, wpa_fact_folded(u->jobs[i].slug, arena), fresh);
            date_tags(u, &u->jobs[i], outcome, &capacity, arena);
            repos[n++] = u->jobs[i].repo;
        }
    }
    outcome->n_refreshed = n;
    for (size_t i = 0; i < n_before; i++) {
        const wpa_fact_repo *repo = wpa_refreshed_repo_at(before, i);
        if (!wpa_map_has(fresh, wpa_fact_folded(wpa_facts_repo_name(repo), arena))) {
            repos[n++] = repo_before(repo, arena);
        }
    }
    if (outcome->n_refreshed == 0) {
        return true;
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REFRESHED_MAX_BYTES);
    const char *date = u->mirror ? wpa_refreshed_date(u->mirror) : u->request->today;
    date =
        before && strcmp(wpa_refreshed_date(before), date) > 0 ? wpa_refreshed_date(before) : date;
    if (!wpa_refreshed_print(date, repos, n, out, err)) {
        return false;
    }
    outcome->table = wpa_buf_dup(out, arena);
    outcome->table_bytes = wpa_buf_size(out);
    return true;
}

static void collect_faults(const update *u, wpa_arena *arena, wpa_facts_outcome *outcome)
{
    outcome->faults = wpa_arena_array(arena, u->request->n_slugs + 1, sizeof *outcome->faults);
    for (size_t i = 0; i < u->request->n_slugs; i++) {
        const job *at = &u->jobs[i];
        if (at->state == JOB_FAILED) {
            outcome->faults[outcome->n_faults++] =
                wpa_arena_printf(arena, "%s: %s", at->slug, at->error.message);
        }
        outcome->n_unasked += at->state == JOB_UNASKED;
    }
}

bool wpa_facts_update(const wpa_facts_request *request, wpa_arena *arena,
                      wpa_facts_outcome *outcome, wpa_error *err)
{
    update u = {.request = request};
    *outcome = (wpa_facts_outcome){0};
    if (!open_source(&u, arena, err)) {
        return false;
    }
    u.jobs = wpa_arena_array(arena, request->n_slugs + 1, sizeof *u.jobs);
    for (size_t i = 0; i < request->n_slugs; i++) {
        u.jobs[i].slug = request->slugs[i];
    }
    ask_all(&u);
    bool ok = make_table(&u, arena, outcome, err);
    collect_faults(&u, arena, outcome);
    for (size_t i = 0; i < request->n_slugs; i++) {
        wpa_arena_free(u.jobs[i].arena);
    }
    return ok;
}
