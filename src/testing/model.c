#include <ctype.h>
#include <string.h>

#include <wpa/text.h>

#include "testing/check.h"
#include "workflow/workflow.h"

const wpa_model *wpa_test_image_model(const wpa_test_file *file, wpa_test_image *image,
                                      wpa_arena *arena)
{
    if (!image->model) {
        wpa_error ignored = {0}; /* too large: says the missing model */
        image->model = wpa_model_parse(file->path, WPA_FILE_OTHER, image->bytes, image->size_bytes,
                                       arena, &ignored);
    }
    return image->model;
}

const wpa_workflow *wpa_test_workflow_of(const wpa_test_context *context, wpa_test_image *image)
{
    const wpa_model *model =
        image->bytes ? wpa_test_image_model(context->file, image, context->arena) : NULL;
    return model ? model->workflow : NULL;
}

bool wpa_test_had_workflow(const wpa_test_context *context)
{
    return context->file->is_definition &&
           wpa_test_workflow_of(context, &context->file->before) != NULL;
}

const char *wpa_test_used_as(const char *path, wpa_arena *arena)
{
    const char *slash = strrchr(path, '/');
    bool is_action = wpa_file_kind_of(path) == WPA_FILE_ACTION;
    return !is_action ? path : slash ? wpa_arena_slice(arena, path, (size_t)(slash - path)) : "";
}

const char *wpa_test_slug(const wpa_test_target *target, const char *path, wpa_arena *arena)
{
    const char *name = target->repository, *slash = strrchr(name, '/');
    const char *used_as = wpa_test_used_as(path, arena);
    if (!target->owner || !*target->owner) {
        return NULL;
    }
    char *slug = wpa_arena_printf(arena, "%s/%s%s%s", target->owner, slash ? slash + 1 : name,
                                  *used_as ? "/" : "", used_as);
    for (char *at = slug; *at; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return slug;
}
