/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "engine/chardev.h"
#include "util/error.h"
#include "util/fd.h"

/* A device that takes at most `room` bytes. */
typedef struct Sink {
    GString *text;
    size_t room;
    unsigned escapes;
} Sink;

static size_t
sink_can_receive(void *opaque)
{
    return ((Sink *)opaque)->room;
}

static void
sink_receive(void *opaque, const uint8_t *data, size_t size)
{
    Sink *sink = opaque;

    assert_true(size <= sink->room);
    sink->room -= size;
    g_string_append_len(sink->text, (const char *)data, (gssize)size);
}

static void
sink_escape(void *opaque)
{
    ((Sink *)opaque)->escapes++;
}

static const EngineChardevHandlers handlers = { sink_can_receive, sink_receive,
                                                sink_escape };

typedef struct Fixture {
    Sink sink;
    EngineChardev *chardev;
    char *folder;
} Fixture;

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->sink.text = g_string_new(NULL);
    f->sink.room = 1000000;
    f->folder = g_dir_make_tmp("virtkvm-chardev-XXXXXX", NULL);
    *state = f;
    return f->folder ? 0 : -1;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    engine_chardev_free(f->chardev);
    g_string_free(f->sink.text, TRUE);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f);
    return 0;
}

static void
open_chardev(Fixture *f, EngineChardevType type, int fd, int log_fd)
{
    EngineChardevConfig config = { type, fd, log_fd };
    g_autoptr(GError) error = NULL;

    f->chardev = engine_chardev_new(&config, &handlers, &f->sink, &error);
    if (!f->chardev)
        fail_msg("%s", error->message);
}

static void
put(Fixture *f, const char *text)
{
    engine_chardev_write(f->chardev, (const uint8_t *)text, strlen(text));
}

/* Runs the main context until it has had nothing to do for 5 ms.
 * Returns: how often it woke */
static unsigned
settle(void)
{
    unsigned turns = 0;

    gint64 end = g_get_monotonic_time() + 5000;
    bool over;

    do {
        g_usleep(100);
        over = g_get_monotonic_time() >= end;
        for (; turns < 10000 && g_main_context_iteration(NULL, FALSE); turns++)
            end = g_get_monotonic_time() + 5000;
    } while (!over && turns < 10000);
    assert_true(turns < 10000);
    return turns;
}

static void
assert_reads(int fd, const char *text)
{
    g_autofree char *got = g_malloc0(strlen(text) + 2);
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    settle();
    assert_int_equal(poll(&poll_fd, 1, 1000), 1);
    assert_int_equal(read(fd, got, strlen(text) + 1), strlen(text));
    assert_string_equal(got, text);
}

/* Nothing wakes an idle chardev; what is ready after settling would spin. */
static void
assert_idle(void)
{
    settle();
    assert_int_equal(settle(), 0);
}

static void
send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    settle();
}

/* --- null, fd ------------------------------------------------------------- */
static void
test_null_takes_everything(void **state)
{
    Fixture *f = *state;

    open_chardev(f, ENGINE_CHARDEV_NULL, -1, -1);
    put(f, "gone");
    assert_int_equal(settle(), 0); /* not even one wake-up */
    assert_int_equal(engine_chardev_dropped(f->chardev), 0);
    engine_chardev_flush(f->chardev, 1000);
    assert_string_equal(f->sink.text->str, "");
}

static void
test_log_gets_a_copy(void **state)
{
    Fixture *f = *state;
    g_auto(Fd) log = memfd_create("log", MFD_CLOEXEC);
    char text[16] = "";

    open_chardev(f, ENGINE_CHARDEV_NULL, -1, log);
    put(f, "one ");
    settle();
    put(f, "two");
    settle();
    assert_int_equal(pread(log, text, sizeof(text), 0), 7);
    assert_string_equal(text, "one two");
}

static void
test_full_log_is_tolerated(void **state)
{
    Fixture *f = *state;
    g_auto(Fd) log = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    open_chardev(f, ENGINE_CHARDEV_FD, pair[0], log);
    put(f, "one");
    assert_reads(pair[1], "one");
    put(f, "two");
    assert_reads(pair[1], "two");
    assert_idle();
    close(pair[0]);
    close(pair[1]);
}

static void
test_fd_both_ways(void **state)
{
    Fixture *f = *state;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    open_chardev(f, ENGINE_CHARDEV_FD, pair[0], -1);
    put(f, "out");
    assert_reads(pair[1], "out");
    send_text(pair[1], "in");
    assert_string_equal(f->sink.text->str, "in");
    assert_idle();
    /* The far end goes: no spinning, output is dropped and counted. */
    close(pair[1]);
    assert_idle();
    put(f, "x");
    assert_idle();
    put(f, "yz");
    assert_int_equal(engine_chardev_dropped(f->chardev), 3);
    close(pair[0]);
}

