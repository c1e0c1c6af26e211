/* What the parts of the generator share: reading JSON, writing C. Ends the program on bad data. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/** Print the message and end the program: a table that is not as expected must not be built. */
void gen_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
json_t *gen_load(const char *folder, const char *name);
/** A member; ends the program if it is missing. */
json_t *gen_need(json_t *object, const char *key);
/** A text member, or NULL if it is missing or null. */
const char *gen_text(json_t *object, const char *key);

/** text as a C string literal, or NULL. */
void gen_literal(FILE *out, const char *text);
/** The same without the quotes, for pieces of a larger literal. */
void gen_escaped(FILE *out, const char *text, size_t length);
/** An array of texts as a static NULL-terminated list named after prefix and number. */
void gen_list(FILE *out, const char *prefix, size_t number, json_t *texts);
/** One such list for each record, of its texts under key. */
void gen_lists(FILE *out, json_t *records, const char *key, const char *prefix);

/** A field of a struct: .name = "value", left out when the member is absent. */
void gen_field(FILE *out, const char *field, json_t *record, const char *key);
void gen_flag(FILE *out, const char *field, bool value);
void gen_number(FILE *out, const char *field, json_t *record, const char *key, json_int_t absent);
/** Is the member there, and true? */
bool gen_is_true(json_t *record, const char *key);
/** Ends the program unless records of one name under key stand together: rows are found so. */
void gen_need_neighbours(json_t *records, const char *key);
/** The end of an array of records, and how many there are. */
void gen_count(FILE *out, const char *name, json_t *records);
/** The list wpa_fact_<name>_list[] of texts under key of all records, or of the texts themselves.
 */
void gen_names(FILE *out, const char *name, json_t *records, const char *key);

/**
 * The records under a key as wpa_fact_<array>[], an array of wpa_fact_<type> whose fields are named
 * as the members; a record with "programs" or "names" is one row for each, in their order.
 */
void gen_rows(FILE *out, json_t *root, const char *key, const char *type, const char *array);

void gen_actions(FILE *out, const char *folder);
void gen_commands(FILE *out, const char *folder);
void gen_contexts(FILE *out, const char *folder);
void gen_originals(FILE *out, const char *folder);
void gen_payloads(FILE *out, const char *folder);
void gen_supply(FILE *out, const char *folder);
void gen_tables(FILE *out, const char *folder);
/** A template schema as the array wpa_fact_<name>_schema[]. */
void gen_schema(FILE *out, const char *folder, const char *file, const char *name);
void gen_platforms(FILE *out, const char *folder);
