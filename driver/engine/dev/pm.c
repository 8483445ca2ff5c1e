/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>
#include <time.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/x86/acpi.h"

/*
 * The fixed hardware of ACPI: power button, sleep control, power management
 * timer, general purpose events (ACPI 6.4, 4.8.3 and 4.8.4). The machine starts
 * in ACPI mode, so SCI_EN is always set.
 */
enum { REGION_EVENT, REGION_CONTROL, REGION_TIMER, REGION_GPE, REGION_SMI };

#define PM_EVENT_SIZE   4
#define PM_CONTROL_SIZE 2
#define PM_TIMER_SIZE   4
#define PM_GPE_SIZE     16 /* 8 bytes of status, 8 of enables */
#define PM_SMI_SIZE     4

/* There are no SMIs; firmware leaves alone what it finds set up. */
#define SMI_APMC_EN 0x20

#define PM1_TIMER        0x0001
#define PM1_GLOBAL_LOCK  0x0020
#define PM1_POWER_BUTTON 0x0100
#define PM1_RTC          0x0400 /* never happens, but systems insist on enabling it */
#define PM1_ENABLE       (PM1_TIMER | PM1_GLOBAL_LOCK | PM1_POWER_BUTTON | PM1_RTC)

#define PM1_SCI_EN        0x0001
#define PM1_BM_RLD        0x0002
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_TYP       (7 << PM1_SLP_TYP_SHIFT)
#define PM1_SLP_EN        0x2000 /* write only */
#define PM1_CONTROL       (PM1_BM_RLD | PM1_SLP_TYP)

/* Firmware that asks no table switches off as PIIX4 and ICH9 do. */
#define FIRMWARE_S5_TYPE 0

#define PM_TIMER_HZ 3579545
/* The timer's carry, TMR_STS, comes when its highest bit changes. */
#define PM_TIMER_CARRY (UINT64_C(1) << 31)

typedef struct Pm {
    EngineDevice device;
    GMutex lock;
    bool present;
    bool level; /* of the SCI */
    uint16_t status, enable, control;
    uint8_t gpe[PM_GPE_SIZE];
    uint64_t start_ns; /* when the timer was 0 */
    uint64_t carries;  /* of the timer, already in `status` */
    GSource *source;   /* armed only while the guest wants carries */
} Pm;

typedef struct PmSource {
    GSource source;
    Pm *pm;
} PmSource;

static Pm *
pm_of(EngineDevice *device)
{
    return (Pm *)device;
}

/* --- the timer: counted when asked ---------------------------------------- */
static uint64_t
pm_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t
pm_ticks(const Pm *pm)
{
    uint64_t ns = pm_now_ns() - pm->start_ns;

    return ns / 1000000000 * PM_TIMER_HZ +
           ns % 1000000000 * PM_TIMER_HZ / 1000000000;
}

static void
pm_update_carry(Pm *pm)
{
    uint64_t carries = pm_ticks(pm) / PM_TIMER_CARRY;

    if (carries == pm->carries)
        return;
    pm->carries = carries;
    pm->status |= PM1_TIMER;
}

/* A carry that is wanted and has not happened needs a wake-up, at most every
 * ten minutes; no system in use asks for it. */
static void
pm_arm(Pm *pm)
{
    uint64_t left;

    if (!(pm->enable & PM1_TIMER) || (pm->status & PM1_TIMER)) {
        g_source_set_ready_time(pm->source, -1);
        return;
    }
    left = PM_TIMER_CARRY - pm_ticks(pm) % PM_TIMER_CARRY;
    g_source_set_ready_time(
        pm->source, g_get_monotonic_time() +
                        (gint64)(left * G_USEC_PER_SEC / PM_TIMER_HZ) + 1);
}

/* --- the interrupt -------------------------------------------------------- */
static void
pm_update_sci(Pm *pm)
{
    bool level = pm->status & pm->enable;

    for (unsigned i = 0; i < PM_GPE_SIZE / 2; i++)
        level |= (pm->gpe[i] & pm->gpe[i + PM_GPE_SIZE / 2]) != 0;
    if (level == pm->level)
        return;
    pm->level = level;
    engine_irq_set(pm->device.engine, ENGINE_SCI_IRQ, level);
}

static gboolean
pm_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    Pm *pm = ((PmSource *)source)->pm;

    g_mutex_lock(&pm->lock);
    pm_update_carry(pm);
    pm_arm(pm);
    pm_update_sci(pm);
    g_mutex_unlock(&pm->lock);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs pm_source_funcs = { .dispatch = pm_dispatch };

