/* Taint inside scripts: variables, assignments, files, what is written to the runner's files. */
#include <ctype.h>
#include <string.h>

#include "match/words.h"
#include "rules/exports.h"
#include "rules/intake.h"
#include "rules/taint_internal.h"

#define NAME_MAX_BYTES 128
#define WRITINGS_MAX 128

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* ---- what is written to the runner's files -----------------------------------------------------
 */

/* Where the value of name stands in a written text; false if it is not there. */
static bool find_value(const char *text, wpa_span within, const char *name, wpa_span *value)
{
    size_t length = strlen(name);
    for (size_t i = within.start; length && i + length < within.end; i++) {
        bool begins = i == within.start || strchr("\"' \t\n", text[i - 1]);
        if (!begins || strncmp(text + i, name, length) != 0) {
            continue;
        }
        size_t behind = i + length;
        if (text[behind] == '=') {
            const char *end = memchr(text + behind, '\n', within.end - behind);
            *value = (wpa_span){behind + 1, end ? (size_t)(end - text) : within.end};
            return true;
        }
        if (text[behind] == '<' && text[behind + 1] == '<') {
            *value = (wpa_span){behind + 2, within.end};
            return true;
        }
    }
    return false;
}

bool wpa_taint_is_sanitised(const char *text, wpa_span span)
{
    static const char *const sanitisers[] = {
        "tr -dc",   "tr -cd",  "printf %q", "printf '%q", "printf \"%q", "s/[^",
        "//[^",     "$((",     "| wc ",     "sha256sum",  "sha1sum",     "md5sum",
        "| base64", "grep -c", "@sh",       "@json",      "].id",        ".databaseId"};
    return wpa_words_find(text + span.start, wpa_span_length(span), sanitisers,
                          WPA_COUNT(sanitisers), NULL) != NULL;
}

/*
 * "NAME<<END" by a command of its own: what the next ones write is the value, to the one that ends
 * it.
 */
static wpa_taint trace_lines(wpa_tracer *t, const wpa_site *site, const wpa_export *exports,
                             size_t n, wpa_span delimiter)
{
    const char *text = site->step->run->text;
    size_t length = strspn(text + delimiter.start, WPA_IDENTIFIER);
    wpa_taint worst = none;
    size_t behind = delimiter.start + length;
    if (behind < delimiter.end &&
        memmem(text + behind, delimiter.end - behind, text + delimiter.start, length)) {
        return none; /* it ends where it began */
    }
    for (size_t i = 1; length && i < n && wpa_text_is(exports[i].file, exports[0].file); i++) {
        wpa_span value = exports[i].value;
        if (memmem(text + value.start, wpa_span_length(value), text + delimiter.start, length)) {
            break;
        }
        worst = wpa_taint_worse(worst, wpa_trace_script(t, site, value));
    }
    return worst;
}

/* The command that was there before the files: "::set-output name=NAME::value". */
static wpa_taint trace_command(wpa_tracer *t, const wpa_site *site, const char *file,
                               const char *name)
{
    const char *text = site->step->run->text;
    const char *head = wpa_text_is(file, "GITHUB_OUTPUT")
                           ? wpa_arena_printf(t->run->arena, "::set-output name=%s::", name)
                           : wpa_arena_printf(t->run->arena, "::set-env name=%s::", name);
    wpa_taint worst = none;
    for (const char *at = strstr(text, head); at; at = strstr(at + 1, head)) {
        size_t start = (size_t)(at - text) + strlen(head);
        wpa_span value = {start, start + strcspn(text + start, "\n")};
        if (!wpa_taint_is_sanitised(text, value)) {
            worst = wpa_taint_worse(worst, wpa_trace_script(t, site, value));
        }
    }
    return worst;
}

