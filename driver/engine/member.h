/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <libvirt/virterror.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON objects into structs, by tables: the machine document and the arguments
 * of control commands. What a table does not name is refused by name.
 */
#define ENGINE_FD_MAX ((1 << 20) - 1)

typedef enum EngineMemberKind {
    ENGINE_MEMBER_BOOL,   /* bool */
    ENGINE_MEMBER_INT64,  /* int64_t */
    ENGINE_MEMBER_UINT,   /* unsigned */
    ENGINE_MEMBER_UINT64, /* uint64_t */
    ENGINE_MEMBER_FD,     /* int: a descriptor, noted by the reader */
    ENGINE_MEMBER_ENUM,   /* an enum whose values are the indices of `names` */
    ENGINE_MEMBER_STRING, /* char *, owned; max is its length in bytes */
    ENGINE_MEMBER_OBJECT, /* a struct at `offset`, by `members` */
    ENGINE_MEMBER_CUSTOM, /* whatever `read` makes of the value */
    ENGINE_MEMBER_TABLE,  /* no member: more rows, of the same struct */
} EngineMemberKind;

/** Who reads one document, and the descriptors that it names. */
typedef struct EngineReader {
    bool arguments; /* of a command, not a machine document */
    GArray *fds;    /* int: filled with those that were named; may be NULL */
    /* NULL: descriptors go by their numbers; else those that came with the
     * document, which calls them 0, 1, 2 ... */
    const int *given;
    size_t n_given;
} EngineReader;

/** Where in the document: a list on the stack, spelled out only in an error. */
typedef struct EnginePlace {
    EngineReader *reader;
    const struct EnginePlace *parent; /* NULL: the document itself */
    const char *name;                 /* NULL: an element of an array */
    size_t index;
} EnginePlace;

typedef struct EngineMember {
    const char *name; /* NULL: the end, unless a TABLE */
    EngineMemberKind kind;
    size_t offset; /* of the value in the struct */
    bool required;
    int64_t min, max;         /* numbers; strings: bytes */
    const char *const *names; /* NULL-terminated */
    const struct EngineMember *members;
    bool (*read)(json_t *value, void *target, const EnginePlace *place,
                 GError **error);
} EngineMember;

#define ENGINE_AT(type, member) .offset = offsetof(type, member)
/** All rows of another table, whose offsets are of the same struct. */
#define ENGINE_MEMBERS(table)                           \
    {                                                   \
        .kind = ENGINE_MEMBER_TABLE, .members = (table) \
    }

static inline EnginePlace
engine_place_member(const EnginePlace *parent, const char *name)
{
    return (EnginePlace){ parent->reader, parent, name, 0 };
}

static inline EnginePlace
engine_place_item(const EnginePlace *parent, size_t index)
{
    return (EnginePlace){ parent->reader, parent, NULL, index };
}

/**
 * engine_members_read: read @object into the struct @target
 * @error: INVALID_ARG, CONFIG_UNSUPPORTED, naming the place
 */
bool engine_members_read(json_t *object, const EngineMember *members,
                         void *target, const EnginePlace *place,
                         GError **error);

/** engine_members_check: is what @members require there?
 * @object: NULL: an empty one */
bool engine_members_check(const json_t *object, const EngineMember *members,
                          const EnginePlace *place, GError **error);

/**
 * engine_place_array: @value must be an array of at most @most elements
 * Returns: false with @error set if it is not
 */
bool engine_place_array(const EnginePlace *place, const json_t *value,
                        size_t most, size_t *ret_count, GError **error);

/** engine_member_find: the row of @name, or NULL */
const EngineMember *engine_member_find(const EngineMember *members,
                                       const char *name);

/** engine_member_read: one value by its row; @structure: that the row is of */
bool engine_member_read(const EngineMember *member, json_t *value,
                        void *structure, const EnginePlace *place,
                        GError **error);

/**
 * engine_place_refuse: say what is wrong at @place
 * @problem: translated half a sentence that follows the member's name
 * Returns: false
 */
bool engine_place_refuse(const EnginePlace *place, virErrorNumber code,
                         const char *problem, GError **error);

/** engine_member_check_power: is @value, of member @name, a power of two? */
bool engine_member_check_power(unsigned value, const char *name,
                               const EnginePlace *place, GError **error);
