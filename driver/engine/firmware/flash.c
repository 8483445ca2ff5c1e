/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/firmware/firmware.h"
#include "engine/firmware/flash-chip.h"
#include "engine/rom.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"

/*
 * A chip is a file, which the guest sees as it is mapped: nothing is copied,
 * and domains with the same firmware share it. One that the guest may write is
 * hidden from it while it talks to the chip (its reads are answered by the
 * chip) and shown again when it asks for the array.
 */
#define TOP       (UINT64_C(1) << 32)
#define TOTAL_MAX (8u << 20) /* bytes of both chips together */

enum { CHIP_IMAGE, CHIP_VARS };

typedef struct Flash {
    EngineDevice device;
    GMutex lock;
    const EngineFile *file; /* NULL: there is no such chip */
    bool writable;
    EngineFlashChip chip;
    EngineRom rom;
    Fd fd;
    bool shown;
    bool complained; /* since the last write that succeeded */
} Flash;

static Flash *
flash_of(EngineDevice *device)
{
    return (Flash *)device;
}

/* --- the file ------------------------------------------------------------- */
static const char *
name_of(const Flash *flash)
{
    return flash->file->path ? flash->file->path : _("firmware");
}

static bool
complain(Flash *flash)
{
    if (!flash->complained)
        log_warning(_("cannot write the firmware's variables to '%s': %s"),
                    name_of(flash), g_strerror(errno));
    flash->complained = true;
    return false;
}

static bool
store_write(void *opaque, uint64_t offset, const uint8_t *bytes, unsigned size)
{
    Flash *flash = opaque;

    while (size > 0) {
        ssize_t written = pwrite(flash->fd, bytes, size, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return complain(flash);
        bytes += written;
        offset += (uint64_t)written;
        size -= (unsigned)written;
    }
    flash->complained = false;
    return true;
}

static bool
store_sync(void *opaque)
{
    Flash *flash = opaque;

    return fdatasync(flash->fd) == 0 || complain(flash);
}

static const EngineFlashStore store = { .write = store_write,
                                        .sync = store_sync };

/* --- what the guest sees -------------------------------------------------- */
/* If KVM does not do it the guest sees what it saw; it has gone wrong anyway.
 */
static void
settle(Flash *flash)
{
    bool array = flash->chip.mode == ENGINE_FLASH_ARRAY;

    if (array == flash->shown)
        return;
    if (array ? engine_rom_show(flash->device.engine, &flash->rom, NULL)
              : engine_rom_hide(flash->device.engine, &flash->rom, NULL))
        flash->shown = array;
}

/* While another vCPU brings the array back; the file may be shorter now. */
static uint64_t
read_array(const Flash *flash, uint64_t offset, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    uint64_t value = 0;

    (void)fd_pread_all(flash->fd, bytes, size, (off_t)offset);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static uint64_t
flash_read(EngineDevice *device, unsigned region, uint64_t offset,
           unsigned size)
{
    Flash *flash = flash_of(device);
    uint64_t value;

    g_mutex_lock(&flash->lock);
    value = flash->chip.mode == ENGINE_FLASH_ARRAY
                ? read_array(flash, offset, size)
                : engine_flash_chip_read(&flash->chip, offset, size);
    g_mutex_unlock(&flash->lock);
    return value;
}

static void
flash_write(EngineDevice *device, unsigned region, uint64_t offset,
            unsigned size, uint64_t value)
{
    Flash *flash = flash_of(device);

    g_mutex_lock(&flash->lock);
    engine_flash_chip_write(&flash->chip, offset, size, value);
    settle(flash);
    g_mutex_unlock(&flash->lock);
}

static void
flash_reset(EngineDevice *device)
{
    Flash *flash = flash_of(device);

    if (!flash->writable)
        return;
    g_mutex_lock(&flash->lock);
    engine_flash_chip_reset(&flash->chip);
    settle(flash);
    g_mutex_unlock(&flash->lock);
}

static void
flash_drain(EngineDevice *device)
{
    Flash *flash = flash_of(device);

    if (!flash->writable)
        return;
    g_mutex_lock(&flash->lock);
    engine_flash_chip_sync(&flash->chip);
    g_mutex_unlock(&flash->lock);
}

/* --- the device ----------------------------------------------------------- */
/* Returns: a descriptor of the device's own, -1 with errno set */
static int
open_file(const Flash *flash)
{
    int access = flash->writable ? O_RDWR : O_RDONLY;

    if (flash->file->fd >= 0)
        return fcntl(flash->file->fd, F_DUPFD_CLOEXEC, 0);
    return open(flash->file->path, access | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static bool
measure(Flash *flash, uint64_t *ret_size, GError **error)
{
    struct stat info;

    flash->fd = open_file(flash);
    if (flash->fd < 0 || fstat(flash->fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), name_of(flash));
        return false;
    }
    if (!S_ISREG(info.st_mode)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("'%s' is not a regular file"),
                  name_of(flash));
        return false;
    }
    if (info.st_size <= 0 || info.st_size > TOTAL_MAX ||
        info.st_size % ENGINE_FLASH_BLOCK != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' has %lld bytes, not the size of a flash chip: a "
                    "multiple of %u, at most %u"),
                  name_of(flash), (long long)info.st_size, ENGINE_FLASH_BLOCK,
                  TOTAL_MAX);
        return false;
    }
    *ret_size = (uint64_t)info.st_size;
    return true;
}

