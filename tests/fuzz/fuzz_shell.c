/* Any bytes as a script of every language: spans stay inside, and reading ends. */
#include <stdlib.h>

#include "rules/shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void need(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void check_word(const wpa_shell_word *word, size_t length)
{
    need(word->text != NULL);
    need(word->span.start <= word->span.end && word->span.end <= length);
}

static void check(const wpa_script *script, size_t length)
{
    need(script->length == length);
    need(script->is_readable || script->n_commands == 0);
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        need(c->span.start <= c->span.end && c->span.end <= length);
        need(c->first <= c->n_words && c->name != NULL);
        for (size_t k = 0; k < c->n_words; k++) {
            check_word(&c->words[k], length);
        }
        for (size_t k = 0; k < c->n_redirects; k++) {
            check_word(&c->redirects[k].target, length);
            need(c->redirects[k].body.end <= length);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    static const wpa_script_language languages[] = {WPA_SCRIPT_POSIX, WPA_SCRIPT_PWSH,
                                                    WPA_SCRIPT_CMD, WPA_SCRIPT_PYTHON};
    for (size_t i = 0; i < WPA_COUNT(languages); i++) {
        check(wpa_script_read_as(languages[i], text, size_bytes, arena), size_bytes);
    }
    return 0;
}
