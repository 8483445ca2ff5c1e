/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "shell/apply.h"
#include "shell/completer.h"
#include "shell/device.h"
#include "shell/document.h"
#include "shell/release.h"
#include "shell/xml.h"
#include "util/i18n.h"

/* Devices that stand in files: attach-device, detach-device, update-device. */

/* What is said of a device from the file @path. */
static char *
failure_text(VshApplyKind kind, const char *path)
{
    switch (kind) {
    case VSH_APPLY_ATTACH:
        return g_strdup_printf(_("Failed to attach device from %s"), path);
    case VSH_APPLY_DETACH:
        return g_strdup_printf(_("Failed to detach device from %s"), path);
    case VSH_APPLY_UPDATE:
        return g_strdup_printf(_("Failed to update device from %s"), path);
    }
    return NULL;
}

/* The device's file, read, and the domain it is for. */
typedef struct VshDeviceFile {
    char *xml;
    virDomainPtr domain;
    unsigned flags; /* virDomainModificationImpact */
} VshDeviceFile;

static void
device_file_clear(VshDeviceFile *file)
{
    g_free(file->xml);
    if (file->domain)
        virDomainFree(file->domain);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VshDeviceFile, device_file_clear)

static bool
open_file(VshShell *shell, const VshArgs *args, const char *path,
          VshDeviceFile *file, GError **error)
{
    file->domain = vsh_domain_of(shell, args, error);
    if (!file->domain ||
        !vsh_affect_domain_flags(args, file->domain, &file->flags, error))
        return false;
    file->xml = vsh_document_read(path, error);
    return file->xml != NULL;
}

static bool
apply_file(const VshArgs *args, const char *path, VshApplyKind kind,
           const VshDeviceFile *file, GError **error)
{
    g_autofree char *context = failure_text(kind, path);

    if (vsh_apply(kind, args, file->domain, file->xml, file->flags))
        return true;
    vsh_apply_error(args, file->domain, context, error);
    return false;
}

static bool
attach_file(VshShell *shell, const VshArgs *args, const char *path,
            GError **error)
{
    g_auto(VshDeviceFile) file = { 0 };

    if (!open_file(shell, args, path, &file, error) ||
        !apply_file(args, path, VSH_APPLY_ATTACH, &file, error))
        return false;
    vsh_message(&shell->out, _("Device attached successfully"));
    return true;
}

static bool
run_attach_device(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_document_each(shell, args, attach_file, error);
}

#define DEVICE_FILES                                                           \
    {                                                                          \
        .name = "file", .kind = VSH_OPTION_MANY, .flags = VSH_OPTION_REQUIRED, \
        .help = N_("XML file of a device; - is standard input"),               \
        .complete = vsh_complete_file                                          \
    }

static const VshOption attach_device_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    DEVICE_FILES,
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    { NULL },
};

static const VshCommand command_attach_device = {
    .name = "attach-device",
    .group = "domain",
    .summary = N_("attach device from an XML file"),
    .details = N_("Attaches the devices of XML files, as they would stand in "
                  "<devices>, to a domain: to the running one, unless an "
                  "option says otherwise."),
    .options = attach_device_options,
    .run = run_attach_device,
};

static char *
first_string(const char *xml, const char *xpath)
{
    g_auto(GStrv) found = vsh_xml_strings(xml, xpath);

    return g_strdup(found ? found[0] : NULL);
}

/* Which device of the running domain a file means; NULL if none is known. */
static char *
live_alias(const VshDeviceFile *file)
{
    g_autofree char *target = first_string(file->xml, "/disk/target/@dev");
    g_autofree char *mac = first_string(file->xml, "/interface/mac/@address");
    char *alias = first_string(file->xml, "/*/alias/@name");

    return alias ? alias : vsh_device_live_alias(file->domain, target, mac);
}

static bool
detach_file(VshShell *shell, const VshArgs *args, const char *path,
            GError **error)
{
    g_auto(VshDeviceFile) file = { 0 };
    g_autoptr(VshRelease) release = NULL;
    g_autofree char *alias = NULL;

    if (!open_file(shell, args, path, &file, error))
        return false;
    if (vsh_affect_reaches_live(file.flags))
        alias = live_alias(&file);
    release = vsh_release_new(shell, args, file.domain, path, alias);
    if (!apply_file(args, path, VSH_APPLY_DETACH, &file, error) ||
        !vsh_release_finish(release, error))
        return false;
    vsh_message(&shell->out, _("Device detached successfully"));
    return true;
}

static bool
run_detach_device(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_document_each(shell, args, detach_file, error);
}

static const VshOption detach_device_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    DEVICE_FILES,
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    VSH_RELEASE_OPTIONS,
    { NULL },
};

static const VshCommand command_detach_device = {
    .name = "detach-device",
    .group = "domain",
    .summary = N_("detach device from an XML file"),
    .details = N_("Detaches the devices of XML files from a domain. A running "
                  "guest is asked to release them: --wait and --timeout wait "
                  "for it."),
    .options = detach_device_options,
    .run = run_detach_device,
};

static bool
update_file(VshShell *shell, const VshArgs *args, const char *path,
            GError **error)
{
    g_auto(VshDeviceFile) file = { 0 };

    if (!open_file(shell, args, path, &file, error))
        return false;
    if (vsh_args_given(args, "force"))
        file.flags |= VIR_DOMAIN_DEVICE_MODIFY_FORCE;
    if (!apply_file(args, path, VSH_APPLY_UPDATE, &file, error))
        return false;
    vsh_message(&shell->out, _("Device updated successfully"));
    return true;
}

static bool
run_update_device(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_document_each(shell, args, update_file, error);
}

static const VshOption update_device_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    DEVICE_FILES,
    VSH_PERSISTENT_OPTION,
    VSH_AFFECT_OPTIONS,
    VSH_FLAG("force", N_("force device update")),
    { NULL },
};

static const VshCommand command_update_device = {
    .name = "update-device",
    .group = "domain",
    .summary = N_("update device from an XML file"),
    .details = N_("Changes devices of a domain to what XML files say: the link "
                  "state or the bandwidth of an interface, the medium of a "
                  "drive."),
    .options = update_device_options,
    .run = run_update_device,
};

const VshCommand *const vsh_commands_device[] = {
    &command_attach_device,
    &command_detach_device,
    &command_update_device,
    NULL,
};
