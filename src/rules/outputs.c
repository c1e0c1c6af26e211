#include "rules/outputs.h"

#include <ctype.h>
#include <string.h>

#include "rules/site.h"
#include "rules/steps.h"

#define FILE_NAME "GITHUB_OUTPUT"

/* What is gathered from one script. */
typedef struct gatherer {
    const char *names[WPA_OUTPUTS_MAX];
    size_t n;
    bool is_complete; /* no others are set */
    const wpa_script *script;
    size_t n_mentions; /* of the file, where it was understood what is done with it */
    bool has_text;     /* a value of several lines is being written: its lines name nothing */
    wpa_arena *arena;
} gatherer;

/*
 * Programs that have no part in a step's outputs, whatever their arguments. Any other may write to
 * the file itself, since it inherits its name.
 */
static const char *const harmless[] = {
    "",      "[",       "[[",        "]]",       "alias",    "apt",      "apt-get",   "awk",
    "aws",   "az",      "base64",    "basename", "bc",       "break",    "bunzip2",   "cat",
    "cd",    "chmod",   "chown",     "cmp",      "comm",     "continue", "cp",        "curl",
    "cut",   "date",    "declare",   "df",       "diff",     "dirname",  "dpkg",      "du",
    "echo",  "egrep",   "exit",      "export",   "expr",     "false",    "fgrep",     "file",
    "find",  "fold",    "gcloud",    "gh",       "git",      "gpg",      "grep",      "gunzip",
    "gzip",  "head",    "helm",      "hostname", "id",       "jq",       "kubectl",   "let",
    "ln",    "local",   "ls",        "mapfile",  "md5sum",   "mkdir",    "mktemp",    "mv",
    "nproc", "openssl", "paste",     "popd",     "printenv", "printf",   "ps",        "pushd",
    "pwd",   "read",    "readarray", "readlink", "readonly", "realpath", "return",    "rev",
    "rm",    "rmdir",   "sed",       "seq",      "set",      "sha1sum",  "sha256sum", "shasum",
    "shift", "shopt",   "shuf",      "skopeo",   "sleep",    "sort",     "split",     "ssh-keygen",
    "stat",  "tac",     "tail",      "tar",      "tee",      "test",     "touch",     "tr",
    "trap",  "true",    "type",      "umask",    "uname",    "uniq",     "unset",     "unzip",
    "wait",  "wc",      "wget",      "which",    "whoami",   "xz",       "yq",        "zip",
    "zstd",  ":",       "(",         ")",        "{",        "}",        "for",       "do",
    "done",  "if",      "then",      "else",     "fi",       "case",     "esac",      "while",
    "until", "in",      "!",
};

static void add(gatherer *g, const char *name)
{
    if (g->n == WPA_OUTPUTS_MAX || strstr(name, "___")) { /* a name with an expression in it */
        g->is_complete = false;
        return;
    }
    g->names[g->n++] = name;
}

/** "name=…" or "name<<…" at the start of a line; moves has_text with the second. */
static bool read_line(gatherer *g, const char *line, size_t length)
{
    size_t n = 0;
    while (n < length && (isalnum((unsigned char)line[n]) || line[n] == '_' || line[n] == '-')) {
        n++;
    }
    bool is_text = n && n + 1 < length && line[n] == '<' && line[n + 1] == '<';
    if (!is_text && !(n && n < length && line[n] == '=')) {
        return false;
    }
    add(g, wpa_arena_slice(g->arena, line, n));
    g->has_text = g->has_text || is_text;
    return true;
}

/** Lines of what is written; one that names nothing leaves all open, unless it is text. */
static void read_lines(gatherer *g, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        const char *line = text + at, *end = memchr(line, '\n', length - at);
        const char *escape = wpa_text_find(line, length - at, "\\n");
        end = escape && (!end || escape < end) ? escape : end;
        size_t n = end ? (size_t)(end - line) : length - at;
        if (n && !read_line(g, line, n) && !g->has_text) {
            g->is_complete = false;
        }
        at += n + (end ? (end == escape ? 2 : 1) : 0);
    }
}

