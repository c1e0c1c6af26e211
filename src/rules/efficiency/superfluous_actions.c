/* EFF-015: an action for what one line with a tool of the image does. */
#include <string.h>

#include "facts/supply.h"
#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"allow", "", "slugs that may stay, separated by blanks", WPA_OPTION_TEXT},
    {0},
};

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, bool may_lack)
{
    const wpa_fact_replacement *r = step->uses.fact ? step->uses.fact->replacement : NULL;
    if (!r || wpa_rule_option_lists(run, "allow", step->uses.slug)) {
        return;
    }
    if ((may_lack || r->is_opinion) && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, step->uses.slug_span, NULL, may_lack ? NULL : step,
        may_lack ? "%s does what '%s' does without foreign code, if it is where the job runs"
                 : "%s does what '%s', which is on the runner, does without foreign code",
        wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length), r->how);
    if (may_lack) {
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    } else if (r->is_opinion) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        bool lacks_tools = job->is_self_hosted || wpa_yaml_find(job->node, "container");
        for (size_t k = 0; k < job->n_steps; k++) {
            check_step(run, &job->steps[k], lacks_tools);
        }
    }
    return true;
}

/* ---- repairs: of actions whose inputs have a counterpart ---- */

/* The input as one line of plain words; fallback if it is not given, NULL if it is anything else.
 */
static const char *plain_input(const wpa_outline_step *step, const char *name, const char *fallback)
{
    const wpa_yaml_node *value = wpa_outline_with(step, name);
    const char *text = value ? wpa_yaml_text(value) : fallback;
    static const char *const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-_.,=/+ ";
    return text && strspn(text, letters) == strlen(text) ? text : NULL;
}

/* Are all inputs among these (NULL-terminated)? */
static bool has_only(const wpa_outline_step *step, const char *const names[])
{
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const char *key = wpa_yaml_text(step->with->pairs[i].key);
        size_t k = 0;
        while (names[k] && !wpa_text_is_ci(key, names[k])) {
            k++;
        }
        if (!names[k]) {
            return false;
        }
    }
    return true;
}

static const char *cargo_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const inputs[] = {"command", "args", "toolchain", NULL};
    const char *command = plain_input(step, "command", NULL);
    const char *args = plain_input(step, "args", "");
    const char *toolchain = plain_input(step, "toolchain", "");
    return has_only(step, inputs) && command && args && toolchain
               ? wpa_arena_printf(run->arena, "cargo %s%s%s%s%s%s", *toolchain ? "+" : "",
                                  toolchain, *toolchain ? " " : "", command, *args ? " " : "", args)
               : NULL;
}

/* dtolnay/rust-toolchain names the toolchain by its ref, or by an input where that is a commit. */
static const char *rustup_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const inputs[] = {"toolchain", "components", "target", "targets", NULL};
    bool is_commit = wpa_facts_pin_of(step->uses.ref) == WPA_PIN_COMMIT;
    const char *ref = wpa_arena_slice(run->arena, step->uses.ref.at, step->uses.ref.length);
    const char *toolchain = plain_input(step, "toolchain", is_commit ? NULL : ref);
    const char *components = plain_input(step, "components", "");
    const char *targets =
        plain_input(step, wpa_outline_with(step, "target") ? "target" : "targets", "");
    if (!has_only(step, inputs) || !toolchain || !components || !targets ||
        wpa_text_is(toolchain, "master") || strchr(components, ' ') || strchr(targets, ' ')) {
        return NULL;
    }
    return wpa_arena_printf(
        run->arena, "rustup toolchain install %s --profile minimal%s%s%s%s && rustup default %s",
        toolchain, *components ? " --component " : "", components, *targets ? " --target " : "",
        targets, toolchain);
}

typedef struct recipe {
    const char *action;
    const char *(*script)(wpa_rule_run *run, const wpa_outline_step *step);
} recipe;

static const recipe recipes[] = {
    {"actions-rs/cargo", cargo_script},
    {"clechasseur/rs-cargo", cargo_script},
    {"dtolnay/rust-toolchain", rustup_script},
};

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    const char *script = NULL;
    for (size_t i = 0; step && !step->id && i < WPA_COUNT(recipes); i++) {
        script =
            wpa_outline_step_uses(step, recipes[i].action) ? recipes[i].script(run, step) : script;
    }
    const wpa_yaml_pair *uses = script ? wpa_yaml_find(step->node, "uses") : NULL;
    const wpa_yaml_pair *with = script ? wpa_yaml_find(step->node, "with") : NULL;
    if (!uses || (with && with->value != step->with)) {
        return;
    }
    const wpa_yaml_doc *doc = run->source->yaml;
    size_t end =
        wpa_span_length(step->uses.comment) ? step->uses.comment.end : uses->value->span.end;
    size_t column = uses->key->span.start -
                    wpa_yaml_line(doc, wpa_yaml_line_of(doc, uses->key->span.start)).start;
    bool is_composite = run->source->kind == WPA_INPUT_ACTION;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run the command itself");
    if (with && !wpa_rule_remove_entry(run, fix, with->value)) {
        return;
    }
    wpa_rule_edit(run, fix, (wpa_span){uses->key->span.start, end}, "run: %s%s%*s%s", script,
                  is_composite ? "\n" : "", is_composite ? (int)column : 0, "",
                  is_composite ? "shell: bash" : "");
}

const wpa_rule wpa_rule_superfluous_actions = {
    .code = "EFF-015",
    .id = "superfluous-actions",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action does what a tool of the image does in one line",
    .why = "Each action is foreign code to trust, pin, update and download.",
    .fix = "Call the tool in a run step, with values through env. Only where the "
           "inputs have a fixed counterpart is there a fix by machine.",
    .elsewhere = (const char *const[]){"zizmor/superfluous-actions", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
