/*
 * One target, for applying and for reverting, in steps that may be cut off anywhere: read the tip;
 * make the commit, a pure function of tip, edits and deployment; write the intent (first
 * transaction); push with the old tip as the expected value; read the ref again and decide; close
 * the intent (second transaction); read back what stands there. Each function reads what is, does
 * one thing, and leaves rows from which any agent goes on.
 */
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "deploy/fault.h"
#include "deploy/run.h"
#include "deploy/target_rows.h"
#include "deploy/tip.h"

#define MOVES_MAX 5
#define BUSY_WAIT_MS 60000
#define BUSY_LIMIT_US (INT64_C(30) * 60 * 1000000)
#define UNREACHABLE_WAIT_MS 5000
#define NAME_MAX_CHARS 120

/* What a kind of intent means to the target's states. */
typedef struct direction {
    const char *kind;     /* of the intent */
    const char *intended; /* the target's state while an intent is open */
    const char *done;
    const char *again;   /* the ref moved: try on the new tip */
    const char *blocked; /* it cannot be done */
} direction;

static const direction applying = {"apply", "intended", "applied", "planned", "conflict"};
static const direction reverting = {"revert", "revert_intended", "reverted", "applied",
                                    "revert_blocked"};

/* One target under work: its repository open, its edits at hand. */
typedef struct work {
    wpa_deploy_run *run;
    const wpa_deploy_target *target;
    const direction *way;
    wpa_git *git;
    const wpa_git_edit *edits;
    size_t n_edits;
} work;

/* ---- the commit ---- */

/* Version 8 (RFC 9562) of a hash: any agent that reads the same row makes the same id. */
static void name_intent(const work *w, const char *tip, char id[WPA_UUID_SIZE])
{
    uint8_t hash[WPA_SHA256_SIZE];
    char hex[WPA_SHA256_HEX_SIZE];
    const char *text = wpa_arena_printf(
        w->run->arena, "wpa intent v1\n%lld\n%lld\n%s\n%s\n%s\n%lld\n", (long long)w->run->d->id,
        (long long)w->target->id, w->target->ref, w->way->kind, tip, (long long)w->target->version);
    wpa_sha256(text, strlen(text), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0F) | 0x80);
    hash[8] = (uint8_t)((hash[8] & 0x3F) | 0x80);
    wpa_hex_encode(hash, 16, hex);
    wpa_text_format(id, WPA_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                    hex + 16, hex + 20);
}

static const char *write_message(const work *w, const char *intent_id, wpa_arena *arena)
{
    const wpa_deployment *d = w->run->d;
    const bool is_revert = w->way == &reverting;
    const char *name = wpa_text_ellipsis(
        arena, wpa_text_visible(arena, d->patch_name, strlen(d->patch_name), false),
        NAME_MAX_CHARS);
    const char *subject =
        *name == '\0' ? wpa_arena_printf(arena, "Apply p-%lld", (long long)d->patch_id) : name;
    const char *body =
        is_revert ? wpa_arena_printf(arena, "This takes back %s.\n\n", w->target->applied) : "";
    return wpa_arena_printf(arena,
                            "%s%s%s\n\n%sWpa-Patch: p-%lld\nWpa-Revision: %lld\nWpa-Deployment: "
                            "d-%lld\nWpa-Target: %s\n"
                            "Wpa-Digest: %s\nWpa-Intent: %s\nWpa-Audit: %s\n",
                            is_revert ? "Revert \"" : "", subject, is_revert ? "\"" : "", body,
                            (long long)d->patch_id, (long long)d->patch_revision, (long long)d->id,
                            w->target->repository, d->digest, intent_id,
                            *d->audit_anchor != '\0' ? d->audit_anchor : "none");
}

/* Only the edits that still say something at the tip: what is restored already stays as it is. */
static const wpa_git_edit *open_edits(const work *w, const char *tip, size_t *n, wpa_error *err)
{
    wpa_git_edit *left = wpa_arena_array(w->run->arena, w->n_edits, sizeof *left);
    *n = 0;
    for (size_t i = 0; i < w->n_edits; i++) {
        wpa_tip_content content;
        const char *path = NULL;
        if (!wpa_tip_compare(w->git, tip, &w->edits[i], 1, w->run->arena, &content, &path, err)) {
            return NULL;
        }
        if (content != WPA_CONTENT_AFTER) {
            left[(*n)++] = w->edits[i];
        }
    }
    return left;
}

