/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/net/slirp.h"

const EngineSlirp virtkvm_engine_slirp = {
    .new = slirp_new,
    .cleanup = slirp_cleanup,
    .input = slirp_input,
    .pollfds_fill = slirp_pollfds_fill,
    .pollfds_poll = slirp_pollfds_poll,
    .add_hostfwd = slirp_add_hostfwd,
};
