/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the documents about the host say, from plain structs: whoever knows the
 * host fills them in. All memory stays the caller's; strings may be NULL where
 * a fact is not known. */

/** A named CPU model that the driver knows. */
typedef struct ConfHostModel {
    const char *name;
    const char *vendor;
    bool usable; /* the host has all of it */
} ConfHostModel;

/** One logical CPU of the host. */
typedef struct ConfHostThread {
    unsigned id, socket_id, die_id, core_id;
    const char *siblings; /* "0-1": the threads of its core */
} ConfHostThread;

/** One NUMA node of the host. */
typedef struct ConfHostCell {
    unsigned id;
    uint64_t memory_kib;
    const ConfHostThread *threads;
    size_t n_threads;
} ConfHostCell;

typedef struct ConfHost {
    unsigned char uuid[VIR_UUID_BUFLEN];
    const char *engine_path; /* absolute; what <emulator> says */
    unsigned max_vcpus;      /* of one domain */
    unsigned sockets, dies, cores, threads;
    const char *cpu_model;           /* the nearest named model */
    const char *cpu_vendor;          /* Intel, AMD */
    const char *const *cpu_features; /* the host's beyond the model */
    const char *const *cpu_missing;  /* the model's that the host lacks */
    const ConfHostModel *models;
    size_t n_models;
    const ConfHostCell *cells;
    size_t n_cells;
} ConfHost;

/** conf_capabilities_format: virConnectGetCapabilities() */
char *conf_capabilities_format(const ConfHost *host);

/**
 * conf_domain_capabilities_format: virConnectGetDomainCapabilities()
 *
 * @firmware: the host's, as conf_firmware_list() has it
 * @emulator, @arch, @machine, @virttype: as the client asked; NULL: ours
 * @error: INVALID_ARG names what is not to be had
 */
char *conf_domain_capabilities_format(const ConfHost *host,
                                      const GPtrArray *firmware,
                                      const char *emulator, const char *arch,
                                      const char *machine, const char *virttype,
                                      GError **error);

/**
 * conf_machine_canonical: the versioned name that @machine stands for ("q35"
 * for "pc-q35-7.2"), @machine itself where it is one, NULL if it is not known
 */
const char *conf_machine_canonical(const char *machine);
