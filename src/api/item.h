/*
 * Rows of a statement as JSON objects, written from their columns: a column is a member by its
 * name, in the statement's order. A dot leads into an object within ("span.start.line"); the
 * columns of such an object stand beside each other. Making JSON is cheaper here than in the
 * database, and the statement still says what each thing is called.
 *
 * Two names mean something else: "item" is the whole object as JSON text, and "..." an object whose
 * members stand among the others.
 */
#pragma once

#include <wpa/buf.h>

#include "db/db.h"

typedef struct wpa_api_form wpa_api_form;

/** How the rows of this result are written, from the first-th column on; lives with the arena. */
const wpa_api_form *wpa_api_form_of(const wpa_rows *rows, size_t first, wpa_arena *arena);
/** The row as one object. */
void wpa_api_form_write(const wpa_api_form *form, const wpa_rows *rows, size_t row, wpa_buf *out);
