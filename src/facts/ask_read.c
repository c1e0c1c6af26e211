/* What a forge answers, read and checked. */
#include <string.h>

#include <wpa/yaml.h>

#include "facts/ask.h"
#include "facts/tables.h"
#include "json/json.h"

#define PAGE_MAX_BYTES ((size_t)8 << 20)
#define REPO_MAX_BYTES ((size_t)1 << 20)
#define DAY_LENGTH 10

void wpa_ask_add_fault(wpa_ask_outcome *outcome, wpa_arena *arena, const char *fault)
{
    outcome->faults = wpa_arena_grow(arena, outcome->faults, outcome->n_faults,
                                     &outcome->faults_capacity, sizeof *outcome->faults);
    outcome->faults[outcome->n_faults++] = fault;
}

/* ---- advisories ---- */

/** ">= 1.0" of ">= 1.0, < 2.0", without blanks around it. */
static wpa_slice take_condition(wpa_slice *text)
{
    const char *comma = text->length ? memchr(text->at, ',', text->length) : NULL;
    wpa_slice condition = {text->at, comma ? (size_t)(comma - text->at) : text->length};
    size_t behind = condition.length + (comma != NULL);
    *text = (wpa_slice){text->at + behind, text->length - behind};
    while (condition.length && *condition.at == ' ') {
        condition.at++;
        condition.length--;
    }
    while (condition.length && condition.at[condition.length - 1] == ' ') {
        condition.length--;
    }
    return condition;
}

static const char *take_relation(wpa_slice *condition)
{
    static const char *const relations[] = {"<=", ">=", "<", "="};
    for (size_t i = 0; i < WPA_COUNT(relations); i++) {
        size_t length = strlen(relations[i]);
        if (condition->length > length && memcmp(condition->at, relations[i], length) == 0) {
            condition->at += length;
            condition->length -= length;
            while (condition->length && *condition->at == ' ') {
                condition->at++;
                condition->length--;
            }
            return relations[i];
        }
    }
    return NULL;
}

/** "> 1.0" has no place in a range: what is behind it cannot be told from the version itself. */
static bool read_range(const char *text, wpa_arena *arena, wpa_fact_range *range)
{
    wpa_slice rest = wpa_slice_of(text);
    *range = (wpa_fact_range){.introduced = "0"};
    do {
        wpa_version version;
        wpa_slice condition = take_condition(&rest);
        const char *relation = take_relation(&condition);
        if (!relation || !wpa_refreshed_name_is_valid(condition) ||
            !wpa_version_parse(condition, &version)) {
            return false;
        }
        const char *bound = wpa_arena_slice(arena, condition.at, condition.length);
        if (relation[0] == '>' || relation[0] == '=') {
            range->introduced = bound;
        }
        if (relation[0] == '=' || strcmp(relation, "<=") == 0) {
            range->last_affected = bound;
        } else if (relation[0] == '<') {
            range->fixed = bound;
        }
    } while (rest.length);
    return !(range->fixed && range->last_affected);
}

/** The row of this advisory and action among those of told, made if there is none. */
static wpa_fact_advisory *row_of(wpa_told *told, const wpa_fact_advisory *as, size_t first)
{
    for (size_t i = first; i < told->n_advisories; i++) {
        if (wpa_text_is_ci(told->advisories[i].action, as->action)) {
            return &told->advisories[i];
        }
    }
    told->advisories[told->n_advisories] = *as;
    return &told->advisories[told->n_advisories++];
}

/** Once more than a row can take, a range is one too many. */
static bool add_range(wpa_fact_advisory *row, const wpa_fact_range *range, wpa_arena *arena,
                      wpa_error *err)
{
    if (row->n_ranges == WPA_TOLD_MAX_RANGES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "%s has more than %d ranges of versions", row->id,
                        WPA_TOLD_MAX_RANGES);
    }
    wpa_fact_range *ranges = wpa_arena_array(arena, row->n_ranges + 1, sizeof *ranges);
    if (row->n_ranges) {
        memcpy(ranges, row->ranges, row->n_ranges * sizeof *ranges);
    }
    ranges[row->n_ranges++] = *range;
    row->ranges = ranges;
    return true;
}

