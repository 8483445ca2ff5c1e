/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/chardev-outlet.h"
#include "engine/chardev-tty.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* Output that keeps coming is written in portions: the first byte at once, what
 * follows it within this time together. */
#define CHARDEV_BATCH_US 1000
#define CHARDEV_READ_MAX 1024
#define CHARDEV_ESCAPE   0x1d /* Ctrl-] */

/* One descriptor in the source's poll set. It is there only while an event
 * would be acted on: a hang-up is reported always, and would spin. */
typedef struct Watch {
    int fd;
    gpointer tag;
    GIOCondition condition;
} Watch;

struct EngineChardev {
    GSource *source;
    EngineChardevHandlers handlers;
    void *opaque;
    EngineChardevType type;

    EngineOutlet output;
    EngineOutlet log;
    bool logging;
    atomic_bool kicked;  /* a flush is due */
    atomic_bool blocked; /* output waits for the host side */
    atomic_bool starved; /* the device waits for room for its output */
    _Atomic(gint64) flushed_us;

    int input_fd;                    /* -1: no input */
    atomic_bool paused;              /* input waits for room in the device */
    bool escapes;                    /* Ctrl-] is ours */
    uint8_t ahead[CHARDEV_READ_MAX]; /* typed before the device had room */
    size_t ahead_size;
    bool raw;              /* the terminal is in raw mode */
    bool restore_nonblock; /* of standard output */

    Fd slave_fd;      /* pty: kept open so that the master never hangs up */
    Fd reopened_fd;   /* stdio: our own description of it */
    Fd peer_fd;       /* listen: who is connected */
    bool peer_leaves; /* has hung up or sends no more: the next may have it */

    Watch input_watch, output_watch, listen_watch;
};

typedef struct ChardevSource {
    GSource source;
    EngineChardev *chardev;
} ChardevSource;

static void
watch_set(EngineChardev *chardev, Watch *watch, int fd, GIOCondition condition)
{
    if (watch->tag && watch->fd == fd && watch->condition == condition)
        return;
    if (watch->tag && watch->fd == fd && condition) {
        g_source_modify_unix_fd(chardev->source, watch->tag, condition);
        watch->condition = condition;
        return;
    }
    if (watch->tag)
        g_source_remove_unix_fd(chardev->source, g_steal_pointer(&watch->tag));
    watch->fd = fd;
    watch->condition = condition;
    if (fd >= 0 && condition)
        watch->tag = g_source_add_unix_fd(chardev->source, fd, condition);
}

static GIOCondition
watch_query(EngineChardev *chardev, const Watch *watch)
{
    return watch->tag ? g_source_query_unix_fd(chardev->source, watch->tag) : 0;
}

/* --- peers of a listening socket ----------------------------------------- */
static void
peer_drop(EngineChardev *chardev)
{
    watch_set(chardev, &chardev->input_watch, -1, 0);
    watch_set(chardev, &chardev->output_watch, -1, 0);
    engine_outlet_attach(&chardev->output, -1);
    chardev->input_fd = -1;
    chardev->peer_leaves = false;
    if (chardev->peer_fd >= 0 && chardev->handlers.connected)
        chardev->handlers.connected(chardev->opaque, false);
    fd_clear(&chardev->peer_fd);
}

