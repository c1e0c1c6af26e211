/*
 * The network side. libgit2 1.5 waits for a silent server without end, so every exchange runs in
 * a child process that is killed at the deadline. The child has one thread, opens the mirror
 * afresh and ends by _exit; if a lock of libgit2 was held by another thread while it was forked,
 * the deadline ends it too, and the caller tries again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "git/internal.h"

#define REF_MAX (sizeof "refs/heads/" + WPA_GIT_BRANCH_MAX_BYTES)
#define CHILD_MAX_BYTES ((rlim_t)1 << 30)

typedef struct exchange {
    wpa_git *git;
    const char *ref;
    const char *old_oid;
    const char *new_oid;
    wpa_buf *text; /* of the child, sent behind its answer; NULL: none */
    size_t max;    /* of refs */
} exchange;

typedef bool exchange_run(const exchange *what, wpa_error *err);

typedef struct answer {
    bool is_ok;
    size_t text_bytes; /* that follow */
    wpa_error error;   /* its file pointer is valid here too: same program, same addresses */
} answer;

typedef enum arrival {
    ARRIVAL_WHOLE,
    ARRIVAL_LATE,
    ARRIVAL_CUT /* the child has ended before */
} arrival;

/**
 * What other threads talk through: it would stay open as long as the exchange lasts, and who waits
 * for its end, as for that of a sandbox, would wait for the network. Files stay: libgit2 shares the
 * packs that it has open among all repositories.
 */
static void close_others(int own)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours
        int64_t fd = 0;
        struct stat about;
        if (wpa_text_to_int(entry->d_name, STDERR_FILENO + 1, INT32_MAX, &fd) && fd != own &&
            fstat((int)fd, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode))) {
            close((int)fd);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

_Noreturn static void run_in_child(exchange_run *run, const exchange *what, pid_t parent, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    close_others(fd);
    answer reply = {0};
    wpa_error ignored = {0};
    reply.is_ok = run(what, &reply.error);
    reply.text_bytes = reply.is_ok && what->text ? wpa_buf_size(what->text) : 0;
    bool is_sent = wpa_fd_write_all(fd, &reply, sizeof reply, &ignored);
    if (is_sent && reply.text_bytes) {
        (void)!wpa_fd_write_all(fd, wpa_buf_data(what->text), reply.text_bytes, &ignored);
    }
    _exit(0);
}

static arrival read_part(int fd, int64_t deadline_ms, char *at, size_t size)
{
    size_t n = 0;
    while (n < size) {
        const int64_t left_ms = deadline_ms - wpa_monotonic_ms();
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0) {
            return ARRIVAL_LATE;
        }
        if (poll(&waiting, 1, (int)left_ms) <= 0) {
            continue;
        }
        const ssize_t got = read(fd, at + n, size - n);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return ARRIVAL_CUT;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    return ARRIVAL_WHOLE;
}

/** As many bytes as the answer says: its end is not waited for. */
static arrival read_answer(int fd, int64_t deadline_ms, const exchange *what, answer *reply)
{
    char part[4096];
    arrival came = read_part(fd, deadline_ms, (char *)reply, sizeof *reply);
    size_t left = came == ARRIVAL_WHOLE ? reply->text_bytes : 0;
    while (left && came == ARRIVAL_WHOLE) {
        const size_t n = left < sizeof part ? left : sizeof part;
        came = read_part(fd, deadline_ms, part, n);
        if (came == ARRIVAL_WHOLE) {
            wpa_buf_append(what->text, part, n);
        }
        left -= n;
    }
    return came;
}

/**
 * A child, and the end of its pipe to read from. One at a time: a child that is forked while
 * another thread has both ends of a pipe keeps that pipe open as long as it lives, and whoever
 * reads from it would not see that its own child has ended.
 */
static pid_t start_child(exchange_run *run, const exchange *what, int *fd, wpa_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const pid_t parent = getpid();
    int ends[2];
    pid_t child = -1;
    (void)pthread_mutex_lock(&lock);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)WPA_FAIL(err, WPA_E_IO, "pipe: %s", wpa_strerror(errno));
        (void)pthread_mutex_unlock(&lock);
        return -1;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        run_in_child(run, what, parent, ends[1]);
    }
    if (child < 0) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "fork: %s", wpa_strerror(errno));
        close(ends[0]);
    }
    close(ends[1]);
    (void)pthread_mutex_unlock(&lock);
    *fd = ends[0];
    return child;
}

