/* Who calls: the one place of the API where a token becomes a person. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/server.h"
#include "auth/hash.h"
#include "auth/issuer.h"
#include "gen/calls_microhttpd.h"
#include "gen/sql.h"
#include "guardian/session.h"

#define API_TOKEN_PREFIX "wpa_"

/* ---- where from ---------------------------------------------------------------------------------
 */

static const char *socket_address(wpa_api_call *call)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char text[64];
    if (!address || address->sa_family == AF_UNIX) {
        return "local";
    }
    socklen_t size = address->sa_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                    : (socklen_t)sizeof(struct sockaddr_in);
    return getnameinfo(address, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0
               ? wpa_arena_text(call->arena, text)
               : "unknown";
}

/** As one of IPv6, in which each of IPv4 has its place: an address may be written in many ways. */
static bool read_address(const char *text, unsigned char number[sizeof(struct in6_addr)])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(number, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, number + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, text, number) == 1;
}

static bool is_trusted(const wpa_api *api, const char *address)
{
    unsigned char number[sizeof(struct in6_addr)], trusted[sizeof(struct in6_addr)];
    bool is_number = read_address(address, number);
    for (size_t i = 0; i < api->options.n_trusted_proxies; i++) {
        const char *text = api->options.trusted_proxies[i];
        if (wpa_text_is(text, address) || (is_number && read_address(text, trusted) &&
                                           memcmp(number, trusted, sizeof number) == 0)) {
            return true;
        }
    }
    return false;
}

typedef struct forwarding {
    wpa_arena *arena;
    const char *list; /* NULL: nobody has said anything */
} forwarding;

static enum MHD_Result add_forwarding(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    forwarding *said = context;
    (void)kind;
    if (value && strcasecmp(name, "X-Forwarded-For") == 0) {
        said->list = said->list ? wpa_arena_printf(said->arena, "%s,%s", said->list, value) : value;
    }
    return MHD_YES;
}

/** The last address in the list that is no trusted proxy: what stands before it anybody can write.
    Some proxies add to the line that came, others one of their own behind it. */
static const char *forwarded_address(const wpa_api_call *call, const char *peer)
{
    forwarding said = {.arena = call->arena};
    (void)MHD_get_connection_values(call->connection, MHD_HEADER_KIND, add_forwarding, &said);
    const char *list = said.list;
    const char *found = peer;
    size_t end = list ? strlen(list) : 0;
    while (end > 0) {
        size_t start = end;
        while (start > 0 && list[start - 1] != ',') {
            start--;
        }
        const char *from = list + start + strspn(list + start, " ");
        size_t length = (size_t)(list + end - from);
        while (length && from[length - 1] == ' ') {
            length--;
        }
        unsigned char number[sizeof(struct in6_addr)];
        const char *address = wpa_arena_slice(call->arena, from, length);
        if (!read_address(address, number)) {
            return found;
        }
        found = address;
        if (!is_trusted(call->api, address)) {
            return found;
        }
        end = start ? start - 1 : 0;
    }
    return found;
}

const char *wpa_api_peer_address(wpa_api_call *call)
{
    const char *peer = socket_address(call);
    return is_trusted(call->api, peer) ? forwarded_address(call, peer) : peer;
}

static void locate(wpa_api_call *call, wpa_actor *where)
{
    const char *agent = wpa_api_header(call, MHD_HTTP_HEADER_USER_AGENT);
    const char *visible = agent ? wpa_text_visible(call->arena, agent, strlen(agent), false) : "";
    (void)wpa_text_copy(where->address, sizeof where->address, wpa_api_peer_address(call));
    (void)wpa_text_copy(where->user_agent, sizeof where->user_agent,
                        wpa_text_ellipsis(call->arena, visible, sizeof where->user_agent / 4));
}

/* ---- tokens -------------------------------------------------------------------------------------
 */

bool wpa_api_refuse_token(wpa_api_call *call, const char *why, wpa_error *err)
{
    wpa_log_write(call->api->log, WPA_LOG_WARN, "api", "token refused: %s (from %s)", why,
                  call->request.actor.address);
    return WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
}

