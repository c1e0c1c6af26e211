#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WPA_SANITIZED
#include <sanitizer/asan_interface.h>
#endif

#include <wpa/arena.h>
#include <wpa/memory.h>

#include "core/large.h"
#include "core/paged.h"
#include "core/pieces.h"
#include "core/room.h"

/* In sanitizer builds each allocation is a block of its own, so that overruns inside an arena are
 * seen; otherwise blocks are this large and filled one after the other. */
#ifdef WPA_SANITIZED
#define BLOCK_BYTES ((size_t)0)
/* Whoever still looks into a list that has moved is found out. */
#define forget(items, size_bytes) ASAN_POISON_MEMORY_REGION(items, size_bytes)
#else
#define forget(items, size_bytes) ((void)0)
#define BLOCK_BYTES ((size_t)32 * 1024)
#endif

/* An arena may be made for what grows with the number of files. While there is little of that it
 * is as any other; later its blocks are paged, in as few pieces as can be. */
#define PLAIN_MAX_BYTES ((size_t)1 << 20)      /* of one arena … */
#define PLAIN_ALL_MAX_BYTES ((size_t)16 << 20) /* … if there is so much in all of them */

/* Things are taken from the front, where they are aligned, and texts from the back. */
typedef struct block {
    struct block *next;
    size_t size_bytes;
    size_t front, back; /* what is free is between them */
    alignas(max_align_t) unsigned char data[];
} block;

/* With what stands in front of it a paged block is whole pages. */
#define PAGED_BYTES ((size_t)256 * 1024 - sizeof(block))

struct wpa_arena {
    block *blocks;
    block *kept;        /* of BLOCK_BYTES, or NULL: what a rewind let go is wanted again soon */
    wpa_budget *budget; /* NULL: without limit */
    bool may_page;
    size_t plain_bytes; /* if it may: of blocks of BLOCK_BYTES */
};

static atomic_size_t all_plain_bytes;

bool wpa_budget_spend(wpa_budget *budget, size_t work)
{
    if (!budget) {
        return true;
    }
    budget->work += work;
    /* Without branches: it is asked often, and hardly ever spent. */
    bool is_over = (budget->work > budget->max_work) | (budget->bytes > budget->max_bytes);
    budget->is_spent |= is_over;
    return !budget->is_spent;
}

/* Blocks that were let go, for the arenas to come: giving them back to the system and asking again
 * costs more than what is done with them. Nobody waits for the lock: who finds it taken, or is the
 * child of a thread that had it, goes to the heap. */
#define SPARE_BLOCKS_MAX 256

