/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/domain.h"
#include "conf/xml.h"
#include "core/network.h"
#include "core/persist.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

static const char warning[] =
    "<!--\n"
    "DO NOT EDIT: virtkvmd writes this file and overwrites changes made here.\n"
    "Change the network with 'vshell net-edit' or any other client of "
    "libvirt's API.\n"
    "-->\n";

static char *
file_in(const char *folder, const char *name)
{
    return g_strdup_printf("%s/%s.xml", folder, name);
}

bool
core_network_save(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    g_autofree char *path = file_in(state->networks->config_dir, conf->name);
    g_autofree char *xml = conf_network_format(conf, CONF_FORMAT_INACTIVE);
    g_autofree char *text = g_strconcat(warning, xml, NULL);

    return file_replace(path, text, strlen(text), 0600, error);
}

char *
core_network_lease_path(VirtkvmState *state, const char *name)
{
    return g_strdup_printf("%s/%s.leases", state->networks->lease_dir, name);
}

bool
core_network_remove_files(VirtkvmState *state, const char *name, GError **error)
{
    g_autofree char *path = file_in(state->networks->config_dir, name);
    g_autofree char *mark = file_in(state->networks->autostart_dir, name);

    return file_remove(path, error) && file_remove(mark, error);
}

bool
core_network_is_marked(VirtkvmState *state, const char *name)
{
    g_autofree char *mark = file_in(state->networks->autostart_dir, name);

    return g_file_test(mark, G_FILE_TEST_IS_SYMLINK);
}

bool
core_network_mark(VirtkvmState *state, const char *name, bool autostart,
                  GError **error)
{
    g_autofree char *path = file_in(state->networks->config_dir, name);
    g_autofree char *mark = file_in(state->networks->autostart_dir, name);

    if (!autostart)
        return file_remove(mark, error);
    if (symlink(path, mark) == 0 || errno == EEXIST)
        return true;
    error_set_errno(error, errno, _("cannot create the link '%s'"), mark);
    return false;
}

ConfNetwork *
core_network_read_config(VirtkvmState *state, const char *file, GError **error)
{
    g_autofree char *path =
        g_build_filename(state->networks->config_dir, file, NULL);
    g_autofree char *text = file_read(path, CORE_FILE_MAX_BYTES, NULL, error);
    g_autoptr(ConfNetwork) conf =
        text ? conf_network_parse(text, CONF_PARSE_INACTIVE, error) : NULL;
    g_autofree char *proper = NULL;

    if (!conf)
        return NULL;
    proper = g_strdup_printf("%s.xml", conf->name);
    if (strcmp(proper, file) == 0)
        return g_steal_pointer(&conf);
    error_set(error, VIR_ERR_XML_ERROR,
              _("the file's name does not match the network's name '%s'"),
              conf->name);
    return NULL;
}

/* --- status -------------------------------------------------------------- */

bool
core_network_save_status(VirtkvmState *state, const ConfNetwork *live,
                         GError **error)
{
    g_autofree char *path = file_in(state->networks->status_dir, live->name);
    g_autofree char *xml = conf_network_format(live, CONF_FORMAT_STATUS);
    g_autofree char *text = g_strdup_printf(
        "<!--\nvirtkvmd's own notes about a running network. DO NOT EDIT.\n"
        "-->\n<networkstatus boot='%s'>\n%s</networkstatus>\n",
        state->boot_id, xml);

    return file_replace_volatile(path, text, strlen(text), 0600, error);
}

void
core_network_remove_status(VirtkvmState *state, const char *name)
{
    g_autofree char *path = file_in(state->networks->status_dir, name);

    (void)unlink(path);
}

ConfNetwork *
core_network_read_status(VirtkvmState *state, const char *file, GError **error)
{
    g_autofree char *path =
        g_build_filename(state->networks->status_dir, file, NULL);
    g_autofree char *text = file_read(path, CORE_FILE_MAX_BYTES, NULL, error);
    g_autoptr(xmlDoc) doc =
        text ? conf_xml_parse(text, "network_status", error) : NULL;
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNode *node = root ? conf_xml_child(root, "network") : NULL;
    g_autofree char *boot = root ? conf_xml_attr(root, "boot") : NULL;

    if (!doc)
        return NULL;
    if (node && g_strcmp0(boot, state->boot_id) == 0)
        return conf_network_parse_node(node, CONF_PARSE_STATUS, error);
    if (!node)
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the status file has no usable '%s'"), "network");
    return NULL;
}
