/* S4: what the rules say of the security of both versions, and a scan of what the patch adds. */
#include <string.h>
#include <strings.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "facts/facts.h"
#include "match/secret.h"
#include "rules/outline.h"
#include "testing/checks.h"
#include "testing/commands.h"
#include "testing/rights.h"

/* ---- bytes that the patch adds ---- */

static size_t count_hidden(const wpa_test_image *image, size_t *first)
{
    size_t n = 0;
    for (size_t at = 0; image->bytes && at < image->size_bytes;) {
        size_t start = at;
        uint32_t code = wpa_utf8_next(image->bytes, image->size_bytes, &at);
        bool is_usual = code == '\n' || code == '\t' || code == '\r' || (code == 0xfeff && !start);
        if (!is_usual && wpa_char_is_hidden(code)) {
            *first = n == 0 ? start : *first;
            n++;
        }
    }
    return n;
}

static void scan_secrets(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_test_file *file = context->file;
    size_t n = 0;
    if (!file->after.bytes) {
        return;
    }
    WPA_AUTO(wpa_secret_scanner) *scanner = wpa_secret_scanner_new();
    const wpa_found_secret *found =
        wpa_secrets_find(scanner, file->after.bytes, file->after.size_bytes, context->arena, &n);
    for (size_t i = 0; i < n; i++) {
        const char *at = file->after.bytes + found[i].span.start;
        size_t length = wpa_span_length(found[i].span);
        if (file->before.bytes && memmem(file->before.bytes, file->before.size_bytes, at, length)) {
            continue; /* it was there before: the rules speak of it */
        }
        wpa_test_evidence_at(outcome, context->arena, file, &file->after, found[i].span.start,
                             "secret", found[i].kind);
        if (found[i].is_guess) {
            wpa_test_warn(outcome, context->arena, "the patch adds what looks like a secret (%s)",
                          found[i].kind);
        } else {
            wpa_test_fail(outcome, context->arena, "the patch adds a secret (%s) to %s",
                          found[i].kind, file->subject);
        }
    }
}

static void scan_added(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_test_file *file = context->file;
    size_t old_at = 0, new_at = 0;
    size_t n_before = count_hidden(&file->before, &old_at);
    size_t n_after = count_hidden(&file->after, &new_at);
    if (n_after > n_before) {
        wpa_test_evidence_at(outcome, context->arena, file, &file->after, new_at, "hidden",
                             "an invisible or direction-changing character");
        wpa_test_fail(outcome, context->arena, "the patch adds hidden characters to %s",
                      file->subject);
    }
    scan_secrets(context, outcome);
}

/* ---- actions, hosts, commands, triggers, permissions ---- */

static const wpa_outline *outline_of(const wpa_test_context *context, const wpa_test_file *file,
                                     wpa_test_image *image)
{
    return wpa_test_image_analysis(context, file, image)->result.source->outline;
}

/**
 * The i-th file of the patch as it was, if it is a workflow or action of the same repository: what
 * comes from there has moved, and is not new. NULL: it is none.
 */
static wpa_test_file *origin_at(const wpa_test_context *context, size_t i)
{
    wpa_test_file *file = &context->patch->files[i];
    bool is_one =
        file->target == context->file->target && file->is_definition && file->before.bytes;
    return is_one ? file : NULL;
}

static bool is_first_party(wpa_slice owner)
{
    return wpa_slice_is_ci(owner, "actions") || wpa_slice_is_ci(owner, "github");
}

