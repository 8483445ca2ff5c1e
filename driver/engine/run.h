/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/vcpu.h"

/**
 * engine_vcpu_run: execute the guest and answer its exits until a kick, or
 * until it cannot go on (engine_fail() has been told then). On return no access
 * is half done: KVM has taken the answer to the last one.
 * Thread: the vCPU's
 */
void engine_vcpu_run(EngineVcpu *vcpu);
