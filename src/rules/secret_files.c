#include "rules/secret_files.h"

#include <string.h>

#include "rules/settings.h"
#include "rules/steps.h"

#define PIPE_MAX_COMMANDS 8

/* ---- what is written ---------------------------------------------------------------------------
 */

/* Commands that hand a text on so that it can be read again. */
static bool hands_on(const wpa_shell_command *c)
{
    static const char *const names[] = {"base64", "tr", "sed", "cat", "tee"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
}

static const wpa_shell_word *target_of(const wpa_shell_command *c)
{
    if (wpa_text_is(c->name, "tee")) {
        return wpa_shell_argument(c, 0);
    }
    for (size_t i = 0; i < c->n_redirects; i++) {
        const char *operator= c->redirects[i].operator;
        if (wpa_text_is(operator, ">") || wpa_text_is(operator, ">>")) {
            return &c->redirects[i].target;
        }
    }
    return NULL;
}

/* A plain path below the workspace; NULL of whatever else it may be. */
static const char *path_in_workspace(const wpa_outline_step *step, const char *text,
                                     wpa_arena *arena)
{
    static const char *const roots[] = {"$GITHUB_WORKSPACE/", "${GITHUB_WORKSPACE}/"};
    for (size_t i = 0; i < WPA_COUNT(roots); i++) {
        text += wpa_text_starts(text, roots[i]) ? strlen(roots[i]) : 0;
    }
    bool is_plain = *text && *text != '/' && *text != '~' && !strpbrk(text, "$%`*?&:\\") &&
                    !strstr(text, "____");
    bool is_elsewhere = wpa_yaml_get(step->node, "working-directory") ||
                        wpa_yaml_may_hold(step->run->doc, "working-directory");
    return is_plain && !is_elsewhere ? wpa_path_in_tree("", wpa_slice_of(text), arena) : NULL;
}

/* Has the script gone to another folder before? */
static bool has_moved(const wpa_script *script, size_t i)
{
    static const char *const movers[] = {"cd", "pushd", "Set-Location", "sl"};
    bool has = false;
    for (size_t k = 0; k < i && !has; k++) {
        has = wpa_text_index(script->commands[k].name, movers, WPA_COUNT(movers)) >= 0;
    }
    return has;
}

wpa_secret_file wpa_secret_file_of(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    const wpa_script *script = step->lexed;
    const wpa_shell_command *c = &script->commands[i];
    const wpa_shell_word *target = target_of(c);
    for (size_t n = 0; !target && n < PIPE_MAX_COMMANDS && wpa_text_is(c->after, "|"); n++) {
        if (c + 1 >= script->commands + script->n_commands || !hands_on(c + 1)) {
            break;
        }
        c++;
        target = target_of(c);
    }
    bool is_known = target && !c->nested && !c->is_nested_script &&
                    wpa_rule_spend(run, script->n_commands) && !has_moved(script, i);
    return is_known
               ? (wpa_secret_file){path_in_workspace(step, target->text, run->arena), target->span}
               : (wpa_secret_file){0};
}

/* ---- what is taken -----------------------------------------------------------------------------
 */

static const char *const takers[][2] = {
    {"actions/upload-artifact", "path"},
    {"actions/upload-pages-artifact", "path"},
    {"softprops/action-gh-release", "files"},
    {"ncipollo/release-action", "artifacts"},
    {"actions/cache", "path"},
    {"actions/cache/save", "path"},
};

/* Does a line of paths name the file, a folder that it lies in, or a pattern that fits it? */
static bool line_covers(wpa_slice line, const char *file, wpa_arena *arena)
{
    if (wpa_path_is_workspace(line)) {
        return true;
    }
    const char *path = wpa_path_in_tree("", line, arena);
    size_t length = path ? strlen(path) : 0;
    bool is_in =
        length && strncmp(file, path, length) == 0 && (!file[length] || file[length] == '/');
    return is_in || (length && strpbrk(path, "*?") && wpa_glob_fits(path, file));
}

static bool is_hidden(const char *file)
{
    return file[0] == '.' || strstr(file, "/.");
}

/* Every line of it, unless one of them takes something out again. */
static bool covers(const wpa_yaml_node *paths, const char *file, wpa_arena *arena)
{
    const char *text = paths->text;
    bool is_covered = false;
    for (const char *at = strchr(text, '!') ? "" : text; *at && !is_covered;) {
        size_t length = strcspn(at, "\r\n,"), lead = strspn(at, " \t\"'");
        size_t end = length;
        lead = lead < length ? lead : length;
        while (end > lead && strchr(" \t\"'/", at[end - 1])) {
            end--;
        }
        wpa_slice line = {at + lead, end - lead};
        bool is_open = memmem(line.at, line.length, "${{", 3) && !wpa_path_is_workspace(line);
        is_covered = line.length && !is_open && line_covers(line, file, arena);
        at += length;
        at += strspn(at, "\r\n,");
    }
    return is_covered;
}

static const wpa_yaml_node *taken_by(const wpa_outline_step *step, const char *file,
                                     wpa_arena *arena)
{
    for (size_t i = 0; i < WPA_COUNT(takers); i++) {
        const wpa_yaml_node *paths =
            wpa_outline_step_uses(step, takers[i][0]) ? wpa_outline_with(step, takers[i][1]) : NULL;
        bool leaves_hidden =
            wpa_text_starts(takers[i][0], "actions/upload-") &&
            !wpa_text_is(wpa_outline_with_text(step, "include-hidden-files"), "true");
        if (paths && wpa_yaml_text(paths) && !(leaves_hidden && is_hidden(file)) &&
            covers(paths, file, arena)) {
            return paths;
        }
    }
    return NULL;
}

/* Does the script remove something of the file's name, or of a pattern? */
static bool may_remove(const wpa_outline_step *step, const char *file)
{
    static const char *const removers[] = {"rm", "shred", "Remove-Item", "del", "mv", "git"};
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    bool may = false;
    for (size_t i = 0; step->lexed && i < step->lexed->n_commands && !may; i++) {
        const wpa_shell_command *c = &step->lexed->commands[i];
        bool is_remover = wpa_text_index(c->name, removers, WPA_COUNT(removers)) >= 0;
        for (size_t k = c->first + 1; is_remover && k < c->n_words && !may; k++) {
            const char *word = c->words[k].text;
            may = strstr(word, name) || strpbrk(word, "*$") ||
                  (wpa_text_starts(file, word) && file[strlen(word)] == '/') ||
                  wpa_text_is(c->name, "git");
        }
    }
    return may;
}

const wpa_outline_step *wpa_secret_file_taken(wpa_rule_run *run, const wpa_outline_step *step,
                                              const char *file, const wpa_yaml_node **path)
{
    const wpa_outline_job *job = step->job;
    bool is_gone = may_remove(step, file);
    for (size_t i = step->index + 1; !is_gone && i < job->n_steps; i++) {
        const wpa_outline_step *later = &job->steps[i];
        if (!wpa_rule_spend(run, later->run ? 16 + later->run->length / 64 : 16)) {
            return NULL;
        }
        *path = taken_by(later, file, run->arena);
        if (*path) {
            return later;
        }
        is_gone = may_remove(later, file);
    }
    return NULL;
}
