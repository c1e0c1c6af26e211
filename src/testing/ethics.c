/* S5: the ethics rules that a patch of workflows can break, each with its evidence. */
#include <string.h>
#include <strings.h>

#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/outline.h"
#include "testing/checks.h"
#include "testing/commands.h"

typedef struct ethics_rule {
    const char *id, *title;
    void (*look)(const wpa_test_context *context, wpa_test_outcome *outcome); /* for each file */
    const char *why_not; /* not decided here, and why */
} ethics_rule;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool starts_with_any(const char *name, const char *const prefixes[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_text(const wpa_test_image *image, const char *needle)
{
    size_t n = 0;
    for (const char *at = image->bytes; at && (at = strcasestr(at, needle)); at++) {
        n++;
    }
    return n;
}

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    if (!image->bytes || !context->file->is_definition) {
        return NULL;
    }
    return wpa_test_image_analysis(context, context->file, image)->result.source->outline;
}

/* ---- E2: licences and attribution stay ---- */

static void look_at_attribution(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    static const char *const files[] = {"LICENSE", "LICENCE",      "COPYING",    "NOTICE",
                                        "AUTHORS", "CONTRIBUTORS", "MAINTAINERS"};
    static const char *const words[] = {"copyright", "spdx-license-identifier", "@author"};
    const wpa_test_file *file = context->file;
    if (starts_with_any(base_name(file->path), files, WPA_COUNT(files))) {
        wpa_test_fail(outcome, context->arena, "E2: the patch changes '%s'", file->path);
    }
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (count_text(&file->after, words[i]) < count_text(&file->before, words[i])) {
            wpa_test_fail(outcome, context->arena, "E2: a line with '%s' goes from '%s'", words[i],
                          file->path);
        }
    }
}

/* ---- E3: human control stays ---- */

static const wpa_outline_job *find_job(const wpa_outline *outline, const char *id)
{
    for (size_t i = 0; outline && i < outline->n_jobs; i++) {
        if (wpa_text_is(outline->jobs[i].id, id)) {
            return &outline->jobs[i];
        }
    }
    return NULL;
}

static const char *environment_of(const wpa_outline_job *job)
{
    const wpa_yaml_node *node = wpa_yaml_get(job->node, "environment");
    return wpa_yaml_is(node, WPA_YAML_MAPPING) ? wpa_yaml_text(wpa_yaml_get(node, "name"))
                                               : wpa_yaml_text(node);
}

static void look_at_control(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    static const char *const files[] = {"CODEOWNERS", "settings.yml", "branch-protection"};
    const wpa_test_file *file = context->file;
    const wpa_outline *before = outline_of(context, &context->file->before);
    const wpa_outline *after = outline_of(context, &context->file->after);
    bool is_rule_file = starts_with_any(base_name(file->path), files, WPA_COUNT(files)) &&
                        !wpa_text_starts(file->path, ".github/workflows/");
    if (is_rule_file) {
        wpa_test_fail(outcome, context->arena, "E3: the patch changes who must agree ('%s')",
                      file->path);
    }
    for (size_t i = 0; before && after && i < before->n_jobs; i++) {
        const char *name = environment_of(&before->jobs[i]);
        const wpa_outline_job *now = find_job(after, before->jobs[i].id);
        if (name && now && !wpa_text_is(name, environment_of(now))) {
            wpa_test_fail(outcome, context->arena,
                          "E3: job '%s' would leave environment '%s' and its approvals",
                          before->jobs[i].id, name);
        }
    }
}

/* ---- E4: no false green ---- */

/** "true", ":" or "exit 0" behind "||": a failure that is swallowed. */
static bool swallows(const wpa_shell_command *command)
{
    bool is_alternative = wpa_text_is(command->before, "||");
    bool is_nothing = wpa_text_is(command->name, "true") || wpa_text_is(command->name, ":");
    bool is_exit = wpa_shell_is(command, "exit", "0");
    bool is_off = wpa_shell_is(command, "set", NULL) && wpa_shell_word_find(command, "+e");
    return (is_alternative && (is_nothing || is_exit)) || is_off;
}

static size_t count_swallowed(const wpa_test_commands *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += swallows(list->items[i].command);
    }
    return n;
}

