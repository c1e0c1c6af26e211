/*
 * Memory of an arena with whatever was in it: for those alone who fill all of it themselves.
 */
#pragma once

#include <wpa/arena.h>

void *wpa_arena_room(wpa_arena *arena, size_t size_bytes);
