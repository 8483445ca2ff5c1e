/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "util/i18n.h"

/* Prints one property of the domain that @by lets a word name. */
static bool
print_value(VshShell *shell, const char *key, const char *text, json_t *value)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);

    vsh_record_add(record, key, "", text, value);
    vsh_record_print(record, &shell->out);
    return true;
}

static virDomainPtr
find(VshShell *shell, const VshArgs *args, unsigned by, GError **error)
{
    return vsh_domain_find_by(shell, vsh_args_string(args, "domain"), by,
                              error);
}

static bool
run_domid(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain =
        find(shell, args, VSH_DOMAIN_BY_NAME | VSH_DOMAIN_BY_UUID, error);
    g_autofree char *text = NULL;
    unsigned id;

    if (!domain)
        return false;
    id = virDomainGetID(domain);
    if (id == (unsigned)-1)
        return print_value(shell, "id", "-", json_null());
    text = g_strdup_printf("%u", id);
    return print_value(shell, "id", text, json_integer(id));
}

static bool
run_domname(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain =
        find(shell, args, VSH_DOMAIN_BY_ID | VSH_DOMAIN_BY_UUID, error);

    return domain && print_value(shell, "name", virDomainGetName(domain), NULL);
}

static bool
run_domuuid(VshShell *shell, const VshArgs *args, GError **error)
{
    g_autoptr(virDomain) domain =
        find(shell, args, VSH_DOMAIN_BY_ID | VSH_DOMAIN_BY_NAME, error);
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    if (!domain)
        return false;
    virDomainGetUUIDString(domain, uuid);
    return print_value(shell, "uuid", uuid, NULL);
}

static const VshOption one_options[] = {
    VSH_OPTION_DOMAIN(VSH_DOMAINS_ALL),
    { NULL },
};

static const VshCommand command_domid = {
    .name = "domid",
    .group = "domain",
    .summary = N_("convert a domain name or UUID to domain id"),
    .details = N_("Prints the id of an active domain, - for an inactive one."),
    .options = one_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domid,
};

static const VshCommand command_domname = {
    .name = "domname",
    .group = "domain",
    .summary = N_("convert a domain id or UUID to domain name"),
    .details = N_("Prints the name of a domain."),
    .options = one_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domname,
};

static const VshCommand command_domuuid = {
    .name = "domuuid",
    .group = "domain",
    .summary = N_("convert a domain name or id to domain UUID"),
    .details = N_("Prints the UUID of a domain."),
    .options = one_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_domuuid,
};

const VshCommand *const vsh_commands_id[] = {
    &command_domid,
    &command_domname,
    &command_domuuid,
    NULL,
};
