#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "git/git.h"
#include "http/http.h"

/* What libraries want done once, before there are threads. */
static bool prepare(wpa_error *err)
{
    (void)setlocale(LC_ALL, ""); /* NOLINT(concurrency-mt-unsafe): before any thread */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): likewise */
    (void)setlocale(LC_NUMERIC, "C"); /* numbers in files and databases have a point */
    (void)signal(SIGPIPE, SIG_IGN);   /* a closed pipe is an error of the write, not the end */
    return wpa_git_init(err) && wpa_http_init(err);
}

int main(int argc, char *argv[])
{
    wpa_error err = {0};
    if (!prepare(&err)) {
        fprintf(stderr, "wpa: %s\n", err.message);
        return wpa_cli_exit_code(err.code);
    }
    return wpa_cli_main(argc, argv, stdin, stdout, stderr);
}
