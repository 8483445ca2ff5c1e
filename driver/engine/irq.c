/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/kvm.h>

#include "engine/machine.h"

/* Both the PICs and the IOAPIC see the line, by KVM's default routing. */
void
engine_irq_set(Engine *engine, unsigned gsi, bool level)
{
    struct kvm_irq_level line = { .irq = gsi, .level = level };

    (void)engine_kvm_ioctl(engine->kvm.vm_fd, KVM_IRQ_LINE, &line);
}

void
engine_irq_pulse(Engine *engine, unsigned gsi)
{
    engine_irq_set(engine, gsi, true);
    engine_irq_set(engine, gsi, false);
}
