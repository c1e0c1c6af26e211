#include "rules/stores.h"

#include <string.h>

#include "rules/trust.h"

/* ---- by whom ---- */

static bool is_kept_out(const wpa_source *source, const wpa_yaml_node *condition, const char *event)
{
    return condition && wpa_trust_condition(source, condition, event, false) != WPA_GUARD_NONE;
}

const char *wpa_stores_opener(const wpa_source *source, const wpa_outline_job *job,
                              const wpa_outline_step *step)
{
    const wpa_outline *outline = source->outline;
    for (size_t i = 0; i < outline->n_triggers; i++) {
        const wpa_outline_trigger *trigger = &outline->triggers[i];
        bool is_open = trigger->event && (trigger->event->trust == WPA_TRUST_OUTSIDER ||
                                          trigger->event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED);
        if (is_open && !is_kept_out(source, job->condition, trigger->name) &&
            !(step && is_kept_out(source, step->condition, trigger->name))) {
            return trigger->event->name;
        }
    }
    return NULL;
}

/* ---- artifacts ---- */

typedef struct reader {
    const wpa_source *source;
    const wpa_outline *outline;
    wpa_arena *arena;
    wpa_store_artifact *artifacts;
    wpa_store_cache *caches;
    wpa_store_environment *environments;
    size_t artifacts_capacity, caches_capacity, environments_capacity;
    wpa_stores out;
} reader;

static const char *copy(const reader *r, const char *text)
{
    return wpa_arena_text(r->arena, text);
}

static bool gives(const wpa_outline_step *step, const char *input)
{
    return wpa_outline_with(step, input) != NULL;
}

static void add_artifact(reader *r, const wpa_outline_step *step, wpa_store_artifact item)
{
    item.job = (size_t)(step->job - r->outline->jobs);
    item.step = step->index;
    item.name = copy(r, item.name);
    item.pattern = copy(r, item.pattern);
    item.path = copy(r, item.path);
    item.workflow = copy(r, item.workflow);
    item.opened_by = item.is_upload ? wpa_stores_opener(r->source, step->job, step) : NULL;
    r->artifacts = wpa_arena_grow(r->arena, r->artifacts, r->out.n_artifacts,
                                  &r->artifacts_capacity, sizeof *r->artifacts);
    r->artifacts[r->out.n_artifacts++] = item;
}

static wpa_store_artifact by_action(const wpa_outline_step *step)
{
    const wpa_yaml_node *name = wpa_outline_with(step, "name");
    return (wpa_store_artifact){
        .name = wpa_yaml_text(name),
        .path = wpa_outline_with_text(step, "path"),
        .span = name ? name->span : step->uses.span,
        .major = wpa_outline_major(&step->uses),
    };
}

static void read_upload(reader *r, const wpa_outline_step *step)
{
    wpa_store_artifact item = by_action(step);
    item.is_upload = true;
    item.name = gives(step, "name") ? item.name : "artifact";
    add_artifact(r, step, item);
}

static void read_download(reader *r, const wpa_outline_step *step)
{
    wpa_store_artifact item = by_action(step);
    item.pattern = wpa_outline_with_text(step, "pattern");
    item.is_of_other_run =
        gives(step, "run-id") || gives(step, "repository") || gives(step, "artifact-ids");
    add_artifact(r, step, item);
}

/* Actions of others: of the run that is named, or of the last one of a workflow. */
static void read_foreign_download(reader *r, const wpa_outline_step *step)
{
    static const char *const choices[] = {"run_id", "run-id", "commit",    "branch",
                                          "event",  "pr",     "run_number"};
    wpa_store_artifact item = by_action(step);
    const char *regexp = wpa_outline_with_text(step, "name_is_regexp");
    item.name = wpa_text_is_ci(regexp, "true") ? NULL : item.name;
    item.major = -1;
    item.is_of_other_run = item.is_of_any_run = true;
    item.workflow = wpa_outline_with_text(step, "workflow");
    for (size_t i = 0; i < WPA_COUNT(choices); i++) {
        item.is_of_any_run = item.is_of_any_run && !gives(step, choices[i]);
    }
    add_artifact(r, step, item);
}

