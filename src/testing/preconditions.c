/* T001 to T008: is what is tested what will be applied, and does it change what it says? */
#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>
#include <wpa/yaml.h>

#include "testing/checks.h"

#define TREE_MAX_ENTRIES 200000
#define BLOB_MAX_BYTES ((size_t)8 << 20)

static bool need_git(const wpa_test_context *context, wpa_error *err)
{
    return context->target->git ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot reach '%s': %s", context->target->repository,
                    context->target->git_trouble ? context->target->git_trouble : "not opened");
}

/** Id of the blob at a path of a commit; "" if nothing is there. */
static bool blob_at(const wpa_test_context *context, const char *commit, const char *path,
                    wpa_git_entry *entry, wpa_error *err)
{
    wpa_error why = {0};
    if (wpa_git_tree_find(context->target->git, commit, path, context->arena, entry, &why)) {
        return true;
    }
    entry->oid[0] = '\0';
    if (why.code != WPA_E_NOT_FOUND) {
        *err = why;
        return false;
    }
    return true;
}

/* ---- T001 ---- */

static bool check_base(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    wpa_test_target *target = context->target;
    if (!need_git(context, err) ||
        !wpa_git_ref_refresh(target->git, target->ref, target->tip, err)) {
        return false;
    }
    wpa_test_evidence(outcome, context->arena, "base", target->base_commit);
    if (strcmp(target->tip, target->base_commit) == 0) {
        return true;
    }
    wpa_test_evidence(outcome, context->arena, "tip", target->tip);
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        wpa_git_entry entry;
        if (file->target != target) {
            continue;
        }
        if (!blob_at(context, target->tip, file->path, &entry, err)) {
            return false;
        }
        if (!wpa_text_is(entry.oid, file->before.oid ? file->before.oid : "")) {
            wpa_test_fail(outcome, context->arena,
                          "%s has moved and '%s' was changed there: rebase the patch",
                          target->repository, file->path);
        }
    }
    return true;
}

/* ---- T002 ---- */

static bool check_before(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_test_file *file = context->file;
    wpa_git_entry entry;
    if (!need_git(context, err) ||
        !blob_at(context, context->target->base_commit, file->path, &entry, err)) {
        return false;
    }
    if (!file->before.bytes) {
        if (entry.oid[0]) {
            wpa_test_fail(outcome, context->arena, "'%s' should be absent and is there",
                          file->path);
        }
        return true;
    }
    if (!entry.oid[0]) {
        wpa_test_fail(outcome, context->arena, "'%s' is not in the base commit", file->path);
        return true;
    }
    size_t size_bytes = 0;
    const char *bytes = wpa_git_blob_read(context->target->git, entry.oid, BLOB_MAX_BYTES,
                                          context->arena, &size_bytes, err);
    if (!bytes) {
        return false;
    }
    wpa_test_evidence(outcome, context->arena, "blob", entry.oid);
    if (!wpa_text_is(entry.oid, file->before.oid) ||
        !wpa_test_image_is(&file->before, bytes, size_bytes)) {
        wpa_test_fail(outcome, context->arena, "'%s' in the base differs from the stored before",
                      file->path);
    }
    return true;
}

/* ---- T003 ---- */

static int mode_of(wpa_git_kind kind)
{
    switch (kind) {
    case WPA_GIT_FILE:
        return 0100644;
    case WPA_GIT_EXECUTABLE:
        return 0100755;
    case WPA_GIT_SYMLINK:
        return 0120000;
    case WPA_GIT_SUBMODULE:
        return 0160000;
    case WPA_GIT_FOLDER:
        return 0040000;
    }
    return 0;
}

static bool check_one_path(const wpa_test_context *context, const wpa_test_file *file,
                           wpa_test_outcome *outcome, wpa_error *err)
{
    wpa_error why = {0};
    wpa_git_entry entry;
    if (!wpa_path_check_relative(file->path, &why)) {
        wpa_test_fail(outcome, context->arena, "%s", why.message);
        return true;
    }
    if (!blob_at(context, context->target->base_commit, file->path, &entry, err)) {
        return false;
    }
    if (entry.oid[0] && entry.kind != WPA_GIT_FILE && entry.kind != WPA_GIT_EXECUTABLE) {
        wpa_test_fail(outcome, context->arena, "'%s' is no plain file", file->path);
    } else if (entry.oid[0] && mode_of(entry.kind) != file->mode) {
        wpa_test_fail(outcome, context->arena, "the mode of '%s' would change from %o to %o",
                      file->path, (unsigned)mode_of(entry.kind), (unsigned)file->mode);
    }
    return true;
}

static bool is_declared_path(const wpa_test_context *context, const char *path)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target == context->target && wpa_text_is(file->path, path)) {
            return true;
        }
    }
    return false;
}

