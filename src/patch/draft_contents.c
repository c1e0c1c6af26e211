/* Drafts from contents: what a person makes of files, whole or as a diff. */
#include <string.h>

#include <wpa/text.h>

#include "edit/unified.h"
#include "gen/sql.h"
#include "patch/agreement.h"
#include "patch/drafting.h"
#include "workflow/workflow.h"

static bool apply_diff(wpa_drafting *d, const wpa_patch_file *file, wpa_patch_replacement *content,
                       wpa_error *err)
{
    wpa_unified_result result;
    if (!wpa_unified_apply(content->bytes, content->size_bytes, content->path, file->before,
                           file->before_bytes, d->arena, &result, err)) {
        return false;
    }
    content->bytes = result.bytes;
    content->size_bytes = result.size_bytes;
    return true;
}

/** Open findings of the file that are not there any more with the new content. */
static bool answer_gone(wpa_drafting *d, const wpa_patch_file *file,
                        const wpa_patch_replacement *content, wpa_error *err)
{
    const wpa_patch_place *at = &d->place;
    char repository[WPA_DB_NUMBER_SIZE];
    if (!file->before || !content->bytes || wpa_file_kind_of(file->path) == WPA_FILE_OTHER) {
        return true;
    }
    wpa_analysis before = wpa_analysis_of(file->path, file->before, file->before_bytes, &at->around,
                                          at->settings, d->arena);
    wpa_analysis after = wpa_analysis_of(file->path, content->bytes, content->size_bytes,
                                         &at->around, at->settings, d->arena);
    wpa_analysis_change change = wpa_analysis_compare(&before, &after, d->arena);
    const char **gone = wpa_arena_array(d->arena, change.n_gone + 1, sizeof *gone);
    for (size_t i = 0; i < change.n_gone; i++) {
        gone[i] = change.gone[i]->fingerprint;
    }
    const char *params[] = {wpa_db_number(at->id, repository), file->path,
                            wpa_db_array(d->arena, gone, change.n_gone)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(d->db, WPA_SQL_PATCH_ANSWERED, params, WPA_COUNT(params), err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        wpa_drafting_answer(d, wpa_rows_int(rows, i, 0));
    }
    return rows != NULL;
}

static bool draft_content(wpa_drafting *d, const wpa_patch_replacement *content, wpa_error *err)
{
    const char *params[] = {content->repository};
    wpa_patch_file file;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(d->db, WPA_SQL_PATCH_REPOSITORY, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no repository '%s'", content->repository);
    }
    if (content->bytes && content->size_bytes > WPA_PATCH_FILE_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "'%s' has %zu bytes, at most %zu can be patched",
                        content->path, content->size_bytes, WPA_PATCH_FILE_MAX_BYTES);
    }
    if (!wpa_drafting_enter(d, rows, 0, 0, err) ||
        !wpa_drafting_read(d, content->path, &file, err)) {
        return false;
    }
    wpa_patch_replacement whole = *content;
    if (content->is_diff && !apply_diff(d, &file, &whole, err)) {
        return wpa_error_within(err, "'%s'", content->path);
    }
    content = &whole;
    bool is_same = content->bytes ? file.before && file.before_bytes == content->size_bytes &&
                                        memcmp(file.before, content->bytes, file.before_bytes) == 0
                                  : !file.before;
    if (is_same) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' of %s is like that already", content->path,
                        content->repository);
    }
    return answer_gone(d, &file, content, err) &&
           wpa_drafting_add(d, &file, content->bytes, content->size_bytes, err);
}

/** Is something of this content's repository before it? */
static bool is_later_of_repository(const wpa_patch_replacement contents[], size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (wpa_text_is(contents[i].repository, contents[at].repository)) {
            return true;
        }
    }
    return false;
}

/** All of one repository, together: they are compared while it is at hand. */
static bool draft_repository(wpa_drafting *d, const wpa_patch_replacement contents[], size_t n,
                             const char *repository, wpa_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(contents[i].repository, repository) &&
            !draft_content(d, &contents[i], err)) {
            return false;
        }
    }
    wpa_patch_look_at_agreement(&d->place.around, d->place.settings, d->place.id, d->arena,
                                d->draft);
    return true;
}

static bool is_same_file(const wpa_patch_file *a, const wpa_patch_file *b)
{
    return a->repository_id == b->repository_id && wpa_text_is(a->path, b->path);
}

bool wpa_patch_draft_contents(wpa_db *db, const wpa_patch_replacement contents[], size_t n,
                              const char *cache_folder, wpa_arena *arena, wpa_patch_draft *draft,
                              wpa_error *err)
{
    wpa_drafting d = {.db = db, .cache_folder = cache_folder, .arena = arena, .draft = draft};
    *draft = (wpa_patch_draft){.type = "feature",
                               .severity = WPA_SEVERITY_MEDIUM,
                               .is_by_person = true,
                               .name = "",
                               .description = "",
                               .issue = ""};
    if (n == 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "a patch needs at least one file");
    }
    bool is_drafted = true;
    for (size_t i = 0; i < n && is_drafted; i++) {
        is_drafted = is_later_of_repository(contents, i) ||
                     draft_repository(&d, contents, n, contents[i].repository, err);
    }
    wpa_drafting_end(&d);
    for (size_t i = 1; is_drafted && i < draft->n_files; i++) {
        if (is_same_file(&draft->files[i - 1], &draft->files[i])) {
            return WPA_FAIL(err, WPA_E_INVALID, "'%s' of %s is given twice", draft->files[i].path,
                            draft->files[i].repository);
        }
    }
    return is_drafted;
}
