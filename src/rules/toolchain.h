/*
 * Where a file asks for a version of a runtime: inputs of setup actions, matrix values they name,
 * tags of container images.
 */
#pragma once

#include "facts/platforms.h"
#include "rules/outline.h"
#include "rules/rule.h"

typedef struct wpa_toolchain_use {
    const wpa_fact_runtime *runtime;
    const wpa_yaml_node *node; /* the scalar that says the version */
    wpa_span in_text;          /* the version in the scalar's decoded text */
    wpa_span span;             /* in the file */
    wpa_slice version;         /* "3.8", "18.x"; of an image its tag */
    const wpa_outline_job *job;
    const wpa_outline_step *step; /* NULL: the job's container */
    bool is_matrix;
    bool is_image;
} wpa_toolchain_use;

/** Every literal version of the file, in the arena. */
const wpa_toolchain_use *wpa_toolchain_read(const wpa_source *source, wpa_arena *arena, size_t *n);
/** The same of the file that the rule runs over: found once for all rules. */
const wpa_toolchain_use *wpa_toolchain_uses(wpa_rule_run *run, size_t *n);
/** The release line: "20" of v20.11.1, "3.12" of 3.12.x; NULL if it is not a plain version. */
const char *wpa_toolchain_line(const wpa_toolchain_use *use);
/** One of several: a value of a matrix, or of a list in one input. */
bool wpa_toolchain_is_leg(const wpa_toolchain_use *use);

typedef void (*wpa_matrix_visitor)(const wpa_yaml_node *value, void *context);

/** Scalars that matrix.KEY, or matrix.KEY.MEMBER, may be in this job: of its row and of include. */
void wpa_matrix_each(const wpa_outline_job *job, const char *key, wpa_matrix_visitor visit,
                     void *context);
/** "K" or "K.M" of "${{ matrix.K }}" or "${{ matrix.K.M }}" and nothing else; NULL otherwise. */
const char *wpa_matrix_key(const char *text, wpa_arena *arena);

/** Does job's label put it on this image ("ubuntu-24.04") or system ("macos/arm64")? */
bool wpa_label_is_on(const wpa_outline_label *label, const char *place);