wpa_taint wpa_trace_export(wpa_tracer *t, const wpa_site *site, const char *file, const char *name)
{
    wpa_taint worst = none;
    const wpa_outline_step *step = site->step;
    if (!step->run || !wpa_rule_spend(t->run, step->run->length) ||
        !strstr(step->run->text, name)) {
        return none;
    }
    if (strstr(step->run->text, "::set-")) {
        worst = trace_command(t, site, file, name);
    }
    if (!strstr(step->run->text, file) || !wpa_rule_spend(t->run, step->run->length * 8)) {
        return worst;
    }
    size_t n;
    const wpa_export *exports = wpa_exports_of(t->run, step, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_span value;
        if (wpa_text_is(exports[i].file, file) &&
            find_value(step->run->text, exports[i].value, name, &value)) {
            wpa_taint taint = wpa_taint_is_sanitised(step->run->text, value)
                                  ? none
                                  : wpa_trace_script(t, site, value);
            if (step->run->text[value.start - 1] == '<') {
                taint = wpa_taint_worse(taint, trace_lines(t, site, exports + i, n - i, value));
            }
            taint = wpa_taint_add_hop(
                t, taint, site->source,
                wpa_site_span(t->run, step->run, exports[i].value.start, exports[i].value.end),
                wpa_arena_printf(t->run->arena, "written to %s", file));
            taint.grade = taint.grade == WPA_TAINT_NONE ? WPA_TAINT_UNKNOWN : taint.grade;
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}

/* ---- variables ---------------------------------------------------------------------------------
 */

static bool mentions(const char *text, size_t length, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < length; i++) {
        bool is_start = text[i] == '$';
        size_t at = i + 1 + (size_t)(is_start && text[i + 1] == '{');
        if (is_start && at + n <= length && strncmp(text + at, name, n) == 0 &&
            !(isalnum((unsigned char)text[at + n]) || text[at + n] == '_')) {
            return true;
        }
    }
    return false;
}

/* Has the script tested the variable against a pattern before, and left if it did not fit? */
static bool is_tested(const wpa_script *script, const char *name, size_t at)
{
    if (!script || !strstr(script->text, "exit")) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_test = wpa_text_is(c->name, "[[") && wpa_shell_word_find(c, "=~");
        bool is_grep = wpa_text_is(c->name, "grep") && i > 0 && wpa_text_is(c->before, "|");
        wpa_span span = is_grep ? script->commands[i - 1].span : c->span;
        if ((is_test || is_grep) && c->span.end <= at && span.end > span.start &&
            mentions(script->text + span.start, wpa_span_length(span), name)) {
            return true;
        }
    }
    return false;
}

/* Do words behind the command's name assign as well? */
static bool declares(const wpa_shell_command *c)
{
    static const char *const builtins[] = {"export", "local", "declare", "readonly", "typeset"};
    return wpa_text_index(c->name, builtins, WPA_COUNT(builtins)) >= 0;
}

/* "NAME=value" in a script. */
typedef struct assignment {
    const char *word; /* begins with the name */
    size_t name_length;
    size_t at; /* where its command begins */
    wpa_span value;
    bool is_judged, is_harmless; /* the second once the first is set */
    bool is_open;                /* being traced: what leads back to it adds nothing */
} assignment;

typedef struct assignments {
    assignment *items;
    size_t n, capacity;
} assignments;

static void add_assignment(wpa_arena *arena, assignments *list, const wpa_shell_command *c,
                           const wpa_shell_word *word)
{
    const char *equals = strchr(word->text, '=');
    size_t length = equals ? (size_t)(equals - word->text) : 0;
    wpa_span value = {word->span.start + length + 1, word->span.end};
    length -= length && word->text[length - 1] == '+' ? 1 : 0;
    if (length && value.start < value.end) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (assignment){
            .word = word->text, .name_length = length, .at = c->span.start, .value = value};
    }
}

/* All of a step's script, gathered once a rule: "NAME=x cmd", "export NAME=x". */
static const assignments *assignments_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    assignments *list = wpa_site_keep(run, 'v', step, NULL, sizeof *list, &is_new);
    for (size_t i = 0; is_new && step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        size_t n = declares(c) ? c->n_words : c->first;
        for (size_t k = 0; k < n && k < c->n_words; k++) {
            add_assignment(run->lasting, list, c, &c->words[k]);
        }
    }
    return list;
}