static const char *option_of(const wpa_shell_command *c, const char *brief, const char *name)
{
    for (size_t i = c->first + 1; i + 1 < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, brief) || wpa_text_is(c->words[i].text, name)) {
            const wpa_shell_word *value = &c->words[i + 1];
            return value->is_literal ? value->text : NULL;
        }
    }
    return NULL;
}

static void read_commands(reader *r, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (wpa_shell_is(c, "gh", "run") && wpa_shell_word_find(c, "download")) {
            const char *name = option_of(c, "-n", "--name");
            add_artifact(r, step,
                         (wpa_store_artifact){.name = name,
                                              .pattern = option_of(c, "-p", "--pattern"),
                                              .path = option_of(c, "-D", "--dir"),
                                              .span = wpa_outline_script_span(step, c->span),
                                              .major = -1,
                                              .is_of_other_run = true});
        }
    }
    r->out.may_download = r->out.may_download ||
                          (step->run && strstr(step->run->text, "/artifacts")) ||
                          (step->run && !script && strstr(step->run->text, "run download"));
}

/* Steps that nothing is known of may do anything. */
static void read_other(reader *r, const wpa_outline_step *step)
{
    const wpa_outline_uses *uses = &step->uses;
    const char *script = wpa_outline_with_text(step, "script");
    bool is_foreign = uses->kind == WPA_OUTLINE_REPOSITORY;
    bool names_it = is_foreign && wpa_text_find(uses->slug.at, uses->slug.length, "artifact");
    bool is_unknown = uses->kind != WPA_OUTLINE_NONE && uses->kind != WPA_OUTLINE_LOCAL &&
                      (!is_foreign || !uses->fact || !uses->fact->action);
    r->out.may_upload = r->out.may_upload || names_it || is_unknown;
    r->out.may_download =
        r->out.may_download || names_it || is_unknown || (script && strcasestr(script, "artifact"));
}

/* ---- caches ---- */

static const char *const *lines_of(const reader *r, const char *text)
{
    size_t n = 0, n_max = 1;
    for (const char *at = text; at && *at; at++) {
        n_max += *at == '\n';
    }
    const char **lines = wpa_arena_array(r->arena, n_max + 1, sizeof *lines);
    while (text && *text) {
        text += strspn(text, " \t\r\n");
        size_t length = strcspn(text, "\r\n");
        if (length && n < n_max) {
            lines[n++] = wpa_arena_slice(r->arena, text, length);
        }
        text += length;
    }
    return lines;
}

static void read_cache(reader *r, const wpa_outline_step *step, bool saves, bool restores)
{
    const wpa_yaml_node *key = wpa_outline_with(step, "key");
    if (!wpa_yaml_text(key)) {
        return;
    }
    r->caches = wpa_arena_grow(r->arena, r->caches, r->out.n_caches, &r->caches_capacity,
                               sizeof *r->caches);
    r->caches[r->out.n_caches++] = (wpa_store_cache){
        .key = copy(r, wpa_yaml_text(key)),
        .prefixes = lines_of(r, restores ? wpa_outline_with_text(step, "restore-keys") : NULL),
        .paths = copy(r, wpa_outline_with_text(step, "path")),
        .job = (size_t)(step->job - r->outline->jobs),
        .step = step->index,
        .span = key->span,
        .saves = saves,
        .restores = restores && !wpa_text_is_ci(wpa_outline_with_text(step, "lookup-only"), "true"),
        .opened_by = saves ? wpa_stores_opener(r->source, step->job, step) : NULL,
    };
}

/* ---- the file ---- */

static void read_step(reader *r, const wpa_outline_step *step)
{
    if (step->run) {
        read_commands(r, step);
    } else if (wpa_outline_step_uses(step, "actions/upload-artifact")) {
        read_upload(r, step);
    } else if (wpa_outline_step_uses(step, "actions/download-artifact")) {
        read_download(r, step);
    } else if (wpa_outline_step_uses(step, "actions/cache")) {
        read_cache(r, step, true, true);
    } else if (wpa_outline_step_uses(step, "actions/cache/save")) {
        read_cache(r, step, true, false);
    } else if (wpa_outline_step_uses(step, "actions/cache/restore")) {
        read_cache(r, step, false, true);
    } else if (wpa_outline_uses_trait(step, WPA_TRAIT_ARTIFACT_DOWNLOAD)) {
        read_foreign_download(r, step);
    } else {
        read_other(r, step);
    }
}

