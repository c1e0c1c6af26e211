/* PRF-016: an artifact that carries one short text, which a job output would. */
#include <string.h>

#include "rules/extract.h"
#include "rules/shell_roles.h"
#include "rules/site.h"
#include "rules/variables.h"
#include "rules/work.h"

#define NEEDS_MAX 32
#define READING_MAX 512

static bool prints_text(const wpa_shell_command *c)
{
    static const char *const names[] = {"echo", "printf", "Write-Output"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (wpa_text_is_ci(c->name, names[i])) {
            return true;
        }
    }
    return false;
}

/* Does a command before the upload write a line of text into exactly this file? */
static bool is_written_by_echo(const wpa_outline_step *upload, const char *path)
{
    const char *bare = wpa_text_starts(path, "./") ? path + 2 : path;
    bool is_written = false;
    for (size_t i = 0; i < upload->index; i++) {
        const wpa_script *script = wpa_step_commands(&upload->job->steps[i]);
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            for (size_t r = 0; r < c->n_redirects; r++) {
                const char *target = c->redirects[r].target.text;
                target = wpa_text_starts(target, "./") ? target + 2 : target;
                if (!wpa_text_is(target, bare)) {
                    continue;
                }
                if (!prints_text(c) || !wpa_text_is(c->redirects[r].operator, ">") || is_written) {
                    return false; /* more than a line, or not known what */
                }
                is_written = true;
            }
        }
    }
    return is_written;
}

/* What the repair has to do with. */
typedef struct subject {
    const wpa_outline_step *upload, *download, *reader;
    const char *path; /* as it is uploaded */
} subject;

/* A later job that downloads it and reads the file. */
static const wpa_outline_step *find_reader(const wpa_outline *o, const wpa_outline_step *upload,
                                           const char *name, const char *path,
                                           const wpa_outline_step **download)
{
    static const char *const readings[] = {"cat ", "$(<", "Get-Content", "gc ", "type ", NULL};
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < o->n_jobs; i++) {
        *download = NULL;
        for (size_t k = 0; &o->jobs[i] != upload->job && k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *wanted = wpa_outline_with_text(step, "name");
            if (wpa_outline_step_uses(step, "actions/download-artifact") &&
                wpa_text_is(wanted, name)) {
                *download = step;
            }
            if (*download && step->run && wpa_work_mentions(step->run, slash ? slash + 1 : path) &&
                wpa_work_mentions_any(step->run, readings)) {
                return step;
            }
        }
    }
    return NULL;
}

static void check_step(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_step *step)
{
    const char *path = wpa_outline_with_text(step, "path");
    const char *name = wpa_outline_with_text(step, "name");
    if (!path || strpbrk(path, "\n*?{$!") || wpa_yaml_find(step->job->node, "strategy") ||
        !is_written_by_echo(step, path)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){.upload = step, .path = path};
    const wpa_outline_step *reader = s->reader =
        find_reader(o, step, name ? name : "artifact", path, &s->download);
    if (reader) {
        wpa_finding *finding =
            wpa_rule_report(run, step->uses.span, NULL, s,
                            "an artifact carries one line of text from job to job: an output of "
                            "the job would do it without upload and download");
        wpa_rule_relate(run, finding, reader->run->span, "reads it");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_uses(&o->jobs[i].steps[k], "actions/upload-artifact")) {
                check_step(run, o, &o->jobs[i].steps[k]);
            }
        }
    }
    return true;
}

/* ---- the output -------------------------------------------------------------------------------*/

/* What becomes of the artifact. */
typedef struct plan {
    const subject *s;
    const char *output;   /* "version": of the job, and id of the step that writes it */
    const char *variable; /* "VERSION" */
    const char *file;     /* as it lies where it is downloaded to */
} plan;

static bool has_keys(const wpa_yaml_node *mapping, const char *const keys[], size_t n)
{
    for (size_t i = 0; mapping && i < mapping->n_pairs; i++) {
        const char *key = mapping->pairs[i].key->text;
        if (!key || wpa_text_index(key, keys, n) < 0) {
            return false;
        }
    }
    return mapping != NULL;
}

