/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/report.h"

#include <string.h>

#include "engine/kvm.h"
#include "engine/machine.h"
#include "util/i18n.h"

#define CODE_BYTES   16 /* an instruction has at most 15 */
#define INTERNAL_MAX 16 /* entries of kvm_run.internal.data */

typedef unsigned long long ull;

static void
add_registers(GString *text, const struct kvm_regs *r)
{
    g_string_append_printf(text,
                           "RAX=%016llx RBX=%016llx RCX=%016llx RDX=%016llx\n"
                           "RSI=%016llx RDI=%016llx RBP=%016llx RSP=%016llx\n"
                           "R8 =%016llx R9 =%016llx R10=%016llx R11=%016llx\n"
                           "R12=%016llx R13=%016llx R14=%016llx R15=%016llx\n"
                           "RIP=%016llx RFL=%08llx\n",
                           (ull)r->rax, (ull)r->rbx, (ull)r->rcx, (ull)r->rdx,
                           (ull)r->rsi, (ull)r->rdi, (ull)r->rbp, (ull)r->rsp,
                           (ull)r->r8, (ull)r->r9, (ull)r->r10, (ull)r->r11,
                           (ull)r->r12, (ull)r->r13, (ull)r->r14, (ull)r->r15,
                           (ull)r->rip, (ull)r->rflags);
}

static void
add_segment(GString *text, const char *name, const struct kvm_segment *s)
{
    g_string_append_printf(text,
                           "%-3s=%04x base %016llx limit %08x type %x dpl %u "
                           "%s%s%s\n",
                           name, s->selector, (ull)s->base, s->limit, s->type,
                           s->dpl, s->present ? "p" : "-", s->db ? "d" : "-",
                           s->l ? "l" : "-");
}

static void
add_system_registers(GString *text, const struct kvm_sregs *s)
{
    add_segment(text, "CS", &s->cs);
    add_segment(text, "DS", &s->ds);
    add_segment(text, "ES", &s->es);
    add_segment(text, "FS", &s->fs);
    add_segment(text, "GS", &s->gs);
    add_segment(text, "SS", &s->ss);
    add_segment(text, "TR", &s->tr);
    add_segment(text, "LDT", &s->ldt);
    g_string_append_printf(text,
                           "GDT base %016llx limit %04x\n"
                           "IDT base %016llx limit %04x\n"
                           "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx "
                           "CR8=%llx EFER=%llx\n",
                           (ull)s->gdt.base, s->gdt.limit, (ull)s->idt.base,
                           s->idt.limit, (ull)s->cr0, (ull)s->cr2, (ull)s->cr3,
                           (ull)s->cr4, (ull)s->cr8, (ull)s->efer);
}

/* The bytes that the vCPU was about to execute, through its own paging. */
static void
add_code(GString *text, const EngineVcpu *vcpu, uint64_t linear)
{
    const EngineMemory *memory = &vcpu->set->engine->memory;

    g_string_append_printf(text, "code at %#llx:", (ull)linear);
    for (unsigned i = 0; i < CODE_BYTES; i++) {
        struct kvm_translation page = { .linear_address = linear + i };
        const uint8_t *byte = NULL;

        if (engine_kvm_ioctl(vcpu->fd, KVM_TRANSLATE, &page) == 0 && page.valid)
            byte = engine_memory_lookup(memory, page.physical_address, 1);
        if (!byte) {
            g_string_append(text, i == 0 ? " (not mapped)" : "");
            break;
        }
        g_string_append_printf(text, " %02x", *byte);
    }
    g_string_append_c(text, '\n');
}

static void
add_exit(GString *text, const EngineExit *last)
{
    const char *space = last->reason == KVM_EXIT_IO ? "port" : "address";

    if (last->size == 0 ||
        (last->reason != KVM_EXIT_IO && last->reason != KVM_EXIT_MMIO)) {
        g_string_append_printf(text, "  exit %u\n", last->reason);
        return;
    }
    g_string_append_printf(text, "  %s %u bytes at %s %#llx: %#llx\n",
                           last->write ? "write" : "read ", last->size, space,
                           (ull)last->address, (ull)last->value);
}

static void
add_exits(GString *text, const EngineVcpu *vcpu)
{
    uint64_t kept = MIN(vcpu->exits, ENGINE_EXITS_KEPT);

    g_string_append_printf(text, _("last %u of %llu exits, the newest last:\n"),
                           (unsigned)kept, (ull)vcpu->exits);
    for (uint64_t i = vcpu->exits - kept; i < vcpu->exits; i++)
        add_exit(text, &vcpu->ring[i % ENGINE_EXITS_KEPT]);
}

static void
add_internal(GString *text, const struct kvm_run *run)
{
    if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR)
        return;
    g_string_append(text, "data:");
    for (uint32_t i = 0; i < MIN(run->internal.ndata, INTERNAL_MAX); i++)
        g_string_append_printf(text, " %#llx", (ull)run->internal.data[i]);
    g_string_append_c(text, '\n');
}

char *
engine_report_new(EngineVcpu *vcpu, const char *headline)
{
    GString *text = g_string_new(NULL);
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    g_string_append_printf(text, _("vCPU %u: %s\n"), vcpu->index, headline);
    add_internal(text, vcpu->run);
    if (engine_kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0 &&
        engine_kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) == 0) {
        add_registers(text, &regs);
        add_system_registers(text, &sregs);
        add_code(text, vcpu, sregs.cs.base + regs.rip);
    }
    add_exits(text, vcpu);
    if (engine_kvm_is_emulated())
        g_string_append(
            text,
            _("this host's KVM works without hardware virtualization "
              "(kvm_pvm): it emulates the guest's kernel mode and cannot "
              "emulate every instruction, so most operating systems do not "
              "run on it\n"));
    return g_string_free(text, FALSE);
}
