/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "engine/io.h"

/*
 * Asynchronous operations on files: by io_uring, and by threads where that is
 * not allowed or not asked for, and for what io_uring can't do. The threads are
 * started when there is work for them, and end when there is none.
 *
 * Threads: all functions are called on the thread of the EngineIo.
 */
typedef struct EngineAio EngineAio;
typedef struct EngineAioOp EngineAioOp;

typedef enum EngineAioKind {
    ENGINE_AIO_READ,
    ENGINE_AIO_WRITE,
    ENGINE_AIO_SYNC,     /* fdatasync() */
    ENGINE_AIO_ALLOCATE, /* fallocate() with `mode` */
    ENGINE_AIO_JOB,      /* job() on another thread */
} EngineAioKind;

/** The caller's memory until done(), which may free it and begin others. */
struct EngineAioOp {
    EngineAioKind kind;
    int fd;
    int number; /* engine_aio_add_file()'s */
    int mode;
    const struct iovec *iov; /* at most IOV_MAX */
    unsigned n_iov;
    uint64_t offset, size;
    int (*job)(EngineAioOp *op); /* Returns: done()'s result */
    /** @result: bytes, 0 for other kinds than READ and WRITE; -errno */
    void (*done)(EngineAioOp *op, int result);
    /* aio's own */
    EngineAioOp *next;
    int result;
};

/** engine_aio_new: @ring: by io_uring, where that is possible */
EngineAio *engine_aio_new(EngineIo *io, bool ring, GError **error);
/** engine_aio_free: nothing may be in flight; NULL is fine */
void engine_aio_free(EngineAio *aio);
/** engine_aio_has_ring: whether it is io_uring */
bool engine_aio_has_ring(const EngineAio *aio);

/** engine_aio_add_file: @fd will be used much. Returns: its number for ops; -1
 * is a number too */
int engine_aio_add_file(EngineAio *aio, int fd);

/** engine_aio_set_turn: @turn is called by each kick, before the kernel is: the
 * place for what must not be done from inside a submission */
void engine_aio_set_turn(EngineAio *aio, EngineIoFn turn, void *opaque);

/** engine_aio_submit: begin @op; done() is never called from here */
void engine_aio_submit(EngineAio *aio, EngineAioOp *op);
/** engine_aio_kick: hand what was submitted to the kernel */
void engine_aio_kick(EngineAio *aio);
/** engine_aio_wait: sleep until something has completed, call its done() and
 * kick. At once if nothing is in flight. */
void engine_aio_wait(EngineAio *aio);
/** engine_aio_busy: how many operations are in flight */
unsigned engine_aio_busy(const EngineAio *aio);
