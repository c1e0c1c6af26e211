/* SEC-027: an action whose name is a slip of the pen away from a well-known one. */
#include <string.h>

#include "facts/likeness.h"
#include "facts/supply.h"
#include "rules/upgrade.h"

static const wpa_rule_option options[] = {
    {"allow", "", "slugs that are meant, separated by blanks or commas", WPA_OPTION_TEXT},
    {0},
};

/* A slug that may be a slip, as its originals are kept. */
typedef struct slip {
    wpa_slice folded; /* lower case, as the original's name is */
    char blurred[WPA_SLUG_MAX_BYTES];
} slip;

/* Is it one slip away from the action of another owner? */
static bool is_slip_of(const slip *slug, const wpa_fact_original *other)
{
    wpa_slice folded = slug->folded;
    bool may_be_edit = folded.length + 1 >= other->length && other->length + 1 >= folded.length;
    bool is_slip = (may_be_edit && wpa_rule_is_one_edit(folded, other->name)) ||
                   wpa_text_is(slug->blurred, other->blurred);
    size_t n = other->owner_length;
    /* What is the owner's own nobody else can register there. */
    return is_slip &&
           !(n < folded.length && folded.at[n] == '/' && memcmp(folded.at, other->name, n) == 0);
}

/* The well-known action that the slug is a slip of, or NULL. */
static const char *find_original(const char *folded)
{
    slip slug = {.folded = wpa_slice_of(folded)};
    wpa_slug_blur(folded, slug.blurred);
    uint32_t letters = wpa_slug_letters(folded), blurred = wpa_slug_letters(slug.blurred);
    size_t n, i;
    const wpa_fact_original *originals = wpa_facts_originals(&n);
    for (i = wpa_facts_original_like(letters, blurred, 0); i < n;
         i = wpa_facts_original_like(letters, blurred, i + 1)) {
        if (is_slip_of(&slug, &originals[i])) {
            return originals[i].name;
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
    char folded[WPA_SLUG_MAX_BYTES];
    if (uses->kind != WPA_OUTLINE_REPOSITORY || wpa_rule_is_trusted_owner(run, uses->owner) ||
        wpa_facts_is_original(uses->repo) || wpa_rule_option_lists(run, "allow", uses->repo) ||
        !wpa_slug_fold(uses->repo, folded)) {
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
