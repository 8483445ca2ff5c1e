/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

static const ConfField type_fields[] = {
    CONF_ATTR("arch", ConfOs, arch, token),
    CONF_ATTR("machine", ConfOs, machine, token),
    CONF_TEXT(ConfOs, type, token), CONF_END
};
static const ConfElement type_element = { .name = "type",
                                          .fields = type_fields };

static bool
refuse(GError **error, const xmlNode *node, const char *message)
{
    error_set(error, VIR_ERR_XML_ERROR, _("%s (line %ld)"), _(message),
              xmlGetLineNo(node));
    return false;
}

static bool
check_features(const ConfOs *os, const xmlNode *node, GError **error)
{
    if (os->firmware_features->len > 0 && !os->firmware)
        return refuse(error, node,
                      N_("<firmware> chooses among the host's firmware: name "
                         "the kind by firmware='efi' of <os>"));
    if (conf_os_feature(os, CONF_FIRMWARE_ENROLLED_KEYS) == CONF_ONOFF_ON &&
        conf_os_feature(os, CONF_FIRMWARE_SECURE_BOOT) == CONF_ONOFF_OFF)
        return refuse(error, node,
                      N_("firmware feature 'enrolled-keys' cannot be enabled "
                         "when firmware feature 'secure-boot' is disabled"));
    return true;
}

/* Which of the attributes go together does not depend on the host. */
static bool
check_loader(const ConfOs *os, const xmlNode *node, GError **error)
{
    const ConfLoader *loader = &os->loader;
    bool nvram = os->nvram.path || os->nvram.template || os->nvram.type;

    if (loader->path && loader->path[0] != '/')
        return refuse(error, node, N_("the path of <loader> is not absolute"));
    if (!os->firmware && !loader->path &&
        (loader->type || loader->readonly || loader->secure ||
         loader->stateless))
        return refuse(error, node,
                      N_("no loader path specified and firmware auto selection "
                         "disabled"));
    if (loader->stateless == CONF_ONOFF_ON && nvram)
        return refuse(error, node,
                      N_("NVRAM is not permitted when loader is stateless"));
    if (loader->type == CONF_LOADER_ROM && nvram)
        return refuse(error, node, N_("Only pflash loader type permits NVRAM"));
    if (loader->type == CONF_LOADER_ROM && loader->readonly == CONF_ONOFF_OFF)
        return refuse(error, node,
                      N_("ROM loader type cannot be used as read/write"));
    return true;
}

static bool
check_nvram(const ConfOs *os, const xmlNode *node, GError **error)
{
    const char *path = conf_os_nvram(os);

    if (path && path[0] != '/')
        return refuse(error, node, N_("the path of <nvram> is not absolute"));
    if (os->nvram.template && os->nvram.template[0] != '/')
        return refuse(error, node,
                      N_("the template of <nvram> is not an absolute path"));
    return true;
}

/* The numbers that firmware counts with are of 16 bits. */
#define TIMEOUT_MAX 65535

static bool
check_timeout(const char *text, gint64 least, const xmlNode *node,
              const char *message, GError **error)
{
    char *rest = NULL;
    gint64 value;

    if (!text)
        return true;
    value = g_ascii_strtoll(text, &rest, 10);
    if (*text && !*rest && value >= least && value <= TIMEOUT_MAX)
        return true;
    return refuse(error, node, message);
}

static bool
check_boot(const ConfOs *os, const xmlNode *node, GError **error)
{
    return check_timeout(os->menu_timeout, 0, node,
                         N_("invalid value for boot menu timeout, must be in "
                            "range [0,65535]"),
                         error) &&
           check_timeout(os->reboot_timeout, -1, node,
                         N_("invalid value for rebootTimeout, must be in "
                            "range [-1,65535]"),
                         error);
}

static bool
os_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfOs *os = base;

    return check_features(os, node, error) && check_loader(os, node, error) &&
           check_nvram(os, node, error) && check_boot(os, node, error);
}

static const char *const boot_names[] = { NULL,    "fd",      "hd",
                                          "cdrom", "network", "" };
static const ConfField boot_fields[] = { CONF_ATTR("dev", ConfBoot, dev, enum,
                                                   .names = boot_names,
                                                   .flags = CONF_REQUIRED),
                                         CONF_END };
static const ConfElement boot_element = {
    .name = "boot",
    .fields = boot_fields,
    .size = sizeof(ConfBoot),
    .carried = offsetof(ConfBoot, carried),
};

static const ConfField menu_fields[] = {
    CONF_ATTR("enable", ConfOs, menu, yesno),
    CONF_ATTR("timeout", ConfOs, menu_timeout, token), CONF_END
};
static const ConfElement menu_element = { .name = "bootmenu",
                                          .fields = menu_fields };

static const ConfField bios_fields[] = {
    CONF_ATTR("useserial", ConfOs, use_serial, yesno),
    CONF_ATTR("rebootTimeout", ConfOs, reboot_timeout, token), CONF_END
};
static const ConfElement bios_element = { .name = "bios",
                                          .fields = bios_fields };

static const char *const smbios_names[] = { NULL, "emulate", "host", "sysinfo",
                                            "" };
static const ConfField smbios_fields[] = {
    CONF_ATTR("mode", ConfOs, smbios, enum, .names = smbios_names,
              .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement smbios_element = { .name = "smbios",
                                            .fields = smbios_fields };

static const char *const firmware_names[] = { NULL, "bios", "efi", "" };

static const ConfField os_fields[] = {
    CONF_ATTR("firmware", ConfOs, firmware, enum, .names = firmware_names),
    CONF_GROUP("type", type_element, .flags = CONF_REQUIRED),
    CONF_CARRY("init", .policy = CONF_REFUSED),
    CONF_CARRY("initarg", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_CARRY("initenv", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_CARRY("initdir", .policy = CONF_REFUSED),
    CONF_CARRY("inituser", .policy = CONF_REFUSED),
    CONF_CARRY("initgroup", .policy = CONF_REFUSED),
    CONF_GROUP("firmware", conf_firmware_element),
    CONF_CHILD("loader", ConfOs, loader, conf_loader_element),
    CONF_CHILD("nvram", ConfOs, nvram, conf_nvram_element),
    CONF_LEAF("kernel", ConfOs, kernel, string),
    CONF_LEAF("initrd", ConfOs, initrd, string),
    CONF_LEAF("cmdline", ConfOs, cmdline, string),
    CONF_CARRY("dtb", .policy = CONF_REFUSED),
    CONF_CARRY("root", .policy = CONF_REFUSED),
    CONF_CARRY("acpi", .policy = CONF_REFUSED,
               .advice = N_("tables of one's own are not given to the guest")),
    CONF_LIST("boot", ConfOs, boot, boot_element),
    CONF_GROUP("bootmenu", menu_element),
    CONF_GROUP("bios", bios_element),
    CONF_GROUP("smbios", smbios_element),
    CONF_END
};
const ConfElement conf_os_element = { .name = "os",
                                      .fields = os_fields,
                                      .check = os_check };
