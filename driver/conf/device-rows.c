/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device-rows.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* The base is the member itself */
static const ConfField alias_fields[] = { { .kind = CONF_KIND_ATTR,
                                            .name = "name",
                                            .type = &conf_type_token,
                                            .flags = CONF_LIVE | CONF_USER },
                                          CONF_END };
const ConfElement conf_alias_element = { .name = "alias",
                                         .fields = alias_fields };

static const ConfField boot_fields[] = { { .kind = CONF_KIND_ATTR,
                                           .name = "order",
                                           .type = &conf_type_uint,
                                           .policy = CONF_QUIET },
                                         CONF_CARRY_ATTR("loadparm",
                                                         .policy = CONF_QUIET),
                                         CONF_END };
const ConfElement conf_boot_element = { .name = "boot", .fields = boot_fields };

static bool
rom_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfRom *rom = base;

    if (rom->enabled == CONF_ONOFF_OFF && (rom->bar || rom->file)) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("ROM tuning is not supported when ROM is disabled"));
        return false;
    }
    if (!rom->file || rom->file[0] == '/')
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("the file of <rom> is not an absolute path (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfField rom_fields[] = {
    CONF_ATTR("enabled", ConfRom, enabled, yesno),
    CONF_ATTR("bar", ConfRom, bar, onoff),
    CONF_ATTR("file", ConfRom, file, string), CONF_END
};
const ConfElement conf_rom_element = { .name = "rom",
                                       .fields = rom_fields,
                                       .check = rom_check };

ConfPolicy
conf_judge_off(const char *text, const void *base)
{
    return strstr(text, "'off'") || strstr(text, "'no'") ? CONF_HONOURED
                                                         : CONF_REFUSED;
}

bool
conf_model_is_virtio(const char *model)
{
    static const char *const models[] = { "virtio", CONF_MODEL_TRANSITIONAL,
                                          "virtio-non-transitional", NULL };

    return g_strv_contains(models, model);
}

ConfPolicy
conf_model_policy(const char *model)
{
    if (!model)
        return CONF_HONOURED;
    if (!conf_model_is_virtio(model))
        return CONF_REFUSED;
    return strcmp(model, CONF_MODEL_TRANSITIONAL) == 0 ? CONF_HARMLESS
                                                       : CONF_HONOURED;
}
