#include "rules/work.h"

#include <string.h>
#include <strings.h>

#include "rules/caches.h"
#include "rules/graph.h"
#include "rules/own.h"
#include "rules/shell_roles.h"
#include "rules/similarity.h"
#include "rules/site.h"

/* ---- text ---- */

wpa_slice wpa_work_text(const wpa_yaml_node *node)
{
    return node ? (wpa_slice){node->doc->source + node->span.start, wpa_span_length(node->span)}
                : (wpa_slice){"", 0};
}

bool wpa_work_mentions(const wpa_yaml_node *node, const char *text)
{
    wpa_slice in = wpa_work_text(node);
    return *text && node && wpa_yaml_may_hold(node->doc, text) &&
           wpa_text_find_ci(in.at, in.length, text);
}

bool wpa_work_mentions_any(const wpa_yaml_node *node, const char *const texts[])
{
    for (size_t i = 0; texts[i]; i++) {
        if (wpa_work_mentions(node, texts[i])) {
            return true;
        }
    }
    return false;
}

static bool is_alphanumeric(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
}

bool wpa_work_has_word(const char *text, const char *const words[])
{
    bool is_start = true;
    for (size_t i = 0; text && text[i]; i++) {
        for (size_t k = 0; is_start && words[k]; k++) {
            bool may_be = !((text[i] ^ *words[k]) & ~0x20); /* few begin alike */
            if (may_be && strncasecmp(text + i, words[k], strlen(words[k])) == 0) {
                return true;
            }
        }
        is_start = !is_alphanumeric(text[i]);
    }
    return false;
}

/* ---- steps ---- */

unsigned wpa_work_step_roles(const wpa_outline_step *step)
{
    if (step->uses.kind != WPA_OUTLINE_REPOSITORY) {
        return wpa_step_roles(step);
    }
    const wpa_fact_action_role *row = step->uses.fact->role;
    return row ? row->roles : 0;
}

unsigned wpa_work_job_roles(const wpa_outline_job *job)
{
    unsigned roles = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        roles |= wpa_work_step_roles(&job->steps[i]);
    }
    return roles;
}

bool wpa_work_is_setup(const wpa_outline_step *step)
{
    if (step->uses.kind != WPA_OUTLINE_REPOSITORY) {
        return false;
    }
    const wpa_fact_action_role *row = step->uses.fact->role;
    if (row && row->is_setup) {
        return true;
    }
    size_t at = 0;
    wpa_slice repo = step->uses.repo;
    const char *slash = memchr(repo.at, '/', repo.length);
    const char *name = slash ? slash + 1 : repo.at;
    size_t length = repo.length - (size_t)(name - repo.at);
    bool says_setup = length >= 6 && (wpa_bytes_are_ci(name, "setup-", 6) ||
                                      wpa_bytes_are_ci(name + length - 6, "-setup", 6));
    return says_setup || (!(row && row->roles) && wpa_caches_next(step, &at) != NULL);
}

