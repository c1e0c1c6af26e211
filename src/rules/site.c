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

void *wpa_site_keep(wpa_rule_run *run, char question, const void *a, const void *b, size_t size,
                    bool *is_new)
{
    char key[WPA_SITE_KEY_SIZE];
    wpa_site_key(key, question, a, b);
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    void *kept = wpa_map_get(run->memo, key);
    *is_new = kept == NULL;
    if (!kept) {
        kept = wpa_arena_alloc(run->lasting, size);
        wpa_map_put(run->memo, key, kept);
    }
    return kept;
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
    if (!graph || uses->kind != WPA_OUTLINE_LOCAL) {
        return NULL;
    }
    const char *local = wpa_graph_local_path(wpa_yaml_text(uses->node), run->arena);
    const wpa_graph_file *file = local ? wpa_graph_local(graph, local) : NULL;
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
