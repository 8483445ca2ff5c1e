/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/virtio_balloon.h>
#include <stdlib.h>

#include "engine/dev/dev.h"
#include "engine/virtio/balloon.h"
#include "engine/virtio/devices.h"
#include "guest-virtio.h"
#include "util/error.h"

/* A guest with a memory balloon at 00:06.0. */
#define SLOT        6
#define MEMORY      (16u << 20)
#define PAGE        4096u
#define DATA        0x200000u /* what requests hold */
#define POOL        0x800000u /* pages to give away */
#define POOL_PFN    (POOL / PAGE)
#define QUEUE_SPACE 0x20000u
#define ENTRIES     16
#define QUEUES      5
#define VERSION_1   GUEST_FEATURE(VIRTIO_F_VERSION_1)
#define INDIRECT    GUEST_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED      GUEST_FEATURE(VIRTIO_F_RING_PACKED)
#define STATS       GUEST_FEATURE(VIRTIO_BALLOON_F_STATS_VQ)
#define OOM         GUEST_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM)
#define REPORTING   GUEST_FEATURE(VIRTIO_BALLOON_F_REPORTING)
#define PATIENCE_US (5 * G_USEC_PER_SEC)

enum { INFLATE, DEFLATE, STATISTICS, LAST };

typedef struct Fixture {
    EngineConfig config;
    EngineDeviceConfig device;
    Engine *engine;
    EngineDevice *balloon;
    GuestVirtio guest;
    GuestQueue queues[QUEUES];
    unsigned events; /* that have come */
} Fixture;

static void
make(Fixture *f)
{
    f->engine = fake_engine_new(&f->config, MEMORY);
    fake_device_new(f->engine, &engine_pci_type, 0);
    f->balloon =
        fake_device_add(f->engine, &engine_virtio_balloon_type, &f->device);
    guest_virtio_init(&f->guest, f->engine, SLOT, ENGINE_PCI_HOLE_BASE);
}

static int
setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));

    f->config.memory = MEMORY;
    f->device = (EngineDeviceConfig){
        .kind = ENGINE_DEVICE_VIRTIO_BALLOON,
        .id = (char *)"balloon0",
        .slot = SLOT,
        .packed = true,
        .balloon = { .deflate_on_oom = true, .free_page_reporting = true },
    };
    make(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    free(f);
    return 0;
}

/* --- the guest's driver --------------------------------------------------- */
static void
go(Fixture *f, uint64_t features)
{
    guest_virtio_begin(&f->guest, features);
    for (unsigned i = 0; i < QUEUES; i++) {
        guest_queue_init_at(&f->queues[i], fake_ram(f->engine), i * QUEUE_SPACE,
                            ENTRIES, features);
        guest_virtio_add_queue(&f->guest, i, &f->queues[i],
                               VIRTIO_MSI_NO_VECTOR);
    }
    guest_virtio_go(&f->guest);
    assert_int_equal(guest_virtio_status(&f->guest), GUEST_READY);
}

static void
offer(Fixture *f, unsigned queue, const GuestBuffer *buffers, unsigned count)
{
    guest_queue_add(&f->queues[queue], buffers, count);
    guest_virtio_kick(&f->guest, queue);
}

static bool
answered(Fixture *f, unsigned queue)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    uint32_t written;
    uint16_t id;

    while (!guest_queue_take(&f->queues[queue], &id, &written)) {
        if (g_get_monotonic_time() > end)
            return false;
        g_usleep(100);
    }
    assert_int_equal(written, 0);
    return true;
}

/* What a queue has got by now it has got: the thread has seen the kicks. */
static void
nothing(void *opaque)
{
}

static bool
answered_by_now(Fixture *f, unsigned queue)
{
    uint32_t written;
    uint16_t id;

    g_usleep(20000);
    engine_io_call(engine_io(f->engine, 0, NULL), nothing, NULL);
    return guest_queue_take(&f->queues[queue], &id, &written);
}

static void
send_pages(Fixture *f, unsigned queue, const uint32_t *pages, unsigned count)
{
    const GuestBuffer buffer = { DATA, count * 4, false };

    memcpy(fake_ram(f->engine) + DATA, pages, count * 4);
    offer(f, queue, &buffer, 1);
}

