/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "engine/dev/dev.h"
#include "engine/machine.h"
#include "util/error.h"
#include "util/i18n.h"

/*
 * Devices that come and go while the machine is there. The devices change only
 * while no vCPU is in the guest or in one of its exits, so that nothing of what
 * vCPUs use needs a lock for it; I/O threads have only what they were given.
 */
static void
let_go(Engine *engine)
{
    if (engine->status == ENGINE_STATUS_RUNNING)
        engine_vcpus_resume(&engine->vcpus, false);
}

static bool
check_there(Engine *engine, GError **error)
{
    if (engine_hotplug_is_there(engine))
        return true;
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
              _("this machine cannot plug devices in or out: it needs PCI and "
                "ACPI"));
    return false;
}

static unsigned
count_in_slot(const Engine *engine, unsigned slot)
{
    unsigned count = 0;

    for (unsigned i = 0; i < engine->devices.count; i++) {
        const EngineDeviceConfig *config = engine->devices.items[i]->config;

        count += config && config->slot == slot;
    }
    return count;
}

/* --- in ------------------------------------------------------------------- */
static bool
check_place(Engine *engine, const EngineDeviceConfig *config, GError **error)
{
    if (config->slot != 0 && !check_there(engine, error))
        return false;
    if (engine_device_by_id(engine, config->id)) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("there is a device '%s' already"), config->id);
        return false;
    }
    if (config->slot == 0)
        return true; /* its controller has a place for it, or not */
    if (config->function != 0) {
        error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
                  _("only function 0 of a PCI slot can be plugged in while the "
                    "domain runs, not function %u"),
                  config->function);
        return false;
    }
    if (count_in_slot(engine, config->slot) > 0) {
        error_set(error, VIR_ERR_OPERATION_FAILED, _("PCI slot %#04x is taken"),
                  config->slot);
        return false;
    }
    return true;
}

bool
engine_device_plug(Engine *engine, EngineDeviceConfig *config, GError **error)
{
    bool ok;

    if (!check_place(engine, config, error))
        return false;
    engine_vcpus_stop(&engine->vcpus);
    ok = engine_devices_plug(engine, config, error);
    /* Before its first instruction a guest has looked nowhere yet. */
    if (ok && config->slot != 0 && engine->status != ENGINE_STATUS_PRELAUNCH)
        engine_hotplug_plugged(engine, config->slot);
    let_go(engine);
    return ok;
}

/* --- out ------------------------------------------------------------------ */
static bool
hangs_on(const EngineDevice *device, const EngineDevice *controller)
{
    return device->config && device->config->kind == ENGINE_DEVICE_UNIT &&
           strcmp(device->config->unit.controller, controller->config->id) == 0;
}

static EngineDevice *
find_unit_of(const Engine *engine, const EngineDevice *controller)
{
    for (unsigned i = 0; i < engine->devices.count; i++)
        if (hangs_on(engine->devices.items[i], controller))
            return engine->devices.items[i];
    return NULL;
}

/* With what hangs on it. Needs the vCPUs to be stopped. */
static void
remove_device(Engine *engine, EngineDevice *device)
{
    json_t *data = json_pack("{s:o}", "id", engine_text(device->config->id));
    EngineDevice *unit = find_unit_of(engine, device);

    for (; unit; unit = find_unit_of(engine, device)) {
        json_t *of_unit =
            json_pack("{s:o}", "id", engine_text(unit->config->id));

        engine_devices_unplug(engine, unit);
        engine_event(engine, "DEVICE_DELETED", of_unit);
    }
    engine_devices_unplug(engine, device);
    engine_event(engine, "DEVICE_DELETED", data);
}

/* Those in @slots, or (0) those that were to go */
static void
remove_devices(Engine *engine, uint32_t slots)
{
    for (unsigned i = engine->devices.count; i-- > 0;) {
        EngineDevice *device = engine->devices.items[i];

        if (device->config && device->config->slot != 0 &&
            (slots ? (slots >> device->config->slot & 1) : device->leaving))
            remove_device(engine, device);
    }
}

