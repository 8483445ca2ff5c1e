/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/modules.h"

#include <gmodule.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

#define MODULES_MAX 64

typedef struct Module {
    char *path;
    GModule *handle;
    RpcRoute route;
} Module;

struct DaemonModules {
    GPtrArray *modules; /* of Module */
};

/* Modules stay mapped: what they started (threads, exit handlers of their
 * libraries) may outlive them. */
static void
module_free(void *data)
{
    Module *module = data;

    if (module->route.state && module->route.driver->stateCleanup)
        module->route.driver->stateCleanup(module->route.state);
    g_free(module->path);
    g_free(module);
}

/* --- loading ------------------------------------------------------------- */

static bool
check_driver(const VirtkvmDriver *driver, const char *path, GError **error)
{
    if (!driver || driver->abi != VIRTKVM_DRIVER_ABI) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the driver module '%s' has ABI %u, this daemon needs %u"),
                  path, driver ? driver->abi : 0, VIRTKVM_DRIVER_ABI);
        return false;
    }
    if (driver->name && driver->type && driver->schemes && driver->schemes[0] &&
        driver->stateInitialize)
        return true;
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("the driver module '%s' lacks a name, a type, a scheme or "
                "stateInitialize"),
              path);
    return false;
}

static Module *
load(const char *path, GError **error)
{
    Module module = { 0 };
    void *symbol = NULL;

    module.handle = g_module_open(path, G_MODULE_BIND_LOCAL);
    if (!module.handle ||
        !g_module_symbol(module.handle, VIRTKVM_DRIVER_ENTRY, &symbol) ||
        !symbol) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("cannot load the driver module '%s': %s"), path,
                  g_module_error());
        return NULL;
    }
    g_module_make_resident(module.handle);
    module.route.driver = ((VirtkvmDriverEntry)symbol)();
    if (!check_driver(module.route.driver, path, error))
        return NULL;
    module.path = g_strdup(path);
    return g_memdup2(&module, sizeof(module));
}

static bool
is_known(const DaemonModules *modules, const char *name)
{
    for (guint i = 0; i < modules->modules->len; i++) {
        const Module *module = g_ptr_array_index(modules->modules, i);

        if (strcmp(module->route.driver->name, name) == 0)
            return true;
    }
    return false;
}

static void
add(DaemonModules *modules, const char *path)
{
    g_autoptr(GError) error = NULL;
    Module *module = load(path, &error);
    const char *name = module ? module->route.driver->name : NULL;

    if (!module) {
        log_error("%s", error->message);
    } else if (is_known(modules, name)) {
        log_error(_("a second driver named '%s' in '%s' is ignored"), name,
                  path);
        module_free(module);
    } else {
        log_info(_("driver '%s' was loaded from '%s'"), name, path);
        g_ptr_array_insert(modules->modules,
                           strcmp(name, DAEMON_DEFAULT_DRIVER) == 0 ? 0 : -1,
                           module);
    }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the modules in @folder, sorted. */
static GPtrArray *
find(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &reason);
    const char *name;

    if (!dir) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("cannot look for driver modules: %s"), reason->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir)) && names->len < MODULES_MAX) {
        if (g_str_has_suffix(name, "." G_MODULE_SUFFIX))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

DaemonModules *
daemon_modules_load(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) names = find(folder, error);
    g_autoptr(DaemonModules) modules = g_new0(DaemonModules, 1);

    modules->modules = g_ptr_array_new_with_free_func(module_free);
    if (!names)
        return NULL;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path =
            g_build_filename(folder, g_ptr_array_index(names, i), NULL);

        add(modules, path);
    }
    if (modules->modules->len > 0)
        return g_steal_pointer(&modules);
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("there is no usable driver module in '%s'"), folder);
    return NULL;
}

/* --- life ---------------------------------------------------------------- */

bool
daemon_modules_start(DaemonModules *modules, const VirtkvmHost *host,
                     GError **error)
{
    for (guint i = 0; i < modules->modules->len;) {
        Module *module = g_ptr_array_index(modules->modules, i);
        g_autoptr(GError) reason = NULL;

        module->route.state =
            module->route.driver->stateInitialize(host, true, &reason);
        if (module->route.state) {
            i++;
            continue;
        }
        log_error(_("driver '%s' cannot be used: %s"),
                  module->route.driver->name,
                  reason ? reason->message : _("it gave no reason"));
        g_ptr_array_remove_index(modules->modules, i);
    }
    if (modules->modules->len > 0)
        return true;
    error_set(error, VIR_ERR_OPERATION_FAILED, "%s",
              _("no driver could be started"));
    return false;
}

void
daemon_modules_reload(DaemonModules *modules)
{
    for (guint i = 0; i < modules->modules->len; i++) {
        const Module *module = g_ptr_array_index(modules->modules, i);
        const VirtkvmDriver *driver = module->route.driver;
        g_autoptr(GError) error = NULL;

        if (driver->stateReload &&
            !driver->stateReload(module->route.state, &error))
            log_error(_("driver '%s' cannot read its definitions again: %s"),
                      driver->name,
                      error ? error->message : _("it gave no reason"));
    }
}

void
daemon_modules_free(DaemonModules *modules)
{
    if (!modules)
        return;
    g_ptr_array_unref(modules->modules);
    g_free(modules);
}

/* --- routes -------------------------------------------------------------- */

static bool
has_scheme(const VirtkvmDriver *driver, const char *scheme)
{
    return g_strv_contains(driver->schemes, scheme);
}

/* The scheme of @uri without a transport: "kvm+unix:///x" is "kvm". */
static char *
scheme_of(const char *uri)
{
    const char *colon = strchr(uri, ':');

    if (!colon)
        return NULL;
    return g_strndup(uri, MIN(strcspn(uri, "+"), (size_t)(colon - uri)));
}

const RpcRoute *
daemon_modules_route(DaemonModules *modules, const char *uri, GError **error)
{
    g_autofree char *scheme = scheme_of(uri);
    Module *first = g_ptr_array_index(modules->modules, 0);

    for (guint i = 0; scheme && i < modules->modules->len; i++) {
        Module *module = g_ptr_array_index(modules->modules, i);

        if (has_scheme(module->route.driver, scheme))
            return &module->route;
    }
    /* Clients that know of QEMU only, or do not say what they want. */
    if (!scheme || strcmp(scheme, "qemu") == 0)
        return &first->route;
    error_set(error, VIR_ERR_NO_CONNECT, "%s", uri);
    return NULL;
}