/* The worst that the script gives the variable before this offset. */
static wpa_taint trace_assignments(wpa_tracer *t, const wpa_site *site, const char *name, size_t at,
                                   bool *is_assigned)
{
    const assignments *list = assignments_of(t->run, site->step);
    wpa_taint worst = none;
    size_t length = strlen(name);
    *is_assigned = false;
    for (size_t i = 0; i < list->n; i++) {
        assignment *a = &list->items[i];
        if (a->at >= at || a->name_length != length || memcmp(a->word, name, length) != 0) {
            continue;
        }
        *is_assigned = true;
        if (!a->is_judged) {
            a->is_judged = true;
            a->is_harmless = wpa_taint_is_sanitised(site->step->script->text, a->value);
        }
        t->is_cut = t->is_cut || a->is_open;
        if (!a->is_harmless && !a->is_open) {
            a->is_open = true;
            wpa_taint taint = wpa_trace_script(t, site, a->value);
            list->items[i].is_open = false;
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}

static wpa_taint trace_variable(wpa_tracer *t, const wpa_site *site, const char *name, size_t at)
{
    bool is_assigned;
    const wpa_script *script = site->step->script;
    wpa_trace_memo memo;
    if (!t->left || !wpa_rule_spend(t->run, script ? script->n_commands + 16 : 16)) {
        t->is_cut = true;
        return none;
    }
    const wpa_taint *known = wpa_trace_known(t, site, 'V', at, name, &memo);
    if (known) {
        return *known;
    }
    t->left--;
    wpa_taint taint = trace_assignments(t, site, name, at, &is_assigned);
    if (!is_assigned) {
        taint = wpa_trace_env(t, site, name);
    }
    bool is_refused = taint.grade > WPA_TAINT_UNKNOWN && is_tested(script, name, at);
    taint = is_refused ? none : taint;
    wpa_trace_keep(t, &memo, &taint);
    return taint;
}

wpa_taint wpa_taint_of_variable(wpa_rule_run *run, const wpa_site *site, const char *name,
                                size_t at)
{
    wpa_tracer t = {.run = run, .left = 1000};
    return trace_variable(&t, site, name, at);
}

/* ---- text of scripts ---------------------------------------------------------------------------
 */

/* What all readers of the environment in other languages have in them. */
static bool has_readers(const char *text, wpa_span span)
{
    return memmem(text + span.start, wpa_span_length(span), "env", 3) != NULL;
}

/* The next place from here on where a variable may be read; the end if there is none. */
static size_t next_read(const char *text, wpa_span span, size_t at, wpa_shell shell,
                        bool has_readers)
{
    bool is_marked = shell != WPA_SHELL_PYTHON && shell != WPA_SHELL_CMD && !has_readers;
    const char *mark = is_marked ? memchr(text + at, '$', span.end - at) : text + at;
    return mark ? (size_t)(mark - text) : span.end;
}

/* The name of a variable that is read at text[*at]; *at moves behind it. False: none is. */
static bool read_variable(const char *text, size_t length, wpa_shell shell, size_t *at, char *name)
{
    /* Of Python, and of programs that stand in a script of another language. */
    static const char *const readers[] = {
        "process.env.",      "os.environ[\"",    "os.environ['", "os.getenv(\"", "os.getenv('",
        "os.environ.get(\"", "os.environ.get('", "environ[\"",   "environ['",    "environ.get(\"",
        "environ.get('",     "getenv(\"",        "getenv('"};
    size_t i = *at;
    bool is_found = false;
    if (shell == WPA_SHELL_PYTHON || text[i] == 'p' || text[i] == 'o') {
        for (size_t k = 0; k < WPA_COUNT(readers) && !is_found; k++) {
            size_t n = strlen(readers[k]);
            is_found = i + n < length && strncmp(text + i, readers[k], n) == 0;
            i += is_found ? n : 0;
        }
    } else if (shell == WPA_SHELL_CMD) {
        is_found = text[i] == '%' || text[i] == '!';
        i += is_found ? 1 : 0;
    } else if (text[i] == '$') {
        i++;
        i += i < length && text[i] == '{' ? 1 : 0;
        i += shell == WPA_SHELL_PWSH && i + 4 < length && strncasecmp(text + i, "env:", 4) == 0 ? 4
                                                                                                : 0;
        is_found = true;
    }
    size_t n = 0;
    while (is_found && i + n < length && n + 1 < NAME_MAX_BYTES &&
           (isalnum((unsigned char)text[i + n]) || text[i + n] == '_')) {
        name[n] = text[i + n];
        n++;
    }
    name[n] = '\0';
    if (n) {
        *at = i + n - 1;
    }
    return n > 0;
}

static bool expands_at(const wpa_script *script, size_t at)
{
    if (!script || !script->contexts || at >= script->length) {
        return true;
    }
    uint8_t context = script->contexts[at];
    return context != WPA_SHELL_SINGLE && context != WPA_SHELL_HEREDOC_QUOTED &&
           context != WPA_SHELL_COMMENT;
}

/* ---- files that scripts write and read ---------------------------------------------------------
 */

/* A file of a script's own, and what is written to it. */
typedef struct written {
    const char *file;
    size_t at; /* where the command ends that writes it */
    wpa_span value;
} written;

typedef struct writings {
    written *items;
    size_t n, capacity;
} writings;

static const char *plain_path(const char *path)
{
    while (wpa_text_starts(path, "./")) {
        path += 2;
    }
    return path;
}

static void add_written(wpa_arena *arena, writings *list, const wpa_shell_word *target,
                        const wpa_shell_command *c, wpa_span value)
{
    const char *file = plain_path(target->text);
    bool is_file = *file && !wpa_text_starts(file, "/dev/") && !strstr(file, "GITHUB_") &&
                   !strchr(file, '&') && value.end > value.start;
    if (is_file && list->n < WRITINGS_MAX) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        size_t end = target->span.end > c->span.end ? target->span.end : c->span.end;
        list->items[list->n++] = (written){file, end, value};
    }
}

/* All of a step's script, gathered once a rule: "... > file", "... | tee file". */
static const writings *writings_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    writings *list = wpa_site_keep(run, 'w', step, NULL, sizeof *list, &is_new);
    const wpa_script *script = step->script && step->script->is_readable ? step->script : NULL;
    for (size_t i = 0; is_new && script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t k = 0; k < c->n_redirects && !c->is_nested_script; k++) {
            const wpa_shell_redirect *r = &c->redirects[k];
            if (wpa_text_is(r->operator, ">") || wpa_text_is(r->operator, ">>")) {
                add_written(run->lasting, list, &r->target, c, wpa_exports_text(script, i, r));
            }
        }
        const wpa_shell_word *file = wpa_text_is(c->name, "tee") ? wpa_shell_argument(c, 0) : NULL;
        if (file && !c->is_nested_script) {
            add_written(run->lasting, list, file, c, wpa_exports_text(script, i, NULL));
        }
    }
    return list;
}

