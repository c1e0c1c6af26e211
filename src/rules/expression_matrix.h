/* Type of the matrix of a job. For expression_types.c alone. */
#pragma once

#include "rules/expressions.h"

/** Of a job of this workflow. */
const wpa_type *wpa_expression_matrix_type(const wpa_source *source, const wpa_outline_job *job,
                                           wpa_arena *arena);
