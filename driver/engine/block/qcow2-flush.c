/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/block/qcow2.h"

/*
 * The writing of the tables. What is dirty is copied, and a thread of the pool
 * writes the copies stage by stage, with a sync after each, while requests go
 * on and make other things dirty. There is one write-back at a time.
 */
#define FREES_MAX 65536u /* then they are written without being asked for */
#define GRAIN     512u   /* what is written of a table, a multiple of it */

typedef enum Stage {
    STAGE_REFCOUNTS = QCOW2_REFCOUNTS,
    STAGE_L2 = QCOW2_L2,
    STAGE_L1,
    STAGES,
} Stage;

typedef struct Piece {
    Stage stage;
    Qcow2Table *table; /* NULL: L1 */
    uint32_t from, to; /* of its dirty part, as it was */
    uint64_t offset;   /* of `data` in the file */
    size_t size;
    uint8_t *data;
} Piece;

struct Qcow2WriteBack {
    EngineAioOp op;
    Qcow2 *q;
    GArray *pieces;
    GArray *frees;  /* Qcow2Free: named by no table, once this is written */
    GQueue flushes; /* requests that wait for it */
    bool accounted; /* all but them has been seen to */
    GMutex lock;    /* of `over` */
    GCond ended;
    bool over;
    int result;
};

/* --- what is to be written -------------------------------------------------
 */
static void
piece_clear(gpointer data)
{
    free(((Piece *)data)->data);
}

static uint32_t
grain_of(const Qcow2 *q)
{
    return MAX(GRAIN, q->node.file.direct ? q->node.file.align : 0);
}

static void
take_table(Qcow2WriteBack *back, Qcow2Table *table)
{
    uint32_t grain = grain_of(back->q);
    uint32_t from = table->dirty_from / grain * grain;
    uint32_t to = (table->dirty_to + grain - 1) / grain * grain;
    Piece piece = { .stage = (Stage)table->kind,
                    .table = table,
                    .from = table->dirty_from,
                    .to = table->dirty_to,
                    .offset = table->offset + from,
                    .size = to - from };

    if (table->dirty_from == table->dirty_to)
        return;
    piece.data = engine_block_buffer_new(piece.size);
    memcpy(piece.data, table->data + from, piece.size);
    table->dirty_from = table->dirty_to = 0;
    table->writing = true;
    g_array_append_val(back->pieces, piece);
}

/* L1 is written by whole sectors, as far as it goes. */
static void
take_l1(Qcow2WriteBack *back)
{
    Qcow2 *q = back->q;
    uint32_t per_grain = grain_of(q) / 8;
    uint32_t from = q->l1_dirty_from / per_grain * per_grain;
    uint32_t to = MIN((q->l1_dirty_to + per_grain - 1) / per_grain * per_grain,
                      q->l1_count);
    Piece piece = { .stage = STAGE_L1,
                    .from = q->l1_dirty_from,
                    .to = q->l1_dirty_to,
                    .offset = q->l1_offset + from * 8ull,
                    .size = (to - from) * 8ull };
    uint64_t *raw;

    if (q->l1_dirty_from == q->l1_dirty_to)
        return;
    raw = engine_block_buffer_new(piece.size);
    for (uint32_t i = from; i < to; i++)
        raw[i - from] = GUINT64_TO_BE(q->l1[i]);
    piece.data = (uint8_t *)raw;
    q->l1_dirty_from = q->l1_dirty_to = 0;
    g_array_append_val(back->pieces, piece);
}

static Qcow2WriteBack *
write_back_new(Qcow2 *q)
{
    Qcow2WriteBack *back = g_new0(Qcow2WriteBack, 1);

    back->q = q;
    back->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(back->pieces, piece_clear);
    back->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Free));
    g_mutex_init(&back->lock);
    g_cond_init(&back->ended);
    for (int kind = 0; kind < QCOW2_KINDS; kind++)
        for (Qcow2Table *table = q->caches[kind].oldest; table;
             table = table->newer)
            take_table(back, table);
    take_l1(back);
    g_array_append_vals(back->frees, q->frees->data, q->frees->len);
    g_array_set_size(q->frees, 0);
    q->dirty = false;
    return back;
}

