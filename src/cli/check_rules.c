/* Rules in words: wpa explain, wpa check --list-rules. */
#include <stdio.h>
#include <string.h>

#include <wpa/text.h>

#include "cli/check_options.h"
#include "cli/commands.h"
#include "facts/facts.h"
#include "rules/example.h"

#define EXAMPLE_MAX_LINES 40

static void list_rules_as_text(wpa_buf *out)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "%s  %-30s %-13s %-12s %-8s %-8s %s%s\n", rules[i]->code, rules[i]->id,
                       wpa_dimension_name(rules[i]->dimension), wpa_kind_name(rules[i]->kind),
                       wpa_severity_name(rules[i]->severity), wpa_persona_name(rules[i]->persona),
                       rules[i]->summary, rules[i]->repair ? " [fix]" : "");
    }
}

static wpa_json *describe_rule(const wpa_rule *rule, wpa_arena *arena)
{
    wpa_json *item = wpa_json_new_object(arena);
    wpa_json_set_text(item, "id", rule->id);
    wpa_json_set_text(item, "code", rule->code);
    wpa_json_set_text(item, "dimension", wpa_dimension_name(rule->dimension));
    wpa_json_set_text(item, "kind", wpa_kind_name(rule->kind));
    wpa_json_set_text(item, "severity", wpa_severity_name(rule->severity));
    wpa_json_set_text(item, "confidence", wpa_confidence_name(rule->confidence));
    wpa_json_set_text(item, "persona", wpa_persona_name(rule->persona));
    wpa_json_set_text(item, "summary", rule->summary);
    wpa_json_set_text(item, "why", rule->why);
    wpa_json_set_text(item, "fix", rule->fix);
    wpa_json_set_bool(item, "has_fix", rule->repair != NULL);
    wpa_json *aliases = wpa_json_set_array(item, "aliases");
    for (const char *const *at = rule->elsewhere; at && *at; at++) {
        wpa_json_push_text(aliases, *at);
    }
    wpa_json *options = wpa_json_set_object(item, "options");
    for (const wpa_rule_option *at = rule->options; at && at->name; at++) {
        wpa_json_set_text(options, at->name, at->value);
    }
    return item;
}

static void list_rules_as_json(wpa_buf *out, wpa_arena *arena)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_json_push(list, describe_rule(rules[i], arena));
    }
    wpa_buf_text(out, wpa_json_dump_pretty(list, arena));
    wpa_buf_char(out, '\n');
}

static void put_names(wpa_buf *out, const char *head, const char *const *names)
{
    for (const char *const *at = names; at && *at; at++) {
        wpa_buf_printf(out, "%s%s", at == names ? head : ", ", *at);
    }
    wpa_buf_text(out, names && *names ? "\n" : "");
}

static void put_tables(wpa_buf *out, const wpa_rule *rule)
{
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        if (rule->tables & (1U << i)) {
            wpa_buf_printf(out, "facts %s of %s\n", wpa_facts_table_name((wpa_fact_table)i),
                           wpa_facts_date((wpa_fact_table)i));
        }
    }
}

static void put_inputs(wpa_buf *out, const wpa_rule *rule)
{
    const char *separator = "reads ";
    for (unsigned bit = 1; bit <= WPA_INPUT_PRE_COMMIT; bit <<= 1) {
        if (rule->inputs & bit) {
            wpa_buf_printf(out, "%s%s files", separator, wpa_input_kind_name((wpa_input_kind)bit));
            separator = ", ";
        }
    }
    wpa_buf_char(out, '\n');
}

static void put_declares(wpa_buf *out, const wpa_rule *rule)
{
    const char *separator = "a fix changes ";
    for (unsigned bit = 0; rule->repair && bit < WPA_DECLARES_COUNT; bit++) {
        if (rule->declares & (1U << bit)) {
            wpa_buf_printf(out, "%s%s", separator, wpa_declares_name(bit));
            separator = ", ";
        }
    }
    wpa_buf_text(out, rule->repair && rule->declares ? "\n" : "");
}

/** Indented, with a heading; a long file to its first lines, which is where its case stands. */
static void put_example(wpa_buf *out, const char *heading, const char *text)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n_lines = 0;
    wpa_buf_printf(out, "\n%s\n", heading);
    while (*text && n_lines++ < EXAMPLE_MAX_LINES) {
        size_t length = strcspn(text, "\n");
        wpa_buf_text(out, length ? "    " : "");
        wpa_buf_text(out, wpa_text_visible(arena, text, length, false));
        wpa_buf_char(out, '\n');
        text += length + (text[length] == '\n');
    }
    if (*text) {
        wpa_buf_text(out, "    ...\n");
    }
}

static void put_examples(wpa_buf *out, const wpa_rule *rule)
{
    for (const wpa_rule_example *at = wpa_rule_examples; at->id; at++) {
        if (wpa_text_is(at->id, rule->id)) {
            put_example(out, "fires on", at->fires);
            put_example(out, "is silent about", at->does_not);
        }
    }
}

/** A fix is named with its rule: most are unsafe, which --fix alone leaves out. */
static void put_words(wpa_buf *out, const wpa_rule *rule)
{
    wpa_buf_printf(out, "what  %s\nwhy   %s\nfix   %s", rule->summary, rule->why, rule->fix);
    if (rule->repair) {
        wpa_buf_printf(out, " wpa check --fix=%s can do it.", rule->id);
    }
    wpa_buf_text(out, "\n\n");
}

static void explain_rule(const wpa_rule *rule, wpa_buf *out)
{
    wpa_buf_printf(out, "%s %s\n%s, %s, severity %s, confidence %s, shown to persona %s\n\n",
                   rule->code, rule->id, wpa_dimension_name(rule->dimension),
                   wpa_kind_name(rule->kind), wpa_severity_name(rule->severity),
                   wpa_confidence_name(rule->confidence), wpa_persona_name(rule->persona));
    put_words(out, rule);
    put_inputs(out, rule);
    put_names(out, "checks ", rule->checks);
    for (const wpa_rule_option *at = rule->options; at && at->name; at++) {
        wpa_buf_printf(out, "option %s (default %s): %s\n", at->name,
                       *at->value ? at->value : "none", at->words);
    }
    put_tables(out, rule);
    put_declares(out, rule);
    put_names(out, "wins over ", rule->supersedes);
    put_names(out, "also known as ", rule->elsewhere);
    wpa_buf_printf(out, "silence it with  # wpa: ignore[%s] reason\n", rule->id);
    put_examples(out, rule);
}

int wpa_check_explain(wpa_cli *cli, const char *name, wpa_error *err)
{
    const char *check;
    bool is_shellcheck = wpa_text_starts(name, "SC") && name[2] >= '1' && name[2] <= '9';
    const wpa_rule *rule = wpa_rules_find(is_shellcheck ? "shellcheck" : name, &check, err);
    if (!rule) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    explain_rule(rule, out);
    return wpa_check_print(cli, wpa_buf_data(out), wpa_buf_size(out), err) ? 0 : WPA_CLI_FAILED;
}

int wpa_check_list_rules(wpa_cli *cli, bool as_json, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    if (as_json) {
        list_rules_as_json(out, cli->arena);
    } else {
        list_rules_as_text(out);
    }
    return wpa_check_print(cli, wpa_buf_data(out), wpa_buf_size(out), err) ? 0 : WPA_CLI_FAILED;
}
