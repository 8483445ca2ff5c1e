/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/virtio/queue.h"
#include "guest-queue.h"

#define MEMORY        0x100000
#define SIZE          8
#define DATA          0x80000
#define FEATURE(NAME) (1ull << (NAME))
#define PACKED        FEATURE(VIRTIO_F_RING_PACKED)
#define EVENT         FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT      FEATURE(VIRTIO_RING_F_INDIRECT_DESC)

static const uint64_t combinations[] = {
    0,      EVENT,          INDIRECT,          EVENT | INDIRECT,
    PACKED, PACKED | EVENT, PACKED | INDIRECT, PACKED | EVENT | INDIRECT,
};

typedef struct Fixture {
    uint8_t *memory;
    GuestQueue guest;
    EngineQueue queue;
    struct iovec iov[GUEST_BUFFERS];
    EngineChain chain;
} Fixture;

static void *
at(void *opaque, uint64_t gpa, size_t size)
{
    Fixture *f = opaque;

    if (gpa > MEMORY || size > MEMORY - gpa)
        return NULL;
    return f->memory + gpa;
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->memory = aligned_alloc(4096, MEMORY);
    memset(f->memory, 0, MEMORY);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    free(f->memory);
    free(f);
    return 0;
}

static bool
start(Fixture *f, uint64_t features, uint16_t size)
{
    const EngineGuest guest = { at, f };
    EngineQueueSetup places;

    guest_queue_init(&f->guest, f->memory, size, features);
    places = (EngineQueueSetup){ f->guest.descriptors, f->guest.driver,
                                 f->guest.device, size };
    f->chain.iov = f->iov;
    f->chain.capacity = GUEST_BUFFERS;
    return engine_queue_start(&f->queue, &guest, &places, features);
}

static const GuestBuffer three[] = {
    { DATA, 16, false },
    { DATA + 0x1000, 100, true },
    { DATA + 0x2000, 200, true },
};

static void
check_three(const Fixture *f)
{
    assert_int_equal(f->chain.n_read, 1);
    assert_int_equal(f->chain.n_write, 2);
    assert_int_equal(f->chain.read_size, 16);
    assert_int_equal(f->chain.write_size, 300);
    assert_ptr_equal(f->iov[0].iov_base, f->memory + DATA);
    assert_ptr_equal(f->iov[2].iov_base, f->memory + DATA + 0x2000);
    assert_int_equal(f->iov[2].iov_len, 200);
}

/* Many times round the ring, so that wrap counters and indices turn over. */
static void
test_round(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        for (unsigned i = 0; i < 70000; i++) {
            uint16_t id = guest_queue_add(&f->guest, three, 3), back;
            uint32_t written;

            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_CHAIN);
            check_three(f);
            assert_int_equal(f->chain.id, id);
            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_NONE);
            assert_false(guest_queue_take(&f->guest, &back, &written));
            engine_queue_push(&f->queue, &f->chain, i % 300);
            assert_true(guest_queue_take(&f->guest, &back, &written));
            assert_int_equal(back, id);
            assert_int_equal(written, i % 300);
            assert_false(guest_queue_take(&f->guest, &back, &written));
        }
    }
}

/* The ring full, given back in another order. */
static void
test_out_of_order(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        for (unsigned round = 0; round < 100; round++) {
            EngineChain taken[SIZE];
            uint16_t ids[SIZE], id;
            uint32_t written;

            for (unsigned i = 0; i < SIZE; i++)
                ids[i] = guest_queue_add(&f->guest, three, 1);
            for (unsigned i = 0; i < SIZE; i++) {
                assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                                 ENGINE_POP_CHAIN);
                taken[i] = f->chain;
            }
            for (unsigned i = SIZE; i-- > 0;)
                engine_queue_push(&f->queue, &taken[i], i);
            for (unsigned i = SIZE; i-- > 0;) {
                assert_true(guest_queue_take(&f->guest, &id, &written));
                assert_int_equal(id, ids[i]);
                assert_int_equal(written, i);
            }
        }
    }
}

