/* What the compiled-in tables know of the dependencies that a patch names. */
#include <string.h>

#include <wpa/text.h>

#include "facts/facts.h"
#include "patch/patch.h"

typedef struct verdict {
    const char *result, *message;
} verdict;

static bool split(const char *dependency, wpa_slice *slug, wpa_slice *ref)
{
    const char *at = strrchr(dependency, '@');
    const char *slash = strchr(dependency, '/');
    if (!at || !slash || slash > at || at[1] == '\0' || slash == dependency) {
        return false;
    }
    *slug = (wpa_slice){dependency, (size_t)(at - dependency)};
    *ref = wpa_slice_of(at + 1);
    return true;
}

static const wpa_fact_advisory *find_advisory(wpa_slice slug, wpa_slice ref)
{
    wpa_fact_use use;
    wpa_facts_use_resolve(slug, ref, (wpa_slice){"", 0}, &use);
    for (size_t i = 0; i < wpa_facts_advisory_count(); i++) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        wpa_fact_affected affected = wpa_facts_advisory_affects(advisory, slug, ref, &use);
        if (affected == WPA_AFFECTED_YES || affected == WPA_AFFECTED_MALICIOUS) {
            return advisory;
        }
    }
    return NULL;
}

static bool is_commit(wpa_slice ref)
{
    return ref.length == 40 && strspn(ref.at, "0123456789abcdefABCDEF") >= 40;
}

static verdict judge(wpa_slice slug, wpa_slice ref, wpa_arena *arena)
{
    wpa_fact_ref found;
    const wpa_fact_repo *repo = wpa_facts_repo_find(slug);
    if (wpa_facts_archived_find(slug)) {
        return (verdict){"warn", "its repository is archived: nobody repairs it any more"};
    }
    if (!repo) {
        return (verdict){"unknown", "no table has it"};
    }
    if (is_commit(ref)) {
        return (verdict){"pass", "a commit of a known repository, without a known advisory"};
    }
    if (!wpa_facts_ref_find(repo, ref, &found)) {
        return (verdict){"warn", wpa_arena_printf(arena, "no such ref was there on %s",
                                                  wpa_facts_repo_date(repo))};
    }
    return found.kind == WPA_FACT_BRANCH
               ? (verdict){"warn", "a branch: what it names can change at any time"}
               : (verdict){"pass", "a tag that is there, without a known advisory"};
}

static bool check_one(const wpa_json *item, wpa_json *entry, wpa_arena *arena, wpa_error *err)
{
    wpa_slice slug, ref;
    const char *dependency = wpa_json_text_of(item);
    verdict v = {"unknown", "no table has things of this kind"};
    if (dependency && split(dependency, &slug, &ref)) {
        const wpa_fact_advisory *advisory = find_advisory(slug, ref);
        if (advisory) {
            return WPA_FAIL(err, WPA_E_REFUSED, "dependency '%s' has a known advisory: %s (%s)",
                            dependency, advisory->summary, advisory->id);
        }
        v = judge(slug, ref, arena);
    }
    wpa_json_set(entry, "dependency", wpa_json_dup(item, arena));
    wpa_json_set_text(entry, "result", v.result);
    wpa_json_set_text(entry, "message", v.message);
    return true;
}

wpa_json *wpa_patch_check_dependencies(const wpa_json *dependencies, wpa_arena *arena,
                                       wpa_error *err)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < wpa_json_count(dependencies); i++) {
        if (!check_one(wpa_json_at(dependencies, i), wpa_json_push_object(list), arena, err)) {
            return NULL;
        }
    }
    return list;
}
