/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/x86/cpu.h"
#include "util/error.h"
#include "util/fd.h"

/* What is made for this host must be what this host's KVM takes. */
static int kvm_fd = -1;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineHostCpu, engine_host_cpu_free)

static EngineConfig
make_config(EngineCpuMode mode, const char *model)
{
    EngineConfig config = {
        .vcpus = 6,
        .cpu = { .mode = mode,
                 .model = (char *)model,
                 .sockets = 1,
                 .dies = 1,
                 .cores = 3,
                 .threads = 2 },
        .apic = true,
        .pae = true,
        .kvmclock = true,
    };

    return config;
}

static void
assert_kvm_takes(const EngineConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autofree struct kvm_cpuid2 *cpuid =
        engine_cpuid_new(kvm_fd, config, &error);
    g_auto(Fd) vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

    if (!cpuid)
        fail_msg("%s", error->message);
    assert_true(vm_fd >= 0);
    assert_int_equal(ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        unsigned index = i * (config->vcpus - 1);
        g_auto(Fd) vcpu_fd = -1;

        vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, engine_apic_id(config, index));
        assert_true(vcpu_fd >= 0);
        engine_cpuid_set_vcpu(cpuid, config, index);
        assert_int_equal(ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid), 0);
    }
}

static void
test_modes(void **state)
{
    EngineConfig config = make_config(ENGINE_CPU_HOST_PASSTHROUGH, NULL);

    assert_kvm_takes(&config);
    config.cpu.mode = ENGINE_CPU_HOST_MODEL;
    assert_kvm_takes(&config);
    config.kvm_hidden = true;
    assert_kvm_takes(&config);
}

static void
test_query(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineHostCpu) cpu = engine_host_cpu_query(&error);
    bool found = false;

    assert_non_null(cpu);
    assert_true(strlen(cpu->vendor) > 0);
    for (unsigned i = 0; i < cpu->models->len; i++)
        if (strcmp(g_array_index(cpu->models, EngineCpuModel, i).name,
                   cpu->model) == 0)
            found = true;
    assert_true(found);
}

/* A usable model starts; another is refused by the names of what it lacks. */
static void
test_every_model(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineHostCpu) cpu = engine_host_cpu_query(&error);

    assert_non_null(cpu);
    for (unsigned i = 0; i < cpu->models->len; i++) {
        const EngineCpuModel *model =
            &g_array_index(cpu->models, EngineCpuModel, i);
        EngineConfig config = make_config(ENGINE_CPU_CUSTOM, model->name);
        g_autofree struct kvm_cpuid2 *cpuid = NULL;
        g_autoptr(GError) refusal = NULL;

        cpuid = engine_cpuid_new(kvm_fd, &config, &refusal);
        if (model->usable != (cpuid != NULL))
            fail_msg("model '%s': %s", model->name,
                     refusal ? refusal->message : "is taken");
        if (!cpuid)
            assert_int_equal(error_code(refusal), VIR_ERR_CONFIG_UNSUPPORTED);
        config.cpu.unchecked = true;
        assert_kvm_takes(&config);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_every_model),
    };
    int rc;

    kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm_fd < 0) {
        puts("1..0 # SKIP /dev/kvm cannot be opened");
        return 0;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    fd_clear(&kvm_fd);
    return rc;
}
