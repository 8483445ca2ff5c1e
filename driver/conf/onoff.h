/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

typedef enum ConfOnOff {
    CONF_ONOFF_ABSENT = 0,
    CONF_ONOFF_OFF, /* off, no */
    CONF_ONOFF_ON,  /* on, yes, or the bare element */
} ConfOnOff;
