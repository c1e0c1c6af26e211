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
    (void)fprintf(out, ", %zu, %zu, %#" PRIx32 ", %#" PRIx32 "},\n", strlen(folded),
                  strcspn(folded, "/"), wpa_slug_letters(folded), wpa_slug_letters(blurred));
    return 1;
}

void gen_originals(FILE *out, const char *folder)
{
    json_t *supply = gen_load(folder, "supply"), *actions = gen_load(folder, "actions"), *record;
    size_t i, n = 0;
    (void)fputs("const wpa_fact_original wpa_fact_originals[] = {\n", out);
    json_array_foreach(gen_need(supply, "popular"), i, record)
    {
        n += write_original(out, gen_text(record, "slug"));
    }
    json_array_foreach(gen_need(actions, "actions"), i, record)
    {
        if (json_integer_value(gen_need(record, "rank")) <= KNOWN_RANK) {
            n += write_original(out, gen_text(record, "action"));
        }
    }
    (void)fprintf(out, "};\nconst size_t wpa_fact_n_originals = %zu;\n\n", n);
    json_decref(supply);
    json_decref(actions);
}
