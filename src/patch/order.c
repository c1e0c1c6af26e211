/* Patches as somebody outside orders them. */
#include <string.h>

#include <wpa/text.h>

#include "edit/unified.h"
#include "gen/sql.h"
#include "match/secret.h"
#include "patch/patch.h"
#include "rules/fix.h"

#define JSON_MAX_BYTES ((size_t)4 << 20)

/* ---- versions -----------------------------------------------------------------------------------
 */

static bool is_word_byte(char c, bool are_letters_good)
{
    return (c >= '0' && c <= '9') ||
           (are_letters_good && (c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')));
}

/** Words with dots between, from *at to the first byte of `ends` or the end; 0: they are not such.
 */
static size_t count_words(const char **at, const char *ends, bool are_letters_good,
                          bool are_zeros_good)
{
    for (size_t n = 1;; n++) {
        const char *start = *at;
        bool is_number = true;
        while (is_word_byte(**at, are_letters_good)) {
            is_number = is_number && **at >= '0' && **at <= '9';
            ++*at;
        }
        bool is_odd =
            *at == start || (is_number && !are_zeros_good && *start == '0' && *at - start > 1);
        if (is_odd || !**at || strchr(ends, **at)) {
            return is_odd ? 0 : n;
        }
        if (**at != '.') {
            return 0;
        }
        ++*at;
    }
}

bool wpa_patch_version_is(const char *text)
{
    const char *at = text;
    bool is_good = count_words(&at, "-+", false, false) == 3;
    if (is_good && *at == '-') {
        at++;
        is_good = count_words(&at, "+", true, false) > 0;
    }
    if (is_good && *at == '+') {
        at++;
        is_good = count_words(&at, "", true, true) > 0;
    }
    return is_good && !*at;
}

/* ---- where --------------------------------------------------------------------------------------
 */

static const char *find_repository(wpa_db *db, const wpa_patch_order *order, wpa_arena *arena,
                                   wpa_error *err)
{
    char analysis[WPA_DB_NUMBER_SIZE], workflow[WPA_DB_NUMBER_SIZE];
    const char *params[] = {order->analysis_id ? wpa_db_number(order->analysis_id, analysis) : NULL,
                            order->workflow_id ? wpa_db_number(order->workflow_id, workflow)
                                               : NULL};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_PATCH_ORDER_PLACE, params, WPA_COUNT(params), err);
    if (!rows) {
        return NULL;
    }
    if (wpa_rows_count(rows) == 0) {
        (void)WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such %s",
                       order->workflow_id ? "workflow" : "analysis");
        return NULL;
    }
    if (wpa_rows_bool(rows, 0, 1)) {
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "field 'target_workflow' is in another repository than the analysis");
        return NULL;
    }
    return wpa_rows_dup(rows, 0, 0, arena);
}

/* ---- what ---------------------------------------------------------------------------------------
 */

static bool draft_texts(wpa_db *db, const wpa_patch_order *order, const char *cache_folder,
                        wpa_arena *arena, wpa_patch_draft *draft, wpa_error *err)
{
    const char *repository = find_repository(db, order, arena, err);
    if (!repository) {
        return false;
    }
    wpa_patch_replacement *contents = wpa_arena_array(arena, order->n_texts, sizeof *contents);
    for (size_t i = 0; i < order->n_texts; i++) {
        const wpa_patch_text *text = &order->texts[i];
        contents[i] = (wpa_patch_replacement){repository, text->path, text->text, text->size_bytes,
                                              wpa_unified_is(text->text, text->size_bytes)};
    }
    if (!wpa_patch_draft_contents(db, contents, order->n_texts, cache_folder, arena, draft, err)) {
        return false;
    }
    const char *where =
        draft->n_files == 1
            ? wpa_arena_printf(arena, "%s/%s", repository, draft->files[0].path)
            : wpa_arena_printf(arena, "%zu files of %s", draft->n_files, repository);
    draft->name = wpa_arena_printf(arena, "change of %s", where);
    return true;
}

static bool draft_fixes(wpa_db *db, const wpa_patch_order *order, const char *cache_folder,
                        wpa_arena *arena, wpa_patch_draft *draft, wpa_error *err)
{
    char analysis[WPA_DB_NUMBER_SIZE];
    if (!order->analysis_id) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "there is nothing to change: no path of files_modified has a content in "
                        "changes, and no analysis is named whose findings could be fixed");
    }
    const char *params[] = {wpa_db_number(order->analysis_id, analysis),
                            wpa_db_array(arena, order->files, order->n_files)};
    if (!find_repository(db, order, arena, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_PATCH_ORDER_FINDINGS, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    size_t n = wpa_rows_count(rows);
    int64_t *ids = wpa_arena_array(arena, n + 1, sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        ids[i] = wpa_rows_int(rows, i, 0);
    }
    if (n == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "there is nothing to change: a-%s has no open finding with a fix that is "
                        "in no other patch",
                        analysis);
    }
    return wpa_patch_draft_findings(db, ids, n, order->name, cache_folder, arena, draft, err);
}

