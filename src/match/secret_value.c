#include "match/secret_value.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

#include "match/secret.h"

/* The key of the storage emulator, the same for everyone and published as such. */
static const char *const published[] = {
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

double wpa_entropy(const char *text, size_t length)
{
    size_t counts[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < length; i++) {
        counts[(unsigned char)text[i]]++;
    }
    for (size_t i = 0; i < 256; i++) {
        if (counts[i] > 0) {
            double share = (double)counts[i] / (double)length;
            bits -= share * log2(share);
        }
    }
    return bits;
}

bool wpa_secret_is_harmless(const char *text, size_t length)
{
    size_t n_digits = 0, n_upper = 0, n_lower = 0, n_hex = 0, n_breaks = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        n_digits += c >= '0' && c <= '9';
        n_upper += c >= 'A' && c <= 'Z';
        n_lower += c >= 'a' && c <= 'z';
        n_hex += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        n_breaks += c == '/' || c == '.' || c == '-' || c == '_';
    }
    bool is_commit = n_hex == length && (length == 40 || length == 64);
    bool is_words = n_breaks * 8 > length;
    return is_commit || is_words || n_digits == 0 || n_upper + n_lower < 4;
}

bool wpa_secret_is_published(const char *text, size_t length)
{
    for (size_t i = 0; i < WPA_COUNT(published); i++) {
        if (wpa_slice_is((wpa_slice){text, length}, published[i])) {
            return true;
        }
    }
    return false;
}

static uint32_t crc32_of(const char *text, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320U : 0);
        }
    }
    return ~crc;
}

bool wpa_secret_has_wrong_checksum(const char *text, size_t length)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bool is_checked = length == 40 && text[3] == '_' &&
                      (memcmp(text, "gh", 2) == 0 || memcmp(text, "npm", 3) == 0);
    if (!is_checked) {
        return false;
    }
    uint32_t crc = crc32_of(text + 4, 30);
    for (size_t i = 0; i < 6; i++, crc /= 62) {
        if (text[length - 1 - i] != digits[crc % 62]) {
            return true;
        }
    }
    return false;
}
