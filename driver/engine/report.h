/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/vcpu.h"

/**
 * engine_report_new: all that helps to understand why @vcpu cannot go on:
 * reason, registers, instruction bytes, last exits
 * @headline: the reason in words
 * Thread: the vCPU's, outside KVM_RUN
 */
char *engine_report_new(EngineVcpu *vcpu, const char *headline);
