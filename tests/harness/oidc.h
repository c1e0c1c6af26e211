/*
 * An OpenID Connect provider in a process of its own (oidc.py), on a free port of 127.0.0.1. It
 * ends with the test, however that ends.
 */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_oidc wpa_oidc;

#define WPA_OIDC_CLIENT "wpa-client"

/** End the process with 77 (skipped) and the reason where there is no python3 or openssl. */
void wpa_oidc_need(void);
/** Fails the test if it does not start. */
wpa_oidc *wpa_oidc_start(void);
void wpa_oidc_stop(wpa_oidc *oidc);
WPA_DEFINE_AUTO(wpa_oidc, wpa_oidc_stop);

/** "http://127.0.0.1:4711", in the provider's arena, as all answers. */
const char *wpa_oidc_issuer(const wpa_oidc *oidc);
/** The same provider, with the same keys, by https; and the file with its certificate. */
const char *wpa_oidc_tls_issuer(const wpa_oidc *oidc);
const char *wpa_oidc_tls_roots(const wpa_oidc *oidc);
/** POST JSON to one of its paths; the answer's body; fails unless it answers 200. */
const char *wpa_oidc_tell(wpa_oidc *oidc, const char *path, const char *json);
/** A token with these texts, in which @ISS and @+300 stand for issuer and times; see oidc.py. */
const char *wpa_oidc_mint(wpa_oidc *oidc, const char *key, const char *header, const char *payload);
