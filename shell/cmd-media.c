/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "shell/apply.h"
#include "shell/completer.h"
#include "shell/device.h"
#include "shell/xml.h"
#include "util/i18n.h"

typedef enum Action {
    EJECT,
    INSERT,
    UPDATE,
} Action;

static const char *const done_texts[] = {
    [EJECT] = N_("Successfully ejected media."),
    [INSERT] = N_("Successfully inserted media."),
    [UPDATE] = N_("Successfully updated media."),
};

static const char *const failed_texts[] = {
    [EJECT] = N_("Failed to complete action eject on media"),
    [INSERT] = N_("Failed to complete action insert on media"),
    [UPDATE] = N_("Failed to complete action update on media"),
};

static Action
action_of(const VshArgs *args)
{
    if (vsh_args_given(args, "eject"))
        return EJECT;
    return vsh_args_given(args, "insert") ? INSERT : UPDATE;
}

static bool
check_arguments(const VshArgs *args, Action action, GError **error)
{
    static const char *const actions[] = { "eject", "insert", "update", NULL };
    static const char *const sources[] = { "eject", "block", NULL };

    if (!vsh_args_exclusive(args, actions, error) ||
        !vsh_args_exclusive(args, sources, error))
        return false;
    if (action == EJECT && vsh_args_given(args, "source")) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("--eject takes no source: it leaves the drive empty"));
        return false;
    }
    if (action == INSERT && !vsh_args_given(args, "source")) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("No disk source specified for inserting"));
        return false;
    }
    return true;
}

static bool
check_drive(const VshDevice *drive, const VshArgs *args, GError **error)
{
    Action action = action_of(args);
    const char *name = drive->target;

    if (g_strcmp0(drive->device, "cdrom") != 0 &&
        g_strcmp0(drive->device, "floppy") != 0)
        vsh_error_set(error, VSH_EXIT_NOT_FOUND,
                      _("No disk found whose source path or target is %s"),
                      name);
    else if (action == EJECT && !drive->source)
        vsh_error_set(error, VSH_EXIT_STATE,
                      _("The disk device '%s' doesn't have media"), name);
    else if (action == INSERT && drive->source)
        vsh_error_set(error, VSH_EXIT_STATE,
                      _("The disk device '%s' already has media"), name);
    else if (action == UPDATE && !vsh_args_given(args, "source"))
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("New disk media source was not specified"));
    else
        return true;
    return false;
}

/* The drive as it is to be; NULL with @error set */
static char *
change_xml(virDomainPtr domain, const VshArgs *args, unsigned flags,
           GError **error)
{
    unsigned xml_flags =
        flags & VIR_DOMAIN_AFFECT_CONFIG ? VIR_DOMAIN_XML_INACTIVE : 0;
    g_autoptr(GPtrArray) disks =
        vsh_device_list(domain, VSH_DEVICE_DISK, xml_flags, error);
    bool block = vsh_args_given(args, "block");
    const VshDevice *drive =
        disks ? vsh_device_disk(disks, domain, vsh_args_string(args, "path"),
                                error)
              : NULL;
    char *xml;

    if (!drive || !check_drive(drive, args, error))
        return NULL;
    xml = vsh_xml_with_source(drive->xml, block ? "block" : "file",
                              block ? "dev" : "file",
                              vsh_args_string(args, "source"));
    if (!xml)
        vsh_error_set(error, VSH_EXIT_DOCUMENT,
                      _("the hypervisor's XML is malformed"));
    return xml;
}

static bool
run_change_media(VshShell *shell, const VshArgs *args, GError **error)
{
    Action action = action_of(args);
    g_autoptr(virDomain) domain = NULL;
    g_autofree char *xml = NULL;
    unsigned flags;

    if (!check_arguments(args, action, error) ||
        !vsh_affect_flags(args, &flags, error))
        return false;
    domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    xml = change_xml(domain, args, flags, error);
    if (!xml)
        return false;
    if (vsh_args_given(args, "print-xml")) {
        vsh_print_document(&shell->out, xml);
        return true;
    }
    if (vsh_args_given(args, "force"))
        flags |= VIR_DOMAIN_DEVICE_MODIFY_FORCE;
    if (!vsh_apply(VSH_APPLY_UPDATE, args, domain, xml, flags)) {
        vsh_apply_error(args, domain, _(failed_texts[action]), error);
        return false;
    }
    vsh_message(&shell->out, "%s", _(done_texts[action]));
    return true;
}

static const VshOption change_media_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "path",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("Fully-qualified path or target of disk device"),
      .complete = vsh_complete_disk },
    { .name = "source",
      .kind = VSH_OPTION_STRING,
      .help = N_("source of the media"),
      .complete = vsh_complete_file },
    VSH_FLAG("eject", N_("Eject the media")),
    VSH_FLAG("insert", N_("Insert the media")),
    VSH_FLAG("update", N_("Update the media")),
    VSH_AFFECT_OPTIONS,
    VSH_FLAG("force", N_("force media changing")),
    VSH_FLAG("print-xml", N_("print XML document rather than change media")),
    VSH_FLAG("block", N_("source media is a block device")),
    { NULL },
};

static const VshCommand command_change_media = {
    .name = "change-media",
    .group = "domain",
    .summary = N_("Change media of CD or floppy drive"),
    .details =
        N_("Takes the disc out of a drive, puts another one in, or both. "
           "A guest that has locked the tray keeps its disc, but for "
           "--force."),
    .options = change_media_options,
    .run = run_change_media,
};

const VshCommand *const vsh_commands_media[] = { &command_change_media, NULL };
