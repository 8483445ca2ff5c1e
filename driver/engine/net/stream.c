/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/net/net.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/*
 * A connected stream socket, as passt has at its other end: before each frame
 * its size, 32 bits with the most significant byte first.
 */
#define PREFIX_BYTES sizeof(uint32_t)
#define BUFFER_BYTES (PREFIX_BYTES + ENGINE_NET_FRAME_MAX)

typedef struct Stream {
    EngineNet net;
    int fd;
    EngineIoSource *source; /* NULL: the other side has left */
    uint32_t events;
    uint8_t *in;             /* BUFFER_BYTES */
    size_t in_from, in_size; /* what of it has come and was not taken */
    size_t skip;             /* bytes of a giant that are still to come */
    uint8_t *out;            /* the rest of a frame; NULL: none yet */
    size_t out_from, out_size;
} Stream;

static Stream *
stream_of(EngineNet *net)
{
    return (Stream *)net;
}

static void
watch(Stream *stream, uint32_t events)
{
    if (!stream->source || stream->events == events)
        return;
    engine_io_set_events(stream->source, events);
    stream->events = events;
}

static void
leave(Stream *stream)
{
    const EngineNetPeer *peer = stream->net.peer;

    if (!stream->source)
        return;
    engine_io_remove(g_steal_pointer(&stream->source));
    peer->gone(peer->opaque);
}

/* --- sending -------------------------------------------------------------- */
/* Returns: whether nothing of an earlier frame is left */
static bool
flush(Stream *stream)
{
    while (stream->out_size > 0) {
        ssize_t sent = send(stream->fd, stream->out + stream->out_from,
                            stream->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            leave(stream);
        if (sent <= 0)
            return false;
        stream->out_from += (size_t)sent;
        stream->out_size -= (size_t)sent;
    }
    return true;
}

/* A frame that was begun must be ended: what the socket did not take of it is
 * kept, all other bytes stay with the guest. */
static void
keep_rest(Stream *stream, const EngineNetFrame *frame, size_t sent)
{
    if (!stream->out)
        stream->out = g_malloc(BUFFER_BYTES);
    stream->out_from = stream->out_size = 0;
    for (unsigned i = 0; i < frame->count; i++) {
        const struct iovec *iov = &frame->iov[i];
        size_t skipped = MIN(sent, iov->iov_len);

        memcpy(stream->out + stream->out_size,
               (const uint8_t *)iov->iov_base + skipped,
               iov->iov_len - skipped);
        stream->out_size += iov->iov_len - skipped;
        sent -= skipped;
    }
    watch(stream, stream->events | EPOLLOUT);
}

static EngineNetSent
stream_send(EngineNet *net, unsigned queue, const EngineNetFrame *frame)
{
    Stream *stream = stream_of(net);
    uint32_t prefix = GUINT32_TO_BE((uint32_t)frame->size);
    struct msghdr message = { .msg_iov = frame->iov,
                              .msg_iovlen = frame->count };
    ssize_t sent;

    if (stream->source && !flush(stream) && stream->source)
        return ENGINE_NET_FULL;
    if (!stream->source)
        return ENGINE_NET_FAILED;
    frame->iov[0] = (struct iovec){ &prefix, PREFIX_BYTES };
    sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
        watch(stream, stream->events | EPOLLOUT);
        return ENGINE_NET_FULL;
    }
    if (sent < 0) {
        leave(stream);
        return ENGINE_NET_FAILED;
    }
    if ((size_t)sent < PREFIX_BYTES + frame->size)
        keep_rest(stream, frame, (size_t)sent);
    return ENGINE_NET_SENT;
}

