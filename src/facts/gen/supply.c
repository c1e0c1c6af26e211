/* The table of what workflows use, hold and grant. */
#include "gen.h"

void gen_supply(FILE *out, const char *folder)
{
    json_t *root = gen_load(folder, "supply");
    gen_rows(out, root, "publish_commands", "publish_command", "publish_commands");
    gen_rows(out, root, "publish_actions", "publish_action", "publish_actions");
    gen_rows(out, root, "replacements", "replacement", "replacements");
    gen_rows(out, root, "cloud_logins", "cloud_login", "cloud_logins");
    gen_rows(out, root, "cloud_variables", "cloud_variable", "cloud_variables");
    gen_rows(out, root, "cloud_registries", "cloud_registry", "cloud_registries");
    gen_rows(out, root, "oidc_actions", "oidc_action", "oidc_actions");
    gen_rows(out, root, "debug_actions", "debug_action", "debug_actions");
    gen_rows(out, root, "creators", "creator", "creators");
    gen_rows(out, root, "impostors", "impostor", "impostors");
    gen_rows(out, root, "renamed_owners", "renamed_owner", "renamed_owners");
    gen_rows(out, root, "platforms", "platform", "platforms");
    json_decref(root);
    gen_originals(out, folder);
}