/* What was taken and put back comes again, also round the ring's end. */
static void
test_untake(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        for (unsigned round = 0; round < 100; round++) {
            uint16_t first = guest_queue_add(&f->guest, three, 3), id;
            uint16_t second = guest_queue_add(&f->guest, three, 3);
            EngineChain kept;
            uint32_t written;

            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_CHAIN);
            kept = f->chain;
            for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                                 ENGINE_POP_CHAIN);
                assert_int_equal(f->chain.id, second);
                check_three(f);
                engine_queue_untake(&f->queue, &f->chain);
            }
            engine_queue_untake(&f->queue, &kept);
            assert_int_equal(f->queue.in_flight, 0);
            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_CHAIN);
            assert_int_equal(f->chain.id, first);
            engine_queue_push(&f->queue, &f->chain, 0);
            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_CHAIN);
            engine_queue_push(&f->queue, &f->chain, 0);
            assert_true(guest_queue_take(&f->guest, &id, &written));
            assert_true(guest_queue_take(&f->guest, &id, &written));
            assert_int_equal(id, second);
        }
    }
}

/* Several chains that the driver must find together. */
static void
test_fill(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        for (unsigned round = 0; round < 100; round++) {
            uint16_t id;
            uint32_t written;

            for (unsigned i = 0; i < 3; i++)
                guest_queue_add(&f->guest, three, 1);
            for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                                 ENGINE_POP_CHAIN);
                engine_queue_fill(&f->queue, &f->chain, i + 1);
                assert_false(guest_queue_take(&f->guest, &id, &written));
            }
            engine_queue_flush(&f->queue);
            for (unsigned i = 0; i < 3; i++) {
                assert_true(guest_queue_take(&f->guest, &id, &written));
                assert_int_equal(written, i + 1);
            }
            engine_queue_flush(&f->queue);
            assert_false(guest_queue_take(&f->guest, &id, &written));
        }
    }
}

/* With the event index, the interrupt comes when the wanted entry is used, not
 * before and not again. */
static void
test_event_index(void **state)
{
    Fixture *f = *state;
    uint64_t kinds[] = { EVENT, PACKED | EVENT };

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        assert_true(start(f, kinds[k], SIZE));
        for (unsigned round = 0; round < 20000; round++) {
            unsigned wanted = round % SIZE;

            guest_queue_want(&f->guest, wanted);
            for (unsigned i = 0; i < SIZE; i++) {
                guest_queue_add(&f->guest, three, 1);
                assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                                 ENGINE_POP_CHAIN);
                engine_queue_push(&f->queue, &f->chain, 0);
                assert_int_equal(engine_queue_should_notify(&f->queue),
                                 i == wanted);
                assert_false(engine_queue_should_notify(&f->queue));
            }
            for (unsigned i = 0; i < SIZE; i++) {
                uint16_t id;
                uint32_t written;

                assert_true(guest_queue_take(&f->guest, &id, &written));
            }
        }
    }
}

/* Several pushes, then one decision. */
static void
test_event_index_batch(void **state)
{
    Fixture *f = *state;
    uint64_t kinds[] = { EVENT, PACKED | EVENT };

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (unsigned wanted = 0; wanted < SIZE; wanted++) {
            assert_true(start(f, kinds[k], SIZE));
            guest_queue_want(&f->guest, wanted);
            for (unsigned i = 0; i < SIZE; i++) {
                guest_queue_add(&f->guest, three, 1);
                assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                                 ENGINE_POP_CHAIN);
                engine_queue_push(&f->queue, &f->chain, 0);
                if (i == 3)
                    assert_int_equal(engine_queue_should_notify(&f->queue),
                                     wanted <= 3);
            }
            assert_int_equal(engine_queue_should_notify(&f->queue), wanted > 3);
        }
    }
}

static void
test_flags_silence(void **state)
{
    Fixture *f = *state;
    uint64_t kinds[] = { 0, PACKED };

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        uint16_t *driver;
        unsigned at_flags = kinds[k] ? 1 : 0;

        assert_true(start(f, kinds[k], SIZE));
        driver = guest_at(&f->guest, f->guest.driver);
        assert_false(engine_queue_should_notify(&f->queue));
        for (unsigned silent = 0; silent < 2; silent++) {
            driver[at_flags] = (uint16_t)silent; /* NO_INTERRUPT, DISABLE */
            guest_queue_add(&f->guest, three, 1);
            assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                             ENGINE_POP_CHAIN);
            engine_queue_push(&f->queue, &f->chain, 0);
            assert_int_equal(engine_queue_should_notify(&f->queue), !silent);
        }
    }
}

