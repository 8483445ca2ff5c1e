/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Asks the lab host's KVM for what the engine needs and runs a guest of six
 * instructions in it, with nothing of virtkvm in between: a lab test that
 * fails while this one passes is the engine's fault.
 *
 * With --speed it says "hardware" or "emulated": a KVM without hardware
 * assistance emulates the guest's kernel mode, a thousand times slower.
 */
#include <config.h>

#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RAM_SIZE   0x10000
#define EXIT_PORT  0xf4
#define EXITS_MAX  16
#define GUEST_WORD "ok"

/* Writes GUEST_WORD to COM1 and leaves by EXIT_PORT. */
static const uint8_t guest_code[] = {
    0xba, 0xf8,      0x03, /* mov dx, 0x3f8 */
    0xb0, 'o',             /* mov al, 'o' */
    0xee,                  /* out dx, al */
    0xb0, 'k',             /* mov al, 'k' */
    0xee,                  /* out dx, al */
    0xe6, EXIT_PORT,       /* out 0xf4, al */
    0xf4,                  /* hlt */
};

#define LOOP_COUNT  100000 /* of LOOP_CODE: 0.1 ms on a CPU, 100 ms emulated */
#define LOOP_MS_MAX 20
#define LOOP_TRIES  3

/* Counts LOOP_COUNT down and leaves by EXIT_PORT. */
static const uint8_t loop_code[] = {
    0x66,
    0xb9,
    LOOP_COUNT & 0xff,
    LOOP_COUNT >> 8 & 0xff,
    LOOP_COUNT >> 16,
    0x00, /* mov ecx, LOOP_COUNT */
    0x66,
    0x49, /* dec ecx */
    0x75,
    0xfc, /* jnz -4 */
    0xe6,
    EXIT_PORT, /* out 0xf4, al */
    0xf4,      /* hlt */
};

static const struct {
    int number;
    const char *name;
} needed[] = {
    { KVM_CAP_IRQCHIP, "irqchip" },
    { KVM_CAP_USER_MEMORY, "user memory" },
    { KVM_CAP_PIT2, "pit2" },
    { KVM_CAP_IOEVENTFD, "ioeventfd" },
    { KVM_CAP_IRQFD, "irqfd" },
    { KVM_CAP_SIGNAL_MSI, "signal msi" },
    { KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
};

static void
check_capabilities(int kvm)
{
    int version = ioctl(kvm, KVM_GET_API_VERSION, 0);

    if (version != KVM_API_VERSION)
        errx(1, "KVM's version is %d", version);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].number) <= 0)
            errx(1, "KVM has no %s", needed[i].name);
}

static int
make_vcpu(int vm, uint8_t *ram)
{
    struct kvm_userspace_memory_region region = {
        .memory_size = RAM_SIZE,
        .userspace_addr = (uintptr_t)ram,
    };
    struct kvm_sregs sregs;
    int cpu;

    if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) ||
        ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
        err(1, "the machine");
    cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (cpu < 0 || ioctl(cpu, KVM_GET_SREGS, &sregs))
        err(1, "the vCPU");
    sregs.cs.selector = 0;
    sregs.cs.base = 0;
    if (ioctl(cpu, KVM_SET_SREGS, &sregs))
        err(1, "the registers");
    return cpu;
}

/* Runs from address 0 to the exit port; @output gets what the guest wrote to
 * COM1. */
static void
run(int cpu, struct kvm_run *shared, char *output)
{
    struct kvm_regs regs = { .rflags = 2 };
    size_t length = 0;

    if (ioctl(cpu, KVM_SET_REGS, &regs))
        err(1, "the registers");
    for (int exits = 0; exits < EXITS_MAX; exits++) {
        if (ioctl(cpu, KVM_RUN, 0))
            err(1, "KVM_RUN");
        if (shared->exit_reason != KVM_EXIT_IO)
            errx(1, "exit %u, suberror %u", shared->exit_reason,
                 shared->internal.suberror);
        if (shared->io.port == EXIT_PORT)
            return;
        output[length++] = ((char *)shared)[shared->io.data_offset];
    }
    errx(1, "the guest does not end");
}

static void
check_guest(int cpu, struct kvm_run *shared, uint8_t *ram)
{
    char output[EXITS_MAX + 1] = "";

    memcpy(ram, guest_code, sizeof guest_code);
    run(cpu, shared, output);
    if (strcmp(output, GUEST_WORD) != 0)
        errx(1, "the guest wrote '%s'", output);
    printf("the guest wrote '%s'\n", output);
}

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* One fast round is enough: others may have been disturbed. */
static void
check_speed(int cpu, struct kvm_run *shared, uint8_t *ram)
{
    char output[EXITS_MAX + 1];

    memcpy(ram, loop_code, sizeof loop_code);
    for (int i = 0; i < LOOP_TRIES; i++) {
        double start = now_ms();

        run(cpu, shared, output);
        if (now_ms() - start < LOOP_MS_MAX) {
            puts("hardware");
            return;
        }
    }
    puts("emulated");
}

int
main(int argc, char **argv)
{
    bool speed = argc > 1 && strcmp(argv[1], "--speed") == 0;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm, cpu, length;
    void *ram, *shared;

    if (kvm < 0)
        err(1, "/dev/kvm");
    check_capabilities(kvm);
    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    length = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (vm < 0 || length < 0 || ram == MAP_FAILED)
        err(1, "the machine");
    cpu = make_vcpu(vm, ram);
    shared =
        mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (shared == MAP_FAILED)
        err(1, "the vCPU's page");
    (speed ? check_speed : check_guest)(cpu, shared, ram);
    return 0;
}
