/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * bench-floor ROM [MIB]: the least that a user of KVM can do. It has no devices
 * but an output port, and it is what the other machines are measured against.
 */
#include <config.h>

#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOAD_GPA  0x10000
#define ROM_BYTES 65536
#define TSS_GPA   0xfffbd000ul
#define COM1      0x3f8
#define I8042     0x64
#define RESET     0xfe

static char *
make_memory(int vm, size_t size)
{
    char *ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct kvm_userspace_memory_region region = {
        .memory_size = size,
        .userspace_addr = (unsigned long)ram,
    };

    if (ram == MAP_FAILED || ioctl(vm, KVM_SET_TSS_ADDR, TSS_GPA) < 0 ||
        ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        err(1, "memory");
    return ram;
}

static void
set_start(int vcpu)
{
    struct kvm_regs regs = { .rflags = 2 };
    struct kvm_sregs sregs;

    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
        err(1, "registers");
    sregs.cs.selector = LOAD_GPA >> 4;
    sregs.cs.base = LOAD_GPA;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 ||
        ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
        err(1, "registers");
}

static void
run_guest(int vcpu, struct kvm_run *run)
{
    for (;;) {
        const char *data = (const char *)run + run->io.data_offset;

        if (ioctl(vcpu, KVM_RUN, 0) < 0)
            err(1, "KVM_RUN");
        if (run->exit_reason == KVM_EXIT_HLT)
            pause();
        else if (run->exit_reason != KVM_EXIT_IO)
            errx(1, "exit %u", run->exit_reason);
        data = (const char *)run + run->io.data_offset;
        if (run->io.port == COM1 && write(STDOUT_FILENO, data, 1) != 1)
            err(1, "output");
        if (run->io.port == I8042 && (*data & 0xff) == RESET)
            return;
    }
}

int
main(int argc, char **argv)
{
    size_t size = (argc > 2 ? strtoul(argv[2], NULL, 10) : 128) << 20;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
    int rom = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_CLOEXEC);
    struct kvm_run *run;
    char *ram;
    int length;

    if (vcpu < 0 || rom < 0)
        err(1, "cannot make a machine of '%s'", argc < 2 ? "" : argv[1]);
    ram = make_memory(vm, size);
    if (read(rom, ram + LOAD_GPA, ROM_BYTES) <= 0)
        err(1, "cannot read '%s'", argv[1]);
    length = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    run = mmap(NULL, length < 0 ? 0 : (size_t)length, PROT_READ | PROT_WRITE,
               MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        err(1, "vCPU");
    set_start(vcpu);
    run_guest(vcpu, run);
    return 0;
}
