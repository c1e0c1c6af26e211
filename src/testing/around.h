/*
 * What stands around the files of a patch in their repository, in both versions: texts of other
 * files, and what joins its definitions. Private to src/testing.
 */
#pragma once

#include "rules/source.h"
#include "testing/check.h"

struct wpa_result;
struct wpa_finding;

/**
 * The target's repository at the base, or with the patch: what its files are analysed in, and also
 * the graph of its definitions and the texts of its files. Made once.
 *
 * Returns   NULL with *err set: the repository cannot be reached, or its tree cannot be listed.
 */
const wpa_surroundings *wpa_test_around(const wpa_test_context *context, bool is_after,
                                        wpa_error *err);

/** A workflow or action of the target's repository in one of its versions. */
typedef struct wpa_test_definition {
    const char *path;
    const wpa_test_file *patched; /* NULL: the patch leaves it as it is */
    const char *text;             /* of that version; as long as the scratch arena */
    size_t size_bytes;
} wpa_test_definition;

typedef bool (*wpa_test_definition_visitor)(const wpa_test_definition *definition,
                                            wpa_arena *scratch, void *context);
/**
 * Every workflow and action of the target by path, each with a scratch arena of its own, until the
 * visitor returns false. Files that are too large to be read are left out.
 */
bool wpa_test_each_definition(const wpa_test_context *context, bool is_after,
                              wpa_test_definition_visitor visit, void *visitor_context,
                              wpa_error *err) WPA_CHECK;
/** Does the forge run the workflow at this path, rather than one of a project that is copied in? */
bool wpa_test_is_run(const char *path);
/** The patch's own version of a file of the target; NULL: it leaves the file as it is. */
const wpa_test_file *wpa_test_patched(const wpa_test_context *context, const char *path);
/**
 * What one rule says of a file of the target in one version, whatever the settings say of the rule.
 * Of a file that is not there nothing, and then the result has no source.
 *
 * Returns   NULL with *err set, as above.
 */
const struct wpa_result *wpa_test_rule_result(const wpa_test_context *context, const char *path,
                                              const char *rule, bool is_after, wpa_error *err);
/**
 * Fail for each finding of a rule in the file at hand that counts, where there are more like it (of
 * the same check, at least as severe) with the patch than without.
 */
bool wpa_test_ask_rule(const wpa_test_context *context, const char *rule,
                       bool (*counts)(const struct wpa_finding *finding), wpa_test_outcome *outcome,
                       wpa_error *err) WPA_CHECK;
