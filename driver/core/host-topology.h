/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The host's processors and memory nodes, as its kernel tells. */

/** core_host_cpus: set a bit in @map for each number in a list file below
 * /sys/devices/system; false if there is no such file */
bool core_host_cpus(const char *file, GByteArray *map);
bool core_host_has_cpu(const GByteArray *map, unsigned cpu);
unsigned core_host_count_cpus(const GByteArray *map);

/** core_host_topology: a number from the CPU's topology folder; 0: unknown */
int core_host_topology(unsigned cpu, const char *what);
/** core_host_topology_text: the same as it stands there, or NULL */
char *core_host_topology_text(unsigned cpu, const char *what);

uint64_t core_host_node_memory_kib(unsigned node);
