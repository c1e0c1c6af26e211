#include "api/warm.h"

#include <wpa/text.h>

#include "gen/sql.h"

/* The server plans a statement for its parameters five times before it keeps a plan for all. */
#define TIMES 6
#define PARAMS_MAX 12

/* What is called most, once for each way that a list is found. */
static const struct {
    const wpa_sql *statement;
    const char *params[PARAMS_MAX];
} calls[] = {
    {WPA_SQL_SESSION_FIND, {"00000000-0000-4000-8000-000000000000"}},
    {WPA_SQL_API_SNAPSHOT, {NULL}},
    {WPA_SQL_API_FINDING, {"1"}},
    {WPA_SQL_API_FINDING_BY_UID, {"00000000-0000-4000-8000-000000000000"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", "1"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, "-"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, NULL, "open"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, NULL, NULL, "high"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, NULL, NULL, NULL, "security"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, NULL, NULL, NULL, NULL, NULL, "-"}},
    {WPA_SQL_API_FINDINGS, {NULL, "1", NULL, NULL, NULL, NULL, NULL, "issue"}},
    {WPA_SQL_API_PATCH, {"1"}},
    {WPA_SQL_API_PATCH_BY_UID, {"00000000-0000-4000-8000-000000000000"}},
    {WPA_SQL_API_PATCHES, {NULL, "1"}},
    {WPA_SQL_API_PATCHES, {NULL, "1", "1"}},
    {WPA_SQL_API_PATCHES, {NULL, "1", NULL, "tested"}},
    {WPA_SQL_API_PATCHES, {NULL, "1", NULL, NULL, "high"}},
    {WPA_SQL_API_PATCHES, {NULL, "1", NULL, "tested", "high"}},
    {WPA_SQL_API_ANALYSES, {NULL, "1"}},
    {WPA_SQL_API_ANALYSIS, {"1"}},
    {WPA_SQL_API_DEPLOYMENTS, {NULL, "1"}},
    {WPA_SQL_API_JOBS, {NULL, "1"}},
    {WPA_SQL_API_AUDIT, {NULL, "1"}},
};

void wpa_api_warm(wpa_db *db)
{
    for (size_t i = 0; i < WPA_COUNT(calls) * TIMES; i++) {
        const wpa_sql *statement = calls[i / TIMES].statement;
        wpa_error ignored = {0}; /* whoever calls is told */
        if (!wpa_db_run(db, statement, calls[i / TIMES].params, (size_t)statement->n_params,
                        &ignored)) {
            return;
        }
    }
}
