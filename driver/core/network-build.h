/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/network.h"

/** Networks on the host: a bridge by ip(8), rules by nft(8), dnsmasq. */
extern const CoreNetworkOps core_network_build_ops;
