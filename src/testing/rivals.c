/*
 * T207: a trial merge with every other patch that is open, or being deployed, and changes the same
 * files. Two changes conflict where they touch the same lines, as they do for git, or where the
 * forge could not read the file with both.
 */
#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "analysis/analysis.h"
#include "testing/checks.h"

#define SHOWN_MAX_BYTES 160

/** Edits of neighbouring lines: what git would show as one place. */
typedef struct block {
    size_t start, end;       /* whole lines of the text before */
    const wpa_test_edit *of; /* [n] */
    size_t n;
} block;

typedef struct blocks {
    block *items;
    size_t n;
} blocks;

typedef struct meeting {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_test_file *file;
    const wpa_test_rival *rival;
} meeting;

static size_t line_start(const wpa_test_image *image, size_t at)
{
    const char *newline = at ? memrchr(image->bytes, '\n', at) : NULL;
    return newline ? (size_t)(newline - image->bytes) + 1 : 0;
}

/** Behind the line that ends, or goes on, at this place; itself where a line begins. */
static size_t line_end(const wpa_test_image *image, size_t at)
{
    if (at == 0 || at >= image->size_bytes || image->bytes[at - 1] == '\n') {
        return at;
    }
    const char *newline = memchr(image->bytes + at, '\n', image->size_bytes - at);
    return newline ? (size_t)(newline - image->bytes) + 1 : image->size_bytes;
}

/** False if an edit lies outside the text. */
static bool block_up(const wpa_test_edits *edits, const wpa_test_image *image, wpa_arena *arena,
                     blocks *list)
{
    *list = (blocks){.items = wpa_arena_array(arena, edits->n + 1, sizeof *list->items)};
    for (size_t i = 0; i < edits->n; i++) {
        const wpa_test_edit *edit = &edits->items[i];
        block *last = list->n ? &list->items[list->n - 1] : NULL;
        if (edit->end > image->size_bytes || edit->start > edit->end) {
            return false;
        }
        if (last && edit->start <= last->end) {
            last->n++;
            last->end = edit->end > last->end ? line_end(image, edit->end) : last->end;
            continue;
        }
        list->items[list->n++] = (block){.start = line_start(image, edit->start),
                                         .end = line_end(image, edit->end),
                                         .of = edit,
                                         .n = 1};
    }
    return true;
}

static bool is_same(const block *a, const block *b)
{
    bool is = a->n == b->n;
    for (size_t i = 0; is && i < a->n; i++) {
        const wpa_test_edit *one = &a->of[i], *other = &b->of[i];
        is = one->start == other->start && one->end == other->end &&
             one->text_bytes == other->text_bytes &&
             memcmp(one->text, other->text, one->text_bytes) == 0;
    }
    return is;
}

/* ---- telling ---- */

/** Is the other one on its way into the branch, by somebody's decision? */
static bool is_ahead(const wpa_test_rival *rival)
{
    return rival->deployment || wpa_text_is(rival->state, "approved");
}

static const char *who(const meeting *m)
{
    const wpa_test_rival *rival = m->rival;
    return wpa_arena_printf(
        m->context->arena, "p-%" PRId64 " ('%s', %s)", rival->patch_id, rival->name,
        rival->deployment
            ? wpa_arena_printf(m->context->arena, "its deployment is %s", rival->deployment)
            : rival->state);
}

static void conflict(const meeting *m, size_t offset, const char *what)
{
    wpa_arena *arena = m->context->arena;
    const char *text = wpa_arena_printf(arena, "%s: %s", who(m), what);
    if (m->file->before.bytes) {
        wpa_test_evidence_at(m->outcome, arena, m->file, &m->file->before, offset, "conflict",
                             text);
    } else {
        wpa_test_evidence(m->outcome, arena, "conflict", text);
    }
    if (is_ahead(m->rival)) {
        wpa_test_fail(m->outcome, arena, "%s does not go together with %s", m->file->subject, text);
    } else {
        wpa_test_warn(m->outcome, arena, "%s does not go together with %s", m->file->subject, text);
    }
}