static bool uses_slug(const wpa_outline *outline, wpa_slice slug, wpa_arena *arena)
{
    const char *text = wpa_arena_slice(arena, slug.at, slug.length);
    for (size_t i = 0; i < outline->n_jobs; i++) {
        if (wpa_slice_is_ci(outline->jobs[i].uses.slug, text)) {
            return true;
        }
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            if (wpa_slice_is_ci(outline->jobs[i].steps[k].uses.slug, text)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_commit(wpa_slice ref)
{
    for (size_t i = 0; i < ref.length; i++) {
        if (!strchr("0123456789abcdefABCDEF", ref.at[i])) {
            return false;
        }
    }
    return ref.length == 40 || ref.length == 64;
}

static bool was_used(const wpa_test_context *context, wpa_slice slug)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        wpa_test_file *file = origin_at(context, i);
        if (file && uses_slug(outline_of(context, file, &file->before), slug, context->arena)) {
            return true;
        }
    }
    return false;
}

static void judge_uses(const wpa_test_context *context, const wpa_outline_uses *uses,
                       wpa_test_outcome *outcome)
{
    if (uses->kind != WPA_OUTLINE_REPOSITORY || was_used(context, uses->slug)) {
        return;
    }
    const char *slug = wpa_arena_slice(context->arena, uses->slug.at, uses->slug.length);
    wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                         uses->slug_span.start, "new action", slug);
    if (!is_first_party(uses->owner)) {
        wpa_test_fail(outcome, context->arena, "the patch brings in the third-party action '%s'",
                      slug);
    } else if (!is_commit(uses->ref)) {
        wpa_test_fail(outcome, context->arena, "the patch brings in '%s' without a pinned commit",
                      slug);
    }
}

static void scan_uses(const wpa_test_context *context, const wpa_outline *after,
                      wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < after->n_jobs; i++) {
        judge_uses(context, &after->jobs[i].uses, outcome);
        for (size_t k = 0; k < after->jobs[i].n_steps; k++) {
            judge_uses(context, &after->jobs[i].steps[k].uses, outcome);
        }
    }
}

