/* SEC-034: what is downloaded runs at once, whatever it is today. */
#include <string.h>

#include "facts/commands.h"
#include "rules/dockerfile.h"
#include "rules/download.h"
#include "rules/pin.h"
#include "rules/pipes.h"
#include "rules/saved.h"
#include "rules/shell_roles.h"
#include "rules/steps.h"

/* Commands behind a download that are looked at: whoever writes more means to be slow. */
#define LOOKAHEAD_MAX 300

static bool is_fetch(const wpa_shell_command *c)
{
    static const char *const names[] = {"curl", "wget", "aria2c", "fetch", "http"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
}

static bool is_powershell(const wpa_shell_command *c)
{
    static const char *const names[] = {"powershell", "pwsh", "powershell.exe", "pwsh.exe"};
    bool is_it = false;
    for (size_t i = 0; i < WPA_COUNT(names) && !is_it; i++) {
        is_it = wpa_text_is_ci(c->name, names[i]);
    }
    return is_it;
}

static bool is_windows_installer(const wpa_shell_command *c)
{
    return wpa_text_is_ci(c->name, "msiexec") || wpa_text_is_ci(c->name, "msiexec.exe");
}

static wpa_finding *report(wpa_rule_run *run, const wpa_download *d, wpa_span span,
                           const char *runner, bool is_saved)
{
    if (wpa_download_is_fixed(run, d)) {
        return NULL;
    }
    bool is_version = d->url && wpa_url_names_version(d->url);
    const char *what = d->url ? wpa_rule_quote(run, d->url, strlen(d->url)) : "a download";
    wpa_finding *finding =
        wpa_rule_report_script(run, d->step, span, NULL, NULL,
                               is_version ? "%s runs what %s answers, and nothing checks it"
                                          : "%s runs whatever %s answers today",
                               runner, d->url ? what : "the download");
    const wpa_fact_host *host = d->url ? wpa_facts_host_find(wpa_url_host(d->url)) : NULL;
    bool is_vendor = host && host->is_vendor;
    if ((is_vendor || is_version) && strcasestr(d->url, "https://")) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    if ((is_saved || !d->url) && finding->confidence > WPA_CONFIDENCE_MEDIUM) {
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    wpa_rule_relate_script(run, finding, d->step->run, wpa_outline_script_span(d->step, span));
    return finding;
}

/* ---- curl ... | sh -----------------------------------------------------------------------------
 */

/* A shell that reads its script from the pipe: no script of its own, no -c. */
static bool reads_pipe(const wpa_shell_command *c)
{
    static const char *const give_script[] = {"-c", "-m", "-e", "-p", "-n", "-ne"};
    static const char *const name_input[] = {"-s", "-", "--", "/dev/stdin"};
    if (wpa_text_is(c->name, "source") || wpa_text_is(c->name, ".")) { /* alone: that of fish */
        return c->n_words == c->first + 1 || wpa_shell_word_find(c, "/dev/stdin");
    }
    if (!wpa_is_interpreter(c->name)) {
        return false;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, "-c") && i + 1 == c->n_words) {
            return true; /* "xargs sh -c": the script is what xargs reads */
        }
        if (wpa_text_index(word, name_input, WPA_COUNT(name_input)) >= 0) {
            return true;
        }
        if (word[0] != '-' || wpa_text_index(word, give_script, WPA_COUNT(give_script)) >= 0) {
            return false;
        }
    }
    return true;
}

