#include "rules/pin.h"

#include <string.h>

#include "rules/graph.h"
#include "rules/own.h"
#include "rules/sink.h"
#include "rules/site.h"

/* ---- pre-commit hooks, as if they were actions
 * ---------------------------------------------------
 */

/* "owner/repo" in the address of a repository on GitHub; false for any other. */
static bool slug_of_address(const char *address, wpa_slice *slug)
{
    static const char *const starts[] = {"https://github.com/", "http://github.com/",
                                         "git://github.com/",   "ssh://git@github.com/",
                                         "git@github.com:",     "https://www.github.com/"};
    for (size_t i = 0; i < WPA_COUNT(starts); i++) {
        if (!wpa_text_starts(address, starts[i])) {
            continue;
        }
        *slug = wpa_slice_of(address + strlen(starts[i]));
        while (slug->length && slug->at[slug->length - 1] == '/') {
            slug->length--;
        }
        if (slug->length > 4 && memcmp(slug->at + slug->length - 4, ".git", 4) == 0) {
            slug->length -= 4;
        }
        const char *slash = memchr(slug->at, '/', slug->length);
        return slash && slash > slug->at && slash + 1 < slug->at + slug->length &&
               !memchr(slash + 1, '/', (size_t)(slug->at + slug->length - slash - 1));
    }
    return false;
}

static bool read_hook(wpa_rule_run *run, const wpa_yaml_node *entry, wpa_outline_uses *uses)
{
    const wpa_yaml_node *repo = wpa_yaml_get(entry, "repo"), *rev = wpa_yaml_get(entry, "rev");
    const char *address = wpa_yaml_text(repo), *ref = wpa_yaml_text(rev);
    wpa_slice slug;
    if (!address || !ref || !*ref || !slug_of_address(address, &slug)) {
        return false;
    }
    size_t start = (size_t)(slug.at - address);
    const char *slash = memchr(slug.at, '/', slug.length);
    *uses = (wpa_outline_uses){
        .kind = WPA_OUTLINE_REPOSITORY,
        .node = rev,
        .slug = slug,
        .repo = slug,
        .owner = {slug.at, (size_t)(slash - slug.at)},
        .ref = wpa_slice_of(ref),
        .slug_span = wpa_yaml_source_span(repo, start, start + slug.length),
        .ref_span = wpa_yaml_source_span(rev, 0, rev->length),
    };
    wpa_outline_read_comment(uses);
    wpa_fact_use *fact = wpa_arena_alloc(run->arena, sizeof *fact);
    wpa_facts_use_resolve(uses->slug, uses->ref, uses->hint, fact);
    uses->fact = fact;
    return true;
}

static void each_hook(wpa_rule_run *run, wpa_uses_visitor visit)
{
    const wpa_yaml_node *repos = wpa_yaml_get(run->source->outline->root, "repos");
    for (size_t i = 0; wpa_yaml_is(repos, WPA_YAML_SEQUENCE) && i < repos->n_items; i++) {
        wpa_outline_uses *uses = wpa_arena_alloc(run->arena, sizeof *uses);
        if (read_hook(run, wpa_yaml_resolve(repos->items[i]), uses)) {
            visit(run, uses, NULL, NULL);
        }
    }
}

void wpa_rule_each_uses(wpa_rule_run *run, wpa_uses_visitor visit)
{
    if (run->source->kind == WPA_INPUT_PRE_COMMIT) {
        each_hook(run, visit);
        return;
    }
    const wpa_outline *outline = run->source->outline;
    const wpa_outline_job *last = NULL;
    bool may_look = true;
    uint64_t fine = 0; /* bits of those that nothing was found at */
    for (size_t i = 0; i < outline->n_users; i++) {
        const wpa_outline_user *user = &outline->users[i];
        if (user->job != last) {
            last = user->job;
            may_look = wpa_rule_spend(run, 4 * user->job->n_steps);
        }
        if (may_look && !(fine & user->bit)) {
            size_t n_before = run->sink->n_of_rule;
            visit(run, user->uses, user->step, user->job);
            fine |= run->sink->n_of_rule == n_before ? user->bit : 0;
        }
    }
}

