#include "rules/download.h"

#include <ctype.h>
#include <string.h>

/* Commands in front of a download that are looked at: whoever writes more means to be slow. */
#define LOOKBACK_MAX 300

static const char *without_quotes(wpa_rule_run *run, const wpa_outline_step *step, wpa_span span)
{
    const char *at = step->run->text + span.start;
    size_t length = wpa_span_length(span);
    bool is_quoted = length >= 2 && (at[0] == '"' || at[0] == '\'') && at[length - 1] == at[0];
    return wpa_arena_slice(run->arena, at + is_quoted, length - (is_quoted ? 2 : 0));
}

/* What the variable holds as the i-th command runs: by the script itself, or by env around it. */
static const char *value_of(const wpa_outline_step *step, size_t i, const char *name, size_t length)
{
    for (size_t k = i; k-- > 0 && k + LOOKBACK_MAX > i;) {
        const wpa_shell_command *c = &step->lexed->commands[k];
        for (size_t w = 0; w < c->first; w++) {
            const char *text = c->words[w].text;
            if (strncmp(text, name, length) == 0 && text[length] == '=') {
                return text + length + 1;
            }
        }
    }
    const wpa_yaml_node *around[] = {step->env, wpa_yaml_get(step->job->node, "env")};
    for (size_t k = 0; k < WPA_COUNT(around); k++) {
        for (size_t p = 0; around[k] && p < around[k]->n_pairs; p++) {
            const char *key = wpa_yaml_text(around[k]->pairs[p].key);
            if (key && strncmp(key, name, length) == 0 && !key[length]) {
                return wpa_yaml_text(wpa_yaml_resolve(around[k]->pairs[p].value));
            }
        }
    }
    return NULL;
}

/* "curl -o x "$URL"": the URL that the variable is known to hold. */
static const char *held_url(const wpa_outline_step *step, size_t i)
{
    const wpa_shell_command *c = &step->lexed->commands[i];
    for (size_t w = c->first + 1; w < c->n_words; w++) {
        const char *text = c->words[w].text;
        const char *name = text[0] == '$' ? text + 1 + (size_t)(text[1] == '{') : "";
        size_t length = wpa_text_name_length(name);
        bool is_whole = length && (!name[length] || wpa_text_is(name + length, "}"));
        const char *value = is_whole ? value_of(step, i, name, length) : NULL;
        if (value && strstr(value, "://")) {
            return value;
        }
    }
    return NULL;
}

const char *wpa_download_url(wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        bool is_url = strstr(word->text, "://") && word->text[0] != '-' &&
                      !wpa_text_starts(word->text, "://");
        if (is_url && word->span.end <= step->run->length) {
            return c->is_nested_script || word->is_literal ? word->text
                                                           : without_quotes(run, step, word->span);
        }
    }
    return NULL;
}

wpa_download wpa_download_of(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    const wpa_shell_command *c = &step->lexed->commands[i];
    const char *url = wpa_download_url(run, step, c);
    return (wpa_download){.step = step, .fetch = c, .url = url ? url : held_url(step, i)};
}

static bool has_commit(const char *url)
{
    size_t n = 0; /* digits in a row */
    for (const char *at = url; *at; at++) {
        n = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f') ? n + 1 : 0;
        if (n >= 40) {
            return true;
        }
    }
    return strstr(url, "github.sha") || strstr(url, "GITHUB_SHA");
}

static bool is_own(const wpa_rule_run *run, const char *url)
{
    const wpa_surroundings *around = run->source->around;
    if (strstr(url, "github.repository") || strstr(url, "GITHUB_REPOSITORY")) {
        return true;
    }
    const char *path = strstr(url, "githubusercontent.com/");
    if (!path || !around || !around->owner || !around->repository) {
        return false;
    }
    path += strlen("githubusercontent.com/");
    size_t n = strlen(around->owner);
    return strncasecmp(path, around->owner, n) == 0 && path[n] == '/' &&
           strncasecmp(path + n + 1, around->repository, strlen(around->repository)) == 0;
}

bool wpa_download_is_fixed(const wpa_rule_run *run, const wpa_download *d)
{
    wpa_slice host = d->url ? wpa_url_host(d->url) : (wpa_slice){0};
    bool is_local = host.length && wpa_url_is_local(host) && !strchr(d->url, '$');
    return d->url && (is_local || has_commit(d->url) || is_own(run, d->url));
}

/* "/v${CMAKE_VERSION}/", "-$VER": a release that the script itself names. */
static bool names_version_variable(const char *url)
{
    for (const char *at = strchr(url, '$'); at; at = strchr(at + 1, '$')) {
        const char *name = at + 1 + (size_t)(at[1] == '{');
        size_t length = wpa_text_name_length(name);
        for (size_t i = 0; i + 3 <= length; i++) {
            if (strncasecmp(name + i, "ver", 3) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool wpa_url_names_version(const char *url)
{
    const char *at = strstr(url, "://");
    for (at = at ? strchr(at + 3, '/') : NULL; at; at = strchr(at + 1, '/')) {
        const char *digits = at + 1 + (at[1] == 'v');
        size_t major = strspn(digits, "0123456789");
        if (major && digits[major] == '.' && isdigit((unsigned char)digits[major + 1])) {
            return true;
        }
    }
    return names_version_variable(url);
}

bool wpa_script_verifies(const wpa_script *script)
{
    static const char *const sums[] = {
        "sha256sum", "sha512sum",    "shasum",     "sha1sum",
        "sha384sum", "b3sum",        "b2sum",      "md5sum",
        "gpgv",      "minisign",     "cosign",     "slsa-verifier",
        "rhash",     "Get-FileHash", "certutil",   "Get-AuthenticodeSignature",
        "signtool",  "signify",      "gsha256sum", "hashdeep"};
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool checks_signature = wpa_text_is(c->name, "gpg") && wpa_shell_word_find(c, "--verify");
        bool has_digest = wpa_text_is(c->name, "openssl") && wpa_shell_is(c, "openssl", "dgst");
        bool is_attested = wpa_shell_is(c, "gh", "attestation");
        if (wpa_text_index(c->name, sums, WPA_COUNT(sums)) >= 0 || checks_signature || has_digest ||
            is_attested) {
            return true;
        }
    }
    return false;
}
