/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/block/format.h"
#include "util/log.h"

/*
 * The format qcow2, versions 2 and 3, as its specification has it. An image is
 * a stranger's: every offset and count is bounded before it is used, and what
 * is found to contradict itself is marked as corrupt and not touched any more.
 *
 * Guest data goes by asynchronous transfers. The tables are read at once, when
 * they are needed, changed in a cache only, and written in an order that makes
 * whatever is on the disk at any moment a consistent image: first the reference
 * counts of what is allocated (with the data, which is on its way before), then
 * the L2 tables, then L1; what was let go is counted down, and used again, only
 * after no table on the disk and no request in flight refers to it.
 */
#define QCOW2_CLUSTER_BITS_MIN 9
#define QCOW2_CLUSTER_BITS_MAX 21
#define QCOW2_L1_BYTES_MAX     (32u << 20)
#define QCOW2_REFTABLE_MAX     (8u << 20) /* bytes */
#define QCOW2_SNAPSHOTS_MAX    65536u
#define QCOW2_SNAPSHOT_BYTES   (64u << 20)  /* of their table */
#define QCOW2_OFFSET_END       (1ull << 56) /* of what tables can name */
#define QCOW2_OFFSET_MASK      0x00fffffffffffe00ull
#define QCOW2_COPIED           (1ull << 63) /* one reference: written in place */
#define QCOW2_COMPRESSED       (1ull << 62)
#define QCOW2_ZERO             1ull
#define QCOW2_L1_RESERVED      0x7f000000000001ffull
#define QCOW2_L2_RESERVED      0x3f000000000001feull

#define QCOW2_INCOMPATIBLE_DIRTY   (1u << 0)
#define QCOW2_INCOMPATIBLE_CORRUPT (1u << 1)
#define QCOW2_INCOMPATIBLE_PACKING (1u << 3)

/** Fields of the header that change: where they are. */
#define QCOW2_AT_SIZE         24
#define QCOW2_AT_L1_SIZE      36
#define QCOW2_AT_L1_OFFSET    40
#define QCOW2_AT_REFTABLE     48 /* offset, then clusters */
#define QCOW2_AT_INCOMPATIBLE 72
#define QCOW2_AT_AUTOCLEAR    88

typedef enum Qcow2TableKind {
    QCOW2_REFCOUNTS, /* in the order they are written */
    QCOW2_L2,
    QCOW2_KINDS,
} Qcow2TableKind;

/** A table of one cluster in the cache, as on the disk (big endian). */
typedef struct Qcow2Table {
    Qcow2TableKind kind;
    uint64_t offset;
    uint8_t *data;
    uint32_t dirty_from, dirty_to;    /* bytes to be written; equal: none */
    bool writing;                     /* a write-back has them */
    struct Qcow2Table *older, *newer; /* by use */
} Qcow2Table;

typedef struct Qcow2Cache {
    GHashTable *tables; /* by &offset */
    Qcow2Table *oldest, *newest;
    unsigned count, max;
} Qcow2Cache;

/** Something let go by a table that may not be on the disk yet. */
typedef struct Qcow2Free {
    uint64_t offset; /* of the cluster */
    uint64_t number; /* no request below it may be in flight */
} Qcow2Free;

typedef struct Qcow2Allocation Qcow2Allocation;
typedef struct Qcow2Unpack Qcow2Unpack;
typedef struct Qcow2WriteBack Qcow2WriteBack;

