/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

#include "conf/element.h"
#include "conf/table.h"
#include "util/error.h"
#include "util/i18n.h"

/* Ports of virtio-serial controllers: channels, and consoles of type virtio.
 * Port 0 is for consoles only. */
#define PORTS_MAX       31
#define CONTROLLERS_MAX 16
#define PORT_TYPE       "virtio-serial"

static ConfController *
find_controller(const ConfDomain *domain, int index)
{
    for (guint i = 0; i < domain->controllers->len; i++) {
        ConfController *controller = g_ptr_array_index(domain->controllers, i);

        if (controller->type == CONF_CONTROLLER_VIRTIO_SERIAL &&
            controller->index == index)
            return controller;
    }
    return NULL;
}

static ConfController *
add_controller(ConfDomain *domain, int index)
{
    ConfController *added = conf_table_new(&conf_controller_element);

    added->type = CONF_CONTROLLER_VIRTIO_SERIAL;
    added->index = index;
    g_ptr_array_add(domain->controllers, added);
    return added;
}

static bool
is_placed(const ConfPortAddress *address)
{
    return g_strcmp0(address->type, PORT_TYPE) == 0 && address->port >= 0;
}

/* Those that have a port, or want one */
static GPtrArray *
all_of(const ConfDomain *domain)
{
    GPtrArray *const lists[] = { domain->consoles, domain->channels };
    GPtrArray *all = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint j = 0; j < lists[i]->len; j++)
            if (conf_chardev_is_virtio(g_ptr_array_index(lists[i], j)))
                g_ptr_array_add(all, g_ptr_array_index(lists[i], j));
    return all;
}

static int
ports_of(const ConfController *controller)
{
    return controller->ports > 0 ? controller->ports : PORTS_MAX;
}

static bool
is_console(const ConfDomain *domain, const ConfChardev *chardev)
{
    return g_ptr_array_find(domain->consoles, chardev, NULL);
}

/* The lowest port that is free, of @controller */
static bool
take_port(uint32_t *taken, ConfChardev *chardev,
          const ConfController *controller, int first)
{
    for (int port = first; port < ports_of(controller); port++) {
        if (taken[controller->index] & 1u << port)
            continue;
        taken[controller->index] |= 1u << port;
        g_free(chardev->address.type);
        chardev->address.type = g_strdup(PORT_TYPE);
        chardev->address.controller = controller->index;
        chardev->address.bus = MAX(chardev->address.bus, 0);
        chardev->address.port = port;
        return true;
    }
    return false;
}

static bool
place(ConfDomain *domain, uint32_t *taken, ConfChardev *chardev, GError **error)
{
    int first = is_console(domain, chardev) ? 0 : 1;

    for (int i = MAX(chardev->address.controller, 0); i < CONTROLLERS_MAX;
         i++) {
        const ConfController *controller = find_controller(domain, i);

        if (!controller)
            controller = add_controller(domain, i);
        if (take_port(taken, chardev, controller, first))
            return true;
        if (chardev->address.controller >= 0)
            break;
    }
    error_set(error, VIR_ERR_XML_ERROR,
              _("Unable to find a free virtio-serial port"));
    return false;
}

/* What the document says of a port has to be possible. */
static bool
check_port(ConfDomain *domain, uint32_t *taken, const ConfPortAddress *address,
           GError **error)
{
    int index = MAX(address->controller, 0), port = address->port;
    const ConfController *controller = find_controller(domain, index);

    if (index >= CONTROLLERS_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("virtio-serial controller %d is beyond the last, %d"),
                  index, CONTROLLERS_MAX - 1);
        return false;
    }
    if (!controller)
        controller = add_controller(domain, index);
    if (port >= ports_of(controller)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("virtio serial device has invalid port %d: controller %d "
                    "has ports 0 to %d"),
                  port, index, ports_of(controller) - 1);
        return false;
    }
    if (taken[index] & 1u << port) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("virtio serial port %d on controller %d is already "
                    "occupied"),
                  port, index);
        return false;
    }
    taken[index] |= 1u << port;
    return true;
}

bool
conf_domain_fill_channels(ConfDomain *domain, bool consoles, GError **error)
{
    g_autoptr(GPtrArray) all = all_of(domain);
    uint32_t taken[CONTROLLERS_MAX] = { 0 };

    if (all->len > 0 && !find_controller(domain, 0))
        add_controller(domain, 0);

    for (guint i = 0; i < all->len; i++) {
        const ConfChardev *chardev = g_ptr_array_index(all, i);

        if (is_placed(&chardev->address) &&
            !check_port(domain, taken, &chardev->address, error))
            return false;
    }
    for (guint i = 0; i < all->len; i++) {
        ConfChardev *chardev = g_ptr_array_index(all, i);

        if (!is_placed(&chardev->address) &&
            (consoles || !is_console(domain, chardev)) &&
            !place(domain, taken, chardev, error))
            return false;
    }
    return true;
}
