/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/completer.h"
#include "shell/domain.h"
#include "shell/state.h"
#include "util/i18n.h"

/* The filters that virConnectGetAllDomainStats() shares with the list. */
#define STATS_FILTERS                               \
    (VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |     \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |   \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |  \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |    \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |     \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF |    \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER)

typedef struct VshListed {
    VshDomainKey key; /* first: vsh_domain_key_compare() sorts these */
    int state;
    int reason;
} VshListed;

static void
listed_clear(void *data)
{
    virDomainFree(((VshListed *)data)->key.domain);
}

static GArray *
listed_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(VshListed));

    g_array_set_clear_func(list, listed_clear);
    return list;
}

/* Takes each domain and its state out of @records. */
static void
add_records(GArray *list, virDomainStatsRecordPtr *records, int count)
{
    for (int i = 0; i < count; i++) {
        virTypedParameterPtr params = records[i]->params;
        int nparams = records[i]->nparams;
        VshListed listed = { .key = vsh_domain_key(records[i]->dom) };

        if (virTypedParamsGetInt(params, nparams, "state.state",
                                 &listed.state) != 1)
            virDomainGetState(listed.key.domain, &listed.state, &listed.reason,
                              0);
        else
            virTypedParamsGetInt(params, nparams, "state.reason",
                                 &listed.reason);
        virDomainRef(listed.key.domain);
        g_array_append_val(list, listed);
    }
    virDomainStatsRecordListFree(records);
}

/* One call for all states; -1 if the driver has no such call. */
static int
records_by_filter(VshShell *shell, unsigned filter,
                  virDomainStatsRecordPtr **ret_records)
{
    if (filter & ~(unsigned)STATS_FILTERS)
        return -1;
    return virConnectGetAllDomainStats(
        shell->connection.conn, VIR_DOMAIN_STATS_STATE, ret_records, filter);
}

/* Two calls: the list by all its filters, then the states of the list. */
static int
records_by_list(GPtrArray *domains, virDomainStatsRecordPtr **ret_records)
{
    g_autofree virDomainPtr *array = g_new0(virDomainPtr, domains->len + 1);

    if (domains->len == 0)
        return -1;
    memcpy(array, domains->pdata, domains->len * sizeof(*array));
    return virDomainListGetStats(array, VIR_DOMAIN_STATS_STATE, ret_records, 0);
}

/* @states: ask each for its state */
static void
add_singly(GArray *list, GPtrArray *domains, bool states)
{
    for (guint i = 0; i < domains->len; i++) {
        VshListed listed = { .key = vsh_domain_key(domains->pdata[i]) };

        /* it may have vanished since the list was made: then no state */
        if (states)
            virDomainGetState(listed.key.domain, &listed.state, &listed.reason,
                              0);
        virDomainRef(listed.key.domain);
        g_array_append_val(list, listed);
    }
}

/* The domains with their states, sorted; @states: only if they are wanted. */
static GArray *
collect(VshShell *shell, unsigned filter, bool states, GError **error)
{
    g_autoptr(GArray) list = listed_new();
    g_autoptr(GPtrArray) domains = NULL;
    virDomainStatsRecordPtr *records = NULL;
    int count = states ? records_by_filter(shell, filter, &records) : -1;

    if (count < 0) {
        domains = vsh_domain_list(shell, filter, error);
        if (!domains)
            return NULL;
        if (states)
            count = records_by_list(domains, &records);
    }
    if (count >= 0)
        add_records(list, records, count);
    else
        add_singly(list, domains, states);
    virResetLastError();
    g_array_sort(list, vsh_domain_key_compare);
    return g_steal_pointer(&list);
}

static const VshFlagBits filters[] = {
    { "with-managed-save", VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE },
    { "without-managed-save", VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE },
    { "with-snapshot", VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT },
    { "without-snapshot", VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT },
    { "with-checkpoint", VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT },
    { "without-checkpoint", VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT },
    { "state-running", VIR_CONNECT_LIST_DOMAINS_RUNNING },
    { "state-paused", VIR_CONNECT_LIST_DOMAINS_PAUSED },
    { "state-shutoff", VIR_CONNECT_LIST_DOMAINS_SHUTOFF },
    { "state-other", VIR_CONNECT_LIST_DOMAINS_OTHER },
    { "autostart", VIR_CONNECT_LIST_DOMAINS_AUTOSTART },
    { "no-autostart", VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART },
    { "persistent", VIR_CONNECT_LIST_DOMAINS_PERSISTENT },
    { "transient", VIR_CONNECT_LIST_DOMAINS_TRANSIENT },
    { NULL },
};

