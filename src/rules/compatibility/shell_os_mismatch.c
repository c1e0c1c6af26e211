/* CMP-035: a script written for another system than the one it runs on. */
#include <ctype.h>
#include <string.h>

#include "rules/steps.h"

/* Where the script runs, a set of bits. */
enum {
    ON_LINUX = 1 << 0,
    ON_MACOS = 1 << 1,
    ON_WINDOWS = 1 << 2
};

typedef struct mismatch {
    const char *program;
    const char *word; /* that must be among its words, or NULL */
    unsigned systems; /* on which it fails */
    const char *why;
} mismatch;

#define NO_APT "there is no apt there"
#define CMDLET "it is a command of PowerShell"

/* Commands, by their names, that a system does not have or takes otherwise. */
static const mismatch mismatches[] = {
    {"apt-get", NULL, ON_MACOS | ON_WINDOWS, NO_APT},
    {"apt", NULL, ON_MACOS | ON_WINDOWS, NO_APT},
    {"apt-key", NULL, ON_MACOS | ON_WINDOWS, NO_APT},
    {"add-apt-repository", NULL, ON_MACOS | ON_WINDOWS, NO_APT},
    {"dpkg", NULL, ON_MACOS | ON_WINDOWS, NO_APT},
    {"brew", NULL, ON_WINDOWS, "there is no Homebrew there"},
    {"choco", NULL, ON_LINUX | ON_MACOS, "there is no Chocolatey there"},
    {"winget", NULL, ON_LINUX | ON_MACOS, "there is no winget there"},
    {"systemctl", NULL, ON_MACOS | ON_WINDOWS, "there is no systemd there"},
    {"date", "-d", ON_MACOS, "date takes no -d there (-v, -j -f)"},
    {"date", "--date", ON_MACOS, "date takes no --date there"},
    {"grep", "-P", ON_MACOS, "grep takes no -P there"},
    {"grep", "-oP", ON_MACOS, "grep takes no -P there"},
    {"grep", "-Po", ON_MACOS, "grep takes no -P there"},
    {"nproc", NULL, ON_MACOS, "there is no nproc there (sysctl -n hw.ncpu)"},
    {"Get-ChildItem", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Get-Content", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Set-Content", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Write-Host", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Write-Output", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"New-Item", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Remove-Item", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Copy-Item", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Move-Item", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Invoke-WebRequest", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Invoke-Expression", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Expand-Archive", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Compress-Archive", NULL, ON_LINUX | ON_MACOS, CMDLET},
    {"Start-Process", NULL, ON_LINUX | ON_MACOS, CMDLET},
};

/* Of PowerShell on Windows: what only a POSIX shell understands. */
static const mismatch of_powershell[] = {
    {"export", NULL, ON_WINDOWS, "PowerShell has no export ($env:NAME = ...)"},
    {"source", NULL, ON_WINDOWS, "PowerShell has no source"},
    {"[", NULL, ON_WINDOWS, "PowerShell tests with Test-Path and -eq"},
    {"[[", NULL, ON_WINDOWS, "PowerShell tests with Test-Path and -eq"},
    {"unset", NULL, ON_WINDOWS, "PowerShell has no unset"},
    {"sudo", NULL, ON_WINDOWS, "there is no sudo there"},
    {"fi", NULL, ON_WINDOWS, "this is the syntax of a POSIX shell"},
    {"then", NULL, ON_WINDOWS, "this is the syntax of a POSIX shell"},
    {"esac", NULL, ON_WINDOWS, "this is the syntax of a POSIX shell"},
    {"rm", "-rf", ON_WINDOWS, "PowerShell's rm takes no -rf (-Recurse -Force)"},
    {"rm", "-fr", ON_WINDOWS, "PowerShell's rm takes no -fr (-Recurse -Force)"},
    {"ls", "-la", ON_WINDOWS, "PowerShell's ls takes no -la"},
    {"ls", "-al", ON_WINDOWS, "PowerShell's ls takes no -al"},
};

/* Rows, and the letters that their programs begin with; those of rows that are about Linux, where
   most scripts run. */
typedef struct mismatch_table {
    const mismatch *rows;
    size_t n;
    const char *letters, *on_linux;
} mismatch_table;

static const mismatch_table anywhere = {mismatches, WPA_COUNT(mismatches), "abdwsgnGSWNRCMIEc",
                                        "cwGSWNRCMIE"};
static const mismatch_table in_powershell = {of_powershell, WPA_COUNT(of_powershell), "esu[ftrl",
                                             ""};

static unsigned bit_of(wpa_fact_os os)
{
    return os == WPA_OS_LINUX     ? ON_LINUX
           : os == WPA_OS_MACOS   ? ON_MACOS
           : os == WPA_OS_WINDOWS ? ON_WINDOWS
                                  : 0;
}

/* The systems of all legs; none if one cannot be told, or a condition picks among them. */
static unsigned systems_of(const wpa_outline_step *step)
{
    const wpa_outline_job *job = step->job;
    unsigned systems = 0;
    if (job->is_self_hosted || job->has_open_labels || wpa_yaml_find(job->node, "container")) {
        return 0;
    }
    for (size_t i = 0; i < job->n_labels; i++) {
        systems |= job->labels[i].runner ? bit_of(job->labels[i].runner->os) : 0;
    }
    bool is_for_windows = step->shell == WPA_SHELL_PWSH && !step->has_named_shell;
    if (is_for_windows && systems & ON_WINDOWS) {
        return ON_WINDOWS; /* the only system where nothing else than it is implied */
    }
    bool is_single = systems == ON_LINUX || systems == ON_MACOS || systems == ON_WINDOWS;
    bool is_picked = step->condition || job->condition;
    return !is_single && is_picked ? 0 : systems;
}

static const char *system_name(unsigned systems)
{
    return systems & ON_WINDOWS ? "Windows" : systems & ON_MACOS ? "macOS" : "Linux";
}

/* Does a line begin a choice by the leg's target or name? What it leads to is not known. */
static bool chooses_by_leg(const char *script)
{
    for (const char *line = script; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n \t");
        size_t length = strcspn(line, "\n");
        bool is_if = wpa_text_starts(line, "if ") || wpa_text_starts(line, "elif ");
        if (wpa_text_starts(line, "case ") ||
            (is_if && wpa_text_find_ci(line, length, "matrix."))) {
            return true;
        }
    }
    return false;
}

/* A step while it is looked at. */
typedef struct place {
    wpa_rule_run *run;
    const wpa_outline_step *step;
    bool is_asked, is_guarded; /* known once is_asked is set: where something would be told */
} place;

/* Does the script look which system it is on, or whether the command is there? */
static bool has_guard(const wpa_yaml_doc *doc, const wpa_outline_step *step)
{
    const char *script = wpa_yaml_text(step->run); /* as written: expressions too */
    static const char *const guards[] = {
        "uname",    "RUNNER_OS", "OSTYPE",    "command -v", "which ",    "runner.os", "$IsWindows",
        "$IsLinux", "$IsMacOS",  "matrix.os", "hash ",      "coreutils", "gnubin",    "gnu-sed"};
    for (size_t i = 0; i < WPA_COUNT(guards); i++) {
        if (wpa_yaml_may_hold(doc, guards[i]) && strstr(script, guards[i])) {
            return true;
        }
    }
    return chooses_by_leg(script);
}

static void report(place *at, wpa_span span, unsigned systems, const char *what, const char *why)
{
    if (!at->is_asked) {
        at->is_guarded = has_guard(at->run->source->yaml, at->step);
        at->is_asked = true;
    }
    if (!at->is_guarded) {
        (void)wpa_rule_report_script(at->run, at->step, span, NULL, at->step, "%s fails on %s: %s",
                                     wpa_rule_quote(at->run, what, strlen(what)),
                                     system_name(systems), why);
    }
}

static bool match(place *at, const wpa_shell_command *c, unsigned systems,
                  const mismatch_table *table)
{
    const char *letters = systems == ON_LINUX ? table->on_linux : table->letters;
    char letter = *c->name, wrapped = c->first ? *c->words[0].text : '\0';
    bool may_be_one = (letter && strchr(letters, letter)) || (wrapped && strchr(letters, wrapped));
    for (size_t i = 0; may_be_one && i < table->n; i++) {
        const mismatch *row = &table->rows[i];
        bool may_be = *row->program == letter || *row->program == wrapped; /* few begin alike */
        if (!may_be || !(row->systems & systems)) {
            continue;
        }
        size_t first = c->first < c->n_words ? c->first : 0;
        bool is_wrapped = !row->word && c->first && wpa_text_is(c->words[0].text, row->program);
        bool is_named = wpa_text_is(c->name, row->program);
        if (!is_named && !is_wrapped) {
            continue;
        }
        const wpa_shell_word *word = row->word ? wpa_shell_word_find(c, row->word) : NULL;
        if (!row->word || word) {
            wpa_span span = word ? word->span : c->words[is_wrapped ? 0 : first].span;
            report(at, span, row->systems & systems, row->word ? row->word : row->program,
                   row->why);
            return true;
        }
    }
    return false;
}

/* GNU's "sed -i 's/a/b/' file": BSD takes the expression for the ending of a backup. */
static void check_sed(place *at, const wpa_shell_command *c)
{
    const wpa_shell_word *word = wpa_text_is(c->name, "sed") ? wpa_shell_word_find(c, "-i") : NULL;
    const wpa_shell_word *next = word && word + 1 < c->words + c->n_words ? word + 1 : NULL;
    if (next && *next->text && next->text[0] != '.' && !wpa_text_is(next->text, "-e")) {
        report(at, word->span, ON_MACOS, "sed -i", "its sed wants an ending behind -i (-i '')");
    }
}

/* "tools\x.exe" under a POSIX shell; ".\x.exe" of a folder. */
static void check_path(place *at, const wpa_shell_command *c)
{
    const char *text = at->step->run->text + c->words[c->first].span.start;
    size_t length = wpa_span_length(c->words[c->first].span);
    bool is_program =
        length > 4 && memcmp(text + length - 4, ".exe", 4) == 0 && !memchr(text, '/', length);
    bool has_backslash = length > 2 && memcmp(text, ".\\", 2) == 0;
    if (is_program || has_backslash) {
        report(at, c->words[c->first].span, ON_LINUX, wpa_arena_slice(at->run->arena, text, length),
               "it is a path of Windows");
    }
}

static void check_command(place *at, const wpa_shell_command *c, unsigned systems)
{
    const wpa_outline_step *step = at->step;
    bool is_posix = step->lexed->language == WPA_SCRIPT_POSIX;
    bool is_power = step->lexed->language == WPA_SCRIPT_PWSH;
    /* Without a name the shell on Windows is PowerShell, also in one leg of several. */
    bool is_power_there = is_power || (!step->has_named_shell && (systems & ON_WINDOWS));
    bool has_another_way = wpa_text_is(c->after, "||"); /* "nproc || sysctl -n hw.ncpu" */
    if (c->is_nested_script || c->first >= c->n_words || has_another_way) {
        return;
    }
    unsigned posix_systems =
        is_power_there && !is_power ? systems & ~(unsigned)ON_WINDOWS : systems;
    if (is_power && match(at, c, systems & ON_WINDOWS, &in_powershell)) {
        return;
    }
    if (is_posix && is_power_there && match(at, c, systems & ON_WINDOWS, &in_powershell)) {
        return;
    }
    unsigned mask = is_posix ? systems : systems & ON_WINDOWS;
    if (match(at, c, mask, &anywhere) || !is_posix) {
        return;
    }
    if (posix_systems & ON_MACOS) {
        check_sed(at, c);
    }
    if (systems == ON_LINUX) {
        check_path(at, c);
    }
}

/* A backslash at the end of a line continues nothing in PowerShell. */
static void check_continuation(place *at, unsigned systems)
{
    const wpa_outline_step *step = at->step;
    const wpa_script *script = step->lexed;
    bool is_power = script->language == WPA_SCRIPT_PWSH ||
                    (!step->has_named_shell && script->language == WPA_SCRIPT_POSIX);
    for (size_t i = 1; is_power && (systems & ON_WINDOWS) && i + 1 < script->length; i++) {
        if (script->text[i] == '\\' && script->text[i + 1] == '\n' && script->text[i - 1] == ' ' &&
            script->contexts[i] == WPA_SHELL_PLAIN) {
            report(at, (wpa_span){i, i + 1}, ON_WINDOWS, "\\",
                   "PowerShell continues lines with a backtick");
            return;
        }
    }
}

/* The runner's variable whose bare name stands behind a "$" or "${"; NULL: none of these. */
static const char *variable_at(const wpa_script *script, size_t start)
{
    static const char *const names[] = {"GITHUB_ENV",          "GITHUB_OUTPUT",    "GITHUB_PATH",
                                        "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "RUNNER_TEMP"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        size_t end = start + strlen(names[i]);
        bool is_longer = end < script->length &&
                         (isalnum((unsigned char)script->text[end]) || script->text[end] == '_');
        if (end <= script->length && !is_longer &&
            memcmp(script->text + start, names[i], end - start) == 0) {
            return names[i];
        }
    }
    return NULL;
}

/* The next such variable of a script from *at on, which moves behind its "$" or "${". */
static const char *next_variable(const wpa_script *script, size_t *at)
{
    while (*at + 1 < script->length) {
        const char *dollar = memchr(script->text + *at, '$', script->length - 1 - *at);
        if (!dollar) {
            return NULL;
        }
        size_t i = (size_t)(dollar - script->text);
        *at = i + 1 + (dollar[1] == '{');
        if (script->contexts[i] != WPA_SHELL_PLAIN && script->contexts[i] != WPA_SHELL_DOUBLE) {
            continue;
        }
        const char *name = variable_at(script, *at);
        if (name) {
            return name;
        }
    }
    return NULL;
}

/* "$GITHUB_ENV" in PowerShell is a variable of its own, which is empty: the runner's are $env:'s.
 */
static void check_variables(place *at, unsigned systems)
{
    const wpa_script *script = at->step->lexed;
    bool is_power = script->language == WPA_SCRIPT_PWSH ||
                    (!at->step->has_named_shell && script->language == WPA_SCRIPT_POSIX);
    size_t start = 0;
    const char *name = is_power && (systems & ON_WINDOWS) ? next_variable(script, &start) : NULL;
    if (name) {
        report(at, (wpa_span){start, start + strlen(name)}, ON_WINDOWS,
               wpa_arena_printf(at->run->arena, "$%s", name),
               wpa_arena_printf(at->run->arena, "PowerShell knows it as $env:%s, and this is empty",
                                name));
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    unsigned systems = step->lexed && step->lexed->is_readable ? systems_of(step) : 0;
    if (!systems || step->is_elsewhere ||
        (step->shell == WPA_SHELL_UNKNOWN && step->has_named_shell)) {
        return;
    }
    place at = {.run = run, .step = step};
    size_t n_before = wpa_rule_n_reported(run);
    for (size_t i = 0; i < step->lexed->n_commands; i++) {
        check_command(&at, &step->lexed->commands[i], systems);
    }
    check_continuation(&at, systems);
    if (wpa_rule_n_reported(run) == n_before) { /* else all of it is of another shell */
        check_variables(&at, systems);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, check_step);
    return true;
}

static bool is_of_variable(const wpa_outline_step *step, const wpa_finding *finding)
{
    size_t at = 0;
    return next_variable(step->lexed, &at) &&
           wpa_outline_script_span(step, (wpa_span){at, at}).start == finding->span.bytes.start;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step->shell == WPA_SHELL_PWSH && is_of_variable(step, finding)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "name it as PowerShell does");
        for (size_t at = 0; next_variable(step->lexed, &at);) {
            wpa_rule_edit(run, fix, wpa_outline_script_span(step, (wpa_span){at, at}), "env:");
        }
    } else if (!step->has_named_shell && systems_of(step) & ON_WINDOWS) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add shell: bash");
        (void)wpa_rule_insert_behind(run, fix, step->run, "shell: bash");
    }
}

const wpa_rule wpa_rule_shell_os_mismatch = {
    .code = "CMP-035",
    .id = "shell-os-mismatch",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A script written for another system than the one it runs on",
    .why = "The command is not there, or means something else, on the system of this leg.",
    .fix =
        "Name the shell (bash is on all hosted runners), guard the command by the system, or use "
        "what all systems have.",
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
