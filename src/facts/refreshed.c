#include "facts/refreshed.h"

#include <stdlib.h>
#include <string.h>

#include "auth/hash.h"
#include "facts/tables.h"

#define FIRST_LINE "wpa.facts/1 tags"
#define MAJORS_MAX 256
#define DAY_LENGTH 10
#define GRACE_DAYS 1 /* somewhere it is tomorrow already */

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
    const char *name; /* of the file */
    const char *at, *end;
    const char *today;
    size_t line;
    wpa_arena *arena;
    wpa_refreshed *table;
    size_t refs_capacity; /* of the last repository */
} reader;

static bool damaged(const reader *r, wpa_error *err, const char *what)
{
    return WPA_FAIL(err, WPA_E_INVALID, "%s:%zu: %s", r->name, r->line, what);
}

/** The next line, without its break; every line has one. */
static bool next_line(reader *r, wpa_slice *line, wpa_error *err)
{
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    r->line++;
    if (!stop) {
        return damaged(r, err, "the file ends in the middle");
    }
    *line = (wpa_slice){r->at, (size_t)(stop - r->at)};
    r->at = stop + 1;
    return true;
}

/** The next word of a line; empty at its end. */
static wpa_slice take_word(wpa_slice *line)
{
    const char *blank = line->length ? memchr(line->at, ' ', line->length) : NULL;
    size_t length = blank ? (size_t)(blank - line->at) : line->length;
    wpa_slice word = {line->at, length};
    size_t behind = length + (blank != NULL);
    *line = (wpa_slice){line->at + behind, line->length - behind};
    return word;
}

static const char *keep(const reader *r, wpa_slice text)
{
    return wpa_arena_slice(r->arena, text.at, text.length);
}

static const char *keep_day(const reader *r, wpa_slice word)
{
    const char *day = word.length == DAY_LENGTH ? keep(r, word) : NULL;
    return wpa_facts_days(day) >= 0 ? day : NULL;
}

static bool read_head(reader *r, wpa_error *err)
{
    wpa_slice line, word;
    if (!next_line(r, &line, err) || !wpa_slice_is(line, FIRST_LINE)) {
        return damaged(r, err, "this is no table of facts that this program reads");
    }
    if (!next_line(r, &line, err)) {
        return false;
    }
    word = take_word(&line);
    r->table->date = wpa_slice_is(word, "date") ? keep_day(r, line) : NULL;
    if (!r->table->date) {
        return damaged(r, err, "there is no date");
    }
    if (wpa_facts_days(r->table->date) > wpa_facts_days(r->today) + GRACE_DAYS) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s:%zu: the table is of %s, a day to come", r->name,
                        r->line, r->table->date);
    }
    if (!next_line(r, &line, err)) {
        return false;
    }
    word = take_word(&line);
    (void)wpa_sha256_hex(r->at, (size_t)(r->end - r->at), r->table->digest);
    return (wpa_slice_is(word, "digest") && wpa_slice_is(line, r->table->digest)) ||
           damaged(r, err, "its digest is not that of its content");
}

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
    wpa_slice slug = take_word(&line);
    const wpa_fresh_repo *last = t->n_repos ? &t->repos[t->n_repos - 1] : NULL;
    if (!wpa_refreshed_slug_is_valid(slug) || t->n_repos == WPA_REFRESHED_MAX_REPOS) {
        return damaged(r, err, "this is no repository's name");
    }
    if (last && wpa_fact_compare_folded(last->name, slug) >= 0) {
        return damaged(r, err, "its repositories are not in order");
    }
    wpa_fresh_repo repo = {
        .head = {.first_ref = WPA_FACT_NONE}, .name = keep(r, slug), .date = keep_day(r, line)};
    if (!repo.date || wpa_facts_days(repo.date) > wpa_facts_days(t->date)) {
        return damaged(r, err, "the repository has no date, or one of tomorrow");
    }
    t->repos = wpa_arena_grow(r->arena, t->repos, t->n_repos, &t->capacity, sizeof *t->repos);
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
    repo->majors =
        repo->majors ? repo->majors : wpa_arena_array(r->arena, MAJORS_MAX, sizeof *repo->majors);
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

