#include "rules/one_word.h"

#include <ctype.h>
#include <string.h>

#include <wpa/map.h>

#include "rules/site.h"
#include "rules/work.h"

#define DEPTH_MAX 8 /* variables that stand in the values of variables */

/* Numbers, commits, and names that git and the forge let no blank into. */
static const char *const of_forge[] = {
    "GITHUB_OUTPUT",     "GITHUB_ENV",           "GITHUB_PATH",         "GITHUB_STATE",
    "GITHUB_SHA",        "GITHUB_RUN_ID",        "GITHUB_RUN_NUMBER",   "GITHUB_STEP_SUMMARY",
    "GITHUB_REF",        "GITHUB_REF_NAME",      "GITHUB_RUN_ATTEMPT",  "GITHUB_REF_TYPE",
    "GITHUB_HEAD_REF",   "GITHUB_BASE_REF",      "GITHUB_REPOSITORY",   "GITHUB_REPOSITORY_OWNER",
    "GITHUB_EVENT_NAME", "GITHUB_REPOSITORY_ID", "GITHUB_SERVER_URL",   "GITHUB_API_URL",
    "RUNNER_OS",         "RUNNER_ARCH",          "GITHUB_WORKFLOW_SHA", "GITHUB_GRAPHQL_URL",
};

static const char *const expressions[] = {
    "github.sha",
    "github.ref",
    "github.ref_name",
    "github.head_ref",
    "github.base_ref",
    "github.repository",
    "github.repository_owner",
    "github.run_id",
    "github.run_number",
    "github.run_attempt",
    "github.event_name",
    "github.server_url",
    "github.api_url",
    "github.event.number",
    "github.event.issue.number",
    "github.event.pull_request.number",
    "github.event.pull_request.head.sha",
    "github.event.pull_request.base.sha",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.base.ref",
    "github.event.release.tag_name",
    "runner.os",
    "runner.arch",
};

/* Folders of the runner: without blanks on those of the forge, whatever another's owner calls them.
 */
static const char *const of_runner[] = {"HOME",
                                        "PWD",
                                        "GITHUB_WORKSPACE",
                                        "RUNNER_TEMP",
                                        "RUNNER_TOOL_CACHE",
                                        "TMPDIR",
                                        "GITHUB_ACTION_PATH",
                                        "JAVA_HOME",
                                        "ANDROID_HOME"};

/* On Windows programs lie in "Program Files". */
static bool are_programs_plain(const wpa_outline_step *step)
{
    wpa_fact_os os = step->job->os;
    return wpa_work_is_hosted(step->job) && (os == WPA_OS_LINUX || os == WPA_OS_MACOS);
}

static bool is_listed(wpa_slice word, const char *const list[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_slice_is(word, list[i])) {
            return true;
        }
    }
    return false;
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static bool has_one_of(wpa_slice text, const char *const words[], size_t n, bool is_end)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(words[i]);
        const char *at = text.at + (is_end && text.length > length ? text.length - length : 0);
        if (text.length >= length && memcmp(at, words[i], length) == 0) {
            return true;
        }
    }
    return false;
}

bool wpa_one_word_command(const wpa_outline_step *step, wpa_slice command)
{
    static const char *const whole[] = {
        "nproc",
        "nproc --all",
        "id -u",
        "id -g",
        "id -un",
        "whoami",
        "arch",
        "uname -m",
        "uname -s",
        "uname -r",
        "sysctl -n hw.ncpu",
        "sysctl -n hw.logicalcpu",
        "getconf _NPROCESSORS_ONLN",
        "ulimit -n",
        "ulimit -Hn",
        "ulimit -H -n",
        "dpkg --print-architecture",
        "git branch --show-current",
        "rustc --print host-tuple",
        "date +%s",
        "date +%F",
        "date +%Y",
        "date +%Y%m%d",
        "date +%Y-%m-%d",
    };
    static const char *const starts[] = {"git rev-parse ", "git merge-base ",
                                         "git rev-list --count "};
    static const char *const ends[] = {"wc -l", "wc -c", "wc -w", "wc --lines", "| bc", "| bc -l"};
    static const char *const folders[] = {"pwd", "xcode-select -p", "go env GOPATH",
                                          "go env GOROOT", "brew --prefix"};
    bool is_simple = !memchr(command.at, '\n', command.length) &&
                     !memchr(command.at, '|', command.length) &&
                     !memchr(command.at, ';', command.length);
    bool is_which = wpa_text_starts(command.at, "which ") && is_simple;
    return is_listed(command, whole, WPA_COUNT(whole)) ||
           (is_simple && has_one_of(command, starts, WPA_COUNT(starts), false)) ||
           has_one_of(command, ends, WPA_COUNT(ends), true) ||
           (is_which && are_programs_plain(step)) ||
           (is_listed(command, folders, WPA_COUNT(folders)) && wpa_work_is_hosted(step->job));
}

/* ---- variables of the script -------------------------------------------------------------------
 */

