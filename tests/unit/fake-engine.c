/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "fake-engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "engine/rom.h"
#include "engine/throttle.h"
#include "util/error.h"

#define FAKE_GSIS 64
#define FAKE_MSIS 64 /* data of messages */

typedef struct FakeIoevent {
    uint64_t gpa;
    int fd;
} FakeIoevent;

typedef struct FakeRange {
    EngineDevice *device;
    EngineSpace space;
    uint64_t base, size;
    unsigned region;
} FakeRange;

struct Engine {
    EngineRom roms[ENGINE_ROMS_MAX]; /* size 0: hidden */
    const EngineConfig *config;
    EngineConfig own_config;
    uint8_t *ram;
    size_t ram_size;
    GArray *ranges;
    GPtrArray *devices;
    GPtrArray *plugged; /* EngineDeviceConfig */
    bool level[FAKE_GSIS];
    unsigned rises[FAKE_GSIS];
    GMutex lock;
    EngineIo *io;
    bool ioevents_allowed;
    GArray *ioevents;
    unsigned msis[FAKE_MSIS];
    int msi_fd; /* -1: nobody listens */
    FakeRequest request;
    uint32_t ejected, refused;
    int releases; /* atomic */
    EngineStatus status;
    char *quit_reason;
    unsigned powerdowns;
    bool reboot;
    EngineThrottleGroups throttles;
    unsigned stops; /* posted */
    GQueue events;  /* posted: json_t */
    EngineEventFn listener;
    void *listener_opaque;
};

Engine *
fake_engine_new(const EngineConfig *config, size_t ram_size)
{
    Engine *engine = g_new0(Engine, 1);

    engine->config = config ? config : &engine->own_config;
    engine->ram = aligned_alloc(4096, (ram_size + 4095) & ~(size_t)4095);
    g_assert(engine->ram);
    memset(engine->ram, 0, ram_size);
    engine->ram_size = ram_size;
    engine->ranges = g_array_new(FALSE, TRUE, sizeof(FakeRange));
    engine->devices = g_ptr_array_new();
    engine->plugged = g_ptr_array_new_with_free_func(
        (GDestroyNotify)engine_device_config_free);
    engine->ioevents = g_array_new(FALSE, TRUE, sizeof(FakeIoevent));
    engine->status = ENGINE_STATUS_RUNNING;
    engine->msi_fd = -1;
    g_mutex_init(&engine->lock);
    return engine;
}

void
fake_engine_free(Engine *engine)
{
    for (guint i = engine->devices->len; i-- > 0;) {
        EngineDevice *device = g_ptr_array_index(engine->devices, i);

        if (device->type->unrealize)
            device->type->unrealize(device);
        g_free(device);
    }
    g_ptr_array_unref(engine->devices);
    g_ptr_array_unref(engine->plugged);
    engine_io_free(engine->io);
    g_array_unref(engine->ioevents);
    g_array_unref(engine->ranges);
    g_queue_clear_full(&engine->events, (GDestroyNotify)json_decref);
    g_mutex_clear(&engine->lock);
    g_free(engine->quit_reason);
    free(engine->ram);
    g_free(engine);
}

static EngineDevice *
make_device(Engine *engine, const EngineDeviceType *type, unsigned index,
            const EngineDeviceConfig *config)
{
    g_autoptr(GError) error = NULL;
    EngineDevice *device = g_malloc0(type->size);

    device->type = type;
    device->engine = engine;
    device->index = index;
    device->config = config;
    if (!type->realize(device, engine, engine->config, index, &error))
        g_error("%s: %s", type->name, error->message);
    g_ptr_array_add(engine->devices, device);
    return device;
}

EngineDevice *
fake_device_new(Engine *engine, const EngineDeviceType *type, unsigned index)
{
    return make_device(engine, type, index, NULL);
}

EngineDevice *
fake_device_add(Engine *engine, const EngineDeviceType *type,
                const EngineDeviceConfig *config)
{
    return make_device(engine, type, 0, config);
}

