#include <inttypes.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "json/value.h"

static const char *const kind_names[] = {
    [WPA_JSON_NULL] = "null",        [WPA_JSON_BOOL] = "true or false",
    [WPA_JSON_INT] = "an integer",   [WPA_JSON_REAL] = "a number",
    [WPA_JSON_TEXT] = "text",        [WPA_JSON_ARRAY] = "a list",
    [WPA_JSON_OBJECT] = "an object",
};

#define PATH_MAX_BYTES 256

wpa_json_kind wpa_json_kind_of(const wpa_json *value)
{
    return value ? value->kind : WPA_JSON_NULL;
}

const char *wpa_json_kind_name(wpa_json_kind kind)
{
    return kind_names[kind];
}

/** Outermost first; what does not fit within the buffer's ceiling is left out. */
static void write_path(const wpa_json *value, wpa_buf *buf)
{
    if (!value->parent) {
        return;
    }
    write_path(value->parent, buf);
    if (value->key) {
        wpa_buf_printf(buf, "%s%s", wpa_buf_size(buf) ? "." : "", value->key);
    } else {
        wpa_buf_printf(buf, "[%zu]", value->position);
    }
}

const char *wpa_json_path(const wpa_json *value, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(PATH_MAX_BYTES);
    write_path(value, buf);
    return wpa_buf_size(buf) ? wpa_buf_dup(buf, arena) : "the document";
}

/** "field 'a.b' what"; key, if given, is a member of value that may not be there. */
static bool fail_field(const wpa_json *value, const char *key, wpa_error *err, const char *what)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(PATH_MAX_BYTES);
    write_path(value, buf);
    if (key) {
        wpa_buf_printf(buf, "%s%s", wpa_buf_size(buf) ? "." : "", key);
    }
    if (wpa_buf_size(buf) == 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "the document %s", what);
    }
    return WPA_FAIL(err, WPA_E_INVALID, "field '%s' %s", wpa_buf_data(buf), what);
}

bool wpa_json_fail(const wpa_json *value, wpa_error *err, const char *what)
{
    return fail_field(value, NULL, err, what);
}

const char *wpa_json_text_of(const wpa_json *value)
{
    return value && value->kind == WPA_JSON_TEXT ? value->text : NULL;
}

int64_t wpa_json_int_of(const wpa_json *value, int64_t fallback)
{
    return value && value->kind == WPA_JSON_INT ? value->integer : fallback;
}

double wpa_json_real_of(const wpa_json *value, double fallback)
{
    if (value && value->kind == WPA_JSON_INT) {
        return (double)value->integer;
    }
    return value && value->kind == WPA_JSON_REAL ? value->real : fallback;
}

bool wpa_json_bool_of(const wpa_json *value, bool fallback)
{
    return value && value->kind == WPA_JSON_BOOL ? value->truth : fallback;
}

size_t wpa_json_count(const wpa_json *value)
{
    return value ? value->n_members : 0;
}

const wpa_json *wpa_json_at(const wpa_json *value, size_t i)
{
    return i < wpa_json_count(value) ? value->members[i].value : NULL;
}

bool wpa_json_has_text(const wpa_json *value, const char *text)
{
    for (size_t i = 0; text && i < wpa_json_count(value); i++) {
        if (wpa_text_is(wpa_json_text_of(wpa_json_at(value, i)), text)) {
            return true;
        }
    }
    return false;
}

const char *wpa_json_key_at(const wpa_json *object, size_t i)
{
    return i < wpa_json_count(object) ? object->members[i].key : NULL;
}

static bool is_kind(const wpa_json *value, wpa_json_kind kind)
{
    return value->kind == kind || (kind == WPA_JSON_REAL && value->kind == WPA_JSON_INT);
}

/** The member, NULL with *err set if it has another kind; *is_missing if it is not there. */
static const wpa_json *member(const wpa_json *object, const char *key, wpa_json_kind kind,
                              bool *is_missing, wpa_error *err)
{
    char what[64];
    *is_missing = false;
    if (object->kind != WPA_JSON_OBJECT) {
        fail_field(object, NULL, err, "must be an object");
        return NULL;
    }
    const wpa_json *value = wpa_json_find(object, key);
    if (!value || value->kind == WPA_JSON_NULL) {
        *is_missing = true;
        return NULL;
    }
    if (!is_kind(value, kind)) {
        wpa_text_format(what, sizeof what, "must be %s, not %s", kind_names[kind],
                        kind_names[value->kind]);
        fail_field(value, NULL, err, what);
        return NULL;
    }
    return value;
}

