/* What the expressions of a file refer to: for rules that ask where something is named. */
#pragma once

#include "rules/expressions.h"
#include "rules/rule.h"

typedef void (*wpa_expression_visitor)(wpa_rule_run *run, const wpa_expression *expression,
                                       void *context);

/**
 * Visit the expressions of the file that stand in this node (a job, the root), in order, those that
 * could be parsed. Aliases are not followed: what stands under an anchor is visited there. A NULL
 * node has none.
 */
void wpa_rule_each_expression(wpa_rule_run *run, const wpa_yaml_node *node,
                              wpa_expression_visitor visit, void *context);

/** Does this word stand anywhere in the expression, in any case: a context that it may refer to? */
bool wpa_expression_mentions(const wpa_expression *expression, const char *word);

/** The same for those alone that mention "secrets": few do, and many rules ask for them. */
void wpa_rule_each_secret(wpa_rule_run *run, const wpa_yaml_node *node,
                          wpa_expression_visitor visit, void *context);
/** False: no expression within the node, or what its aliases lead to, mentions "secrets". */
bool wpa_rule_may_hold_secret(wpa_rule_run *run, const wpa_yaml_node *node);

/** "NAME" of a reference to secrets.NAME as it is spelt, NULL for any other. */
const char *wpa_expr_secret_name(const wpa_expr_reference *reference);
