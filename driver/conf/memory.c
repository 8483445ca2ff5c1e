/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

/* So that bytes still fit a signed 64-bit number. */
#define MEMORY_MAX_KIB (UINT64_C(1) << 53)

/* Bytes that one of @unit is; 0 if there is no such unit. libvirt's: "b",
 * "bytes"; a letter alone or with "iB" counts in 1024, with "B" in 1000. */
static uint64_t
unit_bytes(const char *unit)
{
    static const char letters[] = "kmgtpe";
    const char *letter;
    uint64_t base, bytes = 1;

    if (!*unit)
        return 1024;
    if (g_ascii_strcasecmp(unit, "b") == 0 ||
        g_ascii_strcasecmp(unit, "byte") == 0 ||
        g_ascii_strcasecmp(unit, "bytes") == 0)
        return 1;
    letter = strchr(letters, g_ascii_tolower(*unit));
    if (!letter)
        return 0;
    if (!unit[1] || g_ascii_strcasecmp(unit + 1, "ib") == 0)
        base = 1024;
    else if (g_ascii_strcasecmp(unit + 1, "b") == 0)
        base = 1000;
    else
        return 0;
    for (const char *p = letters; p <= letter; p++)
        bytes *= base;
    return bytes;
}

static bool
memory_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    g_autofree char *unit = conf_xml_attr(node, "unit");
    uint64_t scale = unit_bytes(unit ? unit : "");
    uint64_t number, bytes;

    if (!conf_number_parse(text, UINT64_MAX, &number)) {
        conf_value_error(error, field, node, text);
        return false;
    }
    if (scale == 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("unknown suffix '%s' in element <%s> (line %ld)"), unit,
                  (const char *)node->name, xmlGetLineNo(node));
        return false;
    }
    if (__builtin_mul_overflow(number, scale, &bytes) ||
        bytes > MEMORY_MAX_KIB * 1024) {
        error_set(error, VIR_ERR_OVERFLOW,
                  _("value too large: %s%s in element <%s> (line %ld)"), text,
                  unit ? unit : "KiB", (const char *)node->name,
                  xmlGetLineNo(node));
        return false;
    }
    *(uint64_t *)member = bytes / 1024 + (bytes % 1024 != 0);
    return true;
}

static const char *
memory_format(const ConfField *field, const void *member, char *scratch)
{
    return conf_type_uint64.format(field, member, scratch);
}

static void
memory_schema(const ConfField *field, GString *out)
{
    conf_type_uint64.schema(field, out);
}

static const ConfType conf_type_memory = { .parse = memory_parse,
                                           .format = memory_format,
                                           .schema = memory_schema };

/* unit='': read together with the number; we always write KiB. */
static bool
unit_parse(const ConfField *field, const xmlNode *node, const char *text,
           void *member, GError **error)
{
    return true;
}

static const char *
unit_format(const ConfField *field, const void *member, char *scratch)
{
    return *(const uint64_t *)member ? "KiB" : NULL;
}

static void
unit_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "([bB]([yY][tT][eE][sS]?)?|[kKmMgGtTpPeE]([iI]?[bB])?)"
                         "</param></data>");
}

static const ConfType conf_type_unit = { .parse = unit_parse,
                                         .format = unit_format,
                                         .schema = unit_schema };

static const ConfField memory_fields[] = {
    CONF_CARRY_ATTR("dumpCore", .policy = CONF_QUIET),
    CONF_ATTR("unit", ConfMemory, memory_kib, unit),
    CONF_TEXT(ConfMemory, memory_kib, memory), CONF_END
};
const ConfElement conf_memory_element = { .name = "memory",
                                          .fields = memory_fields };

static const ConfField currentmemory_fields[] = {
    CONF_ATTR("unit", ConfMemory, current_kib, unit),
    CONF_TEXT(ConfMemory, current_kib, memory), CONF_END
};
const ConfElement conf_currentmemory_element = { .name = "currentMemory",
                                                 .fields =
                                                     currentmemory_fields };

static const ConfField maxmemory_fields[] = {
    CONF_ATTR("slots", ConfMemory, max_slots, uint),
    CONF_ATTR("unit", ConfMemory, max_kib, unit),
    CONF_TEXT(ConfMemory, max_kib, memory, .policy = CONF_REFUSED,
              .advice = N_("memory cannot be plugged in while the domain runs: "
                           "remove <maxMemory>")),
    CONF_END
};
const ConfElement conf_maxmemory_element = { .name = "maxMemory",
                                             .fields = maxmemory_fields };
