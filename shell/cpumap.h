/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** vsh_cpumap_ranges: "0-3,6": the CPUs below @cpus whose bits are set */
char *vsh_cpumap_ranges(const unsigned char *map, int cpus);
