/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

#include "conf/capabilities.h"

/**
 * core_host_cpu_fill: the host's CPU as its KVM gives it to guests; what
 * cannot be known stays as it is. Of the kvm driver.
 * Returns: what @host then points into, for core_host_cpu_free(); or NULL
 */
gpointer core_host_cpu_fill(ConfHost *host);
void core_host_cpu_free(gpointer kept);
