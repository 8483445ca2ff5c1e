/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>

#include "engine/resolve/open.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/i18n.h"

/* The host kernel's own generator */
#define RANDOM_PATH "/dev/urandom"

/* What every device has. Returns: NULL with @error set if there is no place */
static json_t *
add_device(EngineResolved *resolved, const ConfDomain *domain, const char *type,
           const ConfAddress *address, GError **error)
{
    unsigned slot = conf_domain_place(domain, address);
    json_t *device;

    if (slot == 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("No more available PCI slots"));
        return NULL;
    }
    device =
        json_pack("{s:s,s:i,s:i}", "type", type, "slot", (int)slot, "function",
                  address->bus || address->domain ? 0 : (int)address->function);
    json_array_append_new(json_object_get(resolved->root, "devices"), device);
    return device;
}

static void
set_id(json_t *device, const char *alias, const char *prefix, unsigned index)
{
    g_autofree char *made = g_strdup_printf("%s%u", prefix, index);

    json_object_set_new(device, "id", json_string(alias ? alias : made));
}

static bool
add_rng(EngineResolved *resolved, const ConfDomain *domain, unsigned index,
        GError **error)
{
    const ConfRng *rng = g_ptr_array_index(domain->rngs, index);
    json_t *device =
        add_device(resolved, domain, "virtio-rng", &rng->address, error);
    int fd;

    if (!device)
        return false;
    set_id(device, rng->alias, "rng", index);
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

/* Devices of which nothing may be left out */
static bool
check_known(const ConfDomain *domain, GError **error)
{
    if (domain->disks->len == 0 && domain->interfaces->len == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("disks and network interfaces cannot be opened yet"));
    return false;
}

bool
engine_document_devices(EngineResolved *resolved, const ConfDomain *domain,
                        GError **error)
{
    json_object_set_new(resolved->root, "devices", json_array());
    if (strcmp(domain->os.machine, "microvm") == 0)
        return true; /* conf_domain_check_start() has said so */
    if (!check_known(domain, error))
        return false;
    for (guint i = 0; i < domain->rngs->len; i++)
        if (!add_rng(resolved, domain, i, error))
            return false;
    return true;
}
