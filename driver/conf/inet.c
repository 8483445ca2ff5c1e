/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>

#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- addresses ----------------------------------------------------------- */

bool
conf_inet_parse(const char *text, ConfInet *ret_address)
{
    static const int families[] = { AF_INET, AF_INET6 };

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        ConfInet address = { .family = families[i] };

        if (inet_pton(families[i], text, address.bytes) != 1)
            continue;
        *ret_address = address;
        return true;
    }
    return false;
}

char *
conf_inet_format(const ConfInet *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(address->family, address->bytes, text, sizeof(text));
    return g_strdup(text);
}

unsigned
conf_inet_bits(const ConfInet *address)
{
    return address->family == AF_INET6 ? 128 : 32;
}

void
conf_inet_mask(ConfInet *address, unsigned prefix, bool ones)
{
    for (unsigned bit = prefix; bit < conf_inet_bits(address); bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);

        if (ones)
            address->bytes[bit / 8] |= mask;
        else
            address->bytes[bit / 8] &= (uint8_t)~mask;
    }
}

bool
conf_inet_within(const ConfInet *a, const ConfInet *b, unsigned prefix)
{
    ConfInet first = *a, second = *b;

    if (a->family != b->family)
        return false;
    conf_inet_mask(&first, prefix, false);
    conf_inet_mask(&second, prefix, false);
    return conf_inet_compare(&first, &second) == 0;
}

int
conf_inet_compare(const ConfInet *a, const ConfInet *b)
{
    return memcmp(a->bytes, b->bytes, conf_inet_bits(a) / 8);
}

int
conf_inet_netmask_prefix(const ConfInet *netmask)
{
    ConfInet full = { .family = netmask->family };

    for (unsigned prefix = 0; prefix <= conf_inet_bits(netmask); prefix++) {
        memset(full.bytes, 0xff, sizeof(full.bytes));
        conf_inet_mask(&full, prefix, false);
        if (conf_inet_compare(&full, netmask) == 0)
            return (int)prefix;
    }
    return -1;
}

static bool
ip_parse(const ConfField *field, const xmlNode *node, const char *text,
         void *member, GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    char **string = member;
    ConfInet address;

    if (!conf_inet_parse(word, &address)) {
        conf_value_error(error, field, node, text);
        return false;
    }
    g_free(*string);
    *string = conf_inet_format(&address);
    return true;
}

static void
ip_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "\\s*[0-9a-fA-F:.]+\\s*</param></data>");
}

const ConfType conf_type_ip = { .parse = ip_parse,
                                .format = conf_string_format,
                                .clear = conf_string_clear,
                                .copy = conf_string_copy,
                                .schema = ip_schema };

/* --- hardware addresses -------------------------------------------------- */

bool
conf_mac_parse(const char *text, uint8_t ret_mac[6])
{
    uint8_t mac[6];

    for (int i = 0; i < 6; i++) {
        int high = g_ascii_xdigit_value(text[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);

        /* a single digit may stand alone */
        if (high >= 0 && low < 0) {
            low = high;
            high = 0;
            text += 1;
        } else {
            text += 2;
        }
        if (low < 0 || *text != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        text++;
    }
    memcpy(ret_mac, mac, sizeof(mac));
    return true;
}

char *
conf_mac_format(const uint8_t mac[6])
{
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                           mac[2], mac[3], mac[4], mac[5]);
}

char *
conf_mac_generate(void)
{
    uint8_t mac[6] = { 0x52, 0x54, 0x00 };
    ssize_t got;

    do
        got = getrandom(mac + 3, 3, 0);
    while (got < 0 && errno == EINTR);
    g_assert(got == 3);
    return conf_mac_format(mac);
}

static bool
mac_parse(const ConfField *field, const xmlNode *node, const char *text,
          void *member, GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    char **string = member;
    uint8_t mac[6];

    if (!conf_mac_parse(word, mac)) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("unable to parse mac address '%s' (line %ld)"), text,
                  xmlGetLineNo(node));
        return false;
    }
    g_free(*string);
    *string = conf_mac_format(mac);
    return true;
}

static void
mac_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "\\s*[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}\\s*"
                         "</param></data>");
}

const ConfType conf_type_mac = { .parse = mac_parse,
                                 .format = conf_string_format,
                                 .clear = conf_string_clear,
                                 .copy = conf_string_copy,
                                 .schema = mac_schema };

/* --- names of interfaces -------------------------------------------------- */

static bool
ifname_parse(const ConfField *field, const xmlNode *node, const char *text,
             void *member, GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    char **string = member;

    if (!conf_ifname_valid(word)) {
        conf_value_error(error, field, node, text);
        return false;
    }
    g_free(*string);
    *string = g_steal_pointer(&word);
    return true;
}

static void
ifname_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "\\s*[a-zA-Z0-9%._@\\-]{1,15}\\s*</param></data>");
}

bool
conf_ifname_valid(const char *name)
{
    size_t length =
        strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "%._@-");

    return length > 0 && length < IFNAMSIZ && !name[length] &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

const ConfType conf_type_ifname = { .parse = ifname_parse,
                                    .format = conf_string_format,
                                    .clear = conf_string_clear,
                                    .copy = conf_string_copy,
                                    .schema = ifname_schema };
