/* Code that stands in a script in base64 or the like, is decoded there and run. */
#pragma once

#include "rules/steps.h"

/** span: bytes of the file. */
typedef void (*wpa_decoded_visitor)(wpa_rule_run *run, wpa_span span);

/** May any script of the file decode something? Cheap, and of most files the whole answer. */
bool wpa_decoded_may(const wpa_yaml_doc *doc);

/**
 * Every place where the step decodes what stands there and runs it: commands of a shell, programs
 * of other languages in its script, the script of actions/github-script.
 */
void wpa_decoded_visit(wpa_rule_run *run, const wpa_outline_step *step, wpa_decoded_visitor visit);
