/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/dev/pci.h"
#include "engine/msi.h"

/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2): the capability, the table and the pending
 * bits of a function. Each vector becomes an eventfd of KVM's when the guest
 * first lets it through.
 *
 * Threads: any.
 */
#define ENGINE_MSIX_VECTORS_MAX 128
#define ENGINE_MSIX_ENTRY_SIZE  16 /* bytes of the table */
#define ENGINE_MSIX_NO_VECTOR   0xffff

typedef struct EngineMsixVector {
    uint32_t words[4]; /* as in the table: address, upper half, data, control */
    bool pending;
    EngineMsi msi;
} EngineMsixVector;

typedef struct EngineMsix {
    EnginePciFunction *function;
    unsigned capability; /* its offset */
    unsigned count;
    EngineMsixVector *vectors;
    GMutex lock; /* of all below and of the vectors */
    bool enabled, masked;
} EngineMsix;

typedef struct EngineMsixPlace {
    unsigned bar;
    uint32_t table, pending; /* offsets in it */
} EngineMsixPlace;

/** engine_msix_init: add the capability; before engine_pci_add() */
void engine_msix_init(EngineMsix *msix, EnginePciFunction *function,
                      unsigned count, const EngineMsixPlace *place);
/** engine_msix_clear: from unrealize, with no vCPU left; also after a failed
 * realize, if @msix was zeroed */
void engine_msix_clear(EngineMsix *msix);
void engine_msix_reset(EngineMsix *msix);

/** engine_msix_read/_write: the guest's accesses to the table
 * @offset: in it; @size: 1, 2, 4 or 8 */
uint64_t engine_msix_read(EngineMsix *msix, uint64_t offset, unsigned size);
void engine_msix_write(EngineMsix *msix, uint64_t offset, unsigned size,
                       uint64_t value);
/** engine_msix_pending: a read of the pending bits */
uint64_t engine_msix_pending(EngineMsix *msix, uint64_t offset, unsigned size);
/** engine_msix_config_written: from the function's hook of that name */
void engine_msix_config_written(EngineMsix *msix);

/** engine_msix_enabled: else interrupts go by the pin */
bool engine_msix_enabled(EngineMsix *msix);
/** engine_msix_signal: raise @vector, or keep it pending while it is masked;
 * nothing for ENGINE_MSIX_NO_VECTOR */
void engine_msix_signal(EngineMsix *msix, unsigned vector);
