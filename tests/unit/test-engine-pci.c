/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/dev/dev.h"
#include "engine/dev/pci.h"
#include "engine/x86/acpi.h"
#include "fake-engine.h"
#include "util/error.h"

#define SLOT 3

/* A device with one BAR of each type, a capability and INTB. */
typedef struct Card {
    EngineDevice device;
    EnginePciFunction pci;
    uint64_t moved[ENGINE_PCI_BARS];
    unsigned moves;
    uint64_t written, written_at;
    unsigned written_bar;
} Card;

static Card *
card_of(EnginePciFunction *function)
{
    return (Card *)function->device;
}

static uint64_t
card_read(EnginePciFunction *function, unsigned bar, uint64_t offset,
          unsigned size)
{
    return bar << 16 | offset;
}

static void
card_write(EnginePciFunction *function, unsigned bar, uint64_t offset,
           unsigned size, uint64_t value)
{
    card_of(function)->written_bar = bar;
    card_of(function)->written_at = offset;
    card_of(function)->written = value;
}

static void
card_moved(EnginePciFunction *function, unsigned bar, uint64_t base)
{
    card_of(function)->moved[bar] = base;
    card_of(function)->moves++;
}

static void
card_config_read(EnginePciFunction *function, unsigned offset, unsigned size,
                 uint32_t *value)
{
    if (offset == 0x44)
        *value = 0x12345678;
}

static void
card_config_written(EnginePciFunction *function, unsigned offset, unsigned size)
{
    if (offset == 0x48)
        engine_pci_set_intx(function,
                            engine_pci_config_get(function, 0x48, 1) & 1);
}

static const EnginePciOps card_ops = {
    .bar_read = card_read,
    .bar_write = card_write,
    .bar_moved = card_moved,
    .config_read = card_config_read,
    .config_written = card_config_written,
};

static bool
card_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
             unsigned index, GError **error)
{
    static const EnginePciIds ids = {
        .vendor = 0x1af4,
        .device = 0x1042,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x0002,
        .class_code = 0x010000,
        .revision = 1,
    };
    EnginePciFunction *pci = &((Card *)device)->pci;
    unsigned capability;

    engine_pci_init(pci, device, &ids, &card_ops);
    engine_pci_add_bar(pci, 0, ENGINE_PCI_BAR_IO, 32, false);
    engine_pci_add_bar(pci, 1, ENGINE_PCI_BAR_MEMORY, 4096, false);
    engine_pci_add_bar(pci, 4, ENGINE_PCI_BAR_MEMORY64, 16384, true);
    capability = engine_pci_add_capability(pci, PCI_CAP_ID_VNDR, 16);
    g_assert(capability == 0x40);
    pci->writable[0x48] = 0x01;
    capability = engine_pci_add_capability(pci, PCI_CAP_ID_MSIX, 12);
    g_assert(capability == 0x50);
    engine_pci_use_intx(pci, 2);
    return engine_pci_add(engine, pci, SLOT + index, 0, error);
}

static void
card_unrealize(EngineDevice *device)
{
    engine_pci_remove(device->engine, &((Card *)device)->pci);
    engine_pci_rom_clear(&((Card *)device)->pci);
}

static void
card_reset(EngineDevice *device)
{
    engine_pci_reset(&((Card *)device)->pci);
}

static const EngineDeviceType card_type = {
    .name = "card",
    .size = sizeof(Card),
    .realize = card_realize,
    .unrealize = card_unrealize,
    .reset = card_reset,
};

typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    Card *card;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->config.memory = 64 << 20;
    f->engine = fake_engine_new(&f->config, 4096);
    fake_device_new(f->engine, &engine_pci_type, 0);
    f->card = (Card *)fake_device_new(f->engine, &card_type, 0);
    fake_device_new(f->engine, &card_type, 4); /* shares its line */
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    fake_engine_free(f->engine);
    g_free(f);
    return 0;
}

