/* SEC-011: the switch that lets any printed line set the environment. */
#include <string.h>
#include <strings.h>

#include "expr/expr.h"
#include "rules/exports.h"
#include "rules/rule.h"

#define SWITCH "ACTIONS_ALLOW_UNSECURE_COMMANDS"

/* What the runner takes for yes, with blanks around it; anything else is no. */
static bool is_true(const char *text)
{
    static const char blanks[] = " \t\r\n";
    static const char *const yes[] = {"true", "1", "$true"};
    text += strspn(text, blanks);
    wpa_slice value = wpa_slice_of(text);
    while (value.length && strchr(blanks, value.at[value.length - 1])) {
        value.length--;
    }
    for (size_t i = 0; i < WPA_COUNT(yes); i++) {
        if (wpa_slice_is_ci(value, yes[i])) {
            return true;
        }
    }
    return false;
}

/* What the expression of a value comes to, if it is nothing else and does not depend on the run;
 * else the text itself. */
static const char *text_of(const wpa_yaml_node *node, wpa_arena *arena)
{
    size_t n = 0;
    wpa_expr_place *places = wpa_expr_find(node, arena, &n);
    bool is_whole = n == 1 && wpa_span_length(places[0].outer) == node->length;
    if (!is_whole || !places[0].parsed.root) {
        return node->text;
    }
    wpa_expr_value value = wpa_expr_fold(places[0].parsed.root, NULL, NULL, arena);
    const char *text =
        value.type != WPA_EXPR_IS_UNKNOWN ? wpa_expr_value_text(&value, arena) : NULL;
    return text ? text : node->text;
}

/** is_named: the file names the switch somewhere. */
static void check_env(wpa_rule_run *run, const wpa_yaml_node *scope, bool is_named)
{
    const wpa_yaml_pair *env = wpa_yaml_find(scope, "env");
    const wpa_yaml_pair *pair = env && is_named ? wpa_yaml_find(env->value, SWITCH) : NULL;
    const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
    const char *text = wpa_yaml_text(value) ? text_of(value, run->arena) : NULL;
    bool is_open = text && wpa_outline_has_expression(text);
    const char *whole = env ? wpa_yaml_text(env->value) : NULL;
    if (text && (is_open || is_true(text))) {
        wpa_finding *finding =
            wpa_rule_report(run, pair->key->span, NULL, pair->value,
                            SWITCH " lets whatever is printed to the log set variables and PATH");
        finding->confidence = is_open ? WPA_CONFIDENCE_LOW : finding->confidence;
        wpa_rule_relate(run, finding, env->key->span, "in this environment");
    } else if (whole && wpa_outline_has_expression(whole)) {
        wpa_finding *finding =
            wpa_rule_report(run, env->value->span, NULL, NULL,
                            "the whole environment is chosen at run time, and may hold " SWITCH);
        finding->severity = WPA_SEVERITY_LOW;
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

/* Written where the runner reads variables from: on for the steps behind it. */
static void check_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    size_t n = 0;
    bool names_it = wpa_outline_script_holds(step, SWITCH) && strstr(step->run->text, SWITCH);
    const wpa_export *exports = names_it ? wpa_exports_of(run, step, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const char *value = step->run->text + exports[i].value.start;
        const char *at =
            memmem(value, wpa_span_length(exports[i].value), SWITCH "=", strlen(SWITCH) + 1);
        at = at ? at + strlen(SWITCH) + 1 : NULL;
        if (at && wpa_text_is(exports[i].file, "GITHUB_ENV") &&
            (strncasecmp(at, "true", 4) == 0 || *at == '1' || *at == '$')) {
            (void)wpa_rule_report(run, wpa_outline_script_span(step, exports[i].value), NULL, NULL,
                                  SWITCH " lets whatever later steps print to the log set "
                                         "variables and PATH");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool is_named = wpa_yaml_may_hold(run->source->yaml, SWITCH);
    if (!is_named && !wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR)) {
        return true; /* an environment that is chosen at run time is for them */
    }
    check_env(run, o->root, is_named);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_env(run, o->jobs[i].node, is_named);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_env(run, o->jobs[i].steps[k].node, is_named);
            if (is_named) {
                check_script(run, &o->jobs[i].steps[k]);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    if (value) {
        bool is_only = value->parent->n_pairs == 1;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
        (void)wpa_rule_remove_entry(run, fix, is_only ? value->parent : value);
    }
}

const wpa_rule wpa_rule_insecure_commands = {
    .code = "SEC-011",
    .id = "insecure-commands",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The insecure workflow commands are switched on",
    .why = "A line in a test's output is enough to change PATH for every later step.",
    .fix = "Remove the switch and write to GITHUB_ENV and GITHUB_PATH.",
    .elsewhere =
        (const char *const[]){"zizmor/insecure-commands", "octoscan/unsecure-commands", NULL},
    .declares = WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
