#include "facts/refreshed.h"

#include <stdlib.h>
#include <string.h>

#include "facts/lines.h"
#include "facts/tables.h"

#define FIRST_LINE "wpa.facts/1 tags"
#define MAJORS_MAX 256

struct wpa_refreshed {
    const char *date;
    char digest[WPA_SHA256_HEX_SIZE];
    wpa_fresh_repo *repos; /* [n_repos] by name without case */
    size_t n_repos, capacity, n_refs;
};

/* Set once before threads: like the tables that are compiled in it belongs to the program. */
static const wpa_refreshed *in_use;

/* ---- reading ---- */

typedef struct reader {
    wpa_fact_lines lines;
    wpa_refreshed *table;
    size_t refs_capacity; /* of the last repository */
} reader;

static bool is_slug_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

bool wpa_refreshed_slug_is_valid(wpa_slice slug)
{
    size_t slash = 0, n_slashes = 0;
    for (size_t i = 0; i < slug.length; i++) {
        if (slug.at[i] == '/') {
            slash = i;
            n_slashes++;
        } else if (!is_slug_char(slug.at[i])) {
            return false;
        }
    }
    wpa_slice owner = {slug.at, slash}, name = {slug.at + slash + 1, slug.length - slash - 1};
    return n_slashes == 1 && slash > 0 && slash + 1 < slug.length &&
           slug.length <= WPA_REFRESHED_NAME_MAX && owner.at[0] != '.' && owner.at[0] != '-' &&
           !wpa_slice_is(name, ".") && !wpa_slice_is(name, "..");
}

bool wpa_refreshed_name_is_valid(wpa_slice name)
{
    bool is_valid = name.length > 0 && name.length <= WPA_REFRESHED_NAME_MAX;
    for (size_t i = 0; i < name.length && is_valid; i++) {
        is_valid = name.at[i] > ' ' && name.at[i] <= '~';
    }
    return is_valid;
}

static bool read_repo(reader *r, wpa_slice line, wpa_error *err)
{
    wpa_refreshed *t = r->table;
    wpa_slice slug = wpa_fact_lines_word(&line);
    const wpa_fresh_repo *last = t->n_repos ? &t->repos[t->n_repos - 1] : NULL;
    if (!wpa_refreshed_slug_is_valid(slug) || t->n_repos == WPA_REFRESHED_MAX_REPOS) {
        return wpa_fact_lines_fail(&r->lines, err, "this is no repository's name");
    }
    if (last && wpa_fact_compare_folded(last->name, slug) >= 0) {
        return wpa_fact_lines_fail(&r->lines, err, "its repositories are not in order");
    }
    wpa_fresh_repo repo = {.head = {.first_ref = WPA_FACT_NONE},
                           .name = wpa_fact_lines_keep(&r->lines, slug),
                           .date = wpa_fact_lines_day(&r->lines, line)};
    if (!repo.date || strcmp(repo.date, r->lines.date) > 0) {
        return wpa_fact_lines_fail(&r->lines, err,
                                   "the repository has no date, or one of tomorrow");
    }
    t->repos = wpa_arena_grow(r->lines.arena, t->repos, t->n_repos, &t->capacity, sizeof *t->repos);
    t->repos[t->n_repos++] = repo;
    r->refs_capacity = 0;
    return true;
}

/** The newest release of each major: what most questions are about. */
static void note_major(reader *r, wpa_fresh_repo *repo, uint32_t index)
{
    wpa_version version;
    const wpa_fresh_ref *ref = &repo->refs[index];
    if (ref->kind != WPA_FACT_TAG || !wpa_version_parse(wpa_slice_of(ref->name), &version) ||
        version.n_parts < 3 || version.suffix.length) {
        return;
    }
    repo->majors = repo->majors ? repo->majors
                                : wpa_arena_array(r->lines.arena, MAJORS_MAX, sizeof *repo->majors);
    size_t i = 0;
    while (i < repo->n_majors && repo->majors[i].number != version.parts[0]) {
        i++;
    }
    if (i == MAJORS_MAX ||
        (i < repo->n_majors && wpa_version_compare(&repo->majors[i].version, &version) > 0)) {
        return;
    }
    repo->majors[i] = (wpa_fresh_major){version.parts[0], version, index};
    repo->n_majors += i == repo->n_majors;
}

