/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/* Documents of networks */
#define UUID_A "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e11"
#define UUID_B "6b1f1c5e-3d51-4a51-8a0e-0d3a5b7c9e22"

#define NET(NAME, UUID, MORE) \
    "<network><name>" NAME "</name><uuid>" UUID "</uuid>" MORE "</network>"
#define ADDRESS                                        \
    "<ip address='192.0.2.1' netmask='255.255.255.0'>" \
    "<dhcp><range start='192.0.2.2' end='192.0.2.254'/></dhcp></ip>"
