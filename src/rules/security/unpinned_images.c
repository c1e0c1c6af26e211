/* SEC-002: a container image by a name that can come to mean another image. */
#include <string.h>

#include "expr/expr.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/rule.h"
#include "rules/work.h"

/** Files of the repository that are searched for a digest. */
#define NEIGHBOURS_MAX 50
#define DIGEST_LENGTH (sizeof "@sha256:" - 1 + 64)

/* Tags that are meant to move. */
static const char *const moving[] = {"latest", "edge", "nightly", "main",
                                     "master", "dev",  "canary"};

/* The tag of an image, empty if it has none; a port of the registry is no tag. */
static wpa_slice tag_of(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *colon = strrchr(slash ? slash : image, ':');
    return wpa_slice_of(colon ? colon + 1 : "");
}

static bool is_exempt(const char *image)
{
    return !*image || strchr(image, '@') || wpa_text_is(image, "scratch") ||
           wpa_text_starts(image, "localhost:") || wpa_text_starts(image, "localhost/") ||
           strcasestr(image, "dockerfile") != NULL;
}

/* The worst that an image can come to be. */
typedef struct verdict {
    const char *image; /* NULL: nothing to say */
    bool is_moving;
    bool is_open; /* nothing pins what is chosen */
} verdict;

static bool is_moving_tag(wpa_slice tag)
{
    bool is_moving = tag.length == 0;
    for (size_t i = 0; i < WPA_COUNT(moving); i++) {
        is_moving = is_moving || wpa_slice_is_ci(tag, moving[i]);
    }
    return is_moving;
}

/* The name of a repository holds no tag. */
static bool ends_with_repository(const char *image)
{
    const char *fence = NULL;
    for (const char *at = strstr(image, "${{"); at; at = strstr(at + 1, "${{")) {
        fence = at + strlen("${{");
    }
    fence += strspn(fence, " ");
    return wpa_text_starts(fence, "github.repository }}") ||
           wpa_text_starts(fence, "github.repository}}");
}

/* What is written behind the last expression may be its tag, or say that it has none. */
static verdict judge_computed(const char *image)
{
    const char *rest = image;
    for (const char *at = strstr(image, "}}"); at; at = strstr(rest, "}}")) {
        rest = at + strlen("}}");
    }
    bool is_whole = rest == image || (!*rest && strncmp(image, "${{", 3) == 0);
    if (is_whole) {
        return (verdict){image, false, true};
    }
    if (*rest ? !strchr(rest, ':') && strchr(rest, '/') : ends_with_repository(image)) {
        return (verdict){image, true, false};
    }
    bool is_tagged = strchr(rest, ':') != NULL;
    return (verdict){image, is_tagged && is_moving_tag(tag_of(rest)), !is_tagged};
}

static verdict judge(const char *image)
{
    if (is_exempt(image)) {
        return (verdict){0};
    }
    return wpa_outline_has_expression(image)
               ? judge_computed(image)
               : (verdict){image, is_moving_tag(tag_of(image)), false};
}

/* node: the scalar that ends with the image, or NULL if none does. */
static wpa_finding *report(wpa_rule_run *run, wpa_span span, verdict v, const wpa_yaml_node *node)
{
    const char *name = wpa_rule_quote(run, v.image, strlen(v.image));
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, v.is_open ? NULL : node,
                        v.is_open     ? "image %s is chosen at run time; nothing pins it"
                        : v.is_moving ? "image %s is whatever was pushed last"
                                      : "image %s is pinned by a tag, which can be pushed again",
                        name);
    if (!v.is_moving) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
    if (v.is_open) {
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
    return finding;
}

/* ---- images that an expression chooses ---- */

typedef struct leaves {
    wpa_rule_run *run;
    const wpa_expr_place *place;
    const wpa_outline_job *job; /* NULL: no matrix */
} leaves;

static void check_leg(const leaves *l, const wpa_expr *node, const wpa_yaml_node *value)
{
    const char *text = wpa_yaml_is_null(value) ? NULL : wpa_yaml_text(value);
    verdict v = text ? judge(text) : (verdict){0};
    if (v.image && wpa_work_has_leg(l->run, l->job, value)) {
        wpa_finding *finding = report(l->run, wpa_expr_source_span(l->place, node->span), v, value);
        wpa_rule_relate(l->run, finding, value->span, "this leg");
    }
}

/* The member that a reference names, "image" of "matrix.os.image" and of "matrix.os['image']". */
static const char *member_of(const wpa_expr *node)
{
    bool is_literal = node->kind == WPA_EXPR_INDEX && node->args[1]->kind == WPA_EXPR_STRING;
    return node->kind == WPA_EXPR_MEMBER ? node->text : is_literal ? node->args[1]->text : NULL;
}

/* The row that a reference begins with, "matrix.os" of "matrix.os.image"; NULL if it is of no
 * matrix. */