static void
write_back_free(Qcow2WriteBack *back)
{
    g_array_unref(back->pieces);
    g_array_unref(back->frees);
    g_mutex_clear(&back->lock);
    g_cond_clear(&back->ended);
    g_free(back);
}

/* --- the writing, on any thread --------------------------------------------
 */
static int
write_stage(Qcow2WriteBack *back, Stage stage, bool *ret_wrote)
{
    for (guint i = 0; i < back->pieces->len; i++) {
        const Piece *piece = &g_array_index(back->pieces, Piece, i);
        int rc;

        if (piece->stage != stage)
            continue;
        rc = engine_block_file_write(&back->q->node.file, piece->data,
                                     piece->size, piece->offset);
        if (rc < 0)
            return rc;
        *ret_wrote = true;
    }
    return 0;
}

/* The data that the tables will name are on the disk before them, too: what
 * syncs first, syncs them. */
static int
write_all(Qcow2WriteBack *back)
{
    bool synced = false;

    for (int stage = 0; stage < STAGES; stage++) {
        bool wrote = false;
        int rc = 0;

        if (stage == STAGE_L2 && !synced)
            rc = engine_block_file_sync(&back->q->node.file);
        if (rc == 0)
            rc = write_stage(back, stage, &wrote);
        if (rc == 0 && (wrote || stage == STAGE_REFCOUNTS))
            rc = engine_block_file_sync(&back->q->node.file);
        if (rc < 0)
            return rc;
        synced = true;
    }
    return 0;
}

static int
write_job(EngineAioOp *op)
{
    Qcow2WriteBack *back = (Qcow2WriteBack *)op;
    int rc = write_all(back);

    g_mutex_lock(&back->lock);
    back->over = true;
    back->result = rc;
    g_cond_signal(&back->ended);
    g_mutex_unlock(&back->lock);
    return rc;
}

/* --- after it --------------------------------------------------------------
 */
static void
make_dirty_again(Qcow2 *q, const Piece *piece)
{
    if (piece->table) {
        qcow2_table_dirty(q, piece->table, piece->from, piece->to);
    } else if (q->l1_dirty_from == q->l1_dirty_to) {
        q->l1_dirty_from = piece->from;
        q->l1_dirty_to = piece->to;
    } else {
        q->l1_dirty_from = MIN(q->l1_dirty_from, piece->from);
        q->l1_dirty_to = MAX(q->l1_dirty_to, piece->to);
    }
    q->dirty = true;
}

static void
account(Qcow2WriteBack *back, int result)
{
    Qcow2 *q = back->q;

    if (back->accounted)
        return;
    back->accounted = true;
    if (q->write_back == back)
        q->write_back = NULL;
    for (guint i = 0; i < back->pieces->len; i++) {
        const Piece *piece = &g_array_index(back->pieces, Piece, i);

        if (piece->table)
            piece->table->writing = false;
        if (result < 0)
            make_dirty_again(q, piece);
    }
    for (guint i = 0; i < back->frees->len; i++) {
        Qcow2Free *one = &g_array_index(back->frees, Qcow2Free, i);

        if (result < 0) {
            g_array_append_val(q->frees, *one);
            q->dirty = true;
        } else
            g_queue_push_tail(&q->released, g_memdup2(one, sizeof(*one)));
    }
}

static void start(Qcow2 *q);

static void
on_written(EngineAioOp *op, int result)
{
    Qcow2WriteBack *back = (Qcow2WriteBack *)op;
    Qcow2 *q = back->q;
    EngineBlockRequest *request;

    account(back, result);
    while ((request = g_queue_pop_head(&back->flushes)))
        engine_block_end_part(request, result);
    write_back_free(back);
    qcow2_settle(&q->node, engine_block_oldest(q->node.block));
    if (!q->write_back && !g_queue_is_empty(&q->flushes))
        start(q);
}