void
engine_hotplug_settle(Engine *engine)
{
    remove_devices(engine, 0);
}

/* Its controller tells the guest, which has no say. */
static void
unplug_unit(Engine *engine, EngineDevice *device)
{
    engine_vcpus_stop(&engine->vcpus);
    remove_device(engine, device);
    let_go(engine);
}

static bool
check_leaving(Engine *engine, const EngineDevice *device, GError **error)
{
    if (find_unit_of(engine, device)) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("device cannot be detached: device is busy"));
        return false;
    }
    if (!check_there(engine, error))
        return false;
    if (count_in_slot(engine, device->config->slot) == 1)
        return true;
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
              _("'%s' shares its PCI slot with other devices and cannot be "
                "plugged out alone"),
              device->config->id);
    return false;
}

bool
engine_device_unplug(Engine *engine, const char *id, GError **error)
{
    EngineDevice *device = engine_device_by_id(engine, id);

    if (!device) {
        error_set(error, VIR_ERR_DEVICE_MISSING, _("there is no device '%s'"),
                  id);
        return false;
    }
    if (device->config->slot == 0) {
        unplug_unit(engine, device);
        return true;
    }
    if (!check_leaving(engine, device, error))
        return false;
    /* A guest that has not begun, or has ended, uses nothing. */
    if (engine->status != ENGINE_STATUS_RUNNING &&
        engine->status != ENGINE_STATUS_PAUSED) {
        remove_device(engine, device);
        return true;
    }
    if (!engine_hotplug_ask(engine, device->config->slot)) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the guest does not listen to requests to let go of '%s': "
                    "it has no driver for ACPI, or not yet"),
                  id);
        return false;
    }
    device->leaving = true;
    return true;
}

/* --- the guest's answers -------------------------------------------------- */
/* Thread: main */
static gboolean
on_eject(gpointer opaque)
{
    Engine *engine = opaque;
    uint32_t slots = __atomic_exchange_n(&engine->ejected, 0, __ATOMIC_ACQ_REL);

    engine_vcpus_stop(&engine->vcpus);
    if (slots)
        remove_devices(engine, slots);
    /* A request has a hold of its own, until it has been acted on. */
    if (__atomic_load_n(&engine->request, __ATOMIC_ACQUIRE) == 0)
        engine_vcpus_unhold(&engine->vcpus);
    let_go(engine);
    return G_SOURCE_REMOVE;
}

void
engine_eject(Engine *engine, uint32_t slots)
{
    if (slots == 0 ||
        __atomic_fetch_or(&engine->ejected, slots, __ATOMIC_ACQ_REL) != 0)
        return;
    engine_vcpus_hold(&engine->vcpus);
    g_idle_add_full(G_PRIORITY_HIGH, on_eject, engine, NULL);
}

/* Thread: main */
static gboolean
on_refused(gpointer opaque)
{
    Engine *engine = opaque;
    uint32_t slots = __atomic_exchange_n(&engine->refused, 0, __ATOMIC_ACQ_REL);

    for (unsigned i = 0; i < engine->devices.count; i++) {
        EngineDevice *device = engine->devices.items[i];

        if (!device->leaving || !(slots >> device->config->slot & 1))
            continue;
        device->leaving = false;
        engine_event(engine, "DEVICE_UNPLUG_GUEST_ERROR",
                     json_pack("{s:o}", "id", engine_text(device->config->id)));
    }
    return G_SOURCE_REMOVE;
}

void
engine_eject_refused(Engine *engine, uint32_t slots)
{
    if (slots != 0 &&
        __atomic_fetch_or(&engine->refused, slots, __ATOMIC_ACQ_REL) == 0)
        g_idle_add_full(G_PRIORITY_HIGH, on_refused, engine, NULL);
}
