/* Look-ups in the smaller tables; they are short, so a walk is as good as a search. */
#include <string.h>

#include "facts/index.h"
#include "facts/refreshed.h"
#include "facts/tables.h"

#define OLD_DAYS 90

const char *wpa_facts_table_name(wpa_fact_table table)
{
    return wpa_fact_origins[table].name;
}

const char *wpa_facts_compiled_date(wpa_fact_table table)
{
    return wpa_fact_origins[table].date;
}

const char *wpa_facts_date(wpa_fact_table table)
{
    const wpa_refreshed *fresh = table == WPA_FACTS_TAGS ? wpa_refreshed_in_use() : NULL;
    const char *told = wpa_fresh_date(table);
    return fresh ? wpa_refreshed_date(fresh) : told ? told : wpa_fact_origins[table].date;
}

const char *wpa_facts_source(wpa_fact_table table)
{
    return wpa_fact_origins[table].source;
}

const char *wpa_facts_licence(wpa_fact_table table)
{
    return wpa_fact_origins[table].licence;
}

size_t wpa_facts_row_count(wpa_fact_table table)
{
    return wpa_fact_origins[table].n_rows;
}

const char *wpa_facts_age_note(const char *today, wpa_arena *arena)
{
    const char *old = NULL;
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        const char *date = wpa_facts_date((wpa_fact_table)i);
        if (wpa_facts_days(today) - wpa_facts_days(date) > OLD_DAYS) {
            old = wpa_arena_printf(arena, "%s%s%s of %s", old ? old : "", old ? ", " : "",
                                   wpa_facts_table_name((wpa_fact_table)i), date);
        }
    }
    return old ? wpa_arena_printf(arena,
                                  "facts are more than %d days old: %s (wpa data update refreshes "
                                  "tags, advisories, archived and actions, a newer wpa all of "
                                  "them)",
                                  OLD_DAYS, old)
               : NULL;
}

