/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/api.h"
#include "core/calls.h"
#include "core/host-topology.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

#define CPUINFO_MAX (4u << 20)

/* virNodeInfo wants a regular machine: sockets x cores x threads a node. One
 * that is not regular (CPUs offline, uneven sockets) is told, as libvirt does,
 * as a single socket of so many cores. */
static void
fill_topology(const GByteArray *online, VirtkvmNodeInfo *info)
{
    g_autoptr(GHashTable) sockets = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) cores = g_hash_table_new(NULL, NULL);

    for (unsigned cpu = 0; cpu < online->len * 8; cpu++) {
        int socket, core;

        if (!core_host_has_cpu(online, cpu))
            continue;
        socket = core_host_topology(cpu, "physical_package_id");
        core = core_host_topology(cpu, "core_id");
        g_hash_table_add(sockets, GINT_TO_POINTER(socket + 1));
        g_hash_table_add(cores, GINT_TO_POINTER((socket & 0x7fff) << 16 |
                                                ((core + 1) & 0xffff)));
    }
    info->cpus = (int)core_host_count_cpus(online);
    info->sockets = (int)MAX(1, g_hash_table_size(sockets));
    info->cores = (int)MAX(1, g_hash_table_size(cores)) / info->sockets;
    info->threads = info->cpus / MAX(1, info->sockets * info->cores);
    if (info->sockets * info->cores * info->threads != info->cpus) {
        info->sockets = info->threads = 1;
        info->cores = info->cpus;
    }
}

static int
read_mhz(void)
{
    g_autofree char *text = file_read("/proc/cpuinfo", CPUINFO_MAX, NULL, NULL);
    const char *line = text ? strstr(text, "cpu MHz") : NULL;

    line = line ? strchr(line, ':') : NULL;
    return line ? (int)g_ascii_strtod(line + 1, NULL) : 0;
}

bool
core_call_node_info(VirtkvmState *state, const VirtkvmCaller *who,
                    VirtkvmNodeInfo *ret_info, GError **error)
{
    g_autoptr(GByteArray) online = g_byte_array_new();
    g_autoptr(GByteArray) nodes = g_byte_array_new();
    VirtkvmNodeInfo info = { 0 };
    struct utsname host;
    struct sysinfo memory;

    if (uname(&host) != 0 || sysinfo(&memory) != 0 ||
        !core_host_cpus("cpu/online", online)) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("cannot read the facts of this host"));
        return false;
    }
    g_strlcpy(info.model, host.machine, sizeof(info.model));
    info.memory_kib = (uint64_t)memory.totalram * memory.mem_unit / 1024;
    (void)core_host_cpus("node/online", nodes);
    info.mhz = read_mhz();
    info.nodes = (int)MAX(1, core_host_count_cpus(nodes));
    fill_topology(online, &info);
    if (info.sockets % info.nodes == 0)
        info.sockets /= info.nodes;
    else
        info.nodes = 1;
    *ret_info = info;
    return true;
}

int
core_call_node_cpu_map(VirtkvmState *state, const VirtkvmCaller *who,
                       GByteArray **ret_map, unsigned *ret_online,
                       unsigned flags, GError **error)
{
    g_autoptr(GByteArray) online = g_byte_array_new();
    g_autoptr(GByteArray) present = g_byte_array_new();

    if (!core_api_check_flags(flags, 0, "nodeGetCPUMap", error))
        return -1;
    if (!core_host_cpus("cpu/online", online) ||
        !core_host_cpus("cpu/present", present)) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("cannot read the facts of this host"));
        return -1;
    }
    if (ret_online)
        *ret_online = core_host_count_cpus(online);
    if (ret_map)
        *ret_map = g_steal_pointer(&online);
    return (int)core_host_count_cpus(present);
}

bool
core_call_version(VirtkvmState *state, const VirtkvmCaller *who,
                  unsigned long *ret_version, GError **error)
{
    unsigned major = 0, minor = 0, micro = 0;

    /* major * 1,000,000 + minor * 1,000 + release */
    if (sscanf(PACKAGE_VERSION, "%u.%u.%u", &major, &minor, &micro) < 2) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, _("the version is unknown"));
        return false;
    }
    *ret_version = major * 1000000ul + minor * 1000ul + micro;
    return true;
}