/*
 * The worst that this script, before this offset, or a step before it wrote to the file; *is_known
 * if one of them did.
 */
static wpa_taint trace_file(wpa_tracer *t, const wpa_site *site, const char *file, size_t at,
                            bool *is_known)
{
    wpa_taint worst = none;
    file = plain_path(file);
    *is_known = false;
    const wpa_outline_step *first = site->job->steps;
    bool is_in_row = site->step >= first && site->step < first + site->job->n_steps;
    size_t n_before = is_in_row ? (size_t)(site->step - first) : 0;
    for (size_t s = 0; *file && s <= n_before; s++) {
        const wpa_outline_step *step = site->step - s;
        const writings *list = writings_of(t->run, step);
        wpa_site where = *site;
        where.step = step;
        for (size_t i = list->n; i-- > 0;) {
            const written *w = &list->items[i];
            bool is_before = step != site->step || w->at <= at;
            if (!is_before || !wpa_text_is(w->file, file) || !wpa_rule_spend(t->run, 16)) {
                continue;
            }
            *is_known = true;
            if (!wpa_taint_is_sanitised(step->run->text, w->value)) {
                wpa_taint taint = wpa_trace_script(t, &where, w->value);
                worst = wpa_taint_worse(
                    worst, wpa_taint_add_hop(
                               t, taint, site->source,
                               wpa_site_span(t->run, step->run, w->value.start, w->value.end),
                               wpa_arena_printf(t->run->arena, "written to %s", file)));
            }
        }
    }
    return worst;
}