/** The first line of what is put there. */
static const char *words_of(const block *of, wpa_arena *arena)
{
    const char *text = of->of[0].text, *end = text + of->of[0].text_bytes;
    while (text < end && strchr(" \t\r\n", *text)) {
        text++;
    }
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    size_t length = (size_t)((newline ? newline : end) - text);
    length = length < SHOWN_MAX_BYTES ? length : SHOWN_MAX_BYTES;
    return length ? wpa_text_visible(arena, text, length, false) : "nothing";
}

static void overlap(const meeting *m, const block *ours, const block *theirs)
{
    wpa_arena *arena = m->context->arena;
    conflict(m, ours->start,
             wpa_arena_printf(arena, "both change these lines (this one to '%s', that one to '%s')",
                              words_of(ours, arena), words_of(theirs, arena)));
}

/* ---- merging ---- */

static void take(wpa_test_edit *items, size_t *n, const block *from)
{
    memcpy(items + *n, from->of, from->n * sizeof *items);
    *n += from->n;
}

/** Both changes as one, or false if they touch the same lines, which is told. */
static bool join(const meeting *m, const blocks *ours, const blocks *theirs, wpa_test_edits *joined)
{
    const wpa_test_edits *own = &m->file->edits, *other = &m->rival->edits;
    wpa_test_edit *items = wpa_arena_array(m->context->arena, own->n + other->n + 1, sizeof *items);
    size_t n = 0, i = 0, k = 0;
    while (i < ours->n && k < theirs->n) {
        const block *a = &ours->items[i], *b = &theirs->items[k];
        if (a->start <= b->end && b->start <= a->end) {
            if (!is_same(a, b)) {
                overlap(m, a, b);
                return false;
            }
            take(items, &n, a);
            i++;
            k++;
        } else if (a->start < b->start) {
            take(items, &n, &ours->items[i++]);
        } else {
            take(items, &n, &theirs->items[k++]);
        }
    }
    for (; i < ours->n; i++) {
        take(items, &n, &ours->items[i]);
    }
    for (; k < theirs->n; k++) {
        take(items, &n, &theirs->items[k]);
    }
    *joined = (wpa_test_edits){.items = items, .n = n};
    return true;
}

/** What the forge would refuse of the file with both changes, and not with this one; or NULL. */
static const char *refusal(const meeting *m, const char *text, size_t size_bytes,
                           wpa_arena *scratch)
{
    const wpa_test_target *target = m->file->target;
    const wpa_test_image *after = &m->file->after;
    const wpa_analysis own = wpa_analysis_of(m->file->path, after->bytes, after->size_bytes,
                                             target->around_after, target->settings, scratch);
    const wpa_analysis both = wpa_analysis_of(m->file->path, text, size_bytes, target->around_after,
                                              target->settings, scratch);
    const wpa_analysis_change change = wpa_analysis_compare(&own, &both, scratch);
    for (size_t i = 0; i < change.n_new; i++) {
        if (wpa_test_is_refusal(change.new[i])) {
            return change.new[i]->message;
        }
    }
    return NULL;
}

static bool merge(const meeting *m, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    blocks ours, theirs;
    wpa_test_edits joined;
    size_t size_bytes = 0;
    if (!block_up(&m->file->edits, &m->file->before, scratch, &ours) ||
        !block_up(&m->rival->edits, &m->file->before, scratch, &theirs)) {
        return WPA_FAIL(err, WPA_E_INVALID, "edits lie outside %s", m->file->subject);
    }
    if (!join(m, &ours, &theirs, &joined)) {
        return true;
    }
    const char *text = wpa_test_edits_apply(&joined, &m->file->before, scratch, &size_bytes, err);
    if (!text) {
        return false;
    }
    const char *why = m->file->is_definition ? refusal(m, text, size_bytes, scratch) : NULL;
    if (why) {
        conflict(m, ours.n ? ours.items[0].start : 0,
                 wpa_arena_printf(m->context->arena, "with both it says what the forge refuses: %s",
                                  why));
        return true;
    }
    wpa_test_evidence(m->outcome, m->context->arena, "fits",
                      wpa_arena_printf(m->context->arena, "%s: %s", m->file->subject, who(m)));
    return true;
}

