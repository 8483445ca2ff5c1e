/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "shell/scale.h"
#include "util/i18n.h"

#define LABEL_WIDTH 16

/* A text that may be missing. */
static void
add_cell(VshTable *table, const char *text)
{
    vsh_table_add(table, text ? text : "-", text ? NULL : json_null());
}

static bool
list_disks(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           VshTable *table, GError **error)
{
    unsigned flags =
        vsh_args_given(args, "inactive") ? VIR_DOMAIN_XML_INACTIVE : 0;
    g_autoptr(GPtrArray) disks =
        vsh_device_list(domain, VSH_DEVICE_DISK, flags, error);

    if (!disks)
        return false;
    for (guint i = 0; i < disks->len; i++) {
        const VshDevice *disk = disks->pdata[i];

        vsh_table_add(table, virDomainGetName(domain), NULL);
        add_cell(table, disk->type);
        add_cell(table, disk->device);
        add_cell(table, disk->target);
        add_cell(table, disk->source);
    }
    return true;
}

static bool
run_domblklist(VshShell *shell, const VshArgs *args, GError **error)
{
    bool details = vsh_args_given(args, "details");
    VshColumn columns[] = {
        { .key = "domain" },
        { .key = "type", .header = details ? _("Type") : NULL },
        { .key = "device", .header = details ? _("Device") : NULL },
        { .key = "target", .header = _("Target") },
        { .key = "source", .header = _("Source") },
    };

    const VshDomainTable what = { columns, G_N_ELEMENTS(columns), list_disks,
                                  NULL };

    return vsh_domain_table(shell, args, &what, error);
}

static const VshOption domblklist_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ALL),
    VSH_FLAG("inactive", N_("get inactive rather than running configuration")),
    VSH_FLAG("details", N_("additionally display the type and device value")),
    { NULL },
};

static const VshCommand command_domblklist = {
    .name = "domblklist",
    .group = "monitor",
    .summary = N_("list all domain blocks"),
    .details = N_("Lists the disks of domains and where their content is."),
    .options = domblklist_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domblklist,
};

static const char *const size_keys[] = { "capacity", "allocation", "physical" };

static char *
size_text(unsigned long long bytes, bool human)
{
    return human ? vsh_scale_text(bytes) : g_strdup_printf("%llu", bytes);
}

/* The three sizes in the order of size_keys. */
static bool
fetch_sizes(virDomainPtr domain, const char *device,
            unsigned long long *ret_sizes, GError **error)
{
    const char *name = virDomainGetName(domain);
    virDomainBlockInfo info;

    if (virDomainGetBlockInfo(domain, device, &info, 0) < 0) {
        vsh_error_virt(error, _("Failed to get the sizes of block device '%s'"),
                       device);
        vsh_device_hint(VSH_DEVICE_DISK, name, error);
        return false;
    }
    ret_sizes[0] = info.capacity;
    ret_sizes[1] = info.allocation;
    ret_sizes[2] = info.physical;
    return true;
}

static bool
show_sizes(VshShell *shell, virDomainPtr domain, const char *device, bool human,
           GError **error)
{
    const char *const labels[] = { _("Capacity:"), _("Allocation:"),
                                   _("Physical:") };
    g_autoptr(VshRecord) record = vsh_record_new(LABEL_WIDTH);
    unsigned long long sizes[G_N_ELEMENTS(size_keys)];

    if (!fetch_sizes(domain, device, sizes, error))
        return false;
    vsh_record_add(record, "domain", NULL, virDomainGetName(domain), NULL);
    vsh_record_add(record, "device", NULL, device, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(size_keys); i++) {
        g_autofree char *text = size_text(sizes[i], human);

        vsh_record_add(record, size_keys[i], labels[i], text,
                       json_integer((json_int_t)sizes[i]));
    }
    vsh_record_print(record, &shell->out);
    return true;
}

/* A disk without a medium or an image has no sizes; one whose sizes cannot be
 * had is shown without them, and the first error is kept. */
