/* PRF-013: a tool is built from source though a binary of it is released. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/steps.h"
#include "rules/work.h"

#define PER_STEP_MAX 16 /* finding a place in a long script takes its time */

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_command *command;
    const wpa_fact_slow_install *row;
    const char *version; /* as written, or NULL */
} subject;

/* "cargo-nextest@0.9.85", "pkg@latest": package and what stands behind the @. */
static wpa_slice package_of(const char *word, const char **version)
{
    const char *at = strchr(word, '@');
    if (at && at[1]) {
        *version = at + 1;
    }
    return (wpa_slice){word, at ? (size_t)(at - word) : strlen(word)};
}

static const char *value_of(const wpa_shell_command *c, const char *option)
{
    size_t length = strlen(option);
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, option) && i + 1 < c->n_words) {
            return c->words[i + 1].text;
        }
        if (strncmp(word, option, length) == 0 && word[length] == '=') {
            return word + length + 1;
        }
    }
    return NULL;
}

/* From a folder or a repository there is no release to take. */
static bool is_own_source(const wpa_shell_command *c)
{
    static const char *const options[] = {
        "--path",  "--git", "--branch", "--rev", "--features", "-F", "--no-default-features",
        "--target"};
    for (size_t i = 0; i < WPA_COUNT(options); i++) {
        if (wpa_shell_word_find(c, options[i]) || value_of(c, options[i])) {
            return true;
        }
    }
    return false;
}

/* A binary kept between runs is built once. */
static bool is_cached(const wpa_outline_step *step)
{
    bool has_root = wpa_work_mentions(step->run, "--root"); /* a folder to be kept */
    static const char *const words[] = {"cache-hit",   "command -v", "uninstall",
                                        "Get-Command", "which ",     "where ",
                                        "if ",         "||",         NULL};
    static const char *const kept[] = {".cargo/bin", "~/.cargo\n", "go/bin", NULL};
    for (size_t i = 0; i < step->index; i++) {
        bool is_cache = wpa_outline_step_uses(&step->job->steps[i], "actions/cache");
        if ((has_root && is_cache) ||
            wpa_work_mentions_any(wpa_outline_with(&step->job->steps[i], "path"), kept)) {
            return true;
        }
    }
    return wpa_work_mentions_any(step->condition, words) || wpa_work_mentions_any(step->run, words);
}

/* By a program that the checks below know. */
static bool is_install(const wpa_shell_command *c)
{
    return (c->known & WPA_KNOWN_INSTALLER) &&
           (wpa_shell_is(c, "cargo", "install") || wpa_shell_is(c, "go", "install") ||
            wpa_shell_is(c, "npm", "install") || wpa_shell_is(c, "npm", "i") ||
            wpa_shell_is(c, "pip", "install") || wpa_shell_is(c, "pip3", "install"));
}

/* Binaries are released for the systems that most have, not for every machine of one's own. */
static bool is_rare_machine(const wpa_outline_job *job)
{
    static const char *const words[] = {"s390x", "ppc64", "riscv", "mips", "loong", "armv"};
    for (size_t i = 0; i < job->n_labels; i++) {
        for (size_t k = 0; k < WPA_COUNT(words); k++) {
            if (strstr(job->labels[i].text, words[k])) {
                return true;
            }
        }
    }
    return false;
}

static bool check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    if (is_rare_machine(step->job)) {
        return false;
    }
    bool is_build = wpa_shell_is(c, "cargo", "install") || wpa_shell_is(c, "go", "install");
    for (size_t i = c->first + 2; is_build && !is_own_source(c) && i < c->n_words; i++) {
        const char *version = NULL;
        wpa_slice package = package_of(c->words[i].text, &version);
        const wpa_fact_slow_install *row = wpa_facts_slow_install_find(c->name, package);
        if (!row) {
            continue;
        }
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){step, c, row, version ? version : value_of(c, "--version")};
        (void)wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, s,
                              "every run compiles %s; %s fetches its released binary",
                              wpa_rule_quote(run, package.at, package.length), row->action);
        return true;
    }
    return false;
}

/* ---- npm and pip ---- */

static size_t count_legs(wpa_rule_run *run, const wpa_outline_job *job)
{
    wpa_matrix_legs legs = wpa_work_legs(run, job, run->arena);
    return legs.is_open || !legs.n ? 1 : legs.n;
}