static bool read_ref(reader *r, bool is_branch, wpa_slice line, wpa_error *err)
{
    wpa_refreshed *t = r->table;
    wpa_slice name = wpa_fact_lines_word(&line), hex = wpa_fact_lines_word(&line);
    wpa_fresh_repo *repo = t->n_repos ? &t->repos[t->n_repos - 1] : NULL;
    wpa_fresh_ref ref = {.seen = line.length ? wpa_fact_lines_day(&r->lines, line) : NULL};
    wpa_version version;
    if (!repo || repo->head.n_refs == WPA_REFRESHED_MAX_REFS ||
        !wpa_refreshed_name_is_valid(name) || !wpa_fact_lines_commit(hex, ref.commit) ||
        (line.length && !ref.seen)) {
        return wpa_fact_lines_fail(&r->lines, err, "this is no ref");
    }
    if (ref.seen && wpa_facts_days(ref.seen) > wpa_facts_days(repo->date)) {
        return wpa_fact_lines_fail(&r->lines, err,
                                   "the ref was seen after the day of its repository");
    }
    ref.name = wpa_fact_lines_keep(&r->lines, name);
    ref.kind = is_branch                           ? WPA_FACT_BRANCH
               : wpa_version_parse(name, &version) ? WPA_FACT_TAG
                                                   : WPA_FACT_OTHER_TAG;
    size_t n = repo->head.n_refs;
    int order = n ? strcmp(repo->refs[n - 1].name, ref.name) : -1;
    if (order > 0 || (order == 0 && (!is_branch || repo->refs[n - 1].kind == WPA_FACT_BRANCH))) {
        return wpa_fact_lines_fail(&r->lines, err, "its refs are not in order");
    }
    repo->refs =
        wpa_arena_grow(r->lines.arena, repo->refs, n, &r->refs_capacity, sizeof *repo->refs);
    repo->refs[n] = ref;
    note_major(r, repo, repo->head.n_refs++);
    t->n_refs++;
    return true;
}

const wpa_refreshed *wpa_refreshed_parse(const char *name, const char *text, size_t size_bytes,
                                         const char *today, wpa_arena *arena, wpa_error *err)
{
    wpa_refreshed *table = wpa_arena_alloc(arena, sizeof *table);
    reader r = {.table = table};
    bool ok = wpa_fact_lines_open(&r.lines, name, text, size_bytes, FIRST_LINE, today, arena, err);
    table->date = r.lines.date;
    memcpy(table->digest, r.lines.digest, sizeof table->digest);
    while (ok && r.lines.at < r.lines.end) {
        wpa_slice line = {"", 0};
        ok = wpa_fact_lines_next(&r.lines, &line, err);
        wpa_slice word = ok ? wpa_fact_lines_word(&line) : line;
        if (ok && wpa_slice_is(word, "repo")) {
            ok = read_repo(&r, line, err);
        } else if (ok && (wpa_slice_is(word, "tag") || wpa_slice_is(word, "branch"))) {
            ok = read_ref(&r, word.length > 3, line, err);
        } else if (ok) {
            ok = wpa_fact_lines_fail(&r.lines, err, "this line is none of a table of facts");
        }
    }
    return ok ? table : NULL;
}

/* ---- looking up ---- */

const char *wpa_refreshed_date(const wpa_refreshed *table)
{
    return table->date;
}

size_t wpa_refreshed_repo_count(const wpa_refreshed *table)
{
    return table->n_repos;
}

size_t wpa_refreshed_ref_count(const wpa_refreshed *table)
{
    return table->n_refs;
}

const wpa_fact_repo *wpa_refreshed_repo_at(const wpa_refreshed *table, size_t i)
{
    return &table->repos[i].head;
}