static void
add_sizes(VshTable *table, virDomainPtr domain, const VshDevice *disk,
          bool human, GError **error)
{
    unsigned long long sizes[G_N_ELEMENTS(size_keys)] = { 0 };
    bool known = disk->source && fetch_sizes(domain, disk->target, sizes,
                                             *error ? NULL : error);

    known = known && (sizes[0] > 0 || sizes[1] > 0 || sizes[2] > 0);
    vsh_table_add(table, disk->target, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(size_keys); i++) {
        g_autofree char *text = known ? size_text(sizes[i], human) : NULL;

        vsh_table_add(table, known ? text : "-",
                      known ? json_integer((json_int_t)sizes[i]) : json_null());
    }
}

static bool
show_all_sizes(VshShell *shell, virDomainPtr domain, bool human, GError **error)
{
    const VshColumn columns[] = {
        { .key = "device", .header = _("Target") },
        { .key = size_keys[0], .header = _("Capacity") },
        { .key = size_keys[1], .header = _("Allocation") },
        { .key = size_keys[2], .header = _("Physical") },
    };
    g_autoptr(GPtrArray) disks =
        vsh_device_list(domain, VSH_DEVICE_DISK, 0, error);
    g_autoptr(VshTable) table = vsh_table_new(columns, G_N_ELEMENTS(columns));
    GError *failure = NULL;

    if (!disks)
        return false;
    for (guint i = 0; i < disks->len; i++)
        add_sizes(table, domain, disks->pdata[i], human, &failure);
    vsh_table_print(table, &shell->out);
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

static bool
run_domblkinfo(VshShell *shell, const VshArgs *args, GError **error)
{
    static const char *const which[] = { "all", "device", NULL };
    const char *device = vsh_args_string(args, "device");
    bool human = vsh_args_given(args, "human");
    g_autoptr(virDomain) domain = NULL;

    if (!vsh_args_exclusive(args, which, error))
        return false;
    if (!device && !vsh_args_given(args, "all")) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("command 'domblkinfo' requires <device> option"));
        vsh_error_hint(error, _("--all shows every disk"));
        return false;
    }
    domain = vsh_domain_of(shell, args, error);
    if (!domain)
        return false;
    return device ? show_sizes(shell, domain, device, human, error)
                  : show_all_sizes(shell, domain, human, error);
}

static const VshOption domblkinfo_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { .name = "device",
      .kind = VSH_OPTION_STRING,
      .help = N_("block device"),
      .complete = vsh_complete_disk },
    VSH_FLAG("human", N_("Human readable output")),
    VSH_FLAG("all", N_("display all block devices info")),
    { NULL },
};

static const VshCommand command_domblkinfo = {
    .name = "domblkinfo",
    .group = "monitor",
    .summary = N_("domain block device size information"),
    .details = N_("Shows the size that the guest sees, the bytes that the host "
                  "has allocated, and the size of the file or device of a "
                  "disk, in bytes."),
    .options = domblkinfo_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domblkinfo,
};

static const char *const disk_errors[] = {
    [VIR_DOMAIN_DISK_ERROR_NONE] = N_("no error"),
    [VIR_DOMAIN_DISK_ERROR_UNSPEC] = N_("unspecified error"),
    [VIR_DOMAIN_DISK_ERROR_NO_SPACE] = N_("no space"),
};

/* As many as the domain has, or -1. */
static int
fetch_errors(virDomainPtr domain, virDomainDiskErrorPtr *ret_errors,
             GError **error)
{
    const char *name = virDomainGetName(domain);
    int count = virDomainGetDiskErrors(domain, NULL, 0, 0);

    if (count > 0) {
        *ret_errors = g_new0(virDomainDiskError, (gsize)count);
        count = virDomainGetDiskErrors(domain, *ret_errors, (unsigned)count, 0);
    }
    if (count < 0)
        vsh_error_virt(error, _("Failed to get the disk errors of domain '%s'"),
                       name);
    return count;
}

