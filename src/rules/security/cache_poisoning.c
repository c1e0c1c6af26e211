/* SEC-009: a cache that others could write is restored where something is published. */
#include <string.h>

#include "rules/caches.h"
#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/intake.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

/* What makes a job one that publishes. */
typedef struct publication {
    const wpa_yaml_node *node; /* trigger, or the value of uses; NULL for a command */
    wpa_span span;
    const char *event; /* by which the job runs then */
    const char *what;
} publication;

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_fact_cache *cache;
} subject;

/* ---- what publishes ----------------------------------------------------------------------------
 */

static bool names_release(const wpa_yaml_node *branches)
{
    size_t n = wpa_yaml_is(branches, WPA_YAML_SEQUENCE) ? branches->n_items : branches ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        bool is_list = branches->kind == WPA_YAML_SEQUENCE;
        const char *text = wpa_yaml_text(is_list ? branches->items[i] : branches);
        if (text && *text != '!' && wpa_text_seek_ci(text, "release")) {
            return true;
        }
    }
    return false;
}

/** A push of a tag: named, or all but some are, and no branch is. */
static bool is_of_tags(const wpa_outline_trigger *t)
{
    const wpa_yaml_node *ignored = wpa_yaml_get(t->config, "tags-ignore");
    const char *first = wpa_yaml_text(
        wpa_yaml_is(ignored, WPA_YAML_SEQUENCE) && ignored->n_items ? ignored->items[0] : ignored);
    bool is_for_rest = first && *first != '*' && !wpa_yaml_find(t->config, "branches") &&
                       !wpa_yaml_find(t->config, "branches-ignore");
    return wpa_yaml_find(t->config, "tags") || is_for_rest;
}

static bool find_release_trigger(const wpa_outline *o, publication *p)
{
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        bool is_push = wpa_text_is(t->name, "push");
        const char *what = wpa_text_is(t->name, "release") ? "a release starts it"
                           : is_push && is_of_tags(t)      ? "a tag starts it"
                           : is_push && names_release(wpa_yaml_get(t->config, "branches"))
                               ? "a push to a release branch starts it"
                               : NULL;
        if (what) {
            *p = (publication){t->node, t->node->span, t->name, what};
            return true;
        }
    }
    return false;
}

/* An action that publishes by itself, unless an input says that it does not. */
static bool publishes(const wpa_outline_step *step)
{
    if (!wpa_outline_uses_trait(step, WPA_TRAIT_PUBLISHER)) {
        return false;
    }
    const char *push = wpa_outline_with_text(step, "push");
    const char *arguments = wpa_outline_with_text(step, "args");
    const char *outputs = wpa_outline_with_text(step, "outputs");
    bool is_image = wpa_outline_step_uses(step, "docker/build-push-action") ||
                    wpa_outline_step_uses(step, "docker/bake-action");
    if (is_image) {
        return (push && !wpa_text_is(push, "false")) || (outputs && strstr(outputs, "push=true"));
    }
    return !(arguments && (strstr(arguments, "--snapshot") || strstr(arguments, "--skip")));
}

static const wpa_shell_command *publishing_command(const wpa_outline_step *step)
{
    static const char *const registries[] = {"npm",        "pnpm",   "yarn",   "cargo",  "twine",
                                             "gem",        "docker", "dotnet", "uv",     "poetry",
                                             "flit",       "hatch",  "helm",   "vsce",   "ovsx",
                                             "goreleaser", "nuget",  "python", "python3"};
    for (size_t i = 0; step->lexed && i < step->lexed->n_commands; i++) {
        const wpa_shell_command *c = &step->lexed->commands[i];
        bool is_it = (wpa_shell_roles(c) & WPA_DOES_PUBLISH) != 0 &&
                     wpa_text_index(c->name, registries, WPA_COUNT(registries)) >= 0 &&
                     !wpa_shell_word_find(c, "--dry-run");
        if (is_it) {
            return c;
        }
    }
    return NULL;
}

static bool find_publishing_step(const wpa_outline_job *job, publication *p)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        const wpa_shell_command *c = publishing_command(step);
        if (c || publishes(step)) {
            *p = (publication){step->uses.node, step->node->span, "push", "a step publishes"};
            p->span = c ? wpa_outline_script_span(step, c->span) : step->uses.span;
            return true;
        }
    }
    return false;
}

/* ---- what is restored --------------------------------------------------------------------------
 */

