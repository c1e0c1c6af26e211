#include "rules/pin.h"

#include <string.h>

void wpa_rule_each_uses(wpa_rule_run *run, wpa_uses_visitor visit)
{
    const wpa_outline *outline = run->source->outline;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        if (job->uses.kind != WPA_OUTLINE_NONE) {
            visit(run, &job->uses, NULL, job);
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            if (job->steps[k].uses.kind != WPA_OUTLINE_NONE) {
                visit(run, &job->steps[k].uses, &job->steps[k], job);
            }
        }
    }
}

/* Is there nothing but blanks or a comment behind the value on its line, and no flow around it? */
static bool takes_comment(const wpa_outline_uses *uses)
{
    const wpa_yaml_doc *doc = uses->node->doc;
    for (const wpa_yaml_node *n = uses->node->parent; n; n = n->parent) {
        if (n->style == WPA_YAML_FLOW) {
            return false;
        }
    }
    size_t at = uses->node->span.end;
    at += strspn(doc->source + at, " \t");
    bool is_scalar_line = uses->node->style == WPA_YAML_PLAIN ||
                          uses->node->style == WPA_YAML_SINGLE_QUOTED ||
                          uses->node->style == WPA_YAML_DOUBLE_QUOTED;
    return is_scalar_line && (at >= doc->size_bytes || strchr("#\r\n", doc->source[at]));
}

bool wpa_rule_pin(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_uses *uses, const char *slug,
                  const uint8_t *commit, const char *tag)
{
    if (!takes_comment(uses)) {
        return false;
    }
    char hex[2 * WPA_COMMIT_BYTES + 1];
    wpa_hex_encode(commit, WPA_COMMIT_BYTES, hex);
    if (slug) {
        wpa_rule_edit(run, fix, uses->slug_span, "%s", slug);
    }
    wpa_rule_edit(run, fix, uses->ref_span, "%s", hex);
    size_t end = uses->node->span.end;
    if (uses->hint.length) {
        size_t start = (size_t)(uses->hint.at - uses->node->doc->source);
        wpa_rule_edit(run, fix, (wpa_span){start, start + uses->hint.length}, "%s", tag);
    } else if (uses->comment.end > uses->comment.start) {
        size_t behind = uses->comment.start + 1;
        wpa_rule_edit(run, fix, (wpa_span){behind, behind}, " %s", tag);
    } else {
        wpa_rule_edit(run, fix, (wpa_span){end, end}, " # %s", tag);
    }
    fix->needs = wpa_rule_needs(run, WPA_FACTS_TAGS);
    return true;
}

const char *wpa_rule_quote_uses(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    return wpa_rule_quote(run, uses->node->text, uses->node->length);
}

const char *wpa_rule_needs(wpa_rule_run *run, wpa_fact_table table)
{
    return wpa_arena_printf(run->arena, "%s of %s", wpa_facts_table_name(table),
                            wpa_facts_date(table));
}

bool wpa_rule_is_trusted_owner(const wpa_rule_run *run, wpa_slice owner)
{
    const wpa_surroundings *around = run->source->around;
    return wpa_slice_is_ci(owner, "actions") || wpa_slice_is_ci(owner, "github") ||
           (around && around->owner && wpa_slice_is_ci(owner, around->owner));
}
