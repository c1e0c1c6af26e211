/* QUA-002: what ruff or pyflakes says of a Python script. */
#include "rules/lint.h"

static void visit(wpa_rule_run *run, const wpa_lint_script *script, const wpa_lint_comment *comment)
{
    (void)wpa_lint_report(run, script, comment, NULL);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_lint_each(run, WPA_LINT_PYTHON, visit);
    return true;
}

const wpa_rule wpa_rule_python_lint = {
    .code = "QUA-002",
    .id = "python-lint",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A Python script has an undefined name, an unused import or the like",
    .why = "An undefined name ends the step the first time its line is reached.",
    .fix = "Change the script as the message says. Needs the program ruff or pyflakes; without one "
           "this rule is silent. There is no fix by machine.",
    .elsewhere = (const char *const[]){"actionlint/pyflakes", NULL},
    .check = check,
};
