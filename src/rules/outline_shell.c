/* Which shell reads a script: a name of GitHub's own, or a command line with {0} for the file. */
#include <string.h>
#include <strings.h>

#include "rules/outline_internal.h"

typedef struct interpreter {
    const char *name;
    wpa_shell shell;
    bool is_elsewhere; /* with tools and paths of its own on any runner */
} interpreter;

static const interpreter interpreters[] = {
    {"bash", WPA_SHELL_BASH, false},       {"sh", WPA_SHELL_SH, false},
    {"dash", WPA_SHELL_SH, false},         {"zsh", WPA_SHELL_ZSH, false},
    {"ksh", WPA_SHELL_ZSH, false},         {"pwsh", WPA_SHELL_PWSH, false},
    {"powershell", WPA_SHELL_PWSH, false}, {"python", WPA_SHELL_PYTHON, false},
    {"python3", WPA_SHELL_PYTHON, false},  {"cmd", WPA_SHELL_CMD, false},
    {"msys2", WPA_SHELL_BASH, true},       {"wsl-bash", WPA_SHELL_BASH, true},
};

/* "/usr/bin/bash", "C:\msys64\usr\bin\bash.exe" */
static const interpreter *interpreter_of(wpa_slice program)
{
    size_t start = program.length;
    while (start > 0 && program.at[start - 1] != '/' && program.at[start - 1] != '\\') {
        start--;
    }
    wpa_slice name = {program.at + start, program.length - start};
    if (name.length > 4 && strncasecmp(name.at + name.length - 4, ".exe", 4) == 0) {
        name.length -= 4;
    }
    for (size_t i = 0; i < WPA_COUNT(interpreters); i++) {
        if (wpa_slice_is(name, interpreters[i].name)) {
            return &interpreters[i];
        }
    }
    return NULL;
}

/* The next word of a command line, without quotes in front of it or behind it; empty at the end. */
static wpa_slice next_word(const char **at)
{
    const char *start = *at + strspn(*at, " \t\n\"'");
    size_t length = strcspn(start, " \t\n");
    *at = start + length;
    while (length && strchr("\"'", start[length - 1])) {
        length--;
    }
    return (wpa_slice){start, length};
}

/* "-eo pipefail", "-o igncr": the word behind them is theirs. */
static bool takes_next(wpa_slice option)
{
    return option.length > 1 && option.at[1] != '-' && option.at[option.length - 1] == 'o';
}

/*
 * The program whose options end in front of {0} ("nix develop -c bash -e {0}") or, where that is no
 * interpreter, the one that the line begins with ("cmd /c call {0}").
 */
wpa_outline_shell wpa_outline_shell_of(const char *text)
{
    if (wpa_outline_has_expression(text)) {
        return (wpa_outline_shell){WPA_SHELL_UNKNOWN, false};
    }
    const char *at = text;
    wpa_slice first = next_word(&at), last = first;
    bool is_value = false;
    for (wpa_slice word = next_word(&at); word.length; word = next_word(&at)) {
        if (wpa_text_find(word.at, word.length, "{0}")) {
            break;
        }
        bool is_option = *word.at == '-' || *word.at == '+';
        last = is_option || is_value ? last : word;
        is_value = is_option && takes_next(word);
    }
    const interpreter *of_first = interpreter_of(first);
    const interpreter *found = interpreter_of(last);
    bool is_wrapped = found && last.at != first.at;
    found = found ? found : of_first;
    bool has_own_tools = memchr(first.at, '\\', first.length) != NULL; /* of Cygwin or MSYS2 */
    return found ? (wpa_outline_shell){found->shell,
                                       is_wrapped || has_own_tools || found->is_elsewhere}
                 : (wpa_outline_shell){WPA_SHELL_OTHER, false};
}
