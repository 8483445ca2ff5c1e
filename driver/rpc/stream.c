/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rpc/error.h"
#include "util/error.h"
#include "util/i18n.h"

/* Streams of one client; also those that ended and whose client has not said
 * goodbye to them yet. */
#define STREAMS_MAX 64

/* Bytes of a console's last words that are still delivered at its end. */
#define LAST_WORDS_MAX (1024 * 1024)

typedef struct RpcStream {
    RpcSession *session;     /* that holds the stream */
    RpcHeader header;        /* of its messages */
    VirtkvmConsole *console; /* NULL once the stream has ended */
    RpcWatch *watch;
    RpcWatch *cancel;
    uint32_t events;
    GByteArray *input; /* for the console; NULL when none waits */
    bool finishing;    /* the client has sent its last */
} RpcStream;

/* --- messages --------------------------------------------------------------
 */

static void
send_data(RpcStream *stream, uint32_t status, const void *data, size_t size)
{
    RpcHeader header = stream->header;
    GByteArray *frame;

    header.status = status;
    frame = rpc_frame_begin(&header);
    g_byte_array_append(frame, data ? data : (const void *)"", (guint)size);
    rpc_frame_end(frame);
    rpc_session_send(stream->session, frame);
}

static void
send_failure(RpcStream *stream, virErrorNumber code, const char *why)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, code, "%s", why);
    rpc_session_send(stream->session, rpc_error_frame(&stream->header, error));
}

/* --- input to the console ---------------------------------------------------
 */

/* Keeps the session's account of waiting input; too much stops its reading. */
static void
account(RpcStream *stream, gssize change)
{
    RpcSession *session = stream->session;
    bool stalled;

    session->stream_input = (size_t)((gssize)session->stream_input + change);
    stalled = session->stream_input > RPC_STREAM_INPUT_MAX;
    if (stalled == session->stream_stalled)
        return;
    g_mutex_lock(&session->lock);
    session->stream_stalled = stalled;
    rpc_session_update(session);
    g_mutex_unlock(&session->lock);
}

static void
drop_input(RpcStream *stream)
{
    if (!stream->input)
        return;
    account(stream, -(gssize)stream->input->len);
    g_clear_pointer(&stream->input, g_byte_array_unref);
}

/* Ends the stream towards the console; the record stays for the client. */
static void
detach(RpcStream *stream)
{
    VirtkvmConsole *console = g_steal_pointer(&stream->console);

    drop_input(stream);
    rpc_watch_free(g_steal_pointer(&stream->watch));
    rpc_watch_free(g_steal_pointer(&stream->cancel));
    if (console)
        console->release(console);
}

static void
stream_free(RpcStream *stream)
{
    detach(stream);
    g_free(stream);
}

static void
discard(RpcStream *stream)
{
    g_queue_remove(&stream->session->streams, stream);
    stream_free(stream);
}

