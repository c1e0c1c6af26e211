/*
 * Every expression of a workflow or an action file with the key it stands at: parsed once when the
 * file is read, checked once by the first rule that asks, shared by all of them.
 */
#pragma once

#include "expr/check.h"
#include "rules/outline.h"

struct wpa_rule_run;

/** What is made of the value of an expression that is all of its scalar. */
typedef enum wpa_expression_use {
    WPA_EXPRESSION_TEXT,
    WPA_EXPRESSION_CONDITION,
    WPA_EXPRESSION_BOOL,
    WPA_EXPRESSION_NUMBER,
    WPA_EXPRESSION_ARRAY,
    WPA_EXPRESSION_OBJECT,
    WPA_EXPRESSION_TEXT_OR_ARRAY,
    WPA_EXPRESSION_TEXT_OR_OBJECT,
    WPA_EXPRESSION_NAME_OR_OBJECT, /* a boolean becomes text: "true" is as good a name as any */
    WPA_EXPRESSION_DEFAULT,        /* of an input of a called workflow */
    WPA_EXPRESSION_ANYTHING
} wpa_expression_use;

typedef struct wpa_expression {
    const wpa_expr_place *place;
    /* Row of the key; NULL where the tables know of no expressions. */
    const wpa_fact_availability *key;
    const char *key_name; /* of the row, for messages: "jobs.<job_id>.if"; or NULL */
    wpa_expression_use use;
    bool is_whole;     /* nothing else stands in the scalar, or it is bare */
    bool is_evaluated; /* GitHub looks for expressions here */
    bool is_again;     /* checked: … of the same text and the same types as one before it */
    const wpa_outline_job *job; /* NULL outside of jobs */
    size_t step;                /* index in the job; n_steps of it outside of steps */
    wpa_expr_checked checked;   /* empty until wpa_expressions_check */
} wpa_expression;

typedef struct wpa_expressions {
    wpa_expression *items; /* [n], by position in the file */
    size_t n;
    struct wpa_expression_types *types; /* private: made when the file is checked */
    bool is_checked;
    const struct wpa_workflow *triggers; /* private: once somebody has asked for them */
} wpa_expressions;

/** Of a workflow or an action file; none of any other. Never NULL. */
wpa_expressions *wpa_expressions_read(const wpa_yaml_doc *doc, wpa_input_kind kind,
                                      const wpa_outline *outline, wpa_arena *arena);
/**
 * The workflow as wpa_model_triggers reads it, once for all who ask; NULL for other files. For the
 * thread that runs rules over the file.
 */
const struct wpa_workflow *wpa_expressions_triggers(const wpa_source *source);
/** All of the file with their types; for the thread that runs rules over it. */
const wpa_expressions *wpa_expressions_check(struct wpa_rule_run *run);
/** Type of a part of a checked expression. */
const wpa_type *wpa_expression_type(struct wpa_rule_run *run, const wpa_expression *expression,
                                    const wpa_expr *part);
/** What it refers to, as wpa_expr_references tells: found by the first rule that asks. */
const wpa_expr_reference *wpa_expression_references(struct wpa_rule_run *run,
                                                    const wpa_expression *expression, size_t *n);
/** How many of them stand before the offset. */
size_t wpa_expressions_from(const wpa_expressions *all, size_t offset);
/** The first expression of a scalar, NULL if it has none. */
const wpa_expression *wpa_expressions_in(const wpa_expressions *all, const wpa_yaml_node *scalar);
/** What wpa_expr_find says of a scalar of the run's file, mostly without parsing it again. */
const wpa_expr_place *wpa_expressions_find(struct wpa_rule_run *run, const wpa_yaml_node *scalar,
                                           size_t *n);
/**
 * May an expression stand in this node, which is a job's or below it? Never false where one does,
 * its aliases followed. *next is 0 at first, and for nodes in the order of the file.
 */
bool wpa_expressions_may_be_in(const wpa_expressions *all, const wpa_yaml_node *node, size_t *next);
/** Bytes of the file for a part of the expression. */
wpa_span wpa_expression_span(const wpa_expression *expression, wpa_span in_tree);
/** The step it stands in, or NULL. */
const wpa_outline_step *wpa_expression_step(const wpa_expression *expression);