/* What an expression is told of the run that publishes. */
static bool tell(const char *path, void *context, wpa_expr_value *value)
{
    const publication *p = context;
    const char *text = wpa_text_is(path, "github.event_name") ? p->event
                       : wpa_text_is(path, "github.ref_type") ? "tag"
                       : wpa_text_is(path, "github.ref")      ? "refs/tags/*" /* whichever it is */
                                                              : NULL;
    if (text) {
        *value = wpa_expr_string(text);
    }
    return text != NULL;
}

/* The text of an input in the run that a tag or a release starts; NULL if it cannot be told. */
static const char *told(wpa_rule_run *run, const wpa_outline_step *step, const char *name,
                        const publication *p)
{
    const wpa_yaml_node *input = name ? wpa_outline_with(step, name) : NULL;
    const char *text = wpa_yaml_text(input);
    if (!text || !wpa_outline_has_expression(text)) {
        return text;
    }
    const wpa_expression *e = wpa_expressions_in(run->source->expressions, input);
    bool is_tag = p->node && (wpa_text_is(p->event, "release") || strstr(p->what, "tag"));
    if (!is_tag || !e || !e->is_whole || !e->place->parsed.root) {
        return NULL;
    }
    publication copy = *p;
    wpa_expr_value value = wpa_expr_fold(e->place->parsed.root, tell, &copy, run->arena);
    return wpa_expr_value_text(&value, run->arena);
}

/* Is the cache that hangs on package.json on, as far as that file tells? */
static wpa_cache_state by_package_file(const wpa_rule_run *run, wpa_cache_state state)
{
    size_t size_bytes;
    const char *text = wpa_surroundings_read(run->source->around, "package.json",
                                             WPA_YAML_MAX_BYTES, run->arena, &size_bytes);
    return !text                                ? state
           : strstr(text, "\"packageManager\"") ? WPA_CACHE_STATE_ON
                                                : WPA_CACHE_STATE_OFF;
}

/*
 * Where the checkout stands behind it, and nothing that brings the tree before, setup-go finds no
 * go.sum: it warns, and has no cache.
 */
static bool lacks_tree(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    const wpa_outline_job *job = step->job;
    bool is_go = wpa_text_is(cache->action, "actions/setup-go");
    if (!is_go || !wpa_work_is_hosted(job)) {
        return false;
    }
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_uses *uses = &job->steps[i].uses;
        if (uses->kind != WPA_OUTLINE_REPOSITORY ||
            !wpa_text_find_ci(uses->slug.at, uses->slug.length, "actions/setup-")) {
            return false;
        }
    }
    bool is_behind = false;
    for (size_t i = step->index + 1; i < job->n_steps && !is_behind; i++) {
        is_behind = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
    }
    return is_behind;
}

/* p: the run in which it is asked, or NULL for any. */
static const wpa_fact_cache *restored_by(wpa_rule_run *run, const wpa_outline_step *step,
                                         const publication *p, wpa_cache_state *state)
{
    size_t at = 0;
    const wpa_fact_cache *unsure = NULL;
    for (const wpa_fact_cache *c = wpa_caches_next(step, &at); c; c = wpa_caches_next(step, &at)) {
        bool is_given = c->input && wpa_outline_with(step, c->input);
        if (lacks_tree(step, c)) {
            continue;
        }
        *state = wpa_caches_state(step, c);
        const char *value = *state == WPA_CACHE_STATE_UNKNOWN && is_given && p
                                ? told(run, step, c->input, p)
                                : NULL;
        *state = value ? wpa_caches_state_told(step, c, value) : *state;
        if (*state == WPA_CACHE_STATE_UNKNOWN && c->by_default == WPA_CACHE_PACKAGE_MANAGER &&
            !is_given) {
            *state = by_package_file(run, *state);
        }
        if (*state == WPA_CACHE_STATE_ON || *state == WPA_CACHE_STATE_READS) {
            return c;
        }
        unsure = *state == WPA_CACHE_STATE_UNKNOWN ? c : unsure;
    }
    *state = unsure ? WPA_CACHE_STATE_UNKNOWN : WPA_CACHE_STATE_OFF;
    return unsure;
}

