/* With which token a step does what it needs a token for. */
#include <string.h>
#include <strings.h>

#include "rules/needs.h"
#include "rules/pin.h"
#include "rules/shell_roles.h"
#include "rules/trust.h"

/* A value that is the job's own token, or not given at all; anything else is another token. */
static bool is_own_token(const wpa_yaml_node *value)
{
    const char *text = wpa_yaml_text(value);
    return !value || (text &&
                      (wpa_text_seek_ci(text, "secrets.GITHUB_TOKEN") ||
                       wpa_text_seek_ci(text, "github.token")) &&
                      !strstr(text, "||"));
}

static bool is_token_name(const char *name)
{
    static const char *const words[] = {"token", "deploy_key", "ssh-key", "personal", "pat"};
    for (const char *at = name; at && (at = strpbrk(at, "tdspTDSP")); at++) {
        for (size_t i = 0; i < WPA_COUNT(words); i++) {
            if ((*at | 0x20) == *words[i] && strncasecmp(at, words[i], strlen(words[i])) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Does any of these entries hold another token than the job's? */
static bool has_other_token(const wpa_yaml_node *mapping, bool names_only)
{
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        const wpa_yaml_node *value = wpa_yaml_resolve(mapping->pairs[i].value);
        bool is_path = wpa_text_is(wpa_yaml_text(mapping->pairs[i].key), "path");
        bool is_named = !is_path && is_token_name(wpa_yaml_text(mapping->pairs[i].key));
        bool names_secret = value && value->kind == WPA_YAML_SCALAR && value->length &&
                            wpa_outline_names_secret(value);
        if ((is_named && !is_own_token(value)) || (!names_only && names_secret)) {
            return true;
        }
    }
    return false;
}

static bool has_env_token(const wpa_outline *o, const wpa_outline_step *step)
{
    return has_other_token(step->env, false) ||
           has_other_token(wpa_yaml_get(step->job->node, "env"), true) ||
           has_other_token(wpa_yaml_get(o->root, "env"), true);
}

/* Pushes go with what the checkout left, or an address with a token in it. */
static bool pushes_otherwise(const wpa_outline_job *job)
{
    bool has_checkout = false;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *other = &job->steps[i];
        const char *persists = wpa_outline_with_text(other, "persist-credentials");
        const char *text = other->run ? other->run->text : NULL;
        if (wpa_outline_step_uses(other, "actions/checkout")) {
            has_checkout = true;
            if (has_other_token(other->with, true) || wpa_text_is_ci(persists, "false") ||
                wpa_outline_with(other, "repository")) {
                return true;
            }
        }
        bool changes_remote = text && (strstr(text, "://") || strstr(text, "git remote") ||
                                       strstr(text, "git config") || strstr(text, "ssh"));
        bool is_identity = text && strstr(text, "git config") && strstr(text, "user.") &&
                           !strstr(text, "://") && !strstr(text, "remote") &&
                           !strstr(text, "extraheader") && !strstr(text, "ssh");
        if ((changes_remote && !is_identity) ||
            (other->uses.kind == WPA_OUTLINE_REPOSITORY &&
             wpa_text_seek_ci(other->uses.node->text, "app-token")) ||
            (other->uses.kind == WPA_OUTLINE_REPOSITORY &&
             wpa_text_seek_ci(other->uses.node->text, "ssh-agent"))) {
            return true;
        }
    }
    return !has_checkout;
}

bool wpa_needs_own_token(const wpa_outline *o, const wpa_outline_step *step)
{
    if (has_other_token(step->with, true) || has_env_token(o, step)) {
        return false;
    }
    if (!step->run) {
        return wpa_outline_step_uses(step, "ad-m/github-push-action") ||
               !wpa_needs_action_pushes(step) || !pushes_otherwise(step->job);
    }
    bool calls_gh = false;
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        calls_gh = calls_gh || wpa_text_is(script->commands[i].name, "gh");
    }
    if (!calls_gh) {
        return !pushes_otherwise(step->job);
    }
    static const char *const names[] = {"GH_TOKEN", "GITHUB_TOKEN"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(step->env, names[i]);
        value = value ? value : wpa_yaml_get(wpa_yaml_get(step->job->node, "env"), names[i]);
        value = value ? value : wpa_yaml_get(wpa_yaml_get(o->root, "env"), names[i]);
        if (value) {
            return is_own_token(value);
        }
    }
    return false;
}
