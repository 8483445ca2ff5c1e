/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A NOR flash chip, eight bits wide, with Intel's command set: what the writes
 * of a guest mean, and what its reads answer while it does not see the array
 * (JEDEC JESD68.01, Common Flash Interface, with command set 0x0001). A word of
 * several bytes is programmed at once; a command is its lowest byte.
 *
 * As virtual machines have always had it and firmware expects it: programming
 * can set bits as well as clear them, every operation ends at once, blocks are
 * never locked.
 */
#define ENGINE_FLASH_BLOCK 4096 /* bytes: what is erased at once */
#define ENGINE_FLASH_BUFFER                          \
    256 /* bytes: what is programmed at once at most \
         */

typedef enum EngineFlashMode {
    ENGINE_FLASH_ARRAY = 0,
    ENGINE_FLASH_STATUS,
    ENGINE_FLASH_IDENTITY,
    ENGINE_FLASH_QUERY,
} EngineFlashMode;

typedef enum EngineFlashWait {
    ENGINE_FLASH_COMMAND = 0,
    ENGINE_FLASH_DATA,
    ENGINE_FLASH_ERASE,
    ENGINE_FLASH_LOCK,
    ENGINE_FLASH_COUNT,
    ENGINE_FLASH_FILL,
    ENGINE_FLASH_CONFIRM,
} EngineFlashWait;

/** Where the bytes are. Each answers false if that failed: the chip's status
 * tells the guest. */
typedef struct EngineFlashStore {
    bool (*write)(void *opaque, uint64_t offset, const uint8_t *bytes,
                  unsigned size);
    /** Nothing that is written later may be kept while what was written before
     * is lost */
    bool (*sync)(void *opaque);
} EngineFlashStore;

typedef struct EngineFlashChip {
    const EngineFlashStore *store;
    void *opaque;
    uint64_t size; /* bytes, a multiple of ENGINE_FLASH_BLOCK */
    EngineFlashMode mode;
    EngineFlashWait wait; /* what the next write is */
    uint8_t status;
    bool dirty;          /* something is written and not in sync */
    uint64_t block;      /* that the buffer is for */
    unsigned left;       /* bytes that the buffer still takes */
    unsigned start, end; /* in the block, what is in the buffer */
    uint8_t buffer[ENGINE_FLASH_BUFFER];
} EngineFlashChip;

/** engine_flash_chip_reset: as after power-on; what was written is in sync */
void engine_flash_chip_reset(EngineFlashChip *chip);

/** engine_flash_chip_read: in any mode but ENGINE_FLASH_ARRAY
 * @size: 1, 2, 4 or 8 bytes, little-endian */
uint64_t engine_flash_chip_read(const EngineFlashChip *chip, uint64_t offset,
                                unsigned size);

/** engine_flash_chip_write: @offset + @size lies in the chip */
void engine_flash_chip_write(EngineFlashChip *chip, uint64_t offset,
                             unsigned size, uint64_t value);

/** engine_flash_chip_sync: what was written is kept from here on */
void engine_flash_chip_sync(EngineFlashChip *chip);
