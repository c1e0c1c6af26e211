/* PRF-020: a step that waits for the clock instead of for what it needs. */
#include <stdlib.h>
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const wpa_rule_option options[] = {
    {"min-seconds", "30", "shorter pauses are left alone"},
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

static double sleep_of(const wpa_shell_command *command)
{
    double total = 0;
    if (!wpa_text_is(command->name, "sleep") || command->n_words <= command->first + 1) {
        return -1;
    }
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        double seconds = seconds_of(command->words[i].text);
        if (seconds < 0) {
            return -1;
        }
        total += seconds;
    }
    return total;
}

/* Does the script ask GitHub about other runs? */
static bool polls_runs(const wpa_script *script)
{
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (wpa_shell_is(c, "gh", "run") && !wpa_shell_word_find(c, "download")) {
            return true;
        }
    }
    return false;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    int64_t least = wpa_rule_option_int(run, "min-seconds", 1, 86400, 30);
    const wpa_script *script = step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        double seconds = sleep_of(c);
        bool is_pause = seconds >= (double)least && !c->loops && !wpa_text_is(c->before, "||") &&
                        !wpa_text_is(c->after, "&");
        bool is_poll = seconds > 0 && c->loops && polls_runs(script);
        if (is_poll) {
            (void)wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, NULL,
                                  "the runner is held while a loop waits for another run; needs or "
                                  "workflow_run would start it when that is done");
        } else if (is_pause) {
            (void)wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, NULL,
                                  "sleeps %g seconds whether or not what it waits for is ready",
                                  seconds);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k]);
        }
    }
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
    .check = check,
};
