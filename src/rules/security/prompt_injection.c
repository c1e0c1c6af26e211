/* SEC-039: a model with rights reads what a stranger wrote. */
#include <string.h>

#include "rules/intake.h"

/* Programs that hand text to a model. */
static const struct {
    const char *name, *sub;
} agents[] = {
    {"claude", NULL},       {"codex", NULL},    {"gemini", NULL}, {"aider", NULL},
    {"goose", NULL},        {"llm", NULL},      {"gh", "models"}, {"gh", "copilot"},
    {"copilot", NULL},      {"opencode", NULL}, {"ollama", NULL}, {"sgpt", NULL},
    {"cursor-agent", NULL},
};

static bool is_agent_command(const wpa_shell_command *c)
{
    for (size_t i = 0; i < WPA_COUNT(agents); i++) {
        bool is_it = agents[i].sub ? wpa_shell_is(c, agents[i].name, agents[i].sub)
                                   : wpa_text_is(c->name, agents[i].name);
        if (is_it && !wpa_shell_word_find(c, "--version") && !wpa_shell_word_find(c, "mcp")) {
            return true;
        }
    }
    return false;
}

static void report(wpa_rule_run *run, const wpa_site *site, wpa_span span, const char *agent,
                   const wpa_taint *taint)
{
    bool is_privileged =
        wpa_trust_site_is_privileged(site) && taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL, "%s reads %s, which whoever causes %s writes%s",
                        agent, wpa_rule_quote(run, taint->path, strlen(taint->path)),
                        taint->trust.event ? taint->trust.event : "its trigger",
                        is_privileged ? ", and it has a write token or secrets at hand" : "");
    if (!is_privileged || taint->grade == WPA_TAINT_OF_STRUCTURED) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    wpa_taint_relate(run, finding, taint);
}

/* The files that it works on are a stranger's. */
static bool report_tree(wpa_rule_run *run, const wpa_site *site, wpa_span span, const char *agent)
{
    wpa_intake intake;
    if (!wpa_intake_before(run, site, &intake) || intake.is_refused) {
        return false;
    }
    bool is_privileged = wpa_trust_site_is_privileged(site);
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL, "%s works on files that whoever causes %s chooses%s",
                        agent, intake.trust.event ? intake.trust.event : "its trigger",
                        is_privileged ? ", and it has a write token or secrets at hand" : "");
    if (!is_privileged) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    wpa_rule_relate(run, finding, intake.span, "brings them in");
    return true;
}

static void check_action(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline_step *step = site->step;
    if (!wpa_facts_action_is(step->uses.slug, WPA_TRAIT_AI_AGENT)) {
        return;
    }
    const char *agent = wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length);
    bool is_told = false;
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const wpa_yaml_node *value = wpa_yaml_resolve(step->with->pairs[i].value);
        wpa_taint taint = wpa_taint_of_scalar(run, site, value, WPA_TAINT_TEXT);
        if (wpa_taint_is_of_outsider(&taint) && taint.grade != WPA_TAINT_OF_STRUCTURED) {
            report(run, site, value->span, agent, &taint);
            is_told = true;
        }
    }
    if (!is_told) {
        (void)report_tree(run, site, step->uses.node->span, agent);
    }
}

static void check_script(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_script *script = site->step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!c->n_words || !is_agent_command(c)) {
            continue;
        }
        wpa_span span = wpa_outline_script_span(site->step, c->span);
        wpa_taint taint = wpa_taint_of_script(run, site, c->span, WPA_TAINT_TEXT);
        const char *agent = wpa_rule_quote(run, c->name, strlen(c->name));
        if (wpa_taint_is_of_outsider(&taint)) {
            report(run, site, span, agent, &taint);
        } else {
            (void)report_tree(run, site, span, agent);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            if (site.step->uses.kind == WPA_OUTLINE_REPOSITORY) {
                check_action(run, &site);
            } else {
                check_script(run, &site);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_prompt_injection = {
    .code = "SEC-039",
    .id = "prompt-injection",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A model is given a stranger's text or files while it holds rights",
    .why = "A model follows what it reads: an issue that tells it to print a secret or to push a "
           "change is an order.",
    .fix =
        "Let only members start it, or give it a token that reads and no secrets but its own, and "
        "act on its answer in another job. There is no fix by machine.",
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
