/* PRF-022: steps that only look at the tree run one behind the other. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/steps.h"
#include "rules/work.h"

/* A run of neighbours. */
typedef struct stretch {
    const wpa_outline_step *first;
    size_t n;
} stretch;

/* Tests and linters, and what prints: what another program does to the machine is not known. */
static bool changes_nothing(const wpa_script *script)
{
    static const char *const plain[] = {"echo", "printf", "set", "cd",         "true",
                                        "test", "[",      "[[",  "Write-Host", "Write-Output",
                                        "rem",  "exit",   "if"};
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        unsigned roles = wpa_shell_roles(c);
        bool is_plain = !*c->name || wpa_text_index(c->name, plain, WPA_COUNT(plain)) >= 0;
        if (roles & ~(unsigned)(WPA_DOES_TEST | WPA_DOES_LINT) || (!roles && !is_plain)) {
            return false;
        }
    }
    return script != NULL;
}

/* Holds its folder while it runs: two of them take turns, in a parallel group as well. */
static bool takes_turns(const wpa_script *script)
{
    static const char *const programs[] = {
        "cargo",   "gradle", "gradlew",  "mvn",        "mvnw",      "sbt",  "mill",
        "bazel",   "mix",    "bazelisk", "stack",      "cabal",     "dune", "swift",
        "flutter", "dotnet", "lake",     "xcodebuild", "terraform", "tofu", "opam"};
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool only_reads = wpa_shell_is(c, "cargo", "fmt") || wpa_shell_is(c, "terraform", "fmt");
        if (!only_reads && wpa_text_index(c->name, programs, WPA_COUNT(programs)) >= 0) {
            return true;
        }
    }
    return false;
}

/* Formats or tidies the tree, unless it is asked to tell of differences alone. */
static bool may_write(const wpa_outline_step *step)
{
    static const char *const writers[] = {"tidy", "fmt", "format", "black ", "isort ", NULL};
    static const char *const tellers[] = {"check", "diff", "-d ", "-l ", NULL};
    return wpa_work_mentions_any(step->run, writers) && !wpa_work_mentions_any(step->run, tellers);
}

/* Reads the tree, says yes or no, and leaves nothing that a later step could use. */
static bool only_looks(const wpa_outline_step *step)
{
    static const char *const flows[] = {
        "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "coverage",    "report", "--fix",
        "--write",    "database",      "migrate",     " > ",         "tee ",   "docker",
        "localhost",  "Out-File",      "Tee-Object",  "Set-Content", NULL};
    unsigned roles = wpa_work_step_roles(step);
    const wpa_script *script = wpa_step_commands(step);
    bool is_known = changes_nothing(script) && !takes_turns(script);
    return step->run && roles && is_known && !step->id && !step->condition &&
           step->node->parent == wpa_yaml_get(step->job->node, "steps") &&
           !wpa_yaml_find(step->node, "background") &&
           !wpa_yaml_find(step->node, "continue-on-error") &&
           !wpa_work_mentions_any(step->run, flows) && !may_write(step);
}

static void report(wpa_rule_run *run, stretch s)
{
    stretch *copy = wpa_arena_dup(run->arena, &s, sizeof s);
    const wpa_outline_step *last = s.first + s.n - 1;
    wpa_finding *finding = wpa_rule_report(
        run, wpa_yaml_find(s.first->node, "run")->key->span, NULL, copy,
        "%zu steps that only look at the tree run one behind the other: a parallel group would "
        "take as long as the longest",
        s.n);
    wpa_rule_relate(run, finding, wpa_yaml_find(last->node, "run")->key->span, "to here");
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    stretch s = {0};
    for (size_t i = 0; i <= job->n_steps; i++) {
        const wpa_outline_step *step = i < job->n_steps ? &job->steps[i] : NULL;
        if (step && only_looks(step)) {
            s = s.n ? (stretch){s.first, s.n + 1} : (stretch){step, 1};
            continue;
        }
        if (s.n >= 2) {
            report(run, s);
        }
        s = (stretch){0};
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_job(run, check_job);
    return true;
}

/* The steps, indented below a step of their own. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const stretch *s = finding->subject;
    const wpa_yaml_doc *doc = run->source->yaml;
    wpa_span from = wpa_yaml_entry_span(s->first->node);
    size_t end = wpa_yaml_entry_span((s->first + s->n - 1)->node).end;
    size_t dash = wpa_yaml_dash(s->first->node), line = wpa_yaml_line_of(doc, dash);
    size_t start = wpa_yaml_line(doc, line).start;
    bool is_own_line = strspn(doc->source + start, " ") == dash - start && from.start == start;
    if (!is_own_line || s->first->node->parent->style != WPA_YAML_BLOCK) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run them as a parallel group");
    wpa_rule_edit(run, fix, (wpa_span){start, start}, "%*s- parallel:%s    ", (int)(dash - start),
                  "", doc->has_crlf ? "\r\n" : "\n");
    for (line++; line <= doc->n_lines && wpa_yaml_line(doc, line).start < end; line++) {
        wpa_span text = wpa_yaml_line(doc, line);
        if (wpa_span_length(text) && doc->source[text.start] != '\r') {
            wpa_rule_edit(run, fix, (wpa_span){text.start, text.start}, "    ");
        }
    }
}

const wpa_rule wpa_rule_parallelisable_steps = {
    .code = "PRF-022",
    .id = "parallelisable-steps",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Neighbouring steps that do not depend on each other run one behind the other",
    .why = "Tests and linters wait for each other on a machine that has room for both.",
    .fix = "Put them into a parallel group (github.com only), or into jobs of their own.",
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
