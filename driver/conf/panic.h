/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/address.h"
#include "conf/carried.h"

/** <panic>: by which a guest says that it has crashed */
typedef struct ConfPanic {
    char *model; /* isa; filled in */
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfPanic;
