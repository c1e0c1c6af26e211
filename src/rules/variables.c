#include "rules/variables.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "facts/commands.h"
#include "rules/work.h"

static wpa_variable_readers readers_of_action(const wpa_outline_step *step)
{
    if (step->uses.kind != WPA_OUTLINE_REPOSITORY) {
        return WPA_READERS_ANY;
    }
    const wpa_yaml_node *javascript = wpa_outline_with(step, "script");
    if (wpa_work_mentions(javascript, "require(") || wpa_work_mentions(javascript, "exec") ||
        wpa_work_mentions(javascript, "import(")) {
        return WPA_READERS_ANY;
    }
    static const char *const closed[] = {
        "actions/checkout",      "actions/upload-artifact", "actions/download-artifact",
        "actions/github-script", "actions/cache",           "actions/stale",
        "actions/labeler"};
    bool is_known = false;
    for (size_t i = 0; i < WPA_COUNT(closed) && !is_known; i++) {
        is_known = wpa_outline_step_uses(step, closed[i]);
    }
    return is_known ? WPA_READERS_NONE : WPA_READERS_ACTION;
}

wpa_variable_readers wpa_variables_readers(const wpa_outline_step *step)
{
    static const char *const whole[] = {"${!", "compgen", "declare -", "typeset", "eval ", NULL};
    if (!step->run) {
        return readers_of_action(step);
    }
    const wpa_script *script = step->script;
    if (!script || !script->is_readable) {
        return WPA_READERS_ANY;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_env = !*c->name && c->n_words && wpa_text_is(c->words[0].text, "env");
        bool is_own = c->first < c->n_words && strchr(c->words[c->first].text, '/');
        if (is_env || is_own || (*c->name && !(c->known & WPA_KNOWN_CLOSED))) {
            return WPA_READERS_ANY;
        }
    }
    return wpa_work_mentions_any(step->run, whole) ? WPA_READERS_ANY : WPA_READERS_NONE;
}

static bool is_variable_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool wpa_variable_is_named(wpa_slice in, const wpa_yaml_doc *doc, wpa_span own, const char *name)
{
    size_t length = strlen(name);
    const char *end = in.at + in.length;
    for (const char *at = in.at;
         length && (at = wpa_text_find_slice(at, (size_t)(end - at), (wpa_slice){name, length}));
         at += length) {
        size_t offset = (size_t)(at - doc->source);
        bool is_own = offset >= own.start && offset < own.end;
        bool is_whole = !is_variable_char(at[length]) && (at == in.at || !is_variable_char(at[-1]));
        if (is_whole && !is_own) {
            return true;
        }
    }
    return false;
}

/* ---- names
 * -------------------------------------------------------------------------------------*/

/* Variables that the runner sets to the same value anyway. */
static const char *const defaults[][2] = {
    {"github.head_ref", "GITHUB_HEAD_REF"}, {"github.ref_name", "GITHUB_REF_NAME"},
    {"github.base_ref", "GITHUB_BASE_REF"}, {"github.ref", "GITHUB_REF"},
    {"github.actor", "GITHUB_ACTOR"},       {"github.triggering_actor", "GITHUB_TRIGGERING_ACTOR"},
};

const char *wpa_variable_set(const char *expression)
{
    for (size_t i = 0; i < WPA_COUNT(defaults); i++) {
        if (wpa_text_is_ci(expression, defaults[i][0])) {
            return defaults[i][1];
        }
    }
    /* What env holds is there as a variable. */
    bool is_env = strncasecmp(expression, "env.", 4) == 0 && !strpbrk(expression, " []()*-");
    return is_env ? expression + 4 : NULL;
}

const char *wpa_variable_name(const char *path, wpa_arena *arena)
{
    static const char *const prefixes[] = {"github.event.", "github.", "env.", "secrets."};
    for (size_t i = 0; i < WPA_COUNT(prefixes); i++) {
        if (strncasecmp(path, prefixes[i], strlen(prefixes[i])) == 0) {
            path += strlen(prefixes[i]);
            break;
        }
    }
    char *name = wpa_arena_text(arena, path);
    for (char *c = name; *c; c++) {
        *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    }
    bool is_reserved = wpa_text_starts(name, "GITHUB_") && !wpa_text_is(name, "GITHUB_TOKEN");
    bool is_bad = isdigit((unsigned char)name[0]) || is_reserved ||
                  wpa_text_starts(name, "RUNNER_") || !*name;
    return is_bad ? wpa_arena_printf(arena, "VALUE_%s", name) : name;
}

bool wpa_variable_holds_list(wpa_slice name)
{
    static const char *const ends[] = {
        "ARGS",  "FLAGS", "FLAG", "OPTIONS",   "OPTS",    "PARAMS", "ARGUMENTS", "PACKAGES", "PKGS",
        "FILES", "DEPS",  "LIBS", "FILENAMES", "TARGETS", "EXTRAS", "IMAGES",    "FEATURES"};
    for (size_t i = 0; i < WPA_COUNT(ends); i++) {
        size_t length = strlen(ends[i]);
        if (name.length >= length &&
            strncasecmp(name.at + name.length - length, ends[i], length) == 0) {
            return true;
        }
    }
    return false;
}
