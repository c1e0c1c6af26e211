/* A draft becomes rows: checked, with its edits, inverse, diff and rollback data. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "edit/diff.h"
#include "gen/sql.h"
#include "job/job.h"
#include "json/json.h"
#include "match/secret.h"
#include "patch/digest.h"
#include "patch/patch.h"

#define DIFF_MAX_BYTES ((size_t)16 << 20)

static bool check_version(const char *version, wpa_error *err)
{
    return wpa_patch_version_is(version) ||
           WPA_FAIL(err, WPA_E_INVALID, "version '%s' is not of the form 1.0.0", version);
}

static size_t line_of(const char *text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += text[i] == '\n';
    }
    return line;
}

/* What merely looks like a secret counts only if the patch brings it in. */
static bool check_secrets(const wpa_secret_scanner *scanner, const wpa_patch_file *file,
                          wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n;
    const wpa_found_secret *secrets =
        wpa_secrets_find(scanner, file->after, file->after_bytes, arena, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_span span = secrets[i].span;
        bool is_old = file->before && memmem(file->before, file->before_bytes,
                                             file->after + span.start, wpa_span_length(span));
        if (!secrets[i].is_guess || !is_old) {
            return WPA_FAIL(err, WPA_E_REFUSED,
                            "%s/%s line %zu holds what looks like a secret (%s): take it out and "
                            "replace it where it is in use; a patch never carries one",
                            file->repository, file->path, line_of(file->after, span.start),
                            secrets[i].kind);
        }
    }
    return true;
}

static bool check_content(const wpa_patch_draft *draft, wpa_error *err)
{
    WPA_AUTO(wpa_secret_scanner) *scanner = wpa_secret_scanner_new();
    for (size_t i = 0; i < draft->n_files; i++) {
        const wpa_patch_file *file = &draft->files[i];
        if (!wpa_path_check_relative(file->path, err) ||
            (file->after && !check_secrets(scanner, file, err))) {
            return false;
        }
    }
    return true;
}

static char *edits_json(const wpa_edit *edits, size_t n, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_json *item = wpa_json_push_object(list);
        wpa_json_set_int(item, "start", (int64_t)edits[i].bytes.start);
        wpa_json_set_int(item, "end", (int64_t)edits[i].bytes.end);
        wpa_json_set_text(item, "text", wpa_arena_slice(arena, edits[i].text, edits[i].text_bytes));
    }
    return wpa_json_dump(list, arena);
}

/** Of a file that is there on both sides; else there are none. */
static const wpa_edit *edits_of(const wpa_patch_file *file, wpa_arena *arena, size_t *n)
{
    *n = file->n_edits;
    if (file->edits || !file->before || !file->after) {
        return file->edits;
    }
    return wpa_edits_between(file->before, file->before_bytes, file->after, file->after_bytes,
                             arena, n);
}

static bool store_file(wpa_db *db, const char *patch_id, const wpa_patch_file *file,
                       wpa_arena *arena, wpa_error *err)
{
    char repository[WPA_DB_NUMBER_SIZE];
    size_t n;
    const wpa_edit *edits = edits_of(file, arena, &n);
    const wpa_edit *inverse = n ? wpa_edits_invert(edits, n, file->before, arena) : NULL;
    const char *params[] = {
        patch_id,
        wpa_db_number(file->repository_id, repository),
        file->ref,
        file->path,
        file->base,
        file->before ? file->before_oid : NULL,
        file->after ? file->after_oid : NULL,
        file->before ? wpa_db_bytes(arena, file->before, file->before_bytes) : NULL,
        file->after ? wpa_db_bytes(arena, file->after, file->after_bytes) : NULL,
        edits_json(edits, n, arena),
        edits_json(inverse, n, arena),
    };
    return wpa_db_run(db, WPA_SQL_PATCH_EDIT_INSERT, params, WPA_COUNT(params), err) ||
           wpa_error_within(err, "edit of %s/%s", file->repository, file->path);
}

typedef struct diff_summary {
    char *text;
    int64_t n_added, n_removed;
} diff_summary;

static void count_lines(const char *diff, diff_summary *summary)
{
    bool is_head = true;
    for (const char *line = diff; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
        is_head = is_head && !wpa_text_starts(line, "@@");
        summary->n_added += !is_head && *line == '+';
        summary->n_removed += !is_head && *line == '-';
    }
}

static bool diff_all(const wpa_patch_draft *draft, wpa_arena *arena, diff_summary *summary,
                     wpa_error *err)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(DIFF_MAX_BYTES);
    for (size_t i = 0; i < draft->n_files; i++) {
        const wpa_patch_file *file = &draft->files[i];
        const char *path = wpa_arena_printf(arena, "%s/%s", file->repository, file->path);
        char *diff = wpa_diff_unified(path, file->before, file->before_bytes, file->after,
                                      file->after_bytes, arena);
        count_lines(diff, summary);
        wpa_buf_text(buf, diff);
    }
    /* The column is text: bytes that are no UTF-8 are shown as marks, the edits keep them as they
     * are. */
    summary->text = wpa_text_visible(arena, wpa_buf_data(buf), wpa_buf_size(buf), true);
    return wpa_buf_check(buf, "the diff", err);
}

