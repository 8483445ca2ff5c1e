/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/capabilities.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/firmware.h"
#include "util/error.h"
#include "util/i18n.h"

/* The short names come first: clients take the first that they like. */
static const struct {
    const char *name;
    const char *canonical; /* NULL: is one */
} machines[] = {
    { "q35", "pc-q35-7.2" }, { "pc", "pc-i440fx-7.2" }, { "microvm", NULL },
    { "pc-q35-7.2", NULL },  { "pc-i440fx-7.2", NULL },
};

const char *
conf_machine_canonical(const char *machine)
{
    for (size_t i = 0; i < G_N_ELEMENTS(machines); i++) {
        if (strcmp(machines[i].name, machine) == 0)
            return machines[i].canonical ? machines[i].canonical : machine;
    }
    return g_str_has_prefix(machine, "pc-q35-") ||
                   g_str_has_prefix(machine, "pc-i440fx-")
               ? machine
               : NULL;
}

/* One line at @level; what %s stands for is escaped. */
static void G_GNUC_PRINTF(3, 4)
    line(GString *out, unsigned level, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_markup_vprintf_escaped(format, args);
    va_end(args);
    g_string_append_printf(out, "%*s%s\n", (int)(2 * level), "", text);
}

static void
append_host_cpu(GString *out, const ConfHost *host)
{
    line(out, 2, "<cpu>");
    line(out, 3, "<arch>x86_64</arch>");
    if (host->cpu_model)
        line(out, 3, "<model>%s</model>", host->cpu_model);
    if (host->cpu_vendor)
        line(out, 3, "<vendor>%s</vendor>", host->cpu_vendor);
    line(out, 3, "<topology sockets='%u' dies='%u' cores='%u' threads='%u'/>",
         host->sockets, host->dies, host->cores, host->threads);
    for (size_t i = 0; host->cpu_features && host->cpu_features[i]; i++)
        line(out, 3, "<feature name='%s'/>", host->cpu_features[i]);
    line(out, 3, "<pages unit='KiB' size='4'/>");
    line(out, 2, "</cpu>");
}

static void
append_cell(GString *out, const ConfHostCell *cell)
{
    line(out, 4, "<cell id='%u'>", cell->id);
    line(out, 5, "<memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>",
         cell->memory_kib);
    line(out, 5, "<cpus num='%zu'>", cell->n_threads);
    for (size_t i = 0; i < cell->n_threads; i++) {
        const ConfHostThread *thread = &cell->threads[i];

        line(out, 6,
             "<cpu id='%u' socket_id='%u' die_id='%u' core_id='%u' "
             "siblings='%s'/>",
             thread->id, thread->socket_id, thread->die_id, thread->core_id,
             thread->siblings);
    }
    line(out, 5, "</cpus>");
    line(out, 4, "</cell>");
}

static void
append_host(GString *out, const ConfHost *host)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    conf_uuid_format(host->uuid, uuid);
    line(out, 1, "<host>");
    line(out, 2, "<uuid>%s</uuid>", uuid);
    append_host_cpu(out, host);
    line(out, 2, "<power_management/>");
    line(out, 2, "<iommu support='no'/>");
    if (host->n_cells > 0) {
        line(out, 2, "<topology>");
        line(out, 3, "<cells num='%zu'>", host->n_cells);
        for (size_t i = 0; i < host->n_cells; i++)
            append_cell(out, &host->cells[i]);
        line(out, 3, "</cells>");
        line(out, 2, "</topology>");
    }
    line(out, 1, "</host>");
}

static void
append_guest(GString *out, const ConfHost *host, const char *arch,
             unsigned wordsize)
{
    line(out, 1, "<guest>");
    line(out, 2, "<os_type>hvm</os_type>");
    line(out, 2, "<arch name='%s'>", arch);
    line(out, 3, "<wordsize>%u</wordsize>", wordsize);
    line(out, 3, "<emulator>%s</emulator>", host->engine_path);
    for (size_t i = 0; i < G_N_ELEMENTS(machines); i++) {
        if (machines[i].canonical)
            line(out, 3, "<machine canonical='%s' maxCpus='%u'>%s</machine>",
                 machines[i].canonical, host->max_vcpus, machines[i].name);
        else
            line(out, 3, "<machine maxCpus='%u'>%s</machine>", host->max_vcpus,
                 machines[i].name);
    }
    line(out, 3, "<domain type='kvm'/>");
    line(out, 2, "</arch>");
    line(out, 2, "<features>");
    if (wordsize == 32)
        line(out, 3, "<pae/>");
    line(out, 3, "<acpi default='on' toggle='yes'/>");
    line(out, 3, "<apic default='on' toggle='no'/>");
    line(out, 3, "<cpuselection/>");
    line(out, 2, "</features>");
    line(out, 1, "</guest>");
}