static uint32_t
address_of(unsigned slot, unsigned offset)
{
    return 0x80000000u | slot << 11 | (offset & 0xfc);
}

static uint32_t
get(Fixture *f, unsigned slot, unsigned offset, unsigned size)
{
    fake_out(f->engine, 0xcf8, 4, address_of(slot, offset));
    return (uint32_t)fake_in(f->engine, (uint16_t)(0xcfc + (offset & 3)), size);
}

static void
set(Fixture *f, unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
    fake_out(f->engine, 0xcf8, 4, address_of(slot, offset));
    fake_out(f->engine, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

static uint64_t
ecam(unsigned bus, unsigned slot, unsigned offset)
{
    return ENGINE_ECAM_BASE + (bus << 20 | slot << 15 | offset);
}

static void
test_host_bridge(void **state)
{
    Fixture *f = *state;
    EngineConfig pc = { .machine = ENGINE_MACHINE_PC, .memory = 64 << 20 };
    Fixture other = { .engine = fake_engine_new(&pc, 4096) };

    assert_int_equal(get(f, 0, 0, 4), 0x29c08086);
    assert_int_equal(get(f, 0, 8, 4), 0x06000000);
    assert_int_equal(get(f, 0, 0x0e, 1), 0);
    set(f, 0, 0, 4, 0);
    set(f, 0, 4, 2, 0);
    assert_int_equal(get(f, 0, 0, 4), 0x29c08086);
    assert_int_equal(get(f, 0, 4, 2), 0x0006);
    assert_int_equal(fake_mmio_read(f->engine, ENGINE_ECAM_BASE, 4),
                     0x29c08086);

    fake_device_new(other.engine, &engine_pci_type, 0);
    assert_int_equal(get(&other, 0, 0, 4), 0x12378086);
    assert_false(
        fake_mapped(other.engine, ENGINE_SPACE_MMIO, ENGINE_ECAM_BASE));
    fake_engine_free(other.engine);
}

static void
test_absent_functions_read_all_ones(void **state)
{
    Fixture *f = *state;

    for (unsigned slot = 1; slot < 32; slot++)
        if (slot != SLOT && slot != SLOT + 4)
            assert_int_equal(get(f, slot, 0, 4), 0xffffffff);
    fake_out(f->engine, 0xcf8, 4, 0x80000000u | 1 << 16); /* bus 1 */
    assert_int_equal(fake_in(f->engine, 0xcfc, 4), 0xffffffff);
    fake_out(f->engine, 0xcf8, 4, SLOT << 11); /* not enabled */
    assert_int_equal(fake_in(f->engine, 0xcfc, 4), 0xffffffff);
    assert_int_equal(fake_mmio_read(f->engine, ecam(1, SLOT, 0), 4),
                     0xffffffff);
    assert_int_equal(fake_mmio_read(f->engine, ecam(0, SLOT, 0) + (1 << 12), 2),
                     0xffff);
}

static void
test_address_register(void **state)
{
    Fixture *f = *state;

    fake_out(f->engine, 0xcf8, 4, 0xffffffff);
    assert_int_equal(fake_in(f->engine, 0xcf8, 4), 0x80fffffc);
    fake_out(f->engine, 0xcf8, 4, 0x80000000);
    fake_out(f->engine, 0xcf8, 2, 0x1234); /* only dwords count */
    fake_out(f->engine, 0xcfa, 1, 0x12);
    assert_int_equal(fake_in(f->engine, 0xcf8, 4), 0x80000000);
    assert_int_equal(fake_in(f->engine, 0xcf8, 1), 0xff);
}

static void
test_reset_control(void **state)
{
    Fixture *f = *state;
    static const uint8_t resets[] = { 0x06, 0x0e, 0x04 };
    EngineConfig micro = { .machine = ENGINE_MACHINE_MICROVM };
    Engine *engine = fake_engine_new(&micro, 4096);

    fake_out(f->engine, 0xcf8, 4, address_of(SLOT, 0));
    fake_outb(f->engine, 0xcf9, 0x02);
    assert_int_equal(fake_take_request(f->engine).request, 0);
    assert_int_equal(fake_inb(f->engine, 0xcf9), 0x02);
    for (unsigned i = 0; i < G_N_ELEMENTS(resets); i++) {
        fake_outb(f->engine, 0xcf9, resets[i]);
        assert_int_equal(fake_take_request(f->engine).request,
                         ENGINE_REQUEST_RESET);
    }
    assert_int_equal(fake_in(f->engine, 0xcf8, 4), address_of(SLOT, 0));

    fake_device_new(engine, &engine_pci_type, 0);
    fake_outb(engine, 0xcf9, 0x06);
    assert_int_equal(fake_take_request(engine).request, ENGINE_REQUEST_RESET);
    assert_false(fake_mapped(engine, ENGINE_SPACE_PIO, 0xcf8));
    fake_engine_free(engine);
}

static void
test_header_and_capabilities(void **state)
{
    Fixture *f = *state;

    assert_int_equal(get(f, SLOT, 0, 4), 0x10421af4);
    assert_int_equal(get(f, SLOT, 2, 2), 0x1042);
    assert_int_equal(get(f, SLOT, 3, 1), 0x10);
    assert_int_equal(get(f, SLOT, 8, 4), 0x01000001);
    assert_int_equal(get(f, SLOT, 0x2c, 4), 0x00021af4);
    assert_int_equal(get(f, SLOT, 6, 2), 0x0010);
    assert_int_equal(get(f, SLOT, 0x34, 1), 0x40);
    assert_int_equal(get(f, SLOT, 0x40, 2), 0x5009);
    assert_int_equal(get(f, SLOT, 0x50, 2), 0x0011);
    assert_int_equal(get(f, SLOT, 0x3d, 1), 2);
    assert_int_equal(get(f, SLOT, 0x44, 4), 0x12345678); /* by the hook */
    assert_int_equal(fake_mmio_read(f->engine, ecam(0, SLOT, 0x100), 4), 0);
    assert_int_equal(fake_mmio_read(f->engine, ecam(0, SLOT, 0x2c), 8),
                     0x0000000000021af4);
    assert_int_equal(fake_mmio_read(f->engine, ecam(0, SLOT, 1), 2), 0x421a);
}

/* Everything written everywhere: only what may change has changed. */
static void
test_read_only_bits(void **state)
{
    Fixture *f = *state;
    uint32_t before[64];

    for (unsigned i = 0; i < 64; i++)
        before[i] = get(f, SLOT, 4 * i, 4);
    for (unsigned i = 0; i < 64; i++)
        set(f, SLOT, 4 * i, 4, 0xffffffff);
    assert_int_equal(get(f, SLOT, 0x04, 2), 0x0507);
    /* The line is wanted by the register at 0x48, hence status bit 3. */
    assert_int_equal(get(f, SLOT, 0x06, 2), 0x0018);
    assert_int_equal(get(f, SLOT, 0x0c, 4), 0x000000ff);
    assert_int_equal(get(f, SLOT, 0x10, 4), 0xffffffe1);
    assert_int_equal(get(f, SLOT, 0x14, 4), 0xfffff000);
    assert_int_equal(get(f, SLOT, 0x18, 4), 0);
    assert_int_equal(get(f, SLOT, 0x1c, 4), 0);
    assert_int_equal(get(f, SLOT, 0x20, 4), 0xffffc00c);
    assert_int_equal(get(f, SLOT, 0x24, 4), 0xffffffff);
    assert_int_equal(get(f, SLOT, 0x30, 4), 0); /* no expansion ROM */
    assert_int_equal(get(f, SLOT, 0x3c, 4), 0x000002ff);
    assert_int_equal(get(f, SLOT, 0x48, 4), 0x00000001);
    for (unsigned i = 0; i < 64; i++)
        if (i != 1 && i != 3 && (i < 4 || i > 9) && i != 15 && i != 18)
            assert_int_equal(get(f, SLOT, 4 * i, 4), before[i]);
}

static void
test_bars_answer_where_they_are_put(void **state)
{
    Fixture *f = *state;
    uint64_t high = engine_pci64_base(&f->config);

    set(f, SLOT, 0x10, 4, 0x2000);
    set(f, SLOT, 0x14, 4, 0xc0100000);
    set(f, SLOT, 0x20, 4, (uint32_t)(high + 0x10000));
    set(f, SLOT, 0x24, 4, (uint32_t)(high >> 32));
    assert_int_equal(fake_in(f->engine, 0x2004, 1), 0xff); /* not enabled */
    assert_int_equal(f->card->moves, 0);
    set(f, SLOT, 4, 2, 0x0003);
    assert_int_equal(f->card->moves, 3);
    assert_int_equal(f->card->moved[0], 0x2000);
    assert_int_equal(f->card->moved[1], 0xc0100000);
    assert_int_equal(f->card->moved[4], high + 0x10000);
    assert_int_equal(fake_in(f->engine, 0x2004, 2), 0x0004);
    assert_int_equal(fake_in(f->engine, 0x2020, 1), 0xff);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0100ffc, 4), 0x10ffc);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0100ffd, 4), 0xffffffff);
    fake_mmio_write(f->engine, high + 0x10008, 8, 77);
    assert_int_equal(f->card->written_bar, 4);
    assert_int_equal(f->card->written_at, 8);
    assert_int_equal(f->card->written, 77);

    set(f, SLOT, 0x14, 4, 0xc0200000);
    assert_int_equal(f->card->moved[1], 0xc0200000);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0100000, 4), 0xffffffff);
    set(f, SLOT, 4, 2, 0x0001);
    assert_int_equal(f->card->moved[1], ENGINE_PCI_UNMAPPED);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0200000, 4), 0xffffffff);
    assert_int_equal(fake_in(f->engine, 0x2000, 1), 0);
    card_reset(&f->card->device);
    assert_int_equal(f->card->moved[0], ENGINE_PCI_UNMAPPED);
    assert_int_equal(get(f, SLOT, 0x10, 4), 1);
    assert_int_equal(get(f, SLOT, 4, 2), 0);
}

