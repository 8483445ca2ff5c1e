/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/domain.h"
#include "engine/resolve/resolve.h"
#include "engine/xml.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

/* As the session daemon's. */
static char *
cache_dir(void)
{
    return g_build_filename(g_get_user_cache_dir(), "virtkvm", NULL);
}

static char *
run_dir(void)
{
    return g_build_filename(g_get_user_runtime_dir(), "virtkvm", NULL);
}

static void
tell(const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        log_warning("%s", (const char *)g_ptr_array_index(warnings, i));
}

static ConfDomain *
read_domain(const char *path, GError **error)
{
    g_autofree char *xml = file_read(path, CONF_XML_MAX_BYTES, NULL, error);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(ConfDomain) domain = NULL;

    if (!xml)
        return NULL;
    domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, error);
    if (!domain || !conf_domain_check_start(domain, warnings, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    tell(warnings);
    return g_steal_pointer(&domain);
}

/* Pseudo terminals that no daemon tells about. */
static void
tell_ptys(const ConfDomain *domain)
{
    for (guint i = 0; i < domain->serials->len; i++) {
        const ConfChardev *serial = g_ptr_array_index(domain->serials, i);

        if (serial->type == CONF_CHARDEV_PTY && serial->path)
            log_warning(_("serial port %d is at %s"), serial->port,
                        serial->path);
    }
}

static bool
let_inherit(const EngineResolved *resolved)
{
    size_t count;
    const int *fds = engine_resolved_fds(resolved, &count);

    for (size_t i = 0; i < count; i++) {
        if (!fd_set_cloexec(fds[i], false))
            return false;
    }
    return true;
}

int
virtkvm_engine_xml(const char *path, GError **error)
{
    g_autoptr(ConfDomain) domain = NULL;
    g_autofree char *cache = cache_dir();
    g_autofree char *run = run_dir();
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    EngineResolveContext context = { .flags = ENGINE_RESOLVE_BY_HAND };
    g_autofree char *document = NULL;
    EngineResolved *resolved;
    int fd;

    /* the module's log is its own, and says what the engine's would */
    log_init("virtkvm-engine", LOG_LEVEL_WARNING, STDERR_FILENO);
    domain = read_domain(path, error);
    if (!domain)
        return -1;
    context.cache_dir = cache;
    context.run_dir = run;
    context.warnings = warnings;
    resolved = engine_resolve(domain, &context, error);
    tell(warnings);
    if (!resolved)
        return -1;
    tell_ptys(domain);
    document = engine_resolved_document(resolved, -1);
    fd = fd_memfd("machine", document, strlen(document));
    if (fd < 0 || !fd_set_cloexec(fd, false) || !let_inherit(resolved)) {
        error_set_errno(error, errno, _("cannot pass the machine document on"));
        return -1;
    }
    /* what was opened lives on in the engine: resolved is not freed */
    return fd;
}
