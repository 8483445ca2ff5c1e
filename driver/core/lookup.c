/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/list.h"
#include "util/error.h"
#include "util/i18n.h"

/* A pair of filter bits: a domain must have one of those that are asked for. */
typedef struct Filter {
    unsigned yes;
    unsigned no;
    bool (*test)(const CoreDomain *domain);
} Filter;

static bool
is_persistent(const CoreDomain *domain)
{
    return domain->persistent;
}

static bool
is_autostart(const CoreDomain *domain)
{
    return domain->autostart;
}

static bool
never(const CoreDomain *domain)
{
    return false;
}

static const Filter filters[] = {
    { VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE,
      core_domain_active },
    { VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
      is_persistent },
    { VIR_CONNECT_LIST_DOMAINS_AUTOSTART, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART,
      is_autostart },
    { VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
      VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, never },
    { VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
      VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, never },
    { VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
      VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, never },
};

#define STATE_FLAGS                                                       \
    (VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED | \
     VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER)

static unsigned
known_flags(void)
{
    unsigned known = STATE_FLAGS;

    for (size_t i = 0; i < G_N_ELEMENTS(filters); i++)
        known |= filters[i].yes | filters[i].no;
    return known;
}

static unsigned
state_flag(const CoreDomain *domain)
{
    switch (domain->status) {
    case VIR_DOMAIN_RUNNING:
        return VIR_CONNECT_LIST_DOMAINS_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return VIR_CONNECT_LIST_DOMAINS_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
        return VIR_CONNECT_LIST_DOMAINS_SHUTOFF;
    default:
        return VIR_CONNECT_LIST_DOMAINS_OTHER;
    }
}

bool
core_list_matches(const CoreDomain *domain, unsigned flags)
{
    for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
        unsigned asked = flags & (filters[i].yes | filters[i].no);

        if (asked && !(asked & (filters[i].test(domain) ? filters[i].yes
                                                        : filters[i].no)))
            return false;
    }
    return !(flags & STATE_FLAGS) || (flags & state_flag(domain));
}

bool
core_call_list(VirtkvmState *state, const VirtkvmCaller *who, unsigned flags,
               GArray **ret_domains, GError **error)
{
    g_autoptr(GPtrArray) domains = NULL;
    GArray *found;

    if (!core_api_check_flags(flags, known_flags(), "connectListAllDomains",
                              error))
        return false;
    domains = core_list_snapshot(state->list);
    found =
        g_array_sized_new(FALSE, FALSE, sizeof(VirtkvmDomainRef), domains->len);
    g_array_set_clear_func(found, core_domain_ref_clear);
    for (guint i = 0; i < domains->len; i++) {
        CoreDomain *domain = domains->pdata[i];
        VirtkvmDomainRef ref;

        core_domain_lock(domain);
        if (core_domain_exists(domain) && core_list_matches(domain, flags)) {
            core_domain_to_ref(domain, &ref);
            g_array_append_val(found, ref);
        }
        core_domain_unlock(domain);
    }
    *ret_domains = found;
    return true;
}

/* Takes over the reference to @domain. */
static bool
answer(CoreDomain *found, VirtkvmDomainRef *ret_domain)
{
    g_autoptr(CoreDomain) domain = found;
    bool exists;

    if (!domain)
        return false;
    core_domain_lock(domain);
    exists = core_domain_exists(domain);
    if (exists)
        core_domain_to_ref(domain, ret_domain);
    core_domain_unlock(domain);
    return exists;
}

bool
core_call_lookup_id(VirtkvmState *state, const VirtkvmCaller *who, int id,
                    VirtkvmDomainRef *ret_domain, GError **error)
{
    if (answer(core_list_find_id(state->list, id), ret_domain))
        return true;
    error_set(error, VIR_ERR_NO_DOMAIN, _("no domain with matching id %d"), id);
    return false;
}

bool
core_call_lookup_uuid(VirtkvmState *state, const VirtkvmCaller *who,
                      const unsigned char *uuid, VirtkvmDomainRef *ret_domain,
                      GError **error)
{
    char text[VIR_UUID_STRING_BUFLEN];

    if (answer(core_list_find_uuid(state->list, uuid), ret_domain))
        return true;
    conf_uuid_format(uuid, text);
    error_set(error, VIR_ERR_NO_DOMAIN, _("no domain with matching uuid '%s'"),
              text);
    return false;
}

bool
core_call_lookup_name(VirtkvmState *state, const VirtkvmCaller *who,
                      const char *name, VirtkvmDomainRef *ret_domain,
                      GError **error)
{
    if (answer(core_list_find_name(state->list, name), ret_domain))
        return true;
    error_set(error, VIR_ERR_NO_DOMAIN, _("no domain with matching name '%s'"),
              name);
    return false;
}
