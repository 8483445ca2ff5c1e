/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A stranger's qcow2 image: read, then written to, discarded from, flushed and
 * grown, with requests of many sizes in flight at once.
 */
#include <config.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/block/block.h"
#include "util/fd.h"
#include "util/log.h"

#define REQUESTS  48u
#define BYTES_MAX (64u << 10) /* of one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where bytes of the image may be of interest. */
static const uint64_t places[] = { 0,       512,     4096,     65536,
                                   1 << 20, 1 << 24, 1u << 30, 1ull << 40 };

typedef struct Run {
    EngineBlock *block;
    EngineBlockInfo info;
    EngineBlockRequest requests[REQUESTS];
    struct iovec iov;
    bool write;
} Run;

static void
on_done(EngineBlockRequest *request, int result)
{
}

static uint64_t
place_of(const Run *run, unsigned number)
{
    uint64_t place = places[number % G_N_ELEMENTS(places)] +
                     number / G_N_ELEMENTS(places) % 3 * 1024;

    if (number % 5 == 4)
        place = run->info.size - MIN(run->info.size, 8192);
    return MIN(place, run->info.size);
}

static EngineBlockOp
op_of(const Run *run, unsigned number)
{
    static const EngineBlockOp writes[] = {
        ENGINE_BLOCK_WRITE,        ENGINE_BLOCK_WRITE,   ENGINE_BLOCK_READ,
        ENGINE_BLOCK_WRITE_ZEROES, ENGINE_BLOCK_DISCARD, ENGINE_BLOCK_WRITE,
        ENGINE_BLOCK_FLUSH,
    };

    return run->write ? writes[number % G_N_ELEMENTS(writes)]
                      : ENGINE_BLOCK_READ;
}

static void
submit_all(void *opaque)
{
    Run *run = opaque;

    for (unsigned i = 0; i < REQUESTS; i++) {
        EngineBlockRequest *request = &run->requests[i];

        *request = (EngineBlockRequest){ .op = op_of(run, i),
                                         .offset = place_of(run, i),
                                         .size = 512u << i % 8,
                                         .iov = &run->iov,
                                         .n_iov = 1,
                                         .fua = i % 11 == 0,
                                         .unmap = i % 2 == 0,
                                         .done = on_done };
        request->size = MIN(request->size, run->info.size - request->offset);
        engine_block_submit(run->block, request);
    }
    engine_block_drain(run->block);
}

static void
try_image(EngineIo *io, int fd, bool write)
{
    g_autofree uint8_t *memory = g_malloc0(BYTES_MAX);
    EngineDriveConfig backing = { .fd = fd, .path = (char *)"backing" };
    EngineDriveConfig drive = { .format = ENGINE_DRIVE_QCOW2,
                                .fd = fd,
                                .path = (char *)"image",
                                .writable = write,
                                .backing = write ? NULL : &backing };
    g_autofree Run *run = g_new0(Run, 1);

    run->block = engine_block_open(&drive, io, NULL);
    if (!run->block)
        return;
    run->iov = (struct iovec){ memory, BYTES_MAX };
    run->write = write;
    engine_block_info(run->block, &run->info);
    engine_io_call(io, submit_all, run);
    if (write)
        (void)engine_block_resize(run->block, run->info.size + (1u << 20),
                                  NULL);
    engine_block_close(run->block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *modules = g_strdup_printf(
        "%s/.libs",
        g_getenv("abs_top_builddir") ? g_getenv("abs_top_builddir") : ".");
    g_auto(Fd) fd = memfd_create("image", MFD_CLOEXEC);
    EngineIo *io = engine_io_new("io", NULL);

    g_setenv("VIRTKVM_MODULE_DIR", modules, FALSE);
    log_init("fuzz-qcow2", 0, STDERR_FILENO);
    if (fd < 0 || !io || !fd_write_all(fd, data, size))
        abort();
    try_image(io, fd, false);
    try_image(io, fd, true);
    try_image(io, fd, true);
    engine_io_free(io);
    return 0;
}
