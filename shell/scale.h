/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Sizes as people write them. */

/**
 * vsh_scale_parse: "1048576", "512M", "1GiB" (powers of 1024), "10KB" (powers
 * of 1000), "4096b", "4096bytes"; in capital or small letters
 * @unit: bytes that a bare number counts
 * Returns: false if it is malformed or more than 64 bits hold
 */
bool vsh_scale_parse(const char *text, uint64_t unit, uint64_t *ret_bytes);

/** vsh_scale_text: "1.500 GiB": in the greatest unit that @bytes fill */
char *vsh_scale_text(uint64_t bytes);