typedef struct Qcow2 {
    EngineBlockNode node;
    unsigned version, cluster_bits, refcount_order;
    uint64_t cluster; /* bytes */
    uint64_t incompatible, autoclear;
    bool has_backing_name, corrupt, zstd;
    uint64_t end;        /* of the file, or of what is allocated behind it */
    uint64_t ahead;      /* up to where space has been taken */
    bool has_ahead;      /* it was, at least once */
    uint64_t fresh_from; /* what is allocated from here on is zero */
    /* L1, in our byte order */
    uint64_t l1_offset;
    uint64_t *l1;
    uint32_t l1_count;
    uint32_t l1_dirty_from, l1_dirty_to; /* entries */
    /* the refcount table, in our byte order */
    uint64_t reftable_offset;
    uint32_t reftable_clusters;
    uint64_t *reftable;
    uint64_t free_hint; /* no cluster (number) below is free */
    uint32_t n_snapshots;
    uint64_t snapshots_offset;
    GHashTable *metadata; /* numbers of clusters that are no data */
    Qcow2Cache caches[QCOW2_KINDS];
    /* being written */
    bool dirty; /* something has changed since the last write-back began */
    Qcow2WriteBack *write_back;
    GQueue flushes;  /* requests that wait for the next one */
    GArray *frees;   /* Qcow2Free: not yet written */
    GQueue released; /* Qcow2Free: only requests may still use them */
    unsigned punching;
    /* requests */
    Qcow2Allocation *allocations; /* in flight */
    GQueue waiting;               /* for one of them to end */
    /* compressed clusters */
    Qcow2Unpack *unpacking;
    uint64_t unpacked_entry; /* 0: none */
    uint8_t *unpacked;
    LogLimit log;
} Qcow2;

static inline Qcow2 *
qcow2_of(EngineBlockNode *node)
{
    return (Qcow2 *)node;
}

static inline uint64_t
qcow2_round_up(const Qcow2 *q, uint64_t offset)
{
    return (offset + q->cluster - 1) & ~(q->cluster - 1);
}

/** Entries of an L2 table. */
static inline uint64_t
qcow2_l2_entries(const Qcow2 *q)
{
    return q->cluster / sizeof(uint64_t);
}

/* --- qcow2-header.c --------------------------------------------------------
 */
/** qcow2_header_read: read and check all but what the tables hold */
bool qcow2_header_read(Qcow2 *q, GError **error);
/** qcow2_header_set: write @size bytes at @offset of the header, and sync.
 * Returns: 0 or -errno */
int qcow2_header_set(Qcow2 *q, const void *data, size_t size, unsigned offset);
int qcow2_header_set64(Qcow2 *q, uint64_t value, unsigned offset);
/** qcow2_corrupt: the image contradicts itself: mark it and say why
 * @what: a translated reason; @offset: where. Returns: -EIO */
int qcow2_corrupt(Qcow2 *q, const char *what, uint64_t offset);

/* --- qcow2-metadata.c: what must not be written over -----------------------
 */
/** qcow2_metadata_load: of a writable image. @error: it overlaps */
bool qcow2_metadata_load(Qcow2 *q, GError **error);
/** qcow2_metadata_add: Returns: whether no cluster of it was there already */
bool qcow2_metadata_add(Qcow2 *q, uint64_t offset, uint64_t size);
void qcow2_metadata_remove(Qcow2 *q, uint64_t offset, uint64_t size);
bool qcow2_metadata_has(const Qcow2 *q, uint64_t offset);

typedef struct Qcow2Snapshot {
    uint64_t l1_offset;
    uint32_t l1_count;
} Qcow2Snapshot;

/** qcow2_snapshots_read: Returns: array of Qcow2Snapshot */
GArray *qcow2_snapshots_read(Qcow2 *q, uint64_t *ret_table_bytes,
                             GError **error);

/* --- qcow2-cache.c ---------------------------------------------------------
 */
void qcow2_caches_init(Qcow2 *q);
void qcow2_caches_clear(Qcow2 *q);
/** qcow2_table_get: from the cache or the file; valid until the next get of
 * its kind. @fresh: a new one, zero and dirty, not from the file.
 * Returns: 0 or -errno */
int qcow2_table_get(Qcow2 *q, Qcow2TableKind kind, uint64_t offset, bool fresh,
                    Qcow2Table **ret_table);
void qcow2_table_dirty(Qcow2 *q, Qcow2Table *table, uint32_t from, uint32_t to);

