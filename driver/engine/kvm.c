/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define KVM_PATH "/dev/kvm"
#define KVM_API  12 /* the only version there has been since Linux 2.6.22 */

/* Four pages that no RAM, no device of ours and no firmware covers; KVM keeps
 * an identity page table and a real-mode TSS there on old Intel CPUs. */
#define IDENTITY_MAP_GPA ENGINE_KVM_PAGES_GPA
#define TSS_GPA          (ENGINE_KVM_PAGES_GPA + 0x1000)

/* What the engine cannot do without; each since Linux 4.13 or earlier. */
static const struct {
    int capability;
    const char *name;
} required[] = {
    { KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
    { KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
    { KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
    { KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
    { KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
    { KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS" },
    { KVM_CAP_PIT2, "KVM_CAP_PIT2" },
    { KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
};

int
engine_kvm_ioctl(int fd, unsigned long request, void *argument)
{
    int result;

    do
        result = ioctl(fd, request, argument);
    while (result < 0 && errno == EINTR);
    return result;
}

int
engine_kvm_ioctl_value(int fd, unsigned long request, unsigned long value)
{
    return engine_kvm_ioctl(fd, request, (void *)value);
}

static bool
check_capabilities(int kvm_fd, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(required); i++) {
        if (engine_kvm_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION,
                                   (unsigned long)required[i].capability) > 0)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the host's KVM lacks %s; a newer kernel is needed"),
                  required[i].name);
        return false;
    }
    return true;
}

bool
engine_kvm_open(EngineKvm *kvm, GError **error)
{
    g_auto(Fd) fd = open(KVM_PATH, O_RDWR | O_CLOEXEC);
    int size;

    kvm->kvm_fd = kvm->vm_fd = -1;
    if (fd < 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), KVM_PATH);
        return false;
    }
    if (engine_kvm_ioctl(fd, KVM_GET_API_VERSION, NULL) != KVM_API) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' does not speak version %d of KVM's interface"),
                  KVM_PATH, KVM_API);
        return false;
    }
    if (!check_capabilities(fd, error))
        return false;
    size = engine_kvm_ioctl(fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (size < (int)sizeof(struct kvm_run)) {
        error_set_errno(error, errno,
                        _("cannot ask KVM for the size of a vCPU"));
        return false;
    }
    kvm->run_size = (size_t)size;
    kvm->kvm_fd = fd_steal(&fd);
    return true;
}

bool
engine_kvm_create_vm(EngineKvm *kvm, GError **error)
{
    uint64_t identity = IDENTITY_MAP_GPA;
    int vm = engine_kvm_ioctl_value(kvm->kvm_fd, KVM_CREATE_VM, 0);

    if (vm < 0) {
        error_set_errno(error, errno, _("cannot create a virtual machine"));
        return false;
    }
    kvm->vm_fd = vm;
    if (engine_kvm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
        engine_kvm_ioctl_value(vm, KVM_SET_TSS_ADDR, TSS_GPA) < 0) {
        error_set_errno(error, errno, _("cannot place KVM's own pages"));
        return false;
    }
    return true;
}

bool
engine_kvm_create_irqchip(const EngineKvm *kvm, GError **error)
{
    if (engine_kvm_ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, NULL) == 0)
        return true;
    error_set_errno(error, errno, _("cannot create interrupt controllers"));
    return false;
}

void
engine_kvm_clear(EngineKvm *kvm)
{
    fd_clear(&kvm->vm_fd);
    fd_clear(&kvm->kvm_fd);
}

bool
engine_kvm_msr(int vcpu_fd, unsigned long request, struct kvm_msr_entry *entry)
{
    union {
        struct kvm_msrs msrs;
        uint8_t space[sizeof(struct kvm_msrs) + sizeof(*entry)];
    } one = { .msrs.nmsrs = 1 };

    one.msrs.entries[0] = *entry;
    if (engine_kvm_ioctl(vcpu_fd, request, &one) != 1)
        return false;
    *entry = one.msrs.entries[0];
    return true;
}

bool
engine_kvm_is_emulated(void)
{
    return access("/sys/module/kvm_pvm", F_OK) == 0 &&
           access("/sys/module/kvm_intel", F_OK) != 0 &&
           access("/sys/module/kvm_amd", F_OK) != 0;
}
