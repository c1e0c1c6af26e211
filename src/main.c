#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"

/* What libraries want done once, before there are threads. */
static void prepare(void)
{
    /* Characters and what the system says of errors are the user's: numbers, days and the order of
       names are what files and databases have, and each of these takes a file to be read. */
    (void)setlocale(LC_CTYPE, "");    /* NOLINT(concurrency-mt-unsafe): before any thread */
    (void)setlocale(LC_MESSAGES, ""); /* NOLINT(concurrency-mt-unsafe): likewise */
    (void)signal(SIGPIPE, SIG_IGN);   /* a closed pipe is an error of the write, not the end */
}

int main(int argc, char *argv[])
{
    prepare();
    return wpa_cli_main(argc, argv, stdin, stdout, stderr);
}