/* Commands that let the pipe be: whoever stands behind them in the group reads it. */
static bool leaves_pipe(const wpa_shell_command *c)
{
    static const char *const names[] = {"",       "cd",    "set",     "export", "echo",
                                        "printf", "test",  "mkdir",   "pushd",  "umask",
                                        "trap",   "sleep", "[",       "unset",  "local",
                                        "true",   "shopt", "declare", "[[",     "command"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
}

/* A substitution in a word of a later command of the range is read by that one alone. */
static bool is_in_word(const wpa_script *script, size_t i, size_t last)
{
    const wpa_shell_command *c = &script->commands[i];
    for (size_t k = i + 1; k < last; k++) {
        const wpa_shell_command *outer = &script->commands[k];
        if (outer->nested < c->nested && wpa_span_contains(outer->span, c->span)) {
            return true;
        }
    }
    return false;
}

/* The command among these that reads the pipe into their group; SIZE_MAX if none does. */
static size_t reader_of(const wpa_script *script, wpa_command_range range)
{
    for (size_t k = range.first; k < range.last && k < range.first + LOOKAHEAD_MAX; k++) {
        const wpa_shell_command *c = &script->commands[k];
        bool is_behind_pipe = k > range.first && wpa_text_starts(c->before, "|") && !c->before[1];
        if (!is_behind_pipe && !leaves_pipe(c) && !is_in_word(script, k, range.last)) {
            return k;
        }
    }
    return SIZE_MAX;
}

static void check_pipe(wpa_rule_run *run, const wpa_download *d, size_t i)
{
    const wpa_script *script = d->step->lexed;
    const char *file =
        d->fetch->after[0] == '|' ? NULL : wpa_saved_as(script, i, d->url, run->arena);
    if (file && !wpa_text_is(file, "-") && !wpa_text_starts(file, "/dev/")) {
        return; /* the group that the download stands in prints something else */
    }
    wpa_command_range range;
    size_t at = i;
    while (at < i + LOOKAHEAD_MAX && wpa_shell_pipe(script, at, &range)) {
        at = reader_of(script, range);
        if (at == SIZE_MAX) {
            return;
        }
        const wpa_shell_command *c = &script->commands[at];
        if (reads_pipe(c)) {
            report(run, d, (wpa_span){d->fetch->span.start, c->span.end}, c->name, false);
            return;
        }
    }
}

/* ---- bash <(curl ...), eval "$(curl ...)" ------------------------------------------------------
 */

/* "bash < <(curl ...)", "bash <<< "$(curl ...)"" */
static bool is_fed_with(const wpa_shell_command *outer, wpa_span span)
{
    for (size_t i = 0; i < outer->n_redirects; i++) {
        const wpa_shell_redirect *r = &outer->redirects[i];
        bool is_input = wpa_text_is(r->operator, "<") || wpa_text_is(r->operator, "<<<");
        if (is_input && wpa_span_contains(r->target.span, span)) {
            return reads_pipe(outer);
        }
    }
    return false;
}

static void check_substitution(wpa_rule_run *run, const wpa_download *d, size_t i)
{
    static const char *const runners[] = {"eval", "source", ".", "exec"};
    const wpa_script *script = d->step->lexed;
    for (size_t k = i + 1; d->fetch->nested && k < script->n_commands && k < i + LOOKAHEAD_MAX;
         k++) {
        const wpa_shell_command *outer = &script->commands[k];
        bool is_inside = outer->nested < d->fetch->nested;
        if (is_inside && is_fed_with(outer, d->fetch->span)) {
            report(run, d, (wpa_span){outer->span.start, d->fetch->span.end}, outer->name, false);
            return;
        }
        if (!is_inside || !wpa_span_contains(outer->span, d->fetch->span)) {
            continue;
        }
        const wpa_shell_word *program = &outer->words[outer->first];
        bool is_program = outer->first < outer->n_words && !outer->is_nested_script &&
                          wpa_text_starts(program->text, "$(") &&
                          wpa_span_contains(program->span, d->fetch->span);
        bool is_process = is_program || strstr(outer->name, "<(") != NULL;
        if ((wpa_is_interpreter(outer->name) && outer->n_words > outer->first + 1) ||
            wpa_text_index(outer->name, runners, WPA_COUNT(runners)) >= 0 || is_process) {
            report(run, d, outer->span, is_process ? "the shell" : outer->name, false);
        }
        return;
    }
}

/* Does the word hold the variable: "$X", "${X}"? */
static bool expands(const char *word, const char *name, size_t length)
{
    for (const char *at = strchr(word, '$'); at; at = strchr(at + 1, '$')) {
        const char *start = at[1] == '{' ? at + 2 : at + 1;
        if (strncmp(start, name, length) == 0 && wpa_text_name_length(start + length) == 0) {
            return true;
        }
    }
    return false;
}

/* eval "$X", sh -c "$X", bash <<< "$X", echo "$X" | sh */
static bool runs_variable(const wpa_shell_command *c, bool has_next, const char *name,
                          size_t length)
{
    bool is_shell = wpa_is_interpreter(c->name);
    for (size_t i = 0; is_shell && i < c->n_redirects; i++) {
        const wpa_shell_redirect *r = &c->redirects[i];
        if (wpa_text_is(r->operator, "<<<") && expands(r->target.text, name, length)) {
            return reads_pipe(c);
        }
    }
    bool is_eval = wpa_text_is(c->name, "eval");
    bool is_printed = (wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf")) &&
                      wpa_text_is(c->after, "|") && has_next && reads_pipe(c + 1);
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        bool is_code =
            is_eval || is_printed || (is_shell && wpa_text_is(c->words[i - 1].text, "-c"));
        if (is_code && expands(c->words[i].text, name, length)) {
            return true;
        }
    }
    return false;
}

/* X=$(curl ...), and a later command that runs "$X". */
static void check_held(wpa_rule_run *run, const wpa_download *d, size_t i)
{
    const wpa_script *script = d->step->lexed;
    const char *name = NULL;
    size_t length = 0;
    for (size_t k = i + 1; d->fetch->nested && k < script->n_commands && k < i + LOOKAHEAD_MAX;
         k++) {
        const wpa_shell_command *c = &script->commands[k];
        const char *word = c->n_words ? c->words[c->n_words - 1].text : "";
        size_t n = wpa_text_name_length(word);
        bool holds = !name && c->n_words && wpa_text_starts(word + n, "=$(") && n &&
                     !wpa_text_is(d->fetch->after, "|") &&
                     wpa_span_contains(c->words[c->n_words - 1].span, d->fetch->span);
        if (holds) {
            name = word;
            length = n;
        } else if (name && runs_variable(c, k + 1 < script->n_commands, name, length)) {
            report(run, d, c->span, wpa_is_interpreter(c->name) ? c->name : "the shell", false);
            return;
        }
    }
}

/* ---- saved, then run ---------------------------------------------------------------------------
 */

static void report_program(wpa_rule_run *run, const wpa_download *d, const char *file)
{
    wpa_finding *finding =
        report(run, d, d->fetch->span, wpa_rule_quote(run, file, strlen(file)), true);
    if (finding) {
        bool is_version = !d->url || wpa_url_names_version(d->url) || strchr(d->url, '$');
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->persona = is_version ? WPA_PERSONA_PEDANTIC : WPA_PERSONA_DEFAULT;
    }
}

static void check_saved(wpa_rule_run *run, const wpa_download *d, size_t i)
{
    const wpa_script *script = d->step->lexed;
    const char *file = wpa_saved_as(script, i, d->url, run->arena);
    if (!file || !*file || wpa_text_is(file, "-") || wpa_text_is(file, "/dev/null")) {
        return;
    }
    bool is_program = false;
    for (size_t k = i + 1; k < script->n_commands && k < i + LOOKAHEAD_MAX; k++) {
        const wpa_shell_command *c = &script->commands[k];
        is_program = is_program || wpa_makes_program(c, file);
        if (wpa_runs_file(c, file)) {
            report(run, d, d->fetch->span, wpa_rule_quote(run, file, strlen(file)), true);
            return;
        }
    }
    if (is_program) {
        report_program(run, d, file);
    }
}

/* ---- PowerShell --------------------------------------------------------------------------------
 */

static bool has_ci(const char *text, size_t length, const char *const parts[], size_t n)
{
    bool has = false;
    for (size_t i = 0; i < n && !has; i++) {
        has = wpa_text_find_ci(text, length, parts[i]) != NULL;
    }
    return has;
}

static const char *first_url(const char *line, wpa_arena *arena)
{
    const char *at = strstr(line, "http");
    return at ? wpa_arena_slice(arena, at, strcspn(at, " \t\r\n\"')`|;")) : NULL;
}

static const char *const downloads[] = {"irm ",
                                        "iwr ",
                                        "Invoke-WebRequest",
                                        "Invoke-RestMethod",
                                        "DownloadString",
                                        "DownloadFile",
                                        "curl ",
                                        "curl.exe ",
                                        "wget "};
static const char *const evaluators[] = {"iex", "Invoke-Expression", "[scriptblock]::Create"};

static bool evaluates(const char *name)
{
    return wpa_text_is_ci(name, "iex") || wpa_text_is_ci(name, "Invoke-Expression") ||
           strcasestr(name, "[scriptblock]::Create");
}

/* Bytes of a line before a command and behind it that are looked at. */
#define LINE_REACH 2048

/* "iex (irm https://x)" in all its orders stands on one line. */
static void check_expression(wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_shell_command *c)
{
    const char *text = step->run->text;
    size_t start = c->span.start, end = c->span.end;
    size_t first = start > LINE_REACH ? start - LINE_REACH : 0;
    while (start > first && text[start - 1] != '\n') {
        start--;
    }
    for (size_t n = 0; n < LINE_REACH && text[end] && text[end] != '\n'; n++) {
        end++;
    }
    if (!has_ci(text + start, end - start, downloads, WPA_COUNT(downloads))) {
        return;
    }
    const char *line = wpa_arena_slice(run->arena, text + start, end - start);
    wpa_download d = {.step = step, .fetch = c, .url = first_url(line, run->arena)};
    start += strspn(line, " \t");
    while (end > start && strchr(" \t\r", text[end - 1])) {
        end--;
    }
    report(run, &d, (wpa_span){start, end}, c->name, false);
}

/* "powershell -c "iex ..."" in another shell. */
static void check_foreign(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *text = c->words[i].text;
        const char *url = first_url(text, run->arena);
        if (url && has_ci(text, strlen(text), evaluators, WPA_COUNT(evaluators)) &&
            has_ci(text, strlen(text), downloads, WPA_COUNT(downloads))) {
            wpa_download d = {.step = step, .fetch = c, .url = url};
            report(run, &d, c->span, c->name, false);
            return;
        }
    }
}

