#include "rules/shell_roles.h"

size_t wpa_shell_arguments(const wpa_shell_command *command, const char *words[], size_t max)
{
    size_t n = 0;
    for (size_t i = command->first + 1; i < command->n_words && n < max; i++) {
        words[n++] = command->words[i].text;
    }
    return n;
}

unsigned wpa_shell_read_roles(const wpa_shell_command *command)
{
    const char *words[WPA_SHELL_WORDS_MAX];
    if (!(command->known & (WPA_KNOWN_ROLES | WPA_KNOWN_LAUNCHER))) {
        return 0;
    }
    size_t n = wpa_shell_arguments(command, words, WPA_SHELL_WORDS_MAX);
    return wpa_facts_command_roles(command->name, command->known, words, n);
}
