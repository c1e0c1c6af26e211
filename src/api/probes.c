/* Is it alive, can it work: for load balancers and service managers. */
#include "api/routes.h"
#include "gen/sql.h"

static const wpa_api_field status_answer[] = {
    {.name = "status", .type = WPA_API_TEXT, .is_required = true, .example = "\"ok\""},
    {0},
};

static wpa_api_next answer_ok(wpa_api_request *request, wpa_error *err)
{
    (void)err;
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "status", "ok");
    return wpa_api_answer(request, answer);
}

static wpa_api_next answer_ready(wpa_api_request *request, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows =
        request->db ? wpa_db_exec(request->db, WPA_SQL_FEED_CLOCK, NULL, 0, err) : NULL;
    if (!rows) {
        wpa_error_clear(err);
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "the database cannot be reached");
        return WPA_API_FAILED;
    }
    return answer_ok(request, err);
}

const wpa_api_route wpa_api_healthz = {
    .method = "GET",
    .path = "/healthz",
    .access = WPA_API_OPEN,
    .tag = "service",
    .summary = "The process is alive",
    .answer = status_answer,
    .is_immediate = true,
    .run = answer_ok,
};

const wpa_api_route wpa_api_readyz = {
    .method = "GET",
    .path = "/readyz",
    .access = WPA_API_OPEN,
    .tag = "service",
    .summary = "The database answers",
    .details = "503 while it does not.",
    .answer = status_answer,
    .run = answer_ready,
};
