/* SEC-020: a secret where it can be read: in scripts, command lines, logs, outputs, images. */
#include <ctype.h>
#include <string.h>

#include "rules/flow.h"
#include "rules/pin.h"
#include "rules/printed.h"
#include "rules/references.h"
#include "rules/secret_files.h"
#include "rules/steps.h"

/* "secrets.NAME" inside a fence and nothing else; the name in the arena, or NULL. */
static const char *secret_named(const char *inside, size_t length, wpa_arena *arena)
{
    static const char prefix[] = "secrets.";
    size_t n = sizeof prefix - 1;
    if (length <= n || memcmp(inside, prefix, n) != 0) {
        return NULL;
    }
    for (size_t i = n; i < length; i++) {
        if (!isalnum((unsigned char)inside[i]) && inside[i] != '_' && inside[i] != '-') {
            return NULL;
        }
    }
    return wpa_arena_slice(arena, inside + n, length - n);
}

static bool flow_names_secret(const wpa_flow *flow)
{
    bool does = false;
    for (size_t i = 0; i < flow->n && !does; i++) {
        does = wpa_text_starts(flow->paths[i], "secrets.");
    }
    return does;
}

/* Does an expression in the text read a secret's value? Tests for being there do not. */
static bool holds_secret(const char *text, wpa_arena *arena)
{
    size_t at = 0;
    wpa_span fence, inside;
    if (!text || !strstr(text, "secrets")) {
        return false;
    }
    while (wpa_flow_next_fence(text, strlen(text), &at, &fence, &inside)) {
        wpa_flow flow = wpa_flow_read(text + inside.start, wpa_span_length(inside), arena);
        if (flow_names_secret(&flow)) {
            return true;
        }
    }
    return false;
}

/* The same of a scalar of the file, whose expressions are parsed already. */
static bool value_holds_secret(const wpa_rule_run *run, const wpa_yaml_node *value)
{
    size_t at = 0;
    wpa_span fence, inside;
    value = wpa_yaml_resolve(value);
    const char *text = wpa_yaml_text(value);
    if (!text || !strstr(text, "secrets")) {
        return false;
    }
    while (wpa_flow_next_fence(text, value->length, &at, &fence, &inside)) {
        wpa_flow flow = wpa_flow_at(run->source, value, inside, run->arena);
        if (flow_names_secret(&flow)) {
            return true;
        }
    }
    return false;
}

/* ---- X1: in the text of a script ---------------------------------------------------------------
 */

typedef struct splice {
    const wpa_outline_step *step;
    wpa_span fence; /* bytes of the script */
    const char *name;
} splice;

static void check_splices(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *nodes[] = {step->run, wpa_step_javascript(step)};
    for (size_t i = 0; i < WPA_COUNT(nodes); i++) {
        size_t at = 0;
        wpa_span fence, inside;
        const char *text = wpa_rule_may_hold_secret(run, nodes[i]) ? nodes[i]->text : NULL;
        while (text && wpa_flow_next_fence(text, nodes[i]->length, &at, &fence, &inside)) {
            wpa_flow flow = wpa_flow_at(run->source, nodes[i], inside, run->arena);
            if (!flow_names_secret(&flow)) {
                continue;
            }
            splice *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (splice){step, fence,
                          secret_named(text + inside.start, wpa_span_length(inside), run->arena)};
            wpa_finding *finding = wpa_rule_report(
                run, wpa_step_span(step, nodes[i], fence.start, fence.end), "X1",
                nodes[i] == step->run ? s : NULL, "%s becomes part of the script: %s",
                wpa_rule_quote(run, text + fence.start, wpa_span_length(fence)),
                wpa_text_is_ci(s->name, "GITHUB_TOKEN")
                    ? "the script's file on the runner and what the shell echoes hold it"
                    : "a quote in it breaks the script, and what the shell echoes holds it");
            finding->severity = WPA_SEVERITY_MEDIUM;
        }
    }
}

