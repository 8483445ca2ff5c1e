/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/apply.h"
#include "shell/completer.h"
#include "shell/device.h"
#include "shell/release.h"
#include "util/i18n.h"

/* Devices named by what the domain's XML says of them. */

/* A detach that is under way. */
typedef struct VshDetach {
    VshShell *shell;
    const VshArgs *args;
    virDomainPtr domain;
    GPtrArray *devices; /* of the kind */
    unsigned flags;     /* virDomainModificationImpact */
} VshDetach;

static void
detach_clear(VshDetach *detach)
{
    if (detach->domain)
        virDomainFree(detach->domain);
    g_clear_pointer(&detach->devices, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VshDetach, detach_clear)

static bool
detach_begin(VshDetach *detach, VshDeviceKind kind, GError **error)
{
    unsigned xml_flags = 0;

    detach->domain = vsh_domain_of(detach->shell, detach->args, error);
    if (!detach->domain ||
        !vsh_affect_domain_flags(detach->args, detach->domain, &detach->flags,
                                 error))
        return false;
    if (detach->flags & VIR_DOMAIN_AFFECT_CONFIG)
        xml_flags = VIR_DOMAIN_XML_INACTIVE;
    detach->devices = vsh_device_list(detach->domain, kind, xml_flags, error);
    return detach->devices != NULL;
}

/* Prints the device, or hands it to the driver and waits for the guest. */
static bool
detach_run(const VshDetach *detach, const VshDevice *device,
           const char *failure, const char *done, GError **error)
{
    const char *name = device->target ? device->target : device->mac;
    g_autoptr(VshRelease) release = NULL;
    g_autofree char *alias = NULL;

    if (vsh_args_given(detach->args, "print-xml")) {
        vsh_print_document(&detach->shell->out, device->xml);
        return true;
    }
    if (vsh_affect_reaches_live(detach->flags))
        alias =
            vsh_device_live_alias(detach->domain, device->target, device->mac);
    release = vsh_release_new(detach->shell, detach->args, detach->domain,
                              name ? name : "?", alias);
    if (!vsh_apply(VSH_APPLY_DETACH, detach->args, detach->domain, device->xml,
                   detach->flags)) {
        vsh_apply_error(detach->args, detach->domain, failure, error);
        return false;
    }
    if (!vsh_release_finish(release, error))
        return false;
    vsh_message(&detach->shell->out, "%s", done);
    return true;
}

/* The definition may have others than the running domain. */
static void
hint_definition(const VshDetach *detach, const char *command, GError **error)
{
    if (detach->flags & VIR_DOMAIN_AFFECT_CONFIG)
        vsh_error_hint(error,
                       _("'%s %s --inactive' shows those of the definition"),
                       command, virDomainGetName(detach->domain));
}

static bool
run_detach_disk(VshShell *shell, const VshArgs *args, GError **error)
{
    g_auto(VshDetach) detach = { .shell = shell, .args = args };
    const VshDevice *disk;

    if (!detach_begin(&detach, VSH_DEVICE_DISK, error))
        return false;
    disk = vsh_device_disk(detach.devices, detach.domain,
                           vsh_args_string(args, "target"), error);
    if (!disk)
        hint_definition(&detach, "domblklist", error);
    return disk && detach_run(&detach, disk, _("Failed to detach disk"),
                              _("Disk detached successfully"), error);
}

static const VshOption detach_disk_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "target",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("target or source of disk device"),
      .complete = vsh_complete_disk },
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    VSH_FLAG("print-xml", N_("print XML document rather than detach the disk")),
    VSH_RELEASE_OPTIONS,
    { NULL },
};

static const VshCommand command_detach_disk = {
    .name = "detach-disk",
    .group = "domain",
    .summary = N_("detach disk device"),
    .details = N_("Detaches a disk from a domain. A running guest is asked to "
                  "release it: --wait and --timeout wait for it."),
    .options = detach_disk_options,
    .run = run_detach_disk,
};

static bool
is_wanted(const VshDevice *interface, const char *type, const char *mac)
{
    if (g_strcmp0(interface->type, type) != 0)
        return false;
    return !mac ||
           (interface->mac && g_ascii_strcasecmp(interface->mac, mac) == 0);
}

