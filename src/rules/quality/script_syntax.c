/* QUA-003: a script that its own interpreter refuses to read. */
#include "rules/lint.h"

static void visit(wpa_rule_run *run, const wpa_lint_script *script, const wpa_lint_comment *comment)
{
    wpa_finding *finding = wpa_lint_report(run, script, comment, NULL);
    finding->message = wpa_arena_printf(run->arena, "%s cannot read this script: %s",
                                        script->dialect, finding->message);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_lint_each(run, WPA_LINT_SYNTAX, visit);
    return true;
}

const wpa_rule wpa_rule_script_syntax = {
    .code = "QUA-003",
    .id = "script-syntax",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A script that its interpreter cannot read",
    .why = "The step fails before, or in the middle of, its work.",
    .fix = "Mend the syntax. The script is only parsed, never run; there is no fix by machine.",
    .check = check,
};
