/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/block.h"
#include "engine/block/file.h"

/*
 * What a format of images is to the block layer. An image is a chain of nodes,
 * one a file; requests go to the first, which asks those behind it only where
 * bytes are (map).
 *
 * Threads: all on the image's.
 */
typedef struct EngineBlockNode EngineBlockNode;

typedef enum EngineExtentKind {
    ENGINE_EXTENT_ZERO,
    ENGINE_EXTENT_DATA,   /* at `offset` of the node's file */
    ENGINE_EXTENT_PACKED, /* `entry` says where; only the node can read it */
} EngineExtentKind;

/** Where the first bytes of a range are. */
typedef struct EngineExtent {
    EngineExtentKind kind;
    EngineBlockNode *node; /* that has them; NULL: nobody has: zeroes */
    uint64_t offset;
    uint64_t size;  /* > 0: of the range, how many are so */
    uint64_t entry; /* the format's own */
} EngineExtent;

typedef struct EngineBlockFormat {
    const char *name;
    size_t size; /* of the node's struct; EngineBlockNode is its first member */
    bool (*open)(EngineBlockNode *node, GError **error);
    void (*close)(EngineBlockNode *node); /* also after a failed open() */
    /** READ, WRITE, DISCARD, WRITE_ZEROES within the node's size */
    void (*submit)(EngineBlockNode *node, EngineBlockRequest *request);
    void (*flush)(EngineBlockNode *node, EngineBlockRequest *request);
    /** Returns: 0 or -errno. @offset+@size is within the node's size */
    int (*map)(EngineBlockNode *node, uint64_t offset, uint64_t size,
               EngineExtent *ret_extent);
    bool (*resize)(EngineBlockNode *node, uint64_t size, GError **error);
    /** Optional: a request has ended, none is older than @oldest now */
    void (*settle)(EngineBlockNode *node, uint64_t oldest);
    /** Optional: the least that a discard gives back, bytes */
    uint32_t (*granularity)(EngineBlockNode *node);
} EngineBlockFormat;

struct EngineBlockNode {
    const EngineBlockFormat *format;
    const EngineDriveConfig *drive;
    EngineBlock *block;
    EngineBlockFile file;
    EngineBlockNode *backing; /* NULL: none */
    uint64_t size;            /* as seen through the format; multiple of 512 */
    bool writable;
};

extern const EngineBlockFormat engine_block_raw;
extern const EngineBlockFormat engine_block_qcow2;

/**
 * engine_block_begin_part: @request isn't over before the part is ended
 * engine_block_end_part: @result: 0 or -errno; the request's is the first that
 * isn't 0. May be called from anywhere: done() comes later.
 */
void engine_block_begin_part(EngineBlockRequest *request);
void engine_block_end_part(EngineBlockRequest *request, int result);

/** engine_block_submit_part: @io as a part of @request; its done() and opaque
 * are set */
void engine_block_submit_part(EngineBlockRequest *request, EngineBlockIo *io);

/** engine_block_map: engine_block_format.map() through the whole chain, from
 * @node on, which may be NULL; the node's size is no bound */
int engine_block_map(EngineBlockNode *node, uint64_t offset, uint64_t size,
                     EngineExtent *ret_extent);

/** engine_block_oldest: the number of the oldest request in flight; that of the
 * next to come if there is none */
uint64_t engine_block_oldest(const EngineBlock *block);
/** engine_block_next: the number of the next request to come */
uint64_t engine_block_next(const EngineBlock *block);
