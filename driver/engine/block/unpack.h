/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The module engine-unpack.so, which knows how to unpack clusters of qcow2
 * images. It is loaded, from $VIRTKVM_MODULE_DIR or $(pkglibdir), with the
 * first compressed cluster that is read: an engine that reads none does without
 * the libraries.
 */
#define ENGINE_UNPACK_MODULE   "engine-unpack.so"
#define ENGINE_UNPACK_FUNCTION "virtkvm_engine_unpack"

/** What the function is: fill @out, all @out_size bytes of it, from the stream
 * that begins at @in. Thread: any. Returns: false: it doesn't give as much */
typedef bool EngineUnpackFunction(bool zstd, const void *in, size_t in_size,
                                  void *out, size_t out_size);
EngineUnpackFunction virtkvm_engine_unpack
    __attribute__((visibility("default")));