static uint64_t
config_at(Fixture *f, unsigned offset)
{
    return fake_mmio_read(f->engine, f->guest.config + offset, 4);
}

static void
set_actual(Fixture *f, uint32_t pages)
{
    fake_mmio_write(f->engine, f->guest.config + 4, 4, pages);
}

static void
mark_pool(Fixture *f)
{
    memset(fake_ram(f->engine) + POOL, 0xaa, 16 * PAGE);
}

/* Whether page @index of the pool is what mark_pool() made it, or zeroes */
static bool
is_marked(Fixture *f, unsigned index)
{
    const uint8_t *page = fake_ram(f->engine) + POOL + index * PAGE;

    for (unsigned i = 1; i < PAGE; i++)
        assert_int_equal(page[i], page[0]);
    assert_true(page[0] == 0xaa || page[0] == 0);
    return page[0] == 0xaa;
}

static bool
needs_reset(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (!(guest_virtio_status(&f->guest) & VIRTIO_CONFIG_S_NEEDS_RESET)) {
        if (g_get_monotonic_time() > end)
            return false;
        g_usleep(100);
    }
    return true;
}

/* --- tests ---------------------------------------------------------------- */
static void
test_what_is_offered(void **state)
{
    Fixture *f = *state;
    uint64_t offered = guest_virtio_offered(&f->guest);
    uint64_t all = STATS | OOM | REPORTING;

    assert_int_equal(guest_virtio_pci_read(&f->guest, PCI_DEVICE_ID, 2),
                     0x1045);
    assert_int_equal(offered & 0xff, all);
    assert_int_equal(config_at(f, 0), 0);
    fake_engine_free(f->engine);
    f->device.balloon = (EngineBalloonConfig){ .target = MEMORY - 3 * PAGE };
    make(f);
    assert_int_equal(guest_virtio_offered(&f->guest) & 0xff, STATS);
    assert_int_equal(config_at(f, 0), 3);
}

static void
test_inflation_gives_back(void **state)
{
    static const uint32_t pages[] = { POOL_PFN + 3, POOL_PFN + 1, POOL_PFN + 2,
                                      POOL_PFN + 8, POOL_PFN + 1 };
    static const uint64_t features[] = { VERSION_1, VERSION_1 | INDIRECT,
                                         VERSION_1 | PACKED };
    Fixture *f = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        unsigned before = fake_releases(f->engine);

        go(f, features[i]);
        mark_pool(f);
        send_pages(f, INFLATE, pages, G_N_ELEMENTS(pages));
        assert_true(answered(f, INFLATE));
        for (unsigned k = 0; k < 16; k++)
            assert_int_equal(is_marked(f, k),
                             k != 1 && k != 2 && k != 3 && k != 8);
        /* neighbours together */
        assert_int_equal(fake_releases(f->engine) - before, 2);
    }
}

static void
test_a_list_in_pieces(void **state)
{
    static const uint32_t pages[] = { POOL_PFN + 1, POOL_PFN + 3 };
    const GuestBuffer buffers[] = { { DATA, 3, false },
                                    { DATA + 3, 4, false },
                                    { DATA + 7, 3, false } }; /* two too many */
    Fixture *f = *state;

    go(f, VERSION_1);
    mark_pool(f);
    memcpy(fake_ram(f->engine) + DATA, pages, sizeof(pages));
    offer(f, INFLATE, buffers, G_N_ELEMENTS(buffers));
    assert_true(answered(f, INFLATE));
    for (unsigned k = 0; k < 16; k++)
        assert_int_equal(is_marked(f, k), k != 1 && k != 3);
}

static void
test_deflation_takes_nothing(void **state)
{
    static const uint32_t pages[] = { POOL_PFN };
    Fixture *f = *state;

    go(f, VERSION_1);
    mark_pool(f);
    send_pages(f, DEFLATE, pages, 1);
    assert_true(answered(f, DEFLATE));
    assert_true(is_marked(f, 0));
    assert_int_equal(fake_releases(f->engine), 0);
}