/* ---- the check ---- */

/** Two patches that end at the same text: the later one will have nothing to do. */
static void tell_same(const meeting *m)
{
    const char *text =
        wpa_arena_printf(m->context->arena, "%s does the same to %s", who(m), m->file->subject);
    wpa_test_evidence(m->outcome, m->context->arena, "the same", text);
    wpa_test_warn(m->outcome, m->context->arena, "%s", text);
}

/** What this patch stands on is not there to stay yet. */
static void tell_below(const meeting *m)
{
    const char *text =
        wpa_arena_printf(m->context->arena,
                         "%s made %s what this patch changes, and could not be taken back by "
                         "itself any more",
                         who(m), m->file->subject);
    wpa_test_evidence(m->outcome, m->context->arena, "below", text);
    if (wpa_text_is(m->rival->deployment, "rolling_back") ||
        wpa_text_is(m->rival->deployment, "stuck")) {
        wpa_test_fail(m->outcome, m->context->arena, "%s", text);
    } else {
        wpa_test_warn(m->outcome, m->context->arena, "%s", text);
    }
}

static bool meet(const meeting *m, wpa_error *err)
{
    const wpa_test_rival *rival = m->rival;
    const char *before = m->file->before.bytes ? m->file->before.oid : NULL;
    const char *after = m->file->after.bytes ? m->file->after.oid : NULL;
    if (rival->deployment && wpa_text_is(rival->after_oid, before)) {
        tell_below(m);
    } else if (!wpa_text_is(rival->before_oid, before)) {
        wpa_test_evidence(m->outcome, m->context->arena, "of another version",
                          wpa_arena_printf(m->context->arena,
                                           "%s was made for another version of %s", who(m),
                                           m->file->subject));
    } else if (wpa_text_is(rival->after_oid, after)) {
        tell_same(m);
    } else if (!before || !after || !rival->after_oid) {
        conflict(m, 0,
                 !before  ? "both add it, each with another content"
                 : !after ? "this one removes the file that that one changes"
                          : "that one removes the file that this one changes");
    } else {
        return merge(m, err);
    }
    return true;
}

static bool is_about(const wpa_test_rival *rival, const wpa_test_file *file)
{
    return rival->repository_id == file->target->repository_id &&
           wpa_text_is(rival->ref, file->target->ref) && wpa_text_is(rival->path, file->path);
}

static bool has_rivals(const wpa_test_context *context)
{
    for (size_t k = 0; k < context->patch->n_rivals; k++) {
        const wpa_test_rival *rival = &context->patch->rivals[k];
        if (rival->repository_id == context->target->repository_id &&
            wpa_text_is(rival->ref, context->target->ref)) {
            return true;
        }
    }
    return false;
}

static bool check_rivals(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_test_patch *patch = context->patch;
    size_t n = 0;
    for (size_t i = 0; i < patch->n_files; i++) {
        const wpa_test_file *file = &patch->files[i];
        for (size_t k = 0; file->target == context->target && k < patch->n_rivals; k++) {
            const meeting m = {context, outcome, file, &patch->rivals[k]};
            bool is_it = is_about(m.rival, file);
            n += is_it;
            if (is_it && !meet(&m, err)) {
                return false;
            }
        }
    }
    wpa_test_evidence(
        outcome, context->arena, "looked at",
        wpa_arena_printf(context->arena, "%zu changes of these files by other patches", n));
    if (patch->has_more_rivals) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, context->arena,
                           "more than %zu changes of these files by other patches",
                           patch->n_rivals);
    }
    return true;
}

const wpa_test_check wpa_test_t207 = {.id = "T207",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .is_waivable = true,
                                      .title = "it goes together with other open patches",
                                      .applies = has_rivals,
                                      .run = check_rivals};