/* "npm install -g pnpm" in every leg, where an action fetches one file. */
static bool check_global(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_shell_command *c)
{
    bool is_install = wpa_shell_is(c, "npm", "install") || wpa_shell_is(c, "npm", "i");
    bool is_global = wpa_shell_word_find(c, "-g") || wpa_shell_word_find(c, "--global");
    for (size_t i = 1; is_install && is_global && wpa_shell_argument(c, i); i++) {
        const char *version = NULL;
        const char *text = wpa_shell_argument(c, i)->text;
        wpa_slice package = package_of(text[0] == '@' ? text + 1 : text, &version);
        package = text[0] == '@' ? (wpa_slice){text, package.length + 1} : package;
        const wpa_fact_slow_install *row = wpa_facts_slow_install_find("npm", package);
        size_t n = row ? count_legs(run, step->job) : 0;
        if (n < 2) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report_script(
            run, step, c->span, NULL, NULL, "each of %zu legs installs %s by npm; %s fetches it", n,
            wpa_rule_quote(run, package.at, package.length), row->action);
        finding->severity = WPA_SEVERITY_LOW;
        return true;
    }
    return false;
}

/* "--no-binary :all:", or a package whose wheels have another name. */
static bool check_source(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_shell_command *c)
{
    if (!wpa_shell_is(c, "pip", "install") && !wpa_shell_is(c, "pip3", "install")) {
        return false;
    }
    static const char *const built[] = {"--config-settings", "--global-option",
                                        "--no-build-isolation", "-C", NULL};
    const char *which = value_of(c, "--no-binary");
    for (size_t i = 0; built[i]; i++) { /* it is built in a way of its own */
        which = wpa_shell_word_find(c, built[i]) ? NULL : which;
    }
    if (which && !wpa_text_is(which, ":none:")) {
        (void)wpa_rule_report_script(run, step, c->span, NULL, NULL,
                                     "--no-binary %s compiles what is released as wheels",
                                     wpa_rule_quote(run, which, strlen(which)));
        return true;
    }
    for (size_t i = 1; wpa_shell_argument(c, i); i++) {
        const char *text = wpa_shell_argument(c, i)->text;
        wpa_slice package = {text, strcspn(text, "=<>!~[; ")};
        const wpa_fact_slow_install *row = wpa_facts_slow_install_find("pip", package);
        if (row && step->job->os != WPA_OS_WINDOWS) {
            wpa_finding *finding = wpa_rule_report_script(
                run, step, c->span, NULL, NULL, "every run compiles %s; %s is the same with wheels",
                wpa_rule_quote(run, package.at, package.length), row->action);
            finding->severity = WPA_SEVERITY_LOW;
            return true;
        }
    }
    return false;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = wpa_step_commands(step);
    bool is_asked = false; /* looking for a cache reads the whole script */
    size_t n = 0;
    for (size_t i = 0; script && n < PER_STEP_MAX && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!is_install(c)) {
            continue;
        }
        if (!is_asked && is_cached(step)) {
            return;
        }
        is_asked = true;
        n +=
            check_command(run, step, c) || check_global(run, step, c) || check_source(run, step, c);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

/* Only a step that does nothing else can become a use of the action. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return;
    }
    const char *reference = s->row->tool ? wpa_work_reference(run, s->row->action) : NULL;
    bool is_plain = wpa_step_commands(s->step)->n_commands == 1 &&
                    !wpa_yaml_find(s->step->node, "shell") &&
                    !wpa_yaml_find(s->step->node, "working-directory") && !s->step->with;
    bool is_version = !s->version || strspn(s->version, "0123456789.") == strlen(s->version);
    if (!reference || !is_plain || !is_version) {
        return;
    }
    const wpa_yaml_pair *pair = wpa_yaml_find(s->step->node, "run");
    size_t indent =
        pair->key->span.start -
        wpa_yaml_line(run->source->yaml, wpa_yaml_line_of(run->source->yaml, pair->key->span.start))
            .start;
    wpa_fix *fix =
        wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fetch its binary with %s", s->row->action);
    wpa_rule_edit(run, fix, (wpa_span){pair->key->span.start, pair->value->span.end},
                  "uses: %s\n%*swith:\n%*s  tool: %s%s%s", reference, (int)indent, "", (int)indent,
                  "", s->row->tool, s->version ? "@" : "", s->version ? s->version : "");
}

const wpa_rule wpa_rule_slow_tool_install = {
    .code = "PRF-013",
    .id = "slow-tool-install",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A tool is built from source though a binary of it is released",
    .why = "The build takes minutes in every run, and compiles code that nobody here wrote.",
    .fix = "Fetch the released binary, in the same version.",
    .tables = 1U << WPA_FACTS_SPEEDUPS | 1U << WPA_FACTS_ACTIONS,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
