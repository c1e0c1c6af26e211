#include "term/terminfo.h"

#include "gen/calls_terminfo.h"

bool wpa_terminfo_count_colors(int fd, int *n, wpa_error *err)
{
    int ignored = 0;
    *n = -1;
    if (!wpa_terminfo_open(err)) {
        return false;
    }
    if (setupterm(NULL, fd, &ignored) == 0) {
        *n = tigetnum("colors");
        (void)del_curterm(set_curterm(NULL));
    }
    return true;
}