static bool read_package(const wpa_json *vulnerability, const char **name, const char **range,
                         wpa_error *err)
{
    const wpa_json *package = wpa_json_get_object(vulnerability, "package", err);
    const char *ecosystem = package ? wpa_json_get_text(package, "ecosystem", err) : NULL;
    *name = *range = NULL;
    return ecosystem &&
           (!wpa_text_is_ci(ecosystem, "actions") ||
            (wpa_json_opt_text(package, "name", name, err) &&
             wpa_json_opt_text(vulnerability, "vulnerable_version_range", range, err)));
}

/** Rows of one advisory: of each action that it is about, all of its ranges or none. */
static bool add_vulnerability(const wpa_json *vulnerability, const wpa_fact_advisory *as,
                              size_t first, wpa_arena *arena, wpa_told *told,
                              wpa_ask_outcome *outcome, wpa_error *err)
{
    wpa_fact_range range;
    const char *name, *versions;
    if (!read_package(vulnerability, &name, &versions, err)) {
        return false;
    }
    if (!name || !versions) { /* of another ecosystem, or of no versions at all */
        return true;
    }
    if (!wpa_told_action_is_valid(wpa_slice_of(name)) || !read_range(versions, arena, &range)) {
        wpa_ask_add_fault(outcome, arena,
                          wpa_arena_printf(arena, "%s: '%s' of '%s' is not understood", as->id,
                                           wpa_told_text(versions, arena),
                                           wpa_told_text(name, arena)));
        return true;
    }
    wpa_fact_advisory row = *as;
    row.action = wpa_arena_text(arena, name);
    return add_range(row_of(told, &row, first), &range, arena, err);
}

static const char *read_day(const char *time, const char *today, wpa_arena *arena)
{
    const char *day =
        time && strlen(time) > DAY_LENGTH ? wpa_arena_slice(arena, time, DAY_LENGTH) : NULL;
    bool is_day = wpa_facts_days(day) >= 0 && wpa_facts_days(day) <= wpa_facts_days(today) + 1;
    return !is_day ? NULL : strcmp(day, today) > 0 ? today : day;
}

static const char *severity_of(const char *word, wpa_arena *arena)
{
    bool is_known = word && wpa_told_severity_is_valid(wpa_slice_of(word));
    return wpa_arena_text(arena, is_known ? word : "moderate"); /* "medium" is; "unknown" may be */
}

static bool add_advisory(const wpa_json *json, const char *today, wpa_arena *arena, wpa_told *told,
                         wpa_ask_outcome *outcome, wpa_error *err)
{
    static const char *const none[] = {NULL};
    const char *withdrawn = NULL, *severity = NULL;
    wpa_fact_advisory as = {.kind = "", .versions = none, .bad_commits = none};
    const char *summary = wpa_json_get_text(json, "summary", err);
    const char *time = summary ? wpa_json_get_text(json, "published_at", err) : NULL;
    const wpa_json *list = time ? wpa_json_get_array(json, "vulnerabilities", err) : NULL;
    as.id = list ? wpa_arena_text(arena, wpa_json_get_text(json, "ghsa_id", err)) : NULL;
    if (!as.id || !wpa_json_opt_text(json, "withdrawn_at", &withdrawn, err) ||
        !wpa_json_opt_text(json, "severity", &severity, err)) {
        return false;
    }
    as.published = read_day(time, today, arena);
    if (!wpa_told_id_is_valid(wpa_slice_of(as.id)) || !as.published) {
        return wpa_json_fail(json, err, "is no advisory of a day that was");
    }
    if (withdrawn) {
        told->withdrawn[told->n_withdrawn++] = as.id;
        return true;
    }
    as.severity = severity_of(severity, arena);
    as.summary = wpa_told_text(summary, arena);
    size_t first = told->n_advisories;
    size_t room = told->n_advisories + wpa_json_count(list);
    if (room > WPA_TOLD_MAX_ADVISORIES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "there are more than %d advisories",
                        WPA_TOLD_MAX_ADVISORIES);
    }
    size_t n_faults = outcome->n_faults;
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        if (!add_vulnerability(wpa_json_at(list, i), &as, first, arena, told, outcome, err)) {
            return false;
        }
    }
    if (outcome->n_faults > n_faults) { /* half of an advisory would call the rest sound */
        told->n_advisories = first;
    }
    return true;
}

