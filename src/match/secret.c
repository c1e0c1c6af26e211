#include "match/secret.h"

#include <ctype.h>
#include <string.h>

/* Which characters a token goes on with. */
typedef enum alphabet {
    ALNUM,       /* letters and digits */
    WORD,        /* and _ - */
    UPPER_DIGIT, /* A-Z 0-9 */
    HEX
} alphabet;

/* Forms published by the providers themselves, or by their secret scanning documentation. */
static const struct {
    const char *prefix;
    alphabet rest;
    size_t min_rest;
    const char *kind;
} FORMS[] = {
    {"ghp_", ALNUM, 36, "GitHub token"},
    {"gho_", ALNUM, 36, "GitHub token"},
    {"ghu_", ALNUM, 36, "GitHub token"},
    {"ghs_", ALNUM, 36, "GitHub token"},
    {"ghr_", ALNUM, 36, "GitHub token"},
    {"github_pat_", WORD, 40, "GitHub token"},
    {"glpat-", WORD, 20, "GitLab token"},
    {"AKIA", UPPER_DIGIT, 16, "AWS access key"},
    {"ASIA", UPPER_DIGIT, 16, "AWS access key"},
    {"AIza", WORD, 35, "Google API key"},
    {"npm_", ALNUM, 36, "npm token"},
    {"pypi-AgEIcHlwaS5vcmc", WORD, 50, "PyPI token"},
    {"xoxb-", WORD, 20, "Slack token"},
    {"xoxp-", WORD, 20, "Slack token"},
    {"xoxa-", WORD, 20, "Slack token"},
    {"xapp-", WORD, 20, "Slack token"},
    {"sk_live_", ALNUM, 20, "Stripe key"},
    {"rk_live_", ALNUM, 20, "Stripe key"},
    {"SG.", WORD, 22, "SendGrid key"},
    {"dop_v1_", HEX, 64, "DigitalOcean token"},
    {"hf_", ALNUM, 34, "Hugging Face token"},
    {"dckr_pat_", WORD, 20, "Docker token"},
    {"shpat_", HEX, 32, "Shopify token"},
    {"sk-ant-", WORD, 40, "Anthropic key"},
    {"eyJhbGciOi", WORD, 40, "JSON web token"},
};

static bool is_in(alphabet rest, unsigned char c)
{
    switch (rest) {
    case ALNUM:
        return isalnum(c);
    case WORD:
        return isalnum(c) || c == '_' || c == '-';
    case UPPER_DIGIT:
        return isupper(c) || isdigit(c);
    case HEX:
        return isxdigit(c);
    }
    return false;
}

/* Made-up examples repeat one character, or count; a real token does not. */
static bool is_varied(const char *text, size_t length)
{
    bool seen[256] = {false};
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        n += !seen[c];
        seen[c] = true;
    }
    return n >= 8;
}

static bool match_form(const char *text, size_t size_bytes, size_t at, size_t form,
                       wpa_secret_find *find)
{
    size_t prefix = strlen(FORMS[form].prefix);
    if (size_bytes - at < prefix || memcmp(text + at, FORMS[form].prefix, prefix) != 0) {
        return false;
    }
    size_t end = at + prefix;
    while (end < size_bytes && is_in(FORMS[form].rest, (unsigned char)text[end])) {
        end++;
    }
    if (end - at - prefix < FORMS[form].min_rest ||
        !is_varied(text + at + prefix, end - at - prefix)) {
        return false;
    }
    find->kind = FORMS[form].kind;
    find->end = end;
    return true;
}

static bool match_private_key(const char *text, size_t size_bytes, size_t at, wpa_secret_find *find)
{
    static const char HEAD[] = "-----BEGIN ", TAIL[] = "PRIVATE KEY-----";
    if (size_bytes - at < sizeof HEAD - 1 || memcmp(text + at, HEAD, sizeof HEAD - 1) != 0) {
        return false;
    }
    size_t window = size_bytes - at < 64 ? size_bytes - at : 64;
    const char *tail = memmem(text + at, window, TAIL, sizeof TAIL - 1);
    if (!tail) {
        return false;
    }
    find->kind = "private key";
    find->end = (size_t)(tail - text) + sizeof TAIL - 1;
    return true;
}

static bool match_at(const char *text, size_t size_bytes, size_t at, wpa_secret_find *find)
{
    if (at > 0 && (isalnum((unsigned char)text[at - 1]) || text[at - 1] == '_')) {
        return false;
    }
    for (size_t form = 0; form < WPA_COUNT(FORMS); form++) {
        if (match_form(text, size_bytes, at, form, find)) {
            return true;
        }
    }
    return match_private_key(text, size_bytes, at, find);
}

bool wpa_secret_next(const char *text, size_t size_bytes, size_t from, wpa_secret_find *find)
{
    for (size_t at = from; at < size_bytes; at++) {
        if (match_at(text, size_bytes, at, find)) {
            find->start = at;
            find->line = 1;
            for (size_t i = 0; i < at; i++) {
                find->line += text[i] == '\n';
            }
            return true;
        }
    }
    return false;
}