static const wpa_expr *row_of(const wpa_expr *node)
{
    while (member_of(node)) {
        const wpa_expr *owner = node->args[0];
        if (owner->kind == WPA_EXPR_NAME) {
            return wpa_text_is_ci(owner->text, "matrix") ? node : NULL;
        }
        node = owner;
    }
    return NULL;
}

/* What the rest of the reference leads to in a value of the row. */
static const wpa_yaml_node *follow(const wpa_expr *node, const wpa_expr *row,
                                   const wpa_yaml_node *value)
{
    if (node == row) {
        return wpa_yaml_resolve(value);
    }
    const wpa_yaml_node *owner = follow(node->args[0], row, value);
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(owner, member_of(node));
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static bool check_value(const leaves *l, const wpa_expr *node, const wpa_expr *row,
                        const wpa_yaml_node *value)
{
    const wpa_yaml_node *image = follow(node, row, value);
    if (image) {
        check_leg(l, node, image);
    }
    return image != NULL;
}

/* Values of "matrix.K" that are written out; false if some are not, or there are none. */
static bool check_matrix(const leaves *l, const wpa_expr *node)
{
    const wpa_yaml_node *strategy = l->job ? wpa_yaml_get(l->job->node, "strategy") : NULL;
    const wpa_yaml_node *matrix = wpa_yaml_get(strategy, "matrix");
    const wpa_expr *start = row_of(node);
    const wpa_yaml_pair *pair = start ? wpa_yaml_find_ci(matrix, member_of(start)) : NULL;
    const wpa_yaml_node *row = pair ? wpa_yaml_resolve(pair->value) : NULL;
    const wpa_yaml_node *include = wpa_yaml_get(matrix, "include");
    bool is_found = false;
    if (!start || (row && !wpa_yaml_is(row, WPA_YAML_SEQUENCE)) ||
        (include && !wpa_yaml_is(include, WPA_YAML_SEQUENCE))) {
        return false;
    }
    for (size_t i = 0; row && i < row->n_items; i++) {
        is_found |= check_value(l, node, start, row->items[i]);
    }
    for (size_t i = 0; include && i < include->n_items; i++) {
        pair = wpa_yaml_find_ci(include->items[i], member_of(start));
        is_found |= pair && check_value(l, node, start, pair->value);
    }
    return is_found;
}

static void check_leaf(const leaves *l, const wpa_expr *node)
{
    if (node->kind == WPA_EXPR_OR) {
        check_leaf(l, node->args[0]);
        check_leaf(l, node->args[1]);
        return;
    }
    if (node->kind == WPA_EXPR_AND) { /* what is false on its left is no image */
        check_leaf(l, node->args[1]);
        return;
    }
    wpa_expr_value value = wpa_expr_fold(node, NULL, NULL, l->run->arena);
    if (value.type != WPA_EXPR_IS_UNKNOWN) {
        const char *text = wpa_expr_value_text(&value, l->run->arena);
        verdict v = text ? judge(text) : (verdict){0};
        if (v.image) {
            (void)report(l->run, wpa_expr_source_span(l->place, node->span), v, NULL);
        }
        return;
    }
    if (!check_matrix(l, node)) {
        const wpa_yaml_node *at = l->place->node;
        wpa_finding *finding = report(l->run, wpa_expr_source_span(l->place, node->span),
                                      (verdict){at->text, false, true}, NULL);
        if (node == l->place->parsed.root && !row_of(node)) { /* all of it comes from elsewhere */
            finding->persona = WPA_PERSONA_DEFAULT;
        }
    }
}

static void check_image(wpa_rule_run *run, const wpa_yaml_node *node, size_t skip,
                        const wpa_outline_job *job)
{
    const char *text = wpa_yaml_text(node);
    const char *image = text && strlen(text) >= skip ? text + skip : "";
    verdict v = judge(image);
    if (!v.image) {
        return;
    }
    size_t n = 0;
    wpa_expr_place *places = v.is_open ? wpa_expr_find(node, run->arena, &n) : NULL;
    bool is_whole = n == 1 && places[0].outer.start == skip && places[0].outer.end == node->length;
    if (is_whole && places[0].parsed.root) {
        check_leaf(&(leaves){run, &places[0], job}, places[0].parsed.root);
    } else {
        (void)report(run, wpa_yaml_source_span(node, skip, node->length), v, node);
    }
}

/* "container: image" and "container: {image: ...}". */
static void check_container(wpa_rule_run *run, const wpa_yaml_node *container,
                            const wpa_outline_job *job)
{
    const wpa_yaml_node *image =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    bool is_named = wpa_yaml_is(image, WPA_YAML_SCALAR) && !wpa_yaml_is_null(image) &&
                    !wpa_text_is(image->text, "docker://");
    if (is_named) { /* schema tells of the other */
        check_image(run, image, 0, job);
    }
}

/* Is the image made by an earlier step of the job ("docker build -t image")? */
static bool names_image(const wpa_shell_command *c, const char *image)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        word += wpa_text_starts(word, "--tag=") ? strlen("--tag=") : 0;
        if (wpa_text_is(word, image)) {
            return true;
        }
    }
    return false;
}

