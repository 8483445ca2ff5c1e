/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "shell/xml.h"
#include "util/i18n.h"

static const char *const state_words[] = { "up", "down", NULL };

/* Why there is not exactly one interface. */
static void
refuse_interface(const char *missing, unsigned count, virDomainPtr domain,
                 GError **error)
{
    if (count == 0)
        vsh_error_set(error, VSH_EXIT_NOT_FOUND, "%s", missing);
    else
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("multiple matching interfaces found"));
    vsh_error_hint(error,
                   _("'domiflist %s' shows the interfaces of the domain"),
                   virDomainGetName(domain));
}

/* The interface's element with the new state in it. */
static char *
find_and_change(virDomainPtr domain, const VshArgs *args, const char *state,
                GError **error)
{
    unsigned flags =
        vsh_args_given(args, "config") ? VIR_DOMAIN_XML_INACTIVE : 0;
    g_autoptr(GPtrArray) interfaces =
        vsh_device_list(domain, VSH_DEVICE_INTERFACE, flags, error);
    const char *name = vsh_args_string(args, "interface");
    g_autofree char *missing =
        g_strdup_printf(_("interface '%s' not found"), name);
    const VshDevice *interface;
    unsigned count;

    if (!interfaces)
        return NULL;
    interface = vsh_device_interface(interfaces, name, &count);
    if (interface)
        return vsh_xml_with(interface->xml, "link", "state", state);
    refuse_interface(missing, count, domain, error);
    return NULL;
}

static bool
run_domif_setlink(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *state = vsh_args_string(args, "state");
    unsigned flags = vsh_args_given(args, "config") ? VIR_DOMAIN_AFFECT_CONFIG
                                                    : VIR_DOMAIN_AFFECT_LIVE;
    g_autoptr(virDomain) domain = NULL;
    g_autofree char *xml = NULL;

    if (!g_strv_contains(state_words, state)) {
        vsh_error_set(error, VSH_EXIT_USAGE, _("invalid link state '%s'"),
                      state);
        vsh_error_hint(error, _("expecting 'up' or 'down'"));
        return false;
    }
    domain = vsh_domain_of(shell, args, error);
    xml = domain ? find_and_change(domain, args, state, error) : NULL;
    if (!xml)
        return false;
    if (vsh_args_given(args, "print-xml")) {
        vsh_print_document(&shell->out, xml);
        return true;
    }
    if (virDomainIsActive(domain) == 0)
        flags = VIR_DOMAIN_AFFECT_CONFIG;
    if (virDomainUpdateDeviceFlags(domain, xml, flags) < 0) {
        vsh_error_virt(error, _("Failed to update interface link state"));
        return false;
    }
    vsh_message(&shell->out, _("Device updated successfully"));
    return true;
}

static const VshOption domif_setlink_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_OPTION_INTERFACE(N_("interface device (MAC Address)")),
    { .name = "state",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("new state of the device"),
      .complete = vsh_complete_word,
      .words = state_words },
    VSH_FLAG("config", N_("affect next boot")),
    VSH_FLAG("print-xml", N_("print XML document rather than set the interface "
                             "link state")),
    { NULL },
};

static const VshCommand command_domif_setlink = {
    .name = "domif-setlink",
    .group = "domain",
    .summary = N_("set link state of a virtual interface"),
    .details = N_("Plugs the cable of an interface in (up) or out (down), of a "
                  "running domain and else of its definition."),
    .options = domif_setlink_options,
    .run = run_domif_setlink,
};

/* Returns: "up" or "down"; NULL with NOT_FOUND or USAGE. */
static const char *
link_state(GPtrArray *interfaces, virDomainPtr domain, const char *name,
           GError **error)
{
    unsigned count;
    const VshDevice *interface = vsh_device_interface(interfaces, name, &count);
    g_autofree char *missing = g_strdup_printf(
        vsh_device_is_mac(name) ? _("Interface (mac: %s) not found.")
                                : _("Interface (dev: %s) not found."),
        name);

    if (interface)
        return interface->link ? interface->link : "up";
    refuse_interface(missing, count, domain, error);
    return NULL;
}

static bool
run_domif_getlink(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *name = vsh_args_string(args, "interface");
    unsigned flags =
        vsh_args_given(args, "config") ? VIR_DOMAIN_XML_INACTIVE : 0;
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    g_autoptr(VshRecord) record = vsh_record_new(1);
    g_autoptr(GPtrArray) interfaces = NULL;
    const char *state;

    if (!domain)
        return false;
    interfaces = vsh_device_list(domain, VSH_DEVICE_INTERFACE, flags, error);
    state = interfaces ? link_state(interfaces, domain, name, error) : NULL;
    if (!state)
        return false;
    vsh_record_add(record, "domain", NULL, virDomainGetName(domain), NULL);
    vsh_record_add(record, "interface", NULL, name, NULL);
    vsh_record_add(record, "link", name, state, NULL);
    vsh_record_print(record, &shell->out);
    return true;
}

static const VshOption domif_getlink_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    VSH_OPTION_INTERFACE(N_("interface device (MAC Address)")),
    VSH_FLAG("config", N_("Get persistent interface state")),
    { NULL },
};

static const VshCommand command_domif_getlink = {
    .name = "domif-getlink",
    .group = "monitor",
    .summary = N_("get link state of a virtual interface"),
    .details = N_("Tells whether the cable of an interface is plugged in (up) "
                  "or out (down)."),
    .options = domif_getlink_options,
    .flags = VSH_COMMAND_QUERY | VSH_COMMAND_NO_NEWLINE,
    .run = run_domif_getlink,
};

const VshCommand *const vsh_commands_iflink[] = {
    &command_domif_getlink,
    &command_domif_setlink,
    NULL,
};
