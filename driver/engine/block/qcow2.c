/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/qcow2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/i18n.h"

/* A table of 64-bit numbers, in our byte order. */
static bool
read_table(Qcow2 *q, uint64_t offset, uint64_t count, uint64_t **ret_table,
           GError **error)
{
    g_autofree uint64_t *table = g_new0(uint64_t, MAX(count, 1));
    int rc = engine_block_file_read(&q->node.file, table, count * 8, offset);

    if (rc < 0) {
        error_set_errno(error, -rc, _("cannot read the image '%s'"),
                        q->node.file.path);
        return false;
    }
    for (uint64_t i = 0; i < count; i++)
        table[i] = GUINT64_FROM_BE(table[i]);
    *ret_table = g_steal_pointer(&table);
    return true;
}

/* What a writer must know, and do to the image first. */
static bool
open_for_writing(Qcow2 *q, GError **error)
{
    uint64_t blocks = (uint64_t)q->reftable_clusters * qcow2_l2_entries(q);

    if (!read_table(q, q->reftable_offset, blocks, &q->reftable, error))
        return false;
    if ((q->incompatible & QCOW2_INCOMPATIBLE_DIRTY) && !qcow2_repair(q, error))
        return false;
    if (!qcow2_metadata_load(q, error))
        return false;
    q->fresh_from = q->node.file.device ? QCOW2_OFFSET_END : q->end;
    if (q->autoclear != 0 && qcow2_header_set64(q, 0, QCOW2_AT_AUTOCLEAR) < 0) {
        error_set(error, VIR_ERR_SYSTEM_ERROR,
                  _("cannot write to the image '%s'"), q->node.file.path);
        return false;
    }
    return true;
}

static bool
qcow2_open(EngineBlockNode *node, GError **error)
{
    Qcow2 *q = qcow2_of(node);

    q->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Free));
    q->metadata = g_hash_table_new(NULL, NULL);
    g_queue_init(&q->flushes);
    g_queue_init(&q->released);
    g_queue_init(&q->waiting);
    g_mutex_init(&q->log.lock);
    return qcow2_header_read(q, error) &&
           read_table(q, q->l1_offset, q->l1_count, &q->l1, error) &&
           (qcow2_caches_init(q), true) &&
           (!node->writable || open_for_writing(q, error));
}

static void
wait_for_own(Qcow2 *q)
{
    while (q->write_back || q->punching > 0)
        engine_aio_wait(q->node.file.aio);
}

/* Nothing is in flight any more: what was let go can be counted down. */
static void
write_out(Qcow2 *q)
{
    int rc = 0;

    wait_for_own(q);
    while (rc == 0 && (q->dirty || !g_queue_is_empty(&q->released))) {
        rc = qcow2_write_back_now(q);
        if (rc == 0)
            qcow2_settle(&q->node, UINT64_MAX);
        wait_for_own(q);
    }
    if (q->has_ahead && ftruncate(q->node.file.fd, (off_t)q->end) < 0)
        rc = -errno;
    if (rc < 0)
        log_error(_("cannot write the tables of '%s': %s"), q->node.file.path,
                  g_strerror(-rc));
}

static void
qcow2_close(EngineBlockNode *node)
{
    Qcow2 *q = qcow2_of(node);

    if (!q->frees) /* not even begun to open */
        return;
    if (q->reftable && !q->corrupt)
        write_out(q);
    wait_for_own(q);
    qcow2_caches_clear(q);
    g_queue_clear_full(&q->released, g_free);
    g_array_unref(q->frees);
    g_hash_table_unref(q->metadata);
    g_free(q->l1);
    g_free(q->reftable);
    free(q->unpacked);
    g_mutex_clear(&q->log.lock);
}

void
qcow2_submit(EngineBlockNode *node, EngineBlockRequest *request)
{
    Qcow2 *q = qcow2_of(node);

    if (q->corrupt) {
        engine_block_begin_part(request);
        engine_block_end_part(request, -EIO);
        return;
    }
    switch (request->op) {
    case ENGINE_BLOCK_READ:
        qcow2_read(q, request);
        break;
    case ENGINE_BLOCK_WRITE:
        qcow2_write(q, request);
        break;
    case ENGINE_BLOCK_DISCARD:
    case ENGINE_BLOCK_WRITE_ZEROES:
        qcow2_zero(q, request);
        break;
    case ENGINE_BLOCK_FLUSH:
        g_assert_not_reached();
    }
}

static uint32_t
qcow2_granularity(EngineBlockNode *node)
{
    return (uint32_t)qcow2_of(node)->cluster;
}

const EngineBlockFormat engine_block_qcow2 = {
    .name = "qcow2",
    .size = sizeof(Qcow2),
    .open = qcow2_open,
    .close = qcow2_close,
    .submit = qcow2_submit,
    .flush = qcow2_flush,
    .map = qcow2_map,
    .resize = qcow2_resize,
    .settle = qcow2_settle,
    .granularity = qcow2_granularity,
};