static bool make_commit(const work *w, const char *tip, wpa_intent *made, wpa_error *err)
{
    const wpa_deployment *d = w->run->d;
    const int64_t time_us = w->way == &reverting ? d->rolling_back_at_us : d->started_at_us;
    const wpa_git_identity identity = {d->commit_name, d->commit_email, time_us / 1000000};
    size_t n = 0;
    const wpa_git_edit *edits = open_edits(w, tip, &n, err);
    *made = (wpa_intent){.kind = w->way->kind, .deployment_id = d->id};
    name_intent(w, tip, made->id);
    wpa_text_copy(made->old_oid, sizeof made->old_oid, tip);
    if (edits == NULL ||
        !wpa_git_commit_make(w->git, tip, edits, n, &identity,
                             write_message(w, made->id, w->run->arena), made->new_oid, err)) {
        return false;
    }
    made->raw = wpa_git_commit_raw(w->git, made->new_oid, w->run->arena, &made->raw_bytes, err);
    return made->raw != NULL;
}

/* ---- the ref and what follows ---- */

static const char *place(const work *w, const char *what)
{
    return wpa_arena_printf(w->run->arena, "%s-%s", w->way->kind, what);
}

static bool note_done(const work *w, const wpa_intent *open, const char *tip, wpa_error *err)
{
    const bool is_revert = w->way == &reverting;
    const wpa_target_change c = {
        .target = w->target,
        .from = w->way->intended,
        .to = w->way->done,
        .base = is_revert ? NULL : open->old_oid,
        .applied = is_revert ? NULL : open->new_oid,
        .reverted = is_revert ? open->new_oid : NULL,
        .observed = tip,
        .ends = open,
        .end_state = "done",
    };
    w->run->has_moved = true;
    if (is_revert) {
        /* Restored only when it is seen to be so. */
        wpa_tip_content content;
        const char *path = NULL;
        if (!wpa_tip_compare(w->git, open->new_oid, w->edits, w->n_edits, w->run->arena, &content,
                             &path, err)) {
            return false;
        }
        if (content != WPA_CONTENT_AFTER) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "revert commit %s does not restore '%s'",
                            open->new_oid, path != NULL ? path : "all paths");
        }
    }
    wpa_fault(place(w, "before-done"));
    if (!wpa_deploy_transact(w->run, wpa_target_write, &c, err)) {
        return false;
    }
    wpa_fault(place(w, "after-done"));
    return true;
}

static bool note_undone(const work *w, const wpa_intent *open, const char *end_state,
                        const char *to, const char *note, const char *tip, wpa_error *err)
{
    const wpa_target_change c = {.target = w->target,
                                 .from = w->way->intended,
                                 .to = to,
                                 .note = note,
                                 .observed = tip,
                                 .ends = open,
                                 .end_state = end_state};
    w->run->has_moved = true;
    return wpa_deploy_transact(w->run, wpa_target_write, &c, err);
}

static bool settle(const work *w, const wpa_intent *open, wpa_tip_verdict verdict, const char *tip,
                   wpa_error *err)
{
    wpa_arena *arena = w->run->arena;
    const char *where =
        wpa_arena_printf(arena, "target %s branch %s", w->target->repository, w->target->branch);
    switch (verdict) {
    case WPA_TIP_NEW:
    case WPA_TIP_BEYOND:
        return note_done(w, open, tip, err);
    case WPA_TIP_MOVED:
        return note_undone(w, open, "moved", w->way->again, NULL, tip, err);
    case WPA_TIP_GONE:
        return note_undone(
            w, open, "void", w->way->blocked,
            wpa_arena_printf(arena, "%s: the branch was deleted. Nothing was pushed.", where), NULL,
            err);
    case WPA_TIP_REWRITTEN:
        return note_undone(
            w, open, "void", w->way->blocked,
            wpa_arena_printf(arena,
                             "%s: history of %s was rewritten: neither %.12s nor "
                             "%.12s is in that of %.12s. Nothing was pushed over it.",
                             where, w->target->ref, open->old_oid, open->new_oid, tip),
            tip, err);
    case WPA_TIP_OLD:
        break;
    }
    return WPA_FAIL(err, WPA_E_INTERNAL, "%s: an intent that is not pushed cannot be settled",
                    where);
}

/* The host said no: failed, or blocked when it is the way back, with the host's own words. */
static bool note_refused(const work *w, const wpa_intent *open, const wpa_error *why,
                         wpa_error *err)
{
    const char *note = wpa_arena_printf(w->run->arena, "target %s branch %s: %s",
                                        w->target->repository, w->target->branch, why->message);
    return note_undone(w, open, "void", w->way == &applying ? "failed" : w->way->blocked, note,
                       NULL, err);
}

