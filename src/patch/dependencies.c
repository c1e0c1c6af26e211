/* What the compiled-in tables know of the dependencies that a patch names: one row a check. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "facts/facts.h"
#include "patch/agreement.h"

#define AGE_MIN_DAYS 7
#define WELL_KNOWN_RANK 200 /* names worth imitating */
#define DAY_US (INT64_C(86400) * 1000000)
#define DIGEST_MARK "@sha256:"

/* A dependency as it was given, and what it resolves to. */
typedef struct subject {
    const char *text;
    bool is_action, is_image;
    wpa_slice slug, ref; /* of an action */
    wpa_fact_use use;
    bool has_before;
    wpa_fact_use before; /* what it was, if that is given */
    wpa_slice before_ref;
    const wpa_fact_advisory *advisory;
    const wpa_json *item, *all;   /* as it was given, and all that were given with it */
    const wpa_patch_draft *draft; /* NULL: no files are known */
    wpa_arena *arena;
} subject;

typedef wpa_patch_agreement verdict; /* result NULL: the check is not about such a thing */

/* ---- reading ------------------------------------------------------------------------------------
 */

static bool split(const char *dependency, wpa_slice *slug, wpa_slice *ref)
{
    const char *at = strrchr(dependency, '@');
    const char *slash = strchr(dependency, '/');
    if (!at || !slash || slash > at || at[1] == '\0' || slash == dependency ||
        memchr(dependency, '.', (size_t)(slash - dependency))) { /* a host: a module of Go */
        return false;
    }
    *slug = (wpa_slice){dependency, (size_t)(at - dependency)};
    *ref = wpa_slice_of(at + 1);
    return true;
}

static const wpa_fact_advisory *find_advisory(wpa_slice slug, wpa_slice ref,
                                              const wpa_fact_use *use)
{
    for (size_t i = 0; i < wpa_facts_advisory_count(); i++) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        wpa_fact_affected affected = wpa_facts_advisory_affects(advisory, slug, ref, use);
        if (affected == WPA_AFFECTED_YES || affected == WPA_AFFECTED_MALICIOUS) {
            return advisory;
        }
    }
    return NULL;
}

/** Text that is not empty, or an object of such texts: "name", "to" and, if it is known, "from". */
static bool check_shape(const wpa_json *item, size_t i, wpa_error *err)
{
    static const char *const names[] = {"name", "to", "from"};
    const char *text = wpa_json_text_of(item);
    bool is_object = wpa_json_kind_of(item) == WPA_JSON_OBJECT;
    size_t n_known = 0;
    for (size_t k = 0; is_object && k < WPA_COUNT(names); k++) {
        const wpa_json *value = wpa_json_find(item, names[k]);
        const char *word = wpa_json_text_of(value);
        n_known += word && *word;
        is_object = (word && *word) || (k == 2 && !value);
    }
    return (text && *text) || (is_object && wpa_json_count(item) == n_known) ||
           WPA_FAIL(err, WPA_E_INVALID,
                    "field 'patch_content.dependencies[%zu]' must be text, as owner/action@ref, or "
                    "{\"name\", \"to\", \"from\"} of texts",
                    i);
}

/** "owner/action@ref" or an image, as text or as {"name", "to", "from"}. */
static void read_subject(const wpa_json *item, subject *s)
{
    const char *name = wpa_json_text_of(wpa_json_find(item, "name"));
    const char *to = wpa_json_text_of(wpa_json_find(item, "to"));
    const char *from = wpa_json_text_of(wpa_json_find(item, "from"));
    s->text = name && to ? wpa_arena_printf(s->arena, "%s@%s", name, to) : wpa_json_text_of(item);
    s->text = s->text ? s->text : "";
    s->is_image = wpa_text_starts(s->text, "docker://") || strstr(s->text, DIGEST_MARK);
    s->is_action = !s->is_image && split(s->text, &s->slug, &s->ref);
    if (s->is_action) {
        wpa_facts_use_resolve(s->slug, s->ref, (wpa_slice){"", 0}, &s->use);
        s->advisory = find_advisory(s->slug, s->ref, &s->use);
        s->has_before = from && *from;
    }
    if (s->has_before) {
        s->before_ref = wpa_slice_of(from);
        wpa_facts_use_resolve(s->slug, s->before_ref, (wpa_slice){"", 0}, &s->before);
    }
}

/* ---- checks -------------------------------------------------------------------------------------
 */

static const char unknown_repository[] = "no table has its repository";
static const char nothing_before[] =
    "what it was before is not given ({\"name\", \"from\", \"to\"})";

static bool are_versions_known(const subject *s)
{
    return s->has_before && s->use.has_version && s->before.has_version;
}

