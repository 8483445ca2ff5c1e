/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

#include "conf/address.h"
#include "conf/carried.h"

/** <panic>: by which a guest says that it has crashed */
typedef struct ConfPanic {
    char *model; /* isa; filled in */
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfPanic;

/** conf_panic_is_isa: the one that a guest of ours can have */
bool conf_panic_is_isa(const ConfPanic *panic);
