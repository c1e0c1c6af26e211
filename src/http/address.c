#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "http/http.h"

typedef struct range {
    const char *network;
    int bits;
    const char *why;
} range;

static const range refused4[] = {
    {"169.254.0.0", 16, "a link-local address"},
    {"0.0.0.0", 8, "no address of a host"},
    {"100.100.100.200", 32, "a cloud's metadata service"},
    {"168.63.129.16", 32, "a cloud's metadata service"},
    {"192.0.0.192", 32, "a cloud's metadata service"},
    {"224.0.0.0", 4, "a multicast address"},
    {"255.255.255.255", 32, "a broadcast address"},
};
static const range refused6[] = {
    {"fe80::", 10, "a link-local address"},
    {"fd00:ec2::", 32, "a cloud's metadata service"}, /* and the keys of its containers */
    {"fd00:c1::a9fe:a9fe", 128, "a cloud's metadata service"},
    {"fd00:42::42", 128, "a cloud's metadata service"},
    {"fd20:ce::254", 128, "a cloud's metadata service"},
    {"ff00::", 8, "a multicast address"},
    {"::", 128, "no address of a host"},
};
/* Of the own network: refused only where that is asked for. */
static const range private4[] = {
    {"10.0.0.0", 8, "a private address"},     {"172.16.0.0", 12, "a private address"},
    {"192.168.0.0", 16, "a private address"}, {"127.0.0.0", 8, "an address of this host"},
    {"100.64.0.0", 10, "a private address"},  {"192.0.0.0", 24, "a private address"},
    {"198.18.0.0", 15, "a private address"},  {"240.0.0.0", 4, "a private address"},
};
static const range private6[] = {
    {"fc00::", 7, "a private address"},
    {"::1", 128, "an address of this host"},
    {"fec0::", 10, "a private address"},
    {"64:ff9b:1::", 48, "a private address"}, /* NAT64 of one's own network: RFC 8215 */
    {"2001::", 32, "an address behind a tunnel of this host"}, /* Teredo: RFC 4380 */
};
/* Prefixes behind which an IPv4 address hides, and where in the sixteen bytes it stands. */
static const struct {
    const char *prefix;
    int bits;
    size_t at;
} carriers[] = {{"::ffff:0:0", 96, 12},
                {"::", 96, 12},
                {"64:ff9b::", 96, 12},
                {"64:ff9b:1::", 48, 12}, /* shorter prefixes than 96 bits have 0.0.0.0 there */
                {"2002::", 16, 2}};

static bool is_within(const uint8_t *address, const uint8_t *network, int bits)
{
    size_t whole = (size_t)bits / 8;
    int rest = bits % 8;
    if (memcmp(address, network, whole) != 0) {
        return false;
    }
    return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

static const char *find_refusal(int family, const uint8_t *address, const range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t network[16];
        if (inet_pton(family, ranges[i].network, network) == 1 &&
            is_within(address, network, ranges[i].bits)) {
            return ranges[i].why;
        }
    }
    return NULL;
}

typedef struct table {
    const range *ip4, *ip6;
    size_t n_ip4, n_ip6;
} table;

static const table refused = {refused4, refused6, WPA_COUNT(refused4), WPA_COUNT(refused6)};
static const table private_ones = {private4, private6, WPA_COUNT(private4), WPA_COUNT(private6)};

static const char *refusal4(const uint8_t *address, const table *ranges)
{
    return find_refusal(AF_INET, address, ranges->ip4, ranges->n_ip4);
}

static const char *refusal6(const struct in6_addr *address, const table *ranges)
{
    const uint8_t *bytes = address->s6_addr;
    const char *why = find_refusal(AF_INET6, bytes, ranges->ip6, ranges->n_ip6);
    if (why || IN6_IS_ADDR_LOOPBACK(address)) {
        return why;
    }
    for (size_t i = 0; i < WPA_COUNT(carriers) && !why; i++) {
        uint8_t prefix[16];
        if (inet_pton(AF_INET6, carriers[i].prefix, prefix) == 1 &&
            is_within(bytes, prefix, carriers[i].bits)) {
            why = refusal4(bytes + carriers[i].at, ranges);
        }
    }
    return why;
}

static const char *look_up(const struct sockaddr *address, const table *ranges)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ip4;
        memcpy(&ip4, address, sizeof ip4);
        return refusal4((const uint8_t *)&ip4.sin_addr, ranges);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 ip6;
        memcpy(&ip6, address, sizeof ip6);
        return refusal6(&ip6.sin6_addr, ranges);
    }
    return "neither IPv4 nor IPv6";
}

const char *wpa_http_address_refusal(const struct sockaddr *address)
{
    return look_up(address, &refused);
}

const char *wpa_http_address_private(const struct sockaddr *address)
{
    return look_up(address, &private_ones);
}
