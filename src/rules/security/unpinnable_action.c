/* SEC-031: an action that moves although it is pinned, for it uses what is not. */
#include <string.h>
#include <strings.h>

#include "rules/pin.h"
#include "rules/work.h"

#define DOCKERFILE_MAX_BYTES ((size_t)64 * 1024)

/* ---- actions of others, by the tables ---- */

/* What of it is not pinned, or NULL: an action that it calls, the image it runs in. */
static const char *loose_part(const wpa_fact_major *major)
{
    for (size_t i = 0; i < major->n_uses; i++) {
        const char *used = wpa_facts_used_at(major, i);
        const char *at = strrchr(used, '@');
        if (at && wpa_facts_pin_of(wpa_slice_of(at + 1)) != WPA_PIN_COMMIT) {
            return used;
        }
    }
    bool is_image = major->image && wpa_text_starts(major->image, "docker://");
    return is_image && !strchr(major->image, '@') ? major->image : NULL;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const wpa_fact_use *fact = uses->fact;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || fact->pin != WPA_PIN_COMMIT || !fact->has_major) {
        return;
    }
    const char *part = loose_part(&fact->major);
    if (part) {
        wpa_finding *finding = wpa_rule_report(
            run, uses->slug_span, NULL, NULL, "%s is pinned, but uses %s, which can move",
            wpa_rule_quote(run, uses->slug.at, uses->slug.length),
            wpa_rule_quote(run, part, strlen(part)));
        finding->confidence = WPA_CONFIDENCE_MEDIUM; /* what is known is of the major, not of it */
    }
}

/* ---- the action file itself ---- */

static bool is_loose(const wpa_outline_uses *uses)
{
    const char *text = wpa_yaml_text(uses->node);
    return (uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact->pin != WPA_PIN_COMMIT) ||
           (uses->kind == WPA_OUTLINE_DOCKER && text && !strchr(text, '@'));
}

/* Names of stages that a Dockerfile has so far. */
typedef struct stages {
    wpa_slice names[32];
    size_t n;
} stages;

static bool is_stage(const stages *s, wpa_slice image)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->names[i].length == image.length &&
            strncasecmp(s->names[i].at, image.at, image.length) == 0) {
            return true;
        }
    }
    return false;
}

static wpa_slice next_word(wpa_slice *line)
{
    while (line->length && strchr(" \t\r", *line->at)) {
        line->at++;
        line->length--;
    }
    wpa_slice word = {line->at, 0};
    while (word.length < line->length && !strchr(" \t\r", word.at[word.length])) {
        word.length++;
    }
    line->at += word.length;
    line->length -= word.length;
    return word;
}

/* The first image that the Dockerfile builds on and that can move; empty if it has none. */
static wpa_slice loose_base(const char *text)
{
    stages s = {0};
    size_t at = 0;
    wpa_slice line;
    while (wpa_work_next_line(text, &at, &line)) {
        wpa_slice word = next_word(&line);
        if (!wpa_slice_is_ci(word, "FROM")) {
            continue;
        }
        wpa_slice image = next_word(&line);
        while (image.length && *image.at == '-') { /* --platform=... */
            image = next_word(&line);
        }
        bool is_fixed = memchr(image.at, '@', image.length) ||
                        memchr(image.at, '$', image.length) || wpa_slice_is_ci(image, "scratch") ||
                        is_stage(&s, image);
        if (image.length && !is_fixed) {
            return image;
        }
        if (wpa_slice_is_ci(next_word(&line), "AS") && s.n < WPA_COUNT(s.names)) {
            s.names[s.n++] = next_word(&line);
        }
    }
    return (wpa_slice){"", 0};
}

static void check_dockerfile(wpa_rule_run *run, const wpa_yaml_node *image)
{
    const char *name = wpa_yaml_text(image);
    const char *own = wpa_source_identity(run->source);
    const char *slash = strrchr(own, '/');
    if (!name || !*name || strchr(name, ':') || strstr(name, "..") || *name == '/') {
        return;
    }
    name += wpa_text_starts(name, "./") ? 2 : 0;
    const char *path =
        wpa_arena_printf(run->arena, "%.*s%s", slash ? (int)(slash + 1 - own) : 0, own, name);
    size_t size;
    const char *text =
        wpa_surroundings_read(run->source->around, path, DOCKERFILE_MAX_BYTES, run->arena, &size);
    wpa_slice base = text ? loose_base(text) : (wpa_slice){"", 0};
    if (base.length) {
        (void)wpa_rule_report(run, image->span, NULL, NULL,
                              "whoever pins this action still gets what moves: %s builds on %s",
                              wpa_rule_quote(run, path, strlen(path)),
                              wpa_rule_quote(run, base.at, base.length));
    }
}

/* Said once for the file: whoever pins it gets what moves. */
static void check_action(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_pair *runs = wpa_yaml_find(o->root, "runs");
    const wpa_yaml_node *image = runs ? wpa_yaml_get(runs->value, "image") : NULL;
    const char *text = wpa_yaml_text(image);
    bool has_image = text && wpa_text_starts(text, "docker://") && !strchr(text, '@');
    wpa_finding *finding = NULL;
    for (size_t i = 0; runs && o->n_jobs && i < o->jobs[0].n_steps; i++) {
        const wpa_outline_uses *uses = &o->jobs[0].steps[i].uses;
        if (!is_loose(uses)) {
            continue;
        }
        if (!finding) {
            finding = wpa_rule_report(run, runs->key->span, NULL, NULL,
                                      "whoever pins this action still gets what moves: it uses %s",
                                      wpa_rule_quote_uses(run, uses));
        }
        wpa_rule_relate(run, finding, uses->node->span, "can move");
    }
    if (has_image) {
        finding = wpa_rule_report(run, runs->key->span, NULL, NULL,
                                  "whoever pins this action still gets what moves: it runs in %s",
                                  wpa_rule_quote(run, text, strlen(text)));
        wpa_rule_relate(run, finding, image->span, "can move");
    } else if (text) {
        check_dockerfile(run, image);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    if (run->source->kind == WPA_INPUT_ACTION) {
        check_action(run);
    }
    return true;
}

const wpa_rule wpa_rule_unpinnable_action = {
    .code = "SEC-031",
    .id = "unpinnable-action",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action moves although it is pinned",
    .why = "A pin holds the action's own files, not the actions and images that these name.",
    .fix = "In the action, pin what it uses; elsewhere ask its owner to. There is no fix by "
           "machine.",
    .elsewhere = (const char *const[]){"poutine/unpinnable_action", NULL},
    .tables = 1U << WPA_FACTS_ACTIONS,
    .check = check,
};
