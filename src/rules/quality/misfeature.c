/* QUA-023: features of actions and shells that are there, and that one had better leave alone. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static wpa_finding *report_input(wpa_rule_run *run, const wpa_outline_step *step, const char *name,
                                 const char *message)
{
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(step->with, name);
    return pair ? wpa_rule_report(run, (wpa_span){pair->key->span.start, pair->value->span.end},
                                  NULL, NULL, "%s", message)
                : NULL;
}

/* ---- inputs of actions ---- */

static bool is_of_master(const wpa_outline_step *step)
{
    const char *ref = wpa_outline_with_text(step, "ref");
    bool is_master = wpa_text_is(ref, "master") || wpa_text_is(ref, "refs/heads/master");
    return is_master && !wpa_outline_with(step, "repository");
}

/* What started the run is checked out as well, to be compared with. */
static bool has_other_checkout(const wpa_outline_step *step)
{
    for (size_t i = 0; i < step->job->n_steps; i++) {
        const wpa_outline_step *other = &step->job->steps[i];
        if (wpa_outline_step_uses(other, "actions/checkout") && !is_of_master(other) &&
            !wpa_outline_with(other, "repository")) {
            return true;
        }
    }
    return false;
}

/* Can a run be of anything but the default branch? Who calls an action is not known. */
static bool has_other_refs(const wpa_rule_run *run)
{
    static const char *const events[] = {"push",        "pull_request",  "pull_request_target",
                                         "merge_group", "workflow_call", NULL};
    const wpa_outline *o = run->source->outline;
    bool has = run->source->kind == WPA_INPUT_ACTION;
    for (size_t i = 0; !has && events[i]; i++) {
        has = wpa_outline_trigger_find(o, events[i]) != NULL;
    }
    return has;
}