static bool is_file(const wpa_shell_word *word)
{
    return wpa_text_is(word->text, "$" FILE_NAME) || wpa_text_is(word->text, "${" FILE_NAME "}");
}

static bool writes_text(const wpa_shell_command *command)
{
    return wpa_text_is(command->name, "echo") || wpa_text_is(command->name, "printf");
}

/** What echo, printf and cat with a here-document put out. */
static void read_writer(gatherer *g, const wpa_shell_command *command)
{
    const wpa_shell_word *word = writes_text(command) ? wpa_shell_argument(command, 0) : NULL;
    if (word) {
        read_lines(g, word->text, strlen(word->text));
        return;
    }
    for (size_t i = 0; i < command->n_redirects; i++) {
        const wpa_shell_redirect *redirect = &command->redirects[i];
        if (wpa_text_is(command->name, "cat") && wpa_text_is(redirect->operator, "<<")) {
            read_lines(g, g->script->text + redirect->body.start, wpa_span_length(redirect->body));
            return;
        }
    }
    /* An empty echo is nothing, and what is put out within a value names nothing. */
    g->is_complete = g->is_complete && (writes_text(command) || g->has_text);
}

static bool has_own_target(const wpa_shell_command *command)
{
    for (size_t i = 0; i < command->n_redirects; i++) {
        const char *operator= command->redirects[i].operator;
        if (*operator== '>' || * operator== '&') {
            return true;
        }
    }
    return wpa_text_is(command->after, "|");
}

/** A group writes to the file: whatever in the script puts out text may stand in it. */
static void read_group(gatherer *g)
{
    for (size_t i = 0; i < g->script->n_commands; i++) {
        const wpa_shell_command *command = &g->script->commands[i];
        static const char *const silent[] = {"",     "[",     "[[",   "test",   "cd",     "set",
                                             "exit", "local", "read", "export", "return", "true"};
        bool is_silent =
            wpa_text_index(command->name, silent, WPA_COUNT(silent)) >= 0 || command->nested > 0;
        if (!is_silent && !has_own_target(command)) {
            read_writer(g, command);
        }
    }
}

static void read_redirects(gatherer *g, const wpa_shell_command *command)
{
    for (size_t i = 0; i < command->n_redirects; i++) {
        if (!is_file(&command->redirects[i].target)) {
            continue;
        }
        g->n_mentions++;
        if (command->n_words == 0) {
            read_group(g);
        } else {
            read_writer(g, command);
        }
    }
}

/** "… | tee -a file" */
static void read_tee(gatherer *g, size_t i)
{
    const wpa_shell_command *command = &g->script->commands[i];
    for (size_t k = command->first + 1; k < command->n_words; k++) {
        if (is_file(&command->words[k])) {
            g->n_mentions++;
            if (i && wpa_text_is(command->before, "|")) {
                read_writer(g, command - 1);
            } else {
                g->is_complete = false;
            }
        }
    }
}

/** "::set-output name=x::…", and as it was written before that. */
static void read_old_forms(gatherer *g)
{
    static const struct {
        const char *mark, *behind; /* what can stand behind the name */
    } forms[] = {{"::set-output name=", ":\n"}, {"##[set-output name=", ";]\n"}};
    const char *end = g->script->text + g->script->length;
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        const char *at = g->script->text;
        while ((at = wpa_text_find(at, (size_t)(end - at), forms[i].mark))) {
            at += strlen(forms[i].mark);
            add(g, wpa_arena_slice(g->arena, at, strcspn(at, forms[i].behind)));
        }
    }
}

static size_t count_mentions(const char *text, const char *name)
{
    size_t n = 0;
    const char *end = text + strlen(text);
    for (const char *at = text; (at = wpa_text_find(at, (size_t)(end - at), name));
         at += strlen(name)) {
        n++;
    }
    return n;
}

/* In the arena. */
static wpa_outputs outputs_of(const gatherer *g)
{
    const char **names = wpa_arena_array(g->arena, g->n + 1, sizeof(const char *));
    for (size_t i = 0; i < g->n; i++) {
        names[i] = g->names[i];
    }
    return (wpa_outputs){names, g->n, g->is_complete};
}

