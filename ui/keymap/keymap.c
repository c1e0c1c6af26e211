#include "keymap/keymap.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
#define LISTS (WPA_IN_LIST | WPA_IN_DETAIL)
static const wpa_verb_info infos[WPA_VERB_COUNT] = {
    [WPA_VERB_NONE] = {"none", "", "", WPA_GROUP_MOVE, 0, false, WPA_ACTION_READ},
    [WPA_VERB_DOWN] = {"down", "down", "down", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_UP] = {"up", "up", "up", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_LEFT] = {"left", "left", "left", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_RIGHT] = {"right", "right", "right", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_HALF_DOWN] = {"half-down", "half page", "half a page down", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_HALF_UP] = {"half-up", "half page", "half a page up", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_PAGE_DOWN] = {"page-down", "page", "page down", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_PAGE_UP] = {"page-up", "page", "page up", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_FIRST] = {"first", "top", "first row", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_LAST] = {"last", "bottom", "last row", WPA_GROUP_MOVE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_NEXT_PANE] = {"next-pane", "pane", "next pane", WPA_GROUP_MOVE, WPA_IN_PANES, false, WPA_ACTION_READ},
    [WPA_VERB_PREVIOUS_PANE] = {"previous-pane", "pane", "previous pane", WPA_GROUP_MOVE, WPA_IN_PANES, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_1] = {"dash", "dash", "view 1, dashboard", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_2] = {"workflows", "workflows", "view 2, workflows", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_3] = {"findings", "findings", "view 3, findings", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_4] = {"patches", "patches", "view 4, patches", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_5] = {"deploys", "deploys", "view 5, deploys", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_6] = {"map", "map", "view 6, map", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_7] = {"runs", "runs", "view 7, runs", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_VIEW_8] = {"audit", "audit", "view 8, audit log", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_OPEN] = {"open", "open", "open what is selected", WPA_GROUP_ACT, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_BACK] = {"back", "back", "back; cancel", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_PREVIOUS_SIBLING] = {"previous", "prev", "previous of its kind", WPA_GROUP_MOVE, WPA_IN_DETAIL, false, WPA_ACTION_READ},
    [WPA_VERB_NEXT_SIBLING] = {"next", "next", "next of its kind", WPA_GROUP_MOVE, WPA_IN_DETAIL, false, WPA_ACTION_READ},
    [WPA_VERB_PREVIOUS_PLACE] = {"previous-place", "place", "previous place or hunk", WPA_GROUP_MOVE, WPA_IN_SOURCE, false, WPA_ACTION_READ},
    [WPA_VERB_NEXT_PLACE] = {"next-place", "place", "next place or hunk", WPA_GROUP_MOVE, WPA_IN_SOURCE, false, WPA_ACTION_READ},
    [WPA_VERB_FILTER] = {"filter", "filter", "filter a list, search a text", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_NEXT_MATCH] = {"next-match", "next match", "next match", WPA_GROUP_MOVE, WPA_IN_DETAIL | WPA_IN_DIFF, false, WPA_ACTION_READ},
    [WPA_VERB_PREVIOUS_MATCH] = {"previous-match", "previous match", "previous match", WPA_GROUP_MOVE, WPA_IN_DETAIL | WPA_IN_DIFF, false, WPA_ACTION_READ},
    [WPA_VERB_COMMAND] = {"command", "command", "command line", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_HELP] = {"help", "help", "this help", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_MARK] = {"mark", "mark", "mark, unmark the row", WPA_GROUP_ACT, WPA_IN_LIST, false, WPA_ACTION_READ},
    [WPA_VERB_MARK_ALL] = {"mark-all", "mark all", "mark all that match, or none", WPA_GROUP_ACT, WPA_IN_LIST, false, WPA_ACTION_READ},
    [WPA_VERB_SORT] = {"sort", "sort", "sort by the next column", WPA_GROUP_ACT, WPA_IN_LIST, false, WPA_ACTION_READ},
    [WPA_VERB_SORT_TURN] = {"sort-turn", "turn", "turn the order", WPA_GROUP_ACT, WPA_IN_LIST, false, WPA_ACTION_READ},
    [WPA_VERB_MORE] = {"more", "more", "more context", WPA_GROUP_ACT, WPA_IN_SOURCE, false, WPA_ACTION_READ},
    [WPA_VERB_LESS] = {"less", "less", "less context", WPA_GROUP_ACT, WPA_IN_SOURCE, false, WPA_ACTION_READ},
    [WPA_VERB_TABLE] = {"table", "table", "the map as a table, and back", WPA_GROUP_ACT, WPA_IN_MAP, false, WPA_ACTION_READ},
    [WPA_VERB_ZOOM] = {"zoom", "zoom", "pane full screen, and back", WPA_GROUP_ACT, WPA_IN_PANES, false, WPA_ACTION_READ},
    [WPA_VERB_SCOPE] = {"scope", "scope", "narrow the console to this workflow; again lifts it", WPA_GROUP_ACT, WPA_ON_WORKFLOW, false, WPA_ACTION_READ},
    [WPA_VERB_FREEZE] = {"freeze", "freeze", "freeze the view, and back", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_DIFF] = {"diff", "diff", "what the patch changes", WPA_GROUP_ACT, WPA_ON_FINDING | WPA_ON_PATCH | WPA_ON_DEPLOYMENT, false, WPA_ACTION_READ},
    [WPA_VERB_LOG] = {"log", "log", "its log", WPA_GROUP_ACT, WPA_ON_DEPLOYMENT | WPA_ON_JOB, false, WPA_ACTION_READ},
    [WPA_VERB_PATCH] = {"patch", "patch", "make a patch, or open the one there is", WPA_GROUP_ACT, WPA_ON_FINDING, false, WPA_ACTION_CREATE_PATCH},
    [WPA_VERB_ANALYSE] = {"analyse", "analyse", "analyse the workflow", WPA_GROUP_ACT, WPA_ON_WORKFLOW, false, WPA_ACTION_ORDER_ANALYSIS},
    [WPA_VERB_TEST] = {"test", "test", "test the patch, or where notices go", WPA_GROUP_ACT, WPA_ON_PATCH | WPA_ON_FINDING | WPA_ON_DESTINATION, false, WPA_ACTION_ORDER_TEST},
    [WPA_VERB_IGNORE] = {"ignore", "ignore", "ignore, with a reason and an end date", WPA_GROUP_ACT, WPA_ON_FINDING, false, WPA_ACTION_IGNORE_FINDING},
    [WPA_VERB_COMMENT] = {"comment", "comment", "comment", WPA_GROUP_ACT, WPA_ON_FINDING | WPA_ON_PATCH, false, WPA_ACTION_COMMENT},
    [WPA_VERB_COPY] = {"copy", "copy", "copy the id, or the hunk", WPA_GROUP_ACT, WPA_ON_OBJECT | WPA_IN_DIFF | WPA_IN_MAP, false, WPA_ACTION_READ},
    [WPA_VERB_COPY_ROW] = {"copy-row", "copy row", "copy the row", WPA_GROUP_ACT, WPA_ON_OBJECT | WPA_IN_DIFF | WPA_IN_MAP, false, WPA_ACTION_READ},
    [WPA_VERB_REFRESH] = {"read-again", "read again", "read again now", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_THEME] = {"theme", "theme", "next theme", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_MOUSE] = {"mouse", "mouse", "mouse on, off; Shift-drag selects text", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_NOTICES] = {"notices", "notices", "notices", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_JOBS] = {"jobs", "jobs", "jobs", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_DESTINATIONS] = {"destinations", "where to", "where notices go", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_RETRY] = {"retry", "retry", "send again what was given up", WPA_GROUP_ACT, WPA_ON_DESTINATION, false, WPA_ACTION_CONTROL_JOBS},
    [WPA_VERB_WRAP] = {"wrap", "wrap", "wrap long lines", WPA_GROUP_ACT, WPA_IN_DIFF, false, WPA_ACTION_READ},
    [WPA_VERB_WHITESPACE] = {"whitespace", "spaces", "hide changes of blanks only", WPA_GROUP_ACT, WPA_IN_DIFF, false, WPA_ACTION_READ},
    [WPA_VERB_SIDE_BY_SIDE] = {"side-by-side", "side by side", "old and new side by side, from 120 columns", WPA_GROUP_ACT, WPA_IN_DIFF, false, WPA_ACTION_READ},
    [WPA_VERB_APPROVE] = {"approve", "approve", "approve the patch", WPA_GROUP_ACT, WPA_ON_PATCH, true, WPA_ACTION_APPROVE_PATCH},
    [WPA_VERB_DEPLOY] = {"deploy", "deploy", "deploy the patch, in stages", WPA_GROUP_ACT, WPA_ON_PATCH, true, WPA_ACTION_START_DEPLOYMENT},
    [WPA_VERB_HOLD] = {"hold", "hold", "hold, resume", WPA_GROUP_ACT, WPA_ON_DEPLOYMENT, true, WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_VERB_ROLL_BACK] = {"roll-back", "roll back", "roll back now *", WPA_GROUP_ACT, WPA_ANYWHERE, true, WPA_ACTION_ROLL_BACK},
    [WPA_VERB_REJECT] = {"reject", "reject", "reject a patch, stop its test or a job", WPA_GROUP_ACT, WPA_ON_PATCH | WPA_ON_JOB, true, WPA_ACTION_APPROVE_PATCH},
    [WPA_VERB_ACKNOWLEDGE] = {"acknowledge", "acknowledge", "acknowledge the alarm", WPA_GROUP_ACT, WPA_ANYWHERE, true, WPA_ACTION_CONTROL_DEPLOYMENT},
    [WPA_VERB_QUIT] = {"quit", "quit", "leave", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_REPAINT] = {"repaint", "repaint", "repaint everything", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_INTERRUPT] = {"interrupt", "stop", "stop waiting; twice leaves", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_SUSPEND] = {"suspend", "suspend", "suspend to the shell", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
    [WPA_VERB_NOT_REFRESH] = {"not-refresh", "", "says which keys read again and roll back", WPA_GROUP_EVERYWHERE, WPA_ANYWHERE, false, WPA_ACTION_READ},
};

static const struct {
    const char *key;
    wpa_verb verb;
} built_in[] = {
    {"j", WPA_VERB_DOWN}, {"Down", WPA_VERB_DOWN}, {"k", WPA_VERB_UP}, {"Up", WPA_VERB_UP},
    {"h", WPA_VERB_LEFT}, {"Left", WPA_VERB_LEFT}, {"l", WPA_VERB_RIGHT}, {"Right", WPA_VERB_RIGHT},
    {"Ctrl-D", WPA_VERB_HALF_DOWN}, {"Ctrl-U", WPA_VERB_HALF_UP},
    {"PgDn", WPA_VERB_PAGE_DOWN}, {"PgUp", WPA_VERB_PAGE_UP},
    {"g", WPA_VERB_FIRST}, {"Home", WPA_VERB_FIRST}, {"G", WPA_VERB_LAST}, {"End", WPA_VERB_LAST},
    {"Tab", WPA_VERB_NEXT_PANE}, {"Shift-Tab", WPA_VERB_PREVIOUS_PANE},
    {"1", WPA_VERB_VIEW_1}, {"2", WPA_VERB_VIEW_2}, {"3", WPA_VERB_VIEW_3}, {"4", WPA_VERB_VIEW_4},
    {"5", WPA_VERB_VIEW_5}, {"6", WPA_VERB_VIEW_6}, {"7", WPA_VERB_VIEW_7}, {"8", WPA_VERB_VIEW_8},
    {"Enter", WPA_VERB_OPEN}, {"Esc", WPA_VERB_BACK}, {"Backspace", WPA_VERB_BACK},
    {"[", WPA_VERB_PREVIOUS_SIBLING}, {"]", WPA_VERB_NEXT_SIBLING},
    {"{", WPA_VERB_PREVIOUS_PLACE}, {"}", WPA_VERB_NEXT_PLACE},
    {"/", WPA_VERB_FILTER}, {"n", WPA_VERB_NEXT_MATCH}, {"N", WPA_VERB_PREVIOUS_MATCH},
    {":", WPA_VERB_COMMAND}, {"?", WPA_VERB_HELP}, {"F1", WPA_VERB_HELP},
    {"Space", WPA_VERB_MARK}, {"*", WPA_VERB_MARK_ALL},
    {"s", WPA_VERB_SORT}, {"S", WPA_VERB_SORT_TURN}, {"+", WPA_VERB_MORE}, {"-", WPA_VERB_LESS},
    {"=", WPA_VERB_TABLE},
    {"z", WPA_VERB_ZOOM}, {".", WPA_VERB_SCOPE}, {"F", WPA_VERB_FREEZE},
    {"d", WPA_VERB_DIFF}, {"L", WPA_VERB_LOG}, {"p", WPA_VERB_PATCH}, {"a", WPA_VERB_ANALYSE},
    {"t", WPA_VERB_TEST}, {"i", WPA_VERB_IGNORE}, {"c", WPA_VERB_COMMENT},
    {"y", WPA_VERB_COPY}, {"Y", WPA_VERB_COPY_ROW}, {"Ctrl-R", WPA_VERB_REFRESH},
    {"F5", WPA_VERB_REFRESH}, {"T", WPA_VERB_THEME}, {"F2", WPA_VERB_THEME},
    {"m", WPA_VERB_MOUSE},
    {"!", WPA_VERB_NOTICES}, {"J", WPA_VERB_JOBS}, {"O", WPA_VERB_DESTINATIONS}, {"x", WPA_VERB_RETRY},
    {"w", WPA_VERB_WRAP},
    {"W", WPA_VERB_WHITESPACE}, {"|", WPA_VERB_SIDE_BY_SIDE},
    {"A", WPA_VERB_APPROVE}, {"D", WPA_VERB_DEPLOY}, {"H", WPA_VERB_HOLD},
    {"R", WPA_VERB_ROLL_BACK}, {"X", WPA_VERB_REJECT}, {"K", WPA_VERB_ACKNOWLEDGE},
    {"q", WPA_VERB_QUIT}, {"Ctrl-L", WPA_VERB_REPAINT}, {"Ctrl-C", WPA_VERB_INTERRUPT},
    {"Ctrl-Z", WPA_VERB_SUSPEND}, {"r", WPA_VERB_NOT_REFRESH},
};

/* Multiplexers, flow control, and bytes that are other keys too. */
static const char *const never_bound[] = {
    "Ctrl-A", "Ctrl-B", "Ctrl-S", "Ctrl-Q", "Ctrl-V", "Ctrl-O", "Ctrl-Y", "Ctrl-H", "Ctrl-I",
    "Ctrl-J", "Ctrl-M",
};
/* clang-format on */

const wpa_verb_info *wpa_verb_info_of(wpa_verb verb)
{
    return &infos[verb < WPA_VERB_COUNT ? verb : WPA_VERB_NONE];
}

void wpa_keymap_init(wpa_keymap *map)
{
    map->n = 0;
    for (size_t i = 0; i < WPA_COUNT(built_in); i++) {
        wpa_binding *binding = &map->bindings[map->n];
        binding->verb = built_in[i].verb;
        map->n += wpa_key_parse(built_in[i].key, &binding->key);
    }
}

const char *wpa_verb_hint(wpa_verb verb, unsigned contexts)
{
    bool is_stop = verb == WPA_VERB_REJECT && contexts & WPA_ON_JOB;
    return is_stop ? "stop" : wpa_verb_info_of(verb)->hint;
}

wpa_verb wpa_verb_named(const char *name)
{
    for (int i = WPA_VERB_NONE + 1; i < WPA_VERB_COUNT; i++) {
        if (wpa_text_is(infos[i].name, name)) {
            return (wpa_verb)i;
        }
    }
    return WPA_VERB_NONE;
}

static bool read_verb(const wpa_yaml_node *node, wpa_verb *verb, wpa_error *err)
{
    const char *names[WPA_VERB_COUNT];
    for (int i = 0; i < WPA_VERB_COUNT; i++) {
        names[i] = infos[i].name;
    }
    const char *name = wpa_yaml_text(node);
    *verb = wpa_verb_named(name);
    if (*verb == WPA_VERB_NONE) {
        const char *near = wpa_text_nearest(name ? name : "", names, WPA_VERB_COUNT);
        return wpa_yaml_fail(node, err, "keys: there is no command '%s'%s%s%s", name ? name : "",
                             near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return true;
}

static bool check_key(const wpa_yaml_node *at, const char *text, wpa_verb verb, wpa_key *key,
                      wpa_error *err)
{
    if (!wpa_key_parse(text, key)) {
        return wpa_yaml_fail(at, err, "keys: '%s' is no key", text);
    }
    if (wpa_text_index(text, never_bound, WPA_COUNT(never_bound)) >= 0) {
        return wpa_yaml_fail(at, err, "keys: '%s' is never bound (multiplexer, flow control)",
                             text);
    }
    bool is_plain = key->code != WPA_KEY_CHAR || key->character < 'A' || key->character > 'Z';
    if (infos[verb].is_changing && is_plain) {
        return wpa_yaml_fail(at, err,
                             "keys: '%s' changes the fleet and needs a capital letter, not '%s'",
                             infos[verb].name, text);
    }
    return true;
}

static void unbind(wpa_keymap *map, wpa_verb verb)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (map->bindings[i].verb != verb) {
            map->bindings[kept++] = map->bindings[i];
        }
    }
    map->n = kept;
}

/* Two verbs on one key where both could be meant. */
static bool check_doubles(const wpa_keymap *map, const wpa_yaml_node *keys, wpa_error *err)
{
    for (size_t i = 0; i < map->n; i++) {
        for (size_t k = i + 1; k < map->n; k++) {
            const wpa_binding *a = &map->bindings[i], *b = &map->bindings[k];
            unsigned common = infos[a->verb].contexts & infos[b->verb].contexts;
            bool meets = common != 0 ||
                         ((infos[a->verb].contexts | infos[b->verb].contexts) & WPA_ANYWHERE) != 0;
            if (a->verb != b->verb && meets && wpa_key_is(&a->key, &b->key)) {
                char text[32];
                return wpa_yaml_fail(keys, err, "keys: '%s' is both '%s' and '%s'",
                                     wpa_key_text(&a->key, text, sizeof text), infos[a->verb].name,
                                     infos[b->verb].name);
            }
        }
    }
    return true;
}

bool wpa_keymap_apply(wpa_keymap *map, const wpa_yaml_node *keys, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_keymap changed = *map;
    for (size_t i = 0; i < keys->n_pairs; i++) {
        wpa_verb verb = WPA_VERB_NONE;
        const char *const *texts = NULL;
        size_t n = 0;
        if (!read_verb(keys->pairs[i].key, &verb, err) ||
            !wpa_yaml_get_texts(keys, infos[verb].name, arena, &texts, &n, err)) {
            return false;
        }
        unbind(&changed, verb);
        for (size_t k = 0; k < n; k++) {
            wpa_key key = {0};
            if (!check_key(keys->pairs[i].value, texts[k], verb, &key, err)) {
                return false;
            }
            if (changed.n == WPA_BINDINGS_MAX) {
                return wpa_yaml_fail(keys, err, "keys: more than %d", WPA_BINDINGS_MAX);
            }
            changed.bindings[changed.n++] = (wpa_binding){.key = key, .verb = verb};
        }
    }
    if (!check_doubles(&changed, keys, err)) {
        return false;
    }
    *map = changed;
    return true;
}

wpa_verb wpa_keymap_find(const wpa_keymap *map, const wpa_key *key, unsigned contexts)
{
    for (size_t i = 0; i < map->n; i++) {
        if (wpa_key_is(&map->bindings[i].key, key) &&
            infos[map->bindings[i].verb].contexts & (contexts | WPA_ANYWHERE)) {
            return map->bindings[i].verb;
        }
    }
    return WPA_VERB_NONE;
}

char *wpa_keymap_key(const wpa_keymap *map, wpa_verb verb, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; i < map->n; i++) {
        if (map->bindings[i].verb == verb) {
            return wpa_key_text(&map->bindings[i].key, text, size_bytes);
        }
    }
    return text;
}

char *wpa_keymap_keys(const wpa_keymap *map, wpa_verb verb, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; i < map->n; i++) {
        if (map->bindings[i].verb == verb) {
            char one[32];
            size_t used = strlen(text);
            (void)wpa_text_format(text + used, size_bytes - used, "%s%s", used ? " " : "",
                                  wpa_key_text(&map->bindings[i].key, one, sizeof one));
        }
    }
    return text;
}
