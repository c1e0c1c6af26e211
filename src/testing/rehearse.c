#include <string.h>

#include "testing/check.h"

/* Fixed, so that a rehearsal repeated gives the same objects and leaves nothing new behind. */
static const wpa_git_identity identity = {
    .name = "wpa rehearsal", .email = "wpa@localhost", .time_s = 1};

static size_t fill_edits(const wpa_test_context *context, bool is_inverse, wpa_git_edit *edits)
{
    size_t n = 0;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target != context->target) {
            continue;
        }
        const wpa_test_image *from = is_inverse ? &file->after : &file->before;
        const wpa_test_image *to = is_inverse ? &file->before : &file->after;
        edits[n++] = (wpa_git_edit){.path = file->path,
                                    .before = from->bytes ? from->oid : NULL,
                                    .after = to->bytes ? to->oid : NULL,
                                    .bytes = to->bytes,
                                    .size_bytes = to->size_bytes};
    }
    return n;
}

bool wpa_test_rehearse(const wpa_test_context *context, wpa_error *err)
{
    wpa_test_target *target = context->target;
    if (target->reverted[0]) {
        return true;
    }
    if (!target->git) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot reach '%s'", target->repository);
    }
    wpa_git_edit *edits =
        wpa_arena_array(context->arena, context->patch->n_files + 1, sizeof *edits);
    size_t n = fill_edits(context, false, edits);
    if (!wpa_git_commit_make(target->git, target->base_commit, edits, n, &identity,
                             "wpa: rehearsal of a patch", target->after, err)) {
        return wpa_error_within(err, "rehearse the patch");
    }
    n = fill_edits(context, true, edits);
    return wpa_git_commit_make(target->git, target->after, edits, n, &identity,
                               "wpa: rehearsal of its revert", target->reverted, err) ||
           wpa_error_within(err, "rehearse the revert");
}
