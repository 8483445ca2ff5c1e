/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

#define BIT(TYPE)   (1u << CONF_CHARDEV_##TYPE)
#define WHEN(TYPES) CONF_WHEN(ConfChardev, type, TYPES)

static const struct {
    const char *name;
    ConfChardevType type;
} types[] = {
    { "null", CONF_CHARDEV_NULL },      { "pty", CONF_CHARDEV_PTY },
    { "file", CONF_CHARDEV_FILE },      { "stdio", CONF_CHARDEV_STDIO },
    { "unix", CONF_CHARDEV_UNIX },      { "tcp", CONF_CHARDEV_TCP },
    { "vc", CONF_CHARDEV_OTHER },       { "dev", CONF_CHARDEV_OTHER },
    { "pipe", CONF_CHARDEV_OTHER },     { "udp", CONF_CHARDEV_OTHER },
    { "spicevmc", CONF_CHARDEV_OTHER }, { "spiceport", CONF_CHARDEV_OTHER },
    { "nmdm", CONF_CHARDEV_OTHER },     { "qemu-vdagent", CONF_CHARDEV_OTHER },
    { "dbus", CONF_CHARDEV_OTHER },
};

/* type='': the name as written, and what it means to us. */
static bool
chardev_type_parse(const ConfField *field, const xmlNode *node,
                   const char *text, void *member, GError **error)
{
    ConfChardev *chardev =
        (void *)((char *)member - offsetof(ConfChardev, type_name));

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, text) != 0)
            continue;
        chardev->type = types[i].type;
        return conf_type_string.parse(field, node, text, member, error);
    }
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("unknown type presented to host for character device: %s "
                "(element <%s>, line %ld)"),
              text, (const char *)node->name, xmlGetLineNo(node));
    return false;
}

static void
chardev_type_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<choice>");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        g_string_append_printf(out, "<value>%s</value>", types[i].name);
    g_string_append(out, "</choice>");
}

static const ConfType conf_type_chardev_type = { .parse = chardev_type_parse,
                                                 .format = conf_string_format,
                                                 .clear = conf_string_clear,
                                                 .copy = conf_string_copy,
                                                 .schema =
                                                     chardev_type_schema };

static void
type_names(unsigned value, GString *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].type == value)
            g_string_append_printf(out, "<value>%s</value>", types[i].name);
    }
}

static const ConfVariant type_variant = { .name = "type",
                                          .count = CONF_CHARDEV_ABSENT + 1,
                                          .append = type_names };

static bool
missing(const xmlNode *node, const char *attr, GError **error)
{
    error_set(error, VIR_ERR_XML_ERROR,
              _("Missing source %s attribute for char device (element <%s>, "
                "line %ld)"),
              attr, (const char *)node->name, xmlGetLineNo(node));
    return false;
}

static bool
check_mode(ConfChardev *chardev, const xmlNode *node, GError **error)
{
    if (!chardev->mode)
        chardev->mode = g_strdup("connect");
    chardev->listen = strcmp(chardev->mode, "bind") == 0;
    if (chardev->listen || strcmp(chardev->mode, "connect") == 0)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Unknown source mode '%s' (element <%s>, line %ld)"),
              chardev->mode, (const char *)node->name, xmlGetLineNo(node));
    return false;
}

static bool
chardev_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfChardev *chardev = base;

    switch (chardev->type) {
    case CONF_CHARDEV_ABSENT:
        chardev->type = CONF_CHARDEV_PTY;
        chardev->type_name = g_strdup("pty");
        return true;
    case CONF_CHARDEV_FILE:
        return chardev->path || missing(node, "path", error);
    case CONF_CHARDEV_UNIX:
        return chardev->path ? check_mode(chardev, node, error)
                             : missing(node, "path", error);
    case CONF_CHARDEV_TCP:
        if (!chardev->host)
            return missing(node, "host", error);
        if (!chardev->service)
            return missing(node, "service", error);
        if (!chardev->protocol)
            chardev->protocol = g_strdup("raw");
        return check_mode(chardev, node, error);
    case CONF_CHARDEV_NULL:
    case CONF_CHARDEV_PTY:
    case CONF_CHARDEV_STDIO:
    case CONF_CHARDEV_OTHER:
        break;
    }
    return true;
}