/* ---- X2, X3: on a command line, in the log -----------------------------------------------------
 */

/* Variables of the step that hold a secret. */
typedef struct secret_names {
    const char *names[32];
    size_t n;
} secret_names;

/* Variables of one level that are looked at, for each step anew. */
#define LEVEL_MAX 500

static void add_names(wpa_rule_run *run, secret_names *set, const wpa_yaml_node *env)
{
    env = wpa_yaml_resolve(env);
    bool may_hold = wpa_yaml_is(env, WPA_YAML_MAPPING) && wpa_rule_may_hold_secret(run, env);
    for (size_t i = 0; may_hold && i < env->n_pairs && i < LEVEL_MAX; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (name && set->n < WPA_COUNT(set->names) &&
            value_holds_secret(run, env->pairs[i].value)) {
            set->names[set->n++] = name;
        }
    }
}

/* Those that all steps of the job have. */
static secret_names names_of_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    secret_names set = {0};
    const wpa_yaml_node *root = run->source->outline->root;
    add_names(run, &set, wpa_yaml_get(job->node, "env"));
    add_names(run, &set, wpa_yaml_is(root, WPA_YAML_MAPPING) ? wpa_yaml_get(root, "env") : NULL);
    return set;
}

/* The step's own before them. */
static secret_names names_of(wpa_rule_run *run, const wpa_outline_step *step,
                             const secret_names *of_job)
{
    secret_names set = {0};
    add_names(run, &set, step->env);
    for (size_t i = 0; i < of_job->n && set.n < WPA_COUNT(set.names); i++) {
        set.names[set.n++] = of_job->names[i];
    }
    return set;
}

/* "$NAME", "${NAME}", "$env:NAME", "%NAME%" in the word; where, or NULL. */
static const char *find_variable(const char *word, const secret_names *set)
{
    for (const char *at = word; (at = strpbrk(at, "$%")); at++) {
        const char *name = at + 1;
        name += *name == '{' ? 1 : 0;
        name += strncmp(name, "env:", 4) == 0 ? 4 : 0;
        size_t length = wpa_text_name_length(name);
        for (size_t i = 0; i < set->n; i++) {
            if (strlen(set->names[i]) == length && memcmp(name, set->names[i], length) == 0 &&
                !(at[1] == '{' && strchr(":#%/+", name[length]) && name[length] != '}' &&
                  name[length])) {
                return at;
            }
        }
    }
    return NULL;
}

/* The word as it stands in the file, expressions too. */
static const char *word_text(wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_shell_word *word)
{
    return word->span.end <= step->run->length
               ? wpa_arena_slice(run->arena, step->run->text + word->span.start,
                                 wpa_span_length(word->span))
               : word->text;
}

/* Most words hold neither a variable nor an expression. */
static bool may_expand(const wpa_outline_step *step, const wpa_shell_word *word)
{
    const char *text = step->run->text + word->span.start;
    size_t length = wpa_span_length(word->span);
    return word->span.end > step->run->length || memchr(text, '$', length) ||
           memchr(text, '%', length);
}

static bool is_password_option(const wpa_shell_command *c, size_t i)
{
    static const char *const options[] = {"--password", "--passphrase", "--pass",       "--api-key",
                                          "--apikey",   "--secret",     "--private-key"};
    const char *word = c->words[i].text;
    size_t length = strcspn(word, "=");
    for (size_t k = 0; k < WPA_COUNT(options); k++) {
        if (strlen(options[k]) == length && memcmp(word, options[k], length) == 0) {
            return true;
        }
    }
    return wpa_text_is(word, "-p") &&
           (wpa_shell_is(c, "docker", "login") || wpa_shell_is(c, "podman", "login"));
}

