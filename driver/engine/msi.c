/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/msi.h"

#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/io.h"
#include "engine/machine.h"
#include "util/fd.h"

#define PIC_LINES    16 /* two PICs of eight */
#define IOAPIC_LINES 24
#define MSI_GSI_BASE IOAPIC_LINES

/* KVM's table is replaced as a whole: the lines of the chips, as KVM routes
 * them by itself, and a message for each interrupt in use. */
static struct kvm_irq_routing_entry
chip_entry(unsigned gsi, unsigned chip, unsigned pin)
{
    return (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

static void
add_chips(struct kvm_irq_routing *table)
{
    for (unsigned i = 0; i < IOAPIC_LINES; i++) {
        table->entries[table->nr++] = chip_entry(i, KVM_IRQCHIP_IOAPIC, i);
        if (i < PIC_LINES)
            table->entries[table->nr++] = chip_entry(
                i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                i % 8);
    }
}

static struct kvm_irq_routing_entry
msi_entry(const EngineMsi *msi)
{
    return (struct kvm_irq_routing_entry){
        .gsi = msi->gsi,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = { .address_lo = (uint32_t)msi->address,
                   .address_hi = (uint32_t)(msi->address >> 32),
                   .data = msi->data },
    };
}

/* Needs the lock. */
static bool
set_routing(const Engine *engine)
{
    const EngineMsis *msis = &engine->msis;
    size_t most = IOAPIC_LINES + PIC_LINES + ENGINE_MSIS_MAX;
    g_autofree struct kvm_irq_routing *table =
        g_malloc0(sizeof(*table) + most * sizeof(table->entries[0]));

    add_chips(table);
    for (unsigned i = 0; i < ENGINE_MSIS_MAX; i++)
        if (msis->of[i])
            table->entries[table->nr++] = msi_entry(msis->of[i]);
    return engine_kvm_ioctl(engine->kvm.vm_fd, KVM_SET_GSI_ROUTING, table) == 0;
}

static bool
set_irqfd(const Engine *engine, const EngineMsi *msi, bool on)
{
    struct kvm_irqfd irqfd = {
        .fd = (uint32_t)msi->fd,
        .gsi = msi->gsi,
        .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
    };

    return engine_kvm_ioctl(engine->kvm.vm_fd, KVM_IRQFD, &irqfd) == 0;
}

/* Needs the lock. A message must lead somewhere before its eventfd does. */
static bool
add_msi(Engine *engine, EngineMsi *msi)
{
    EngineMsis *msis = &engine->msis;
    unsigned free = 0;

    while (free < ENGINE_MSIS_MAX && msis->of[free])
        free++;
    if (free == ENGINE_MSIS_MAX)
        return false;
    msi->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (msi->fd < 0)
        return false;
    msi->gsi = MSI_GSI_BASE + free;
    msis->of[free] = msi;
    if (set_routing(engine) && set_irqfd(engine, msi, true))
        return true;
    msis->of[free] = NULL;
    (void)set_routing(engine);
    fd_clear(&msi->fd);
    return false;
}

bool
engine_msi_route(Engine *engine, EngineMsi *msi, uint64_t address,
                 uint32_t data)
{
    EngineMsi before = *msi;
    bool ok;

    if (msi->fd >= 0 && msi->address == address && msi->data == data)
        return true;
    g_mutex_lock(&engine->msis.lock);
    msi->address = address;
    msi->data = data;
    ok = msi->fd < 0 ? add_msi(engine, msi) : set_routing(engine);
    if (!ok) {
        msi->address = before.address;
        msi->data = before.data;
    }
    g_mutex_unlock(&engine->msis.lock);
    return ok;
}

void
engine_msi_signal(Engine *engine, const EngineMsi *msi)
{
    if (msi->fd >= 0)
        (void)eventfd_write(msi->fd, 1);
}

void
engine_msi_clear(Engine *engine, EngineMsi *msi)
{
    if (msi->fd < 0)
        return;
    g_mutex_lock(&engine->msis.lock);
    (void)set_irqfd(engine, msi, false);
    engine->msis.of[msi->gsi - MSI_GSI_BASE] = NULL;
    (void)set_routing(engine);
    g_mutex_unlock(&engine->msis.lock);
    fd_clear(&msi->fd);
}

bool
engine_ioevent(Engine *engine, uint64_t gpa, int fd, bool on)
{
    struct kvm_ioeventfd event = {
        .addr = gpa,
        .fd = fd,
        .len = 0, /* any width; KVM_CAP_IOEVENTFD_ANY_LENGTH, Linux 4.4 */
        .flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
    };

    return engine_kvm_ioctl(engine->kvm.vm_fd, KVM_IOEVENTFD, &event) == 0;
}
