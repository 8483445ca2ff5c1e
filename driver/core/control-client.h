/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/**
 * One connection to an engine's control socket (docs/engine-protocol.md).
 *
 * The I/O thread reads it; any other thread may ask and wait. What the engine
 * sends is bounded and checked: an engine is as trustworthy as its guest.
 */
typedef struct CoreControl CoreControl;

typedef struct CoreControlHandler {
    /** Thread: I/O. @data: borrowed, an object */
    void (*event)(gpointer opaque, const char *name, const json_t *data);
    /** Thread: I/O, once. The engine broke the protocol; the connection has
     * been given up. Not called when the engine closes it. */
    void (*garbage)(gpointer opaque, const char *why);
} CoreControlHandler;

/** A line, and what may wait unread of one, at most. */
#define CORE_CONTROL_LINE_MAX (1u << 20) /* docs/engine-protocol.md */
/** An engine that leaves a command unanswered so long does not answer. */
#define CORE_CONTROL_TIMEOUT_MS 20000

/**
 * core_control_new: take over @fd, a connected stream socket
 * @io: context of the I/O thread   @handler: constant
 */
CoreControl *core_control_new(GMainContext *io, int fd,
                              const CoreControlHandler *handler,
                              gpointer opaque);

/** core_control_close: no handler is called after it returns on the I/O thread
 * (or once that has ended); calls under way fail. Drops the reference. */
void core_control_close(CoreControl *control);

CoreControl *core_control_ref(CoreControl *control);
void core_control_unref(CoreControl *control);

/** core_control_usable: it has neither been closed nor given up */
bool core_control_usable(CoreControl *control);

/** A command, all of it borrowed. */
typedef struct CoreCommand {
    const char *name;
    json_t *arguments; /* an object, or NULL: none */
    const int *fds;    /* sent beside it; the arguments number them from 0 */
    size_t n_fds;
} CoreCommand;

/** Descriptors beside one command, and the length of its line, at most. */
#define CORE_CONTROL_FDS_MAX     64
#define CORE_CONTROL_REQUEST_MAX 65536 /* docs/engine-protocol.md */

/** core_control_post: send a command without waiting.
 * Returns: number for core_control_wait(); 0 with @error set */
guint64 core_control_post(CoreControl *control, const CoreCommand *command,
                          GError **error);

/**
 * core_control_wait: the answer to a posted command
 * @error: OPERATION_FAILED with the engine's text; OPERATION_TIMEOUT
 * Returns: what "return" holds, owned; NULL on error
 */
json_t *core_control_wait(CoreControl *control, guint64 number,
                          unsigned timeout_ms, GError **error);

/** core_control_ask: post and wait; see core_control_wait() */
json_t *core_control_ask(CoreControl *control, const CoreCommand *command,
                         GError **error);

/** core_control_interrupt: let whoever waits for an answer go without one */
void core_control_interrupt(CoreControl *control);

/** core_control_drain: read all that is there already, of an engine that has
 * ended (another could go on for ever). Thread: I/O */
void core_control_drain(CoreControl *control);
