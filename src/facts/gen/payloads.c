/* The table of what github.event holds. */
#include "gen.h"

void gen_payloads(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "payloads");
    gen_rows(out, root, "objects", "payload_object", "payload_objects");
    gen_rows(out, root, "events", "payload", "payloads");
    gen_rows(out, root, "activities", "payload_activity", "payload_activities");
    json_decref(root);
}
