#include "rules/unpacked.h"

#include <string.h>

#include "rules/shell_roles.h"

bool wpa_unpacked_is_file(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path;
    return path && !strpbrk(path, "*?[\n") && !wpa_outline_has_expression(path) && *name &&
           strchr(name, '.') && name[0] != '.';
}

/* Moves or packs files, so that some may be right under the folder afterwards. */
static bool is_mover(const wpa_shell_command *command)
{
    bool packs = wpa_text_is(command->name, "tar") && command->n_words > command->first + 1 &&
                 strchr(command->words[command->first + 1].text, 'c');
    return packs || wpa_text_is(command->name, "mv") || wpa_text_is(command->name, "zip") ||
           wpa_text_is(command->name, "7z") || wpa_text_is(command->name, "unzip");
}

/* "mv" may stand where no command is read: in a script of python, or in an expression. */
bool wpa_unpacked_moves(const wpa_outline_step *step)
{
    const wpa_script *script = wpa_step_commands(step);
    bool moves = step->run && strstr(step->run->text, "mv ");
    for (size_t i = 0; script && !moves && i < script->n_commands; i++) {
        moves = is_mover(&script->commands[i]);
    }
    return moves;
}

bool wpa_unpacked_reads_flat(const wpa_outline_step *step, const char *folder)
{
    size_t length = strlen(folder);
    const char *packages = wpa_outline_with_text(step, "packages-dir");
    if (wpa_outline_step_uses(step, "pypa/gh-action-pypi-publish")) {
        packages = packages ? packages : "dist/";
        return strncmp(packages, folder, length) == 0 &&
               !packages[length + strspn(packages + length, "/")];
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t k = command->first + 1; k < command->n_words; k++) {
            const char *word = command->words[k].text;
            word += wpa_text_starts(word, "./") ? 2 : 0;
            if (strncmp(word, folder, length) == 0 && wpa_text_starts(word + length, "/*.")) {
                return true;
            }
        }
    }
    return false;
}