static struct {
    pthread_mutex_t lock;
    block *first; /* [n] each of BLOCK_BYTES */
    size_t n;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

/** Keep a list of blocks of BLOCK_BYTES; what there is no room for is returned. */
static block *keep_spare(block *list)
{
    if (pthread_mutex_trylock(&spare.lock) != 0) {
        return list;
    }
    while (list && spare.n < SPARE_BLOCKS_MAX) {
        block *next = list->next;
        list->next = spare.first;
        spare.first = list;
        spare.n++;
        list = next;
    }
    (void)pthread_mutex_unlock(&spare.lock);
    return list;
}

static block *take_spare(void)
{
    if (pthread_mutex_trylock(&spare.lock) != 0) {
        return NULL;
    }
    block *taken = spare.first;
    if (taken) {
        spare.first = taken->next;
        spare.n--;
    }
    (void)pthread_mutex_unlock(&spare.lock);
    return taken;
}

wpa_arena *wpa_arena_new(void)
{
    return wpa_alloc(sizeof(wpa_arena));
}

wpa_arena *wpa_arena_new_within(wpa_budget *budget)
{
    wpa_arena *arena = wpa_arena_new();
    arena->budget = budget;
    return arena;
}

wpa_arena *wpa_arena_new_large(void)
{
    wpa_arena *arena = wpa_arena_new();
    arena->may_page = BLOCK_BYTES > 0;
    return arena;
}

wpa_budget *wpa_arena_budget(const wpa_arena *arena)
{
    return arena ? arena->budget : NULL;
}

/** Any block of this size, whenever the arena has made it. */
static bool is_paged(const wpa_arena *arena, size_t room)
{
    return arena->may_page && room >= PAGED_BYTES;
}

static void count_plain(wpa_arena *arena, size_t more, size_t less)
{
    if (arena->may_page) {
        arena->plain_bytes += more - less;
        (void)atomic_fetch_add_explicit(&all_plain_bytes, more - less, memory_order_relaxed);
    }
}

static void free_large(const wpa_arena *arena, block *large)
{
    if (is_paged(arena, large->size_bytes)) {
        wpa_paged_give(large, sizeof *large + large->size_bytes);
    } else {
        wpa_free(large);
    }
}

static void free_blocks(block *list)
{
    while (list) {
        block *next = list->next;
        wpa_free(list);
        list = next;
    }
}

static void let_go(block *plain)
{
    if (plain) {
        free_blocks(keep_spare(plain));
    }
}

/** Take the blocks in front of the last one out of the list; returns those of BLOCK_BYTES, and lets
    the others go. */
static block *take_until(wpa_arena *arena, block **list, const block *last)
{
    block *plain = NULL;
    while (*list != last) {
        block *first = *list;
        *list = first->next;
        if (arena->budget) {
            arena->budget->bytes -= first->size_bytes;
        }
        if (BLOCK_BYTES > 0 && first->size_bytes == BLOCK_BYTES) {
            first->next = plain;
            plain = first;
            count_plain(arena, 0, BLOCK_BYTES);
        } else {
            free_large(arena, first);
        }
    }
    return plain;
}

void wpa_arena_reset(wpa_arena *arena)
{
    block *plain = take_until(arena, &arena->blocks, NULL);
    if (arena->kept) {
        arena->kept->next = plain;
        plain = arena->kept;
        arena->kept = NULL;
    }
    let_go(plain);
}

/** Give back the blocks in front of the last one, all but one that is kept. */
static void give_back_until(wpa_arena *arena, block **list, const block *last)
{
    block *plain = take_until(arena, list, last);
    if (plain && !arena->kept) {
        arena->kept = plain;
        plain = plain->next;
    }
    let_go(plain);
}

wpa_arena_mark wpa_arena_here(const wpa_arena *arena)
{
    const block *current = arena->blocks;
    return (wpa_arena_mark){
        .block = arena->blocks,
        .behind = current ? current->next : NULL,
        .used_bytes = current ? current->front : 0,
        .text_bytes = current ? current->size_bytes - current->back : 0,
    };
}

/* Large blocks have gone behind the one that was current. */
void wpa_arena_rewind(wpa_arena *arena, wpa_arena_mark mark)
{
    if (arena->blocks != mark.block) { /* hardly ever */
        give_back_until(arena, &arena->blocks, mark.block);
    }
    if (arena->blocks) {
        if (arena->blocks->next != mark.behind) {
            give_back_until(arena, &arena->blocks->next, mark.behind);
        }
        arena->blocks->front = mark.used_bytes;
        arena->blocks->back = arena->blocks->size_bytes - mark.text_bytes;
    }
}

void wpa_arena_free(wpa_arena *arena)
{
    if (arena) {
        wpa_arena_reset(arena);
        wpa_free(arena);
    }
}

static block *new_block(wpa_arena *arena, size_t room)
{
    bool is_plain = BLOCK_BYTES > 0 && room == BLOCK_BYTES;
    block *fresh = NULL;
    if (is_plain) {
        fresh = arena->kept ? arena->kept : take_spare();
        arena->kept = NULL;
    } else if (is_paged(arena, room)) {
        fresh = wpa_paged_take(sizeof(block) + room);
    }
    if (!fresh) {
        fresh = wpa_realloc(NULL, sizeof(block) + room); /* zeroed as it is handed out */
    }
    count_plain(arena, is_plain ? room : 0, 0);
    fresh->size_bytes = fresh->back = room;
    fresh->front = 0;
    return fresh;
}

static void check_size(size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 4) {
        (void)fprintf(stderr, "wpa: allocation of %zu bytes\n", size_bytes);
        abort();
    }
}

/** Of the next block, if what it is for fits. */
static size_t block_bytes(const wpa_arena *arena)
{
    bool pages =
        arena->may_page && arena->plain_bytes >= PLAIN_MAX_BYTES &&
        atomic_load_explicit(&all_plain_bytes, memory_order_relaxed) >= PLAIN_ALL_MAX_BYTES;
    return pages ? PAGED_BYTES : BLOCK_BYTES;
}

