#include "lint/tools.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

#define OUTPUT_MAX_BYTES ((size_t)32 << 20)

static wpa_lint_job *find_job(wpa_lint_job *const jobs[], size_t n, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    file = slash ? slash + 1 : file;
    for (size_t i = 0; file && i < n; i++) {
        if (wpa_text_is(jobs[i]->file, file)) {
            return jobs[i];
        }
    }
    return NULL;
}

static void add_comment(wpa_lint_job *job, const wpa_lint_comment *comment, wpa_arena *arena)
{
    job->comments = wpa_arena_grow(arena, job->comments, job->n_comments, &job->capacity,
                                   sizeof *job->comments);
    job->comments[job->n_comments++] = *comment;
}

/* Bytes of the script itself for a place in what the program read. */
static size_t place(const wpa_lint_job *job, int64_t line, int64_t column, unsigned tab_width)
{
    size_t at = wpa_lint_offset(job->text, job->length, line, column, tab_width);
    return at > job->lead ? at - job->lead : 0;
}

/* ---- ShellCheck --------------------------------------------------------------------------------
 */

static wpa_span span_of(const wpa_lint_job *job, const wpa_json *at)
{
    int64_t line = wpa_json_int_of(wpa_json_find(at, "line"), 1);
    int64_t end_line = wpa_json_int_of(wpa_json_find(at, "endLine"), line);
    size_t start = place(job, line, wpa_json_int_of(wpa_json_find(at, "column"), 1), 8);
    size_t end = place(job, end_line, wpa_json_int_of(wpa_json_find(at, "endColumn"), 1), 8);
    return (wpa_span){start, end > start ? end : start};
}

/* What is said of the lines in front is said to nobody. */
static bool is_of_lead(const wpa_lint_job *job, const wpa_json *at)
{
    return wpa_lint_offset(job->text, job->length, wpa_json_int_of(wpa_json_find(at, "line"), 1),
                           wpa_json_int_of(wpa_json_find(at, "column"), 1), 8) < job->lead;
}

static void read_fix(const wpa_lint_job *job, const wpa_json *fix, wpa_lint_comment *comment,
                     wpa_arena *arena)
{
    const wpa_json *list = fix ? wpa_json_find(fix, "replacements") : NULL;
    size_t n = list ? wpa_json_count(list) : 0;
    wpa_lint_replacement *replacements = wpa_arena_array(arena, n + 1, sizeof *replacements);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *at = wpa_json_at(list, i);
        const char *text = wpa_json_text_of(wpa_json_find(at, "replacement"));
        replacements[i] = (wpa_lint_replacement){span_of(job, at), text ? text : ""};
    }
    comment->replacements = replacements;
    comment->n_replacements = n;
}

static bool read_shellcheck(const char *output, size_t size_bytes, wpa_lint_job *const jobs[],
                            size_t n, wpa_arena *arena)
{
    wpa_error err = {0};
    const wpa_json *root = wpa_json_parse(output, size_bytes, OUTPUT_MAX_BYTES, arena, &err);
    const wpa_json *comments = root ? wpa_json_find(root, "comments") : NULL;
    for (size_t i = 0; comments && i < wpa_json_count(comments); i++) {
        const wpa_json *at = wpa_json_at(comments, i);
        wpa_lint_job *job = find_job(jobs, n, wpa_json_text_of(wpa_json_find(at, "file")));
        const char *message = wpa_json_text_of(wpa_json_find(at, "message"));
        const char *level = wpa_json_text_of(wpa_json_find(at, "level"));
        if (!job || !message || !level || is_of_lead(job, at)) {
            continue;
        }
        wpa_lint_comment comment = {.span = span_of(job, at), .level = level, .message = message};
        comment.code =
            wpa_arena_printf(arena, "SC%" PRId64, wpa_json_int_of(wpa_json_find(at, "code"), 0));
        read_fix(job, wpa_json_find(at, "fix"), &comment, arena);
        add_comment(job, &comment, arena);
    }
    return comments != NULL;
}