#define ROM_BYTES 5000 /* of a BAR of 8 KiB */

/* Gives the card an image that says its structure is @at. Returns: whether it
 * is one */
static bool
add_rom_at(Fixture *f, const char *start, const char *structure, unsigned at)
{
    g_autofree char *path = NULL;
    g_autofree char *image = g_malloc0(ROM_BYTES);
    g_autoptr(GError) error = NULL;
    EngineFile file = { .fd = g_file_open_tmp(NULL, &path, NULL) };
    bool added;

    memcpy(image, start, 3);
    image[0x18] = (char)at;
    image[0x19] = (char)(at >> 8);
    memcpy(image + MIN(at, ROM_BYTES - 8), structure, 8);
    assert_int_equal(write(file.fd, image, ROM_BYTES), ROM_BYTES);
    added = engine_pci_add_rom(&f->card->pci, &file, &error);
    if (!added)
        assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
    close(file.fd);
    assert_int_equal(g_unlink(path), 0);
    return added;
}

static bool
add_rom(Fixture *f, const char *start, const char *structure)
{
    return add_rom_at(f, start, structure, 0x1c);
}

static void
test_rom_is_memory_where_it_is_put(void **state)
{
    Fixture *f = *state;

    assert_true(add_rom(f, "\x55\xaa\x01", "PCIR\xf4\x1a\x00\x10"));
    set(f, SLOT, 0x30, 4, 0xfffffffe);
    assert_int_equal(get(f, SLOT, 0x30, 4), 0xffffe000); /* 8 KiB */
    set(f, SLOT, 0x30, 4, 0xc0200001);
    assert_null(fake_rom(f->engine, 0xc0200000)); /* no memory enabled */
    set(f, SLOT, 4, 2, 0x0002);
    assert_non_null(fake_rom(f->engine, 0xc0200000));
    assert_int_equal(fake_rom(f->engine, 0xc0200001)[0], 0xaa);
    /* also by exits; it is the card's own, and sums up to the same */
    assert_int_equal(fake_mmio_read(f->engine, 0xc020001c, 4), 0x52494350);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0200020, 4), 0x10421af4);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0200006, 1), 0x100 - 0x42);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0201ffc, 4), 0);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0202000, 4), 0xffffffff);
    fake_mmio_write(f->engine, 0xc0200000, 4, 0);
    assert_int_equal(fake_rom(f->engine, 0xc0200000)[0], 0x55);

    set(f, SLOT, 0x30, 4, 0x00100001); /* no place for a BAR */
    assert_null(fake_rom(f->engine, 0x00100000));
    assert_null(fake_rom(f->engine, 0xc0200000));
    set(f, SLOT, 0x30, 4, 0xc0300001);
    assert_non_null(fake_rom(f->engine, 0xc0301fff));
    set(f, SLOT, 0x30, 4, 0xc0300000); /* off */
    assert_null(fake_rom(f->engine, 0xc0300000));
    set(f, SLOT, 0x30, 4, 0xc0300001);
    card_reset(&f->card->device);
    assert_null(fake_rom(f->engine, 0xc0300000));
    assert_int_equal(get(f, SLOT, 0x30, 4), 0);
}