/* Is there nothing but blanks or a comment behind the value on its line, and no flow around it? */
static bool takes_comment(const wpa_outline_uses *uses)
{
    const wpa_yaml_doc *doc = uses->node->doc;
    for (const wpa_yaml_node *n = uses->node->parent; n; n = n->parent) {
        if (n->style == WPA_YAML_FLOW) {
            return false;
        }
    }
    size_t at = uses->node->span.end;
    at += strspn(doc->source + at, " \t");
    bool is_scalar_line = uses->node->style == WPA_YAML_PLAIN ||
                          uses->node->style == WPA_YAML_SINGLE_QUOTED ||
                          uses->node->style == WPA_YAML_DOUBLE_QUOTED;
    return is_scalar_line && (at >= doc->size_bytes || strchr("#\r\n", doc->source[at]));
}

bool wpa_rule_pin(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_uses *uses, const char *slug,
                  const uint8_t *commit, const char *tag)
{
    if (!takes_comment(uses)) {
        return false;
    }
    char hex[2 * WPA_COMMIT_BYTES + 1];
    wpa_hex_encode(commit, WPA_COMMIT_BYTES, hex);
    if (slug) {
        wpa_rule_edit(run, fix, uses->slug_span, "%s", slug);
    }
    wpa_rule_edit(run, fix, uses->ref_span, "%s", hex);
    size_t end = uses->node->span.end;
    if (uses->hint.length) {
        size_t start = (size_t)(uses->hint.at - uses->node->doc->source);
        wpa_rule_edit(run, fix, (wpa_span){start, start + uses->hint.length}, "%s", tag);
    } else if (uses->comment.end > uses->comment.start) {
        size_t behind = uses->comment.start + 1;
        wpa_rule_edit(run, fix, (wpa_span){behind, behind}, " %s", tag);
    } else {
        wpa_rule_edit(run, fix, (wpa_span){end, end}, " # %s", tag);
    }
    fix->needs = wpa_rule_needs(run, WPA_FACTS_TAGS);
    return true;
}

/* Digits of a number, and a dot behind them. */
#define PART_MAX_BYTES 21
#define VERSION_SIZE (WPA_COUNT(((wpa_version *)0)->parts) * PART_MAX_BYTES)

/** "4.2.2", by hand, since most findings of pinned actions name one. */
static void write_version(const wpa_version *version, char text[VERSION_SIZE])
{
    char *to = text;
    for (size_t i = 0; i < version->n_parts; i++) {
        char digits[PART_MAX_BYTES];
        size_t n = 0;
        for (uint64_t left = version->parts[i]; left || !n; left /= 10) {
            digits[n++] = (char)('0' + left % 10);
        }
        while (n) {
            *to++ = digits[--n];
        }
        *to++ = '.';
    }
    to[to > text ? -1 : 0] = '\0'; /* in place of the last dot */
}

/* ---- tags of a repository ---- */

/* Is the first number of the tag below this one? Then the rest of it is of no matter. */
static bool is_below_major(const char *tag, uint64_t major)
{
    uint64_t n = 0;
    tag += *tag == 'v' || *tag == 'V' ? 1 : 0;
    bool is_number = *tag >= '0' && *tag <= '9';
    for (; n < major && *tag >= '0' && *tag <= '9'; tag++) {
        n = n * 10 + (uint64_t)(*tag - '0');
    }
    return is_number && n < major;
}

static wpa_tags_beside compare_tags(const wpa_fact_repo *repo, const wpa_version *claimed)
{
    wpa_tags_beside tags = {0};
    size_t n = wpa_facts_repo_ref_count(repo);
    for (size_t i = 0; i < n && !(tags.has_same && tags.has_newer); i++) {
        wpa_version version;
        const char *name = wpa_facts_repo_ref_name(repo, i);
        if (is_below_major(name, claimed->parts[0]) || /* most are */
            !wpa_version_parse(wpa_slice_of(name), &version) ||
            wpa_facts_repo_ref_at(repo, i).kind != WPA_FACT_TAG) {
            continue;
        }
        int order = wpa_version_compare(&version, claimed);
        tags.has_same = tags.has_same || order == 0;
        tags.has_newer = tags.has_newer || (order > 0 && version.n_parts >= 3);
        tags.reaches = tags.reaches || order >= 0;
    }
    return tags;
}

