/* A program of this host, without a shell, in the sandbox, with the delivery on standard input. */
#include <string.h>
#include <sys/stat.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "notify/channel.h"
#include "sandbox/sandbox.h"

#define PROGRAM_MAX_BYTES ((size_t)4 << 20)
#define INPUT "delivery.json"
#define PROGRAM "program"
#define MEMORY_BYTES ((int64_t)512 << 20)
#define WORK_BYTES ((int64_t)64 << 20)

/** The sandbox has these folders of the host; a program elsewhere is copied into it. */
static bool is_seen(const char *path)
{
    static const char *const shown[] = {"/usr/", "/bin/", "/sbin/", "/opt/"};
    for (size_t i = 0; i < WPA_COUNT(shown); i++) {
        if (wpa_text_starts(path, shown[i])) {
            return true;
        }
    }
    return false;
}

/** Only what everybody may read and run: what fails may be quoted in its own complaint. */
static bool read_program(const char *path, wpa_sandbox_file *file, wpa_arena *arena, wpa_error *err)
{
    struct stat status;
    size_t size_bytes = 0;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no program '%s'", path);
    }
    if ((status.st_mode & 005) != 005) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "'%s' is not a program that everybody may read and run (chmod 755)", path);
    }
    char *data = wpa_file_read(path, PROGRAM_MAX_BYTES, arena, &size_bytes, err);
    *file = (wpa_sandbox_file){.path = PROGRAM,
                               .data = (const uint8_t *)data,
                               .size_bytes = size_bytes,
                               .is_executable = true};
    return data != NULL;
}

static bool read_outcome(const wpa_sandbox_result *run, const wpa_delivery *delivery,
                         wpa_outcome *outcome, wpa_error *err)
{
    const wpa_sandbox_text *text =
        run->exit_code != 0 && run->err.size_bytes ? &run->err : &run->out;
    size_t length = text->size_bytes < WPA_NOTIFY_ANSWER_MAX_BYTES ? text->size_bytes
                                                                   : WPA_NOTIFY_ANSWER_MAX_BYTES;
    outcome->answer = wpa_text_visible(delivery->arena, text->text, length, false);
    outcome->latency_ms = run->duration_ms;
    outcome->status = run->end == WPA_SANDBOX_EXITED ? run->exit_code : 0;
    if (run->end == WPA_SANDBOX_CANCELLED) {
        return WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
    }
    if (run->end != WPA_SANDBOX_EXITED) {
        return WPA_FAIL(err, WPA_E_TIMEOUT, "the command %s", wpa_sandbox_end_name(run->end));
    }
    return run->exit_code == 0 ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "the command ended with %d%s%s", run->exit_code,
                    outcome->answer[0] ? ": " : "",
                    wpa_text_ellipsis(delivery->arena, outcome->answer, 200));
}

bool wpa_command_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err)
{
    wpa_arena *arena = delivery->arena;
    const wpa_json *words = wpa_json_find(delivery->settings, "argv");
    size_t n = wpa_json_count(words);
    const char **argv = wpa_arena_array(arena, n + 1, sizeof *argv);
    for (size_t i = 0; i < n; i++) {
        argv[i] = wpa_json_text_of(wpa_json_at(words, i));
    }
    argv[n] = NULL;
    const char *json = wpa_delivery_json(delivery);
    wpa_sandbox_file files[2] = {
        {.path = INPUT, .data = (const uint8_t *)json, .size_bytes = strlen(json)}};
    bool is_copied = !is_seen(argv[0]);
    if (is_copied && !read_program(argv[0], &files[1], arena, err)) {
        return false;
    }
    argv[0] = is_copied ? "/repo/" PROGRAM : argv[0];
    const char *const environment[] = {
        wpa_arena_printf(arena, "WPA_EVENT=%s", delivery->event),
        wpa_arena_printf(arena, "WPA_DELIVERY=%s", delivery->uid),
        NULL,
    };
    const wpa_sandbox_request request = {
        .argv = argv,
        .files = files,
        .n_files = is_copied ? 2 : 1,
        .input = INPUT,
        .environment = environment,
        .has_network = wpa_json_bool_of(wpa_json_find(delivery->settings, "network"), false),
        .limits = {.wall_ms = delivery->timeout_ms,
                   .cpu_s = delivery->timeout_ms / 1000 + 1,
                   .memory_bytes = MEMORY_BYTES,
                   .processes = 64,
                   .work_bytes = WORK_BYTES,
                   .keep_bytes = 64 << 10},
        .is_cancelled = delivery->is_stopped,
        .cancel_context = delivery->context,
    };
    const wpa_sandbox_result *run = wpa_sandbox_run(&request, arena, err);
    return run && read_outcome(run, delivery, outcome, err);
}
