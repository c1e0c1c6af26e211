/* Types of the contexts of one file. Shared by expressions.c and expression_types.c alone. */
#pragma once

#include "rules/expressions.h"

typedef struct wpa_expression_types wpa_expression_types;

wpa_expression_types *wpa_expression_types_new(const wpa_source *source, wpa_arena *arena);
/** Scope of one expression; borrows it. */
wpa_expr_scope wpa_expression_types_scope(wpa_expression_types *types,
                                          const wpa_expression *expression);
/** Declared type of the input of a called workflow whose default this is, or NULL. */
const wpa_type *wpa_expression_types_default(const wpa_expression_types *types,
                                             const wpa_expression *expression);
