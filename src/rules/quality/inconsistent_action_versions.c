/* QUA-006: one repository uses an action at several majors, or at one that the fleet has left. */
#include <string.h>

#include <wpa/map.h>

#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/upgrade.h"

#define ACTIONS_MAX 200   /* of one file that are counted */
#define SEEN_MAX 64       /* of one file that a first look tells apart */
#define FLEET_MIN 5       /* repositories that use the main version of a fleet at least */
#define FLEET_MINORITY 20 /* per cent of repositories, below which a version is left behind */

typedef struct tally {
    const wpa_graph_version *items; /* those without a graph have no first use */
    size_t n;
} tally;

typedef struct subject {
    const wpa_outline_uses *uses;
    wpa_fact_major major;
} subject;

static bool is_same_slug(wpa_slice a, wpa_slice b)
{
    return a.length == b.length && wpa_bytes_are_ci(a.at, b.at, a.length);
}

static bool is_same_action(const char *text, wpa_slice slug)
{
    return text && strncasecmp(text, slug.at, slug.length) == 0 && text[slug.length] == '@';
}

static void count(wpa_graph_version *versions, size_t *n, int major)
{
    size_t i = 0;
    while (i < *n && versions[i].major != major) {
        i++;
    }
    if (major < 0 || i == WPA_GRAPH_VERSIONS_MAX) {
        return;
    }
    *n += i == *n;
    versions[i].major = major;
    versions[i].n_uses++;
}

static tally count_alone(wpa_rule_run *run, wpa_slice slug)
{
    const wpa_outline *o = run->source->outline;
    wpa_graph_version *versions =
        wpa_arena_array(run->arena, WPA_GRAPH_VERSIONS_MAX, sizeof *versions);
    tally t = {versions, 0};
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_uses *other = &o->jobs[i].steps[k].uses;
            if (other->kind == WPA_OUTLINE_REPOSITORY && is_same_action(other->node->text, slug)) {
                count(versions, &t.n, wpa_outline_major(other));
            }
        }
    }
    return t;
}

static tally count_all(wpa_rule_run *run, wpa_slice slug)
{
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->graph) {
        return count_alone(run, slug);
    }
    bool is_copied = strstr(wpa_source_identity(run->source), "/.github/") != NULL;
    tally t;
    t.items = wpa_graph_versions_of(around->graph, slug, is_copied, &t.n);
    return t;
}

/* Index of what most use; of equals the newest. */
static size_t main_of(const tally *t)
{
    size_t best = 0;
    for (size_t i = 1; i < t->n; i++) {
        const wpa_graph_version *own = &t->items[i], *other = &t->items[best];
        bool is_newer = own->n_uses == other->n_uses && own->major > other->major;
        best = own->n_uses > other->n_uses || is_newer ? i : best;
    }
    return best;
}

