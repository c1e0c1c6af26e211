/* What a forge has told, as look-ups in the tables see it. */
#include <stdlib.h>
#include <string.h>

#include "auth/hash.h"
#include "facts/tables.h"
#include "facts/told.h"

/* Set once before threads: like the tables that are compiled in it belongs to the program. */
static struct {
    const wpa_told *told; /* or NULL */
    wpa_fact_advisory *advisories;
    size_t n_advisories;
    wpa_fact_archived *archived; /* [told->n_repos] as they are told */
    wpa_fresh_action *actions;   /* [told->n_actions] */
    const char *archived_date, *actions_date;
    char digest[WPA_SHA256_HEX_SIZE]; /* of this table and of that of refs */
} in_use;

static bool is_older(const char *date, wpa_fact_table table)
{
    return wpa_facts_days(date) < wpa_facts_days(wpa_fact_origins[table].date);
}

/* ---- advisories ---- */

static const wpa_fact_advisory *compiled_advisory(const wpa_fact_advisory *of)
{
    for (size_t i = 0; i < wpa_fact_n_advisories; i++) {
        const wpa_fact_advisory *row = &wpa_fact_advisories[i];
        if (wpa_text_is(row->id, of->id) && wpa_text_is_ci(row->action, of->action)) {
            return row;
        }
    }
    return NULL;
}

static bool is_told(const wpa_told *told, const wpa_fact_advisory *compiled)
{
    for (size_t i = 0; i < told->n_advisories; i++) {
        if (wpa_text_is(told->advisories[i].id, compiled->id) &&
            wpa_text_is_ci(told->advisories[i].action, compiled->action)) {
            return true;
        }
    }
    return false;
}

/** What people have found out about an advisory stays known: whom it is about, bad commits. */
static wpa_fact_advisory join(const wpa_fact_advisory *told)
{
    wpa_fact_advisory row = *told;
    const wpa_fact_advisory *known = compiled_advisory(told);
    if (known) {
        row.kind = known->kind;
        row.summary = known->summary;
        row.exposes_callers = known->exposes_callers;
        row.bad_commits = known->bad_commits;
    }
    return row;
}

static int compare_rows(const void *a, const void *b)
{
    const wpa_fact_advisory *x = a, *y = b;
    int order = wpa_fact_compare_folded(x->action, wpa_slice_of(y->action));
    return order ? order : strcmp(x->id, y->id);
}

static void use_advisories(const wpa_told *told, wpa_arena *arena)
{
    wpa_fact_advisory *rows =
        wpa_arena_array(arena, told->n_advisories + wpa_fact_n_advisories + 1, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < told->n_advisories; i++) {
        rows[n++] = join(&told->advisories[i]);
    }
    for (size_t i = 0; i < wpa_fact_n_advisories; i++) {
        const wpa_fact_advisory *row = &wpa_fact_advisories[i];
        bool is_gone = wpa_told_is_withdrawn(told, row->id) && !row->bad_commits[0];
        if (!is_gone && !is_told(told, row)) {
            rows[n++] = *row;
        }
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    in_use.advisories = rows;
    in_use.n_advisories = n;
}

const wpa_fact_advisory *wpa_fresh_advisories(size_t *n)
{
    *n = in_use.n_advisories;
    return in_use.advisories;
}

/* ---- repositories ---- */

static void use_repos(const wpa_told *told, wpa_arena *arena)
{
    static const char *const none[] = {NULL};
    in_use.archived = wpa_arena_array(arena, told->n_repos + 1, sizeof *in_use.archived);
    for (size_t i = 0; i < told->n_repos; i++) {
        const wpa_told_repo *repo = &told->repos[i];
        const char **successors = wpa_arena_array(arena, 2, sizeof *successors);
        successors[0] = repo->target;
        in_use.archived[i] = (wpa_fact_archived){
            .repo = repo->name,
            .status = repo->state == WPA_TOLD_MOVED ? "moved" : "archived",
            .successors = repo->target ? successors : none,
            .basis = "the forge says so",
        };
        if (!in_use.archived_date || strcmp(repo->date, in_use.archived_date) > 0) {
            in_use.archived_date = repo->date;
        }
    }
}

const wpa_fact_archived *wpa_fresh_archived(wpa_slice slug, const wpa_fact_archived *compiled)
{
    const wpa_told_repo *repo = wpa_told_repo_find(in_use.told, slug);
    if (!repo || is_older(repo->date, WPA_FACTS_ARCHIVED)) {
        return compiled;
    }
    if (repo->state == WPA_TOLD_ACTIVE) { /* what its owner says of it still holds */
        return compiled && wpa_text_is(compiled->status, "archived") ? NULL : compiled;
    }
    return compiled ? compiled : &in_use.archived[repo - in_use.told->repos];
}

/* ---- actions ---- */

static void use_actions(const wpa_told *told, wpa_arena *arena)
{
    in_use.actions = wpa_arena_array(arena, told->n_actions + 1, sizeof *in_use.actions);
    for (size_t i = 0; i < told->n_actions; i++) {
        const wpa_told_action *action = &told->actions[i];
        in_use.actions[i] = (wpa_fresh_action){
            .head = {.first_major = WPA_FACT_NONE, .rank = UINT32_MAX}, .told = action};
        if (!in_use.actions_date || strcmp(action->date, in_use.actions_date) > 0) {
            in_use.actions_date = action->date;
        }
    }
}

bool wpa_fresh_has_told(void)
{
    return in_use.told != NULL;
}

const wpa_told_action *wpa_fresh_told_find(wpa_slice slug)
{
    return wpa_told_action_find(in_use.told, slug);
}

const wpa_fact_action *wpa_fresh_action_find(wpa_slice slug)
{
    const wpa_told_action *told = wpa_fresh_told_find(slug);
    return told ? &in_use.actions[told - in_use.told->actions].head : NULL;
}

/* ---- in use ---- */

void wpa_told_use(const wpa_told *told, wpa_arena *arena)
{
    memset(&in_use, 0, sizeof in_use);
    in_use.told = told;
    if (!told) {
        return;
    }
    if (told->advisories_date && !is_older(told->advisories_date, WPA_FACTS_ADVISORIES)) {
        use_advisories(told, arena);
    }
    use_repos(told, arena);
    use_actions(told, arena);
    const char *both = wpa_arena_printf(arena, "%s %s", told->digest, wpa_refreshed_digest());
    (void)wpa_sha256_hex(both, strlen(both), in_use.digest);
}

const char *wpa_facts_digest(void)
{
    return in_use.told ? in_use.digest : wpa_refreshed_digest();
}

const wpa_told *wpa_told_in_use(void)
{
    return in_use.told;
}

const char *wpa_fresh_date(wpa_fact_table table)
{
    const char *date = table == WPA_FACTS_ADVISORIES && in_use.advisories
                           ? in_use.told->advisories_date
                       : table == WPA_FACTS_ARCHIVED ? in_use.archived_date
                       : table == WPA_FACTS_ACTIONS  ? in_use.actions_date
                                                     : NULL;
    return date && !is_older(date, table) ? date : NULL;
}