/* libvirt leaves it to the start where a channel's socket is. */
static bool
channel_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfChardev *channel = base;

    if (!channel->target_type) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing target type of <channel> (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (channel->type != CONF_CHARDEV_UNIX || channel->path)
        return chardev_check(base, node, flags, error);
    g_free(channel->mode);
    channel->mode = g_strdup("bind");
    channel->listen = true;
    return true;
}

static void
chardev_init(void *base)
{
    ConfChardev *chardev = base;

    chardev->type = CONF_CHARDEV_ABSENT;
    chardev->port = -1;
}

static ConfPolicy
judge_type(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return chardev->type == CONF_CHARDEV_OTHER ? CONF_REFUSED : CONF_HONOURED;
}

/* Without a channel a guest runs as well. */
static ConfPolicy
judge_channel_type(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return chardev->type == CONF_CHARDEV_OTHER ? CONF_HARMLESS : CONF_HONOURED;
}

static ConfPolicy
judge_protocol(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return strcmp(chardev->protocol, "raw") == 0 ? CONF_HONOURED : CONF_REFUSED;
}

static ConfPolicy
judge_tls(const char *text, const void *base)
{
    return strstr(text, "yes") ? CONF_REFUSED : CONF_HONOURED;
}

/* A 16550 at COM1..COM4 is what there is. */
static ConfPolicy
judge_serial_target(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return strcmp(chardev->target_type, "isa-serial") == 0 ? CONF_HONOURED
                                                           : CONF_REFUSED;
}

static ConfPolicy
judge_console_target(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return strcmp(chardev->target_type, "serial") == 0 ||
                   conf_chardev_is_virtio(chardev)
               ? CONF_HONOURED
               : CONF_REFUSED;
}

static ConfPolicy
judge_channel_target(const char *text, const void *base)
{
    return conf_chardev_is_virtio(base) ? CONF_HONOURED : CONF_REFUSED;
}

static ConfPolicy
judge_serial_port(const char *text, const void *base)
{
    const ConfChardev *chardev = base;

    return chardev->port < 4 ? CONF_HONOURED : CONF_REFUSED;
}