static void
test_output_never_blocks_and_is_bounded(void **state)
{
    Fixture *f = *state;
    g_autofree char *chunk = g_strnfill(1000, 'x');
    uint64_t got = 0;
    char buffer[2048];
    int ends[2];
    ssize_t n;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    open_chardev(f, ENGINE_CHARDEV_FD, ends[1], -1);
    for (unsigned i = 0; i < 1000; i++) {
        put(f, chunk);
        if (i % 100 == 0)
            settle();
    }
    assert_idle();
    assert_true(engine_chardev_dropped(f->chardev) > 0);
    (void)fd_set_nonblocking(ends[0], true);
    while ((n = read(ends[0], buffer, sizeof(buffer))) > 0 || settle() > 0)
        got += n > 0 ? (uint64_t)n : 0;
    assert_int_equal(got + engine_chardev_dropped(f->chardev), 1000000);
    put(f, "again");
    assert_reads(ends[0], "again");
    close(ends[0]);
    close(ends[1]);
}

static void
test_flush_waits_for_a_slow_reader_but_not_long(void **state)
{
    Fixture *f = *state;
    g_autofree char *chunk = g_strnfill(ENGINE_CHARDEV_BUFFER, 'x');
    gint64 start = g_get_monotonic_time(), took;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)fcntl(ends[1], F_SETPIPE_SZ, 4096);
    open_chardev(f, ENGINE_CHARDEV_FD, ends[1], -1);
    put(f, chunk);
    engine_chardev_flush(f->chardev, 30);
    took = g_get_monotonic_time() - start;
    assert_true(took >= 25000);
    close(ends[0]);
    close(ends[1]);
}

static void
test_input_stops_while_there_is_no_room(void **state)
{
    Fixture *f = *state;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    f->sink.room = 3;
    open_chardev(f, ENGINE_CHARDEV_FD, pair[0], -1);
    send_text(pair[1], "abcdef");
    assert_string_equal(f->sink.text->str, "abc");
    assert_idle();
    f->sink.room = 2;
    engine_chardev_poll_input(f->chardev);
    settle();
    assert_string_equal(f->sink.text->str, "abcde");
    f->sink.room = 10;
    engine_chardev_poll_input(f->chardev);
    settle();
    assert_string_equal(f->sink.text->str, "abcdef");
    close(pair[0]);
    close(pair[1]);
}

static void
test_wrong_descriptors_are_refused(void **state)
{
    Fixture *f = *state;
    static const EngineChardevType types[] = { ENGINE_CHARDEV_FD,
                                               ENGINE_CHARDEV_PTY,
                                               ENGINE_CHARDEV_LISTEN };
    g_auto(Fd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        EngineChardevConfig config = { types[i], i ? null : -1, -1 };
        g_autoptr(GError) error = NULL;

        assert_null(engine_chardev_new(&config, &handlers, &f->sink, &error));
        assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    }
}

/* --- pty ------------------------------------------------------------------ */
static void
open_pty(Fixture *f, int *master, char *path)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*master >= 0);
    assert_int_equal(ptsname_r(*master, path, 64), 0);
    open_chardev(f, ENGINE_CHARDEV_PTY, *master, -1);
}

static void
test_pty_without_a_reader_is_quiet(void **state)
{
    Fixture *f = *state;
    g_autofree char *chunk = g_strnfill(1000, 'x');
    char path[64];
    int master, slave;

    open_pty(f, &master, path);
    assert_idle();
    /* No echo: output is not the guest's input. */
    put(f, "early\n");
    assert_idle();
    assert_string_equal(f->sink.text->str, "");
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_reads(slave, "early\n");
    send_text(slave, "typed\r\x03");
    assert_string_equal(f->sink.text->str, "typed\r\x03");
    close(slave);
    assert_idle();
    for (unsigned i = 0; i < 300; i++)
        put(f, chunk);
    assert_idle();
    assert_true(engine_chardev_dropped(f->chardev) > 0);
    close(master);
}

