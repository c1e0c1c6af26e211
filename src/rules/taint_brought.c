/* What commands of a script bring in: files of a stranger's tree, text that they ask the forge for.
 */
#include <string.h>

#include "match/words.h"
#include "rules/intake.h"
#include "rules/taint_internal.h"

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

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

/** Is a number or a digest all that the command prints, whatever it is given? */
static bool prints_number(const wpa_shell_command *c)
{
    static const char *const counters[] = {"wc",      "cksum",     "md5sum",
                                           "sha1sum", "sha256sum", "sha512sum"};
    bool counts = wpa_text_index(c->name, counters, WPA_COUNT(counters)) >= 0;
    for (size_t i = c->first + 1; i < c->n_words && wpa_text_is(c->name, "grep"); i++) {
        const char *word = c->words[i].text;
        bool is_cluster = word[0] == '-' && word[1] != '-';
        counts = counts || (is_cluster && strchr(word, 'c')) || wpa_text_is(word, "--count");
    }
    return counts && (wpa_text_is(c->name, "grep") || !wpa_shell_argument(c, 0)); /* else names */
}

/** The same of what stands at the end of its pipe. */
static bool is_counted(const wpa_script *script, size_t i)
{
    while (i + 1 < script->n_commands && wpa_text_is(script->commands[i + 1].before, "|") &&
           script->commands[i + 1].nested == script->commands[i].nested) {
        i++;
    }
    return prints_number(&script->commands[i]);
}

/* The branch that is checked out, as whoever opened the pull request named it. */
static bool names_branch(const wpa_shell_command *c)
{
    return (wpa_shell_is(c, "git", "branch") && wpa_shell_word_find(c, "--show-current")) ||
           (wpa_shell_is(c, "git", "rev-parse") && wpa_shell_word_find(c, "--abbrev-ref"));
}

/* "read X < file", where the file's name is all of the span, and "$(< file)". */
static bool is_fed_file(const wpa_shell_command *c, wpa_span span)
{
    for (size_t i = 0; i < c->n_redirects; i++) {
        wpa_span file = c->redirects[i].target.span;
        bool is_whole = file.start == span.start && file.end == span.end;
        if (wpa_text_is(c->redirects[i].operator, "<") &&
            (is_whole || (!c->n_words && c->nested && wpa_span_contains(span, file))) &&
            !wpa_text_starts(c->redirects[i].target.text, "/dev/") &&
            !wpa_text_starts(c->redirects[i].target.text, "<(")) {
            return true;
        }
    }
    return false;
}

/* Commands within the span that print files or history of the tree. */
static bool reads_tree(const wpa_script *script, wpa_span span)
{
    static const char *const readers[] = {"cat",  "jq",   "yq",          "head", "tail", "ls",
                                          "find", "grep", "sed",         "awk",  "cut",  "node",
                                          "npm",  "git",  "Get-Content", "gc",   "type"};
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (is_fed_file(c, span)) {
            return true;
        }
        bool is_within = c->n_words && c->span.start >= span.start && c->span.end <= span.end;
        if (!is_within) {
            continue;
        }
        bool is_git = wpa_text_is(c->name, "git");
        bool is_reader = wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
        bool reads = is_git ? wpa_shell_is(c, "git", "log") || wpa_shell_is(c, "git", "diff") ||
                                  wpa_shell_is(c, "git", "show") ||
                                  wpa_shell_is(c, "git", "ls-files") || names_branch(c)
                            : is_reader && !wpa_text_is(c->before, "|") && names_file(c);
        if (reads && wpa_shell_argument(c, 0) && !is_counted(script, i)) {
            return true;
        }
    }
    return false;
}

