/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The unpacking of bzImages. A setup header is put before the input, which is
 * the compressed payload: what a fuzzer does to the header says little.
 */
#include <config.h>

#include <asm/bootparam.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/x86/boot.h"
#include "util/fd.h"

#define SETUP_SIZE (2u * 512)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *image = g_malloc0(SETUP_SIZE + size);
    struct setup_header *header = (void *)(image + 0x1f1);
    g_auto(Fd) fd = -1;
    g_auto(Fd) null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    header->setup_sects = 1;
    header->boot_flag = 0xaa55;
    header->header = 0x53726448;
    header->version = 0x020f;
    header->payload_length = (uint32_t)size;
    memcpy(image + SETUP_SIZE, data, size);
    fd = fd_memfd("kernel", image, SETUP_SIZE + size);
    if (fd < 0 || null < 0)
        abort();
    engine_kernel_unpack(fd, "kernel", null, NULL);
    return 0;
}
