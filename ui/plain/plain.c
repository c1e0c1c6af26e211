#include "plain/plain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#define ROWS 60 /* of the screen that there is not: views that ask for its size get a large one */
#define COLS 120
#define PATIENCE_US ((int64_t)20 * 1000000) /* for an answer, before the next line is obeyed */
#define STEP_MS 200

/* ---- the terminal, if it is one ---- */

/* What is typed into a secret field is not echoed. */
static void hide_input(wpa_plain *plain, bool is_hidden)
{
    if (!plain->is_terminal || plain->hides_input == is_hidden) {
        return;
    }
    struct termios modes = plain->saved;
    if (is_hidden) {
        modes.c_lflag &= ~(tcflag_t)ECHO;
        modes.c_lflag |= ECHONL;
    }
    (void)tcsetattr(plain->in_fd, TCSANOW, &modes);
    plain->hides_input = is_hidden;
}

static void read_input(wpa_plain *plain)
{
    size_t room = sizeof plain->input - plain->n_input;
    ssize_t n = read(plain->in_fd, plain->input + plain->n_input, room);
    if (n > 0) {
        plain->n_input += (size_t)n;
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        plain->is_input_over = true;
    }
}

/* The next whole line, without its end; false: there is none yet. One that is too long is cut. */
static bool take_line(wpa_plain *plain, char line[WPA_PLAIN_LINE])
{
    const char *end = memchr(plain->input, '\n', plain->n_input);
    bool is_full = plain->n_input == sizeof plain->input;
    if (!end && !is_full && !(plain->is_input_over && plain->n_input)) {
        return false;
    }
    size_t length = end ? (size_t)(end - plain->input) : plain->n_input;
    size_t taken = end ? length + 1 : length;
    length = length && plain->input[length - 1] == '\r' ? length - 1 : length;
    size_t kept = length < WPA_PLAIN_LINE - 1 ? length : WPA_PLAIN_LINE - 1;
    memcpy(line, plain->input, kept);
    line[kept] = '\0';
    plain->n_input -= taken;
    memmove(plain->input, plain->input + taken, plain->n_input);
    explicit_bzero(plain->input + plain->n_input, taken);
    return true;
}

/* ---- saying ---- */

static void said(void *context, wpa_notice_level level, const char *text)
{
    static const char *const words[] = {"ok", "note", "error", "ALARM"};
    wpa_plain *plain = context;
    if (plain->ui->clipboard) { /* there is nothing to copy to: the text itself is told */
        wpa_plain_say(plain, "%s", plain->ui->clipboard);
        wpa_free(plain->ui->clipboard);
        plain->ui->clipboard = NULL;
        return;
    }
    wpa_plain_say(plain, "%s %s", words[level < WPA_COUNT(words) ? level : 0], text);
}

static void put_prompt(wpa_plain *plain, const char *text)
{
    if (!plain->has_prompt && plain->is_terminal && !plain->is_input_over) {
        plain->has_no_reader |= write(plain->out_fd, text, strlen(text)) < 0;
        plain->has_prompt = true;
    }
}

/* ---- signing in ---- */

static void tell_form_faults(wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    const wpa_error *error = &ui->sign_in.error;
    if (error->code != WPA_OK && !wpa_text_is(error->message, plain->form_error.message)) {
        wpa_plain_say(plain, "error %s", error->message);
    }
    plain->form_error = *error;
    const char *code = ui->session ? ui->session->browser_code : NULL;
    if (code && !plain->browser_code) {
        wpa_plain_say(plain, "Type the code %s with a browser, on any device, at %s", code,
                      ui->session->browser_url);
    }
    plain->browser_code = code;
}

static void tell_form(wpa_plain *plain)
{
    wpa_ui *ui = plain->ui;
    bool is_first = ui->session->state == WPA_SESSION_FIRST_GUARDIAN;
    const wpa_field *field = wpa_sign_in_field(ui);
    char prompt[WPA_MESSAGE_MAX];
    if (!plain->is_form_told && plain->told.view != NULL) {
        wpa_plain_say(plain, "Signed out.");
        plain->told.view = NULL;
    }
    if (!plain->is_form_told && field == &ui->sign_in.name) {
        wpa_plain_say(plain,
                      is_first ? "wpa %s. There is no guardian yet: create the first one."
                               : "wpa %s. Not signed in.%s%s",
                      ui->session->fleet ? ui->session->fleet : "",
                      ui->session->can_read_only ? "  read-only looks around without rights." : "",
                      ui->session->can_browse ? "  browser signs in with a browser." : "");
    }
    plain->is_form_told = true;
    hide_input(plain, field && field->is_secret);
    bool has_text = field && !field->is_secret && field->length;
    (void)wpa_text_format(prompt, sizeof prompt,
                          has_text ? "%s (%s): " : "%s: ", wpa_sign_in_label(ui),
                          has_text ? field->text : "");
    put_prompt(plain, prompt);
}

/* ---- what is waited for ---- */

static bool is_within(const wpa_plain *plain, int64_t since_us)
{
    return plain->ui->local_us - since_us < PATIENCE_US;
}

/* Has what the last line set going not come to its end? Then the next one waits. */
static bool is_busy(const wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    bool awaits_answer = ui->n_open_orders > 0 && is_within(plain, plain->ordered_us);
    return plain->wants_page || plain->verb != WPA_VERB_NONE || awaits_answer ||
           (ui->mode == WPA_MODE_ASK && !plain->is_ask_told) || !ui->session ||
           (ui->mode == WPA_MODE_SIGN_IN &&
            (ui->sign_in.is_waiting || ui->session->browser_code || !plain->is_form_told));
}

