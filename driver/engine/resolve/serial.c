/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <unistd.h>

#include "engine/resolve/open.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
add(EngineResolved *resolved, json_t *chardev, const char *type, int fd)
{
    if (fd < 0)
        return false;
    json_object_set_new(chardev, "type", json_string(type));
    engine_document_add_fd(resolved, chardev, "fd", fd);
    return true;
}

static bool
add_pty(EngineResolved *resolved, json_t *chardev, ConfChardev *conf,
        GError **error)
{
    g_autofree char *path = NULL;

    if (!add(resolved, chardev, "pty", engine_open_pty(&path, error)))
        return false;
    g_free(conf->path);
    conf->path = g_steal_pointer(&path);
    return true;
}

static bool
add_stdio(const EngineResolved *resolved, json_t *chardev, const char *element,
          GError **error)
{
    if (resolved->context->flags & ENGINE_RESOLVE_BY_HAND) {
        json_object_set_new(chardev, "type", json_string("stdio"));
        return true;
    }
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("<%s type='stdio'> is only for an engine run by hand: use "
                "type='pty'"),
              element);
    return false;
}

static bool
add_source(EngineResolved *resolved, json_t *chardev, ConfChardev *conf,
           const char *element, GError **error)
{
    switch (conf->type) {
    case CONF_CHARDEV_NULL:
        json_object_set_new(chardev, "type", json_string("null"));
        return true;
    case CONF_CHARDEV_STDIO:
        return add_stdio(resolved, chardev, element, error);
    case CONF_CHARDEV_PTY:
    case CONF_CHARDEV_ABSENT:
        return add_pty(resolved, chardev, conf, error);
    case CONF_CHARDEV_FILE:
        return add(resolved, chardev, "fd",
                   engine_open_output(conf->path, conf->append == CONF_ONOFF_ON,
                                      error));
    case CONF_CHARDEV_UNIX:
        return add(resolved, chardev, conf->listen ? "listen" : "fd",
                   engine_open_unix(conf, error));
    case CONF_CHARDEV_TCP:
        return add(resolved, chardev, conf->listen ? "listen" : "fd",
                   engine_open_tcp(conf, error));
    case CONF_CHARDEV_OTHER:
        break;
    }
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("<%s type='%s'> is not supported"), element, conf->type_name);
    return false;
}

static bool
add_log(EngineResolved *resolved, json_t *chardev, const ConfChardev *conf,
        GError **error)
{
    int fd;

    if (!conf->log_file)
        return true;
    fd = engine_open_output(conf->log_file, conf->log_append == CONF_ONOFF_ON,
                            error);
    if (fd < 0)
        return false;
    engine_document_add_fd(resolved, chardev, "log_fd", fd);
    return true;
}

bool
engine_document_chardev(EngineResolved *resolved, json_t *chardev,
                        ConfChardev *conf, const char *element, GError **error)
{
    return add_source(resolved, chardev, conf, element, error) &&
           add_log(resolved, chardev, conf, error);
}

static bool
add_serial(EngineResolved *resolved, json_t *serials, ConfChardev *conf,
           GError **error)
{
    json_t *serial = json_object(), *chardev = json_object();

    json_object_set_new(serial, "port", json_integer(conf->port));
    json_object_set_new(serial, "chardev", chardev);
    json_array_append_new(serials, serial);
    return engine_document_chardev(resolved, chardev, conf, "serial", error);
}

/* By hand, the terminal is where one looks for the first pseudo terminal. */
static ConfChardev *
bring_to_terminal(const ConfDomain *domain, unsigned flags)
{
    for (guint i = 0;
         (flags & ENGINE_RESOLVE_BY_HAND) && i < domain->serials->len; i++) {
        ConfChardev *serial = g_ptr_array_index(domain->serials, i);

        if (serial->type == CONF_CHARDEV_STDIO)
            return NULL;
        if (serial->type == CONF_CHARDEV_PTY)
            return serial;
    }
    return NULL;
}

bool
engine_document_serials(EngineResolved *resolved, GError **error)
{
    json_t *serials = json_array();
    ConfDomain *domain = resolved->domain;
    ConfChardev *terminal = bring_to_terminal(domain, resolved->context->flags);

    json_object_set_new(resolved->root, "serials", serials);
    if (terminal)
        terminal->type = CONF_CHARDEV_STDIO;
    for (guint i = 0; i < domain->serials->len; i++) {
        if (!add_serial(resolved, serials,
                        g_ptr_array_index(domain->serials, i), error))
            return false;
    }
    conf_domain_tie_console(domain);
    return true;
}