wpa_taint wpa_trace_intake(wpa_tracer *t, const wpa_site *site)
{
    wpa_intake intake;
    bool is_of_stranger = wpa_intake_before(t->run, site, &intake) && !intake.is_refused &&
                          (t->question == WPA_TAINT_TEXT || intake.kind == WPA_INTAKE_ARTIFACT) &&
                          intake.trust.trust != WPA_TRUST_INSIDER;
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

wpa_taint wpa_trace_disk(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_script *script = site->step->lexed;
    bool is_read = script && script->language != WPA_SCRIPT_PYTHON;
    wpa_taint taint = is_read ? wpa_trace_intake(t, site) : none;
    bool reads = taint.grade != WPA_TAINT_NONE && wpa_rule_spend(t->run, script->n_commands * 4) &&
                 reads_tree(script, span);
    return reads ? taint : none;
}

/* Fields and members that hold what strangers write. */
static const char *const forge_texts[] = {
    "title",       "body",       "headRefName",  ".head.ref", "head_ref", "display_title",
    "head_branch", "headBranch", "displayTitle", ".filename", "files",    "messageHeadline"};

static bool names_text(const char *text)
{
    return text && wpa_words_find(text, strlen(text), forge_texts, WPA_COUNT(forge_texts), NULL);
}

/* Does the filter pick text of strangers, and not only ask about it? */
static bool picks_text(const char *filter)
{
    bool asks = strstr(filter, "==") || strstr(filter, "select(") || strstr(filter, "length") ||
                strstr(filter, "test(");
    return !asks && names_text(filter);
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

/* Does "gh api" ask for what strangers open: a pull request, an issue, a run of theirs? */
static bool asks_api_for_outsiders(const wpa_shell_command *c)
{
    static const char *const parts[] = {"/pulls", "/issues", "/actions/runs/"};
    bool asks = false;
    for (size_t i = c->first + 2; i < c->n_words && !asks; i++) {
        for (size_t k = 0; k < WPA_COUNT(parts) && !asks; k++) {
            asks = strstr(c->words[i].text, parts[k]) != NULL;
        }
    }
    return asks;
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
    const char *told = filter ? filter : fields;
    bool is_whole = verb && !fields && !wpa_shell_word_find(c, "--web");
    if (is_whole && wpa_text_is(verb->text, "diff")) {
        return "the fetched diff";
    }
    if (is_whole && wpa_text_is(verb->text, "view")) {
        return "the fetched body";
    }
    if (wpa_shell_is(c, "gh", "api")) {
        fields = asks_api_for_outsiders(c) ? filter : NULL;
    }
    if (!fields || !(filter ? picks_text(filter) : names_text(fields))) {
        return NULL;
    }
    return strstr(told, "body") ? "the fetched body" : "the fetched text";
}

/* "curl .../pulls/1", "gh api .../issues/1": the whole of what strangers open. */
static bool fetches_whole(const wpa_outline_step *step, const wpa_shell_command *c)
{
    static const char *const places[] = {"/pulls/", "/issues/", "pull_request.url",
                                         "pull_request._links.self.href", "issue.url"};
    bool is_client = wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
    if (wpa_shell_is(c, "gh", "api")) {
        return asks_api_for_outsiders(c) && !value_of(c, "--jq", "-q");
    }
    return is_client && c->span.end <= step->run->length &&
           wpa_words_find(step->run->text + c->span.start, wpa_span_length(c->span), places,
                          WPA_COUNT(places), NULL);
}

/* Commands before jq among which the one is looked for that has fetched what it reads. */
#define FETCH_LOOKBACK 64

/* Does jq read what a command of the script fetched: from its pipe, or by a variable or a file? */
static bool reads_fetched(const wpa_outline_step *step, const wpa_script *script, size_t i,
                          const char *filter)
{
    static const char *const printers[] = {"echo", "printf", "cat"};
    const wpa_shell_command *c = &script->commands[i];
    if (i > 0 && wpa_text_is(c->before, "|")) {
        const wpa_shell_command *from = c - 1;
        bool is_client = wpa_text_is(from->name, "curl") || wpa_text_is(from->name, "wget");
        if (is_client) {
            return fetches_whole(step, from) || strstr(filter, ".head.ref");
        }
        if (wpa_text_index(from->name, printers, WPA_COUNT(printers)) < 0) {
            return false;
        }
    }
    for (size_t k = i; k > 0 && i - k < FETCH_LOOKBACK; k--) {
        if (fetches_whole(step, &script->commands[k - 1])) {
            return true;
        }
    }
    return false;
}

/* The filter of a jq of the script that picks text out of what another command fetched. */
static const char *text_picked(const wpa_outline_step *step, const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    const wpa_shell_word *filter = wpa_text_is(c->name, "jq") ? wpa_shell_argument(c, 0) : NULL;
    bool is_it = filter && picks_text(filter->text) && reads_fetched(step, script, i, filter->text);
    return !is_it ? NULL : strstr(filter->text, "body") ? "the fetched body" : "the fetched text";
}

/* Do any words of the span ask a forge, or a filter what it has said? */
static bool may_ask_forge(const wpa_script *script, wpa_span span)
{
    const char *text = script->text + span.start;
    return wpa_text_find(text, wpa_span_length(span), "gh ") ||
           (wpa_text_find(text, wpa_span_length(span), "jq ") &&
            (wpa_text_find(script->text, script->length, "curl ") ||
             wpa_text_find(script->text, script->length, "wget ") ||
             wpa_text_find(script->text, script->length, "gh api ")));
}

wpa_taint wpa_trace_answer(wpa_tracer *t, const wpa_site *site, const char *path)
{
    static const char *const events[] = {
        "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment",
        "issues",       "issue_comment",       "workflow_run",        NULL};
    return wpa_trace_foreign(t, site, events, path, "text of the forge");
}

wpa_taint wpa_trace_forge(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_script *script = site->step->script;
    bool is_asked = t->question == WPA_TAINT_TEXT && script && script->is_readable &&
                    may_ask_forge(script, span) && wpa_rule_spend(t->run, script->n_commands * 4);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_within = c->n_words && wpa_span_contains(span, c->span);
        const char *path = is_within ? text_printed(script, i) : NULL;
        path = path || !is_within ? path : text_picked(site->step, script, i);
        if (path) {
            wpa_taint taint = wpa_trace_answer(t, site, path);
            return wpa_taint_add_hop(
                t, taint, site->source,
                wpa_site_span(t->run, site->step->run, c->span.start, c->span.end), "fetches it");
        }
    }
    return none;
}

/* The member of the event that a filter of jq picks, ".issue.title // empty"; NULL: not plainly. */
static const char *picked_member(wpa_tracer *t, const char *filter)
{
    size_t n = strspn(filter, " ");
    const char *member = filter + n;
    size_t length =
        strspn(member, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");
    const char *behind = member + length + strspn(member + length, " ?");
    bool is_plain = length > 1 && member[0] == '.' && (!*behind || wpa_text_starts(behind, "//"));
    return is_plain ? wpa_arena_printf(t->run->arena, "github.event%.*s", (int)length, member)
                    : NULL;
}

static bool reads_event(const wpa_shell_command *c)
{
    bool reads = false;
    for (size_t i = c->first + 1; i < c->n_words && !reads; i++) {
        reads = strstr(c->words[i].text, "GITHUB_EVENT_PATH") != NULL;
    }
    for (size_t i = 0; i < c->n_redirects && !reads; i++) {
        reads = strstr(c->redirects[i].target.text, "GITHUB_EVENT_PATH") != NULL;
    }
    return reads;
}

wpa_taint wpa_trace_event(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_script *script = site->step->script;
    wpa_taint worst = none;
    bool is_asked =
        t->question == WPA_TAINT_TEXT && script && script->is_readable &&
        wpa_text_find(script->text + span.start, wpa_span_length(span), "GITHUB_EVENT_PATH") &&
        wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_reader =
            c->n_words && wpa_text_is(c->name, "jq") && wpa_span_contains(span, c->span) &&
            (reads_event(c) ||
             (i > 0 && wpa_text_is(c->before, "|") && reads_event(&script->commands[i - 1])));
        const wpa_shell_word *filter = is_reader ? wpa_shell_argument(c, 0) : NULL;
        const char *path = filter ? picked_member(t, filter->text) : NULL;
        if (path) {
            wpa_taint taint = wpa_trace_path(t, site, path);
            taint = wpa_taint_add_hop(
                t, taint, site->source,
                wpa_site_span(t->run, site->step->run, c->span.start, c->span.end),
                "reads it from the event's file");
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}
