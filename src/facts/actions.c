/* Look-ups in the large tables: repositories, refs, commits, versions, inputs. */
#include <string.h>

#include "facts/tables.h"

static const char *text_at(uint32_t id)
{
    return id == WPA_FACT_NONE ? NULL : wpa_fact_pool + id;
}

static const uint8_t *commit_at(uint32_t id)
{
    return id == WPA_FACT_NONE ? NULL
                               : (const uint8_t *)wpa_fact_commits + (size_t)id * WPA_COMMIT_BYTES;
}

static int fold(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? u - 'A' + 'a' : u;
}

/* Order of name against text, without case: as the generator sorts. */
static int compare_folded(const char *name, wpa_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        int order = fold(name[i]) - fold(text.at[i]);
        if (order || !name[i]) {
            return order;
        }
    }
    return name[text.length] ? 1 : 0;
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

/* Length of "owner/repo" in "owner/repo/path". */
static size_t repo_length(wpa_slice slug)
{
    size_t slashes = 0;
    for (size_t i = 0; i < slug.length; i++) {
        if (slug.at[i] == '/' && ++slashes == 2) {
            return i;
        }
    }
    return slug.length;
}

const wpa_fact_repo *wpa_facts_repo_find(wpa_slice slug)
{
    wpa_slice repo = {slug.at, repo_length(slug)};
    size_t low = 0, high = wpa_fact_n_repos;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_folded(text_at(wpa_fact_repos[middle].name), repo);
        if (order == 0) {
            return &wpa_fact_repos[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const char *wpa_facts_repo_name(const wpa_fact_repo *repo)
{
    return text_at(repo->name);
}

const char *wpa_facts_repo_date(const wpa_fact_repo *repo)
{
    return text_at(repo->date);
}

size_t wpa_facts_repo_ref_count(const wpa_fact_repo *repo)
{
    return repo->n_refs;
}

static wpa_fact_ref ref_of(const wpa_fact_ref_row *row)
{
    return (wpa_fact_ref){
        .name = text_at(row->name),
        .kind = (wpa_fact_ref_kind)row->kind,
        .commit = commit_at(row->commit),
    };
}

wpa_fact_ref wpa_facts_repo_ref_at(const wpa_fact_repo *repo, size_t i)
{
    return ref_of(&wpa_fact_refs[repo->first_ref + i]);
}

bool wpa_facts_ref_find(const wpa_fact_repo *repo, wpa_slice name, wpa_fact_ref *ref)
{
    const wpa_fact_ref_row *rows = wpa_fact_refs + repo->first_ref;
    size_t low = 0, high = repo->n_refs;
    while (low < high) { /* the first of equal names is the tag */
        size_t middle = (low + high) / 2;
        if (compare_exact(text_at(rows[middle].name), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == repo->n_refs || compare_exact(text_at(rows[low].name), name) != 0) {
        return false;
    }
    *ref = ref_of(&rows[low]);
    return true;
}

size_t wpa_facts_commit_refs(const wpa_fact_repo *repo, const uint8_t *commit, wpa_fact_ref *refs,
                             size_t max)
{
    const uint32_t *order = wpa_fact_refs_by_commit + repo->first_ref;
    size_t low = 0, high = repo->n_refs, n = 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint8_t *at = commit_at(wpa_fact_refs[order[middle]].commit);
        if (memcmp(at, commit, WPA_COMMIT_BYTES) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < repo->n_refs; low++, n++) {
        wpa_fact_ref ref = ref_of(&wpa_fact_refs[order[low]]);
        if (memcmp(ref.commit, commit, WPA_COMMIT_BYTES) != 0) {
            break;
        }
        if (n < max) {
            refs[n] = ref;
        }
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

const wpa_fact_action *wpa_facts_action_find(wpa_slice slug)
{
    size_t low = 0, high = wpa_fact_n_actions;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *name = text_at(wpa_fact_actions[middle].name);
        int order = compare_folded(name, slug);
        if (order == 0) {
            size_t path = repo_length(slug);
            bool is_same = memcmp(name + path, slug.at + path, slug.length - path) == 0;
            return is_same ? &wpa_fact_actions[middle] : NULL;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
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
    return text_at(action->name);
}

unsigned wpa_facts_action_rank(const wpa_fact_action *action)
{
    return action->rank;
}

bool wpa_facts_action_latest(const wpa_fact_action *action, wpa_fact_ref *tag, const char **date)
{
    if (action->latest == WPA_FACT_NONE || action->latest_commit == WPA_FACT_NONE) {
        return false;
    }
    tag->name = text_at(action->latest);
    tag->kind = WPA_FACT_TAG;
    tag->commit = commit_at(action->latest_commit);
    *date = text_at(action->latest_date);
    return true;
}

size_t wpa_facts_major_count(const wpa_fact_action *action)
{
    return action->n_majors;
}

wpa_fact_major wpa_facts_major_at(const wpa_fact_action *action, size_t i)
{
    const wpa_fact_major_row *row = &wpa_fact_majors[action->first_major + i];
    return (wpa_fact_major){
        .number = row->number,
        .ref = text_at(row->ref),
        .commit = commit_at(row->commit),
        .newest = text_at(row->newest),
        .newest_commit = commit_at(row->newest_commit),
        .newest_date = text_at(row->newest_date),
        .using = text_at(row->using),
        .image = text_at(row->image),
        .n_inputs = row->n_inputs,
        .n_outputs = row->n_outputs,
        .n_uses = row->n_used,
        .first_input = row->first_input,
        .first_output = row->first_output,
        .first_used = row->first_used,
    };
}

bool wpa_facts_major_find(const wpa_fact_action *action, int number, wpa_fact_major *major)
{
    for (size_t i = 0; i < action->n_majors; i++) {
        if (wpa_fact_majors[action->first_major + i].number == number) {
            *major = wpa_facts_major_at(action, i);
            return true;
        }
    }
    return false;
}

wpa_fact_input wpa_facts_input_at(const wpa_fact_major *major, size_t i)
{
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
    for (size_t i = 0; i < major->n_inputs; i++) {
        wpa_fact_input found = wpa_facts_input_at(major, i);
        if (wpa_slice_is_ci(name, found.name)) {
            *input = found;
            return true;
        }
    }
    return false;
}

const char *wpa_facts_output_at(const wpa_fact_major *major, size_t i)
{
    return text_at(wpa_fact_texts[major->first_output + i]);
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
    return text_at(wpa_fact_texts[major->first_used + i]);
}
