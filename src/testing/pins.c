/*
 * T111: commits that the patch pins. What the tables of tags say, with what `wpa data update` has
 * asked since, and else a repository of the fleet: is the commit there, is it in a branch or tag of
 * the repository itself, and is it the version that the comment names? What nobody here can tell is
 * skipped, and left to whoever approves.
 */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "facts/refreshed.h"
#include "rules/outline.h"
#include "testing/around.h"
#include "testing/checks.h"

#define AGE_MIN_DAYS 7
#define DAY_US (INT64_C(86400) * 1000000)
#define NETWORK_MS 60000
#define SHOWN_DIGITS 12

/** A commit that the file pins, and did not before. */
typedef struct pin {
    const wpa_outline_uses *uses;
    const char *slug, *commit, *hint; /* hint: of the comment, or "" */
} pin;

typedef struct pins {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_map *known; /* "slug@commit # hint" before */
    pin *items;
    size_t n, capacity;
} pins;

/* ---- which they are ---- */

typedef void (*uses_visitor)(pins *p, const wpa_outline_uses *uses, void *into);

static void each_uses(pins *p, const wpa_outline *outline, uses_visitor visit, void *into)
{
    for (size_t i = 0; outline && i < outline->n_jobs; i++) {
        visit(p, &outline->jobs[i].uses, into);
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            visit(p, &outline->jobs[i].steps[k].uses, into);
        }
    }
}

static const char *text_of(wpa_slice slice, wpa_arena *arena)
{
    return wpa_arena_slice(arena, slice.at, slice.length);
}

static pin pin_of(const wpa_outline_uses *uses, wpa_arena *arena)
{
    return (pin){.uses = uses,
                 .slug = text_of(uses->slug, arena),
                 .commit = text_of(uses->ref, arena),
                 .hint = uses->hint.length ? text_of(uses->hint, arena) : ""};
}

static bool is_pin(const wpa_outline_uses *uses)
{
    return uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact && uses->fact->pin == WPA_PIN_COMMIT;
}

static const char *key_of(const pin *one, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s@%s # %s", one->slug, one->commit, one->hint);
}

static void note_known(pins *p, const wpa_outline_uses *uses, void *into)
{
    if (is_pin(uses)) {
        const pin one = pin_of(uses, p->context->arena);
        wpa_map_put(into, key_of(&one, p->context->arena), into);
    }
}

/** Each once, however often the file uses it. */
static void add_new(pins *p, const wpa_outline_uses *uses, void *into)
{
    if (!is_pin(uses)) {
        return;
    }
    const pin one = pin_of(uses, p->context->arena);
    const char *key = key_of(&one, p->context->arena);
    if (!wpa_map_has(p->known, key) && !wpa_map_has(into, key)) {
        wpa_map_put(into, key, into);
        p->items =
            wpa_arena_grow(p->context->arena, p->items, p->n, &p->capacity, sizeof *p->items);
        p->items[p->n++] = one;
    }
}

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_file *file,
                                     wpa_test_image *image)
{
    return image->bytes && file->is_definition
               ? wpa_test_image_analysis(context, file, image)->result.source->outline
               : NULL;
}

/** What another file of the patch pinned before has only moved here. */
static void collect(pins *p)
{
    const wpa_test_patch *patch = p->context->patch;
    wpa_map *known = wpa_map_new(p->context->arena);
    for (size_t i = 0; i < patch->n_files; i++) {
        wpa_test_file *file = &patch->files[i];
        if (file->target == p->context->target) {
            each_uses(p, outline_of(p->context, file, &file->before), note_known, known);
        }
    }
    p->known = known;
    each_uses(p, outline_of(p->context, p->context->file, &p->context->file->after), add_new,
              wpa_map_new(p->context->arena));
}

/* ---- judging one ---- */

static void tell(pins *p, const pin *one, const char *label, const char *what)
{
    wpa_test_evidence_at(p->outcome, p->context->arena, p->context->file, &p->context->file->after,
                         one->uses->ref_span.start, label,
                         wpa_arena_printf(p->context->arena, "%s@%.*s: %s", one->slug, SHOWN_DIGITS,
                                          one->commit, what));
}

