#include "rules/own.h"

#include <string.h>

#include "rules/outline.h"
#include "rules/sink.h"

static const wpa_own *own_of(const wpa_rule_run *run)
{
    return &run->sink->settings->own;
}

/* ---- forge ---- */

wpa_forge wpa_forge_parse(const char *text, wpa_arena *arena)
{
    size_t length = strcspn(text, "@");
    wpa_forge forge = {.name = wpa_arena_slice(arena, text, length)};
    forge.version_text = text[length] == '@' ? text + length + 1 : "";
    forge.has_version = wpa_version_parse(wpa_slice_of(forge.version_text), &forge.version);
    return forge;
}

static wpa_forge read_forge(const wpa_rule_run *run)
{
    const char *configured = own_of(run)->forge;
    const char *path = wpa_source_identity(run->source);
    const char *by_folder = strstr(path, ".gitea/")     ? "gitea"
                            : strstr(path, ".forgejo/") ? "forgejo"
                                                        : "github.com";
    return wpa_forge_parse(configured ? configured : by_folder, run->sink->asked);
}

/* Once for all rules of the file. */
static const wpa_forge *forge_of(const wpa_rule_run *run)
{
    wpa_shared *shared = &run->sink->shared;
    if (!shared->forge) {
        wpa_forge forge = read_forge(run);
        shared->forge = wpa_arena_dup(run->sink->asked, &forge, sizeof forge);
    }
    return shared->forge;
}

wpa_forge wpa_rule_forge(const wpa_rule_run *run)
{
    return *forge_of(run);
}

bool wpa_rule_is_on_github(const wpa_rule_run *run)
{
    wpa_shared *shared = &run->sink->shared;
    if (!shared->is_forge_known) {
        shared->is_on_github = wpa_text_is(forge_of(run)->name, "github.com");
        shared->is_forge_known = true;
    }
    return shared->is_on_github;
}

bool wpa_forge_lacks(const wpa_forge *forge, const wpa_fact_feature *feature)
{
    for (size_t i = 0; feature->forges[i]; i++) {
        if (!wpa_text_is(feature->forges[i], forge->name)) {
            continue;
        }
        const char *since = feature->since[i];
        wpa_version first;
        bool is_older = *since && forge->has_version &&
                        wpa_version_parse(wpa_slice_of(since), &first) &&
                        wpa_version_compare(&forge->version, &first) < 0;
        return !*since || is_older;
    }
    return false;
}

bool wpa_rule_forge_lacks(const wpa_rule_run *run, const char *kind, const char *match)
{
    const wpa_forge *forge = forge_of(run);
    for (size_t i = 0; i < wpa_facts_feature_count(); i++) {
        const wpa_fact_feature *feature = wpa_facts_feature_at(i);
        if (wpa_text_is(feature->kind, kind) && wpa_text_is(feature->match, match)) {
            return wpa_forge_lacks(forge, feature);
        }
    }
    return false;
}

#define HELD_MAX 64

/* Actions whose releases from some major on the forge lacks: once for all uses of the file. They
   are made for GitHub itself, which lacks none. */
static void list_held(const wpa_rule_run *run)
{
    wpa_shared *shared = &run->sink->shared;
    const wpa_forge *forge = forge_of(run);
    wpa_slice *held = NULL;
    size_t n = wpa_rule_is_on_github(run) ? 0 : wpa_facts_feature_count();
    for (size_t i = 0; i < n && shared->n_held < HELD_MAX; i++) {
        const wpa_fact_feature *feature = wpa_facts_feature_at(i);
        bool is_lacking = wpa_text_is(feature->kind, "action") && wpa_forge_lacks(forge, feature);
        const char *bound = is_lacking ? strstr(feature->match, "@>=") : NULL;
        if (bound && !wpa_text_is(bound, "@>=1")) {
            held = held ? held : wpa_arena_array(run->sink->asked, HELD_MAX, sizeof *held);
            held[shared->n_held++] = (wpa_slice){feature->match, (size_t)(bound - feature->match)};
        }
    }
    shared->held = held;
    shared->are_held_known = true;
}

