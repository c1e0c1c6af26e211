/* QUA-004: a script that has outgrown the workflow. */
#include <string.h>

#include "rules/steps.h"

#define NESTING_MAX 3

static size_t count_lines(const char *text)
{
    size_t n = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        n += strspn(text, " \t\r") < length;
        text += length + (text[length] == '\n');
    }
    return n;
}

/* A line's first word, cut at what may follow it. */
static wpa_slice first_word(const char *line)
{
    line += strspn(line, " \t");
    return (wpa_slice){line, strcspn(line, " \t\r\n;(")};
}

static bool is_one_of(wpa_slice word, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_slice_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* How deep ifs and loops stand in each other, by the words that lines of a shell begin with. */
static size_t deepest(const char *text)
{
    static const char *const opening[] = {"if", "for", "while", "until", "case", "select"};
    static const char *const closing[] = {"fi", "done", "esac"};
    size_t depth = 0, most = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        wpa_slice word = first_word(text);
        if (is_one_of(word, opening, WPA_COUNT(opening))) {
            bool is_one_line = memmem(text, length, "; fi", 4) ||
                               memmem(text, length, "; done", 6) ||
                               memmem(text, length, ";done", 5) || memmem(text, length, ";fi", 3) ||
                               memmem(text, length, "esac", 4);
            depth += is_one_line ? 0 : 1;
            most = depth > most ? depth : most;
        } else if (is_one_of(word, closing, WPA_COUNT(closing)) && depth) {
            depth--;
        }
        text += length + (text[length] == '\n');
    }
    return most;
}

/* More lines than that, blank ones too? */
static bool has_lines(const char *text, size_t n)
{
    while (text && n > 0) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
        n--;
    }
    return text && *text;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *text = wpa_yaml_text(step->run);
    if (!text || !text[0]) {
        return;
    }
    int64_t max =
        has_lines(text, 1) ? wpa_rule_option_int(run, "max-lines", 1, 100000, 40) : NESTING_MAX;
    if (!has_lines(text, max < NESTING_MAX ? (size_t)max : NESTING_MAX)) {
        return;
    }
    size_t n_lines = count_lines(text);
    size_t depth = step->script && step->script->is_readable ? deepest(step->script->text) : 0;
    wpa_span at = wpa_yaml_find(step->node, "run")->key->span;
    if ((int64_t)n_lines > max) {
        (void)wpa_rule_report(run, at, NULL, NULL,
                              "a script of %zu lines: in a file of its own it can be checked, "
                              "tested and run anywhere",
                              n_lines);
    } else if (depth > NESTING_MAX) {
        (void)wpa_rule_report(run, at, NULL, NULL,
                              "a script with %zu ifs and loops in each other: in a file of its own "
                              "it can be checked and tested",
                              depth);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, check_step);
    return true;
}

static const wpa_rule_option options[] = {
    {"max-lines", "40", "lines that are not blank"},
    {NULL, NULL, NULL},
};

const wpa_rule wpa_rule_long_script = {
    .code = "QUA-004",
    .id = "long-script",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A script in the workflow is long or deeply nested",
    .why = "Nobody runs it before it is pushed, no editor knows its language, no test reaches it.",
    .fix = "Move it into a file of the repository and call that. There is no fix by machine.",
    .options = options,
    .check = check,
};