static void
peer_accept(EngineChardev *chardev)
{
    g_auto(Fd) fd = accept4(chardev->listen_watch.fd, NULL, NULL,
                            SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    peer_drop(chardev);
    chardev->peer_fd = fd_steal(&fd);
    chardev->input_fd = chardev->peer_fd;
    engine_outlet_attach(&chardev->output, chardev->peer_fd);
    if (chardev->handlers.connected)
        chardev->handlers.connected(chardev->opaque, true);
}

/* The descriptor gives no more input. A peer that only closed its sending side
 * may still read, so it stays until it hangs up or another one comes. */
static void
input_ended(EngineChardev *chardev, bool hung_up)
{
    chardev->input_fd = -1;
    if (chardev->type != ENGINE_CHARDEV_LISTEN)
        return;
    if (hung_up)
        peer_drop(chardev);
    else
        chardev->peer_leaves = true;
}

/* --- output --------------------------------------------------------------- */
static void
output_broken(EngineChardev *chardev)
{
    if (chardev->type != ENGINE_CHARDEV_LISTEN) {
        engine_outlet_close(&chardev->output);
    } else if (chardev->input_fd < 0) {
        peer_drop(chardev);
    } else {
        /* What it sent before it left is still to be read. */
        engine_outlet_attach(&chardev->output, -1);
        chardev->peer_leaves = true;
    }
}

static void
chardev_drain(EngineChardev *chardev)
{
    EngineOutletState state;

    /* First, so that who appends meanwhile does not rely on us. */
    atomic_store(&chardev->blocked, false);
    if (chardev->logging &&
        engine_outlet_drain(&chardev->log) == ENGINE_OUTLET_BROKEN)
        engine_outlet_close(&chardev->log);

    state = engine_outlet_drain(&chardev->output);
    if (state == ENGINE_OUTLET_BROKEN)
        output_broken(chardev);
    atomic_store(&chardev->blocked, state != ENGINE_OUTLET_EMPTY);
}

size_t
engine_chardev_room(EngineChardev *chardev)
{
    size_t room = engine_outlet_room(&chardev->output);

    /* As with the input's pause: a second look closes the gap. */
    if (room == 0) {
        atomic_store(&chardev->starved, true);
        room = engine_outlet_room(&chardev->output);
    }
    return room;
}

static void
chardev_tell_room(EngineChardev *chardev)
{
    if (atomic_load(&chardev->starved) &&
        engine_outlet_room(&chardev->output) > 0 &&
        atomic_exchange(&chardev->starved, false) && chardev->handlers.writable)
        chardev->handlers.writable(chardev->opaque);
}

static void
chardev_kick(EngineChardev *chardev)
{
    gint64 due;

    if (atomic_load(&chardev->blocked) && !chardev->logging)
        return;
    if (atomic_exchange(&chardev->kicked, true))
        return;
    due = atomic_load(&chardev->flushed_us) + CHARDEV_BATCH_US;
    g_source_set_ready_time(chardev->source,
                            due > g_get_monotonic_time() ? due : 0);
}

void
engine_chardev_write(EngineChardev *chardev, const uint8_t *data, size_t size)
{
    if (chardev->logging)
        engine_outlet_append(&chardev->log, data, size);
    if (chardev->type != ENGINE_CHARDEV_NULL)
        engine_outlet_append(&chardev->output, data, size);
    else if (!chardev->logging)
        return;
    chardev_kick(chardev);
}

uint64_t
engine_chardev_dropped(EngineChardev *chardev)
{
    return engine_outlet_dropped(&chardev->output);
}

void
engine_chardev_flush(EngineChardev *chardev, unsigned timeout_ms)
{
    gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

    for (;;) {
        gint64 left_ms = (end - g_get_monotonic_time()) / 1000;
        struct pollfd poll_fd = { .fd = chardev->output.fd, .events = POLLOUT };

        chardev_drain(chardev);
        if (!atomic_load(&chardev->blocked) || poll_fd.fd < 0 || left_ms <= 0 ||
            poll(&poll_fd, 1, (int)left_ms) <= 0)
            return;
    }
}

/* --- input ---------------------------------------------------------------- */
/* How much the device takes. 0 pauses input; the second look closes the gap in
 * which the device made room but did not see the pause. */
static size_t
input_room(EngineChardev *chardev)
{
    size_t room = chardev->handlers.can_receive(chardev->opaque);

    if (room == 0) {
        atomic_store(&chardev->paused, true);
        room = chardev->handlers.can_receive(chardev->opaque);
    }
    if (room > 0)
        atomic_store(&chardev->paused, false);
    return room;
}

void
engine_chardev_poll_input(EngineChardev *chardev)
{
    if (atomic_load(&chardev->paused) &&
        atomic_exchange(&chardev->paused, false))
        g_source_set_ready_time(chardev->source, 0);
}

/* What was typed ahead, as far as the device takes it. */
static void
input_catch_up(EngineChardev *chardev)
{
    size_t size = chardev->ahead_size;

    if (size > 0)
        size = MIN(size, input_room(chardev));
    if (size == 0)
        return;
    chardev->handlers.receive(chardev->opaque, chardev->ahead, size);
    chardev->ahead_size -= size;
    memmove(chardev->ahead, chardev->ahead + size, chardev->ahead_size);
}

/* A terminal is always read, or nobody could leave a guest that takes no input;
 * what the guest does not take is kept, and lost when that is full. */
static ssize_t
input_read_terminal(EngineChardev *chardev)
{
    uint8_t data[CHARDEV_READ_MAX];
    ssize_t n = read(chardev->input_fd, data, sizeof(data));
    size_t kept;

    if (n <= 0)
        return n;
    if (memchr(data, CHARDEV_ESCAPE, (size_t)n)) {
        chardev->handlers.escape(chardev->opaque);
        return n;
    }
    kept = MIN((size_t)n, sizeof(chardev->ahead) - chardev->ahead_size);
    memcpy(chardev->ahead + chardev->ahead_size, data, kept);
    chardev->ahead_size += kept;
    input_catch_up(chardev);
    return n;
}

static ssize_t
input_read_some(EngineChardev *chardev, size_t room)
{
    uint8_t data[CHARDEV_READ_MAX];
    ssize_t n = read(chardev->input_fd, data, MIN(room, sizeof(data)));

    if (n > 0)
        chardev->handlers.receive(chardev->opaque, data, (size_t)n);
    return n;
}

static void
input_read(EngineChardev *chardev, bool hung_up)
{
    size_t room = chardev->escapes ? 0 : input_room(chardev);
    ssize_t n;

    if (room == 0 && !chardev->escapes) {
        if (hung_up)
            chardev->peer_leaves = true;
        return;
    }
    n = chardev->escapes ? input_read_terminal(chardev)
                         : input_read_some(chardev, room);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        input_ended(chardev, hung_up || n < 0);
}

/* --- the source ----------------------------------------------------------- */
/* What to poll the input side for: nothing, where nothing would be done. */
static GIOCondition
input_condition(const EngineChardev *chardev)
{
    if (chardev->input_fd < 0)
        return chardev->peer_fd >= 0 ? G_IO_HUP : 0;
    if (chardev->escapes || !atomic_load(&chardev->paused))
        return G_IO_IN;
    return chardev->peer_fd >= 0 && !chardev->peer_leaves
               ? (GIOCondition)POLLRDHUP
               : 0;
}

static void
chardev_update_watches(EngineChardev *chardev)
{
    bool blocked = atomic_load(&chardev->blocked);
    bool vacant = chardev->peer_fd < 0 || chardev->peer_leaves;

    watch_set(chardev, &chardev->input_watch,
              chardev->input_fd >= 0 ? chardev->input_fd : chardev->peer_fd,
              input_condition(chardev));
    watch_set(chardev, &chardev->output_watch, chardev->output.fd,
              blocked ? G_IO_OUT : 0);
    watch_set(chardev, &chardev->listen_watch, chardev->listen_watch.fd,
              vacant ? G_IO_IN : 0);
}

static void
chardev_input(EngineChardev *chardev)
{
    unsigned events = watch_query(chardev, &chardev->input_watch);
    bool hung_up = events & (G_IO_HUP | G_IO_ERR | POLLRDHUP);

    input_catch_up(chardev);
    /* One portion a turn; the poll set brings the source back for the rest. */
    if (chardev->input_fd >= 0 && events)
        input_read(chardev, hung_up);
    else if (chardev->peer_fd >= 0 && hung_up)
        peer_drop(chardev);
}

static gboolean
chardev_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    EngineChardev *chardev = ((ChardevSource *)source)->chardev;

    g_source_set_ready_time(source, -1);
    atomic_store(&chardev->kicked, false);
    atomic_store(&chardev->flushed_us, g_get_monotonic_time());
    chardev_input(chardev);
    if (watch_query(chardev, &chardev->listen_watch) & G_IO_IN)
        peer_accept(chardev);
    chardev_drain(chardev);
    chardev_tell_room(chardev);
    chardev_update_watches(chardev);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs chardev_source_funcs = { .dispatch = chardev_dispatch };

/* --- opening -------------------------------------------------------------- */
static bool
open_null(EngineChardev *chardev, const EngineChardevConfig *config,
          GError **error)
{
    return true; /* nothing is ever appended to its output */
}

/* Standard output may be shared with the shell that started us: a description
 * of our own can be made non-blocking without making theirs so. */
static int
stdio_output(EngineChardev *chardev)
{
    struct stat info;

    if (fstat(STDOUT_FILENO, &info) < 0)
        return -1;
    if (S_ISSOCK(info.st_mode) || S_ISREG(info.st_mode))
        return STDOUT_FILENO;
    chardev->reopened_fd =
        open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (chardev->reopened_fd >= 0)
        return chardev->reopened_fd;
    if (!(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK) &&
        fd_set_nonblocking(STDOUT_FILENO, true))
        chardev->restore_nonblock = true;
    return STDOUT_FILENO;
}

static bool
open_stdio(EngineChardev *chardev, const EngineChardevConfig *config,
           GError **error)
{
    int fd = stdio_output(chardev);

    if (fd < 0)
        engine_outlet_close(&chardev->output);
    else
        engine_outlet_attach(&chardev->output, fd);
    if (!isatty(STDIN_FILENO)) {
        chardev->input_fd = STDIN_FILENO;
    } else if (engine_tty_raw(STDIN_FILENO)) {
        chardev->input_fd = STDIN_FILENO;
        chardev->raw = true;
        chardev->escapes = chardev->handlers.escape != NULL;
    }
    return true;
}

static bool
open_fd(EngineChardev *chardev, const EngineChardevConfig *config,
        GError **error)
{
    struct stat info;
    int flags = fcntl(config->fd, F_GETFL);

    if (flags < 0 || fstat(config->fd, &info) < 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("descriptor %d of a character device is not open"),
                  config->fd);
        return false;
    }
    (void)fd_set_nonblocking(config->fd, true);
    if ((flags & O_ACCMODE) == O_RDONLY)
        engine_outlet_close(&chardev->output);
    else
        engine_outlet_attach(&chardev->output, config->fd);
    if ((flags & O_ACCMODE) != O_WRONLY && !S_ISREG(info.st_mode))
        chardev->input_fd = config->fd;
    return true;
}

