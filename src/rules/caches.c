#include "rules/caches.h"

#include <string.h>

/* A version of the first major that came before what the row tells of; a tag "v3" moves on. */
static bool is_too_early(const wpa_outline_step *step, const wpa_fact_cache *cache, int major)
{
    const wpa_version *version = major >= 0 ? &step->uses.fact->version : NULL;
    return version && major == cache->since && version->n_parts > 1 &&
           version->parts[1] < (uint64_t)cache->since_minor;
}

const wpa_fact_cache *wpa_caches_next(const wpa_outline_step *step, size_t *at)
{
    const wpa_fact_use *fact = step->uses.fact;
    int major = wpa_outline_major(&step->uses);
    while (fact && *at < fact->n_caches) {
        const wpa_fact_cache *cache = &fact->caches[(*at)++];
        bool is_of_row = major < 0 || (major >= cache->since && major <= cache->until);
        if (is_of_row && !is_too_early(step, cache, major)) {
            return cache;
        }
    }
    return NULL;
}

/* "lookup-only": set to true; "save-if=false": set to that. */
static bool is_read_only(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    if (!cache->read_only) {
        return false;
    }
    const char *equals = strchr(cache->read_only, '=');
    const char *wanted = equals ? equals + 1 : "true";
    size_t length = equals ? (size_t)(equals - cache->read_only) : strlen(cache->read_only);
    char name[64];
    if (length >= sizeof name) {
        return false;
    }
    memcpy(name, cache->read_only, length);
    name[length] = '\0';
    return wpa_text_is_ci(wpa_outline_with_text(step, name), wanted);
}

static wpa_cache_state when_on(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    bool reads = cache->by_default == WPA_CACHE_RESTORE || is_read_only(step, cache);
    return reads ? WPA_CACHE_STATE_READS : WPA_CACHE_STATE_ON;
}

static wpa_cache_state state_by_default(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    const char *guard =
        cache->default_input ? wpa_outline_with_text(step, cache->default_input) : NULL;
    if (wpa_text_is_ci(guard, "false")) {
        return WPA_CACHE_STATE_OFF;
    }
    switch (cache->by_default) {
    case WPA_CACHE_OFF:
        return WPA_CACHE_STATE_OFF;
    case WPA_CACHE_ON:
    case WPA_CACHE_RESTORE:
        return when_on(step, cache);
    case WPA_CACHE_PACKAGE_MANAGER:
    case WPA_CACHE_LOCKFILE:
        break;
    }
    return WPA_CACHE_STATE_UNKNOWN;
}

/** Is it one of the words that switch the cache off? */
static bool is_off(const wpa_fact_cache *cache, const char *value)
{
    size_t length = strlen(value);
    for (const char *word = cache->off; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strcspn(word, " ") == length && strncasecmp(word, value, length) == 0) {
            return true;
        }
    }
    return false;
}

const char *wpa_caches_off_word(const wpa_fact_cache *cache, wpa_arena *arena)
{
    const char *off = cache->off;
    return off ? wpa_arena_printf(arena, "%.*s", (int)strcspn(off, " "), off) : NULL;
}

wpa_cache_state wpa_caches_state_told(const wpa_outline_step *step, const wpa_fact_cache *cache,
                                      const char *value)
{
    bool has_version = wpa_outline_major(&step->uses) >= 0 || (!cache->since && cache->until > 99);
    if (cache->only_with && !wpa_outline_with(step, cache->only_with)) {
        return WPA_CACHE_STATE_OFF;
    }
    if (!value || !*value) {
        return has_version ? state_by_default(step, cache) : WPA_CACHE_STATE_UNKNOWN;
    }
    if (is_off(cache, value)) {
        return WPA_CACHE_STATE_OFF;
    }
    bool is_flag = cache->off != NULL; /* anything but off is on: true, auto, a folder */
    bool is_on = is_flag || !cache->on ||
                 (strchr(cache->on, '=') ? strcasestr(value, cache->on) != NULL
                                         : wpa_text_is_ci(value, cache->on));
    return is_on ? when_on(step, cache) : WPA_CACHE_STATE_OFF;
}

