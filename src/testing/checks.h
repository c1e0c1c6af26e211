/* The rows of all checks, and what checks of several files of this folder share. */
#pragma once

#include <wpa/yaml.h>

#include "testing/check.h"

struct wpa_finding;

extern const wpa_test_check wpa_test_t001, wpa_test_t002, wpa_test_t003, wpa_test_t004,
    wpa_test_t005, wpa_test_t006, wpa_test_t007, wpa_test_t008;
extern const wpa_test_check wpa_test_t101, wpa_test_t102, wpa_test_t103, wpa_test_t104,
    wpa_test_t105, wpa_test_t106, wpa_test_t107, wpa_test_t108, wpa_test_t109, wpa_test_t111,
    wpa_test_t112;
extern const wpa_test_check wpa_test_t201, wpa_test_t202, wpa_test_t203, wpa_test_t204,
    wpa_test_t205, wpa_test_t206, wpa_test_t207, wpa_test_t208, wpa_test_t210;
extern const wpa_test_check wpa_test_s1, wpa_test_s2, wpa_test_s3, wpa_test_s4, wpa_test_s5;
extern const wpa_test_check wpa_test_v103, wpa_test_v104, wpa_test_v107;

/** Does a condition or a switch say just this ("always()"), with or without "${{ }}"? */
bool wpa_test_says(const wpa_yaml_node *node, const char *expression);
/** A scalar as the forge puts it into a text: a plain 3.10 is 3.1. NULL for what is none. */
const char *wpa_test_value_text(const wpa_yaml_node *node, wpa_arena *arena);

/** Of the edit sets as the patch module defines it. */
bool wpa_test_digest(const wpa_test_patch *patch, uint8_t digest[32], wpa_error *err) WPA_CHECK;

/** Every node of the tree that differs must touch an edit; fails the outcome otherwise. */
void wpa_test_compare_nodes(const wpa_test_context *context, wpa_test_outcome *outcome);

/** Is the finding of a rule by which a file is one that the forge accepts, or is not? */
bool wpa_test_is_refusal(const struct wpa_finding *finding);
/** Would the forge refuse the file of the context as it was, or a part of it? */
bool wpa_test_was_invalid(const wpa_test_context *context);

/** Compare what the rules say of the security of all files; fails the outcome if it got worse. */
void wpa_test_compare_security(const wpa_test_context *context, wpa_test_outcome *outcome);
