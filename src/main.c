#include <locale.h>
#include <signal.h>

#include "cli/cli.h"

int main(int argc, char *argv[])
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers in files and databases have a point */
    signal(SIGPIPE, SIG_IGN);   /* a closed pipe is an error of the write, not the end */
    return wpa_cli_main(argc, argv, stdin, stdout, stderr);
}
