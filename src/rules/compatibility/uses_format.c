/* CMP-011: a "uses" that GitHub cannot read, or that names the wrong kind of thing. */
#include <string.h>

#include "rules/graph.h"
#include "rules/own.h"
#include "rules/upgrade.h"

/* A "uses" as written, with what is reported about it. */
typedef struct place {
    wpa_rule_run *run;
    const wpa_outline_uses *uses;
    const wpa_outline_job *job;
    const char *text;
    bool is_call;
} place;

/* Bytes of the value that a repair writes anew. */
typedef struct subject {
    const wpa_yaml_node *node;
    const char *text;
} subject;

static wpa_finding *report(const place *p, const char *check, const char *right, const char *format,
                           const char *detail)
{
    subject *s = right ? wpa_arena_alloc(p->run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){p->uses->node, right};
    }
    const char *name = wpa_rule_quote(p->run, p->text, strlen(p->text));
    const char *words = wpa_arena_printf(p->run->arena, "%s %s", name, format);
    return wpa_rule_report(p->run, p->uses->node->span, check, s, "%s%s%s", words,
                           detail ? ": " : "", detail ? detail : "");
}

static bool has_tree(const place *p)
{
    return p->run->source->around && p->run->source->around->has_paths;
}

/* The folder of the repository that the workflow belongs to, with its slash; "" at the root. */
static const char *root_of(const place *p)
{
    const char *path = wpa_source_identity(p->run->source);
    const char *folder = strstr(path, ".github/workflows/");
    bool is_folder = folder && (folder == path || folder[-1] == '/');
    return is_folder ? wpa_arena_slice(p->run->arena, path, (size_t)(folder - path)) : "";
}

static bool is_there(const place *p, const char *path)
{
    const char *whole = wpa_arena_printf(p->run->arena, "%s%s", root_of(p), path);
    return wpa_surroundings_has(p->run->source->around, whole);
}

/* Is it a checkout, rather than definitions that were gathered without what they work on? */
static bool is_checkout(const place *p)
{
    const wpa_surroundings *around = p->run->source->around;
    const char *root = root_of(p);
    wpa_input_kind kind;
    for (size_t i = 0; i < around->n_paths; i++) {
        const char *path = around->paths[i];
        if (wpa_text_starts(path, root) && !strstr(path, ".github/") &&
            !wpa_input_of_path(path, &kind)) {
            return true;
        }
    }
    return false;
}

static bool is_workflow_file(const char *path)
{
    return wpa_text_ends(path, ".yml") || wpa_text_ends(path, ".yaml");
}

/* ---- images -----------------------------------------------------------------------------------*/

/* U2: "[registry/]name[:tag][@digest]" */
static void check_docker(const place *p)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_./";
    const char *image = p->text + strlen("docker://");
    const char *digest = strchr(image, '@');
    size_t length = digest ? (size_t)(digest - image) : strlen(image);
    const char *slash = memrchr(image, '/', length);
    const char *last = slash ? slash + 1 : image;
    const char *tag = memchr(last, ':', length - (size_t)(last - image));
    size_t name_length = tag ? (size_t)(tag - image) : length;
    if (p->is_call) {
        report(p, "U3", NULL, "is an image, and a job may call a workflow alone", NULL);
    } else if (name_length == 0) {
        report(p, "U2", NULL, "names no image", NULL);
    } else if (tag && (size_t)(tag + 1 - image) == length) {
        report(p, "U2", NULL, "has an empty tag", NULL);
    } else if (strchr(image, ' ') || strstr(image, "//") || image[name_length - 1] == '/') {
        report(p, "U2", NULL, "is no name of an image", NULL);
    } else if (last != image && strspn(last, allowed) < name_length - (size_t)(last - image)) {
        report(p, "U2", NULL, "is no name of an image: it may hold small letters, digits and - _ .",
               NULL);
    }
}

/* ---- in this repository -----------------------------------------------------------------------*/

/* The tree's path that differs from this one by case alone, or NULL. */
static const char *find_by_case(const place *p, const char *path)
{
    const wpa_surroundings *around = p->run->source->around;
    const char *root = root_of(p);
    for (size_t i = 0; i < around->n_paths; i++) {
        if (wpa_text_starts(around->paths[i], root) &&
            wpa_text_is_ci(around->paths[i] + strlen(root), path)) {
            return around->paths[i] + strlen(root);
        }
    }
    return NULL;
}

