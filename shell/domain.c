/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/domain.h"

#include <fnmatch.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/progress.h"
#include "shell/tally.h"
#include "util/i18n.h"

#define UUID_TEXT_LENGTH (VIR_UUID_STRING_BUFLEN - 1)

static void
domain_free(void *data)
{
    virDomainFree(data);
}

VshDomainKey
vsh_domain_key(virDomainPtr domain)
{
    return (VshDomainKey){ .domain = domain,
                           .name = virDomainGetName(domain),
                           .id = virDomainGetID(domain) };
}

int
vsh_domain_key_compare(const void *a, const void *b)
{
    const VshDomainKey *one = a, *two = b;
    int order;

    /* the id of none is the greatest: inactive domains come last */
    if (one->id != two->id)
        return one->id < two->id ? -1 : 1;
    order = g_ascii_strcasecmp(one->name, two->name);
    return order ? order : strcmp(one->name, two->name);
}

GPtrArray *
vsh_domain_list(VshShell *shell, unsigned flags, GError **error)
{
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(VshDomainKey));
    virDomainPtr *domains = NULL;
    GPtrArray *list;
    int count;

    count = virConnectListAllDomains(shell->connection.conn, &domains, flags);
    if (count < 0) {
        vsh_error_virt(error, _("Failed to list domains"));
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        VshDomainKey key = vsh_domain_key(domains[i]);

        g_array_append_val(keys, key);
    }
    free(domains);
    g_array_sort(keys, vsh_domain_key_compare);
    list = g_ptr_array_new_full(keys->len, domain_free);
    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(list, g_array_index(keys, VshDomainKey, i).domain);
    return list;
}

static virDomainPtr
find_id(VshShell *shell, const char *word)
{
    guint64 id;

    if (!g_ascii_string_to_unsigned(word, 10, 0, G_MAXINT, &id, NULL))
        return NULL;
    return virDomainLookupByID(shell->connection.conn, (int)id);
}

static void
suggest(VshShell *shell, const char *word, GError **error)
{
    g_autoptr(GPtrArray) domains = vsh_domain_list(shell, 0, NULL);
    g_autofree const char **names = NULL;
    const char *nearest;

    if (!domains)
        return;
    names = g_new0(const char *, domains->len + 1);
    for (guint i = 0; i < domains->len; i++)
        names[i] = virDomainGetName(domains->pdata[i]);
    nearest = vsh_nearest(word, names);
    if (nearest)
        vsh_error_hint(error, _("did you mean '%s'?"), nearest);
    else
        vsh_error_hint(error, _("'list --all' shows the domains of '%s'"),
                       vsh_connection_wanted(&shell->connection));
}

virDomainPtr
vsh_domain_find_by(VshShell *shell, const char *word, unsigned by,
                   GError **error)
{
    virConnectPtr conn = shell->connection.conn;
    virDomainPtr domain = NULL;
    int code;

    virResetLastError();
    if (by & VSH_DOMAIN_BY_ID)
        domain = find_id(shell, word);
    if (!domain && (by & VSH_DOMAIN_BY_UUID) &&
        strlen(word) == UUID_TEXT_LENGTH)
        domain = virDomainLookupByUUIDString(conn, word);
    if (!domain && (by & VSH_DOMAIN_BY_NAME))
        domain = virDomainLookupByName(conn, word);
    if (domain)
        return domain;
    code = virGetLastErrorCode();
    if (code != VIR_ERR_NO_DOMAIN && code != VIR_ERR_OK &&
        code != VIR_ERR_INVALID_ARG) {
        vsh_error_virt(error, _("failed to get domain '%s'"), word);
        return NULL;
    }
    vsh_error_set(error, VSH_EXIT_NOT_FOUND, _("failed to get domain '%s'"),
                  word);
    if (error)
        suggest(shell, word, error);
    return NULL;
}

virDomainPtr
vsh_domain_find(VshShell *shell, const char *word, GError **error)
{
    return vsh_domain_find_by(shell, word, VSH_DOMAIN_BY_ANY, error);
}

virDomainPtr
vsh_domain_of(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_domain_find(shell, vsh_args_string(args, "domain"), error);
}

static bool
is_pattern(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}

/* The states that a pattern of this command means. */
static unsigned
wanted_states(const VshArgs *args)
{
    for (guint i = 0; i < args->options->len; i++) {
        const VshOption *option = args->options->pdata[i];

        if (strcmp(option->name, "domain") == 0)
            return option->domains;
    }
    return 0;
}

static bool
contains(GPtrArray *domains, virDomainPtr domain)
{
    for (guint i = 0; i < domains->len; i++)
        if (strcmp(virDomainGetName(domains->pdata[i]),
                   virDomainGetName(domain)) == 0)
            return true;
    return false;
}

/* Adds the domains that match; each only once. */
static bool
expand_pattern(VshShell *shell, const VshArgs *args, const char *pattern,
               GPtrArray *found, GError **error)
{
    g_autoptr(GPtrArray) all =
        vsh_domain_list(shell, wanted_states(args), error);
    bool any = false;

    if (!all)
        return false;
    for (guint i = 0; i < all->len; i++) {
        virDomainPtr domain = all->pdata[i];

        if (fnmatch(pattern, virDomainGetName(domain), 0) != 0)
            continue;
        any = true;
        if (!contains(found, domain)) {
            virDomainRef(domain);
            g_ptr_array_add(found, domain);
        }
    }
    if (any)
        return true;
    vsh_error_set(error, VSH_EXIT_NOT_FOUND,
                  _("no domain matches '%s' for '%s'"), pattern,
                  args->command->name);
    return false;
}

