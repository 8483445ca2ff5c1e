/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/address.h"

#include <string.h>

#include "shell/exit.h"
#include "util/i18n.h"

typedef struct VshAddressNumber {
    const char *attribute;
    int digits; /* hexadecimal; 0: decimal */
} VshAddressNumber;

/** What stands before the colon, and the numbers behind it. */
typedef struct VshAddressKind {
    const char *name;
    const char *type;    /* in XML */
    const char *targets; /* two letters of the targets that may have it */
    VshAddressNumber numbers[4];
} VshAddressKind;

#define DRIVE                              \
    {                                      \
        { "controller", 0 }, { "bus", 0 }, \
        {                                  \
            "unit", 0                      \
        }                                  \
    }

static const VshAddressKind kinds[] = {
    { "pci",
      "pci",
      "vd",
      { { "domain", 4 }, { "bus", 2 }, { "slot", 2 }, { "function", 1 } } },
    { "ccw", "ccw", "vd", { { "cssid", 1 }, { "ssid", 1 }, { "devno", 4 } } },
    { "scsi", "drive", "sd", DRIVE },
    { "usb", "usb", "sd", { { "bus", 0 }, { "port", 0 } } },
    { "sata", "drive", "sd", DRIVE },
    { "ide", "drive", "hd", DRIVE },
};

static bool
parse_numbers(char *const *words, VshAddress *address)
{
    const VshAddressNumber *numbers = address->kind->numbers;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(address->numbers) && numbers[i].attribute;
         i++) {
        bool hex = numbers[i].digits > 0;
        const char *digits = words[i];
        guint64 number;

        if (hex && digits && g_str_has_prefix(digits, "0x"))
            digits += 2;
        if (!digits || !g_ascii_string_to_unsigned(digits, hex ? 16 : 10, 0,
                                                   G_MAXUINT16, &number, NULL))
            return false;
        address->numbers[i] = (unsigned)number;
    }
    return !words[i];
}

static bool
parse_any(const char *text, VshAddress *ret_address)
{
    const char *colon = strchr(text, ':');
    g_auto(GStrv) words = colon ? g_strsplit(colon + 1, ".", -1) : NULL;

    for (size_t i = 0; colon && i < G_N_ELEMENTS(kinds); i++) {
        size_t length = strlen(kinds[i].name);

        if (length != (size_t)(colon - text) ||
            strncmp(text, kinds[i].name, length) != 0)
            continue;
        ret_address->kind = &kinds[i];
        return parse_numbers(words, ret_address);
    }
    return false;
}

/* A target that is none of the usual ones may have any address. */
static bool
check_target(const VshAddress *address, const char *target, GError **error)
{
    static const struct {
        const char *targets;
        const char *expected;
    } rules[] = {
        { "vd", N_("expecting a pci:0000.00.00.00 or ccw:00.0.0000 address.") },
        { "sd", N_("expecting a scsi:00.00.00 or usb:00.00 or sata:00.00.00 "
                   "address.") },
        { "hd", N_("expecting an ide:00.00.00 address.") },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (!g_str_has_prefix(target, rules[i].targets) ||
            strcmp(address->kind->targets, rules[i].targets) == 0)
            continue;
        vsh_error_set(error, VSH_EXIT_USAGE, "%s", _(rules[i].expected));
        return false;
    }
    return true;
}

bool
vsh_address_parse(const char *text, const char *target, VshAddress *ret_address,
                  GError **error)
{
    if (parse_any(text, ret_address))
        return check_target(ret_address, target, error);
    vsh_error_set(error, VSH_EXIT_USAGE, _("Invalid address."));
    vsh_error_hint(error, _("an address is like pci:0000.00.0b.0 or "
                            "scsi:0.0.1"));
    return false;
}

bool
vsh_address_parse_pci(const char *text, VshAddress *ret_address)
{
    g_auto(GStrv) words = g_strsplit_set(text, ":.", -1);

    ret_address->kind = &kinds[0];
    return parse_numbers(words, ret_address);
}

void
vsh_address_write(const VshAddress *address, bool multifunction,
                  VshXmlWriter *writer)
{
    const VshAddressNumber *numbers = address->kind->numbers;

    vsh_xml_begin(writer, "address");
    vsh_xml_attribute(writer, "type", address->kind->type);
    for (size_t i = 0;
         i < G_N_ELEMENTS(address->numbers) && numbers[i].attribute; i++) {
        g_autofree char *text =
            numbers[i].digits > 0 ? g_strdup_printf("0x%0*x", numbers[i].digits,
                                                    address->numbers[i])
                                  : g_strdup_printf("%u", address->numbers[i]);

        vsh_xml_attribute(writer, numbers[i].attribute, text);
    }
    if (multifunction && strcmp(address->kind->type, "pci") == 0)
        vsh_xml_attribute(writer, "multifunction", "on");
    vsh_xml_end(writer);
}
