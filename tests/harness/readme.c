#include "harness/readme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>

#define README_MAX_BYTES ((size_t)1 << 20)

char *wpa_test_readme_example(const char *name, wpa_arena *arena)
{
    wpa_error err = {0};
    size_t size = 0;
    const char *top = getenv("WPA_SOURCE_DIR"); /* NOLINT(concurrency-mt-unsafe): set by ctest */
    const char *path = wpa_path_join(arena, top ? top : ".", "README.md");
    const char *text = wpa_file_read(path, README_MAX_BYTES, arena, &size, &err);
    const char *mark = text ? strstr(text, wpa_arena_printf(arena, "<!-- %s -->\n", name)) : NULL;
    const char *fence = mark ? strstr(mark, "```") : NULL;
    const char *begin = fence ? strchr(fence, '\n') : NULL;
    const char *end = begin ? strstr(begin, "```\n") : NULL;
    if (!end) {
        fail_msg("the README has no example '%s'", name);
        return NULL;
    }
    begin++;
    return wpa_arena_slice(arena, begin, (size_t)(end - begin));
}
