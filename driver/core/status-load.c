/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "core/job.h"
#include "core/list.h"
#include "core/persist.h"
#include "core/reconnect.h"
#include "core/run.h"
#include "core/settings.h"
#include "core/status-names.h"
#include "core/status.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static xmlNodePtr
child(xmlNodePtr parent, const char *name)
{
    xmlNodePtr node = parent ? parent->children : NULL;

    while (node && (node->type != XML_ELEMENT_NODE ||
                    !xmlStrEqual(node->name, BAD_CAST name)))
        node = node->next;
    return node;
}

static xmlNodePtr
next(xmlNodePtr node)
{
    const xmlChar *name = node->name;

    do
        node = node->next;
    while (node &&
           (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, name)));
    return node;
}

static char *
attribute(xmlNodePtr node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, BAD_CAST name) : NULL;
    char *copy = g_strdup((char *)value);

    xmlFree(value);
    return copy;
}

/* A number in 0..max; -1 if it is none: this file may hold anything. */
static gint64
number(xmlNodePtr node, const char *name, gint64 max)
{
    g_autofree char *text = attribute(node, name);
    guint64 value;

    if (!text ||
        !g_ascii_string_to_unsigned(text, 10, 0, (guint64)max, &value, NULL))
        return -1;
    return (gint64)value;
}

static bool
refuse(const char *what, GError **error)
{
    error_set(error, VIR_ERR_XML_ERROR, _("the status file has no usable '%s'"),
              what);
    return false;
}

static bool
load_engine(xmlNodePtr node, CoreEngineRecord *record, GError **error)
{
    gint64 pid = number(node, "pid", G_MAXINT);
    gint64 start = number(node, "start", G_MAXINT64);
    xmlNodePtr vcpu = child(node, "vcpu");

    if (pid < 0 || start < 0)
        return refuse("engine", error);
    record->pid = (pid_t)pid;
    record->start_time = (uint64_t)start;
    if (!vcpu)
        return true;
    record->vcpu_threads = g_array_new(FALSE, FALSE, sizeof(pid_t));
    for (; vcpu && record->vcpu_threads->len < CONF_VCPUS_MAX;
         vcpu = next(vcpu)) {
        pid_t thread = (pid_t)number(vcpu, "thread", G_MAXINT);

        g_array_append_val(record->vcpu_threads, thread);
    }
    return true;
}

static char **
load_warnings(xmlNodePtr root)
{
    GPtrArray *warnings = g_ptr_array_new();
    xmlNodePtr node = child(root, "warning");

    for (; node; node = next(node)) {
        xmlChar *text = xmlNodeGetContent(node);

        g_ptr_array_add(warnings, g_strdup((char *)text));
        xmlFree(text);
    }
    g_ptr_array_add(warnings, NULL);
    return (char **)g_ptr_array_free(warnings, FALSE);
}

static void
load_run(CoreDomain *domain, xmlNodePtr root)
{
    xmlNodePtr node = child(root, "run");
    CoreRun *run = core_run_new();

    /* One that was never said to have started ends without a word. */
    run->starting = number(node, "starting", 1) == 1;
    run->destroying = number(node, "destroying", 1) == 1;
    run->shutdown_seen = number(node, "shutdown-seen", 1) == 1;
    run->balloon_kib =
        (uint64_t)MAX(number(node, "balloon", G_MAXINT64 / 1024), 0);
    run->warnings = load_warnings(root);
    domain->run = run;
}

static bool
load_state(CoreDomain *domain, xmlNodePtr root, GError **error)
{
    g_autofree char *name = attribute(root, "state");
    int status = core_status_state_from_name(name);
    gint64 reason = number(root, "reason", 1000);
    gint64 id = number(root, "id", CORE_ID_MAX);

    if (status < 0 || reason < 0)
        return refuse("state", error);
    if (id < 1)
        return refuse("id", error);
    domain->status = status;
    domain->reason = (int)reason;
    domain->id = (int)id;
    return true;
}

/* Definitions have been read before: a file that is at odds with one of them
 * is wrong. Takes the job of the domain. */
