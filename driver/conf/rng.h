/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>

#include "conf/address.h"
#include "conf/carried.h"
#include "conf/onoff.h"

typedef enum ConfRngBackend {
    CONF_RNG_ABSENT = 0,
    CONF_RNG_RANDOM,  /* a character device of the host */
    CONF_RNG_EGD,     /* carried */
    CONF_RNG_BUILTIN, /* the host kernel's generator */
} ConfRngBackend;

/** <rng>: a random number generator of the guest's */
typedef struct ConfRng {
    char *model;        /* virtio ... */
    uint64_t bytes;     /* <rate>: at most, in a period; 0 = absent */
    unsigned period_ms; /* 0 = absent: a second */
    ConfRngBackend backend;
    char *path; /* of RANDOM; NULL: the host kernel's generator */
    ConfOnOff packed;
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfRng;
