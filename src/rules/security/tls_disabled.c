/* SEC-048: the check of who answers is switched off. */
#include <string.h>

#include "match/words.h"
#include "rules/steps.h"
#include "rules/tls_off.h"

/* Are all the URLs of the command of this machine, or of a service beside the job? */
static bool is_local(const wpa_shell_command *c, bool *has_url)
{
    *has_url = false;
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        wpa_slice host = wpa_url_host(c->words[i].text);
        if (!host.length) {
            continue;
        }
        *has_url = true;
        if (memchr(host.at, '$', host.length) || !wpa_url_is_local(host)) {
            return false;
        }
    }
    return *has_url;
}

/* ssh, and what passes its options on, to a machine nearby: user@10.0.0.1, localhost. */
static bool goes_nearby(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        const char *at = strchr(word, '@');
        bool is_trusted = wpa_text_starts(word, "--trusted-host=") ||
                          wpa_text_starts(word, "--allow-insecure-host=");
        const char *host = at ? at + 1 : is_trusted ? strchr(word, '=') + 1 : word;
        size_t length = strcspn(host, ":/");
        wpa_slice slice = {host, length};
        bool is_host = at || is_trusted || wpa_slice_is(slice, "localhost") ||
                       wpa_slice_is(slice, "127.0.0.1");
        if (is_host && length && host[0] != '$' && wpa_url_is_local(slice)) {
            return true;
        }
    }
    return false;
}

/* Programs that print or look for words. */
static bool only_names(const wpa_shell_command *c)
{
    static const char *const names[] = {"echo", "printf", "grep", "egrep", "fgrep",
                                        "rg",   "sed",    "awk",  "cat",   "Write-Output"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
}

/* held: words of the rule that the file may hold. */
static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c, const wpa_words *held)
{
    bool has_url = false, is_known = false;      /* whom it asks, once there is a switch */
    bool is_curl = wpa_text_is(c->name, "curl"); /* whose -k is no word of the rule */
    for (size_t i = 0; i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        bool is_asked = is_curl || wpa_words_seek_ci(held, word->text, strlen(word->text), NULL);
        size_t n = is_asked ? wpa_tls_off_words(c, i) : 0;
        if (n) {
            if (!is_known && (is_local(c, &has_url) || goes_nearby(c) || only_names(c))) {
                return;
            }
            is_known = true;
            const char *what =
                n == 1 ? word->text
                       : wpa_arena_printf(run->arena, "%s %s", word->text, word[1].text);
            wpa_span span = {word->span.start, word[n - 1].span.end};
            wpa_finding *finding = wpa_rule_report_script(
                run, step, span, NULL, NULL, "%s lets anybody answer in the server's place",
                wpa_rule_quote(run, what, strlen(what)));
            i += n - 1;
            if (is_curl && !has_url) {
                finding->confidence = WPA_CONFIDENCE_MEDIUM; /* whom it asks is in a variable */
            }
        }
    }
}

/* ---- files that programs are told by ----------------------------------------------------------
 */

static void report_text(wpa_rule_run *run, const wpa_outline_step *step, wpa_span place)
{
    const char *text = step->run->text;
    (void)wpa_rule_report_script(run, step, place, NULL, NULL,
                                 "%s lets anybody answer in the server's place",
                                 wpa_rule_quote(run, text + place.start, wpa_span_length(place)));
}

/* What a command writes into this file. */
static void check_written(wpa_rule_run *run, const wpa_outline_step *step, const char *file,
                          wpa_span span)
{
    const char *text = step->script->text + span.start;
    size_t length = wpa_span_length(span);
    if (wpa_text_find_ci(text, length, "localhost") || wpa_text_find(text, length, "127.0.0.1")) {
        return;
    }
    wpa_span found;
    if (wpa_tls_off_in_file(file, text, length, &found)) {
        report_text(run, step, (wpa_span){span.start + found.start, span.start + found.end});
    }
}

/* The span with the here-documents of the command. */
static wpa_span with_bodies(wpa_span span, const wpa_shell_command *c)
{
    for (size_t i = 0; i < c->n_redirects; i++) {
        wpa_span body = c->redirects[i].body;
        span.end = wpa_span_length(body) && body.end > span.end ? body.end : span.end;
    }
    return span;
}

