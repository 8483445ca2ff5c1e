/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/console.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "shell/domain.h"
#include "shell/eventloop.h"
#include "shell/interrupt.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* What may wait in either direction, in bytes; then its source must wait. */
#define BUFFER_MAX 65536
#define CHUNK      2048

typedef enum VshConsoleEnd {
    CONSOLE_OPEN,
    CONSOLE_ESCAPED, /* the user left */
    CONSOLE_CLOSED,  /* the guest or the daemon closed it */
    CONSOLE_BROKEN,  /* with an error */
    CONSOLE_FOUND,   /* options->until was seen */
    CONSOLE_TIMEOUT,
    CONSOLE_INTERRUPTED,
} VshConsoleEnd;

/*
 * The main thread serves the terminal, the event loop's thread the stream.
 * Between them are two buffers under the lock.
 */
typedef struct VshConsole {
    VshEventLoop *loop;
    virStreamPtr stream;
    Fd wake; /* eventfd: the stream's thread has news for the main thread */
    GMutex lock;
    /* under the lock: */
    GByteArray *to_guest;
    GByteArray *from_guest;
    bool closed;
    bool broken;
    char *broken_text;
    /* main thread only: */
    const VshConsoleOptions *options;
    char escape; /* 0: there is none */
    bool input_over;
    GByteArray *seen; /* the last output, for options->until */
} VshConsole;

static void
console_free(VshConsole *console)
{
    if (!console)
        return;
    if (console->stream)
        virStreamFree(console->stream);
    fd_clear(&console->wake);
    g_mutex_clear(&console->lock);
    g_byte_array_unref(console->to_guest);
    g_byte_array_unref(console->from_guest);
    g_byte_array_unref(console->seen);
    g_free(console->broken_text);
    g_free(console);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshConsole, console_free)

static VshConsole *
console_new(VshEventLoop *loop, const VshConsoleOptions *options)
{
    VshConsole *console = g_new0(VshConsole, 1);

    console->loop = loop;
    g_mutex_init(&console->lock);
    console->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    console->to_guest = g_byte_array_new();
    console->from_guest = g_byte_array_new();
    console->seen = g_byte_array_new();
    console->options = options;
    return console;
}

static void
console_break(VshConsole *console)
{
    console->broken = true;
    console->broken_text = g_strdup(virGetLastErrorMessage());
}

/* Stream's thread, under the lock. */
static void
receive(VshConsole *console)
{
    while (console->from_guest->len < BUFFER_MAX) {
        char chunk[CHUNK];
        int got = virStreamRecv(console->stream, chunk, sizeof(chunk));

        if (got == -2)
            return;
        if (got == 0)
            console->closed = true;
        if (got < 0)
            console_break(console);
        if (got <= 0)
            return;
        g_byte_array_append(console->from_guest, (guint8 *)chunk, (guint)got);
    }
}

/* Stream's thread, under the lock. */
static void
send_pending(VshConsole *console)
{
    while (console->to_guest->len > 0) {
        int sent = virStreamSend(console->stream,
                                 (const char *)console->to_guest->data,
                                 MIN(console->to_guest->len, CHUNK));

        if (sent == -2)
            return;
        if (sent < 0) {
            console_break(console);
            return;
        }
        g_byte_array_remove_range(console->to_guest, 0, (guint)sent);
    }
}

/* What the stream should wait for; under the lock. */
static int
events_wanted(const VshConsole *console)
{
    int events = VIR_STREAM_EVENT_HANGUP | VIR_STREAM_EVENT_ERROR;

    if (console->closed || console->broken)
        return 0;
    if (console->from_guest->len < BUFFER_MAX)
        events |= VIR_STREAM_EVENT_READABLE;
    if (console->to_guest->len > 0)
        events |= VIR_STREAM_EVENT_WRITABLE;
    return events;
}

static void
wake_main(VshConsole *console)
{
    uint64_t one = 1;

    if (write(console->wake, &one, sizeof(one)) < 0) {
        /* the counter is full of wake-ups already */
    }
}

static void
stream_event(virStreamPtr stream, int events, void *opaque)
{
    VshConsole *console = opaque;
    int wanted;

    g_mutex_lock(&console->lock);
    if (events & VIR_STREAM_EVENT_WRITABLE)
        send_pending(console);
    if (events & ~VIR_STREAM_EVENT_WRITABLE)
        receive(console);
    if (events & (VIR_STREAM_EVENT_HANGUP | VIR_STREAM_EVENT_ERROR) &&
        console->from_guest->len < BUFFER_MAX && !console->broken)
        console->closed = true;
    wanted = events_wanted(console);
    g_mutex_unlock(&console->lock);
    virStreamEventUpdateCallback(stream, wanted);
    wake_main(console);
}