/* --- receiving ------------------------------------------------------------ */
/* Returns: whether more bytes have come */
static bool
fill(Stream *stream)
{
    ssize_t got;

    if (!stream->source)
        return false;
    memmove(stream->in, stream->in + stream->in_from, stream->in_size);
    stream->in_from = 0;
    do {
        got = recv(stream->fd, stream->in + stream->in_size,
                   BUFFER_BYTES - stream->in_size, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        leave(stream);
    if (got <= 0)
        return false;
    stream->in_size += (size_t)got;
    return true;
}

static void
consume(Stream *stream, size_t size)
{
    stream->in_from += size;
    stream->in_size -= size;
}

/* Whatever its size says, a giant is read past, not kept. */
static void
skip_giant(Stream *stream)
{
    size_t now = MIN(stream->skip, stream->in_size);

    consume(stream, now);
    stream->skip -= now;
}

/* Returns: whether there is a whole frame, or the begin of a giant */
static bool
has_frame(Stream *stream, size_t *ret_size)
{
    uint32_t prefix;

    for (;;) {
        skip_giant(stream);
        if (stream->in_size >= PREFIX_BYTES) {
            memcpy(&prefix, stream->in + stream->in_from, PREFIX_BYTES);
            *ret_size = GUINT32_FROM_BE(prefix);
            if (*ret_size > ENGINE_NET_FRAME_MAX ||
                stream->in_size - PREFIX_BYTES >= *ret_size)
                return true;
        }
        if (!fill(stream))
            return false;
    }
}

static void
copy_out(const uint8_t *from, size_t size, const struct iovec *iov,
         unsigned count)
{
    for (unsigned i = 0; i < count && size > 0; i++) {
        size_t part = MIN(size, iov[i].iov_len);

        memcpy(iov[i].iov_base, from, part);
        from += part;
        size -= part;
    }
}

static ssize_t
stream_receive(EngineNet *net, unsigned queue, const struct iovec *iov,
               unsigned count)
{
    Stream *stream = stream_of(net);
    size_t size;

    if (!has_frame(stream, &size))
        return 0;
    consume(stream, PREFIX_BYTES);
    if (size > ENGINE_NET_FRAME_MAX) {
        stream->skip = size;
        return ENGINE_NET_FRAME_MAX + 1;
    }
    copy_out(stream->in + stream->in_from, size, iov, count);
    consume(stream, size);
    return (ssize_t)MAX(size, 1); /* none at all is a runt too */
}

/* --- life ----------------------------------------------------------------- */
static void
on_ready(void *opaque)
{
    Stream *stream = opaque;
    const EngineNetPeer *peer = stream->net.peer;
    uint32_t events = engine_io_events(stream->source);

    if (events & EPOLLOUT && flush(stream)) {
        watch(stream, stream->events & ~(uint32_t)EPOLLOUT);
        peer->writable(peer->opaque, 0);
    }
    if (events & EPOLLIN && stream->events & EPOLLIN)
        peer->readable(peer->opaque, 0);
    else if (events & (EPOLLERR | EPOLLHUP))
        leave(stream);
}

static void
stream_listen(EngineNet *net, unsigned queue, bool on)
{
    Stream *stream = stream_of(net);
    uint32_t others = stream->events & ~(uint32_t)EPOLLIN;

    watch(stream, others | (on ? EPOLLIN : 0));
}

static void
stream_close(EngineNet *net)
{
    Stream *stream = stream_of(net);

    engine_io_remove(stream->source);
    g_free(stream->in);
    g_free(stream->out);
    g_free(stream);
}

static bool
is_stream(int fd)
{
    socklen_t size = sizeof(int);
    int type = 0;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM;
}

static EngineNet *
stream_open(const EngineNetBackendConfig *config, EngineIo *io, GError **error)
{
    Stream *stream;

    if (!is_stream(config->fd)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("descriptor %d is not a stream socket"), config->fd);
        return NULL;
    }
    stream = g_new0(Stream, 1);
    stream->fd = config->fd;
    stream->in = g_malloc(BUFFER_BYTES);
    stream->events = EPOLLIN;
    stream->source = engine_io_add(io, config->fd, on_ready, stream, error);
    if (stream->source) {
        watch(stream, 0);
        return &stream->net;
    }
    stream_close(&stream->net);
    return NULL;
}

const EngineNetType engine_net_stream_type = {
    .open = stream_open,
    .close = stream_close,
    .listen = stream_listen,
    .receive = stream_receive,
    .send = stream_send,
};
