/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/kvm.h"
#include "engine/machine.h"
#include "engine/run.h"
#include "engine/thread.h"
#include "engine/vcpu-state.h"
#include "engine/x86/cpu.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define KICK_SIGNAL SIGUSR1

typedef struct Start {
    EngineVcpu *vcpu;
    const struct kvm_cpuid2 *cpuid;
} Start;

/* Its only work is to interrupt KVM_RUN. */
static void
kicked(int signal_number)
{
}

static bool
create_vcpu(EngineVcpu *vcpu, GError **error)
{
    const Engine *engine = vcpu->set->engine;
    unsigned id = engine_apic_id(engine->config, vcpu->index);
    void *run;

    vcpu->fd = engine_kvm_ioctl_value(engine->kvm.vm_fd, KVM_CREATE_VCPU, id);
    if (vcpu->fd < 0) {
        error_set_errno(error, errno, _("cannot create vCPU %u of %u"),
                        vcpu->index, vcpu->set->count);
        return false;
    }
    run = mmap(NULL, vcpu->set->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
               vcpu->fd, 0);
    if (run == MAP_FAILED) {
        error_set_errno(error, errno, _("cannot map vCPU %u"), vcpu->index);
        return false;
    }
    vcpu->run = run;
    return true;
}

static bool
make_vcpu(EngineVcpu *vcpu, const struct kvm_cpuid2 *common, GError **error)
{
    const EngineConfig *config = vcpu->set->engine->config;
    g_autofree struct kvm_cpuid2 *cpuid = g_memdup2(
        common, sizeof(*common) + common->nent * sizeof(common->entries[0]));

    engine_cpuid_set_vcpu(cpuid, config, vcpu->index);
    return create_vcpu(vcpu, error) &&
           engine_vcpu_setup(vcpu, cpuid, config->tsc_hz, error);
}

static void
report_ready(EngineVcpu *vcpu, GError *error)
{
    EngineVcpus *set = vcpu->set;

    g_mutex_lock(&set->lock);
    set->ready++;
    if (error && !set->error)
        set->error = error;
    else
        g_clear_error(&error);
    g_cond_signal(&set->settled);
    g_mutex_unlock(&set->lock);
}

/* Waits until the guest may be entered. Returns: false when it is all over */
static bool
enter(EngineVcpu *vcpu)
{
    EngineVcpus *set = vcpu->set;
    bool run;

    g_mutex_lock(&set->lock);
    while (!set->run && !set->quit)
        g_cond_wait(&set->go, &set->lock);
    run = !set->quit;
    if (run) {
        /* Cleared under the lock, so that no kick can get lost. */
        __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
        vcpu->inside = true;
        set->inside++;
    }
    g_mutex_unlock(&set->lock);
    return run;
}

static void
leave(EngineVcpu *vcpu)
{
    EngineVcpus *set = vcpu->set;

    g_mutex_lock(&set->lock);
    vcpu->inside = false;
    if (--set->inside == 0)
        g_cond_signal(&set->settled);
    g_mutex_unlock(&set->lock);
}

static void *
vcpu_thread(void *opaque)
{
    g_autofree Start *start = opaque;
    EngineVcpu *vcpu = start->vcpu;
    GError *error = NULL;
    sigset_t kick;
    char name[16];

    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    g_snprintf(name, sizeof(name), "vcpu%u", vcpu->index);
    pthread_setname_np(pthread_self(), name);
    vcpu->thread_id = gettid();
    make_vcpu(vcpu, start->cpuid, &error);
    report_ready(vcpu, error);
    while (enter(vcpu)) {
        engine_vcpu_run(vcpu);
        leave(vcpu);
    }
    return NULL;
}

static bool
start_thread(EngineVcpu *vcpu, const struct kvm_cpuid2 *cpuid, GError **error)
{
    Start *start = g_new(Start, 1);
    int failed;

    *start = (Start){ vcpu, cpuid };
    failed = engine_thread_start(&vcpu->thread, vcpu_thread, start);
    if (failed) {
        g_free(start);
        error_set_errno(error, failed, _("cannot start a thread for vCPU %u"),
                        vcpu->index);
        return false;
    }
    vcpu->has_thread = true;
    return true;
}

static bool
check_count(const EngineKvm *kvm, unsigned count, GError **error)
{
    int most = engine_kvm_ioctl_value(kvm->kvm_fd, KVM_CHECK_EXTENSION,
                                      KVM_CAP_MAX_VCPUS);

    if (most <= 0 || count <= (unsigned)most)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("%u vCPUs are more than the %d that the host's KVM allows"),
              count, most);
    return false;
}