/** What is known of a child that has not answered. It may go well later, as after a time-out. */
static bool fail_without_answer(arrival came, int status, int64_t timeout_ms, wpa_error *err)
{
    if (came == ARRIVAL_LATE) {
        return WPA_FAIL(err, WPA_E_TIMEOUT, "no answer within %lld s",
                        (long long)(timeout_ms / 1000));
    }
    if (WIFSIGNALED(status)) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the exchange crashed: signal %d",
                        WTERMSIG(status));
    }
    return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the exchange ended without an answer: exit code %d",
                    WEXITSTATUS(status));
}

static bool with_deadline(exchange_run *run, const exchange *what, wpa_error *err)
{
    const int64_t deadline_ms = wpa_monotonic_ms() + what->git->timeout_ms;
    int fd = -1, status = 0;
    const pid_t child = start_child(run, what, &fd, err);
    if (child < 0) {
        return false;
    }
    answer reply;
    const arrival came = read_answer(fd, deadline_ms, what, &reply);
    close(fd);
    if (came == ARRIVAL_LATE) {
        kill(child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (came != ARRIVAL_WHOLE) {
        return fail_without_answer(came, status, what->git->timeout_ms, err);
    }
    *err = reply.error;
    if (!reply.is_ok && err->code == WPA_E_IO) { /* "connection refused" comes as the system's */
        err->code = WPA_E_UNAVAILABLE;
    }
    return reply.is_ok;
}

/* ---- in the child -----------------------------------------------------------------------------
 */

/* Keys come from the user's agent; a password only from the URL, which libgit2 uses by itself. */
static int give_credential(git_credential **out, const char *url, const char *user,
                           unsigned allowed, void *payload)
{
    (void)url;
    (void)payload;
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) {
        return git_credential_username_new(out, user != NULL ? user : "git");
    }
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) {
        return git_credential_ssh_key_from_agent(out, user != NULL ? user : "git");
    }
    return GIT_EAUTH;
}

static bool fetch_into(git_repository *repo, const exchange *what, const char *incoming,
                       wpa_error *err)
{
    WPA_AUTO(git_remote) *remote = NULL;
    int rc = git_remote_create_anonymous(&remote, repo, what->git->url);
    if (rc == 0) {
        git_fetch_options options;
        git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
        options.update_fetchhead = 0; /* nobody reads it, and one at a time may write it */
        options.callbacks.credentials = give_credential;
        char refspec[2 * REF_MAX];
        wpa_text_format(refspec, sizeof refspec, "+refs/heads/%s:%s", what->git->branch, incoming);
        char *specs[] = {refspec};
        const git_strarray list = {specs, 1};
        rc = git_remote_fetch(remote, &list, &options, "wpa fetch");
    }
    return rc == 0 || wpa_git_fail(rc, err, "fetch branch '%s'", what->git->branch);
}

/* The branch is fetched beside, since a branch that is gone is no error and leaves no ref. */
static bool fetch(const exchange *what, wpa_error *err)
{
    WPA_AUTO(wpa_git) *mirror = wpa_git_open_at(what->git->path, err);
    if (mirror == NULL) {
        return false;
    }
    wpa_git_mirror_hold(what->git);
    char incoming[REF_MAX];
    char branch[REF_MAX];
    wpa_text_format(incoming, sizeof incoming, "refs/wpa/incoming/%d", (int)getpid());
    wpa_text_format(branch, sizeof branch, "refs/heads/%s", what->git->branch);
    (void)git_reference_remove(mirror->repo, incoming); /* of an earlier process of this number */
    if (!fetch_into(mirror->repo, what, incoming, err)) {
        return false;
    }
    git_oid tip;
    if (git_reference_name_to_id(&tip, mirror->repo, incoming) != 0) {
        (void)git_reference_remove(mirror->repo, branch);
        return true;
    }
    WPA_AUTO(git_reference) *made = NULL;
    const int rc = git_reference_create(&made, mirror->repo, branch, &tip, 1, "wpa fetch");
    (void)git_reference_remove(mirror->repo, incoming);
    return rc == 0 || wpa_git_fail(rc, err, "note branch '%s'", what->git->branch);
}

typedef struct push_watch {
    const exchange *what;
    bool has_moved;
    bool is_reported;
    char refused[256];
    char words[512]; /* of the host's hooks */
} push_watch;

static int compare_advertised(const git_push_update **updates, size_t n, void *payload)
{
    push_watch *watch = payload;
    for (size_t i = 0; i < n; i++) {
        char now[WPA_OID_SIZE];
        git_oid_tostr(now, sizeof now, &updates[i]->src);
        if (strcmp(now, watch->what->old_oid) != 0) {
            watch->has_moved = true;
            return GIT_EUSER; /* nothing has been sent yet */
        }
    }
    return 0;
}

