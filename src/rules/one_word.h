/* Is what a shell expands one word, quoted or not: no blank in it, and nothing that names files? */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

/**
 * Does the variable always hold one word, as far as its script, the environment that the file gives
 * it, the forge and the runner tell?
 *
 * step       of the script; what is found is kept until the file is done.
 * expansion  what stands within the braces: "NAME", also with a part cut off: "NAME#refs/heads/".
 *
 * Returns false where that cannot be told.
 */
bool wpa_one_word_variable(wpa_rule_run *run, const wpa_outline_step *step, wpa_slice expansion);

/** Does the command, as it stands within "$( )", always print one word? False if it is not known.
 */
bool wpa_one_word_command(const wpa_outline_step *step, wpa_slice command);
