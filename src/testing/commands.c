#include "testing/commands.h"

#include <wpa/buf.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/outline.h"

#define TEXT_MAX_BYTES 4000

const char *wpa_test_command_text(const wpa_shell_command *command, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    for (size_t i = 0; i < command->n_words; i++) {
        wpa_buf_text(text, i ? " " : "");
        wpa_buf_text(text, command->words[i].text);
    }
    return wpa_buf_dup(text, arena);
}

wpa_test_commands wpa_test_commands_of(const wpa_test_context *context, wpa_test_image *image)
{
    wpa_test_commands list = {0};
    wpa_test_command *items = NULL;
    size_t capacity = 0;
    if (!image->bytes || !context->file->is_definition) {
        return list;
    }
    const wpa_analysis *analysis = wpa_test_image_analysis(context, context->file, image);
    const wpa_outline *outline = analysis->result.source->outline;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &outline->jobs[i].steps[k];
            const wpa_script *script = step->script;
            list.has_unreadable = list.has_unreadable || (script && !script->is_readable);
            for (size_t c = 0; script && c < script->n_commands; c++) {
                items = wpa_arena_grow(context->arena, items, list.n, &capacity, sizeof *items);
                items[list.n++] = (wpa_test_command){
                    .text = wpa_test_command_text(&script->commands[c], context->arena),
                    .command = &script->commands[c],
                    .step = step};
            }
        }
    }
    list.items = items;
    return list;
}

size_t wpa_test_commands_count(const wpa_test_commands *list, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        n += wpa_text_is(list->items[i].text, text);
    }
    return n;
}

const wpa_outline_step *wpa_test_step_like(const wpa_outline_job *job, const wpa_outline_step *like)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(like->node, "name"));
    for (size_t i = 0; i < job->n_steps && (like->id || name); i++) {
        const wpa_outline_step *step = &job->steps[i];
        const char *other = wpa_yaml_text(wpa_yaml_get(step->node, "name"));
        if (like->id ? wpa_text_is(step->id, like->id) : wpa_text_is(other, name)) {
            return step;
        }
    }
    return !like->id && job->n_steps == like->job->n_steps ? &job->steps[like->index] : NULL;
}