/* --- engine/device.h ------------------------------------------------------ */
bool
engine_bus_map(Engine *engine, EngineDevice *device, EngineSpace space,
               uint64_t base, uint64_t size, unsigned region, GError **error)
{
    FakeRange range = { device, space, base, size, region };

    for (guint i = 0; i < engine->ranges->len; i++) {
        FakeRange *other = &g_array_index(engine->ranges, FakeRange, i);

        if (other->space == space && base < other->base + other->size &&
            other->base < base + size) {
            error_set(error, VIR_ERR_INTERNAL_ERROR, "overlap at 0x%" PRIx64,
                      base);
            return false;
        }
    }
    g_array_append_val(engine->ranges, range);
    return true;
}

static const FakeRange *
find_range(Engine *engine, EngineSpace space, uint64_t address, unsigned size)
{
    for (guint i = 0; i < engine->ranges->len; i++) {
        const FakeRange *range = &g_array_index(engine->ranges, FakeRange, i);

        if (range->space == space && address >= range->base &&
            address + size <= range->base + range->size)
            return range;
    }
    return NULL;
}

static uint64_t
bus_read(Engine *engine, EngineSpace space, uint64_t address, unsigned size)
{
    const FakeRange *range = find_range(engine, space, address, size);
    uint64_t mask = size == 8 ? ~0ull : (1ull << (8 * size)) - 1;

    if (!range || !range->device->type->read)
        return mask;
    return mask & range->device->type->read(range->device, range->region,
                                            address - range->base, size);
}

static void
bus_write(Engine *engine, EngineSpace space, uint64_t address, unsigned size,
          uint64_t value)
{
    const FakeRange *range = find_range(engine, space, address, size);

    for (guint i = 0; i < engine->ioevents->len; i++) {
        const FakeIoevent *event =
            &g_array_index(engine->ioevents, FakeIoevent, i);

        if (space == ENGINE_SPACE_MMIO && event->gpa == address) {
            (void)eventfd_write(event->fd, 1);
            return;
        }
    }
    if (range && range->device->type->write)
        range->device->type->write(range->device, range->region,
                                   address - range->base, size, value);
}

uint64_t
fake_in(Engine *engine, uint16_t port, unsigned size)
{
    return bus_read(engine, ENGINE_SPACE_PIO, port, size);
}

void
fake_out(Engine *engine, uint16_t port, unsigned size, uint64_t value)
{
    bus_write(engine, ENGINE_SPACE_PIO, port, size, value);
}

uint64_t
fake_mmio_read(Engine *engine, uint64_t address, unsigned size)
{
    return bus_read(engine, ENGINE_SPACE_MMIO, address, size);
}

void
fake_mmio_write(Engine *engine, uint64_t address, unsigned size, uint64_t value)
{
    bus_write(engine, ENGINE_SPACE_MMIO, address, size, value);
}

/* --- engine/rom.h --------------------------------------------------------- */
bool
engine_rom_show(Engine *engine, const EngineRom *rom, GError **error)
{
    g_assert(rom->number < ENGINE_ROMS_MAX);
    g_assert(engine->roms[rom->number].size == 0);
    engine->roms[rom->number] = *rom;
    return true;
}

bool
engine_rom_hide(Engine *engine, const EngineRom *rom, GError **error)
{
    g_assert(rom->number < ENGINE_ROMS_MAX);
    g_assert(engine->roms[rom->number].size == rom->size);
    engine->roms[rom->number].size = 0;
    return true;
}

const uint8_t *
fake_rom(Engine *engine, uint64_t address)
{
    for (unsigned i = 0; i < ENGINE_ROMS_MAX; i++) {
        const EngineRom *rom = &engine->roms[i];

        if (address >= rom->gpa && address - rom->gpa < rom->size)
            return (const uint8_t *)rom->host + (address - rom->gpa);
    }
    return NULL;
}

bool
fake_mapped(Engine *engine, EngineSpace space, uint64_t address)
{
    return find_range(engine, space, address, 1) != NULL;
}

void
engine_irq_set(Engine *engine, unsigned gsi, bool level)
{
    g_assert(gsi < FAKE_GSIS);
    g_mutex_lock(&engine->lock);
    if (level && !engine->level[gsi])
        engine->rises[gsi]++;
    engine->level[gsi] = level;
    g_mutex_unlock(&engine->lock);
}