/* --- registers, as little-endian bytes ------------------------------------ */
static uint8_t
pm_read_byte(Pm *pm, unsigned region, unsigned offset, uint32_t ticks)
{
    uint32_t value;

    switch (region) {
    case REGION_EVENT:
        value = pm->status | (uint32_t)pm->enable << 16;
        break;
    case REGION_CONTROL:
        value = pm->control;
        break;
    case REGION_TIMER:
        value = ticks;
        break;
    case REGION_SMI:
        value = SMI_APMC_EN;
        break;
    default:
        return pm->gpe[offset];
    }
    return (uint8_t)(value >> (8 * offset));
}

static void
pm_write_event(Pm *pm, unsigned offset, uint8_t value)
{
    unsigned shift = 8 * (offset & 1);

    if (offset < 2) /* writing a one clears */
        pm->status &= (uint16_t) ~(value << shift);
    else
        pm->enable = (uint16_t)((pm->enable & ~(0xff << shift)) |
                                ((value << shift) & PM1_ENABLE));
}

/* Returns whether the guest goes to sleep. */
static bool
pm_write_control(Pm *pm, unsigned offset, uint8_t value)
{
    unsigned shift = 8 * offset;

    pm->control = (uint16_t)((pm->control & ~(0xff << shift)) |
                             ((value << shift) & PM1_CONTROL) | PM1_SCI_EN);
    return (value << shift) & PM1_SLP_EN;
}

static void
pm_write_gpe(Pm *pm, unsigned offset, uint8_t value)
{
    if (offset < PM_GPE_SIZE / 2)
        pm->gpe[offset] &= (uint8_t)~value;
    else
        pm->gpe[offset] = value;
}

static uint64_t
pm_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    Pm *pm = pm_of(device);
    uint64_t value = 0;
    uint32_t ticks;

    g_mutex_lock(&pm->lock);
    ticks = (uint32_t)pm_ticks(pm);
    pm_update_carry(pm);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)pm_read_byte(pm, region, (unsigned)offset + i, ticks)
                 << (8 * i);
    g_mutex_unlock(&pm->lock);
    return value;
}

static void
pm_write(EngineDevice *device, unsigned region, uint64_t offset, unsigned size,
         uint64_t value)
{
    Pm *pm = pm_of(device);
    bool sleep = false;
    unsigned type;

    g_mutex_lock(&pm->lock);
    pm_update_carry(pm);
    for (unsigned i = 0; i < size; i++) {
        unsigned at = (unsigned)offset + i;
        uint8_t byte = (uint8_t)(value >> (8 * i));

        if (region == REGION_EVENT)
            pm_write_event(pm, at, byte);
        else if (region == REGION_CONTROL)
            sleep |= pm_write_control(pm, at, byte);
        else if (region == REGION_GPE)
            pm_write_gpe(pm, at, byte);
    }
    if (region == REGION_EVENT)
        pm_arm(pm);
    pm_update_sci(pm);
    type = (pm->control & PM1_SLP_TYP) >> PM1_SLP_TYP_SHIFT;
    g_mutex_unlock(&pm->lock);
    if (sleep && (type == ENGINE_S5_TYPE || type == FIRMWARE_S5_TYPE))
        engine_request(device->engine, ENGINE_REQUEST_POWEROFF, 0);
}

/* --- the device ----------------------------------------------------------- */
static Pm *
pm_find(Engine *engine)
{
    EngineDevice *device = engine_device_find(engine, &engine_pm_type, 0);

    return device && pm_of(device)->present ? pm_of(device) : NULL;
}

bool
engine_pm_power_button(Engine *engine)
{
    Pm *pm = pm_find(engine);

    if (!pm)
        return false;
    g_mutex_lock(&pm->lock);
    pm->status |= PM1_POWER_BUTTON;
    pm_update_sci(pm);
    g_mutex_unlock(&pm->lock);
    return true;
}

void
engine_pm_raise(Engine *engine, unsigned event)
{
    Pm *pm = pm_find(engine);

    g_assert(event < 8 * PM_GPE_SIZE / 2);
    if (!pm)
        return;
    g_mutex_lock(&pm->lock);
    pm->gpe[event / 8] |= (uint8_t)(1u << event % 8);
    pm_update_sci(pm);
    g_mutex_unlock(&pm->lock);
}

