/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/dev/msix.h"

#include <string.h>

#include "util/i18n.h"
#include "util/log.h"

#define WORD_ADDRESS 0
#define WORD_UPPER   1
#define WORD_DATA    2
#define WORD_CONTROL 3
#define ADDRESS_MASK 0xfffffffcu

static void
put(uint8_t *bytes, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

void
engine_msix_init(EngineMsix *msix, EnginePciFunction *function, unsigned count,
                 const EngineMsixPlace *place)
{
    unsigned at = engine_pci_add_capability(function, PCI_CAP_ID_MSIX,
                                            PCI_CAP_MSIX_SIZEOF);
    uint8_t *config = function->config + at;

    g_assert(count > 0 && count <= ENGINE_MSIX_VECTORS_MAX);
    g_mutex_init(&msix->lock);
    msix->function = function;
    msix->capability = at;
    msix->count = count;
    msix->vectors = g_new0(EngineMsixVector, count);
    for (unsigned i = 0; i < count; i++) {
        msix->vectors[i].msi = (EngineMsi)ENGINE_MSI_NONE;
        msix->vectors[i].words[WORD_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
    put(config + PCI_MSIX_FLAGS, 2, count - 1);
    put(config + PCI_MSIX_TABLE, 4, place->table | place->bar);
    put(config + PCI_MSIX_PBA, 4, place->pending | place->bar);
    put(function->writable + at + PCI_MSIX_FLAGS, 2,
        PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

static Engine *
engine_of(const EngineMsix *msix)
{
    return msix->function->device->engine;
}

void
engine_msix_clear(EngineMsix *msix)
{
    if (!msix->vectors)
        return;
    for (unsigned i = 0; i < msix->count; i++)
        engine_msi_clear(engine_of(msix), &msix->vectors[i].msi);
    g_clear_pointer(&msix->vectors, g_free);
    g_mutex_clear(&msix->lock);
}

void
engine_msix_reset(EngineMsix *msix)
{
    g_mutex_lock(&msix->lock);
    for (unsigned i = 0; i < msix->count; i++) {
        EngineMsixVector *vector = &msix->vectors[i];

        memset(vector->words, 0, sizeof(vector->words));
        vector->words[WORD_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
        vector->pending = false;
    }
    msix->enabled = msix->masked = false;
    g_mutex_unlock(&msix->lock);
    engine_pci_config_set(msix->function, msix->capability + PCI_MSIX_FLAGS, 2,
                          msix->count - 1);
}

/* --- letting interrupts through; all need the lock ------------------------ */
static bool
is_masked(const EngineMsix *msix, const EngineMsixVector *vector)
{
    return msix->masked ||
           (vector->words[WORD_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

/* Where it leads is looked at when it is let through: guests write a vector
 * while it is masked (6.8.2.7). */
static void
update(EngineMsix *msix, EngineMsixVector *vector)
{
    uint64_t address = (vector->words[WORD_ADDRESS] & ADDRESS_MASK) |
                       (uint64_t)vector->words[WORD_UPPER] << 32;

    if (!msix->enabled || is_masked(msix, vector))
        return;
    if (!engine_msi_route(engine_of(msix), &vector->msi, address,
                          vector->words[WORD_DATA])) {
        log_warning(_("KVM refuses an interrupt of '%s'"),
                    msix->function->device->type->name);
        return;
    }
    if (vector->pending)
        engine_msi_signal(engine_of(msix), &vector->msi);
    vector->pending = false;
}

void
engine_msix_signal(EngineMsix *msix, unsigned number)
{
    EngineMsixVector *vector;

    if (number >= msix->count)
        return;
    vector = &msix->vectors[number];
    g_mutex_lock(&msix->lock);
    if (msix->enabled && !is_masked(msix, vector))
        engine_msi_signal(engine_of(msix), &vector->msi);
    else
        vector->pending = true;
    g_mutex_unlock(&msix->lock);
}

bool
engine_msix_enabled(EngineMsix *msix)
{
    bool enabled;

    g_mutex_lock(&msix->lock);
    enabled = msix->enabled;
    g_mutex_unlock(&msix->lock);
    return enabled;
}

void
engine_msix_config_written(EngineMsix *msix)
{
    uint32_t flags = engine_pci_config_get(
        msix->function, msix->capability + PCI_MSIX_FLAGS, 2);

    g_mutex_lock(&msix->lock);
    msix->enabled = flags & PCI_MSIX_FLAGS_ENABLE;
    msix->masked = flags & PCI_MSIX_FLAGS_MASKALL;
    for (unsigned i = 0; i < msix->count; i++)
        update(msix, &msix->vectors[i]);
    g_mutex_unlock(&msix->lock);
}

/* --- the table ------------------------------------------------------------ */
/* Accesses are of whole, aligned words (6.8.2); others say and do nothing. */
static bool
is_allowed(const EngineMsix *msix, uint64_t offset, unsigned size)
{
    return size >= 4 && offset % size == 0 &&
           offset < (uint64_t)msix->count * ENGINE_MSIX_ENTRY_SIZE;
}

uint64_t
engine_msix_read(EngineMsix *msix, uint64_t offset, unsigned size)
{
    const EngineMsixVector *vector;
    unsigned word = (unsigned)(offset / 4 % 4);
    uint64_t value;

    if (!is_allowed(msix, offset, size))
        return 0;
    vector = &msix->vectors[offset / ENGINE_MSIX_ENTRY_SIZE];
    g_mutex_lock(&msix->lock);
    value = vector->words[word];
    if (size == 8)
        value |= (uint64_t)vector->words[word + 1] << 32;
    g_mutex_unlock(&msix->lock);
    return value;
}

void
engine_msix_write(EngineMsix *msix, uint64_t offset, unsigned size,
                  uint64_t value)
{
    EngineMsixVector *vector;
    unsigned word = (unsigned)(offset / 4 % 4);

    if (!is_allowed(msix, offset, size))
        return;
    vector = &msix->vectors[offset / ENGINE_MSIX_ENTRY_SIZE];
    g_mutex_lock(&msix->lock);
    vector->words[word] = (uint32_t)value;
    if (size == 8)
        vector->words[word + 1] = (uint32_t)(value >> 32);
    vector->words[WORD_CONTROL] &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
    update(msix, vector);
    g_mutex_unlock(&msix->lock);
}

uint64_t
engine_msix_pending(EngineMsix *msix, uint64_t offset, unsigned size)
{
    uint64_t bits = 0;

    g_mutex_lock(&msix->lock);
    for (unsigned i = 0; i < 8 * size && offset * 8 + i < msix->count; i++)
        if (msix->vectors[offset * 8 + i].pending)
            bits |= 1ull << i;
    g_mutex_unlock(&msix->lock);
    return bits;
}
