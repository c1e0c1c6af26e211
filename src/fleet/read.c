/* fleet.yml as a whole. */
#include <stdlib.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/yaml.h>

#include "fleet/declare.h"
#include "fleet/fleet.h"
#include "git/git.h"

#define REPOSITORIES_MAX 100000

typedef struct reader {
    const char *folder; /* of the file */
    const wpa_json *rollout;
    const wpa_json *checks;
    wpa_arena *arena;
} reader;

static const char *const file_keys[] = {"version", "rollout", "health_checks", "repositories"};
static const char *const repository_keys[] = {"name",    "url",           "path",        "branch",
                                              "owner",   "labels",        "criticality", "test",
                                              "rollout", "health_checks", "integration"};

static bool is_name(const char *name)
{
    const size_t length = strlen(name);
    return length > 0 && length <= 100 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               length;
}

/* An absolute path or URL: what is stored must mean the same from any folder and process. */
static const char *settle_url(const char *folder, const char *url, wpa_arena *arena)
{
    if (!wpa_git_url_is_local(url) || wpa_text_starts(url, "file://") || *url == '/') {
        return wpa_arena_text(arena, url);
    }
    const char *joined = wpa_path_join(arena, folder, url);
    char *real = realpath(joined, NULL);
    const char *settled = wpa_arena_text(arena, real != NULL ? real : joined);
    free(real); /* libc's memory */
    return settled;
}

static const char *default_branch(const char *url, wpa_arena *arena)
{
    wpa_error ignored = {0};
    if (wpa_git_url_is_local(url)) {
        WPA_AUTO(wpa_git) *git = wpa_git_open(url, &ignored);
        const char *head = git != NULL ? wpa_git_head_branch(git, arena) : NULL;
        if (head != NULL) {
            return head;
        }
    }
    return "main";
}

static void replace_all(wpa_buf *out, const char *text, const char *from, const char *to)
{
    const char *at = text;
    for (const char *hit = strstr(at, from); hit != NULL; hit = strstr(at, from)) {
        wpa_buf_append(out, at, (size_t)(hit - at));
        wpa_buf_text(out, to);
        at = hit + strlen(from);
    }
    wpa_buf_text(out, at);
}

/* "{repository}" in URLs and arguments, so that one declaration serves all. */
static wpa_json *fill_in(const wpa_json *value, const char *name, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(65536);
    switch (wpa_json_kind_of(value)) {
    case WPA_JSON_TEXT:
        replace_all(text, wpa_json_text_of(value), "{repository}", name);
        return wpa_json_new_text(arena, wpa_buf_data(text));
    case WPA_JSON_ARRAY: {
        wpa_json *copy = wpa_json_new_array(arena);
        for (size_t i = 0; i < wpa_json_count(value); i++) {
            wpa_json_push(copy, fill_in(wpa_json_at(value, i), name, arena));
        }
        return copy;
    }
    case WPA_JSON_OBJECT: {
        wpa_json *copy = wpa_json_new_object(arena);
        for (size_t i = 0; i < wpa_json_count(value); i++) {
            wpa_json_set(copy, wpa_json_key_at(value, i),
                         fill_in(wpa_json_at(value, i), name, arena));
        }
        return copy;
    }
    case WPA_JSON_NULL:
    case WPA_JSON_BOOL:
    case WPA_JSON_INT:
    case WPA_JSON_REAL:
        break;
    }
    return wpa_json_dup(value, arena);
}

static void use_defaults(wpa_repository *repository, wpa_arena *arena)
{
    repository->owner = "";
    repository->criticality = 2;
    repository->labels_json = "[]";
    repository->test_json = "{}";
    repository->integration_json = "[]";
    repository->checks_json = wpa_json_dump(wpa_declare_default_checks(arena), arena);
    repository->rollout_json = wpa_json_dump(wpa_declare_default_rollout(arena), arena);
    repository->state = "new";
}

bool wpa_fleet_declare(const char *name, const char *url, const char *branch, wpa_arena *arena,
                       wpa_repository *repository, wpa_error *err)
{
    *repository = (wpa_repository){0};
    if (url == NULL || *url == '\0' || strlen(url) > 4096) {
        return WPA_FAIL(err, WPA_E_INVALID, "expected a path or URL of a git repository");
    }
    char *here = realpath(".", NULL);
    repository->url = settle_url(here != NULL ? here : "/", url, arena);
    free(here); /* libc's memory */
    repository->name = name != NULL ? wpa_arena_text(arena, name) : wpa_git_url_name(arena, url);
    if (!is_name(repository->name)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "'%s' is no name for a repository (letters, digits, '.', '_', '-'; at most "
                        "100; not beginning with '.' or '-'); give one with --name",
                        repository->name);
    }
    repository->branch = branch != NULL && *branch != '\0' ? wpa_arena_text(arena, branch)
                                                           : default_branch(repository->url, arena);
    use_defaults(repository, arena);
    return true;
}

static bool read_labels(const wpa_yaml_node *node, wpa_arena *arena, wpa_repository *repository,
                        wpa_error *err)
{
    const char *const *labels = NULL;
    size_t n = 0;
    if (!wpa_yaml_get_texts(node, "labels", arena, &labels, &n, err)) {
        return false;
    }
    wpa_json *array = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_json_push_text(array, labels[i]);
    }
    repository->labels_json = wpa_json_dump(array, arena);
    return true;
}