/* Up to the host's end; of a quote within, only that of a variable is passed: x:"$SECRET"@host. */
static size_t authority_length(const char *text)
{
    size_t n = strcspn(text, "/\n\"' ");
    while (text[n] == '"' && text[n + 1] && strchr("$@:", text[n + 1])) {
        n += 1 + strcspn(text + n + 1, "/\n\"' ");
    }
    return n;
}

/* "https://user:SECRET@host": the secret stands in front of the "@". */
static bool is_in_url(const char *text)
{
    const char *scheme = strstr(text, "://");
    size_t authority = scheme ? authority_length(scheme + 3) : 0;
    /* An expression has slashes of its own only within quotes; none are expected here. */
    const char *at = scheme ? memrchr(scheme + 3, '@', authority) : NULL;
    return at != NULL;
}

/* "$(echo $TOKEN | wc -c)": how long it is, and no more. */
static bool is_counted(const char *text, const char *at)
{
    const char *open = at ? memrchr(text, '(', (size_t)(at - text)) : NULL;
    const char *close = open && open > text && open[-1] == '$' ? strchr(at, ')') : NULL;
    return close && wpa_text_find(at, (size_t)(close - at), "| wc -");
}

static void report_word(wpa_rule_run *run, const wpa_outline_step *step, wpa_span span,
                        const char *check, const char *what)
{
    (void)wpa_rule_report_script(run, step, span, check, NULL, "%s %s", "a secret", what);
}

static void check_words(wpa_rule_run *run, const wpa_outline_step *step, const wpa_shell_command *c,
                        const secret_names *set)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (!may_expand(step, &c->words[i])) {
            continue;
        }
        const char *text = word_text(run, step, &c->words[i]);
        const char *variable = find_variable(text, set);
        bool is_secret = variable || holds_secret(text, run->arena);
        if (!is_secret) {
            continue;
        }
        bool is_masking = strstr(text, "::add-mask::") != NULL;
        if (is_in_url(text)) {
            report_word(run, step, c->words[i].span, "X2",
                        "stands in a URL: logs, error messages and .git/config show it");
        } else if (is_password_option(c, i) || (i && is_password_option(c, i - 1))) {
            wpa_finding *finding = wpa_rule_report_script(
                run, step, c->words[i].span, "X2", NULL,
                "a secret is an argument of %s: every process of the runner can read it", c->name);
            finding->severity = WPA_SEVERITY_MEDIUM;
        } else if (!is_masking && !is_counted(text, variable) &&
                   wpa_printed_in_log(run, step->lexed, c)) {
            report_word(run, step, c->words[i].span, "X3",
                        "is printed: the log hides it only as long as nobody changes its form");
        }
    }
}

/* Does what the command prints get to the log: at once, or in the order of the alphabet? */
static bool is_shown(const wpa_shell_command *c)
{
    const wpa_shell_command *last = wpa_text_is(c->after, "|") ? c + 1 : c;
    bool is_sorted = last != c && wpa_text_is(last->before, "|") && wpa_text_is(last->name, "sort");
    return (last == c || is_sorted) && last->n_redirects == 0 && !wpa_text_is(last->after, "|");
}

/* "env", "printenv", "set -x" show every variable that the step has. */
static void check_dump(wpa_rule_run *run, const wpa_outline_step *step, const wpa_shell_command *c,
                       const secret_names *set)
{
    static const char *const dumps[] = {"env", "printenv", "export", "set"};
    if (set->n == 0) {
        return;
    }
    bool is_bare = c->n_words == c->first + 1 && c->n_redirects == 0 && is_shown(c);
    bool is_dump = is_bare && wpa_text_index(c->name, dumps, WPA_COUNT(dumps)) >= 0;
    bool traces = wpa_text_is(c->name, "set") &&
                  (wpa_shell_word_find(c, "-x") || wpa_shell_word_find(c, "-ex") ||
                   wpa_shell_word_find(c, "-eux") || wpa_shell_word_find(c, "-euxo") ||
                   wpa_shell_word_find(c, "-exo") || wpa_shell_word_find(c, "-xe") ||
                   wpa_shell_word_find(c, "-xeuo"));
    if (!is_dump && !traces) {
        return;
    }
    wpa_finding *finding = wpa_rule_report_script(
        run, step, c->span, "X3", NULL, "%s shows the secret in '%s' to whoever reads the log",
        is_dump ? "this" : "tracing", set->names[0]);
    finding->severity = WPA_SEVERITY_MEDIUM;
    finding->confidence = WPA_CONFIDENCE_LOW; /* the runner masks what it knows */
    finding->persona = traces ? WPA_PERSONA_AUDITOR : finding->persona;
}