/** What going back means: a revert commit that gives every file its blob of before. */
static char *rollback_json(const wpa_patch_draft *draft, wpa_arena *arena)
{
    wpa_json *data = wpa_json_new_object(arena);
    wpa_json_set_text(data, "method", "revert_commit");
    wpa_json *files = wpa_json_set_array(data, "files");
    for (size_t i = 0; i < draft->n_files; i++) {
        wpa_json *file = wpa_json_push_object(files);
        wpa_json_set_text(file, "repository", draft->files[i].repository);
        wpa_json_set_text(file, "ref", draft->files[i].ref);
        wpa_json_set_text(file, "path", draft->files[i].path);
        wpa_json_set_text(file, "before",
                          draft->files[i].before ? draft->files[i].before_oid : NULL);
        wpa_json_set_text(file, "after", draft->files[i].after ? draft->files[i].after_oid : NULL);
    }
    return wpa_json_dump(data, arena);
}

static char *declares_json(const wpa_patch_draft *draft, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < draft->n_declares; i++) {
        wpa_json_push_text(list, draft->declares[i]);
    }
    return wpa_json_dump(list, arena);
}

static void digest_draft(const wpa_patch_draft *draft, wpa_arena *arena, uint8_t digest[32])
{
    wpa_patch_content *contents = wpa_arena_array(arena, draft->n_files, sizeof *contents);
    for (size_t i = 0; i < draft->n_files; i++) {
        const wpa_patch_file *file = &draft->files[i];
        contents[i] = (wpa_patch_content){.repository_id = file->repository_id,
                                          .ref = file->ref,
                                          .path = file->path,
                                          .before_oid = file->before ? file->before_oid : NULL,
                                          .after_oid = file->after ? file->after_oid : NULL,
                                          .after = file->after,
                                          .after_bytes = file->after_bytes};
    }
    wpa_patch_digest(contents, draft->n_files, digest);
}

static bool insert_patch(wpa_db *db, const wpa_actor *actor, const wpa_patch_draft *draft,
                         int64_t supersedes, wpa_arena *arena, int64_t *patch_id, wpa_error *err)
{
    uint8_t digest[32];
    diff_summary diff = {0};
    char actor_id[WPA_DB_NUMBER_SIZE], old[WPA_DB_NUMBER_SIZE], added[WPA_DB_NUMBER_SIZE],
        removed[WPA_DB_NUMBER_SIZE];
    digest_draft(draft, arena, digest);
    if (!diff_all(draft, arena, &diff, err)) {
        return false;
    }
    const char *params[] = {
        draft->name,
        draft->version ? draft->version : "1.0.0",
        draft->type,
        wpa_severity_name(draft->severity),
        draft->description ? draft->description : "",
        draft->issue ? draft->issue : "",
        wpa_db_bytes(arena, digest, sizeof digest),
        wpa_db_number(actor->principal_id, actor_id),
        wpa_db_bool(draft->is_by_person),
        supersedes ? wpa_db_number(supersedes, old) : NULL,
        declares_json(draft, arena),
        diff.text,
        wpa_db_number(diff.n_added, added),
        wpa_db_number(diff.n_removed, removed),
        rollback_json(draft, arena),
        draft->engine_notes ? draft->engine_notes : "",
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_PATCH_INSERT, params, WPA_COUNT(params), err);
    *patch_id = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

static bool take_findings(wpa_db *db, const char *patch_id, const wpa_patch_draft *draft,
                          wpa_arena *arena, wpa_error *err)
{
    const char *params[] = {patch_id,
                            wpa_db_array_int(arena, draft->finding_ids, draft->n_findings)};
    if (draft->n_findings == 0) {
        return true;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_PATCH_TAKE_FINDINGS, params, 2, err);
    return rows && (wpa_rows_count(rows) == draft->n_findings ||
                    WPA_FAIL(err, WPA_E_CONFLICT,
                             "%zu of the %zu findings are no longer open, or another patch answers "
                             "them now",
                             draft->n_findings - wpa_rows_count(rows), draft->n_findings));
}

static bool supersede(wpa_db *db, int64_t patch_id, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(patch_id, id)};
    return patch_id == 0 || wpa_db_run(db, WPA_SQL_PATCH_SUPERSEDE, params, 1, err);
}

bool wpa_patch_order_test(wpa_db *db, const wpa_actor *actor, int64_t patch_id, int64_t *job_id,
                          wpa_error *err)
{
    char subject[64], label[64];
    (void)wpa_text_format(subject, sizeof subject, "patch:%lld", (long long)patch_id);
    (void)wpa_text_format(label, sizeof label, "test p-%lld", (long long)patch_id);
    const wpa_job_spec spec = {.kind = "test",
                               .subject = subject,
                               .label = label,
                               .max_attempts = 3,
                               .requested_by = actor->principal_id};
    return wpa_job_enqueue(db, &spec, job_id, err);
}

bool wpa_patch_store(wpa_db *db, const wpa_actor *actor, const wpa_patch_draft *draft,
                     int64_t supersedes, wpa_arena *arena, int64_t *patch_id, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    if (!wpa_actor_check(actor, WPA_ACTION_CREATE_PATCH, err) ||
        !check_version(draft->version ? draft->version : "1.0.0", err) ||
        !check_content(draft, err) || !supersede(db, supersedes, err) ||
        !insert_patch(db, actor, draft, supersedes, arena, patch_id, err)) {
        return false;
    }
    wpa_db_number(*patch_id, id);
    for (size_t i = 0; i < draft->n_files; i++) {
        if (!store_file(db, id, &draft->files[i], arena, err)) {
            return false;
        }
    }
    return take_findings(db, id, draft, arena, err) &&
           wpa_patch_order_test(db, actor, *patch_id, NULL, err);
}
