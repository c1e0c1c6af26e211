/* Look-ups in the large tables: repositories, refs, commits, versions, inputs. */
#include <string.h>
#include <strings.h>

#include "facts/index.h"
#include "facts/tables.h"
#include "facts/told.h"

static const char *text_at(uint32_t id)
{
    return id == WPA_FACT_NONE ? NULL : wpa_fact_pool + id;
}

static const uint8_t *commit_at(uint32_t id)
{
    return id == WPA_FACT_NONE ? NULL
                               : (const uint8_t *)wpa_fact_commits + (size_t)id * WPA_COMMIT_BYTES;
}

int wpa_fact_compare_folded(const char *name, wpa_slice text)
{
    int order = strncasecmp(name, text.at, text.length);
    return order ? order : name[text.length] ? 1 : 0;
}

static int compare_exact(const char *name, wpa_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        int order = (unsigned char)name[i] - (unsigned char)text.at[i];
        if (order || !name[i]) {
            return order;
        }
    }
    return name[text.length] ? 1 : 0;
}

wpa_slice wpa_fact_repo_slug(wpa_slice slug)
{
    const char *end = slug.at + slug.length;
    const char *slash = slug.length ? memchr(slug.at, '/', slug.length) : NULL;
    slash = slash ? memchr(slash + 1, '/', (size_t)(end - slash - 1)) : NULL;
    return slash ? (wpa_slice){slug.at, (size_t)(slash - slug.at)} : slug;
}

const char *wpa_fact_folded(const char *name, wpa_arena *arena)
{
    char *copy = wpa_arena_text(arena, name);
    for (char *at = copy; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    return copy;
}

const wpa_fact_repo *wpa_fact_compiled_repo(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_REPOS, wpa_fact_repo_slug(slug), 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_repos[row];
}

const wpa_fact_repo *wpa_facts_repo_find(wpa_slice slug)
{
    wpa_slice repo = wpa_fact_repo_slug(slug);
    const wpa_fresh_repo *fresh = wpa_fresh_repo_find(repo);
    return fresh ? &fresh->head : wpa_fact_compiled_repo(repo);
}

const char *wpa_facts_repo_name(const wpa_fact_repo *repo)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    return fresh ? fresh->name : text_at(repo->name);
}

const char *wpa_facts_repo_date(const wpa_fact_repo *repo)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    return fresh ? fresh->date : text_at(repo->date);
}

size_t wpa_facts_repo_ref_count(const wpa_fact_repo *repo)
{
    return repo->n_refs;
}

static wpa_fact_ref ref_at(const wpa_fact_repo *repo, size_t i)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    if (fresh) {
        return (wpa_fact_ref){fresh->refs[i].name, fresh->refs[i].kind, fresh->refs[i].commit};
    }
    const wpa_fact_ref_row *row = &wpa_fact_refs[repo->first_ref + i];
    return (wpa_fact_ref){text_at(row->name), (wpa_fact_ref_kind)row->kind, commit_at(row->commit)};
}

wpa_fact_ref wpa_facts_repo_ref_at(const wpa_fact_repo *repo, size_t i)
{
    return ref_at(repo, i);
}

const char *wpa_facts_repo_ref_name(const wpa_fact_repo *repo, size_t i)
{
    const wpa_fresh_repo *fresh = wpa_fresh_repo_of(repo);
    return fresh ? fresh->refs[i].name : text_at(wpa_fact_refs[repo->first_ref + i].name);
}

