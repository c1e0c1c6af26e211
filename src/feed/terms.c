#include "feed/terms.h"

#include <wpa/text.h>

#include "json/json.h"

static const char *const fields[] = {"sev", "rule",  "cat", "wf", "repo", "path", "state",
                                     "age", "score", "has", "by", "text", "regex"};

const char *wpa_feed_terms(const wpa_filter_term *all, size_t n, wpa_arena *arena,
                           const char **ignored)
{
    wpa_json *terms = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        const wpa_filter_term *term = &all[i];
        if (wpa_text_index(term->field, fields, WPA_COUNT(fields)) < 0) {
            *ignored = *ignored ? wpa_arena_printf(arena, "%s %s", *ignored, term->field)
                                : wpa_arena_text(arena, term->field);
            continue;
        }
        wpa_json *item = wpa_json_push_object(terms);
        wpa_json_set_text(item, "field", term->field);
        wpa_json_set_text(item, "op", term->op);
        wpa_json_set_bool(item, "not", term->is_negated);
        wpa_json_set_bool(item, "exact", term->is_exact);
        wpa_json *values = wpa_json_set_array(item, "values");
        for (size_t v = 0; v < term->n_values; v++) {
            wpa_json_push_text(values, term->values[v]);
        }
    }
    return wpa_json_dump(terms, arena);
}
