/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "conf/domain.h"

/* A descriptor that the document names: member @key of @owner. */
typedef struct EngineResolvedFd {
    int fd;
    json_t *owner;
    const char *key;
} EngineResolvedFd;

struct EngineResolved {
    json_t *root;
    GArray *fds;    /* EngineResolvedFd */
    GArray *number; /* int: the descriptors alone */
};
typedef struct EngineResolved EngineResolved;

/** engine_document_add_fd: @fd becomes @resolved's */
void engine_document_add_fd(EngineResolved *resolved, json_t *owner,
                            const char *key, int fd);

/** engine_document_fill: all of the document that needs nothing opened */
bool engine_document_fill(json_t *root, const ConfDomain *domain,
                          GError **error);

/** engine_document_devices: the devices on the PCI bus, likewise */
bool engine_document_devices(EngineResolved *resolved, const ConfDomain *domain,
                             GError **error);

/** engine_document_serials: the serial ports, with what they need opened */
bool engine_document_serials(EngineResolved *resolved, ConfDomain *domain,
                             unsigned flags, GError **error);
