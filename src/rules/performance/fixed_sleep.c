/* PRF-020: a step that waits for the clock instead of for what it needs. */
#include <stdlib.h>
#include <string.h>

#include "rules/steps.h"
#include "rules/work.h"

#define LINE_MAX_BYTES 1000

static const wpa_rule_option options[] = {
    {"min-s", "30", "shorter pauses, in seconds, are left alone", WPA_OPTION_NUMBER},
    {0},
};

/* Seconds of "90", "1.5m", "2h"; -1 if it is none. */
static double seconds_of(const char *word)
{
    size_t digits = strspn(word, "0123456789.");
    char number[32];
    double value;
    if (!digits || digits >= sizeof number) {
        return -1;
    }
    memcpy(number, word, digits);
    number[digits] = '\0';
    if (!wpa_text_to_double(number, &value)) {
        return -1;
    }
    const char *unit = word + digits;
    return !*unit || wpa_text_is(unit, "s") ? value
           : wpa_text_is(unit, "m")         ? value * 60
           : wpa_text_is(unit, "h")         ? value * 3600
                                            : -1;
}

/* The number behind an option of cmd and PowerShell programs, or behind the name; -1 without. */
static double number_behind(const wpa_shell_command *c, const char *const names[], size_t n)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        size_t k = 0;
        while (k < n && !wpa_text_is_ci(word, names[k])) {
            k++;
        }
        if (k < n && i + 1 < c->n_words) {
            return seconds_of(c->words[i + 1].text);
        }
        if (k == n && i == c->first + 1 && strchr("0123456789", word[0])) {
            return seconds_of(word);
        }
    }
    return -1;
}

/* How long the command does nothing, in any shell; -1 if it is no pause. */
static double pause_of(const wpa_script *script, const wpa_shell_command *c)
{
    static const char *const seconds[] = {"-Seconds", "-s", "-Second"};
    static const char *const delay[] = {"/t", "/T"};
    double total = 0;
    if (wpa_text_is_ci(c->name, "Start-Sleep") ||
        (script->language == WPA_SCRIPT_PWSH && wpa_text_is_ci(c->name, "sleep"))) {
        return number_behind(c, seconds, WPA_COUNT(seconds));
    }
    if (script->language == WPA_SCRIPT_CMD && wpa_text_is_ci(c->name, "timeout")) {
        return number_behind(c, delay, WPA_COUNT(delay));
    }
    if (!wpa_text_is(c->name, "sleep") || c->n_words <= c->first + 1) {
        return -1;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        double one = seconds_of(c->words[i].text);
        if (one < 0) {
            return -1;
        }
        total += one;
    }
    return total;
}

/* ---- loops ---- */

/* Asks GitHub how another run, or the checks of a commit, are going. */
static bool asks_for_runs(const wpa_shell_command *c)
{
    static const char *const parts[] = {"/actions/runs", "/check-runs", "/check-suites"};
    if (wpa_shell_is(c, "gh", "run")) {
        return wpa_shell_word_find(c, "view") || wpa_shell_word_find(c, "list");
    }
    if (wpa_shell_is(c, "gh", "pr")) { /* else for what the forge computes of the request */
        bool is_rollup = false;
        for (size_t i = c->first + 1; i < c->n_words; i++) {
            is_rollup = is_rollup || strstr(c->words[i].text, "statusCheckRollup");
        }
        return is_rollup || wpa_shell_word_find(c, "checks");
    }
    bool is_request = wpa_shell_is(c, "gh", "api") || wpa_text_is(c->name, "curl");
    for (size_t i = c->first + 1; is_request && i < c->n_words; i++) {
        for (size_t k = 0; k < WPA_COUNT(parts); k++) {
            if (strstr(c->words[i].text, parts[k])) {
                return true;
            }
        }
    }
    return false;
}

/* "gh run watch": a loop of its own. */
static bool watches_run(const wpa_shell_command *c)
{
    return (wpa_shell_is(c, "gh", "run") && wpa_shell_word_find(c, "watch")) ||
           (wpa_shell_is(c, "gh", "pr") && wpa_shell_word_find(c, "checks") &&
            wpa_shell_word_find(c, "--watch"));
}

