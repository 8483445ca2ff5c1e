/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>
#include <sys/stat.h>

#include "shell/address.h"
#include "shell/apply.h"
#include "shell/completer.h"
#include "shell/diskfile.h"
#include "util/i18n.h"

static const char *const source_types[] = { "file", "block", "network", NULL };
static const char *const mode_words[] = { "readonly", "shareable", NULL };

/* An option's value, or NULL: XML leaves out what is not given. */
static const char *
value(const VshArgs *args, const char *name)
{
    return vsh_args_string(args, name);
}

/* The options of the host of a network disk; any means that it is one. */
static const char *const host_options[] = { "source-host-name",
                                            "source-host-transport",
                                            "source-host-socket", NULL };

static bool
check_network(const VshArgs *args, const char *type, GError **error)
{
    if (value(args, "source-protocol"))
        return true;
    for (size_t i = 0; host_options[i]; i++) {
        if (!vsh_args_given(args, host_options[i]))
            continue;
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("Option --source-protocol is required by option --%s"),
                      host_options[i]);
        return false;
    }
    if (strcmp(type, "network") != 0)
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("option --sourcetype network needs --source-protocol"));
    return false;
}

/* The kind of source: as told, or what is found under its name. */
static const char *
source_type(const VshArgs *args, GError **error)
{
    const char *type = value(args, "sourcetype");
    struct stat status;

    if (!type && value(args, "source-protocol"))
        type = "network";
    else if (!type && stat(value(args, "source"), &status) == 0 &&
             S_ISBLK(status.st_mode))
        type = "block";
    else if (!type)
        type = "file";
    if (g_strv_contains(source_types, type))
        return check_network(args, type, error) ? type : NULL;
    vsh_error_set(error, VSH_EXIT_USAGE, _("Unknown source type: '%s'"), type);
    return NULL;
}

static bool
check_mode(const VshArgs *args, GError **error)
{
    const char *mode = value(args, "mode");

    if (!mode || g_strv_contains(mode_words, mode))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("No support for %s in command 'attach-disk'"), mode);
    vsh_error_hint(error, _("expecting 'readonly' or 'shareable'"));
    return false;
}

/* "name:port"; a numeric IPv6 address stands in brackets. */
static void
write_host_name(VshXmlWriter *writer, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    g_autofree char *name = NULL;

    if (!colon || (text[0] != '[' && strchr(text, ':') != colon) ||
        g_str_has_suffix(text, "]")) {
        vsh_xml_attribute(writer, "name", text);
        return;
    }
    name = g_strndup(text, (gsize)(colon - text));
    vsh_xml_attribute(writer, "name", name);
    vsh_xml_attribute(writer, "port", colon + 1);
}

static void
write_host(const VshArgs *args, VshXmlWriter *writer)
{
    vsh_xml_begin(writer, "host");
    vsh_xml_attribute(writer, "transport",
                      value(args, "source-host-transport"));
    write_host_name(writer, value(args, "source-host-name"));
    vsh_xml_attribute(writer, "socket", value(args, "source-host-socket"));
    vsh_xml_end(writer);
}

static void
write_source(const VshArgs *args, const char *type, VshXmlWriter *writer)
{
    const char *source = value(args, "source");

    vsh_xml_begin(writer, "source");
    if (strcmp(type, "network") == 0) {
        vsh_xml_attribute(writer, "protocol", value(args, "source-protocol"));
        vsh_xml_attribute(writer, "name", source);
        for (size_t i = 0; host_options[i]; i++) {
            if (!vsh_args_given(args, host_options[i]))
                continue;
            write_host(args, writer);
            break;
        }
    } else {
        vsh_xml_attribute(writer, strcmp(type, "block") == 0 ? "dev" : "file",
                          source);
    }
    vsh_xml_end(writer);
}

static void
write_driver(const VshArgs *args, VshXmlWriter *writer)
{
    static const struct {
        const char *option;
        const char *attribute;
    } parts[] = {
        { "driver", "name" },
        { "subdriver", "type" },
        { "iothread", "iothread" },
        { "cache", "cache" },
        { "io", "io" },
    };
    bool any = false;

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        any = any || vsh_args_given(args, parts[i].option);
    if (!any)
        return;
    vsh_xml_begin(writer, "driver");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        vsh_xml_attribute(writer, parts[i].attribute,
                          value(args, parts[i].option));
    vsh_xml_end(writer);
}

static void
write_target(const VshArgs *args, VshXmlWriter *writer)
{
    const char *mode = value(args, "mode");

    vsh_xml_begin(writer, "target");
    vsh_xml_attribute(writer, "dev", value(args, "target"));
    vsh_xml_attribute(writer, "bus", value(args, "targetbus"));
    vsh_xml_end(writer);
    if (!mode)
        return;
    vsh_xml_begin(writer,
                  g_str_equal(mode, "readonly") ? "readonly" : "shareable");
    vsh_xml_end(writer);
}

