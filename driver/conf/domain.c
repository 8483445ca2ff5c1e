/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

#include "conf/element.h"
#include "conf/schema.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const action_names[] = { NULL,
                                            "destroy",
                                            "restart",
                                            "preserve",
                                            "rename-restart",
                                            "coredump-destroy",
                                            "coredump-restart",
                                            "" };

/* rename-restart and the coredump actions are taken as the plain restart or
 * destroy in them. */
static ConfPolicy
judge_action(ConfAction action)
{
    return action >= CONF_ACTION_RENAME_RESTART ? CONF_HARMLESS : CONF_HONOURED;
}

static ConfPolicy
judge_poweroff(const char *text, const void *base)
{
    return judge_action(((const ConfDomain *)base)->on_poweroff);
}

static ConfPolicy
judge_reboot(const char *text, const void *base)
{
    return judge_action(((const ConfDomain *)base)->on_reboot);
}

static ConfPolicy
judge_crash(const char *text, const void *base)
{
    return judge_action(((const ConfDomain *)base)->on_crash);
}

static void
domain_init(void *base)
{
    ConfDomain *domain = base;

    domain->live.id = -1;
}

#define ACTION_ADVICE                                                     \
    N_("the domain is only restarted or destroyed; nothing is dumped or " \
       "renamed")
#define HOST_TUNING(NAME)                     \
    CONF_CARRY(NAME, .policy = CONF_HARMLESS, \
               .advice = N_("it has no effect on the host in this version"))

static const ConfField domain_fields[] = {
    CONF_ATTR("type", ConfDomain, type, token, .flags = CONF_REQUIRED),
    CONF_ATTR("id", ConfDomain, live.id, number, .flags = CONF_LIVE),
    CONF_LEAF("name", ConfDomain, name, string, .flags = CONF_REQUIRED),
    CONF_LEAF("uuid", ConfDomain, uuid, uuid),
    CONF_CARRY("genid", .policy = CONF_REFUSED,
               .advice = N_("the guest is told no generation id: remove it")),
    CONF_LEAF("title", ConfDomain, title, string),
    CONF_LEAF("description", ConfDomain, description, string),
    CONF_GROUP("metadata", conf_metadata_element, .flags = CONF_ANY),
    CONF_CHILD("maxMemory", ConfDomain, memory, conf_maxmemory_element),
    CONF_CHILD("memory", ConfDomain, memory, conf_memory_element,
               .flags = CONF_REQUIRED),
    CONF_CHILD("currentMemory", ConfDomain, memory, conf_currentmemory_element),
    HOST_TUNING("blkiotune"),
    HOST_TUNING("memtune"),
    HOST_TUNING("memoryBacking"),
    CONF_CHILD("vcpu", ConfDomain, vcpus, conf_vcpu_element),
    CONF_CHILD("vcpus", ConfDomain, vcpus, conf_vcpus_element),
    CONF_LEAF("iothreads", ConfDomain, iothreads, uint),
    CONF_GROUP("iothreadids", conf_iothreadids_element),
    CONF_CARRY("defaultiothread", .policy = CONF_QUIET),
    HOST_TUNING("cputune"),
    HOST_TUNING("numatune"),
    HOST_TUNING("resource"),
    CONF_LIST("sysinfo", ConfDomain, sysinfos, conf_sysinfo_element),
    CONF_CARRY("bootloader", .policy = CONF_REFUSED),
    CONF_CARRY("bootloader_args", .policy = CONF_REFUSED),
    CONF_CHILD("os", ConfDomain, os, conf_os_element, .flags = CONF_REQUIRED),
    CONF_CARRY("idmap", .policy = CONF_REFUSED),
    CONF_CHILD("features", ConfDomain, features, conf_features_element),
    CONF_CHILD("cpu", ConfDomain, cpu, conf_cpu_element),
    CONF_CHILD("clock", ConfDomain, clock, conf_clock_element),
    CONF_LEAF("on_poweroff", ConfDomain, on_poweroff, enum,
              .names = action_names, .judge = judge_poweroff,
              .advice = ACTION_ADVICE),
    CONF_LEAF("on_reboot", ConfDomain, on_reboot, enum, .names = action_names,
              .judge = judge_reboot, .advice = ACTION_ADVICE),
    CONF_LEAF("on_crash", ConfDomain, on_crash, enum, .names = action_names,
              .judge = judge_crash, .advice = ACTION_ADVICE),
    CONF_CARRY("on_lockfailure", .policy = CONF_QUIET),
    CONF_CHILD("pm", ConfDomain, pm, conf_pm_element),
    HOST_TUNING("perf"),
    CONF_GROUP("devices", conf_devices_element),
    CONF_CARRY("seclabel", .policy = CONF_QUIET, .flags = CONF_MANY),
    CONF_CARRY("keywrap", .policy = CONF_REFUSED),
    CONF_CARRY("launchSecurity", .policy = CONF_REFUSED,
               .advice = N_("encrypted guests are not supported")),
    CONF_END
};

