/* SEC-024: a ref that is a tag and a branch at once. */
#include <string.h>

#include "rules/pin.h"

/* How the names sort, which are in order by their bytes. */
static int compare_name(const char *ref, wpa_slice name)
{
    int order = strncmp(ref, name.at, name.length);
    return order ? order : ref[name.length] != '\0';
}

/* Does the repository have a tag and a branch of this name? *tag gets the tag, which is the first
 * of them. */
static bool is_both(const wpa_fact_repo *repo, wpa_slice name, wpa_fact_ref *tag)
{
    size_t n = wpa_facts_repo_ref_count(repo), low = 0, high = n;
    bool has_tag = false, has_branch = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = compare_name(wpa_facts_repo_ref_name(repo, middle), name) < 0;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    for (size_t i = low; i < n; i++) {
        wpa_fact_ref ref = wpa_facts_repo_ref_at(repo, i);
        if (compare_name(ref.name, name) != 0) {
            break;
        }
        *tag = i == low ? ref : *tag;
        has_tag = has_tag || ref.kind != WPA_FACT_BRANCH;
        has_branch = has_branch || ref.kind == WPA_FACT_BRANCH;
    }
    return has_tag && has_branch;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    wpa_fact_ref tag;
    if (uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact->pin != WPA_PIN_COMMIT &&
        uses->fact->repo && is_both(uses->fact->repo, uses->ref, &tag)) {
        (void)wpa_rule_report(run, uses->ref_span, NULL, uses,
                              "%s is a tag and a branch of %s: which of them runs is not what the "
                              "file says",
                              wpa_rule_quote(run, uses->ref.at, uses->ref.length),
                              wpa_rule_quote(run, uses->repo.at, uses->repo.length));
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
    wpa_fact_ref tag, full;
    if (is_both(uses->fact->repo, uses->ref, &tag)) {
        bool has_version = wpa_facts_commit_version(uses->fact->repo, tag.commit, &full);
        const char *name = has_version ? full.name : tag.name;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "pin the tag's commit, %s", name);
        (void)wpa_rule_pin(run, fix, uses, NULL, tag.commit, name);
    }
}

const wpa_rule wpa_rule_ref_confusion = {
    .code = "SEC-024",
    .id = "ref-confusion",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action is used by a name that is both a tag and a branch",
    .why = "Whoever can make the one of the two that wins decides what runs in this job.",
    .fix = "Pin the commit that the tag stands for.",
    .elsewhere = (const char *const[]){"zizmor/ref-confusion", NULL},
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_TAGS,
    .check = check,
    .repair = repair,
};
