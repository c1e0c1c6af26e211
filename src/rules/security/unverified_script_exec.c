/* SEC-034: what is downloaded runs at once, whatever it is today. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const char *const shells[] = {"sh",     "bash",    "zsh",  "dash", "ksh",
                                     "python", "python3", "node", "perl", "ruby"};

/* Hosts of well-known installers: their https is at least somebody's business to guard. */
static const char *const vendors[] = {"sh.rustup.rs",
                                      "get.pnpm.io",
                                      "install.python-poetry.org",
                                      "astral.sh/",
                                      "bun.sh/",
                                      "bun.com/",
                                      "deno.land/",
                                      "get.helm.sh",
                                      "get.docker.com",
                                      "deb.nodesource.com",
                                      "cli.codecov.io",
                                      "get.sdkman.io",
                                      "install.determinate.systems",
                                      "nixos.org/",
                                      "get-ghcup.haskell.org",
                                      "taskfile.dev/",
                                      "sentry.io/get-cli",
                                      "uploader.codecov.io"};

static bool is_fetch(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
}

static const char *url_of(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *at = strstr(c->words[i].text, "://");
        if (at && at != c->words[i].text) {
            return c->words[i].text;
        }
    }
    return NULL;
}

/* A commit in the path makes the text as fixed as a pin. */
static bool has_commit(const char *url)
{
    for (const char *at = url; *at; at++) {
        if (strspn(at, "0123456789abcdef") >= 40) {
            return true;
        }
    }
    return false;
}

static bool is_vendor(const char *url)
{
    for (size_t i = 0; i < WPA_COUNT(vendors); i++) {
        if (wpa_text_starts(url, "https://") && strstr(url, vendors[i])) {
            return true;
        }
    }
    return false;
}

/* Does the script check a sum or a signature anywhere? */
static bool verifies(const wpa_script *script)
{
    static const char *const tools[] = {"sha256sum", "sha512sum", "shasum",  "gpg",
                                        "cosign",    "minisign",  "sha1sum", "gpgv"};
    for (size_t i = 0; i < script->n_commands; i++) {
        if (wpa_text_index(script->commands[i].name, tools, WPA_COUNT(tools)) >= 0) {
            return true;
        }
    }
    return false;
}

/* A shell that reads its script from the pipe: no script of its own, no -c. */
static bool reads_pipe(const wpa_shell_command *c)
{
    if (wpa_text_index(c->name, shells, WPA_COUNT(shells)) < 0) {
        return false;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, "-c") || wpa_text_is(word, "-m") || wpa_text_is(word, "-e")) {
            return false;
        }
        if (wpa_text_is(word, "-s") || wpa_text_is(word, "-") || wpa_text_is(word, "--")) {
            return true;
        }
        if (word[0] != '-') {
            return false;
        }
    }
    return true;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    for (size_t i = 0; script && i + 1 < script->n_commands; i++) {
        const wpa_shell_command *fetch = &script->commands[i];
        const char *url = is_fetch(fetch) ? url_of(fetch) : NULL;
        size_t k = i + 1;
        while (k < script->n_commands && wpa_text_is(script->commands[k].before, "|") &&
               !reads_pipe(&script->commands[k])) {
            k++;
        }
        bool runs = k < script->n_commands && wpa_text_is(script->commands[k].before, "|") &&
                    wpa_text_is(fetch->after, "|");
        if (!url || !runs || has_commit(url) || verifies(script)) {
            continue;
        }
        const wpa_shell_command *shell = &script->commands[k];
        wpa_finding *finding = wpa_rule_report(
            run, wpa_outline_script_span(step, (wpa_span){fetch->span.start, shell->span.end}),
            NULL, NULL, "%s runs whatever %s answers today", shell->name,
            wpa_rule_quote(run, url, strlen(url)));
        if (is_vendor(url)) {
            finding->severity = WPA_SEVERITY_MEDIUM;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i].steps[k]);
        }
    }
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
    .check = check,
};