static const wpa_json *need(const wpa_json *object, const char *key, wpa_json_kind kind,
                            wpa_error *err)
{
    char what[64];
    bool is_missing = false;
    const wpa_json *value = member(object, key, kind, &is_missing, err);
    if (is_missing) {
        wpa_text_format(what, sizeof what, "is missing (%s)", kind_names[kind]);
        fail_field(object, key, err, what);
    }
    return value;
}

static bool check_range(const wpa_json *value, int64_t min, int64_t max, wpa_error *err)
{
    char what[96];
    if (value->integer >= min && value->integer <= max) {
        return true;
    }
    wpa_text_format(what, sizeof what, "must be between %" PRId64 " and %" PRId64 ", not %" PRId64,
                    min, max, value->integer);
    return fail_field(value, NULL, err, what);
}

const char *wpa_json_get_text(const wpa_json *object, const char *key, wpa_error *err)
{
    return wpa_json_text_of(need(object, key, WPA_JSON_TEXT, err));
}

const wpa_json *wpa_json_get_array(const wpa_json *object, const char *key, wpa_error *err)
{
    return need(object, key, WPA_JSON_ARRAY, err);
}

const wpa_json *wpa_json_get_object(const wpa_json *object, const char *key, wpa_error *err)
{
    return need(object, key, WPA_JSON_OBJECT, err);
}

bool wpa_json_get_int(const wpa_json *object, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err)
{
    const wpa_json *found = need(object, key, WPA_JSON_INT, err);
    if (!found || !check_range(found, min, max, err)) {
        return false;
    }
    *value = found->integer;
    return true;
}

bool wpa_json_get_real(const wpa_json *object, const char *key, double *value, wpa_error *err)
{
    const wpa_json *found = need(object, key, WPA_JSON_REAL, err);
    *value = wpa_json_real_of(found, *value);
    return found != NULL;
}

bool wpa_json_get_bool(const wpa_json *object, const char *key, bool *value, wpa_error *err)
{
    const wpa_json *found = need(object, key, WPA_JSON_BOOL, err);
    *value = wpa_json_bool_of(found, *value);
    return found != NULL;
}

bool wpa_json_opt_text(const wpa_json *object, const char *key, const char **value, wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_TEXT, &is_missing, err);
    *value = found ? found->text : *value;
    return found || is_missing;
}

bool wpa_json_opt_array(const wpa_json *object, const char *key, const wpa_json **value,
                        wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_ARRAY, &is_missing, err);
    *value = found ? found : *value;
    return found || is_missing;
}

bool wpa_json_opt_object(const wpa_json *object, const char *key, const wpa_json **value,
                         wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_OBJECT, &is_missing, err);
    *value = found ? found : *value;
    return found || is_missing;
}

bool wpa_json_opt_int(const wpa_json *object, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_INT, &is_missing, err);
    if (found && !check_range(found, min, max, err)) {
        return false;
    }
    *value = found ? found->integer : *value;
    return found || is_missing;
}

bool wpa_json_opt_real(const wpa_json *object, const char *key, double *value, wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_REAL, &is_missing, err);
    *value = wpa_json_real_of(found, *value);
    return found || is_missing;
}

bool wpa_json_opt_bool(const wpa_json *object, const char *key, bool *value, wpa_error *err)
{
    bool is_missing = false;
    const wpa_json *found = member(object, key, WPA_JSON_BOOL, &is_missing, err);
    *value = wpa_json_bool_of(found, *value);
    return found || is_missing;
}

bool wpa_json_check_keys(const wpa_json *value, const char *const names[], size_t n, wpa_error *err)
{
    if (value->kind != WPA_JSON_OBJECT) {
        return fail_field(value, NULL, err, "must be an object");
    }
    for (size_t i = 0; i < value->n_members; i++) {
        const char *key = value->members[i].key;
        if (wpa_text_index(key, names, n) >= 0) {
            continue;
        }
        char what[160];
        const char *nearest = wpa_text_nearest(key, names, n);
        wpa_text_format(what, sizeof what, nearest ? "is not known (did you mean '%s'?)" : "%s",
                        nearest ? nearest : "is not known");
        return fail_field(value->members[i].value, NULL, err, what);
    }
    return true;
}