/* Can a step of the job have put files at other places than those of the tree? */
static bool moves_files(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (wpa_outline_step_uses(step, "actions/checkout")) {
            if (wpa_outline_with(step, "path") || wpa_outline_with(step, "repository") ||
                wpa_outline_with(step, "ref")) {
                return true;
            }
        } else if (step->run || step->uses.kind == WPA_OUTLINE_REPOSITORY) {
            const wpa_script *script = step->script;
            for (size_t k = 0; script && k < script->n_commands; k++) {
                const char *name = script->commands[k].name;
                if (wpa_text_is(name, "git") || wpa_text_is(name, "cp") ||
                    wpa_text_is(name, "mv") || wpa_text_is(name, "tar") ||
                    wpa_text_is(name, "gh") || wpa_text_is(name, "curl")) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* U6: "./dir" without an action file. */
static void check_local_action(const place *p)
{
    static const char *const names[] = {"action.yml", "action.yaml", "Dockerfile"};
    const char *dir = wpa_graph_local_path(p->text, p->run->arena);
    if (!dir || !has_tree(p) || p->run->source->kind != WPA_INPUT_WORKFLOW || moves_files(p->job)) {
        return;
    }
    /* Whoever gathers definitions takes the actions beside the workflows as well. */
    if (!wpa_text_starts(dir, ".github/") && !is_checkout(p)) {
        return;
    }
    const char *other = NULL;
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const char *path =
            wpa_arena_printf(p->run->arena, "%s%s%s", dir, *dir ? "/" : "", names[i]);
        if (is_there(p, path)) {
            return;
        }
        other = other ? other : find_by_case(p, path);
    }
    if (other) {
        report(p, "U6", NULL, "differs in case from what is in the repository",
               wpa_rule_quote(p->run, other, strlen(other)));
    } else {
        report(p, "U6", NULL, "has no action.yml: the job fails when it gets there", NULL);
    }
}

/* U4, U6: "./.github/workflows/file.yml" */
static void check_local_call(const place *p)
{
    static const char folder[] = ".github/workflows/";
    const char *path = p->text + 2;
    if (!wpa_text_starts(path, folder) || strchr(path + strlen(folder), '/')) {
        report(p, is_workflow_file(path) ? "U4" : "U3", NULL,
               is_workflow_file(path)
                   ? "does not lie directly in .github/workflows: GitHub refuses the call"
                   : "is no workflow: a job may call a workflow alone, actions belong into steps",
               NULL);
        return;
    }
    if (!is_workflow_file(path)) {
        const char *right = wpa_arena_printf(p->run->arena, "%s.yml", p->text);
        bool fits = has_tree(p) && is_there(p, right + 2);
        report(p, "U4", fits ? right : NULL, "does not end in .yml or .yaml", NULL);
        return;
    }
    if (!has_tree(p) || is_there(p, path)) {
        return;
    }
    bool is_yaml = wpa_text_ends(path, ".yaml");
    const char *stem = wpa_arena_slice(p->run->arena, p->text, strlen(p->text) - (is_yaml ? 5 : 4));
    const char *other = wpa_arena_printf(p->run->arena, "%s%s", stem, is_yaml ? ".yml" : ".yaml");
    const char *by_case = find_by_case(p, path);
    if (is_there(p, other + 2)) {
        report(p, "U6", other, "is not in the repository, but a file with the other ending is",
               NULL);
    } else if (by_case) {
        report(p, "U6", wpa_arena_printf(p->run->arena, "./%s", by_case),
               "differs in case from what is in the repository",
               wpa_rule_quote(p->run, by_case, strlen(by_case)));
    } else {
        report(p, "U6", NULL, "is not in the repository: GitHub refuses the file", NULL);
    }
}

/* "./dir@v1": a ref, and no folder with a sign in its name ("./packages/@scope"). */
static bool has_ref(const place *p)
{
    const char *at = strchr(p->text, '@');
    bool is_folder = at && (at[-1] == '/' || (!p->is_call && strchr(at, '/')));
    return at && !is_folder;
}

static void check_local(const place *p)
{
    const char *path = strlen(p->text) > 1 ? p->text + 2 : ""; /* "." is local too */
    bool is_workflow = wpa_text_starts(path, ".github/workflows/") && is_workflow_file(path);
    if (wpa_text_starts(p->text, "../") || wpa_text_is(p->text, ".") ||
        wpa_text_is(p->text, "..")) {
        report(p, "U4", wpa_text_is(p->text, ".") ? "./" : NULL,
               "must begin with ./ at the root of the repository", NULL);
    } else if (has_ref(p)) {
        report(p, "U4", NULL, "has a ref, and what is local is always that of this commit", NULL);
    } else if (!p->is_call && is_workflow) {
        report(p, "U3", NULL, "is a workflow, which only a job may call", NULL);
    } else if (p->is_call) {
        check_local_call(p);
    } else {
        check_local_action(p);
    }
}

/* ---- of other repositories --------------------------------------------------------------------*/

static bool is_name(const char *text, size_t length, bool is_owner)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (!is_owner && c == '.');
        if (!is_fine) {
            return false;
        }
    }
    return length > 0;
}

/* Names that git gives to no branch and no tag. */
static bool is_ref(const char *ref)
{
    size_t length = strlen(ref);
    return length && !ref[strcspn(ref, " ~^:?*[\\\t\n")] && !strstr(ref, "..") &&
           !strstr(ref, "//") && !strstr(ref, "@{") && ref[0] != '/' && ref[0] != '-' &&
           ref[length - 1] != '/' && ref[length - 1] != '.' && !wpa_text_ends(ref, ".lock");
}

/* Of an action the outline has read. */
static wpa_fact_pin pin_of(const place *p, const char *ref)
{
    return p->uses->fact ? p->uses->fact->pin : wpa_facts_pin_of(wpa_slice_of(ref));
}

