/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/** All domains of a driver, by uuid and by name. */
CoreList *core_list_new(void);
void core_list_free(CoreList *list);

/* Each returns a new reference, or NULL; the domain is not locked. */
CoreDomain *core_list_find_uuid(CoreList *list, const unsigned char *uuid);
CoreDomain *core_list_find_name(CoreList *list, const char *name);
CoreDomain *core_list_find_id(CoreList *list, int id);

/** core_list_snapshot: references to all domains, for long looks at them */
GPtrArray *core_list_snapshot(CoreList *list);

/** Which domain a definition is for. */
typedef struct CoreClaim {
    const unsigned char *uuid;
    const char *name;
    const char *operation; /* the job's name */
    bool is_new;           /* result: the domain was not there */
} CoreClaim;

/**
 * core_list_claim: the domain with this uuid and name, or a new one
 *
 * A new one is in the list but does not exist (core_domain_exists()) until its
 * claimant makes it persistent or active; the claimant holds its job.
 * @error: OPERATION_FAILED if only one of uuid and name is taken
 */
CoreDomain *core_list_claim(VirtkvmState *state, CoreClaim *claim,
                            GError **error);

/** core_list_matches: do the filters of virConnectListAllDomainsFlags choose
 * it? With the lock held. */
bool core_list_matches(const CoreDomain *domain, unsigned flags);

/** core_list_remove: if it is still there */
void core_list_remove(CoreList *list, CoreDomain *domain);

/**
 * Renaming, by the holder of the domain's job, without its lock. While a name
 * is reserved the domain stands under both, so that nobody else comes to either
 * of them before the files are in order.
 * core_list_reserve_name: the name, to be taken or left; NULL if it is in use
 */
char *core_list_reserve_name(CoreList *list, CoreDomain *domain,
                             const char *name);
void core_list_take_name(CoreList *list, CoreDomain *domain, char *reserved);
void core_list_leave_name(CoreList *list, char *reserved);