/* Is another page open, or are its rows others? */
static void follow_page(wpa_plain *plain)
{
    wpa_ui *ui = plain->ui;
    const wpa_page *page = wpa_ui_page(ui);
    uint64_t request = page->view->list >= 0 ? ui->lists[page->view->list].request_id : 0;
    bool is_other = page->view != plain->told.view ||
                    !wpa_object_is(page->object, plain->told.object) ||
                    request != plain->told.request;
    if (is_other) {
        plain->told = (wpa_plain_page){page->view, page->object, request, 0};
        plain->wants_page = true;
        plain->wanted_us = ui->local_us;
    }
}

static void tell_signed_in(wpa_plain *plain)
{
    wpa_ui *ui = plain->ui;
    hide_input(plain, false);
    bool is_known = wpa_ui_detail(ui, plain->object) != NULL;
    if (plain->verb != WPA_VERB_NONE && (is_known || !is_within(plain, plain->verb_us))) {
        wpa_plain_go_on(plain);
    }
    bool needs_detail = ui->mode == WPA_MODE_ASK && ui->ask.draw &&
                        !wpa_ui_detail(ui, ui->ask.object) && is_within(plain, plain->ordered_us);
    if (ui->mode != WPA_MODE_ASK) {
        plain->is_ask_told = false;
    } else if (!plain->is_ask_told && !needs_detail) {
        wpa_plain_tell_ask(plain);
    }
    if (plain->verb == WPA_VERB_NONE && ui->mode == WPA_MODE_NORMAL) {
        follow_page(plain);
    }
    bool is_there = wpa_plain_has_page(plain) || !is_within(plain, plain->wanted_us);
    if (plain->wants_page && ui->mode == WPA_MODE_NORMAL && is_there) {
        plain->wants_page = false;
        wpa_plain_tell_page(plain);
    }
}

static void tell(wpa_plain *plain)
{
    wpa_ui *ui = plain->ui;
    wpa_plain_tell_changes(plain);
    if (!ui->session || plain->is_over) {
        return;
    }
    if (ui->mode != WPA_MODE_SIGN_IN) {
        plain->is_form_begun = plain->is_form_told = false;
        tell_signed_in(plain);
        return;
    }
    tell_form_faults(plain);
    if (!ui->sign_in.is_waiting && !ui->session->browser_code && wpa_ui_is_live(ui)) {
        if (!plain->is_form_begun) {
            plain->is_form_begun = true;
            ui->sign_in.focus = 0; /* the name is asked for, whatever account this is */
        }
        tell_form(plain);
    }
}

static void step(wpa_plain *plain)
{
    char line[WPA_PLAIN_LINE];
    tell(plain);
    while (!plain->is_over && !is_busy(plain) && take_line(plain, line)) {
        plain->has_prompt = false;
        plain->wanted_us = plain->ui->local_us;
        wpa_plain_order(plain, line);
        explicit_bzero(line, sizeof line);
        tell(plain);
    }
    if (plain->is_over || is_busy(plain)) {
        return;
    }
    plain->is_over |= plain->is_input_over && !plain->n_input;
    if (plain->ui->mode != WPA_MODE_SIGN_IN) {
        put_prompt(plain, "> ");
    }
}

static bool run_loop(wpa_plain *plain, wpa_error *err)
{
    wpa_ui *ui = plain->ui;
    while (!plain->is_over && !ui->is_quitting && !plain->has_no_reader) {
        bool has_room = plain->n_input < sizeof plain->input && !plain->is_input_over;
        struct pollfd fds[] = {
            {.fd = has_room ? plain->in_fd : -1, .events = POLLIN},
            {.fd = wpa_queue_fd(ui->port->inbox), .events = POLLIN},
            {.fd = ui->options->stop_fd > 0 ? ui->options->stop_fd : -1, .events = POLLIN},
        };
        if (poll(fds, WPA_COUNT(fds), STEP_MS) < 0 && errno != EINTR) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "poll: %s", wpa_strerror(errno));
        }
        wpa_ui_tick(ui, wpa_now_us());
        if (fds[0].revents) {
            read_input(plain);
        }
        if (!wpa_ui_read_inbox(ui) || fds[2].revents) {
            break;
        }
        step(plain);
    }
    return !plain->has_no_reader ||
           WPA_FAIL(err, WPA_E_IO, "standard output: %s", wpa_strerror(errno));
}

bool wpa_plain_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err)
{
    WPA_AUTO(wpa_ui) *ui = wpa_ui_new(options, port, "lines", ROWS, COLS, err);
    if (!ui) {
        return false;
    }
    wpa_plain plain = {.ui = ui, .in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO};
    plain.is_terminal = tcgetattr(plain.in_fd, &plain.saved) == 0;
    ui->said = said;
    ui->said_context = &plain;
    if (ui->message.text[0]) { /* what is wrong with console.yaml */
        said(&plain, ui->message.level, ui->message.text);
    }
    bool is_good = run_loop(&plain, err);
    hide_input(&plain, false);
    if (plain.has_prompt) {
        (void)!write(plain.out_fd, "\n", 1);
    }
    explicit_bzero(plain.input, sizeof plain.input);
    return is_good;
}