static void
test_pages_that_are_not_there(void **state)
{
    static const uint32_t lists[][2] = {
        { POOL_PFN, MEMORY / PAGE },
        { MEMORY / PAGE - 1, MEMORY / PAGE },
        { UINT32_MAX, UINT32_MAX },
        { 0xfee00, 0xfec00 },
    };
    Fixture *f = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        go(f, VERSION_1);
        send_pages(f, INFLATE, lists[i], 2);
        assert_true(needs_reset(f));
    }
}

static void
test_too_many_pages(void **state)
{
    const GuestBuffer buffer = { DATA, 65537 * 4, false };
    Fixture *f = *state;

    go(f, VERSION_1);
    offer(f, INFLATE, &buffer, 1);
    assert_true(needs_reset(f));
    assert_int_equal(fake_releases(f->engine), 0);
}

/* Only whole pages of what is reported; on either of the queues' numbers. */
static void
test_free_pages_are_reported(void **state)
{
    Fixture *f = *state;
    const GuestBuffer buffers[] = {
        { POOL + PAGE, 2 * PAGE, true },
        { POOL + 4 * PAGE - 1, PAGE + 2, true },
        { POOL + 6 * PAGE + 1, PAGE, true },
    };

    for (unsigned queue = 3; queue < QUEUES; queue++) {
        go(f, VERSION_1 | STATS | REPORTING);
        mark_pool(f);
        offer(f, queue, buffers, G_N_ELEMENTS(buffers));
        assert_true(answered(f, queue));
        for (unsigned k = 0; k < 16; k++)
            assert_int_equal(is_marked(f, k), k != 1 && k != 2 && k != 4);
    }
    go(f, VERSION_1 | STATS); /* nothing was agreed on */
    mark_pool(f);
    offer(f, 4, buffers, 1);
    assert_true(answered(f, 4));
    assert_true(is_marked(f, 1));
}

static void
test_the_target(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *f = *state;
    EngineBalloonInfo info;

    go(f, VERSION_1);
    assert_true(engine_balloon_set(f->engine, MEMORY / 2, &error));
    assert_int_equal(config_at(f, 0), MEMORY / 2 / PAGE);
    assert_int_equal(fake_mmio_read(f->engine, f->guest.isr, 1), 2);
    assert_true(engine_balloon_info(f->engine, &info, &error));
    assert_int_equal(info.target, MEMORY / 2);
    assert_int_equal(info.actual, MEMORY);
    assert_false(engine_balloon_set(f->engine, MEMORY + 1, &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    assert_int_equal(config_at(f, 0), MEMORY / 2 / PAGE);
}

static bool
has_told(Fixture *f, int64_t actual)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (g_get_monotonic_time() < end) {
        json_t *event = fake_take_event(f->engine);
        json_int_t told = -1;

        if (event) {
            assert_string_equal(
                json_string_value(json_object_get(event, "event")),
                "BALLOON_CHANGE");
            json_unpack(event, "{s:{s:I}}", "data", "actual", &told);
            json_decref(event);
            f->events++;
        }
        if (told == actual)
            return true;
        g_usleep(1000);
    }
    return false;
}

static void
test_progress_is_told_but_not_always(void **state)
{
    Fixture *f = *state;
    EngineBalloonInfo info;

    go(f, VERSION_1);
    for (uint32_t pages = 1; pages <= 200; pages++)
        set_actual(f, pages);
    assert_true(engine_balloon_info(f->engine, &info, NULL));
    assert_int_equal(info.actual, MEMORY - 200 * PAGE);
    assert_true(has_told(f, MEMORY - 200 * PAGE));
    assert_in_range(f->events, 1, 4);
    set_actual(f, UINT32_MAX); /* nonsense */
    assert_true(engine_balloon_info(f->engine, &info, NULL));
    assert_int_equal(info.actual, 0);
    assert_true(has_told(f, 0));
    guest_virtio_begin(&f->guest, VERSION_1); /* a reset empties it */
    assert_true(has_told(f, MEMORY));
}

static void
send_stats(Fixture *f, const struct virtio_balloon_stat *stats, unsigned count)
{
    const GuestBuffer buffer = { DATA, (uint32_t)(count * sizeof(*stats)),
                                 false };

    memcpy(fake_ram(f->engine) + DATA, stats, count * sizeof(*stats));
    offer(f, STATISTICS, &buffer, 1);
}

static bool
become(Fixture *f, unsigned tag, uint64_t value)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    EngineBalloonStats stats;

    do {
        assert_true(engine_balloon_stats(f->engine, &stats, NULL));
        if (stats.has[tag] && stats.values[tag] == value)
            return stats.last_update_s > 0;
        g_usleep(100);
    } while (g_get_monotonic_time() < end);
    return false;
}