static bool is_same_entry(const wpa_git_entry *a, const wpa_git_entry *b)
{
    return a->kind == b->kind && strcmp(a->oid, b->oid) == 0;
}

/** Every path in which two trees differ must be one of the patch's; both are sorted alike. */
static void compare_trees(const wpa_test_context *context, const wpa_git_entries *before,
                          const wpa_git_entries *after, wpa_test_outcome *outcome)
{
    size_t i = 0, k = 0;
    while (i < before->n || k < after->n) {
        int order = i == before->n  ? 1
                    : k == after->n ? -1
                                    : strcmp(before->items[i].path, after->items[k].path);
        const char *path = order <= 0 ? before->items[i].path : after->items[k].path;
        bool is_same = order == 0 && is_same_entry(&before->items[i], &after->items[k]);
        if (!is_same && !is_declared_path(context, path)) {
            wpa_test_fail(outcome, context->arena, "'%s' would change and is not in the patch",
                          path);
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const wpa_git_entry *)a)->path, ((const wpa_git_entry *)b)->path);
}

static bool list_tree(const wpa_test_context *context, const char *commit, wpa_git_entries *entries,
                      wpa_error *err)
{
    if (!wpa_git_tree_list(context->target->git, commit, "", true, TREE_MAX_ENTRIES, context->arena,
                           entries, err)) {
        return false;
    }
    if (entries->n > 1) {
        qsort(entries->items, entries->n, sizeof *entries->items, compare_entries);
    }
    return true;
}

static bool check_paths(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    if (!need_git(context, err)) {
        return false;
    }
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target == context->target && !check_one_path(context, file, outcome, err)) {
            return false;
        }
    }
    if (outcome->result == WPA_TEST_FAIL) {
        return true;
    }
    wpa_git_entries before = {0}, after = {0};
    if (!wpa_test_rehearse(context, err) ||
        !list_tree(context, context->target->base_commit, &before, err) ||
        !list_tree(context, context->target->after, &after, err)) {
        return false;
    }
    compare_trees(context, &before, &after, outcome);
    return true;
}

/* ---- T004 ---- */

static bool is_yaml(const wpa_test_context *context)
{
    const char *path = context->file->path;
    return wpa_text_ends(path, ".yml") || wpa_text_ends(path, ".yaml");
}

static bool is_yaml_after(const wpa_test_context *context)
{
    return is_yaml(context) && context->file->after.bytes;
}

static void count_faults(const wpa_yaml_doc *doc, size_t counts[WPA_YAML_FAULT_COUNT],
                         bool *is_broken)
{
    memset(counts, 0, WPA_YAML_FAULT_COUNT * sizeof *counts);
    *is_broken = doc->is_partial || !doc->root;
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        counts[doc->diagnostics[i].fault]++;
        *is_broken = *is_broken || wpa_yaml_fault_is_fatal(doc->diagnostics[i].fault);
    }
}

static void show_faults(const wpa_test_context *context, const wpa_test_image *image,
                        const wpa_yaml_doc *doc, wpa_yaml_fault fault, wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        if (doc->diagnostics[i].fault == fault) {
            wpa_test_evidence_at(outcome, context->arena, context->file, image,
                                 doc->diagnostics[i].span.start, "got",
                                 doc->diagnostics[i].message);
        }
    }
}

static void compare_form(const wpa_test_context *context, const wpa_yaml_doc *before,
                         const wpa_yaml_doc *after, wpa_test_outcome *outcome)
{
    size_t old_counts[WPA_YAML_FAULT_COUNT], new_counts[WPA_YAML_FAULT_COUNT];
    bool was_broken, is_broken;
    count_faults(before, old_counts, &was_broken);
    count_faults(after, new_counts, &is_broken);
    for (int fault = 0; fault < WPA_YAML_FAULT_COUNT; fault++) {
        if (new_counts[fault] > old_counts[fault]) {
            show_faults(context, &context->file->after, after, (wpa_yaml_fault)fault, outcome);
            wpa_test_fail(outcome, context->arena, "the patch brings a fault of form (%s)",
                          wpa_yaml_fault_check((wpa_yaml_fault)fault));
        }
    }
    if (is_broken) {
        wpa_test_fail(outcome, context->arena, "the patched file is no whole YAML document");
    } else if (was_broken) {
        wpa_test_warn(outcome, context->arena, "the file as it stands is no whole YAML document");
    }
    if (before->has_bom != after->has_bom || before->has_crlf != after->has_crlf) {
        wpa_test_fail(outcome, context->arena, "byte-order mark or line ends would change");
    }
    if (before->n_anchored > after->n_anchored) {
        wpa_test_fail(outcome, context->arena, "an anchor would be lost");
    }
}

