/* Inside src/api only: what the routes of patches share. */
#pragma once

#include "api/route.h"

/** Id of the patch that the path names. */
bool wpa_api_patch_id(wpa_api_request *request, int64_t *id, wpa_error *err) WPA_CHECK;
/** Answer one patch as a whole. */
wpa_api_next wpa_api_patch_answer(wpa_api_request *request, int64_t id, wpa_error *err);
/** Id of a workflow by its name, as a parameter of a statement; NULL for no name. */
bool wpa_api_workflow_id(wpa_api_request *request, const char *name, const char **id,
                         wpa_error *err) WPA_CHECK;