static verdict exists(const subject *s)
{
    wpa_fact_ref found;
    if (!s->is_action) {
        return (verdict){"skipped", "no table has things of this kind"};
    }
    if (!s->use.repo) {
        return (verdict){"skipped", unknown_repository};
    }
    const char *date = wpa_facts_repo_date(s->use.repo);
    if (s->use.pin == WPA_PIN_COMMIT) {
        return s->use.has_version
                   ? (verdict){"pass", "a commit that a version tag names"}
                   : (verdict){"skipped",
                               wpa_arena_printf(s->arena, "no tag named this commit on %s", date)};
    }
    return wpa_facts_ref_find(s->use.repo, s->ref, &found)
               ? (verdict){"pass", "it is there"}
               : (verdict){"warn", wpa_arena_printf(s->arena, "no such ref was there on %s", date)};
}

/** "v4" names more versions than "v4.2.1". */
static size_t count_parts(wpa_slice ref)
{
    wpa_version version;
    return wpa_version_parse(ref, &version) ? version.n_parts : 0;
}

static verdict range_kept(const subject *s)
{
    if (!s->is_action || !s->has_before) {
        return (verdict){s->is_action ? "skipped" : NULL, nothing_before};
    }
    bool is_wider = s->use.pin > s->before.pin ||
                    (s->use.pin == WPA_PIN_VERSION && s->before.pin == WPA_PIN_VERSION &&
                     count_parts(s->ref) < count_parts(s->before_ref));
    return is_wider ? (verdict){"warn", "it names more versions than before"}
                    : (verdict){"pass", "it names no more versions than before"};
}

static verdict no_major_step(const subject *s)
{
    if (!are_versions_known(s)) {
        return (verdict){s->is_action ? "skipped" : NULL,
                         s->has_before ? "a version is not known" : nothing_before};
    }
    uint64_t to = s->use.version.parts[0], from = s->before.version.parts[0];
    return to > from ? (verdict){"warn",
                                 wpa_arena_printf(s->arena,
                                                  "a major step, from %llu to %llu: look "
                                                  "for what breaks",
                                                  (unsigned long long)from, (unsigned long long)to)}
                     : (verdict){"pass", "no major step"};
}

static verdict no_step_back(const subject *s)
{
    if (!are_versions_known(s)) {
        return (verdict){s->is_action ? "skipped" : NULL,
                         s->has_before ? "a version is not known" : nothing_before};
    }
    return wpa_version_compare(&s->use.version, &s->before.version) < 0
               ? (verdict){"warn", "an older version than before"}
               : (verdict){"pass", "no step back"};
}

static verdict old_enough(const subject *s)
{
    wpa_fact_major major = s->use.major;
    bool is_newest = s->use.has_major && major.newest_date && s->use.commit &&
                     major.newest_commit &&
                     memcmp(s->use.commit, major.newest_commit, WPA_COMMIT_BYTES) == 0;
    if (!s->is_action) {
        return (verdict){NULL, NULL};
    }
    if (!is_newest) {
        return (verdict){"warn", "no table has the day of its release"};
    }
    int64_t days = wpa_now_us() / DAY_US - wpa_facts_days(major.newest_date);
    return days < AGE_MIN_DAYS
               ? (verdict){"warn",
                           wpa_arena_printf(s->arena, "released on %s, less than %d days ago",
                                            major.newest_date, AGE_MIN_DAYS)}
               : (verdict){"pass", wpa_arena_printf(s->arena, "released on %s", major.newest_date)};
}

static verdict not_withdrawn(const subject *s)
{
    if (!s->is_action) {
        return (verdict){NULL, NULL};
    }
    const wpa_fact_end *end = wpa_facts_end_find(s->slug, s->ref, &s->use);
    return end ? (verdict){"warn", wpa_arena_printf(s->arena, "%s: %s", end->status, end->match)}
               : (verdict){"pass", "no table has its end"};
}

static verdict no_advisory(const subject *s)
{
    const wpa_fact_advisory *before =
        s->has_before ? find_advisory(s->slug, s->before_ref, &s->before) : NULL;
    if (!s->is_action) {
        return (verdict){"skipped", "advisories are known of actions only"};
    }
    return before ? (verdict){"pass", wpa_arena_printf(s->arena, "%s is left behind", before->id)}
                  : (verdict){"pass", "without a known advisory"};
}

static verdict brings_nothing(const subject *s)
{
    const char *list = "";
    if (!s->is_action) {
        return (verdict){NULL, NULL};
    }
    if (!s->use.has_major || !s->use.major.using) {
        return (verdict){"skipped", "no table has what it runs"};
    }
    for (size_t i = 0; i < s->use.major.n_uses; i++) {
        list = wpa_arena_printf(s->arena, "%s%s%s", list, *list ? ", " : "",
                                wpa_facts_used_at(&s->use.major, i));
    }
    return *list ? (verdict){"warn", wpa_arena_printf(s->arena, "calls %s", list)}
                 : (verdict){"pass", "calls no other action"};
}

static verdict same_owner(const subject *s)
{
    if (!s->is_action) {
        return (verdict){NULL, NULL};
    }
    if (wpa_facts_archived_find(s->slug)) {
        return (verdict){"warn", "its repository is archived: nobody repairs it any more"};
    }
    return s->use.repo ? (verdict){"pass", "the repository that the tables know"}
                       : (verdict){"skipped", unknown_repository};
}

