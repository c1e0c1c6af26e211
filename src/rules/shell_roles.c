#include "rules/shell_roles.h"

size_t wpa_shell_arguments(const wpa_shell_command *command, const char *words[], size_t max)
{
    size_t n = 0;
    for (size_t i = command->first + 1; i < command->n_words && n < max; i++) {
        words[n++] = command->words[i].text;
    }
    return n;
}

unsigned wpa_shell_roles(const wpa_shell_command *command)
{
    return command->roles;
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

const wpa_script *wpa_step_commands(const wpa_outline_step *step)
{
    const wpa_script *script = step->script ? step->script : step->lexed;
    bool is_fit = script && script->is_readable && script->language != WPA_SCRIPT_PYTHON;
    return is_fit ? script : NULL;
}

unsigned wpa_step_roles(const wpa_outline_step *step)
{
    unsigned roles = 0;
    for (size_t i = 0; step->lexed && i < step->lexed->n_commands; i++) {
        roles |= wpa_shell_roles(&step->lexed->commands[i]);
    }
    return roles;
}