static void
test_rom_is_checked(void **state)
{
    /* within the header; behind the file, the BAR, and all there is */
    static const unsigned outside[] = { 0x19, 0x1fe8, 0x1fe9, 0x2000, 0xffff };
    Fixture *f = *state;

    assert_false(add_rom(f, "\x55\xab\x01", "PCIR\xf4\x1a\x00\x10"));
    assert_false(add_rom(f, "\x55\xaa\x01", "PCIX\xf4\x1a\x00\x10"));
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
        assert_false(
            add_rom_at(f, "\x55\xaa\x01", "PCIR\xf4\x1a\x00\x10", outside[i]));
    set(f, SLOT, 0x30, 4, 0xffffffff);
    assert_int_equal(get(f, SLOT, 0x30, 4), 0);
    /* another vendor's stays what it is */
    assert_true(add_rom(f, "\x55\xaa\x01", "PCIR\x86\x80\x0e\x10"));
    set(f, SLOT, 0x30, 4, 0xc0300001);
    set(f, SLOT, 4, 2, 0x0002);
    assert_int_equal(fake_mmio_read(f->engine, 0xc0300020, 4), 0x100e8086);
}

static void
test_interrupt_lines_are_shared(void **state)
{
    Fixture *f = *state;
    unsigned gsi = engine_pci_gsi(SLOT, 1);
    unsigned shared = engine_pci_gsi(SLOT + 4, 1);

    assert_int_not_equal(gsi, shared);
    assert_true(gsi >= 16 && gsi < 24);
    set(f, SLOT, 0x48, 1, 1);
    assert_true(fake_irq_level(f->engine, gsi));
    assert_int_equal(get(f, SLOT, 6, 2) & 8, 8);
    set(f, SLOT, 4, 2, 0x0400); /* INTx disable */
    assert_false(fake_irq_level(f->engine, gsi));
    set(f, SLOT, 4, 2, 0);
    assert_true(fake_irq_level(f->engine, gsi));
    card_reset(&f->card->device);
    assert_false(fake_irq_level(f->engine, gsi));
}

