#include "testing/subject.h"
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
