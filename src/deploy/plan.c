/* The plan: a pure function of the patch and of what its repositories declare. */
#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "deploy/deploy.h"
#include "gen/sql.h"

#define SPEC_MAX_BYTES ((size_t)4 << 20)
#define CANARY_DEFAULT 3
#define ALL_AT_ONCE_MAX 10

typedef struct planned {
    int64_t id;
    const char *repository, *ref, *owner;
    int64_t criticality;
    const wpa_json *labels, *checks, *rollout, *points;
    wpa_json *paths;
    const wpa_json *used; /* the checks that its rollout names, or all */
    int64_t level;        /* behind those whose shared parts it uses */
    double fraction;      /* place within its owner's targets, so that waves mix owners */
    uint8_t hash[WPA_SHA256_SIZE];
    bool is_canary;
} planned;

typedef struct planner {
    wpa_arena *arena;
    const char *digest;
    bool is_irreversible;
    planned *targets;
    size_t n;
    const wpa_json *rollout; /* of the deployment */
    const wpa_json *changes; /* what the patch wants otherwise */
    int64_t approvals;
} planner;

/* ---- reading ---- */

static const wpa_json *json_at(const wpa_rows *rows, size_t row, size_t col, wpa_arena *arena,
                               wpa_error *err)
{
    return wpa_json_parse(wpa_rows_text(rows, row, col), wpa_rows_length(rows, row, col),
                          SPEC_MAX_BYTES, arena, err);
}

static bool read_target(planner *p, const wpa_rows *rows, size_t row, planned *t, wpa_error *err)
{
    *t = (planned){
        .id = wpa_rows_int(rows, row, 0),
        .ref = wpa_rows_dup(rows, row, 1, p->arena),
        .repository = wpa_rows_dup(rows, row, 3, p->arena),
        .owner = wpa_rows_dup(rows, row, 4, p->arena),
        .criticality = wpa_rows_int(rows, row, 5),
        .labels = json_at(rows, row, 6, p->arena, err),
        .checks = json_at(rows, row, 7, p->arena, err),
        .rollout = json_at(rows, row, 8, p->arena, err),
        .points = json_at(rows, row, 9, p->arena, err),
        .paths = wpa_json_new_array(p->arena),
    };
    if (t->labels == NULL || t->checks == NULL || t->rollout == NULL || t->points == NULL) {
        return wpa_error_within(err, "what is declared of %s", t->repository);
    }
    if (wpa_text_is(wpa_rows_text(rows, row, 10), "removed")) {
        return WPA_FAIL(err, WPA_E_REFUSED, "%s is not in the fleet any more", t->repository);
    }
    const char *text = wpa_arena_printf(p->arena, "%s\n%lld\n", p->digest, (long long)t->id);
    wpa_sha256(text, strlen(text), t->hash);
    return true;
}

static bool read_targets(wpa_db *db, planner *p, const char *const *params, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_PLAN_TARGETS, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    p->targets = wpa_arena_array(p->arena, wpa_rows_count(rows) + 1, sizeof *p->targets);
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        const int64_t id = wpa_rows_int(rows, i, 0);
        const bool is_same = p->n > 0 && p->targets[p->n - 1].id == id;
        if (is_same && !wpa_text_is(p->targets[p->n - 1].ref, wpa_rows_text(rows, i, 1))) {
            return WPA_FAIL(err, WPA_E_REFUSED, "the patch changes two branches of %s",
                            p->targets[p->n - 1].repository);
        }
        if (!is_same && !read_target(p, rows, i, &p->targets[p->n++], err)) {
            return false;
        }
        wpa_json_push_text(p->targets[p->n - 1].paths, wpa_rows_text(rows, i, 2));
    }
    return p->n > 0 || WPA_FAIL(err, WPA_E_REFUSED, "the patch changes nothing");
}

/* ---- order ---- */

static bool is_used_by(const planned *shared, const planned *user)
{
    for (size_t i = 0; i < wpa_json_count(shared->points); i++) {
        if (wpa_json_has_text(wpa_json_find(wpa_json_at(shared->points, i), "used_by"),
                              user->repository)) {
            return true;
        }
    }
    return false;
}

