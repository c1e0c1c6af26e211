/* What is wrong in a configuration, told all at once. */
#include <stdlib.h>
#include <string.h>

#include <wpa/text.h>

#include "rules/config_read.h"

void wpa_config_keep(const wpa_config_reader *r, bool is_read, wpa_error *err)
{
    if (!is_read && r->faults && r->faults->n < WPA_CONFIG_FAULTS_MAX) {
        r->faults->texts[r->faults->n++] = wpa_arena_text(r->arena, err->message);
    }
    if (!is_read) {
        wpa_error_clear(err);
    }
}

static bool check_keys(const wpa_config_reader *r, const wpa_yaml_node *mapping,
                       const char *const known[], size_t n, bool may_be_added, wpa_error *err)
{
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err)) {
        return false;
    }
    mapping = wpa_yaml_resolve(mapping);
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const wpa_yaml_node *key = mapping->pairs[i].key;
        const char *text = wpa_yaml_text(key);
        bool is_added =
            may_be_added && text && *text == '+' && wpa_text_index(text + 1, known, n) >= 0;
        wpa_config_keep(r, is_added || wpa_yaml_check_key(key, known, n, err), err);
    }
    return true;
}

bool wpa_config_check_keys(const wpa_config_reader *r, const wpa_yaml_node *mapping,
                           const char *const known[], size_t n, wpa_error *err)
{
    return check_keys(r, mapping, known, n, false, err);
}

bool wpa_config_check_added_keys(const wpa_config_reader *r, const wpa_yaml_node *mapping,
                                 const char *const known[], size_t n, wpa_error *err)
{
    return check_keys(r, mapping, known, n, true, err);
}

/* A fault, and where it says that it is. */
typedef struct placed {
    unsigned long line, column;
    size_t at; /* the how-manieth it was */
    const char *text;
} placed;

/** Faults are told as "path:line:column: …". */
static placed place_of(const char *text, size_t i, const char *path)
{
    size_t length = strlen(path);
    placed fault = {.at = i, .text = text};
    if (wpa_text_starts(text, path) && text[length] == ':') {
        char *end;
        fault.line = strtoul(text + length + 1, &end, 10);
        fault.column = *end == ':' ? strtoul(end + 1, NULL, 10) : 0;
    }
    return fault;
}

static int by_place(const void *left, const void *right)
{
    const placed *a = left, *b = right;
    return a->line != b->line       ? (a->line > b->line) - (a->line < b->line)
           : a->column != b->column ? (a->column > b->column) - (a->column < b->column)
                                    : (a->at > b->at) - (a->at < b->at);
}

wpa_text_list wpa_config_faults_by_place(const wpa_config_reader *r)
{
    size_t n = r->faults->n;
    placed faults[WPA_CONFIG_FAULTS_MAX];
    const char **texts = wpa_arena_array(r->arena, n + 1, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        faults[i] = place_of(r->faults->texts[i], i, r->path);
    }
    qsort(faults, n, sizeof *faults, by_place);
    for (size_t i = 0; i < n; i++) {
        texts[i] = faults[i].text;
    }
    return (wpa_text_list){texts, n};
}