typedef enum verdict {
    UNJUDGED,
    BEING_JUDGED,
    ONE_WORD,
    UNKNOWN
} verdict;

/* Something that the script gives a variable. */
typedef struct value {
    wpa_span span;   /* bytes of the script */
    bool is_of_loop; /* words that a loop goes through, one of which it is at a time */
    struct value *next;
} value;

typedef struct variable {
    verdict verdict;
    value *values;
} variable;

typedef struct reader {
    wpa_rule_run *run;
    const wpa_outline_step *step;
    wpa_map *variables; /* name -> variable */
} reader;

static variable *variable_named(reader *r, wpa_slice name)
{
    const char *key = wpa_arena_slice(r->run->lasting, name.at, name.length);
    variable *v = wpa_map_get(r->variables, key);
    if (!v) {
        v = wpa_arena_alloc(r->run->lasting, sizeof *v);
        wpa_map_put(r->variables, key, v);
    }
    return v;
}

static void add_value(reader *r, wpa_slice name, wpa_span span, bool is_of_loop)
{
    variable *v = variable_named(r, name);
    value *one = wpa_arena_alloc(r->run->lasting, sizeof *one);
    *one = (value){span, is_of_loop, v->values};
    v->values = one;
}

/* "NAME=value", "NAME+=value" */
static void add_assignment(reader *r, const wpa_shell_word *word)
{
    size_t length = wpa_text_name_length(word->text);
    size_t behind = length + (word->text[length] == '+');
    if (length && word->text[behind] == '=') {
        add_value(r, (wpa_slice){word->text, length},
                  (wpa_span){word->span.start + behind + 1, word->span.end}, false);
    }
}

/* What is read from elsewhere into variables. */
static void add_filled(reader *r, const wpa_shell_command *c)
{
    static const char *const readers[] = {"read",   "mapfile", "readarray", "printf",
                                          "select", "getopts", "unset"};
    if (wpa_text_is(c->name, "for") && c->n_words > c->first + 3 &&
        wpa_text_is(c->words[c->first + 2].text, "in")) {
        const wpa_shell_word *name = &c->words[c->first + 1];
        add_value(r, wpa_slice_of(name->text),
                  (wpa_span){c->words[c->first + 3].span.start, c->span.end}, true);
        return;
    }
    bool is_filling =
        wpa_text_is(c->name, "for") || wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
    for (size_t i = c->first + 1; is_filling && i < c->n_words; i++) {
        size_t length = wpa_text_name_length(c->words[i].text);
        if (length && !c->words[i].text[length]) {
            variable_named(r, wpa_slice_of(c->words[i].text))->verdict = UNKNOWN;
        }
    }
}

static reader read_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const builtins[] = {"export", "local", "declare", "readonly", "typeset"};
    bool is_new;
    wpa_map **kept = wpa_site_keep(run, 'O', step, NULL, sizeof *kept, &is_new);
    *kept = is_new ? wpa_map_new(run->lasting) : *kept;
    reader r = {run, step, *kept};
    const wpa_script *script = step->script;
    for (size_t i = 0; is_new && script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_builtin = wpa_text_index(c->name, builtins, WPA_COUNT(builtins)) >= 0;
        for (size_t k = 0; k < (is_builtin ? c->n_words : c->first) && k < c->n_words; k++) {
            add_assignment(&r, &c->words[k]);
        }
        add_filled(&r, c);
    }
    return r;
}

/* ---- values ------------------------------------------------------------------------------------
 */

static bool is_variable(reader *r, wpa_slice expansion, unsigned depth);