static void
test_two_pins_on_one_line(void **state)
{
    Fixture *f = *state;
    Card *other = (Card *)fake_device_new(f->engine, &card_type, 8);
    unsigned gsi = engine_pci_gsi(SLOT, 1);

    assert_int_equal(gsi, engine_pci_gsi(SLOT + 8, 1));
    engine_pci_set_intx(&f->card->pci, true);
    engine_pci_set_intx(&other->pci, true);
    engine_pci_set_intx(&f->card->pci, false);
    assert_true(fake_irq_level(f->engine, gsi));
    engine_pci_set_intx(&other->pci, false);
    engine_pci_set_intx(&other->pci, false);
    assert_false(fake_irq_level(f->engine, gsi));
    assert_int_equal(fake_irq_rises(f->engine, gsi), 1);
}

static void
test_taken_places_and_machines_without_pci(void **state)
{
    Fixture *f = *state;
    EngineConfig micro = { .machine = ENGINE_MACHINE_MICROVM };
    Engine *engine = fake_engine_new(&micro, 4096);
    g_autoptr(GError) error = NULL;
    Card card = { .device = { &card_type, f->engine, 0 } };

    assert_false(card_realize(&card.device, f->engine, &f->config, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_INTERNAL_ERROR);
    g_clear_error(&error);
    fake_device_new(engine, &engine_pci_type, 0);
    assert_false(card_realize(&card.device, engine, &micro, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
    fake_engine_free(engine);
}

static void
test_multifunction_bit(void **state)
{
    Fixture *f = *state;
    EnginePciFunction second;
    const EnginePciIds ids = { .vendor = 1, .device = 2 };

    assert_int_equal(get(f, SLOT, 0x0e, 1), 0);
    engine_pci_init(&second, &f->card->device, &ids, NULL);
    assert_true(engine_pci_add(f->engine, &second, SLOT, 1, NULL));
    assert_int_equal(get(f, SLOT, 0x0e, 1), 0x80);
    engine_pci_remove(f->engine, &second);
    assert_int_equal(get(f, SLOT, 0x0e, 1), 0);
}

/* Random accesses of every size everywhere: nothing crashes, the ids stay. */
static void
test_hostile_accesses(void **state)
{
    Fixture *f = *state;
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);
    static const unsigned sizes[] = { 1, 2, 4, 8 };

    for (unsigned i = 0; i < 100000; i++) {
        unsigned size = sizes[g_rand_int_range(random, 0, 4)];
        uint32_t value = g_rand_int(random);
        uint64_t at = g_rand_int_range(random, 0, 0x10000);
        uint16_t port = (uint16_t)g_rand_int_range(random, 0xcf8, 0xd00);

        fake_out(f->engine, port, MIN(size, 4), value);
        (void)fake_in(f->engine, port, MIN(size, 4));
        fake_mmio_write(f->engine, ENGINE_ECAM_BASE + (at << (i & 7)), size,
                        value);
        (void)fake_mmio_read(f->engine, ecam(0, SLOT, 0) + at, size);
        (void)fake_mmio_read(f->engine, ENGINE_PCI_HOLE_BASE + at * 512, size);
        fake_out(f->engine, (uint16_t)at, MIN(size, 4), value);
    }
    assert_int_equal(get(f, 0, 0, 4), 0x29c08086);
    assert_int_equal(get(f, SLOT, 0, 4), 0x10421af4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_host_bridge),
        T(test_absent_functions_read_all_ones),
        T(test_address_register),
        T(test_reset_control),
        T(test_header_and_capabilities),
        T(test_read_only_bits),
        T(test_bars_answer_where_they_are_put),
        T(test_rom_is_memory_where_it_is_put),
        T(test_rom_is_checked),
        T(test_interrupt_lines_are_shared),
        T(test_two_pins_on_one_line),
        T(test_taken_places_and_machines_without_pci),
        T(test_multifunction_bit),
        T(test_hostile_accesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
