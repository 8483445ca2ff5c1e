/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "blk-guest.h"
#include "engine/dev/dev.h"
#include "engine/virtio/devices.h"
#include "rounds.h"
#include "util/fd.h"

/*
 * A guest whose requests are as random as they may be, against a model in
 * memory, on a real image: what is read is what was written, whatever rings,
 * layouts and ways to the host were agreed on. Every place of the guest's has
 * its own blocks of the disk, so that no two requests in flight meet.
 */
#define BLOCK      512
#define SHARE      256 /* blocks of a place */
#define SECTORS    (BLK_PLACES * SHARE)
#define ROUNDS     60
#define BATCH_MAX  12 /* requests of a queue at once */
#define BLOCKS_MAX (BLK_DATA_MAX / BLOCK)

#define F(NAME) GUEST_FEATURE(VIRTIO_##NAME)
#define BASE                                              \
    (F(F_VERSION_1) | F(BLK_F_FLUSH) | F(BLK_F_DISCARD) | \
     F(BLK_F_WRITE_ZEROES) | F(BLK_F_MQ))

/* Not offered with one queue, or without a cache */
#define OPTIONAL (F(BLK_F_MQ) | F(BLK_F_FLUSH))

typedef struct Way {
    uint64_t features;
    EngineDriveAio aio;
    unsigned queues;
    EngineBlkZeroes zeroes;
    bool write_cache;
} Way;

static const Way ways[] = {
    { BASE, ENGINE_DRIVE_AIO_IO_URING, 1, ENGINE_BLK_ZEROES_OFF, true },
    { BASE | F(RING_F_EVENT_IDX) | F(RING_F_INDIRECT_DESC),
      ENGINE_DRIVE_AIO_IO_URING, BLK_QUEUES, ENGINE_BLK_ZEROES_ON, true },
    { BASE | F(F_RING_PACKED), ENGINE_DRIVE_AIO_THREADS, 2,
      ENGINE_BLK_ZEROES_OFF, true },
    { BASE | F(F_RING_PACKED) | F(RING_F_EVENT_IDX) | F(RING_F_INDIRECT_DESC),
      ENGINE_DRIVE_AIO_IO_URING, BLK_QUEUES, ENGINE_BLK_ZEROES_UNMAP, false },
};

typedef struct Fixture {
    BlkGuest guest;
    Fd fd;
    GRand *rand;
    uint8_t *model;
} Fixture;

/* What a place's request was. */
typedef struct Asked {
    uint32_t type, size;
    uint64_t sector;
} Asked;

static Fixture *
begin(const Way *way)
{
    Fixture *f = g_new0(Fixture, 1);
    char name[] = "blk-load-XXXXXX";

    f->fd = mkstemp(name);
    assert_true(f->fd >= 0);
    (void)unlink(name);
    assert_int_equal(ftruncate(f->fd, SECTORS * BLOCK), 0);
    f->model = g_malloc0(SECTORS * BLOCK);
    f->rand = g_rand_new_with_seed(way->queues);
    f->guest.device.blk = (EngineBlkConfig){
        .queues = way->queues,
        .queue_size = BLK_ENTRIES,
        .drive = { .fd = f->fd,
                   .path = name,
                   .writable = true,
                   .aio = way->aio },
        .logical_block_size = BLOCK,
        .discard = true,
        .detect_zeroes = way->zeroes,
        .write_cache = way->write_cache,
    };
    blk_guest_init(&f->guest, &engine_virtio_blk_type, &engine_pci_type);
    blk_guest_go(&f->guest, way->features);
    assert_true((way->features & ~f->guest.features & ~OPTIONAL) == 0);
    return f;
}

static void
end(Fixture *f)
{
    fake_engine_free(f->guest.engine);
    g_rand_free(f->rand);
    g_free(f->model);
    fd_clear(&f->fd);
    g_free(f);
}

static unsigned
dice(Fixture *f, unsigned sides)
{
    return (unsigned)g_rand_int_range(f->rand, 0, (gint32)sides);
}

/* Bytes that say which place and round they are of; some are zeroes. */
static void
fill(Fixture *f, uint8_t *data, uint32_t size, unsigned seed)
{
    uint8_t value = dice(f, 4) == 0 ? 0 : (uint8_t)(seed | 1);

    for (uint32_t i = 0; i < size; i++)
        data[i] = value ? (uint8_t)(value + i / 64) : 0;
}

/* Splits the data where the dice say. Returns: how many buffers */
static unsigned
split(Fixture *f, uint64_t gpa, uint32_t size, bool write, GuestBuffer *buffers)
{
    unsigned count = 0;

    while (size > 0 && count < 5) {
        uint32_t part =
            count == 4 || dice(f, 2) == 0 ? size : 1 + dice(f, size);

        buffers[count++] = (GuestBuffer){ gpa, part, write };
        gpa += part;
        size -= part;
    }
    return count;
}

