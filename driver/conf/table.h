/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/carried.h"

/**
 * Descriptor tables: one table an element drives parse, format, free, copy,
 * the check before a start, and the RELAX NG schema. Rows stand in the order in
 * which libvirt writes.
 */

typedef struct ConfElement ConfElement;
typedef struct ConfField ConfField;

/** The value of an attribute or of an element's text. */
typedef struct ConfType {
    /** @node: the element (or the owner of the attribute), for messages and
     * for siblings; @text: never NULL; @member: where it goes */
    bool (*parse)(const ConfField *field, const xmlNode *node, const char *text,
                  void *member, GError **error);
    /** @scratch: CONF_SCRATCH bytes for the caller to lend.
     * Returns: unescaped text, NULL where the value is absent */
    const char *(*format)(const ConfField *field, const void *member,
                          char *scratch);
    void (*clear)(void *member);
    /** @to holds a plain copy of @from's bytes */
    void (*copy)(void *to, const void *from);
    /** Appends the RELAX NG pattern of the value. */
    void (*schema)(const ConfField *field, GString *out);
} ConfType;

#define CONF_SCRATCH 64

typedef enum ConfKind {
    CONF_KIND_END = 0,
    CONF_KIND_ATTR,       /* an attribute */
    CONF_KIND_TEXT,       /* the element's own text */
    CONF_KIND_LEAF,       /* a sub-element with nothing but text (or nothing) */
    CONF_KIND_CHILD,      /* a sub-element with its own table */
    CONF_KIND_LIST,       /* sub-elements, each into a struct of its own */
    CONF_KIND_CARRY,      /* sub-elements, known, kept as text */
    CONF_KIND_CARRY_ATTR, /* an attribute, known, kept as text */
} ConfKind;

/** What conf_domain_check_start() thinks of a row that the document uses. */
typedef enum ConfPolicy {
    CONF_HONOURED = 0,
    CONF_HARMLESS, /* not honoured, the guest cannot care: a warning */
    CONF_QUIET,    /* the same without a warning: every tool writes it */
    CONF_REFUSED,  /* not honoured, and it would matter */
} ConfPolicy;

typedef enum ConfFieldFlags {
    CONF_LIVE = 1 << 0,     /* only a running domain has it */
    CONF_REQUIRED = 1 << 1, /* for the schema */
    CONF_ANY = 1 << 2,      /* CHILD: holds whatever its owner likes */
    CONF_SECRET = 1 << 3,   /* CARRY: has passwords */
    CONF_MANY = 1 << 4,     /* CARRY: may stand more than once */
    CONF_USER = 1 << 5,     /* with LIVE: a value "ua-..." is the user's own */
    CONF_ONE = 1 << 6,      /* LIST: has at most one item */
    CONF_TAP = 1 << 7,      /* with LIVE: any but "vnet..." is the user's own */
    CONF_CHOSEN = 1 << 8,   /* with LIVE: any path but one in a folder for
                               channels is the user's own */
} ConfFieldFlags;

struct ConfField {
    ConfKind kind;
    const char *name;
    unsigned flags;             /* ConfFieldFlags */
    size_t offset;              /* of the member */
    const ConfType *type;       /* ATTR, TEXT, LEAF */
    const char *const *names;   /* of an enum: NULL for values without a name;
                                   ends with "" */
    const ConfElement *element; /* CHILD, LIST */
    /* WHEN: the row counts only if the int at when_offset is one of the bits
     * in when_mask (0: always); elsewhere the same name is carried */
    size_t when_offset;
    unsigned when_mask;
    ConfPolicy policy;
    const char *advice; /* a sentence for the user, N_() */
    /* A finer answer than policy; may be NULL. @text: the carried element,
     * @base: the struct for other rows. */
    ConfPolicy (*judge)(const char *text, const void *base);
    /* CARRY: fills defaults before the element is kept; may be NULL */
    void (*prepare)(xmlNode *node, unsigned flags);
    /* CARRY: the alias that a running domain shows, with the element's number
     * in its row; may be NULL */
    const char *alias_prefix;
};

/** For the schema: the attribute that WHEN looks at. */
typedef struct ConfVariant {
    const char *name; /* of the attribute */
    unsigned count;   /* values 0 to count - 1 */
    /** Appends <value>s of those that mean @value; nothing: it is absent. */
    void (*append)(unsigned value, GString *out);
    const char *const *names; /* without append: the enum's */
} ConfVariant;

struct ConfElement {
    const char *name;
    const ConfField *fields;    /* ends with CONF_KIND_END */
    size_t size;                /* of a LIST's struct */
    size_t carried;             /* LIST: offset of its ConfCarried */
    const char *uri;            /* namespace; NULL for none */
    const ConfVariant *variant; /* where rows have WHEN, else NULL */
    bool recursive;             /* LIST: a struct of it may be in another */
    /** Fills what a new struct must not have as zero. May be NULL. */
    void (*init)(void *base);
    /** After the rows were read: does it make sense? May be NULL. */
    bool (*check)(void *base, const xmlNode *node, unsigned flags,
                  GError **error);
};

#define CONF_ATTR(NAME, STRUCT, MEMBER, TYPE, ...)                     \
    {                                                                  \
        .kind = CONF_KIND_ATTR, .name = NAME,                          \
        .offset = offsetof(STRUCT, MEMBER), .type = &conf_type_##TYPE, \
        __VA_ARGS__                                                    \
    }
