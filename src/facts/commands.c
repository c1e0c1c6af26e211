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

/* ---- patterns ----------------------------------------------------------------------------------
 */

/* "*" is any characters; both ends are given, so it is linear but for the stars, which are few. */
static bool glob_fits(wpa_slice glob, const char *text)
{
    const char *g = glob.at, *end = glob.at + glob.length, *star = NULL, *mark = NULL;
    while (*text) {
        if (g < end && *g == '*') {
            star = g++;
            mark = text;
        } else if (g < end && *g == *text) {
            g++;
            text++;
        } else if (star) {
            g = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (g < end && *g == '*') {
        g++;
    }
    return g == end;
}

/* One of the choices "a|b" fits the text; skip is what each leaves off at its front. */
static bool choice_fits(wpa_slice choices, const char *text, size_t skip)
{
    while (choices.length) {
        const char *bar = memchr(choices.at, '|', choices.length);
        size_t length = bar ? (size_t)(bar - choices.at) : choices.length;
        char first = length > skip ? choices.at[skip] : '\0';
        if (length >= skip && (first == *text || first == '*') && /* few begin alike */
            glob_fits((wpa_slice){choices.at + skip, length - skip}, text)) {
            return true;
        }
        size_t taken = length + (bar ? 1 : 0);
        choices = (wpa_slice){choices.at + taken, choices.length - taken};
    }
    return false;
}

static bool any_fits(wpa_slice choices, const char *const words[], size_t n, size_t skip)
{
    for (size_t i = 0; i < n; i++) {
        if (choice_fits(choices, words[i], skip)) {
            return true;
        }
    }
    return false;
}

/* Options that many programs share and that take the next word. */
static bool takes_next(const char *option)
{
    static const char letters[] = "CcfFpw";
    static const char *const words[] = {"--prefix",    "--dir",       "--cwd",
                                        "--directory", "--project",   "--file",
                                        "--filter",    "--workspace", "--manifest-path"};
    return option[0] == '-' && option[1] &&
           (option[1] == '-' ? wpa_text_index(option, words, WPA_COUNT(words)) >= 0
                             : !option[2] && strchr(letters, option[1]));
}

/* Index of the next argument at or behind i, n if there is none. */
static size_t next_argument(const char *const words[], size_t n, size_t i)
{
    while (i < n && (words[i][0] == '-' || words[i][0] == '+')) {
        i += i + 2 < n && takes_next(words[i]) ? 2 : 1;
    }
    return i < n ? i : n;
}

/* As wpa_facts_command_fits, whose words are one blank apart; *behind is one more than the last
 * word that the pattern took. */
static bool pattern_fits(const char *pattern, const char *const words[], size_t n, size_t *behind)
{
    size_t at = 0;
    *behind = 0;
    while (*pattern) {
        const char *end = strchrnul(pattern, ' ');
        size_t length = (size_t)(end - pattern);
        wpa_slice choices = {pattern, length};
        pattern = end + (*end == ' ');
        if (choices.at[0] == '-') {
            if (!any_fits(choices, words, n, 0)) {
                return false;
            }
            continue;
        }
        if (length > 2 && memcmp(choices.at, "**", 2) == 0) {
            if (!any_fits(choices, words, n, 2)) {
                return false;
            }
            continue;
        }
        at = next_argument(words, n, at);
        if (at >= n || !choice_fits(choices, words[at], 0)) {
            return false;
        }
        *behind = ++at;
    }
    return true;
}

char wpa_fact_first_letter(const char *const words[], size_t n)
{
    size_t at = next_argument(words, n, 0);
    return at < n ? *words[at] : '\0';
}

bool wpa_fact_may_fit(const char *pattern, char first)
{
    if (!*pattern || *pattern == '-' || *pattern == '*') {
        return true; /* it looks elsewhere, or at nothing */
    }
    bool begins = true;
    for (; *pattern && *pattern != ' '; pattern++) {
        if (begins && (*pattern == first || *pattern == '*')) {
            return true;
        }
        begins = *pattern == '|';
    }
    return false;
}

bool wpa_facts_command_fits(const char *pattern, const char *const words[], size_t n)
{
    size_t behind;
    return pattern_fits(pattern, words, n, &behind);
}

/* ---- rows --------------------------------------------------------------------------------------
 */

/* What is asked of a command's words for each row of its program. */
typedef struct command_words {
    const char *const *at; /* [n] */
    size_t n, first;       /* index of the first argument, n: there is none */
    uint32_t firsts;       /* wpa_fact_first_bit of all of them */
} command_words;

static command_words words_of(const char *const words[], size_t n)
{
    command_words all = {words, n, next_argument(words, n, 0), 0};
    for (size_t i = 0; i < n; i++) {
        all.firsts |= wpa_fact_first_bit(words[i]);
    }
    return all;
}

static bool word_fits(const wpa_fact_pattern_word *wanted, const char *word)
{
    bool may_fit = (wanted->firsts & wpa_fact_first_bit(word)) != 0;
    for (size_t i = 0; may_fit && i < wanted->n; i++) {
        const wpa_fact_choice *choice = &wanted->choices[i];
        if (choice->is_open ? glob_fits((wpa_slice){choice->text, choice->length}, word)
                            : *choice->text == *word && wpa_text_is(choice->text, word)) {
            return true;
        }
    }
    return false;
}

static bool any_word_fits(const wpa_fact_pattern_word *wanted, const command_words *words)
{
    bool may_fit = (wanted->firsts & words->firsts) != 0;
    for (size_t i = 0; may_fit && i < words->n; i++) {
        if (word_fits(wanted, words->at[i])) {
            return true;
        }
    }
    return false;
}

/* As pattern_fits, of a pattern that is read already. */
static bool row_fits(const wpa_fact_command *row, const command_words *words)
{
    size_t at = words->first;
    for (size_t i = 0; i < row->n_words; i++) {
        const wpa_fact_pattern_word *wanted = &row->words[i];
        if (wanted->is_anywhere) {
            if (!any_word_fits(wanted, words)) {
                return false;
            }
            continue;
        }
        if (at >= words->n || !word_fits(wanted, words->at[at])) {
            return false;
        }
        at = i + 1 < row->n_words ? next_argument(words->at, words->n, at + 1) : words->n;
    }
    return !row->bare || words->n == 0;
}

static unsigned own_roles(const char *name, const char *const words[], size_t n)
{
    unsigned roles = 0;
    size_t i = wpa_facts_program_row(WPA_COLUMN_COMMANDS, name);
    if (i >= wpa_fact_n_commands) {
        return 0;
    }
    const command_words all = words_of(words, n);
    for (; i < wpa_fact_n_commands && wpa_text_is(wpa_fact_commands[i].program, name); i++) {
        const wpa_fact_command *row = &wpa_fact_commands[i];
        roles |= row_fits(row, &all) ? row->roles : 0;
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
    for (size_t i = wpa_facts_program_row(WPA_COLUMN_LAUNCHERS, name), behind;
         i < wpa_fact_n_launchers && wpa_text_is(wpa_fact_launchers[i].program, name); i++) {
        const wpa_fact_launcher *row = &wpa_fact_launchers[i];
        if (pattern_fits(row->words ? row->words : "", words, n, &behind)) {
            for (; behind < n && words[behind][0] == '-'; behind++) {
                behind += wpa_fact_list_has(row->with_value, wpa_slice_of(words[behind]));
            }
            return behind < n ? behind : n;
        }
    }
    return n;
}

unsigned wpa_facts_command_roles(const char *name, const char *const words[], size_t n)
{
    unsigned known = wpa_facts_program_known(name);
    unsigned roles = known & WPA_KNOWN_ROLES ? own_roles(name, words, n) : 0;
    for (int depth = 0; depth < 3; depth++) {
        size_t at = known & WPA_KNOWN_LAUNCHER ? launched_at(name, words, n) : n;
        if (at >= n) {
            break;
        }
        name = base_name(words[at]);
        words += at + 1;
        n -= at + 1;
        known = wpa_facts_program_known(name);
        roles |= known & WPA_KNOWN_ROLES ? own_roles(name, words, n) : 0;
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
    char first = wpa_fact_first_letter(words, n);
    *behind = 0;
    for (size_t i = wpa_facts_program_row(WPA_COLUMN_INSTALLERS, name);
         i < wpa_fact_n_installers && wpa_text_is(wpa_fact_installers[i].program, name); i++) {
        const wpa_fact_installer *row = &wpa_fact_installers[i];
        const char *pattern = row->words ? row->words : "";
        size_t taken = 0;
        if (wpa_fact_may_fit(pattern, first) && pattern_fits(pattern, words, n, &taken) &&
            (!best || taken > *behind)) {
            best = row;
            *behind = taken;
        }
    }
    return best;
}

bool wpa_facts_is_closed_program(const char *name)
{
    return wpa_facts_program_row(WPA_COLUMN_CLOSED_PROGRAMS, name) != WPA_NO_ROW;
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
        if ((end == last || end == '*') && glob_fits(all, name)) {
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
    for (size_t i = 0; i < wpa_fact_n_tree_programs; i++) {
        const wpa_fact_tree_program *row = &wpa_fact_tree_programs[i];
        if (wpa_text_is(row->program, name) &&
            (!row->words || wpa_facts_command_fits(row->words, words, n))) {
            return row->file;
        }
    }
    return NULL;
}
