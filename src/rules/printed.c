#include "rules/printed.h"

#include "rules/exports.h"
#include "rules/pipes.h"

static bool prints(const wpa_shell_command *c)
{
    static const char *const names[] = {"echo", "printf", "Write-Host", "Write-Output", "print"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0 && c->n_redirects == 0 &&
           !wpa_text_is(c->after, "|") && !wpa_text_is(c->after, "|&");
}

/* "{ echo ...; } >> file": the commands behind it that may close a group around it. */
#define CLOSERS_MAX 64

/* Does a group or a loop around the command write what it prints into a file, or down a pipe? */
static bool is_gathered(wpa_rule_run *run, const wpa_script *script, const wpa_shell_command *c)
{
    size_t i = (size_t)(c - script->commands);
    wpa_command_range range;
    if (script->language != WPA_SCRIPT_POSIX || !wpa_rule_spend(run, script->length)) {
        return false;
    }
    if (wpa_shell_pipe(script, i, &range)) {
        return true;
    }
    for (size_t k = i + 1; k < script->n_commands && k <= i + CLOSERS_MAX; k++) {
        const wpa_shell_command *end = &script->commands[k];
        for (size_t n = 0; n < end->n_redirects && end->n_words <= end->first; n++) {
            const wpa_shell_redirect *r = &end->redirects[n];
            bool is_written = (*r->operator== '>' || * r->operator== '&') &&
                              !wpa_text_is(r->operator, ">&") &&
                              wpa_rule_spend(run, script->length);
            if (is_written && wpa_span_contains(wpa_exports_text(script, k, r), c->span)) {
                return true;
            }
        }
    }
    return false;
}

bool wpa_printed_in_log(wpa_rule_run *run, const wpa_script *script, const wpa_shell_command *c)
{
    return prints(c) && c->nested == 0 && !c->is_nested_script && !is_gathered(run, script, c);
}