/* Longest chain of users in front of each; n rounds suffice, and a circle just stops there. */
static void set_levels(planner *p)
{
    bool has_changed = true;
    for (size_t round = 0; round < p->n && has_changed; round++) {
        has_changed = false;
        for (size_t i = 0; i < p->n; i++) {
            if (wpa_json_count(p->targets[i].points) == 0) {
                continue;
            }
            for (size_t k = 0; k < p->n; k++) {
                if (i != k && is_used_by(&p->targets[i], &p->targets[k]) &&
                    p->targets[k].level <= p->targets[i].level) {
                    p->targets[k].level = p->targets[i].level + 1;
                    has_changed = true;
                }
            }
        }
    }
}

static int by_owner(const void *left, const void *right)
{
    const planned *a = left;
    const planned *b = right;
    const int owner = strcmp(a->owner, b->owner);
    return owner != 0 ? owner : memcmp(a->hash, b->hash, sizeof a->hash);
}

/* The k-th of m targets of one owner stands at (k + 0.5) / m: any cut has its share of each. */
static void set_fractions(planner *p)
{
    qsort(p->targets, p->n, sizeof *p->targets, by_owner);
    for (size_t from = 0; from < p->n;) {
        size_t to = from;
        while (to < p->n && strcmp(p->targets[to].owner, p->targets[from].owner) == 0) {
            to++;
        }
        for (size_t i = from; i < to; i++) {
            p->targets[i].fraction = ((double)(i - from) + 0.5) / (double)(to - from);
        }
        from = to;
    }
}

static int by_order(const void *left, const void *right)
{
    const planned *a = left;
    const planned *b = right;
    if (a->is_canary != b->is_canary) {
        return a->is_canary ? -1 : 1;
    }
    if (a->level != b->level) {
        return a->level < b->level ? -1 : 1;
    }
    if (a->criticality != b->criticality) {
        return a->criticality < b->criticality ? -1 : 1;
    }
    if (a->fraction < b->fraction || a->fraction > b->fraction) {
        return a->fraction < b->fraction ? -1 : 1;
    }
    return memcmp(a->hash, b->hash, sizeof a->hash);
}

/* Of the most critical repository; the first by name of those; then what the patch says itself. */
static const wpa_json *choose_rollout(const planner *p)
{
    const planned *chosen = &p->targets[0];
    for (size_t i = 1; i < p->n; i++) {
        const planned *t = &p->targets[i];
        if (t->criticality > chosen->criticality ||
            (t->criticality == chosen->criticality &&
             strcmp(t->repository, chosen->repository) < 0)) {
            chosen = t;
        }
    }
    wpa_json *rollout = wpa_json_dup(chosen->rollout, p->arena);
    for (size_t i = 0; i < wpa_json_count(p->changes); i++) {
        wpa_json_set(rollout, wpa_json_key_at(p->changes, i),
                     wpa_json_dup(wpa_json_at(p->changes, i), p->arena));
    }
    return rollout;
}

static const char *text_of(const wpa_json *object, const char *key, const char *fallback)
{
    const char *text = wpa_json_text_of(wpa_json_find(object, key));
    return text != NULL ? text : fallback;
}

static void choose_canaries(planner *p)
{
    const wpa_json *names = wpa_json_find(p->rollout, "canary");
    const wpa_json *labels = wpa_json_find(p->rollout, "canary_labels");
    size_t n_chosen = 0;
    for (size_t i = 0; i < p->n; i++) {
        planned *t = &p->targets[i];
        t->is_canary = wpa_json_has_text(names, t->repository);
        for (size_t k = 0; k < wpa_json_count(labels) && !t->is_canary; k++) {
            t->is_canary = wpa_json_has_text(t->labels, wpa_json_text_of(wpa_json_at(labels, k)));
        }
        n_chosen += t->is_canary ? 1 : 0;
    }
    for (size_t i = 0; n_chosen == 0 && i < p->n && i < CANARY_DEFAULT; i++) {
        p->targets[i].is_canary = true; /* they stand in order of criticality */
    }
}

static void put_in_order(planner *p)
{
    set_levels(p);
    set_fractions(p);
    qsort(p->targets, p->n, sizeof *p->targets, by_order);
    if (wpa_text_is(text_of(p->rollout, "strategy", ""), "canary")) {
        choose_canaries(p);
        qsort(p->targets, p->n, sizeof *p->targets, by_order);
    }
}

