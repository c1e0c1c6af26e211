#include "rules/binding.h"

#include <ctype.h>
#include <string.h>

#include "rules/readings.h"
#include "rules/variables.h"

/* The command that the fence is a whole word of; NULL if it is a part of one, or of none. */
static const wpa_shell_command *command_of_word(const wpa_script *script, wpa_span fence,
                                                size_t *word)
{
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < c->n_words; k++) {
            if (c->words[k].span.start == fence.start && c->words[k].span.end == fence.end) {
                *word = k;
                return c;
            }
        }
    }
    return NULL;
}

/* Has it a literal of several words, or of none? In quotes it would be one word all the same. */
static bool is_made_of_words(const wpa_binding *b)
{
    const char *at = b->node->text + b->inside.start;
    const char *end = b->node->text + b->inside.end;
    while ((at = memchr(at, '\'', (size_t)(end - at)))) {
        const char *close = memchr(at + 1, '\'', (size_t)(end - at - 1));
        if (!close || close == at + 1 || memchr(at, ' ', (size_t)(close - at))) {
            return true;
        }
        at = close + 1;
    }
    return false;
}

/* In a shell's script: NULL where it would not be expanded, or would be code. */
static const char *spelling_in_shell(wpa_rule_run *run, const wpa_binding *b, const char *name)
{
    const wpa_outline_step *step = b->step;
    bool is_plain_start = b->node->style == WPA_YAML_PLAIN && b->fence.start == 0;
    if (step->shell == WPA_SHELL_PWSH) {
        const char *text = b->node->text;
        size_t quotes = 0;
        for (size_t k = b->fence.start; k > 0 && text[k - 1] != '\n'; k--) {
            quotes += text[k - 1] == '\'';
        }
        bool is_fine = quotes % 2 == 0 && !strstr(text, "@'");
        return is_fine ? wpa_arena_printf(run->arena, "${env:%s}", name) : NULL;
    }
    bool is_shell = step->shell == WPA_SHELL_BASH || step->shell == WPA_SHELL_SH ||
                    step->shell == WPA_SHELL_ZSH;
    if (!is_shell || !step->script || !step->script->is_readable || is_plain_start) {
        return NULL;
    }
    wpa_shell_context context = (wpa_shell_context)step->script->contexts[b->fence.start];
    if (context == WPA_SHELL_DOUBLE || context == WPA_SHELL_HEREDOC) {
        return wpa_arena_printf(run->arena, "${%s}", name);
    }
    size_t word = 0;
    const wpa_shell_command *c =
        context == WPA_SHELL_PLAIN ? command_of_word(step->script, b->fence, &word) : NULL;
    if (c && word <= c->first) {
        return NULL; /* a whole command, or nothing in front of one: as one word it is neither */
    }
    /* Of people who may start the workflow several words are taken, though no code any more. */
    const char *own = wpa_variable_name(b->path, run->arena);
    bool is_of_insiders = wpa_text_starts(own, "INPUTS_") || wpa_text_starts(own, "MATRIX_");
    bool is_list = wpa_variable_holds_list(wpa_slice_of(own));
    if (c && (wpa_text_is(c->words[0].text, "for") || (is_list && is_of_insiders))) {
        return wpa_arena_printf(run->arena, "${%s}", name);
    }
    const char *input = wpa_text_starts(b->path, "inputs.") ? b->path + strlen("inputs.") : NULL;
    if (c && !wpa_text_is(c->name, "echo") &&
        (is_list || is_made_of_words(b) || (input && wpa_readings_users_give_words(run, input)))) {
        return NULL;
    }
    bool takes_quotes = b->node->style != WPA_YAML_DOUBLE_QUOTED;
    return context == WPA_SHELL_PLAIN && takes_quotes
               ? wpa_arena_printf(run->arena, "\"${%s}\"", name)
               : NULL;
}

/* In JavaScript and Python a fence that fills a string literal; *span grows by its quotes. */
static const char *spelling_in_literal(wpa_rule_run *run, const wpa_binding *b, const char *name,
                                       wpa_span *span)
{
    const char *text = b->node->text;
    wpa_span fence = b->fence;
    if (fence.start == 0 || fence.end >= b->node->length ||
        b->node->style == WPA_YAML_DOUBLE_QUOTED) {
        return NULL;
    }
    char quote = text[fence.start - 1];
    const char *quotes = b->is_javascript ? "'\"`" : "'\"";
    if (!strchr(quotes, quote) || text[fence.end] != quote) {
        return NULL;
    }
    *span = (wpa_span){fence.start - 1, fence.end + 1};
    if (b->is_javascript) {
        return wpa_arena_printf(run->arena, "process.env.%s", name);
    }
    /* Not in a string with a prefix, nor at an end of a triple one. */
    char before = span->start ? text[span->start - 1] : ' ';
    return strstr(text, "import os") && !isalnum((unsigned char)before) && before != quote &&
                   text[span->end] != quote
               ? wpa_arena_printf(run->arena, "os.environ[\"%s\"]", name)
               : NULL;
}

const char *wpa_binding_spell(wpa_rule_run *run, const wpa_binding *b, const char *name,
                              wpa_span *span)
{
    *span = b->fence;
    return b->is_javascript || b->step->shell == WPA_SHELL_PYTHON
               ? spelling_in_literal(run, b, name, span)
               : spelling_in_shell(run, b, name);
}
