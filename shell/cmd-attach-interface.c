/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/address.h"
#include "shell/apply.h"
#include "shell/completer.h"
#include "shell/rate.h"
#include "util/i18n.h"

/* How <source> is written. */
typedef enum VshSourceForm {
    SOURCE_NONE,      /* no <source> at all */
    SOURCE_ATTRIBUTE, /* its name in one attribute */
    SOURCE_PCI,       /* the address of a device of the host */
    SOURCE_SOCKET,    /* a UNIX socket and a mode */
} VshSourceForm;

static const char *const direct_modes[] = { "vepa", "bridge", "private",
                                            "passthrough", NULL };
static const char *const socket_modes[] = { "server", "client", NULL };

typedef struct VshInterfaceType {
    const char *name;
    VshSourceForm form;
    const char *attribute;    /* of SOURCE_ATTRIBUTE */
    const char *const *modes; /* of --source-mode; NULL: none */
} VshInterfaceType;

static const VshInterfaceType types[] = {
    { "network", SOURCE_ATTRIBUTE, "network", NULL },
    { "bridge", SOURCE_ATTRIBUTE, "bridge", NULL },
    { "direct", SOURCE_ATTRIBUTE, "dev", direct_modes },
    { "hostdev", SOURCE_PCI, NULL, NULL },
    { "vhostuser", SOURCE_SOCKET, NULL, socket_modes },
    { "user", SOURCE_NONE, NULL, NULL },
    { "ethernet", SOURCE_NONE, NULL, NULL },
};

static const char *const type_words[] = { "network",  "bridge",    "direct",
                                          "hostdev",  "vhostuser", "user",
                                          "ethernet", NULL };

static const VshInterfaceType *
find_type(const char *name, GError **error)
{
    const char *nearest;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("No support for %s in command 'attach-interface'"), name);
    nearest = vsh_nearest(name, type_words);
    if (nearest)
        vsh_error_hint(error, _("did you mean '%s'?"), nearest);
    return NULL;
}

/* Is there a source where one is needed, and none elsewhere? */
static bool
check_source(const VshArgs *args, const VshInterfaceType *type, GError **error)
{
    bool given = vsh_args_given(args, "source");

    if (given == (type->form != SOURCE_NONE))
        return true;
    if (given)
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("an interface of type %s has no source"), type->name);
    else
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("command '%s' requires <%s> option"),
                      args->command->name, "source");
    return false;
}

static bool
check_mode(const VshArgs *args, const VshInterfaceType *type, GError **error)
{
    const char *mode = vsh_args_string(args, "source-mode");

    if (!mode && type->form == SOURCE_SOCKET) {
        vsh_error_set(error, VSH_EXIT_USAGE, _("source-mode is mandatory"));
        return false;
    }
    if (!mode || (type->modes && g_strv_contains(type->modes, mode)))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE, _("Invalid source mode: %s"), mode);
    return false;
}

static bool
write_pci_source(const char *source, VshXmlWriter *writer, GError **error)
{
    VshAddress address;

    if (!vsh_address_parse_pci(source, &address)) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("cannot parse pci address '%s' for network interface"),
                      source);
        vsh_error_hint(error, _("an address is like 0000:00:05.0"));
        return false;
    }
    vsh_xml_begin(writer, "source");
    vsh_address_write(&address, false, writer);
    vsh_xml_end(writer);
    return true;
}

static bool
write_source(const VshArgs *args, const VshInterfaceType *type,
             VshXmlWriter *writer, GError **error)
{
    const char *source = vsh_args_string(args, "source");
    bool socket = type->form == SOURCE_SOCKET;

    if (type->form == SOURCE_NONE)
        return true;
    if (type->form == SOURCE_PCI)
        return write_pci_source(source, writer, error);
    vsh_xml_begin(writer, "source");
    vsh_xml_attribute(writer, "type", socket ? "unix" : NULL);
    vsh_xml_attribute(writer, socket ? "path" : type->attribute, source);
    vsh_xml_attribute(writer, "mode", vsh_args_string(args, "source-mode"));
    vsh_xml_end(writer);
    return true;
}

static void
write_rate(const char *direction, const VshRate *rate, VshXmlWriter *writer)
{
    vsh_xml_begin(writer, direction);
    vsh_xml_attribute_number(writer, "average", rate->average_kib_s);
    vsh_xml_attribute_number(writer, "peak", rate->peak_kib_s);
    vsh_xml_attribute_number(writer, "burst", rate->burst_kib);
    vsh_xml_attribute_number(writer, "floor", rate->floor_kib_s);
    vsh_xml_end(writer);
}