void
engine_irq_pulse(Engine *engine, unsigned gsi)
{
    engine_irq_set(engine, gsi, true);
    engine_irq_set(engine, gsi, false);
}

bool
fake_irq_level(Engine *engine, unsigned gsi)
{
    bool level;

    g_mutex_lock(&engine->lock);
    level = engine->level[gsi];
    g_mutex_unlock(&engine->lock);
    return level;
}

unsigned
fake_irq_rises(Engine *engine, unsigned gsi)
{
    unsigned rises;

    g_mutex_lock(&engine->lock);
    rises = engine->rises[gsi];
    g_mutex_unlock(&engine->lock);
    return rises;
}

/* --- engine/msi.h --------------------------------------------------------- */
bool
engine_msi_route(Engine *engine, EngineMsi *msi, uint64_t address,
                 uint32_t data)
{
    msi->fd = 0;
    msi->address = address;
    msi->data = data;
    return data < FAKE_MSIS;
}

void
engine_msi_signal(Engine *engine, const EngineMsi *msi)
{
    g_mutex_lock(&engine->lock);
    if (msi->fd >= 0 && msi->data < FAKE_MSIS)
        engine->msis[msi->data]++;
    g_mutex_unlock(&engine->lock);
    if (engine->msi_fd >= 0)
        (void)eventfd_write(engine->msi_fd, 1);
}

void
engine_msi_clear(Engine *engine, EngineMsi *msi)
{
    msi->fd = -1;
}

void
fake_msi_listen(Engine *engine, int fd)
{
    engine->msi_fd = fd;
}

unsigned
fake_msi_count(Engine *engine, uint32_t data)
{
    unsigned count;

    g_mutex_lock(&engine->lock);
    count = engine->msis[data];
    g_mutex_unlock(&engine->lock);
    return count;
}

void
fake_allow_ioevents(Engine *engine)
{
    engine->ioevents_allowed = true;
}

unsigned
fake_ioevents(Engine *engine)
{
    return engine->ioevents->len;
}

bool
engine_ioevent(Engine *engine, uint64_t gpa, int fd, bool on)
{
    FakeIoevent event = { gpa, fd };

    if (!engine->ioevents_allowed)
        return false;
    if (on) {
        g_array_append_val(engine->ioevents, event);
        return true;
    }
    for (guint i = 0; i < engine->ioevents->len; i++) {
        const FakeIoevent *other =
            &g_array_index(engine->ioevents, FakeIoevent, i);

        if (other->gpa != gpa || other->fd != fd)
            continue;
        g_array_remove_index(engine->ioevents, i);
        return true;
    }
    g_error("an eventfd that is not there is taken away");
}

EngineIo *
engine_io(Engine *engine, unsigned number, GError **error)
{
    if (!engine->io)
        engine->io = engine_io_new("io", error);
    return engine->io;
}

EngineThrottleGroups *
engine_throttle_groups(Engine *engine)
{
    return &engine->throttles;
}

void
engine_stop_post(Engine *engine)
{
    g_mutex_lock(&engine->lock);
    engine->stops++;
    g_mutex_unlock(&engine->lock);
}

unsigned
fake_stops(Engine *engine)
{
    unsigned stops;

    g_mutex_lock(&engine->lock);
    stops = engine->stops;
    g_mutex_unlock(&engine->lock);
    return stops;
}

void
engine_request(Engine *engine, EngineRequest request, unsigned value)
{
    g_mutex_lock(&engine->lock);
    if (!engine->request.request) {
        engine->request.request = request;
        engine->request.value = value;
    }
    engine->request.count++;
    g_mutex_unlock(&engine->lock);
}

void
engine_eject(Engine *engine, uint32_t slots)
{
    engine->ejected |= slots;
}

void
engine_eject_refused(Engine *engine, uint32_t slots)
{
    engine->refused |= slots;
}

uint32_t
fake_take_ejected(Engine *engine)
{
    uint32_t slots = engine->ejected;

    engine->ejected = 0;
    return slots;
}

