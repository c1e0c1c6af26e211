/* SEC-007: an upload takes along what was never meant to leave the runner. */
#include <string.h>
#include <strings.h>

#include "rules/pin.h"
#include "rules/steps.h"

/* Actions that publish files, and the input that names them. */
static const struct {
    const char *action, *input;
    bool skips_hidden; /* since 4.4 */
    bool skips_git;    /* a site may well be the whole repository */
} uploads[] = {
    {"actions/upload-artifact", "path", true, false},
    {"actions/upload-pages-artifact", "path", true, true},
    {"softprops/action-gh-release", "files", false, false},
    {"ncipollo/release-action", "artifacts", false, false},
    {"svenstaro/upload-release-action", "file", false, false},
    {"peaceiris/actions-gh-pages", "publish_dir", false, true},
    {"JamesIves/github-pages-deploy-action", "folder", false, true},
    {"actions/upload-release-asset", "asset_path", false, false},
    {"jakejarvis/s3-sync-action", "SOURCE_DIR", false, false},
};

/* The home or a temporary folder, as people write them. */
static const char *const homes[] = {"~",
                                    "~/",
                                    "~/**",
                                    "/home/runner",
                                    "/home/runner/",
                                    "$HOME",
                                    "/root",
                                    "${{ runner.temp }}",
                                    "${{runner.temp}}",
                                    "${{ runner.temp }}/**",
                                    "$RUNNER_TEMP",
                                    "/home/runner/**"};
/* Files that hold credentials: last part of a path, or its end. */
static const char *const carriers[] = {".git",
                                       ".git/",
                                       ".git/config",
                                       ".git/**",
                                       ".env",
                                       ".npmrc",
                                       ".netrc",
                                       ".pypirc",
                                       ".git-credentials",
                                       "id_rsa",
                                       "id_ed25519",
                                       "*.pem",
                                       "*.pfx",
                                       "*.p12",
                                       "*.jks",
                                       "*.keystore",
                                       "kubeconfig",
                                       ".kube/config",
                                       ".kube",
                                       "terraform.tfstate",
                                       "*.tfstate",
                                       ".docker/config.json",
                                       ".aws/credentials",
                                       ".aws",
                                       ".ssh",
                                       ".gnupg",
                                       ".terraformrc",
                                       "credentials.json"};

static bool is_carrier(const char *path)
{
    size_t length = strlen(path);
    char last = length ? path[length - 1] : '\0';
    for (size_t i = 0; i < WPA_COUNT(carriers); i++) {
        size_t n = strlen(carriers[i]);
        if (length >= n && carriers[i][n - 1] == last &&
            wpa_text_is(path + length - n, carriers[i]) &&
            (length == n || path[length - n - 1] == '/' ||
             (carriers[i][0] == '*' && path[length - n] == '*'))) {
            return true;
        }
    }
    return wpa_text_ends(path, ".pem") && !strstr(path, "cert") && !strstr(path, "pub");
}

typedef struct upload {
    const wpa_outline_step *step;
    const wpa_yaml_node *node;
    bool skips_hidden;
    bool excludes_git;
} upload;

/* Does the checkout write the token into .git/config? From 6 on it is kept elsewhere. */
static bool writes_token(const wpa_outline_step *checkout)
{
    const char *keeps = wpa_outline_with_text(checkout, "persist-credentials");
    bool is_kept = !keeps || wpa_text_is_ci(keeps, "true") || wpa_outline_has_expression(keeps);
    return is_kept && wpa_outline_major(&checkout->uses) < 6;
}

/* Does the version of the action leave hidden files out, unless told otherwise? */
static bool skips_hidden(const wpa_outline_step *step)
{
    const char *asked = wpa_outline_with_text(step, "include-hidden-files");
    int major = wpa_outline_major(&step->uses);
    return !wpa_text_is(asked, "true") && (major < 0 || major >= 4);
}