const ConfElement conf_domain_element = { .name = "domain",
                                          .fields = domain_fields,
                                          .size = sizeof(ConfDomain),
                                          .carried =
                                              offsetof(ConfDomain, carried),
                                          .init = domain_init };

ConfFrame
conf_domain_frame(const ConfDomain *domain)
{
    ConfDomain *whole = (ConfDomain *)domain;

    return (ConfFrame){ .element = &conf_domain_element,
                        .base = (char *)whole,
                        .carried = &whole->carried };
}

ConfDomain *
conf_domain_parse_node(xmlNodePtr node, unsigned flags, GError **error)
{
    g_autoptr(ConfDomain) domain = NULL;
    ConfFrame frame;

    if (!xmlStrEqual(node->name, BAD_CAST "domain") || node->ns) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("expecting root element of 'domain', not '%s'"),
                  (const char *)node->name);
        return NULL;
    }
    domain = conf_table_new(&conf_domain_element);
    frame = conf_domain_frame(domain);
    domain->uuid_given = conf_xml_child(node, "uuid") != NULL;
    if (!conf_table_parse(&frame, node, flags, error) ||
        !conf_domain_fill_defaults(domain, flags, error))
        return NULL;
    return g_steal_pointer(&domain);
}

/* A document below these cannot grow beyond a limit when it is written with
 * defaults, indents and replaced characters. */
#define USUAL_BYTES (32u << 10)
#define USUAL_ATTRS 64
/* What a running domain adds to its definition. */
#define MARGIN_BYTES (1u << 20)
#define MARGIN_ATTRS 8

static ConfDomain *
parse(const char *xml, unsigned flags, GError **error)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "domain_definition", error);

    if (!doc || ((flags & CONF_PARSE_VALIDATE) &&
                 !conf_schema_validate(doc, "domain.rng", error)))
        return NULL;
    return conf_domain_parse_node(xmlDocGetRootElement(doc), flags, error);
}

ConfDomain *
conf_domain_parse(const char *xml, unsigned flags, GError **error)
{
    g_autoptr(ConfDomain) domain = parse(xml, flags, error);
    long line;

    if (!domain)
        return NULL;
    if ((strlen(xml) > USUAL_BYTES ||
         conf_xml_most_attrs(xml, &line) > USUAL_ATTRS) &&
        !conf_domain_check_return(domain, error))
        return NULL;
    return g_steal_pointer(&domain);
}

bool
conf_domain_check_return(const ConfDomain *domain, GError **error)
{
    g_autofree char *xml =
        conf_domain_format(domain, CONF_FORMAT_INACTIVE | CONF_FORMAT_SECURE);
    g_autoptr(ConfDomain) again = NULL;
    long line = 0;

    if (strlen(xml) > CONF_XML_MAX_BYTES - MARGIN_BYTES) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the definition is too large: %zu bytes as it is kept"),
                  strlen(xml));
        return false;
    }
    if (conf_xml_most_attrs(xml, &line) > CONF_XML_MAX_ATTRS - MARGIN_ATTRS) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("an element of the definition has more than %d attributes"),
                  CONF_XML_MAX_ATTRS - MARGIN_ATTRS);
        return false;
    }
    again = parse(xml, CONF_PARSE_INACTIVE, error);
    if (!again)
        g_prefix_error(error,
                       "%s: ", _("the definition could not be read again"));
    return again != NULL;
}

char *
conf_domain_format(const ConfDomain *domain, unsigned flags)
{
    GString *out = g_string_sized_new(4096);
    ConfFrame frame = conf_domain_frame(domain);

    if (domain->live.id >= 0 &&
        !(flags & (CONF_FORMAT_INACTIVE | CONF_FORMAT_STATUS)))
        flags |= CONF_FORMAT_ALIASES;
    conf_table_format(out, &frame, "domain", flags);
    return g_string_free(out, FALSE);
}

ConfDomain *
conf_domain_copy(const ConfDomain *domain)
{
    ConfDomain *copy = g_malloc0(sizeof(*copy));

    conf_table_copy(&conf_domain_element, copy, domain);
    conf_table_copy(&conf_virtkvm_element, &copy->virtkvm, &domain->virtkvm);
    conf_carried_copy(&copy->carried, &domain->carried);
    return copy;
}

void
conf_domain_free(ConfDomain *domain)
{
    if (!domain)
        return;
    conf_table_clear(&conf_domain_element, domain);
    conf_table_clear(&conf_virtkvm_element, &domain->virtkvm);
    conf_carried_clear(&domain->carried);
    g_free(domain);
}

static void
set_string(char **member, const char *value)
{
    char *old = *member;

    *member = value && *value ? g_strdup(value) : NULL;
    g_free(old);
}

void
conf_domain_set_name(ConfDomain *domain, const char *name)
{
    set_string(&domain->name, name);
}

void
conf_domain_set_title(ConfDomain *domain, const char *title)
{
    set_string(&domain->title, title);
}

void
conf_domain_set_description(ConfDomain *domain, const char *description)
{
    set_string(&domain->description, description);
}
