/*
 * A small HTTP client that sends exactly what it is told, for talking to the program's own server;
 * fails the test when nobody answers.
 */
#pragma once

#include <wpa/arena.h>

typedef struct wpa_client_answer {
    int status;          /* 0: the connection was closed without an answer */
    const char *headers; /* as they came, one a line */
    const char *body;    /* NUL-terminated */
    size_t body_bytes;
} wpa_client_answer;

typedef struct wpa_client {
    int port;            /* of 127.0.0.1 */
    const char *token;   /* sent as bearer; NULL: none */
    const char *headers; /* more lines, each ending with CRLF; NULL: none */
    wpa_arena *arena;
} wpa_client;

/**
 * A port of 127.0.0.1 that nobody listens on, for client->port. Below those that the kernel gives
 * to connections: on one of them a client that tries until a server listens may meet itself.
 */
int wpa_client_free_port(void);
/** Connect, trying again while nobody listens yet. Returns the socket. */
int wpa_client_connect(const wpa_client *client);
/** Send these bytes as they are and read until the other side closes. */
wpa_client_answer wpa_client_raw(const wpa_client *client, const char *bytes, size_t size_bytes);
/** METHOD and path with its query; body NULL: none. */
wpa_client_answer wpa_client_call(const wpa_client *client, const char *method, const char *path,
                                  const char *body);
/** Value of a header of an answer, in the arena; NULL if it has none. */
const char *wpa_client_header(const wpa_client *client, const wpa_client_answer *answer,
                              const char *name);
