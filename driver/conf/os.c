/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

static ConfPolicy
judge_smbios(const char *text, const void *base)
{
    return strstr(text, "emulate") ? CONF_QUIET : CONF_REFUSED;
}

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

static bool
os_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfOs *os = base;

    return check_features(os, node, error) && check_loader(os, node, error) &&
           check_nvram(os, node, error);
}

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
    CONF_CARRY("boot", .policy = CONF_QUIET, .flags = CONF_MANY),
    CONF_CARRY("bootmenu", .policy = CONF_QUIET),
    CONF_CARRY("bios", .policy = CONF_QUIET),
    CONF_CARRY("smbios", .policy = CONF_REFUSED, .judge = judge_smbios,
               .advice = N_("the guest is given no SMBIOS tables: remove it or "
                            "use mode='emulate'")),
    CONF_END
};
const ConfElement conf_os_element = { .name = "os",
                                      .fields = os_fields,
                                      .check = os_check };
