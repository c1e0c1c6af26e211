/* Look-ups in the table of what workflows use, hold and grant. */
#include "facts/supply.h"

#include <string.h>

#include "facts/tables.h"

const wpa_fact_publish_command *wpa_facts_publish_command_find(const char *name,
                                                               const char *const words[], size_t n)
{
    for (size_t i = 0; i < wpa_fact_n_publish_commands; i++) {
        const wpa_fact_publish_command *row = &wpa_fact_publish_commands[i];
        if (wpa_text_is(row->program, name) && wpa_facts_command_fits(row->words, words, n)) {
            return row;
        }
    }
    return NULL;
}

/* The row of an action in a table whose rows begin with the action's name; NULL: none. */
static const void *find_action(const void *rows, size_t n, size_t row_bytes, wpa_slice slug)
{
    for (size_t i = 0; i < n; i++) {
        const char *const *row = (const char *const *)((const char *)rows + i * row_bytes);
        if (wpa_slice_is_ci(slug, *row)) {
            return row;
        }
    }
    return NULL;
}

const wpa_fact_publish_action *wpa_facts_publish_action_find(wpa_slice slug)
{
    return find_action(wpa_fact_publish_actions, wpa_fact_n_publish_actions,
                       sizeof *wpa_fact_publish_actions, slug);
}

const wpa_fact_replacement *wpa_facts_replacement_find(wpa_slice slug)
{
    return find_action(wpa_fact_replacements, wpa_fact_n_replacements,
                       sizeof *wpa_fact_replacements, slug);
}

const wpa_fact_cloud_login *wpa_facts_cloud_login_find(wpa_slice slug)
{
    return find_action(wpa_fact_cloud_logins, wpa_fact_n_cloud_logins,
                       sizeof *wpa_fact_cloud_logins, slug);
}

const wpa_fact_cloud_variable *wpa_facts_cloud_variable_find(const char *name)
{
    for (size_t i = 0; i < wpa_fact_n_cloud_variables; i++) {
        if (wpa_text_is(name, wpa_fact_cloud_variables[i].name)) {
            return &wpa_fact_cloud_variables[i];
        }
    }
    return NULL;
}

const wpa_fact_cloud_registry *wpa_facts_cloud_registry_find(const char *address)
{
    for (size_t i = 0; i < wpa_fact_n_cloud_registries; i++) {
        if (strcasestr(address, wpa_fact_cloud_registries[i].host)) {
            return &wpa_fact_cloud_registries[i];
        }
    }
    return NULL;
}

/* "owner/repo" of "owner/repo/path". */
static wpa_slice repo_of(wpa_slice slug)
{
    size_t slashes = 0;
    for (size_t i = 0; i < slug.length; i++) {
        if (slug.at[i] == '/' && ++slashes == 2) {
            return (wpa_slice){slug.at, i};
        }
    }
    return slug;
}

const wpa_fact_oidc_action *wpa_facts_oidc_action_find(wpa_slice slug)
{
    const void *row = find_action(wpa_fact_oidc_actions, wpa_fact_n_oidc_actions,
                                  sizeof *wpa_fact_oidc_actions, slug);
    return row ? row
               : find_action(wpa_fact_oidc_actions, wpa_fact_n_oidc_actions,
                             sizeof *wpa_fact_oidc_actions, repo_of(slug));
}

bool wpa_facts_is_debug_action(wpa_slice slug)
{
    return find_action(wpa_fact_debug_actions, wpa_fact_n_debug_actions,
                       sizeof *wpa_fact_debug_actions, slug) != NULL;
}

bool wpa_facts_is_known_creator(wpa_slice owner)
{
    return find_action(wpa_fact_creators, wpa_fact_n_creators, sizeof *wpa_fact_creators, owner) !=
           NULL;
}

const wpa_fact_renamed_owner *wpa_facts_renamed_owner_find(wpa_slice owner)
{
    return find_action(wpa_fact_renamed_owners, wpa_fact_n_renamed_owners,
                       sizeof *wpa_fact_renamed_owners, owner);
}

size_t wpa_facts_platform_count(void)
{
    return wpa_fact_n_platforms;
}

const wpa_fact_platform *wpa_facts_platform_at(size_t i)
{
    return &wpa_fact_platforms[i];
}

bool wpa_facts_platform_affects(const wpa_fact_platform *advisory, const wpa_version *version)
{
    bool is_older = true; /* than every line that was fixed */
    for (size_t i = 0; advisory->fixed[i]; i++) {
        wpa_version fixed;
        if (!wpa_version_parse(wpa_slice_of(advisory->fixed[i]), &fixed)) {
            continue;
        }
        if (fixed.parts[0] == version->parts[0] && fixed.parts[1] == version->parts[1]) {
            return wpa_version_compare(version, &fixed) < 0;
        }
        is_older = is_older && wpa_version_compare(version, &fixed) < 0;
    }
    return is_older;
}

bool wpa_facts_is_impostor(wpa_slice repo, wpa_slice commit)
{
    for (size_t i = 0; i < wpa_fact_n_impostors; i++) {
        if (wpa_slice_is_ci(repo, wpa_fact_impostors[i].repo) &&
            wpa_slice_is_ci(commit, wpa_fact_impostors[i].commit)) {
            return true;
        }
    }
    return false;
}

size_t wpa_facts_popular_count(void)
{
    return wpa_fact_n_populars;
}

const char *wpa_facts_popular_at(size_t i)
{
    return wpa_fact_populars[i].slug;
}