/* --- listen --------------------------------------------------------------- */
static int
listen_at(Fixture *f, struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    g_snprintf(address->sun_path, sizeof(address->sun_path), "%s/s", f->folder);
    assert_int_equal(bind(fd, (void *)address, sizeof(*address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static int
connect_to(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const void *)address, sizeof(*address)), 0);
    settle();
    return fd;
}

static void
test_listen_serves_one_after_another(void **state)
{
    Fixture *f = *state;
    struct sockaddr_un address;
    int listener = listen_at(f, &address);
    int first, second;

    open_chardev(f, ENGINE_CHARDEV_LISTEN, listener, -1);
    put(f, "early");
    assert_idle();
    first = connect_to(&address);
    assert_reads(first, "early");
    second = connect_to(&address);
    send_text(second, "two");
    send_text(first, "one ");
    assert_string_equal(f->sink.text->str, "one ");
    put(f, "to first");
    assert_reads(first, "to first");
    assert_idle();
    close(first);
    settle();
    assert_string_equal(f->sink.text->str, "one two");
    put(f, "to second");
    assert_reads(second, "to second");
    close(second);
    assert_idle();
    g_unlink(address.sun_path);
    close(listener);
}

static void
test_listen_peer_that_only_reads(void **state)
{
    Fixture *f = *state;
    struct sockaddr_un address;
    int listener = listen_at(f, &address);
    int first, second;

    open_chardev(f, ENGINE_CHARDEV_LISTEN, listener, -1);
    first = connect_to(&address);
    send_text(first, "command");
    assert_int_equal(shutdown(first, SHUT_WR), 0);
    assert_idle();
    put(f, "answer");
    assert_reads(first, "answer");
    /* A newcomer takes its place. */
    second = connect_to(&address);
    put(f, "new");
    assert_reads(second, "new");
    assert_int_equal(read(first, &(char){ 0 }, 1), 0);
    close(first);
    close(second);
    assert_idle();
    g_unlink(address.sun_path);
    close(listener);
}

static void
test_listen_input_of_one_who_left_is_kept(void **state)
{
    Fixture *f = *state;
    struct sockaddr_un address;
    int listener = listen_at(f, &address);
    int peer;

    open_chardev(f, ENGINE_CHARDEV_LISTEN, listener, -1);
    f->sink.room = 0;
    peer = connect_to(&address);
    send_text(peer, "late");
    close(peer);
    assert_idle();
    put(f, "x"); /* finds the peer gone */
    assert_idle();
    f->sink.room = 10;
    engine_chardev_poll_input(f->chardev);
    assert_idle();
    assert_string_equal(f->sink.text->str, "late");
    peer = connect_to(&address);
    assert_reads(peer, "x");
    close(peer);
    settle();
    g_unlink(address.sun_path);
    close(listener);
}

static void
test_listen_stuck_peer_that_left_is_replaced(void **state)
{
    Fixture *f = *state;
    struct sockaddr_un address;
    int listener = listen_at(f, &address);
    int peer;

    open_chardev(f, ENGINE_CHARDEV_LISTEN, listener, -1);
    f->sink.room = 0; /* a guest that does not read */
    peer = connect_to(&address);
    send_text(peer, "never read");
    close(peer);
    peer = connect_to(&address);
    put(f, "hello");
    assert_reads(peer, "hello");
    close(peer);
    assert_idle();
    g_unlink(address.sun_path);
    close(listener);
}

/* --- stdio ---------------------------------------------------------------- */
/* What a child with a terminal of its own does with the stdio chardev. */
static void
stdio_child(const char *mode)
{
    Sink sink = { g_string_new(NULL), 100, 0 };
    EngineChardevConfig config = { ENGINE_CHARDEV_STDIO, -1, -1 };
    EngineChardev *chardev =
        engine_chardev_new(&config, &handlers, &sink, NULL);

    engine_chardev_write(chardev, (const uint8_t *)"ready", 5);
    while (!sink.escapes)
        g_main_context_iteration(NULL, TRUE);
    if (strcmp(mode, "crash") == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        abort();
    }
    if (strcmp(mode, "exit") == 0)
        exit(0);
    engine_chardev_free(chardev);
    _exit(0);
}

static void
assert_terminal_restored(const char *mode)
{
    struct termios before, during, after;
    struct pollfd poll_fd = { .events = POLLIN };
    char text[8] = "";
    int master, slave, status;
    pid_t child;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(slave, &before), 0);
    child = fork();
    if (child == 0) {
        if (login_tty(slave) < 0)
            _exit(99);
        stdio_child(mode);
    }
    poll_fd.fd = master;
    assert_int_equal(poll(&poll_fd, 1, 5000), 1);
    assert_int_equal(read(master, text, sizeof(text)), 5);
    assert_string_equal(text, "ready");
    assert_int_equal(tcgetattr(slave, &during), 0);
    assert_int_equal(during.c_lflag & (tcflag_t)(ECHO | ICANON | ISIG), 0);
    assert_int_equal(write(master, "\x1d", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(tcgetattr(slave, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_int_equal(after.c_iflag, before.c_iflag);
    if (strcmp(mode, "crash") == 0)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(master);
    close(slave);
}

static void
test_stdio_restores_the_terminal(void **state)
{
    assert_terminal_restored("free");
    assert_terminal_restored("exit");
    assert_terminal_restored("crash");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_null_takes_everything),
        T(test_log_gets_a_copy),
        T(test_full_log_is_tolerated),
        T(test_fd_both_ways),
        T(test_output_never_blocks_and_is_bounded),
        T(test_flush_waits_for_a_slow_reader_but_not_long),
        T(test_input_stops_while_there_is_no_room),
        T(test_wrong_descriptors_are_refused),
        T(test_pty_without_a_reader_is_quiet),
        T(test_listen_serves_one_after_another),
        T(test_listen_peer_that_only_reads),
        T(test_listen_input_of_one_who_left_is_kept),
        T(test_listen_stuck_peer_that_left_is_replaced),
        T(test_stdio_restores_the_terminal),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
