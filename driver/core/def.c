/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/def.h"

#include <string.h>

static CoreDef *
def_new(const ConfDomain *conf, unsigned format_flags, unsigned parse_flags)
{
    g_autofree char *xml =
        conf_domain_format(conf, format_flags | CONF_FORMAT_SECURE);
    size_t size = strlen(xml);
    CoreDef *def = g_malloc0(sizeof(*def) + size + 1);

    g_atomic_ref_count_init(&def->refs);
    def->parse_flags = parse_flags;
    def->vcpus_max = conf->vcpus.max;
    def->vcpus = conf->vcpus.current ? conf->vcpus.current : conf->vcpus.max;
    def->iothreads = conf->iothreads;
    def->memory_kib = conf->memory.memory_kib;
    def->current_kib = conf->memory.current_kib ? conf->memory.current_kib
                                                : conf->memory.memory_kib;
    def->on_reboot = conf->on_reboot;
    def->has_title = conf->title != NULL;
    def->has_balloon = conf_domain_memballoon(conf) != NULL;
    def->size = size;
    memcpy(def->xml, xml, size);
    return def;
}

CoreDef *
core_def_new(const ConfDomain *conf)
{
    return def_new(conf, CONF_FORMAT_INACTIVE, CONF_PARSE_INACTIVE);
}

CoreDef *
core_def_new_live(const ConfDomain *conf)
{
    return def_new(conf, CONF_FORMAT_STATUS, CONF_PARSE_STATUS);
}

CoreDef *
core_def_ref(CoreDef *def)
{
    g_atomic_ref_count_inc(&def->refs);
    return def;
}

void
core_def_unref(CoreDef *def)
{
    if (def && g_atomic_ref_count_dec(&def->refs))
        g_free(def);
}

ConfDomain *
core_def_open(const CoreDef *def, GError **error)
{
    return conf_domain_parse(def->xml, def->parse_flags, error);
}
