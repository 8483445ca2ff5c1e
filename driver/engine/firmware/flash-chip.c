/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/flash-chip.h"

#include <string.h>

/* JESD68.01 and the data sheets of Intel's 28F parts */
enum {
    COMMAND_ARRAY_AMD = 0xf0, /* what a probe for other chips sends first */
    COMMAND_ARRAY = 0xff,
    COMMAND_PROGRAM = 0x10,
    COMMAND_PROGRAM_OTHER = 0x40,
    COMMAND_ERASE = 0x20,
    COMMAND_BLOCK_ERASE = 0x28,
    COMMAND_CLEAR_STATUS = 0x50,
    COMMAND_LOCK = 0x60,
    COMMAND_STATUS = 0x70,
    COMMAND_IDENTITY = 0x90,
    COMMAND_QUERY = 0x98,
    COMMAND_CONFIRM = 0xd0,
    COMMAND_BUFFER = 0xe8,
};

#define STATUS_READY         0x80
#define STATUS_ERASE_ERROR   0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_SEQUENCE      (STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)

#define ERASED 0xff

static const uint8_t identity[] = { 0x89, 0x18 }; /* Intel, 28F128J3 */

#define QUERY_BASE    0x10
#define QUERY_SIZE_AT 0x27
#define QUERY_BLOCKS  0x2d

/* From QUERY_BASE on; what depends on the chip's size is filled in later. */
static const uint8_t query[] = {
    [0x10 - QUERY_BASE] = 'Q',
    [0x11 - QUERY_BASE] = 'R',
    [0x12 - QUERY_BASE] = 'Y',
    [0x13 - QUERY_BASE] = 0x01, /* command set 0x0001 */
    [0x15 - QUERY_BASE] = 0x31, /* its own table */
    [0x1b - QUERY_BASE] = 0x45, /* 4.5 V */
    [0x1c - QUERY_BASE] = 0x55, /* 5.5 V */
    [0x1f - QUERY_BASE] = 0x07, /* 2^7 us to program */
    [0x20 - QUERY_BASE] = 0x07, /* the same for a buffer */
    [0x21 - QUERY_BASE] = 0x0a, /* 2^10 ms to erase */
    [0x23 - QUERY_BASE] = 0x04, /* 2^4 times that at most */
    [0x24 - QUERY_BASE] = 0x04,
    [0x25 - QUERY_BASE] = 0x04,
    [0x2a - QUERY_BASE] = 0x08, /* a buffer of 2^8 bytes */
    [0x2c - QUERY_BASE] = 0x01, /* one region of blocks of a kind */
    [0x31 - QUERY_BASE] = 'P',
    [0x32 - QUERY_BASE] = 'R',
    [0x33 - QUERY_BASE] = 'I',
    [0x34 - QUERY_BASE] = '1',
    [0x35 - QUERY_BASE] = '0',
};

/* The exponent of the smallest power of two that is not less */
static uint8_t
log2_of(uint64_t size)
{
    uint8_t bits = 0;

    while ((UINT64_C(1) << bits) < size)
        bits++;
    return bits;
}

static uint8_t
query_byte(const EngineFlashChip *chip, unsigned offset)
{
    uint32_t blocks = (uint32_t)(chip->size / ENGINE_FLASH_BLOCK) - 1;
    uint32_t unit = ENGINE_FLASH_BLOCK / 256;
    const uint8_t region[] = { (uint8_t)blocks, (uint8_t)(blocks >> 8),
                               (uint8_t)unit, (uint8_t)(unit >> 8) };

    if (offset == QUERY_SIZE_AT)
        return log2_of(chip->size);
    if (offset >= QUERY_BLOCKS && offset < QUERY_BLOCKS + sizeof(region))
        return region[offset - QUERY_BLOCKS];
    if (offset < QUERY_BASE || offset - QUERY_BASE >= sizeof(query))
        return 0;
    return query[offset - QUERY_BASE];
}

static uint8_t
read_byte(const EngineFlashChip *chip, uint64_t offset)
{
    unsigned at = (unsigned)(offset & 0xff);

    switch (chip->mode) {
    case ENGINE_FLASH_IDENTITY:
        return at < sizeof(identity) ? identity[at] : 0;
    case ENGINE_FLASH_QUERY:
        return query_byte(chip, at);
    case ENGINE_FLASH_ARRAY:
    case ENGINE_FLASH_STATUS:
        break;
    }
    return chip->status;
}

uint64_t
engine_flash_chip_read(const EngineFlashChip *chip, uint64_t offset,
                       unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_byte(chip, offset + i) << (8 * i);
    return value;
}

void
engine_flash_chip_sync(EngineFlashChip *chip)
{
    if (!chip->dirty)
        return;
    chip->dirty = false;
    if (!chip->store->sync(chip->opaque))
        chip->status |= STATUS_PROGRAM_ERROR;
}

static void
show(EngineFlashChip *chip, EngineFlashMode mode)
{
    chip->mode = mode;
    chip->wait = ENGINE_FLASH_COMMAND;
}

static void
show_array(EngineFlashChip *chip)
{
    engine_flash_chip_sync(chip);
    show(chip, ENGINE_FLASH_ARRAY);
}

void
engine_flash_chip_reset(EngineFlashChip *chip)
{
    show_array(chip);
    chip->status = STATUS_READY;
}

/* The status shows until the next command. */
static void
done(EngineFlashChip *chip, uint8_t errors)
{
    show(chip, ENGINE_FLASH_STATUS);
    chip->status |= STATUS_READY | errors;
}