/* Says why there is not exactly one interface. */
static void
refuse_interfaces(const char *type, const char *mac, unsigned found,
                  GError **error)
{
    VshExit code = found == 0 ? VSH_EXIT_NOT_FOUND : VSH_EXIT_USAGE;

    if (found == 0 && mac)
        vsh_error_set(error, code,
                      _("No interface with MAC address %s was "
                        "found"),
                      mac);
    else if (found == 0)
        vsh_error_set(error, code, _("No interface found whose type is %s"),
                      type);
    else if (mac)
        vsh_error_set(error, code,
                      _("Domain has multiple interfaces matching MAC address "
                        "%s. You must use detach-device and specify the "
                        "device pci address to remove it."),
                      mac);
    else
        vsh_error_set(error, code,
                      _("Domain has %u interfaces. Please specify which one to "
                        "detach using --mac"),
                      found);
}

static const VshDevice *
find_interface(const VshDetach *detach, GError **error)
{
    const char *type = vsh_args_string(detach->args, "type");
    const char *mac = vsh_args_string(detach->args, "mac");
    const VshDevice *interface = NULL;
    unsigned found = 0;

    for (guint i = 0; i < detach->devices->len; i++) {
        if (!is_wanted(detach->devices->pdata[i], type, mac))
            continue;
        interface = detach->devices->pdata[i];
        found++;
    }
    if (found == 1)
        return interface;
    refuse_interfaces(type, mac, found, error);
    vsh_error_hint(error,
                   _("'domiflist %s' shows the interfaces of the domain"),
                   virDomainGetName(detach->domain));
    hint_definition(detach, "domiflist", error);
    return NULL;
}

static bool
run_detach_interface(VshShell *shell, const VshArgs *args, GError **error)
{
    g_auto(VshDetach) detach = { .shell = shell, .args = args };
    const VshDevice *interface;

    if (!detach_begin(&detach, VSH_DEVICE_INTERFACE, error))
        return false;
    interface = find_interface(&detach, error);
    return interface &&
           detach_run(&detach, interface, _("Failed to detach interface"),
                      _("Interface detached successfully"), error);
}

static const VshOption detach_interface_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "type",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("network interface type"),
      .complete = vsh_complete_interface_type },
    { .name = "mac",
      .kind = VSH_OPTION_STRING,
      .help = N_("MAC address"),
      .complete = vsh_complete_mac },
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    VSH_FLAG("print-xml",
             N_("print XML document rather than detach the interface")),
    VSH_RELEASE_OPTIONS,
    { NULL },
};

static const VshCommand command_detach_interface = {
    .name = "detach-interface",
    .group = "domain",
    .summary = N_("detach network interface"),
    .details = N_("Detaches the interface of a type from a domain; of several, "
                  "that with the --mac. A running guest is asked to release "
                  "it: --wait and --timeout wait for it."),
    .options = detach_interface_options,
    .run = run_detach_interface,
};

static bool
detach_alias(VshShell *shell, const VshArgs *args, virDomainPtr domain,
             unsigned flags, GError **error)
{
    const char *alias = vsh_args_string(args, "alias");
    const char *name = virDomainGetName(domain);
    g_autoptr(VshRelease) release =
        vsh_release_new(shell, args, domain, alias,
                        vsh_affect_reaches_live(flags) ? alias : NULL);

    if (virDomainDetachDeviceAlias(domain, alias, flags) < 0) {
        vsh_error_virt(error, _("Failed to detach device with alias %s"),
                       alias);
        vsh_device_hint(VSH_DEVICE_ANY, name, error);
        return false;
    }
    vsh_message(&shell->out, _("Device detach request sent successfully"));
    return !vsh_release_waits(release) || vsh_release_finish(release, error);
}

static bool
run_detach_device_alias(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    unsigned flags;

    if (!vsh_affect_flags(args, &flags, error))
        return false;
    domain = vsh_domain_of(shell, args, error);
    return domain && detach_alias(shell, args, domain, flags, error);
}

static const VshOption detach_device_alias_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "alias",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("device alias"),
      .complete = vsh_complete_alias },
    VSH_AFFECT_OPTIONS,
    VSH_RELEASE_OPTIONS,
    { NULL },
};

static const VshCommand command_detach_device_alias = {
    .name = "detach-device-alias",
    .group = "domain",
    .summary = N_("detach device from an alias"),
    .details = N_("Asks a running guest to release the device with the alias "
                  "given; the event device-removed tells that it has. --wait "
                  "and --timeout wait for it."),
    .options = detach_device_alias_options,
    .run = run_detach_device_alias,
};

const VshCommand *const vsh_commands_detach[] = {
    &command_detach_device_alias,
    &command_detach_disk,
    &command_detach_interface,
    NULL,
};
