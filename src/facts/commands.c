/* Look-ups in the table of commands; rows of a program are neighbours. */
#include "facts/commands.h"

#include <string.h>

#include "facts/index.h"
#include "facts/tables.h"

static const char *const role_names[] = {"test",    "build",   "lint",  "install",
                                         "publish", "history", "fetch", "scan"};

const char *wpa_facts_command_role_name(unsigned bit_index)
{
    return bit_index < WPA_DOES_COUNT ? role_names[bit_index] : "";
}

/* ---- rows --------------------------------------------------------------------------------------
 */

/** Of a program that is known to have some. */
static unsigned own_roles(unsigned known, const char *const words[], size_t n)
{
    unsigned roles = 0;
    size_t i = (known >> WPA_KNOWN_ROW_SHIFT) - 1;
    /* Not by its own name: where the tables have one text for one name no byte is compared. */
    const char *program = wpa_fact_commands[i].program;
    const wpa_fact_words all = wpa_fact_words_of(words, n);
    for (size_t behind;
         i < wpa_fact_n_commands && wpa_text_is(wpa_fact_commands[i].program, program); i++) {
        const wpa_fact_command *row = &wpa_fact_commands[i];
        bool fits = row->bare ? n == 0 : wpa_fact_pattern_fits(&row->words, &all, &behind);
        roles |= fits ? row->roles : 0;
    }
    return roles;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Where the command begins that "uv run --frozen pytest" runs; n if it runs none. */
static size_t launched_at(const char *name, const char *const words[], size_t n)
{
    const wpa_fact_words all = wpa_fact_words_of(words, n);
    for (size_t i = wpa_facts_program_row(WPA_COLUMN_LAUNCHERS, name), behind;
         i < wpa_fact_n_launchers && wpa_text_is(wpa_fact_launchers[i].program, name); i++) {
        const wpa_fact_launcher *row = &wpa_fact_launchers[i];
        if (wpa_fact_pattern_fits(&row->words, &all, &behind)) {
            for (; behind < n && words[behind][0] == '-'; behind++) {
                behind += wpa_fact_list_has(row->with_value, wpa_slice_of(words[behind]));
            }
            return behind < n ? behind : n;
        }
    }
    return n;
}

unsigned wpa_facts_command_roles(const char *name, unsigned known, const char *const words[],
                                 size_t n)
{
    unsigned roles = known & WPA_KNOWN_ROLES ? own_roles(known, words, n) : 0;
    for (int depth = 0; depth < 3; depth++) {
        size_t at = known & WPA_KNOWN_LAUNCHER ? launched_at(name, words, n) : n;
        if (at >= n) {
            break;
        }
        name = base_name(words[at]);
        words += at + 1;
        n -= at + 1;
        known = wpa_facts_program_known(name);
        roles |= known & WPA_KNOWN_ROLES ? own_roles(known, words, n) : 0;
    }
    return roles;
}

const wpa_fact_wrapper *wpa_facts_wrapper_find(const char *name)
{
    size_t row = wpa_facts_program_row(WPA_COLUMN_WRAPPERS, name);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_wrappers[row];
}

const wpa_fact_installer *wpa_facts_installer_find(const char *name, const char *const words[],
                                                   size_t n, size_t *behind)
{
    const wpa_fact_installer *best = NULL;
    *behind = 0;
    size_t i = wpa_facts_program_row(WPA_COLUMN_INSTALLERS, name);
    if (i >= wpa_fact_n_installers) {
        return NULL;
    }
    const char *program = wpa_fact_installers[i].program; /* as in own_roles */
    const wpa_fact_words all = wpa_fact_words_of(words, n);
    for (; i < wpa_fact_n_installers && wpa_text_is(wpa_fact_installers[i].program, program); i++) {
        const wpa_fact_installer *row = &wpa_fact_installers[i];
        size_t taken;
        if (wpa_fact_pattern_fits(&row->words, &all, &taken) && (!best || taken > *behind)) {
            best = row;
            *behind = taken;
        }
    }
    return best;
}

bool wpa_facts_checkout_is_guarded(const wpa_version *version)
{
    for (size_t i = 0; i < wpa_fact_n_guarded_checkouts; i++) {
        wpa_version first;
        if (wpa_version_parse(wpa_slice_of(wpa_fact_guarded_checkouts[i].program), &first) &&
            first.parts[0] == version->parts[0]) {
            return wpa_version_compare(version, &first) >= 0;
        }
    }
    return false;
}

bool wpa_facts_is_tool_variable(const char *name)
{
    size_t length = strlen(name);
    char last = length ? name[length - 1] : '\0';
    for (size_t i = 0; i < wpa_fact_n_tool_variables; i++) {
        const char *glob = wpa_fact_tool_variables[i].program;
        if (*glob != *name && *glob != '*') {
            continue; /* few begin alike, and of those that do few end alike */
        }
        wpa_slice all = wpa_slice_of(glob);
        char end = all.at[all.length - 1];
        if ((end == last || end == '*') && wpa_fact_glob_fits(all, name)) {
            return true;
        }
    }
    return false;
}

const wpa_fact_action_role *wpa_facts_action_role_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_ACTION_ROLES, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_action_roles[row];
}

const wpa_fact_tool *wpa_facts_tool_find(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_TOOLS, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_tools[row];
}

const wpa_fact_host *wpa_facts_host_find(wpa_slice host)
{
    for (size_t i = 0; i < wpa_fact_n_hosts; i++) {
        if (wpa_slice_is_ci(host, wpa_fact_hosts[i].host)) {
            return &wpa_fact_hosts[i];
        }
    }
    return NULL;
}

const char *wpa_facts_tree_file(const char *name, const char *const words[], size_t n)
{
    const wpa_fact_words all = wpa_fact_words_of(words, n);
    for (size_t i = 0, behind; i < wpa_fact_n_tree_programs; i++) {
        const wpa_fact_tree_program *row = &wpa_fact_tree_programs[i];
        if (wpa_text_is(row->program, name) && wpa_fact_pattern_fits(&row->words, &all, &behind)) {
            return row->file;
        }
    }
    return NULL;
}