static const ConfField source_fields[] = {
    CONF_ATTR("mode", ConfChardev, mode, token, WHEN(BIT(UNIX) | BIT(TCP))),
    CONF_ATTR("path", ConfChardev, path, string, WHEN(BIT(FILE))),
    CONF_ATTR("path", ConfChardev, path, string, WHEN(BIT(UNIX)),
              .flags = CONF_LIVE | CONF_CHOSEN),
    CONF_ATTR("path", ConfChardev, path, string, WHEN(BIT(PTY) | BIT(ABSENT)),
              .flags = CONF_LIVE),
    CONF_ATTR("append", ConfChardev, append, onoff, WHEN(BIT(FILE))),
    CONF_ATTR("host", ConfChardev, host, token, WHEN(BIT(TCP))),
    CONF_ATTR("service", ConfChardev, service, token, WHEN(BIT(TCP))),
    CONF_CARRY_ATTR("tls", WHEN(BIT(TCP)), .judge = judge_tls,
                    .advice = N_("only unencrypted connections are possible")),
    CONF_CARRY_ATTR("master", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("slave", .policy = CONF_QUIET),
    CONF_CARRY("reconnect", .policy = CONF_HARMLESS),
    CONF_CARRY("seclabel", .policy = CONF_QUIET, .flags = CONF_MANY),
    CONF_END
};
static const ConfElement source_element = { .name = "source",
                                            .fields = source_fields };

static const ConfField protocol_fields[] = {
    CONF_ATTR("type", ConfChardev, protocol, token, .judge = judge_protocol,
              .advice = N_("only type='raw' is possible")),
    CONF_END
};
static const ConfElement protocol_element = { .name = "protocol",
                                              .fields = protocol_fields };

static const ConfField log_fields[] = {
    CONF_ATTR("file", ConfChardev, log_file, string, .flags = CONF_REQUIRED),
    CONF_ATTR("append", ConfChardev, log_append, onoff), CONF_END
};
static const ConfElement log_element = { .name = "log", .fields = log_fields };

static const ConfField model_fields[] = {
    CONF_ATTR("name", ConfChardev, target_model, token), CONF_END
};
static const ConfElement model_element = { .name = "model",
                                           .fields = model_fields };

static const ConfField serial_target_fields[] = {
    CONF_ATTR("type", ConfChardev, target_type, token,
              .judge = judge_serial_target,
              .advice = N_("the serial ports are of type='isa-serial'")),
    CONF_ATTR("port", ConfChardev, port, number, .judge = judge_serial_port,
              .advice = N_("a machine has four serial ports, 0 to 3")),
    CONF_GROUP("model", model_element), CONF_END
};
static const ConfElement serial_target_element = { .name = "target",
                                                   .fields =
                                                       serial_target_fields };

static const ConfField console_target_fields[] = {
    CONF_ATTR("type", ConfChardev, target_type, token,
              .judge = judge_console_target,
              .advice = N_("a console is of type='serial' or type='virtio'")),
    CONF_ATTR("port", ConfChardev, port, number), CONF_END
};
static const ConfElement console_target_element = { .name = "target",
                                                    .fields =
                                                        console_target_fields };

static const char *const state_names[] = { NULL, "connected", "disconnected",
                                           "" };

static const ConfField channel_target_fields[] = {
    CONF_ATTR("type", ConfChardev, target_type, token, .flags = CONF_REQUIRED,
              .judge = judge_channel_target,
              .advice = N_("a channel is of type='virtio'")),
    CONF_ATTR("name", ConfChardev, name, token),
    CONF_ATTR("state", ConfChardev, state, enum, .names = state_names,
              .flags = CONF_LIVE),
    CONF_CARRY_ATTR("address", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("port", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement channel_target_element = { .name = "target",
                                                    .fields =
                                                        channel_target_fields };

static void
port_init(void *base)
{
    ConfPortAddress *address = base;

    address->controller = address->bus = address->port = -1;
}

/* Where a port of a virtio-serial device is, or another kind, which is kept. */
static const ConfField port_fields[] = {
    CONF_ATTR("type", ConfPortAddress, type, token, .flags = CONF_REQUIRED),
    CONF_CARRY_ATTR("domain", .policy = CONF_QUIET),
    CONF_ATTR("controller", ConfPortAddress, controller, number),
    CONF_ATTR("bus", ConfPortAddress, bus, number),
    CONF_ATTR("port", ConfPortAddress, port, number),
    CONF_CARRY_ATTR("slot", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("function", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("multifunction", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("reg", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("iobase", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("irq", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement port_element = { .name = "address",
                                          .fields = port_fields,
                                          .init = port_init };

/* What <serial> and <console> have in common, in libvirt's order. Both tables
 * number these rows alike, so that a console can repeat its serial port. */
#define SOURCE_ROWS                                                       \
    CONF_GROUP(                                                           \
        "source", source_element,                                         \
        WHEN(BIT(PTY) | BIT(ABSENT) | BIT(FILE) | BIT(UNIX) | BIT(TCP))), \
        CONF_CARRY("source", WHEN(BIT(NULL) | BIT(STDIO) | BIT(OTHER)),   \
                   .flags = CONF_MANY, .policy = CONF_QUIET),             \
        CONF_GROUP("protocol", protocol_element, WHEN(BIT(TCP))),         \
        CONF_CARRY("protocol", WHEN(~BIT(TCP)), .policy = CONF_QUIET),    \
        CONF_GROUP("log", log_element)
#define LAST_ROWS                                                \
    CONF_CHILD("alias", ConfChardev, alias, conf_alias_element), \
        CONF_CARRY("acpi", .policy = CONF_QUIET)

#define OTHER_ADVICE N_("the types pty, file, unix, tcp and null are possible")

static const ConfField serial_fields[] = {
    CONF_ATTR("type", ConfChardev, type_name, chardev_type, .judge = judge_type,
              .advice = OTHER_ADVICE),
    SOURCE_ROWS,
    CONF_GROUP("target", serial_target_element),
    LAST_ROWS,
    CONF_CARRY("address", .policy = CONF_QUIET),
    CONF_END
};
const ConfElement conf_serial_element = { .name = "serial",
                                          .fields = serial_fields,
                                          .size = sizeof(ConfChardev),
                                          .carried =
                                              offsetof(ConfChardev, carried),
                                          .variant = &type_variant,
                                          .init = chardev_init,
                                          .check = chardev_check };

/* Rows whose carried text belongs to the source: source, source, protocol,
 * protocol, log after the attribute type. */
#define SOURCE_ROW_FIRST 1
#define SOURCE_ROW_LAST  5

static const ConfField console_fields[] = {
    CONF_ATTR("type", ConfChardev, type_name, chardev_type, .judge = judge_type,
              .advice = OTHER_ADVICE),
    SOURCE_ROWS,
    CONF_GROUP("target", console_target_element),
    LAST_ROWS,
    CONF_CHILD("address", ConfChardev, address, port_element),
    CONF_ATTR("tty", ConfChardev, tty, string, .flags = CONF_LIVE),
    CONF_END
};
const ConfElement conf_console_element = { .name = "console",
                                           .fields = console_fields,
                                           .size = sizeof(ConfChardev),
                                           .carried =
                                               offsetof(ConfChardev, carried),
                                           .variant = &type_variant,
                                           .init = chardev_init,
                                           .check = chardev_check };

static const ConfField channel_fields[] = {
    CONF_ATTR("type", ConfChardev, type_name, chardev_type,
              .judge = judge_channel_type,
              .advice = N_("the types pty, file, unix, tcp and null are "
                           "possible, and the guest runs without it")),
    SOURCE_ROWS,
    CONF_GROUP("target", channel_target_element, .flags = CONF_REQUIRED),
    LAST_ROWS,
    CONF_CHILD("address", ConfChardev, address, port_element),
    CONF_END
};
const ConfElement conf_channel_element = { .name = "channel",
                                           .fields = channel_fields,
                                           .size = sizeof(ConfChardev),
                                           .carried =
                                               offsetof(ConfChardev, carried),
                                           .variant = &type_variant,
                                           .init = chardev_init,
                                           .check = channel_check };

bool
conf_chardev_is_virtio(const ConfChardev *chardev)
{
    return g_strcmp0(chardev->target_type, "virtio") == 0;
}

static void
copy_string(char **to, const char *from)
{
    g_free(*to);
    *to = g_strdup(from);
}

/* Is @item something that the source says, not a stranger beside it? */
static bool
is_of_source(const ConfCarriedItem *item)
{
    ConfPath path = item->path;
    int row;

    while (path >> 8)
        path >>= 8;
    row = (int)path - 1;
    return row >= SOURCE_ROW_FIRST && row <= SOURCE_ROW_LAST &&
           (item->kind == CONF_CARRIED_ATTR ||
            item->kind == CONF_CARRIED_ELEMENT);
}

static void
copy_item(ConfCarried *to, const ConfCarriedItem *item)
{
    conf_carried_add(to, item->kind, item->path, item->item, item->text);
}

static void
copy_source_items(ConfCarried *to, const ConfCarried *from)
{
    for (const ConfCarriedItem *item = from->first; item; item = item->next) {
        if (is_of_source(item))
            copy_item(to, item);
    }
}

/* What stands beside the source stays, before or after it as it was. */
static ConfCarried
replace_source_items(const ConfCarried *own, const ConfCarried *from)
{
    ConfCarried result = { 0 };
    bool placed = false;

    for (const ConfCarriedItem *item = own->first; item; item = item->next) {
        if (!is_of_source(item)) {
            copy_item(&result, item);
        } else if (!placed && item->kind == CONF_CARRIED_ELEMENT) {
            copy_source_items(&result, from);
            placed = true;
        }
    }
    if (!placed)
        copy_source_items(&result, from);
    return result;
}

void
conf_chardev_copy_source(ConfChardev *to, const ConfChardev *from)
{
    ConfCarried carried = replace_source_items(&to->carried, &from->carried);

    to->type = from->type;
    copy_string(&to->type_name, from->type_name);
    copy_string(&to->path, from->path);
    to->append = from->append;
    copy_string(&to->mode, from->mode);
    to->listen = from->listen;
    copy_string(&to->host, from->host);
    copy_string(&to->service, from->service);
    copy_string(&to->protocol, from->protocol);
    copy_string(&to->log_file, from->log_file);
    to->log_append = from->log_append;
    copy_string(&to->alias, from->alias);
    copy_string(&to->tty, from->type == CONF_CHARDEV_PTY ? from->path : NULL);
    conf_carried_clear(&to->carried);
    to->carried = carried;
}