static bool is_quick_program(const char *name)
{
    static const char *const quick[] = {
        "echo",        "printf",       "exit",        "[",       "[[",    "test", "true",
        "jq",          "gh",           "cat",         "export",  "set",   ":",    "rem",
        "write-host",  "write-output", "type",        "if",      "throw", "else", "elseif",
        "get-content", "add-content",  "set-content", "out-file"};
    for (size_t i = 0; i < WPA_COUNT(quick); i++) {
        bool may_be = !((*name ^ *quick[i]) & ~0x20); /* few begin alike */
        if (may_be && wpa_text_is_ci(name, quick[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_work_is_quick(const wpa_outline_step *step)
{
    if (!step->run) { /* the one asks the forge what it knows of the two commits */
        return wpa_outline_step_uses(step, "actions/dependency-review-action") ||
               wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY);
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const char *name = script->commands[i].name;
        if (*name && !is_quick_program(name)) {
            return false;
        }
    }
    return script != NULL;
}

bool wpa_work_has_unknown(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (!wpa_work_is_setup(step) && !wpa_work_step_roles(step) && !wpa_work_is_quick(step)) {
            return true;
        }
    }
    return job->is_call;
}

bool wpa_work_is_before_checkout(const wpa_outline_step *step)
{
    const wpa_outline_job *job = step->job;
    for (size_t i = 0; i < job->n_steps; i++) {
        bool is_checkout = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
        if (is_checkout || (i < step->index && !wpa_work_is_setup(&job->steps[i]))) {
            return step->index < i;
        }
    }
    return false;
}

bool wpa_work_is_real(const wpa_outline_job *job)
{
    bool has_checkout = false;
    size_t n_real = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        bool is_checkout = wpa_outline_step_uses(&job->steps[i], "actions/checkout");
        has_checkout = has_checkout || is_checkout;
        n_real += !is_checkout && !wpa_work_is_quick(&job->steps[i]);
    }
    return job->is_call || (has_checkout && n_real > 0);
}

/* ---- what it is for ---- */

static const char *const shipping[] = {"deploy", "release",    "publish", "promote",   "rollback",
                                       "ship",   "production", "cd",      "terraform", NULL};

bool wpa_work_is_named_shipping(const wpa_outline_job *job)
{
    return wpa_work_has_word(job->id, shipping) ||
           wpa_work_has_word(wpa_yaml_text(wpa_yaml_get(job->node, "name")), shipping);
}

bool wpa_work_job_ships(const wpa_outline_job *job)
{
    return wpa_yaml_find(job->node, "environment") ||
           (wpa_work_job_roles(job) & WPA_DOES_PUBLISH) != 0 || wpa_work_is_named_shipping(job);
}

bool wpa_work_ships(const wpa_rule_run *run)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(run->source->outline->root, "name"));
    const char *slash = strrchr(run->source->path, '/');
    return wpa_work_has_word(slash ? slash + 1 : run->source->path, shipping) ||
           wpa_work_has_word(name, shipping);
}

bool wpa_work_takes_commits(const wpa_yaml_node *config)
{
    const wpa_yaml_node *types = wpa_yaml_get(config, "types");
    return !types || wpa_work_mentions(types, "synchronize");
}

const wpa_outline_trigger *wpa_work_pr_trigger(const wpa_outline *outline)
{
    const wpa_outline_trigger *t = wpa_outline_trigger_find(outline, "pull_request");
    return t ? t : wpa_outline_trigger_find(outline, "pull_request_target");
}

size_t wpa_work_needs(const wpa_outline *outline, const wpa_outline_job *job, wpa_work_need needs[],
                      size_t max)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "needs");
    bool is_list = wpa_yaml_is(value, WPA_YAML_SEQUENCE);
    size_t n_items = is_list ? value->n_items : value ? 1 : 0, n = 0;
    for (size_t i = 0; i < n_items && n < max; i++) {
        const wpa_yaml_node *node = is_list ? value->items[i] : value;
        const char *id = wpa_yaml_text(node);
        if (id) {
            needs[n++] = (wpa_work_need){id, node, wpa_outline_job_find(outline, id)};
        }
    }
    return n;
}

bool wpa_work_runs_anyway(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    return text && (wpa_text_seek_ci(text, "always()") || wpa_text_seek_ci(text, "cancelled()") ||
                    wpa_text_seek_ci(text, "failure()"));
}

#define AWAITED_NEEDS_MAX 16 /* of one job */

size_t wpa_work_awaited(const wpa_outline *outline, const wpa_outline_job *job,
                        const wpa_outline_job *jobs[], size_t max)
{
    size_t n = 0;
    jobs[n++] = job;
    for (size_t i = 0; i < n && n < max; i++) {
        wpa_work_need needs[AWAITED_NEEDS_MAX];
        bool goes_on = wpa_work_runs_anyway(jobs[i]->condition);
        size_t n_needs = goes_on ? 0 : wpa_work_needs(outline, jobs[i], needs, AWAITED_NEEDS_MAX);
        for (size_t k = 0; k < n_needs && n < max; k++) {
            bool is_known = !needs[k].job;
            for (size_t m = 0; m < n && !is_known; m++) {
                is_known = jobs[m] == needs[k].job;
            }
            if (!is_known) {
                jobs[n++] = needs[k].job;
            }
        }
    }
    return n;
}

bool wpa_work_is_hosted(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_labels; i++) {
        if (!job->labels[i].runner) {
            return false;
        }
    }
    return job->n_labels > 0 && !job->is_self_hosted && !job->has_open_labels;
}

