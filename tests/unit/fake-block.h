/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/block/block.h"

/*
 * Everything engine/block/block.h declares, in memory, for tests that must know
 * when something completes and how: requests complete on the image's thread
 * after a kick, the newest first; or, while they are held, when they are let go
 * or drained. A test has one disk at a time.
 *
 * Threads: a test changes it while nothing is in flight, or only what is said
 * to be atomic.
 */
typedef struct FakeDisk {
    uint8_t *bytes;
    uint64_t size;
    bool held; /* atomic */
    int fail;  /* atomic; -errno of all that is submitted from now on */
    unsigned in_flight; /* atomic, as those below */
    unsigned kicks;
    unsigned counts[ENGINE_BLOCK_WRITE_ZEROES + 1]; /* submitted */
    unsigned fuas, unmaps;
    uint64_t offsets[64]; /* of the newest that were submitted */
    unsigned n_offsets;   /* all that were */
    unsigned strays;      /* that were not within the disk or their buffers */
} FakeDisk;

/** fake_disk_new: the one that engine_block_open() will open */
FakeDisk *fake_disk_new(uint64_t size);
void fake_disk_free(FakeDisk *disk);
/** fake_disk_hold: complete nothing, or (false) all that was held */
void fake_disk_hold(FakeDisk *disk, bool held);