static wpa_outputs read_shell(const wpa_script *script, wpa_arena *arena)
{
    gatherer g = {.script = script, .arena = arena, .is_complete = script->is_readable};
    for (size_t i = 0; i < script->n_commands && g.is_complete; i++) {
        const wpa_shell_command *command = &script->commands[i];
        const wpa_shell_word *called =
            command->first < command->n_words ? &command->words[command->first] : NULL;
        bool is_harmless = wpa_text_index(command->name, harmless, WPA_COUNT(harmless)) >= 0 &&
                           !(called && strchr(called->text, '/')) && !command->is_nested_script;
        g.is_complete = is_harmless;
        read_redirects(&g, command);
        if (wpa_text_is(command->name, "tee")) {
            read_tee(&g, i);
        }
    }
    read_old_forms(&g);
    if (g.is_complete && count_mentions(script->text, FILE_NAME) != g.n_mentions) {
        g.is_complete = false;
    }
    return outputs_of(&g);
}

/* ---- actions/github-script ---- */

/** "core.setOutput('name', …" alone; what loads other code, or hands core on, may set more. */
static wpa_outputs read_javascript(const char *text, wpa_arena *arena)
{
    static const char *const open[] = {"require", "import",  "process.env", "spawn",
                                       "exec",    FILE_NAME, "${{",         "eval"};
    static const char call[] = "core.setOutput(";
    gatherer g = {.arena = arena, .is_complete = true};
    for (size_t i = 0; i < WPA_COUNT(open); i++) {
        g.is_complete = g.is_complete && !wpa_text_seek(text, open[i]);
    }
    add(&g, "result");
    size_t n_calls = 0;
    const char *behind = text + strlen(text);
    for (const char *at = text; (at = wpa_text_find(at, (size_t)(behind - at), call)); n_calls++) {
        at += strlen(call);
        at += strspn(at, " \t\r\n");
        const char *end = *at == '\'' || *at == '"' ? strchr(at + 1, *at) : NULL;
        if (!end) {
            g.is_complete = false;
            continue;
        }
        add(&g, wpa_arena_slice(arena, at + 1, (size_t)(end - at) - 1));
    }
    /* Each mention of core must be a member, and each setOutput one of the calls. */
    bool is_plain = count_mentions(text, "setOutput") == n_calls &&
                    count_mentions(text, "core") == count_mentions(text, "core.");
    g.is_complete = g.is_complete && is_plain;
    return outputs_of(&g);
}

static wpa_outputs read_step(const wpa_outline_step *step, wpa_arena *arena)
{
    const wpa_script *script = step->script;
    if (script && step->run && script->language == WPA_SCRIPT_POSIX) {
        return read_shell(script, arena);
    }
    const char *text = wpa_outline_step_uses(step, "actions/github-script")
                           ? wpa_outline_with_text(step, "script")
                           : NULL;
    return text ? read_javascript(text, arena) : (wpa_outputs){0};
}

const wpa_outputs *wpa_outputs_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    wpa_outputs *kept = wpa_site_keep(run, 'o', step, NULL, sizeof *kept, &is_new);
    if (is_new) {
        *kept = read_step(step, run->lasting);
    }
    return kept;
}

bool wpa_outputs_has(const wpa_outputs *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->n; i++) {
        if (wpa_text_is_ci(outputs->names[i], name)) {
            return true;
        }
    }
    return false;
}

wpa_span wpa_outputs_place(const wpa_outline_step *step, const char *name)
{
    const wpa_yaml_node *text = step->run ? step->run : wpa_step_javascript(step);
    const char *at = wpa_yaml_text(text) ? text->text : NULL;
    size_t length = strlen(name);
    while (at && (at = strstr(at, name)) && !strchr("=<'\"", at[length])) {
        at += length;
    }
    size_t from = at ? (size_t)(at - text->text) : 0;
    return at ? wpa_step_span(step, text, from, from + length) : step->node->pairs[0].key->span;
}
