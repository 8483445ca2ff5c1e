/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The boot loaders on a foreign kernel. The input is the kernel file; the
 * guest has 8 MiB of memory with a hole, so that most addresses are wrong.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/x86/boot.h"
#include "util/fd.h"

#define RAM_SIZE (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of its own size: the sanitizer sees a byte beyond it. */
struct Engine {
    uint8_t *ram;
};

void *
engine_memory_at(Engine *engine, uint64_t gpa, size_t size)
{
    if (gpa > RAM_SIZE || size > RAM_SIZE - gpa)
        return NULL;
    return engine->ram + gpa;
}

bool
engine_memory_write(Engine *engine, uint64_t gpa, const void *buffer,
                    size_t size)
{
    void *to = engine_memory_at(engine, gpa, size);

    if (to)
        memcpy(to, buffer, size);
    return to != NULL;
}

bool
engine_memory_read(Engine *engine, uint64_t gpa, void *buffer, size_t size)
{
    void *from = engine_memory_at(engine, gpa, size);

    if (from)
        memcpy(buffer, from, size);
    return from != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const EngineE820 map[] = {
        { 0, 0x9fc00, 1 },
        { 0x9fc00, 0x60400, 2 },
        { 0x100000, 0x300000, 1 },
        { 0x500000, 0x300000, 1 },
    };
    static const char cmdline[] = "console=ttyS0";
    g_auto(Fd) kernel = fd_memfd("kernel", data, size);
    g_auto(Fd) initrd = fd_memfd("initrd", cmdline, sizeof cmdline);
    EngineConfig config = {
        .memory = RAM_SIZE,
        .kernel = { .fd = kernel },
        .initrd = { .fd = initrd },
        .cmdline = (char *)cmdline,
    };
    Engine engine = { .ram = calloc(1, RAM_SIZE) };
    EngineBoot boot = { 0 };

    if (!engine.ram || kernel < 0 || initrd < 0)
        abort();
    /* What is accepted begins in memory. */
    if (engine_boot_load(&engine, &config, map, G_N_ELEMENTS(map), 0xe0000,
                         &boot, NULL) &&
        !engine_memory_at(&engine, boot.entry, 1))
        abort();
    free(engine.ram);
    return 0;
}
