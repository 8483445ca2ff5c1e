/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

#include "conf/carried.h"
#include "conf/onoff.h"

typedef enum ConfCpuMode {
    CONF_CPU_ABSENT = 0, /* as host-passthrough */
    CONF_CPU_CUSTOM,
    CONF_CPU_HOST_MODEL,
    CONF_CPU_HOST_PASSTHROUGH,
    CONF_CPU_MAXIMUM,
} ConfCpuMode;

typedef enum ConfCpuPolicy {
    CONF_CPU_POLICY_FORCE = 0,
    CONF_CPU_POLICY_REQUIRE,
    CONF_CPU_POLICY_OPTIONAL,
    CONF_CPU_POLICY_DISABLE,
    CONF_CPU_POLICY_FORBID,
} ConfCpuPolicy;

typedef struct ConfCpuFeature {
    char *name; /* libvirt's name: "avx2" */
    ConfCpuPolicy policy;
    ConfCarried carried;
} ConfCpuFeature;

/** <cpu> */
typedef struct ConfCpu {
    ConfCpuMode mode;
    char *match; /* exact, minimum, strict */
    char *check;
    ConfOnOff migratable;
    char *model;
    char *fallback; /* allow, forbid */
    char *vendor;
    unsigned sockets, dies, cores, threads; /* <topology>; 0 = absent */
    GPtrArray *features;                    /* ConfCpuFeature */
} ConfCpu;
