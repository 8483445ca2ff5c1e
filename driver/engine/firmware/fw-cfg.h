/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/*
 * The firmware configuration device: numbered items and named files that a
 * firmware reads, by ports or by DMA (docs/specs/fw_cfg of QEMU, whose
 * interface it is). A machine without firmware has none.
 *
 * Everything the guest sees is put there by engine_firmware_load() before the
 * guest runs, or by a hook at the moment when the guest asks for it.
 */

/** Items by number, those of the specification; little-endian. */
enum {
    ENGINE_FW_CFG_SIGNATURE = 0x00,
    ENGINE_FW_CFG_ID = 0x01,
    ENGINE_FW_CFG_UUID = 0x02,
    ENGINE_FW_CFG_RAM_SIZE = 0x03,
    ENGINE_FW_CFG_NO_GRAPHICS = 0x04,
    ENGINE_FW_CFG_CPUS = 0x05,
    ENGINE_FW_CFG_KERNEL_SIZE = 0x08,
    ENGINE_FW_CFG_INITRD_SIZE = 0x0b,
    ENGINE_FW_CFG_NUMA = 0x0d,
    ENGINE_FW_CFG_BOOT_MENU = 0x0e,
    ENGINE_FW_CFG_MAX_CPUS = 0x0f,
    ENGINE_FW_CFG_KERNEL_DATA = 0x11,
    ENGINE_FW_CFG_INITRD_DATA = 0x12,
    ENGINE_FW_CFG_CMDLINE_SIZE = 0x14,
    ENGINE_FW_CFG_CMDLINE_DATA = 0x15,
    ENGINE_FW_CFG_SETUP_SIZE = 0x17,
    ENGINE_FW_CFG_SETUP_DATA = 0x18,
    ENGINE_FW_CFG_DIRECTORY = 0x19,
    ENGINE_FW_CFG_FILES = 0x20, /* the first named one */
    ENGINE_FW_CFG_ACPI = 0x8000,
    ENGINE_FW_CFG_SMBIOS = 0x8001,
    ENGINE_FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

#define ENGINE_FW_CFG_FILES_MAX 128
#define ENGINE_FW_CFG_NAME_MAX  55 /* bytes */

/** engine_fw_cfg_clear: no items, no files. Thread: main, no vCPU runs */
void engine_fw_cfg_clear(Engine *engine);

/** engine_fw_cfg_put: an item's contents, copied. Thread: as clear */
void engine_fw_cfg_put(Engine *engine, unsigned key, const void *data,
                       size_t size);
void engine_fw_cfg_put_number(Engine *engine, unsigned key, uint64_t value,
                              unsigned size);

/**
 * engine_fw_cfg_put_file: add a named file, or replace its contents
 * @name: constant, at most ENGINE_FW_CFG_NAME_MAX bytes
 * Thread: as clear; of a file that is there, any, if the size stays the same
 */
void engine_fw_cfg_put_file(Engine *engine, const char *name, const void *data,
                            size_t size);
void engine_fw_cfg_put_file_number(Engine *engine, const char *name,
                                   uint64_t value, unsigned size);

/** engine_fw_cfg_put_image: an item of a file's contents: @size bytes of @fd
 * from @offset on, read when the guest reads. @fd: stays the caller's, open as
 * long as the item is there */
void engine_fw_cfg_put_image(Engine *engine, unsigned key, int fd,
                             uint64_t offset, uint32_t size);

/** Called when the guest selects a file, before it reads. Thread: vCPU */
typedef void (*EngineFwCfgHook)(Engine *engine);
void engine_fw_cfg_set_hook(Engine *engine, const char *name,
                            EngineFwCfgHook hook);
