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

bool
conf_controller_is_scsi(const ConfController *controller)
{
    static const char *const models[] = { "virtio-scsi", "virtio-transitional",
                                          "virtio-non-transitional", NULL };

    return controller->type == CONF_CONTROLLER_SCSI && controller->model &&
           g_strv_contains(models, controller->model);
}

/* Of the SCSI controllers that there are, a guest has one model. */
static void
name_model(ConfController *controller)
{
    if (controller->type != CONF_CONTROLLER_SCSI ||
        (controller->model && strcmp(controller->model, "auto") != 0))
        return;
    g_free(controller->model);
    controller->model = g_strdup("virtio-scsi");
}

/* As the engine has it */
static bool
check_driver(const ConfController *controller, GError **error)
{
    static const struct {
        const char *name;
        size_t offset;
        unsigned most;
    } bounds[] = {
        { "queues", offsetof(ConfController, queues), 16 },
        { "cmd_per_lun", offsetof(ConfController, cmd_per_lun), 1024 },
        { "max_sectors", offsetof(ConfController, max_sectors), 1 << 20 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bounds); i++) {
        unsigned value;

        memcpy(&value, (const char *)controller + bounds[i].offset,
               sizeof(value));
        if (value <= bounds[i].most)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("%s '%u' of a SCSI controller is more than %u"),
                  bounds[i].name, value, bounds[i].most);
        return false;
    }
    return true;
}

static bool
controller_check(void *base, const xmlNode *node, unsigned flags,
                 GError **error)
{
    ConfController *controller = base;

    name_model(controller);
    controller->address.plain =
        controller->type != CONF_CONTROLLER_VIRTIO_SERIAL &&
        !conf_controller_is_scsi(controller);
    if (controller->type == CONF_CONTROLLER_ABSENT) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing type of <controller> (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (controller->type == CONF_CONTROLLER_SCSI)
        return check_driver(controller, error);
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
    CONF_ATTR("queues", ConfController, queues, uint),
    CONF_ATTR("cmd_per_lun", ConfController, cmd_per_lun, uint),
    CONF_ATTR("max_sectors", ConfController, max_sectors, uint),
    CONF_CARRY_ATTR("ioeventfd", .policy = CONF_QUIET),
    CONF_ATTR("iothread", ConfController, iothread, uint),
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

ConfController *
conf_domain_controller(const ConfDomain *domain, ConfControllerType type,
                       unsigned index)
{
    for (guint i = 0; i < domain->controllers->len; i++) {
        ConfController *controller = g_ptr_array_index(domain->controllers, i);

        if (controller->type == type && controller->index == (int)index)
            return controller;
    }
    return NULL;
}

void
conf_domain_add_controller(ConfDomain *domain, ConfControllerType type,
                           unsigned index)
{
    ConfController *added = conf_table_new(&conf_controller_element);

    added->type = type;
    added->index = (int)index;
    name_model(added);
    added->address.plain = !conf_controller_is_scsi(added);
    g_ptr_array_add(domain->controllers, added);
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
