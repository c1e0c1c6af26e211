/* SEC-040: a token that may write is handed to somebody else's action. */
#include <string.h>

#include "rules/pin.h"
#include "rules/references.h"

/* Words of a name that stand for a token of the forge. */
static bool is_forge_token(const char *name)
{
    static const char *const parts[] = {"PAT",      "GH",         "GITHUB", "BOT",
                                        "PERSONAL", "DEPLOY_KEY", "ADMIN",  "RELEASE"};
    bool says_token = wpa_text_seek_ci(name, "TOKEN") || wpa_text_seek_ci(name, "KEY");
    for (const char *at = name; *at;) {
        size_t n = strcspn(at, "_-");
        wpa_slice word = {at, n};
        if (wpa_slice_is_ci(word, "PAT")) {
            return true;
        }
        for (size_t i = 0; says_token && i < WPA_COUNT(parts); i++) {
            if (wpa_slice_is_ci(word, parts[i])) {
                return true;
            }
        }
        at += n + (at[n] != '\0');
    }
    return false;
}

/* Does the job say itself that its token may write? */
static bool says_write(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "permissions");
    value = value ? value : wpa_yaml_get(o->root, "permissions");
    for (size_t i = 0; wpa_yaml_is(value, WPA_YAML_MAPPING) && i < value->n_pairs; i++) {
        if (wpa_text_is(wpa_yaml_text(value->pairs[i].value), "write")) {
            return true;
        }
    }
    return wpa_text_is(wpa_yaml_text(value), "write-all");
}

typedef struct visit {
    const wpa_outline_step *step;
    bool is_done; /* one finding a step */
} visit;

static void check_expression(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    const wpa_expr_place *place = expression->place;
    visit *v = context;
    size_t n;
    const wpa_expr_reference *references = wpa_expression_references(run, expression, &n);
    for (size_t i = 0; !v->is_done && i < n; i++) {
        const char *name = wpa_expr_secret_name(&references[i]);
        bool is_own =
            wpa_text_is(references[i].path, "github.token") || wpa_text_is_ci(name, "GITHUB_TOKEN");
        bool is_strong =
            is_own ? says_write(run->source->outline, v->step->job) : name && is_forge_token(name);
        if (!is_strong) {
            continue;
        }
        bool is_pinned = v->step->uses.fact->pin == WPA_PIN_COMMIT;
        wpa_finding *finding = wpa_rule_report(
            run, wpa_expr_source_span(place, references[i].node->span), NULL, NULL,
            is_pinned ? "%s of somebody else is given a token that may write"
                      : "%s of somebody else, which can change any day, is given a token that may "
                        "write",
            wpa_rule_quote(run, v->step->uses.slug.at, v->step->uses.slug.length));
        wpa_rule_relate(run, finding, v->step->uses.span, "this action");
        if (is_pinned) {
            finding->severity = WPA_SEVERITY_LOW;
            finding->persona = WPA_PERSONA_AUDITOR;
        }
        v->is_done = true;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool is_for_all = wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR);
    for (size_t i = 0; i < o->n_users; i++) {
        const wpa_outline_step *step = o->users[i].step;
        visit v = {.step = step};
        if (step && step->uses.kind == WPA_OUTLINE_REPOSITORY &&
            (is_for_all || step->uses.fact->pin != WPA_PIN_COMMIT) &&
            !wpa_rule_is_trusted_owner(run, step->uses.owner)) {
            wpa_rule_each_expression(run, step->with, check_expression, &v);
            wpa_rule_each_expression(run, step->env, check_expression, &v);
        }
    }
    return true;
}

const wpa_rule wpa_rule_token_to_third_party = {
    .code = "SEC-040",
    .id = "token-to-third-party",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A token that may write is given to an action of somebody else",
    .why = "Whoever changes the action then writes to the repository, or to all that a personal "
           "token reaches.",
    .fix = "Pin the action's commit, give it a token that may do no more than it needs, or do it "
           "with gh. There is no fix by machine.",
    .check = check,
};