static void refuse(pins *p, const pin *one, const char *what)
{
    tell(p, one, "refused", what);
    wpa_test_fail(p->outcome, p->context->arena, "%s@%.*s: %s", one->slug, SHOWN_DIGITS,
                  one->commit, what);
}

static void leave_open(pins *p, const pin *one, const char *why)
{
    tell(p, one, "not proven", why);
    wpa_test_skip_with(p->outcome, WPA_TEST_SKIP_NO_FORGE, p->context->arena,
                       "%s@%.*s is not proven to be the repository's own: %s", one->slug,
                       SHOWN_DIGITS, one->commit, why);
}

/** The day of a release, as far as a table has it; NULL: it has none. */
static const char *day_of(const wpa_fact_use *fact)
{
    const wpa_fact_major *major = &fact->major;
    bool is_newest = fact->has_major && major->newest_commit && fact->commit &&
                     memcmp(major->newest_commit, fact->commit, WPA_COMMIT_BYTES) == 0;
    return is_newest && major->newest_date ? major->newest_date
           : fact->tag                     ? wpa_refreshed_seen(fact->repo, wpa_slice_of(fact->tag))
                                           : NULL;
}

/** So young that nobody may have noticed yet what is wrong with it. */
static void judge_age(pins *p, const pin *one)
{
    const char *day = day_of(one->uses->fact);
    if (day && wpa_now_us() / DAY_US - wpa_facts_days(day) < AGE_MIN_DAYS) {
        const char *text = wpa_arena_printf(p->context->arena,
                                            "released on %s, less than %d days "
                                            "ago",
                                            day, AGE_MIN_DAYS);
        tell(p, one, "young", text);
        wpa_test_warn(p->outcome, p->context->arena, "%s@%.*s: %s", one->slug, SHOWN_DIGITS,
                      one->commit, text);
    }
}

/** Of a commit in a table; whether the comment fits it the rule has said already. */
static void judge_by_table(pins *p, const pin *one)
{
    const wpa_fact_use *fact = one->uses->fact;
    tell(p, one, "proven",
         wpa_arena_printf(p->context->arena, "%s%s, by the tags of %s",
                          fact->tag ? "it is " : "a branch or tag of the repository names it",
                          fact->tag ? fact->tag : "", wpa_facts_repo_date(fact->repo)));
    judge_age(p, one);
}

static wpa_test_upstream *upstream_of(const pins *p, const pin *one)
{
    const char *repo = text_of(one->uses->repo, p->context->arena);
    for (size_t i = 0; i < p->context->patch->n_upstreams; i++) {
        if (wpa_text_is_ci(p->context->patch->upstreams[i].slug, repo)) {
            return &p->context->patch->upstreams[i];
        }
    }
    return NULL;
}

/** Does the tag of the comment mean this commit? False: it means another one, or is not there. */
static bool fits_tag(wpa_git *git, const pin *one, bool *is_there, wpa_arena *arena)
{
    char oid[WPA_OID_SIZE];
    wpa_error ignored = {0};
    const char *revision = wpa_arena_printf(arena, "refs/tags/%s", one->hint);
    bool is_name = !strpbrk(one->hint, "~^:@{}?*[\\ "); /* nothing that leads on from a tag */
    *is_there = is_name && wpa_git_revision_find(git, revision, oid, &ignored);
    return *is_there && wpa_text_is_ci(oid, one->commit);
}

/** Is it in the repository's branch, or what its tag means? */
static bool is_reachable(wpa_git *git, const pin *one, const wpa_test_upstream *upstream,
                         bool is_of_tag, wpa_arena *arena)
{
    char head[WPA_OID_SIZE];
    bool is_in_branch = false;
    wpa_error ignored = {0};
    const char *ref = wpa_arena_printf(arena, "refs/heads/%s", upstream->branch);
    return is_of_tag ||
           (wpa_git_ref_read(git, ref, head, &ignored) &&
            wpa_git_is_ancestor(git, one->commit, head, &is_in_branch, &ignored) && is_in_branch);
}

