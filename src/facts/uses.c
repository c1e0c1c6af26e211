/* What "slug@ref" means: commit, version, metadata, end of life, advisories. */
#include <string.h>

#include "core/mix.h"
#include "facts/commands.h"
#include "facts/index.h"
#include "facts/platform_tables.h"
#include "facts/platforms.h"
#include "facts/supply.h"
#include "facts/tables.h"
#include "facts/told.h"

/** -1: no hexadecimal digit. */
static int digit_of(char c)
{
    char small = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

static bool is_hex(wpa_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (digit_of(text.at[i]) < 0) {
            return false;
        }
    }
    return text.length > 0;
}

wpa_fact_pin wpa_facts_pin_of(wpa_slice ref)
{
    wpa_version version;
    bool is_whole = ref.length == 40 || ref.length == 64;
    if ((is_whole || (ref.length >= 7 && ref.length < 40)) && is_hex(ref)) {
        return is_whole ? WPA_PIN_COMMIT : WPA_PIN_SHORT_COMMIT;
    }
    return wpa_version_parse(ref, &version) ? WPA_PIN_VERSION : WPA_PIN_OTHER;
}

static bool read_commit(wpa_slice ref, uint8_t commit[WPA_COMMIT_BYTES])
{
    if (ref.length != 2 * WPA_COMMIT_BYTES) {
        return false;
    }
    for (size_t i = 0; i < WPA_COMMIT_BYTES; i++) {
        int high = digit_of(ref.at[2 * i]), low = digit_of(ref.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        commit[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void take_version(wpa_fact_use *use, wpa_slice text)
{
    use->has_version = wpa_version_parse(text, &use->version);
}

/* A pinned commit: the table's tag for it, else what the comment claims. True: that is the name of
 * a branch. */
static bool resolve_commit(wpa_slice ref, wpa_slice hint, wpa_fact_use *use)
{
    uint8_t commit[WPA_COMMIT_BYTES];
    wpa_fact_ref found;
    if (use->repo && read_commit(ref, commit)) {
        if (wpa_facts_commit_version(use->repo, commit, &found)) {
            use->commit = found.commit;
            use->tag = found.name;
            take_version(use, wpa_slice_of(found.name));
        } else if (wpa_facts_commit_refs(use->repo, commit, &found, 1) > 0) {
            use->commit = found.commit;
        }
    }
    if (use->has_version) {
        return false;
    }
    take_version(use, hint);
    return use->has_version && use->repo && wpa_facts_ref_find(use->repo, hint, &found) &&
           found.kind == WPA_FACT_BRANCH;
}

/* A tag or branch: the fullest tag of the commit it stands for, else the name itself. True: it is a
 * branch whose commit has no tag. */
static bool resolve_name(wpa_slice ref, wpa_fact_use *use)
{
    wpa_fact_ref found, tag;
    take_version(use, ref);
    if (!use->repo || !wpa_facts_ref_find(use->repo, ref, &found)) {
        return false;
    }
    use->commit = found.commit;
    bool is_branch = found.kind == WPA_FACT_BRANCH;
    bool is_moving = !use->has_version || use->version.n_parts < 3;
    bool is_tagged =
        (is_branch || is_moving) && wpa_facts_commit_version(use->repo, found.commit, &tag);
    if (is_moving && is_tagged) {
        take_version(use, wpa_slice_of(tag.name));
    }
    return is_branch && !is_tagged;
}

/** Rows of the tables that have the action: most have none of it. */
static void find_rows(wpa_slice slug, wpa_fact_use *use)
{
    const wpa_slug_rows *rows = wpa_facts_slug_rows(slug);
    if (!rows) {
        return;
    }
#define ROW_OF(table, of) (rows->first[table] ? &(of)[rows->first[table] - 1] : NULL)
    use->role = ROW_OF(WPA_SLUG_ROLES, wpa_fact_action_roles);
    use->runtime = ROW_OF(WPA_SLUG_RUNTIMES, wpa_fact_runtimes);
    use->need = ROW_OF(WPA_SLUG_NEEDS, wpa_fact_action_needs);
    use->tool = ROW_OF(WPA_SLUG_TOOLS, wpa_fact_tools);
    use->publish = ROW_OF(WPA_SLUG_PUBLISH_ACTIONS, wpa_fact_publish_actions);
    use->replacement = ROW_OF(WPA_SLUG_REPLACEMENTS, wpa_fact_replacements);
    use->login = ROW_OF(WPA_SLUG_LOGINS, wpa_fact_cloud_logins);
    use->caches = ROW_OF(WPA_SLUG_CACHES, wpa_fact_caches);
    use->n_caches = rows->n[WPA_SLUG_CACHES];
    use->values = ROW_OF(WPA_SLUG_VALUES, wpa_fact_value_rows);
    use->n_values = rows->n[WPA_SLUG_VALUES];
    use->migrations = ROW_OF(WPA_SLUG_MIGRATIONS, wpa_fact_migrations);
    use->n_migrations = rows->n[WPA_SLUG_MIGRATIONS];
#undef ROW_OF
    use->traits = rows->traits;
    use->is_debug = rows->first[WPA_SLUG_DEBUG_ACTIONS] != 0;
}

static void resolve(wpa_slice slug, wpa_slice ref, wpa_slice hint, wpa_fact_use *use)
{
    *use = (wpa_fact_use){
        .pin = wpa_facts_pin_of(ref),
        .repo = wpa_facts_repo_find(slug),
        .action = wpa_facts_action_find(slug),
    };
    find_rows(slug, use);
    /* A branch named like a version may hold another action file than the tags of its major. */
    bool is_branch = false;
    if (use->pin == WPA_PIN_COMMIT) {
        is_branch = resolve_commit(ref, hint, use);
    } else {
        is_branch = resolve_name(ref, use);
    }
    if (use->action && use->has_version && !is_branch && use->version.parts[0] < 100000) {
        use->has_major = wpa_facts_major_find(use->action, (int)use->version.parts[0], &use->major);
    }
}

/* ---- what was resolved before ---- */

/* Files use the same actions at the same refs: of the compiled tables each thread remembers what it
   has resolved last. */
#define RESOLVED 128
#define NAMES_MAX_BYTES 96

typedef struct resolved {
    size_t slug_bytes, ref_bytes; /* 0: of nothing so far */
    char names[NAMES_MAX_BYTES];  /* slug and ref */
    wpa_fact_use use;
} resolved;

static _Thread_local resolved last_resolved[RESOLVED]; /* where the hash of the names says */

static resolved *place_of(wpa_slice slug, wpa_slice ref)
{
    bool are_compiled = !wpa_refreshed_in_use() && !wpa_told_in_use();
    if (!are_compiled || slug.length + ref.length > NAMES_MAX_BYTES) {
        return NULL;
    }
    uint64_t hash = wpa_mix(slug.at, slug.length) + wpa_mix(ref.at, ref.length);
    return &last_resolved[hash % RESOLVED];
}

static bool is_of(const resolved *place, wpa_slice slug, wpa_slice ref)
{
    return place->slug_bytes == slug.length && place->ref_bytes == ref.length &&
           memcmp(place->names, slug.at, slug.length) == 0 &&
           memcmp(place->names + slug.length, ref.at, ref.length) == 0;
}

/** Neither what the comment claims of a commit nor a part of the ref itself, which are the file's.
 */
static bool is_of_tables(const wpa_fact_use *use)
{
    return use->pin == WPA_PIN_COMMIT ? use->tag != NULL : use->version.suffix.length == 0;
}

static void remember(resolved *place, wpa_slice slug, wpa_slice ref, const wpa_fact_use *use)
{
    place->slug_bytes = slug.length;
    place->ref_bytes = ref.length;
    memcpy(place->names, slug.at, slug.length);
    memcpy(place->names + slug.length, ref.at, ref.length);
    place->use = *use;
    if (use->version.suffix.length == 0) {
        place->use.version.suffix = (wpa_slice){"", 0};
    }
}

void wpa_facts_use_resolve(wpa_slice slug, wpa_slice ref, wpa_slice hint, wpa_fact_use *use)
{
    resolved *place = place_of(slug, ref);
    if (place && is_of(place, slug, ref)) {
        *use = place->use;
        return;
    }
    resolve(slug, ref, hint, use);
    if (place && is_of_tables(use)) {
        remember(place, slug, ref, use);
    }
}

/* ---- ends of life ------------------------------------------------------------------------------
 */

/* One condition of "<3.4.0" or ">=4.0.0"; a partial version meets it only if all of it does. */
static bool meets(const wpa_version *version, wpa_slice condition)
{
    bool is_below = condition.length && condition.at[0] == '<';
    size_t operator_length = is_below ? 1 : 2;
    wpa_version bound, last = *version;
    if (condition.length <= operator_length ||
        !wpa_version_parse(
            (wpa_slice){condition.at + operator_length, condition.length - operator_length},
            &bound)) {
        return false;
    }
    for (size_t i = version->n_parts; i < WPA_COUNT(last.parts); i++) {
        last.parts[i] = is_below ? UINT64_MAX : 0;
    }
    return is_below ? wpa_version_compare(&last, &bound) < 0
                    : wpa_version_compare(&last, &bound) >= 0;
}

/* Conditions separated by blanks, all of them. */
static bool meets_all(const wpa_version *version, const char *conditions)
{
    while (*conditions) {
        size_t length = strcspn(conditions, " ");
        if (!meets(version, (wpa_slice){conditions, length})) {
            return false;
        }
        conditions += length + strspn(conditions + length, " ");
    }
    return true;
}

static bool end_covers(const char *spec, wpa_slice ref, const wpa_fact_use *use)
{
    wpa_version wanted;
    if (spec[0] == '<' || spec[0] == '>') {
        return use->has_version && meets_all(&use->version, spec);
    }
    if (wpa_version_parse(wpa_slice_of(spec), &wanted)) {
        return use->has_version && use->version.parts[0] == wanted.parts[0];
    }
    return wpa_slice_is(ref, spec);
}

const wpa_fact_end *wpa_facts_end_find(wpa_slice slug, wpa_slice ref, const wpa_fact_use *use)
{
    for (size_t i = 0; i < wpa_fact_n_ends; i++) {
        const char *match = wpa_fact_ends[i].match;
        size_t n = wpa_fact_ends[i].slug_length;
        bool may_be = n && (slug.length == n || (slug.length > n && slug.at[n] == '/'));
        if (may_be && !((*match ^ *slug.at) & ~0x20) && strncasecmp(slug.at, match, n) == 0 &&
            end_covers(match + n + 1, ref, use)) {
            return &wpa_fact_ends[i];
        }
    }
    return NULL;
}

/* ---- advisories --------------------------------------------------------------------------------
 */

/* Does the advisory speak of this action? One of a repository's root speaks of everything in it. */
static bool speaks_of(const wpa_fact_advisory *advisory, wpa_slice slug)
{
    size_t length = strlen(advisory->action);
    return slug.length >= length && strncasecmp(slug.at, advisory->action, length) == 0 &&
           (slug.length == length || slug.at[length] == '/');
}

/* First version of all that "v3" may mean, and the last. */
static void bounds_of(const wpa_version *version, wpa_version *first, wpa_version *last)
{
    *first = *last = *version;
    for (size_t i = version->n_parts; i < WPA_COUNT(last->parts) && version->n_parts < 3; i++) {
        last->parts[i] = UINT64_MAX;
    }
}

/* The version to judge by. A tag or branch that moves has gone on since a snapshot that is older
 * than the advisory: then it is anything that its name allows. */
static wpa_version version_for(const wpa_fact_advisory *advisory, wpa_slice ref,
                               const wpa_fact_use *use)
{
    bool moves = use->pin == WPA_PIN_VERSION || use->pin == WPA_PIN_OTHER;
    const char *seen = moves && use->commit ? wpa_facts_repo_date(use->repo) : NULL;
    wpa_version named = use->version;
    if (seen && advisory->published && strcmp(seen, advisory->published) < 0 &&
        !wpa_version_parse(ref, &named)) {
        named = use->version;
        named.n_parts = 0; /* a branch: this version or any later one */
    }
    return named;
}

static bool is_in_range(const wpa_version *version, const wpa_fact_range *range)
{
    wpa_version introduced = {0}, end, first, last;
    bounds_of(version, &first, &last);
    if (range->introduced && (!wpa_version_parse(wpa_slice_of(range->introduced), &introduced) ||
                              wpa_version_compare(&first, &introduced) < 0)) {
        return false;
    }
    if (range->fixed) {
        return wpa_version_parse(wpa_slice_of(range->fixed), &end) &&
               wpa_version_compare(&last, &end) < 0;
    }
    if (range->last_affected) {
        return wpa_version_parse(wpa_slice_of(range->last_affected), &end) &&
               wpa_version_compare(&last, &end) <= 0;
    }
    return true;
}

static bool is_listed(const wpa_version *version, wpa_fact_list versions)
{
    wpa_version listed;
    for (size_t i = 0; versions[i]; i++) {
        if (wpa_version_parse(wpa_slice_of(versions[i]), &listed) &&
            wpa_version_compare(version, &listed) == 0) {
            return true;
        }
    }
    return false;
}

wpa_fact_affected wpa_facts_advisory_affects(const wpa_fact_advisory *advisory, wpa_slice slug,
                                             wpa_slice ref, const wpa_fact_use *use)
{
    if (!advisory->exposes_callers || !speaks_of(advisory, slug)) {
        return WPA_AFFECTED_NO;
    }
    if (wpa_fact_list_has_ci(advisory->bad_commits, ref)) {
        return WPA_AFFECTED_MALICIOUS;
    }
    if (!use->has_version) {
        return WPA_AFFECTED_UNKNOWN;
    }
    wpa_version version = version_for(advisory, ref, use);
    for (size_t i = 0; i < advisory->n_ranges; i++) {
        if (is_in_range(&version, &advisory->ranges[i])) {
            return WPA_AFFECTED_YES;
        }
    }
    bool is_one = version.n_parts > 0 && is_listed(&version, advisory->versions);
    return is_one ? WPA_AFFECTED_YES : WPA_AFFECTED_NO;
}
