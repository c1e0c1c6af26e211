/* SEC-027: an action whose name is a slip of the pen away from a well-known one. */
#include <ctype.h>
#include <pthread.h>
#include <string.h>

#include "facts/supply.h"
#include "rules/upgrade.h"

#define SLUG_MAX 128
/* An action of the table with a better rank than this is used too widely to be a trap. */
#define KNOWN_RANK 200

static const wpa_rule_option options[] = {
    {"allow", "", "slugs that are meant, separated by blanks or commas"},
    {0},
};

/* Lower case, so that what differs by case alone is the same. */
static bool fold(wpa_slice slug, char *out)
{
    if (slug.length >= SLUG_MAX) {
        return false;
    }
    for (size_t i = 0; i < slug.length; i++) {
        out[i] = (char)tolower((unsigned char)slug.at[i]);
    }
    out[slug.length] = '\0';
    return true;
}

/* The text as one reads it in a hurry: separators gone, look-alikes as one. */
static void blur(const char *text, char *out)
{
    static const char *const pairs[] = {"rnm", "vvw", "cld"};
    size_t n = 0;
    for (size_t i = 0; text[i];) {
        size_t taken = 1;
        char c = text[i] == '0' ? 'o' : text[i] == '1' || text[i] == '|' ? 'l' : text[i];
        for (size_t k = 0; k < WPA_COUNT(pairs); k++) {
            if (text[i] == pairs[k][0] && text[i + 1] == pairs[k][1]) {
                c = pairs[k][2];
                taken = 2;
            }
        }
        if (!strchr("-_.", c)) {
            out[n++] = c;
        }
        i += taken;
    }
    out[n] = '\0';
}

/* ---- the well-known ones ---- */

/* An action whose name may be meant; one table for all files. */
typedef struct well_known {
    const char *name; /* lower case */
    const char *blurred;
    size_t length, owner_length;
} well_known;

typedef struct originals {
    wpa_arena *arena;
    well_known *items; /* [n] those that others widely use first, then the best of the table */
    size_t n, n_popular;
} originals;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static originals known; /* constant once made */

static void add_original(const char *name)
{
    char folded[SLUG_MAX], blurred[SLUG_MAX];
    if (!fold(wpa_slice_of(name), folded)) {
        return;
    }
    blur(folded, blurred);
    known.items[known.n++] = (well_known){
        .name = wpa_arena_text(known.arena, folded),
        .blurred = wpa_arena_text(known.arena, blurred),
        .length = strlen(folded),
        .owner_length = strcspn(folded, "/"),
    };
}

static void list_originals(void)
{
    known.arena = wpa_arena_new();
    known.items = wpa_arena_array(
        known.arena, wpa_facts_popular_count() + wpa_facts_action_count() + 1, sizeof(well_known));
    for (size_t i = 0; i < wpa_facts_popular_count(); i++) {
        add_original(wpa_facts_popular_at(i));
    }
    known.n_popular = known.n;
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        const wpa_fact_action *action = wpa_facts_action_at(i);
        if (wpa_facts_action_rank(action) <= KNOWN_RANK) {
            add_original(wpa_facts_action_name(action));
        }
    }
}

/* Is it one slip away from the action of another owner? Both are lower case. */
static bool is_slip(wpa_slice folded, const char *blurred, const well_known *other)
{
    size_t longer = folded.length > other->length ? folded.length : other->length;
    size_t shorter = folded.length < other->length ? folded.length : other->length;
    bool is_slip = wpa_text_is(blurred, other->blurred) ||
                   (longer - shorter <= 1 && wpa_rule_is_one_edit(folded, other->name));
    size_t n = other->owner_length;
    bool is_own =
        n < folded.length && folded.at[n] == '/' && memcmp(folded.at, other->name, n) == 0;
    return is_slip && !is_own; /* nobody can register it there but the owner */
}

/* Is it well known itself, so that the likeness is chance? */
static bool is_known(wpa_slice repo, const char *folded)
{
    const wpa_fact_action *action = wpa_facts_action_find(repo);
    if (action && wpa_facts_action_rank(action) <= KNOWN_RANK) {
        return true;
    }
    for (size_t i = 0; i < known.n_popular; i++) {
        if (wpa_text_is(folded, known.items[i].name)) {
            return true;
        }
    }
    return false;
}

/* The well-known action that the slug is a slip of, or NULL. */
static const char *find_original(const char *folded)
{
    char blurred[SLUG_MAX];
    blur(folded, blurred);
    wpa_slice slug = wpa_slice_of(folded);
    for (size_t i = 0; i < known.n; i++) {
        if (is_slip(slug, blurred, &known.items[i])) {
            return known.items[i].name;
        }
    }
    return NULL;
}

typedef struct subject {
    const wpa_outline_uses *uses;
    const char *original;
} subject;

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    char folded[SLUG_MAX];
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !fold(uses->repo, folded) ||
        wpa_rule_is_trusted_owner(run, uses->owner) ||
        wpa_rule_option_lists(run, "allow", uses->repo) || is_known(uses->repo, folded)) {
        return;
    }
    const char *original = find_original(folded);
    if (!original) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, original};
    wpa_finding *finding =
        wpa_rule_report(run, (wpa_span){uses->slug_span.start, uses->slug_span.end}, NULL, s,
                        "%s is all but %s, which many use: was that meant?",
                        wpa_rule_quote(run, uses->repo.at, uses->repo.length),
                        wpa_rule_quote(run, original, strlen(original)));
    if (!uses->fact->repo) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    (void)pthread_once(&once, list_originals);
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use %s", s->original);
    fix->needs = wpa_rule_needs(run, WPA_FACTS_SUPPLY);
    wpa_span span = s->uses->slug_span;
    span.end -= s->uses->slug.length - s->uses->repo.length; /* the path behind it stays */
    wpa_rule_edit(run, fix, span, "%s", s->original);
}

const wpa_rule wpa_rule_typosquat_uses = {
    .code = "SEC-027",
    .id = "typosquat-uses",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action's name is one slip away from a well-known one's",
    .why = "Such names are registered to catch what is mistyped, and run with this job's token.",
    .fix = "Write the name of the action that was meant.",
    .elsewhere = (const char *const[]){"zizmor/typosquat-uses", NULL},
    .options = options,
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_SUPPLY,
    .check = check,
    .repair = repair,
};
