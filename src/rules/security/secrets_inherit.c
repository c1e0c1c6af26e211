/* SEC-016: a called workflow is given every secret there is. */
#include <string.h>

#include "rules/callee.h"
#include "rules/pin.h"

static bool is_own(const wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_surroundings *around = run->source->around;
    return uses->kind == WPA_OUTLINE_LOCAL ||
           (uses->kind == WPA_OUTLINE_REPOSITORY && around && around->owner &&
            wpa_slice_is_ci(uses->owner, around->owner));
}

typedef struct subject {
    const wpa_yaml_node *secrets; /* the value, "inherit" */
    const wpa_callee *callee;
} subject;

/* "A, B" or "none". */
static const char *names_of(wpa_rule_run *run, const wpa_callee *callee)
{
    const char *all = callee->n_used ? callee->used[0] : "none";
    for (size_t i = 1; i < callee->n_used; i++) {
        all = wpa_arena_printf(run->arena, "%s, %s", all, callee->used[i]);
    }
    return all;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_node *secrets = wpa_yaml_get(job->node, "secrets");
        if (!job->is_call || !wpa_text_is(wpa_yaml_text(secrets), "inherit") || !job->uses.node) {
            continue;
        }
        wpa_callee *callee = wpa_arena_alloc(run->arena, sizeof *callee);
        bool is_known = wpa_callee_read(run, job, callee) && !callee->uses_more;
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){secrets, callee};
        wpa_finding *finding = wpa_rule_report(
            run, secrets->span, NULL, is_known ? s : NULL,
            "%s gets every secret of the repository, %s%s", wpa_rule_quote_uses(run, &job->uses),
            is_known ? "and uses " : "whichever it uses", is_known ? names_of(run, callee) : "");
        wpa_rule_relate(run, finding, job->uses.span, "the workflow that gets them");
        if (is_own(run, &job->uses)) {
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
    return true;
}

/* Does the workflow refuse a call that does not give it some secret, used or not? */
static bool wants_any(const wpa_callee *callee)
{
    const wpa_yaml_node *declared = wpa_yaml_resolve(callee->declared);
    for (size_t i = 0; wpa_yaml_is(declared, WPA_YAML_MAPPING) && i < declared->n_pairs; i++) {
        const wpa_yaml_node *required = wpa_yaml_get(declared->pairs[i].value, "required");
        if (required && !wpa_text_is(wpa_yaml_text(required), "false")) {
            return true;
        }
    }
    return false;
}

/* By name, if the workflow declares all that it uses: what it does not, it is not given. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return;
    }
    if (s->callee->n_used == 0 && !wants_any(s->callee)) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "give it none, since it uses none");
        (void)wpa_rule_remove_entry(run, fix, s->secrets);
        return;
    }
    const wpa_yaml_node *key = s->secrets->key;
    bool is_block = key && key->parent && key->parent->style == WPA_YAML_BLOCK;
    for (size_t i = 0; i < s->callee->n_used; i++) {
        is_block = is_block && wpa_yaml_find_ci(s->callee->declared, s->callee->used[i]);
    }
    if (!is_block || s->callee->n_used == 0) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "pass the secrets it uses, by name");
    const char *line_break = key->doc->has_crlf ? "\r\n" : "\n";
    size_t indent = wpa_yaml_position(key->doc, key->span.start).column - 1;
    const char *lines = "";
    for (size_t i = 0; i < s->callee->n_used; i++) {
        const char *name = s->callee->used[i];
        lines = wpa_arena_printf(run->arena, "%s%s%*s%s: ${{ secrets.%s }}", lines, line_break,
                                 (int)indent + 2, "", name, name);
    }
    wpa_rule_edit(run, fix, (wpa_span){key->span.end + 1, s->secrets->span.end}, "%s", lines);
}

const wpa_rule wpa_rule_secrets_inherit = {
    .code = "SEC-016",
    .id = "secrets-inherit",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A reusable workflow inherits all secrets",
    .why = "Whoever changes the called workflow has secrets it was never meant to see.",
    .fix = "Pass the secrets that the called workflow uses, by name.",
    .elsewhere = (const char *const[]){"zizmor/secrets-inherit", NULL},
    .declares = WPA_DECLARES_ENV,
    .words = (const char *const[]){"inherit", NULL},
    .check = check,
    .repair = repair,
};
