/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "conf/inet.h"
#include "conf/network-element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* What goes into a line of dnsmasq's files: nothing that could end the value
 * or begin another. */
static bool
is_plain(const char *text, const char *also)
{
    for (; *text; text++) {
        if (!g_ascii_isalnum(*text) && !strchr(also, *text))
            return false;
    }
    return true;
}

static bool
refuse_name(const char *text, const xmlNode *node, GError **error)
{
    error_set(error, VIR_ERR_XML_DETAIL,
              _("'%s' is not a name that DNS can have (element <%s>, line "
                "%ld)"),
              text, (const char *)node->name, xmlGetLineNo(node));
    return false;
}

static bool
hostname_parse(const ConfField *field, const xmlNode *node, const char *text,
               void *member, GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    char **string = member;

    if (!*word || *word == '-' || strlen(word) > CONF_HOSTNAME_MAX_BYTES ||
        !is_plain(word, "-._"))
        return refuse_name(text, node, error);
    g_free(*string);
    *string = g_steal_pointer(&word);
    return true;
}

static void
hostname_schema(const ConfField *field, GString *out)
{
    g_string_append(out, "<data type=\"string\"><param name=\"pattern\">"
                         "\\s*[a-zA-Z0-9._][a-zA-Z0-9._\\-]*\\s*</param>"
                         "</data>");
}

const ConfType conf_type_hostname = { .parse = hostname_parse,
                                      .format = conf_string_format,
                                      .clear = conf_string_clear,
                                      .copy = conf_string_copy,
                                      .schema = hostname_schema };

/* --- <host> -------------------------------------------------------------- */

static const ConfField hostname_fields[] = {
    CONF_TEXT(ConfHostname, name, hostname), CONF_END
};
static const ConfElement hostname_element = { .name = "hostname",
                                              .fields = hostname_fields,
                                              .size = sizeof(ConfHostname),
                                              .carried = offsetof(ConfHostname,
                                                                  carried) };

static const ConfField host_fields[] = {
    CONF_ATTR("ip", ConfDnsHost, ip, ip, .flags = CONF_REQUIRED),
    CONF_LIST("hostname", ConfDnsHost, names, hostname_element), CONF_END
};

static bool
host_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfDnsHost *host = base;

    if (host->ip || host->names->len > 0)
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("Missing ip and hostname in network DNS HOST record (line "
                "%ld)"),
              xmlGetLineNo(node));
    return false;
}

const ConfElement conf_dns_host_element = { .name = "host",
                                            .fields = host_fields,
                                            .size = sizeof(ConfDnsHost),
                                            .carried =
                                                offsetof(ConfDnsHost, carried),
                                            .check = host_check };

/* --- <txt>, <forwarder> -------------------------------------------------- */

static const ConfField txt_fields[] = {
    CONF_ATTR("name", ConfDnsTxt, name, hostname, .flags = CONF_REQUIRED),
    CONF_ATTR("value", ConfDnsTxt, value, string), CONF_END
};

static bool
txt_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfDnsTxt *txt = base;

    if (!txt->name) {
        error_set(error, VIR_ERR_XML_DETAIL,
                  _("missing required name attribute in DNS TXT record (line "
                    "%ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (!txt->value || !strpbrk(txt->value, "\"\n\r\\"))
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("a quote, backslash or line end in DNS TXT record '%s' (line "
                "%ld)"),
              txt->name, xmlGetLineNo(node));
    return false;
}

const ConfElement conf_dns_txt_element = { .name = "txt",
                                           .fields = txt_fields,
                                           .size = sizeof(ConfDnsTxt),
                                           .carried =
                                               offsetof(ConfDnsTxt, carried),
                                           .check = txt_check };

static const ConfField forwarder_fields[] = {
    CONF_ATTR("domain", ConfDnsForwarder, domain, hostname),
    CONF_ATTR("addr", ConfDnsForwarder, addr, ip), CONF_END
};

static bool
forwarder_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfDnsForwarder *forwarder = base;

    if (forwarder->addr || forwarder->domain)
        return true;
    error_set(error, VIR_ERR_XML_DETAIL,
              _("Invalid forwarder element, must contain at least one of addr "
                "or domain (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfElement forwarder_element = { .name = "forwarder",
                                               .fields = forwarder_fields,
                                               .size = sizeof(ConfDnsForwarder),
                                               .carried = offsetof(
                                                   ConfDnsForwarder, carried),
                                               .check = forwarder_check };

static const ConfField dns_fields[] = {
    CONF_ATTR("enable", ConfDns, enable, yesno),
    CONF_ATTR("forwardPlainNames", ConfDns, forward_plain_names, yesno),
    CONF_LIST("forwarder", ConfDns, forwarders, forwarder_element),
    CONF_LIST("txt", ConfDns, txts, conf_dns_txt_element),
    CONF_CARRY("srv", .flags = CONF_MANY, .policy = CONF_HARMLESS,
               .advice = N_("no service records are answered")),
    CONF_LIST("host", ConfDns, hosts, conf_dns_host_element),
    CONF_END
};
const ConfElement conf_dns_element = { .name = "dns", .fields = dns_fields };