#define CONF_TEXT(STRUCT, MEMBER, TYPE, ...)                        \
    {                                                               \
        .kind = CONF_KIND_TEXT, .offset = offsetof(STRUCT, MEMBER), \
        .type = &conf_type_##TYPE, __VA_ARGS__                      \
    }
#define CONF_LEAF(NAME, STRUCT, MEMBER, TYPE, ...)                     \
    {                                                                  \
        .kind = CONF_KIND_LEAF, .name = NAME,                          \
        .offset = offsetof(STRUCT, MEMBER), .type = &conf_type_##TYPE, \
        __VA_ARGS__                                                    \
    }
/* A sub-element into a struct inside this one ... */
#define CONF_CHILD(NAME, STRUCT, MEMBER, ELEMENT, ...)                       \
    {                                                                        \
        .kind = CONF_KIND_CHILD, .name = NAME,                               \
        .offset = offsetof(STRUCT, MEMBER), .element = &ELEMENT, __VA_ARGS__ \
    }
/* ... or into this very struct */
#define CONF_GROUP(NAME, ELEMENT, ...)                              \
    {                                                               \
        .kind = CONF_KIND_CHILD, .name = NAME, .element = &ELEMENT, \
        __VA_ARGS__                                                 \
    }
#define CONF_LIST(NAME, STRUCT, MEMBER, ELEMENT, ...)                        \
    {                                                                        \
        .kind = CONF_KIND_LIST, .name = NAME,                                \
        .offset = offsetof(STRUCT, MEMBER), .element = &ELEMENT, __VA_ARGS__ \
    }
#define CONF_CARRY(NAME, ...)                              \
    {                                                      \
        .kind = CONF_KIND_CARRY, .name = NAME, __VA_ARGS__ \
    }
#define CONF_CARRY_ATTR(NAME, ...)                              \
    {                                                           \
        .kind = CONF_KIND_CARRY_ATTR, .name = NAME, __VA_ARGS__ \
    }
#define CONF_END              \
    {                         \
        .kind = CONF_KIND_END \
    }
#define CONF_WHEN(STRUCT, MEMBER, MASK) \
    .when_offset = offsetof(STRUCT, MEMBER), .when_mask = (MASK)

/** Bounds of one list of items and of one list of carried text. */
#define CONF_LIST_MAX    4096
#define CONF_CARRIED_MAX 65536
/** Rows of one table. */
#define CONF_ROWS_MAX 64

/** A struct under a table, and where what it carries goes. */
typedef struct ConfFrame {
    const ConfElement *element;
    char *base;
    ConfCarried *carried; /* NULL: what the table lacks is an error */
    ConfPath path;
    unsigned level; /* depth of the element in the document */
} ConfFrame;

/** conf_table_init: a zeroed struct becomes an empty one (lists exist) */
void conf_table_init(const ConfElement *element, void *base);
/** conf_table_new: for an item of a LIST */
void *conf_table_new(const ConfElement *element);
void conf_table_clear(const ConfElement *element, void *base);
/** conf_table_copy: @to is zeroed memory; without the carried list */
void conf_table_copy(const ConfElement *element, void *to, const void *from);

/**
 * conf_table_parse: read @node into @frame->base
 * @flags: ConfParseFlags
 * @error: XML_ERROR, CONFIG_UNSUPPORTED, names the element and its line
 */
bool conf_table_parse(const ConfFrame *frame, xmlNode *node, unsigned flags,
                      GError **error);

/** conf_table_format: the element as @name, nothing if it has nothing to say;
 * @flags: ConfFormatFlags */
void conf_table_format(GString *out, const ConfFrame *frame, const char *name,
                       unsigned flags);

/** A row that a document uses, for conf_table_visit(). */
typedef struct ConfVisit {
    const ConfField *field; /* NULL: no table knows it */
    const char *text;       /* of what is carried, else NULL */
    ConfCarriedKind kind;   /* of what is carried */
    const void *base;
    const char *owner; /* the element it stands in, or whose text it is */
} ConfVisit;
typedef bool (*ConfVisitFn)(const ConfVisit *visit, void *opaque,
                            GError **error);

/** conf_table_visit: call @fn for all that @frame's document uses, in order */
bool conf_table_visit(const ConfFrame *frame, ConfVisitFn fn, void *opaque,
                      GError **error);

/** conf_field_shown: may a value of @field come from, or go to, a document that
 * is @inactive? @value: may be NULL */
bool conf_field_shown(const ConfField *field, bool inactive, const char *value);
/** conf_frame_child/_leaf/_item: the frame of a CHILD row, of a LEAF row (for
 * what is carried with it), of an item of a LIST row */
ConfFrame conf_frame_child(const ConfFrame *frame, unsigned row);
ConfFrame conf_frame_leaf(const ConfFrame *frame, unsigned row);
ConfFrame conf_frame_item(const ConfFrame *frame, unsigned row, void *item);
/** conf_frame_list: the array of a LIST row */
GPtrArray *conf_frame_list(const ConfFrame *frame, unsigned row);
/** conf_field_active: does WHEN hold? */
bool conf_field_active(const ConfField *field, const void *base);
/** conf_table_find: row of an element or attribute name; -1 if none */
int conf_table_find(const ConfElement *element, const void *base,
                    const char *name, bool attr);
