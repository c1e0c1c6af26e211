#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/memory.h>

static void *check(void *memory, size_t size_bytes)
{
    if (!memory) {
        (void)fprintf(stderr, "wpa: out of memory (%zu bytes)\n", size_bytes);
        abort();
    }
    return memory;
}

void *wpa_alloc(size_t size_bytes)
{
    return check(calloc(1, size_bytes ? size_bytes : 1), size_bytes);
}

void *wpa_realloc(void *memory, size_t size_bytes)
{
    return check(realloc(memory, size_bytes ? size_bytes : 1), size_bytes);
}

char *wpa_strdup(const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    return memcpy(wpa_alloc(size_bytes), text, size_bytes);
}

void wpa_free(void *memory)
{
    free(memory);
}
