/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

/* <iothreadids>: numbers for some or all of the domain's I/O threads. */

static bool
iothread_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    const ConfIothread *thread = base;

    if (thread->id > 0)
        return true;
    error_set(error, VIR_ERR_XML_ERROR, _("invalid iothread id '0' (line %ld)"),
              xmlGetLineNo(node));
    return false;
}

static const ConfField iothread_fields[] = {
    CONF_ATTR("id", ConfIothread, id, uint, .flags = CONF_REQUIRED),
    CONF_CARRY_ATTR("thread_pool_min", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("thread_pool_max", .policy = CONF_QUIET),
    CONF_CARRY("poll", .policy = CONF_QUIET), CONF_END
};
static const ConfElement iothread_element = { .name = "iothread",
                                              .fields = iothread_fields,
                                              .size = sizeof(ConfIothread),
                                              .carried = offsetof(ConfIothread,
                                                                  carried),
                                              .check = iothread_check };

static const ConfField iothreadids_fields[] = {
    CONF_LIST("iothread", ConfDomain, iothread_ids, iothread_element), CONF_END
};
const ConfElement conf_iothreadids_element = { .name = "iothreadids",
                                               .fields = iothreadids_fields };

static bool
has_id(const ConfDomain *domain, unsigned id, guint before)
{
    for (guint i = 0; i < before; i++) {
        const ConfIothread *thread = g_ptr_array_index(domain->iothread_ids, i);

        if (thread->id == id)
            return true;
    }
    return false;
}

bool
conf_domain_fill_iothreads(ConfDomain *domain, GError **error)
{
    const GPtrArray *ids = domain->iothread_ids;

    for (guint i = 0; i < ids->len; i++) {
        const ConfIothread *thread = g_ptr_array_index(ids, i);

        if (!has_id(domain, thread->id, i))
            continue;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("duplicate iothread id '%u' found"), thread->id);
        return false;
    }
    domain->iothreads = MAX(domain->iothreads, ids->len);
    if (domain->iothreads <= CONF_IOTHREADS_MAX)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("a domain has at most %u I/O threads, not %u"),
              CONF_IOTHREADS_MAX, domain->iothreads);
    return false;
}

/* Those without a number of their own have the lowest that are free. */
unsigned
conf_domain_iothread_id(const ConfDomain *domain, unsigned number)
{
    const GPtrArray *ids = domain->iothread_ids;
    unsigned id = 0;

    if (number <= ids->len)
        return ((const ConfIothread *)g_ptr_array_index(ids, number - 1))->id;
    for (unsigned left = number - ids->len; left > 0; left--) {
        do
            id++;
        while (has_id(domain, id, ids->len));
    }
    return id;
}

unsigned
conf_domain_iothread(const ConfDomain *domain, unsigned id)
{
    for (unsigned i = 1; i <= domain->iothreads; i++)
        if (conf_domain_iothread_id(domain, i) == id)
            return i;
    return 0;
}