char *
conf_capabilities_format(const ConfHost *host)
{
    GString *out = g_string_new("<capabilities>\n\n");

    append_host(out, host);
    g_string_append_c(out, '\n');
    append_guest(out, host, "x86_64", 64);
    g_string_append_c(out, '\n');
    append_guest(out, host, "i686", 32);
    g_string_append(out, "\n</capabilities>\n");
    return g_string_free(out, FALSE);
}

/* --- domain capabilities -----------------------------------------------------
 */

static void
append_migratable(GString *out, const char *mode, const char *name)
{
    line(out, 2, "<mode name='%s' supported='yes'>", mode);
    line(out, 3, "<enum name='%s'>", name);
    line(out, 4, "<value>on</value>");
    line(out, 4, "<value>off</value>");
    line(out, 3, "</enum>");
    line(out, 2, "</mode>");
}

static void
append_host_model(GString *out, const ConfHost *host)
{
    if (!host->cpu_model) {
        line(out, 2, "<mode name='host-model' supported='no'/>");
        return;
    }
    line(out, 2, "<mode name='host-model' supported='yes'>");
    line(out, 3, "<model fallback='forbid'>%s</model>", host->cpu_model);
    if (host->cpu_vendor)
        line(out, 3, "<vendor>%s</vendor>", host->cpu_vendor);
    for (size_t i = 0; host->cpu_features && host->cpu_features[i]; i++)
        line(out, 3, "<feature policy='require' name='%s'/>",
             host->cpu_features[i]);
    for (size_t i = 0; host->cpu_missing && host->cpu_missing[i]; i++)
        line(out, 3, "<feature policy='disable' name='%s'/>",
             host->cpu_missing[i]);
    line(out, 2, "</mode>");
}

static void
append_cpu(GString *out, const ConfHost *host)
{
    line(out, 1, "<cpu>");
    append_migratable(out, "host-passthrough", "hostPassthroughMigratable");
    append_migratable(out, "maximum", "maximumMigratable");
    append_host_model(out, host);
    line(out, 2, "<mode name='custom' supported='%s'>",
         host->n_models > 0 ? "yes" : "no");
    for (size_t i = 0; i < host->n_models; i++)
        line(out, 3, "<model usable='%s' vendor='%s'>%s</model>",
             host->models[i].usable ? "yes" : "no",
             host->models[i].vendor ? host->models[i].vendor : "unknown",
             host->models[i].name);
    line(out, 2, "</mode>");
    line(out, 1, "</cpu>");
}

typedef struct Choice {
    const char *device; /* the first of a device's has it */
    const char *name;   /* of the <enum> */
    const char *const *values;
} Choice;

static const char *const disk_devices[] = { "disk", "cdrom", NULL };
static const char *const disk_buses[] = { "virtio", "scsi", NULL };
static const char *const virtio_models[] = { "virtio",
                                             "virtio-non-transitional", NULL };
static const char *const graphics_types[] = { "vnc", NULL };
static const char *const rng_backends[] = { "random", "builtin", NULL };
static const char *const channel_types[] = { "pty", "file", "unix",
                                             "tcp", "null", NULL };

/* libvirt's order; NULL: there is none of it. A client that finds no <graphics>
 * takes libvirt for an old one and asks for more than there is. */
static const Choice choices[] = {
    { "disk", "diskDevice", disk_devices },
    { "disk", "bus", disk_buses },
    { "disk", "model", virtio_models },
    { "graphics", "type", graphics_types },
    { "video", NULL, NULL },
    { "hostdev", NULL, NULL },
    { "rng", "model", virtio_models },
    { "rng", "backendModel", rng_backends },
    { "filesystem", NULL, NULL },
    { "tpm", NULL, NULL },
    { "redirdev", NULL, NULL },
    { "channel", "type", channel_types },
};

static void
append_choice(GString *out, const Choice *choice)
{
    line(out, 3, "<enum name='%s'>", choice->name);
    for (const char *const *value = choice->values; *value; value++)
        line(out, 4, "<value>%s</value>", *value);
    line(out, 3, "</enum>");
}

/* @pci: a machine without a PCI bus has none of virtio's devices */
static void
append_devices(GString *out, bool pci)
{
    line(out, 1, "<devices>");
    for (size_t i = 0; i < G_N_ELEMENTS(choices);) {
        const char *device = choices[i].device;
        bool there =
            choices[i].name && (pci || choices[i].values == graphics_types);

        if (!there)
            line(out, 2, "<%s supported='no'/>", device);
        else
            line(out, 2, "<%s supported='yes'>", device);
        for (; i < G_N_ELEMENTS(choices) &&
               strcmp(choices[i].device, device) == 0;
             i++)
            if (there)
                append_choice(out, &choices[i]);
        if (there)
            line(out, 2, "</%s>", device);
    }
    line(out, 1, "</devices>");
}