/** An advisory that is on two pages, since one was published in between, counts once. */
static bool is_there(const wpa_told *told, const wpa_json *advisory)
{
    const char *id = wpa_json_text_of(wpa_json_find(advisory, "ghsa_id"));
    for (size_t i = 0; i < told->n_advisories; i++) {
        if (wpa_text_is(told->advisories[i].id, id)) {
            return true;
        }
    }
    for (size_t i = 0; i < told->n_withdrawn; i++) {
        if (wpa_text_is(told->withdrawn[i], id)) {
            return true;
        }
    }
    return false;
}

bool wpa_ask_read_advisories(const char *json, size_t size_bytes, const char *today,
                             wpa_arena *arena, wpa_told *told, wpa_ask_outcome *outcome,
                             wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_json *list = wpa_json_parse(json, size_bytes, PAGE_MAX_BYTES, scratch, err);
    if (!list) {
        return false;
    }
    if (wpa_json_kind_of(list) != WPA_JSON_ARRAY) {
        return wpa_json_fail(list, err, "must be a list of advisories");
    }
    if (!told->advisories) {
        told->advisories =
            wpa_arena_array(arena, WPA_TOLD_MAX_ADVISORIES, sizeof *told->advisories);
        told->withdrawn = wpa_arena_array(arena, WPA_TOLD_MAX_ADVISORIES, sizeof *told->withdrawn);
    }
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        const wpa_json *advisory = wpa_json_at(list, i);
        if (told->n_withdrawn == WPA_TOLD_MAX_ADVISORIES) {
            return WPA_FAIL(err, WPA_E_LIMIT, "there are more than %d advisories",
                            WPA_TOLD_MAX_ADVISORIES);
        }
        if (!is_there(told, advisory) &&
            !add_advisory(advisory, today, arena, told, outcome, err)) {
            return false;
        }
    }
    return true;
}

const char *wpa_ask_next_page(const char *link, const char *base, wpa_arena *arena)
{
    size_t length = strlen(base);
    for (const char *at = strchr(link, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        const char *part_end = end ? strchr(end, ',') : NULL;
        const char *mark = end ? strstr(end, "rel=\"next\"") : NULL;
        if (mark && (!part_end || mark < part_end)) {
            bool is_below = (size_t)(end - at - 1) > length && memcmp(at + 1, base, length) == 0 &&
                            (at[1 + length] == '/' || at[1 + length] == '?');
            return is_below ? wpa_arena_slice(arena, at + 1, (size_t)(end - at - 1)) : NULL;
        }
    }
    return NULL;
}

/* ---- repositories ---- */

bool wpa_ask_read_repo(const char *json, size_t size_bytes, wpa_arena *arena, wpa_told_repo *repo,
                       wpa_error *err)
{
    bool is_archived = false;
    const wpa_json *object = wpa_json_parse(json, size_bytes, REPO_MAX_BYTES, arena, err);
    const char *name = object ? wpa_json_get_text(object, "full_name", err) : NULL;
    if (!name || !wpa_json_get_bool(object, "archived", &is_archived, err)) {
        return false;
    }
    if (!wpa_refreshed_slug_is_valid(wpa_slice_of(name))) {
        return WPA_FAIL(err, WPA_E_INVALID, "it says that it is called '%s'",
                        wpa_told_text(name, arena));
    }
    bool is_moved = !wpa_text_is_ci(name, repo->name);
    repo->state = is_moved ? WPA_TOLD_MOVED : is_archived ? WPA_TOLD_ARCHIVED : WPA_TOLD_ACTIVE;
    repo->target = is_moved ? name : NULL;
    return true;
}

/* ---- action.yml ---- */

/** Is a value true, as YAML or as text, as action files have it? */
static bool is_true(const wpa_yaml_node *mapping, const char *key)
{
    return wpa_text_is_ci(wpa_yaml_text(wpa_yaml_get(mapping, key)), "true");
}

/**
 * Keys of a mapping. Whatever it has that a table cannot hold spoils the whole: one input that is
 * not there would be told to everybody who gives it.
 */
static bool count_keys(const wpa_yaml_node *mapping, const char *what, size_t *n, wpa_error *err)
{
    *n = mapping && mapping->kind == WPA_YAML_MAPPING ? mapping->n_pairs : 0;
    if (mapping && mapping->kind != WPA_YAML_MAPPING && !wpa_yaml_is_null(mapping)) {
        return WPA_FAIL(err, WPA_E_INVALID, "its %s are no mapping", what);
    }
    if (*n > WPA_TOLD_MAX_ENTRIES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "it has more than %d %s", WPA_TOLD_MAX_ENTRIES, what);
    }
    for (size_t i = 0; i < *n; i++) {
        const char *key = wpa_yaml_text(mapping->pairs[i].key);
        if (!key || !wpa_refreshed_name_is_valid(wpa_slice_of(key)) || wpa_text_is(key, "<<")) {
            return WPA_FAIL(err, WPA_E_INVALID, "a name among its %s is none", what);
        }
    }
    return true;
}

