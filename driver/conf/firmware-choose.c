/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/firmware.h"

#include <string.h>

#include "conf/capabilities.h"
#include "util/error.h"
#include "util/i18n.h"

bool
conf_firmware_has(const ConfFirmwareDescriptor *descriptor, const char *feature)
{
    return g_strv_contains((const char *const *)descriptor->features, feature);
}

bool
conf_firmware_fits(const ConfFirmwareDescriptor *descriptor, const char *arch,
                   const char *machine)
{
    for (guint i = 0; i < descriptor->targets->len; i++) {
        const ConfFirmwareTarget *target =
            g_ptr_array_index(descriptor->targets, i);

        if (strcmp(target->architecture, arch) != 0)
            continue;
        for (size_t k = 0; target->machines[k]; k++)
            if (g_pattern_match_simple(target->machines[k], machine))
                return true;
    }
    return false;
}

bool
conf_firmware_is_run(const ConfFirmwareDescriptor *descriptor)
{
    return descriptor->device != CONF_FIRMWARE_KERNEL &&
           descriptor->mode != CONF_FLASH_COMBINED &&
           !conf_firmware_has(descriptor, "requires-smm");
}

/* --- does it do for this domain? ------------------------------------------ */
static bool
is_raw(const char *format)
{
    return !format || strcmp(format, "raw") == 0;
}

/* What a domain says of @feature, whose presence is @there */
static bool
agrees(const ConfOs *os, ConfFirmwareFeatureName feature, bool there)
{
    ConfOnOff wish = conf_os_feature(os, feature);

    return wish == CONF_ONOFF_ABSENT || (wish == CONF_ONOFF_ON) == there;
}

static bool
has_features(const ConfDomain *domain, const ConfFirmwareDescriptor *descriptor)
{
    const ConfPm *pm = &domain->pm;
    bool secure = conf_firmware_has(descriptor, "secure-boot");

    return (pm->suspend_to_mem != CONF_ONOFF_ON ||
            conf_firmware_has(descriptor, "acpi-s3")) &&
           (pm->suspend_to_disk != CONF_ONOFF_ON ||
            conf_firmware_has(descriptor, "acpi-s4")) &&
           (domain->os.loader.secure != CONF_ONOFF_ON || secure) &&
           agrees(&domain->os, CONF_FIRMWARE_SECURE_BOOT, secure) &&
           agrees(&domain->os, CONF_FIRMWARE_ENROLLED_KEYS,
                  conf_firmware_has(descriptor, "enrolled-keys"));
}

/* The kind that <os firmware=''> asks for, else that <loader> is */
static bool
is_kind(const ConfOs *os, const ConfFirmwareDescriptor *descriptor)
{
    switch (os->firmware) {
    case CONF_FIRMWARE_EFI:
        return descriptor->uefi;
    case CONF_FIRMWARE_BIOS:
        return descriptor->bios;
    case CONF_FIRMWARE_ABSENT:
        break;
    }
    return os->loader.type == CONF_LOADER_PFLASH ? descriptor->uefi
                                                 : descriptor->bios;
}

static bool
is_device(const ConfLoader *loader, const ConfFirmwareDescriptor *descriptor)
{
    switch (descriptor->device) {
    case CONF_FIRMWARE_FLASH:
        return loader->type != CONF_LOADER_ROM && is_raw(descriptor->format) &&
               is_raw(descriptor->template_format) &&
               descriptor->mode == (loader->stateless == CONF_ONOFF_ON
                                        ? CONF_FLASH_STATELESS
                                        : CONF_FLASH_SPLIT);
    case CONF_FIRMWARE_MEMORY:
        return loader->type != CONF_LOADER_PFLASH;
    case CONF_FIRMWARE_KERNEL:
        break;
    }
    return false;
}

static bool
does(const ConfDomain *domain, const ConfFirmwareDescriptor *descriptor)
{
    const ConfOs *os = &domain->os;

    return is_kind(os, descriptor) && is_device(&os->loader, descriptor) &&
           (!os->loader.path ||
            strcmp(os->loader.path, descriptor->path) == 0) &&
           conf_firmware_fits(descriptor, os->arch,
                              conf_machine_canonical(os->machine)) &&
           has_features(domain, descriptor);
}

/* --- and if it does ------------------------------------------------------- */
static void
note_feature(ConfOs *os, ConfFirmwareFeatureName name, bool there)
{
    ConfFirmwareFeature *feature;

    if (conf_os_feature(os, name) != CONF_ONOFF_ABSENT)
        return;
    feature = conf_firmware_feature_new();
    feature->name = (int)name;
    feature->enabled = there ? CONF_ONOFF_ON : CONF_ONOFF_OFF;
    g_ptr_array_add(os->firmware_features, feature);
}

/* A domain that names an image, and asks for no choice, is told the template of
 * its variables alone. */
static void
take(ConfOs *os, const ConfFirmwareDescriptor *descriptor)
{
    bool flash = descriptor->device == CONF_FIRMWARE_FLASH;

    if (!os->nvram.template && descriptor->template &&
        (os->firmware || os->loader.readonly == CONF_ONOFF_ON))
        os->nvram.template = g_strdup(descriptor->template);
    if (!os->firmware)
        return;
    if (!os->loader.path)
        os->loader.path = g_strdup(descriptor->path);
    os->loader.type = flash ? CONF_LOADER_PFLASH : CONF_LOADER_ROM;
    if (flash)
        os->loader.readonly = CONF_ONOFF_ON;
    if (!descriptor->uefi)
        return;
    note_feature(os, CONF_FIRMWARE_ENROLLED_KEYS,
                 conf_firmware_has(descriptor, "enrolled-keys"));
    note_feature(os, CONF_FIRMWARE_SECURE_BOOT,
                 conf_firmware_has(descriptor, "secure-boot"));
}

static bool
fail(const ConfDomain *domain, const ConfFirmwareDescriptor *unfit,
     GError **error)
{
    if (unfit)
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the firmware of '%s' cannot be run: it needs System "
                    "Management Mode, which no guest is given: do without "
                    "secure boot"),
                  unfit->file);
    else
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("unable to find 'efi' firmware that is compatible with the "
                    "current configuration: install a package of it (ovmf), or "
                    "ask for less in <firmware> and <loader>"));
    return false;
}

/* Which of them a firmware='bios' is without a descriptor the engine knows. */
static bool
is_settled(const ConfOs *os)
{
    if (os->firmware == CONF_FIRMWARE_EFI)
        return false;
    if (os->firmware == CONF_FIRMWARE_BIOS)
        return os->loader.path;
    return os->nvram.template || !conf_os_wants_nvram(os);
}

bool
conf_domain_choose_firmware(ConfDomain *domain, const GPtrArray *firmware,
                            GError **error)
{
    const ConfFirmwareDescriptor *unfit = NULL;
    ConfOs *os = &domain->os;

    if (is_settled(os))
        return true;
    for (guint i = 0; i < firmware->len; i++) {
        const ConfFirmwareDescriptor *descriptor =
            g_ptr_array_index(firmware, i);

        if (!does(domain, descriptor))
            continue;
        if (conf_firmware_is_run(descriptor)) {
            take(os, descriptor);
            return true;
        }
        if (!unfit)
            unfit = descriptor;
    }
    return os->firmware != CONF_FIRMWARE_EFI || fail(domain, unfit, error);
}