/* A kick may be left out only while we look ourselves. */
static void
test_listen(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        uint16_t *device;
        bool packed = combinations[c] & PACKED;
        bool event = combinations[c] & EVENT;

        assert_true(start(f, combinations[c], SIZE));
        device = guest_at(&f->guest, f->guest.device);
        engine_queue_mute(&f->queue);
        if (packed)
            assert_int_equal(device[1], VRING_PACKED_EVENT_FLAG_DISABLE);
        else
            assert_int_equal(device[0], event ? 0 : VRING_USED_F_NO_NOTIFY);
        guest_queue_add(&f->guest, three, 1);
        assert_true(engine_queue_listen(&f->queue));
        assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                         ENGINE_POP_CHAIN);
        assert_false(engine_queue_listen(&f->queue));
        if (packed) {
            assert_int_equal(device[1], event ? VRING_PACKED_EVENT_FLAG_DESC
                                              : VRING_PACKED_EVENT_FLAG_ENABLE);
            assert_int_equal(device[0], event ? 0x8001 : 0);
        } else {
            assert_int_equal(device[0], 0);
            assert_int_equal(device[2 + 4 * SIZE], event ? 1 : 0);
        }
    }
}

/* --- setting up wrongly --------------------------------------------------- */
static void
refuses(Fixture *f, const EngineQueueSetup *places, uint64_t features)
{
    const EngineGuest guest = { at, f };

    assert_false(engine_queue_start(&f->queue, &guest, places, features));
    assert_non_null(f->queue.mistake);
    assert_int_equal(f->queue.size, 0);
    assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                     ENGINE_POP_MISTAKE);
    engine_queue_mute(&f->queue);
    assert_false(engine_queue_listen(&f->queue));
    assert_false(engine_queue_should_notify(&f->queue));
}

static void
test_setup_is_checked(void **state)
{
    Fixture *f = *state;

    for (int packed = 0; packed < 2; packed++) {
        uint64_t features = packed ? PACKED : 0;
        const EngineQueueSetup good = { 0x1000, 0x8000, 0xa000, SIZE };
        const struct {
            uint64_t descriptors, driver, device;
            uint16_t size;
        } bad[] = {
            { 0x1000, 0x8000, 0xa000, 0 },
            { 0x1000, 0x8000, 0xa000, ENGINE_QUEUE_SIZE_MAX + 1 },
            { 0x1000, 0x8000, 0xa000, 32768 },
            { 0x1008, 0x8000, 0xa000, SIZE },
            { 0x1000, 0x8001, 0xa000, SIZE },
            { 0x1000, 0x8000, 0xa002, SIZE },
            { MEMORY - 16, 0x8000, 0xa000, SIZE },
            { 0x1000, MEMORY, 0xa000, SIZE },
            { 0x1000, 0x8000, MEMORY, SIZE },
            { UINT64_MAX - 15, 0x8000, 0xa000, SIZE },
            { 0x1000, UINT64_MAX - 3, 0xa000, SIZE },
            { 0x1000, 0x8000, UINT64_MAX - 3, SIZE },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
            const EngineQueueSetup places = { bad[i].descriptors, bad[i].driver,
                                              bad[i].device, bad[i].size };

            refuses(f, &places, features);
        }
        assert_true(engine_queue_start(&f->queue, &(EngineGuest){ at, f },
                                       &good, features));
    }
    assert_true(start(f, PACKED, 7)); /* any size, 2.8.10.1 */
    refuses(f, &(EngineQueueSetup){ 0x1000, 0x8000, 0xa000, 7 }, 0);
}

/* --- hostile drivers ------------------------------------------------------ */
static void
is_mistake(Fixture *f)
{
    assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                     ENGINE_POP_MISTAKE);
    assert_non_null(f->queue.mistake);
    /* and it stays dead */
    assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                     ENGINE_POP_MISTAKE);
}

