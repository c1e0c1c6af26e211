#include <wpa/file.h>
#include <wpa/yaml.h>

const wpa_yaml_doc *wpa_yaml_parse_strict(const char *path, const void *data, size_t size_bytes,
                                          wpa_arena *arena, wpa_error *err)
{
    const wpa_yaml_doc *doc = wpa_yaml_parse(path, data, size_bytes, arena, err);
    for (size_t i = 0; doc && i < doc->n_diagnostics; i++) {
        const wpa_yaml_diagnostic *d = &doc->diagnostics[i];
        if (d->fault != WPA_YAML_FAULT_BOM) {
            wpa_position at = wpa_yaml_position(doc, d->span.start);
            WPA_FAIL(err, WPA_E_INVALID, "%s:%zu:%zu: %s", path, at.line, at.column, d->message);
            return NULL;
        }
    }
    return doc;
}

const wpa_yaml_doc *wpa_yaml_load(const char *path, wpa_arena *arena, wpa_error *err)
{
    size_t size_bytes = 0;
    const char *text = wpa_file_read(path, WPA_YAML_MAX_BYTES, arena, &size_bytes, err);
    return text ? wpa_yaml_parse_strict(path, text, size_bytes, arena, err) : NULL;
}

bool wpa_yaml_fail(const wpa_yaml_node *at, wpa_error *err, const char *format, ...)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    va_list values;
    va_start(values, format);
    const char *message = wpa_arena_vprintf(arena, format, values);
    va_end(values);
    if (!at) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s", message);
    }
    wpa_position place = wpa_yaml_position(at->doc, at->span.start);
    const char *path = wpa_yaml_path(at, arena);
    return WPA_FAIL(err, WPA_E_INVALID, "%s:%zu:%zu: %s%s%s", at->doc->path, place.line,
                    place.column, path, *path ? ": " : "", message);
}

bool wpa_yaml_expect(const wpa_yaml_node *node, wpa_yaml_kind kind, wpa_error *err)
{
    static const char *const names[] = {"text", "a mapping", "a list", "an alias"};
    if (wpa_yaml_is(node, kind)) {
        return true;
    }
    return wpa_yaml_fail(node, err, "expected %s, got %s", names[kind], wpa_yaml_describe(node));
}

bool wpa_yaml_check_key(const wpa_yaml_node *key, const char *const known[], size_t n,
                        wpa_error *err)
{
    const char *text = wpa_yaml_text(key);
    if (!text) {
        return wpa_yaml_fail(key, err, "a key must be text");
    }
    if (wpa_text_index(text, known, n) >= 0) {
        return true;
    }
    const char *nearest = wpa_text_nearest(text, known, n);
    return nearest ? wpa_yaml_fail(key, err, "unknown key '%s'; did you mean '%s'?", text, nearest)
                   : wpa_yaml_fail(key, err, "unknown key '%s'", text);
}

bool wpa_yaml_check_keys(const wpa_yaml_node *mapping, const char *const known[], size_t n,
                         wpa_error *err)
{
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err)) {
        return false;
    }
    mapping = wpa_yaml_resolve(mapping);
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        if (!wpa_yaml_check_key(mapping->pairs[i].key, known, n, err)) {
            return false;
        }
    }
    return true;
}

/* The value; NULL with true if it is absent, null, or no mapping was given at all. */
static const wpa_yaml_node *value_of(const wpa_yaml_node *mapping, const char *key)
{
    const wpa_yaml_node *node = wpa_yaml_get(mapping, key);
    return wpa_yaml_is_null(node) ? NULL : node;
}

const wpa_yaml_node *wpa_yaml_need(const wpa_yaml_node *mapping, const char *key, wpa_error *err)
{
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err)) {
        return NULL;
    }
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        (void)wpa_yaml_fail(wpa_yaml_resolve(mapping), err, "missing '%s'", key);
    }
    return node;
}

static bool wrong(const wpa_yaml_node *node, wpa_error *err, const char *expected)
{
    const char *text = wpa_yaml_text(node);
    return text
               ? wpa_yaml_fail(node, err, "expected %s, got '%s'", expected, text)
               : wpa_yaml_fail(node, err, "expected %s, got %s", expected, wpa_yaml_describe(node));
}

