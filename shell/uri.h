/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What a URI of the user means for us. */
typedef struct VshTarget {
    char *uri;    /* for libvirt's client library */
    char *socket; /* of the local virtkvmd it leads to; NULL: not ours */
    char *root;   /* kvm:///embed: the daemon's private folder, or NULL */
    bool session; /* the user's own daemon; else the system's */
} VshTarget;

void vsh_target_clear(VshTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VshTarget, vsh_target_clear)

/** vsh_uri_default: from the environment, else by the user: never NULL */
const char *vsh_uri_default(void);

/**
 * vsh_uri_resolve: find the daemon's socket behind @uri
 *
 * kvm:/// and null:/// URIs for this machine get an explicit socket, because
 * libvirt's client would fall back to libvirtd's socket where ours is absent,
 * takes root's session for the system, and refuses the path /embed. All
 * others stay as they are.
 * @read_only: use the system's read-only socket
 * Returns: false with USAGE if it is a URI of ours with wrong parts
 */
bool vsh_uri_resolve(const char *uri, bool read_only, VshTarget *ret_target,
                     GError **error);