static void
test_bad_buffers(void **state)
{
    Fixture *f = *state;
    static const GuestBuffer cases[][3] = {
        { { MEMORY, 1, true }, { 0 }, { 0 } },
        { { MEMORY - 1, 2, false }, { 0 }, { 0 } },
        { { UINT64_MAX, 2, false }, { 0 }, { 0 } },
        { { UINT64_MAX - 1, 1, true }, { 0 }, { 0 } },
        { { DATA, UINT32_MAX, true }, { 0 }, { 0 } },
        { { DATA, 16, true }, { DATA, 16, false }, { 0 } },
        { { DATA, 16, false }, { DATA, 16, true }, { DATA, 1, false } },
    };

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            unsigned count = 1;

            while (count < 3 && cases[i][count].size > 0)
                count++;
            assert_true(start(f, combinations[c], SIZE));
            guest_queue_add(&f->guest, cases[i], count);
            is_mistake(f);
        }
    }
}

static void
test_too_many_buffers(void **state)
{
    Fixture *f = *state;

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        f->chain.capacity = 2;
        guest_queue_add(&f->guest, three, 3);
        is_mistake(f);
    }
}

/* Buffers of no length are not buffers. */
static void
test_empty_buffers(void **state)
{
    Fixture *f = *state;
    static const GuestBuffer some[] = { { UINT64_MAX, 0, false },
                                        { DATA, 4, true } };

    for (size_t c = 0; c < G_N_ELEMENTS(combinations); c++) {
        assert_true(start(f, combinations[c], SIZE));
        guest_queue_add(&f->guest, some, 2);
        assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                         ENGINE_POP_CHAIN);
        assert_int_equal(f->chain.n_read, 0);
        assert_int_equal(f->chain.n_write, 1);
    }
}

static void
put(Fixture *f, uint64_t table, unsigned index, uint64_t gpa, uint32_t size,
    unsigned flags, unsigned next)
{
    guest_split_put(&f->guest, table, index, &(GuestBuffer){ gpa, size, false },
                    flags, next);
}

static void
offer(Fixture *f, uint16_t head)
{
    uint16_t *avail = guest_at(&f->guest, f->guest.driver);

    avail[2 + f->guest.next % f->guest.size] = head;
    avail[1] = ++f->guest.next;
}

static void
test_split_numbers(void **state)
{
    Fixture *f = *state;
    uint16_t *avail;

    assert_true(start(f, 0, SIZE));
    offer(f, SIZE); /* a head outside */
    is_mistake(f);
    assert_true(start(f, 0, SIZE));
    put(f, f->guest.descriptors, 0, DATA, 8, VRING_DESC_F_NEXT, SIZE);
    offer(f, 0); /* a next outside */
    is_mistake(f);
    assert_true(start(f, 0, SIZE));
    put(f, f->guest.descriptors, 0, DATA, 0, VRING_DESC_F_NEXT, 0);
    offer(f, 0); /* a loop of one, of nothing */
    is_mistake(f);
    assert_true(start(f, 0, SIZE));
    put(f, f->guest.descriptors, 0, DATA, 0, VRING_DESC_F_NEXT, 1);
    put(f, f->guest.descriptors, 1, DATA, 0, VRING_DESC_F_NEXT, 0);
    offer(f, 0);
    is_mistake(f);
    assert_true(start(f, 0, SIZE));
    avail = guest_at(&f->guest, f->guest.driver);
    avail[1] = SIZE + 1; /* more than there can be */
    is_mistake(f);
}

/* The driver offers again what was not given back. */
static void
test_more_than_room(void **state)
{
    Fixture *f = *state;

    assert_true(start(f, 0, SIZE));
    put(f, f->guest.descriptors, 0, DATA, 8, 0, 0);
    for (unsigned i = 0; i < SIZE; i++) {
        offer(f, 0);
        assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                         ENGINE_POP_CHAIN);
    }
    offer(f, 0);
    is_mistake(f);
    assert_true(start(f, PACKED, SIZE));
    for (unsigned i = 0; i < SIZE; i++) {
        guest_queue_add(&f->guest, three, 1);
        assert_int_equal(engine_queue_pop(&f->queue, &f->chain),
                         ENGINE_POP_CHAIN);
    }
    guest_queue_add(&f->guest, three, 1);
    is_mistake(f);
}

static void
test_packed_endless(void **state)
{
    Fixture *f = *state;

    assert_true(start(f, PACKED, SIZE));
    for (unsigned i = 0; i < SIZE; i++)
        guest_packed_put(&f->guest, &(GuestBuffer){ DATA, 1, false },
                         VRING_DESC_F_NEXT, 0);
    is_mistake(f);
}