/* ---- deno run https://..., uv run https://..., exec(urlopen(...)) ------------------------------
 */

/* "uv run [options] https://...": the first word that is no option's is what is run. */
static bool names_script(const wpa_shell_command *c)
{
    static const char *const valued[] = {
        "--with",     "-p",          "--python",        "--index",
        "--extra",    "--group",     "--project",       "--directory",
        "--env-file", "--index-url", "--default-index", "--with-requirements"};
    for (size_t i = c->first + 2; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (word[0] != '-') {
            return wpa_text_starts(word, "https://") || wpa_text_starts(word, "http://");
        }
        i += wpa_text_index(word, valued, WPA_COUNT(valued)) >= 0 ? 1 : 0;
    }
    return false;
}

static void check_remote_script(wpa_rule_run *run, const wpa_outline_step *step,
                                const wpa_shell_command *c)
{
    bool is_uv = wpa_shell_is(c, "uv", "run");
    if (!is_uv && !wpa_shell_is(c, "deno", "run") && !wpa_shell_is(c, "deno", "install")) {
        return;
    }
    const char *url = wpa_download_url(run, step, c);
    const wpa_shell_word *word = wpa_shell_argument(c, 1);
    if (!url || !word || (is_uv && !names_script(c))) {
        return;
    }
    const char *path = strchr(url + 8, '/');
    /* https://deno.land/x/a@v1.2/b.ts */
    bool is_versioned = !is_uv && path && strchr(path, '@') != NULL;
    if (!is_versioned) {
        wpa_download d = {.step = step, .fetch = c, .url = url};
        report(run, &d, c->span, c->name, false);
    }
}