/** Does a command test or scan? By what it is called, and by the word behind. */
static bool is_proof(const wpa_shell_command *command)
{
    static const char *const programs[] = {
        "pytest",     "tox",        "nox",      "ctest",        "jest",    "vitest",
        "mocha",      "rspec",      "phpunit",  "eslint",       "flake8",  "ruff",
        "mypy",       "pylint",     "bandit",   "trivy",        "semgrep", "gitleaks",
        "shellcheck", "actionlint", "hadolint", "golangci-lint"};
    static const char *const runners[] = {"npm", "yarn",   "pnpm",    "go",     "cargo", "make",
                                          "mvn", "gradle", "gradlew", "dotnet", "bazel"};
    static const char *const words[] = {"test",  "check", "lint",  "verify",
                                        "audit", "vet",   "clippy"};
    if (wpa_text_index(command->name, programs, WPA_COUNT(programs)) >= 0) {
        return true;
    }
    if (wpa_text_index(command->name, runners, WPA_COUNT(runners)) < 0) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_shell_word_find(command, words[i])) {
            return true;
        }
    }
    return false;
}

static size_t count_proofs(const wpa_test_commands *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += is_proof(list->items[i].command);
    }
    return n;
}

/** In all workflows and actions of the patch in this repository: what moves is not removed. */
static size_t count_all_proofs(const wpa_test_context *context, bool is_after)
{
    wpa_test_context at = *context;
    size_t n = 0;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        if (at.file->target == context->target) {
            wpa_test_commands list =
                wpa_test_commands_of(&at, is_after ? &at.file->after : &at.file->before);
            n += count_proofs(&list);
        }
    }
    return n;
}

typedef struct leniency {
    size_t optional, doubtful, never; /* steps and jobs; doubtful: an expression decides */
} leniency;

static void add_leniency(leniency *sum, const wpa_yaml_node *node, const wpa_yaml_node *condition)
{
    const wpa_yaml_node *switch_node = wpa_yaml_get(node, "continue-on-error");
    bool is_on = wpa_test_says(switch_node, "true");
    sum->optional += is_on;
    sum->doubtful += switch_node && !is_on && !wpa_test_says(switch_node, "false");
    sum->never += condition && wpa_test_says(condition, "false");
}

static leniency leniency_of(const wpa_outline *outline)
{
    leniency sum = {0};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        add_leniency(&sum, job->node, job->condition);
        for (size_t k = 0; k < job->n_steps; k++) {
            add_leniency(&sum, job->steps[k].node, job->steps[k].condition);
        }
    }
    return sum;
}

static void look_at_proofs(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_outline *before = outline_of(context, &context->file->before);
    const wpa_outline *after = outline_of(context, &context->file->after);
    if (!before) {
        return;
    }
    wpa_test_commands old_list = wpa_test_commands_of(context, &context->file->before);
    wpa_test_commands new_list = wpa_test_commands_of(context, &context->file->after);
    if (count_swallowed(&new_list) > count_swallowed(&old_list)) {
        wpa_test_fail(outcome, context->arena, "E4: a failure would be swallowed in %s",
                      context->file->subject);
    }
    if (count_proofs(&new_list) < count_proofs(&old_list) &&
        count_all_proofs(context, true) < count_all_proofs(context, false)) {
        wpa_test_fail(outcome, context->arena, "E4: a test or scanner is removed from %s",
                      context->file->subject);
    }
    if (!after) {
        return;
    }
    leniency old_leniency = leniency_of(before), new_leniency = leniency_of(after);
    if (new_leniency.optional > old_leniency.optional) {
        wpa_test_fail(outcome, context->arena, "E4: a step or job of %s would no longer fail",
                      context->file->subject);
    }
    if (new_leniency.doubtful > old_leniency.doubtful) {
        wpa_test_warn(outcome, context->arena,
                      "E4: an expression decides whether a step or job of %s may fail",
                      context->file->subject);
    }
    if (new_leniency.never > old_leniency.never) {
        wpa_test_fail(outcome, context->arena, "E4: a step or job of %s would never run",
                      context->file->subject);
    }
}

/* ---- E8: openness ---- */

