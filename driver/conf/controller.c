/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/controller.h"

#include <string.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* Ports of a virtio-serial device, the console's port 0 among them */
#define PORTS_MAX 31

static const char *const type_names[] = { NULL,     "ide",  "fdc",
                                          "scsi",   "sata", "virtio-serial",
                                          "ccid",   "usb",  "pci",
                                          "xenbus", "isa",  "" };

static void
controller_init(void *base)
{
    ConfController *controller = base;

    controller->index = controller->ports = -1;
}

static bool
controller_check(void *base, const xmlNode *node, unsigned flags,
                 GError **error)
{
    ConfController *controller = base;

    controller->address.plain =
        controller->type != CONF_CONTROLLER_VIRTIO_SERIAL;
    if (controller->type == CONF_CONTROLLER_ABSENT) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing type of <controller> (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (controller->type != CONF_CONTROLLER_VIRTIO_SERIAL ||
        controller->ports <= PORTS_MAX)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Invalid ports: %d: a virtio-serial controller has at most %d "
                "(line %ld)"),
              controller->ports, PORTS_MAX, xmlGetLineNo(node));
    return false;
}

static const ConfField driver_fields[] = {
    CONF_CARRY_ATTR("queues", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("cmd_per_lun", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("max_sectors", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("ioeventfd", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("iothread", .policy = CONF_QUIET),
    CONF_VIRTIO_ROWS(ConfController),
    CONF_END
};
static const ConfElement driver_element = { .name = "driver",
                                            .fields = driver_fields };

static const ConfField controller_fields[] = {
    CONF_ATTR("type", ConfController, type, enum, .names = type_names,
              .flags = CONF_REQUIRED),
    CONF_ATTR("index", ConfController, index, number),
    CONF_ATTR("model", ConfController, model, token),
    CONF_ATTR("ports", ConfController, ports, number),
    CONF_CARRY_ATTR("vectors", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("maxGrantFrames", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("maxEventChannels", .policy = CONF_QUIET),
    CONF_CARRY("model", .policy = CONF_QUIET),
    CONF_CARRY("target", .policy = CONF_QUIET),
    CONF_GROUP("driver", driver_element),
    CONF_CARRY("master", .policy = CONF_QUIET),
    CONF_DEVICE_ROWS(ConfController),
    CONF_CARRY("pcihole64", .policy = CONF_QUIET),
    CONF_END
};
const ConfElement conf_controller_element = { .name = "controller",
                                              .fields = controller_fields,
                                              .size = sizeof(ConfController),
                                              .carried = offsetof(
                                                  ConfController, carried),
                                              .init = controller_init,
                                              .check = controller_check };

/* --- in a domain ------------------------------------------------------------
 */
static bool
has_master(const ConfController *controller)
{
    for (const ConfCarriedItem *item = controller->carried.first; item;
         item = item->next)
        if (g_str_has_prefix(item->text, "<master"))
            return true;
    return false;
}

/* The companion of a USB controller shares its number. */
static int
next_index(const GPtrArray *list, guint own)
{
    const ConfController *controller = g_ptr_array_index(list, own);
    int highest = -1;

    for (guint i = 0; i < own; i++) {
        const ConfController *other = g_ptr_array_index(list, i);

        if (other->type == controller->type)
            highest = MAX(highest, other->index);
    }
    if (highest >= 0 && has_master(controller))
        return highest;
    return highest < INT_MAX ? highest + 1 : highest;
}

void
conf_domain_fill_controllers(ConfDomain *domain)
{
    for (guint i = 0; i < domain->controllers->len; i++) {
        ConfController *controller = g_ptr_array_index(domain->controllers, i);

        if (controller->index < 0)
            controller->index = next_index(domain->controllers, i);
    }
}

char *
conf_controller_alias(const ConfController *controller)
{
    bool first = controller->index == 0;

    if (controller->type == CONF_CONTROLLER_PCI)
        return g_strdup_printf(
            "%s.%d",
            first && g_strcmp0(controller->model, "pcie-root") == 0 ? "pcie"
                                                                    : "pci",
            controller->index);
    if (first && (controller->type == CONF_CONTROLLER_SATA ||
                  controller->type == CONF_CONTROLLER_IDE))
        return g_strdup("ide");
    if (first && controller->type == CONF_CONTROLLER_USB)
        return g_strdup("usb");
    return g_strdup_printf("%s%d", type_names[controller->type],
                           controller->index);
}