/* The image ends at 4 GiB, the variables are below it. */
static bool
place(Flash *flash, uint64_t size, GError **error)
{
    uint64_t top = TOP;

    if (flash->device.index == CHIP_VARS)
        top = flash_of(engine_device_find(flash->device.engine,
                                          &engine_flash_type, CHIP_IMAGE))
                  ->rom.gpa;
    if (TOP - top + size > TOTAL_MAX) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' does not fit: flash chips have %u bytes at most "
                    "together"),
                  name_of(flash), TOTAL_MAX);
        return false;
    }
    flash->rom = (EngineRom){ .number = flash->device.index,
                              .gpa = top - size,
                              .size = size };
    return true;
}

static bool
map(Flash *flash, GError **error)
{
    void *host =
        mmap(NULL, flash->rom.size, PROT_READ, MAP_SHARED, flash->fd, 0);

    if (host == MAP_FAILED) {
        error_set_errno(error, errno, _("cannot map '%s'"), name_of(flash));
        return false;
    }
    flash->rom.host = host;
    return true;
}

static void
flash_unrealize(EngineDevice *device)
{
    Flash *flash = flash_of(device);

    flash_drain(device);
    if (flash->shown)
        (void)engine_rom_hide(device->engine, &flash->rom, NULL);
    if (flash->rom.host)
        munmap(flash->rom.host, flash->rom.size);
    flash->rom.host = NULL;
    fd_clear(&flash->fd);
    g_mutex_clear(&flash->lock);
}

/* Writes to what is read-only go nowhere. */
static bool
connect_bus(Flash *flash, GError **error)
{
    return !flash->writable ||
           engine_bus_map(flash->device.engine, &flash->device,
                          ENGINE_SPACE_MMIO, flash->rom.gpa, flash->rom.size, 0,
                          error);
}

/* Which of the firmware's files it is, if any */
static void
choose(Flash *flash, const EngineFirmwareConfig *firmware)
{
    bool vars = flash->device.index == CHIP_VARS;
    const EngineFile *file = vars ? &firmware->vars : &firmware->image;

    if (firmware->type != ENGINE_FIRMWARE_FLASH || !engine_file_is_named(file))
        return;
    flash->file = file;
    flash->writable = vars || firmware->writable;
}

static bool
flash_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
              unsigned index, GError **error)
{
    Flash *flash = flash_of(device);
    uint64_t size;

    flash->fd = -1;
    g_mutex_init(&flash->lock);
    choose(flash, &config->firmware);
    if (!flash->file)
        return true;
    if (measure(flash, &size, error) && place(flash, size, error) &&
        map(flash, error) && engine_rom_show(engine, &flash->rom, error)) {
        flash->shown = true;
        flash->chip =
            (EngineFlashChip){ .store = &store, .opaque = flash, .size = size };
        engine_flash_chip_reset(&flash->chip);
        if (connect_bus(flash, error))
            return true;
    }
    flash_unrealize(device);
    return false;
}

const EngineDeviceType engine_flash_type = {
    .name = "flash",
    .size = sizeof(Flash),
    .realize = flash_realize,
    .unrealize = flash_unrealize,
    .reset = flash_reset,
    .drain = flash_drain,
    .read = flash_read,
    .write = flash_write,
};
