#include "term/fatal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <wpa/error.h>

static struct {
    volatile sig_atomic_t is_armed;
    int fd;
    struct termios saved;
} fatal;

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static void on_fatal(int signal_number)
{
    static const char restore[] =
        "\033[?2026l\033[?1006l\033[?1000l\033[?2004l\033[?25h\033[0m\033[?1049l";
    if (fatal.is_armed) {
        ssize_t written = write(fatal.fd, restore, sizeof restore - 1);
        (void)written;
        (void)tcsetattr(fatal.fd, TCSANOW, &fatal.saved);
    }
    (void)raise(signal_number); /* SA_RESETHAND: now it kills, with its core and its exit status */
}

void wpa_fatal_arm(int fd, const struct termios *saved)
{
    fatal.is_armed = 0;
    fatal.fd = fd;
    fatal.saved = *saved;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fatal;
    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    for (size_t i = 0; i < WPA_COUNT(signals); i++) {
        struct sigaction now;
        /* A handler that is there already (a sanitizer's) tells more than ours would. */
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
    fatal.is_armed = 1;
}

void wpa_fatal_disarm(void)
{
    fatal.is_armed = 0;
}
