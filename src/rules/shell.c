/* Scripts of all languages: blanking, limits, and what their lexers share. */
#include <string.h>

#include "expr/expr.h"
#include "rules/shell_lex.h"
#include "rules/shell_name.h"
#include "rules/shell_roles.h"

static const wpa_shell_lexer lexers[] = {
    [WPA_SCRIPT_POSIX] = wpa_shell_lex_posix,
    [WPA_SCRIPT_PWSH] = wpa_shell_lex_pwsh,
    [WPA_SCRIPT_CMD] = wpa_shell_lex_cmd,
    [WPA_SCRIPT_PYTHON] = wpa_shell_lex_python,
};

void wpa_shell_add(wpa_script *script, const wpa_shell_command *command, wpa_arena *arena)
{
    script->commands = wpa_arena_grow(arena, script->commands, script->n_commands,
                                      &script->capacity, sizeof *script->commands);
    script->commands[script->n_commands++] = *command;
}

void wpa_shell_gather_word(wpa_shell_gather *g, wpa_shell_word word)
{
    g->words = wpa_arena_grow(g->arena, g->words, g->n_words, &g->words_capacity, sizeof *g->words);
    g->words[g->n_words++] = word;
}

void wpa_shell_gather_redirect(wpa_shell_gather *g, wpa_shell_redirect redirect)
{
    g->redirects = wpa_arena_grow(g->arena, g->redirects, g->n_redirects, &g->redirects_capacity,
                                  sizeof *g->redirects);
    g->redirects[g->n_redirects++] = redirect;
}

void wpa_shell_gather_end(wpa_shell_gather *g, const char *after)
{
    if (g->n_words || g->n_redirects) {
        wpa_shell_command c = {
            .words = g->words,
            .n_words = (uint32_t)g->n_words,
            .redirects = g->redirects,
            .n_redirects = (uint32_t)g->n_redirects,
            .before = g->before,
            .after = after,
        };
        wpa_shell_name_find(&c);
        c.span = g->n_words ? (wpa_span){g->words[0].span.start, g->words[g->n_words - 1].span.end}
                            : g->redirects[0].target.span;
        wpa_shell_add(g->script, &c, g->arena);
    }
    *g = (wpa_shell_gather){.script = g->script, .arena = g->arena, .before = after};
}

char *wpa_script_blank(const char *text, size_t length, wpa_arena *arena)
{
    char *out = wpa_arena_slice(arena, text, length);
    const char *last = text + length, *end = text;
    for (const char *at = text; (at = memchr(at, '$', (size_t)(last - at))); at = end) {
        end = at + 1;
        if (last - at < 3 || at[1] != '{' || at[2] != '{') {
            continue;
        }
        size_t close = wpa_expr_close(text, length, (size_t)(at - text) + 3);
        end = close == SIZE_MAX ? last : text + close + 2;
        for (const char *c = at; c < end; c++) {
            out[c - text] = *c == '\n' ? '\n' : '_';
        }
    }
    return out;
}

const wpa_script *wpa_script_read_as(wpa_script_language language, const char *text, size_t length,
                                     wpa_arena *arena)
{
    wpa_script *script = wpa_arena_alloc(arena, sizeof *script);
    script->language = language;
    script->text = wpa_script_blank(text, length, arena);
    script->length = length;
    if (length > WPA_SHELL_MAX_BYTES) {
        return script;
    }
    uint8_t *contexts = wpa_arena_alloc(arena, length + 1);
    script->contexts = contexts;
    script->is_readable = lexers[language](script, contexts, arena);
    script->n_commands = script->is_readable ? script->n_commands : 0;
    for (size_t i = 0; i < script->n_commands; i++) { /* once: many rules ask for them */
        script->commands[i].roles = wpa_shell_read_roles(&script->commands[i]);
        script->roles |= script->commands[i].roles;
    }
    return script;
}

const wpa_script *wpa_script_read(const char *text, size_t length, wpa_arena *arena)
{
    return wpa_script_read_as(WPA_SCRIPT_POSIX, text, length, arena);
}