static verdict pinned(const subject *s)
{
    static const verdict by_pin[] = {
        [WPA_PIN_COMMIT] = {"pass", "a whole commit"},
        [WPA_PIN_SHORT_COMMIT] = {"warn", "a shortened commit: another one may begin with it"},
        [WPA_PIN_VERSION] = {"warn", "a tag: what it names can be changed"},
        [WPA_PIN_OTHER] = {"warn", "a branch: what it names can change at any time"},
    };
    return s->is_action ? by_pin[s->use.pin] : (verdict){NULL, NULL};
}

static verdict image_by_digest(const subject *s)
{
    if (!s->is_image) {
        return (verdict){NULL, NULL};
    }
    return strstr(s->text, DIGEST_MARK)
               ? (verdict){"pass", "an image by its digest"}
               : (verdict){"warn", "an image by its tag: what it names can be changed"};
}

static verdict not_near_another(const subject *s)
{
    if (!s->is_action) {
        return (verdict){NULL, NULL};
    }
    const char **names = wpa_arena_array(s->arena, wpa_facts_action_count() + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        const wpa_fact_action *action = wpa_facts_action_at(i);
        if (wpa_facts_action_rank(action) <= WELL_KNOWN_RANK) {
            names[n++] = wpa_facts_action_name(action);
        }
    }
    const char *slug = wpa_arena_slice(s->arena, s->slug.at, s->slug.length);
    const char *near = s->use.repo ? NULL : wpa_text_nearest(slug, names, n);
    return near && !wpa_text_is(near, slug)
               ? (verdict){"warn", wpa_arena_printf(s->arena, "its name is close to %s", near)}
               : (verdict){"pass", "no well-known name is close to it"};
}

static verdict locks_agree(const subject *s)
{
    return s->is_action || s->is_image
               ? (verdict){"skipped", "no manifest names actions and images"}
               : wpa_patch_locks_agree(s->draft, s->all, s->item, s->arena);
}

static verdict toolchains_agree(const subject *s)
{
    bool is_known = s->draft && s->draft->toolchains.result;
    return is_known ? s->draft->toolchains
                    : (verdict){"skipped", "the patch changes no workflow and no project file"};
}

static const struct {
    const char *id;
    verdict (*check)(const subject *s);
    const char *skipped; /* why there is no check */
} checks[] = {
    {"V101", exists, NULL},           {"V102", range_kept, NULL},
    {"V103", no_major_step, NULL},    {"V104", no_step_back, NULL},
    {"V105", old_enough, NULL},       {"V106", not_withdrawn, NULL},
    {"V107", no_advisory, NULL},      {"V108", NULL, "no table has licences"},
    {"V109", locks_agree, NULL},      {"V110", brings_nothing, NULL},
    {"V111", same_owner, NULL},       {"V112", pinned, NULL},
    {"V113", image_by_digest, NULL},  {"V114", toolchains_agree, NULL},
    {"V115", not_near_another, NULL},
};

/* ---- the whole ----------------------------------------------------------------------------------
 */

static void add_checks(const subject *s, wpa_json *entry)
{
    const char *result = "unknown", *message = "no table has it";
    wpa_json *list = wpa_json_set_array(entry, "checks");
    for (size_t i = 0; i < WPA_COUNT(checks); i++) {
        verdict v = checks[i].check ? checks[i].check(s) : (verdict){"skipped", checks[i].skipped};
        if (!v.result) {
            continue;
        }
        wpa_json *one = wpa_json_push_object(list);
        wpa_json_set_text(one, "check", checks[i].id);
        wpa_json_set_text(one, "result", v.result);
        wpa_json_set_text(one, "message", v.message);
        bool is_worse = wpa_text_is(v.result, "warn") && !wpa_text_is(result, "warn");
        if (is_worse || (i == 0 && !wpa_text_is(v.result, "skipped"))) {
            result = v.result;
            message = v.message;
        }
    }
    wpa_json_set_text(entry, "result", result);
    wpa_json_set_text(entry, "message", message);
}

wpa_json *wpa_patch_check_dependencies(const wpa_json *dependencies, const wpa_patch_draft *draft,
                                       wpa_arena *arena, wpa_error *err)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < wpa_json_count(dependencies); i++) {
        const wpa_json *item = wpa_json_at(dependencies, i);
        subject s = {.item = item, .all = dependencies, .draft = draft, .arena = arena};
        if (!check_shape(item, i, err)) {
            return NULL;
        }
        read_subject(item, &s);
        if (s.advisory) {
            (void)WPA_FAIL(err, WPA_E_REFUSED, "dependency '%s' has a known advisory: %s (%s)",
                           s.text, s.advisory->summary, s.advisory->id);
            return NULL;
        }
        wpa_json *entry = wpa_json_push_object(list);
        wpa_json_set(entry, "dependency", wpa_json_dup(item, arena));
        add_checks(&s, entry);
    }
    return list;
}
