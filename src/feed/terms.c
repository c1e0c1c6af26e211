#include "feed/terms.h"

#include <inttypes.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "json/json.h"

/** A date is the age of its first moment. */
static const char *as_age(const char *value, wpa_arena *arena)
{
    wpa_error err = {0};
    int64_t from_us = 0, now_us = wpa_now_us();
    bool is_date =
        wpa_timestamp_parse(wpa_arena_printf(arena, "%sT00:00:00Z", value), &from_us, &err);
    if (!is_date) {
        return value;
    }
    return wpa_arena_printf(arena, "%" PRId64 "s",
                            from_us < now_us ? (now_us - from_us) / 1000000 : 0);
}

static void push_values(wpa_json *item, wpa_list list, const wpa_filter_term *term,
                        wpa_arena *arena)
{
    wpa_json *values = wpa_json_set_array(item, "values");
    bool is_age = wpa_text_is(term->field, "age");
    for (size_t i = 0; i < term->n_values; i++) {
        if (wpa_filter_takes(list, term, term->values[i])) {
            wpa_json_push_text(values, is_age ? as_age(term->values[i], arena) : term->values[i]);
        }
    }
}

bool wpa_feed_term_is_meant(wpa_list list, const wpa_filter_term *term)
{
    bool is_any = false;
    for (size_t i = 0; i < term->n_values; i++) {
        is_any |= wpa_filter_takes(list, term, term->values[i]);
    }
    return is_any && wpa_filter_has_field(list, term->field);
}

const char *wpa_feed_terms(wpa_list list, const wpa_filter_term *all, size_t n, wpa_arena *arena,
                           const char **ignored)
{
    wpa_json *terms = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        const wpa_filter_term *term = &all[i];
        const char *fault = wpa_filter_fault(list, term, arena);
        if (fault) {
            *ignored = *ignored ? wpa_arena_printf(arena, "%s %s", *ignored, fault) : fault;
        }
        if (!wpa_feed_term_is_meant(list, term)) {
            continue;
        }
        wpa_json *item = wpa_json_push_object(terms);
        wpa_json_set_text(item, "field", term->field);
        wpa_json_set_text(item, "op", term->op);
        wpa_json_set_bool(item, "not", term->is_negated);
        wpa_json_set_bool(item, "exact", term->is_exact);
        push_values(item, list, term, arena);
    }
    return wpa_json_dump(terms, arena);
}
