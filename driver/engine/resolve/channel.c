/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

/* virtio-serial: channels, and consoles of type virtio */

/* Characters of a domain's name in the name of its folder: the path of a
 * socket is short, and the domain's number is unique. */
#define SHORT_NAME 20

static char *
folder_of(const ConfDomain *domain, const char *run_dir)
{
    glong length = MIN(g_utf8_strlen(domain->name, -1), SHORT_NAME);
    g_autofree char *name = g_utf8_substring(domain->name, 0, length);

    return g_strdup_printf("%s" CONF_CHANNEL_FOLDER "domain-%d-%s", run_dir,
                           MAX(domain->live.id, 0), name);
}

/* libvirt's place for the socket of a channel that names none, below the folder
 * for running domains. */
static bool
choose_path(const EngineResolved *resolved, ConfChardev *channel,
            GError **error)
{
    const char *run_dir = resolved->context->run_dir;
    g_autofree char *folder = NULL;

    if (channel->type != CONF_CHARDEV_UNIX || channel->path)
        return true;
    if (!run_dir || !channel->name || strchr(channel->name, '/')) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the channel '%s' cannot have a socket of its own: name "
                    "one with <source path=''>"),
                  channel->name ? channel->name : "");
        return false;
    }
    folder = folder_of(resolved->domain, run_dir);
    if (!file_make_dirs(folder, 0700, error))
        return false;
    channel->path = g_build_filename(folder, channel->name, NULL);
    return true;
}

void
engine_document_leave_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    if (strstr(path, CONF_CHANNEL_FOLDER "domain-"))
        rmdir(folder); /* fails for as long as others are in it */
}

/* What the live definition says from the start on */
static void
show(ConfChardev *conf, bool console)
{
    if (!console) {
        conf->state = CONF_CHANNEL_DISCONNECTED;
        return;
    }
    g_free(conf->tty);
    conf->tty = conf->type == CONF_CHARDEV_PTY ? g_strdup(conf->path) : NULL;
}

static bool
add_port(EngineResolved *resolved, json_t *ports, ConfChardev *conf,
         bool console, GError **error)
{
    json_t *port = json_object(), *chardev = json_object();

    json_array_append_new(ports, port);
    json_object_set_new(port, "number", json_integer(conf->address.port));
    json_object_set_new(port, "console", json_boolean(console));
    if (conf->name)
        json_object_set_new(port, "name", json_string(conf->name));
    json_object_set_new(port, "chardev", chardev);
    if (!choose_path(resolved, conf, error) ||
        !engine_document_chardev(resolved, chardev, conf,
                                 console ? "console" : "channel", error))
        return false;
    show(conf, console);
    return true;
}

/* conf_domain_check_start() has said which are left out. */
static bool
is_port(const ConfChardev *chardev)
{
    return conf_chardev_is_virtio(chardev) &&
           chardev->type != CONF_CHARDEV_OTHER;
}

static bool
add_ports(EngineResolved *resolved, json_t *ports,
          const ConfController *controller, GError **error)
{
    const GPtrArray *const lists[] = { resolved->domain->consoles,
                                       resolved->domain->channels };

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint j = 0; j < lists[i]->len; j++) {
            ConfChardev *chardev = g_ptr_array_index(lists[i], j);

            if (is_port(chardev) &&
                MAX(chardev->address.controller, 0) == controller->index &&
                !add_port(resolved, ports, chardev, i == 0, error))
                return false;
        }
    return true;
}

static bool
add_controller(EngineResolved *resolved, const ConfController *controller,
               GError **error)
{
    json_t *device =
        engine_document_add(resolved, "virtio-serial", controller->alias,
                            &controller->address, error);
    json_t *ports;

    if (!device)
        return false;
    ports = json_array();
    json_object_set_new(device, "packed",
                        json_boolean(controller->packed == CONF_ONOFF_ON));
    json_object_set_new(device, "ports", ports);
    return add_ports(resolved, ports, controller, error);
}

/* Since consoles get their ports only when a domain is started */
static bool
check_placed(const GPtrArray *list, GError **error)
{
    for (guint i = 0; i < list->len; i++) {
        const ConfChardev *chardev = g_ptr_array_index(list, i);

        if (!is_port(chardev) || chardev->address.port >= 0)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("Unable to find a free virtio-serial port"));
        return false;
    }
    return true;
}

bool
engine_document_ports(EngineResolved *resolved, GError **error)
{
    const ConfDomain *domain = resolved->domain;

    if (!check_placed(domain->consoles, error) ||
        !check_placed(domain->channels, error))
        return false;
    for (guint i = 0; i < domain->controllers->len; i++) {
        const ConfController *controller =
            g_ptr_array_index(domain->controllers, i);

        if (controller->type == CONF_CONTROLLER_VIRTIO_SERIAL &&
            !add_controller(resolved, controller, error))
            return false;
    }
    return true;
}