static void
program(EngineFlashChip *chip, uint64_t offset, const uint8_t *bytes,
        unsigned size)
{
    chip->dirty = true;
    done(chip, chip->store->write(chip->opaque, offset, bytes, size)
                   ? 0
                   : STATUS_PROGRAM_ERROR);
}

static void
program_word(EngineFlashChip *chip, uint64_t offset, unsigned size,
             uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    program(chip, offset, bytes, size);
}

static bool
blank(EngineFlashChip *chip, uint64_t block)
{
    uint8_t bytes[256];

    memset(bytes, ERASED, sizeof(bytes));
    for (unsigned at = 0; at < ENGINE_FLASH_BLOCK; at += sizeof(bytes))
        if (!chip->store->write(chip->opaque, block + at, bytes, sizeof(bytes)))
            return false;
    return true;
}

static void
erase(EngineFlashChip *chip, uint64_t offset)
{
    bool erased;

    chip->dirty = true;
    erased = blank(chip, offset - offset % ENGINE_FLASH_BLOCK);
    engine_flash_chip_sync(chip);
    done(chip, erased ? 0 : STATUS_ERASE_ERROR);
}

/* @value is how many bytes less one. */
static void
begin_buffer(EngineFlashChip *chip, uint64_t offset, uint64_t value)
{
    if (value >= ENGINE_FLASH_BUFFER) {
        done(chip, STATUS_SEQUENCE);
        return;
    }
    chip->left = (unsigned)value + 1;
    chip->block = offset - offset % ENGINE_FLASH_BLOCK;
    chip->start = chip->end = 0;
    chip->wait = ENGINE_FLASH_FILL;
}

/* The bytes come in the order of their addresses, or the buffer is left. */
static void
fill_buffer(EngineFlashChip *chip, uint64_t offset, unsigned size,
            uint64_t value)
{
    bool first = chip->end == chip->start;
    unsigned at = (unsigned)(offset - chip->block);

    if (offset < chip->block || offset - chip->block >= ENGINE_FLASH_BLOCK ||
        size > chip->left || (!first && at != chip->end)) {
        done(chip, STATUS_SEQUENCE);
        return;
    }
    if (first)
        chip->start = chip->end = at;
    for (unsigned i = 0; i < size; i++)
        chip->buffer[chip->end++ - chip->start] = (uint8_t)(value >> (8 * i));
    chip->left -= size;
    if (chip->left == 0)
        chip->wait = ENGINE_FLASH_CONFIRM;
}

static void
finish_buffer(EngineFlashChip *chip, uint8_t command)
{
    if (command != COMMAND_CONFIRM || chip->block + chip->end > chip->size) {
        done(chip, STATUS_SEQUENCE);
        return;
    }
    program(chip, chip->block + chip->start, chip->buffer,
            chip->end - chip->start);
}

static void
expect(EngineFlashChip *chip, EngineFlashWait wait)
{
    show(chip, ENGINE_FLASH_STATUS);
    chip->status |= STATUS_READY;
    chip->wait = wait;
}

static void
begin(EngineFlashChip *chip, uint8_t command)
{
    switch (command) {
    case COMMAND_PROGRAM:
    case COMMAND_PROGRAM_OTHER:
        expect(chip, ENGINE_FLASH_DATA);
        break;
    case COMMAND_ERASE:
    case COMMAND_BLOCK_ERASE:
        expect(chip, ENGINE_FLASH_ERASE);
        break;
    case COMMAND_BUFFER:
        expect(chip, ENGINE_FLASH_COUNT);
        break;
    case COMMAND_LOCK:
        expect(chip, ENGINE_FLASH_LOCK);
        break;
    case COMMAND_STATUS:
        show(chip, ENGINE_FLASH_STATUS);
        break;
    case COMMAND_IDENTITY:
        show(chip, ENGINE_FLASH_IDENTITY);
        break;
    case COMMAND_QUERY:
        show(chip, ENGINE_FLASH_QUERY);
        break;
    case COMMAND_CLEAR_STATUS: /* of the ready bit, too: firmware that looks
                                  for a chip takes it by that */
        show_array(chip);
        chip->status = 0;
        break;
    case COMMAND_ARRAY:
    case COMMAND_ARRAY_AMD:
    default: /* no command: as if nothing had been */
        show_array(chip);
        break;
    }
}

/* The second write of an erasure or of the blocks' locks, which are none. */
static void
confirm_erase(EngineFlashChip *chip, uint64_t offset, uint8_t command)
{
    if (command == COMMAND_CONFIRM)
        erase(chip, offset);
    else if (command == COMMAND_ARRAY)
        show_array(chip);
    else
        done(chip, STATUS_SEQUENCE);
}

static void
confirm_lock(EngineFlashChip *chip, uint8_t command)
{
    if (command == COMMAND_ARRAY)
        show_array(chip);
    else
        done(chip, 0);
}

void
engine_flash_chip_write(EngineFlashChip *chip, uint64_t offset, unsigned size,
                        uint64_t value)
{
    uint8_t command = (uint8_t)value;

    switch (chip->wait) {
    case ENGINE_FLASH_COMMAND:
        begin(chip, command);
        break;
    case ENGINE_FLASH_DATA:
        program_word(chip, offset, size, value);
        break;
    case ENGINE_FLASH_ERASE:
        confirm_erase(chip, offset, command);
        break;
    case ENGINE_FLASH_LOCK:
        confirm_lock(chip, command);
        break;
    case ENGINE_FLASH_COUNT:
        begin_buffer(chip, offset, value);
        break;
    case ENGINE_FLASH_FILL:
        fill_buffer(chip, offset, size, value);
        break;
    case ENGINE_FLASH_CONFIRM:
        finish_buffer(chip, command);
        break;
    }
}