wpa_taint wpa_taint_of_file(wpa_rule_run *run, const wpa_site *site, const char *file, size_t at)
{
    wpa_tracer t = {.run = run, .left = 1000};
    bool is_known;
    return trace_file(&t, site, file, at, &is_known);
}

/* Whole files that commands within the span print or are fed: "cat file", "< file". */
static wpa_taint trace_read(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    static const char *const readers[] = {"cat", "head", "tail", "tac", "fold", "envsubst"};
    const wpa_script *script = site->step->script;
    wpa_taint worst = none;
    bool is_asked = script && script->is_readable && wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_reader = c->n_words && wpa_span_contains(span, c->span) &&
                         wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
        bool is_known;
        for (size_t k = c->first + 1; is_reader && k < c->n_words; k++) {
            const wpa_shell_word *word = &c->words[k];
            if (word->text[0] != '-') {
                wpa_taint taint = trace_file(t, site, word->text, word->span.start, &is_known);
                worst = wpa_taint_worse(worst, taint);
            }
        }
        for (size_t k = 0; k < c->n_redirects; k++) {
            const wpa_shell_word *target = &c->redirects[k].target;
            if (wpa_text_is(c->redirects[k].operator, "<") &&
                wpa_span_contains(span, target->span)) {
                wpa_taint taint = trace_file(t, site, target->text, target->span.start, &is_known);
                worst = wpa_taint_worse(worst, taint);
            }
        }
    }
    return worst;
}

/* jq -n: it makes what it prints. */
static bool reads_nothing(const wpa_shell_command *c)
{
    bool is_jq = wpa_text_is(c->name, "jq") || wpa_text_is(c->name, "yq");
    for (size_t i = c->first + 1; is_jq && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_cluster = word[0] == '-' && word[1] != '-' && strlen(word) < 5;
        if ((is_cluster && strchr(word, 'n')) || wpa_text_is(word, "--null-input")) {
            return true;
        }
    }
    return false;
}

/* Does the command read a file that it names? The first argument of some is a program. */
static bool names_file(const wpa_shell_command *c)
{
    static const char *const filters[] = {"grep", "sed", "awk", "jq", "yq"};
    bool is_filter = wpa_text_index(c->name, filters, WPA_COUNT(filters)) >= 0;
    for (size_t i = 0; i < c->n_redirects; i++) {
        if (wpa_text_is(c->redirects[i].operator, "<")) {
            return true;
        }
    }
    for (size_t i = c->first + 1; i < c->n_words && wpa_text_is(c->name, "grep"); i++) {
        const char *word = c->words[i].text;
        if (word[0] == '-' &&
            (wpa_text_starts(word, "--recursive") || (word[1] != '-' && strpbrk(word, "rRf")))) {
            return true; /* below the folder, or its patterns are in a file */
        }
    }
    return wpa_shell_argument(c, is_filter ? 1 : 0) && !reads_nothing(c);
}

/* Commands within the span that print files or history of the tree. */
static bool reads_tree(const wpa_script *script, wpa_span span)
{
    static const char *const readers[] = {"cat",  "jq",   "yq",          "head", "tail", "ls",
                                          "find", "grep", "sed",         "awk",  "cut",  "node",
                                          "npm",  "git",  "Get-Content", "gc",   "type"};
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_within = c->n_words && c->span.start >= span.start && c->span.end <= span.end;
        if (!is_within) {
            continue;
        }
        bool is_git = wpa_text_is(c->name, "git");
        bool is_reader = wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
        bool reads = is_git ? wpa_shell_is(c, "git", "log") || wpa_shell_is(c, "git", "diff") ||
                                  wpa_shell_is(c, "git", "show")
                            : is_reader && !wpa_text_is(c->before, "|") && names_file(c);
        if (reads && wpa_shell_argument(c, 0)) {
            return true;
        }
    }
    return false;
}

