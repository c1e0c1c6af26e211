/* QUA-021: permissions that nobody can say the reason of. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* A bare # gives no reason. */
static bool says_anything(const wpa_yaml_doc *doc, const wpa_yaml_comment *comment)
{
    for (size_t i = comment->span.start; i < comment->span.end; i++) {
        if (!strchr("# \t\r", doc->source[i])) {
            return true;
        }
    }
    return false;
}

/* Is there a comment on the entry's line or its value's, or alone on the line above? */
static bool has_comment(const wpa_yaml_pair *pair)
{
    const wpa_yaml_doc *doc = pair->key->doc;
    size_t line = wpa_yaml_line_of(doc, pair->key->span.start);
    size_t last = wpa_yaml_line_of(doc, pair->value->span.start);
    size_t i = wpa_yaml_comment_from(doc, line > 1 ? line - 1 : 1);
    for (; i < doc->n_comments && doc->comments[i].line <= (last > line ? last : line); i++) {
        const wpa_yaml_comment *comment = &doc->comments[i];
        bool is_there = comment->line >= line || comment->is_own_line;
        if (is_there && says_anything(doc, comment)) {
            return true;
        }
    }
    return false;
}

static bool needs_reason(const wpa_yaml_pair *pair)
{
    bool is_usual = wpa_text_is(wpa_yaml_text(pair->key), "contents") &&
                    wpa_text_is(wpa_yaml_text(pair->value), "read");
    return !is_usual && !has_comment(pair);
}

static void check_map(wpa_rule_run *run, const wpa_yaml_pair *permissions)
{
    const wpa_yaml_node *map = permissions ? wpa_yaml_resolve(permissions->value) : NULL;
    wpa_finding *finding = NULL;
    for (size_t i = 0; wpa_yaml_is(map, WPA_YAML_MAPPING) && i < map->n_pairs; i++) {
        const wpa_yaml_pair *pair = &map->pairs[i];
        if (!needs_reason(pair)) {
            continue;
        }
        if (!finding) {
            finding = wpa_rule_report(run, permissions->key->span, NULL, NULL,
                                      "no comment says what these permissions are for, so nobody "
                                      "dares to take them away again");
        }
        wpa_rule_relate(run, finding, (wpa_span){pair->key->span.start, pair->value->span.end},
                        "needed for what");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_map(run, wpa_yaml_find(o->root, "permissions"));
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_map(run, wpa_yaml_find(o->jobs[i].node, "permissions"));
    }
    return true;
}

const wpa_rule wpa_rule_undocumented_permissions = {
    .code = "QUA-021",
    .id = "undocumented-permissions",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Permissions are given without a word why",
    .why = "A permission whose reason nobody knows is kept for ever.",
    .fix = "Say in a comment on the line, or above it, what needs the permission. There is no fix "
           "by machine, since only a person knows.",
    .elsewhere = (const char *const[]){"zizmor/undocumented-permissions", NULL},
    .words = (const char *const[]){"permissions", NULL},
    .check = check,
};
