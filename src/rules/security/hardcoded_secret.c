/* SEC-013: a credential written into the file. Its value is never shown beyond four characters. */
#include <string.h>

#include "match/regex.h"
#include "match/secret.h"
#include "rules/rule.h"

/* Words that say of a value that it is none. */
static bool is_placeholder(const char *text, size_t length)
{
    static const char *const words[] = {"example", "changeme", "placeholder", "dummy",    "your",
                                        "xxxx",    "fake",     "sample",      "redacted", "insert",
                                        "abcdef",  "123456",   "secret",      "password", "notreal",
                                        "foobar",  "replace",  "0000",        "test"};
    char copy[64] = {0};
    memcpy(copy, text, length < sizeof copy - 1 ? length : sizeof copy - 1);
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (strcasestr(copy, words[i])) {
            return true;
        }
    }
    return false;
}

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* The scalar that holds these bytes; NULL for a comment of the file, or a key. */
static const wpa_yaml_node *value_at(const wpa_yaml_doc *doc, wpa_span span)
{
    const wpa_yaml_node *node = wpa_yaml_node_at(doc, span.start);
    bool is_value = node && node->kind == WPA_YAML_SCALAR && wpa_span_contains(node->span, span);
    return is_value ? node : NULL;
}

/* Within "services" or a container of the job: a password that opens nothing outside of it. */
static bool is_of_service(const wpa_yaml_node *node)
{
    for (; node; node = node->parent) {
        const char *key = node->key ? node->key->text : NULL;
        if (wpa_text_is(key, "services") || wpa_text_is(key, "container")) {
            return true;
        }
    }
    return false;
}

/* A password in the URL of this machine or of a service by its name: likewise. */
static bool is_of_job(const char *behind)
{
    static const char *const machines[] = {"127.", "[::1]", "0.0.0.0"};
    if (*behind != '@') {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(machines); i++) {
        if (wpa_text_starts(behind + 1, machines[i])) {
            return true;
        }
    }
    size_t length = strspn(behind + 1, HOST_CHARS);
    return length > 0 && !memchr(behind + 1, '.', length);
}

/* Behind "@" stands a commit or digest; "uses" and keys of caches hold others. */
static bool is_harmless(const wpa_yaml_doc *doc, const wpa_yaml_node *node, wpa_span span)
{
    static const char *const keys[] = {"uses",     "key",    "restore-keys", "rev",
                                       "ref",      "image",  "sha256",       "sha512",
                                       "checksum", "digest", "integrity"};
    const char *key = node->key ? node->key->text : NULL;
    char before = span.start ? doc->source[span.start - 1] : '\0';
    return before == '@' || (key && wpa_text_index(key, keys, WPA_COUNT(keys)) >= 0);
}

/* A list of texts separated by commas or blanks holds this one. */
static bool is_allowed(const char *list, const char *text, size_t length)
{
    for (const char *at = list + strspn(list, " ,[]"); *at; at += strspn(at, " ,[]")) {
        size_t n = strcspn(at, " ,[]");
        if (n == length && memcmp(at, text, n) == 0) {
            return true;
        }
        at += n;
    }
    return false;
}

static void judge(wpa_rule_run *run, const wpa_found_secret *found)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    const char *text = doc->source + found->span.start;
    size_t length = wpa_span_length(found->span);
    const wpa_yaml_node *node = value_at(doc, found->span);
    bool is_weak = found->is_guess || found->is_doubtful;
    bool is_key = wpa_text_is(found->kind, "private key");
    if (!node || is_allowed(wpa_rule_option_text(run, "allow"), text, length) ||
        (found->is_guess && is_harmless(doc, node, found->span)) ||
        (!is_key && is_placeholder(text, length))) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, found->span, NULL, NULL,
        "%s (%.*s..., %zu characters) stands in the file for everybody who can read it",
        found->kind, is_key ? 0 : 4, text, length);
    finding->is_secret = true;
    if (is_weak) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
    bool is_inner = found->is_guess && (is_of_service(node) || is_of_job(text + length));
    if (found->is_doubtful || is_inner) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

/* ---- formats that the configuration names ------------------------------------------------------
 */

#define PATTERN_MATCHES_MAX 50

static bool check_pattern(wpa_rule_run *run, const char *pattern, wpa_error *err)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    WPA_AUTO(wpa_regex) *regex = wpa_regex_new(pattern, 0, err);
    if (!regex) {
        return wpa_error_within(err, "patterns");
    }
    size_t at = 0;
    for (int n = 0; n < PATTERN_MATCHES_MAX && at < doc->size_bytes; n++) {
        wpa_regex_match match;
        wpa_regex_answer answer = wpa_regex_find(regex, doc->source, doc->size_bytes, at, &match);
        if (answer == WPA_REGEX_UNDECIDED) {
            return WPA_FAIL(err, WPA_E_LIMIT, "pattern '%s' takes too long here", pattern);
        }
        if (answer == WPA_REGEX_NO) {
            return true;
        }
        const wpa_found_secret secret = {.kind = "a secret of your own format",
                                         .span = match.spans[0]};
        if (secret.span.end > secret.span.start) {
            judge(run, &secret);
        }
        at = secret.span.end + (secret.span.end == secret.span.start);
    }
    return true;
}

/* Separated by blanks, as all lists of options. */
static bool check_patterns(wpa_rule_run *run, wpa_error *err)
{
    const char *list = wpa_rule_option_text(run, "patterns");
    for (const char *at = list + strspn(list, " \n"); *at; at += strspn(at, " \n")) {
        size_t length = strcspn(at, " \n");
        if (!check_pattern(run, wpa_arena_slice(run->arena, at, length), err)) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool may_hold(const void *doc, const char *word)
{
    return wpa_yaml_may_hold(doc, word);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    size_t n;
    const wpa_yaml_doc *doc = run->source->yaml;
    const wpa_secret_filter filter = {may_hold, doc};
    const wpa_found_secret *found = wpa_secrets_find_in(wpa_secret_scanner_shared(), doc->source,
                                                        doc->size_bytes, &filter, run->arena, &n);
    for (size_t i = 0; i < n; i++) {
        judge(run, &found[i]);
    }
    return check_patterns(run, err);
}

static const wpa_rule_option options[] = {
    {"allow", "", "values that are no secrets, separated by blanks", WPA_OPTION_TEXT},
    {"patterns", "", "regular expressions of formats of your own, separated by blanks",
     WPA_OPTION_PATTERNS},
    {0},
};

const wpa_rule wpa_rule_hardcoded_secret = {
    .code = "SEC-013",
    .id = "hardcoded-secret",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_CRITICAL,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUTS_ALL,
    .summary = "A token, key or password is written into the file",
    .why = "Everybody who can read the repository, its forks or its history can use it.",
    .fix = "Revoke it at its provider, then put a new one into the repository's secrets. There is "
           "no fix by machine: what was published stays published.",
    .options = options,
    .check = check,
};