bool wpa_facts_ref_find(const wpa_fact_repo *repo, wpa_slice name, wpa_fact_ref *ref)
{
    size_t low = 0, high = repo->n_refs;
    while (low < high) { /* the first of equal names is the tag */
        size_t middle = (low + high) / 2;
        if (compare_exact(wpa_facts_repo_ref_name(repo, middle), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == repo->n_refs || compare_exact(wpa_facts_repo_ref_name(repo, low), name) != 0) {
        return false;
    }
    *ref = ref_at(repo, low);
    return true;
}

/* The first in the order of commits, of a repository as the tables have it, that is not below this
   one. */
static size_t first_by_commit(const wpa_fact_repo *repo, const uint32_t *order,
                              const uint8_t *commit)
{
    size_t low = 0, high = repo->n_refs;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint8_t *at = commit_at(wpa_fact_refs[order[middle]].commit);
        if (memcmp(at, commit, WPA_COMMIT_BYTES) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t wpa_facts_commit_refs(const wpa_fact_repo *repo, const uint8_t *commit, wpa_fact_ref *refs,
                             size_t max)
{
    bool is_fresh = wpa_fresh_repo_of(repo) != NULL;
    const uint32_t *order = is_fresh ? NULL : wpa_fact_refs_by_commit + repo->first_ref;
    size_t n = 0;
    /* A refreshed repository has no such order: few are asked for, and few have many refs. */
    for (size_t i = is_fresh ? 0 : first_by_commit(repo, order, commit); i < repo->n_refs; i++) {
        const uint8_t *at =
            is_fresh ? ref_at(repo, i).commit : commit_at(wpa_fact_refs[order[i]].commit);
        bool is_same = memcmp(at, commit, WPA_COMMIT_BYTES) == 0;
        if (!is_same && !is_fresh) {
            break;
        }
        if (is_same && n < max) {
            refs[n] = ref_at(repo, is_fresh ? i : order[i] - repo->first_ref);
        }
        n += is_same;
    }
    return n;
}

/* Is a the fuller name of one commit: more parts, no suffix, higher, with a leading v? */
static bool is_fuller(const wpa_version *a, const char *a_name, const wpa_version *b)
{
    if ((a->suffix.length == 0) != (b->suffix.length == 0)) {
        return a->suffix.length == 0;
    }
    if (a->n_parts != b->n_parts) {
        return a->n_parts > b->n_parts;
    }
    int order = wpa_version_compare(a, b);
    return order > 0 || (order == 0 && a_name && a_name[0] == 'v');
}

bool wpa_facts_commit_version(const wpa_fact_repo *repo, const uint8_t *commit, wpa_fact_ref *tag)
{
    wpa_fact_ref refs[64];
    size_t n = wpa_facts_commit_refs(repo, commit, refs, WPA_COUNT(refs));
    wpa_version best = {0}, version;
    bool is_found = false;
    for (size_t i = 0; i < n && i < WPA_COUNT(refs); i++) {
        if (refs[i].kind == WPA_FACT_TAG &&
            wpa_version_parse(wpa_slice_of(refs[i].name), &version) &&
            (!is_found || is_fuller(&version, refs[i].name, &best))) {
            best = version;
            *tag = refs[i];
            is_found = true;
        }
    }
    return is_found;
}

static const wpa_fact_action *compiled_action(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_ACTIONS, slug, 0), path = wpa_fact_repo_slug(slug).length;
    const char *name = row == WPA_NO_ROW ? NULL : text_at(wpa_fact_actions[row].name);
    bool is_same = name && memcmp(name + path, slug.at + path, slug.length - path) == 0;
    return is_same ? &wpa_fact_actions[row] : NULL;
}

const wpa_fact_action *wpa_facts_action_find(wpa_slice slug)
{
    const wpa_fact_action *compiled = compiled_action(slug);
    return compiled ? compiled : wpa_fresh_action_find(slug);
}

/* What only a forge has told of, or NULL: the tables have it. */
static const wpa_told_action *told_alone(const wpa_fact_action *action)
{
    return action->first_major == WPA_FACT_NONE
               ? ((const wpa_fresh_action *)(const void *)action)->told
               : NULL;
}

size_t wpa_facts_action_count(void)
{
    return wpa_fact_n_actions;
}

const wpa_fact_action *wpa_facts_action_at(size_t i)
{
    return &wpa_fact_actions[i];
}

const char *wpa_facts_action_name(const wpa_fact_action *action)
{
    const wpa_told_action *told = told_alone(action);
    return told ? told->name : text_at(action->name);
}

unsigned wpa_facts_action_rank(const wpa_fact_action *action)
{
    return action->rank;
}

/* What was refreshed of the action's repository, or NULL. */
static const wpa_fresh_repo *fresh_of(const wpa_fact_action *action)
{
    if (!wpa_fresh_has_repos()) {
        return NULL;
    }
    wpa_slice name = wpa_slice_of(wpa_facts_action_name(action));
    return wpa_fresh_repo_find(wpa_fact_repo_slug(name));
}

/* The newest release by a refreshed table; a tag's day is the one it was first seen on. */
static bool fresh_latest(const wpa_fresh_repo *fresh, wpa_fact_ref *tag, const char **date)
{
    const wpa_fresh_major *best = NULL;
    for (size_t i = 0; i < fresh->n_majors; i++) {
        if (!best || fresh->majors[i].number > best->number) {
            best = &fresh->majors[i];
        }
    }
    if (best) {
        *tag = ref_at(&fresh->head, best->ref);
        *date = fresh->refs[best->ref].seen;
    }
    return best != NULL;
}

bool wpa_facts_action_latest(const wpa_fact_action *action, wpa_fact_ref *tag, const char **date)
{
    const wpa_fresh_repo *fresh = fresh_of(action);
    const char *known = text_at(action->latest);
    if (fresh && fresh_latest(fresh, tag, date)) {
        *date = *date || !wpa_text_is(tag->name, known) ? *date : text_at(action->latest_date);
        return true;
    }
    const wpa_told_action *told = told_alone(action);
    if (told) {
        *tag = (wpa_fact_ref){told->tag, WPA_FACT_TAG, told->commit};
        *date = NULL;
        return true;
    }
    if (action->latest == WPA_FACT_NONE || action->latest_commit == WPA_FACT_NONE) {
        return false;
    }
    tag->name = text_at(action->latest);
    tag->kind = WPA_FACT_TAG;
    tag->commit = commit_at(action->latest_commit);
    *date = text_at(action->latest_date);
    return true;
}

/* Refs as they are now; what the action's file says is of the version it was read from. */
static void refresh_major(const wpa_fresh_repo *fresh, wpa_fact_major *major)
{
    wpa_fact_ref found;
    if (major->ref && wpa_facts_ref_find(&fresh->head, wpa_slice_of(major->ref), &found)) {
        major->commit = found.commit;
    }
    for (size_t i = 0; i < fresh->n_majors; i++) {
        const wpa_fresh_ref *ref = &fresh->refs[fresh->majors[i].ref];
        if (major->number >= 0 && fresh->majors[i].number == (uint64_t)major->number) {
            bool is_known = wpa_text_is(ref->name, major->newest);
            major->newest_date = is_known && !ref->seen ? major->newest_date : ref->seen;
            major->newest = ref->name;
            major->newest_commit = ref->commit;
        }
    }
}

static wpa_fact_major compiled_major(const wpa_fact_action *action, size_t i)
{
    const wpa_fact_major_row *row = &wpa_fact_majors[action->first_major + i];
    return (wpa_fact_major){
        .number = row->number,
        .ref = text_at(row->ref),
        .commit = commit_at(row->commit),
        .newest = text_at(row->newest),
        .newest_commit = commit_at(row->newest_commit),
        .newest_date = text_at(row->newest_date),
        .metadata = text_at(row->newest),
        .metadata_date = text_at(row->newest_date),
        .using = text_at(row->using),
        .image = text_at(row->image),
        .n_inputs = row->n_inputs,
        .n_outputs = row->n_outputs,
        .n_uses = row->n_used,
        .wants_input = row->wants_input,
        .first_input = row->first_input,
        .first_output = row->first_output,
        .first_used = row->first_used,
    };
}

/* Is a release a newer one than what the tables have read? */
static bool is_newer(const wpa_told_action *told, const char *metadata)
{
    wpa_version a, b;
    return !metadata ||
           (wpa_version_parse(wpa_slice_of(told->tag), &a) &&
            wpa_version_parse(wpa_slice_of(metadata), &b) && wpa_version_compare(&a, &b) > 0);
}

/* What a forge has told of an action in place of the tables, and where among its majors, newest
 * first; NULL: nothing, or nothing new. */
static const wpa_told_action *told_of(const wpa_fact_action *action, size_t *at, bool *is_new)
{
    *at = 0;
    *is_new = false;
    if (!wpa_fresh_has_told()) {
        return NULL;
    }
    const wpa_told_action *told = told_alone(action);
    told = told ? told : wpa_fresh_told_find(wpa_slice_of(text_at(action->name)));
    while (told && *at < action->n_majors &&
           wpa_fact_majors[action->first_major + *at].number > told->major) {
        ++*at;
    }
    *is_new = told && (*at == action->n_majors ||
                       wpa_fact_majors[action->first_major + *at].number != told->major);
    bool is_known = told && !*is_new &&
                    !is_newer(told, text_at(wpa_fact_majors[action->first_major + *at].newest));
    return is_known ? NULL : told;
}

/* What the action's file says, and what it was read from. */
static void tell_major(const wpa_told_action *told, wpa_fact_major *major)
{
    major->number = told->major;
    major->newest = major->metadata = told->tag;
    major->newest_commit = told->commit;
    major->newest_date = major->metadata_date = NULL;
    major->using = told->using;
    major->image = told->image;
    major->n_inputs = told->n_inputs;
    major->n_outputs = told->n_outputs;
    major->n_uses = told->n_uses;
    major->wants_input = true;
    major->told = told;
}

/* A ref "v5" for a major that the tables do not have. */
static void find_moving_ref(const wpa_fresh_repo *fresh, wpa_fact_major *major)
{
    char name[16];
    wpa_fact_ref found;
    if (wpa_text_format(name, sizeof name, "v%d", major->number) &&
        wpa_facts_ref_find(&fresh->head, wpa_slice_of(name), &found)) {
        major->ref = found.name;
    }
}

size_t wpa_facts_major_count(const wpa_fact_action *action)
{
    size_t at;
    bool is_new;
    (void)told_of(action, &at, &is_new);
    return action->n_majors + is_new;
}

wpa_fact_major wpa_facts_major_at(const wpa_fact_action *action, size_t i)
{
    size_t at;
    bool is_new;
    const wpa_told_action *told = told_of(action, &at, &is_new);
    const wpa_fresh_repo *fresh = fresh_of(action);
    wpa_fact_major major = {0};
    if (!is_new || i != at) {
        major = compiled_major(action, i - (is_new && i > at));
    }
    if (told && i == at) {
        tell_major(told, &major);
    }
    if (fresh && is_new && i == at) {
        find_moving_ref(fresh, &major);
    }
    if (fresh) {
        refresh_major(fresh, &major);
    }
    if (told && i == at && wpa_text_is(major.metadata, major.newest)) {
        major.metadata_date = major.newest_date;
    }
    return major;
}

bool wpa_facts_major_find(const wpa_fact_action *action, int number, wpa_fact_major *major)
{
    size_t at;
    bool is_new;
    const wpa_told_action *told = told_of(action, &at, &is_new);
    if (is_new && told->major == number) {
        *major = wpa_facts_major_at(action, at);
        return true;
    }
    for (size_t i = 0; i < action->n_majors; i++) {
        if (wpa_fact_majors[action->first_major + i].number == number) {
            *major = wpa_facts_major_at(action, i + (is_new && i >= at));
            return true;
        }
    }
    return false;
}

wpa_fact_input wpa_facts_input_at(const wpa_fact_major *major, size_t i)
{
    if (major->told) {
        return major->told->inputs[i];
    }
    const wpa_fact_input_row *row = &wpa_fact_inputs[major->first_input + i];
    return (wpa_fact_input){
        .name = text_at(row->name),
        .deprecated = text_at(row->deprecated),
        .is_required = row->is_required,
        .has_default = row->has_default,
    };
}

bool wpa_facts_input_find(const wpa_fact_major *major, wpa_slice name, wpa_fact_input *input)
{
    const wpa_fact_input_row *rows = &wpa_fact_inputs[major->first_input];
    const wpa_told_action *told = major->told;
    char first = (char)(name.length ? *name.at | 0x20 : 0);
    for (size_t i = 0; i < major->n_inputs; i++) {
        bool may_be = told || (rows[i].length == name.length && rows[i].first == first);
        if (may_be && wpa_slice_is_ci(name, told ? told->inputs[i].name : text_at(rows[i].name))) {
            *input = wpa_facts_input_at(major, i);
            return true;
        }
    }
    return false;
}

const char *wpa_facts_output_at(const wpa_fact_major *major, size_t i)
{
    return major->told ? major->told->outputs[i] : text_at(wpa_fact_texts[major->first_output + i]);
}

bool wpa_facts_output_has(const wpa_fact_major *major, wpa_slice name)
{
    for (size_t i = 0; i < major->n_outputs; i++) {
        if (wpa_slice_is_ci(name, wpa_facts_output_at(major, i))) {
            return true;
        }
    }
    return false;
}

const char *wpa_facts_used_at(const wpa_fact_major *major, size_t i)
{
    return major->told ? major->told->uses[i] : text_at(wpa_fact_texts[major->first_used + i]);
}
