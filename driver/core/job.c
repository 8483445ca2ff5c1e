/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/job.h"

#include "util/error.h"
#include "util/i18n.h"

void
core_job_set_no_domain(const CoreDomain *domain, GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    conf_uuid_format(domain->uuid, uuid);
    error_set(error, VIR_ERR_NO_DOMAIN,
              _("no domain with matching uuid '%s' (%s)"), uuid, domain->name);
}

bool
core_job_begin(CoreDomain *domain, const char *operation, GError **error)
{
    gint64 deadline =
        g_get_monotonic_time() + (gint64)domain->state->job_wait_ms * 1000;

    while (domain->job.holder && !domain->removing)
        if (!g_cond_wait_until(&domain->changed, &domain->lock, deadline))
            break;
    if (domain->removing) {
        core_job_set_no_domain(domain, error);
        return false;
    }
    if (domain->job.holder) {
        error_set(error, VIR_ERR_OPERATION_TIMEOUT,
                  _("cannot acquire state change lock (held by %s)"),
                  domain->job.holder);
        return false;
    }
    domain->job.holder = operation;
    domain->job.since = g_get_monotonic_time();
    return true;
}

void
core_job_end(CoreDomain *domain)
{
    domain->job.holder = NULL;
    g_cond_broadcast(&domain->changed);
}