bool
engine_pm_is_heard(Engine *engine, unsigned event)
{
    Pm *pm = pm_find(engine);
    bool heard;

    if (!pm)
        return false;
    g_mutex_lock(&pm->lock);
    heard = pm->gpe[PM_GPE_SIZE / 2 + event / 8] & 1u << event % 8;
    g_mutex_unlock(&pm->lock);
    return heard;
}

/* Where each block is, if firmware does not choose another base. */
static const struct {
    uint16_t base, size;
    unsigned region;
} pm_blocks[] = {
    { ENGINE_PM1_EVT_PORT, PM_EVENT_SIZE, REGION_EVENT },
    { ENGINE_PM1_CNT_PORT, PM_CONTROL_SIZE, REGION_CONTROL },
    { ENGINE_PM_TMR_PORT, PM_TIMER_SIZE, REGION_TIMER },
    { ENGINE_GPE0_PORT, PM_GPE_SIZE, REGION_GPE },
    { ENGINE_SMI_EN_PORT, PM_SMI_SIZE, REGION_SMI },
};

/* Returns: the index of the block that holds all of an access, -1 if none */
static int
pm_block_at(unsigned offset, unsigned size)
{
    unsigned port = ENGINE_PM1_EVT_PORT + offset;

    for (size_t i = 0; i < G_N_ELEMENTS(pm_blocks); i++)
        if (port >= pm_blocks[i].base &&
            port + size <= (unsigned)pm_blocks[i].base + pm_blocks[i].size)
            return (int)i;
    return -1;
}

uint64_t
engine_pm_read(Engine *engine, unsigned offset, unsigned size)
{
    Pm *pm = pm_find(engine);
    int at = pm_block_at(offset, size);

    if (!pm || at < 0)
        return 0;
    return pm_read(&pm->device, pm_blocks[at].region,
                   ENGINE_PM1_EVT_PORT + offset - pm_blocks[at].base, size);
}

void
engine_pm_write(Engine *engine, unsigned offset, unsigned size, uint64_t value)
{
    Pm *pm = pm_find(engine);
    int at = pm_block_at(offset, size);

    if (pm && at >= 0)
        pm_write(&pm->device, pm_blocks[at].region,
                 ENGINE_PM1_EVT_PORT + offset - pm_blocks[at].base, size,
                 value);
}

static void
pm_reset(EngineDevice *device)
{
    Pm *pm = pm_of(device);

    if (!pm->present)
        return;
    g_mutex_lock(&pm->lock);
    pm->start_ns = pm_now_ns();
    pm->carries = 0;
    pm->status = pm->enable = 0;
    pm->control = PM1_SCI_EN;
    memset(pm->gpe, 0, sizeof(pm->gpe));
    pm_arm(pm);
    pm_update_sci(pm);
    g_mutex_unlock(&pm->lock);
}

static void
pm_unrealize(EngineDevice *device)
{
    Pm *pm = pm_of(device);

    if (!pm->present)
        return;
    g_source_destroy(pm->source);
    g_source_unref(pm->source);
    g_mutex_clear(&pm->lock);
}

static bool
pm_map(Pm *pm, const EngineConfig *config, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pm_blocks); i++)
        if ((pm_blocks[i].region != REGION_SMI ||
             engine_config_has_firmware(config)) &&
            !engine_bus_map(pm->device.engine, &pm->device, ENGINE_SPACE_PIO,
                            pm_blocks[i].base, pm_blocks[i].size,
                            pm_blocks[i].region, error))
            return false;
    return true;
}

static bool
pm_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
           unsigned index, GError **error)
{
    Pm *pm = pm_of(device);

    if (!config->acpi)
        return true;
    if (!pm_map(pm, config, error))
        return false;
    g_mutex_init(&pm->lock);
    pm->source = g_source_new(&pm_source_funcs, sizeof(PmSource));
    ((PmSource *)pm->source)->pm = pm;
    g_source_set_name(pm->source, "pm");
    g_source_attach(pm->source, NULL);
    pm->present = true;
    pm_reset(device);
    return true;
}

const EngineDeviceType engine_pm_type = {
    .name = "pm",
    .size = sizeof(Pm),
    .realize = pm_realize,
    .unrealize = pm_unrealize,
    .reset = pm_reset,
    .read = pm_read,
    .write = pm_write,
};
