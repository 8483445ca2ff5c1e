/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/chardev-outlet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/chardev.h"

void
engine_outlet_init(EngineOutlet *outlet)
{
    g_mutex_init(&outlet->lock);
    outlet->fd = -1;
    outlet->data = g_malloc(ENGINE_CHARDEV_BUFFER);
}

void
engine_outlet_clear(EngineOutlet *outlet)
{
    g_mutex_clear(&outlet->lock);
    g_clear_pointer(&outlet->data, g_free);
}

void
engine_outlet_attach(EngineOutlet *outlet, int fd)
{
    struct stat info;

    outlet->fd = fd;
    outlet->socket = fd >= 0 && fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

void
engine_outlet_close(EngineOutlet *outlet)
{
    g_mutex_lock(&outlet->lock);
    outlet->fd = -1;
    outlet->closed = true;
    outlet->dropped += outlet->used;
    outlet->start = outlet->used = 0;
    g_mutex_unlock(&outlet->lock);
}

void
engine_outlet_append(EngineOutlet *outlet, const uint8_t *data, size_t size)
{
    size_t end, kept, first;

    g_mutex_lock(&outlet->lock);
    kept = outlet->closed ? 0 : MIN(size, ENGINE_CHARDEV_BUFFER - outlet->used);
    end = (outlet->start + outlet->used) % ENGINE_CHARDEV_BUFFER;
    first = MIN(kept, ENGINE_CHARDEV_BUFFER - end);
    memcpy(outlet->data + end, data, first);
    memcpy(outlet->data, data + first, kept - first);
    outlet->used += kept;
    outlet->dropped += size - kept;
    g_mutex_unlock(&outlet->lock);
}

size_t
engine_outlet_room(EngineOutlet *outlet)
{
    size_t room;

    g_mutex_lock(&outlet->lock);
    room = ENGINE_CHARDEV_BUFFER - outlet->used;
    g_mutex_unlock(&outlet->lock);
    return room;
}

/* The bytes from the first waiting one to the ring's end. Only the main thread
 * takes bytes out, so they stay where they are until it does. */
static size_t
outlet_peek(EngineOutlet *outlet, const uint8_t **ret_data)
{
    size_t size;

    g_mutex_lock(&outlet->lock);
    size = MIN(outlet->used, ENGINE_CHARDEV_BUFFER - outlet->start);
    *ret_data = outlet->data + outlet->start;
    g_mutex_unlock(&outlet->lock);
    return size;
}

static void
outlet_take(EngineOutlet *outlet, size_t size, bool lost)
{
    g_mutex_lock(&outlet->lock);
    outlet->used -= size;
    /* Starting anew when empty keeps the touched memory small. */
    outlet->start =
        outlet->used ? (outlet->start + size) % ENGINE_CHARDEV_BUFFER : 0;
    if (lost)
        outlet->dropped += size;
    g_mutex_unlock(&outlet->lock);
}

static ssize_t
outlet_write(const EngineOutlet *outlet, const uint8_t *data, size_t size)
{
    ssize_t n;

    do {
        n = outlet->socket
                ? send(outlet->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                : write(outlet->fd, data, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

EngineOutletState
engine_outlet_drain(EngineOutlet *outlet)
{
    const uint8_t *data;
    size_t size;

    while ((size = outlet_peek(outlet, &data)) > 0) {
        ssize_t n;

        if (outlet->fd < 0)
            return ENGINE_OUTLET_BLOCKED;
        n = outlet_write(outlet, data, size);
        if (n > 0)
            outlet_take(outlet, (size_t)n, false);
        else if (n == 0 || errno == EAGAIN)
            return ENGINE_OUTLET_BLOCKED;
        else if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT)
            /* A full disk may have room again for what comes later. */
            outlet_take(outlet, size, true);
        else
            return ENGINE_OUTLET_BROKEN;
    }
    return ENGINE_OUTLET_EMPTY;
}

uint64_t
engine_outlet_dropped(EngineOutlet *outlet)
{
    uint64_t dropped;

    g_mutex_lock(&outlet->lock);
    dropped = outlet->dropped;
    g_mutex_unlock(&outlet->lock);
    return dropped;
}
