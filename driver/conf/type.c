/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/type.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

void
conf_value_error(GError **error, const ConfField *field, const xmlNode *node,
                 const char *text)
{
    if (field->kind == CONF_KIND_ATTR)
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid value for attribute '%s' in element '%s': '%s' "
                    "(line %ld)"),
                  field->name, (const char *)node->name, text,
                  xmlGetLineNo(node));
    else
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Invalid value for element '%s': '%s' (line %ld)"),
                  (const char *)node->name, text, xmlGetLineNo(node));
}

bool
conf_number_parse(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool any = false;

    while (g_ascii_isspace(*text))
        text++;
    for (; g_ascii_isdigit(*text); text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (value > max / 10 || value * 10 > max - digit)
            return false;
        value = value * 10 + digit;
        any = true;
    }
    while (g_ascii_isspace(*text))
        text++;
    if (!any || *text)
        return false;
    *ret_value = value;
    return true;
}

/* --- strings ------------------------------------------------------------ */

static bool
string_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    char **string = member;

    g_free(*string);
    *string = *text ? g_strdup(text) : NULL;
    return true;
}

static bool
token_parse(const ConfField *field, const xmlNode *node, const char *text,
            void *member, GError **error)
{
    char **string = member;

    g_free(*string);
    *string = g_strstrip(g_strdup(text));
    if (!**string)
        g_clear_pointer(string, g_free);
    return true;
}

const char *
conf_string_format(const ConfField *field, const void *member, char *scratch)
{
    return *(char *const *)member;
}

void
conf_string_clear(void *member)
{
    g_clear_pointer((char **)member, g_free);
}

void
conf_string_copy(void *to, const void *from)
{
    *(char **)to = g_strdup(*(char *const *)from);
}

static void
string_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<text/>");
}

const ConfType conf_type_string = { .parse = string_parse,
                                    .format = conf_string_format,
                                    .clear = conf_string_clear,
                                    .copy = conf_string_copy,
                                    .schema = string_schema };

const ConfType conf_type_token = { .parse = token_parse,
                                   .format = conf_string_format,
                                   .clear = conf_string_clear,
                                   .copy = conf_string_copy,
                                   .schema = string_schema };

/* --- numbers ------------------------------------------------------------ */

static bool
uint_parse(const ConfField *field, const xmlNode *node, const char *text,
           void *member, GError **error)
{
    uint64_t value;

    if (!conf_number_parse(text, UINT_MAX, &value)) {
        conf_value_error(error, field, node, text);
        return false;
    }
    *(unsigned *)member = (unsigned)value;
    return true;
}

static const char *
uint_format(const ConfField *field, const void *member, char *scratch)
{
    unsigned value = *(const unsigned *)member;

    g_snprintf(scratch, CONF_SCRATCH, "%u", value);
    return value ? scratch : NULL;
}

static void
uint_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"unsignedInt\"/>");
}

const ConfType conf_type_uint = { .parse = uint_parse,
                                  .format = uint_format,
                                  .schema = uint_schema };

static bool
number_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    uint64_t value;

    if (!conf_number_parse(text, INT_MAX, &value)) {
        conf_value_error(error, field, node, text);
        return false;
    }
    *(int *)member = (int)value;
    return true;
}

static const char *
number_format(const ConfField *field, const void *member, char *scratch)
{
    int value = *(const int *)member;

    g_snprintf(scratch, CONF_SCRATCH, "%d", value);
    return value >= 0 ? scratch : NULL;
}

const ConfType conf_type_number = { .parse = number_parse,
                                    .format = number_format,
                                    .schema = uint_schema };

static bool
uint64_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    if (conf_number_parse(text, UINT64_MAX, member))
        return true;
    conf_value_error(error, field, node, text);
    return false;
}

static const char *
uint64_format(const ConfField *field, const void *member, char *scratch)
{
    uint64_t value = *(const uint64_t *)member;

    g_snprintf(scratch, CONF_SCRATCH, "%" G_GUINT64_FORMAT, value);
    return value ? scratch : NULL;
}

static void
uint64_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"unsignedLong\"/>");
}

const ConfType conf_type_uint64 = { .parse = uint64_parse,
                                    .format = uint64_format,
                                    .schema = uint64_schema };

/* --- words --------------------------------------------------------------- */

/* Position of @text in @names, which ends with ""; -1 if it is not there. */
static int
name_index(const char *const *names, const char *text)
{
    for (int i = 0; !names[i] || *names[i]; i++) {
        if (names[i] && strcmp(names[i], text) == 0)
            return i;
    }
    return -1;
}

static bool
name_parse(const ConfField *field, const char *const *names,
           const xmlNode *node, const char *text, int *ret_value,
           GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    int value = name_index(names, word);

    if (value < 0) {
        conf_value_error(error, field, node, text);
        return false;
    }
    *ret_value = value;
    return true;
}

static void
name_schema(const char *const *names, GString *out)
{
    g_string_append(out, "<choice>");
    for (int i = 0; !names[i] || *names[i]; i++) {
        if (names[i])
            g_string_append_printf(out, "<value>%s</value>", names[i]);
    }
    g_string_append(out, "</choice>");
}

static bool
enum_parse(const ConfField *field, const xmlNode *node, const char *text,
           void *member, GError **error)
{
    return name_parse(field, field->names, node, text, member, error);
}