/* Layers that are read from the forge's cache, though none are written back. */
static const wpa_fact_cache *layers_of(wpa_rule_run *run, const wpa_outline_step *step,
                                       const publication *p, wpa_cache_state *state)
{
    static const wpa_fact_cache layers = {.action = "docker/build-push-action",
                                          .input = "cache-from"};
    const char *from = wpa_outline_step_uses(step, layers.action) && publishes(step)
                           ? wpa_outline_with_text(step, layers.input)
                           : NULL;
    const char *value = from ? told(run, step, layers.input, p) : NULL;
    from = value ? value : from;
    *state = from && strstr(from, "type=gha") ? WPA_CACHE_STATE_READS : WPA_CACHE_STATE_OFF;
    return *state == WPA_CACHE_STATE_READS ? &layers : NULL;
}

/* Steps that put nothing in site: they save, only ask whether there is something, or leave it. */
static bool restores_nothing(wpa_rule_run *run, const wpa_outline_step *step, const publication *p)
{
    return wpa_outline_step_uses(step, "actions/cache/save") ||
           wpa_text_is(told(run, step, "lookup-only", p), "true") ||
           (wpa_outline_step_uses(step, "docker/build-push-action") &&
            wpa_text_is(told(run, step, "no-cache", p), "true"));
}

static bool find_outlet(const wpa_rule_run *run, const wpa_outline_job *job)
{
    publication p;
    const wpa_yaml_node *scopes = wpa_yaml_get(job->node, "permissions");
    static const char *const powers[] = {"contents", "packages", "id-token", "attestations",
                                         "pages"};
    bool has_power = wpa_text_is(wpa_yaml_text(scopes), "write-all");
    for (size_t i = 0; i < WPA_COUNT(powers); i++) {
        has_power =
            has_power || wpa_text_is(wpa_yaml_text(wpa_yaml_get(scopes, powers[i])), "write");
    }
    return has_power || wpa_yaml_find(job->node, "environment") ||
           wpa_work_is_named_shipping(job) || find_publishing_step(job, &p) ||
           (wpa_work_ships(run) && wpa_outline_names_secret(job->node));
}

/* Does the job itself give something out, or hold what is needed for that? */
static bool gives_out(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_new;
    bool *does = wpa_site_keep(run, 'G', job, NULL, sizeof *does, &is_new);
    if (is_new) {
        *does = find_outlet(run, job);
    }
    return *does;
}

static bool has_upload(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_outline_step_uses(&job->steps[i], "actions/upload-artifact")) {
            return true;
        }
    }
    return false;
}

/* Is it started by releases alone (or by hand), not by every change as well? */
static bool is_for_releases(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        bool is_tag =
            wpa_text_is(t->name, "push") && is_of_tags(t) && !wpa_yaml_find(t->config, "branches");
        bool is_one =
            is_tag || wpa_text_is(t->name, "release") || wpa_text_is(t->name, "workflow_dispatch");
        if (!is_one) {
            return false;
        }
    }
    return true;
}

/*
 * Is what is published made of what this job makes? A test beside a release is not, nor is a CI
 * that a tag starts too and that keeps only reports. Where releases alone start it and nothing is
 * seen to publish, any job may be what does.
 */
static bool delivers(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline *o = run->source->outline;
    bool has_outlet = false;
    if (gives_out(run, job)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs && !has_outlet; i++) {
        has_outlet = gives_out(run, &o->jobs[i]);
    }
    return has_outlet ? has_upload(job) : is_for_releases(o);
}

/* ---- the same cache in other definitions -------------------------------------------------------
 */

#define OTHERS_SHOWN 4

static const wpa_store_cache *record_of(const wpa_graph_file *file, const wpa_outline *o,
                                        const wpa_outline_step *step)
{
    for (size_t i = 0; i < file->stores.n_caches; i++) {
        const wpa_store_cache *cache = &file->stores.caches[i];
        if (&o->jobs[cache->job] == step->job && cache->step == step->index) {
            return cache;
        }
    }
    return NULL;
}

/* Does a run that strangers start write it where every branch reads it? */
static bool is_written_by_strangers(const wpa_store_cache *cache)
{
    const wpa_fact_event *event =
        cache->opened_by ? wpa_facts_event_find(wpa_slice_of(cache->opened_by)) : NULL;
    return cache->saves && event && event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
}

static const wpa_graph *graph_of(const wpa_rule_run *run)
{
    return run->source->around ? run->source->around->graph : NULL;
}

/* Show where the cache is written by strangers' runs, or where it is restored; how many there are.
 */
