/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/reset.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/vcpu-state.h"
#include "engine/x86/cpu.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define CPUID_ENTRIES_MAX 256
#define MSRS_MAX          1024
#define PART_MAX          (64u * 1024) /* bytes; XSAVE with AMX needs 11 KiB */
#define IRQCHIPS          3            /* two PICs, one IOAPIC */
#define MSR_TSC           0x10
#define LAPIC_ID          0x20
#define APIC_BASE_BSP     0x100ull

/* One ioctl's worth of a vCPU's state, in the order in which it is set. The
 * local APIC comes before the MSRs, which hold its timer's deadline. */
typedef struct Part {
    const char *name;
    unsigned long get, set;
    unsigned size;  /* bytes; with a capability, at least */
    int capability; /* 0: always there; what it answers may be the size */
} Part;

enum { PART_SREGS, PART_LAPIC };
static const Part parts[] = {
    [PART_SREGS] = { N_("system registers"), KVM_GET_SREGS, KVM_SET_SREGS,
                     sizeof(struct kvm_sregs) },
    [PART_LAPIC] = { N_("local APIC"), KVM_GET_LAPIC, KVM_SET_LAPIC,
                     sizeof(struct kvm_lapic_state) },
    { N_("registers"), KVM_GET_REGS, KVM_SET_REGS, sizeof(struct kvm_regs) },
    { N_("FPU"), KVM_GET_FPU, KVM_SET_FPU, sizeof(struct kvm_fpu) },
    { N_("extended control registers"), KVM_GET_XCRS, KVM_SET_XCRS,
      sizeof(struct kvm_xcrs), KVM_CAP_XCRS },
    { N_("extended state"), KVM_GET_XSAVE2, KVM_SET_XSAVE,
      sizeof(struct kvm_xsave), KVM_CAP_XSAVE2 },
    { N_("debug registers"), KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
      sizeof(struct kvm_debugregs), KVM_CAP_DEBUGREGS },
    { N_("events"), KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
      sizeof(struct kvm_vcpu_events) },
};

/* What a machine has before its first instruction. */
typedef struct Pristine {
    const EngineKvm *kvm;
    void *parts[G_N_ELEMENTS(parts)]; /* NULL: the host has no such thing */
    struct kvm_msrs *msrs;
    struct kvm_irqchip chips[IRQCHIPS];
} Pristine;

static void
pristine_clear(Pristine *pristine)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_free(pristine->parts[i]);
    g_free(pristine->msrs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pristine, pristine_clear)

static void
kvm_vm_clear(EngineKvm *kvm)
{
    fd_clear(&kvm->vm_fd); /* /dev/kvm itself is the engine's */
}
typedef EngineKvm ScratchVm;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ScratchVm, kvm_vm_clear)

static bool
failed(const char *what, GError **error)
{
    error_set_errno(error, errno, _("cannot reset the machine: %s"), _(what));
    return false;
}

/* Bytes of @part on this host; 0: it has none. */
static unsigned
part_size(const EngineKvm *kvm, const Part *part)
{
    int answer;

    if (part->capability == 0)
        return part->size;
    answer = engine_kvm_ioctl_value(kvm->vm_fd, KVM_CHECK_EXTENSION,
                                    (unsigned long)part->capability);
    if (answer <= 0)
        return 0;
    return CLAMP((unsigned)answer, part->size, PART_MAX);
}

/* Copies the running machine's CPUID: it decides which registers there are. */
static bool
copy_cpuid(int from, int to, GError **error)
{
    g_autofree struct kvm_cpuid2 *cpuid = g_malloc0(
        sizeof(*cpuid) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));

    cpuid->nent = CPUID_ENTRIES_MAX;
    if (engine_kvm_ioctl(from, KVM_GET_CPUID2, cpuid) < 0 ||
        engine_kvm_ioctl(to, KVM_SET_CPUID2, cpuid) < 0)
        return failed(N_("CPUID"), error);
    return true;
}

/* Leaves in pristine->msrs those of KVM's list that can be read. */
static bool
read_msrs(Pristine *pristine, int vcpu_fd, GError **error)
{
    g_autofree struct kvm_msr_list *list =
        g_malloc0(sizeof(*list) + MSRS_MAX * sizeof(uint32_t));
    struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + MSRS_MAX * sizeof(struct kvm_msr_entry));

    pristine->msrs = msrs;
    list->nmsrs = MSRS_MAX;
    if (engine_kvm_ioctl(pristine->kvm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list) <
        0)
        return failed(N_("MSR list"), error);
    for (uint32_t i = 0; i < list->nmsrs; i++) {
        struct kvm_msr_entry entry = { .index = list->indices[i] };

        /* A restarted TSC would differ between vCPUs. */
        if (entry.index != MSR_TSC &&
            engine_kvm_msr(vcpu_fd, KVM_GET_MSRS, &entry))
            msrs->entries[msrs->nmsrs++] = entry;
    }
    return true;
}