uint32_t
fake_take_refused(Engine *engine)
{
    uint32_t slots = engine->refused;

    engine->refused = 0;
    return slots;
}

FakeRequest
fake_take_request(Engine *engine)
{
    FakeRequest request;

    g_mutex_lock(&engine->lock);
    request = engine->request;
    memset(&engine->request, 0, sizeof(engine->request));
    g_mutex_unlock(&engine->lock);
    return request;
}

void *
engine_memory_at(Engine *engine, uint64_t gpa, size_t size)
{
    if (gpa > engine->ram_size || size > engine->ram_size - gpa)
        return NULL;
    return engine->ram + gpa;
}

/* Visibly, even if nobody touches it again */
void
engine_memory_release(Engine *engine, void *at, size_t size)
{
    uint8_t *begin = at;

    g_assert(begin >= engine->ram && size > 0 && size % 4096 == 0);
    g_assert((size_t)(begin - engine->ram) % 4096 == 0);
    g_assert(begin + size <= engine->ram + engine->ram_size);
    memset(begin, 0, size);
    g_atomic_int_inc(&engine->releases);
}

unsigned
fake_releases(Engine *engine)
{
    return (unsigned)g_atomic_int_get(&engine->releases);
}

uint8_t *
fake_ram(Engine *engine)
{
    return engine->ram;
}

bool
engine_memory_read(Engine *engine, uint64_t gpa, void *buffer, size_t size)
{
    const void *ram = engine_memory_at(engine, gpa, size);

    if (ram)
        memcpy(buffer, ram, size);
    return ram != NULL;
}

bool
engine_memory_write(Engine *engine, uint64_t gpa, const void *buffer,
                    size_t size)
{
    void *ram = engine_memory_at(engine, gpa, size);

    if (ram)
        memcpy(ram, buffer, size);
    return ram != NULL;
}

EngineDevice *
engine_device_of(Engine *engine, const EngineDeviceType *type)
{
    for (guint i = 0; i < engine->devices->len; i++) {
        EngineDevice *device = g_ptr_array_index(engine->devices, i);

        if (device->type == type)
            return device;
    }
    return NULL;
}

EngineDevice *
engine_device_find(Engine *engine, const EngineDeviceType *type, unsigned index)
{
    for (guint i = 0; i < engine->devices->len; i++) {
        EngineDevice *device = g_ptr_array_index(engine->devices, i);

        if (device->type == type && device->index == index)
            return device;
    }
    return NULL;
}

EngineDevice *
engine_device_by_id(Engine *engine, const char *id)
{
    for (guint i = 0; i < engine->devices->len; i++) {
        EngineDevice *device = g_ptr_array_index(engine->devices, i);

        if (device->config && strcmp(device->config->id, id) == 0)
            return device;
    }
    return NULL;
}

/* --- engine/engine.h ------------------------------------------------------ */
void
engine_set_listener(Engine *engine, EngineEventFn listener, void *opaque)
{
    engine->listener = listener;
    engine->listener_opaque = opaque;
}

void
engine_event(Engine *engine, const char *name, json_t *data)
{
    json_t *owned = data ? data : json_object();

    if (engine->listener)
        engine->listener(engine->listener_opaque, name, owned);
    json_decref(owned);
}

void
engine_event_post(Engine *engine, const char *name, json_t *data)
{
    json_t *event = json_pack("{s:s,s:o}", "event", name, "data",
                              data ? data : json_object());

    g_mutex_lock(&engine->lock);
    g_queue_push_tail(&engine->events, event);
    g_mutex_unlock(&engine->lock);
}

json_t *
fake_take_event(Engine *engine)
{
    json_t *event;

    g_mutex_lock(&engine->lock);
    event = g_queue_pop_head(&engine->events);
    g_mutex_unlock(&engine->lock);
    return event;
}

void
fake_set_status(Engine *engine, EngineStatus status)
{
    engine->status = status;
}

static bool
move_status(Engine *engine, EngineStatus status, const char *event,
            GError **error)
{
    if (engine->status == status) {
        error_set(error, VIR_ERR_OPERATION_INVALID, "the domain is already %s",
                  engine_status_name(status));
        return false;
    }
    engine->status = status;
    engine_event(engine, event, NULL);
    return true;
}