static wpa_taint trace_disk(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    wpa_intake intake;
    const wpa_script *script = site->step->lexed;
    bool is_read = script && script->language != WPA_SCRIPT_PYTHON;
    bool is_of_stranger =
        is_read && wpa_intake_before(t->run, site, &intake) && !intake.is_refused &&
        (t->question == WPA_TAINT_TEXT || intake.kind == WPA_INTAKE_ARTIFACT) &&
        intake.trust.trust != WPA_TRUST_INSIDER && wpa_rule_spend(t->run, script->n_commands * 4) &&
        reads_tree(script, span);
    if (!is_of_stranger) {
        return none;
    }
    wpa_taint taint = {
        .grade = WPA_TAINT_OF_ARBITRARY,
        .path =
            intake.kind == WPA_INTAKE_ARTIFACT ? "a file of the artifact" : "a file of the tree",
        .shape = "whatever stands in it",
        .trust = intake.trust,
        .is_privileged = wpa_trust_site_is_privileged(site),
    };
    return wpa_taint_add_hop(t, taint, site->source, intake.span, "brings in a stranger's files");
}

/* Fields and members that hold what strangers write. */
static const char *const forge_texts[] = {"title",       "body",       "headRefName",
                                          ".head.ref",   "head_ref",   "display_title",
                                          "head_branch", "headBranch", "displayTitle"};

static bool names_text(const char *text)
{
    return text && wpa_words_find(text, strlen(text), forge_texts, WPA_COUNT(forge_texts), NULL);
}

/* What stands behind one of the options, NULL if none does. */
static const char *value_of(const wpa_shell_command *c, const char *name, const char *letter)
{
    for (size_t i = c->first + 1; i + 1 < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, name) || wpa_text_is(c->words[i].text, letter)) {
            return c->words[i + 1].text;
        }
    }
    return NULL;
}

/* What a client of the forge prints of it, "gh pr view --json title --jq .title"; NULL: no text. */
static const char *text_printed(const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    bool is_view = wpa_shell_is(c, "gh", "pr") || wpa_shell_is(c, "gh", "issue");
    const wpa_shell_word *verb = is_view ? wpa_shell_argument(c, 1) : NULL;
    bool is_list = verb && (wpa_text_is(verb->text, "view") || wpa_text_is(verb->text, "list"));
    const char *fields = is_list ? value_of(c, "--json", "--json") : NULL;
    const char *filter = value_of(c, "--jq", "-q");
    const wpa_shell_command *next = i + 1 < script->n_commands ? c + 1 : NULL;
    if (!filter && next && wpa_text_is(c->after, "|") && wpa_text_is(next->name, "jq")) {
        const wpa_shell_word *word = wpa_shell_argument(next, 0);
        filter = word ? word->text : NULL;
    }
    bool asks = filter && (strstr(filter, "==") || strstr(filter, "select(") ||
                           strstr(filter, "length") || strstr(filter, "test("));
    const char *told = filter ? filter : fields;
    bool is_whole = verb && !fields && !wpa_shell_word_find(c, "--web");
    if (is_whole && wpa_text_is(verb->text, "diff")) {
        return "the fetched diff";
    }
    if (is_whole && wpa_text_is(verb->text, "view")) {
        return "the fetched body";
    }
    if (!fields || asks || !names_text(fields) || !names_text(told)) {
        return NULL;
    }
    return strstr(told, "body") ? "the fetched body" : "the fetched text";
}

/* Text of a pull request or an issue that the script fetches itself. */
static wpa_taint trace_forge(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    static const char *const events[] = {
        "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment",
        "issues",       "issue_comment",       "workflow_run",        NULL};
    const wpa_script *script = site->step->script;
    bool is_asked = t->question == WPA_TAINT_TEXT && script && script->is_readable &&
                    memmem(script->text + span.start, wpa_span_length(span), "gh ", 3) &&
                    wpa_rule_spend(t->run, script->n_commands * 4);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const char *path =
            c->n_words && wpa_span_contains(span, c->span) ? text_printed(script, i) : NULL;
        if (path) {
            wpa_taint taint = wpa_trace_foreign(t, site, events, path, "text of the forge");
            return wpa_taint_add_hop(
                t, taint, site->source,
                wpa_site_span(t->run, site->step->run, c->span.start, c->span.end), "fetches it");
        }
    }
    return none;
}