/** A machine's token is a random text; the database knows its hash, scopes and end. */
static bool identify_machine(wpa_api_call *call, wpa_db *db, const char *token, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    uint8_t hash[WPA_SHA256_SIZE];
    wpa_sha256(token, strlen(token), hash);
    const char *params[] = {wpa_db_bytes(call->arena, hash, sizeof hash)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_API_TOKEN_FIND, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return wpa_api_refuse_token(call, "unknown, ended or revoked machine token", err);
    }
    r->actor.principal_id = wpa_rows_int(rows, 0, 0);
    (void)wpa_text_copy(r->actor.name, sizeof r->actor.name, wpa_rows_text(rows, 0, 1));
    r->scopes = wpa_rows_dup(rows, 0, 3, call->arena);
    r->actor.cannot_approve = !wpa_api_scopes_have(r->scopes, "approve");
    r->is_known = wpa_role_parse(wpa_rows_text(rows, 0, 2), &r->actor.role, err);
    call->caller = (wpa_api_caller){.kind = "machine", .principal_id = r->actor.principal_id};
    wpa_hex_encode(hash, sizeof hash, call->caller.key);
    return r->is_known;
}

/** The database has been asked along with what the call looks at: who it is, and whether he may. */
static bool let_in(void *context, const wpa_rows *rows, wpa_error *err)
{
    wpa_api_call *call = context;
    wpa_api_request *r = &call->request;
    const wpa_actor where = r->actor;
    if (!wpa_session_confirm(rows, &where, call->api->log, &call->session, err)) {
        return false;
    }
    r->actor = call->session.actor;
    r->jti = call->session.jti;
    r->is_known = true;
    call->caller = (wpa_api_caller){.kind = "session", .principal_id = r->actor.principal_id};
    (void)wpa_text_copy(call->caller.key, sizeof call->caller.key, r->jti);
    return wpa_api_may_call(call, err);
}

/** What an answer from the database alone is for, is asked behind a gate: a round trip less. */
static bool identify_person(wpa_api_call *call, wpa_db *db, const char *token, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    const wpa_actor where = r->actor;
    if (!wpa_session_claim(call->api->keys, token, &where, call->api->log, &call->session, err)) {
        return false;
    }
    const char *jti = call->session.jti;
    wpa_db_gate_begin(db, WPA_SQL_SESSION_FIND, &jti, 1, let_in, call);
    call->is_gated = r->route->is_kept;
    return call->is_gated || wpa_db_gate_ask(db, err);
}

bool wpa_api_identify(wpa_api_call *call, wpa_db *db, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    const char *header = wpa_api_header(call, MHD_HTTP_HEADER_AUTHORIZATION);
    bool is_needed = r->route->access != WPA_API_OPEN;
    locate(call, &r->actor);
    if (!header || !is_needed) {
        return true;
    }
    if (strncasecmp(header, "Bearer ", 7) != 0) {
        return wpa_api_refuse_token(call, "not a bearer token", err);
    }
    if (!db) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the database cannot be reached");
    }
    const char *token = header + 7 + strspn(header + 7, " ");
    if (strlen(token) > WPA_TOKEN_MAX_BYTES) {
        return wpa_api_refuse_token(call, "too long", err);
    }
    if (wpa_text_starts(token, API_TOKEN_PREFIX)) {
        return identify_machine(call, db, token, err);
    }
    return wpa_issuer_is_for(token) ? wpa_api_identify_vouched(call, db, token, err)
                                    : identify_person(call, db, token, err);
}

bool wpa_api_scopes_have(const char *scopes, const char *scope)
{
    size_t length = strlen(scope);
    for (const char *at = scopes; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        bool is_it = n == length && strncmp(at, scope, n) == 0;
        if (is_it || (n == 5 && strncmp(at, "admin", 5) == 0)) {
            return true;
        }
        at += n;
    }
    return false;
}