static void
test_statistics_are_asked_for(void **state)
{
    Fixture *f = *state;
    struct virtio_balloon_stat stats[] = {
        { VIRTIO_BALLOON_S_MEMFREE, 123 },
        { 0xffff, 7 },
        { VIRTIO_BALLOON_S_NR, 8 },
        { VIRTIO_BALLOON_S_MEMTOT, UINT64_MAX },
    };
    EngineBalloonStats now;

    assert_true(engine_balloon_stats(f->engine, &now, NULL));
    assert_int_equal(now.last_update_s, 0);
    go(f, VERSION_1 | STATS);
    send_stats(f, stats, G_N_ELEMENTS(stats));
    assert_true(become(f, VIRTIO_BALLOON_S_MEMFREE, 123));
    assert_true(become(f, VIRTIO_BALLOON_S_MEMTOT, UINT64_MAX));
    assert_false(answered_by_now(f, STATISTICS)); /* held */
    assert_true(engine_balloon_set_period(f->engine, 1, NULL));
    assert_true(answered(f, STATISTICS));
    stats[0].val = 456;
    send_stats(f, stats, 1);
    assert_true(become(f, VIRTIO_BALLOON_S_MEMFREE, 456));
    assert_true(answered(f, STATISTICS)); /* a second later */
    assert_true(engine_balloon_set_period(f->engine, 0, NULL));
    send_stats(f, stats, 1);
    assert_false(answered_by_now(f, STATISTICS));
    send_stats(f, stats, 1); /* two at once: one goes back */
    assert_true(answered(f, STATISTICS));
    assert_true(engine_balloon_stats(f->engine, &now, NULL));
    assert_false(now.has[VIRTIO_BALLOON_S_SWAP_IN]);
}

static void
test_a_reset_forgets_what_is_held(void **state)
{
    static const struct virtio_balloon_stat stat = { VIRTIO_BALLOON_S_AVAIL,
                                                     1 };
    Fixture *f = *state;

    go(f, VERSION_1 | STATS);
    send_stats(f, &stat, 1);
    assert_true(become(f, VIRTIO_BALLOON_S_AVAIL, 1));
    f->balloon->type->reset(f->balloon);
    guest_virtio_init(&f->guest, f->engine, SLOT, ENGINE_PCI_HOLE_BASE);
    go(f, VERSION_1 | STATS);
    assert_true(engine_balloon_set_period(f->engine, 0, NULL));
    assert_false(answered_by_now(f, STATISTICS));
}

static void
test_without_a_balloon(void **state)
{
    Engine *engine = fake_engine_new(NULL, PAGE);
    EngineBalloonInfo info;
    EngineBalloonStats stats;
    g_autoptr(GError) error = NULL;

    assert_false(engine_balloon_set(engine, PAGE, &error));
    assert_int_equal(error_code(error), VIR_ERR_DEVICE_MISSING);
    assert_false(engine_balloon_info(engine, &info, NULL));
    assert_false(engine_balloon_set_period(engine, 1, NULL));
    assert_false(engine_balloon_stats(engine, &stats, NULL));
    fake_engine_free(engine);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_what_is_offered),
        T(test_inflation_gives_back),
        T(test_a_list_in_pieces),
        T(test_deflation_takes_nothing),
        T(test_pages_that_are_not_there),
        T(test_too_many_pages),
        T(test_free_pages_are_reported),
        T(test_the_target),
        T(test_progress_is_told_but_not_always),
        T(test_statistics_are_asked_for),
        T(test_a_reset_forgets_what_is_held),
        cmocka_unit_test(test_without_a_balloon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