/* --- qcow2-refcount.c ------------------------------------------------------
 */
int qcow2_refcount_get(Qcow2 *q, uint64_t cluster, uint64_t *ret_count);
/** qcow2_refcount_drop: one reference less; at 0 the cluster is free */
int qcow2_refcount_drop(Qcow2 *q, uint64_t cluster);
/** qcow2_allocate: @most clusters in a row, or fewer, but at least @least
 * Returns: 0 or -errno */
int qcow2_allocate(Qcow2 *q, uint64_t least, uint64_t most,
                   uint64_t *ret_offset, uint64_t *ret_count);
/** qcow2_unallocate: what no table has named yet */
void qcow2_unallocate(Qcow2 *q, uint64_t offset, uint64_t count);
/** qcow2_refcount_store: entry @index of a block in memory */
void qcow2_refcount_store(const Qcow2 *q, uint8_t *block, uint64_t index,
                          uint64_t value);
uint64_t qcow2_refcount_load(const Qcow2 *q, const uint8_t *block,
                             uint64_t index);
/** qcow2_refcount_per_block: entries of a refcount block */
uint64_t qcow2_refcount_per_block(const Qcow2 *q);

/* --- qcow2-flush.c ---------------------------------------------------------
 */
void qcow2_flush(EngineBlockNode *node, EngineBlockRequest *request);
/** qcow2_write_back_now: all tables, at once. Returns: 0 or -errno */
int qcow2_write_back_now(Qcow2 *q);
/** qcow2_release: a table in the cache names the cluster(s) of @entry (of an L2
 * table, or the offset of one) no more */
void qcow2_release(Qcow2 *q, uint64_t entry);
void qcow2_settle(EngineBlockNode *node, uint64_t oldest);

/* --- qcow2-l2.c ------------------------------------------------------------
 */
/** qcow2_l2_read: the table of @offset; *@ret_table is NULL if there is none */
int qcow2_l2_read(Qcow2 *q, uint64_t offset, Qcow2Table **ret_table);
/** qcow2_l2_write: the same to be changed: made or copied if need be */
int qcow2_l2_write(Qcow2 *q, uint64_t offset, Qcow2Table **ret_table);
/** qcow2_l2_index: of @offset in its table */
uint64_t qcow2_l2_index(const Qcow2 *q, uint64_t offset);
uint64_t qcow2_l2_get(const Qcow2Table *table, uint64_t index);
void qcow2_l2_set(Qcow2 *q, Qcow2Table *table, uint64_t index, uint64_t entry);
/** qcow2_l2_check: whether a standard @entry is sound. Returns: 0 or -EIO */
int qcow2_l2_check(Qcow2 *q, uint64_t entry);
int qcow2_map(EngineBlockNode *node, uint64_t offset, uint64_t size,
              EngineExtent *ret_extent);
/** qcow2_packed_where: the bytes of the file that a compressed cluster takes */
void qcow2_packed_where(const Qcow2 *q, uint64_t entry, uint64_t *ret_offset,
                        uint64_t *ret_size);

/* --- qcow2-read.c, -write.c, -zero.c, -resize.c, -repair.c -----------------
 */
void qcow2_read(Qcow2 *q, EngineBlockRequest *request);
void qcow2_write(Qcow2 *q, EngineBlockRequest *request);
void qcow2_zero(Qcow2 *q, EngineBlockRequest *request);
/** qcow2_must_wait: whether @request touches clusters that are just being
 * allocated; it is begun anew then, when that has ended */
bool qcow2_must_wait(Qcow2 *q, EngineBlockRequest *request);
void qcow2_submit(EngineBlockNode *node, EngineBlockRequest *request);
bool qcow2_resize(EngineBlockNode *node, uint64_t size, GError **error);
/** qcow2_repair: count all references and write new tables of them */
bool qcow2_repair(Qcow2 *q, GError **error);