/* ---- X4: in outputs and images -----------------------------------------------------------------
 */

static void check_outputs(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *outputs = wpa_yaml_resolve(wpa_yaml_get(job->node, "outputs"));
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        const wpa_yaml_node *value = wpa_yaml_resolve(outputs->pairs[i].value);
        if (value_holds_secret(run, value)) {
            (void)wpa_rule_report(
                run, value->span, "X4", NULL,
                "a secret is an output of job '%s': the runner drops it, or shows "
                "it where it is read",
                job->id);
        }
    }
}

static void check_build(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const inputs[] = {"build-args", "labels", "build-arg", "annotations"};
    for (size_t i = 0; step->with && i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, inputs[i]);
        const char *text = wpa_yaml_text(value);
        size_t at = 0;
        wpa_span fence, inside;
        while (text && wpa_flow_next_fence(text, value->length, &at, &fence, &inside)) {
            const char *one =
                wpa_arena_slice(run->arena, text + fence.start, wpa_span_length(fence));
            if (holds_secret(one, run->arena)) {
                (void)wpa_rule_report(run, wpa_yaml_source_span(value, fence.start, fence.end),
                                      "X4", NULL, "%s stays in the image, in its history: %s",
                                      wpa_rule_quote(run, one, strlen(one)), inputs[i]);
            }
        }
    }
}

static void check_build_command(wpa_rule_run *run, const wpa_outline_step *step,
                                const wpa_shell_command *c, const secret_names *set)
{
    static const char *const builders[] = {"docker", "podman", "buildah", "nerdctl",
                                           "docker-compose"};
    bool builds = wpa_text_index(c->name, builders, WPA_COUNT(builders)) >= 0;
    for (size_t i = c->first + 1; builds && i < c->n_words; i++) {
        const char *text = word_text(run, step, &c->words[i]);
        bool is_argument = wpa_text_is(c->words[i - 1].text, "--build-arg") ||
                           wpa_text_starts(c->words[i].text, "--build-arg=") ||
                           wpa_text_is(c->words[i - 1].text, "--label");
        if (is_argument && (find_variable(text, set) || holds_secret(text, run->arena))) {
            (void)wpa_rule_report_script(run, step, c->words[i].span, "X4", NULL,
                                         "a secret stays in the image, in its history: use a "
                                         "secret mount");
        }
    }
}

/* Does the command print a secret: as a word, or in the here-document that it is fed? */
static bool prints_secret(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c, const secret_names *set)
{
    static const char *const names[] = {"echo", "printf", "cat"};
    bool is_secret = false;
    if (c->n_words <= c->first || c->nested || c->is_nested_script ||
        wpa_text_index(c->name, names, WPA_COUNT(names)) < 0) {
        return false;
    }
    for (size_t i = c->first + 1; *c->name != 'c' && i < c->n_words && !is_secret; i++) {
        const char *text = may_expand(step, &c->words[i]) ? word_text(run, step, &c->words[i]) : "";
        is_secret = find_variable(text, set) || holds_secret(text, run->arena);
    }
    for (size_t i = 0; i < c->n_redirects && !is_secret; i++) {
        wpa_span body = c->redirects[i].body;
        const char *text =
            wpa_span_length(body) && body.end <= step->run->length
                ? wpa_arena_slice(run->arena, step->run->text + body.start, wpa_span_length(body))
                : "";
        bool expands = *text && step->lexed->contexts[body.start] == WPA_SHELL_HEREDOC;
        is_secret = (expands && find_variable(text, set)) || holds_secret(text, run->arena);
    }
    return is_secret;
}

