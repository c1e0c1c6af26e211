#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"

/* What libraries want done once, before there are threads. */
static void prepare(void)
{
    (void)setlocale(LC_ALL, ""); /* NOLINT(concurrency-mt-unsafe): before any thread */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): likewise */
    (void)setlocale(LC_NUMERIC, "C"); /* numbers in files and databases have a point */
    (void)signal(SIGPIPE, SIG_IGN);   /* a closed pipe is an error of the write, not the end */
}

int main(int argc, char *argv[])
{
    prepare();
    return wpa_cli_main(argc, argv, stdin, stdout, stderr);
}
