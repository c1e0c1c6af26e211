/* Whom of the callers a change of a contract concerns. */
#include <string.h>

#include <wpa/text.h>

#include "testing/contract.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool gives(const wpa_contract_change *change, const wpa_contract_caller *caller)
{
    const wpa_value_map *given = caller->step        ? &caller->step->with
                                 : change->is_secret ? &caller->job->secrets
                                                     : &caller->job->with;
    bool inherits = !caller->step && change->is_secret && given->scalar.text;
    return inherits || given->is_unknown || wpa_value_map_find_ci(given, change->name);
}

/** Does a name or path stand in the caller's text, and not as the beginning of a longer one? */
static bool names(const wpa_contract_caller *caller, const char *path)
{
    size_t length = strlen(path);
    const char *at = caller->text, *end = at + strlen(at);
    while ((at = wpa_text_find_ci(at, (size_t)(end - at), path))) {
        bool is_begun = at == caller->text || !strchr(LETTERS, at[-1]);
        if (is_begun && (!at[length] || !strchr(LETTERS "-", at[length]))) {
            return true;
        }
        at += length;
    }
    return false;
}

/** "needs.build.outputs.x" or "steps.build.outputs.x" in the caller's text. */
static bool reads(const wpa_contract_change *change, const wpa_contract_caller *caller,
                  wpa_arena *arena)
{
    const char *id = caller->step ? caller->step->id.text : caller->job->id;
    if (!id) {
        return false; /* nothing can name it */
    }
    const char *path = wpa_arena_printf(arena, "%s.%s.outputs.%s", caller->step ? "steps" : "needs",
                                        id, change->name);
    return names(caller, path);
}

static bool lends_less(const wpa_contract_change *change, const wpa_contract_caller *caller)
{
    int level = caller->model->workflow
                    ? wpa_contract_level(caller->model->workflow, caller->job, change->name)
                    : -1;
    return level >= 0 && level < change->level;
}

bool wpa_contract_concerns(const wpa_contract_change *change, const wpa_contract_caller *caller,
                           wpa_arena *arena)
{
    switch (change->concern) {
    case WPA_CONTRACT_ALL:
        return true;
    case WPA_CONTRACT_GIVES:
        return (!change->is_secret || !caller->job || !caller->job->secrets.scalar.text) &&
               gives(change, caller);
    case WPA_CONTRACT_OMITS:
        return !gives(change, caller);
    case WPA_CONTRACT_READS:
        return reads(change, caller, arena);
    case WPA_CONTRACT_STARTS:
        return false;
    case WPA_CONTRACT_SEES:
        return names(caller, change->name);
    case WPA_CONTRACT_LENDS:
        return !caller->step && caller->job && lends_less(change, caller);
    }
    return true;
}