static CoreDomain *
claim(VirtkvmState *state, const ConfDomain *conf, GError **error)
{
    CoreClaim claim = { .uuid = conf->uuid,
                        .name = conf->name,
                        .operation = CORE_RECONNECT_JOB };
    g_autoptr(CoreDomain) domain = core_list_claim(state, &claim, error);

    if (!domain)
        return NULL;
    if (core_domain_active(domain)) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("another status file names the same domain"));
        return NULL;
    }
    return g_steal_pointer(&domain);
}

static void
activate(CoreDomain *domain, const ConfDomain *conf, xmlNodePtr root)
{
    if (domain->persistent)
        domain->new_def = g_steal_pointer(&domain->def);
    domain->def = core_def_new_live(conf);
    load_run(domain, root);
    domain->job.holder = CORE_RECONNECT_JOB;
    domain->job.since = g_get_monotonic_time();
    core_state_note_id(domain->state, domain->id);
}

/* What was claimed for nothing goes again. */
static void
unclaim(CoreReconnect *found)
{
    CoreDomain *domain = found->domain;

    core_domain_lock(domain);
    domain->id = -1;
    core_domain_set_state(domain, VIR_DOMAIN_SHUTOFF,
                          VIR_DOMAIN_SHUTOFF_UNKNOWN);
    domain->job.holder = NULL;
    core_domain_retire_unlock(domain);
    core_reconnect_free(found);
}

static CoreReconnect *
load_domain(VirtkvmState *state, xmlNodePtr root, const ConfDomain *conf,
            GError **error)
{
    CoreDomain *domain = claim(state, conf, error);
    CoreReconnect *found;

    if (!domain)
        return NULL;
    found = g_new0(CoreReconnect, 1);
    found->domain = domain;
    if (!load_state(domain, root, error) ||
        !load_engine(child(root, "engine"), &found->record, error)) {
        unclaim(found);
        return NULL;
    }
    found->record.paused = domain->status == VIR_DOMAIN_PAUSED;
    found->autodestroy = number(child(root, "run"), "autodestroy", 1) == 1;
    activate(domain, conf, root);
    return found;
}

static CoreReconnect *
load_root(VirtkvmState *state, xmlNodePtr root, const char *file,
          GError **error)
{
    g_autoptr(ConfDomain) conf = NULL;
    g_autofree char *proper = NULL;
    xmlNodePtr node = child(root, "domain");

    if (!node) {
        refuse("domain", error);
        return NULL;
    }
    conf = conf_domain_parse_node(node, CONF_PARSE_STATUS, error);
    if (!conf)
        return NULL;
    /* it runs, whatever the daemon would say of it now */
    (void)core_settings_apply(state, conf, NULL);
    proper = g_strdup_printf("%s.xml", conf->name);
    if (strcmp(proper, file) != 0) {
        refuse("name", error);
        return NULL;
    }
    return load_domain(state, root, conf, error);
}

/* A file of an earlier boot names guests that ended with it. */
static bool
this_boot(VirtkvmState *state, xmlNodePtr root)
{
    g_autofree char *boot = attribute(root, "boot");

    return g_strcmp0(boot, state->boot_id) == 0;
}

static CoreReconnect *
load_file(VirtkvmState *state, const char *path, const char *file,
          GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *text = NULL;
    xmlNodePtr root;
    size_t size;

    text = file_read(path, CORE_FILE_MAX_BYTES, &size, error);
    if (!text)
        return NULL;
    doc = xmlReadMemory(text, (int)size, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR |
                            XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
    root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root || !xmlStrEqual(root->name, BAD_CAST "domstatus")) {
        refuse("domstatus", error);
        return NULL;
    }
    if (!this_boot(state, root)) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("the host has been started again since"));
        return NULL;
    }
    return load_root(state, root, file, error);
}

GPtrArray *
core_status_load_all(VirtkvmState *state)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(core_reconnect_free);
    g_autoptr(GDir) dir = g_dir_open(state->run_dir, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(state->run_dir, name, NULL);
        g_autoptr(GError) error = NULL;
        CoreReconnect *one;

        if (!g_str_has_suffix(name, ".xml"))
            continue;
        one = load_file(state, path, name, &error);
        if (one)
            g_ptr_array_add(found, one);
        else
            log_warning("status file '%s' is ignored: %s", path,
                        error->message);
    }
    return found;
}