/* "echo "$SECRET" > dist/x", and a later step uploads dist. */
static void check_files(wpa_rule_run *run, const wpa_outline_step *step, size_t i,
                        const secret_names *set)
{
    const wpa_yaml_node *path = NULL;
    const wpa_shell_command *c = &step->lexed->commands[i];
    wpa_secret_file file =
        prints_secret(run, step, c, set) ? wpa_secret_file_of(run, step, i) : (wpa_secret_file){0};
    const wpa_outline_step *taker =
        file.path ? wpa_secret_file_taken(run, step, file.path, &path) : NULL;
    if (taker) {
        wpa_finding *finding = wpa_rule_report_script(
            run, step, file.span, "X4", NULL,
            "a secret is written to %s, which a later step keeps for others to read",
            wpa_rule_quote(run, file.path, strlen(file.path)));
        wpa_rule_relate(run, finding, path->span, "takes it along");
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, const secret_names *of_job)
{
    check_splices(run, step);
    check_build(run, step);
    secret_names own;
    const secret_names *set = of_job;
    if (step->lexed && step->env && wpa_rule_may_hold_secret(run, step->env)) {
        own = names_of(run, step, of_job);
        set = &own;
    }
    bool may_hold = step->lexed && (set->n > 0 || wpa_rule_may_hold_secret(run, step->run));
    for (size_t i = 0; may_hold && i < step->lexed->n_commands; i++) {
        const wpa_shell_command *c = &step->lexed->commands[i];
        check_words(run, step, c, set);
        check_dump(run, step, c, set);
        check_build_command(run, step, c, set);
        check_files(run, step, i, set);
    }
}

/* ---- X5: for all jobs, read by one -------------------------------------------------------------
 */

static bool mentions(const wpa_rule_run *run, const wpa_yaml_node *node, const char *name)
{
    const char *source = run->source->yaml->source;
    return memmem(source + node->span.start, wpa_span_length(node->span), name, strlen(name)) !=
           NULL;
}

/* A variable of the workflow, and the one job that reads it. */
typedef struct shared {
    const wpa_yaml_pair *variable;
    const wpa_outline_job *reader;
} shared;

static void check_workflow_env(wpa_rule_run *run)
{
    const wpa_outline *outline = run->source->outline;
    const wpa_yaml_node *env = wpa_yaml_is(outline->root, WPA_YAML_MAPPING)
                                   ? wpa_yaml_resolve(wpa_yaml_get(outline->root, "env"))
                                   : NULL;
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const wpa_outline_job *reader = NULL;
        size_t n_readers = 0;
        if (!name || !value_holds_secret(run, env->pairs[i].value)) {
            continue;
        }
        for (size_t k = 0; k < outline->n_jobs; k++) {
            bool reads = mentions(run, outline->jobs[k].node, name);
            n_readers += reads;
            reader = reads ? &outline->jobs[k] : reader;
        }
        if (n_readers == 1 && outline->n_jobs > 1) {
            shared *variable = wpa_arena_alloc(run->arena, sizeof *variable);
            *variable = (shared){&env->pairs[i], reader};
            wpa_finding *finding = wpa_rule_report(
                run, env->pairs[i].key->span, "X5", variable,
                "every job has the secret in '%s', and only '%s' names it", name, reader->id);
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        secret_names of_job = names_of_job(run, &o->jobs[i]);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k], &of_job);
        }
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_outputs(run, &o->jobs[i]);
    }
    check_workflow_env(run);
    return true;
}