static void
ask(Fixture *f, unsigned queue, unsigned place, Asked *asked)
{
    static const uint32_t types[] = {
        VIRTIO_BLK_T_IN,  VIRTIO_BLK_T_IN,           VIRTIO_BLK_T_OUT,
        VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_FLUSH,
    };
    GuestBuffer buffers[BLK_BUFFERS] = { { blk_header_gpa(place), 16, false } };
    unsigned blocks = 1 + dice(f, BLOCKS_MAX), count = 1;
    bool in;

    asked->type = types[dice(f, G_N_ELEMENTS(types))];
    asked->sector = place * SHARE + dice(f, SHARE - blocks + 1);
    asked->size = blocks * BLOCK;
    in = asked->type == VIRTIO_BLK_T_IN;
    blk_put_header(&f->guest, place, asked->type, asked->sector);
    if (asked->type == VIRTIO_BLK_T_OUT) {
        fill(f, blk_data(&f->guest, place), asked->size, place);
    } else if (in) {
        memset(blk_data(&f->guest, place), 0xa5, asked->size);
    } else if (asked->type == VIRTIO_BLK_T_WRITE_ZEROES) {
        struct virtio_blk_discard_write_zeroes range = { asked->sector, blocks,
                                                         dice(f, 2) };

        memcpy(blk_data(&f->guest, place), &range, sizeof(range));
        buffers[count++] =
            (GuestBuffer){ blk_data_gpa(place), sizeof(range), false };
    }
    if (in || asked->type == VIRTIO_BLK_T_OUT)
        count +=
            split(f, blk_data_gpa(place), asked->size, in, buffers + count);
    buffers[count++] = (GuestBuffer){ blk_status_gpa(place), 1, true };
    guest_queue_add(&f->guest.queues[queue], buffers, count);
}

static void
check(Fixture *f, unsigned place, const Asked *asked)
{
    uint8_t *model = f->model + asked->sector * BLOCK;

    assert_int_equal(blk_status(&f->guest, place), VIRTIO_BLK_S_OK);
    if (asked->type == VIRTIO_BLK_T_IN)
        assert_memory_equal(blk_data(&f->guest, place), model, asked->size);
    else if (asked->type == VIRTIO_BLK_T_OUT)
        memcpy(model, blk_data(&f->guest, place), asked->size);
    else if (asked->type == VIRTIO_BLK_T_WRITE_ZEROES)
        memset(model, 0, asked->size);
}

/* A chain takes up to eight entries of a ring of 64. */
static void
play_round(Fixture *f, const Way *way)
{
    unsigned counts[BLK_QUEUES], place = 0;
    Asked asked[BLK_PLACES];
    unsigned most = way->features & F(RING_F_INDIRECT_DESC) ? BATCH_MAX : 8;

    for (unsigned queue = 0; queue < way->queues; queue++) {
        counts[queue] = 1 + dice(f, most);
        for (unsigned i = 0; i < counts[queue]; i++, place++)
            ask(f, queue, place, &asked[place]);
        guest_virtio_kick(&f->guest.virtio, queue);
    }
    for (unsigned queue = 0; queue < way->queues; queue++)
        assert_true(blk_guest_wait(&f->guest, queue, counts[queue]));
    for (unsigned i = 0; i < place; i++)
        check(f, i, &asked[i]);
}

static void
test_load(void **state)
{
    const Way *way = *state;
    Fixture *f = begin(way);
    g_autofree uint8_t *image = g_malloc(SECTORS * BLOCK);
    const unsigned rounds = test_rounds(ROUNDS);

    for (unsigned i = 0; i < rounds; i++)
        play_round(f, way);
    assert_int_equal(pread(f->fd, image, SECTORS * BLOCK, 0), SECTORS * BLOCK);
    assert_memory_equal(image, f->model, SECTORS * BLOCK);
    end(f);
}

/* Stops and resets in the middle of it: nothing is lost or answered twice. */
static void
test_load_with_pauses(void **state)
{
    const Way *way = *state;
    Fixture *f = begin(way);
    const unsigned rounds = test_rounds(ROUNDS) / 4;
    EngineIo *io;

    io = engine_io(f->guest.engine, 0, NULL);
    for (unsigned i = 0; i < rounds; i++) {
        Asked asked[8];

        for (unsigned k = 0; k < 8; k++)
            ask(f, 0, k, &asked[k]);
        guest_virtio_kick(&f->guest.virtio, 0);
        g_usleep(dice(f, 300));
        engine_io_pause(io);
        engine_virtio_blk_type.drain(f->guest.disk);
        engine_virtio_blk_type.resume(f->guest.disk);
        engine_io_resume(io);
        assert_true(blk_guest_wait(&f->guest, 0, 8));
        for (unsigned k = 0; k < 8; k++)
            check(f, k, &asked[k]);
        if (i % 4 == 3) { /* whatever was written before stays */
            ask(f, 0, 8, &asked[0]);
            guest_virtio_kick(&f->guest.virtio, 0);
            blk_guest_go(&f->guest, way->features);
            ask(f, 0, 9, &asked[0]);
            guest_virtio_kick(&f->guest.virtio, 0);
            assert_true(blk_guest_wait(&f->guest, 0, 1));
            check(f, 9, &asked[0]);
        }
    }
    end(f);
}

#define T(name, way) \
    cmocka_unit_test_prestate(name, (void *)(uintptr_t)&ways[way])

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_load, 0),
        T(test_load, 1),
        T(test_load, 2),
        T(test_load, 3),
        T(test_load_with_pauses, 1),
        T(test_load_with_pauses, 3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
