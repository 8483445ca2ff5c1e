/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/device.h"
#include "conf/domain.h"

/**
 * From a <domain> document to a machine document (docs/engine-protocol.md):
 * opens kernel, initrd, disks with their backing images, network devices,
 * character devices and their logs, and says the rest in JSON. Linked into
 * whoever starts engines, never into the engine itself.
 */
typedef struct EngineResolved EngineResolved;

typedef enum EngineResolveFlags {
    /* An engine run on a terminal by hand: type='stdio' is allowed, and the
     * first serial port that would be a pseudo terminal is the terminal. */
    ENGINE_RESOLVE_BY_HAND = 1 << 0,
    ENGINE_RESOLVE_PAUSED = 1 << 1, /* run nothing until `cont` */
} EngineResolveFlags;

/** What a virtual network has for an interface. */
typedef struct EngineNetwork {
    char *bridge;            /* owned; NULL: user mode in its place */
    unsigned mtu;            /* 0: the kernel's own */
    ConfBandwidth bandwidth; /* for an interface without one */
} EngineNetwork;

/** What engine_resolve() has to know of whoever starts the engine. All zero is
 * fine; all memory stays the caller's. */
typedef struct EngineResolveContext {
    unsigned flags; /* EngineResolveFlags */
    /* unpacked kernels are kept in its folder "kernels"; NULL: they are not
     * unpacked */
    const char *cache_dir;
    /* sockets of channels, and who has which image; NULL: neither */
    const char *run_dir;
    /* What an interface with <source network=''> connects to; NULL: user mode,
     * always */
    bool (*network)(const ConfInterface *net, void *opaque,
                    EngineNetwork *ret_network, GError **error);
    void *opaque;
    GPtrArray *warnings; /* sentences (char *) are added; NULL: they are lost */
} EngineResolveContext;

/**
 * Every descriptor that engine_resolve() opens is close-on-exec and has at
 * least this number. To spawn an engine, give descriptor i of
 * engine_resolved_fds() the number FIRST + i with one dup2() action each, where
 * FIRST + count <= ENGINE_RESOLVE_FD_MIN: no action can overwrite the source of
 * a later one, nothing leaks into other children, and dup2() clears
 * close-on-exec. The document is engine_resolved_document(resolved, FIRST).
 */
#define ENGINE_RESOLVE_FD_MIN 256
/** Descriptors of one domain or device: beyond it resolving fails. */
#define ENGINE_RESOLVE_FDS_MAX (ENGINE_RESOLVE_FD_MIN - 16)

/**
 * engine_resolve: make the machine document of @domain and open its files
 *
 * Call conf_domain_check_start() and conf_domain_assign_live() first. What is
 * made or found here goes into @domain (the live definition): pseudo terminals,
 * sockets of channels, taps, backing images.
 * @error: SYSTEM_ERROR names the file; CONFIG_UNSUPPORTED, INVALID_ARG;
 * RESOURCE_BUSY names the domain that has an image
 * Thread: any; may block for as long as a TCP connection takes
 */
EngineResolved *engine_resolve(ConfDomain *domain,
                               const EngineResolveContext *context,
                               GError **error);

/**
 * engine_resolve_device: the same for one device that is to be plugged in
 * @device: one of @domain's, with its alias: a disk, an interface or an <rng>
 * Returns: engine_resolved_document() is {"device": {...}}, the arguments of
 * device_add; NULL
 */
EngineResolved *engine_resolve_device(ConfDomain *domain,
                                      const ConfDevice *device,
                                      const EngineResolveContext *context,
                                      GError **error);

/**
 * engine_resolve_connect: plug the tap of a running guest's interface into
 * another bridge, or that of another network
 * @before: as it is; @net: as it is to be, of the same type, bridge or network,
 * with the tap's name; it learns its network's bridge
 * @error: OPERATION_UNSUPPORTED if one of them is in user mode; SYSTEM_ERROR
 * Thread: any
 */
bool engine_resolve_connect(const ConfInterface *before, ConfInterface *net,
                            const EngineResolveContext *context,
                            GError **error);

/**
 * engine_resolve_medium: the same for what is put into a drive for discs
 * @disk: one of @domain's
 * Returns: engine_resolved_document() is {"drive": DRIVE}, or {} where @disk is
 * empty; NULL
 */
EngineResolved *engine_resolve_medium(ConfDomain *domain, ConfDisk *disk,
                                      const EngineResolveContext *context,
                                      GError **error);

/** engine_resolved_fds: the descriptors, in order. Owned by @resolved. */
const int *engine_resolved_fds(const EngineResolved *resolved,
                               size_t *ret_count);

/**
 * engine_resolved_document: JSON that calls descriptor i @first_fd + i, or by
 * its present number if @first_fd is negative
 */
char *engine_resolved_document(const EngineResolved *resolved, int first_fd);

/** engine_resolved_free: closes the descriptors; NULL is fine */
void engine_resolved_free(EngineResolved *resolved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineResolved, engine_resolved_free)

/**
 * engine_resolve_cleanup: after the engine has ended: remove the UNIX sockets
 * that engine_resolve() made for @domain (mode='bind')
 */
void engine_resolve_cleanup(const ConfDomain *domain);