/* ---- ruff, pyflakes ----------------------------------------------------------------------------
 */

static bool read_ruff(const char *output, size_t size_bytes, wpa_lint_job *const jobs[], size_t n,
                      wpa_arena *arena)
{
    wpa_error err = {0};
    const wpa_json *root = wpa_json_parse(output, size_bytes, OUTPUT_MAX_BYTES, arena, &err);
    for (size_t i = 0; root && i < wpa_json_count(root); i++) {
        const wpa_json *at = wpa_json_at(root, i);
        const wpa_json *from = wpa_json_find(at, "location"),
                       *to = wpa_json_find(at, "end_location");
        wpa_lint_job *job = find_job(jobs, n, wpa_json_text_of(wpa_json_find(at, "filename")));
        const char *message = wpa_json_text_of(wpa_json_find(at, "message"));
        if (!job || !message || !from || !to) {
            continue;
        }
        size_t start = place(job, wpa_json_int_of(wpa_json_find(from, "row"), 1),
                             wpa_json_int_of(wpa_json_find(from, "column"), 1), 1);
        size_t end = place(job, wpa_json_int_of(wpa_json_find(to, "row"), 1),
                           wpa_json_int_of(wpa_json_find(to, "column"), 1), 1);
        const char *code = wpa_json_text_of(wpa_json_find(at, "code"));
        add_comment(job,
                    &(wpa_lint_comment){.span = {start, end > start ? end : start},
                                        .code = code,
                                        .level = "warning",
                                        .message = message},
                    arena);
    }
    return root != NULL;
}

