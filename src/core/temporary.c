#include "core/temporary.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <wpa/text.h>

/** Where the file system makes none without a name, one is made and loses it. */
static int open_and_unlink(const char *folder)
{
    char path[PATH_MAX];
    if (!wpa_text_format(path, sizeof path, "%s/wpa-XXXXXX", folder)) {
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

int wpa_temporary_open(void)
{
    const char *folder = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody calls setenv */
    folder = folder && *folder ? folder : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : open_and_unlink(folder);
}