static void look_at_words(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_test_patch *patch = context->patch;
    bool says_why = (patch->issue && *patch->issue) ||
                    (patch->description && *patch->description) || patch->n_findings > 0;
    if (!says_why) {
        wpa_test_fail(outcome, context->arena, "E8: the patch does not say why it is made");
    }
}

/* ---- E9: no more power for the engine ---- */

static void look_at_power(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    static const char *const own[] = {"wpa.yml", ".wpa.yml", ".github/wpa.yml", "fleet.yml"};
    const wpa_test_file *file = context->file;
    if (wpa_text_index(file->path, own, WPA_COUNT(own)) >= 0 ||
        wpa_text_is(base_name(file->path), "fleet.yml")) {
        wpa_test_fail(outcome, context->arena, "E9: the patch changes wpa's own policy ('%s')",
                      file->path);
    }
    wpa_test_commands before = wpa_test_commands_of(context, &context->file->before);
    wpa_test_commands after = wpa_test_commands_of(context, &context->file->after);
    for (size_t i = 0; i < after.n; i++) {
        const wpa_shell_command *command = after.items[i].command;
        bool is_approval =
            wpa_shell_is(command, "gh", "pr") &&
            (wpa_shell_word_find(command, "review") || wpa_shell_word_find(command, "merge"));
        bool is_ours = wpa_text_is(command->name, "wpa");
        if ((is_approval || is_ours) && wpa_test_commands_count(&after, after.items[i].text) >
                                            wpa_test_commands_count(&before, after.items[i].text)) {
            wpa_test_fail(outcome, context->arena, "E9: a new command approves or merges: %s",
                          after.items[i].text);
        }
    }
}

static const ethics_rule rules[] = {
    {"E1", "no monitoring of individuals", NULL,
     "no program here decides what a step observes; a guardian reads the diff"},
    {"E2", "licences and attribution stay", look_at_attribution, NULL},
    {"E3", "no human control is weakened", look_at_control, NULL},
    {"E4", "no false green", look_at_proofs, NULL},
    {"E5", "no personal data newly in logs", NULL,
     "needs the scripts to be run with marked data (T107)"},
    {"E6", "no hidden flow of data to outside", NULL,
     "new network destinations are refused by S4; flows inside known ones are not followed"},
    {"E7", "no undeclared resources", NULL, "needs the durations of runs"},
    {"E8", "it says that a program made it, and why", look_at_words, NULL},
    {"E9", "the engine does not extend its own power", look_at_power, NULL},
    {"E10", "no ranking or blocking of people", NULL,
     "no program here decides what a condition is for; a guardian reads the diff"},
};

static bool check_ethics(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    wpa_test_context at = *context;
    (void)err;
    for (size_t r = 0; r < WPA_COUNT(rules); r++) {
        wpa_test_outcome own = {.evidence = wpa_json_new_array(context->arena), .reason = ""};
        if (!rules[r].look) {
            wpa_test_evidence(outcome, context->arena, rules[r].id,
                              wpa_arena_printf(context->arena, "not applicable: %s (%s)",
                                               rules[r].title, rules[r].why_not));
            continue;
        }
        for (size_t i = 0; i < context->patch->n_files; i++) {
            at.file = &context->patch->files[i];
            at.target = at.file->target;
            rules[r].look(&at, &own);
        }
        bool is_broken = own.result == WPA_TEST_FAIL, is_open = own.result == WPA_TEST_WARN;
        wpa_test_evidence(outcome, context->arena, rules[r].id,
                          wpa_arena_printf(context->arena, "%s: %s%s%s",
                                           is_broken ? "broken"
                                           : is_open ? "to be looked at"
                                                     : "kept",
                                           rules[r].title, *own.reason ? ": " : "", own.reason));
        if (is_broken) {
            wpa_test_fail(outcome, context->arena, "%s", own.reason);
        } else if (is_open) {
            wpa_test_warn(outcome, context->arena, "%s", own.reason);
        }
    }
    return true;
}

const wpa_test_check wpa_test_s5 = {.id = "S5",
                                    .phase = WPA_TEST_SAFETY,
                                    .version = 2,
                                    .scope = WPA_TEST_OF_PATCH,
                                    .title = "ethics compliance",
                                    .run = check_ethics};