bool
engine_vcpus_init(EngineVcpus *set, Engine *engine,
                  const struct kvm_cpuid2 *cpuid, GError **error)
{
    struct sigaction action = { .sa_handler = kicked };
    unsigned count = engine->config->vcpus;
    size_t bytes =
        count * sizeof(EngineVcpu); /* a multiple of ENGINE_VCPU_ALIGN */

    if (!check_count(&engine->kvm, count, error))
        return false;
    g_mutex_init(&set->lock);
    g_cond_init(&set->go);
    g_cond_init(&set->settled);
    set->engine = engine;
    set->run_size = engine->kvm.run_size;
    set->items = aligned_alloc(ENGINE_VCPU_ALIGN, bytes);
    g_assert(set->items);
    memset(set->items, 0, bytes);
    set->count = count;
    for (unsigned i = 0; i < count; i++) {
        set->items[i].set = set;
        set->items[i].index = i;
        set->items[i].fd = -1;
    }
    sigaction(KICK_SIGNAL, &action, NULL);
    for (unsigned i = 0; i < count; i++)
        if (!start_thread(&set->items[i], cpuid, error))
            return false;
    return true;
}

bool
engine_vcpus_wait(EngineVcpus *set, GError **error)
{
    GError *failed;

    g_mutex_lock(&set->lock);
    while (set->ready < set->count)
        g_cond_wait(&set->settled, &set->lock);
    failed = g_steal_pointer(&set->error);
    g_mutex_unlock(&set->lock);
    if (!failed)
        return true;
    g_propagate_error(error, failed);
    return false;
}

/* Needs the lock. */
static void
kick_all(EngineVcpus *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        EngineVcpu *vcpu = &set->items[i];

        if (!vcpu->inside)
            continue;
        /* The flag stops an entry that is about to happen, the signal ends
         * one that has. */
        __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        if (!pthread_equal(vcpu->thread, pthread_self()))
            pthread_kill(vcpu->thread, KICK_SIGNAL);
    }
}

void
engine_vcpus_stop(EngineVcpus *set)
{
    g_mutex_lock(&set->lock);
    set->run = false;
    kick_all(set);
    while (set->inside > 0)
        g_cond_wait(&set->settled, &set->lock);
    g_mutex_unlock(&set->lock);
}

void
engine_vcpus_resume(EngineVcpus *set, bool told)
{
    for (unsigned i = 0; told && i < set->count; i++)
        /* Fails where the guest does not use KVM's clock: then there is
         * nobody to tell. */
        (void)engine_kvm_ioctl(set->items[i].fd, KVM_KVMCLOCK_CTRL, NULL);
    g_mutex_lock(&set->lock);
    set->run = !set->held;
    g_cond_broadcast(&set->go);
    g_mutex_unlock(&set->lock);
}

void
engine_vcpus_hold(EngineVcpus *set)
{
    g_mutex_lock(&set->lock);
    set->held = true;
    set->run = false;
    kick_all(set);
    g_mutex_unlock(&set->lock);
}

void
engine_vcpus_unhold(EngineVcpus *set)
{
    g_mutex_lock(&set->lock);
    set->held = false;
    g_mutex_unlock(&set->lock);
}

bool
engine_vcpu_is_halted(const EngineVcpu *vcpu)
{
    struct kvm_mp_state state;

    return engine_kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) == 0 &&
           state.mp_state != KVM_MP_STATE_RUNNABLE;
}

static void
clear_vcpu(EngineVcpu *vcpu, size_t run_size)
{
    if (vcpu->has_thread)
        pthread_join(vcpu->thread, NULL);
    if (vcpu->run)
        munmap(vcpu->run, run_size);
    fd_clear(&vcpu->fd);
}

void
engine_vcpus_clear(EngineVcpus *set)
{
    if (!set->items)
        return;
    engine_vcpus_stop(set);
    g_mutex_lock(&set->lock);
    set->quit = true;
    g_cond_broadcast(&set->go);
    g_mutex_unlock(&set->lock);
    for (unsigned i = 0; i < set->count; i++)
        clear_vcpu(&set->items[i], set->run_size);
    g_clear_error(&set->error);
    g_clear_pointer(&set->items, free);
    g_mutex_clear(&set->lock);
    g_cond_clear(&set->go);
    g_cond_clear(&set->settled);
}