/* U5: seven or more hexadecimal digits with a letter among them, and no tag that is called so. */
static bool is_short_commit(const place *p, const char *ref)
{
    wpa_fact_ref found;
    const wpa_fact_use *fact = p->uses->fact;
    bool is_short = pin_of(p, ref) == WPA_PIN_SHORT_COMMIT && strpbrk(ref, "abcdef") &&
                    strpbrk(ref, "0123456789");
    return is_short &&
           !(fact && fact->repo && wpa_facts_ref_find(fact->repo, wpa_slice_of(ref), &found));
}

static void check_target(const place *p, const char *path, const char *ref)
{
    bool is_workflow = wpa_text_starts(path, ".github/workflows/") && is_workflow_file(path);
    bool is_nested = is_workflow && strchr(path + strlen(".github/workflows/"), '/');
    if (pin_of(p, ref) != WPA_PIN_COMMIT && !is_ref(ref)) {
        report(p, "U1", NULL, "has a ref that git gives to no branch or tag", NULL);
    } else if (p->is_call && !*path) {
        report(p, "U3", NULL, "is an action, and a job may call a workflow alone", NULL);
    } else if (p->is_call && (!is_workflow || is_nested) && wpa_rule_is_on_github(p->run)) {
        report(p, "U4", NULL,
               is_workflow_file(path) ? "does not lie directly in .github/workflows"
                                      : "is no file of .github/workflows with .yml or .yaml",
               NULL);
    } else if (!p->is_call && is_workflow && !is_nested) {
        report(p, "U3", NULL, "is a workflow, which only a job may call", NULL);
    } else if (is_short_commit(p, ref)) {
        report(p, "U5", NULL,
               "is pinned to a shortened commit: GitHub refuses it, or takes another commit", NULL)
            ->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* U1: "owner/repo[/path]@ref" */
static void check_repository(const place *p)
{
    const char *at = strchr(p->text, '@'), *slash = strchr(p->text, '/');
    if (!at) {
        const char *local = wpa_arena_printf(p->run->arena, "./%s", p->text);
        const char *file = wpa_arena_printf(p->run->arena, "%s/action.yml", p->text);
        bool fits = has_tree(p) && (is_there(p, file) || is_there(p, p->text));
        report(p, "U1", fits ? local : NULL,
               "has no ref: an action is owner/repo@ref, or a folder that begins with ./", NULL);
        return;
    }
    size_t owner = slash && slash < at ? (size_t)(slash - p->text) : 0;
    const char *repo = owner ? slash + 1 : at;
    while (!p->is_call && *repo == '/') { /* empty parts are left out; obfuscation tells of them */
        repo++;
    }
    const char *end = repo < at ? memchr(repo, '/', (size_t)(at - repo)) : NULL;
    size_t repo_length = (size_t)((end ? end : at) - repo);
    if (strchr(at + 1, '@')) {
        report(p, "U1", NULL, "has more than one @", NULL);
    } else if (!at[1]) {
        report(p, "U1", NULL, "has an empty ref behind the @", NULL);
    } else if (!owner || !repo_length) {
        report(p, "U1", NULL, "lacks the owner or the name of the repository", NULL);
    } else if (!is_name(p->text, owner, true) || !is_name(repo, repo_length, false)) {
        report(p, "U1", NULL, "has a character that no owner or repository has", NULL);
    } else {
        const char *path =
            end ? wpa_arena_slice(p->run->arena, end + 1, (size_t)(at - end - 1)) : "";
        check_target(p, path, at + 1);
    }
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    place p = {.run = run, .uses = uses, .job = job, .is_call = step == NULL};
    p.text = wpa_yaml_text(uses->node);
    if (!p.text || uses->node->is_incomplete) {
        return;
    }
    if (wpa_outline_has_expression(p.text)) {
        report(&p, "U7", NULL, "has an expression, which GitHub does not evaluate in uses", NULL);
    } else if (uses->kind == WPA_OUTLINE_DOCKER) {
        check_docker(&p);
    } else if (wpa_text_starts(p.text, "https://") &&
               !wpa_rule_forge_lacks(run, "uses", "https://")) {
        return; /* an address, which that forge reads */
    } else if (uses->kind == WPA_OUTLINE_LOCAL) {
        check_local(&p);
    } else {
        check_repository(&p);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) {
        (void)wpa_rule_rewrite(run, finding, s->node, s->text);
    }
}

const wpa_rule wpa_rule_uses_format = {
    .code = "CMP-011",
    .id = "uses-format",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A uses names nothing that GitHub can find",
    .why = "GitHub refuses the file, or the job fails before its first step.",
    .fix = "Write owner/repo@ref, ./folder or docker://image in steps, and a file of "
           ".github/workflows in jobs.",
    .checks = (const char *const[]){"U1", "U2", "U3", "U4", "U5", "U6", "U7", NULL},
    .elsewhere = (const char *const[]){"actionlint/action", "actionlint/workflow-call", NULL},
    .declares = WPA_DECLARES_PINS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
