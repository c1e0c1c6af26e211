#include "patch/digest.h"

#include "testing/checks.h"

bool wpa_test_digest(const wpa_test_patch *patch, uint8_t digest[32], wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    wpa_patch_content *contents = wpa_arena_array(scratch, patch->n_files + 1, sizeof *contents);
    for (size_t i = 0; i < patch->n_files; i++) {
        const wpa_test_file *file = &patch->files[i];
        contents[i] = (wpa_patch_content){.repository_id = file->target->repository_id,
                                          .ref = file->target->ref,
                                          .path = file->path,
                                          .before_oid = file->before.oid,
                                          .after_oid = file->after.oid,
                                          .after = file->after.bytes,
                                          .after_bytes = file->after.size_bytes};
    }
    wpa_patch_digest(contents, patch->n_files, digest);
    return patch->n_files > 0 || WPA_FAIL(err, WPA_E_INVALID, "the patch changes nothing");
}
