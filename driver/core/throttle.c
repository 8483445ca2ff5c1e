/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/throttle.h"

#define FIELD(name)                         \
    {                                       \
#name, offsetof(ConfThrottle, name) \
    }

const CoreThrottleField core_throttle_fields[CORE_THROTTLE_FIELDS] = {
    FIELD(total_bytes_sec),
    FIELD(read_bytes_sec),
    FIELD(write_bytes_sec),
    FIELD(total_iops_sec),
    FIELD(read_iops_sec),
    FIELD(write_iops_sec),
    FIELD(total_bytes_sec_max),
    FIELD(read_bytes_sec_max),
    FIELD(write_bytes_sec_max),
    FIELD(total_iops_sec_max),
    FIELD(read_iops_sec_max),
    FIELD(write_iops_sec_max),
    FIELD(size_iops_sec),
    FIELD(total_bytes_sec_max_length),
    FIELD(read_bytes_sec_max_length),
    FIELD(write_bytes_sec_max_length),
    FIELD(total_iops_sec_max_length),
    FIELD(read_iops_sec_max_length),
    FIELD(write_iops_sec_max_length),
};