/* Of the proleptic Gregorian calendar, by counting years from March. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, in_era = year - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/** Two or four digits, by hand: rules ask for the age of every version. -1: there are others. */
static int64_t number_at(const char *text, size_t n)
{
    int64_t number = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

int64_t wpa_facts_days(const char *day)
{
    if (!day || strlen(day) != 10 || day[4] != '-' || day[7] != '-') {
        return -1;
    }
    int64_t year = number_at(day, 4), month = number_at(day + 5, 2), date = number_at(day + 8, 2);
    bool is_day =
        year >= 1 && month >= 1 && month <= 12 && date >= 1 && date <= days_in_month(year, month);
    return is_day ? days_of(year, month, date) : -1;
}

size_t wpa_fact_list_count(wpa_fact_list list)
{
    size_t n = 0;
    while (list && list[n]) {
        n++;
    }
    return n;
}

bool wpa_fact_list_has(wpa_fact_list list, wpa_slice text)
{
    for (size_t i = 0; list && list[i]; i++) {
        if (wpa_slice_is(text, list[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_fact_list_has_ci(wpa_fact_list list, wpa_slice text)
{
    for (size_t i = 0; list && list[i]; i++) {
        if (wpa_slice_is_ci(text, list[i])) {
            return true;
        }
    }
    return false;
}

const wpa_fact_end *wpa_facts_runtime_end(const char *using)
{
    static const char prefix[] = "runs.using: ";
    for (size_t i = 0; using && i < wpa_fact_n_ends; i++) {
        const char *match = wpa_fact_ends[i].match;
        if (!wpa_fact_ends[i].slug_length && wpa_text_starts(match, prefix) &&
            wpa_text_is(match + sizeof prefix - 1, using)) {
            return &wpa_fact_ends[i];
        }
    }
    return NULL;
}

const wpa_fact_archived *wpa_facts_archived_find(wpa_slice slug)
{
    wpa_slice repo = wpa_fact_repo_slug(slug);
    size_t row = wpa_facts_row(WPA_COLUMN_ARCHIVE, repo, 0);
    return wpa_fresh_archived(repo, row == WPA_NO_ROW ? NULL : &wpa_fact_archive[row]);
}

size_t wpa_facts_advisory_count(void)
{
    size_t n;
    return wpa_fresh_advisories(&n) ? n : wpa_fact_n_advisories;
}

/** The first row from this one on that speaks of the action; n: none. Rows are by action. */
static size_t fresh_advisory_of(const wpa_fact_advisory *rows, size_t n, wpa_slice slug,
                                size_t from)
{
    size_t low = from, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (wpa_fact_compare_folded(rows[middle].action, slug) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n && wpa_fact_compare_folded(rows[low].action, slug) == 0 ? low : n;
}

size_t wpa_facts_advisory_of(wpa_slice slug, size_t from)
{
    size_t n;
    const wpa_fact_advisory *fresh = wpa_fresh_advisories(&n);
    size_t first = n = fresh ? n : wpa_fact_n_advisories;
    while (slug.length) {
        size_t row = fresh ? fresh_advisory_of(fresh, n, slug, from)
                           : wpa_facts_row(WPA_COLUMN_ADVISORIES, slug, from);
        first = row < first ? row : first;
        const char *slash = memrchr(slug.at, '/', slug.length);
        slug.length = slash ? (size_t)(slash - slug.at) : 0;
    }
    return first;
}

const wpa_fact_advisory *wpa_facts_advisory_at(size_t i)
{
    size_t n;
    const wpa_fact_advisory *fresh = wpa_fresh_advisories(&n);
    return fresh ? &fresh[i] : &wpa_fact_advisories[i];
}

const wpa_fact_event *wpa_facts_event_find(wpa_slice name)
{
    size_t row = wpa_facts_row(WPA_COLUMN_EVENTS, name, 0);
    bool is_there = row != WPA_NO_ROW && wpa_slice_is(name, wpa_fact_events[row].name);
    return is_there ? &wpa_fact_events[row] : NULL;
}

size_t wpa_facts_event_count(void)
{
    return wpa_fact_n_events;
}

const wpa_fact_event *wpa_facts_event_at(size_t i)
{
    return &wpa_fact_events[i];
}

const char *const *wpa_facts_event_names(void)
{
    return wpa_fact_event_list;
}

size_t wpa_facts_availability_count(void)
{
    return wpa_fact_n_availabilities;
}

const wpa_fact_availability *wpa_facts_availability_at(size_t i)
{
    return &wpa_fact_availabilities[i];
}

const wpa_fact_availability *wpa_facts_availability_find(const char *key)
{
    for (size_t i = 0; i < wpa_fact_n_availabilities; i++) {
        if (wpa_text_is(key, wpa_fact_availabilities[i].key)) {
            return &wpa_fact_availabilities[i];
        }
    }
    return NULL;
}

const wpa_fact_context *wpa_facts_context_find(wpa_slice name)
{
    for (size_t i = 0; i < wpa_fact_n_contexts; i++) {
        if (wpa_slice_is_ci(name, wpa_fact_contexts[i].name)) {
            return &wpa_fact_contexts[i];
        }
    }
    return NULL;
}

/* Is it that path? A '*' stands for one name. */
static bool is_form_of(const char *pattern, const char *path)
{
    const char *star = strchr(pattern, '*');
    if (!star) {
        return wpa_text_is(path, pattern);
    }
    size_t length = (size_t)(star - pattern);
    const char *rest = strncmp(path, pattern, length) == 0 ? strchr(path + length, '.') : NULL;
    return rest && wpa_text_is(rest, star + 1);
}

bool wpa_facts_form_may_end(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < wpa_fact_n_forms; i++) {
        const wpa_fact_form *form = &wpa_fact_forms[i];
        const char *end = form->path + form->path_length;
        if (form->path_length > length && end[-1 - (ptrdiff_t)length] == '.' &&
            wpa_bytes_are_ci(end - length, name, length)) {
            return true;
        }
    }
    return false;
}

const wpa_fact_form *wpa_facts_form_find(const char *path)
{
    for (size_t i = 0; i < wpa_fact_n_forms; i++) {
        if (is_form_of(wpa_fact_forms[i].path, path)) {
            return &wpa_fact_forms[i];
        }
    }
    return NULL;
}

const wpa_fact_function *wpa_facts_function_find(wpa_slice name)
{
    for (size_t i = 0; i < wpa_fact_n_functions; i++) {
        if (wpa_slice_is_ci(name, wpa_fact_functions[i].name)) {
            return &wpa_fact_functions[i];
        }
    }
    return NULL;
}

bool wpa_facts_has_open_outputs(wpa_slice slug)
{
    return wpa_fact_list_has_ci(wpa_fact_open_outputs_list, slug);
}

wpa_fact_list wpa_facts_context_names(void)
{
    return wpa_fact_context_list;
}

wpa_fact_list wpa_facts_function_names(void)
{
    return wpa_fact_function_list;
}

const wpa_fact_permission *wpa_facts_permission_find(wpa_slice scope)
{
    for (size_t i = 0; i < wpa_fact_n_permissions; i++) {
        if (wpa_slice_is(scope, wpa_fact_permissions[i].scope)) {
            return &wpa_fact_permissions[i];
        }
    }
    return NULL;
}

wpa_fact_list wpa_facts_permission_names(void)
{
    return wpa_fact_permission_list;
}

const wpa_fact_need *wpa_facts_action_need(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_ACTION_NEEDS, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_action_needs[row];
}

const wpa_fact_need *wpa_facts_command_needs(size_t *n)
{
    *n = wpa_fact_n_command_needs;
    return wpa_fact_command_needs;
}

uint32_t wpa_facts_command_need_firsts(void)
{
    return wpa_fact_command_need_firsts;
}

const wpa_fact_runner *wpa_facts_runner_find(wpa_slice label)
{
    size_t row = wpa_facts_row(WPA_COLUMN_RUNNERS, label, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_runners[row];
}

bool wpa_facts_runner_is_self_hosted_label(wpa_slice label)
{
    return wpa_fact_list_has_ci(wpa_fact_self_hosted_list, label);
}

wpa_fact_list wpa_facts_runner_names(void)
{
    return wpa_fact_runner_list;
}

static char fold(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Does path match pattern, where a "*" segment stands for any one segment? With below, path may go
 * on behind the pattern. *n_same: bytes of the pattern that fit. */
static bool path_matches(const char *pattern, wpa_slice path, bool below, size_t *n_same)
{
    size_t i = 0, k = 0;
    while (pattern[k] && i < path.length) {
        if (pattern[k] == '*') {
            while (i < path.length && path.at[i] != '.') {
                i++;
            }
            k++;
        } else if (pattern[k] == fold(path.at[i])) {
            k++;
            i++;
        } else {
            break;
        }
    }
    *n_same = k;
    return !pattern[k] && (i == path.length || (below && path.at[i] == '.'));
}

const wpa_fact_untrusted *wpa_facts_untrusted_find(wpa_slice path)
{
    size_t n_same = 0;
    for (size_t i = 0; i < wpa_fact_n_untrusteds;) {
        const wpa_fact_untrusted *row = &wpa_fact_untrusteds[i];
        bool below = row->covers_below || row->taint == WPA_TAINT_FLOW;
        if (path_matches(row->path, path, below, &n_same)) {
            return row;
        }
        do { /* those differ where this one does */
            i++;
        } while (i < wpa_fact_n_untrusteds && wpa_fact_untrusted_shared[i] > n_same);
    }
    return NULL;
}

static bool glob_matches(const char *pattern, wpa_slice text)
{
    size_t length = strlen(pattern);
    if (pattern[0] == '*') {
        length--;
        return text.length >= length &&
               memcmp(text.at + text.length - length, pattern + 1, length) == 0;
    }
    return wpa_slice_is_ci(text, pattern);
}

static bool named_list_has(const wpa_fact_named_list *rows, wpa_facts_column column, wpa_slice name,
                           wpa_slice item)
{
    for (size_t i = 0; (i = wpa_facts_row(column, name, i)) != WPA_NO_ROW; i++) {
        for (size_t k = 0; rows[i].items[k]; k++) {
            if (glob_matches(rows[i].items[k], item)) {
                return true;
            }
        }
    }
    return false;
}

bool wpa_facts_input_is_code(wpa_slice slug, wpa_slice input)
{
    return named_list_has(wpa_fact_code_inputs, WPA_COLUMN_CODE_INPUTS, slug, input);
}

bool wpa_facts_output_is_tainted(wpa_slice slug, wpa_slice output)
{
    return named_list_has(wpa_fact_taint_outputs, WPA_COLUMN_TAINT_OUTPUTS, slug, output);
}

bool wpa_facts_action_is(wpa_slice slug, wpa_fact_trait trait)
{
    return wpa_facts_row(WPA_COLUMN_TRAITS, slug, trait) == trait;
}

unsigned wpa_facts_action_traits(wpa_slice slug)
{
    unsigned traits = 0;
    for (unsigned trait = 0; trait < WPA_TRAIT_COUNT; trait++) {
        traits |= wpa_facts_action_is(slug, (wpa_fact_trait)trait) ? 1U << trait : 0;
    }
    return traits;
}

size_t wpa_facts_untrusted_count(void)
{
    return wpa_fact_n_untrusteds;
}

const wpa_fact_untrusted *wpa_facts_untrusted_at(size_t i)
{
    return &wpa_fact_untrusteds[i];
}

static const wpa_schema_def *schema_find(const wpa_schema_def *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

const wpa_schema_def *wpa_schema_workflow_find(const char *name)
{
    return schema_find(wpa_fact_workflow_schema, wpa_fact_n_workflow_schema, name);
}

const wpa_schema_def *wpa_schema_action_find(const char *name)
{
    return schema_find(wpa_fact_action_schema, wpa_fact_n_action_schema, name);
}

const wpa_schema_def *wpa_schema_dependabot_find(const char *name)
{
    return schema_find(wpa_fact_dependabot_schema, wpa_fact_n_dependabot_schema, name);
}

const wpa_schema_def *wpa_schema_pre_commit_find(const char *name)
{
    return schema_find(wpa_fact_pre_commit_schema, wpa_fact_n_pre_commit_schema, name);
}

wpa_fact_list wpa_facts_timezone_names(void)
{
    return wpa_fact_timezone_list;
}

const wpa_schema_property *wpa_schema_property_find(const wpa_schema_def *def, wpa_slice key)
{
    uint32_t bit = wpa_yaml_key_bit(key.at, key.length);
    size_t at = def->keys & bit ? def->by_bit[__builtin_ctz(bit)] : 0;
    while (at) {
        const wpa_schema_property *property = &def->properties[at - 1];
        if (property->name.length == key.length &&
            wpa_bytes_are(property->name.text, key.at, key.length)) {
            return property;
        }
        at = property->next;
    }
    return NULL;
}

size_t wpa_facts_cache_count(void)
{
    return wpa_fact_n_caches;
}

const wpa_fact_cache *wpa_facts_cache_at(size_t i)
{
    return &wpa_fact_caches[i];
}

const wpa_fact_cache *wpa_facts_caches_of(wpa_slice slug, size_t *n)
{
    size_t first = wpa_facts_rows(WPA_COLUMN_CACHES, slug, n);
    return first == WPA_NO_ROW ? NULL : &wpa_fact_caches[first];
}

const wpa_fact_slow_install *wpa_facts_slow_install_find(const char *program, wpa_slice package)
{
    for (size_t i = 0; i < wpa_fact_n_slow_installs; i++) {
        const wpa_fact_slow_install *row = &wpa_fact_slow_installs[i];
        bool is_it = wpa_slice_is(package, row->package); /* programs are few, so asked behind */
        if (is_it && wpa_text_is(row->program, program)) {
            return row;
        }
    }
    return NULL;
}

bool wpa_facts_image_is_large(wpa_slice image)
{
    for (size_t i = 0; i < wpa_fact_n_large_images; i++) {
        if (wpa_slice_is(image, wpa_fact_large_images[i])) {
            return true;
        }
    }
    return false;
}

const char *wpa_facts_service_health(wpa_slice image)
{
    for (size_t i = 0; i < wpa_fact_n_service_healths; i++) {
        if (wpa_slice_is_ci(image, wpa_fact_service_healths[i][0])) {
            return wpa_fact_service_healths[i][1];
        }
    }
    return NULL;
}