/* "echo ... >> file", "cat <<EOF > file", "echo ... | tee -a file". */
static void check_files(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script && step->script->is_readable ? step->script : NULL;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const wpa_shell_word *target =
            wpa_text_is(c->name, "tee") ? wpa_shell_argument(c, 0) : NULL;
        for (size_t k = 0; k < c->n_redirects && !target; k++) {
            const wpa_shell_redirect *r = &c->redirects[k];
            target =
                wpa_text_is(r->operator, ">") || wpa_text_is(r->operator, ">>") ? &r->target : NULL;
        }
        if (!target || !c->n_words || c->is_nested_script) {
            continue;
        }
        wpa_span span = with_bodies(c->span, c);
        if (wpa_text_is(c->before, "|") && i && c[-1].n_words) {
            wpa_span fed = with_bodies(c[-1].span, &c[-1]);
            span.start = fed.start < span.start ? fed.start : span.start;
            span.end = fed.end > span.end ? fed.end : span.end;
        }
        check_written(run, step, target->text, span);
    }
}

/* ---- scripts of other languages ----------------------------------------------------------------
 */

static bool is_comment(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n') {
        at--;
    }
    return text[at + strspn(text + at, " \t")] == '#';
}

/* $env:NAME = 'value' */
static void check_assigned(wpa_rule_run *run, const wpa_outline_step *step, const char *text)
{
    for (const char *at = strcasestr(text, "$env:"); at; at = strcasestr(at + 1, "$env:")) {
        const char *name = at + 5;
        size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
        const char *value = name + length + strspn(name + length, " \t");
        if (*value != '=' || value[1] == '=' || !length) {
            continue;
        }
        value += 1 + strspn(value + 1, " \t\"'");
        size_t n = strcspn(value, "\"'; \t\r\n");
        const char *set = wpa_arena_slice(run->arena, value, n);
        size_t from = (size_t)(at - text);
        if (wpa_tls_off_variable(name, length, set) && !is_comment(text, from)) {
            report_text(run, step, (wpa_span){from, (size_t)(name + length - text)});
        }
    }
}

/* Callbacks and arguments by which libraries ask nobody who answers. */
static void check_libraries(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const struct {
        wpa_shell shell;
        const char *mark, *also; /* also: what the script has to hold too */
    } marks[] = {
        {WPA_SHELL_PWSH, "ServerCertificateValidationCallback", "$true"},
        {WPA_SHELL_PYTHON, "verify=False", "requests"},
        {WPA_SHELL_PYTHON, "verify=False", "httpx"},
        {WPA_SHELL_PYTHON, "ssl._create_unverified_context", "ssl"},
    };
    const char *text = step->run ? step->run->text : NULL;
    bool is_told = false;
    if (text && step->shell == WPA_SHELL_PWSH) {
        check_assigned(run, step, text);
    }
    for (size_t i = 0; text && i < WPA_COUNT(marks) && !is_told; i++) {
        const char *at = marks[i].shell == step->shell ? strstr(text, marks[i].mark) : NULL;
        size_t from = at ? (size_t)(at - text) : 0;
        if (at && strstr(text, marks[i].also) && !is_comment(text, from)) {
            report_text(run, step, (wpa_span){from, from + strlen(marks[i].mark)});
            is_told = true;
        }
    }
}

static void check_env(wpa_rule_run *run, const wpa_outline_step *step,
                      const wpa_yaml_pair *variable)
{
    const char *name = wpa_yaml_text(variable->key), *value = wpa_yaml_text(variable->value);
    (void)step;
    if (value && (wpa_tls_off_variable(name, strlen(name), value) || wpa_tls_off_ssh(value))) {
        (void)wpa_rule_report(run, wpa_yaml_resolve(variable->value)->span, NULL, NULL,
                              "%s at %s lets anybody answer in the server's place", name,
                              wpa_rule_quote(run, value, strlen(value)));
    }
}

/* Inputs of actions, by their names. */
static void check_inputs(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const struct {
        const char *name, *value;
    } inputs[] = {
        {"ssh-strict", "false"},     {"insecure", "true"},
        {"skip-tls-verify", "true"}, {"tls-verify", "false"},
        {"verify-ssl", "false"},     {"ssl-verify", "false"},
        {"tlsSkipVerify", "true"},   {"insecure-skip-tls-verify", "true"},
    };
    for (size_t i = 0; step->with && i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, inputs[i].name);
        if (value && wpa_text_is_ci(wpa_yaml_text(value), inputs[i].value)) {
            (void)wpa_rule_report(run, value->span, NULL, NULL,
                                  "'%s: %s' lets anybody answer in the server's place",
                                  inputs[i].name, inputs[i].value);
        }
    }
}

