/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/vcpu-state.h"

#include <errno.h>
#include <string.h>

#include "engine/kvm.h"
#include "util/error.h"
#include "util/i18n.h"

/* Intel SDM vol. 3A, 2.5 and 2.2.1; vol. 4, table 2-2 */
#define CR0_PE       0x00000001ull
#define CR0_ET       0x00000010ull
#define CR0_NE       0x00000020ull
#define CR0_WP       0x00010000ull
#define CR0_PG       0x80000000ull
#define CR4_PAE      0x20ull
#define EFER_LME     0x100ull
#define EFER_LMA     0x400ull
#define RFLAGS_FIXED 0x2ull

#define MSR_MISC_ENABLE   0x1a0
#define MISC_FAST_STRING  0x1ull
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ENABLE_WB    0x806ull

#define LAPIC_LVT_LINT0   0x350
#define LAPIC_LVT_LINT1   0x360
#define LVT_DELIVERY_MASK 0x700u
#define LVT_MASKED        0x10000u
#define LVT_NMI           0x400u
#define LVT_EXTINT        0x700u

#define GDT_ENTRIES     5 /* boot.h: null, unused, code64, data, code32 */
#define SELECTOR_CODE64 0x10
#define SELECTOR_DATA   0x18
#define SELECTOR_CODE32 0x20
#define TYPE_CODE       0xb /* execute, read, accessed */
#define TYPE_DATA       0x3 /* read, write, accessed */
#define TYPE_TSS        0xb /* busy */

static bool
set_failed(const EngineVcpu *vcpu, const char *what, GError **error)
{
    error_set_errno(error, errno, _("cannot set %s of vCPU %u"), _(what),
                    vcpu->index);
    return false;
}

static bool
set_tsc(EngineVcpu *vcpu, uint64_t tsc_hz, GError **error)
{
    if (tsc_hz == 0)
        return true;
    if (engine_kvm_ioctl_value(vcpu->fd, KVM_SET_TSC_KHZ, tsc_hz / 1000) == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the host cannot give its guests a TSC of %llu Hz"),
              (unsigned long long)tsc_hz);
    return false;
}

static bool
set_msrs(EngineVcpu *vcpu, GError **error)
{
    struct kvm_msr_entry entries[] = {
        { .index = MSR_MISC_ENABLE, .data = MISC_FAST_STRING },
        { .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ENABLE_WB },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        if (!engine_kvm_msr(vcpu->fd, KVM_SET_MSRS, &entries[i]))
            return set_failed(vcpu, N_("MSRs"), error);
    return true;
}

static void
set_lvt(struct kvm_lapic_state *lapic, unsigned offset, uint32_t mode)
{
    uint32_t value;

    memcpy(&value, lapic->regs + offset, sizeof(value));
    value = (value & ~(LVT_DELIVERY_MASK | LVT_MASKED)) | mode;
    memcpy(lapic->regs + offset, &value, sizeof(value));
}

/* As firmware leaves it: NMI on LINT1, and on the boot vCPU the PIC on LINT0.
 * KVM wakes only one vCPU for the PIC, the first to be created that has it, and
 * one that waits to be started would sleep on. */
static bool
set_lapic(EngineVcpu *vcpu, GError **error)
{
    struct kvm_lapic_state lapic;

    if (engine_kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &lapic) < 0)
        return set_failed(vcpu, N_("the local APIC"), error);
    set_lvt(&lapic, LAPIC_LVT_LINT0, vcpu->index ? LVT_MASKED : LVT_EXTINT);
    set_lvt(&lapic, LAPIC_LVT_LINT1, LVT_NMI);
    if (engine_kvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &lapic) < 0)
        return set_failed(vcpu, N_("the local APIC"), error);
    return true;
}

bool
engine_vcpu_setup(EngineVcpu *vcpu, struct kvm_cpuid2 *cpuid, uint64_t tsc_hz,
                  GError **error)
{
    if (engine_kvm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
        return set_failed(vcpu, N_("CPUID"), error);
    return set_tsc(vcpu, tsc_hz, error) && engine_vcpu_settle(vcpu, error);
}

bool
engine_vcpu_settle(EngineVcpu *vcpu, GError **error)
{
    return set_msrs(vcpu, error) && set_lapic(vcpu, error);
}

static struct kvm_segment
flat_segment(uint16_t selector, uint8_t type, bool is_64bit)
{
    return (struct kvm_segment){
        .limit = UINT32_MAX,
        .selector = selector,
        .type = type,
        .present = 1,
        .db = !is_64bit,
        .s = 1,
        .l = is_64bit,
        .g = 1,
    };
}

static void
fill_sregs(struct kvm_sregs *sregs, const EngineBoot *boot)
{
    bool is_64bit = boot->mode == ENGINE_BOOT_LONG64;
    struct kvm_segment data = flat_segment(SELECTOR_DATA, TYPE_DATA, false);

    sregs->cs = flat_segment(is_64bit ? SELECTOR_CODE64 : SELECTOR_CODE32,
                             TYPE_CODE, is_64bit);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr =
        (struct kvm_segment){ .type = TYPE_TSS, .present = 1, .limit = 0x67 };
    sregs->gdt.base = boot->gdt;
    sregs->gdt.limit = GDT_ENTRIES * 8 - 1;
    sregs->idt.base = 0;
    sregs->idt.limit = 0;
    sregs->cr0 = CR0_PE | CR0_ET;
    if (is_64bit) {
        sregs->cr0 |= CR0_NE | CR0_WP | CR0_PG;
        sregs->cr3 = boot->page_table;
        sregs->cr4 = CR4_PAE;
        sregs->efer = EFER_LME | EFER_LMA;
    }
}

bool
engine_vcpu_boot(EngineVcpu *vcpu, const EngineBoot *boot, GError **error)
{
    struct kvm_regs regs = { .rflags = RFLAGS_FIXED, .rip = boot->entry };
    struct kvm_sregs sregs;

    if (boot->mode == ENGINE_BOOT_RESET)
        return true;
    if (boot->mode == ENGINE_BOOT_LONG64) {
        regs.rsi = boot->info; /* Documentation/arch/x86/boot.rst, 64-bit */
    } else {
        regs.rbx = boot->info;
        regs.rax = boot->magic;
    }
    if (engine_kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return set_failed(vcpu, N_("system registers"), error);
    fill_sregs(&sregs, boot);
    if (engine_kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
        return set_failed(vcpu, N_("system registers"), error);
    if (engine_kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
        return set_failed(vcpu, N_("registers"), error);
    return true;
}
