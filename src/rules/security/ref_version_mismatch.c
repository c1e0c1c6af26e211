/* SEC-025: the comment behind a pinned commit names another version than the commit's. */
#include <string.h>

#include "rules/pin.h"

#define REFS_MAX 64

/* Does the tag say the same version as the comment, as far as the comment goes? */
static bool tag_fits(const char *tag, const wpa_version *claimed)
{
    wpa_version version;
    if (!wpa_version_parse(wpa_slice_of(tag), &version)) {
        return false;
    }
    for (size_t i = 0; i < claimed->n_parts; i++) {
        if (version.parts[i] != claimed->parts[i]) {
            return false;
        }
    }
    return true;
}

static bool any_tag_fits(const wpa_fact_use *fact, const wpa_version *claimed)
{
    wpa_fact_ref refs[REFS_MAX];
    size_t n = wpa_facts_commit_refs(fact->repo, fact->commit, refs, REFS_MAX);
    for (size_t i = 0; i < n && i < REFS_MAX; i++) {
        if (tag_fits(refs[i].name, claimed)) {
            return true;
        }
    }
    return false;
}

/* What the repository's tags say of a version. */
typedef enum claim {
    CLAIM_UNKNOWN, /* newer than all that is known, or not a full version */
    CLAIM_OTHER,   /* it is there, as another commit */
    CLAIM_MISSING  /* there are newer ones, and it is not there */
} claim;

static claim look_up(wpa_rule_run *run, const wpa_outline_uses *uses, const wpa_version *claimed)
{
    if (claimed->n_parts < 3) {
        return CLAIM_UNKNOWN;
    }
    wpa_tags_beside tags = wpa_rule_tags_beside(run, uses, claimed);
    return tags.has_same ? CLAIM_OTHER : tags.has_newer ? CLAIM_MISSING : CLAIM_UNKNOWN;
}

static wpa_span hint_span(const wpa_outline_uses *uses)
{
    size_t start = (size_t)(uses->hint.at - uses->node->doc->source);
    return (wpa_span){start, start + uses->hint.length};
}

/* A commit that is at no tag known: the comment may be wrong all the same. */
static void check_untagged(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    wpa_version claimed;
    if (!uses->hint.length || !wpa_version_parse(uses->hint, &claimed)) {
        return;
    }
    claim found = look_up(run, uses, &claimed);
    if (found != CLAIM_UNKNOWN) {
        wpa_finding *finding = wpa_rule_report(
            run, hint_span(uses), NULL, NULL,
            found == CLAIM_OTHER ? "the comment says %s, which is another commit of %s"
                                 : "the comment says %s, and there is no such version of %s",
            wpa_rule_quote(run, uses->hint.at, uses->hint.length),
            wpa_rule_quote(run, uses->repo.at, uses->repo.length));
        finding->confidence = WPA_CONFIDENCE_MEDIUM; /* a tag may have been moved or deleted */
    }
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const wpa_fact_use *fact = uses->fact;
    wpa_version claimed;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || fact->pin != WPA_PIN_COMMIT || !fact->repo) {
        return;
    }
    if (!fact->tag) {
        check_untagged(run, uses);
        return;
    }
    if (!uses->hint.length && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    if (!uses->hint.length) {
        wpa_finding *finding =
            wpa_rule_report(run, uses->ref_span, NULL, uses,
                            "%s is %s, and no comment says so: people and update bots cannot tell",
                            wpa_rule_quote(run, uses->node->text, uses->node->length), fact->tag);
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    } else if (wpa_version_parse(uses->hint, &claimed) && !any_tag_fits(fact, &claimed)) {
        (void)wpa_rule_report(run, hint_span(uses), NULL, uses,
                              "the comment says %s, but the commit is %s",
                              wpa_rule_quote(run, uses->hint.at, uses->hint.length), fact->tag);
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
    const wpa_outline_uses *uses = finding->subject;
    const char *tag = uses ? uses->fact->tag : NULL;
    if (tag) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "say %s in the comment", tag);
        (void)wpa_rule_pin(run, fix, uses, NULL, uses->fact->commit, tag);
    }
}

const wpa_rule wpa_rule_ref_version_mismatch = {
    .code = "SEC-025",
    .id = "ref-version-mismatch",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The version comment of a pinned action does not fit its commit",
    .why = "Readers and update bots believe the comment; the commit is what runs.",
    .fix = "Name the version that the commit carries.",
    .elsewhere = (const char *const[]){"zizmor/ref-version-mismatch", NULL},
    .tables = 1U << WPA_FACTS_TAGS,
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
