/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/host-topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"

#define SYS_SYSTEM    "/sys/devices/system"
#define SYS_FILE_MAX  65536
#define HOST_CPUS_MAX 8192

static void
set_bit(GByteArray *map, unsigned bit)
{
    guint old = map->len;

    if (old <= bit / 8) {
        g_byte_array_set_size(map, bit / 8 + 1);
        memset(map->data + old, 0, map->len - old);
    }
    map->data[bit / 8] |= (guint8)(1u << (bit % 8));
}

bool
core_host_cpus(const char *file, GByteArray *map)
{
    g_autofree char *path = g_build_filename(SYS_SYSTEM, file, NULL);
    g_autofree char *text = file_read(path, SYS_FILE_MAX, NULL, NULL);
    const char *next = text;

    while (next && g_ascii_isdigit(*next)) {
        char *end;
        unsigned long first = strtoul(next, &end, 10);
        unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

        for (unsigned long cpu = first; cpu <= last && cpu < HOST_CPUS_MAX;
             cpu++)
            set_bit(map, (unsigned)cpu);
        next = *end == ',' ? end + 1 : NULL;
    }
    return text != NULL;
}

bool
core_host_has_cpu(const GByteArray *map, unsigned cpu)
{
    return cpu / 8 < map->len && (map->data[cpu / 8] >> (cpu % 8) & 1);
}

unsigned
core_host_count_cpus(const GByteArray *map)
{
    unsigned count = 0;

    for (unsigned cpu = 0; cpu < map->len * 8; cpu++)
        count += core_host_has_cpu(map, cpu);
    return count;
}

char *
core_host_topology_text(unsigned cpu, const char *what)
{
    g_autofree char *path =
        g_strdup_printf(SYS_SYSTEM "/cpu/cpu%u/topology/%s", cpu, what);
    char *text = file_read(path, SYS_FILE_MAX, NULL, NULL);

    return text ? g_strstrip(text) : NULL;
}

/* A virtual machine's may answer -1: nothing is known. */
int
core_host_topology(unsigned cpu, const char *what)
{
    g_autofree char *text = core_host_topology_text(cpu, what);

    return text ? MAX(0, atoi(text)) : 0;
}

uint64_t
core_host_node_memory_kib(unsigned node)
{
    g_autofree char *path =
        g_strdup_printf(SYS_SYSTEM "/node/node%u/meminfo", node);
    g_autofree char *text = file_read(path, SYS_FILE_MAX, NULL, NULL);
    const char *line = text ? strstr(text, "MemTotal:") : NULL;

    return line ? g_ascii_strtoull(line + strlen("MemTotal:"), NULL, 10) : 0;
}
