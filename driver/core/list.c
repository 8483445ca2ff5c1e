/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/list.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

struct CoreList {
    GRWLock lock;
    GHashTable *by_uuid; /* domain->uuid -> CoreDomain, owns a reference */
    GHashTable *by_name; /* domain->name -> the same CoreDomain */
};

static guint
uuid_hash(gconstpointer uuid)
{
    guint hash;

    memcpy(&hash, (const char *)uuid + VIR_UUID_BUFLEN - sizeof(hash),
           sizeof(hash));
    return hash;
}

static gboolean
uuid_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, VIR_UUID_BUFLEN) == 0;
}

CoreList *
core_list_new(void)
{
    CoreList *list = g_new0(CoreList, 1);

    g_rw_lock_init(&list->lock);
    list->by_uuid = g_hash_table_new_full(uuid_hash, uuid_equal, NULL,
                                          (GDestroyNotify)core_domain_unref);
    list->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return list;
}

void
core_list_free(CoreList *list)
{
    if (!list)
        return;
    g_hash_table_destroy(list->by_name);
    g_hash_table_destroy(list->by_uuid);
    g_rw_lock_clear(&list->lock);
    g_free(list);
}

static CoreDomain *
find(CoreList *list, GHashTable *table, gconstpointer key)
{
    CoreDomain *domain;

    g_rw_lock_reader_lock(&list->lock);
    domain = g_hash_table_lookup(table, key);
    if (domain)
        core_domain_ref(domain);
    g_rw_lock_reader_unlock(&list->lock);
    return domain;
}

CoreDomain *
core_list_find_uuid(CoreList *list, const unsigned char *uuid)
{
    return find(list, list->by_uuid, uuid);
}

CoreDomain *
core_list_find_name(CoreList *list, const char *name)
{
    return find(list, list->by_name, name);
}

CoreDomain *
core_list_find_id(CoreList *list, int id)
{
    CoreDomain *found = NULL;
    GHashTableIter iter;
    gpointer value;

    if (id < 0)
        return NULL;
    g_rw_lock_reader_lock(&list->lock);
    g_hash_table_iter_init(&iter, list->by_uuid);
    while (!found && g_hash_table_iter_next(&iter, NULL, &value)) {
        CoreDomain *domain = value;

        core_domain_lock(domain);
        if (domain->id == id)
            found = core_domain_ref(domain);
        core_domain_unlock(domain);
    }
    g_rw_lock_reader_unlock(&list->lock);
    return found;
}

GPtrArray *
core_list_snapshot(CoreList *list)
{
    GPtrArray *domains;
    GHashTableIter iter;
    gpointer value;

    g_rw_lock_reader_lock(&list->lock);
    domains = g_ptr_array_new_full(g_hash_table_size(list->by_uuid),
                                   (GDestroyNotify)core_domain_unref);
    g_hash_table_iter_init(&iter, list->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(domains, core_domain_ref(value));
    g_rw_lock_reader_unlock(&list->lock);
    return domains;
}

static void
drop_locked(CoreList *list, CoreDomain *domain)
{
    if (g_hash_table_lookup(list->by_name, domain->name) == domain)
        g_hash_table_remove(list->by_name, domain->name);
    if (g_hash_table_lookup(list->by_uuid, domain->uuid) == domain)
        g_hash_table_remove(list->by_uuid, domain->uuid);
}

/* A removed domain that its remover has not yet taken out makes room. */
static CoreDomain *
lookup_locked(CoreList *list, GHashTable *table, gconstpointer key)
{
    CoreDomain *domain = g_hash_table_lookup(table, key);
    bool removing;

    if (!domain)
        return NULL;
    core_domain_lock(domain);
    removing = domain->removing;
    core_domain_unlock(domain);
    if (!removing)
        return domain;
    drop_locked(list, domain);
    return NULL;
}

static CoreDomain *
add_locked(VirtkvmState *state, CoreClaim *claim)
{
    CoreDomain *domain = core_domain_new(state, claim->uuid, claim->name);

    claim->is_new = true;
    domain->job.holder = claim->operation;
    domain->job.since = g_get_monotonic_time();
    g_hash_table_insert(state->list->by_uuid, domain->uuid,
                        core_domain_ref(domain));
    g_hash_table_insert(state->list->by_name, domain->name, domain);
    return domain;
}

static CoreDomain *
claim_locked(VirtkvmState *state, CoreClaim *claim, GError **error)
{
    CoreList *list = state->list;
    CoreDomain *same_uuid = lookup_locked(list, list->by_uuid, claim->uuid);
    CoreDomain *same_name = lookup_locked(list, list->by_name, claim->name);
    char text[VIR_UUID_STRING_BUFLEN];

    if (same_uuid && same_uuid != same_name) {
        conf_uuid_format(claim->uuid, text);
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("domain '%s' is already defined with uuid %s"),
                  same_uuid->name, text);
        return NULL;
    }
    if (same_name && !same_uuid) {
        conf_uuid_format(same_name->uuid, text);
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("domain '%s' already exists with uuid %s"), claim->name,
                  text);
        return NULL;
    }
    return same_uuid ? core_domain_ref(same_uuid) : add_locked(state, claim);
}

CoreDomain *
core_list_claim(VirtkvmState *state, CoreClaim *claim, GError **error)
{
    CoreDomain *domain;

    claim->is_new = false;
    g_rw_lock_writer_lock(&state->list->lock);
    domain = claim_locked(state, claim, error);
    g_rw_lock_writer_unlock(&state->list->lock);
    return domain;
}

void
core_list_remove(CoreList *list, CoreDomain *domain)
{
    g_rw_lock_writer_lock(&list->lock);
    drop_locked(list, domain);
    g_rw_lock_writer_unlock(&list->lock);
}

char *
core_list_reserve_name(CoreList *list, CoreDomain *domain, const char *name)
{
    char *reserved = NULL;

    g_rw_lock_writer_lock(&list->lock);
    if (!lookup_locked(list, list->by_name, name)) {
        reserved = g_strdup(name);
        g_hash_table_insert(list->by_name, reserved, domain);
    }
    g_rw_lock_writer_unlock(&list->lock);
    return reserved;
}

void
core_list_take_name(CoreList *list, CoreDomain *domain, char *reserved)
{
    g_rw_lock_writer_lock(&list->lock);
    core_domain_lock(domain);
    g_hash_table_remove(list->by_name, domain->name);
    g_free(domain->name);
    domain->name = reserved;
    core_domain_unlock(domain);
    g_rw_lock_writer_unlock(&list->lock);
}

void
core_list_leave_name(CoreList *list, char *reserved)
{
    g_rw_lock_writer_lock(&list->lock);
    g_hash_table_remove(list->by_name, reserved);
    g_rw_lock_writer_unlock(&list->lock);
    g_free(reserved);
}
