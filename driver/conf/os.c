/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/i18n.h"

#include <string.h>

#define FIRMWARE_ADVICE \
    N_("firmware is not run: remove it and boot a <kernel> directly")

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

static const ConfField loader_fields[] = {
    CONF_CARRY_ATTR("readonly", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("secure", .policy = CONF_REFUSED,
                    .advice = FIRMWARE_ADVICE),
    CONF_CARRY_ATTR("type", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("stateless", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("format", .policy = CONF_QUIET),
    CONF_TEXT(ConfOs, loader, string, .policy = CONF_REFUSED,
              .advice = FIRMWARE_ADVICE),
    CONF_END
};
static const ConfElement loader_element = { .name = "loader",
                                            .fields = loader_fields };

static const ConfField nvram_fields[] = {
    CONF_CARRY_ATTR("template", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("type", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("format", .policy = CONF_QUIET),
    CONF_TEXT(ConfOs, nvram, string, .policy = CONF_HARMLESS),
    CONF_CARRY("source", .policy = CONF_HARMLESS),
    CONF_END
};
static const ConfElement nvram_element = { .name = "nvram",
                                           .fields = nvram_fields };

static const ConfField os_fields[] = {
    CONF_CARRY_ATTR("firmware", .policy = CONF_REFUSED,
                    .advice = FIRMWARE_ADVICE),
    CONF_GROUP("type", type_element, .flags = CONF_REQUIRED),
    CONF_CARRY("init", .policy = CONF_REFUSED),
    CONF_CARRY("initarg", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_CARRY("initenv", .policy = CONF_REFUSED, .flags = CONF_MANY),
    CONF_CARRY("initdir", .policy = CONF_REFUSED),
    CONF_CARRY("inituser", .policy = CONF_REFUSED),
    CONF_CARRY("initgroup", .policy = CONF_REFUSED),
    CONF_CARRY("firmware", .policy = CONF_REFUSED, .advice = FIRMWARE_ADVICE),
    CONF_GROUP("loader", loader_element),
    CONF_GROUP("nvram", nvram_element),
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
const ConfElement conf_os_element = { .name = "os", .fields = os_fields };