/* msiexec /i https://... */
static void check_installer(wpa_rule_run *run, const wpa_outline_step *step,
                            const wpa_shell_command *c)
{
    if (is_windows_installer(c)) {
        wpa_download d = {.step = step, .fetch = c, .url = wpa_download_url(run, step, c)};
        if (d.url) {
            report(run, &d, c->span, c->name, false);
        }
    }
}

static void check_python(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    static const char *const opens[] = {"urlopen", "requests.get", "httpx.get"};
    const wpa_shell_command *c = &step->lexed->commands[i];
    if (!wpa_text_is(c->name, "exec") && !wpa_text_is(c->name, "eval")) {
        return;
    }
    for (size_t k = i > LOOKAHEAD_MAX ? i - LOOKAHEAD_MAX : 0; k < i; k++) {
        const wpa_shell_command *inner = &step->lexed->commands[k];
        if (wpa_span_contains(c->span, inner->span) &&
            has_ci(inner->name, strlen(inner->name), opens, WPA_COUNT(opens))) {
            wpa_download d = {
                .step = step, .fetch = inner, .url = wpa_download_url(run, step, inner)};
            report(run, &d, c->span, c->name, false);
        }
    }
}

/* python -c 'exec(urlopen("https://...").read())' */
static void check_inline(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_shell_command *c)
{
    static const char *const opens[] = {"urlopen(", "requests.get(", "httpx.get("};
    for (size_t i = c->first + 1; wpa_text_starts(c->name, "python") && i + 1 < c->n_words; i++) {
        const char *text = c->words[i + 1].text;
        bool is_code = wpa_text_is(c->words[i].text, "-c") && strstr(text, "exec(");
        if (is_code && has_ci(text, strlen(text), opens, WPA_COUNT(opens))) {
            wpa_download d = {.step = step, .fetch = c, .url = first_url(text, run->arena)};
            report(run, &d, c->span, c->name, false);
            return;
        }
    }
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    const wpa_script *script = step->lexed;
    const wpa_shell_command *c = &script->commands[i];
    if (script->language == WPA_SCRIPT_PYTHON) {
        check_python(run, step, i);
    }
    if (script->language == WPA_SCRIPT_PWSH && evaluates(c->name)) {
        check_expression(run, step, c);
        return;
    }
    if (is_powershell(c)) {
        check_foreign(run, step, c);
    }
    check_installer(run, step, c);
    check_remote_script(run, step, c);
    check_inline(run, step, c);
    bool is_power = script->language == WPA_SCRIPT_PWSH && (wpa_shell_roles(c) & WPA_DOES_FETCH);
    if (is_fetch(c) || is_power) {
        wpa_download d = wpa_download_of(run, step, i);
        check_pipe(run, &d, i);
        check_substitution(run, &d, i);
        check_held(run, &d, i);
        check_saved(run, &d, i);
    }
}

