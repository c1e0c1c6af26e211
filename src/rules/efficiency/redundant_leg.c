/* EFF-023: versions in a matrix that tell nothing the others do not. */
#include <stdlib.h>
#include <string.h>

#include "rules/jobs.h"
#include "rules/work.h"

#define VALUES_MAX 64

/* "3.12", "20.x", "v22": numbers, whatever stands behind them. */
static bool read_version(const char *text, wpa_version *version, wpa_slice *trimmed)
{
    size_t length = strlen(text);
    while (length > 2 && (text[length - 1] == 'x' || text[length - 1] == '*') &&
           text[length - 2] == '.') {
        length -= 2;
    }
    *trimmed = (wpa_slice){text, length};
    return length && wpa_version_parse(*trimmed, version);
}

/* Neighbours of one line: 20 and 22 or 21, 3.11 and 3.12. */
static bool is_next(const wpa_version *a, const wpa_version *b)
{
    bool is_major = a->n_parts == 1 && b->n_parts == 1;
    if (is_major) {
        return b->parts[0] > a->parts[0] && b->parts[0] - a->parts[0] <= 2;
    }
    return a->n_parts == 2 && b->n_parts == 2 && a->parts[0] == b->parts[0] &&
           b->parts[1] == a->parts[1] + 1;
}

static void check_row(wpa_rule_run *run, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *row = wpa_yaml_resolve(pair->value);
    wpa_version versions[VALUES_MAX];
    size_t n = 0;
    bool is_range = true;
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items && n < VALUES_MAX;
         i++) {
        const char *text = wpa_yaml_text(row->items[i]);
        wpa_slice trimmed;
        if (!text || !read_version(text, &versions[n], &trimmed)) {
            is_range = false;
            continue;
        }
        for (size_t k = 0; k < i; k++) {
            const char *other = wpa_yaml_text(row->items[k]);
            wpa_version ignored;
            wpa_slice own;
            if (other && read_version(other, &ignored, &own) && own.length == trimmed.length &&
                memcmp(own.at, trimmed.at, own.length) == 0 && !wpa_text_is(text, other)) {
                (void)wpa_rule_report(run, row->items[i]->span, NULL, row->items[i],
                                      "%s is the same version as %s",
                                      wpa_rule_quote(run, text, strlen(text)),
                                      wpa_rule_quote(run, other, strlen(other)));
            }
        }
        is_range = is_range && (n == 0 || is_next(&versions[n - 1], &versions[n]));
        n++;
    }
    if (is_range && n >= 4 && wpa_work_pr_trigger(run->source->outline)) {
        (void)wpa_rule_report(run, pair->key->span, NULL, row,
                              "each pull request runs every version from %s to %s: the ends find "
                              "nearly all that the ones between do",
                              wpa_yaml_text(row->items[0]),
                              wpa_yaml_text(row->items[row->n_items - 1]));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *matrix =
            wpa_yaml_get(wpa_yaml_get(o->jobs[i].node, "strategy"), "matrix");
        for (size_t k = 0; wpa_yaml_is(matrix, WPA_YAML_MAPPING) && k < matrix->n_pairs; k++) {
            const char *key = wpa_yaml_text(matrix->pairs[k].key);
            static const char *const words[] = {"version", "python", "node", "ruby", "php",
                                                "go",      "java",   "jdk",  NULL};
            if (wpa_work_has_word(key, words)) {
                check_row(run, &matrix->pairs[k]);
            }
        }
    }
    return true;
}

/* As JSON in an expression: "a" or 1, so that legs get the same values as from the list. */
static const char *json_of(wpa_rule_run *run, const wpa_yaml_node *item)
{
    wpa_yaml_type type = wpa_yaml_scalar_type(item);
    bool is_number = type == WPA_YAML_INT || type == WPA_YAML_FLOAT;
    return wpa_arena_printf(run->arena, is_number ? "%s" : "\"%s\"", wpa_yaml_text(item));
}

/* All on every other event; a text in quotes, since it holds commas and braces. */
static void keep_ends(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *row)
{
    const char *all = "";
    for (size_t i = 0; i < row->n_items; i++) {
        const char *text = wpa_yaml_text(row->items[i]);
        if (!text || strspn(text, "0123456789.xX*v-") != strlen(text)) {
            return;
        }
        all =
            wpa_arena_printf(run->arena, "%s%s%s", all, i ? ", " : "", json_of(run, row->items[i]));
    }
    wpa_rule_edit(run, fix, row->span,
                  "${{ fromJSON(github.event_name == 'pull_request' && '[%s, %s]' || '[%s]') }}",
                  json_of(run, row->items[0]), json_of(run, row->items[row->n_items - 1]), all);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    if (node->kind != WPA_YAML_SEQUENCE) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
        (void)wpa_rule_remove_entry(run, fix, node);
    } else if (node->style == WPA_YAML_FLOW) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "keep the ends on pull requests");
        keep_ends(run, fix, node);
    }
}

const wpa_rule wpa_rule_redundant_leg = {
    .code = "EFF-023",
    .id = "redundant-leg",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Versions in a matrix that tell nothing the others do not",
    .why = "Each leg is paid for on every commit of every pull request.",
    .fix = "Keep the oldest and the newest on pull requests, and all on a schedule. Which matter a "
           "person must say.",
    .declares = WPA_DECLARES_MATRIX,
    .check = check,
    .repair = repair,
};
