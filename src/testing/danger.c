#include "testing/danger.h"

#include <string.h>
#include <strings.h>

#include <wpa/arena.h>

#define MAX_LOOKUPS 8

/* A program, words that must follow in this order (options in between), and an option of which one
   must be there. NULL: no such condition. */
typedef struct pattern {
    const char *name, *sub, *sub2;
    const char *options; /* blank-separated alternatives */
    const char *what;
} pattern;

static const pattern destructive[] = {
    {"git", "push", NULL, "--force -f --force-with-lease --mirror", "forces a push"},
    {"git", "push", NULL, "--delete -d --prune", "deletes branches or tags of the remote"},
    {"git", "tag", NULL, "-d --delete", "deletes a tag"},
    {"git", "filter-branch", NULL, NULL, "rewrites history"},
    {"git", "filter-repo", NULL, NULL, "rewrites history"},
    {"git", "update-ref", NULL, "-d", "deletes a ref"},
    {"gh", "release", "delete", NULL, "deletes a release"},
    {"gh", "repo", "delete", NULL, "deletes a repository"},
    {"gh", "cache", "delete", NULL, "deletes caches"},
    {"gh", "run", "delete", NULL, "deletes runs"},
    {"terraform", "destroy", NULL, NULL, "destroys infrastructure"},
    {"terraform", "apply", NULL, "-destroy --destroy", "destroys infrastructure"},
    {"tofu", "destroy", NULL, NULL, "destroys infrastructure"},
    {"pulumi", "destroy", NULL, NULL, "destroys infrastructure"},
    {"cdk", "destroy", NULL, NULL, "destroys infrastructure"},
    {"serverless", "remove", NULL, NULL, "destroys infrastructure"},
    {"kubectl", "delete", NULL, NULL, "deletes from a cluster"},
    {"helm", "uninstall", NULL, NULL, "deletes from a cluster"},
    {"helm", "delete", NULL, NULL, "deletes from a cluster"},
    {"aws", "s3", "rm", NULL, "deletes from a bucket"},
    {"aws", "s3", "rb", NULL, "removes a bucket"},
    {"aws", "s3", "sync", "--delete", "deletes from a bucket"},
    {"gsutil", "rm", NULL, NULL, "deletes from a bucket"},
    {"gsutil", "rb", NULL, NULL, "removes a bucket"},
    {"rclone", "delete", NULL, NULL, "deletes from a remote"},
    {"rclone", "purge", NULL, NULL, "deletes from a remote"},
    {"rsync", NULL, NULL, "--delete --delete-after --delete-excluded", "deletes at its target"},
    {"docker", "volume", "rm", NULL, "removes volumes"},
    {"docker", "volume", "prune", NULL, "removes volumes"},
    {"docker", "system", "prune", NULL, "removes images and volumes"},
    {"docker", "image", "prune", NULL, "removes images"},
    {"docker", "rmi", NULL, NULL, "removes images"},
    {"podman", "system", "prune", NULL, "removes images and volumes"},
    {"dropdb", NULL, NULL, NULL, "drops a database"},
    {"redis-cli", "flushall", NULL, NULL, "empties a database"},
    {"redis-cli", "flushdb", NULL, NULL, "empties a database"},
    {"alembic", "downgrade", NULL, NULL, "downgrades a database"},
    {"npm", "unpublish", NULL, NULL, "unpublishes a package"},
    {"cargo", "yank", NULL, NULL, "withdraws a package"},
    {"gem", "yank", NULL, NULL, "withdraws a package"},
    {"mkfs", NULL, NULL, NULL, "formats a disk"},
    {"wipefs", NULL, NULL, NULL, "formats a disk"},
    {"shred", NULL, NULL, NULL, "destroys files"},
};

static const pattern keeping[] = {
    {"pg_dump", NULL, NULL, NULL, "a backup"},
    {"pg_dumpall", NULL, NULL, NULL, "a backup"},
    {"mysqldump", NULL, NULL, NULL, "a backup"},
    {"restic", "backup", NULL, NULL, "a backup"},
    {"borg", "create", NULL, NULL, "a backup"},
    {"aws", "s3", "cp", NULL, "an upload"},
    {"aws", "s3", "sync", NULL, "an upload"},
    {"gsutil", "cp", NULL, NULL, "an upload"},
    {"gh", "release", "create", NULL, "a release"},
    {"gh", "release", "upload", NULL, "an upload"},
    {"twine", "upload", NULL, NULL, "a publication"},
    {"npm", "publish", NULL, NULL, "a publication"},
    {"yarn", "publish", NULL, NULL, "a publication"},
    {"cargo", "publish", NULL, NULL, "a publication"},
    {"docker", "push", NULL, NULL, "a publication"},
    {"helm", "push", NULL, NULL, "a publication"},
    {"git", "push", NULL, NULL, "a push"},
};