static bool
open_pty(EngineChardev *chardev, const EngineChardevConfig *config,
         GError **error)
{
    chardev->slave_fd = engine_tty_prepare_pty(config->fd);
    if (chardev->slave_fd < 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("descriptor %d of a character device is not the master of "
                    "a pseudo terminal: %s"),
                  config->fd, g_strerror(errno));
        return false;
    }
    return open_fd(chardev, config, error);
}

static bool
open_listen(EngineChardev *chardev, const EngineChardevConfig *config,
            GError **error)
{
    int listening = 0;
    socklen_t size = sizeof(listening);

    if (getsockopt(config->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) <
            0 ||
        !listening) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("descriptor %d of a character device is not a listening "
                    "socket"),
                  config->fd);
        return false;
    }
    (void)fd_set_nonblocking(config->fd, true);
    chardev->listen_watch.fd = config->fd;
    return true;
}

static bool (*const chardev_openers[])(EngineChardev *chardev,
                                       const EngineChardevConfig *config,
                                       GError **error) = {
    [ENGINE_CHARDEV_NULL] = open_null,     [ENGINE_CHARDEV_STDIO] = open_stdio,
    [ENGINE_CHARDEV_FD] = open_fd,         [ENGINE_CHARDEV_PTY] = open_pty,
    [ENGINE_CHARDEV_LISTEN] = open_listen,
};