static const wpa_fresh_repo *find(const wpa_refreshed *table, wpa_slice slug)
{
    size_t low = 0, high = table->n_repos;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = wpa_fact_compare_folded(table->repos[middle].name, slug);
        if (order == 0) {
            return &table->repos[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

const wpa_fact_repo *wpa_refreshed_repo_find(const wpa_refreshed *table, wpa_slice slug)
{
    const wpa_fresh_repo *repo = find(table, slug);
    return repo ? &repo->head : NULL;
}

const char *wpa_refreshed_seen(const wpa_fact_repo *repo, wpa_slice tag)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    size_t low = 0, high = fresh ? repo->n_refs : 0;
    char name[WPA_REFRESHED_NAME_MAX + 1];
    if (!wpa_text_format(name, sizeof name, WPA_SLICE_FORMAT, WPA_SLICE_ARGS(tag))) {
        return NULL;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(fresh->refs[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_there = fresh && low < repo->n_refs && strcmp(fresh->refs[low].name, name) == 0;
    return is_there ? fresh->refs[low].seen : NULL;
}

static bool is_older(const char *date)
{
    return wpa_facts_days(date) < wpa_facts_days(wpa_fact_origins[WPA_FACTS_TAGS].date);
}

bool wpa_refreshed_use(const wpa_refreshed *table)
{
    in_use = table && !is_older(table->date) ? table : NULL;
    return in_use == table;
}

const wpa_refreshed *wpa_refreshed_in_use(void)
{
    return in_use;
}

const char *wpa_refreshed_digest(void)
{
    return in_use ? in_use->digest : "";
}

bool wpa_fresh_has_repos(void)
{
    return in_use != NULL;
}

const wpa_fresh_repo *wpa_fresh_repo_find(wpa_slice slug)
{
    const wpa_fresh_repo *repo = in_use ? find(in_use, slug) : NULL;
    /* One of an earlier refresh may be older than what a newer program brings. */
    return repo && is_older(repo->date) && wpa_fact_compiled_repo(slug) ? NULL : repo;
}

const wpa_fresh_repo *wpa_fresh_repo_of(const wpa_fact_repo *repo)
{
    return repo->first_ref == WPA_FACT_NONE ? (const wpa_fresh_repo *)(const void *)repo : NULL;
}

/* ---- writing ---- */

static int compare_repos(const void *a, const void *b)
{
    const wpa_refreshed_repo *x = a, *y = b;
    return wpa_fact_compare_folded(x->name, wpa_slice_of(y->name));
}

static int compare_refs(const void *a, const void *b)
{
    const wpa_refreshed_ref *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->is_branch - y->is_branch;
}

static void print_repo(wpa_refreshed_repo *repo, wpa_buf *out)
{
    if (repo->n_refs) {
        qsort(repo->refs, repo->n_refs, sizeof *repo->refs, compare_refs);
    }
    wpa_buf_printf(out, "repo %s %s\n", repo->name, repo->date);
    for (size_t i = 0; i < repo->n_refs; i++) {
        const wpa_refreshed_ref *ref = &repo->refs[i];
        char hex[2 * WPA_COMMIT_BYTES + 1];
        wpa_hex_encode(ref->commit, WPA_COMMIT_BYTES, hex);
        wpa_buf_printf(out, "%s %s %s%s%s\n", ref->is_branch ? "branch" : "tag", ref->name, hex,
                       ref->seen ? " " : "", ref->seen ? ref->seen : "");
    }
}

bool wpa_refreshed_print(const char *date, wpa_refreshed_repo *repos, size_t n, wpa_buf *out,
                         wpa_error *err)
{
    WPA_AUTO(wpa_buf) *rows = wpa_buf_new(WPA_REFRESHED_MAX_BYTES);
    if (n) {
        qsort(repos, n, sizeof *repos, compare_repos);
    }
    for (size_t i = 0; i < n; i++) {
        print_repo(&repos[i], rows);
    }
    return wpa_fact_lines_print(FIRST_LINE, date, rows, out, err);
}