static bool is_option_among(const char *word, const char *options)
{
    size_t length = strcspn(word, "=");
    for (const char *at = options; *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && strncmp(word, at, n) == 0) {
            return true;
        }
        at += n + (at[n] == ' ');
    }
    return false;
}

static bool fits(const pattern *row, const wpa_shell_command *command)
{
    const char *const subs[] = {row->sub, row->sub2};
    size_t sub = 0;
    bool has_option = row->options == NULL;
    if (strcmp(command->name, row->name) != 0) {
        return false;
    }
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if (sub < 2 && subs[sub] && strcasecmp(word, subs[sub]) == 0) {
            sub++;
        }
        has_option = has_option || is_option_among(word, row->options);
    }
    size_t wanted = row->sub2 ? 2 : row->sub ? 1 : 0;
    return sub == wanted && has_option;
}

/* ---- variables ---- */

/** The one literal that a script sets a variable to, or NULL. */
static const char *value_of(const wpa_script *script, const char *name, size_t length)
{
    const char *value = NULL;
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t k = 0; k < command->n_words; k++) {
            const char *word = command->words[k].text;
            if (strncmp(word, name, length) == 0 && word[length] == '=') {
                if (value || !command->words[k].is_literal) {
                    return NULL;
                }
                value = word + length + 1;
            }
        }
    }
    return value;
}

/** Word with the variable in front put in ("$DIR/x"); itself if there is none to be followed. */
static const char *resolve(const wpa_script *script, const char *word, wpa_arena *arena)
{
    for (int i = 0; i < MAX_LOOKUPS && word[0] == '$'; i++) {
        const char *name = word[1] == '{' ? word + 2 : word + 1;
        size_t length =
            strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
        const char *rest = name + length;
        if (word[1] == '{') {
            if (*rest != '}') {
                return word;
            }
            rest++;
        }
        const char *value = length ? value_of(script, name, length) : NULL;
        if (!value) {
            return word;
        }
        word = wpa_arena_printf(arena, "%s%s", value, rest);
    }
    return word;
}

/* ---- deleting files ---- */

/** Folders that a job owns: what lies there is gone after the job anyway. */
static bool is_work_path(const char *path)
{
    static const char *const own[] = {"/tmp/",        "$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}",
                                      "$RUNNER_TEMP", "${RUNNER_TEMP}",    "$TMPDIR",
                                      "${TMPDIR}"};
    for (size_t i = 0; i < WPA_COUNT(own); i++) {
        if (strncmp(path, own[i], strlen(own[i])) == 0 && !strstr(path, "..")) {
            return true;
        }
    }
    return false;
}

static wpa_danger_finding judge_path(const char *path)
{
    if (is_work_path(path)) {
        return (wpa_danger_finding){0};
    }
    if (path[0] == '/' || path[0] == '~' || strncmp(path, "..", 2) == 0 || strstr(path, "/../") ||
        strncmp(path, "$HOME", 5) == 0 || strncmp(path, "${HOME}", 7) == 0) {
        return (wpa_danger_finding){WPA_DANGER_CERTAIN, "deletes outside the work folder"};
    }
    if (path[0] == '$' || path[0] == '`' || strncmp(path, "__", 2) == 0) {
        return (wpa_danger_finding){WPA_DANGER_UNRESOLVED, "deletes where a variable says"};
    }
    return (wpa_danger_finding){0};
}

static wpa_danger_finding worse(wpa_danger_finding a, wpa_danger_finding b)
{
    return b.level > a.level ? b : a;
}

static wpa_danger_finding judge_deletion(const wpa_script *script, const wpa_shell_command *command,
                                         wpa_arena *arena)
{
    wpa_danger_finding worst = {0};
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if (word[0] != '-') {
            worst = worse(worst, judge_path(resolve(script, word, arena)));
        }
    }
    return worst;
}