#define TAGS_KEY_SIZE 96

wpa_tags_beside wpa_rule_tags_beside(wpa_rule_run *run, const wpa_outline_uses *uses,
                                     const wpa_version *claimed)
{
    char key[TAGS_KEY_SIZE];
    char *end = wpa_site_put(key + 1, (uintptr_t)uses->fact->repo);
    if (uses->hint.length >= (size_t)(key + TAGS_KEY_SIZE - end)) {
        return compare_tags(uses->fact->repo, claimed);
    }
    key[0] = 'T';
    memcpy(end, uses->hint.at, uses->hint.length);
    end[uses->hint.length] = '\0';
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    const wpa_tags_beside *known = wpa_map_get(run->memo, key);
    if (!known) {
        wpa_tags_beside found = compare_tags(uses->fact->repo, claimed);
        known = wpa_arena_dup(run->lasting, &found, sizeof found);
        wpa_map_put(run->memo, key, (void *)(uintptr_t)known);
    }
    return *known;
}

/* ---- words ---- */

const char *wpa_rule_quote_uses(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_fact_use *fact = uses->fact;
    char version[VERSION_SIZE];
    if (run->source->kind == WPA_INPUT_PRE_COMMIT) {
        const char *text = wpa_arena_printf(run->arena, WPA_SLICE_FORMAT "@" WPA_SLICE_FORMAT,
                                            WPA_SLICE_ARGS(uses->slug), WPA_SLICE_ARGS(uses->ref));
        return wpa_rule_quote(run, text, strlen(text));
    }
    const char *quoted = wpa_rule_quote(run, uses->node->text, uses->node->length);
    bool is_numbered = uses->kind == WPA_OUTLINE_REPOSITORY && fact &&
                       fact->pin == WPA_PIN_COMMIT && fact->has_version && fact->version.n_parts;
    if (!is_numbered) {
        return quoted;
    }
    /* A commit whose version is known: forty digits say nothing to people. */
    write_version(&fact->version, version);
    return wpa_arena_printf(run->arena, "%s (v%s)", quoted, version);
}

const char *wpa_rule_needs(wpa_rule_run *run, wpa_fact_table table)
{
    return wpa_arena_printf(run->arena, "%s of %s", wpa_facts_table_name(table),
                            wpa_facts_date(table));
}

bool wpa_rule_is_clean(const wpa_outline_uses *uses, const char *tag, const wpa_version *version)
{
    wpa_fact_use use = {.has_version = true, .version = *version};
    size_t n = wpa_facts_advisory_count();
    for (size_t i = wpa_facts_advisory_of(uses->slug, 0); i < n;
         i = wpa_facts_advisory_of(uses->slug, i + 1)) {
        if (wpa_facts_advisory_affects(wpa_facts_advisory_at(i), uses->slug, wpa_slice_of(tag),
                                       &use) >= WPA_AFFECTED_YES) {
            return false;
        }
    }
    return true;
}

/* Is the i-th ref of the repository a release that is written out, and newer than another? */
static bool is_newer_release(const wpa_outline_uses *uses, size_t i, const wpa_version *than,
                             wpa_fact_ref *ref, wpa_version *version)
{
    *ref = wpa_facts_repo_ref_at(uses->fact->repo, i);
    return ref->kind == WPA_FACT_TAG && wpa_version_parse(wpa_slice_of(ref->name), version) &&
           !version->suffix.length && version->n_parts >= 3 &&
           wpa_version_compare(version, than) > 0;
}

/* The last release of the version's major, above it, that an advisory speaks of; or the version. */
static wpa_version last_affected(const wpa_outline_uses *uses, const wpa_version *from)
{
    wpa_version last = *from, version;
    wpa_fact_ref ref;
    for (size_t i = 0; i < wpa_facts_repo_ref_count(uses->fact->repo); i++) {
        if (is_newer_release(uses, i, &last, &ref, &version) &&
            version.parts[0] == from->parts[0] && !wpa_rule_is_clean(uses, ref.name, &version)) {
            last = version;
        }
    }
    return last;
}

