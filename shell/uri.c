/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/uri.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shell/exit.h"
#include "util/i18n.h"

/* Where libvirt's clients look for the sockets of the system's daemons. */
#define SYSTEM_SOCKET_DIR "/run/libvirt"
#define SOCKET_NAME       "virtkvmd-sock"

void
vsh_target_clear(VshTarget *target)
{
    g_clear_pointer(&target->uri, g_free);
    g_clear_pointer(&target->socket, g_free);
    g_clear_pointer(&target->root, g_free);
}

const char *
vsh_uri_default(void)
{
    static const char *const names[] = { "VSHELL_DEFAULT_CONNECT_URI",
                                         "LIBVIRT_DEFAULT_URI" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);

        if (value && *value)
            return value;
    }
    return geteuid() == 0 ? "kvm:///system" : "kvm:///session";
}

/* The URI's scheme is ours, and the place is this machine. */
static bool
is_local(GUri *uri)
{
    const char *scheme = g_uri_get_scheme(uri);
    const char *host = g_uri_get_host(uri);
    const char *query = g_uri_get_query(uri);

    if (strcmp(scheme, "kvm") != 0 && strcmp(scheme, "null") != 0)
        return false;
    if (host && *host)
        return false;
    return !query || (!strstr(query, "socket=") && !strstr(query, "mode="));
}

static char *
session_socket(void)
{
    return g_build_filename(g_get_user_runtime_dir(), "libvirt", SOCKET_NAME,
                            NULL);
}

static bool
resolve_embed(GUri *uri, VshTarget *target, GError **error)
{
    const char *query = g_uri_get_query(uri);
    g_autoptr(GHashTable) params = NULL;
    const char *root;

    params = g_uri_parse_params(query ? query : "", -1, "&;", G_URI_PARAMS_NONE,
                                error);
    if (!params)
        return false;
    root = g_hash_table_lookup(params, "root");
    if (!root || !*root) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("the URI needs a folder: %s:///embed?root=DIR"),
                      g_uri_get_scheme(uri));
        return false;
    }
    target->root = g_canonicalize_filename(root, NULL);
    target->socket = g_build_filename(target->root, SOCKET_NAME, NULL);
    target->session = true;
    return true;
}

/* Sets everything but target->uri; a path that is not ours leaves
 * target->socket NULL. */
static bool
resolve_socket(GUri *uri, bool read_only, VshTarget *target, GError **error)
{
    const char *path = g_uri_get_path(uri);

    if (strcmp(path, "/embed") == 0)
        return resolve_embed(uri, target, error);
    if (strcmp(path, "/") == 0)
        target->session =
            geteuid() != 0 || strcmp(g_uri_get_scheme(uri), "null") == 0;
    else if (strcmp(path, "/session") == 0)
        target->session = true;
    else if (strcmp(path, "/system") != 0)
        return true;
    if (target->session)
        target->socket = session_socket();
    else
        target->socket = g_strdup_printf("%s/%s%s", SYSTEM_SOCKET_DIR,
                                         SOCKET_NAME, read_only ? "-ro" : "");
    return true;
}

/* The query without our own "root", with the socket. */
static char *
build_query(GUri *uri, const VshTarget *target)
{
    g_autofree char *escaped = g_uri_escape_string(target->socket, "/", FALSE);
    GString *query = g_string_new(NULL);

    if (g_uri_get_query(uri)) {
        g_auto(GStrv) parts = g_strsplit(g_uri_get_query(uri), "&", -1);

        for (size_t i = 0; parts[i]; i++)
            if (*parts[i] && !g_str_has_prefix(parts[i], "root="))
                g_string_append_printf(query, "%s&", parts[i]);
    }
    g_string_append_printf(query, "socket=%s", escaped);
    return g_string_free(query, FALSE);
}

static bool
check_socket(const char *path, GError **error)
{
    struct sockaddr_un address;

    if (strlen(path) < sizeof(address.sun_path))
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE,
                  _("the socket's path '%s' is longer than %zu bytes"), path,
                  sizeof(address.sun_path) - 1);
    return false;
}

bool
vsh_uri_resolve(const char *uri, bool read_only, VshTarget *ret_target,
                GError **error)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_ENCODED, NULL);
    g_auto(VshTarget) target = { 0 };
    g_autofree char *query = NULL;

    if (parsed && is_local(parsed) &&
        !resolve_socket(parsed, read_only, &target, error))
        return false;
    if (!target.socket) {
        target.uri = g_strdup(uri);
    } else {
        if (!check_socket(target.socket, error))
            return false;
        query = build_query(parsed, &target);
        target.uri =
            g_strdup_printf("%s+unix:///%s?%s", g_uri_get_scheme(parsed),
                            target.session ? "session" : "system", query);
    }
    *ret_target = target;
    target = (VshTarget){ 0 };
    return true;
}