unsigned wpa_work_rate(const wpa_rule_run *run, const wpa_outline_job *job)
{
    unsigned rate = 0;
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_fact_runner *runner = job->labels[i].runner;
        unsigned own =
            runner ? runner->usd_per_1000_minutes : wpa_rule_rate_of(run, job->labels[i].text);
        rate = own > rate ? own : rate;
    }
    return rate;
}

wpa_similarity_kin *wpa_work_kin(wpa_rule_run *run, const wpa_similarity_index *index,
                                 const wpa_similarity_job *job, double least)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    if (!graph || index != wpa_graph_similar(graph) || job->index != index) {
        return wpa_similarity_kin_of(index, job, least, run->arena); /* of what will not last */
    }
    char key[WPA_SITE_KEY_SIZE + WPA_SITE_NUMBER_SIZE];
    wpa_site_key(key, 'k', index, job);
    *wpa_site_put(key + strlen(key), (uintptr_t)(least * 1000)) = '\0';
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    wpa_similarity_kin *kin = wpa_map_get(run->memo, key);
    if (!kin) {
        kin = wpa_similarity_kin_of(index, job, least, run->lasting);
        wpa_map_put(run->memo, key, kin);
    }
    return kin;
}

#define JOBS_MAX 300
#define STEPS_MAX 2000

bool wpa_work_is_large(const wpa_outline *outline)
{
    size_t n = 0;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        n += outline->jobs[i].n_steps;
    }
    return outline->n_jobs > JOBS_MAX || n > STEPS_MAX;
}

/* Bytes of a strategy and legs of its matrix up to which they are kept. */
#define KEPT_STRATEGY_BYTES 4096
#define KEPT_LEGS 64

/* At most so many legs as far as its rows tell, and those that are added. */
static bool is_small(const wpa_matrix *matrix)
{
    size_t n = 1;
    for (size_t i = 0; i < matrix->n_rows && n <= KEPT_LEGS; i++) {
        n *= matrix->rows[i].n_values ? matrix->rows[i].n_values : 1;
    }
    return n + matrix->n_includes <= KEPT_LEGS;
}

const wpa_work_matrix *wpa_work_matrix_of(wpa_rule_run *run, const wpa_outline_job *job,
                                          wpa_arena *arena)
{
    static const wpa_work_matrix none;
    const wpa_yaml_node *strategy = wpa_yaml_get(job->node, "strategy");
    if (!strategy) {
        return &none;
    }
    char key[WPA_SITE_KEY_SIZE];
    wpa_site_key(key, 'x', job, NULL);
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    const wpa_work_matrix *known = wpa_map_get(run->memo, key);
    if (known) {
        return known;
    }
    bool may_be_kept = wpa_span_length(strategy->span) <= KEPT_STRATEGY_BYTES;
    wpa_arena *of_rows = may_be_kept ? run->lasting : arena;
    wpa_work_matrix *m = wpa_arena_alloc(of_rows, sizeof *m);
    m->strategy = wpa_strategy_of(job->node, of_rows);
    bool is_kept = may_be_kept && is_small(&m->strategy.matrix);
    m->legs = wpa_matrix_expand(&m->strategy.matrix, is_kept ? run->lasting : arena);
    if (is_kept) {
        wpa_map_put(run->memo, key, m);
    }
    return m;
}

wpa_matrix_legs wpa_work_legs(wpa_rule_run *run, const wpa_outline_job *job, wpa_arena *arena)
{
    return wpa_work_matrix_of(run, job, arena)->legs;
}

static bool leg_has(const wpa_matrix_leg *leg, const wpa_yaml_node *value)
{
    for (size_t i = 0; i < leg->n; i++) {
        const wpa_yaml_node *own = wpa_yaml_resolve(leg->values[i].node);
        if (own && wpa_span_contains(own->span, value->span)) {
            return true;
        }
    }
    return false;
}

bool wpa_work_has_leg(wpa_rule_run *run, const wpa_outline_job *job, const wpa_yaml_node *value)
{
    const wpa_work_matrix *matrix = wpa_work_matrix_of(run, job, run->arena);
    const wpa_yaml_node *node = matrix->strategy.matrix.node;
    const wpa_matrix_legs *legs = &matrix->legs;
    bool is_told = node && wpa_span_contains(node->span, value->span) && !legs->is_open &&
                   !legs->is_truncated && matrix->strategy.matrix.n_excludes > 0;
    bool has_leg = !is_told;
    for (size_t i = 0; !has_leg && i < legs->n; i++) {
        has_leg = leg_has(&legs->legs[i], value);
    }
    return has_leg;
}