/* A step that is looked at, beside its script. */
#define VISIT_WORK 4

#define WORDS_MAX 64

/* Of the rule, and that the file may hold; how many. */
static size_t find_held(const wpa_rule_run *run, const char *held[WORDS_MAX])
{
    size_t n = 0;
    const wpa_yaml_doc *doc = run->source->yaml;
    if (wpa_yaml_may_hold(doc, "trusted")) { /* "=yes", or another sign between */
        held[n++] = "trusted";
    }
    for (size_t i = 0; run->rule->words[i] && n < WORDS_MAX; i++) {
        if (wpa_yaml_may_hold(doc, run->rule->words[i])) {
            held[n++] = run->rule->words[i];
        }
    }
    return n;
}

static bool script_holds(const wpa_outline_step *step, const wpa_words *held)
{
    for (size_t i = 0; i < held->n; i++) {
        if (wpa_outline_script_holds(step, held->words[i])) {
            return true;
        }
    }
    return false;
}

/* "curl -k", which is no word of the rule: among short options. */
static bool may_be_curl_k(const wpa_shell_command *c)
{
    bool may_be = false;
    for (size_t i = 0; wpa_text_is(c->name, "curl") && i < c->n_words && !may_be; i++) {
        const char *word = c->words[i].text;
        may_be = word[0] == '-' && word[1] != '-' && strchr(word, 'k');
    }
    return may_be;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, const wpa_words *held)
{
    size_t length = step->run ? step->run->length : 0;
    bool may_hold = wpa_rule_spend(run, VISIT_WORK + length) && script_holds(step, held);
    size_t n = step->lexed ? step->lexed->n_commands : 0;
    for (size_t i = 0; i < n; i++) {
        const wpa_shell_command *c = &step->lexed->commands[i];
        if (may_hold || may_be_curl_k(c)) {
            check_command(run, step, c, held);
        }
    }
    if (may_hold) {
        check_files(run, step);
        check_libraries(run, step);
    }
    if (held->n) {
        check_inputs(run, step);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const char *items[WORDS_MAX];
    size_t n = find_held(run, items);
    wpa_words held = wpa_words_of(items, n);
    const wpa_outline *o = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k], &held);
            wpa_rule_end_visit(run, &visits);
        }
    }
    if (n) {
        wpa_rule_each_env(run, check_env);
    }
    return true;
}

const wpa_rule wpa_rule_tls_disabled = {
    .code = "SEC-048",
    .id = "tls-disabled",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The check of a server's certificate or key is switched off",
    .why = "Whoever sits on the way reads what is sent, tokens too, and answers what they like.",
    .fix = "Leave the check on and give the job the certificate (--cacert) or the known host key. "
           "There is no fix by machine.",
    .words = (const char *const[]){"insecure",
                                   "check-certificate",
                                   "verify=no",
                                   "sslverify",
                                   "strict-ssl",
                                   "strict_ssl",
                                   "trusted-host",
                                   "trusted_host",
                                   "ssl_verify",
                                   "ssl-verify",
                                   "verify-ssl",
                                   "disable-tls",
                                   "disable_tls",
                                   "secure-http",
                                   "HostKeyChecking",
                                   "tls-verify",
                                   "tlsSkipVerify",
                                   "allow-unauthenticated",
                                   "force-yes",
                                   "no-gpg-checks",
                                   "nogpgcheck",
                                   "SkipCertificateCheck",
                                   "TLS_REJECT_UNAUTHORIZED",
                                   "SSL_NO_VERIFY",
                                   "PYTHONHTTPSVERIFY",
                                   "TLS_CA_STORE",
                                   "ssh-strict",
                                   "Verify-Peer",
                                   "Verify-Host",
                                   "AllowUnauthenticated",
                                   "StrictSsl",
                                   "check_certificate",
                                   "trusted=yes",
                                   "verify-certificate",
                                   "--verify",
                                   "verify-ssl",
                                   "ssl_validation",
                                   "ssl-validation",
                                   "skip-verify",
                                   "SKIP_VERIFY",
                                   "trust-server-cert",
                                   "HOST_KEY_CHECKING",
                                   "SSL_VERIFY",
                                   "ssl.allowall",
                                   "CertificateValidation",
                                   "verify=False",
                                   "unverified_context",
                                   NULL},
    .commands = (const char *const[]){"curl", NULL}, /* -k */
    .check = check,
};