bool wpa_yaml_get_text(const wpa_yaml_node *mapping, const char *key, const char **value,
                       wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    const char *text = wpa_yaml_text(node);
    if (!text) {
        return wrong(node, err, "text");
    }
    *value = text;
    return true;
}

bool wpa_yaml_get_bool(const wpa_yaml_node *mapping, const char *key, bool *value, wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    if (!wpa_yaml_is(node, WPA_YAML_SCALAR) || wpa_yaml_scalar_type(node) != WPA_YAML_BOOL) {
        return wrong(node, err, "true or false");
    }
    *value = wpa_text_is_ci(node->text, "true");
    return true;
}

bool wpa_yaml_get_int(const wpa_yaml_node *mapping, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    char expected[96];
    (void)wpa_text_format(expected, sizeof expected, "a whole number from %lld to %lld",
                          (long long)min, (long long)max);
    if (!wpa_yaml_is(node, WPA_YAML_SCALAR) || wpa_yaml_scalar_type(node) != WPA_YAML_INT ||
        !wpa_text_to_int(node->text, min, max, value)) {
        return wrong(node, err, expected);
    }
    return true;
}

bool wpa_yaml_get_double(const wpa_yaml_node *mapping, const char *key, double min, double max,
                         double *value, wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    char expected[96];
    (void)wpa_text_format(expected, sizeof expected, "a number from %g to %g", min, max);
    double number = 0;
    const char *text = wpa_yaml_text(node);
    if (!text || !wpa_text_to_double(text, &number) || number < min || number > max) {
        return wrong(node, err, expected);
    }
    *value = number;
    return true;
}

bool wpa_yaml_get_duration_ms(const wpa_yaml_node *mapping, const char *key, int64_t *value,
                              wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    const char *text = wpa_yaml_text(node);
    if (!text || !wpa_text_to_duration_ms(text, value)) {
        return wrong(node, err, "a time such as 90s, 10m or 2h");
    }
    return true;
}

bool wpa_yaml_get_choice(const wpa_yaml_node *mapping, const char *key, const char *const names[],
                         size_t n, int *value, wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    const char *text = wpa_yaml_text(node);
    int found = text ? wpa_text_index(text, names, n) : -1;
    if (found >= 0) {
        *value = found;
        return true;
    }
    char expected[320] = "one of";
    for (size_t i = 0; i < n; i++) {
        char before[sizeof expected];
        (void)wpa_text_copy(before, sizeof before, expected);
        (void)wpa_text_format(expected, sizeof expected, "%s%s %s", before, i ? "," : "", names[i]);
    }
    return wrong(node, err, expected);
}

bool wpa_yaml_get_texts(const wpa_yaml_node *mapping, const char *key, wpa_arena *arena,
                        const char *const **values, size_t *n, wpa_error *err)
{
    const wpa_yaml_node *node = value_of(mapping, key);
    if (!node) {
        return true;
    }
    bool is_list = node->kind == WPA_YAML_SEQUENCE;
    size_t n_texts = is_list ? node->n_items : 1;
    const char **texts = wpa_arena_array(arena, n_texts + 1, sizeof *texts);
    for (size_t i = 0; i < n_texts; i++) {
        const wpa_yaml_node *item = is_list ? node->items[i] : node;
        texts[i] = wpa_yaml_text(item);
        if (!texts[i]) {
            return wrong(item, err, is_list ? "text" : "a list of texts");
        }
    }
    *values = texts;
    *n = n_texts;
    return true;
}

static bool get_kind(const wpa_yaml_node *mapping, const char *key, wpa_yaml_kind kind,
                     const wpa_yaml_node **value, wpa_error *err)
{
    *value = value_of(mapping, key);
    return !*value || wpa_yaml_expect(*value, kind, err);
}

bool wpa_yaml_get_mapping(const wpa_yaml_node *mapping, const char *key,
                          const wpa_yaml_node **value, wpa_error *err)
{
    return get_kind(mapping, key, WPA_YAML_MAPPING, value, err);
}

bool wpa_yaml_get_sequence(const wpa_yaml_node *mapping, const char *key,
                           const wpa_yaml_node **value, wpa_error *err)
{
    return get_kind(mapping, key, WPA_YAML_SEQUENCE, value, err);
}
