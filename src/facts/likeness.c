#include "facts/likeness.h"

#include <ctype.h>
#include <string.h>

bool wpa_slug_fold(wpa_slice slug, char folded[WPA_SLUG_MAX_BYTES])
{
    if (slug.length >= WPA_SLUG_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < slug.length; i++) {
        folded[i] = (char)tolower((unsigned char)slug.at[i]);
    }
    folded[slug.length] = '\0';
    return true;
}

void wpa_slug_blur(const char *folded, char blurred[WPA_SLUG_MAX_BYTES])
{
    static const char *const pairs[] = {"rnm", "vvw", "cld"};
    size_t n = 0;
    for (size_t i = 0; folded[i];) {
        size_t taken = 1;
        char c = folded[i] == '0' ? 'o' : folded[i] == '1' || folded[i] == '|' ? 'l' : folded[i];
        for (size_t k = 0; k < WPA_COUNT(pairs); k++) {
            if (folded[i] == pairs[k][0] && folded[i + 1] == pairs[k][1]) {
                c = pairs[k][2];
                taken = 2;
            }
        }
        if (c != '-' && c != '_' && c != '.') {
            blurred[n++] = c;
        }
        i += taken;
    }
    blurred[n] = '\0';
}

uint32_t wpa_slug_letters(const char *slug)
{
    uint32_t letters = 0;
    for (; *slug; slug++) {
        letters |= UINT32_C(1) << (*slug & 31);
    }
    return letters;
}