static void
start(Qcow2 *q)
{
    Qcow2WriteBack *back = write_back_new(q);

    back->flushes = q->flushes;
    g_queue_init(&q->flushes);
    back->op.kind = ENGINE_AIO_JOB;
    back->op.job = write_job;
    back->op.done = on_written;
    q->write_back = back;
    engine_aio_submit(q->node.file.aio, &back->op);
}

/* The callbacks of what is in flight aren't called meanwhile: the caller is in
 * the middle of something. */
int
qcow2_write_back_now(Qcow2 *q)
{
    Qcow2WriteBack *back = q->write_back;
    int rc;

    if (back) {
        g_mutex_lock(&back->lock);
        while (!back->over)
            g_cond_wait(&back->ended, &back->lock);
        g_mutex_unlock(&back->lock);
        account(back, back->result);
    }
    back = write_back_new(q);
    rc = write_all(back);
    account(back, rc);
    write_back_free(back);
    return rc;
}

void
qcow2_flush(EngineBlockNode *node, EngineBlockRequest *request)
{
    Qcow2 *q = qcow2_of(node);
    EngineBlockIo io = { .file = &node->file, .kind = ENGINE_BLOCK_IO_SYNC };

    if (q->corrupt) {
        engine_block_begin_part(request);
        engine_block_end_part(request, -EIO);
    } else if (!q->write_back && !q->dirty) {
        engine_block_submit_part(request, &io);
    } else {
        engine_block_begin_part(request);
        g_queue_push_tail(&q->flushes, request);
        if (!q->write_back)
            start(q);
    }
}

/* --- what is let go --------------------------------------------------------
 */
static void
release(Qcow2 *q, uint64_t offset)
{
    const Qcow2Free one = { offset, engine_block_next(q->node.block) };

    g_array_append_val(q->frees, one);
    q->dirty = true;
    if (q->frees->len > FREES_MAX && !q->write_back)
        start(q);
}

void
qcow2_release(Qcow2 *q, uint64_t entry)
{
    uint64_t offset, size;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_where(q, entry, &offset, &size);
        for (uint64_t at = offset & ~(q->cluster - 1); at < offset + size;
             at += q->cluster)
            release(q, at);
    } else if (entry & QCOW2_OFFSET_MASK) {
        release(q, entry & QCOW2_OFFSET_MASK);
    }
}

/* Clusters that the host may have back: counted down only then, so that nobody
 * gets them before. */
typedef struct Punch {
    Qcow2 *q;
    uint64_t offset, size;
} Punch;

static void
on_punched(void *opaque, int result)
{
    Punch *punch = opaque;
    Qcow2 *q = punch->q;

    qcow2_unallocate(q, punch->offset, punch->size >> q->cluster_bits);
    q->punching--;
    g_free(punch);
}

static void
punch(Qcow2 *q, uint64_t offset, uint64_t size)
{
    Punch *one = g_new(Punch, 1);
    EngineBlockIo io = { .file = &q->node.file,
                         .kind = ENGINE_BLOCK_IO_DISCARD,
                         .offset = offset,
                         .size = size,
                         .done = on_punched,
                         .opaque = one };

    *one = (Punch){ q, offset, size };
    q->punching++;
    engine_block_file_submit(&io);
}

/* Returns: whether nothing else refers to the cluster */
static bool
is_last(Qcow2 *q, uint64_t offset)
{
    uint64_t count;

    return qcow2_refcount_get(q, offset >> q->cluster_bits, &count) == 0 &&
           count == 1;
}

void
qcow2_settle(EngineBlockNode *node, uint64_t oldest)
{
    Qcow2 *q = qcow2_of(node);
    uint64_t from = 0, to = 0;
    Qcow2Free *one;

    while ((one = g_queue_peek_head(&q->released)) && one->number <= oldest) {
        uint64_t offset = one->offset;

        g_free(g_queue_pop_head(&q->released));
        if (!is_last(q, offset)) {
            qcow2_unallocate(q, offset, 1);
            continue;
        }
        if (offset != to) {
            if (to > from)
                punch(q, from, to - from);
            from = offset;
        }
        to = offset + q->cluster;
    }
    if (to > from)
        punch(q, from, to - from);
}
