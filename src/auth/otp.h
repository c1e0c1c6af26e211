/*
 * One-time codes: six digits out of a shared secret and the time, as authenticator apps make them.
 * SHA-1 stands here because every such app speaks it and not all speak another; HMAC does not need
 * a hash without collisions.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#include "auth/secret.h"

#define WPA_OTP_SECRET_BYTES 20
#define WPA_OTP_STEP_SECONDS 30
#define WPA_OTP_DIGITS 6
#define WPA_OTP_CODE_SIZE 7
#define WPA_OTP_STEPS_AROUND 1 /* clocks that differ, and slow fingers */
#define WPA_SHA1_SIZE 20

/** HMAC-SHA-1 (RFC 2104, RFC 3174). */
void wpa_hmac_sha1(const void *key, size_t key_bytes, const void *data, size_t size_bytes,
                   uint8_t mac[WPA_SHA1_SIZE]);

/** The code of a step into code[WPA_OTP_CODE_SIZE]; returns code. Source RFC 4226 section 5.3. */
char *wpa_otp_code(const wpa_secret *secret, int64_t step, char *code);
/**
 * The step that a code belongs to, among that of now_s and those around it, and behind last_step;
 * 0: none. Takes as long whatever the code is. Source RFC 6238 section 5.2.
 */
int64_t wpa_otp_step(const wpa_secret *secret, const char *code, int64_t now_s, int64_t last_step);

/** RFC 4648 base32 without padding. */
char *wpa_base32_encode(wpa_arena *arena, const void *data, size_t size_bytes);
/** "otpauth://totp/wpa:ann?secret=...": what an app reads, typed or as a picture. */
char *wpa_otp_uri(const wpa_secret *secret, const char *name, wpa_arena *arena);
