#include "deploy/tip.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define SEARCH_MAX_ENTRIES 200000
#define TIP_TEXT 12 /* digits of a commit that people see */

bool wpa_tip_judge(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                   char tip[WPA_OID_SIZE], wpa_tip_verdict *verdict, wpa_error *err)
{
    bool yes = false;
    wpa_text_copy(tip, WPA_OID_SIZE, WPA_OID_ZERO);
    if (!wpa_git_ref_refresh(git, ref, tip, err)) {
        if (err->code != WPA_E_NOT_FOUND) {
            return false;
        }
        wpa_error_clear(err);
        *verdict = wpa_text_is(old_oid, WPA_OID_ZERO) ? WPA_TIP_OLD : WPA_TIP_GONE;
        return true;
    }
    if (wpa_text_is(tip, new_oid) || wpa_text_is(tip, old_oid)) {
        *verdict = wpa_text_is(tip, new_oid) ? WPA_TIP_NEW : WPA_TIP_OLD;
        return true;
    }
    if (!wpa_git_is_ancestor(git, new_oid, tip, &yes, err)) {
        return false;
    }
    if (yes) {
        *verdict = WPA_TIP_BEYOND;
        return true;
    }
    if (!wpa_git_is_ancestor(git, old_oid, tip, &yes, err)) {
        return false;
    }
    *verdict = yes ? WPA_TIP_MOVED : WPA_TIP_REWRITTEN;
    return true;
}

/* The blob at the path, "" if there is none; "?" for what is no file. */
static bool blob_at(wpa_git *git, const char *commit, const char *path, wpa_arena *arena,
                    const char **blob, wpa_error *err)
{
    wpa_git_entry entry;
    if (!wpa_git_tree_find(git, commit, path, arena, &entry, err)) {
        if (err->code != WPA_E_NOT_FOUND) {
            return false;
        }
        wpa_error_clear(err);
        *blob = "";
        return true;
    }
    const bool is_file = entry.kind == WPA_GIT_FILE || entry.kind == WPA_GIT_EXECUTABLE;
    *blob = is_file ? wpa_arena_text(arena, entry.oid) : "?";
    return true;
}

bool wpa_tip_compare(wpa_git *git, const char *commit, const wpa_git_edit *edits, size_t n,
                     wpa_arena *arena, wpa_tip_content *content, const char **path, wpa_error *err)
{
    size_t n_before = 0;
    size_t n_after = 0;
    *path = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *blob = NULL;
        if (!blob_at(git, commit, edits[i].path, arena, &blob, err)) {
            return false;
        }
        const bool is_before = wpa_text_is(blob, edits[i].before != NULL ? edits[i].before : "");
        const bool is_after = wpa_text_is(blob, edits[i].after != NULL ? edits[i].after : "");
        n_before += is_before ? 1 : 0;
        n_after += is_after ? 1 : 0;
        if (!is_before && !is_after && *path == NULL) {
            *path = edits[i].path;
        }
    }
    *content = *path != NULL   ? WPA_CONTENT_OTHER
               : n_before == n ? WPA_CONTENT_BEFORE
               : n_after == n  ? WPA_CONTENT_AFTER
                               : WPA_CONTENT_MIXED;
    return true;
}

typedef struct line_range {
    size_t first; /* of the older text, from 1 */
    size_t last;
} line_range;

static size_t count_lines(const char *text, size_t length)
{
    size_t n = 1;
    for (size_t i = 0; i < length; i++) {
        n += text[i] == '\n' ? 1 : 0;
    }
    return n;
}

/* The lines of a that differ from b, from the first to the last. */
static line_range changed_lines(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const size_t shorter = a_length < b_length ? a_length : b_length;
    size_t head = 0;
    while (head < shorter && a[head] == b[head]) {
        head++;
    }
    size_t tail = 0;
    while (tail < shorter - head && a[a_length - 1 - tail] == b[b_length - 1 - tail]) {
        tail++;
    }
    const size_t first = count_lines(a, head);
    const size_t last = count_lines(a, a_length - tail);
    return (line_range){first, last < first ? first : last};
}