/* "$([ -n "$X" ] && echo true)": what a test reads nobody gets. */
static bool is_only_asked(const wpa_script *script, size_t at)
{
    static const char *const tests[] = {"[", "[[", "test"};
    for (size_t i = 0; script && script->is_readable && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (c->nested && !c->is_nested_script && c->span.start <= at && at < c->span.end &&
            wpa_text_index(c->name, tests, WPA_COUNT(tests)) >= 0) {
            return true;
        }
    }
    return false;
}

/* "$(cat "$DIR/version")": what comes out is what stands in the file, not its name. */
static bool only_names_file(const wpa_shell_command *c, size_t at)
{
    static const char *const readers[] = {"cat", "head", "tail", "tac", "wc", "stat", "sha256sum"};
    if (c->first >= c->n_words || at < c->words[c->first].span.end || at >= c->span.end ||
        wpa_text_index(c->name, readers, WPA_COUNT(readers)) < 0) {
        return false;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_span_contains(c->words[i].span, (wpa_span){at, at})) {
            return !wpa_text_starts(c->words[i].text, "<(");
        }
    }
    return false;
}

static bool is_in_file_name(wpa_tracer *t, const wpa_site *site, size_t at)
{
    const wpa_script *script = site->step->script;
    bool is_asked = script && script->is_readable && wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        if (!script->commands[i].is_nested_script && only_names_file(&script->commands[i], at)) {
            return true;
        }
    }
    return false;
}

/* The expressions of the span, but for those in names of files that are read. */
static wpa_taint trace_expressions(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    wpa_taint worst = none;
    wpa_span fence, inside;
    const wpa_yaml_node *node = site->step->run;
    for (size_t at = span.start; wpa_flow_next_fence(node->text, span.end, &at, &fence, &inside);) {
        wpa_taint taint = wpa_trace_text(t, site, node, fence);
        if (wpa_taint_is_tainted(&taint) && is_in_file_name(t, site, fence.start)) {
            continue;
        }
        worst = wpa_taint_worse(worst, taint);
    }
    return worst;
}

wpa_taint wpa_trace_script(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_outline_step *step = site->step;
    const wpa_yaml_node *node = step->run;
    if (!node || span.end > node->length) {
        return none;
    }
    if (t->depth >= WPA_TAINT_MAX_HOPS || !t->left ||
        !wpa_rule_spend(t->run, wpa_span_length(span) * 4)) {
        t->is_cut = true;
        return none;
    }
    t->depth++;
    t->left--;
    wpa_taint worst = trace_expressions(t, site, span);
    bool reads_otherwise = has_readers(node->text, span);
    for (size_t i = span.start; i < span.end; i++) {
        char name[NAME_MAX_BYTES];
        i = next_read(node->text, span, i, step->shell, reads_otherwise);
        size_t start = i;
        if (i == span.end) {
            break;
        }
        bool is_read = read_variable(node->text, span.end, step->shell, &i, name);
        if (!is_read || (node->text[start] == '$' && !expands_at(step->script, start))) {
            continue;
        }
        wpa_taint taint = trace_variable(t, site, name, start);
        if (wpa_taint_is_tainted(&taint) && !is_only_asked(site->step->script, start) &&
            !is_in_file_name(t, site, start)) {
            worst = wpa_taint_worse(
                worst, wpa_taint_add_hop(t, taint, site->source,
                                         wpa_site_span(t->run, node, start, i + 1), "read here"));
        }
    }
    if (step->shell == WPA_SHELL_PYTHON) {
        worst = wpa_taint_worse(worst, wpa_trace_python(t, site, span));
    }
    worst = wpa_taint_worse(worst, trace_disk(t, site, span));
    worst = wpa_taint_worse(worst, trace_read(t, site, span));
    worst = wpa_taint_worse(worst, trace_forge(t, site, span));
    t->depth--;
    return worst;
}
