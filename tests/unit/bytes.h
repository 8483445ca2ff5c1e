/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Tables in memory, after <cmocka.h>. */

/* A little-endian number of @size bytes */
static inline uint64_t
le(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* With its checksum the sum of a table's bytes is zero. */
static inline void
assert_sum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    assert_int_equal(sum, 0);
}