/** From a clone only what is in the branch is known; a repository on this machine has all. */
static void judge_by_git(pins *p, const pin *one, const wpa_test_upstream *upstream)
{
    wpa_arena *arena = p->context->arena;
    wpa_git *git = upstream->git;
    wpa_git_commit commit;
    wpa_error ignored = {0};
    bool is_whole = wpa_git_url_is_local(upstream->url), has_tag = false;
    bool is_of_tag = *one->hint && fits_tag(git, one, &has_tag, arena);
    if (has_tag && !is_of_tag) {
        refuse(p, one,
               wpa_arena_printf(arena, "the comment says %s, which is another commit", one->hint));
    } else if (!wpa_git_commit_read(git, one->commit, arena, &commit, &ignored)) {
        if (is_whole) {
            refuse(p, one, "there is no such commit in its repository");
        } else {
            leave_open(p, one, "it is not in what was fetched of its repository");
        }
    } else if (!is_reachable(git, one, upstream, is_of_tag, arena)) {
        leave_open(p, one,
                   wpa_arena_printf(arena, "it is not in the branch %s of its repository",
                                    upstream->branch));
    } else if (*one->hint && !has_tag && is_whole) {
        refuse(p, one,
               wpa_arena_printf(arena, "the comment says %s, and there is no such tag", one->hint));
    } else if (*one->hint && !has_tag) {
        leave_open(p, one, "the tags of its repository are not known here");
    } else {
        tell(p, one, "proven", "it is in the repository, which is of the fleet");
    }
}

/** Once in a test, however many files pin it. */
static bool open_upstream(pins *p, wpa_test_upstream *upstream)
{
    const char *cache = p->context->scratch ? p->context->scratch : "/tmp";
    wpa_error err = {0};
    char text[1100];
    if (!upstream->git && !upstream->trouble) {
        upstream->git = wpa_git_reach(upstream->url, upstream->branch, cache, NETWORK_MS, &err);
        upstream->trouble = upstream->git ? NULL
                                          : wpa_arena_text(p->context->arena,
                                                           wpa_error_text(&err, text, sizeof text));
    }
    return upstream->git != NULL;
}

static void judge(pins *p, const pin *one)
{
    wpa_test_upstream *upstream = upstream_of(p, one);
    if (one->uses->fact->commit) {
        judge_by_table(p, one);
    } else if (!upstream) {
        leave_open(p, one,
                   one->uses->fact->repo ? "no table has this commit (see wpa data update)"
                                         : "no table has its repository, nor is it in the fleet");
    } else if (open_upstream(p, upstream)) {
        judge_by_git(p, one, upstream);
    } else {
        leave_open(p, one, upstream->trouble);
    }
}

/* ---- the check ---- */

static pins pins_of(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    pins p = {.context = context, .outcome = outcome};
    if (context->file->is_definition && context->file->after.bytes) {
        collect(&p);
    }
    return p;
}

static bool has_pins(const wpa_test_context *context)
{
    return pins_of(context, NULL).n > 0;
}

static bool counts(const wpa_finding *finding)
{
    return finding->severity >= WPA_SEVERITY_MEDIUM;
}

static bool check_pins(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    pins p = pins_of(context, outcome);
    if (!wpa_test_ask_rule(context, "ref-version-mismatch", counts, outcome, err) ||
        !wpa_test_ask_rule(context, "impostor-commit", counts, outcome, err)) {
        return false;
    }
    for (size_t i = 0; i < p.n; i++) {
        if (context->is_cancelled && context->is_cancelled(context->context)) {
            return WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
        }
        judge(&p, &p.items[i]);
    }
    return true;
}

const wpa_test_check wpa_test_t111 = {.id = "T111",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .may_be_unproven = true,
                                      .title = "pins are commits of the version they name",
                                      .applies = has_pins,
                                      .run = check_pins};