static bool
read_vcpu(Pristine *pristine, int vcpu_fd, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        unsigned size = part_size(pristine->kvm, &parts[i]);

        if (size == 0)
            continue;
        pristine->parts[i] = g_malloc0(size);
        if (engine_kvm_ioctl(vcpu_fd, parts[i].get, pristine->parts[i]) < 0)
            return failed(parts[i].name, error);
    }
    return read_msrs(pristine, vcpu_fd, error);
}

static bool
read_chips(Pristine *pristine, int vm_fd, GError **error)
{
    for (uint32_t i = 0; i < IRQCHIPS; i++) {
        pristine->chips[i].chip_id = i;
        if (engine_kvm_ioctl(vm_fd, KVM_GET_IRQCHIP, &pristine->chips[i]) < 0)
            return failed(N_("interrupt controllers"), error);
    }
    return true;
}

static bool
read_pristine(Pristine *pristine, const EngineVcpu *model,
              const EngineConfig *config, GError **error)
{
    g_auto(ScratchVm)
        scratch = { .kvm_fd = pristine->kvm->kvm_fd, .vm_fd = -1 };
    g_auto(Fd) vcpu_fd = -1;

    if (!engine_kvm_create_vm(&scratch, error) ||
        !engine_kvm_create_irqchip(&scratch, error))
        return false;
    vcpu_fd = engine_kvm_ioctl_value(scratch.vm_fd, KVM_CREATE_VCPU,
                                     engine_apic_id(config, 0));
    if (vcpu_fd < 0)
        return failed(N_("vCPU"), error);
    return copy_cpuid(model->fd, vcpu_fd, error) &&
           read_vcpu(pristine, vcpu_fd, error) &&
           read_chips(pristine, scratch.vm_fd, error);
}

/* What differs between vCPUs in the parts that one of them lent to all. */
static void
personalise(Pristine *pristine, const EngineConfig *config, unsigned index)
{
    struct kvm_sregs *sregs = pristine->parts[PART_SREGS];
    struct kvm_lapic_state *lapic = pristine->parts[PART_LAPIC];
    uint32_t id = engine_apic_id(config, index) << 24;

    memcpy(lapic->regs + LAPIC_ID, &id, sizeof(id));
    sregs->apic_base &= ~APIC_BASE_BSP;
    if (index == 0)
        sregs->apic_base |= APIC_BASE_BSP;
}

/* Those that the host lets nobody write keep their value anyway. */
static void
write_msrs(const Pristine *pristine, int vcpu_fd)
{
    for (uint32_t i = 0; i < pristine->msrs->nmsrs; i++) {
        struct kvm_msr_entry entry = pristine->msrs->entries[i];

        (void)engine_kvm_msr(vcpu_fd, KVM_SET_MSRS, &entry);
    }
}

static bool
write_vcpu(const Pristine *pristine, EngineVcpu *vcpu, GError **error)
{
    struct kvm_mp_state state;

    /* Asking makes KVM deliver a pending INIT, which must not come later. */
    if (engine_kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0)
        return failed(N_("run state"), error);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (pristine->parts[i] &&
            engine_kvm_ioctl(vcpu->fd, parts[i].set, pristine->parts[i]) < 0)
            return failed(parts[i].name, error);
    write_msrs(pristine, vcpu->fd);
    state.mp_state =
        vcpu->index == 0 ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED;
    if (engine_kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &state) < 0)
        return failed(N_("run state"), error);
    return engine_vcpu_settle(vcpu, error);
}

static bool
write_chips(const Pristine *pristine, GError **error)
{
    for (uint32_t i = 0; i < IRQCHIPS; i++) {
        struct kvm_irqchip chip = pristine->chips[i];

        if (engine_kvm_ioctl(pristine->kvm->vm_fd, KVM_SET_IRQCHIP, &chip) < 0)
            return failed(N_("interrupt controllers"), error);
    }
    return true;
}

bool
engine_vcpus_reset(EngineVcpus *set, const EngineKvm *kvm,
                   const EngineConfig *config, GError **error)
{
    g_auto(Pristine) pristine = { .kvm = kvm };

    if (!read_pristine(&pristine, &set->items[0], config, error))
        return false;
    for (unsigned i = 0; i < set->count; i++) {
        personalise(&pristine, config, i);
        if (!write_vcpu(&pristine, &set->items[i], error))
            return false;
    }
    return write_chips(&pristine, error);
}