/* Steps that carry the file and do nothing else, whenever their job runs. */
static bool are_plain(const subject *s)
{
    static const char *const of_step[] = {"name", "uses", "with", "id"};
    static const char *const of_with[] = {
        "name", "path", "retention-days", "if-no-files-found", "overwrite", "compression-level"};
    return has_keys(s->upload->node, of_step, WPA_COUNT(of_step)) &&
           has_keys(s->download->node, of_step, WPA_COUNT(of_step)) &&
           has_keys(s->upload->with, of_with, WPA_COUNT(of_with)) &&
           has_keys(s->download->with, of_with, WPA_COUNT(of_with));
}

static bool needs_producer(const wpa_rule_run *run, const subject *s)
{
    wpa_work_need needs[NEEDS_MAX];
    size_t n = wpa_work_needs(run->source->outline, s->reader->job, needs, NEEDS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (needs[i].job == s->upload->job) {
            return true;
        }
    }
    return false;
}

/* Does anybody else get it: by name, by pattern, or with all there are? */
static bool has_other_reader(const wpa_rule_run *run, const subject *s)
{
    const wpa_outline *o = run->source->outline;
    const char *name = wpa_outline_with_text(s->download, "name");
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *other = wpa_outline_with_text(step, "name");
            bool is_open = !other || wpa_outline_has_expression(other) || wpa_text_is(other, name);
            if (step != s->download && wpa_outline_step_uses(step, "actions/download-artifact") &&
                is_open) {
                return true;
            }
        }
    }
    return false;
}

/* In a shell that reads files with cat, at the top of the tree. */
static bool is_at_home(const wpa_outline_job *job)
{
    bool is_shell = job->os == WPA_OS_LINUX || job->os == WPA_OS_MACOS;
    return is_shell && !wpa_yaml_find(job->node, "defaults");
}

static bool is_word(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
           strlen(text);
}

static bool make_plan(wpa_rule_run *run, const subject *s, plan *p)
{
    const char *name = wpa_outline_with_text(s->download, "name");
    const char *folder = wpa_outline_with_text(s->download, "path");
    const char *slash = strrchr(s->path, '/');
    const char *slug = wpa_extract_slug(name ? name : "", run->arena);
    bool is_named = *slug >= 'a' && *slug <= 'z';
    folder = folder && wpa_text_starts(folder, "./") ? folder + 2 : folder;
    size_t length = folder ? strlen(folder) : 0;
    length -= length && folder[length - 1] == '/';
    bool is_here = length == 0 || (length == 1 && folder[0] == '.');
    *p = (plan){.s = s, .output = slug, .variable = wpa_variable_name(slug, run->arena)};
    p->file =
        wpa_arena_printf(run->arena, "%.*s%s%s", is_here ? 0 : (int)length, folder ? folder : "",
                         is_here ? "" : "/", slash ? slash + 1 : s->path);
    for (size_t i = 0; i < s->upload->job->n_steps; i++) {
        is_named = is_named && !wpa_text_is_ci(s->upload->job->steps[i].id, slug);
    }
    if (strstr(s->reader->run->text, p->variable)) {
        p->variable = wpa_arena_printf(run->arena, "%s_OUTPUT", p->variable); /* it has that one */
    }
    return is_named && is_word(s->path) && is_word(p->file) && are_plain(s) &&
           needs_producer(run, s) && !has_other_reader(run, s) && is_at_home(s->upload->job) &&
           is_at_home(s->reader->job) && !wpa_yaml_find(run->source->yaml->root, "defaults") &&
           !wpa_yaml_find(s->reader->node, "working-directory");
}

/* "$(cat version.txt)" in the script from here on; empty if there is none. */
static wpa_span next_reading(const plan *p, const char *text, size_t from)
{
    static const char *const forms[] = {"$(cat %s)", "$(<%s)", "$(< %s)", "`cat %s`",
                                        "$(cat ./%s)"};
    wpa_span first = {0, 0};
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        char reading[READING_MAX];
        const char *mark = strstr(forms[i], "%s");
        if (!wpa_text_format(reading, sizeof reading, "%.*s%s%s", (int)(mark - forms[i]), forms[i],
                             p->file, mark + 2)) {
            continue;
        }
        const char *at = strstr(text + from, reading);
        size_t start = at ? (size_t)(at - text) : 0;
        if (at && (!first.end || start < first.start)) {
            first = (wpa_span){start, start + strlen(reading)};
        }
    }
    return first;
}

