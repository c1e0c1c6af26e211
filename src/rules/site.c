#include "rules/site.h"

#include "rules/graph.h"

/* Job and step that hold the uses whose value stands at this span. */
static bool find_use(const wpa_source *source, wpa_span span, wpa_site *site)
{
    const wpa_outline *o = source->outline;
    *site = (wpa_site){.source = source};
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        site->job = job;
        if (job->uses.node && job->uses.node->span.start == span.start) {
            return true;
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_yaml_node *node = job->steps[k].uses.node;
            if (node && node->span.start == span.start) {
                site->step = &job->steps[k];
                return true;
            }
        }
    }
    return false;
}

char *wpa_site_put(char to[WPA_SITE_NUMBER_SIZE], uintptr_t number)
{
    for (uintptr_t left = number; left; left >>= 5) {
        *to++ = (char)('@' + (left & 31));
    }
    *to++ = '.';
    return to;
}

void wpa_site_key(char key[WPA_SITE_KEY_SIZE], char question, const void *a, const void *b)
{
    char *end = key;
    *end++ = question;
    *wpa_site_put(wpa_site_put(end, (uintptr_t)a), (uintptr_t)b) = '\0';
}

/* What was asked of one or two things, and what is kept under that; kept NULL: a free place. */
typedef struct answer {
    const void *a, *b;
    void *kept;
    char question;
} answer;

struct wpa_site_answers {
    answer *places;     /* [n_places] by a hash */
    size_t n, n_places; /* the second is a power of two */
};

#define FIRST_PLACES 32

/** Where it is, or the free place where it belongs. */
static answer *place_of(const wpa_site_answers *all, char question, const void *a, const void *b)
{
    uint64_t hash = ((uintptr_t)a ^ (uintptr_t)b << 20 ^ (unsigned char)question) *
                    UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 32);
    for (;; at++) {
        answer *place = &all->places[at & (all->n_places - 1)];
        if (!place->kept || (place->a == a && place->b == b && place->question == question)) {
            return place;
        }
    }
}

/** At most three quarters of the places are taken. */
static void grow(wpa_site_answers *all, wpa_arena *arena)
{
    const wpa_site_answers before = *all;
    all->n_places = before.n_places ? 2 * before.n_places : FIRST_PLACES;
    all->places = wpa_arena_array(arena, all->n_places, sizeof *all->places);
    for (size_t i = 0; i < before.n_places; i++) {
        const answer *old = &before.places[i];
        if (old->kept) {
            *place_of(all, old->question, old->a, old->b) = *old;
        }
    }
}

void *wpa_site_keep(wpa_rule_run *run, char question, const void *a, const void *b, size_t size,
                    bool *is_new)
{
    if (!run->answers) {
        run->answers = wpa_arena_alloc(run->lasting, sizeof *run->answers);
    }
    wpa_site_answers *all = run->answers;
    if (4 * all->n >= 3 * all->n_places) {
        grow(all, run->lasting);
    }
    answer *place = place_of(all, question, a, b);
    *is_new = !place->kept;
    if (*is_new) {
        *place = (answer){a, b, wpa_arena_alloc(run->lasting, size), question};
        all->n++;
    }
    return place->kept;
}

/* Below that a map is as soon made again as found, and a file may have thousands. In a literal
   scalar a place is found without one. */
#define KEPT_MIN_BYTES 256
#define KEPT_LITERAL_MIN_BYTES 2048

wpa_span wpa_site_span(wpa_rule_run *run, const wpa_yaml_node *scalar, size_t from, size_t to)
{
    bool is_literal = scalar->style == WPA_YAML_LITERAL;
    if (scalar->length < (is_literal ? KEPT_LITERAL_MIN_BYTES : KEPT_MIN_BYTES)) {
        return wpa_yaml_source_span(scalar, from, to);
    }
    char key[WPA_SITE_KEY_SIZE];
    wpa_site_key(key, 'm', scalar, NULL);
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    const wpa_yaml_map *map = wpa_map_get(run->memo, key);
    if (!map) {
        map = wpa_yaml_map_new(scalar, run->lasting);
        wpa_map_put(run->memo, key, (void *)(uintptr_t)map);
    }
    return wpa_yaml_map_span(map, from, to);
}

void wpa_site_each_step(wpa_rule_run *run, wpa_site_visitor visit)
{
    const wpa_outline *o = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            visit(run, &site);
            wpa_rule_end_visit(run, &visits);
        }
    }
}

size_t wpa_site_callers(wpa_rule_run *run, const wpa_source *source, wpa_site *sites)
{
    const wpa_graph *graph = source->around ? source->around->graph : NULL;
    size_t n_users = 0, n = 0;
    const wpa_graph_user *users =
        graph ? wpa_graph_users(graph, wpa_source_identity(source), &n_users) : NULL;
    for (size_t i = 0; i < n_users && n < WPA_SITE_CALLERS_MAX; i++) {
        if (!wpa_rule_spend(run, 2000)) {
            break;
        }
        const wpa_source *caller = wpa_rule_source_at(run, users[i].file->path);
        if (caller && find_use(caller, users[i].use->span, &sites[n])) {
            n++;
        }
    }
    return n;
}

const wpa_source *wpa_site_callee(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const wpa_graph_file *file = wpa_graph_used(graph, uses, run->arena);
    return file ? wpa_rule_source_at(run, file->path) : NULL;
}

unsigned wpa_site_depth(const wpa_site *site)
{
    unsigned depth = 0;
    for (; site->caller; site = site->caller) {
        depth++;
    }
    return depth;
}

const wpa_site *wpa_site_root(const wpa_site *site)
{
    while (site->caller) {
        site = site->caller;
    }
    return site;
}

const wpa_outline_job *wpa_site_job(const wpa_source *source, const char *id)
{
    return wpa_outline_job_find(source->outline, id);
}

bool wpa_site_is_for_others(const wpa_source *source)
{
    size_t n = 0;
    const wpa_graph *graph = source->around ? source->around->graph : NULL;
    bool is_callable = wpa_outline_trigger_find(source->outline, "workflow_call") != NULL;
    if (is_callable && graph) {
        (void)wpa_graph_users(graph, wpa_source_identity(source), &n);
    }
    return is_callable && n == 0;
}