static unsigned
filter_wanted(const VshArgs *args)
{
    unsigned filter = VIR_CONNECT_LIST_DOMAINS_ACTIVE;

    if (vsh_args_given(args, "inactive") ||
        vsh_args_given(args, "state-shutoff"))
        filter = VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    if (vsh_args_given(args, "all") ||
        (vsh_args_given(args, "state-shutoff") &&
         (vsh_args_given(args, "state-running") ||
          vsh_args_given(args, "state-paused"))))
        filter =
            VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    return filter | vsh_args_bits(args, filters);
}

static const char *
state_text(const VshArgs *args, const VshListed *listed)
{
    if (listed->state == VIR_DOMAIN_SHUTOFF &&
        vsh_args_given(args, "managed-save") &&
        virDomainHasManagedSaveImage(listed->key.domain, 0) > 0)
        return _("saved");
    return vsh_state_name(listed->state);
}

static void
add_id(VshTable *table, unsigned id)
{
    g_autofree char *text = NULL;

    if (id == VSH_DOMAIN_ID_NONE) {
        vsh_table_add(table, "-", json_null());
        return;
    }
    text = g_strdup_printf("%u", id);
    vsh_table_add(table, text, json_integer(id));
}

static void
add_title(VshTable *table, virDomainPtr domain)
{
    char *title =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_TITLE, NULL, 0);

    vsh_table_add(table, title ? title : "", NULL);
    free(title);
}

/* What only JSON shows. */
static void
add_uuid(VshTable *table, const VshListed *listed, bool json)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    if (json)
        virDomainGetUUIDString(listed->key.domain, uuid);
    vsh_table_add(table, uuid, NULL);
}

static void
print_table(VshShell *shell, const VshArgs *args, GArray *list)
{
    const VshColumn columns[] = {
        { "id", _("Id") },       { "name", _("Name") }, { "uuid", NULL },
        { "state", _("State") }, { "reason", NULL },    { "title", _("Title") },
    };
    bool json = shell->out.format == VSH_FORMAT_JSON;
    bool titles = vsh_args_given(args, "title");
    g_autoptr(VshTable) table =
        vsh_table_new(columns, G_N_ELEMENTS(columns) - !titles);

    for (guint i = 0; i < list->len; i++) {
        const VshListed *listed = &g_array_index(list, VshListed, i);

        add_id(table, listed->key.id);
        vsh_table_add(table, listed->key.name, NULL);
        add_uuid(table, listed, json);
        vsh_table_add_colored(table, state_text(args, listed),
                              vsh_state_color(listed->state));
        vsh_table_add(table, vsh_state_reason(listed->state, listed->reason),
                      NULL);
        if (titles)
            add_title(table, listed->key.domain);
    }
    vsh_table_print(table, &shell->out);
}

/* "UUID id name", as many of them as were asked for. */
static void
print_plain(VshShell *shell, const VshArgs *args, GArray *list)
{
    bool with_uuid = vsh_args_given(args, "uuid");
    bool with_id = vsh_args_given(args, "id");
    bool with_name = vsh_args_given(args, "name");

    for (guint i = 0; i < list->len; i++) {
        const VshDomainKey *key = &g_array_index(list, VshListed, i).key;
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        g_autoptr(GString) line = g_string_new(NULL);

        if (with_id && !with_uuid && !with_name &&
            key->id == VSH_DOMAIN_ID_NONE)
            continue;
        if (with_uuid)
            virDomainGetUUIDString(key->domain, uuid);
        if (with_uuid)
            g_string_append_printf(line, "%s ", uuid);
        if (with_id && key->id == VSH_DOMAIN_ID_NONE)
            g_string_append(line, "- ");
        else if (with_id)
            g_string_append_printf(line, "%u ", key->id);
        if (with_name)
            g_string_append_printf(line, "%s ", key->name);
        g_string_truncate(line, line->len - 1);
        vsh_print(&shell->out, "%s\n", line->str);
    }
}