static block *add_block(wpa_arena *arena, size_t size_bytes)
{
    check_size(size_bytes);
    size_t usual = block_bytes(arena);
    size_t room = size_bytes > usual / 4 ? size_bytes : usual;
    block *fresh = new_block(arena, room);
    if (arena->budget) {
        arena->budget->bytes += room;
    }
    /* A large block goes behind the current one, which may still have room for small things. */
    if (arena->blocks && room == size_bytes && BLOCK_BYTES > 0) {
        fresh->next = arena->blocks->next;
        arena->blocks->next = fresh;
    } else {
        fresh->next = arena->blocks;
        arena->blocks = fresh;
    }
    return fresh;
}

static size_t aligned(size_t size_bytes)
{
    return (size_bytes + alignof(max_align_t) - 1) & -alignof(max_align_t);
}

void *wpa_arena_room(wpa_arena *arena, size_t size_bytes)
{
    block *current = arena->blocks;
    size_t room = BLOCK_BYTES && size_bytes < SIZE_MAX / 2 ? aligned(size_bytes) : size_bytes;
    if (!current || current->back - current->front < room) {
        current = add_block(arena, room);
    }
    void *memory = current->data + current->front;
    current->front += room;
    return memory;
}

/** The same without alignment: most texts are shorter than what that would add. */
static char *take_text(wpa_arena *arena, size_t size_bytes)
{
    block *current = arena->blocks;
    if (!current || current->back - current->front < size_bytes) {
        current = add_block(arena, size_bytes);
    }
    current->back -= size_bytes;
    return (char *)current->data + current->back;
}

/* What room is handed out in, where it is aligned. */
typedef struct grain {
    alignas(max_align_t) unsigned char bytes[alignof(max_align_t)];
} grain;

/** Most things are up to four grains, for which a call costs more than what it does. */
static inline void clear(void *memory, size_t size_bytes)
{
    grain *at = memory;
    if (!BLOCK_BYTES || size_bytes > 4 * sizeof *at) {
        memset(memory, 0, size_bytes);
    } else if (size_bytes > 2 * sizeof *at) {
        at[0] = at[1] = at[2] = (grain){0};
        if (size_bytes > 3 * sizeof *at) {
            at[3] = (grain){0};
        }
    } else if (size_bytes > 0) {
        at[0] = (grain){0};
        if (size_bytes > sizeof *at) {
            at[1] = (grain){0};
        }
    }
}

void *wpa_arena_alloc(wpa_arena *arena, size_t size_bytes)
{
    void *memory = wpa_arena_room(arena, size_bytes);
    clear(memory, size_bytes);
    return memory;
}

static size_t array_bytes(size_t count, size_t item_bytes)
{
    size_t size_bytes = 0;
    if (__builtin_mul_overflow(count, item_bytes, &size_bytes)) {
        (void)fprintf(stderr, "wpa: array of %zu items of %zu bytes\n", count, item_bytes);
        abort();
    }
    return size_bytes;
}

void *wpa_arena_array(wpa_arena *arena, size_t count, size_t item_bytes)
{
    return wpa_arena_alloc(arena, array_bytes(count, item_bytes));
}

void *wpa_arena_dup(wpa_arena *arena, const void *data, size_t size_bytes)
{
    void *copy = wpa_arena_room(arena, size_bytes);
    if (size_bytes) {
        memcpy(copy, data, size_bytes);
    }
    return copy;
}

char *wpa_arena_slice(wpa_arena *arena, const char *text, size_t length)
{
    char *copy = take_text(arena, length + 1);
    if (length) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    return copy;
}

char *wpa_arena_text(wpa_arena *arena, const char *text)
{
    return text ? wpa_arena_slice(arena, text, strlen(text)) : NULL;
}