static void
test_bad_tables(void **state)
{
    Fixture *f = *state;
    static const struct {
        uint64_t gpa;
        uint32_t size;
        unsigned flags;
    } cases[] = {
        { DATA, 0, VRING_DESC_F_INDIRECT },
        { DATA, 15, VRING_DESC_F_INDIRECT },
        { DATA, 24, VRING_DESC_F_INDIRECT },
        { DATA, UINT32_MAX - 15, VRING_DESC_F_INDIRECT },
        { DATA + 4, 16, VRING_DESC_F_INDIRECT },
        { MEMORY, 16, VRING_DESC_F_INDIRECT },
        { UINT64_MAX - 15, 16, VRING_DESC_F_INDIRECT },
        { DATA, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT },
    };

    for (int packed = 0; packed < 2; packed++) {
        uint64_t features = packed ? PACKED : 0;

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            const GuestBuffer table = { cases[i].gpa, cases[i].size, false };

            assert_true(start(f, features | INDIRECT, SIZE));
            if (packed) {
                guest_packed_put(&f->guest, &table, cases[i].flags, 0);
            } else {
                put(f, f->guest.descriptors, 0, table.gpa, table.size,
                    cases[i].flags, 1);
                offer(f, 0);
            }
            is_mistake(f);
        }
        /* not negotiated */
        assert_true(start(f, features | INDIRECT, SIZE));
        guest_queue_add(&f->guest, three, 3);
        f->queue.indirect = false;
        is_mistake(f);
    }
}

static void
test_bad_table_links(void **state)
{
    Fixture *f = *state;
    static const struct {
        unsigned flags, next;
    } cases[] = {
        { VRING_DESC_F_INDIRECT, 0 }, /* a table in a table */
        { VRING_DESC_F_NEXT, 2 },     /* outside */
        { VRING_DESC_F_NEXT, 0xffff },
        { VRING_DESC_F_NEXT, 0 }, /* a loop */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(start(f, INDIRECT, SIZE));
        put(f, DATA, 0, DATA, 0, cases[i].flags, cases[i].next);
        put(f, DATA, 1, DATA, 0, 0, 0);
        put(f, f->guest.descriptors, 0, DATA, 32, VRING_DESC_F_INDIRECT, 0);
        offer(f, 0);
        is_mistake(f);
    }
}

/* 2.7.5.3.2: plain ones, then one table at the end */
static void
test_chain_then_table(void **state)
{
    Fixture *f = *state;

    assert_true(start(f, INDIRECT, SIZE));
    put(f, f->guest.descriptors, 3, DATA + 64, 5, VRING_DESC_F_NEXT, 1);
    put(f, f->guest.descriptors, 1, DATA, 16, VRING_DESC_F_INDIRECT, 0);
    put(f, DATA, 0, DATA + 128, 7, VRING_DESC_F_WRITE, 0);
    offer(f, 3);
    assert_int_equal(engine_queue_pop(&f->queue, &f->chain), ENGINE_POP_CHAIN);
    assert_int_equal(f->chain.read_size, 5);
    assert_int_equal(f->chain.write_size, 7);
    assert_int_equal(f->chain.id, 3);
}

/* A ring may lie at the very end of memory. */
static void
test_last_page(void **state)
{
    Fixture *f = *state;
    const EngineGuest guest = { at, f };
    EngineQueueSetup places = { 0x1000, 0x8000, MEMORY - (4 + 8 * SIZE + 2),
                                SIZE };

    places.device &= ~3ull;
    assert_true(engine_queue_start(&f->queue, &guest, &places, EVENT));
    places.device += 4;
    assert_false(engine_queue_start(&f->queue, &guest, &places, EVENT));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(test_##NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(round),
        TEST(out_of_order),
        TEST(untake),
        TEST(fill),
        TEST(event_index),
        TEST(event_index_batch),
        TEST(flags_silence),
        TEST(listen),
        TEST(setup_is_checked),
        TEST(bad_buffers),
        TEST(too_many_buffers),
        TEST(empty_buffers),
        TEST(split_numbers),
        TEST(more_than_room),
        TEST(packed_endless),
        TEST(bad_tables),
        TEST(bad_table_links),
        TEST(chain_then_table),
        TEST(last_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
