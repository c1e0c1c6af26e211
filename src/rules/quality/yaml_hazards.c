/* QUA-010: values that YAML reads as something else than they look. */
#include <string.h>

#include <wpa/text.h>

#include "rules/rule.h"

#define DEPTH_MAX 100

/** Digits, a dot, digits of which the last is 0: 3.10, 1.20, which YAML reads as 3.1 and 1.2. */
static bool loses_zero(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    if (!whole || text[whole] != '.') {
        return false;
    }
    size_t rest = strspn(text + whole + 1, "0123456789");
    return rest > 1 && text[whole + 1 + rest] == '\0' && text[whole + rest] == '0';
}

/** 0644, 007: octal digits with a leading zero, which YAML 1.2 reads as decimal. */
static bool is_old_octal(const char *text)
{
    return text[0] == '0' && strlen(text) > 1 && strspn(text, "01234567") == strlen(text);
}

/** 012345678901: the zero of a number that is a name, as of an account. */
static bool has_leading_zero(const char *text)
{
    return text[0] == '0' && strlen(text) > 1 && strspn(text, "0123456789") == strlen(text);
}

/** 1e3, 12E4: a number to YAML, and often the beginning of a commit. */
static bool is_power(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    bool is_marked = whole && (text[whole] == 'e' || text[whole] == 'E');
    size_t rest = is_marked ? strspn(text + whole + 1, "0123456789") : 0;
    return rest && text[whole + 1 + rest] == '\0';
}

/** 22:22, 1:30:00: seconds to readers of YAML 1.1. */
static bool is_sexagesimal(const char *text)
{
    size_t n_parts = 0;
    while (*text) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 2 || (n_parts && digits != 2)) {
            return false;
        }
        n_parts++;
        text += digits;
        text += *text == ':';
    }
    return n_parts > 1;
}

static bool is_switch_word(const char *text)
{
    static const char *const words[] = {"on",  "On",  "ON",  "off", "Off", "OFF",
                                        "yes", "Yes", "YES", "no",  "No",  "NO"};
    return wpa_text_index(text, words, WPA_COUNT(words)) >= 0;
}

/** Names of what a value is for that tell a version: python-version, go, node_version. */
static bool is_version_name(const char *name)
{
    return name && (strstr(name, "version") || strstr(name, "python") || strstr(name, "go") ||
                    strstr(name, "ruby") || strstr(name, "node") || strstr(name, "java"));
}

/** Name that a scalar goes by: its key, or that of the list it is in. */
static const char *name_of(const wpa_yaml_node *node)
{
    const wpa_yaml_node *owner = node->key ? node : node->parent;
    return owner && owner->key && owner->key->kind == WPA_YAML_SCALAR ? owner->key->text : NULL;
}

static bool is_below(const wpa_yaml_node *node, const char *name)
{
    for (; node; node = node->parent) {
        if (node->key && wpa_text_is(node->key->text, name)) {
            return true;
        }
    }
    return false;
}

/* Nearly all are neither, whatever they are for. */
static inline bool may_be_odd(const wpa_yaml_node *plain)
{
    bool is_digit = *plain->text >= '0' && *plain->text <= '9';
    char small = (char)(*plain->text | 0x20);
    return is_digit || (plain->length <= 3 && (small == 'o' || small == 'y' || small == 'n') &&
                        is_switch_word(plain->text));
}