/* Push to second transaction, entered with an open intent: by whoever wrote it, or by whoever found
 * it. */
static bool push_and_settle(const work *w, const wpa_intent *open, wpa_error *err)
{
    char tip[WPA_OID_SIZE];
    wpa_tip_verdict verdict;
    if (!wpa_tip_judge(w->git, w->target->ref, open->old_oid, open->new_oid, tip, &verdict, err)) {
        return false;
    }
    if (verdict != WPA_TIP_OLD) {
        return settle(w, open, verdict, tip, err);
    }
    size_t n = 0;
    const wpa_git_edit *edits = open_edits(w, open->old_oid, &n, err);
    if (edits == NULL ||
        !wpa_git_commit_restore(w->git, open->raw, open->raw_bytes, edits, n, open->new_oid, err)) {
        return false;
    }
    wpa_fault(place(w, "before-push"));
    if (!wpa_job_check(w->run->job, err)) {
        return false;
    }
    wpa_error why = {0};
    const bool is_pushed =
        wpa_git_ref_swap(w->git, w->target->ref, open->old_oid, open->new_oid, &why);
    wpa_fault(place(w, "after-push"));
    if (!is_pushed && (why.code == WPA_E_REFUSED || why.code == WPA_E_DENIED)) {
        return note_refused(w, open, &why, err);
    }
    /* Whatever the answer was, the ref itself says what happened. */
    if (!wpa_tip_judge(w->git, w->target->ref, open->old_oid, open->new_oid, tip, &verdict, err)) {
        return false;
    }
    if (verdict == WPA_TIP_OLD) {
        return wpa_target_wait(w->run, w->target, UNREACHABLE_WAIT_MS, why.message, err);
    }
    return settle(w, open, verdict, tip, err);
}

/* Commit to second transaction, on a tip whose paths are as they should be before. */
static bool intend_and_push(const work *w, const char *tip, wpa_error *err)
{
    wpa_intent made;
    if (!make_commit(w, tip, &made, err)) {
        return false;
    }
    wpa_fault(place(w, "before-intent"));
    const wpa_target_change c = {.target = w->target,
                                 .from = w->target->state,
                                 .to = w->way->intended,
                                 .observed = tip,
                                 .begins = &made};
    w->run->has_moved = true;
    if (!wpa_deploy_transact(w->run, wpa_target_write, &c, err)) {
        return false;
    }
    wpa_fault(place(w, "after-intent"));
    return push_and_settle(w, &made, err);
}

/* ---- beginning ---- */

static bool move_plain(const work *w, const char *to, const char *note, const char *tip,
                       wpa_error *err)
{
    const wpa_target_change c = {
        .target = w->target, .from = w->target->state, .to = to, .note = note, .observed = tip};
    w->run->has_moved = true;
    return wpa_deploy_transact(w->run, wpa_target_write, &c, err);
}

/* A repository that cannot be opened: for good (failed) or for now (wait). */
static bool note_unreachable(wpa_deploy_run *run, const wpa_deploy_target *target,
                             const direction *way, const wpa_error *why, wpa_error *err)
{
    const work w = {.run = run, .target = target, .way = way};
    const char *note =
        wpa_arena_printf(run->arena, "target %s: %s", target->repository, why->message);
    const bool is_for_good =
        why->code == WPA_E_NOT_FOUND || why->code == WPA_E_INVALID || why->code == WPA_E_DENIED;
    if (is_for_good && wpa_text_is(target->state, "planned")) {
        return move_plain(&w, "failed", note, NULL, err);
    }
    if (is_for_good && wpa_text_is(target->state, "revert_intended")) {
        return wpa_target_wait(run, target, BUSY_WAIT_MS, note, err);
    }
    return wpa_target_wait(run, target, UNREACHABLE_WAIT_MS, note, err);
}

static bool begin_work(wpa_deploy_run *run, const wpa_deploy_target *target, const direction *way,
                       work *w, wpa_error *err)
{
    *w = (work){.run = run, .target = target, .way = way};
    w->edits = wpa_deployment_edits(run->job->db, run->d, target, way == &reverting, &w->n_edits,
                                    run->arena, err);
    return w->edits != NULL && wpa_job_check(run->job, err);
}