static void read_environment(reader *r, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "environment");
    const wpa_yaml_node *name =
        wpa_yaml_is(value, WPA_YAML_MAPPING) ? wpa_yaml_get(value, "name") : value;
    if (wpa_yaml_text(name)) {
        r->environments = wpa_arena_grow(r->arena, r->environments, r->out.n_environments,
                                         &r->environments_capacity, sizeof *r->environments);
        r->environments[r->out.n_environments++] = (wpa_store_environment){
            .name = copy(r, wpa_yaml_text(name)),
            .job = (size_t)(job - r->outline->jobs),
            .span = name->span,
        };
    }
}

wpa_stores wpa_stores_read(const wpa_source *source, wpa_arena *arena)
{
    const wpa_outline *outline = source->outline;
    reader r = {.source = source, .outline = outline, .arena = arena};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        bool is_opaque = job->is_call && job->uses.kind != WPA_OUTLINE_LOCAL;
        r.out.may_upload = r.out.may_upload || is_opaque;
        r.out.may_download = r.out.may_download || is_opaque;
        read_environment(&r, job);
        for (size_t k = 0; k < job->n_steps; k++) {
            read_step(&r, &job->steps[k]);
        }
    }
    r.out.artifacts = r.artifacts;
    r.out.caches = r.caches;
    r.out.environments = r.environments;
    return r.out;
}

/* ---- comparing ---- */

/* How much of the text is sure before the first thing that may be anything. */
static size_t sure_head(const char *text)
{
    const char *fence = strstr(text, "${{");
    size_t star = strcspn(text, "*$`");
    return fence && (size_t)(fence - text) < star ? (size_t)(fence - text) : star;
}

static size_t sure_tail(const char *text)
{
    size_t length = strlen(text), n = 0;
    while (n < length && !strchr("*$}`", text[length - 1 - n])) {
        n++;
    }
    return n;
}

bool wpa_stores_may_be(const char *a, const char *b)
{
    if (!a || !b) {
        return true;
    }
    size_t head_a = sure_head(a), head_b = sure_head(b);
    bool is_sure_a = !a[head_a], is_sure_b = !b[head_b];
    if (is_sure_a && is_sure_b) {
        return strcmp(a, b) == 0;
    }
    size_t head = head_a < head_b ? head_a : head_b;
    size_t tail_a = is_sure_a ? strlen(a) : sure_tail(a),
           tail_b = is_sure_b ? strlen(b) : sure_tail(b);
    size_t tail = tail_a < tail_b ? tail_a : tail_b;
    /* What is sure of one must be as long as the sure ends of the other. */
    bool has_room = (!is_sure_a || strlen(a) >= head_b + sure_tail(b)) &&
                    (!is_sure_b || strlen(b) >= head_a + sure_tail(a));
    return has_room && strncmp(a, b, head) == 0 &&
           strcmp(a + strlen(a) - tail, b + strlen(b) - tail) == 0;
}

bool wpa_stores_may_fit(const wpa_store_artifact *upload, const wpa_store_artifact *download)
{
    return wpa_stores_may_be(upload->name, download->name ? download->name : download->pattern);
}

bool wpa_stores_may_hit(const wpa_store_cache *saved, const wpa_store_cache *restored)
{
    if (!saved->saves || !restored->restores) {
        return false;
    }
    if (wpa_text_is(saved->key, restored->key)) {
        return true;
    }
    for (size_t i = 0; restored->prefixes[i]; i++) {
        /* A key begins with the prefix: as texts, so that two different expressions are two. */
        if (wpa_text_starts(saved->key, restored->prefixes[i])) {
            return true;
        }
    }
    return false;
}