/* What checkouts in front of the step have put into the workspace. */
typedef struct tree {
    bool is_there, has_token;
} tree;

static tree tree_before(const wpa_outline_step *step)
{
    tree t = {0};
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        if (wpa_outline_step_uses(before, "actions/checkout")) {
            t.is_there = true;
            t.has_token = t.has_token || writes_token(before);
        }
    }
    return t;
}

/* ".git", "src/.git/config": what is secret there is the token alone. */
static bool is_git(const char *path)
{
    const char *at = strstr(path, ".git");
    return at && (at == path || at[-1] == '/') && (!at[4] || at[4] == '/');
}

static void check_path(wpa_rule_run *run, const upload *u, size_t offset, size_t length)
{
    const char *path = wpa_arena_slice(run->arena, u->node->text + offset, length);
    tree t = tree_before(u->step);
    bool is_root = (wpa_path_is_above_workspace(wpa_slice_of(path)) ||
                    wpa_path_is_workspace(wpa_slice_of(path))) &&
                   t.is_there && !u->excludes_git;
    bool is_home = wpa_text_index(path, homes, WPA_COUNT(homes)) >= 0;
    bool is_secret = is_carrier(path);
    if (!is_root && !is_home && !is_secret) {
        return;
    }
    bool is_hidden = (path[0] == '.' && path[1] != '/' && path[1] != '.') || strstr(path, "/.");
    bool is_partly = u->skips_hidden && (is_root || is_hidden);
    bool is_harmless = (is_root || is_git(path)) && t.is_there && !t.has_token;
    wpa_finding *finding = wpa_rule_report(
        run, wpa_yaml_source_span(u->node, offset, offset + length), NULL, NULL,
        is_secret                ? "%s is uploaded for everybody who may read the result"
        : is_root && is_partly   ? "%s uploads the whole workspace, all but hidden files"
        : is_root && is_harmless ? "%s uploads the whole workspace, .git with it"
        : is_root ? "%s uploads the whole workspace, the credentials in .git/config with it"
                  : "%s uploads whatever tools have left there, credentials too",
        wpa_rule_quote(run, path, length));
    if (is_partly || is_harmless) {
        finding->severity = WPA_SEVERITY_LOW;
    }
    if (is_harmless) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* One path a line; "!" in front takes paths out again. */
static void check_paths(wpa_rule_run *run, upload *u)
{
    const char *text = u->node->text;
    u->excludes_git = u->excludes_git || strstr(text, "!.git") || strstr(text, "!./.git") ||
                      strstr(text, "!**/.git") || strstr(text, "/.git\n") ||
                      strstr(text, "}}/.git/");
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n"), lead = strspn(at, " \t\"'");
        lead = lead < length ? lead : length;
        size_t kept = length;
        while (kept > lead && strchr(" \t\r\"',", at[kept - 1])) {
            kept--;
        }
        if (kept > lead && at[lead] != '!') {
            check_path(run, u, (size_t)(at - text) + lead, kept - lead);
        }
        at += length + (at[length] == '\n');
    }
}

static void check_upload(wpa_rule_run *run, const wpa_outline_step *step)
{
    for (size_t i = 0; i < WPA_COUNT(uploads); i++) {
        if (!wpa_outline_step_uses(step, uploads[i].action)) {
            continue;
        }
        const wpa_yaml_node *node = wpa_outline_with(step, uploads[i].input);
        if (wpa_yaml_text(node)) {
            upload u = {.step = step, .node = node};
            u.skips_hidden = uploads[i].skips_hidden && skips_hidden(step);
            u.excludes_git = uploads[i].skips_git;
            check_paths(run, &u);
        }
    }
}

/* ---- what a built image takes along ------------------------------------------------------------
 */

#define DOCKERFILE_MAX_BYTES ((size_t)64 * 1024)

