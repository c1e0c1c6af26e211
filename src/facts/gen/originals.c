/* Actions whose names may be meant by names like theirs: those that many use, and the best known.
 */
#include <inttypes.h>
#include <string.h>

#include "facts/likeness.h"
#include "gen.h"

/* An action of the table with a better rank than this is used too widely to be a trap. */
#define KNOWN_RANK 200

static size_t write_original(FILE *out, const char *name)
{
    char folded[WPA_SLUG_MAX_BYTES], blurred[WPA_SLUG_MAX_BYTES];
    if (!wpa_slug_fold(wpa_slice_of(name), folded)) {
        return 0;
    }
    wpa_slug_blur(folded, blurred);
    (void)fputs("{", out);
    gen_literal(out, folded);
    (void)fputs(", ", out);
    gen_literal(out, blurred);
    (void)fprintf(out, ", %zu, %zu},\n", strlen(folded), strcspn(folded, "/"));
    return 1;
}

/** The letters of a name, or of what it is blurred to, as wpa_slug_letters tells them. */
static size_t write_letters(FILE *out, const char *name, bool is_blurred)
{
    char folded[WPA_SLUG_MAX_BYTES], blurred[WPA_SLUG_MAX_BYTES];
    if (!wpa_slug_fold(wpa_slice_of(name), folded)) {
        return 0;
    }
    wpa_slug_blur(folded, blurred);
    (void)fprintf(out, "%#" PRIx32 ", ", wpa_slug_letters(is_blurred ? blurred : folded));
    return 1;
}

static size_t write_letters_of_names(FILE *out, const char *name)
{
    return write_letters(out, name, false);
}

static size_t write_letters_of_blurred(FILE *out, const char *name)
{
    return write_letters(out, name, true);
}

/** Each of them, in one order; how many there are. */
static size_t write_all(FILE *out, json_t *supply, json_t *actions,
                        size_t (*write)(FILE *out, const char *name))
{
    size_t i, n = 0;
    json_t *record;
    json_array_foreach(gen_need(supply, "popular"), i, record)
    {
        n += write(out, gen_text(record, "slug"));
    }
    json_array_foreach(gen_need(actions, "actions"), i, record)
    {
        if (json_integer_value(gen_need(record, "rank")) <= KNOWN_RANK) {
            n += write(out, gen_text(record, "action"));
        }
    }
    return n;
}

void gen_originals(FILE *out, const char *folder)
{
    json_t *supply = gen_load(folder, "supply"), *actions = gen_load(folder, "actions");
    (void)fputs("const wpa_fact_original wpa_fact_originals[] = {\n", out);
    size_t n = write_all(out, supply, actions, write_original);
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_originals = %zu;\n", n);
    (void)fputs("const uint32_t wpa_fact_original_letters[] = {", out);
    (void)write_all(out, supply, actions, write_letters_of_names);
    (void)fputs("};\nconst uint32_t wpa_fact_original_blurred_letters[] = {", out);
    (void)write_all(out, supply, actions, write_letters_of_blurred);
    (void)fputs("};\n\n", out);
    json_decref(supply);
    json_decref(actions);
}