/* "`ci.yml` line 41 was changed there and by this patch" and the like. */
static const char *what_changed(wpa_git *git, const char *tip, const wpa_git_edit *edit,
                                wpa_git_edit inverse, wpa_arena *arena)
{
    wpa_error ignored = {0};
    size_t theirs_bytes = 0;
    const char *blob = "";
    if (!blob_at(git, tip, edit->path, arena, &blob, &ignored) || wpa_text_is(blob, "?")) {
        return wpa_arena_printf(arena, "'%s' is no regular file any more.", edit->path);
    }
    if (*blob == '\0') {
        return wpa_arena_printf(arena, "'%s' was deleted or renamed there.", edit->path);
    }
    const char *theirs =
        wpa_git_blob_read(git, blob, FILE_MAX_BYTES, arena, &theirs_bytes, &ignored);
    if (theirs == NULL || edit->before == NULL || edit->after == NULL || inverse.bytes == NULL) {
        return wpa_arena_printf(arena, "'%s' is not what this patch was tested on.", edit->path);
    }
    const line_range their = changed_lines(inverse.bytes, inverse.size_bytes, theirs, theirs_bytes);
    const line_range our =
        changed_lines(inverse.bytes, inverse.size_bytes, edit->bytes, edit->size_bytes);
    const bool overlaps = their.first <= our.last && our.first <= their.last;
    return overlaps
               ? wpa_arena_printf(arena, "'%s' line %zu was changed there and by this patch.",
                                  edit->path, their.first > our.first ? their.first : our.first)
               : wpa_arena_printf(arena,
                                  "'%s' was changed there from line %zu to %zu, this patch "
                                  "changes line %zu to %zu: the approved content is another now.",
                                  edit->path, their.first, their.last, our.first, our.last);
}

/* Where the file of a lost path went, if its very content lies elsewhere. */
static const char *new_home(wpa_git *git, const char *tip, const wpa_git_edit *edit,
                            wpa_arena *arena)
{
    wpa_git_entries all;
    wpa_error ignored = {0};
    if (edit->before == NULL ||
        !wpa_git_tree_list(git, tip, "", true, SEARCH_MAX_ENTRIES, arena, &all, &ignored)) {
        return "";
    }
    for (size_t i = 0; i < all.n; i++) {
        if (wpa_text_is(all.items[i].oid, edit->before) &&
            !wpa_text_is(all.items[i].path, edit->path)) {
            return wpa_arena_printf(arena, " Its content lies at '%s' now.", all.items[i].path);
        }
    }
    return "";
}

static const char *how_it_moved(wpa_git *git, const wpa_deploy_target *target, const char *tip,
                                int64_t now_us, wpa_arena *arena)
{
    wpa_error ignored = {0};
    wpa_git_commit commit;
    size_t n = 0;
    const char *from = target->tested_base;
    if (from == NULL || *from == '\0' || !wpa_git_commit_read(git, tip, arena, &commit, &ignored) ||
        !wpa_git_count_commits(git, from, tip, &n, &ignored)) {
        return wpa_arena_printf(arena, "is at %.*s", TIP_TEXT, tip);
    }
    char age[WPA_TIMESTAMP_SIZE];
    const int64_t age_ms = now_us / 1000 - commit.time_s * 1000;
    return wpa_arena_printf(arena, "moved from %.*s to %.*s (%zu commit%s, last by %s, %s ago)",
                            TIP_TEXT, from, TIP_TEXT, tip, n, n == 1 ? "" : "s", commit.author_name,
                            wpa_duration_format(age_ms, age));
}

const char *wpa_tip_story(wpa_deploy_run *run, wpa_git *git, const wpa_deploy_target *target,
                          const char *tip, const wpa_git_edit *edits, size_t n, const char *path,
                          wpa_arena *arena)
{
    const char *changed = "";
    const char *home = "";
    for (size_t i = 0; path != NULL && i < n; i++) {
        if (!wpa_text_is(edits[i].path, path)) {
            continue;
        }
        wpa_git_edit inverse = {0};
        size_t n_inverse = 0;
        wpa_error ignored = {0};
        const wpa_git_edit *all =
            wpa_deployment_edits(run->job->db, run->d, target, true, &n_inverse, arena, &ignored);
        if (all != NULL && i < n_inverse) {
            inverse = all[i];
        }
        changed = what_changed(git, tip, &edits[i], inverse, arena);
        home = new_home(git, tip, &edits[i], arena);
    }
    const char *story = wpa_arena_printf(
        arena,
        "target %s branch %s: %s. %s%s Nothing was pushed. Next: wpa fleet scan %s --wait, and wpa "
        "patch create for what is still found there.",
        target->repository, target->branch, how_it_moved(git, target, tip, run->d->now_us, arena),
        changed, home, target->repository);
    return wpa_text_visible(arena, story, strlen(story), false);
}
