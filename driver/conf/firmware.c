/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "conf/element.h"
#include "conf/os.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* <firmware>, <loader> and <nvram> of <os>. */
#define SECURE_ADVICE \
    N_("secure boot needs System Management Mode, which no guest is given")
#define FORMAT_ADVICE N_("the file has to be raw")

static const char *const feature_names[] = { NULL, "secure-boot",
                                             "enrolled-keys", "" };
static const char *const nvram_types[] = { NULL, "file", "block", "network",
                                           "" };
static const char *const loader_types[] = { NULL, "rom", "pflash", "" };

static ConfPolicy
judge_format(const char *format)
{
    return !format || strcmp(format, "raw") == 0 ? CONF_HONOURED : CONF_REFUSED;
}

static ConfPolicy
judge_loader_format(const char *text, const void *base)
{
    return judge_format(((const ConfLoader *)base)->format);
}

static ConfPolicy
judge_nvram_format(const char *text, const void *base)
{
    return judge_format(((const ConfNvram *)base)->format);
}

static ConfPolicy
judge_template_format(const char *text, const void *base)
{
    return judge_format(((const ConfNvram *)base)->template_format);
}

static ConfPolicy
judge_nvram_type(const char *text, const void *base)
{
    return ((const ConfNvram *)base)->type == CONF_NVRAM_FILE ? CONF_HONOURED
                                                              : CONF_REFUSED;
}

static ConfPolicy
judge_secure(const char *text, const void *base)
{
    return ((const ConfLoader *)base)->secure == CONF_ONOFF_ON ? CONF_REFUSED
                                                               : CONF_HONOURED;
}

/* Keys are of use to secure boot only, but do no harm without it. */
static ConfPolicy
judge_feature(const char *text, const void *base)
{
    const ConfFirmwareFeature *feature = base;

    return feature->enabled == CONF_ONOFF_ON ? CONF_REFUSED : CONF_HONOURED;
}

static bool
feature_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfFirmwareFeature *feature = base;

    if (feature->name && feature->enabled)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("<feature> of <firmware> needs 'enabled' and 'name' (line "
                "%ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfField feature_fields[] = {
    CONF_ATTR("enabled", ConfFirmwareFeature, enabled, yesno,
              .flags = CONF_REQUIRED, .judge = judge_feature,
              .advice = SECURE_ADVICE),
    CONF_ATTR("name", ConfFirmwareFeature, name, enum, .names = feature_names,
              .flags = CONF_REQUIRED),
    CONF_END
};
static const ConfElement feature_element = {
    .name = "feature",
    .fields = feature_fields,
    .size = sizeof(ConfFirmwareFeature),
    .carried = offsetof(ConfFirmwareFeature, carried),
    .check = feature_check,
};

static const ConfField firmware_fields[] = {
    CONF_LIST("feature", ConfOs, firmware_features, feature_element), CONF_END
};
const ConfElement conf_firmware_element = { .name = "firmware",
                                            .fields = firmware_fields };

static const ConfField loader_fields[] = {
    CONF_ATTR("readonly", ConfLoader, readonly, yesno),
    CONF_ATTR("secure", ConfLoader, secure, yesno, .judge = judge_secure,
              .advice = SECURE_ADVICE),
    CONF_ATTR("type", ConfLoader, type, enum, .names = loader_types),
    CONF_ATTR("stateless", ConfLoader, stateless, yesno),
    CONF_ATTR("format", ConfLoader, format, token, .judge = judge_loader_format,
              .advice = FORMAT_ADVICE),
    CONF_TEXT(ConfLoader, path, string),
    CONF_END
};
const ConfElement conf_loader_element = { .name = "loader",
                                          .fields = loader_fields };

/* Of a type that is refused as such there is no more to say. */
static const ConfField source_fields[] = {
    CONF_ATTR("file", ConfNvram, source_file, string),
    CONF_CARRY_ATTR("dev", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("protocol", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("name", .policy = CONF_QUIET),
    CONF_CARRY("host", .policy = CONF_QUIET, .flags = CONF_MANY),
    CONF_END
};
static const ConfElement source_element = { .name = "source",
                                            .fields = source_fields };

static const ConfField nvram_fields[] = {
    CONF_ATTR("template", ConfNvram, template, string),
    CONF_ATTR("templateFormat", ConfNvram, template_format, token,
              .judge = judge_template_format, .advice = FORMAT_ADVICE),
    CONF_ATTR("type", ConfNvram, type, enum, .names = nvram_types,
              .judge = judge_nvram_type,
              .advice = N_("the variables have to be in a file")),
    CONF_ATTR("format", ConfNvram, format, token, .judge = judge_nvram_format,
              .advice = FORMAT_ADVICE),
    CONF_TEXT(ConfNvram, path, string,
              CONF_WHEN(ConfNvram, type, 1u << CONF_NVRAM_TEXT)),
    CONF_GROUP("source", source_element,
               CONF_WHEN(ConfNvram, type, ~(1u << CONF_NVRAM_TEXT))),
    CONF_END
};
const ConfElement conf_nvram_element = { .name = "nvram",
                                         .fields = nvram_fields };

ConfFirmwareFeature *
conf_firmware_feature_new(void)
{
    return conf_table_new(&feature_element);
}

ConfOnOff
conf_os_feature(const ConfOs *os, ConfFirmwareFeatureName name)
{
    for (guint i = 0; i < os->firmware_features->len; i++) {
        const ConfFirmwareFeature *feature =
            g_ptr_array_index(os->firmware_features, i);

        if (feature->name == (int)name)
            return feature->enabled;
    }
    return CONF_ONOFF_ABSENT;
}

const char *
conf_os_nvram(const ConfOs *os)
{
    return os->nvram.type == CONF_NVRAM_FILE ? os->nvram.source_file
                                             : os->nvram.path;
}

bool
conf_os_wants_nvram(const ConfOs *os)
{
    const ConfLoader *loader = &os->loader;

    return loader->path && loader->type == CONF_LOADER_PFLASH &&
           loader->readonly == CONF_ONOFF_ON &&
           loader->stateless != CONF_ONOFF_ON;
}
