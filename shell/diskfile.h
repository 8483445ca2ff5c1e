/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/**
 * vsh_diskfile_format: "qcow2", if the file at @path begins as such an image
 * Returns: NULL if it doesn't, or cannot be read from here
 */
const char *vsh_diskfile_format(const char *path);