/** Hosts of the URLs in a text, each once. */
static void add_hosts(const char *text, wpa_map *hosts, wpa_arena *arena)
{
    for (const char *at = text; (at = strstr(at, "://")); at += 3) {
        const char *start = at + 3;
        const char *user = start + strcspn(start, "/@ \t\r\n\"'");
        start = *user == '@' ? user + 1 : start;
        size_t length = strcspn(start, "/:?# \t\r\n\"'<>)}]\\`|;&");
        char *host = wpa_arena_slice(arena, start, length);
        for (char *c = host; *c; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        if (length > 0) {
            wpa_map_put(hosts, host, hosts);
        }
    }
}

/** In keys and values: a comment leads nowhere. */
static void add_node_hosts(const wpa_yaml_node *node, wpa_map *hosts, wpa_arena *arena)
{
    const char *text = node ? wpa_yaml_text(node) : NULL;
    if (text) {
        add_hosts(text, hosts, arena);
    }
    for (size_t i = 0; node && i < node->n_pairs; i++) {
        add_node_hosts(node->pairs[i].key, hosts, arena);
        add_node_hosts(node->pairs[i].value, hosts, arena);
    }
    for (size_t i = 0; node && i < node->n_items; i++) {
        add_node_hosts(node->items[i], hosts, arena);
    }
}

static void add_image_hosts(const wpa_test_context *context, const wpa_test_file *file,
                            wpa_test_image *image, wpa_map *hosts)
{
    if (wpa_test_image_analysis(context, file, image)->is_valid) {
        add_node_hosts(outline_of(context, file, image)->root, hosts, context->arena);
    } else { /* of which not everything may be in the tree */
        add_hosts(image->bytes, hosts, context->arena);
    }
}

static void scan_hosts(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    wpa_map *before = wpa_map_new(context->arena), *after = wpa_map_new(context->arena);
    for (size_t i = 0; i < context->patch->n_files; i++) {
        wpa_test_file *file = origin_at(context, i);
        if (file) {
            add_image_hosts(context, file, &file->before, before);
        }
    }
    add_image_hosts(context, context->file, &context->file->after, after);
    for (size_t i = 0; i < wpa_map_count(after); i++) {
        const char *host = wpa_map_at(after, i, NULL);
        if (!wpa_map_has(before, host)) {
            wpa_test_evidence(outcome, context->arena, "new host", host);
            wpa_test_fail(outcome, context->arena, "a new network destination: %s", host);
        }
    }
}

static bool is_download(const wpa_shell_command *command)
{
    return wpa_text_is(command->name, "curl") || wpa_text_is(command->name, "wget");
}

static bool is_interpreter(const wpa_shell_command *command)
{
    static const char *const names[] = {"sh",     "bash",    "zsh",  "dash", "ksh",
                                        "python", "python3", "perl", "ruby", "node"};
    return wpa_text_index(command->name, names, WPA_COUNT(names)) >= 0;
}

static size_t count_piped(const wpa_test_commands *list, const wpa_test_command **last)
{
    size_t n = 0;
    bool is_piping = false;
    for (size_t i = 0; i < list->n; i++) {
        const wpa_shell_command *command = list->items[i].command;
        bool continues = wpa_text_is(command->before, "|");
        is_piping = is_download(command) || (continues && is_piping);
        if (continues && is_piping && is_interpreter(command)) {
            *last = &list->items[i];
            n++;
        }
    }
    return n;
}

static void scan_piped(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_test_command *old_last = NULL, *last = NULL;
    wpa_test_commands before = wpa_test_commands_of(context, &context->file->before);
    wpa_test_commands after = wpa_test_commands_of(context, &context->file->after);
    if (count_piped(&after, &last) > count_piped(&before, &old_last)) {
        wpa_test_evidence(outcome, context->arena, "piped to", last->text);
        wpa_test_fail(outcome, context->arena, "the patch pipes a download to an interpreter");
    }
}

static void scan_triggers(const wpa_test_context *context, const wpa_outline *before,
                          const wpa_outline *after, wpa_test_outcome *outcome)
{
    /* Events whose runs have secrets although somebody without rights may cause them. */
    static const char *const risky[] = {
        "pull_request_target", "workflow_run",        "issue_comment", "issues", "discussion",
        "discussion_comment",  "pull_request_review", "fork",          "watch"};
    for (size_t i = 0; i < after->n_triggers; i++) {
        const char *name = after->triggers[i].name;
        bool was_there = before && wpa_outline_trigger_find(before, name);
        if (wpa_text_index(name, risky, WPA_COUNT(risky)) >= 0 && !was_there) {
            wpa_test_fail(outcome, context->arena, "a new trigger that runs with secrets: %s",
                          name);
        }
    }
}

static const wpa_outline_job *find_job(const wpa_outline *outline, const char *id)
{
    for (size_t i = 0; i < outline->n_jobs; i++) {
        if (wpa_text_is(outline->jobs[i].id, id)) {
            return &outline->jobs[i];
        }
    }
    return NULL;
}

static void scan_permissions(const wpa_test_context *context, const wpa_outline *before,
                             const wpa_outline *after, wpa_test_outcome *outcome)
{
    const wpa_fact_list scopes = wpa_facts_permission_names();
    for (size_t i = 0; i < after->n_jobs; i++) {
        const wpa_outline_job *now = &after->jobs[i], *old = find_job(before, now->id);
        for (size_t k = 0; scopes[k]; k++) {
            wpa_test_right_level was = wpa_test_right(before, old ? old->node : NULL, scopes[k]);
            if (wpa_test_right(after, now->node, scopes[k]) > was) {
                wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                                     now->node->span.start, "wider", scopes[k]);
                wpa_test_fail(outcome, context->arena, "job '%s' would get a wider token: %s",
                              now->id, scopes[k]);
            }
        }
    }
}

static void scan_file(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    scan_added(context, outcome);
    if (!context->file->is_definition || !context->file->after.bytes) {
        return;
    }
    const wpa_outline *after = outline_of(context, context->file, &context->file->after);
    scan_hosts(context, outcome);
    scan_piped(context, outcome);
    scan_uses(context, after, outcome);
    const wpa_outline *before = NULL;
    if (context->file->before.bytes) {
        before = outline_of(context, context->file, &context->file->before);
        scan_permissions(context, before, after, outcome);
    } /* else the rules say whether its token is too wide: there is none to compare it with */
    scan_triggers(context, before, after, outcome);
}

static bool check_security(const wpa_test_context *context, wpa_test_outcome *outcome,
                           wpa_error *err)
{
    wpa_test_context at = *context;
    (void)err;
    wpa_test_compare_security(context, outcome);
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        at.target = at.file->target;
        scan_file(&at, outcome);
    }
    return true;
}

const wpa_test_check wpa_test_s4 = {.id = "S4",
                                    .phase = WPA_TEST_SAFETY,
                                    .version = 2,
                                    .scope = WPA_TEST_OF_PATCH,
                                    .title = "security scan passed",
                                    .run = check_security};