static int64_t stage_began_us(const work *w)
{
    for (size_t i = 0; i < w->run->d->n_stages; i++) {
        if (w->run->d->stages[i].n == w->target->n) {
            return w->run->d->stages[i].started_at_us;
        }
    }
    return w->run->d->started_at_us;
}

/* Too many others push: wait, and after half an hour give up. */
static bool is_too_busy(const work *w, bool *is_handled, wpa_error *err)
{
    *is_handled = w->target->moves > MOVES_MAX;
    if (!*is_handled) {
        return true;
    }
    if (w->way == &applying && w->run->d->now_us - stage_began_us(w) > BUSY_LIMIT_US) {
        return move_plain(w, "conflict", "too busy: the branch moved each time we tried", NULL,
                          err);
    }
    if (w->target->retry_at_us == 0) {
        return wpa_target_wait(w->run, w->target, BUSY_WAIT_MS, "the branch keeps moving", err);
    }
    *is_handled = w->target->retry_at_us > w->run->d->now_us;
    return true;
}

/* false with *is_gone and no error if there is no such branch any more. */
static bool read_tip(const work *w, char tip[WPA_OID_SIZE], bool *is_gone, wpa_error *err)
{
    if (wpa_git_ref_read(w->git, w->target->ref, tip, err)) {
        return true;
    }
    *is_gone = err->code == WPA_E_NOT_FOUND;
    if (*is_gone) {
        wpa_error_clear(err);
    }
    return false;
}

static bool apply_on_tip(const work *w, wpa_error *err)
{
    char tip[WPA_OID_SIZE];
    wpa_tip_content content;
    const char *path = NULL;
    bool is_gone = false;
    if (!read_tip(w, tip, &is_gone, err)) {
        return is_gone &&
               move_plain(w, "conflict", "the branch was deleted. Nothing was pushed.", NULL, err);
    }
    if (!wpa_tip_compare(w->git, tip, w->edits, w->n_edits, w->run->arena, &content, &path, err)) {
        return false;
    }
    switch (content) {
    case WPA_CONTENT_BEFORE:
        return intend_and_push(w, tip, err);
    case WPA_CONTENT_AFTER:
        return move_plain(w, "skipped", "already in place", tip, err);
    case WPA_CONTENT_MIXED:
    case WPA_CONTENT_OTHER:
        break;
    }
    const char *story =
        wpa_tip_story(w->run, w->git, w->target, tip, w->edits, w->n_edits, path, w->run->arena);
    return move_plain(w, "conflict", story, tip, err);
}

/**
 * One step of a target either way; on_tip: what there is to do once no intent is open and the
 * branch is quiet.
 */
static bool work_on(wpa_deploy_run *run, const wpa_deploy_target *target, const direction *way,
                    bool (*on_tip)(const work *w, wpa_error *err), wpa_error *err)
{
    work w;
    wpa_intent open;
    bool is_there = false;
    wpa_error why = {0};
    if (!begin_work(run, target, way, &w, err) ||
        !wpa_target_intent(run, target, &open, &is_there, err)) {
        return false;
    }
    WPA_AUTO(wpa_git) *git = wpa_deploy_reach(run, target, &why);
    if (git == NULL) {
        return note_unreachable(run, target, way, &why, err);
    }
    w.git = git;
    if (is_there) {
        return push_and_settle(&w, &open, err);
    }
    bool is_handled = false;
    if (!is_too_busy(&w, &is_handled, err) || is_handled) {
        return is_handled && err->code == WPA_OK;
    }
    return on_tip(&w, err);
}

bool wpa_target_apply(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err)
{
    return work_on(run, target, &applying, apply_on_tip, err);
}

/* What others changed behind us is theirs: our own commit must hold what we meant. */
bool wpa_target_verify(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err)
{
    work w;
    wpa_error why = {0};
    wpa_tip_content content;
    const char *path = NULL;
    char tip[WPA_OID_SIZE];
    bool is_in = false;
    if (!begin_work(run, target, &applying, &w, err)) {
        return false;
    }
    WPA_AUTO(wpa_git) *git = wpa_deploy_reach(run, target, &why);
    if (git == NULL) {
        return wpa_target_wait(run, target, UNREACHABLE_WAIT_MS, why.message, err);
    }
    w.git = git;
    bool is_gone = false;
    if (!read_tip(&w, tip, &is_gone, err)) {
        return is_gone && wpa_deploy_roll_back_by(
                              run, "R3",
                              wpa_arena_printf(run->arena, "target %s: the branch was deleted",
                                               target->repository),
                              err);
    }
    if (!wpa_git_is_ancestor(git, target->applied, tip, &is_in, err) ||
        !wpa_tip_compare(git, target->applied, w.edits, w.n_edits, run->arena, &content, &path,
                         err)) {
        return false;
    }
    if (content != WPA_CONTENT_AFTER || !is_in) {
        const char *reason = wpa_arena_printf(
            run->arena, "target %s does not read back as approved (%s)", target->repository,
            !is_in ? "the branch does not contain our commit" : path);
        return wpa_deploy_roll_back_by(run, "R3", reason, err);
    }
    wpa_fault("before-verified");
    return move_plain(&w, "verified", NULL, tip, err);
}

