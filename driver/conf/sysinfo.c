/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/sysinfo.h"

#include <stdio.h>
#include <string.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const type_names[] = { NULL, "smbios", "fwcfg", "" };

const char *
conf_sysinfo_value(const GPtrArray *entries, const char *name)
{
    for (guint i = 0; i < entries->len; i++) {
        const ConfSysinfoEntry *entry = g_ptr_array_index(entries, i);

        if (g_strcmp0(entry->name, name) == 0)
            return entry->value;
    }
    return NULL;
}

static const ConfField entry_fields[] = {
    CONF_ATTR("name", ConfSysinfoEntry, name, token),
    CONF_TEXT(ConfSysinfoEntry, value, string), CONF_END
};
const ConfElement conf_sysinfo_entry_element = {
    .name = "entry",
    .fields = entry_fields,
    .size = sizeof(ConfSysinfoEntry),
    .carried = offsetof(ConfSysinfoEntry, carried),
};

/* Entries that stand in an element of their own */
#define GROUP_ELEMENT(MEMBER, NAME)                                          \
    static const ConfField MEMBER##_fields[] = {                             \
        CONF_LIST("entry", ConfSysinfo, MEMBER, conf_sysinfo_entry_element), \
        CONF_END                                                             \
    };                                                                       \
    static const ConfElement MEMBER##_element = { .name = NAME,              \
                                                  .fields = MEMBER##_fields }

GROUP_ELEMENT(bios, "bios");
GROUP_ELEMENT(system, "system");
GROUP_ELEMENT(chassis, "chassis");
GROUP_ELEMENT(oem_strings, "oemStrings");

static const ConfField board_fields[] = {
    CONF_LIST("entry", ConfSysinfoBoard, entries, conf_sysinfo_entry_element),
    CONF_END
};
const ConfElement conf_sysinfo_board_element = {
    .name = "baseBoard",
    .fields = board_fields,
    .size = sizeof(ConfSysinfoBoard),
    .carried = offsetof(ConfSysinfoBoard, carried),
};

/* "mm/dd/yyyy", or a year of two digits */
static bool
is_date(const char *text)
{
    unsigned month, day, year;
    int end = 0;

    return sscanf(text, "%2u/%2u/%4u%n", &month, &day, &year, &end) == 3 &&
           !text[end] && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           (year < 100 || (year >= 1900 && year < 10000));
}

static bool
sysinfo_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfSysinfo *sysinfo = base;
    const char *date = conf_sysinfo_value(sysinfo->bios, "date");
    const char *uuid = conf_sysinfo_value(sysinfo->system, "uuid");
    unsigned char parsed[VIR_UUID_BUFLEN];

    if (sysinfo->type != CONF_SYSINFO_SMBIOS)
        return true;
    if (date && !is_date(date)) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("Invalid BIOS 'date' format: '%s'"), date);
        return false;
    }
    if (uuid && !conf_uuid_parse(uuid, parsed)) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("malformed <sysinfo> uuid element"));
        return false;
    }
    return true;
}

static const ConfField sysinfo_fields[] = {
    CONF_ATTR("type", ConfSysinfo, type, enum, .names = type_names,
              .flags = CONF_REQUIRED),
    CONF_GROUP("bios", bios_element),
    CONF_GROUP("system", system_element),
    CONF_LIST("baseBoard", ConfSysinfo, boards, conf_sysinfo_board_element),
    CONF_GROUP("chassis", chassis_element),
    CONF_GROUP("oemStrings", oem_strings_element),
    CONF_CARRY("entry", .flags = CONF_MANY, .policy = CONF_HARMLESS,
               .advice = N_("firmware is given no files of one's own")),
    CONF_END
};
const ConfElement conf_sysinfo_element = {
    .name = "sysinfo",
    .fields = sysinfo_fields,
    .size = sizeof(ConfSysinfo),
    .carried = offsetof(ConfSysinfo, carried),
    .check = sysinfo_check,
};

void
conf_sysinfo_free(ConfSysinfo *sysinfo)
{
    if (!sysinfo)
        return;
    conf_table_clear(&conf_sysinfo_element, sysinfo);
    conf_carried_clear(&sysinfo->carried);
    g_free(sysinfo);
}

char *
conf_sysinfo_format(ConfSysinfo *sysinfo)
{
    GString *out = g_string_new(NULL);
    ConfFrame frame = { .element = &conf_sysinfo_element,
                        .base = (char *)sysinfo,
                        .carried = &sysinfo->carried };

    conf_table_format(out, &frame, "sysinfo", 0);
    return g_string_free(out, FALSE);
}

const ConfSysinfo *
conf_domain_sysinfo(const ConfDomain *domain)
{
    for (guint i = 0; i < domain->sysinfos->len; i++) {
        const ConfSysinfo *sysinfo = g_ptr_array_index(domain->sysinfos, i);

        if (sysinfo->type == CONF_SYSINFO_SMBIOS)
            return sysinfo;
    }
    return NULL;
}

/* The domain is who it says to the guest that it is. */
bool
conf_domain_fill_uuid(ConfDomain *domain, GError **error)
{
    const ConfSysinfo *sysinfo = conf_domain_sysinfo(domain);
    const char *text =
        sysinfo ? conf_sysinfo_value(sysinfo->system, "uuid") : NULL;
    unsigned char uuid[VIR_UUID_BUFLEN];

    if (!text || !conf_uuid_parse(text, uuid)) {
        if (!domain->uuid_given)
            conf_uuid_generate(domain->uuid);
        return true;
    }
    if (!domain->uuid_given)
        memcpy(domain->uuid, uuid, sizeof(uuid));
    if (memcmp(domain->uuid, uuid, sizeof(uuid)) == 0)
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("UUID mismatch between <uuid> and <sysinfo>"));
    return false;
}