static bool read_commit(wpa_slice hex, uint8_t commit[WPA_COMMIT_BYTES])
{
    char text[2 * WPA_COMMIT_BYTES + 1];
    if (hex.length != sizeof text - 1) {
        return false;
    }
    memcpy(text, hex.at, hex.length);
    text[hex.length] = '\0';
    return wpa_hex_decode(text, commit, WPA_COMMIT_BYTES);
}

static bool read_ref(reader *r, bool is_branch, wpa_slice line, wpa_error *err)
{
    wpa_refreshed *t = r->table;
    wpa_slice name = take_word(&line), hex = take_word(&line);
    wpa_fresh_repo *repo = t->n_repos ? &t->repos[t->n_repos - 1] : NULL;
    wpa_fresh_ref ref = {.seen = line.length ? keep_day(r, line) : NULL};
    wpa_version version;
    if (!repo || repo->head.n_refs == WPA_REFRESHED_MAX_REFS ||
        !wpa_refreshed_name_is_valid(name) || !read_commit(hex, ref.commit) ||
        (line.length && !ref.seen)) {
        return damaged(r, err, "this is no ref");
    }
    if (ref.seen && wpa_facts_days(ref.seen) > wpa_facts_days(repo->date)) {
        return damaged(r, err, "the ref was seen after the day of its repository");
    }
    ref.name = keep(r, name);
    ref.kind = is_branch                           ? WPA_FACT_BRANCH
               : wpa_version_parse(name, &version) ? WPA_FACT_TAG
                                                   : WPA_FACT_OTHER_TAG;
    size_t n = repo->head.n_refs;
    int order = n ? strcmp(repo->refs[n - 1].name, ref.name) : -1;
    if (order > 0 || (order == 0 && (!is_branch || repo->refs[n - 1].kind == WPA_FACT_BRANCH))) {
        return damaged(r, err, "its refs are not in order");
    }
    repo->refs = wpa_arena_grow(r->arena, repo->refs, n, &r->refs_capacity, sizeof *repo->refs);
    repo->refs[n] = ref;
    note_major(r, repo, repo->head.n_refs++);
    t->n_refs++;
    return true;
}

const wpa_refreshed *wpa_refreshed_parse(const char *name, const char *text, size_t size_bytes,
                                         const char *today, wpa_arena *arena, wpa_error *err)
{
    wpa_refreshed *table = wpa_arena_alloc(arena, sizeof *table);
    reader r = {name, text, text + size_bytes, today, 0, arena, table, 0};
    if (size_bytes > WPA_REFRESHED_MAX_BYTES) {
        (void)WPA_FAIL(err, WPA_E_LIMIT, "%s is larger than %zu bytes", name,
                       WPA_REFRESHED_MAX_BYTES);
        return NULL;
    }
    bool ok = read_head(&r, err);
    while (ok && r.at < r.end) {
        wpa_slice line = {"", 0};
        ok = next_line(&r, &line, err);
        wpa_slice word = ok ? take_word(&line) : line;
        if (ok && wpa_slice_is(word, "repo")) {
            ok = read_repo(&r, line, err);
        } else if (ok && (wpa_slice_is(word, "tag") || wpa_slice_is(word, "branch"))) {
            ok = read_ref(&r, word.length > 3, line, err);
        } else if (ok) {
            ok = damaged(&r, err, "this line is none of a table of facts");
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

const char *wpa_facts_digest(void)
{
    return in_use ? in_use->digest : "";
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
    char digest[WPA_SHA256_HEX_SIZE];
    if (n) {
        qsort(repos, n, sizeof *repos, compare_repos);
    }
    for (size_t i = 0; i < n; i++) {
        print_repo(&repos[i], rows);
    }
    (void)wpa_sha256_hex(wpa_buf_data(rows), wpa_buf_size(rows), digest);
    wpa_buf_printf(out, "%s\ndate %s\ndigest %s\n", FIRST_LINE, date, digest);
    wpa_buf_append(out, wpa_buf_data(rows), wpa_buf_size(rows));
    return wpa_buf_check(rows, "table of facts", err) && wpa_buf_check(out, "table of facts", err);
}
