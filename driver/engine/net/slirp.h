/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <slirp/libslirp.h>

/*
 * The module engine-slirp.so is libslirp and this table of what user mode
 * calls of it: an engine without such an interface does without the library.
 */
#define ENGINE_SLIRP_MODULE "engine-slirp.so"
#define ENGINE_SLIRP_TABLE  "virtkvm_engine_slirp"

typedef struct EngineSlirp {
    __typeof__(slirp_new) *new;
    __typeof__(slirp_cleanup) *cleanup;
    __typeof__(slirp_input) *input;
    __typeof__(slirp_pollfds_fill) *pollfds_fill;
    __typeof__(slirp_pollfds_poll) *pollfds_poll;
    __typeof__(slirp_add_hostfwd) *add_hostfwd;
} EngineSlirp;

extern const EngineSlirp virtkvm_engine_slirp
    __attribute__((visibility("default")));