/* ---- edits in scripts ---- */

/* Only blanks from here to the line's end, or to its start? */
static bool is_blank_to_end(const wpa_script *s, size_t at)
{
    at += strspn(s->text + at, " \t");
    return s->text[at] == '\n' || s->text[at] == '\0';
}

static size_t line_start(const wpa_script *s, size_t at)
{
    while (at && s->text[at - 1] != '\n') {
        at--;
    }
    return at;
}

bool wpa_work_drop_command(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step,
                           const wpa_shell_command *command)
{
    const wpa_script *s = wpa_step_commands(step);
    size_t start = line_start(s, command->span.start), end = command->span.end;
    bool is_first = strspn(s->text + start, " \t") == command->span.start - start;
    bool is_block = step->run->style == WPA_YAML_LITERAL;
    if (command->is_nested_script || command->n_redirects || command->nested) {
        return false;
    }
    if (is_first && is_blank_to_end(s, end) && is_block && s->n_commands > 1) {
        wpa_span bytes = wpa_outline_script_span(step, command->span);
        const wpa_yaml_doc *doc = run->source->yaml;
        size_t from = bytes.start - wpa_yaml_indent(doc, bytes.start);
        wpa_rule_edit(run, fix, (wpa_span){from, wpa_yaml_line_end(doc, bytes.end)}, "%s", "");
        return true;
    }
    size_t behind = end + strspn(s->text + end, " \t");
    if (strncmp(s->text + behind, "&&", 2) == 0 || s->text[behind] == ';') {
        behind += s->text[behind] == ';' ? 1 : 2;
        behind += strspn(s->text + behind, " \t\n");
        wpa_span bytes = wpa_outline_script_span(step, (wpa_span){command->span.start, behind});
        wpa_rule_edit(run, fix, bytes, "%s", "");
        return s->text[behind] != '\0';
    }
    return false;
}

void wpa_work_drop_word(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_step *step,
                        const wpa_shell_word *word)
{
    size_t start = word->span.start;
    const wpa_script *script = wpa_step_commands(step);
    while (start && strchr(" \t", script->text[start - 1])) {
        start--;
    }
    wpa_rule_edit(run, fix, wpa_outline_script_span(step, (wpa_span){start, word->span.end}), "%s",
                  "");
}

/* ---- surroundings ---- */

const char *wpa_work_reference(wpa_rule_run *run, const char *slug)
{
    const wpa_fact_action *action = wpa_facts_action_find(wpa_slice_of(slug));
    for (size_t i = 0; action && i < wpa_facts_major_count(action); i++) {
        wpa_fact_major major = wpa_facts_major_at(action, i);
        if (major.newest && major.newest_commit) {
            char hex[2 * WPA_COMMIT_BYTES + 1];
            wpa_hex_encode(major.newest_commit, WPA_COMMIT_BYTES, hex);
            return wpa_arena_printf(run->arena, "%s@%s # %s", slug, hex, major.newest);
        }
    }
    return NULL;
}

bool wpa_work_knows_tree(const wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    size_t n = 0;
    bool has_other = false; /* than what describes actions and workflows */
    for (size_t i = 0; around && around->has_paths && !(n >= 3 && has_other); i++) {
        i = wpa_surroundings_skip(around, i, ".github/");
        if (i >= around->n_paths) {
            break;
        }
        const char *path = around->paths[i], *slash = strrchr(path, '/');
        n += !wpa_text_starts(slash ? slash + 1 : path, "action.y");
        has_other = has_other || !(wpa_text_ends(path, ".yml") || wpa_text_ends(path, ".yaml"));
    }
    return n >= 3 && has_other;
}

bool wpa_work_next_line(const char *text, size_t *at, wpa_slice *line)
{
    while (text && text[*at]) {
        const char *start = text + *at + strspn(text + *at, " \t\r\n");
        size_t length = strcspn(start, "\n");
        *at = (size_t)(start - text) + length;
        while (length && strchr(" \t\r", start[length - 1])) {
            length--;
        }
        if (length) {
            *line = (wpa_slice){start, length};
            return true;
        }
    }
    return false;
}
