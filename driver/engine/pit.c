/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/pit.h"

#include <errno.h>
#include <linux/kvm.h>

#include "engine/machine.h"
#include "util/i18n.h"
#include "util/log.h"

#define PIT_PORT     0x40
#define PIT_PORTS    4
#define SPEAKER_PORT 0x61
#define SPEAKER_GATE 0x1 /* channel 2 counts */
#define SPEAKER_DATA 0x2 /* the speaker hears it */

/* Control word, 8254 data sheet: channel, access, mode, BCD */
#define CONTROL_OFFSET        3
#define CONTROL_CHANNEL_SHIFT 6
#define CONTROL_ACCESS_SHIFT  4
#define CONTROL_ACCESS_MASK   0x3
#define CONTROL_MODE_SHIFT    1
#define CONTROL_MODE_MASK     0x7
#define MODES                 6 /* 6 and 7 are other names of 2 and 3 */
#define CHANNELS              3

enum { REGION_PIT, REGION_SPEAKER };

typedef struct Pit {
    EngineDevice device;
    GMutex lock;
    bool made, late_ticks;
    struct kvm_pit_state2 pristine;
} Pit;

static bool
pit_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    g_mutex_init(&((Pit *)device)->lock);
    ((Pit *)device)->late_ticks = config->pit_late_ticks;
    if (!config->pit)
        return true;
    return engine_bus_map(engine, device, ENGINE_SPACE_PIO, PIT_PORT, PIT_PORTS,
                          REGION_PIT, error) &&
           engine_bus_map(engine, device, ENGINE_SPACE_PIO, SPEAKER_PORT, 1,
                          REGION_SPEAKER, error);
}

static void
pit_unrealize(EngineDevice *device)
{
    g_mutex_clear(&((Pit *)device)->lock);
}

/* Needs the lock. Only where ticks that the guest is too late to take are
 * dropped need KVM not watch every end of interrupt. */
static bool
make(Pit *pit)
{
    int vm_fd = pit->device.engine->kvm.vm_fd;
    struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
    struct kvm_reinject_control control = { .pit_reinject = pit->late_ticks };

    if (pit->made)
        return true;
    if (engine_kvm_ioctl(vm_fd, KVM_CREATE_PIT2, &config) < 0 ||
        engine_kvm_ioctl(vm_fd, KVM_GET_PIT2, &pit->pristine) < 0) {
        log_error(_("cannot create an interval timer: %s"), g_strerror(errno));
        return false;
    }
    (void)engine_kvm_ioctl(vm_fd, KVM_REINJECT_CONTROL, &control);
    pit->made = true;
    return true;
}

/* A mode for a channel. The other commands latch values to be read; what is
 * latched of a timer that nobody has set up yet does not matter. */
static void
apply_control(struct kvm_pit_state2 *state, uint8_t value)
{
    unsigned channel = value >> CONTROL_CHANNEL_SHIFT;
    uint8_t access = (value >> CONTROL_ACCESS_SHIFT) & CONTROL_ACCESS_MASK;
    uint8_t mode = (value >> CONTROL_MODE_SHIFT) & CONTROL_MODE_MASK;
    struct kvm_pit_channel_state *target;

    if (channel >= CHANNELS || access == 0)
        return;
    target = &state->channels[channel];
    target->rw_mode = target->read_state = target->write_state = access;
    target->mode = mode < MODES ? mode : mode - 4;
    target->bcd = value & 1;
}

static void
apply_speaker(struct kvm_pit_state2 *state, uint8_t value)
{
    state->channels[2].gate = (value & SPEAKER_GATE) != 0;
    state->flags &= ~(uint32_t)KVM_PIT_FLAGS_SPEAKER_DATA_ON;
    if (value & SPEAKER_DATA)
        state->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
}

static void
pit_write(EngineDevice *device, unsigned region, uint64_t offset, unsigned size,
          uint64_t value)
{
    Pit *pit = (Pit *)device;
    int vm_fd = device->engine->kvm.vm_fd;
    struct kvm_pit_state2 state;

    g_mutex_lock(&pit->lock);
    if (make(pit) && engine_kvm_ioctl(vm_fd, KVM_GET_PIT2, &state) == 0) {
        if (region == REGION_SPEAKER)
            apply_speaker(&state, (uint8_t)value);
        else if (offset == CONTROL_OFFSET)
            apply_control(&state, (uint8_t)value);
        (void)engine_kvm_ioctl(vm_fd, KVM_SET_PIT2, &state);
    }
    g_mutex_unlock(&pit->lock);
}

/* Nothing has been set up: every counter and output is 0. */
static uint64_t
pit_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    Pit *pit = (Pit *)device;

    g_mutex_lock(&pit->lock);
    (void)make(pit);
    g_mutex_unlock(&pit->lock);
    return 0;
}

static void
pit_reset(EngineDevice *device)
{
    Pit *pit = (Pit *)device;

    if (pit->made)
        (void)engine_kvm_ioctl(device->engine->kvm.vm_fd, KVM_SET_PIT2,
                               &pit->pristine);
}

const EngineDeviceType engine_pit_type = {
    .name = "pit",
    .size = sizeof(Pit),
    .realize = pit_realize,
    .unrealize = pit_unrealize,
    .reset = pit_reset,
    .read = pit_read,
    .write = pit_write,
};
