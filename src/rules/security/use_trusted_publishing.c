/* SEC-042: a package is published with a stored credential, where the registry takes OIDC. */
#include <string.h>

#include "rules/publish.h"
#include "rules/rule.h"
#include "rules/shell_roles.h"

/* May the job ask for OIDC tokens? */
static bool has_id_token(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "permissions");
    value = value ? value : wpa_yaml_get(o->root, "permissions");
    return wpa_text_is(wpa_yaml_text(value), "write-all") ||
           wpa_text_is(wpa_yaml_text(wpa_yaml_get(value, "id-token")), "write");
}

static bool holds_secret(const wpa_yaml_node *env, bool (*is_wanted)(const char *name))
{
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const char *text = wpa_yaml_text(env->pairs[i].value);
        if (name && text && strcasestr(text, "secrets.") && is_wanted(name)) {
            return true;
        }
    }
    return false;
}

/* Variables that publishing tools take a credential from. */
static bool is_credential(const char *name)
{
    static const char *const parts[] = {"TWINE_PASSWORD", "PYPI",          "NODE_AUTH_TOKEN",
                                        "NPM_TOKEN",      "NPM_AUTH",      "NPM_CONFIG",
                                        "CARGO_REGISTRY", "CRATES",        "GEM_HOST_API_KEY",
                                        "RUBYGEMS",       "FLIT_PASSWORD", "HATCH_INDEX_AUTH",
                                        "UV_PUBLISH",     "MATURIN",       "NUGET",
                                        "PUB_",           "JSR_TOKEN",     "YARN_NPM"};
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        if (strcasestr(name, parts[i])) {
            return true;
        }
    }
    return false;
}

static bool has_credential(const wpa_outline *o, const wpa_outline_step *step)
{
    return holds_secret(step->env, is_credential) ||
           holds_secret(wpa_yaml_get(step->job->node, "env"), is_credential) ||
           holds_secret(wpa_yaml_get(o->root, "env"), is_credential) ||
           (step->run && strcasestr(step->run->text, "secrets."));
}

/* ---- commands ---- */

static bool has_word(const wpa_shell_command *command, wpa_fact_list words)
{
    for (size_t i = 0; words && words[i]; i++) {
        if (wpa_shell_word_find(command, words[i])) {
            return true;
        }
    }
    return false;
}

/* Value of the option, behind it or behind its "="; NULL if it is not there. */
static const char *option_value(const wpa_shell_command *command, const char *option)
{
    size_t length = strlen(option);
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if (wpa_text_is(word, option)) {
            return i + 1 < command->n_words ? command->words[i + 1].text : "";
        }
        if (strncmp(word, option, length) == 0 && word[length] == '=') {
            return word + length + 1;
        }
    }
    return NULL;
}

/* Is the package put somewhere else than into the public registry? */
static bool goes_elsewhere(const wpa_shell_command *command, const wpa_fact_publish_command *row)
{
    for (size_t i = 0; row->elsewhere && row->elsewhere[i]; i++) {
        const char *value = option_value(command, row->elsewhere[i]);
        bool is_open = value && *value && !value[strspn(value, "_")]; /* a blanked expression */
        bool is_public =
            is_open ||
            (value && strcasestr(value, strstr(value, "://") ? row->host : row->registry));
        if (value && !is_public) {
            return true;
        }
    }
    return false;
}