static wpa_danger_finding judge_find(const wpa_script *script, const wpa_shell_command *command,
                                     wpa_arena *arena)
{
    bool deletes = false;
    wpa_danger_finding worst = {0};
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        const char *next = i + 1 < command->n_words ? command->words[i + 1].text : "";
        deletes = deletes || strcmp(word, "-delete") == 0 ||
                  (strncmp(word, "-exec", 5) == 0 && strcmp(next, "rm") == 0);
    }
    for (size_t i = command->first + 1;
         deletes && i < command->n_words && command->words[i].text[0] != '-'; i++) {
        worst = worse(worst, judge_path(resolve(script, command->words[i].text, arena)));
    }
    return worst;
}

/* ---- SQL ---- */

static bool has_word_ci(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at += length) {
        bool is_start = at == text || strchr(" \t\n;(\"'", at[-1]);
        bool is_end = !at[length] || strchr(" \t\n;(\"'", at[length]);
        if (is_start && is_end) {
            return true;
        }
    }
    return false;
}

static wpa_danger_finding judge_sql_text(const char *text)
{
    if (has_word_ci(text, "drop") || has_word_ci(text, "truncate")) {
        return (wpa_danger_finding){WPA_DANGER_CERTAIN, "drops or truncates in a database"};
    }
    if ((has_word_ci(text, "delete") || has_word_ci(text, "update")) &&
        !has_word_ci(text, "where")) {
        return (wpa_danger_finding){WPA_DANGER_CERTAIN, "deletes or updates every row of a table"};
    }
    return (wpa_danger_finding){0};
}

static bool is_database_client(const char *name)
{
    static const char *const clients[] = {"psql",   "mysql",   "mariadb",          "sqlite3",
                                          "sqlcmd", "mongosh", "clickhouse-client"};
    for (size_t i = 0; i < WPA_COUNT(clients); i++) {
        if (strcmp(name, clients[i]) == 0) {
            return true;
        }
    }
    return false;
}

/** In the arguments, and in a here-document. */
static wpa_danger_finding judge_sql(const wpa_script *script, const wpa_shell_command *command,
                                    wpa_arena *arena)
{
    wpa_danger_finding worst = {0};
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        worst = worse(worst, judge_sql_text(resolve(script, command->words[i].text, arena)));
    }
    for (size_t i = 0; i < command->n_redirects && !command->is_nested_script; i++) {
        wpa_span body = command->redirects[i].body;
        if (body.end > body.start && body.end <= script->length) {
            worst = worse(worst, judge_sql_text(wpa_arena_slice(arena, script->text + body.start,
                                                                body.end - body.start)));
        }
    }
    return worst;
}

/** "git push origin :branch" and "+branch". */
static wpa_danger_finding judge_push(const wpa_shell_command *command)
{
    for (size_t i = command->first + 2; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if ((word[0] == ':' || word[0] == '+') && word[1]) {
            return (wpa_danger_finding){WPA_DANGER_CERTAIN, word[0] == ':'
                                                                ? "deletes a ref of the remote"
                                                                : "forces a push"};
        }
    }
    return (wpa_danger_finding){0};
}

wpa_danger_finding wpa_danger_of(const wpa_script *script, const wpa_shell_command *command,
                                 wpa_arena *arena)
{
    for (size_t i = 0; i < WPA_COUNT(destructive); i++) {
        if (fits(&destructive[i], command)) {
            return (wpa_danger_finding){WPA_DANGER_CERTAIN, destructive[i].what};
        }
    }
    if (strcmp(command->name, "rm") == 0 || strcmp(command->name, "rmdir") == 0 ||
        strcmp(command->name, "unlink") == 0) {
        return judge_deletion(script, command, arena);
    }
    if (strcmp(command->name, "find") == 0) {
        return judge_find(script, command, arena);
    }
    if (is_database_client(command->name)) {
        return judge_sql(script, command, arena);
    }
    if (strcmp(command->name, "git") == 0 && wpa_shell_is(command, "git", "push")) {
        return judge_push(command);
    }
    if (command->name[0] == '$' || strcmp(command->name, "eval") == 0) {
        return (wpa_danger_finding){WPA_DANGER_UNRESOLVED, "runs what a variable says"};
    }
    return (wpa_danger_finding){0};
}

const char *wpa_danger_keeps(const wpa_shell_command *command)
{
    for (size_t i = 0; i < WPA_COUNT(keeping); i++) {
        if (fits(&keeping[i], command)) {
            return keeping[i].what;
        }
    }
    return NULL;
}