wpa_cache_state wpa_caches_state(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    if (!wpa_outline_step_uses(step, cache->action)) {
        return WPA_CACHE_STATE_NONE;
    }
    bool is_open = wpa_yaml_find(step->node, "with") && !step->with;
    const wpa_yaml_node *input = cache->input ? wpa_outline_with(step, cache->input) : NULL;
    const char *value = wpa_yaml_text(input);
    bool is_unknown = is_open || (input && !value) || wpa_outline_has_expression(value);
    return is_unknown ? WPA_CACHE_STATE_UNKNOWN : wpa_caches_state_told(step, cache, value);
}

const wpa_fact_cache *wpa_caches_find(const wpa_outline_step *step, wpa_cache_state state)
{
    size_t at = 0;
    const wpa_fact_cache *cache;
    while ((cache = wpa_caches_next(step, &at))) {
        if (wpa_caches_state(step, cache) == state) {
            return cache;
        }
    }
    return NULL;
}

/* The words of an install in order, with options of the command's own between them. */
static bool is_install(const wpa_shell_command *command, const char *install)
{
    size_t at = command->first;
    bool is_name = true;
    while (*install) {
        size_t length = strcspn(install, " ");
        wpa_slice wanted = {install, length};
        if (is_name && !wpa_slice_is(wanted, command->name)) {
            return false;
        }
        while (!is_name && at < command->n_words &&
               !wpa_slice_is(wanted, command->words[at].text)) {
            if (command->words[at].text[0] != '-') {
                return false;
            }
            at++;
        }
        if (at >= command->n_words) {
            return false;
        }
        at++;
        is_name = false;
        install += length + (install[length] == ' ');
    }
    return true;
}

const wpa_shell_command *wpa_caches_install(const wpa_outline_step *step,
                                            const wpa_fact_cache *cache)
{
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *command = &step->script->commands[i];
        for (size_t k = 0; cache->installs[k]; k++) {
            if (*cache->installs[k] != *command->name) {
                continue; /* the name is its first word */
            }
            bool is_bare = !strchr(cache->installs[k], ' ');
            bool is_other = is_bare && wpa_text_is(command->name, "yarn") &&
                            wpa_shell_argument(command, 0); /* "yarn test" installs nothing */
            if (!is_other && is_install(command, cache->installs[k])) {
                return command;
            }
        }
    }
    return NULL;
}

/* The part of a folder's name that stays whatever the home folder is called. */
static wpa_slice tail_of(const char *folder)
{
    const char *at = wpa_text_starts(folder, "~/") ? folder + 2 : folder;
    return wpa_slice_of(at);
}

static bool is_same_folder(wpa_slice path, const char *folder)
{
    wpa_slice tail = tail_of(folder);
    for (size_t i = 0; i + tail.length <= path.length; i++) {
        bool is_start = i == 0 || path.at[i - 1] == '/' || path.at[i - 1] == '\\';
        size_t end = i + tail.length;
        bool is_end = end == path.length || strchr("/\\*", path.at[end]);
        if (is_start && is_end && memcmp(path.at + i, tail.at, tail.length) == 0) {
            return true;
        }
    }
    /* A folder around it, as "~/.gradle" around "~/.gradle/caches". */
    wpa_slice own =
        path.length > 2 && path.at[0] == '~' ? (wpa_slice){path.at + 2, path.length - 2} : path;
    return own.length > 2 && own.length < tail.length && tail.at[own.length] == '/' &&
           memcmp(tail.at, own.at, own.length) == 0;
}

bool wpa_caches_covers(const wpa_fact_cache *cache, const char *paths)
{
    while (paths && *paths) {
        paths += strspn(paths, " \t\r\n");
        size_t length = strcspn(paths, "\n");
        size_t end = length;
        while (end && strchr(" \t\r/", paths[end - 1])) {
            end--;
        }
        for (size_t i = 0; end && paths[0] != '!' && cache->paths[i]; i++) {
            if (is_same_folder((wpa_slice){paths, end}, cache->paths[i])) {
                return true;
            }
        }
        paths += length;
    }
    return false;
}