/* Bytes up to the bracket that closes the one in front of text; SIZE_MAX if none does. */
static size_t until_closed(const char *text, size_t length, char open, char close)
{
    size_t depth = 1;
    for (size_t i = 0; i < length; i++) {
        depth += text[i] == open;
        depth -= text[i] == close;
        if (!depth) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* "${{ github.sha }}" at text: its length; 0 if it is none that gives one word. */
static size_t expression_length(const char *text, size_t length)
{
    const char *end = length > 5 ? memmem(text, length, "}}", 2) : NULL;
    const char *start = text + 3 + strspn(text + 3, " ");
    const char *last = end;
    while (last && last > start && last[-1] == ' ') {
        last--;
    }
    bool is_known =
        last && last > start &&
        is_listed((wpa_slice){start, (size_t)(last - start)}, expressions, WPA_COUNT(expressions));
    return is_known ? (size_t)(end - text) + 2 : 0;
}

/* What begins with "$" or "`" at text: its length; 0 if it may be more than a word. */
static size_t expansion_length(reader *r, const char *text, size_t length, unsigned depth)
{
    wpa_slice rest = {text + 2, length > 2 ? length - 2 : 0};
    if (wpa_text_starts(text, "${{")) {
        return expression_length(text, length);
    }
    if (wpa_text_starts(text, "$((")) {
        size_t n = until_closed(rest.at, rest.length, '(', ')');
        return n == SIZE_MAX ? 0 : n + 3;
    }
    if (wpa_text_starts(text, "$(") || *text == '`') {
        bool is_old = *text == '`';
        const char *inner = text + (is_old ? 1 : 2);
        size_t n_left = length - (size_t)(inner - text);
        const char *tick = is_old ? memchr(inner, '`', n_left) : NULL;
        size_t n = tick     ? (size_t)(tick - inner)
                   : is_old ? SIZE_MAX
                            : until_closed(inner, n_left, '(', ')');
        bool is_known = n != SIZE_MAX && wpa_one_word_command(r->step, (wpa_slice){inner, n});
        return is_known ? (size_t)(inner - text) + n + 1 : 0;
    }
    if (wpa_text_starts(text, "${")) {
        size_t n = until_closed(rest.at, rest.length, '{', '}');
        return n != SIZE_MAX && is_variable(r, (wpa_slice){rest.at, n}, depth) ? n + 3 : 0;
    }
    size_t n = length > 1 ? wpa_text_name_length(text + 1) : 0;
    return n && n < length && is_variable(r, (wpa_slice){text + 1, n}, depth) ? n + 1 : 0;
}

/* Letters, digits and signs that mean nothing to a shell, and expansions that are one word. */
static bool is_value(reader *r, wpa_slice text, unsigned depth)
{
    for (size_t i = 0; i < text.length;) {
        char c = text.at[i];
        if (isalnum((unsigned char)c) || (c && strchr("_./:@%+=,-\"'", c))) {
            i++;
            continue;
        }
        size_t n =
            c == '$' || c == '`' ? expansion_length(r, text.at + i, text.length - i, depth) : 0;
        if (!n) {
            return false;
        }
        i += n;
    }
    return true;
}

/* The shell has split what a loop goes through at its blanks, where no quotes and no files are. */
static bool is_split(wpa_slice words)
{
    for (size_t i = 0; i < words.length; i++) {
        if (strchr("\"'\\*?[", words.at[i])) {
            return false;
        }
    }
    return true;
}

/* What the workflow, the job and the step put into the environment: the innermost counts. */
static bool is_environment_one_word(reader *r, const char *name)
{
    const wpa_yaml_node *levels[] = {r->step->env, wpa_yaml_get(r->step->job->node, "env"),
                                     wpa_yaml_get(r->run->source->outline->root, "env")};
    for (size_t i = 0; i < WPA_COUNT(levels); i++) {
        const wpa_yaml_node *level = wpa_yaml_resolve(levels[i]);
        bool is_map = wpa_yaml_is(level, WPA_YAML_MAPPING);
        const wpa_yaml_node *node = is_map ? wpa_yaml_resolve(wpa_yaml_get(level, name)) : NULL;
        const char *text = wpa_yaml_text(node);
        if (node) { /* no shell expands it: so deep no variable is looked up */
            bool is_plain = text && !strstr(text, "$(") && !strchr(text, '`');
            return is_plain && is_value(r, wpa_slice_of(text), DEPTH_MAX);
        }
    }
    return false;
}

static bool judge(reader *r, const variable *v, const char *name, unsigned depth)
{
    const char *script = r->step->run->text;
    for (const value *one = v->values; one; one = one->next) {
        wpa_slice text = {script + one->span.start, wpa_span_length(one->span)};
        bool is_inside = one->span.end <= r->step->run->length;
        if (!is_inside || !(one->is_of_loop ? is_split(text) : is_value(r, text, depth + 1))) {
            return false;
        }
    }
    return v->values || is_environment_one_word(r, name);
}

static bool is_variable(reader *r, wpa_slice expansion, unsigned depth)
{
    size_t length = 0;
    while (length < expansion.length &&
           (isalnum((unsigned char)expansion.at[length]) || expansion.at[length] == '_')) {
        length++;
    }
    wpa_slice name = {expansion.at, length};
    bool is_cut = length < expansion.length && strchr("#%", expansion.at[length]);
    if (!length || (length < expansion.length && !is_cut) || depth >= DEPTH_MAX) {
        return false;
    }
    bool is_folder = is_listed(name, of_runner, WPA_COUNT(of_runner));
    if (is_listed(name, of_forge, WPA_COUNT(of_forge)) ||
        (is_folder && wpa_work_is_hosted(r->step->job)) ||
        (wpa_slice_is(name, "PATH") && are_programs_plain(r->step))) {
        return true;
    }
    variable *v = variable_named(r, name);
    if (v->verdict == UNJUDGED) {
        v->verdict =
            BEING_JUDGED; /* what leads back to it is what it held before, whatever that is */
        const char *text = wpa_arena_slice(r->run->arena, name.at, name.length);
        v->verdict = judge(r, v, text, depth) ? ONE_WORD : UNKNOWN;
    }
    return v->verdict == ONE_WORD;
}

bool wpa_one_word_variable(wpa_rule_run *run, const wpa_outline_step *step, wpa_slice expansion)
{
    if (!step->run || !step->run->text) {
        return false;
    }
    reader r = read_step(run, step);
    return is_variable(&r, expansion, 0);
}