/* Adds what @word means. A domain may bear the name of a pattern. */
static bool
resolve_word(VshShell *shell, const VshArgs *args, const char *word,
             GPtrArray *found, GError **error)
{
    bool pattern = is_pattern(word);
    virDomainPtr domain = vsh_domain_find(shell, word, pattern ? NULL : error);

    if (domain) {
        g_ptr_array_add(found, domain);
        return true;
    }
    return pattern && expand_pattern(shell, args, word, found, error);
}

static GPtrArray *
resolve_all(VshShell *shell, const VshArgs *args, VshTally *tally,
            GError **error)
{
    GPtrArray *words = vsh_args_strings(args, "domain");
    GPtrArray *found = g_ptr_array_new_with_free_func(domain_free);

    tally->several = words->len > 1;
    for (guint i = 0; i < words->len && vsh_tally_goes_on(tally, shell); i++) {
        GError *failure = NULL;

        if (!resolve_word(shell, args, words->pdata[i], found, &failure)) {
            tally->total++;
            vsh_tally_failure(tally, shell, failure, error);
        }
    }
    tally->total += found->len;
    tally->several = tally->several || found->len > 1;
    return found;
}

bool
vsh_domain_each(VshShell *shell, const VshArgs *args, VshDomainAction action,
                void *data, GError **error)
{
    VshTally tally = { 0 };
    g_autoptr(GPtrArray) found = resolve_all(shell, args, &tally, error);

    for (guint i = 0; i < found->len && vsh_tally_goes_on(&tally, shell); i++) {
        GError *failure = NULL;

        if (tally.several)
            vsh_progress_detail(shell->out.progress,
                                virDomainGetName(found->pdata[i]));
        if (!action(shell, args, found->pdata[i], data, &failure))
            vsh_tally_failure(&tally, shell, failure, error);
    }
    if (tally.failed && tally.several)
        vsh_error_set(error, tally.first,
                      ngettext("%u of %u domain failed",
                               "%u of %u domains failed", tally.total),
                      tally.failed, tally.total);
    return tally.failed == 0;
}

bool
vsh_domain_several(const VshArgs *args)
{
    GPtrArray *words = vsh_args_strings(args, "domain");

    return words->len > 1 || is_pattern(words->pdata[0]);
}

/* The records of all domains asked for. */
typedef struct VshReport {
    VshDomainQuery query;
    unsigned label_width;
    GPtrArray *records; /* VshRecord */
    GPtrArray *names;
} VshReport;

static void
record_free(void *data)
{
    vsh_record_free(data);
}

static bool
report_one(VshShell *shell, const VshArgs *args, virDomainPtr domain,
           void *data, GError **error)
{
    VshReport *report = data;
    g_autoptr(VshRecord) record = vsh_record_new(report->label_width);

    if (!report->query(shell, args, domain, record, error))
        return false;
    g_ptr_array_add(report->records, g_steal_pointer(&record));
    g_ptr_array_add(report->names, g_strdup(virDomainGetName(domain)));
    return true;
}

static void
report_print_json(const VshReport *report, bool several, VshOutput *out)
{
    json_t *all;

    if (!several) {
        if (report->records->len > 0)
            vsh_record_print(report->records->pdata[0], out);
        return;
    }
    all = json_array();
    for (guint i = 0; i < report->records->len; i++)
        json_array_append_new(all, vsh_record_json(report->records->pdata[i]));
    vsh_print_json(out, all);
}

static void
report_print(const VshReport *report, VshOutput *out)
{
    bool several = report->records->len > 1;

    for (guint i = 0; i < report->records->len; i++) {
        if (several && report->label_width == 0)
            vsh_print(out, "%s: ", (const char *)report->names->pdata[i]);
        vsh_record_print(report->records->pdata[i], out);
        if (report->label_width > 0 && i + 1 < report->records->len)
            vsh_print(out, "\n");
    }
}

bool
vsh_domain_report(VshShell *shell, const VshArgs *args, unsigned label_width,
                  VshDomainQuery query, GError **error)
{
    bool several = vsh_domain_several(args);
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(record_free);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    VshReport report = { query, label_width, records, names };
    bool ok = vsh_domain_each(shell, args, report_one, &report, error);

    if (shell->out.format == VSH_FORMAT_JSON)
        report_print_json(&report, several, &shell->out);
    else
        report_print(&report, &shell->out);
    return ok;
}

/* The rows of all domains asked for. */
typedef struct VshRowReport {
    VshDomainRows rows;
    VshTable *table;
} VshRowReport;

static bool
add_rows(VshShell *shell, const VshArgs *args, virDomainPtr domain, void *data,
         GError **error)
{
    const VshRowReport *report = data;

    return report->rows(shell, args, domain, report->table, error);
}

bool
vsh_domain_table(VshShell *shell, const VshArgs *args,
                 const VshDomainTable *what, GError **error)
{
    g_autoptr(VshTable) table = vsh_table_new(what->columns, what->count);
    VshRowReport report = { what->rows, table };
    bool ok;

    what->columns[0].key = "domain";
    what->columns[0].header = vsh_domain_several(args) ? _("Domain") : NULL;
    ok = vsh_domain_each(shell, args, add_rows, &report, error);
    if (ok && what->empty && vsh_table_rows(table) == 0 &&
        shell->out.format == VSH_FORMAT_TABLE)
        vsh_print_extra(&shell->out, "%s", what->empty);
    else if (ok || vsh_table_rows(table) > 0)
        vsh_table_print(table, &shell->out);
    return ok;
}