static bool is_built(const wpa_outline_step *step)
{
    const char *image = wpa_yaml_text(step->uses.node) + strlen("docker://");
    for (size_t i = 0; i < step->index; i++) {
        const wpa_script *script = step->job->steps[i].script;
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            bool is_builder = wpa_text_is(c->name, "docker") || wpa_text_is(c->name, "podman");
            if (is_builder && wpa_shell_word_find(c, "build") && names_image(c, image)) {
                return true;
            }
        }
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        check_container(run, wpa_yaml_get(job->node, "container"), job);
        const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
        for (size_t k = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs; k++) {
            if (!wpa_outline_has_expression(wpa_yaml_text(services->pairs[k].key))) {
                check_container(run, wpa_yaml_resolve(services->pairs[k].value), job);
            }
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            if (job->steps[k].uses.kind == WPA_OUTLINE_DOCKER && !is_built(&job->steps[k])) {
                check_image(run, job->steps[k].uses.node, strlen("docker://"), NULL);
            }
        }
    }
    const wpa_yaml_node *runs = wpa_yaml_get(o->root, "runs");
    const wpa_yaml_node *image = wpa_yaml_get(runs, "image");
    if (run->source->kind == WPA_INPUT_ACTION && wpa_yaml_text(image) &&
        wpa_text_starts(wpa_yaml_text(image), "docker://")) {
        check_image(run, image, strlen("docker://"), NULL);
    }
    return true;
}

/* ---- the digest that the repository itself gives the image elsewhere ---- */

static bool is_part_of_name(char c)
{
    return c == '_' || c == '-' || c == '.' || c == '/' || c == ':' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "@sha256:..." behind the image in a file, or NULL. */
static const char *find_digest(const wpa_yaml_doc *doc, const char *image)
{
    static const char scheme[] = "docker://";
    size_t length = strlen(image), n_scheme = sizeof scheme - 1;
    const char *end = doc->source + doc->size_bytes, *at = doc->source;
    while ((at = memmem(at, (size_t)(end - at), image, length))) {
        const char *digest = at + length;
        size_t before = (size_t)(at - doc->source);
        bool is_whole = before == 0 || !is_part_of_name(at[-1]) ||
                        (before >= n_scheme && memcmp(at - n_scheme, scheme, n_scheme) == 0);
        bool is_digest = (size_t)(end - digest) >= DIGEST_LENGTH &&
                         memcmp(digest, "@sha256:", strlen("@sha256:")) == 0 &&
                         strspn(digest + strlen("@sha256:"), "0123456789abcdef") == 64;
        if (is_whole && is_digest) {
            return digest;
        }
        at = digest;
    }
    return NULL;
}

static const char *find_digest_near(wpa_rule_run *run, const char *image)
{
    const wpa_surroundings *around = run->source->around;
    const wpa_graph *graph = around ? around->graph : NULL;
    const char *digest = find_digest(run->source->yaml, image);
    for (size_t i = 0; !digest && graph && i < wpa_graph_count(graph) && i < NEIGHBOURS_MAX; i++) {
        const wpa_source *other = wpa_rule_source_at(run, wpa_graph_at(graph, i)->path);
        digest = other && other->yaml ? find_digest(other->yaml, image) : NULL;
    }
    return digest;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    const char *text = wpa_yaml_text(node);
    if (!text) {
        return;
    }
    const char *image = wpa_text_starts(text, "docker://") ? text + strlen("docker://") : text;
    const char *digest = find_digest_near(run, image);
    if (digest) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                    "append the digest that this repository gives it elsewhere");
        wpa_rule_edit(run, fix, wpa_yaml_source_span(node, node->length, node->length), "%.*s",
                      (int)DIGEST_LENGTH, digest);
    }
}

const wpa_rule wpa_rule_unpinned_images = {
    .code = "SEC-002",
    .id = "unpinned-images",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A container image is named without a digest",
    .why = "Whoever can push to the tag runs code in this job, and results change under you.",
    .fix = "Append the image's digest: image:tag@sha256:... wpa takes it from where the repository "
           "has it already; else it has to be asked for.",
    .declares = WPA_DECLARES_CONTAINER | WPA_DECLARES_PINS,
    .elsewhere = (const char *const[]){"zizmor/unpinned-images",
                                       "actionlint-fork/require-commit-hash", NULL},
    .words = (const char *const[]){"container", "services", "docker://", NULL},
    .check = check,
    .repair = repair,
};
