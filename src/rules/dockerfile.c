/* Instructions of Dockerfiles within here-documents and printed texts. */
#include "rules/dockerfile.h"

#include <string.h>
#include <strings.h>

#include "rules/pipes.h"

/* Commands that print one which are looked at: each costs a copy of the script. */
#define PRINTED_MAX 16

static bool is_dockerfile(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    return wpa_text_find_ci(name, length, "dockerfile") ||
           wpa_text_find_ci(name, length, "containerfile");
}

static bool is_build(const wpa_shell_command *c)
{
    static const char *const names[] = {"docker", "podman", "buildah", "nerdctl", "buildx"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0 &&
           (wpa_shell_word_find(c, "build") || wpa_shell_word_find(c, "bud"));
}

static bool is_piped_to_build(const wpa_script *script, size_t i)
{
    wpa_command_range range;
    if (!wpa_text_starts(script->commands[i].after, "|") || !wpa_shell_pipe(script, i, &range)) {
        return false;
    }
    return is_build(&script->commands[range.first]);
}

/* Is what the command reads from its here-document a Dockerfile, as far as its name tells? */
static bool takes_dockerfile(const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    for (size_t k = 0; k < c->n_redirects; k++) {
        if (c->redirects[k].operator[0] == '>' && is_dockerfile(c->redirects[k].target.text)) {
            return true;
        }
    }
    const wpa_shell_word *file = wpa_text_is(c->name, "tee") ? wpa_shell_argument(c, 0) : NULL;
    return (file && is_dockerfile(file->text)) || is_build(c) || is_piped_to_build(script, i);
}

/* Copy the words behind each RUN, and the lines it goes on over, from text to out. */
static bool copy_runs(const char *text, wpa_span body, char *out)
{
    bool goes_on = false, has_any = false;
    for (size_t at = body.start; at < body.end;) {
        const char *line_end = memchr(text + at, '\n', body.end - at);
        size_t end = line_end ? (size_t)(line_end - text) : body.end;
        size_t first = at + strspn(text + at, " \t");
        bool is_run =
            first + 4 < end && strncasecmp(text + first, "RUN", 3) == 0 && text[first + 3] == ' ';
        bool is_comment = goes_on && first < end && text[first] == '#';
        if ((goes_on || is_run) && !is_comment) {
            first += is_run && !goes_on ? 4 : 0;
            first += strspn(text + first, " \t");
            while (wpa_text_starts(text + first, "--")) { /* --mount=..., --network=... */
                first += strcspn(text + first, " \n");
                first += strspn(text + first, " \t");
            }
            memcpy(out + first, text + first, first < end ? end - first : 0);
            has_any = true;
            size_t last = end > at && text[end - 1] == '\r' ? end - 1 : end;
            goes_on = last > at && text[last - 1] == '\\';
        }
        at = end + 1;
    }
    return has_any;
}

/*
 * "printf 'FROM x\nRUN y\n' | docker build -": the words of the command as the lines that it
 * prints, byte for byte at their places.
 */
static const char *printed_lines(const wpa_script *script, const wpa_shell_command *c,
                                 wpa_arena *arena)
{
    char *text = wpa_arena_slice(arena, script->text, script->length);
    for (size_t w = c->first + 1; w < c->n_words; w++) {
        wpa_span span = c->words[w].span;
        bool is_quoted = wpa_span_length(span) >= 2 && strchr("\"'", text[span.start]);
        for (size_t at = span.start; is_quoted && at + 1 < span.end; at++) {
            bool is_break = text[at] == '\\' && text[at + 1] == 'n';
            text[at] = is_break || at == span.start ? ' ' : text[at];
            at += is_break;
            text[at] = is_break ? '\n' : text[at];
        }
        if (is_quoted) {
            text[span.end - 1] = '\n';
        }
    }
    return text;
}

/* Blanks, and the script's lines. */
static char *blank_copy(const wpa_script *script, wpa_arena *arena)
{
    char *out = wpa_arena_slice(arena, script->text, script->length);
    for (size_t b = 0; b < script->length; b++) {
        out[b] = out[b] == '\n' ? '\n' : ' ';
    }
    return out;
}

static bool prints(const wpa_shell_command *c)
{
    return (wpa_text_is(c->name, "printf") || wpa_text_is(c->name, "echo")) &&
           !c->is_nested_script && c->n_words > c->first + 1;
}

/* What the command puts into a Dockerfile by its words; an empty span if it does not. */
static wpa_span printed_span(const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    return prints(c) && takes_dockerfile(script, i)
               ? (wpa_span){c->words[c->first + 1].span.start, c->words[c->n_words - 1].span.end}
               : (wpa_span){0, 0};
}

static bool writes_text(const wpa_script *script)
{
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool writes = prints(c);
        for (size_t k = 0; k < c->n_redirects && !writes; k++) {
            writes = wpa_span_length(c->redirects[k].body) > 0;
        }
        if (writes) {
            return true;
        }
    }
    return false;
}

/* Few files name what makes an image, or where what it is made of is written. */
bool wpa_dockerfile_may_be_in(const wpa_yaml_doc *doc)
{
    static const char *const makers[] = {"docker",  "containerfile", "podman",
                                         "buildah", "nerdctl",       "buildx"};
    bool may = false;
    bool may_run = wpa_yaml_may_hold(doc, "RUN ");
    for (size_t i = 0; may_run && i < WPA_COUNT(makers) && !may; i++) {
        may = wpa_yaml_may_hold(doc, makers[i]);
    }
    return may;
}

const wpa_script *wpa_dockerfile_commands(const wpa_script *script, wpa_arena *arena)
{
    if (script->language != WPA_SCRIPT_POSIX || !writes_text(script)) {
        return NULL;
    }
    char *out = NULL;
    bool has_any = false;
    size_t n_printed = 0;
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < c->n_redirects; k++) {
            wpa_span body = c->redirects[k].body;
            if (wpa_span_length(body) && takes_dockerfile(script, i)) {
                out = out ? out : blank_copy(script, arena);
                has_any = copy_runs(script->text, body, out) || has_any;
            }
        }
        wpa_span printed = n_printed < PRINTED_MAX ? printed_span(script, i) : (wpa_span){0, 0};
        if (wpa_span_length(printed)) {
            n_printed++;
            out = out ? out : blank_copy(script, arena);
            has_any = copy_runs(printed_lines(script, c, arena), printed, out) || has_any;
        }
    }
    return has_any ? wpa_script_read(out, script->length, arena) : NULL;
}