/* The element <disk>; NULL with USAGE. */
static char *
build_disk(const VshArgs *args, GError **error)
{
    g_autoptr(VshXmlWriter) writer = vsh_xml_writer_new();
    const char *type = source_type(args, error);
    const char *at = value(args, "address");
    VshAddress address = { 0 };

    if (!type || !check_mode(args, error) ||
        (at && !vsh_address_parse(at, value(args, "target"), &address, error)))
        return NULL;
    vsh_xml_begin(writer, "disk");
    vsh_xml_attribute(writer, "type", type);
    vsh_xml_attribute(writer, "device", value(args, "type"));
    vsh_xml_attribute(writer, "rawio",
                      vsh_args_given(args, "rawio") ? "yes" : NULL);
    write_driver(args, writer);
    write_source(args, type, writer);
    write_target(args, writer);
    vsh_xml_text(writer, "serial", value(args, "serial"));
    vsh_xml_leaf(writer, "alias", "name", value(args, "alias"));
    vsh_xml_text(writer, "wwn", value(args, "wwn"));
    if (at)
        vsh_address_write(&address, vsh_args_given(args, "multifunction"),
                          writer);
    vsh_xml_end(writer);
    return vsh_xml_finish(writer);
}

/* What happens every day: the format is forgotten, and the guest sees a disk
 * of rubbish. */
static void
note_format(VshShell *shell, const VshArgs *args)
{
    const char *format = vsh_diskfile_format(value(args, "source"));

    if (format && !value(args, "subdriver") && !value(args, "source-protocol"))
        vsh_note(&shell->out,
                 _("'%s' is an image of format %s; without '--subdriver %s' "
                   "the guest sees it as raw"),
                 value(args, "source"), format, format);
}

static bool
attach_disk(VshShell *shell, const VshArgs *args, const char *xml,
            GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    unsigned flags;

    if (!domain || !vsh_affect_domain_flags(args, domain, &flags, error))
        return false;
    note_format(shell, args);
    if (!vsh_apply(VSH_APPLY_ATTACH, args, domain, xml, flags)) {
        vsh_apply_error(args, domain, _("Failed to attach disk"), error);
        return false;
    }
    vsh_message(&shell->out, _("Disk attached successfully"));
    return true;
}

static bool
run_attach_disk(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autofree char *xml = NULL;
    unsigned flags;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    xml = build_disk(args, error);
    if (!xml)
        return false;
    if (!vsh_args_given(args, "print-xml"))
        return attach_disk(shell, args, xml, error);
    vsh_print_document(&shell->out, xml);
    return true;
}

static const char *const bus_words[] = { "virtio", "scsi", "sata", "ide",
                                         "usb",    "fdc",  NULL };
static const char *const driver_words[] = { "qemu", NULL };
static const char *const format_words[] = { "raw", "qcow2", NULL };
static const char *const cache_words[] = {
    "none", "writethrough", "writeback", "directsync", "unsafe", "default", NULL
};
static const char *const io_words[] = { "native", "threads", "io_uring", NULL };
static const char *const device_words[] = { "disk", "cdrom", "floppy", "lun",
                                            NULL };
static const char *const protocol_words[] = { "nbd",  "iscsi", "rbd",
                                              "http", "https", "ftp",
                                              "nfs",  "ssh",   NULL };
static const char *const transport_words[] = { "tcp", "unix", "rdma", NULL };

#define WORDS(option, text, list)                                \
    {                                                            \
        .name = option, .kind = VSH_OPTION_STRING, .help = text, \
        .complete = vsh_complete_word, .words = list             \
    }
#define TEXT(option, text)                                      \
    {                                                           \
        .name = option, .kind = VSH_OPTION_STRING, .help = text \
    }

static const VshOption attach_disk_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "source",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED | VSH_OPTION_EMPTY,
      .help = N_("source of disk device or name of network disk"),
      .complete = vsh_complete_file },
    { .name = "target",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("target of disk device"),
      .complete = vsh_complete_free_target },
    WORDS("targetbus", N_("target bus of disk device"), bus_words),
    WORDS("driver", N_("driver of disk device"), driver_words),
    WORDS("subdriver", N_("format of the source: raw or qcow2"), format_words),
    TEXT("iothread", N_("IOThread to be used by supported device")),
    WORDS("cache", N_("cache mode of disk device"), cache_words),
    WORDS("io", N_("io policy of disk device"), io_words),
    WORDS("type", N_("target device type"), device_words),
    WORDS("mode", N_("mode of device reading and writing"), mode_words),
    WORDS("sourcetype", N_("type of source (block|file|network)"),
          source_types),
    TEXT("serial", N_("serial of disk device")),
    TEXT("wwn", N_("wwn of disk device")),
    TEXT("alias", N_("custom alias name of disk device")),
    VSH_FLAG("rawio", N_("needs rawio capability")),
    TEXT("address", N_("address of disk device")),
    VSH_FLAG("multifunction",
             N_("use multifunction pci under specified address")),
    VSH_FLAG("print-xml", N_("print XML document rather than attach the disk")),
    WORDS("source-protocol", N_("protocol used by disk device source"),
          protocol_words),
    TEXT("source-host-name", N_("host name for source of disk device")),
    WORDS("source-host-transport",
          N_("host transport for source of disk device"), transport_words),
    TEXT("source-host-socket", N_("host socket for source of disk device")),
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_attach_disk = {
    .name = "attach-disk",
    .group = "domain",
    .summary = N_("attach disk device"),
    .details = N_("Attaches a file, a block device or a network disk to a "
                  "domain: to the running one, unless an option says "
                  "otherwise."),
    .options = attach_disk_options,
    .run = run_attach_disk,
};

const VshCommand *const vsh_commands_attach_disk[] = { &command_attach_disk,
                                                       NULL };
