/* SEC-029: what the configuration forbids, does not allow, or asks for. */
#include <string.h>

#include "rules/graph.h"
#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"deny", "", "what may not be used: 'evil/* owner/repo@v1', docker images as docker://image",
     WPA_OPTION_TEXT},
    {"allow", "", "nothing but this may be used", WPA_OPTION_TEXT},
    {"required", "", "actions that a workflow of the repository has to use", WPA_OPTION_TEXT},
    {0},
};

/* The next word of a list of words; empty at its end. */
static wpa_slice next_word(const char **list)
{
    *list += strspn(*list, " ,\n");
    wpa_slice word = {*list, strcspn(*list, " ,\n")};
    *list += word.length;
    return word;
}

/* Where "slug@ref" parts in a text; without a ref the whole is the slug. */
static void part(const char *text, wpa_slice *slug, wpa_slice *ref)
{
    const char *at = strrchr(text, '@');
    *slug = (wpa_slice){text, at ? (size_t)(at - text) : strlen(text)};
    *ref = wpa_slice_of(at ? at + 1 : "");
}

/* "<3", ">=2.1": does the version meet it? A word without an operator is no range. */
static bool meets_range(wpa_slice range, const wpa_fact_use *fact)
{
    bool is_below = range.length && range.at[0] == '<',
         is_above = range.length && range.at[0] == '>';
    size_t n = is_below || is_above;
    bool or_equal = range.length > n && range.at[n] == '=';
    n += or_equal;
    wpa_version bound;
    if (!n || !fact || !fact->has_version ||
        !wpa_version_parse((wpa_slice){range.at + n, range.length - n}, &bound)) {
        return false;
    }
    int order = wpa_version_compare(&fact->version, &bound);
    return (or_equal && order == 0) || (is_below && order < 0) || (is_above && order > 0);
}

static bool fits(wpa_slice pattern, wpa_slice slug, wpa_slice ref, const wpa_fact_use *fact)
{
    const char *at = memchr(pattern.at, '@', pattern.length);
    size_t head = at ? (size_t)(at - pattern.at) : pattern.length;
    if (at && head + 1 < pattern.length && strchr("<>=", at[1])) {
        return wpa_rule_pattern_fits((wpa_slice){pattern.at, head}, slug, ref) &&
               meets_range((wpa_slice){at + 1, pattern.length - head - 1}, fact);
    }
    return wpa_rule_pattern_fits(pattern, slug, ref) > 0;
}

/* The first pattern of a list that covers the use; empty if none does. */
static wpa_slice find_pattern(const char *list, wpa_slice slug, wpa_slice ref,
                              const wpa_fact_use *fact)
{
    for (wpa_slice word = next_word(&list); word.length; word = next_word(&list)) {
        if (fits(word, slug, ref, fact)) {
            return word;
        }
    }
    return (wpa_slice){"", 0};
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const char *deny = wpa_rule_option_text(run, "deny");
    const char *allow = wpa_rule_option_text(run, "allow");
    bool is_repository = uses->kind == WPA_OUTLINE_REPOSITORY;
    if (!is_repository && uses->kind != WPA_OUTLINE_DOCKER) {
        return;
    }
    wpa_slice slug = uses->slug, ref = uses->ref;
    if (!is_repository) {
        part(uses->node->text, &slug, &ref);
    }
    wpa_span span = is_repository ? uses->slug_span : uses->node->span;
    wpa_slice denied = find_pattern(deny, slug, ref, uses->fact);
    if (denied.length) {
        (void)wpa_rule_report(run, span, NULL, NULL, "%s is forbidden here by %s",
                              wpa_rule_quote_uses(run, uses),
                              wpa_rule_quote(run, denied.at, denied.length));
    } else if (*allow && !find_pattern(allow, slug, ref, uses->fact).length) {
        (void)wpa_rule_report(run, span, NULL, NULL, "%s is not among what may be used here",
                              wpa_rule_quote_uses(run, uses));
    }
}

/* ---- what has to be used ---- */

static bool is_used_in(const wpa_graph_file *file, wpa_slice required)
{
    for (size_t i = 0; i < file->n_uses; i++) {
        wpa_slice slug, ref;
        part(file->uses[i].text, &slug, &ref);
        if (wpa_rule_pattern_fits(required, slug, ref)) {
            return true;
        }
    }
    return false;
}

/* Said once, in the first file of the repository. */
static void check_required(wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const char *list = wpa_rule_option_text(run, "required");
    const wpa_yaml_node *root = run->source->outline->root;
    if (!around || !around->graph || !root || !root->n_pairs ||
        !wpa_graph_is_first(around->graph, run->source)) {
        return;
    }
    for (wpa_slice word = next_word(&list); word.length; word = next_word(&list)) {
        bool is_used = false;
        for (size_t i = 0; !is_used && i < wpa_graph_count(around->graph); i++) {
            is_used = is_used_in(wpa_graph_at(around->graph, i), word);
        }
        if (!is_used) {
            (void)wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                                  "no workflow of the repository uses %s, which each has to",
                                  wpa_rule_quote(run, word.at, word.length));
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    if (*wpa_rule_option_text(run, "deny") || *wpa_rule_option_text(run, "allow")) {
        wpa_rule_each_uses(run, check_uses);
    }
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        check_required(run);
    }
    return true;
}

const wpa_rule wpa_rule_forbidden_uses = {
    .code = "SEC-029",
    .id = "forbidden-uses",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action is used that the configuration forbids, or one is missing that it asks "
               "for",
    .why = "Whoever wrote the configuration had reasons to keep it out, or to have it everywhere.",
    .fix = "Use another action, or change the configuration. There is no fix by machine.",
    .elsewhere =
        (const char *const[]){"zizmor/forbidden-uses", "actionlint-fork/required-actions", NULL},
    .options = options,
    .check = check,
};