/* ---- what it is called --------------------------------------------------------------------------
 */

static bool is_declarable(const char *name)
{
    bool is_known = false;
    for (unsigned bit = 0; name && bit < WPA_DECLARES_COUNT && !is_known; bit++) {
        is_known = wpa_text_is(wpa_declares_name(bit), name);
    }
    return is_known;
}

/** What the configuration declares; *list stays NULL where it says nothing of it. */
static bool read_declares(const wpa_patch_order *order, wpa_arena *arena, const wpa_json **list,
                          wpa_error *err)
{
    *list = NULL;
    if (!order->configuration) {
        return true;
    }
    /* Where it stands in the order, so that what is wrong is named as it was sent. */
    const char *text =
        wpa_arena_printf(arena, "{\"patch_content\":{\"configuration\":%s}}", order->configuration);
    const wpa_json *whole = wpa_json_parse(text, strlen(text), JSON_MAX_BYTES, arena, err);
    const wpa_json *configuration =
        wpa_json_find(wpa_json_find(whole, "patch_content"), "configuration");
    if (!whole || !wpa_json_opt_array(configuration, "declares", list, err)) {
        return false;
    }
    for (size_t i = 0; i < wpa_json_count(*list); i++) {
        if (!is_declarable(wpa_json_text_of(wpa_json_at(*list, i)))) {
            return wpa_json_fail(wpa_json_at(*list, i), err, "is nothing that a patch can declare");
        }
    }
    return true;
}

/** Names in "declares" of the configuration, beside those of the fixes. */
static void add_declares(const wpa_json *list, wpa_arena *arena, wpa_patch_draft *draft)
{
    size_t n = draft->n_declares;
    const char **all = wpa_arena_array(arena, n + wpa_json_count(list) + 1, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = draft->declares[i];
    }
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        const char *name = wpa_json_text_of(wpa_json_at(list, i));
        if (wpa_text_index(name, all, n) < 0) {
            all[n++] = wpa_arena_text(arena, name);
        }
    }
    draft->declares = all;
    draft->n_declares = n;
}

/* ---- what it says beside
 * -------------------------------------------------------------------------
 */

/** What is kept and shown to everybody holds no secret either. A guess is let pass: words are no
 * code. */
static bool check_words(const wpa_patch_order *order, wpa_arena *arena, wpa_error *err)
{
    const struct {
        const char *field, *text;
    } texts[] = {
        {"patch_name", order->name},
        {"description", order->description},
        {"issue_identified", order->issue},
        {"patch_content.changes", order->notes},
        {"patch_content.dependencies", order->dependencies},
        {"patch_content.configuration", order->configuration},
    };
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        size_t n = 0;
        const wpa_found_secret *secrets =
            texts[i].text ? wpa_secrets_find(wpa_secret_scanner_shared(), texts[i].text,
                                             strlen(texts[i].text), arena, &n)
                          : NULL;
        for (size_t k = 0; k < n; k++) {
            if (!secrets[k].is_guess) {
                return WPA_FAIL(err, WPA_E_REFUSED,
                                "field '%s' holds what looks like a secret (%s): take it out and "
                                "replace it where it is in use; a patch never carries one",
                                texts[i].field, secrets[k].kind);
            }
        }
    }
    return true;
}

bool wpa_patch_draft_order(wpa_db *db, const wpa_patch_order *order, const char *cache_folder,
                           wpa_arena *arena, wpa_patch_draft *draft, wpa_error *err)
{
    const wpa_json *declares;
    wpa_severity severity;
    if (order->version && !wpa_patch_version_is(order->version)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "field 'patch_version' must be a semantic version, as 1.0.0 or "
                        "2.1.0-rc.1, not '%s'",
                        order->version);
    }
    if (order->severity && !wpa_severity_from(order->severity, &severity)) {
        return WPA_FAIL(err, WPA_E_INVALID, "unknown severity '%s'", order->severity);
    }
    if (!read_declares(order, arena, &declares, err) || !check_words(order, arena, err)) {
        return false;
    }
    bool is_drafted = order->n_texts ? draft_texts(db, order, cache_folder, arena, draft, err)
                                     : draft_fixes(db, order, cache_folder, arena, draft, err);
    if (!is_drafted) {
        return false;
    }
    draft->name = order->name ? order->name : draft->name;
    draft->version = order->version;
    draft->type = order->type ? order->type : draft->type;
    draft->issue = order->issue ? order->issue : draft->issue;
    draft->description = order->description ? order->description : draft->description;
    draft->severity = order->severity ? severity : draft->severity;
    add_declares(declares, arena, draft);
    return true;
}
