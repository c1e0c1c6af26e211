#include "expr/type.h"

#include <string.h>

#include <wpa/text.h>

const wpa_type wpa_type_plain[WPA_TYPE_ARRAY] = {
    [WPA_TYPE_NEVER] = {.kind = WPA_TYPE_NEVER},   [WPA_TYPE_ANY] = {.kind = WPA_TYPE_ANY},
    [WPA_TYPE_NULL] = {.kind = WPA_TYPE_NULL},     [WPA_TYPE_BOOL] = {.kind = WPA_TYPE_BOOL},
    [WPA_TYPE_NUMBER] = {.kind = WPA_TYPE_NUMBER}, [WPA_TYPE_STRING] = {.kind = WPA_TYPE_STRING},
};
static const wpa_type loose = {.kind = WPA_TYPE_OBJECT, .item = &wpa_type_plain[WPA_TYPE_ANY]};
static const wpa_type texts = {.kind = WPA_TYPE_OBJECT, .item = &wpa_type_plain[WPA_TYPE_STRING]};

static wpa_type *make(wpa_arena *arena, wpa_type_kind kind, const wpa_type *item)
{
    wpa_type *type = wpa_arena_alloc(arena, sizeof *type);
    type->kind = kind;
    type->item = item;
    return type;
}

const wpa_type *wpa_type_array(wpa_arena *arena, const wpa_type *item)
{
    return make(arena, WPA_TYPE_ARRAY, item);
}

const wpa_type *wpa_type_filter(wpa_arena *arena, const wpa_type *item)
{
    wpa_type *type = make(arena, WPA_TYPE_ARRAY, item);
    type->is_filter = true;
    return type;
}

const wpa_type *wpa_type_object(wpa_arena *arena, const wpa_type_member *members, size_t n_members,
                                const wpa_type *item)
{
    wpa_type *type = make(arena, WPA_TYPE_OBJECT, item);
    type->members = members;
    type->n_members = n_members;
    return type;
}

/* From the last to the first, so that the first of each letter is found before the others. */
wpa_type_index wpa_type_index_of(const wpa_type_member *members, size_t n_members)
{
    wpa_type_index index = {{0}, {0}};
    for (size_t i = n_members < WPA_TYPE_INDEX_MAX ? n_members : WPA_TYPE_INDEX_MAX; i > 0; i--) {
        uint8_t *first = &index.first[*members[i - 1].name & 31];
        index.next[i - 1] = *first;
        *first = (uint8_t)i;
    }
    return index;
}

const wpa_type *wpa_type_object_indexed(wpa_arena *arena, const wpa_type_member *members,
                                        size_t n_members, const wpa_type_index *index,
                                        const wpa_type *item)
{
    wpa_type *type = make(arena, WPA_TYPE_OBJECT, item);
    type->members = members;
    type->n_members = n_members;
    type->index = n_members <= WPA_TYPE_INDEX_MAX ? index : NULL;
    return type;
}

const wpa_type *wpa_type_map(wpa_arena *arena, const wpa_type *item)
{
    return item == texts.item ? &texts : make(arena, WPA_TYPE_OBJECT, item);
}

const wpa_type *wpa_type_loose(void)
{
    return &loose;
}

const wpa_type *wpa_type_lazy(wpa_arena *arena, wpa_type_loader load, const char *name,
                              const void *data)
{
    wpa_type *type = make(arena, WPA_TYPE_OBJECT, NULL);
    type->load = load;
    type->name = name;
    type->data = data;
    type->arena = arena;
    type->loaded = wpa_arena_alloc(arena, sizeof(const wpa_type *));
    return type;
}

const wpa_type *wpa_type_resolve(const wpa_type *type)
{
    if (!type->load) {
        return type;
    }
    if (!*type->loaded) {
        const wpa_type *loaded = type->load(type->name, type->data, type->arena);
        *type->loaded = loaded ? loaded : &loose;
    }
    return *type->loaded;
}

/* Most are written as they are called. */
static bool is_name(const char *name, const char *written)
{
    return !((*name ^ *written) & ~0x20) &&
           (strcmp(name, written) == 0 || wpa_text_is_ci(name, written));
}

static const wpa_type *find_by_index(const wpa_type *type, const char *name)
{
    size_t at = type->index->first[*name & 31];
    while (at && !is_name(type->members[at - 1].name, name)) {
        at = type->index->next[at - 1];
    }
    return at ? type->members[at - 1].type : type->item;
}

const wpa_type *wpa_type_member_find(const wpa_type *object, const char *name)
{
    const wpa_type *type = wpa_type_resolve(object);
    if (type->index && !type->load) {
        return find_by_index(type, name);
    }
    for (size_t i = 0; i < type->n_members; i++) {
        if (is_name(type->members[i].name, name)) {
            return type->members[i].type;
        }
    }
    return type->item;
}

bool wpa_type_is(const wpa_type *type, wpa_type_kind kind)
{
    return type->kind == kind;
}

bool wpa_type_is_scalar(const wpa_type *type)
{
    return type->kind >= WPA_TYPE_NULL && type->kind <= WPA_TYPE_STRING;
}

bool wpa_type_is_strict(const wpa_type *type)
{
    return type->kind == WPA_TYPE_OBJECT && !wpa_type_resolve(type)->item;
}

/* ---- joining ---- */

static const wpa_type *merge(const wpa_type *a, const wpa_type *b, wpa_arena *arena, int depth);