static size_t relate_others(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_step *step,
                            bool are_writers)
{
    const wpa_graph *graph = graph_of(run);
    const wpa_graph_file *own = graph ? wpa_graph_own(graph, run->source, run->arena) : NULL;
    const wpa_store_cache *cache = own ? record_of(own, run->source->outline, step) : NULL;
    size_t n = 0;
    for (size_t i = 0; cache && i < wpa_graph_count(graph) && n < OTHERS_SHOWN; i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; k < file->stores.n_caches && n < OTHERS_SHOWN; k++) {
            const wpa_store_cache *other = &file->stores.caches[k];
            bool is_other = !wpa_text_is(file->path, own->path) || other->job != cache->job;
            bool is_it = are_writers
                             ? is_written_by_strangers(other) && wpa_stores_may_hit(other, cache)
                             : wpa_stores_may_hit(cache, other);
            const wpa_source *source =
                is_other && is_it ? wpa_rule_source_at(run, file->path) : NULL;
            if (source) {
                n++;
                wpa_rule_relate_in(run, finding, source, other->span, "%s",
                                   are_writers ? "written here by runs that strangers start"
                                               : "restored here");
            }
        }
    }
    return n;
}

static bool is_sure_of(wpa_rule_run *run, const wpa_outline_job *job, wpa_cache_state state)
{
    return state != WPA_CACHE_STATE_UNKNOWN && delivers(run, job);
}

/* Would anybody see it? What other definitions write makes more of it. */
static bool may_be_seen(wpa_rule_run *run, const wpa_outline_job *job, wpa_cache_state state)
{
    return graph_of(run) || wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC) ||
           is_sure_of(run, job, state);
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, const wpa_fact_cache *cache,
                   const publication *p, wpa_cache_state state)
{
    const wpa_yaml_node *input = cache->input ? wpa_outline_with(step, cache->input) : NULL;
    bool is_sure = is_sure_of(run, step->job, state);
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, cache};
    wpa_finding *finding = wpa_rule_report(
        run, input ? input->span : step->uses.span, "C1", s,
        "%s %s a cache where %s: whoever can write that cache writes into what is published",
        wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length),
        state == WPA_CACHE_STATE_UNKNOWN ? "may restore" : "restores", p->what);
    if (state == WPA_CACHE_STATE_UNKNOWN) {
        finding->check = "C4";
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    } else if (!is_sure) {
        finding->severity = WPA_SEVERITY_MEDIUM; /* tests that run beside a release */
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
    wpa_rule_relate(run, finding, step->node->pairs[0].key->span, "this step");
    if (input) {
        wpa_rule_relate(run, finding, step->uses.span, "restores it");
    }
    wpa_rule_relate(run, finding, p->span, "%s", p->what);
    if (relate_others(run, finding, step, true)) {
        finding->severity = WPA_SEVERITY_HIGH;
        finding->confidence = WPA_CONFIDENCE_HIGH;
        finding->persona = WPA_PERSONA_DEFAULT;
    }
}

static bool is_off_for_job(const wpa_outline_job *job)
{
    return wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "cache-mode")), "none");
}

/* Is what publishes never the reason why this job or step runs? */
static bool is_left_out(const wpa_source *source, const wpa_yaml_node *condition,
                        const publication *p)
{
    bool is_tag = p->node && wpa_text_is(p->event, "push") && strstr(p->what, "tag");
    return wpa_trust_is_for_other_event(source, condition, p->event) ||
           (is_tag && wpa_trust_leaves_tags_out(source, condition));
}

/* What a pull request publishes is the preview of its own code: nobody takes it for a release. */
static bool is_of_pull_requests(const wpa_outline *o)
{
    return o->n_triggers == 1 && wpa_text_is(o->triggers[0].name, "pull_request");
}

/* C1, C4 */
static void check_restores(wpa_rule_run *run, const wpa_outline_job *job)
{
    publication p;
    bool is_publishing =
        !is_of_pull_requests(run->source->outline) &&
        (find_release_trigger(run->source->outline, &p) || find_publishing_step(job, &p));
    bool is_reached = is_publishing, is_known = false; /* once there is a cache */
    for (size_t i = 0; is_reached && i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_left = restores_nothing(run, step, &p);
        wpa_cache_state state;
        const wpa_fact_cache *cache = step->uses.kind == WPA_OUTLINE_REPOSITORY && !is_left
                                          ? restored_by(run, step, &p, &state)
                                          : NULL;
        cache = cache || is_left ? cache : layers_of(run, step, &p, &state);
        if (!cache || state == WPA_CACHE_STATE_OFF || !may_be_seen(run, job, state)) {
            continue;
        }
        is_reached = is_known || !is_left_out(run->source, job->condition, &p);
        is_known = true;
        if (is_reached && !is_left_out(run->source, step->condition, &p)) {
            report(run, step, cache, &p, state);
        }
    }
}