bool wpa_rule_forge_holds_back(const wpa_rule_run *run, wpa_slice slug)
{
    const wpa_shared *shared = &run->sink->shared;
    bool is_held = false;
    if (!shared->are_held_known) {
        list_held(run);
    }
    for (size_t i = 0; i < shared->n_held && !is_held; i++) {
        is_held = slug.length == shared->held[i].length &&
                  wpa_bytes_are_ci(slug.at, shared->held[i].at, slug.length);
    }
    return is_held;
}

/* ---- repository ---- */

wpa_visibility wpa_rule_visibility(const wpa_rule_run *run)
{
    wpa_visibility configured = own_of(run)->visibility;
    const wpa_surroundings *around = run->source->around;
    return configured != WPA_VISIBILITY_UNKNOWN ? configured
           : around                             ? around->visibility
                                                : WPA_VISIBILITY_UNKNOWN;
}

const char *wpa_rule_codeowners(const wpa_rule_run *run)
{
    return own_of(run)->codeowners;
}

bool wpa_rule_is_first_party(const wpa_rule_run *run, wpa_slice owner)
{
    const wpa_text_list *list = &own_of(run)->first_party;
    bool is_own = false;
    for (size_t i = 0; i < list->n && !is_own; i++) {
        is_own = wpa_slice_is_ci(owner, list->items[i]);
    }
    return is_own;
}

static wpa_listed is_listed(const wpa_name_list *list, const char *name)
{
    wpa_listed listed = list->is_known ? WPA_LISTED_NO : WPA_LISTED_UNKNOWN;
    for (size_t i = 0; list->is_known && i < list->names.n && listed == WPA_LISTED_NO; i++) {
        listed = wpa_text_is_ci(list->names.items[i], name) ? WPA_LISTED_YES : WPA_LISTED_NO;
    }
    return listed;
}

wpa_listed wpa_rule_is_reviewed(const wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "environment");
    value = wpa_yaml_is(value, WPA_YAML_MAPPING) ? wpa_yaml_get(value, "name") : value;
    const char *name = wpa_yaml_text(value);
    if (!value) {
        return WPA_LISTED_NO;
    }
    return name && !wpa_outline_has_expression(name) ? is_listed(&own_of(run)->reviewed, name)
                                                     : WPA_LISTED_UNKNOWN;
}

wpa_listed wpa_rule_has_dependabot_secret(const wpa_rule_run *run, const char *name)
{
    return is_listed(&own_of(run)->dependabot_secrets, name);
}

/* ---- runners ---- */

static bool fits_any(const wpa_text_list *globs, const char *label)
{
    bool fits = false;
    for (size_t i = 0; i < globs->n && !fits; i++) {
        fits = wpa_glob_fits(globs->items[i], label);
    }
    return fits;
}

bool wpa_rule_is_own_label(const wpa_rule_run *run, const char *label)
{
    return fits_any(&own_of(run)->runner_labels, label);
}

bool wpa_rule_is_ephemeral(const wpa_rule_run *run, const char *label)
{
    return fits_any(&own_of(run)->ephemeral, label);
}

/** The value under the first glob that fits, or NULL. */
static const char *value_of(const wpa_map *map, const char *label)
{
    for (size_t i = 0; map && i < wpa_map_count(map); i++) {
        void *value;
        if (wpa_glob_fits(wpa_map_at(map, i, &value), label)) {
            return value;
        }
    }
    return NULL;
}

const wpa_fact_image *wpa_rule_image_of(const wpa_rule_run *run, const char *label)
{
    const char *name = value_of(own_of(run)->runner_images, label);
    const wpa_fact_runner *runner = name ? wpa_facts_runner_find(wpa_slice_of(name)) : NULL;
    return runner ? wpa_facts_image_of(runner) : name ? wpa_facts_image_find(name) : NULL;
}

unsigned wpa_rule_rate_of(const wpa_rule_run *run, const char *label)
{
    const char *text = value_of(own_of(run)->runner_rates, label);
    double dollars;
    bool is_rate = text && wpa_text_to_double(text, &dollars) && dollars >= 0 && dollars < 1000;
    return is_rate ? (unsigned)(dollars * 1000 + 0.5) : 0;
}
