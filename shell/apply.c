/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/apply.h"

#include <libvirt/virterror.h>

#include "util/i18n.h"

bool
vsh_apply(VshApplyKind kind, const VshArgs *args, virDomainPtr domain,
          const char *xml, unsigned flags)
{
    /* the older calls are those that act on the running domain only */
    bool plain = !vsh_affect_given(args);

    switch (kind) {
    case VSH_APPLY_ATTACH:
        return (plain ? virDomainAttachDevice(domain, xml)
                      : virDomainAttachDeviceFlags(domain, xml, flags)) == 0;
    case VSH_APPLY_DETACH:
        return (plain ? virDomainDetachDevice(domain, xml)
                      : virDomainDetachDeviceFlags(domain, xml, flags)) == 0;
    case VSH_APPLY_UPDATE:
        return virDomainUpdateDeviceFlags(domain, xml, flags) == 0;
    }
    return false;
}

void
vsh_apply_error(const VshArgs *args, virDomainPtr domain, const char *context,
                GError **error)
{
    vsh_error_virt(error, "%s", context);
    if (virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID &&
        virDomainIsActive(domain) == 0 && !vsh_args_given(args, "config") &&
        !vsh_args_given(args, "persistent"))
        vsh_error_hint(error, _("--config changes the definition of a domain "
                                "that does not run"));
}