/* Asks a service whether it is there. */
static bool probes_service(const wpa_shell_command *c)
{
    static const char *const probes[] = {"nc",         "ncat",      "pg_isready",
                                         "mysqladmin", "redis-cli", "mongosh"};
    if (wpa_text_index(c->name, probes, WPA_COUNT(probes)) >= 0) {
        return true;
    }
    for (size_t i = c->first + 1; wpa_text_is(c->name, "curl") && i < c->n_words; i++) {
        if (strstr(c->words[i].text, "localhost") || strstr(c->words[i].text, "127.0.0.1")) {
            return true;
        }
    }
    return false;
}

/* Is the service brought up by Compose, in this step or one before? */
static bool is_composed(const wpa_outline_step *step)
{
    for (size_t i = 0; i <= step->index; i++) {
        const wpa_script *script = step->job->steps[i].script;
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            bool is_compose =
                wpa_text_is(c->name, "docker-compose") || wpa_shell_is(c, "docker", "compose");
            if (is_compose && wpa_shell_word_find(c, "up") && wpa_shell_word_find(c, "-d") &&
                !wpa_shell_word_find(c, "--wait")) {
                return true;
            }
        }
    }
    return false;
}

/* In a loop's body, or in the condition that stands in front of it on the line. */
static bool is_looped(const wpa_script *script, const wpa_shell_command *c)
{
    size_t start = c->span.start;
    while (start && c->span.start - start < LINE_MAX_BYTES && script->text[start - 1] != '\n') {
        start--;
    }
    wpa_slice before = {script->text + start, c->span.start - start};
    return c->loops || wpa_text_find(before.at, before.length, "while ") ||
           wpa_text_find(before.at, before.length, "until ");
}

/* What the script's loops wait for, and what would do it without them; NULL: not known. */
static const char *better_than_loop(const wpa_outline_step *step)
{
    for (size_t i = 0; i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        if (asks_for_runs(c) && is_looped(step->script, c) &&
            !wpa_work_mentions(step->run, "cancel")) { /* nothing tells of the end of that */
            return "the runner is held while a loop waits for another run; needs or workflow_run "
                   "would start it when that is done";
        }
        if (probes_service(c) && is_looped(step->script, c) && is_composed(step)) {
            return "a loop waits for what Compose has started; up --wait returns when its health "
                   "checks pass";
        }
    }
    return NULL;
}

/* ---- steps ---- */

/* Only the loops of bash are followed; in other shells any stands for one around the command. */
static bool may_loop(const wpa_outline_step *step, const wpa_shell_command *c)
{
    static const char *const words[] = {"while", "for", "until", "do {", "goto", NULL};
    return step->script ? c->loops > 0 : wpa_work_mentions_any(step->run, words);
}

static double least_seconds(const wpa_rule_run *run)
{
    return (double)wpa_rule_option_int(run, "min-s", 1, 86400, 30);
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->lexed;
    bool is_told = false, has_asked = false;
    const char *better = NULL;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        double seconds = pause_of(script, c);
        if (step->script && watches_run(c) && !is_told && !wpa_work_mentions(step->run, "cancel")) {
            (void)wpa_rule_report_script(
                run, step, c->span, NULL, NULL,
                "the runner is held while it watches another run; needs or "
                "workflow_run would start it when that is done");
            is_told = true;
        }
        if (seconds <= 0) {
            continue;
        }
        if (step->script && c->loops && !has_asked) {
            better = better_than_loop(step);
            has_asked = true;
        }
        if (better && c->loops && !is_told) {
            (void)wpa_rule_report_script(run, step, c->span, NULL, NULL, "%s", better);
            is_told = true;
        } else if (seconds >= least_seconds(run) && !may_loop(step, c) &&
                   !wpa_text_is(c->before, "||") && !wpa_text_is(c->after, "&")) {
            (void)wpa_rule_report_script(
                run, step, c->span, NULL, NULL,
                "sleeps %g seconds whether or not what it waits for is ready", seconds);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, check_step);
    return true;
}

const wpa_rule wpa_rule_fixed_sleep = {
    .code = "PRF-020",
    .id = "fixed-sleep",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A script sleeps for a fixed time",
    .why = "The time is paid in full when all is ready at once, and is too short on a bad day.",
    .fix = "Wait for the condition: service health checks, a retry loop with a limit, needs, or "
           "workflow_run. There is no fix by machine.",
    .options = options,
    .words = (const char *const[]){"sleep", "timeout", "watch", NULL},
    .check = check,
};
