/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/* All with the domain's lock held. */

/**
 * core_job_begin: become the one call that changes this domain
 *
 * Waits, with the lock released, up to the state's job_wait_ms.
 * @operation: a constant string, named to those who wait in vain
 * @error: OPERATION_TIMEOUT; NO_DOMAIN if the domain was removed meanwhile
 */
bool core_job_begin(CoreDomain *domain, const char *operation, GError **error);

void core_job_end(CoreDomain *domain);

/** core_job_set_no_domain: the error for a domain that is gone */
void core_job_set_no_domain(const CoreDomain *domain, GError **error);
