/* Which program a command runs, behind assignments and wrappers, and what is asked about it. */
#include "rules/shell_name.h"

#include <string.h>

#include "facts/commands.h"

static bool is_assignment(const char *word)
{
    size_t n = wpa_text_name_length(word);
    return n && !(word[0] >= '0' && word[0] <= '9') &&
           (word[n] == '=' || (word[n] == '+' && word[n + 1] == '='));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* "python3.12" and "pip3.11" are programs as well known as "python3" and "pip3". */
static const char *known_name(const char *name)
{
    static const char *const rows[] = {"python3", "python2", "pip3", "pip2"};
    for (size_t i = 0; *name == 'p' && i < WPA_COUNT(rows); i++) {
        size_t length = strlen(rows[i]);
        if (wpa_text_starts(name, rows[i]) && name[length] == '.' &&
            name[length + 1 + strspn(name + length + 1, "0123456789")] == '\0') {
            return rows[i];
        }
    }
    return name;
}

/* Index behind a wrapper's own options and arguments. */
static size_t skip_wrapper(const wpa_shell_command *c, size_t i, const wpa_fact_wrapper *w)
{
    unsigned arguments = w->arguments;
    for (i++; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (word[0] == '-' && word[1]) {
            bool takes_next =
                word[1] != '-' && !word[2] && w->with_value && strchr(w->with_value, word[1]);
            i += takes_next ? 1 : 0;
        } else if (is_assignment(word)) {
            continue;
        } else if (arguments) {
            arguments--;
        } else {
            break;
        }
    }
    return i;
}

/* "command -v x" runs nothing: it asks whether x is there. Windows has a "timeout /t 5" that waits.
 */
static bool runs_nothing(const wpa_shell_command *c, size_t i)
{
    const char *next = i + 1 < c->n_words ? c->words[i + 1].text : "";
    return (wpa_text_is(c->words[i].text, "command") &&
            (wpa_text_is(next, "-v") || wpa_text_is(next, "-V"))) ||
           (wpa_text_is_ci(c->words[i].text, "timeout") && wpa_text_is_ci(next, "/t"));
}

/* "flock FILE -c CODE": the word behind the option is a script of its own, and no program. */
static bool takes_code(const wpa_shell_command *c, size_t i, size_t next)
{
    bool takes = false;
    for (size_t k = i + 1; wpa_text_is(c->name, "flock") && k < next; k++) {
        const char *word = c->words[k].text;
        takes = takes || wpa_text_is(word, "-c") || wpa_text_is(word, "--command");
    }
    return takes;
}

void wpa_shell_name_find(wpa_shell_command *c)
{
    size_t i = 0, next = 0;
    while (i < c->n_words && is_assignment(c->words[i].text)) {
        i++;
    }
    for (c->name = ""; i < c->n_words; i = next) {
        c->name = known_name(base_name(c->words[i].text));
        c->known = wpa_facts_program_known(c->name);
        next = c->known & WPA_KNOWN_WRAPPER ? skip_wrapper(c, i, wpa_facts_wrapper_find(c->name))
                                            : c->n_words;
        if (next >= c->n_words || runs_nothing(c, i) || takes_code(c, i, next)) {
            break; /* "sudo -s", "exec 3>&1", "command -v x": the wrapper is the command */
        }
    }
    c->first = (uint32_t)i;
}

bool wpa_shell_has_sub(const wpa_shell_command *command, const char *sub)
{
    const wpa_shell_word *word = sub ? wpa_shell_argument(command, 0) : NULL;
    return !sub || (word && wpa_text_is(word->text, sub));
}

const wpa_shell_word *wpa_shell_word_find(const wpa_shell_command *command, const char *text)
{
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        if (wpa_text_is(command->words[i].text, text)) {
            return &command->words[i];
        }
    }
    return NULL;
}

/* Options of programs with subcommands that stand in front of those and take the next word. */
static bool takes_next(const char *program, const char *option)
{
    static const char *const rows[][10] = {
        {"git", "-C", "-c", "--git-dir", "--work-tree", "--namespace", NULL},
        {"gh", "-R", "--repo", NULL},
        {"docker", "-H", "--host", "--context", "--config", "--log-level", NULL},
        {"kubectl", "-n", "--namespace", "--context", "--kubeconfig", "--cluster", NULL},
        {"helm", "-n", "--namespace", "--kube-context", "--kubeconfig", NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        for (size_t k = 1; wpa_text_is(program, rows[i][0]) && rows[i][k]; k++) {
            if (wpa_text_is(option, rows[i][k])) {
                return true;
            }
        }
    }
    return false;
}

const wpa_shell_word *wpa_shell_argument(const wpa_shell_command *command, size_t i)
{
    bool is_behind = false; /* the subcommand: what follows are its own options */
    for (size_t k = command->first + 1; k < command->n_words; k++) {
        const char *text = command->words[k].text;
        if (text[0] == '-') {
            k += !is_behind && takes_next(command->name, text) ? 1 : 0;
        } else if (i-- == 0) {
            return &command->words[k];
        } else {
            is_behind = true;
        }
    }
    return NULL;
}
