/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/run.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/machine.h"
#include "engine/report.h"
#include "util/i18n.h"

static EngineExit *
remember(EngineVcpu *vcpu)
{
    EngineExit *last = &vcpu->ring[vcpu->exits++ % ENGINE_EXITS_KEPT];

    last->reason = vcpu->run->exit_reason;
    return last;
}

static inline void
remember_access(EngineExit *last, const EngineAccess *access)
{
    last->address = access->address;
    last->size = (uint16_t)access->size;
    last->write = access->write;
    last->value = 0;
    memcpy(&last->value, access->data, MIN(access->size, 8));
}

/* `count` elements of `size` bytes: more than one for INS and OUTS. */
static void
handle_io(EngineVcpu *vcpu, EngineExit *last)
{
    struct kvm_run *run = vcpu->run;
    const EngineBus *bus = &vcpu->set->engine->bus;
    EngineAccess access = {
        .address = run->io.port,
        .data = (uint8_t *)run + run->io.data_offset,
        .size = run->io.size,
        .write = run->io.direction == KVM_EXIT_IO_OUT,
    };

    for (uint32_t left = run->io.count; left > 0; left--) {
        engine_bus_access(bus, ENGINE_SPACE_PIO, &vcpu->hints[ENGINE_SPACE_PIO],
                          &access);
        access.data += access.size;
    }
    access.data = (uint8_t *)run + run->io.data_offset;
    remember_access(last, &access);
}

static void
handle_mmio(EngineVcpu *vcpu, EngineExit *last)
{
    struct kvm_run *run = vcpu->run;
    EngineAccess access = {
        .address = run->mmio.phys_addr,
        .data = run->mmio.data,
        .size = MIN(run->mmio.len, (uint32_t)sizeof(run->mmio.data)),
        .write = run->mmio.is_write,
    };

    engine_bus_access(&vcpu->set->engine->bus, ENGINE_SPACE_MMIO,
                      &vcpu->hints[ENGINE_SPACE_MMIO], &access);
    remember_access(last, &access);
}

static void
fail(EngineVcpu *vcpu, EngineRequest request, const char *headline)
{
    engine_fail(vcpu->set->engine, request, engine_report_new(vcpu, headline));
}

static void
handle_internal_error(EngineVcpu *vcpu)
{
    static const char *const names[] = {
        [KVM_INTERNAL_ERROR_EMULATION] = N_("instruction emulation failed"),
        [KVM_INTERNAL_ERROR_SIMUL_EX] = N_("simultaneous exceptions"),
        [KVM_INTERNAL_ERROR_DELIVERY_EV] = N_("event delivery failed"),
        [KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] =
            N_("unexpected exit of the processor"),
    };
    uint32_t sub = vcpu->run->internal.suberror;
    const char *name = sub < G_N_ELEMENTS(names) ? names[sub] : NULL;
    g_autofree char *headline =
        g_strdup_printf(_("KVM internal error, suberror %u (%s)"), sub,
                        name ? _(name) : _("unknown"));

    fail(vcpu, ENGINE_REQUEST_INTERNAL_ERROR, headline);
}

static void
handle_system_event(EngineVcpu *vcpu)
{
    Engine *engine = vcpu->set->engine;

    switch (vcpu->run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        engine_request(engine, ENGINE_REQUEST_POWEROFF, 0);
        break;
    case KVM_SYSTEM_EVENT_RESET:
        engine_request(engine, ENGINE_REQUEST_RESET, 0);
        break;
    default:
        engine_request(engine, ENGINE_REQUEST_PANIC, 0);
        break;
    }
}

/* Everything that is not an access: none of it is frequent.
 * Returns: whether the vCPU may go on */
static bool
handle_rare(EngineVcpu *vcpu)
{
    const struct kvm_run *run = vcpu->run;
    g_autofree char *headline = NULL;

    switch (run->exit_reason) {
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return true;
    case KVM_EXIT_SYSTEM_EVENT:
        handle_system_event(vcpu);
        return true;
    case KVM_EXIT_SHUTDOWN:
        fail(vcpu, ENGINE_REQUEST_TRIPLE_FAULT, _("triple fault"));
        return false;
    case KVM_EXIT_INTERNAL_ERROR:
        handle_internal_error(vcpu);
        return false;
    case KVM_EXIT_FAIL_ENTRY:
        headline = g_strdup_printf(
            _("the processor refused to enter the guest, reason %#llx"),
            (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        break;
    default:
        headline =
            g_strdup_printf(_("unexpected KVM exit %u"), run->exit_reason);
        break;
    }
    fail(vcpu, ENGINE_REQUEST_INTERNAL_ERROR, headline);
    return false;
}

/* KVM_RUN failed with @errnum. Returns: whether to try again at once */
static bool
handle_errno(EngineVcpu *vcpu, int errnum)
{
    g_autofree char *headline = NULL;

    if (errnum == EINTR)
        return false;
    if (errnum == EAGAIN) /* a vCPU that waited for its start-up message */
        return true;
    remember(vcpu);
    headline = g_strdup_printf(_("KVM_RUN failed: %s"), g_strerror(errnum));
    fail(vcpu, ENGINE_REQUEST_INTERNAL_ERROR, headline);
    return false;
}

void
engine_vcpu_run(EngineVcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;

    for (;;) {
        if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
            if (!handle_errno(vcpu, errno))
                return;
        } else if (run->exit_reason == KVM_EXIT_IO) {
            handle_io(vcpu, remember(vcpu));
        } else if (run->exit_reason == KVM_EXIT_MMIO) {
            handle_mmio(vcpu, remember(vcpu));
        } else {
            remember(vcpu)->size = 0;
            if (!handle_rare(vcpu))
                return;
        }
    }
}