/* ---- stages ---- */

static bool can_fail(const wpa_json *check)
{
    return !wpa_json_bool_of(wpa_json_find(check, "dry_run"), false);
}

static const wpa_json *checks_used(const planner *p, const planned *t)
{
    const wpa_json *named = wpa_json_find(t->rollout, "checks");
    wpa_json *used = wpa_json_new_array(p->arena);
    for (size_t i = 0; i < wpa_json_count(t->checks); i++) {
        const wpa_json *check = wpa_json_at(t->checks, i);
        const bool is_bake = wpa_text_is(text_of(check, "when", "bake"), "bake");
        if (is_bake && (named == NULL || wpa_json_has_text(named, text_of(check, "name", "")))) {
            wpa_json_push(used, wpa_json_dup(check, p->arena));
        }
    }
    return used;
}

static bool set_checks(planner *p, wpa_error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t n_able = 0;
        p->targets[i].used = checks_used(p, &p->targets[i]);
        for (size_t k = 0; k < wpa_json_count(p->targets[i].used); k++) {
            n_able += can_fail(wpa_json_at(p->targets[i].used, k)) ? 1 : 0;
        }
        if (n_able == 0) {
            return WPA_FAIL(err, WPA_E_REFUSED,
                            "%s has no health check that can fail; declare one (http, command or "
                            "rescore) in fleet.yml",
                            p->targets[i].repository);
        }
    }
    return true;
}

static void add_stage(planner *p, wpa_json *stages, const char *name, size_t from, size_t to,
                      int64_t bake_ms)
{
    if (from >= to) {
        return;
    }
    wpa_json *stage = wpa_json_push_object(stages);
    wpa_json_set_int(stage, "n", (int64_t)wpa_json_count(stages));
    wpa_json_set_text(stage, "name", name);
    wpa_json_set_real(stage, "percent", 100.0 * (double)to / (double)p->n);
    wpa_json_set_int(stage, "bake_ms", bake_ms);
    wpa_json *targets = wpa_json_set_array(stage, "targets");
    for (size_t i = from; i < to; i++) {
        const planned *t = &p->targets[i];
        wpa_json *target = wpa_json_push_object(targets);
        wpa_json_set_int(target, "id", t->id);
        wpa_json_set_text(target, "repository", t->repository);
        wpa_json_set_text(target, "ref", t->ref);
        wpa_json_set_int(target, "criticality", t->criticality);
        wpa_json_set(target, "paths", wpa_json_dup(t->paths, p->arena));
        wpa_json_set(target, "checks", wpa_json_dup(t->used, p->arena));
    }
}

/* Cumulative percentages; stages that would be empty are dropped, the last takes the rest. */
static void add_percent_stages(planner *p, wpa_json *stages, size_t from, int64_t bake_ms)
{
    const wpa_json *percents = wpa_json_find(p->rollout, "percents");
    const size_t n_left = p->n - from;
    size_t done = 0;
    for (size_t i = 0; i < wpa_json_count(percents); i++) {
        const int64_t percent = wpa_json_int_of(wpa_json_at(percents, i), 100);
        size_t upto = ((size_t)percent * n_left + 99) / 100;
        upto = i + 1 == wpa_json_count(percents) ? n_left : upto;
        /* A small fleet is covered early: the label says what the stage covers then. */
        add_stage(
            p, stages,
            wpa_arena_printf(p->arena, "%lld %%", upto == n_left ? 100LL : (long long)percent),
            from + done, from + upto, bake_ms);
        done = upto > done ? upto : done;
    }
    add_stage(p, stages, "rest", from + done, p->n, bake_ms);
}

static void add_count_stages(planner *p, wpa_json *stages, int64_t bake_ms)
{
    const wpa_json *counts = wpa_json_find(p->rollout, "counts");
    size_t done = 0;
    for (size_t i = 0; i < wpa_json_count(counts) && done < p->n; i++) {
        const int64_t count = wpa_json_int_of(wpa_json_at(counts, i), 0);
        const size_t left = p->n - done;
        const size_t size = count <= 0 || (size_t)count > left ? left : (size_t)count;
        add_stage(p, stages, wpa_arena_printf(p->arena, "wave %zu", i + 1), done, done + size,
                  bake_ms);
        done += size;
    }
    add_stage(p, stages, "rest", done, p->n, bake_ms);
}

