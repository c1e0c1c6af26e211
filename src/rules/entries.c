/* The "ignore:" entries of the configuration. */
#include <string.h>

#include <wpa/text.h>

#include "match/regex.h"
#include "rules/ignore.h"
#include "rules/settings.h"

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static bool names_fit(const wpa_ignore_entry *entry, const wpa_finding *finding)
{
    for (size_t i = 0; i < entry->n_rules; i++) {
        if (wpa_ignore_name_fits(entry->rules[i], finding)) {
            return true;
        }
    }
    return entry->n_rules == 0;
}

/** A pattern that hit a limit has not matched: nothing is silenced by what nobody can tell. */
static bool is_in(const wpa_regex *pattern, const char *text)
{
    return wpa_regex_find(pattern, text, strlen(text), 0, NULL) == WPA_REGEX_YES;
}

static bool message_fits(const wpa_ignore_entry *entry, const wpa_regex *pattern,
                         const wpa_finding *finding)
{
    if (!pattern || is_in(pattern, finding->message)) {
        return true;
    }
    bool fits = entry->is_wide && is_in(pattern, finding->rule->id);
    for (const char *const *at = finding->rule->elsewhere; entry->is_wide && at && *at; at++) {
        fits = fits || is_in(pattern, *at);
    }
    return fits;
}

bool wpa_ignore_entry_is_about(const wpa_ignore_entry *entry, const char *identity)
{
    const char *slash = strrchr(identity, '/');
    return !entry->path || wpa_glob_fits(entry->path, identity) ||
           (entry->is_base_name && wpa_text_is(entry->path, slash ? slash + 1 : identity));
}

/** By the repository-relative path, so that it does not matter from where the check was run. */
static bool path_fits(const wpa_ignore_entry *entry, const wpa_source *source)
{
    return wpa_ignore_entry_is_about(entry, wpa_source_identity(source)) ||
           wpa_glob_fits(entry->path, source->path);
}

static void add_text(uint64_t *hash, const char *text)
{
    for (; text && *text; text++) {
        *hash = (*hash ^ (unsigned char)*text) * FNV_PRIME;
    }
    *hash = (*hash ^ (text ? 1U : 2U)) * FNV_PRIME;
}

uint64_t wpa_ignore_entry_id(const wpa_ignore_entry *entry)
{
    uint64_t hash = FNV_START;
    add_text(&hash, entry->path);
    for (size_t i = 0; i < entry->n_rules; i++) {
        add_text(&hash, entry->rules[i]);
    }
    add_text(&hash, entry->message);
    add_text(&hash, entry->fingerprint);
    add_text(&hash, entry->until);
    hash = (hash ^ (uint64_t)entry->line) * FNV_PRIME;
    return (hash ^ (uint64_t)entry->column) * FNV_PRIME;
}

static void note_use(const wpa_ignore_entry *entry, wpa_arena *arena, const uint64_t **ids,
                     size_t *n_ids)
{
    uint64_t id = wpa_ignore_entry_id(entry);
    for (size_t i = 0; i < *n_ids; i++) {
        if ((*ids)[i] == id) {
            return;
        }
    }
    uint64_t *more = wpa_arena_array(arena, *n_ids + 1, sizeof *more);
    memcpy(more, *n_ids ? *ids : more, *n_ids * sizeof *more);
    more[(*n_ids)++] = id;
    *ids = more;
}

/** The step, job or entry of dependabot.yml that begins on the line, or the call by its uses; or
    NULL. */
static const wpa_yaml_node *block_on(const wpa_source *source, size_t line)
{
    const wpa_yaml_doc *doc = source->yaml;
    if (!doc || source->kind != WPA_INPUT_DEPENDABOT) {
        const wpa_yaml_node *block = doc ? wpa_ignore_block_on(doc, line) : NULL;
        return block || !doc ? block : wpa_ignore_call_on(doc, line);
    }
    const wpa_yaml_node *updates = wpa_yaml_get(doc->root, "updates");
    for (size_t i = 0; wpa_yaml_is(updates, WPA_YAML_SEQUENCE) && i < updates->n_items; i++) {
        if (wpa_yaml_line_of(doc, wpa_yaml_dash(updates->items[i])) == line) {
            return updates->items[i];
        }
    }
    return NULL;
}

/**
 * zizmor's places are where its own finding begins: on the line of ours, at it or before what ours
 * names of the value, or at the step, job, call or entry that it is in.
 */
static bool foreign_place_fits(const wpa_ignore_entry *entry, const wpa_source *source,
                               const wpa_finding *finding)
{
    const wpa_finding_span *span = &finding->span;
    size_t line = (size_t)entry->line, column = (size_t)entry->column;
    if (line != span->start.line) {
        const wpa_yaml_node *block = block_on(source, line);
        return block && span->bytes.start >= block->span.start &&
               span->bytes.start < block->span.end;
    }
    if (!source->yaml || !column || column >= span->start.column) {
        return !column || column == span->start.column;
    }
    size_t between = span->start.column - column;
    return between > span->bytes.start ||
           !memmem(source->yaml->source + span->bytes.start - between, between, "${{", 3);
}

static bool place_fits(const wpa_ignore_entry *entry, const wpa_source *source,
                       const wpa_finding *finding)
{
    if (entry->is_base_name && entry->line) {
        return foreign_place_fits(entry, source, finding);
    }
    return (!entry->column || (size_t)entry->column == finding->span.start.column) &&
           (!entry->line || (size_t)entry->line == finding->span.start.line);
}

static bool entry_fits(const wpa_ignore_entry *entry, const wpa_source *source,
                       const wpa_finding *finding)
{
    return (!entry->path || path_fits(entry, source)) && place_fits(entry, source, finding) &&
           (!entry->fingerprint || wpa_text_starts(finding->fingerprint, entry->fingerprint)) &&
           names_fit(entry, finding);
}

bool wpa_ignore_entry_is_used(const wpa_ignore_entry *entry, const wpa_source *source,
                              wpa_finding *const *findings, size_t n_findings)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_regex) *pattern = entry->message ? wpa_regex_new(entry->message, 0, &err) : NULL;
    bool is_used = entry->message && !pattern;
    for (size_t i = 0; i < n_findings && !is_used; i++) {
        is_used =
            entry_fits(entry, source, findings[i]) && message_fits(entry, pattern, findings[i]);
    }
    return is_used;
}

void wpa_ignore_entries_apply(const wpa_settings *settings, const wpa_source *source,
                              wpa_finding **findings, size_t n_findings, wpa_arena *arena,
                              const uint64_t **ids, size_t *n_ids)
{
    for (size_t i = 0; i < settings->n_ignores; i++) {
        const wpa_ignore_entry *entry = &settings->ignores[i];
        bool has_ended = entry->until && strcmp(entry->until, settings->today) < 0;
        wpa_error err = {0}; /* the pattern compiled when the configuration was read */
        WPA_AUTO(wpa_regex) *pattern =
            entry->message ? wpa_regex_new(entry->message, 0, &err) : NULL;
        has_ended = has_ended || (entry->message && !pattern);
        bool is_used = false;
        for (size_t j = 0; j < n_findings && !has_ended; j++) {
            if (entry_fits(entry, source, findings[j]) &&
                message_fits(entry, pattern, findings[j])) {
                findings[j]->state = WPA_FINDING_IGNORED;
                findings[j]->state_reason = entry->reason;
                is_used = true;
            }
        }
        if (is_used) {
            note_use(entry, arena, ids, n_ids);
        }
    }
}
