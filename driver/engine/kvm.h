/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>

/** /dev/kvm and one virtual machine of it. */
typedef struct EngineKvm {
    int kvm_fd;
    int vm_fd;
    size_t run_size; /* bytes of a vCPU's shared page(s) */
} EngineKvm;

/**
 * engine_kvm_open: open /dev/kvm and check what the engine cannot do without
 * @error: SYSTEM_ERROR or CONFIG_UNSUPPORTED, saying what the host lacks
 */
bool engine_kvm_open(EngineKvm *kvm, GError **error);

/** engine_kvm_create_vm: an empty VM; @kvm is opened, @kvm->vm_fd is set */
bool engine_kvm_create_vm(EngineKvm *kvm, GError **error);

/**
 * engine_kvm_create_irqchip: the in-kernel PICs, IOAPIC and local APICs; before
 * the first vCPU
 *
 * Better after memory than before it: this lets a slow grace period of the
 * kernel begin, which a change of memory must wait for (4 to 8 ms on 6.18).
 */
bool engine_kvm_create_irqchip(const EngineKvm *kvm, GError **error);

void engine_kvm_clear(EngineKvm *kvm);

/** engine_kvm_ioctl: ioctl() through EINTR. Returns: as ioctl(), errno set */
int engine_kvm_ioctl(int fd, unsigned long request, void *argument);

/** engine_kvm_ioctl_value: for requests whose argument is a number */
int engine_kvm_ioctl_value(int fd, unsigned long request, unsigned long value);

/**
 * engine_kvm_msr: read or write one MSR of a vCPU
 * @request: KVM_GET_MSRS or KVM_SET_MSRS
 * Returns: false if the host does not let one
 */
bool engine_kvm_msr(int vcpu_fd, unsigned long request,
                    struct kvm_msr_entry *entry);

/**
 * engine_kvm_is_emulated: whether this KVM runs without hardware assistance,
 * and so emulates the guest's kernel mode (module kvm_pvm)
 */
bool engine_kvm_is_emulated(void);