/* A registry that the job's set-up names: npm packages of a company, of GitHub. */
static bool has_private_setup(const wpa_outline_job *job, const wpa_fact_publish_command *row)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const char *url = wpa_outline_with_text(&job->steps[i], "registry-url");
        if (url && wpa_outline_step_uses(&job->steps[i], "actions/setup-node") &&
            wpa_text_is(row->registry, "npm") && !strcasestr(url, row->host) && *url &&
            !wpa_outline_has_expression(url)) {
            return true;
        }
    }
    return false;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *command)
{
    const char *words[WPA_SHELL_WORDS_MAX];
    size_t n = wpa_shell_arguments(command, words, WPA_SHELL_WORDS_MAX);
    const wpa_fact_publish_command *row = wpa_facts_publish_command_find(command->name, words, n);
    if (!row || has_word(command, row->dry) || goes_elsewhere(command, row) ||
        has_private_setup(step->job, row)) {
        return;
    }
    const wpa_outline *o = run->source->outline;
    bool has_secret = has_credential(o, step);
    if (has_id_token(o, step->job) && !has_secret) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(step, command->span), NULL, NULL,
        "%s takes short-lived tokens of the run itself, so no credential for it has to be stored",
        row->registry);
    finding->confidence = has_secret ? WPA_CONFIDENCE_MEDIUM : WPA_CONFIDENCE_LOW;
    bool is_script = n && wpa_text_is(row->registry, "npm") && wpa_text_starts(words[0], "run");
    if (is_script && !has_secret) { /* what it does stands elsewhere */
        finding->persona = WPA_PERSONA_AUDITOR;
    }
    wpa_rule_relate(run, finding, step->run->key->span, "in this script");
}

/* ---- actions ---- */

static bool is_given(const char *text)
{
    return text && text[strspn(text, " \t\r\n")];
}

static bool is_elsewhere(const wpa_outline_step *step, const wpa_fact_publish_action *row)
{
    for (size_t i = 0; row->elsewhere && row->elsewhere[i]; i++) {
        const char *value = wpa_outline_with_text(step, row->elsewhere[i]);
        if (is_given(value) && !strcasestr(value, row->host)) {
            return true;
        }
    }
    return false;
}

/* The input by which the step gives a stored credential, or switches OIDC off. */
static const wpa_yaml_node *credential_of(const wpa_outline_step *step,
                                          const wpa_fact_publish_action *row)
{
    for (size_t i = 0; row->credentials && row->credentials[i]; i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, row->credentials[i]);
        if (is_given(wpa_yaml_text(value))) {
            return value;
        }
    }
    const wpa_yaml_node *off = row->off_input ? wpa_outline_with(step, row->off_input) : NULL;
    const char *text = wpa_yaml_text(off);
    return text && strcasestr(text, "false") && !strcasestr(text, "true") ? off : NULL;
}

static void check_action(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_fact_publish_action *row = step->uses.fact ? step->uses.fact->publish : NULL;
    const wpa_yaml_node *value = row && !is_elsewhere(step, row) ? credential_of(step, row) : NULL;
    if (value) {
        wpa_finding *finding = wpa_rule_report(
            run, (wpa_span){value->key->span.start, value->span.end}, NULL, NULL,
            "%s takes short-lived tokens of the run itself, so no credential for it has to be "
            "stored",
            row->registry);
        wpa_rule_relate(run, finding, step->uses.span, "of this action");
    }
}

/* setup-node that sends a stored token with each request to the registry. */
static void check_setup(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *value = wpa_outline_step_uses(step, "actions/setup-node")
                                     ? wpa_outline_with(step, "always-auth")
                                     : NULL;
    if (value && wpa_text_is_ci(wpa_yaml_text(value), "true")) {
        wpa_finding *finding =
            wpa_rule_report(run, (wpa_span){value->key->span.start, value->span.end}, NULL, NULL,
                            "npm is told to send a stored token with every request, where it "
                            "takes short-lived tokens of the run itself to publish");
        wpa_rule_relate(run, finding, step->uses.span, "of this action");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            check_action(run, step);
            check_setup(run, step);
            for (size_t m = 0; step->lexed && m < step->lexed->n_commands; m++) {
                if (step->lexed->commands[m].known & WPA_KNOWN_PUBLISHER) {
                    check_command(run, step, &step->lexed->commands[m]);
                }
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_use_trusted_publishing = {
    .code = "SEC-042",
    .id = "use-trusted-publishing",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A package is published with a stored credential where none is needed",
    .why = "A stored credential can be stolen and works until someone notices; the run's own token "
           "lives for minutes.",
    .fix =
        "Set up trusted publishing at the registry, give the job id-token: write, and delete the "
        "credential. There is no fix by machine, since the registry has to be told.",
    .elsewhere = (const char *const[]){"zizmor/use-trusted-publishing", NULL},
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
};