static size_t count_of(const char *text, size_t size, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = memmem(at, size - (size_t)(at - text), word, strlen(word)));
         at++) {
        n++;
    }
    return n;
}

/* Every mention of the file in the job that gets it has to be such a reading, in one step. */
static bool replace_readings(wpa_rule_run *run, wpa_fix *fix, const plan *p)
{
    const wpa_yaml_node *script = p->s->reader->run;
    const wpa_script *read = p->s->reader->script;
    wpa_slice job = wpa_work_text(p->s->reader->job->node);
    wpa_slice download = wpa_work_text(p->s->download->node);
    const char *slash = strrchr(p->file, '/'), *base = slash ? slash + 1 : p->file;
    size_t n = 0;
    for (wpa_span at = next_reading(p, script->text, 0); at.end;
         at = next_reading(p, script->text, at.end)) {
        wpa_shell_context context =
            read && read->contexts ? (wpa_shell_context)read->contexts[at.start] : WPA_SHELL_SINGLE;
        wpa_span span = wpa_site_span(run, script, at.start, at.end);
        bool is_expanded = context == WPA_SHELL_PLAIN || context == WPA_SHELL_DOUBLE ||
                           context == WPA_SHELL_HEREDOC;
        if (!is_expanded || wpa_span_length(span) != wpa_span_length(at)) {
            return false; /* or it is written with escapes */
        }
        wpa_rule_edit(run, fix, span, "${%s}", p->variable);
        n++;
    }
    return n > 0 &&
           n == count_of(job.at, job.length, base) - count_of(download.at, download.length, base) &&
           !strstr(script->text, p->variable);
}

/* The upload becomes a step that writes the output. */
static void replace_upload(wpa_rule_run *run, wpa_fix *fix, const plan *p)
{
    const wpa_yaml_node *node = p->s->upload->node;
    const wpa_yaml_node *name = wpa_yaml_get(node, "name");
    size_t column = wpa_yaml_position(node->doc, node->span.start).column - 1;
    const char *line_break = node->doc->has_crlf ? "\r\n" : "\n";
    const char *first = name ? wpa_arena_printf(run->arena, "name: Remember %s%s%*s", p->output,
                                                line_break, (int)column, "")
                             : "";
    wpa_rule_edit(run, fix, node->span,
                  "%sid: %s%s%*srun: echo \"value=$(cat %s)\" >> "
                  "\"$GITHUB_OUTPUT\"",
                  first, p->output, line_break, (int)column, "", p->s->path);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    plan p;
    if (!make_plan(run, s, &p)) {
        return;
    }
    const wpa_outline_job *producer = s->upload->job;
    wpa_fix *fix =
        wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "hand it over as output %s", p.output);
    const char *written = wpa_arena_printf(run->arena, "${{ steps.%s.outputs.value }}", p.output);
    const char *value =
        wpa_arena_printf(run->arena, "${{ needs.%s.outputs.%s }}", producer->id, p.output);
    replace_upload(run, fix, &p);
    if (!wpa_rule_add_in(run, fix, producer->node, "outputs", "runs-on", p.output, written) ||
        !wpa_rule_remove_entry(run, fix, s->download->node) || !replace_readings(run, fix, &p) ||
        !wpa_rule_add_in(run, fix, s->reader->node, "env", "run", p.variable, value)) {
        fix->n_edits = 0;
    }
}

const wpa_rule wpa_rule_artifact_as_output = {
    .code = "PRF-016",
    .id = "artifact-as-output",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An artifact carries one short text between jobs",
    .why = "Upload and download take seconds each and leave an artifact behind.",
    .fix = "Write it to GITHUB_OUTPUT, declare it under the job's outputs, and read that.",
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