/* Looks for options->until in what was printed; keeps what could be its
 * beginning. */
static bool
until_seen(VshConsole *console, const GByteArray *output)
{
    const char *until = console->options->until;
    size_t length = until ? strlen(until) : 0;
    GByteArray *seen = console->seen;
    bool found;

    if (length == 0)
        return false;
    g_byte_array_append(seen, output->data, output->len);
    if (seen->len < length)
        return false;
    found = memmem(seen->data, seen->len, until, length) != NULL;
    g_byte_array_remove_range(seen, 0, seen->len - (guint)length + 1);
    return found;
}

/* Prints what came; *ret_end says whether that was the end. */
static void
flush_output(VshConsole *console, VshConsoleEnd *ret_end)
{
    g_autoptr(GByteArray) output = NULL;
    bool closed, broken;

    g_mutex_lock(&console->lock);
    output = console->from_guest;
    console->from_guest = g_byte_array_new();
    closed = console->closed;
    broken = console->broken;
    g_mutex_unlock(&console->lock);
    if (output->len > 0 &&
        !fd_write_all(STDOUT_FILENO, output->data, output->len))
        *ret_end = CONSOLE_ESCAPED; /* nobody reads any more */
    else if (until_seen(console, output))
        *ret_end = CONSOLE_FOUND;
    else if (broken)
        *ret_end = CONSOLE_BROKEN;
    else if (closed)
        *ret_end = CONSOLE_CLOSED;
}

static void
take_input(VshConsole *console, VshConsoleEnd *ret_end)
{
    guint8 chunk[CHUNK];
    ssize_t got = read(STDIN_FILENO, chunk, sizeof(chunk));
    const guint8 *escape = NULL;

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        console->input_over = true;
        /* a terminal that is gone ends the console; a file does not */
        if (console->escape)
            *ret_end = CONSOLE_ESCAPED;
        return;
    }
    if (console->escape)
        escape = memchr(chunk, console->escape, (size_t)got);
    g_mutex_lock(&console->lock);
    g_byte_array_append(console->to_guest, chunk,
                        (guint)(escape ? escape - chunk : got));
    g_mutex_unlock(&console->lock);
    if (escape)
        *ret_end = CONSOLE_ESCAPED;
}

static int
update_events(VshConsole *console, bool *ret_room)
{
    int wanted;

    g_mutex_lock(&console->lock);
    wanted = events_wanted(console);
    *ret_room = console->to_guest->len < BUFFER_MAX;
    g_mutex_unlock(&console->lock);
    virStreamEventUpdateCallback(console->stream, wanted);
    return wanted;
}

/* Milliseconds up to @deadline (0: none) as poll() takes them. */
static int
milliseconds_left(gint64 deadline)
{
    gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;

    return deadline ? (int)CLAMP(left, 0, G_MAXINT) : -1;
}

static VshConsoleEnd
pump(VshConsole *console)
{
    gint64 deadline = 0;
    VshConsoleEnd end = CONSOLE_OPEN;

    if (console->options->timeout_s > 0)
        deadline = g_get_monotonic_time() +
                   (gint64)console->options->timeout_s * G_USEC_PER_SEC;
    while (end == CONSOLE_OPEN) {
        struct pollfd waits[] = {
            { .fd = console->wake, .events = POLLIN },
            { .fd = vsh_interrupt_fd(), .events = POLLIN },
            { .fd = -1, .events = POLLIN },
        };
        uint64_t count;
        bool room;

        update_events(console, &room);
        if (room && !console->input_over)
            waits[2].fd = STDIN_FILENO;
        if (poll(waits, G_N_ELEMENTS(waits), milliseconds_left(deadline)) == 0)
            return CONSOLE_TIMEOUT;
        if (waits[0].revents && read(console->wake, &count, sizeof(count)) > 0)
            flush_output(console, &end);
        if (waits[2].revents && end == CONSOLE_OPEN)
            take_input(console, &end);
        if (vsh_interrupted() && end == CONSOLE_OPEN)
            end = CONSOLE_INTERRUPTED;
    }
    return end;
}

