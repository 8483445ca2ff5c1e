/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <libvirt/libvirt.h>

#include "shell/shell.h"
#include "shell/table.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

/** The option "domain" of commands that take one domain. */
#define VSH_OPTION_DOMAIN(states)                                            \
    {                                                                        \
        .name = "domain", .kind = VSH_OPTION_STRING,                         \
        .flags = VSH_OPTION_REQUIRED, .help = N_("domain name, id or uuid"), \
        .complete = vsh_complete_domain, .domains = (states)                 \
    }

/** The same for commands that take several, and patterns. */
#define VSH_OPTION_DOMAINS(states)                                          \
    {                                                                       \
        .name = "domain", .kind = VSH_OPTION_MANY,                          \
        .flags = VSH_OPTION_REQUIRED,                                       \
        .help = N_("domain names, ids, uuids or patterns such as 'web-*'"), \
        .complete = vsh_complete_domain, .domains = (states)                \
    }

/** The states that options are completed with, and patterns expanded to. */
#define VSH_DOMAINS_ALL        0
#define VSH_DOMAINS_ACTIVE     VIR_CONNECT_LIST_DOMAINS_ACTIVE
#define VSH_DOMAINS_INACTIVE   VIR_CONNECT_LIST_DOMAINS_INACTIVE
#define VSH_DOMAINS_RUNNING    VIR_CONNECT_LIST_DOMAINS_RUNNING
#define VSH_DOMAINS_PAUSED     VIR_CONNECT_LIST_DOMAINS_PAUSED
#define VSH_DOMAINS_PERSISTENT VIR_CONNECT_LIST_DOMAINS_PERSISTENT

/** How a word may name a domain. */
typedef enum VshDomainBy {
    VSH_DOMAIN_BY_ID = 1 << 0,
    VSH_DOMAIN_BY_UUID = 1 << 1,
    VSH_DOMAIN_BY_NAME = 1 << 2,
    VSH_DOMAIN_BY_ANY = 7,
} VshDomainBy;

/**
 * vsh_domain_list: the domains in a state, as virConnectListAllDomains()
 * @flags: virConnectListAllDomainsFlags; 0: all
 * Returns: virDomainPtr that the array owns, in the order of `list`
 */
GPtrArray *vsh_domain_list(VshShell *shell, unsigned flags, GError **error);

/** vsh_domain_find: by id, UUID or name; NULL with NOT_FOUND and a hint */
virDomainPtr vsh_domain_find(VshShell *shell, const char *word, GError **error);

/** vsh_domain_find_by: the same, restricted; @by: VshDomainBy */
virDomainPtr vsh_domain_find_by(VshShell *shell, const char *word, unsigned by,
                                GError **error);

/** vsh_domain_of: the domain that the option "domain" names */
virDomainPtr vsh_domain_of(VshShell *shell, const VshArgs *args,
                           GError **error);

/** One domain of several; @data as given to vsh_domain_each(). */
typedef bool (*VshDomainAction)(VshShell *shell, const VshArgs *args,
                                virDomainPtr domain, void *data,
                                GError **error);

/**
 * vsh_domain_each: act on all domains that the option "domain" names
 *
 * Words may be patterns (*, ?, [..]); a pattern stands for the domains of
 * option->domains, so that `start '*'` means those that can be started.
 * With more than one domain each failure is reported as it happens, the rest
 * goes on (unless --stop-on-error), and the error returned counts them.
 */
bool vsh_domain_each(VshShell *shell, const VshArgs *args,
                     VshDomainAction action, void *data, GError **error);

/** Fills @record with what is known of @domain. */
typedef bool (*VshDomainQuery)(VshShell *shell, const VshArgs *args,
                               virDomainPtr domain, VshRecord *record,
                               GError **error);

/**
 * vsh_domain_report: print a record for each domain that the option "domain"
 * names; as JSON an object for one, an array for several or a pattern
 * @label_width: as vsh_record_new(); 0: only values are printed, with the
 * domain's name before them if there are several
 */
bool vsh_domain_report(VshShell *shell, const VshArgs *args,
                       unsigned label_width, VshDomainQuery query,
                       GError **error);

/** vsh_domain_several: does the option "domain" ask for more than one? */
bool vsh_domain_several(const VshArgs *args);

/** Adds what is known of @domain as rows, each with its name first. */
typedef bool (*VshDomainRows)(VshShell *shell, const VshArgs *args,
                              virDomainPtr domain, VshTable *table,
                              GError **error);

/** A table about domains. */
typedef struct VshDomainTable {
    VshColumn *columns; /* the first is that of the domain's name */
    size_t count;
    VshDomainRows rows;
    const char *empty; /* said instead of no rows; NULL: the header is */
} VshDomainTable;

/**
 * vsh_domain_table: print the rows of all domains that the option "domain"
 * names as one table; the name is shown only if there are several
 */
bool vsh_domain_table(VshShell *shell, const VshArgs *args,
                      const VshDomainTable *what, GError **error);

/**
 * A domain with what it is sorted by. libvirt's getters format a debug message
 * at each call, which is noticed with thousands of domains.
 */
typedef struct VshDomainKey {
    virDomainPtr domain;
    const char *name; /* the domain's own */
    unsigned id;      /* VSH_DOMAIN_ID_NONE when not active */
} VshDomainKey;

#define VSH_DOMAIN_ID_NONE ((unsigned)-1)

/** vsh_domain_key: of @domain, which must outlive it */
VshDomainKey vsh_domain_key(virDomainPtr domain);

/** vsh_domain_key_compare: the order of `list`: active by id, then by name */
int vsh_domain_key_compare(const void *a, const void *b);