/* Counted once an action and file. */
static tally *tally_of(wpa_rule_run *run, wpa_map *tallies, const wpa_outline_uses *uses)
{
    char *slug = wpa_arena_slice(run->arena, uses->slug.at, uses->slug.length);
    for (char *c = slug; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    tally *t = wpa_map_get(tallies, slug);
    if (!t && wpa_map_count(tallies) < ACTIONS_MAX) {
        t = wpa_arena_alloc(run->arena, sizeof *t);
        *t = count_all(run, uses->slug);
        wpa_map_put(tallies, slug, t);
    }
    return t;
}

/* The version that most of the fleet uses, where this one is left behind; or NULL. */
static const wpa_fleet_use *main_of_fleet(const wpa_rule_run *run, const wpa_outline_uses *uses,
                                          int major, size_t *n_all)
{
    size_t n, n_own = 0;
    const wpa_surroundings *around = run->source->around;
    const wpa_fleet_use *rows = wpa_fleet_uses_find(around ? around->fleet : NULL, uses->slug, &n);
    const wpa_fleet_use *best = NULL;
    *n_all = 0;
    for (size_t i = 0; i < n;
         i++) { /* by repositories: one of many workflows counts as any other */
        if (rows[i].major < 0) {
            continue;
        }
        *n_all += rows[i].n_repositories;
        n_own += rows[i].major == major ? rows[i].n_repositories : 0;
        best = !best || rows[i].n_repositories >= best->n_repositories ? &rows[i] : best;
    }
    bool is_minority = n_own * 100 < *n_all * FLEET_MINORITY;
    return best && best->major > major && is_minority && best->n_repositories >= FLEET_MIN ? best
                                                                                           : NULL;
}

static void check_fleet(wpa_rule_run *run, const wpa_outline_uses *uses, int major)
{
    size_t n_all;
    const wpa_fleet_use *best = main_of_fleet(run, uses, major, &n_all);
    if (!best) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->uses = uses;
    bool has_target = uses->fact->action &&
                      wpa_facts_major_find(uses->fact->action, best->major, &s->major) &&
                      s->major.newest_commit;
    wpa_rule_report(run, uses->ref_span, NULL, has_target ? s : NULL,
                    "%s is version %d here, and version %d in about %zu %% of the fleet's "
                    "repositories that use it",
                    wpa_rule_quote(run, uses->slug.at, uses->slug.length), major, best->major,
                    best->n_repositories * 10 / n_all * 10);
}

static void check_uses(wpa_rule_run *run, wpa_map *tallies, const wpa_outline_uses *uses)
{
    int major = uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_outline_major(uses) : -1;
    const tally *t = major >= 0 ? tally_of(run, tallies, uses) : NULL;
    if (!t) {
        return;
    }
    const wpa_graph_version *best = t->n ? &t->items[main_of(t)] : NULL;
    if (t->n < 2 || best->major == major) { /* the repository is at one with itself */
        check_fleet(run, uses, major);
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->uses = uses;
    bool has_target = best->major > major && uses->fact->action &&
                      wpa_facts_major_find(uses->fact->action, best->major, &s->major) &&
                      s->major.newest_commit;
    wpa_finding *finding = wpa_rule_report(
        run, uses->ref_span, NULL, has_target ? s : NULL,
        "%s is version %d here, and version %d in %zu other place%s of the repository",
        wpa_rule_quote(run, uses->slug.at, uses->slug.length), major, best->major, best->n_uses,
        best->n_uses == 1 ? "" : "s");
    if (best->major < major) {
        finding->persona =
            WPA_PERSONA_PEDANTIC; /* this place is ahead: the others have to follow */
    }
    const wpa_graph_user *first = &best->first;
    const wpa_source *other = first->file ? wpa_rule_source_at(run, first->file->path) : NULL;
    if (other) {
        wpa_rule_relate_in(run, finding, other, first->use->span, "version %d", best->major);
    }
}

/* A step's action, and the major that it is used at. */
typedef struct seen {
    wpa_slice slug;
    int major;
} seen;

/* Is an action used at two majors in this file, as far as is quick to tell? Few are in any. */
static bool may_differ(const wpa_outline *o)
{
    seen all[SEEN_MAX];
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_uses *uses = &o->jobs[i].steps[k].uses;
            int major = uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_outline_major(uses) : -1;
            size_t at = 0;
            while (major >= 0 && at < n && !is_same_slug(all[at].slug, uses->slug)) {
                at++;
            }
            if (major >= 0 && (at == SEEN_MAX || (at < n && all[at].major != major))) {
                return true;
            }
            if (major >= 0 && at == n) {
                all[n++] = (seen){uses->slug, major};
            }
        }
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_surroundings *around = run->source->around;
    bool is_alone = !around || (!around->graph && !around->fleet);
    if (is_alone && !may_differ(o)) {
        return true;
    }
    wpa_map *tallies = wpa_map_new(run->arena);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_uses(run, tallies, &o->jobs[i].uses);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_uses(run, tallies, &o->jobs[i].steps[k].uses);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) {
        wpa_upgrade_offer(run, finding, WPA_FIX_UNSAFE, s->uses, &s->major);
    }
}

const wpa_rule wpa_rule_inconsistent_action_versions = {
    .code = "QUA-006",
    .id = "inconsistent-action-versions",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "One repository uses an action at several major versions",
    .why = "The same step behaves differently from file to file, and one of them is left behind.",
    .fix = "Use the version that most places use.",
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_TAGS,
    .declares = WPA_DECLARES_PINS,
    .compares = true,
    .check = check,
    .repair = repair,
};
