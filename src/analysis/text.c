/* The texts of files and their trees: read, parsed, let go of. */
#include <pthread.h>

#include <wpa/file.h>

#include "analysis/unit.h"

static const char *read_blob(wpa_unit_file *file, wpa_error *err)
{
    wpa_unit *unit = file->unit;
    (void)pthread_mutex_lock(&unit->lock);
    const char *text = wpa_git_blob_read(unit->git, file->shown.oid, WPA_YAML_MAX_BYTES,
                                         file->arena, &file->shown.size_bytes, err);
    (void)pthread_mutex_unlock(&unit->lock);
    return text;
}

bool wpa_unit_read(wpa_unit_file *file)
{
    wpa_error err = {0};
    if (file->shown.text) {
        return true;
    }
    file->arena = file->arena ? file->arena : wpa_arena_new();
    int64_t own_max = file->unit->settings->max_file_bytes;
    if (own_max && file->shown.size_bytes > (size_t)own_max) {
        file->state = WPA_UNIT_UNREADABLE;
        file->fault = "is larger than limits.file-bytes allows";
        return false;
    }
    if (file->shown.size_bytes > WPA_YAML_MAX_BYTES) {
        file->shown.text = "";
        return true;
    }
    file->shown.text = file->shown.oid
                           ? read_blob(file, &err)
                           : wpa_file_read_again(file->shown.path, WPA_YAML_MAX_BYTES, file->arena,
                                                 &file->shown.size_bytes, &err);
    if (!file->shown.text && err.code == WPA_E_LIMIT) {
        file->shown.text = "";
        file->shown.size_bytes = WPA_YAML_MAX_BYTES + 1;
    } else if (!file->shown.text) {
        file->state = WPA_UNIT_UNREADABLE;
        file->fault = wpa_arena_text(file->arena, err.message);
    }
    return file->shown.text != NULL;
}

void wpa_unit_release(wpa_unit_file *file)
{
    file->shown.source = NULL;
    if (!file->is_stdin && file->state != WPA_UNIT_UNREADABLE) {
        file->shown.text = NULL;
    }
    if (file->arena && file->state != WPA_UNIT_UNREADABLE) {
        wpa_arena_free(file->arena);
        file->arena = NULL;
    }
}

void wpa_unit_parse(wpa_unit_file *file, wpa_arena *arena)
{
    file->shown.source = wpa_source_read(file->shown.kind, file->shown.path, file->shown.text,
                                         file->shown.size_bytes, &file->unit->around, arena);
}