bool
engine_stop(Engine *engine, GError **error)
{
    return move_status(engine, ENGINE_STATUS_PAUSED, "STOP", error);
}

bool
engine_cont(Engine *engine, GError **error)
{
    return move_status(engine, ENGINE_STATUS_RUNNING, "RESUME", error);
}

bool
engine_powerdown(Engine *engine, GError **error)
{
    engine->powerdowns++;
    engine_event(engine, "POWERDOWN", NULL);
    return true;
}

/* Those that were plugged in are remembered, nothing else is done with them. */
bool
engine_device_plug(Engine *engine, EngineDeviceConfig *config, GError **error)
{
    g_ptr_array_add(engine->plugged, config);
    return true;
}

bool
engine_device_unplug(Engine *engine, const char *id, GError **error)
{
    for (guint i = 0; i < engine->plugged->len; i++) {
        EngineDeviceConfig *config = g_ptr_array_index(engine->plugged, i);

        if (strcmp(config->id, id) != 0)
            continue;
        g_ptr_array_remove_index(engine->plugged, i);
        engine_event(engine, "DEVICE_DELETED", json_pack("{s:s}", "id", id));
        return true;
    }
    error_set(error, VIR_ERR_DEVICE_MISSING, "there is no device '%s'", id);
    return false;
}

void
engine_device_replace_fds(Engine *engine, EngineDevice *device,
                          const GArray *fds)
{
    GArray *own = device->config->fds;

    g_array_set_size(own, 0);
    if (fds)
        g_array_append_vals(own, fds->data, fds->len);
}

GPtrArray *
engine_device_configs(Engine *engine)
{
    GPtrArray *configs = g_ptr_array_new();

    for (guint i = 0; i < engine->devices->len; i++) {
        EngineDevice *device = g_ptr_array_index(engine->devices, i);

        if (device->config)
            g_ptr_array_add(configs, (void *)device->config);
    }
    for (guint i = 0; i < engine->plugged->len; i++)
        g_ptr_array_add(configs, g_ptr_array_index(engine->plugged, i));
    return configs;
}

void
engine_set_reboot(Engine *engine, bool reboot)
{
    engine->reboot = reboot;
}

bool
fake_reboot(Engine *engine)
{
    return engine->reboot;
}

unsigned
fake_powerdowns(Engine *engine)
{
    return engine->powerdowns;
}

bool
engine_reset(Engine *engine, GError **error)
{
    engine_event(engine, "RESET", json_pack("{s:b}", "guest", 0));
    return true;
}

void
engine_quit(Engine *engine, const char *reason)
{
    if (!engine->quit_reason)
        engine->quit_reason = g_strdup(reason);
}

const char *
fake_quit_reason(Engine *engine)
{
    return engine->quit_reason;
}

EngineStatus
engine_status(const Engine *engine)
{
    return engine->status;
}

const char *
engine_status_name(EngineStatus status)
{
    static const char *const names[] = {
        [ENGINE_STATUS_PRELAUNCH] = "prelaunch",
        [ENGINE_STATUS_RUNNING] = "running",
        [ENGINE_STATUS_PAUSED] = "paused",
        [ENGINE_STATUS_SHUTDOWN] = "shutdown",
        [ENGINE_STATUS_PANICKED] = "guest-panicked",
        [ENGINE_STATUS_INTERNAL_ERROR] = "internal-error",
    };

    return names[status];
}

const EngineConfig *
engine_config(const Engine *engine)
{
    return engine->config;
}

const char *
engine_report(const Engine *engine)
{
    return engine->status == ENGINE_STATUS_INTERNAL_ERROR ? "fake report" : "";
}

GArray *
engine_cpus(Engine *engine)
{
    GArray *cpus = g_array_new(FALSE, TRUE, sizeof(EngineCpuInfo));

    for (unsigned i = 0; i < engine->config->vcpus; i++) {
        EngineCpuInfo info = { i, 1000 + (int)i, i == 1, 7 };

        g_array_append_val(cpus, info);
    }
    return cpus;
}