static int note_result(const char *name, const char *status, void *payload)
{
    push_watch *watch = payload;
    if (strcmp(name, watch->what->ref) == 0) {
        watch->is_reported = true;
        if (status != NULL) {
            wpa_text_copy(watch->refused, sizeof watch->refused, status);
        }
    }
    return 0;
}

static int note_words(const char *text, int length, void *payload)
{
    push_watch *watch = payload;
    const size_t have = strlen(watch->words);
    const size_t room = sizeof watch->words - have - 1;
    const size_t n = length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;
    memcpy(watch->words + have, text, n);
    watch->words[have + n] = '\0';
    return 0;
}

static bool judge_push(int rc, const push_watch *watch, wpa_error *err)
{
    const char *ref = watch->what->ref;
    if (watch->has_moved || strstr(watch->refused, "expected") != NULL ||
        strstr(watch->refused, "failed to update ref") != NULL ||
        strstr(watch->refused, "fetch first") != NULL) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "ref '%s' has moved meanwhile", ref);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "push '%s'", ref);
    }
    if (watch->refused[0] != '\0') {
        return WPA_FAIL(err, WPA_E_REFUSED, "the host refused to move '%s': %s %s", ref,
                        watch->refused, watch->words);
    }
    /* git_remote_push says 0 also when the server said nothing about our ref. */
    return watch->is_reported ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "the host did not say what became of '%s'", ref);
}

static bool send_ref(git_repository *repo, const exchange *what, const char *outgoing,
                     wpa_error *err)
{
    WPA_AUTO(git_remote) *remote = NULL;
    push_watch watch = {.what = what};
    int rc = git_remote_create_anonymous(&remote, repo, what->git->url);
    if (rc == 0) {
        git_push_options options;
        git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
        options.callbacks.credentials = give_credential;
        options.callbacks.push_negotiation = compare_advertised;
        options.callbacks.push_update_reference = note_result;
        options.callbacks.sideband_progress = note_words;
        options.callbacks.payload = &watch;
        char refspec[2 * REF_MAX];
        const bool deletes = strcmp(what->new_oid, WPA_OID_ZERO) == 0;
        /* The + only switches off the client's own check; the comparison above is the guard. */
        wpa_text_format(refspec, sizeof refspec, "%s%s:%s", deletes ? "" : "+",
                        deletes ? "" : outgoing, what->ref);
        char *specs[] = {refspec};
        const git_strarray list = {specs, 1};
        rc = git_remote_push(remote, &list, &options);
    }
    return judge_push(rc, &watch, err);
}

static bool push(const exchange *what, wpa_error *err)
{
    WPA_AUTO(wpa_git) *mirror = wpa_git_open_at(what->git->path, err);
    git_oid to;
    if (mirror == NULL || !wpa_git_oid_parse(what->new_oid, &to, err)) {
        return false;
    }
    wpa_git_mirror_hold(what->git);
    char outgoing[REF_MAX];
    wpa_text_format(outgoing, sizeof outgoing, "refs/wpa/outgoing/%d", (int)getpid());
    WPA_AUTO(git_reference) *made = NULL;
    if (!git_oid_is_zero(&to)) {
        const int rc = git_reference_create(&made, mirror->repo, outgoing, &to, 1, "wpa push");
        if (rc != 0) {
            return wpa_git_fail(rc, err, "commit %s", what->new_oid);
        }
    }
    const bool is_sent = send_ref(mirror->repo, what, outgoing, err);
    (void)git_reference_remove(mirror->repo, outgoing);
    return is_sent;
}

static bool probe(const exchange *what, wpa_error *err)
{
    WPA_AUTO(git_remote) *remote = NULL;
    int rc = git_remote_create_detached(&remote, what->git->url);
    if (rc == 0) { /* connecting for a push asks the host for the right to push */
        git_remote_callbacks callbacks;
        git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
        callbacks.credentials = give_credential;
        rc = git_remote_connect(remote, GIT_DIRECTION_PUSH, &callbacks, NULL, NULL);
    }
    return rc == 0 || wpa_git_fail(rc, err, "ask for the right to push");
}

/* A server may tell a child what it likes; it does not get all of the memory for it. */
static void limit_memory(void)
{
#ifndef WPA_SANITIZED /* whose shadow is larger than any limit */
    const struct rlimit limit = {CHILD_MAX_BYTES, CHILD_MAX_BYTES};
    (void)setrlimit(RLIMIT_AS, &limit);
#endif
}