static const char *
enum_format(const ConfField *field, const void *member, char *scratch)
{
    return field->names[*(const int *)member];
}

static void
enum_schema(const ConfField *field, GString *out)
{
    name_schema(field->names, out);
}

const ConfType conf_type_enum = { .parse = enum_parse,
                                  .format = enum_format,
                                  .schema = enum_schema };

static const char *const onoff_names[] = { NULL, "off", "on", "" };
static const char *const yesno_names[] = { NULL, "no", "yes", "" };

static bool
onoff_parse(const ConfField *field, const xmlNode *node, const char *text,
            void *member, GError **error)
{
    return name_parse(field, onoff_names, node, text, member, error);
}

static const char *
onoff_format(const ConfField *field, const void *member, char *scratch)
{
    return onoff_names[*(const ConfOnOff *)member];
}

static void
onoff_schema(const ConfField *field, GString *out)
{
    name_schema(onoff_names, out);
}

const ConfType conf_type_onoff = { .parse = onoff_parse,
                                   .format = onoff_format,
                                   .schema = onoff_schema };

static bool
yesno_parse(const ConfField *field, const xmlNode *node, const char *text,
            void *member, GError **error)
{
    return name_parse(field, yesno_names, node, text, member, error);
}

static const char *
yesno_format(const ConfField *field, const void *member, char *scratch)
{
    return yesno_names[*(const ConfOnOff *)member];
}

static void
yesno_schema(const ConfField *field, GString *out)
{
    name_schema(yesno_names, out);
}

const ConfType conf_type_yesno = { .parse = yesno_parse,
                                   .format = yesno_format,
                                   .schema = yesno_schema };

static bool
present_parse(const ConfField *field, const xmlNode *node, const char *text,
              void *member, GError **error)
{
    *(ConfOnOff *)member = CONF_ONOFF_ON;
    return true;
}

static const char *
present_format(const ConfField *field, const void *member, char *scratch)
{
    return *(const ConfOnOff *)member == CONF_ONOFF_ON ? "" : NULL;
}

static void
present_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<empty/>");
}

const ConfType conf_type_present = { .parse = present_parse,
                                     .format = present_format,
                                     .schema = present_schema };

/* --- others --------------------------------------------------------------- */

static bool
uuid_parse(const ConfField *field, const xmlNode *node, const char *text,
           void *member, GError **error)
{
    if (conf_uuid_parse(text, member))
        return true;
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("malformed uuid element '%s' (line %ld)"), text,
              xmlGetLineNo(node));
    return false;
}

static const char *
uuid_format(const ConfField *field, const void *member, char *scratch)
{
    G_STATIC_ASSERT(CONF_SCRATCH >= VIR_UUID_STRING_BUFLEN);
    conf_uuid_format(member, scratch);
    return scratch;
}

static void
uuid_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "(\\s*([0-9a-fA-F]-?){32}\\s*)</param></data>");
}

const ConfType conf_type_uuid = { .parse = uuid_parse,
                                  .format = uuid_format,
                                  .schema = uuid_schema };

/* The largest CPU number that a set may name, as libvirt's. */
#define CPUSET_MAX 16384

/* One "N", "N-M" or "^N" of a set into @cpus. */
static bool
cpuset_range(char *range, bool *cpus)
{
    bool set = *range != '^';
    char *dash = set ? strchr(range, '-') : NULL;
    uint64_t first, last;

    if (dash)
        *dash = '\0';
    if (!conf_number_parse(set ? range : range + 1, CPUSET_MAX - 1, &first))
        return false;
    last = first;
    if (dash &&
        (!conf_number_parse(dash + 1, CPUSET_MAX - 1, &last) || last < first))
        return false;
    for (uint64_t i = first; i <= last; i++)
        cpus[i] = set;
    return true;
}

static char *
cpuset_text(const bool *cpus)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (int first = 0, last; first < CPUSET_MAX; first = last + 1) {
        last = first;
        if (!cpus[first])
            continue;
        while (last + 1 < CPUSET_MAX && cpus[last + 1])
            last++;
        g_string_append_printf(out, "%s%d", out->len ? "," : "", first);
        if (last > first)
            g_string_append_printf(out, "-%d", last);
    }
    return out->len ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static bool
cpuset_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    g_autofree bool *cpus = g_new0(bool, CPUSET_MAX);
    g_auto(GStrv) ranges = g_strsplit(text, ",", CPUSET_MAX);
    char **string = member;

    g_clear_pointer(string, g_free);
    for (char **range = ranges; *range; range++) {
        if (!cpuset_range(*range, cpus)) {
            conf_value_error(error, field, node, text);
            return false;
        }
    }
    *string = cpuset_text(cpus);
    if (*string)
        return true;
    conf_value_error(error, field, node, text);
    return false;
}

static void
cpuset_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "\\s*\\^?[0-9]+(-[0-9]+)?(,\\^?[0-9]+(-[0-9]+)?)*"
                         "\\s*</param></data>");
}

const ConfType conf_type_cpuset = { .parse = cpuset_parse,
                                    .format = conf_string_format,
                                    .clear = conf_string_clear,
                                    .copy = conf_string_copy,
                                    .schema = cpuset_schema };
