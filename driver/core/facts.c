/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/facts.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "conf/domain.h"
#include "core/calls.h"
#include "core/host-topology.h"
#include "util/file.h"

#define MACHINE_ID_MAX_BYTES 64

struct CoreHostFacts {
    GMutex lock;
    bool known;
    ConfHost host;
    gpointer kept;    /* of the profile's host_fill */
    GArray *cells;    /* ConfHostCell */
    GPtrArray *owned; /* what the cells point to: g_free() */
};

CoreHostFacts *
core_facts_new(void)
{
    CoreHostFacts *facts = g_new0(CoreHostFacts, 1);

    g_mutex_init(&facts->lock);
    facts->cells = g_array_new(FALSE, TRUE, sizeof(ConfHostCell));
    facts->owned = g_ptr_array_new_with_free_func(g_free);
    return facts;
}

void
core_facts_free(VirtkvmState *state)
{
    CoreHostFacts *facts = state->facts;

    if (state->profile->host_free)
        state->profile->host_free(facts->kept);
    g_array_unref(facts->cells);
    g_ptr_array_unref(facts->owned);
    g_mutex_clear(&facts->lock);
    g_free(facts);
}

/* The machine's id is nobody else's business: a digest of it stands for it. */
static void
fill_uuid(VirtkvmState *state, ConfHost *host)
{
    g_autofree char *id =
        file_read("/etc/machine-id", MACHINE_ID_MAX_BYTES, NULL, NULL);
    g_autofree char *text =
        g_strconcat("virtkvm:", id ? id : state->boot_id, NULL);
    g_autofree char *digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

    digest[2 * VIR_UUID_BUFLEN] = '\0';
    (void)conf_uuid_parse(digest, host->uuid);
    host->uuid[6] = (host->uuid[6] & 0x0f) | 0x80; /* RFC 9562: version 8 */
    host->uuid[8] = (host->uuid[8] & 0x3f) | 0x80;
}

static void
fill_thread(CoreHostFacts *facts, unsigned cpu, ConfHostThread *thread)
{
    char *siblings = core_host_topology_text(cpu, "thread_siblings_list");

    if (siblings)
        g_ptr_array_add(facts->owned, siblings);
    thread->id = cpu;
    thread->socket_id =
        (unsigned)core_host_topology(cpu, "physical_package_id");
    thread->die_id = (unsigned)core_host_topology(cpu, "die_id");
    thread->core_id = (unsigned)core_host_topology(cpu, "core_id");
    thread->siblings = siblings;
}

static void
add_cell(CoreHostFacts *facts, unsigned id, uint64_t memory_kib,
         const GByteArray *cpus)
{
    unsigned count = core_host_count_cpus(cpus);
    ConfHostThread *threads = g_new0(ConfHostThread, count + 1);
    ConfHostCell cell = { .id = id,
                          .memory_kib = memory_kib,
                          .threads = threads,
                          .n_threads = count };
    unsigned next = 0;

    g_ptr_array_add(facts->owned, threads);
    for (unsigned cpu = 0; cpu < cpus->len * 8; cpu++)
        if (core_host_has_cpu(cpus, cpu))
            fill_thread(facts, cpu, &threads[next++]);
    g_array_append_val(facts->cells, cell);
}

static void
add_node(CoreHostFacts *facts, unsigned node)
{
    g_autofree char *file = g_strdup_printf("node/node%u/cpulist", node);
    g_autoptr(GByteArray) cpus = g_byte_array_new();

    if (core_host_cpus(file, cpus))
        add_cell(facts, node, core_host_node_memory_kib(node), cpus);
}

/* A kernel without NUMA is one node. */
static void
fill_cells(CoreHostFacts *facts, uint64_t memory_kib)
{
    g_autoptr(GByteArray) nodes = g_byte_array_new();
    g_autoptr(GByteArray) online = g_byte_array_new();

    if (core_host_cpus("node/online", nodes))
        for (unsigned node = 0; node < nodes->len * 8; node++)
            if (core_host_has_cpu(nodes, node))
                add_node(facts, node);
    if (facts->cells->len == 0 && core_host_cpus("cpu/online", online))
        add_cell(facts, 0, memory_kib, online);
    facts->host.cells = (const ConfHostCell *)(void *)facts->cells->data;
    facts->host.n_cells = facts->cells->len;
}

static void
fill(VirtkvmState *state)
{
    CoreHostFacts *facts = state->facts;
    ConfHost *host = &facts->host;
    VirtkvmNodeInfo node = { .sockets = 1, .cores = 1, .threads = 1 };

    (void)core_call_node_info(state, NULL, &node, NULL);
    fill_uuid(state, host);
    host->engine_path = state->host->engine_path;
    host->max_vcpus = CONF_VCPUS_MAX;
    host->sockets = (unsigned)node.sockets;
    host->dies = 1;
    host->cores = (unsigned)node.cores;
    host->threads = (unsigned)node.threads;
    fill_cells(facts, node.memory_kib);
    if (state->profile->host_fill)
        facts->kept = state->profile->host_fill(host);
}

const ConfHost *
core_facts_get(VirtkvmState *state)
{
    CoreHostFacts *facts = state->facts;

    g_mutex_lock(&facts->lock);
    if (!facts->known)
        fill(state);
    facts->known = true;
    g_mutex_unlock(&facts->lock);
    return &facts->host;
}
