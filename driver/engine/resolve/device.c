/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>

#include "engine/resolve/image.h"
#include "engine/resolve/open.h"
#include "util/error.h"
#include "util/i18n.h"

/* The host kernel's own generator */
#define RANDOM_PATH "/dev/urandom"

json_t *
engine_document_add(EngineResolved *resolved, const char *type,
                    const char *alias, const ConfAddress *address,
                    GError **error)
{
    unsigned slot = conf_domain_place(resolved->domain, address);
    json_t *device;

    if (slot == 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("No more available PCI slots"));
        return NULL;
    }
    device =
        json_pack("{s:s,s:s,s:i,s:i}", "type", type, "id", alias, "slot",
                  (int)slot, "function",
                  address->bus || address->domain ? 0 : (int)address->function);
    json_array_append_new(json_object_get(resolved->root, "devices"), device);
    return device;
}

bool
engine_document_rng(EngineResolved *resolved, ConfRng *rng, GError **error)
{
    json_t *device = engine_document_add(resolved, "virtio-rng", rng->alias,
                                         &rng->address, error);
    int fd;

    if (!device)
        return false;
    json_object_set_new(device, "packed",
                        json_boolean(rng->packed == CONF_ONOFF_ON));
    if (rng->bytes > 0) {
        json_t *rate = json_object();

        json_object_set_new(
            rate, "bytes",
            json_integer((json_int_t)MIN(rng->bytes, (uint64_t)INT64_MAX)));
        if (rng->period_ms > 0)
            json_object_set_new(rate, "period_ms",
                                json_integer(rng->period_ms));
        json_object_set_new(device, "rate", rate);
    }
    fd = engine_open_random(
        rng->backend == CONF_RNG_RANDOM && rng->path ? rng->path : RANDOM_PATH,
        error);
    if (fd < 0) {
        g_prefix_error(error, "<rng>: ");
        return false;
    }
    engine_document_add_fd(resolved, device, "fd", fd);
    return true;
}

static bool
add_memballoon(EngineResolved *resolved, const ConfMemballoon *balloon,
               GError **error)
{
    const ConfMemory *memory = &resolved->domain->memory;
    json_t *device;

    if (strcmp(balloon->model, "none") == 0)
        return true;
    device = engine_document_add(resolved, "virtio-balloon", balloon->alias,
                                 &balloon->address, error);
    if (!device)
        return false;
    json_object_set_new(device, "packed",
                        json_boolean(balloon->packed == CONF_ONOFF_ON));
    json_object_set_new(device, "deflate_on_oom",
                        json_boolean(balloon->autodeflate == CONF_ONOFF_ON));
    json_object_set_new(
        device, "free_page_reporting",
        json_boolean(balloon->free_page_reporting == CONF_ONOFF_ON));
    if (balloon->period_s > 0)
        json_object_set_new(device, "stats_period_s",
                            json_integer(balloon->period_s));
    if (memory->current_kib > 0 && memory->current_kib < memory->memory_kib)
        json_object_set_new(
            device, "target",
            json_integer((json_int_t)(memory->current_kib * 1024)));
    return true;
}

static bool
refuse_live(const ConfDevice *device, GError **error)
{
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
              _("live attach of device '%s' is not supported"),
              conf_device_name(device->kind));
    return false;
}

static bool
add_one(EngineResolved *resolved, const ConfDevice *device, GError **error)
{
    switch (device->kind) {
    case CONF_DEVICE_CONTROLLER:
        return engine_document_controller(resolved, device->data, error);
    case CONF_DEVICE_DISK:
        return engine_document_disk(resolved, device->data, error);
    case CONF_DEVICE_INTERFACE:
        return engine_document_interface(resolved, device->data, error);
    case CONF_DEVICE_RNG:
        return engine_document_rng(resolved, device->data, error);
    case CONF_DEVICE_MEMBALLOON:
        return add_memballoon(resolved, device->data, error);
    case CONF_DEVICE_SERIAL:
    case CONF_DEVICE_CONSOLE:
    case CONF_DEVICE_CHANNEL:
    case CONF_DEVICE_PANIC:
        break;
    }
    return refuse_live(device, error);
}

bool
engine_document_devices(EngineResolved *resolved, GError **error)
{
    static const ConfDeviceKind kinds[] = {
        CONF_DEVICE_CONTROLLER, CONF_DEVICE_DISK, CONF_DEVICE_INTERFACE,
        CONF_DEVICE_MEMBALLOON, CONF_DEVICE_RNG
    };
    const ConfDomain *domain = resolved->domain;

    json_object_set_new(resolved->root, "devices", json_array());
    if (strcmp(domain->os.machine, "microvm") == 0)
        return true; /* conf_domain_check_start() has said so */
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const GPtrArray *list = conf_device_list(domain, kinds[i]);

        for (guint j = 0; j < list->len; j++) {
            ConfDevice device = { .kind = kinds[i],
                                  .data = g_ptr_array_index(list, j) };

            if (!add_one(resolved, &device, error))
                return false;
        }
    }
    return engine_document_ports(resolved, error);
}

/* What device_add takes */
static void
make_argument(EngineResolved *resolved)
{
    json_t *devices = json_object_get(resolved->root, "devices");

    json_object_set(resolved->root, "device", json_array_get(devices, 0));
    json_object_del(resolved->root, "devices");
}

EngineResolved *
engine_resolve_medium(ConfDomain *domain, ConfDisk *disk,
                      const EngineResolveContext *context, GError **error)
{
    g_autoptr(EngineResolved) resolved = engine_resolved_new(domain, context);

    if (disk->path) {
        json_t *drive = engine_image_chain(resolved, disk, error);

        if (!drive) {
            g_prefix_error(error, _("disk '%s': "), disk->target);
            return NULL;
        }
        json_object_set_new(resolved->root, "drive", drive);
    }
    return engine_resolved_finish(g_steal_pointer(&resolved), error);
}

EngineResolved *
engine_resolve_device(ConfDomain *domain, const ConfDevice *device,
                      const EngineResolveContext *context, GError **error)
{
    g_autoptr(EngineResolved) resolved = engine_resolved_new(domain, context);

    json_object_set_new(resolved->root, "devices", json_array());
    if (!add_one(resolved, device, error))
        return NULL;
    if (json_array_size(json_object_get(resolved->root, "devices")) == 0) {
        refuse_live(device, error);
        return NULL;
    }
    make_argument(resolved);
    return engine_resolved_finish(g_steal_pointer(&resolved), error);
}
