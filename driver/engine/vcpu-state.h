/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/vcpu.h"

/**
 * engine_vcpu_setup: what every vCPU has before its first instruction beyond
 * KVM's own defaults: CPUID, TSC frequency, MSRs, local APIC inputs
 * @cpuid: already that of this vCPU
 */
bool engine_vcpu_setup(EngineVcpu *vcpu, struct kvm_cpuid2 *cpuid,
                       uint64_t tsc_hz, GError **error);

/** engine_vcpu_settle: the part of it that a reset has to do again */
bool engine_vcpu_settle(EngineVcpu *vcpu, GError **error);

/** engine_vcpu_boot: make it begin where @boot says. Only while stopped. */
bool engine_vcpu_boot(EngineVcpu *vcpu, const EngineBoot *boot, GError **error);