static const char *const loader_types[] = { "rom", "pflash", NULL };
static const char *const yes_or_no[] = { "yes", "no", NULL };
static const char *const only_no[] = { "no", NULL };

static const Choice loader_choices[] = {
    { NULL, "type", loader_types },
    { NULL, "readonly", yes_or_no },
    { NULL, "secure", only_no },
};

/* Those that this machine can have */
static GPtrArray *
usable_firmware(const GPtrArray *firmware, const char *arch,
                const char *machine)
{
    GPtrArray *usable = g_ptr_array_new();

    for (guint i = 0; i < firmware->len; i++) {
        ConfFirmwareDescriptor *descriptor = g_ptr_array_index(firmware, i);

        if (conf_firmware_is_run(descriptor) &&
            conf_firmware_fits(descriptor, arch, machine))
            g_ptr_array_add(usable, descriptor);
    }
    return usable;
}

static void
append_firmware_kinds(GString *out, const GPtrArray *usable)
{
    bool bios = false, efi = false;

    for (guint i = 0; i < usable->len; i++) {
        const ConfFirmwareDescriptor *descriptor = g_ptr_array_index(usable, i);

        bios |= descriptor->bios;
        efi |= descriptor->uefi;
    }
    line(out, 2, "<enum name='firmware'>");
    if (bios)
        line(out, 3, "<value>bios</value>");
    if (efi)
        line(out, 3, "<value>efi</value>");
    line(out, 2, "</enum>");
}

static void
append_loader(GString *out, const GPtrArray *usable)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    line(out, 2, "<loader supported='yes'>");
    for (guint i = 0; i < usable->len; i++) {
        const ConfFirmwareDescriptor *descriptor = g_ptr_array_index(usable, i);

        if (g_hash_table_add(seen, descriptor->path))
            line(out, 3, "<value>%s</value>", descriptor->path);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(loader_choices); i++)
        append_choice(out, &loader_choices[i]);
    line(out, 2, "</loader>");
}

static void
append_os(GString *out, const GPtrArray *firmware, const char *arch,
          const char *machine)
{
    g_autoptr(GPtrArray) usable = usable_firmware(firmware, arch, machine);

    line(out, 1, "<os supported='yes'>");
    if (strcmp(machine, "microvm") == 0) {
        line(out, 2, "<enum name='firmware'/>");
        line(out, 2, "<loader supported='no'/>");
    } else {
        append_firmware_kinds(out, usable);
        append_loader(out, usable);
    }
    line(out, 1, "</os>");
}

static void
append_features(GString *out)
{
    line(out, 1, "<features>");
    line(out, 2, "<gic supported='no'/>");
    line(out, 2, "<vmcoreinfo supported='no'/>");
    line(out, 2, "<genid supported='no'/>");
    line(out, 2, "<backingStoreInput supported='yes'/>");
    line(out, 2, "<backup supported='no'/>");
    line(out, 2, "<sev supported='no'/>");
    line(out, 1, "</features>");
}

static bool
check_question(const ConfHost *host, const char *emulator, const char *arch,
               const char *virttype, GError **error)
{
    if (virttype && strcmp(virttype, "kvm") != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("domain type '%s' is not supported: only kvm is"),
                  virttype);
        return false;
    }
    if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "i686") != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("architecture '%s' is not supported on this host"), arch);
        return false;
    }
    /* documents of other drivers name their own program: it is never run */
    if (emulator && *emulator != '/') {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the path of the emulator is not absolute: '%s'"),
                  emulator);
        return false;
    }
    return true;
}

char *
conf_domain_capabilities_format(const ConfHost *host, const GPtrArray *firmware,
                                const char *emulator, const char *arch,
                                const char *machine, const char *virttype,
                                GError **error)
{
    const char *canonical = conf_machine_canonical(machine ? machine : "q35");
    GString *out;

    if (!check_question(host, emulator, arch, virttype, error))
        return NULL;
    if (!canonical) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("machine type '%s' is not supported: use q35, pc or "
                    "microvm"),
                  machine);
        return NULL;
    }
    out = g_string_new("<domainCapabilities>\n");
    line(out, 1, "<path>%s</path>", host->engine_path);
    line(out, 1, "<domain>kvm</domain>");
    line(out, 1, "<machine>%s</machine>", canonical);
    line(out, 1, "<arch>%s</arch>", arch ? arch : "x86_64");
    line(out, 1, "<vcpu max='%u'/>", host->max_vcpus);
    line(out, 1, "<iothreads supported='yes'/>");
    append_os(out, firmware, arch ? arch : "x86_64", canonical);
    append_cpu(out, host);
    append_devices(out, strcmp(canonical, "microvm") != 0);
    append_features(out);
    g_string_append(out, "</domainCapabilities>\n");
    return g_string_free(out, FALSE);
}