static bool check_form(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_test_file *file = context->file;
    const wpa_yaml_doc *after =
        wpa_yaml_parse(file->path, file->after.bytes, file->after.size_bytes, context->arena, err);
    if (!after) {
        return false;
    }
    if (!file->before.bytes) {
        bool is_broken;
        size_t counts[WPA_YAML_FAULT_COUNT];
        count_faults(after, counts, &is_broken);
        if (is_broken) {
            wpa_test_fail(outcome, context->arena, "the new file is no whole YAML document");
        }
        return true;
    }
    const wpa_yaml_doc *before = wpa_yaml_parse(file->path, file->before.bytes,
                                                file->before.size_bytes, context->arena, err);
    if (!before) {
        return false;
    }
    compare_form(context, before, after, outcome);
    return true;
}

/* ---- T005, T007 ---- */

static bool has_both(const wpa_test_context *context)
{
    return context->file->before.bytes && context->file->after.bytes;
}

/** Where two texts first differ. */
static size_t first_difference(const wpa_test_image *image, const char *bytes, size_t size_bytes)
{
    size_t at = 0;
    while (at < image->size_bytes && at < size_bytes && image->bytes[at] == bytes[at]) {
        at++;
    }
    return at;
}

static bool compare_applied(const wpa_test_context *context, const wpa_test_edits *edits,
                            const wpa_test_image *from, const wpa_test_image *to,
                            wpa_test_outcome *outcome, const char *what)
{
    wpa_error why = {0};
    size_t size_bytes = 0;
    const char *bytes = wpa_test_edits_apply(edits, from, context->arena, &size_bytes, &why);
    if (!bytes) {
        wpa_test_fail(outcome, context->arena, "%s: %s", what, why.message);
        return false;
    }
    if (!wpa_test_image_is(to, bytes, size_bytes)) {
        wpa_test_evidence_at(outcome, context->arena, context->file, to,
                             first_difference(to, bytes, size_bytes), "differs",
                             "the first byte that differs stands here");
        wpa_test_fail(outcome, context->arena, "%s does not give the stored bytes", what);
        return false;
    }
    return true;
}

static bool check_edit(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_test_file *file = context->file;
    (void)err;
    /* A person's edits are found between the two texts: which equal lines they keep says nothing.
     */
    if (compare_applied(context, &file->edits, &file->before, &file->after, outcome, "the edit") &&
        !context->patch->is_by_person) {
        wpa_test_compare_nodes(context, outcome);
    }
    return true;
}

static bool check_inverse(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err)
{
    const wpa_test_file *file = context->file;
    (void)err;
    if (compare_applied(context, &file->inverse, &file->after, &file->before, outcome,
                        "the inverse")) {
        wpa_test_evidence(outcome, context->arena, "restored", file->before.oid);
    }
    return true;
}

/* ---- T008 ---- */

static bool check_digest(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    uint8_t digest[32];
    char hex[65];
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_image *after = &context->patch->files[i].after;
        char oid[WPA_OID_SIZE];
        if (after->bytes && !wpa_git_blob_id(after->bytes, after->size_bytes, oid, err)) {
            return false;
        }
        if (after->bytes && !wpa_text_is(oid, after->oid)) {
            wpa_test_fail(outcome, context->arena, "the content of '%s' is not the stored blob",
                          context->patch->files[i].path);
        }
    }
    if (!wpa_test_digest(context->patch, digest, err)) {
        return false;
    }
    wpa_hex_encode(digest, sizeof digest, hex);
    wpa_test_evidence(outcome, context->arena, "digest", hex);
    if (memcmp(digest, context->patch->digest, sizeof digest) != 0) {
        wpa_hex_encode(context->patch->digest, sizeof digest, hex);
        wpa_test_evidence(outcome, context->arena, "stored", hex);
        wpa_test_fail(outcome, context->arena, "the digest of the edits is not the stored one");
    }
    return true;
}

const wpa_test_check wpa_test_t001 = {.id = "T001",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .title = "the base is the tip, or its paths are unchanged",
                                      .run = check_base};
const wpa_test_check wpa_test_t002 = {.id = "T002",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the file is there as it was, byte for byte",
                                      .run = check_before};
const wpa_test_check wpa_test_t003 = {.id = "T003",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .title = "only declared paths change, and no mode",
                                      .run = check_paths};
const wpa_test_check wpa_test_t004 = {.id = "T004",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "both versions parse, the form is kept",
                                      .applies = is_yaml_after,
                                      .run = check_form};
const wpa_test_check wpa_test_t005 = {.id = "T005",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the edit changes its places and nothing else",
                                      .applies = has_both,
                                      .run = check_edit};
const wpa_test_check wpa_test_t007 = {.id = "T007",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the inverse gives the file back, byte for byte",
                                      .applies = has_both,
                                      .run = check_inverse};
const wpa_test_check wpa_test_t008 = {.id = "T008",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_PATCH,
                                      .title = "the digest is that of the edits",
                                      .run = check_digest};
