/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/kvm.h"
#include "engine/vcpu.h"

/**
 * engine_vcpus_reset: give every vCPU and the interrupt controllers the state
 * of new ones. RAM and the time stamp counters go on.
 *
 * What a new one has is read from a second, short-lived VM with the same
 * configuration, so no list of registers can grow stale.
 * Thread: main, with every vCPU stopped
 */
bool engine_vcpus_reset(EngineVcpus *set, const EngineKvm *kvm,
                        const EngineConfig *config, GError **error);