/* By its first two letters: aria2c, curl, deno, fetch, http, msiexec, powershell, pwsh, python, uv,
 * wget.
 */
static bool may_be_named(const char *name)
{
    char second = (char)(*name ? name[1] | 0x20 : 0);
    switch (*name | 0x20) {
    case 'a':
        return second == 'r';
    case 'c':
        return second == 'u';
    case 'd':
    case 'f':
        return second == 'e';
    case 'h':
        return second == 't';
    case 'm':
        return second == 's';
    case 'p':
        return second == 'o' || second == 'w' || second == 'y';
    case 'u':
        return second == 'v';
    case 'w':
        return second == 'g';
    default:
        return false;
    }
}

/* Is it any command that is looked at here? Most are not, and do not even begin as one does. */
static bool may_matter(const wpa_script *script, const wpa_shell_command *c)
{
    return script->language != WPA_SCRIPT_POSIX ||
           (may_be_named(c->name) && (is_fetch(c) || is_powershell(c) || is_windows_installer(c) ||
                                      wpa_text_is(c->name, "deno") || wpa_text_is(c->name, "uv") ||
                                      wpa_text_starts(c->name, "python")));
}

static void check_commands(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->lexed;
    bool is_unverified = false; /* asked once there is something to be verified */
    for (size_t i = 0; i < script->n_commands; i++) {
        if (!may_matter(script, &script->commands[i])) {
            continue;
        }
        if (!is_unverified && wpa_script_verifies(script)) {
            return;
        }
        is_unverified = true;
        check_command(run, step, i);
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (step->lexed) {
        check_commands(run, step);
    }
}

/* Where the file may write a Dockerfile, its commands as well. */
static void check_step_and_image(wpa_rule_run *run, const wpa_outline_step *step)
{
    check_step(run, step);
    const wpa_script *image = step->lexed ? wpa_dockerfile_commands(step->lexed, run->arena) : NULL;
    if (image) {
        wpa_outline_step inner = *step;
        wpa_outline_step_take_script(&inner, image);
        check_commands(run, &inner);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    bool may_have_image = wpa_dockerfile_may_be_in(run->source->yaml);
    wpa_rule_each_step(run, may_have_image ? check_step_and_image : check_step);
    return true;
}

const wpa_rule wpa_rule_unverified_script_exec = {
    .code = "SEC-034",
    .id = "unverified-script-exec",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A downloaded script runs without being checked",
    .why = "Whoever holds that host, or the way to it, runs code in the job.",
    .fix = "Download a fixed version, check its sum, then run it; or use an action pinned by "
           "commit. There is no fix by machine.",
    .elsewhere = (const char *const[]){"poutine/unverified_script_exec", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