/* Does an image's last stage copy the whole context in? */
static bool copies_all(const char *dockerfile)
{
    bool copies = false;
    while (*dockerfile) {
        size_t length = strcspn(dockerfile, "\n");
        const char *line = dockerfile + strspn(dockerfile, " \t");
        bool is_copy = strncasecmp(line, "COPY ", 5) == 0 || strncasecmp(line, "ADD ", 4) == 0;
        if (strncasecmp(line, "FROM ", 5) == 0) {
            copies = false; /* what earlier stages hold is left behind */
        } else if (is_copy && line < dockerfile + length) {
            const char *from = line + strcspn(line, " ");
            from += strspn(from, " ");
            copies = copies || wpa_text_starts(from, ". ") || wpa_text_starts(from, "./ ");
        }
        dockerfile += length + (dockerfile[length] == '\n');
    }
    return copies;
}

/* Is .git left out of the context? */
static bool ignores_git(const char *ignore)
{
    static const char *const lines[] = {".git", ".git/", "/.git", "**/.git",
                                        "*",    "**",    ".*",    ".git*"};
    while (ignore && *ignore) {
        size_t length = strcspn(ignore, "\r\n");
        for (size_t i = 0; i < WPA_COUNT(lines); i++) {
            if (strlen(lines[i]) == length && memcmp(lines[i], ignore, length) == 0) {
                return true;
            }
        }
        ignore += length;
        ignore += strspn(ignore, "\r\n");
    }
    return false;
}

/* A checkout of the workspace in front of the step that leaves the token there. */
static const wpa_outline_step *keeps_token(const wpa_outline_step *step)
{
    for (size_t i = 0; i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        if (wpa_outline_step_uses(before, "actions/checkout") &&
            !wpa_outline_with(before, "path") && writes_token(before)) {
            return before;
        }
    }
    return NULL;
}

/* docker/build-push-action that pushes an image of the whole workspace. */
static void check_image(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const whole[] = {".", "./", "${{ github.workspace }}"};
    if (!wpa_outline_step_uses(step, "docker/build-push-action")) {
        return;
    }
    const wpa_yaml_node *context = wpa_outline_with(step, "context");
    const wpa_outline_step *checkout = keeps_token(step);
    const char *push = wpa_outline_with_text(step, "push");
    if (!checkout || !push || wpa_text_is(push, "false") ||
        wpa_text_index(wpa_yaml_text(context), whole, WPA_COUNT(whole)) < 0) {
        return;
    }
    const wpa_surroundings *around = run->source->around;
    const char *file = wpa_outline_with_text(step, "file");
    file = file ? file + (wpa_text_starts(file, "./") ? 2 : 0) : "Dockerfile";
    size_t n;
    const char *dockerfile =
        wpa_surroundings_read(around, file, DOCKERFILE_MAX_BYTES, run->arena, &n);
    if (!dockerfile || !copies_all(dockerfile) ||
        ignores_git(
            wpa_surroundings_read(around, ".dockerignore", DOCKERFILE_MAX_BYTES, run->arena, &n))) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, context->span, NULL, NULL,
        "%s copies the whole context, .git/config and the token in it too, into the image that is "
        "pushed",
        wpa_rule_quote(run, file, strlen(file)));
    wpa_rule_relate(run, finding, checkout->uses.span, "leaves the token there");
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    check_upload(run, step);
    check_image(run, step);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_action(run, check_step);
    return true;
}

const wpa_rule wpa_rule_artifact_exposure = {
    .code = "SEC-007",
    .id = "artifact-exposure",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An upload holds files with credentials, or everything there is",
    .why =
        "Artifacts can be read by everybody who can read the repository, and the checkout leaves "
        "the job's token in .git/config.",
    .fix = "Name the files that are wanted, or take others out with '!'. There is no fix by "
           "machine.",
    .elsewhere = (const char *const[]){"octoscan/dangerous-artefact", NULL},
    .words =
        (const char *const[]){"upload-", "gh-release", "release-action", "gh-pages",
                              "pages-deploy-action", "s3-sync-action", "build-push-action", NULL},
    .check = check,
};