static bool
write_bandwidth(const VshArgs *args, VshXmlWriter *writer, GError **error)
{
    static const char *const directions[] = { "inbound", "outbound" };
    VshRate rates[G_N_ELEMENTS(directions)];
    bool any = false;

    for (size_t i = 0; i < G_N_ELEMENTS(directions); i++) {
        const char *text = vsh_args_string(args, directions[i]);

        if (!text)
            continue;
        any = true;
        if (!vsh_rate_parse(directions[i], text, &rates[i], error) ||
            !vsh_rate_check(directions[i], &rates[i], error))
            return false;
    }
    if (!any)
        return true;
    vsh_xml_begin(writer, "bandwidth");
    for (size_t i = 0; i < G_N_ELEMENTS(directions); i++)
        if (vsh_args_given(args, directions[i]))
            write_rate(directions[i], &rates[i], writer);
    vsh_xml_end(writer);
    return true;
}

/* The element <interface>; NULL with USAGE. */
static char *
build_interface(const VshArgs *args, const VshInterfaceType *type,
                GError **error)
{
    g_autoptr(VshXmlWriter) writer = vsh_xml_writer_new();

    vsh_xml_begin(writer, "interface");
    vsh_xml_attribute(writer, "type", type->name);
    vsh_xml_attribute(writer, "managed",
                      vsh_args_given(args, "managed") ? "yes" : NULL);
    if (!write_source(args, type, writer, error))
        return NULL;
    vsh_xml_leaf(writer, "target", "dev", vsh_args_string(args, "target"));
    vsh_xml_leaf(writer, "mac", "address", vsh_args_string(args, "mac"));
    vsh_xml_leaf(writer, "script", "path", vsh_args_string(args, "script"));
    vsh_xml_leaf(writer, "model", "type", vsh_args_string(args, "model"));
    vsh_xml_leaf(writer, "alias", "name", vsh_args_string(args, "alias"));
    if (!write_bandwidth(args, writer, error))
        return NULL;
    vsh_xml_end(writer);
    return vsh_xml_finish(writer);
}

static bool
attach_interface(VshShell *shell, const VshArgs *args, const char *xml,
                 GError **error)
{
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    unsigned flags;

    if (!domain || !vsh_affect_domain_flags(args, domain, &flags, error))
        return false;
    if (!vsh_apply(VSH_APPLY_ATTACH, args, domain, xml, flags)) {
        vsh_apply_error(args, domain, _("Failed to attach interface"), error);
        return false;
    }
    vsh_message(&shell->out, _("Interface attached successfully"));
    return true;
}

static bool
run_attach_interface(VshShell *shell, const VshArgs *args, GError **error)
{
    const VshInterfaceType *type;
    g_autofree char *xml = NULL;
    unsigned flags;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    type = find_type(vsh_args_string(args, "type"), error);
    if (!type || !check_source(args, type, error) ||
        !check_mode(args, type, error))
        return false;
    xml = build_interface(args, type, error);
    if (!xml)
        return false;
    if (!vsh_args_given(args, "print-xml"))
        return attach_interface(shell, args, xml, error);
    vsh_print_document(&shell->out, xml);
    return true;
}

static const char *const model_words[] = { "virtio", NULL };
static const char *const mode_words[] = { "server", "client",  "vepa",
                                          "bridge", "private", "passthrough",
                                          NULL };

#define TEXT(option, text)                                      \
    {                                                           \
        .name = option, .kind = VSH_OPTION_STRING, .help = text \
    }

static const VshOption attach_interface_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "type",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("network interface type"),
      .complete = vsh_complete_word,
      .words = type_words },
    { .name = "source",
      .kind = VSH_OPTION_STRING,
      .help = N_("source of network interface; types user and ethernet have "
                 "none"),
      .complete = vsh_complete_interface_source },
    TEXT("target", N_("target network name")),
    TEXT("mac", N_("MAC address")),
    { .name = "script",
      .kind = VSH_OPTION_STRING,
      .help = N_("script used to bridge network interface"),
      .complete = vsh_complete_file },
    { .name = "model",
      .kind = VSH_OPTION_STRING,
      .help = N_("model type"),
      .complete = vsh_complete_word,
      .words = model_words },
    TEXT("alias", N_("custom alias name of interface device")),
    TEXT("inbound", N_("limit of what the guest receives: "
                       "average,peak,burst,floor in KiB")),
    TEXT("outbound",
         N_("limit of what the guest sends: average,peak,burst in KiB")),
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    VSH_FLAG("print-xml",
             N_("print XML document rather than attach the interface")),
    VSH_FLAG("managed", N_("the daemon detaches the device from the host and "
                           "attaches it again")),
    { .name = "source-mode",
      .kind = VSH_OPTION_STRING,
      .help = N_("mode attribute of the source"),
      .complete = vsh_complete_word,
      .words = mode_words },
    { NULL },
};

static const VshCommand command_attach_interface = {
    .name = "attach-interface",
    .group = "domain",
    .summary = N_("attach network interface"),
    .details = N_("Attaches a network interface to a domain: to the running "
                  "one, unless an option says otherwise. Beside the types of "
                  "virsh there are user (the daemon's user mode network) and "
                  "ethernet (the tap device --target)."),
    .options = attach_interface_options,
    .run = run_attach_interface,
};

const VshCommand *const vsh_commands_attach_interface[] = {
    &command_attach_interface,
    NULL,
};
