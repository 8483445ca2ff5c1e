/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "conf/sysinfo.h"
#include "core/api.h"
#include "core/calls.h"
#include "core/facts.h"
#include "core/nvram.h"
#include "util/error.h"
#include "util/i18n.h"

char *
core_call_capabilities(VirtkvmState *state, const VirtkvmCaller *who,
                       GError **error)
{
    return conf_capabilities_format(core_facts_get(state));
}

char *
core_call_domain_capabilities(VirtkvmState *state, const VirtkvmCaller *who,
                              const char *emulator, const char *arch,
                              const char *machine, const char *virttype,
                              unsigned flags, GError **error)
{
    g_autoptr(GPtrArray) firmware = NULL;

    if (!core_api_check_flags(flags, 0, "connectGetDomainCapabilities", error))
        return NULL;
    firmware = core_firmware_list(state);
    return conf_domain_capabilities_format(core_facts_get(state), firmware,
                                           emulator, arch, machine, virttype,
                                           error);
}

char *
core_call_sysinfo(VirtkvmState *state, const VirtkvmCaller *who, unsigned flags,
                  GError **error)
{
    g_autoptr(ConfSysinfo) sysinfo = NULL;

    if (!core_api_check_flags(flags, 0, "connectGetSysinfo", error))
        return NULL;
    sysinfo = conf_sysinfo_host(CONF_SYSINFO_HOST_FOLDER);
    if (sysinfo)
        return conf_sysinfo_format(sysinfo);
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("Host SMBIOS information is not available"));
    return NULL;
}

/* libvirt's clients ask with "kvm", with their URI's type, or with nothing. */
int
core_call_max_vcpus(VirtkvmState *state, const VirtkvmCaller *who,
                    const char *type, GError **error)
{
    static const char *const types[] = { "kvm", "KVM", "qemu", "null", NULL };

    if (type && *type && !g_strv_contains(types, type)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("unknown type '%s'"), type);
        return -1;
    }
    return (int)core_facts_get(state)->max_vcpus;
}