static bool
query_errors(VshShell *shell, const VshArgs *args, virDomainPtr domain,
             VshRecord *record, GError **error)
{
    g_autofree virDomainDiskErrorPtr errors = NULL;
    int count = fetch_errors(domain, &errors, error);
    json_t *all = json_array();

    vsh_record_add(record, "domain",
                   vsh_domain_several(args) ? _("Domain:") : NULL,
                   virDomainGetName(domain), NULL);
    if (count == 0)
        vsh_record_add(record, NULL, "", _("No errors found"), NULL);
    for (int i = 0; i < count; i++) {
        int code = errors[i].error;
        bool known = code >= 0 && (size_t)code < G_N_ELEMENTS(disk_errors);
        const char *what = known ? _(disk_errors[code]) : _("unknown");
        g_autofree char *label = g_strconcat(errors[i].disk, ":", NULL);

        vsh_record_add(record, NULL, label, what, NULL);
        json_array_append_new(
            all, json_pack("{s:s, s:s}", "device", errors[i].disk, "error",
                           known ? disk_errors[code] : "unknown"));
        free(errors[i].disk);
    }
    vsh_record_add(record, "errors", NULL, NULL, all);
    return count >= 0;
}

static bool
run_domblkerror(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_report(shell, args, 1, query_errors, error);
}

static const VshOption domblkerror_options[] = {
    VSH_OPTION_DOMAINS(VSH_DOMAINS_ACTIVE),
    { NULL },
};

static const VshCommand command_domblkerror = {
    .name = "domblkerror",
    .group = "monitor",
    .summary = N_("Show errors on block devices"),
    .details = N_("Shows the disks whose last request failed, and of what: a "
                  "domain that was paused by it goes on with resume when the "
                  "cause is gone."),
    .options = domblkerror_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domblkerror,
};

static bool
run_blockresize(VshShell *shell, const VshArgs *args, GError **error)
{
    const char *path = vsh_args_string(args, "path");
    uint64_t size = vsh_args_size(args, "size", 0);
    g_autoptr(virDomain) domain = vsh_domain_of(shell, args, error);
    const char *name = domain ? virDomainGetName(domain) : NULL;
    unsigned flags = 0;

    if (!domain)
        return false;
    /* drivers that know no bytes get along with most sizes */
    if (size % 1024 == 0)
        size /= 1024;
    else
        flags = VIR_DOMAIN_BLOCK_RESIZE_BYTES;
    if (virDomainBlockResize(domain, path, size, flags) < 0) {
        vsh_error_virt(error, _("Failed to resize block device '%s'"), path);
        vsh_device_hint(VSH_DEVICE_DISK, name, error);
        return false;
    }
    vsh_message(&shell->out, _("Block device '%s' is resized"), path);
    return true;
}

static const VshOption blockresize_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ACTIVE),
    { .name = "path",
      .kind = VSH_OPTION_STRING,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("target or path of the block device"),
      .complete = vsh_complete_disk },
    { .name = "size",
      .kind = VSH_OPTION_SIZE,
      .flags = VSH_OPTION_REQUIRED,
      .help = N_("new size of the block device, as scaled integer (default "
                 "KiB)"),
      .unit = 1024 },
    { NULL },
};

static const VshCommand command_blockresize = {
    .name = "blockresize",
    .group = "domain",
    .summary = N_("resize block device of domain"),
    .details = N_("Changes the size of a disk of a running domain; the guest "
                  "is told. The partitions and file systems on it are for the "
                  "guest to grow."),
    .options = blockresize_options,
    .flags = VSH_COMMAND_NO_NEWLINE,
    .run = run_blockresize,
};

const VshCommand *const vsh_commands_block[] = {
    &command_blockresize,
    &command_domblkerror,
    &command_domblkinfo,
    &command_domblklist,
    NULL,
};
