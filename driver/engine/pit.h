/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/**
 * The interval timer, an Intel 8254, and the speaker's gate at port 0x61.
 *
 * KVM has one in the kernel, but a machine that merely owns it pays: a kernel
 * thread, AMD's AVIC off, and 15 ms at its end. Guests with KVM's clock and a
 * local APIC never touch it. So KVM's is made at the first access, which is
 * then carried over; all later ones stay in the kernel.
 */
extern const EngineDeviceType engine_pit_type;