static const wpa_type *merge_objects(const wpa_type *written_a, const wpa_type *written_b,
                                     wpa_arena *arena, int depth)
{
    if (written_a->load && written_a->load == written_b->load &&
        wpa_text_is(written_a->name, written_b->name)) {
        return written_a;
    }
    const wpa_type *a = wpa_type_resolve(written_a);
    const wpa_type *b = wpa_type_resolve(written_b);
    wpa_type_builder builder = wpa_type_builder_new(arena);
    builder.keeps_names = true; /* as long as the types of these members, which it has too */
    for (size_t i = 0; i < a->n_members; i++) {
        wpa_type_builder_add(&builder, a->members[i].name, a->members[i].type);
    }
    for (size_t i = 0; i < b->n_members; i++) {
        const wpa_type *other = wpa_type_member_find(a, b->members[i].name);
        const wpa_type *type = b->members[i].type;
        wpa_type_builder_add(&builder, b->members[i].name,
                             other ? merge(other, type, arena, depth + 1) : type);
    }
    bool is_open = builder.is_loose;
    const wpa_type *item = is_open              ? &wpa_type_plain[WPA_TYPE_ANY]
                           : a->item && b->item ? merge(a->item, b->item, arena, depth + 1)
                           : a->item            ? a->item
                                                : b->item;
    return wpa_type_object(arena, is_open ? NULL : builder.members, is_open ? 0 : builder.n, item);
}

static const wpa_type *merge(const wpa_type *a, const wpa_type *b, wpa_arena *arena, int depth)
{
    if (a == b || b->kind == WPA_TYPE_NEVER) {
        return a;
    }
    if (a->kind == WPA_TYPE_NEVER) {
        return b;
    }
    if (a->kind != b->kind || a->kind == WPA_TYPE_ANY || depth > WPA_TYPE_MAX_DEPTH) {
        return &wpa_type_plain[WPA_TYPE_ANY];
    }
    if (a->kind == WPA_TYPE_OBJECT) {
        return merge_objects(a, b, arena, depth);
    }
    if (a->kind == WPA_TYPE_ARRAY) {
        const wpa_type *item = merge(a->item, b->item, arena, depth + 1);
        return a->is_filter && b->is_filter ? wpa_type_filter(arena, item)
                                            : wpa_type_array(arena, item);
    }
    return a;
}

const wpa_type *wpa_type_merge(const wpa_type *a, const wpa_type *b, wpa_arena *arena)
{
    return merge(a, b, arena, 0);
}

const wpa_type *wpa_type_values(const wpa_type *object, wpa_arena *arena)
{
    const wpa_type *type = wpa_type_resolve(object);
    const wpa_type *values = type->item ? type->item : &wpa_type_plain[WPA_TYPE_NEVER];
    for (size_t i = 0; i < type->n_members && values->kind != WPA_TYPE_ANY; i++) {
        values = wpa_type_merge(values, type->members[i].type, arena);
    }
    return values;
}

const char *wpa_type_words(const wpa_type *type)
{
    static const char *const words[] = {
        [WPA_TYPE_NEVER] = "nothing",   [WPA_TYPE_ANY] = "any value",
        [WPA_TYPE_NULL] = "null",       [WPA_TYPE_BOOL] = "a boolean",
        [WPA_TYPE_NUMBER] = "a number", [WPA_TYPE_STRING] = "a string",
        [WPA_TYPE_ARRAY] = "an array",  [WPA_TYPE_OBJECT] = "an object"};
    return words[type->kind];
}

/* ---- building ---- */

wpa_type_builder wpa_type_builder_new(wpa_arena *arena)
{
    return (wpa_type_builder){.arena = arena};
}

/* Eight bytes at once, whatever the case of their letters. */
static uint32_t hash_of(const char *name)
{
    size_t length = strlen(name);
    uint64_t hash = length, bytes;
    for (; length; name += sizeof bytes) {
        size_t n = length < sizeof bytes ? length : sizeof bytes;
        bytes = 0;
        memcpy(&bytes, name, n);
        hash = (hash ^ (bytes | UINT64_C(0x2020202020202020))) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
        length -= n;
    }
    return (uint32_t)hash;
}

/** Index of the member with this name; the count of them if there is none. */
static size_t index_of(const wpa_type_builder *builder, const char *name, uint32_t hash)
{
    size_t i = 0;
    while (i < builder->n &&
           (builder->hashes[i] != hash || !wpa_text_is_ci(builder->members[i].name, name))) {
        i++;
    }
    return i;
}

void wpa_type_builder_add(wpa_type_builder *builder, const char *name, const wpa_type *type)
{
    uint32_t hash = hash_of(name);
    size_t index = index_of(builder, name, hash);
    if (index < builder->n) {
        wpa_type_member *member = &builder->members[index];
        member->type = wpa_type_merge(member->type, type, builder->arena);
        return;
    }
    if (builder->n == WPA_TYPE_MAX_MEMBERS) {
        builder->is_loose = true;
        return;
    }
    if (builder->n == builder->hashes_capacity) {
        builder->hashes = wpa_arena_grow(builder->arena, builder->hashes, builder->n,
                                         &builder->hashes_capacity, sizeof *builder->hashes);
    }
    if (builder->n == builder->capacity) {
        builder->members = wpa_arena_grow(builder->arena, builder->members, builder->n,
                                          &builder->capacity, sizeof *builder->members);
    }
    builder->hashes[builder->n] = hash;
    /* A copy: names may be of another file, which is not kept as long. */
    const char *kept = builder->keeps_names ? name : wpa_arena_text(builder->arena, name);
    builder->members[builder->n++] = (wpa_type_member){kept, type};
}

const wpa_type *wpa_type_builder_end(wpa_type_builder *builder)
{
    return wpa_type_object(builder->arena, builder->members, builder->n,
                           builder->is_loose ? &wpa_type_plain[WPA_TYPE_ANY] : NULL);
}