static bool read_inputs(const wpa_yaml_node *inputs, wpa_arena *arena, wpa_told_action *action,
                        wpa_error *err)
{
    size_t n;
    if (!count_keys(inputs, "inputs", &n, err)) {
        return false;
    }
    action->inputs = wpa_arena_array(arena, n + 1, sizeof *action->inputs);
    for (size_t i = 0; i < n; i++) {
        const wpa_yaml_node *input = wpa_yaml_resolve(inputs->pairs[i].value);
        const char *message = wpa_yaml_text(wpa_yaml_get(input, "deprecationMessage"));
        action->inputs[action->n_inputs++] = (wpa_fact_input){
            .name = wpa_yaml_text(inputs->pairs[i].key),
            .deprecated = message && *message ? wpa_told_text(message, arena) : NULL,
            .is_required = is_true(input, "required"),
            .has_default = wpa_yaml_get(input, "default") != NULL,
        };
    }
    return true;
}

static bool read_outputs(const wpa_yaml_node *outputs, wpa_arena *arena, wpa_told_action *action,
                         wpa_error *err)
{
    size_t n;
    if (!count_keys(outputs, "outputs", &n, err)) {
        return false;
    }
    action->outputs = wpa_arena_array(arena, n + 1, sizeof *action->outputs);
    for (size_t i = 0; i < n; i++) {
        action->outputs[action->n_outputs++] = wpa_yaml_text(outputs->pairs[i].key);
    }
    return true;
}

static void read_used(const wpa_yaml_node *steps, wpa_arena *arena, wpa_told_action *action)
{
    size_t n = wpa_yaml_is(steps, WPA_YAML_SEQUENCE) ? steps->n_items : 0;
    action->uses = wpa_arena_array(arena, n + 1, sizeof *action->uses);
    for (size_t i = 0; i < n && action->n_uses < WPA_TOLD_MAX_ENTRIES; i++) {
        const char *uses = wpa_yaml_text(wpa_yaml_get(wpa_yaml_resolve(steps->items[i]), "uses"));
        bool is_remote =
            uses && strchr(uses, '@') && uses[0] != '.' && !wpa_text_starts(uses, "docker://");
        if (is_remote && wpa_refreshed_name_is_valid(wpa_slice_of(uses))) {
            action->uses[action->n_uses++] = uses;
        }
    }
}

bool wpa_ask_read_action(const char *yaml, size_t size_bytes, wpa_arena *arena,
                         wpa_told_action *action, wpa_error *err)
{
    const wpa_yaml_doc *doc = wpa_yaml_parse_strict("action.yml", yaml, size_bytes, arena, err);
    const wpa_yaml_node *runs = doc && doc->root ? wpa_yaml_get(doc->root, "runs") : NULL;
    const char *using = runs ? wpa_yaml_text(wpa_yaml_get(runs, "using")) : NULL;
    const char *image = runs ? wpa_yaml_text(wpa_yaml_get(runs, "image")) : NULL;
    if (!doc) {
        return false;
    }
    if (!using || !wpa_refreshed_name_is_valid(wpa_slice_of(using))) {
        return WPA_FAIL(err, WPA_E_INVALID, "it does not say what it runs on");
    }
    action->using = using;
    action->image = image && wpa_refreshed_name_is_valid(wpa_slice_of(image)) ? image : NULL;
    read_used(wpa_yaml_get(runs, "steps"), arena, action);
    return read_inputs(wpa_yaml_get(doc->root, "inputs"), arena, action, err) &&
           read_outputs(wpa_yaml_get(doc->root, "outputs"), arena, action, err);
}