/* The lowest release above a version that no advisory speaks of; of its major if there is one. */
static bool find_clean_above(const wpa_outline_uses *uses, const wpa_version *from,
                             wpa_fact_ref *best, wpa_version *best_version)
{
    bool is_found = false, is_same_major = false;
    for (size_t i = 0; i < wpa_facts_repo_ref_count(uses->fact->repo); i++) {
        wpa_version version;
        wpa_fact_ref ref;
        if (!is_newer_release(uses, i, from, &ref, &version)) {
            continue;
        }
        bool is_same = version.parts[0] == from->parts[0];
        bool is_better =
            !is_found || (is_same && !is_same_major) ||
            (is_same == is_same_major && wpa_version_compare(&version, best_version) < 0);
        if (is_better &&
            wpa_rule_is_clean(uses, ref.name, &version)) { /* all advisories are asked last */
            *best = ref;
            *best_version = version;
            is_found = true;
            is_same_major = is_same;
        }
    }
    return is_found;
}

bool wpa_rule_find_clean(const wpa_outline_uses *uses, wpa_fact_ref *best)
{
    const wpa_fact_use *fact = uses->fact;
    wpa_version found = {0}, last;
    if (!fact->repo || !fact->has_version ||
        !find_clean_above(uses, &fact->version, best, &found)) {
        return false;
    }
    if (found.parts[0] != fact->version.parts[0]) {
        /* The first of another major may be older than the fault: the mend is behind it. */
        wpa_fact_ref mended;
        last = last_affected(uses, &found);
        if (wpa_version_compare(&last, &found) > 0 &&
            find_clean_above(uses, &last, &mended, &found)) {
            *best = mended;
        }
    }
    return true;
}

bool wpa_rule_is_trusted_owner(const wpa_rule_run *run, wpa_slice owner)
{
    const wpa_surroundings *around = run->source->around;
    return wpa_slice_is_ci(owner, "actions") || wpa_slice_is_ci(owner, "github") ||
           wpa_slice_is_ci(owner, "dependabot") ||
           (around && around->owner && wpa_slice_is_ci(owner, around->owner)) ||
           wpa_rule_is_first_party(run, owner);
}

/* ---- patterns of slugs -------------------------------------------------------------------------
 */

/* Does the pattern's part in front of the @ cover the slug? *rank grows with how exact it is. */
static bool covers_slug(wpa_slice pattern, wpa_slice slug, size_t *rank)
{
    bool is_open = pattern.length && pattern.at[pattern.length - 1] == '*';
    *rank = 2 * pattern.length + (is_open ? 0 : 1);
    if (!is_open) {
        return slug.length == pattern.length && strncasecmp(slug.at, pattern.at, slug.length) == 0;
    }
    pattern.length--;
    if (slug.length >= pattern.length && strncasecmp(slug.at, pattern.at, pattern.length) == 0) {
        return true;
    }
    /* "owner/repo/" and a star covers the repository's root too */
    return pattern.length > 1 && pattern.at[pattern.length - 1] == '/' &&
           slug.length == pattern.length - 1 &&
           strncasecmp(slug.at, pattern.at, slug.length) == 0 && memchr(slug.at, '/', slug.length);
}

size_t wpa_rule_pattern_fits(wpa_slice pattern, wpa_slice slug, wpa_slice ref)
{
    size_t rank;
    const char *at = memchr(pattern.at, '@', pattern.length);
    wpa_slice head = {pattern.at, at ? (size_t)(at - pattern.at) : pattern.length};
    if (!covers_slug(head, slug, &rank)) {
        return 0;
    }
    if (at) {
        wpa_slice wanted = {at + 1, pattern.length - head.length - 1};
        bool is_same = wanted.length == ref.length && memcmp(wanted.at, ref.at, ref.length) == 0;
        return is_same ? rank + 1000 : 0;
    }
    return rank;
}

#define USERS_SHOWN 3

void wpa_rule_relate_users(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_surroundings *around = run->source->around;
    size_t n = 0;
    const wpa_graph_user *users =
        around && around->graph
            ? wpa_graph_users(around->graph, wpa_source_identity(run->source), &n)
            : NULL;
    for (size_t i = 0; i < n && i < USERS_SHOWN; i++) {
        const wpa_source *source = wpa_rule_source_at(run, users[i].file->path);
        if (source) {
            wpa_rule_relate_in(run, finding, source, users[i].use->span, "used here");
        }
    }
}
