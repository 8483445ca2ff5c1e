/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * file_replace: put @size bytes of @data at @path, atomically and durably
 *
 * Writes a temporary file in the same folder, fsyncs it, renames it over
 * @path and fsyncs the folder: after a crash @path is whole, old or new.
 * @mode: permission bits of the new file
 * Returns: true; on false @error is SYSTEM_ERROR and @path is as it was
 */
bool file_replace(const char *path, const void *data, size_t size, mode_t mode,
                  GError **error);

/**
 * file_draft_new: the first half of file_replace(), for what must not fail any
 * more once something else has been done: all is written but for the name
 * file_draft_keep: the second half
 * file_draft_free: leaves @path as it is, unless it was kept; NULL is fine
 */
typedef struct FileDraft FileDraft;
FileDraft *file_draft_new(const char *path, const void *data, size_t size,
                          mode_t mode, GError **error);
bool file_draft_keep(FileDraft *draft, GError **error);
void file_draft_free(FileDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileDraft, file_draft_free)

/** file_replace_volatile: the same without fsync, for files below /run */
bool file_replace_volatile(const char *path, const void *data, size_t size,
                           mode_t mode, GError **error);

/**
 * file_read: the whole file as a NUL-terminated string
 * @max: bytes; a larger file is refused with VIR_ERR_INVALID_ARG
 * @ret_size: bytes without the NUL; may be NULL
 */
char *file_read(const char *path, size_t max, size_t *ret_size, GError **error);

/** file_remove: unlink @path and fsync its folder; true if it was not there */
bool file_remove(const char *path, GError **error);

/** file_make_dirs: mkdir -p with @mode for what is made */
bool file_make_dirs(const char *path, mode_t mode, GError **error);

/**
 * file_lock: open @path (made if absent) and take an exclusive OFD lock
 * Returns: descriptor that holds the lock until closed, or -1 with
 * VIR_ERR_RESOURCE_BUSY if another holds it
 */
int file_lock(const char *path, GError **error);
