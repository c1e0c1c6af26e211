/*
 * What the tracer has found of a path or a variable, kept for whoever asks the same of the file
 * again: most of what leads to a source is asked for by several rules, and from several places.
 */
#include <string.h>

#include "rules/taint_internal.h"

/* Who runs where, up to the first caller: sites are made anew, what they name is not. */
static char *put_site(char *at, const char *end, const wpa_site *site)
{
    for (; site && end - at > WPA_SITE_NUMBER_SIZE; site = site->caller) {
        const void *place = site->step  ? (const void *)site->step
                            : site->job ? (const void *)site->job
                                        : (const void *)site->source;
        at = wpa_site_put(at, (uintptr_t)place);
    }
    return site ? NULL : at;
}

/* false: too long. */
static bool make_key(char key[WPA_TRACE_KEY_SIZE], const wpa_tracer *t, const wpa_site *site,
                     char kind, size_t at, const char *name)
{
    const char *end = key + WPA_TRACE_KEY_SIZE;
    char *to = key;
    *to++ = kind;
    *to++ = t->question == WPA_TAINT_CODE ? 'c' : 't';
    *to++ = (char)('s' + t->run->ignores_members + 2 * t->run->asks_for_thread);
    to = wpa_site_put(wpa_site_put(to, (uintptr_t)t->outer), at);
    to = put_site(to, end, site);
    size_t n = strlen(name);
    bool is_short = to && n < (size_t)(end - to);
    if (is_short) {
        memcpy(to, name, n + 1);
    }
    return is_short;
}

const wpa_taint *wpa_trace_known(wpa_tracer *t, const wpa_site *site, char kind, size_t at,
                                 const char *name, wpa_trace_memo *memo)
{
    wpa_rule_run *run = t->run;
    memo->was_cut = t->is_cut;
    t->is_cut = false;
    if (!make_key(memo->key, t, site, kind, at, name)) {
        *memo->key = '\0';
        return NULL;
    }
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    const wpa_taint *known = wpa_map_get(run->memo, memo->key);
    t->is_cut = known ? memo->was_cut : false;
    return known;
}

/* The way with its words, which is WPA_TAINT_MAX_HOPS long at most, out of the memory of the rule
 * that asked first. Ways that end alike share that: in a long chain each would have it again. */
static const wpa_taint_hop *keep_hops(wpa_arena *arena, const wpa_taint_hop *hops)
{
    if (!hops || hops->is_kept) {
        return hops;
    }
    wpa_taint_hop *hop = wpa_arena_dup(arena, hops, sizeof *hops);
    hop->label = wpa_arena_text(arena, hops->label);
    hop->next = keep_hops(arena, hops->next);
    hop->is_kept = true;
    return hop;
}

wpa_taint wpa_trace_keep(wpa_tracer *t, const wpa_trace_memo *memo, wpa_taint taint)
{
    wpa_rule_run *run = t->run;
    if (*memo->key && !t->is_cut && run->memo) {
        wpa_taint *kept = wpa_arena_dup(run->lasting, &taint, sizeof taint);
        kept->path = wpa_arena_text(run->lasting, taint.path);
        kept->shape = wpa_arena_text(run->lasting, taint.shape);
        kept->hops = keep_hops(run->lasting, taint.hops);
        wpa_map_put(run->memo, memo->key, kept);
        taint.hops = kept->hops;
    }
    t->is_cut = t->is_cut || memo->was_cut;
    return taint;
}