EngineChardev *
engine_chardev_new(const EngineChardevConfig *config,
                   const EngineChardevHandlers *handlers, void *opaque,
                   GError **error)
{
    g_autoptr(EngineChardev) chardev = g_new0(EngineChardev, 1);

    chardev->source =
        g_source_new(&chardev_source_funcs, sizeof(ChardevSource));
    ((ChardevSource *)chardev->source)->chardev = chardev;
    chardev->handlers = *handlers;
    chardev->opaque = opaque;
    chardev->type = config->type;
    chardev->input_fd = chardev->slave_fd = chardev->reopened_fd = -1;
    chardev->peer_fd = chardev->listen_watch.fd = -1;
    engine_outlet_init(&chardev->output);
    if (!chardev_openers[config->type](chardev, config, error))
        return NULL;
    if (config->log_fd >= 0) {
        (void)fd_set_nonblocking(config->log_fd, true);
        engine_outlet_init(&chardev->log);
        engine_outlet_attach(&chardev->log, config->log_fd);
        chardev->logging = true;
    }
    chardev_update_watches(chardev);
    g_source_set_name(chardev->source, "chardev");
    g_source_attach(chardev->source, NULL);
    return g_steal_pointer(&chardev);
}

void
engine_chardev_free(EngineChardev *chardev)
{
    if (!chardev)
        return;
    chardev->handlers.connected = NULL;
    chardev_drain(chardev);
    g_source_destroy(chardev->source);
    g_source_unref(chardev->source);
    if (chardev->raw)
        engine_tty_restore();
    if (chardev->restore_nonblock)
        (void)fd_set_nonblocking(STDOUT_FILENO, false);
    engine_outlet_clear(&chardev->output);
    engine_outlet_clear(&chardev->log);
    fd_clear(&chardev->slave_fd);
    fd_clear(&chardev->reopened_fd);
    fd_clear(&chardev->peer_fd);
    g_free(chardev);
}
