#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

/* Where the fences of a condition stand in its decoded text. */
typedef struct fences {
    size_t open, close; /* of the first: offset of "${{", offset behind "}}" */
    size_t n;
} fences;

static fences find_fences(const char *text)
{
    fences found = {0};
    for (const char *at = text; (at = strstr(at, "${{"));) {
        const char *end = strstr(at, "}}");
        if (!end) {
            break;
        }
        if (found.n++ == 0) {
            found.open = (size_t)(at - text);
            found.close = (size_t)(end - text) + 2;
        }
        at = end + 2;
    }
    return found;
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", text[i])) {
            return false;
        }
    }
    return true;
}

/** Only the line break that a block scalar keeps stands behind the fence. */
static bool is_newline_only(const wpa_yaml_node *value, const fences *f)
{
    bool is_block = value->style == WPA_YAML_LITERAL || value->style == WPA_YAML_FOLDED;
    return is_block && f->n == 1 && f->open == 0 &&
           is_blank(value->text + f->close, value->length - f->close);
}

static void check_condition(wpa_rule_run *run, const wpa_yaml_node *written)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(written);
    const char *text = wpa_yaml_text(value);
    if (!text) {
        return;
    }
    fences f = find_fences(text);
    bool is_whole = f.n == 1 && f.open == 0 && f.close == value->length;
    if (f.n == 0 || is_whole) {
        return;
    }
    if (is_newline_only(value, &f)) {
        wpa_rule_report(run, value->span, NULL, value,
                        "the condition is always true: the block keeps a line break behind "
                        "'${{ }}', which makes it text");
        return;
    }
    wpa_rule_report(run, value->span, NULL, value,
                    "the condition is always true: %s outside of '${{ }}' makes it text",
                    f.n > 1 ? "what stands between two fences" : "what stands");
}

static void check_step(wpa_rule_run *run, const wpa_yaml_node *step)
{
    const wpa_yaml_pair *condition = wpa_yaml_find(step, "if");
    if (condition) {
        check_condition(run, condition->value);
    }
    const wpa_yaml_node *group = wpa_yaml_get(step, "parallel");
    for (size_t i = 0; wpa_yaml_is(group, WPA_YAML_SEQUENCE) && i < group->n_items; i++) {
        check_step(run, group->items[i]);
    }
}

static void check_steps(wpa_rule_run *run, const wpa_yaml_node *owner)
{
    const wpa_yaml_node *steps = wpa_yaml_get(owner, "steps");
    for (size_t i = 0; wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && i < steps->n_items; i++) {
        check_step(run, steps->items[i]);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_yaml_node *jobs = wpa_yaml_get(root, "jobs");
    for (size_t i = 0; wpa_yaml_is(jobs, WPA_YAML_MAPPING) && i < jobs->n_pairs; i++) {
        const wpa_yaml_node *job = wpa_yaml_resolve(jobs->pairs[i].value);
        const wpa_yaml_pair *condition = wpa_yaml_find(job, "if");
        const wpa_yaml_pair *snapshot = wpa_yaml_find(wpa_yaml_get(job, "snapshot"), "if");
        if (condition) {
            check_condition(run, condition->value);
        }
        if (snapshot) {
            check_condition(run, snapshot->value);
        }
        check_steps(run, job);
    }
    check_steps(run, wpa_yaml_get(root, "runs"));
    return true;
}

/** The chomping mark goes into the header: "|" becomes "|-". */
static void chomp(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *value)
{
    const char *source = value->doc->source;
    size_t at = value->span.start + 1;
    at += strspn(source + at, "123456789");
    size_t n_marks = strspn(source + at, "+-");
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE,
                                "drop the line break that makes the condition always true");
    wpa_rule_edit(run, fix, (wpa_span){at, at + n_marks}, "%s", "-");
}

/** One fence over all: "!${{ a }}", "${{ a }} && b" and the like without the inner fences. */
static const char *without_fences(const wpa_yaml_node *value, wpa_arena *arena)
{
    char *out = wpa_arena_alloc(arena, value->length + 1);
    size_t n = 0;
    for (size_t i = 0; i < value->length; i++) {
        bool is_open = strncmp(value->text + i, "${{", 3) == 0;
        bool is_close = strncmp(value->text + i, "}}", 2) == 0;
        if (!is_open && !is_close) {
            out[n++] = value->text[i];
        } else {
            i += is_open ? 2 : 1;
        }
    }
    return out;
}

/** What can be joined: operators only outside the fences, so that no word of prose gets in. */
static bool is_expression_like(const wpa_yaml_node *value)
{
    static const char *const bad[] = {"#", "\n", "\"", "'"};
    for (size_t i = 0; i < WPA_COUNT(bad) - 1; i++) {
        if (strstr(value->text, bad[i])) {
            return false;
        }
    }
    return strstr(value->text, "&&") || strstr(value->text, "||") || value->text[0] == '!';
}

static const char *squeeze(const char *text, wpa_arena *arena)
{
    char *out = wpa_arena_alloc(arena, strlen(text) + 1);
    size_t n = 0;
    for (; *text; text++) {
        if (*text != ' ' || (n && out[n - 1] != ' ')) {
            out[n++] = *text;
        }
    }
    n -= n && out[n - 1] == ' ';
    out[n] = '\0';
    return out;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    fences f = find_fences(value->text);
    if (is_newline_only(value, &f)) {
        chomp(run, finding, value);
        return;
    }
    bool is_simple =
        value->style == WPA_YAML_PLAIN && is_expression_like(value) && !strchr(value->text, '\'');
    if (is_simple) {
        const char *inner = squeeze(without_fences(value, run->arena), run->arena);
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "put one '${{ }}' around the whole");
        wpa_rule_edit(run, fix, value->span, "${{ %s }}", inner);
    }
}

const wpa_rule wpa_rule_unsound_condition = {
    .code = "QUA-013",
    .id = "unsound-condition",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A condition is always true because something stands outside its fence",
    .why = "Text around '${{ }}' makes the whole a non-empty string, and that counts as true.",
    .fix = "Put the whole condition into one '${{ }}', or leave the fence out.",
    .elsewhere = (const char *const[]){"zizmor/unsound-condition", "actionlint/if-cond#1",
                                       "poutine/if_always_true", NULL},
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