/* ---- the way back ---- */

/* Others have restored all paths: nothing to push, and the tip that shows it is on record. */
static bool note_restored(const work *w, const char *tip, wpa_error *err)
{
    const bool is_intended = wpa_text_is(w->target->state, "revert_intended");
    const bool is_direct = is_intended || wpa_text_is(w->target->state, "revert_blocked");
    const wpa_target_change c = {.target = w->target,
                                 .from = w->target->state,
                                 .via = is_direct ? NULL : "revert_intended",
                                 .to = "reverted",
                                 .note = "restored by others",
                                 .reverted = tip,
                                 .observed = tip};
    w->run->has_moved = true;
    return wpa_deploy_transact(w->run, wpa_target_write, &c, err);
}

static bool note_blocked(const work *w, const char *note, const char *tip, wpa_error *err)
{
    if (wpa_text_is(w->target->state, "revert_blocked")) {
        return wpa_target_wait(w->run, w->target, -1, note, err);
    }
    const wpa_target_change c = {
        .target = w->target,
        .from = w->target->state,
        .via = wpa_text_is(w->target->state, "revert_intended") ? NULL : "revert_intended",
        .to = "revert_blocked",
        .note = note,
        .observed = tip};
    w->run->has_moved = true;
    return wpa_deploy_transact(w->run, wpa_target_write, &c, err);
}

static bool revert_on_tip(const work *w, wpa_error *err)
{
    char tip[WPA_OID_SIZE];
    wpa_tip_content content;
    const char *path = NULL;
    bool is_gone = false;
    if (!read_tip(w, tip, &is_gone, err)) {
        return is_gone &&
               note_blocked(w, "the branch was deleted: there is nothing to restore it on", NULL,
                            err);
    }
    if (!wpa_tip_compare(w->git, tip, w->edits, w->n_edits, w->run->arena, &content, &path, err)) {
        return false;
    }
    switch (content) {
    case WPA_CONTENT_BEFORE: /* of the way back: everything is as the patch left it */
    case WPA_CONTENT_MIXED:
        return intend_and_push(w, tip, err);
    case WPA_CONTENT_AFTER:
        return note_restored(w, tip, err);
    case WPA_CONTENT_OTHER:
        break;
    }
    const char *note = wpa_arena_printf(
        w->run->arena,
        "target %s branch %s: '%s' was changed by others after the patch (now at %.12s). Nothing "
        "was pushed: restore it by hand, then order the rollback again.",
        w->target->repository, w->target->branch, path, tip);
    return note_blocked(w, note, tip, err);
}

bool wpa_target_revert(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err)
{
    return work_on(run, target, &reverting, revert_on_tip, err);
}

bool wpa_target_settle(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_error *err)
{
    work w;
    wpa_intent open;
    bool is_there = false;
    wpa_error why = {0};
    char tip[WPA_OID_SIZE];
    wpa_tip_verdict verdict;
    if (!begin_work(run, target, &applying, &w, err) ||
        !wpa_target_intent(run, target, &open, &is_there, err)) {
        return false;
    }
    if (!is_there) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "target %s is intended without an intent",
                        target->repository);
    }
    WPA_AUTO(wpa_git) *git = wpa_deploy_reach(run, target, &why);
    if (git == NULL) {
        return wpa_target_wait(run, target, UNREACHABLE_WAIT_MS, why.message, err);
    }
    w.git = git;
    if (!wpa_tip_judge(git, target->ref, open.old_oid, open.new_oid, tip, &verdict, err)) {
        return false;
    }
    return verdict == WPA_TIP_OLD ? note_undone(&w, &open, "void", "planned",
                                                "not pushed: rolled back before", tip, err)
                                  : settle(&w, &open, verdict, tip, err);
}