/** A format of which only printf knows what it comes to. */
static WPA_PRINTF(2, 0) char *print(wpa_arena *arena, const char *format, va_list values)
{
    char small[512]; /* most are; the others are printed once more, where there is room */
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(small, sizeof small, format, values);
    char *text = take_text(arena, (size_t)(length < 0 ? 0 : length) + 1);
    text[0] = '\0';
    if (length > 0 && (size_t)length < sizeof small) {
        memcpy(text, small, (size_t)length + 1);
    } else if (length > 0) {
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

char *wpa_arena_vprintf(wpa_arena *arena, const char *format, va_list values)
{
    wpa_pieces pieces;
    if (!wpa_pieces_read(&pieces, format, values)) {
        return print(arena, format, values);
    }
    char *text = take_text(arena, pieces.length + 1);
    wpa_pieces_write(&pieces, text);
    return text;
}

char *wpa_arena_printf(wpa_arena *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *text = wpa_arena_vprintf(arena, format, values);
    va_end(values);
    return text;
}

/* A list that is never longer than its first item costs not much more than that. */
#define FIRST_LIST_BYTES 64

static size_t first_capacity(size_t item_bytes)
{
    return item_bytes <= FIRST_LIST_BYTES / 8   ? 8
           : item_bytes <= FIRST_LIST_BYTES / 4 ? 4
           : item_bytes <= FIRST_LIST_BYTES / 2 ? 2
                                                : 1;
}

/** Does the block's room go on where the list ends? Then it need not move. */
static bool extend(wpa_arena *arena, const void *items, size_t from_bytes, size_t to_bytes)
{
    block *current = arena->blocks;
    if (!BLOCK_BYTES || !current || !items || to_bytes > BLOCK_BYTES) {
        return false;
    }
    size_t more = aligned(to_bytes) - aligned(from_bytes);
    if ((const unsigned char *)items + aligned(from_bytes) != current->data + current->front ||
        current->back - current->front < more) {
        return false;
    }
    memset(current->data + current->front, 0, more);
    current->front += more;
    return true;
}

/* A list that grows is among the blocks that came last. */
#define BLOCKS_SEARCHED_MAX 64

/** Where the block is linked that holds the list and nothing else; NULL if none does. */
static block **block_of(wpa_arena *arena, const void *items, size_t size_bytes)
{
    block **at = &arena->blocks;
    for (unsigned i = 0; *at && i < BLOCKS_SEARCHED_MAX; i++, at = &(*at)->next) {
        if ((const void *)(*at)->data == items) {
            bool is_alone = (*at)->size_bytes == size_bytes && (*at)->front == size_bytes;
            return is_alone ? at : NULL;
        }
    }
    return NULL;
}

static block *move_to_pages(const wpa_arena *arena, block *from, size_t to_bytes)
{
    block *larger = wpa_paged_take(sizeof *larger + to_bytes);
    memcpy(larger, from, sizeof *from + from->front);
    free_large(arena, from);
    return larger;
}

/** A list that has a block of its own leaves no copy behind as it grows: half of what a large file
    needs would be such copies. NULL: it has none. */
static void *enlarge(wpa_arena *arena, const void *items, size_t from_bytes, size_t to_bytes)
{
    from_bytes = aligned(from_bytes);
    to_bytes = aligned(to_bytes);
    bool is_large = BLOCK_BYTES && from_bytes > BLOCK_BYTES / 4;
    block **at = is_large ? block_of(arena, items, from_bytes) : NULL;
    if (!at) {
        return NULL;
    }
    check_size(to_bytes);
    block *larger = is_paged(arena, to_bytes) ? move_to_pages(arena, *at, to_bytes)
                                              : wpa_realloc(*at, sizeof(block) + to_bytes);
    *at = larger;
    memset(larger->data + from_bytes, 0, to_bytes - from_bytes);
    larger->size_bytes = larger->front = larger->back = to_bytes;
    if (arena->budget) {
        arena->budget->bytes += to_bytes - from_bytes;
    }
    return larger->data;
}

void *wpa_arena_double(wpa_arena *arena, void *items, size_t n_items, size_t *capacity,
                       size_t item_bytes)
{
    size_t n_before = *capacity;
    *capacity = n_before ? n_before * 2 : first_capacity(item_bytes);
    if (!items) { /* as most lists stay */
        return wpa_arena_array(arena, *capacity, item_bytes);
    }
    if (extend(arena, items, n_before * item_bytes, *capacity * item_bytes)) {
        return items;
    }
    void *larger = enlarge(arena, items, n_before * item_bytes, *capacity * item_bytes);
    if (larger) {
        return larger;
    }
    size_t size_bytes = array_bytes(*capacity, item_bytes), n_bytes = n_items * item_bytes;
    larger = wpa_arena_room(arena, size_bytes);
    if (n_bytes) {
        memcpy(larger, items, n_bytes);
    }
    memset((char *)larger + n_bytes, 0, size_bytes - n_bytes);
    forget(items, n_before * item_bytes);
    return larger;
}

size_t wpa_arena_used_bytes(const wpa_arena *arena)
{
    size_t used_bytes = 0;
    for (const block *at = arena->blocks; at; at = at->next) {
        used_bytes += at->size_bytes - (at->back - at->front);
    }
    return used_bytes;
}