static bool read_place(const reader *r, const wpa_yaml_node *node, wpa_repository *repository,
                       wpa_error *err)
{
    const char *name = NULL;
    const char *url = NULL;
    const char *path = NULL;
    const char *branch = NULL;
    if (!wpa_yaml_get_text(node, "name", &name, err) ||
        !wpa_yaml_get_text(node, "url", &url, err) ||
        !wpa_yaml_get_text(node, "path", &path, err) ||
        !wpa_yaml_get_text(node, "branch", &branch, err)) {
        return false;
    }
    if ((url == NULL) == (path == NULL)) {
        return wpa_yaml_fail(node, err, "expected either 'url' or 'path'");
    }
    wpa_error why = {0};
    const char *where = settle_url(r->folder, url != NULL ? url : path, r->arena);
    return wpa_fleet_declare(name, where, branch, r->arena, repository, &why) ||
           wpa_yaml_fail(node, err, "%s", why.message);
}

static bool read_checks(const reader *r, const wpa_yaml_node *node, wpa_repository *repository,
                        wpa_error *err)
{
    const wpa_yaml_node *list = NULL;
    const wpa_yaml_node *mapping = NULL;
    if (!wpa_yaml_get_sequence(node, "health_checks", &list, err) ||
        !wpa_yaml_get_mapping(node, "rollout", &mapping, err)) {
        return false;
    }
    const wpa_json *checks =
        list == NULL ? r->checks : wpa_declare_checks(list, r->checks, r->arena, err);
    const wpa_json *rollout =
        mapping == NULL ? r->rollout : wpa_declare_rollout(mapping, r->rollout, r->arena, err);
    if (checks == NULL || rollout == NULL ||
        !wpa_declare_check_names(rollout, checks, mapping != NULL ? mapping : node, err)) {
        return false;
    }
    repository->checks_json = wpa_json_dump(fill_in(checks, repository->name, r->arena), r->arena);
    repository->rollout_json = wpa_json_dump(rollout, r->arena);
    return true;
}

static bool read_test(const reader *r, const wpa_yaml_node *node, wpa_repository *repository,
                      wpa_error *err)
{
    const wpa_yaml_node *mapping = NULL;
    const wpa_yaml_node *list = NULL;
    if (!wpa_yaml_get_mapping(node, "test", &mapping, err) ||
        !wpa_yaml_get_sequence(node, "integration", &list, err)) {
        return false;
    }
    if (mapping != NULL) {
        const wpa_json *test = wpa_declare_test(mapping, r->arena, err);
        if (test == NULL) {
            return false;
        }
        repository->test_json = wpa_json_dump(test, r->arena);
    }
    if (list != NULL) {
        const wpa_json *points = wpa_declare_integration(list, r->arena, err);
        if (points == NULL) {
            return false;
        }
        repository->integration_json = wpa_json_dump(points, r->arena);
    }
    return true;
}

static bool read_repository(const reader *r, const wpa_yaml_node *node, wpa_repository *repository,
                            wpa_error *err)
{
    return wpa_yaml_expect(node, WPA_YAML_MAPPING, err) &&
           wpa_yaml_check_keys(node, repository_keys, WPA_COUNT(repository_keys), err) &&
           read_place(r, node, repository, err) &&
           wpa_yaml_get_text(node, "owner", &repository->owner, err) &&
           wpa_yaml_get_int(node, "criticality", 1, 3, &repository->criticality, err) &&
           read_labels(node, r->arena, repository, err) && read_checks(r, node, repository, err) &&
           read_test(r, node, repository, err);
}

static bool read_defaults(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *mapping = NULL;
    const wpa_yaml_node *list = NULL;
    int64_t version = 1;
    if (!wpa_yaml_expect(root, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(root, file_keys, WPA_COUNT(file_keys), err) ||
        !wpa_yaml_get_int(root, "version", 1, 1, &version, err) ||
        !wpa_yaml_get_mapping(root, "rollout", &mapping, err) ||
        !wpa_yaml_get_sequence(root, "health_checks", &list, err)) {
        return false;
    }
    r->rollout = wpa_declare_default_rollout(r->arena);
    r->checks = wpa_declare_default_checks(r->arena);
    if (mapping != NULL) {
        r->rollout = wpa_declare_rollout(mapping, r->rollout, r->arena, err);
    }
    if (r->rollout != NULL && list != NULL) {
        r->checks = wpa_declare_checks(list, r->checks, r->arena, err);
    }
    return r->rollout != NULL && r->checks != NULL;
}

static const char *folder_of(const char *path, wpa_arena *arena)
{
    char *real = realpath(path, NULL);
    char *folder = wpa_arena_text(arena, real != NULL ? real : "/");
    free(real); /* libc's memory */
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return folder;
}

bool wpa_fleet_read(const char *path, wpa_arena *arena, wpa_repositories *all, wpa_error *err)
{
    *all = (wpa_repositories){0};
    const wpa_yaml_doc *doc = wpa_yaml_load(path, arena, err);
    if (doc == NULL) {
        return false;
    }
    reader r = {.folder = folder_of(path, arena), .arena = arena};
    const wpa_yaml_node *list = NULL;
    if (!read_defaults(&r, doc->root, err) ||
        (list = wpa_yaml_need(doc->root, "repositories", err)) == NULL ||
        !wpa_yaml_expect(list, WPA_YAML_SEQUENCE, err)) {
        return false;
    }
    if (list->n_items > REPOSITORIES_MAX) {
        return wpa_yaml_fail(list, err, "at most %d repositories", REPOSITORIES_MAX);
    }
    wpa_map *names = wpa_map_new(arena);
    all->items = wpa_arena_array(arena, list->n_items + 1, sizeof *all->items);
    for (size_t i = 0; i < list->n_items; i++) {
        wpa_repository *repository = &all->items[i];
        if (!read_repository(&r, list->items[i], repository, err)) {
            return false;
        }
        if (wpa_map_has(names, repository->name)) {
            return wpa_yaml_fail(list->items[i], err, "a second repository named '%s'",
                                 repository->name);
        }
        wpa_map_put(names, repository->name, repository);
        all->n++;
    }
    return true;
}
