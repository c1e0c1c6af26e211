/* Look-ups in the table of what workflows use, hold and grant. */
#include "facts/supply.h"

#include <string.h>

#include "facts/index.h"
#include "facts/tables.h"

const wpa_fact_publish_command *wpa_facts_publish_command_find(const char *name,
                                                               const char *const words[], size_t n)
{
    size_t i = wpa_facts_program_row(WPA_COLUMN_PUBLISH_COMMANDS, name);
    if (i >= wpa_fact_n_publish_commands) {
        return NULL;
    }
    const char *program = wpa_fact_publish_commands[i].program; /* one text for one name, mostly */
    const wpa_fact_words all = wpa_fact_words_of(words, n);
    for (size_t behind; i < wpa_fact_n_publish_commands &&
                        wpa_text_is(wpa_fact_publish_commands[i].program, program);
         i++) {
        const wpa_fact_publish_command *row = &wpa_fact_publish_commands[i];
        if (wpa_fact_pattern_fits(&row->words, &all, &behind)) {
            return row;
        }
    }
    return NULL;
}

const wpa_fact_publish_action *wpa_facts_publish_action_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_PUBLISH_ACTIONS, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_publish_actions[row];
}

const wpa_fact_replacement *wpa_facts_replacement_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_REPLACEMENTS, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_replacements[row];
}

const wpa_fact_cloud_login *wpa_facts_cloud_login_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_CLOUD_LOGINS, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_cloud_logins[row];
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

const wpa_fact_oidc_action *wpa_facts_oidc_action_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_OIDC_ACTIONS, slug, 0);
    row = row == WPA_NO_ROW ? wpa_facts_row(WPA_COLUMN_OIDC_ACTIONS, wpa_fact_repo_slug(slug), 0)
                            : row;
    return row == WPA_NO_ROW ? NULL : &wpa_fact_oidc_actions[row];
}

bool wpa_facts_is_debug_action(wpa_slice slug)
{
    return wpa_facts_row(WPA_COLUMN_DEBUG_ACTIONS, slug, 0) != WPA_NO_ROW;
}

bool wpa_facts_is_known_creator(wpa_slice owner)
{
    return wpa_facts_row(WPA_COLUMN_CREATORS, owner, 0) != WPA_NO_ROW;
}

const wpa_fact_renamed_owner *wpa_facts_renamed_owner_find(wpa_slice owner)
{
    size_t row = wpa_facts_row(WPA_COLUMN_RENAMED_OWNERS, owner, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_renamed_owners[row];
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

const wpa_fact_original *wpa_facts_originals(size_t *n)
{
    *n = wpa_fact_n_originals;
    return wpa_fact_originals;
}

/* The letters of four originals, which are looked at together. */
typedef uint32_t lanes __attribute__((vector_size(16)));
#define LANES (sizeof(lanes) / sizeof(uint32_t))

/** A letter more, less or in place of another changes at most two of the bits. */
static bool may_be_like(uint32_t letters, uint32_t blurred_letters, size_t i)
{
    uint32_t other = wpa_fact_original_letters[i] ^ letters;
    other &= other - 1;
    return !(other & (other - 1)) || wpa_fact_original_blurred_letters[i] == blurred_letters;
}

/** The same of any of four. */
static bool may_one_be_like(uint32_t letters, uint32_t blurred_letters, size_t from)
{
    lanes other, blurred;
    memcpy(&other, &wpa_fact_original_letters[from], sizeof other);
    memcpy(&blurred, &wpa_fact_original_blurred_letters[from], sizeof blurred);
    other ^= letters;
    other &= other - 1;
    other &= other - 1;
    lanes may_be = (lanes)(other == 0) | (lanes)(blurred == blurred_letters);
    uint64_t halves[2];
    memcpy(halves, &may_be, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

size_t wpa_facts_original_like(uint32_t letters, uint32_t blurred_letters, size_t from)
{
    size_t i = from;
    while (i + LANES <= wpa_fact_n_originals && !may_one_be_like(letters, blurred_letters, i)) {
        i += LANES;
    }
    while (i < wpa_fact_n_originals && !may_be_like(letters, blurred_letters, i)) {
        i++;
    }
    return i;
}

bool wpa_facts_is_original(wpa_slice repo)
{
    return wpa_facts_row(WPA_COLUMN_ORIGINALS, repo, 0) != WPA_NO_ROW;
}
