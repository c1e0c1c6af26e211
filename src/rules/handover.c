#include "rules/handover.h"

#include <string.h>

/* Definitions that call each other in a row. */
#define DEPTH_MAX 4
#define FILES_MAX 64

typedef struct search {
    const wpa_graph *graph;
    const wpa_store_artifact *other; /* what the ones that are looked for have to fit */
    wpa_handovers found;
    size_t n_files;
} search;

static void add(search *s, const wpa_graph_file *file, const wpa_store_artifact *artifact)
{
    if (s->found.n == WPA_HANDOVER_MAX) {
        s->found.is_open = true;
        return;
    }
    s->found.items[s->found.n++] = (wpa_handover){file, artifact};
}

static void search_file(search *s, const wpa_graph_file *file, unsigned depth)
{
    bool wants_uploads = !s->other->is_upload;
    if (depth > DEPTH_MAX || ++s->n_files > FILES_MAX || file->is_partial) {
        s->found.is_open = true;
        return;
    }
    s->found.is_open =
        s->found.is_open || (wants_uploads ? file->stores.may_upload : file->stores.may_download);
    for (size_t i = 0; i < file->stores.n_artifacts; i++) {
        const wpa_store_artifact *a = &file->stores.artifacts[i];
        bool fits =
            a->is_upload == wants_uploads &&
            (wants_uploads ? wpa_stores_may_fit(a, s->other) : wpa_stores_may_fit(s->other, a));
        if (fits) {
            add(s, file, a);
        }
    }
    for (size_t i = 0; i < file->n_uses; i++) {
        const char *local = file->uses[i].local_path;
        const wpa_graph_file *callee = local ? wpa_graph_local(s->graph, local) : NULL;
        if (callee && callee != file) {
            search_file(s, callee, depth + 1);
        } else if (local) {
            s->found.is_open = true;
        }
    }
}

wpa_handovers wpa_handover_within(const wpa_graph *graph, const wpa_graph_file *file,
                                  const wpa_store_artifact *other)
{
    search s = {.graph = graph, .other = other};
    search_file(&s, file, 0);
    return s.found;
}

/* ---- runs that follow each other ---- */

/* The workflow of that file, "ci.yml" or its whole path. */
static const wpa_graph_file *find_by_file(const search *s, const char *name)
{
    char path[256];
    const wpa_graph_file *file = wpa_graph_find(s->graph, name);
    bool is_short = !file && wpa_text_format(path, sizeof path, ".github/workflows/%s", name);
    return is_short ? wpa_graph_find(s->graph, path) : file;
}

static void search_named(search *s, const char *name)
{
    size_t n = 0;
    const wpa_graph_file *const *files = wpa_graph_named(s->graph, name, &n);
    const wpa_graph_file *by_file = n ? NULL : find_by_file(s, name);
    if (by_file) {
        files = &by_file;
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        s->found.has_strangers =
            s->found.has_strangers || wpa_graph_trigger_find(files[i], "pull_request");
        search_file(s, files[i], 0);
    }
    s->found.is_open = s->found.is_open || n == 0;
}

wpa_handovers wpa_handover_uploads(const wpa_graph *graph, const wpa_graph_file *file,
                                   const wpa_store_artifact *download)
{
    search s = {.graph = graph, .other = download};
    const wpa_graph_trigger *trigger = wpa_graph_trigger_find(file, "workflow_run");
    if (download->workflow) {
        search_named(&s, download->workflow);
    } else if (trigger && trigger->workflows && file->n_triggers == 1) {
        for (size_t i = 0; trigger->workflows[i]; i++) {
            search_named(&s, trigger->workflows[i]);
        }
    } else {
        s.found.is_open = true;
    }
    return s.found;
}

wpa_handovers wpa_handover_downloads(const wpa_graph *graph, const wpa_graph_file *file,
                                     const wpa_store_artifact *upload)
{
    search s = {.graph = graph, .other = upload};
    size_t n = 0;
    const wpa_graph_file *const *followers = wpa_graph_followers(graph, file, &n);
    for (size_t i = 0; i < n; i++) {
        search_file(&s, followers[i], 0);
    }
    return s.found;
}

/* ---- steps ---- */

const wpa_store_artifact *wpa_handover_of(const wpa_graph_file *file, const wpa_outline_step *step,
                                          const wpa_outline *outline)
{
    size_t job = (size_t)(step->job - outline->jobs);
    for (size_t i = 0; i < file->stores.n_artifacts; i++) {
        const wpa_store_artifact *a = &file->stores.artifacts[i];
        if (a->job == job && a->step == step->index) {
            return a;
        }
    }
    return NULL;
}

const wpa_outline_step *wpa_handover_step(wpa_rule_run *run, const wpa_handover *item,
                                          const wpa_source **source)
{
    *source = wpa_rule_source_at(run, item->file->path);
    const wpa_outline *o = *source ? (*source)->outline : NULL;
    const wpa_outline_job *job =
        o && item->artifact->job < o->n_jobs ? &o->jobs[item->artifact->job] : NULL;
    return job && item->artifact->step < job->n_steps ? &job->steps[item->artifact->step] : NULL;
}