/* Writes what the console takes now. Returns: false if it is broken */
static bool
write_input(RpcStream *stream)
{
    while (stream->input && stream->input->len > 0) {
        ssize_t n =
            write(stream->console->fd, stream->input->data, stream->input->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        g_byte_array_remove_range(stream->input, 0, (guint)n);
        account(stream, -n);
    }
    drop_input(stream);
    return true;
}

/* --- output of the console --------------------------------------------------
 */

static bool
has_room(RpcSession *session)
{
    bool room;

    g_mutex_lock(&session->lock);
    room = session->output_bytes <= RPC_STREAM_OUTPUT_HIGH;
    g_mutex_unlock(&session->lock);
    return room;
}

static void
update(RpcStream *stream)
{
    uint32_t events = 0;

    if (!stream->watch)
        return;
    if (has_room(stream->session))
        events |= EPOLLIN;
    if (stream->input)
        events |= EPOLLOUT;
    if (events != stream->events)
        rpc_watch_set(stream->watch, events);
    stream->events = events;
}

/* Returns: bytes sent, 0 at the end of the console, -1 when it has no more */
static ssize_t
read_output(RpcStream *stream)
{
    uint8_t *bytes = stream->session->service->scratch;
    ssize_t n;

    do {
        n = read(stream->console->fd, bytes, RPC_SCRATCH_SIZE);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        send_data(stream, RPC_CONTINUE, bytes, (size_t)n);
    if (n < 0 && errno != EAGAIN)
        return 0; /* a terminal whose other side closed says EIO */
    return n;
}

/* An empty message is the end of file; the client answers with its goodbye. */
static void
end_of_file(RpcStream *stream)
{
    send_data(stream, RPC_CONTINUE, NULL, 0);
    detach(stream);
    if (!stream->finishing)
        return;
    send_data(stream, RPC_OK, NULL, 0);
    discard(stream);
}

static void
fail(RpcStream *stream, virErrorNumber code, const char *why)
{
    send_failure(stream, code, why);
    discard(stream);
}

static void
on_console(uint32_t events, void *data)
{
    RpcStream *stream = data;
    ssize_t n = -1;

    if ((events & EPOLLOUT) && !write_input(stream)) {
        fail(stream, VIR_ERR_RPC, _("the console no longer takes input"));
        return;
    }
    if (stream->finishing && !stream->input) {
        send_data(stream, RPC_OK, NULL, 0);
        discard(stream);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        n = read_output(stream);
    if (n == 0)
        end_of_file(stream);
    else
        update(stream);
}

static void
on_cancel(uint32_t events, void *data)
{
    RpcStream *stream = data;
    size_t total = 0;
    uint64_t how = 0;
    ssize_t n;

    if (read(stream->console->cancel_fd, &how, sizeof(how)) != sizeof(how))
        how = VIRTKVM_CONSOLE_ENDED;
    if (how != VIRTKVM_CONSOLE_ENDED) {
        fail(stream, VIR_ERR_OPERATION_ABORTED,
             _("another client has taken the console over"));
        return;
    }
    while (total < LAST_WORDS_MAX && (n = read_output(stream)) > 0)
        total += (size_t)n;
    end_of_file(stream);
}

/* --- life --------------------------------------------------------------------
 */

typedef struct Opening {
    RpcSession *session;
    RpcHeader header;
    VirtkvmConsole *console;
} Opening;

static bool
watch_console(RpcStream *stream, GError **error)
{
    RpcLoop *loop = stream->session->service->loop;

    stream->events = EPOLLIN;
    stream->watch = rpc_loop_watch(loop, stream->console->fd, stream->events,
                                   on_console, stream, error);
    if (!stream->watch)
        return false;
    if (stream->console->cancel_fd < 0)
        return true;
    stream->cancel = rpc_loop_watch(loop, stream->console->cancel_fd, EPOLLIN,
                                    on_cancel, stream, error);
    return stream->cancel != NULL;
}

static bool
start(RpcStream *stream, GError **error)
{
    if (g_queue_get_length(&stream->session->streams) < STREAMS_MAX)
        return watch_console(stream, error);
    error_set(error, VIR_ERR_RESOURCE_BUSY, "%s",
              _("this client has too many open streams"));
    return false;
}

static void
open_stream(void *data)
{
    g_autofree Opening *opening = data;
    g_autoptr(RpcSession) session = opening->session;
    RpcStream *stream = g_new0(RpcStream, 1);
    g_autoptr(GError) error = NULL;

    stream->session = session;
    stream->header = opening->header;
    stream->console = opening->console;
    if (!session->watch) {
        stream_free(stream);
        return;
    }
    stream->header.type = RPC_REPLY;
    if (!start(stream, &error)) {
        rpc_session_send(session, rpc_error_frame(&stream->header, error));
        stream_free(stream);
        return;
    }
    send_data(stream, RPC_OK, NULL, 0);
    stream->header.type = RPC_STREAM;
    g_queue_push_tail(&session->streams, stream);
}

void
rpc_stream_open(RpcSession *session, const RpcHeader *request,
                VirtkvmConsole *console)
{
    Opening *opening = g_new(Opening, 1);

    *opening = (Opening){ rpc_session_ref(session), *request, console };
    rpc_loop_invoke(session->service->loop, open_stream, opening);
}

void
rpc_stream_resume_all(RpcSession *session)
{
    for (GList *link = session->streams.head; link; link = link->next)
        update(link->data);
}

void
rpc_stream_abort_all(RpcSession *session)
{
    g_queue_clear_full(&session->streams, (GDestroyNotify)stream_free);
}

/* --- from the client ---------------------------------------------------------
 */

static RpcStream *
find(RpcSession *session, const RpcHeader *header)
{
    for (GList *link = session->streams.head; link; link = link->next) {
        RpcStream *stream = link->data;

        if (stream->header.serial == header->serial &&
            stream->header.procedure == header->procedure)
            return stream;
    }
    return NULL;
}

static void
take_data(RpcStream *stream, const RpcFrame *frame)
{
    if (!stream->console || stream->finishing || frame->size == 0)
        return;
    if (!stream->input)
        stream->input = g_byte_array_new();
    g_byte_array_append(stream->input, frame->payload, (guint)frame->size);
    account(stream, (gssize)frame->size);
    if (write_input(stream))
        update(stream);
    else
        fail(stream, VIR_ERR_RPC, _("the console no longer takes input"));
}

/* The client's goodbye waits until the console has taken all it was sent. */
static void
finish(RpcStream *stream)
{
    if (stream->console && stream->input) {
        stream->finishing = true;
        return;
    }
    send_data(stream, RPC_OK, NULL, 0);
    discard(stream);
}

static void
abort_stream(RpcStream *stream)
{
    send_data(stream, RPC_OK, NULL, 0);
    discard(stream);
}

static void
take(RpcStream *stream, const RpcFrame *frame)
{
    if (frame->header.type == RPC_STREAM_HOLE)
        fail(stream, VIR_ERR_RPC, _("a console's stream has no holes"));
    else if (frame->header.status == RPC_CONTINUE)
        take_data(stream, frame);
    else if (frame->header.status == RPC_OK)
        finish(stream);
    else if (frame->header.status == RPC_ERROR)
        abort_stream(stream);
    else
        fail(stream, VIR_ERR_RPC, _("a stream's message has a wrong status"));
}

bool
rpc_stream_handle(RpcSession *session, const RpcFrame *frame)
{
    const RpcHeader *header = &frame->header;
    RpcStream *stream;

    if (header->program != RPC_PROGRAM_REMOTE ||
        header->version != RPC_PROGRAM_VERSION ||
        (header->type != RPC_STREAM && header->type != RPC_STREAM_HOLE))
        return false;
    stream = find(session, header); /* late data of a closed stream: dropped */
    if (stream)
        take(stream, frame);
    return true;
}
