/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/events.h"
#include "core/job.h"
#include "core/list.h"
#include "core/persist.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

static bool
is_marked(VirtkvmState *state, const char *name)
{
    g_autofree char *mark =
        g_strdup_printf("%s/%s.xml", state->autostart_dir, name);

    return g_file_test(mark, G_FILE_TEST_IS_SYMLINK);
}

/*
 * A file that names another domain is a rename that was cut short, if there is
 * no file of that domain; else somebody's copy, which is refused. @heal: no
 * rename can be under way in this process.
 */
static bool
check_name(VirtkvmState *state, const char *file, const ConfDomain *conf,
           bool heal, GError **error)
{
    g_autofree char *proper = g_strdup_printf("%s.xml", conf->name);
    g_autofree char *from = g_build_filename(state->config_dir, file, NULL);
    g_autofree char *to = NULL;

    if (strcmp(file, proper) == 0)
        return true;
    to = g_build_filename(state->config_dir, proper, NULL);
    if (heal && !strchr(conf->name, '/') && access(to, F_OK) != 0 &&
        rename(from, to) == 0) {
        log_warning("'%s' holds domain '%s': renamed to '%s'", file, conf->name,
                    proper);
        return true;
    }
    error_set(error, VIR_ERR_XML_ERROR,
              _("the file's name does not match the domain's name '%s'"),
              conf->name);
    return false;
}

/* With the lock and the job. */
static void
take_def(CoreDomain *domain, CoreDef *def, bool is_new, bool events)
{
    CoreDef *old = core_domain_config(domain);
    bool changed = !old || strcmp(old->xml, def->xml) != 0;

    domain->autostart = is_marked(domain->state, domain->name);
    core_domain_set_config(domain, def);
    if (events && changed)
        core_event_lifecycle(domain, VIR_DOMAIN_EVENT_DEFINED,
                             is_new ? VIR_DOMAIN_EVENT_DEFINED_ADDED
                                    : VIR_DOMAIN_EVENT_DEFINED_UPDATED);
}

static ConfDomain *
read_conf(VirtkvmState *state, const char *file, GError **error)
{
    g_autofree char *path = g_build_filename(state->config_dir, file, NULL);
    g_autofree char *text = file_read(path, CORE_FILE_MAX_BYTES, NULL, error);

    return text ? conf_domain_parse(text, CONF_PARSE_INACTIVE, error) : NULL;
}

/* A client may have changed or removed the definition since it was read: what
 * the file says under the job counts. */
static bool
take_again(CoreDomain *domain, const char *file, const CoreClaim *claim,
           GError **error)
{
    g_autoptr(ConfDomain) conf = NULL;

    core_domain_unlock(domain);
    conf = read_conf(domain->state, file, error);
    core_domain_lock(domain);
    if (conf && (memcmp(conf->uuid, domain->uuid, VIR_UUID_BUFLEN) != 0 ||
                 strcmp(conf->name, domain->name) != 0)) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the file changed while it was read"));
        return false;
    }
    if (conf)
        take_def(domain, core_def_new(conf), claim->is_new, true);
    return conf != NULL;
}

static bool
take_conf(VirtkvmState *state, const char *file, const ConfDomain *conf,
          bool reload, GError **error)
{
    CoreClaim claim = { .uuid = conf->uuid,
                        .name = conf->name,
                        .operation = "reload" };
    g_autoptr(CoreDomain) domain = core_list_claim(state, &claim, error);
    bool taken;

    if (!domain)
        return false;
    core_domain_lock(domain);
    taken = claim.is_new || core_job_begin(domain, claim.operation, error);
    if (taken) {
        if (reload)
            taken = take_again(domain, file, &claim, error);
        else
            take_def(domain, core_def_new(conf), claim.is_new, false);
        core_job_end(domain);
    }
    core_domain_retire_unlock(domain);
    return taken;
}

static bool
load_file(VirtkvmState *state, const char *file, bool reload, GError **error)
{
    g_autoptr(ConfDomain) conf = read_conf(state, file, error);

    return conf && check_name(state, file, conf, !reload, error) &&
           take_conf(state, file, conf, reload, error);
}

bool
core_persist_load_all(VirtkvmState *state, bool reload, GError **error)
{
    g_autoptr(GDir) dir = NULL;
    g_autoptr(GError) failure = NULL;
    const char *file;

    dir = g_dir_open(state->config_dir, 0, &failure);
    if (!dir) {
        error_set(error, VIR_ERR_SYSTEM_ERROR, "%s", failure->message);
        return false;
    }
    while ((file = g_dir_read_name(dir))) {
        g_autoptr(GError) bad = NULL;

        if (g_str_has_suffix(file, ".xml") &&
            !load_file(state, file, reload, &bad))
            log_error("definition '%s/%s' is skipped: %s", state->config_dir,
                      file, bad->message);
    }
    return true;
}