/* C2: a job that strangers start may write caches, by its own word. */
static void check_mode(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *mode = wpa_yaml_get(site->job->node, "cache-mode");
    const char *text = wpa_yaml_text(mode);
    bool writes = wpa_text_is(text, "write") || wpa_text_is(text, "write-only");
    if (!writes || wpa_trust_of(run, site).trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
        return;
    }
    wpa_rule_report(run, mode->span, "C2", NULL,
                    "strangers start this job, and its caches are those of the default branch: "
                    "what they make it save is restored everywhere");
}

/* C3: saved behind code of strangers. */
static void check_saves(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline_step *step = site->step;
    wpa_cache_state state;
    const wpa_fact_cache *cache =
        step->uses.kind == WPA_OUTLINE_REPOSITORY ? restored_by(run, step, NULL, &state) : NULL;
    if (!cache || state != WPA_CACHE_STATE_ON) {
        return;
    }
    wpa_site end = *site;
    wpa_outline_step behind = {.job = site->job, .index = site->job->n_steps};
    end.step = &behind;
    wpa_intake intake;
    if (wpa_intake_before(run, &end, &intake) && intake.kind == WPA_INTAKE_CHECKOUT &&
        !intake.is_refused) {
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){step, cache};
        wpa_finding *finding =
            wpa_rule_report(run, step->uses.span, "C3", s,
                            "the cache of %s is saved behind code that strangers chose, in the "
                            "scope of the default "
                            "branch",
                            wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length));
        wpa_rule_relate(run, finding, intake.span, "brings in their code");
        (void)relate_others(run, finding, step, false);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        if (is_off_for_job(site.job)) {
            continue;
        }
        check_restores(run, site.job);
        check_mode(run, &site);
        bool is_in = wpa_intake_is_in_job(run, &site);
        for (size_t k = 0; is_in && k < site.job->n_steps; k++) {
            site.step = &site.job->steps[k];
            check_saves(run, &site);
        }
    }
    return true;
}

/* With its cache setup-ruby leaves out the installation as well, which others count on. */
static void install_bundle(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step)
{
    const wpa_yaml_doc *doc = step->node->doc;
    const char *folder = wpa_outline_with_text(step, "working-directory");
    size_t end = wpa_yaml_entry_span(step->node).end;
    bool has_blank = end < doc->size_bytes && strchr("\r\n", doc->source[end]);
    (void)wpa_rule_insert_behind(run, fix, step->node, "%s- run: bundle install\n%s%s%s%s",
                                 has_blank ? "\n" : "", folder ? "  working-directory: " : "",
                                 folder ? folder : "", folder ? "\n" : "",
                                 run->source->kind == WPA_INPUT_ACTION ? "  shell: bash\n" : "");
}

/* The one input that switches it off. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return;
    }
    bool is_default =
        s->cache->default_input && !(s->cache->input && wpa_outline_with(s->step, s->cache->input));
    const char *input = is_default ? s->cache->default_input : s->cache->input;
    const char *off = is_default ? "false" : wpa_caches_off_word(s->cache, run->arena);
    const wpa_yaml_node *given = input ? wpa_outline_with(s->step, input) : NULL;
    if (!input || !off) {
        return;
    }
    bool is_ruby = wpa_outline_step_uses(s->step, "ruby/setup-ruby");
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "set %s: %s%s", input, off,
                                is_ruby ? ", and install in a step of its own" : "");
    if (is_ruby) {
        install_bundle(run, fix, s->step);
    }
    if (given) {
        wpa_rule_edit(run, fix, given->span, "%s", off);
    } else {
        (void)wpa_rule_add_in(run, fix, s->step->node, "with", "uses", input, off);
    }
}

static const char *const checks[] = {"C1", "C2", "C3", "C4", NULL};

const wpa_rule wpa_rule_cache_poisoning = {
    .code = "SEC-009",
    .id = "cache-poisoning",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary =
        "A cache that others can write is restored where something is published, or strangers "
        "can write one",
    .why = "Whoever gets code into one run of the default branch puts files into the cache; a "
           "release that restores it is built from them.",
    .fix = "Build what is published without caches.",
    .checks = checks,
    .elsewhere = (const char *const[]){"zizmor/cache-poisoning", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED | 1U << WPA_FACTS_CACHES,
    .declares = WPA_DECLARES_CACHE,
    .check = check,
    .repair = repair,
};