static bool
report_end(const VshConsole *console, VshConsoleEnd end, GError **error)
{
    const char *until = console->options->until;

    if (end == CONSOLE_BROKEN)
        vsh_error_set(error, VSH_EXIT_FAILED, _("the console broke: %s"),
                      console->broken_text);
    else if (end == CONSOLE_INTERRUPTED)
        vsh_error_set(error, VSH_EXIT_INTERRUPTED, _("interrupted"));
    else if (end == CONSOLE_TIMEOUT && until)
        vsh_error_set(error, VSH_EXIT_TIMEOUT,
                      _("the guest did not print '%s' within %u s"), until,
                      console->options->timeout_s);
    else if (end == CONSOLE_CLOSED && until)
        vsh_error_set(error, VSH_EXIT_FAILED,
                      _("the console ended before the guest printed '%s'"),
                      until);
    else
        return true;
    return false;
}

/* The callback has returned, and comes no more, when this has. */
static void
console_close(VshConsole *console, VshConsoleEnd end)
{
    virStreamEventRemoveCallback(console->stream);
    vsh_event_loop_barrier(console->loop);
    if (end == CONSOLE_CLOSED)
        virStreamFinish(console->stream);
    else
        virStreamAbort(console->stream);
    virResetLastError();
}

/* Opens the stream and hands it to the event loop's thread. */
static bool
console_open(VshConsole *console, VshShell *shell, virDomainPtr domain,
             GError **error)
{
    const VshConsoleOptions *options = console->options;
    const char *name = virDomainGetName(domain);

    console->stream = virStreamNew(shell->connection.conn, VIR_STREAM_NONBLOCK);
    if (!console->stream ||
        virDomainOpenConsole(domain, options->devname, console->stream,
                             options->flags) < 0) {
        vsh_error_virt(error, _("Failed to open the console of domain '%s'"),
                       name);
        return false;
    }
    if (virStreamEventAddCallback(console->stream,
                                  VIR_STREAM_EVENT_READABLE |
                                      VIR_STREAM_EVENT_HANGUP |
                                      VIR_STREAM_EVENT_ERROR,
                                  stream_event, console, NULL) < 0) {
        vsh_error_virt(error, _("Failed to open the console of domain '%s'"),
                       name);
        virStreamAbort(console->stream);
        return false;
    }
    if (!options->resume || virDomainResume(domain) == 0)
        return true;
    vsh_error_virt(error, _("Failed to resume domain '%s'"), name);
    console_close(console, CONSOLE_ESCAPED);
    return false;
}

/* A terminal is raw by now, so that what is typed after these words goes to
 * the guest: lines need their carriage returns. */
static void
greet(VshShell *shell, virDomainPtr domain, char escape)
{
    const char *name = virDomainGetName(domain);
    g_autofree char *keys = NULL;

    if (!escape) {
        vsh_note(&shell->out, _("Connected to domain '%s'"), name);
        return;
    }
    keys = escape < 0x20 ? g_strdup_printf("^%c (Ctrl + %c)", escape + 0x40,
                                           escape + 0x40)
                         : g_strdup_printf("%c", escape);
    vsh_print_extra(&shell->out, _("Connected to domain '%s'"), name);
    vsh_print_extra(&shell->out, "\r\n");
    vsh_print_extra(&shell->out, _("Escape character is %s"), keys);
    vsh_print_extra(&shell->out, "\r\n");
    fflush(stdout);
}

static bool
make_raw(struct termios *ret_before, GError **error)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, ret_before) == 0) {
        raw = *ret_before;
        cfmakeraw(&raw);
        if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
            return true;
    }
    error_set_errno(error, errno, _("cannot make the terminal raw"));
    return false;
}

bool
vsh_console_run(VshShell *shell, virDomainPtr domain,
                const VshConsoleOptions *options, GError **error)
{
    g_autoptr(VshConsole) console =
        console_new(shell->connection.loop, options);
    bool terminal = isatty(STDIN_FILENO) != 0;
    struct termios before;
    VshConsoleEnd end;

    console->escape = terminal ? shell->escape : '\0';
    if (!console_open(console, shell, domain, error))
        return false;
    if (terminal && !make_raw(&before, error)) {
        console_close(console, CONSOLE_ESCAPED);
        return false;
    }
    greet(shell, domain, console->escape);
    vsh_interrupt_begin();
    end = pump(console);
    vsh_interrupt_end();
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    console_close(console, end);
    return report_end(console, end, error);
}
