/* Shared inside src/workflow: fields out of YAML mappings, with their shape faults. */
#pragma once

#include "workflow/workflow.h"

/** One file being read. */
typedef struct wpa_reader {
    wpa_arena *arena;
    wpa_shape_fault *faults;
    size_t n_faults, faults_capacity;
    bool is_frame; /* only what wpa_model_frame and its like promise */
} wpa_reader;

void wpa_reader_fault(wpa_reader *r, const wpa_yaml_node *node, const char *expected);
/** The pair of a key; false if absent. *value is NULL if null was written, or a broken alias. */
bool wpa_reader_pair(const wpa_yaml_node *mapping, const char *key, const wpa_yaml_node **key_node,
                     const wpa_yaml_node **value);
wpa_value wpa_reader_value_of(wpa_reader *r, const wpa_yaml_node *key, const wpa_yaml_node *node);
wpa_value wpa_reader_value(wpa_reader *r, const wpa_yaml_node *mapping, const char *key);
wpa_value_list wpa_reader_list_of(wpa_reader *r, const wpa_yaml_node *key,
                                  const wpa_yaml_node *node);
wpa_value_list wpa_reader_list(wpa_reader *r, const wpa_yaml_node *mapping, const char *key);
wpa_value_map wpa_reader_map(wpa_reader *r, const wpa_yaml_node *mapping, const char *key);
/** A field that is a mapping: NULL if absent or null, or with a fault. */
const wpa_yaml_node *wpa_reader_mapping(wpa_reader *r, const wpa_yaml_node *mapping,
                                        const char *key, const wpa_yaml_node **key_node,
                                        bool *is_unknown);
/** A field that is a sequence. */
const wpa_yaml_node *wpa_reader_sequence(wpa_reader *r, const wpa_yaml_node *mapping,
                                         const char *key, const wpa_yaml_node **key_node,
                                         bool *is_unknown);
/** The pairs of a mapping with merges, whose keys are text. */
const wpa_yaml_pair *wpa_reader_pairs(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n);

wpa_parameter *wpa_reader_parameters(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n);
wpa_interface *wpa_reader_interfaces(wpa_reader *r, const wpa_yaml_node *mapping, size_t *n);
wpa_step *wpa_reader_steps(wpa_reader *r, const wpa_yaml_node *sequence, size_t *n);

const wpa_workflow *wpa_reader_workflow(wpa_reader *r, const wpa_yaml_node *root);
/** What starts it, and no more. */
wpa_workflow *wpa_reader_triggers(wpa_reader *r, const wpa_yaml_node *root);
/** How one job hangs together with others, without what its key tells. */
const wpa_workflow_job *wpa_reader_job_frame(wpa_reader *r, const wpa_yaml_node *job);
const wpa_action_file *wpa_reader_action(wpa_reader *r, const wpa_yaml_node *root);
const wpa_dependabot *wpa_reader_dependabot(wpa_reader *r, const wpa_yaml_node *root);
wpa_strategy wpa_reader_strategy(wpa_reader *r, const wpa_yaml_node *job);