static bool is_python_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* "file:line:column: message", one a line, of pyflakes and of the programs below. */
static bool read_lines(const char *output, size_t size_bytes, wpa_lint_job *const jobs[], size_t n,
                       wpa_arena *arena)
{
    const char *end = output + size_bytes;
    for (const char *at = output; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        char *line = wpa_arena_slice(arena, at, (size_t)(stop - at));
        at = stop + 1;
        char *row = strchr(line, ':'), *column = row ? strchr(row + 1, ':') : NULL;
        char *message = column ? strchr(column + 1, ' ') : NULL;
        if (!message) {
            continue;
        }
        *row = '\0';
        wpa_lint_job *job = find_job(jobs, n, line);
        if (!job) {
            continue;
        }
        size_t start = place(job, strtol(row + 1, NULL, 10), strtol(column + 1, NULL, 10), 1);
        size_t stop_at = start;
        while (job->lead + stop_at < job->length &&
               is_python_word(job->text[job->lead + stop_at])) {
            stop_at++;
        }
        add_comment(job,
                    &(wpa_lint_comment){.span = {start, stop_at},
                                        .level = "error",
                                        .message = message + strspn(message, " ")},
                    arena);
    }
    return true;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

/* What cannot be decided without the runner: sourced files, variables of the environment. */
#define SHELLCHECK_ARGV(shell)                                                                     \
    (const char *const[])                                                                          \
    {                                                                                              \
        "-s", shell, "-f", "json1", "-e", "SC1091,SC1128,SC2148,SC2153,SC2154", NULL               \
    }

/* Each prints "file:line:column: message" for what it cannot parse, and runs none of it. */
/* Of the shells in the shell's own words, as its first line says it behind the mark: sed would be
 * another process. */
#define SHELL_SYNTAX(shell, mark)                                                                  \
    "l='\n'\n"                                                                                     \
    "for f; do m=$(" shell " -n \"$f\" 2>&1); m=${m%%\"$l\"*}; w=${m##*\"$f: " mark "\"}; "        \
    "n=${w%%:*}; case $n in '' | *[!0-9]*) ;; *) printf '%s:%s:1:%s\\n' \"$f\" \"$n\" "            \
    "\"${w#*:}\";; esac; done"
static const char bash_syntax[] = SHELL_SYNTAX("bash", "line ");
static const char sh_syntax[] = SHELL_SYNTAX("sh", "");
static const char python_syntax[] = "import ast, sys\n"
                                    "for f in sys.argv[1:]:\n"
                                    "    try:\n"
                                    "        ast.parse(open(f, encoding='utf-8').read(), f)\n"
                                    "    except (SyntaxError, ValueError) as e:\n"
                                    "        print('%s:%d:%d: %s' % (f, getattr(e, 'lineno', 1) or "
                                    "1, getattr(e, 'offset', 1) or 1,\n"
                                    "                                getattr(e, 'msg', str(e))))\n";
static const char node_syntax[] =
    "const vm = require('vm'), fs = require('fs');\n"
    "for (const f of process.argv.slice(1)) {\n"
    "  try { new vm.Script('(async function () {' + fs.readFileSync(f, 'utf8') + '\\n})', "
    "{filename: f}); }\n"
    "  catch (e) {\n"
    "    const m = /:(\\d+)\\n[^\\n]*\\n( *)\\^/.exec(e.stack) || [0, 1, ''];\n"
    "    const c = m[2].length + 1 - (m[1] == 1 ? 21 : 0);\n"
    "    console.log(`${f}:${m[1]}:${c > 0 ? c : 1}: ${e.message}`);\n"
    "  }\n"
    "}\n";

static const char pwsh_syntax[] =
    "& { foreach ($f in $args) { $t = $null; $e = $null; "
    "[void][System.Management.Automation.Language.Parser]::ParseFile((Resolve-Path $f).Path, "
    "[ref]$t, [ref]$e); foreach ($x in $e) { '{0}:{1}:{2}: {3}' -f $f, "
    "$x.Extent.StartLineNumber, $x.Extent.StartColumnNumber, ($x.Message -replace '\\s+', ' ') } } "
    "}";

static const wpa_lint_program programs[] = {
    {"shellcheck", WPA_LINT_SHELLCHECK, WPA_TOOL_SHELLCHECK, "bash", ".bash",
     SHELLCHECK_ARGV("bash"), read_shellcheck, false},
    {"shellcheck", WPA_LINT_SHELLCHECK, WPA_TOOL_SHELLCHECK, "sh", ".sh", SHELLCHECK_ARGV("sh"),
     read_shellcheck, false},
    {"ruff", WPA_LINT_PYTHON, WPA_TOOL_PYFLAKES, "python", ".py",
     (const char *const[]){"check", "--isolated", "--no-cache", "--select", "F", "--output-format",
                           "json", NULL},
     read_ruff, false},
    {"pyflakes", WPA_LINT_PYTHON, WPA_TOOL_PYFLAKES, "python", ".py", (const char *const[]){NULL},
     read_lines, false},
    {"pyflakes3", WPA_LINT_PYTHON, WPA_TOOL_PYFLAKES, "python", ".py", (const char *const[]){NULL},
     read_lines, false},
    {"bash", WPA_LINT_SYNTAX, WPA_TOOL_BASH, "bash", ".bash",
     (const char *const[]){"-c", bash_syntax, "bash", NULL}, read_lines, false},
    {"sh", WPA_LINT_SYNTAX, WPA_TOOL_BASH, "sh", ".sh",
     (const char *const[]){"-c", sh_syntax, "sh", NULL}, read_lines, false},
    {"python3", WPA_LINT_SYNTAX, WPA_TOOL_PYFLAKES, "python", ".py",
     (const char *const[]){"-I", "-c", python_syntax, NULL}, read_lines, false},
    {"pwsh", WPA_LINT_SYNTAX, WPA_TOOL_PWSH, "pwsh", ".ps1",
     (const char *const[]){"-NoProfile", "-NonInteractive", "-Command", pwsh_syntax, NULL},
     read_lines, true},
    {"node", WPA_LINT_SYNTAX, WPA_TOOL_NODE, "node", ".js",
     (const char *const[]){"-e", node_syntax, "--", NULL}, read_lines, false},
};

const wpa_lint_program *wpa_lint_programs(size_t *n)
{
    *n = WPA_COUNT(programs);
    return programs;
}