static void add_stages(planner *p, wpa_json *stages)
{
    const char *strategy = text_of(p->rollout, "strategy", "waves-percent");
    const int64_t bake_ms = wpa_json_int_of(wpa_json_find(p->rollout, "bake_ms"), 1800000);
    if (wpa_text_is(strategy, "all-at-once")) {
        add_stage(p, stages, "all at once", 0, p->n, bake_ms);
    } else if (wpa_text_is(strategy, "waves-count")) {
        add_count_stages(p, stages, bake_ms);
    } else if (wpa_text_is(strategy, "canary")) {
        size_t n_canary = 0;
        while (n_canary < p->n && p->targets[n_canary].is_canary) {
            n_canary++;
        }
        add_stage(p, stages, "canary", 0, n_canary,
                  wpa_json_int_of(wpa_json_find(p->rollout, "canary_bake_ms"), 86400000));
        add_percent_stages(p, stages, n_canary, bake_ms);
    } else {
        add_percent_stages(p, stages, 0, bake_ms);
    }
}

/* ---- refusals ---- */

static bool check_plan(const planner *p, const wpa_json *stages, wpa_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < wpa_json_count(stages); i++) {
        n += wpa_json_count(wpa_json_find(wpa_json_at(stages, i), "targets"));
    }
    if (n != p->n) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "the stages hold %zu of %zu targets", n, p->n);
    }
    const size_t n_first = wpa_json_count(wpa_json_find(wpa_json_at(stages, 0), "targets"));
    if (n_first > ALL_AT_ONCE_MAX && p->approvals < 2) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "the first stage has %zu targets: more than %d need four eyes "
                        "(approvals_required 2)",
                        n_first, ALL_AT_ONCE_MAX);
    }
    if (p->is_irreversible &&
        wpa_text_is(text_of(p->rollout, "on_failure", "rollback"), "rollback")) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "the patch has a step that cannot be taken back: on_failure must be hold");
    }
    return true;
}

static bool read_patch(wpa_db *db, planner *p, const char *const *params, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_PLAN_PATCH, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no patch p-%s", params[0]);
    }
    p->digest = wpa_rows_dup(rows, 0, 1, p->arena);
    const wpa_json *rollback = json_at(rows, 0, 3, p->arena, err);
    p->is_irreversible = wpa_json_bool_of(wpa_json_find(rollback, "irreversible"), false);
    p->changes = json_at(rows, 0, 6, p->arena, err);
    return rollback != NULL && p->changes != NULL;
}

static bool read_settings(wpa_db *db, planner *p, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEPLOY_SETTINGS, NULL, 0, err);
    if (rows == NULL) {
        return false;
    }
    if (!wpa_text_to_int(wpa_rows_text(rows, 0, 0), 1, 100, &p->approvals)) {
        p->approvals = 1;
    }
    return true;
}

const wpa_json *wpa_deploy_plan(wpa_db *db, int64_t patch_id, wpa_arena *arena, char digest[65],
                                wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, id)};
    planner p = {.arena = arena};
    if (!read_patch(db, &p, params, err) || !read_settings(db, &p, err) ||
        !read_targets(db, &p, params, err)) {
        return NULL;
    }
    p.rollout = choose_rollout(&p);
    put_in_order(&p);
    if (!set_checks(&p, err)) {
        wpa_error_within(err, "plan of p-%lld", (long long)patch_id);
        return NULL;
    }
    wpa_json *plan = wpa_json_new_object(arena);
    wpa_json_set_text(plan, "digest", p.digest);
    wpa_json_set_text(plan, "strategy", text_of(p.rollout, "strategy", "waves-percent"));
    wpa_json_set_int(plan, "n_targets", (int64_t)p.n);
    wpa_json_set(plan, "rollout", wpa_json_dup(p.rollout, arena));
    wpa_json *stages = wpa_json_set_array(plan, "stages");
    add_stages(&p, stages);
    if (!check_plan(&p, stages, err)) {
        return NULL;
    }
    if (digest != NULL) {
        const char *text = wpa_json_dump(plan, arena);
        wpa_sha256_hex(text, strlen(text), digest);
    }
    return plan;
}