/* Where the text stands decides whether a variable means the same there. */
static bool can_bind(const splice *s)
{
    const wpa_script *script = s->step->script;
    if (!s->name || !script || !script->is_readable || s->step->shell == WPA_SHELL_UNKNOWN) {
        return false;
    }
    wpa_shell_context context = (wpa_shell_context)script->contexts[s->fence.start];
    return context == WPA_SHELL_PLAIN || context == WPA_SHELL_DOUBLE ||
           context == WPA_SHELL_HEREDOC;
}

/* May quotes be put around it? Some would end the text in the file, or begin one there. */
static bool takes_quotes(const splice *s)
{
    const wpa_yaml_node *run = s->step->run;
    bool is_start = run->style == WPA_YAML_PLAIN && s->fence.start == 0;
    return s->step->script->contexts[s->fence.start] == WPA_SHELL_PLAIN && !is_start &&
           run->style != WPA_YAML_DOUBLE_QUOTED;
}

static void take_out(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *value)
{
    (void)wpa_rule_remove_entry(run, fix, value->parent->n_pairs == 1 ? value->parent : value);
}

/* Into the env of the job that reads it. */
static void move_to_job(wpa_rule_run *run, wpa_finding *finding, const shared *s)
{
    const wpa_yaml_node *value = s->variable->value, *job = s->reader->node;
    const char *name = wpa_yaml_text(s->variable->key);
    const char *text = wpa_arena_slice(run->arena, run->source->yaml->source + value->span.start,
                                       wpa_span_length(value->span));
    bool is_line = value->style != WPA_YAML_LITERAL && value->style != WPA_YAML_FOLDED &&
                   !strpbrk(text, "\r\n") && !wpa_yaml_anchor(value);
    if (!is_line || s->reader->is_call || wpa_yaml_find(wpa_yaml_get(job, "env"), name)) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "give it to job %s alone",
                                wpa_rule_quote(run, s->reader->id, strlen(s->reader->id)));
    bool is_before = value->span.start < job->span.start; /* edits go in the order of the file */
    if (is_before) {
        take_out(run, fix, value);
    }
    if ((is_before && !fix->n_edits) ||
        !wpa_rule_add_in(run, fix, job, "env", "runs-on", name, text)) {
        fix->n_edits = 0;
    } else if (!is_before) {
        size_t n = fix->n_edits;
        take_out(run, fix, value);
        fix->n_edits = fix->n_edits == n ? 0 : fix->n_edits; /* all or nothing */
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    if (wpa_text_is(finding->check, "X5")) {
        move_to_job(run, finding, finding->subject);
        return;
    }
    const splice *s = finding->subject;
    if (!wpa_text_is(finding->check, "X1") || !s || !can_bind(s)) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "hand it over by env as %s", s->name);
    const wpa_yaml_pair *known = wpa_yaml_find(s->step->env, s->name);
    const char *value = wpa_arena_printf(run->arena, "${{ secrets.%s }}", s->name);
    if (known) {
        if (!wpa_text_is(wpa_yaml_text(known->value), value)) {
            return; /* the name means something else here */
        }
    } else if (!wpa_rule_add_in(run, fix, s->step->node, "env", "run", s->name, value)) {
        return;
    }
    wpa_rule_edit(run, fix, finding->span.bytes, takes_quotes(s) ? "\"${%s}\"" : "${%s}", s->name);
}

const wpa_rule wpa_rule_secret_exposure = {
    .code = "SEC-020",
    .id = "secret-exposure",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A secret stands where others can read it",
    .why = "Command lines, URLs, logs, outputs and image histories are kept and read by more than "
           "the one program that needs the secret.",
    .fix = "Hand it over through env or standard input, to the step that needs it.",
    .checks = (const char *const[]){"X1", "X2", "X3", "X4", "X5", NULL},
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .words = (const char *const[]){"secrets", NULL},
    .check = check,
    .repair = repair,
};