/* To a person who sees an empty list: where domains might be. */
static void
hint_empty(VshShell *shell, const VshArgs *args)
{
    const char *uri = vsh_connection_wanted(&shell->connection);
    int inactive;

    if (!isatty(STDERR_FILENO))
        return;
    inactive = virConnectNumOfDefinedDomains(shell->connection.conn);
    if (inactive > 0 && !vsh_args_given(args, "all") &&
        !vsh_args_given(args, "inactive"))
        vsh_note(&shell->out,
                 ngettext("%d domain of '%s' is not active: 'list --all' "
                          "shows it",
                          "%d domains of '%s' are not active: 'list --all' "
                          "shows them",
                          (unsigned long)inactive),
                 inactive, uri);
    else if (strcmp(uri, "kvm:///session") == 0)
        vsh_note(&shell->out, _("this is kvm:///session; the system's domains "
                                "are in kvm:///system"));
    else if (strcmp(uri, "kvm:///system") == 0)
        vsh_note(&shell->out, _("this is kvm:///system; each user's own "
                                "domains are in kvm:///session"));
}

static bool
run_list(VshShell *shell, const VshArgs *args, GError **error)
{
    static const char *const with_name[] = { "table", "name", NULL };
    static const char *const with_id[] = { "table", "id", NULL };
    static const char *const with_uuid[] = { "table", "uuid", NULL };
    bool plain = vsh_args_given(args, "name") || vsh_args_given(args, "id") ||
                 vsh_args_given(args, "uuid");
    g_autoptr(GArray) list = NULL;

    if (!vsh_args_exclusive(args, with_name, error) ||
        !vsh_args_exclusive(args, with_id, error) ||
        !vsh_args_exclusive(args, with_uuid, error))
        return false;
    plain = plain && shell->out.format == VSH_FORMAT_TABLE;
    list = collect(shell, filter_wanted(args), !plain, error);
    if (!list)
        return false;
    if (plain)
        print_plain(shell, args, list);
    else
        print_table(shell, args, list);
    if (list->len == 0 && !plain && shell->out.format == VSH_FORMAT_TABLE)
        hint_empty(shell, args);
    return true;
}

static const VshOption list_options[] = {
    VSH_FLAG("inactive", N_("list inactive domains")),
    VSH_FLAG("all", N_("list inactive & active domains")),
    VSH_FLAG("transient", N_("list transient domains")),
    VSH_FLAG("persistent", N_("list persistent domains")),
    VSH_FLAG("with-snapshot", N_("list domains with existing snapshot")),
    VSH_FLAG("without-snapshot", N_("list domains without a snapshot")),
    VSH_FLAG("with-checkpoint", N_("list domains with existing checkpoint")),
    VSH_FLAG("without-checkpoint", N_("list domains without a checkpoint")),
    VSH_FLAG("state-running", N_("list domains in running state")),
    VSH_FLAG("state-paused", N_("list domains in paused state")),
    VSH_FLAG("state-shutoff", N_("list domains in shutoff state")),
    VSH_FLAG("state-other", N_("list domains in other states")),
    VSH_FLAG("autostart", N_("list domains with autostart enabled")),
    VSH_FLAG("no-autostart", N_("list domains with autostart disabled")),
    VSH_FLAG("with-managed-save", N_("list domains with managed save state")),
    VSH_FLAG("without-managed-save", N_("list domains without managed save")),
    VSH_FLAG("uuid", N_("list uuid's only")),
    VSH_FLAG("name", N_("list domain names only")),
    VSH_FLAG("id", N_("list domain IDs only")),
    VSH_FLAG("table", N_("list table (default)")),
    VSH_FLAG("managed-save",
             N_("mark inactive domains with managed save state")),
    VSH_FLAG("title", N_("show domain title")),
    { NULL },
};

static const VshCommand command_list = {
    .name = "list",
    .group = "monitor",
    .summary = N_("list domains"),
    .details = N_("Lists the active domains, or those that the options name. "
                  "As JSON each domain comes with its id, name, uuid, state "
                  "and the reason for the state."),
    .options = list_options,
    .flags = VSH_COMMAND_QUERY,
    .run = run_list,
};

const VshCommand *const vsh_commands_list[] = { &command_list, NULL };