static void check_plain(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *text = node->text;
    bool is_value = is_below(node, "with") || is_below(node, "matrix") || is_below(node, "env") ||
                    is_below(node, "inputs");
    if (!is_value) {
        return;
    }
    if (loses_zero(text)) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, "Z2", node, "%s is a number to YAML: its last zero is lost", text);
        finding->severity = WPA_SEVERITY_MEDIUM;
    } else if (is_old_octal(text)) {
        wpa_rule_report(run, node->span, "Z3", node,
                        "%s is a number to YAML: its leading zero is lost", text);
    } else if (has_leading_zero(text)) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, "Z4", node, "%s is a number to YAML: its leading zero is lost", text);
        finding->severity = WPA_SEVERITY_MEDIUM;
    } else if (is_power(text)) {
        wpa_rule_report(run, node->span, "Z3", node,
                        "%s is a number to YAML, with as many zeros behind it", text);
    } else if (is_sexagesimal(text)) {
        wpa_rule_report(run, node->span, "Z3", node,
                        "%s is a number to tools that read YAML 1.1, and text to GitHub", text)
            ->persona = WPA_PERSONA_PEDANTIC;
    } else if (is_switch_word(text)) {
        wpa_rule_report(run, node->span, "Z1", node,
                        "%s is true or false to tools that read YAML 1.1, and text to GitHub", text)
            ->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* ---- block scalars ----------------------------------------------------------------------------*/

/** Z5: one line in block style ends with a line break that nobody sees. */
static void check_block(wpa_rule_run *run, const wpa_yaml_node *node)
{
    size_t length = node->length;
    if (length < 2 || node->text[length - 1] != '\n' || memchr(node->text, '\n', length - 1)) {
        return;
    }
    const char *key = node->key ? wpa_yaml_text(node->key) : NULL;
    const wpa_yaml_node *owner = node->parent;
    bool is_named =
        owner && owner->key &&
        (wpa_text_is(owner->key->text, "env") || wpa_text_is(owner->key->text, "outputs"));
    bool is_value = is_named || is_below(node, "matrix") || wpa_text_is(key, "group") ||
                    wpa_text_is(key, "concurrency") || wpa_text_is(key, "ref");
    /* Folded lines are a command or a list of words, to which a blank more is nothing. */
    bool is_words = is_named && node->style == WPA_YAML_FOLDED && memchr(node->text, ' ', length);
    bool is_list = wpa_text_starts(node->text, "- "); /* YAML in turn, for an action to read */
    if (is_value && !is_words && !is_list) {
        wpa_rule_report(run, node->span, "Z5", node,
                        "this value ends with a line break, since it is written as a block");
    }
}

static size_t first_word(const char *line, const char **word)
{
    *word = line + strspn(line, " \t");
    return strcspn(*word, " \t\n");
}

static bool begins_command(const char *line)
{
    static const char *const names[] = {
        "npm",     "yarn", "pnpm",      "npx",    "pip",   "pip3",     "python",
        "python3", "make", "cargo",     "docker", "git",   "echo",     "export",
        "mkdir",   "cd",   "curl",      "wget",   "sudo",  "apt-get",  "brew",
        "bundle",  "mvn",  "./gradlew", "dotnet", "cmake", "terraform"};
    const char *word;
    size_t length = first_word(line, &word);
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (strlen(names[i]) == length && strncmp(word, names[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/** Z6: ">" makes one line of what is written as several commands. */
static void check_folding(wpa_rule_run *run, const wpa_yaml_node *node)
{
    if (node->style != WPA_YAML_FOLDED) {
        return;
    }
    const wpa_yaml_doc *doc = node->doc;
    size_t line = wpa_yaml_line_of(doc, node->span.start) + 1;
    size_t last = wpa_yaml_line_of(doc, node->span.end);
    for (; line < last; line++) {
        wpa_span own = wpa_yaml_line(doc, line), next = wpa_yaml_line(doc, line + 1);
        const char *text =
            wpa_arena_slice(run->arena, doc->source + own.start, wpa_span_length(own));
        const char *below =
            wpa_arena_slice(run->arena, doc->source + next.start, wpa_span_length(next));
        size_t length = strlen(text);
        while (length && strchr(" \t\r", text[length - 1])) {
            length--;
        }
        bool is_joined = length && !strchr("&|\\;({", text[length - 1]) &&
                         strspn(text, " ") == strspn(below, " ");
        if (is_joined && begins_command(text) && begins_command(below)) {
            size_t start = next.start + strspn(below, " ");
            wpa_finding *finding =
                wpa_rule_report(run, (wpa_span){start, next.end}, "Z6", NULL,
                                "this line becomes part of the command above it: '>' joins lines "
                                "with blanks, '|' keeps them");
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            return;
        }
    }
}

/* Characters that look like quotes and dashes of code and are none. */
static const struct {
    const char *bytes, *name, *meant;
} lookalikes[] = {
    {"\xe2\x80\x9c", "“", "\""},
    {"\xe2\x80\x9d", "”", "\""},
    {"\xe2\x80\x98", "‘", "'"},
    {"\xe2\x80\x99", "’", "'"},
};

/** Where the byte with which all of them begin stands next, from this place on; or the length. */
static size_t next_lookalike(const wpa_yaml_node *node, size_t from)
{
    const char *at =
        from < node->length ? memchr(node->text + from, '\xe2', node->length - from) : NULL;
    return at ? (size_t)(at - node->text) : node->length;
}

/** A dash of prose where an option begins: "rm –rf". */
static size_t find_dash(const wpa_yaml_node *node)
{
    for (size_t i = next_lookalike(node, 1); i + 4 <= node->length;
         i = next_lookalike(node, i + 1)) {
        const char *at = node->text + i;
        bool is_dash = strncmp(at, "\xe2\x80\x93", 3) == 0 || strncmp(at, "\xe2\x80\x94", 3) == 0;
        bool is_option = is_dash && at[-1] == ' ' &&
                         ((at[3] >= 'a' && at[3] <= 'z') || (at[3] >= 'A' && at[3] <= 'Z'));
        if (is_option && !memchr(node->text, '#', i) && !memchr(node->text, '"', i) &&
            !memchr(node->text, '\'', i)) {
            return i;
        }
    }
    return 0;
}

/** In a script a curly quote at the edge of a word quotes nothing. Inside words it is prose. */
static void check_script(wpa_rule_run *run, const wpa_yaml_node *node)
{
    size_t first = next_lookalike(node, 0);
    if (first == node->length) {
        return;
    }
    size_t dash = find_dash(node);
    if (dash) {
        wpa_finding *finding =
            wpa_rule_report(run, wpa_yaml_source_span(node, dash, dash + 3), "Z9", NULL,
                            "this dash begins no option: it is a letter to a shell (- is meant)");
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    for (size_t i = first; i + 3 <= node->length; i = next_lookalike(node, i + 1)) {
        bool begins_word = i == 0 || strchr(" =(", node->text[i - 1]);
        for (size_t k = 0; begins_word && k < WPA_COUNT(lookalikes); k++) {
            if (strncmp(node->text + i, lookalikes[k].bytes, 3) == 0 &&
                !memchr(node->text, '#', i)) {
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_yaml_source_span(node, i, i + 3), "Z9", NULL,
                                    "%s is no quote to a shell, which takes it as a letter (%s is)",
                                    lookalikes[k].name, lookalikes[k].meant);
                finding->severity = WPA_SEVERITY_MEDIUM;
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                return;
            }
        }
    }
}

/* ---- layout (Z8, Z10): for those who want to hear of it ---------------------------------------*/

#define LINE_MAX_CHARS 180
#define FLOW_MAX_BYTES 140

static void check_flow(wpa_rule_run *run, const wpa_yaml_node *node)
{
    bool is_inner = node->parent && node->parent->style == WPA_YAML_FLOW;
    if (!is_inner && wpa_span_length(node->span) > FLOW_MAX_BYTES) {
        wpa_rule_report(run, node->span, "Z10", NULL,
                        "a mapping of %zu characters between braces is hard to read and to compare",
                        wpa_span_length(node->span))
            ->persona = WPA_PERSONA_PEDANTIC;
    }
}

static const wpa_yaml_node *scalar_at(const wpa_yaml_doc *doc, size_t offset)
{
    const wpa_yaml_node *node = offset < doc->size_bytes ? wpa_yaml_node_at(doc, offset) : NULL;
    return node && node->kind == WPA_YAML_SCALAR ? node : NULL;
}

/** The first line from this one on that may be long, or have blanks at its end; of the last one
    it says so. */
static size_t next_untidy(const wpa_yaml_doc *doc, size_t line)
{
    const char *source = doc->source;
    size_t start = doc->line_starts[line - 1];
    for (; line < doc->n_lines; line++) {
        size_t next = doc->line_starts[line];
        bool may_end_blank = next - start > 1 && source[next - 2] <= ' ';
        if (may_end_blank || source[next - 1] != '\n' || next - start > LINE_MAX_CHARS) {
            break;
        }
        start = next;
    }
    return line;
}

static void check_layout(wpa_rule_run *run)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    bool has_trailing = false, has_long = false;
    for (size_t line = 1; line <= doc->n_lines; line++) {
        line = next_untidy(doc, line);
        wpa_span span = wpa_yaml_line(doc, line);
        size_t end = span.end;
        while (end > span.start && (doc->source[end - 1] == ' ' || doc->source[end - 1] == '\t')) {
            end--;
        }
        bool is_trailing = end < span.end && !has_trailing && !scalar_at(doc, end);
        if (is_trailing) {
            has_trailing = true;
            wpa_rule_report(run, (wpa_span){end, span.end}, "Z8", doc,
                            "blanks at the end of a line")
                ->persona = WPA_PERSONA_PEDANTIC;
        }
        if (wpa_span_length(span) > LINE_MAX_CHARS && !has_long &&
            !scalar_at(doc, span.start + 20)) {
            has_long = true;
            wpa_rule_report(run, span, "Z8", NULL, "a line of %zu characters",
                            wpa_span_length(span))
                ->persona = WPA_PERSONA_PEDANTIC;
        }
    }
    if (doc->size_bytes && doc->source[doc->size_bytes - 1] != '\n') {
        wpa_rule_report(run, (wpa_span){doc->size_bytes, doc->size_bytes}, "Z8", doc,
                        "the last line has no line break")
            ->persona = WPA_PERSONA_PEDANTIC;
    }
}

/** Before its key is asked for: folded, or with other letters than ASCII, as such or by escapes? */
static bool may_be_odd_script(const wpa_yaml_node *node)
{
    return node->style == WPA_YAML_FOLDED || node->style == WPA_YAML_DOUBLE_QUOTED ||
           !node->doc->is_plain;
}

/** Nearly all are not: before anything is called. */
static inline bool may_be_hazard(const wpa_yaml_node *node)
{
    if (node->style == WPA_YAML_PLAIN) {
        return may_be_odd(node) || !node->doc->is_plain;
    }
    bool is_quoted = node->style == WPA_YAML_SINGLE_QUOTED || node->style == WPA_YAML_DOUBLE_QUOTED;
    return !is_quoted || (node->key && wpa_text_is(node->key->text, "run"));
}

static void check_scalar(wpa_rule_run *run, const wpa_yaml_node *node)
{
    if (node->style == WPA_YAML_PLAIN && may_be_odd(node) && !wpa_yaml_tag(node)) {
        check_plain(run, node);
    }
    if (may_be_odd_script(node) && node->key && wpa_text_is(node->key->text, "run")) {
        check_script(run, node);
        check_folding(run, node);
    }
    if (node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_FOLDED) {
        check_block(run, node);
    }
}

/** Of a collection; most of what stands in one are scalars, which need no step down. */
static void walk(wpa_rule_run *run, const wpa_yaml_node *node, int depth)
{
    bool is_mapping = node->kind == WPA_YAML_MAPPING;
    if (is_mapping && node->style == WPA_YAML_FLOW) {
        check_flow(run, node);
    }
    size_t n = depth == DEPTH_MAX ? 0 : node->n_pairs + node->n_items; /* one of them is 0 */
    for (size_t i = 0; i < n; i++) {
        const wpa_yaml_node *inner = is_mapping ? node->pairs[i].value : node->items[i];
        if (!inner) {
            continue;
        }
        if (inner->kind != WPA_YAML_SCALAR) {
            walk(run, inner, depth + 1);
        } else if (may_be_hazard(inner)) {
            check_scalar(run, inner);
        }
    }
}

static void check_nodes(wpa_rule_run *run, const wpa_yaml_node *root)
{
    if (root && root->kind == WPA_YAML_SCALAR) {
        check_scalar(run, root);
    } else if (root) {
        walk(run, root, 0);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_doc *doc = run->source->yaml;
    for (size_t i = 0; i < doc->n_diagnostics; i++) {
        const wpa_yaml_diagnostic *fault = &doc->diagnostics[i];
        if (fault->fault == WPA_YAML_FAULT_REDEFINED_ANCHOR) {
            wpa_finding *finding =
                wpa_rule_report(run, fault->span, "Z7", NULL, "%s", fault->message);
            wpa_rule_relate(run, finding, fault->related, "the first one");
        }
    }
    check_nodes(run, doc->root);
    if (wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        check_layout(run);
    }
    return true;
}

/** Versions whose short form was never offered: there quoting makes the written meaning hold. */
static bool is_known_version(const wpa_yaml_node *node)
{
    const char *name = name_of(node);
    return name && ((strstr(name, "python") && wpa_text_starts(node->text, "3.")) ||
                    (strstr(name, "go") && wpa_text_starts(node->text, "1.")));
}

static void repair_layout(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    bool is_end = finding->span.bytes.start == doc->size_bytes;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "%s",
                                is_end ? "end the last line" : "remove the blanks");
    wpa_rule_edit(run, fix, finding->span.bytes, "%s",
                  !is_end         ? ""
                  : doc->has_crlf ? "\r\n"
                                  : "\n");
}

/** "|" becomes "|-". */
static void repair_block(wpa_rule_run *run, wpa_finding *finding, const wpa_yaml_node *node)
{
    size_t at = node->span.start + 1;
    if (strchr(" \t\r\n#", node->doc->source[at])) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "leave the line break out");
        wpa_rule_edit(run, fix, (wpa_span){at, at}, "-");
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    if (node && wpa_text_is(finding->check, "Z8")) {
        repair_layout(run, finding);
    } else if (node && wpa_text_is(finding->check, "Z5")) {
        repair_block(run, finding, node);
    } else if (node && (is_version_name(name_of(node)) || !wpa_text_is(finding->check, "Z2"))) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, is_known_version(node) ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                         "quote it: '%s'", node->text);
        wpa_rule_edit(run, fix, node->span, "'%s'", node->text);
    }
}

const wpa_rule wpa_rule_yaml_hazards = {
    .code = "QUA-010",
    .id = "yaml-hazards",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUTS_ALL,
    .summary = "A value that YAML reads as something else than it looks",
    .why = "Python 3.10 becomes 3.1, mode 0644 becomes 644, a curly quote quotes nothing.",
    .fix = "Put the value in quotes, or type the plain character.",
    .checks =
        (const char *const[]){"Z1", "Z2", "Z3", "Z4", "Z5", "Z6", "Z7", "Z8", "Z9", "Z10", NULL},
    .declares = WPA_DECLARES_MATRIX | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