static bool is_plain(const char *name)
{
    for (; *name; name++) {
        if (*name <= ' ' || *name > '~') {
            return false;
        }
    }
    return true;
}

static bool write_refs(const git_remote_head **heads, size_t n, const exchange *what,
                       wpa_error *err)
{
    size_t n_written = 0;
    for (size_t i = 0; i < n; i++) {
        char oid[WPA_OID_SIZE];
        const char *name = heads[i]->name;
        bool is_wanted =
            wpa_text_starts(name, "refs/tags/") || wpa_text_starts(name, "refs/heads/");
        if (!is_wanted || !is_plain(name) || strlen(name) >= REF_MAX) {
            continue;
        }
        if (n_written++ == what->max) {
            return WPA_FAIL(err, WPA_E_LIMIT, "the repository has more than %zu refs", what->max);
        }
        git_oid_tostr(oid, sizeof oid, &heads[i]->oid);
        wpa_buf_printf(what->text, "%s %s\n", oid, name);
    }
    return wpa_buf_check(what->text, "list of refs", err);
}

static bool list_refs(const exchange *what, wpa_error *err)
{
    WPA_AUTO(git_remote) *remote = NULL;
    const git_remote_head **heads = NULL;
    size_t n = 0;
    limit_memory();
    /* Only its refs are read: nothing in a repository of somebody else's runs for that. */
    (void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    int rc = git_remote_create_detached(&remote, what->git->url);
    if (rc == 0) {
        git_remote_callbacks callbacks;
        git_proxy_options proxy;
        git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
        git_proxy_options_init(&proxy, GIT_PROXY_OPTIONS_VERSION);
        callbacks.credentials = give_credential;
        proxy.type = GIT_PROXY_AUTO;
        rc = git_remote_connect(remote, GIT_DIRECTION_FETCH, &callbacks, &proxy, NULL);
    }
    if (rc == 0) {
        rc = git_remote_ls(&heads, &n, remote);
    }
    return rc == 0 ? write_refs(heads, n, what, err)
                   : wpa_git_fail(rc, err, "ask for its tags and branches");
}

/* ---- in the parent ----------------------------------------------------------------------------
 */

bool wpa_git_remote_fetch(wpa_git *git, wpa_error *err)
{
    const exchange what = {.git = git};
    return with_deadline(fetch, &what, err);
}

bool wpa_git_remote_push(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                         wpa_error *err)
{
    const exchange what = {.git = git, .ref = ref, .old_oid = old_oid, .new_oid = new_oid};
    return with_deadline(push, &what, err);
}

bool wpa_git_remote_probe(wpa_git *git, wpa_error *err)
{
    const exchange what = {.git = git};
    return with_deadline(probe, &what, err);
}

static bool read_refs(char *text, size_t max, wpa_arena *arena, wpa_git_remote_ref **refs,
                      size_t *n)
{
    size_t n_lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) && n_lines < max; at++) {
        n_lines++;
    }
    *refs = wpa_arena_array(arena, n_lines + 1, sizeof **refs);
    *n = 0;
    while (*text && *n < n_lines) {
        wpa_git_remote_ref *ref = &(*refs)[*n];
        char *stop = strchr(text, '\n');
        if (!stop || stop - text < GIT_OID_HEXSZ + 2 || text[GIT_OID_HEXSZ] != ' ') {
            return false;
        }
        *stop = '\0';
        memcpy(ref->oid, text, GIT_OID_HEXSZ);
        ref->name = text + GIT_OID_HEXSZ + 1;
        ref->is_peeled = wpa_text_ends(ref->name, "^{}");
        if (ref->is_peeled) {
            stop[-3] = '\0';
        }
        (*n)++;
        text = stop + 1;
    }
    return *text == '\0';
}

bool wpa_git_remote_refs(const char *url, int64_t timeout_ms, size_t max, wpa_arena *arena,
                         wpa_git_remote_ref **refs, size_t *n, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(max * (REF_MAX + GIT_OID_HEXSZ + 2));
    wpa_git git = {.url = wpa_arena_text(arena, url), .timeout_ms = timeout_ms};
    const exchange what = {.git = &git, .text = text, .max = max};
    if (!with_deadline(list_refs, &what, err)) {
        return false;
    }
    return read_refs(wpa_buf_dup(text, arena), max, arena, refs, n) ||
           WPA_FAIL(err, WPA_E_INVALID, "the list of refs is none");
}