static void check_checkout(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (is_of_master(step) && has_other_refs(run) && !has_other_checkout(step)) {
        (void)report_input(run, step, "ref",
                           "'master' is checked out whatever started the run, so a pull request or "
                           "branch is never what is tested, and a renamed branch breaks it");
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (wpa_outline_step_uses(step, "actions/setup-python")) {
        (void)report_input(run, step, "pip-install",
                           "the packages go into the global environment of the runner, where they "
                           "meet whatever else is there");
    } else if (wpa_outline_step_uses(step, "actions/cache") ||
               wpa_outline_step_uses(step, "actions/cache/save")) {
        const char *value = wpa_outline_with_text(step, "save-always");
        if (value && !wpa_text_is_ci(value, "false")) {
            (void)report_input(run, step, "save-always",
                               "'save-always' never worked as it says and is about to be removed");
        }
    } else if (wpa_outline_step_uses(step, "actions/checkout")) {
        check_checkout(run, step);
    }
}

/* ---- shells ---- */

static const char *const usual_shells[] = {"bash", "pwsh", "python", "sh", "powershell"};

/* The last part of the program's path, as far as it is a name of a shell. */
static wpa_slice program_of(const char *shell)
{
    const char *start = shell + strspn(shell, " \t");
    size_t length = strcspn(start, " \t\r\n");
    for (size_t i = length; i > 0; i--) {
        if (start[i - 1] == '/' || start[i - 1] == '\\') {
            return (wpa_slice){start + i, length - i};
        }
    }
    return (wpa_slice){start, length};
}

static bool is_usual(wpa_slice program)
{
    for (size_t i = 0; i < WPA_COUNT(usual_shells); i++) {
        if (wpa_slice_is(program, usual_shells[i])) {
            return true;
        }
    }
    return false;
}

/* Batch files set variables for those that call them in cmd alone. */
static bool calls_batch_file(const wpa_outline_step *step)
{
    const char *script = step && step->run ? wpa_yaml_text(step->run) : NULL;
    return script && (wpa_text_seek_ci(script, ".bat") || wpa_text_seek_ci(script, ".cmd"));
}

/* step NULL: a default of the workflow or a job. */
static void check_shell(wpa_rule_run *run, const wpa_yaml_node *scope, const wpa_outline_step *step)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(scope, "shell");
    const char *text = pair ? wpa_yaml_text(pair->value) : NULL;
    if (!text || wpa_outline_has_expression(text)) {
        return;
    }
    wpa_span span = {pair->key->span.start, pair->value->span.end};
    wpa_slice program = program_of(text);
    if (wpa_slice_is_ci(program, "cmd") || wpa_slice_is_ci(program, "cmd.exe")) {
        bool is_needed = calls_batch_file(step);
        wpa_finding *finding =
            wpa_rule_report(run, span, NULL, is_needed ? NULL : step,
                            "cmd has no grammar to rely on and goes on after a failed command; "
                            "the runner's own shell there is pwsh");
        finding->persona = is_needed ? WPA_PERSONA_PEDANTIC : finding->persona;
    } else if (!is_usual(program)) {
        wpa_finding *finding = wpa_rule_report(
            run, span, NULL, NULL,
            "shell %s is none that runners bring along, and its scripts are checked by nobody",
            wpa_rule_quote(run, text, strlen(text)));
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static void check_defaults(wpa_rule_run *run, const wpa_yaml_node *scope)
{
    check_shell(run, wpa_yaml_get(wpa_yaml_get(scope, "defaults"), "run"), NULL);
}

/* ---- the token by another name ---- */

/* Does the name say that a token is in it? */
static bool says_token(const char *name)
{
    return wpa_text_seek_ci(name, "TOKEN") || wpa_text_seek_ci(name, "PAT") ||
           wpa_text_seek_ci(name, "GITHUB") || wpa_text_seek_ci(name, "GH_");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is the text this form, blanks and the case of letters left out? */
static bool is_form(const char *text, const char *form)
{
    while (*text && (is_blank(*text) || wpa_bytes_are_ci(text, form, 1))) {
        form += !is_blank(*text);
        text++;
    }
    return !*text && !*form;
}

static bool is_token(const char *text)
{
    return is_form(text, "${{secrets.GITHUB_TOKEN}}") || is_form(text, "${{github.token}}");
}

static void check_env(wpa_rule_run *run, const wpa_yaml_node *env)
{
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const char *text = wpa_yaml_text(env->pairs[i].value);
        if (name && text && is_token(text) && !says_token(name)) {
            wpa_finding *finding =
                wpa_rule_report(run, env->pairs[i].key->span, NULL, NULL,
                                "%s is the job's token by a name that does not say so",
                                wpa_rule_quote(run, name, strlen(name)));
            finding->persona = WPA_PERSONA_AUDITOR;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_doc *doc = run->source->yaml;
    const bool has_shells = wpa_yaml_may_hold(doc, "shell");
    const bool has_tokens =
        wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR) && wpa_yaml_may_hold(doc, "token");
    if (has_shells) {
        check_defaults(run, o->root);
    }
    if (has_tokens) {
        check_env(run, wpa_yaml_get(o->root, "env"));
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (has_shells) {
            check_defaults(run, job->node);
        }
        if (has_tokens) {
            check_env(run, wpa_yaml_get(job->node, "env"));
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            check_inputs(run, &job->steps[k]);
            if (has_shells) {
                check_shell(run, job->steps[k].node, &job->steps[k]);
            }
            if (has_tokens) {
                check_env(run, job->steps[k].env);
            }
        }
    }
    return true;
}

/* Programs that take the same words from either shell. */
static const char *const portable[] = {
    "npm", "npx",    "yarn", "pnpm",   "node",  "python", "pip",   "cargo", "rustup",
    "go",  "git",    "gh",   "dotnet", "cmake", "ctest",  "ninja", "mvn",   "uv",
    "tox", "pytest", "cd",   "poetry", "deno",  "bun",    "java",  "choco", "msbuild"};

/* One command a line, of programs that are no part of cmd, without a character either shell reads
 * in its own way. */
static bool is_portable(const char *script)
{
    while (*script) {
        size_t length = strcspn(script, "\n"), blank = strspn(script, " \t\r");
        wpa_slice word = {script + blank, strcspn(script + blank, " \t\r\n")};
        bool is_known = blank >= length;
        for (size_t i = 0; !is_known && i < WPA_COUNT(portable); i++) {
            is_known = wpa_slice_is(word, portable[i]);
        }
        if (!is_known || strcspn(script, "%^&|<>\"'`@!$(){};,#") < length) {
            return false;
        }
        script += length + (script[length] == '\n');
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    const wpa_yaml_node *shell = step ? wpa_yaml_get(step->node, "shell") : NULL;
    const char *script = step && step->run ? wpa_yaml_text(step->run) : NULL;
    if (shell && script && is_portable(script) && wpa_text_is_ci(wpa_yaml_text(shell), "cmd")) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use pwsh");
        wpa_rule_edit(run, fix, wpa_yaml_source_span(shell, 0, shell->length), "pwsh");
    }
}

const wpa_rule wpa_rule_misfeature = {
    .code = "QUA-023",
    .id = "misfeature",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A feature is used that does more harm than good",
    .why = "Such features work until they do not, and nobody who reads the file expects them.",
    .fix = "Install packages in a step of their own, write scripts for pwsh or bash, and check out "
           "what started the run.",
    .elsewhere = (const char *const[]){"zizmor/misfeature", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
