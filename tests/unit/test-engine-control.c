/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/control-command.h"
#include "engine/control.h"
#include "engine/dev/dev.h"
#include "fake-engine.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/log.h"

typedef struct Fixture {
    EngineConfig config;
    Engine *engine;
    EngineControl *control;
    char *folder;
    struct sockaddr_un address;
} Fixture;

static int
listen_at(struct sockaddr_un *address, const char *folder)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    g_snprintf(address->sun_path, sizeof(address->sun_path), "%s/s", folder);
    assert_int_equal(bind(fd, (void *)address, sizeof(*address)), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static int
setup(void **state)
{
    Fixture *f = g_new0(Fixture, 1);

    f->folder = g_dir_make_tmp("virtkvm-control-XXXXXX", NULL);
    if (!f->folder)
        return -1;
    f->config.memory = 64 << 20;
    f->config.vcpus = 2;
    f->config.serials[1].present = true;
    f->config.serials[1].chardev = (EngineChardevConfig){
        .type = ENGINE_CHARDEV_NULL, .fd = -1, .log_fd = -1
    };
    f->engine = fake_engine_new(&f->config, 4096);
    fake_device_new(f->engine, &engine_serial_type, 0);
    fake_device_new(f->engine, &engine_serial_type, 1);
    f->control =
        engine_control_new(f->engine, listen_at(&f->address, f->folder));
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;

    engine_control_free(f->control);
    fake_engine_free(f->engine);
    g_unlink(f->address.sun_path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f);
    return 0;
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* One line, or NULL if the engine has closed the connection. */
static json_t *
read_line(int fd)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    json_t *object;
    char c;

    settle();
    for (;;) {
        if (poll(&poll_fd, 1, 0) == 0)
            settle();
        assert_int_equal(poll(&poll_fd, 1, 1000), 1);
        if (read(fd, &c, 1) != 1)
            return NULL;
        if (c == '\n')
            break;
        g_string_append_c(line, c);
    }
    object = json_loads(line->str, 0, NULL);
    assert_non_null(object);
    return object;
}

static void
send_bytes(int fd, const void *data, size_t size)
{
    const char *bytes = data;

    while (size > 0) {
        ssize_t n =
            send(fd, bytes, MIN(size, 2000), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
        settle();
    }
}

static void
send_line(int fd, const char *text)
{
    send_bytes(fd, text, strlen(text));
    send_bytes(fd, "\n", 1);
}

/* "a.b.c" within the object, or NULL */
static json_t *
at(json_t *object, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);

    for (char **name = names; *name; name++)
        object = json_object_get(object, *name);
    return object;
}

static void
assert_text(json_t *object, const char *path, const char *expected)
{
    const char *text = json_string_value(at(object, path));

    assert_non_null(text);
    assert_string_equal(text, expected);
}

static int
connect_client(Fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    json_t *greeting;

    assert_int_equal(connect(fd, (const void *)&f->address, sizeof(f->address)),
                     0);
    greeting = read_line(fd);
    assert_non_null(greeting);
    assert_true(json_is_integer(at(greeting, "QMP.version.engine.major")));
    assert_text(greeting, "QMP.version.package", PACKAGE_STRING);
    assert_true(json_is_array(at(greeting, "QMP.capabilities")));
    json_decref(greeting);
    return fd;
}

/* Sends a request and takes the next line that is no event. */
static json_t *
ask(int fd, const char *request)
{
    json_t *answer;

    send_line(fd, request);
    for (;;) {
        answer = read_line(fd);
        assert_non_null(answer);
        if (!json_object_get(answer, "event"))
            return answer;
        json_decref(answer);
    }
}

static void
assert_error(int fd, const char *request, const char *class, const char *text)
{
    json_t *answer = ask(fd, request);

    assert_text(answer, "error.class", class);
    assert_text(answer, "error.desc", text);
    json_decref(answer);
}

static void
assert_done(int fd, const char *request)
{
    json_t *answer = ask(fd, request);

    assert_true(json_is_object(at(answer, "return")));
    json_decref(answer);
}

/* Drops other lines until the event comes. */
static json_t *
await_event(int fd, const char *name)
{
    for (;;) {
        json_t *object = read_line(fd);
        const char *event = json_string_value(at(object, "event"));

        assert_non_null(object);
        if (event && strcmp(event, name) == 0)
            return object;
        json_decref(object);
    }
}

/* Of every subject's table one, and none twice. */
static void
assert_commands(const json_t *list)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (size_t i = 0; i < json_array_size(list); i++)
        assert_true(
            g_hash_table_add(names, (gpointer)json_string_value(json_object_get(
                                        json_array_get(list, i), "name"))));
    assert_true(g_hash_table_contains(names, "system_reset"));
    assert_true(g_hash_table_contains(names, "take-control"));
}

static void
test_queries(void **state)
{
    Fixture *f = *state;
    int fd = connect_client(f);
    json_t *a;

    a = ask(fd, "{\"execute\": \"query-status\", \"id\": {\"x\": [7]}}");
    assert_text(a, "return.status", "running");
    assert_true(json_is_true(at(a, "return.running")));
    assert_int_equal(json_integer_value(at(a, "return.pid")), getpid());
    assert_int_equal(json_integer_value(json_array_get(at(a, "id.x"), 0)), 7);
    json_decref(a);

    a = ask(fd, "{\"execute\": \"query-cpus\"}");
    assert_int_equal(json_array_size(at(a, "return")), 2);
    assert_true(json_is_true(
        json_object_get(json_array_get(at(a, "return"), 1), "halted")));
    assert_null(at(a, "id"));
    json_decref(a);

    a = ask(fd, "{\"execute\": \"query-memory\", \"arguments\": {}}");
    assert_int_equal(json_integer_value(at(a, "return.size")), 64 << 20);
    json_decref(a);

    a = ask(fd, "{\"execute\": \"query-chardev\"}");
    assert_int_equal(json_array_size(at(a, "return")), 1);
    assert_text(json_array_get(at(a, "return"), 0), "name", "serial1");
    json_decref(a);

    a = ask(fd, "{\"execute\": \"query-report\"}");
    assert_text(a, "return.report", "");
    json_decref(a);

    a = ask(fd, "{\"execute\": \"query-commands\"}\r");
    assert_commands(at(a, "return"));
    json_decref(a);
    assert_done(fd, "{\"execute\": \"qmp_capabilities\"}");
    close(fd);
    settle();
}

static void
test_changes_and_events(void **state)
{
    Fixture *f = *state;
    int fd = connect_client(f), other = connect_client(f);
    json_t *event;

    assert_done(fd, "{\"execute\": \"stop\"}");
    assert_int_equal(engine_status(f->engine), ENGINE_STATUS_PAUSED);
    event = await_event(other, "STOP");
    assert_true(json_integer_value(at(event, "timestamp.seconds")) > 0);
    assert_int_equal(json_object_size(at(event, "data")), 0);
    json_decref(event);
    assert_error(fd, "{\"execute\": \"stop\"}", "GenericError",
                 "the domain is already paused");
    assert_done(fd, "{\"execute\": \"cont\"}");
    json_decref(await_event(other, "RESUME"));
    assert_done(fd, "{\"execute\": \"system_powerdown\"}");
    assert_int_equal(fake_powerdowns(f->engine), 1);
    json_decref(await_event(other, "POWERDOWN"));
    assert_done(fd, "{\"execute\": \"system_reboot\"}");
    assert_int_equal(fake_powerdowns(f->engine), 2);
    assert_true(fake_reboot(f->engine));
    assert_done(fd, "{\"execute\": \"system_powerdown\"}");
    assert_false(fake_reboot(f->engine));
    assert_done(fd, "{\"execute\": \"system_reset\"}");
    event = await_event(other, "RESET");
    assert_true(json_is_false(at(event, "data.guest")));
    json_decref(event);
    assert_done(fd, "{\"execute\": \"quit\"}");
    assert_string_equal(fake_quit_reason(f->engine), "host-quit");

    engine_event(
        f->engine, "SHUTDOWN",
        json_pack("{s:b,s:s}", "guest", 1, "reason", "guest-shutdown"));
    event = await_event(other, "SHUTDOWN");
    assert_true(json_is_true(at(event, "data.guest")));
    assert_text(event, "data.reason", "guest-shutdown");
    json_decref(event);
    engine_event(f->engine, "RTC_CHANGE", json_pack("{s:i}", "offset", -3600));
    event = await_event(other, "RTC_CHANGE");
    assert_int_equal(json_integer_value(at(event, "data.offset")), -3600);
    json_decref(event);
    close(fd);
    close(other);
    settle();
}

static void
test_one_controller_at_a_time(void **state)
{
    Fixture *f = *state;
    int first = connect_client(f), second = connect_client(f);

    assert_done(first, "{\"execute\": \"take-control\"}");
    assert_done(first, "{\"execute\": \"take-control\"}");
    assert_error(second, "{\"execute\": \"stop\"}", "ControlTaken",
                 "another client has control of the engine");
    assert_done(second, "{\"execute\": \"query-memory\"}");
    close(first);
    settle();
    assert_done(second, "{\"execute\": \"stop\"}");
    close(second);
    settle();
}

static void
test_bad_requests_are_explained(void **state)
{
    Fixture *f = *state;
    int fd = connect_client(f);
    json_t *a;

    assert_error(fd, "{\"execute\": \"fly\"}", "CommandNotFound",
                 "there is no command 'fly'");
    assert_error(fd, "[]", "GenericError", "a request must be a JSON object");
    assert_error(fd, "{}", "GenericError",
                 "a request needs 'execute' with the name of a command");
    assert_error(fd, "{\"execute\": 3}", "GenericError",
                 "a request needs 'execute' with the name of a command");
    assert_error(fd, "{\"execute\": \"stop\", \"argument\": {}}",
                 "GenericError", "a request has no member 'argument'");
    assert_error(fd, "{\"execute\": \"stop\", \"arguments\": 1}",
                 "GenericError", "'arguments' must be an object");
    assert_error(fd, "{\"execute\": \"stop\", \"arguments\": {\"now\": 1}}",
                 "GenericError",
                 "the argument 'now' is not known to this engine");
    a = ask(fd, "{\"execute\": \"fly\", \"id\": \"me\"}");
    assert_text(a, "id", "me");
    json_decref(a);
    a = ask(fd, "{\"execute\": ");
    assert_true(g_str_has_prefix(json_string_value(at(a, "error.desc")),
                                 "the line is not JSON: "));
    json_decref(a);
    assert_int_equal(engine_status(f->engine), ENGINE_STATUS_RUNNING);
    close(fd);
    settle();
}

static void
test_long_lines_are_refused_once(void **state)
{
    Fixture *f = *state;
    g_autofree char *junk = g_strnfill(3 * ENGINE_CONTROL_LINE_MAX, 'x');
    int fd = connect_client(f);
    json_t *a;

    send_line(fd, junk);
    a = read_line(fd);
    assert_text(a, "error.desc", "a line is longer than 65536 bytes");
    json_decref(a);
    assert_done(fd, "{\"execute\": \"query-memory\"}");
    junk[ENGINE_CONTROL_LINE_MAX + 1] = '\0';
    assert_error(fd, junk, "GenericError", "a line is longer than 65536 bytes");
    memset(junk, ' ', ENGINE_CONTROL_LINE_MAX);
    memcpy(junk, "{\"execute\": \"query-memory\"}", 27);
    junk[ENGINE_CONTROL_LINE_MAX] = '\0';
    assert_done(fd, junk);
    close(fd);
    settle();
}

static void
test_garbage_is_survived(void **state)
{
    Fixture *f = *state;
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);
    char deep[1000];
    int fd = connect_client(f);

    memset(deep, '[', sizeof(deep));
    deep[sizeof(deep) - 1] = '\n';
    send_bytes(fd, deep, sizeof(deep));
    send_bytes(fd, "{\"execute\": \"stop\0\"}\n", 21);
    for (unsigned i = 0; i < 200; i++) {
        char junk[300], answer[1024];

        for (unsigned k = 0; k < sizeof(junk); k++)
            junk[k] = (char)g_rand_int_range(random, 0, 256);
        send_bytes(fd, junk, sizeof(junk));
        while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
            settle();
    }
    close(fd);
    settle();
    fd = connect_client(f);
    assert_done(fd, "{\"execute\": \"query-status\"}");
    assert_int_equal(engine_status(f->engine), ENGINE_STATUS_RUNNING);
    close(fd);
    settle();
}

static void
test_too_many_clients(void **state)
{
    Fixture *f = *state;
    int fds[ENGINE_CONTROL_CLIENTS_MAX], extra;
    json_t *a;

    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = connect_client(f);
    extra = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        connect(extra, (const void *)&f->address, sizeof(f->address)), 0);
    a = read_line(extra);
    assert_text(a, "error.desc", "the control socket has too many clients");
    json_decref(a);
    assert_null(read_line(extra));
    close(extra);
    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    settle();
    fds[0] = connect_client(f);
    close(fds[0]);
    settle();
}

static void
test_slow_reader_is_dropped_others_stay(void **state)
{
    Fixture *f = *state;
    g_autofree char *report = g_strnfill(5000, 'r');
    int slow = connect_client(f), good = connect_client(f);
    g_auto(Fd) null = memfd_create("log", MFD_CLOEXEC);
    char text[4000];
    ssize_t n;

    log_init("test", LOG_LEVEL_WARNING, null);
    for (unsigned i = 0; i < 400; i++) {
        engine_event(f->engine, "INTERNAL_ERROR",
                     json_pack("{s:s}", "report", report));
        json_decref(await_event(good, "INTERNAL_ERROR"));
    }
    log_init("test", LOG_LEVEL_WARNING, 2);
    assert_true(pread(null, text, sizeof(text) - 1, 0) > 0);
    assert_done(good, "{\"execute\": \"query-status\"}");
    settle();
    while ((n = recv(slow, text, sizeof(text), MSG_DONTWAIT)) > 0)
        settle();
    assert_int_equal(n, 0); /* the end, not EAGAIN */
    close(slow);
    close(good);
    settle();
}

/* Requests without reading answers: they wait, and all are answered. */
static void
test_pipelined_requests_wait(void **state)
{
    Fixture *f = *state;
    const char *request = "{\"execute\": \"query-commands\"}\n";
    size_t size = strlen(request), sent = 0, lines = 0;
    int fd = connect_client(f);
    char text[4000];
    ssize_t n;

    while (sent < 3000 * size) {
        n = send(fd, request + sent % size, size - sent % size, MSG_DONTWAIT);
        settle();
        if (n > 0)
            sent += (size_t)n;
        else if ((n = recv(fd, text, sizeof(text), MSG_DONTWAIT)) > 0)
            for (ssize_t i = 0; i < n; i++)
                lines += text[i] == '\n';
    }
    for (unsigned idle = 0; lines < 3000 && idle < 1000;) {
        settle();
        n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
        idle = n > 0 ? 0 : idle + 1;
        for (ssize_t i = 0; i < n; i++)
            lines += text[i] == '\n';
    }
    assert_int_equal(lines, 3000);
    close(fd);
    settle();
}

static void
test_the_longest_answer_arrives(void **state)
{
    Fixture *f = *state;
    int fd = connect_client(f);
    json_t *a;

    f->config.vcpus = ENGINE_VCPUS_MAX;
    a = ask(fd, "{\"execute\": \"query-cpus\"}");
    assert_int_equal(json_array_size(at(a, "return")), ENGINE_VCPUS_MAX);
    json_decref(a);
    close(fd);
    settle();
}

static void
test_refuse_tells_who_waits(void **state)
{
    Fixture *f = *state;
    g_autofree char *folder = g_dir_make_tmp("virtkvm-control-XXXXXX", NULL);
    struct sockaddr_un address;
    int listener = listen_at(&address, folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    json_t *a;

    (void)f;
    assert_int_equal(connect(fd, (const void *)&address, sizeof(address)), 0);
    engine_control_refuse(listener, "no kernel");
    a = read_line(fd);
    assert_text(a, "error.class", "GenericError");
    assert_text(a, "error.desc", "no kernel");
    json_decref(a);
    assert_null(read_line(fd));
    close(fd);
    close(listener);
    g_unlink(address.sun_path);
    g_rmdir(folder);
}

static void
test_parse_is_pure(void **state)
{
    static const char line[] = "{\"execute\": \"quit\", \"id\": 1}";

    for (size_t size = 0; size < sizeof(line) - 1; size++) {
        g_auto(EngineControlCall) call = { 0 };
        g_autoptr(GError) error = NULL;
        EngineReader reader = { .fds = NULL };

        assert_false(engine_control_parse(line, size, &reader, &call, &error));
        assert_null(call.command);
        assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
    }
}

/* Sends a line with descriptor @sent beside it. */
static void
send_with_fd(int fd, const char *line, int sent)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .bytes = { 0 } };
    struct iovec iov = { (char *)line, strlen(line) };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };

    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), &sent, sizeof(int));
    assert_int_equal(sendmsg(fd, &message, 0), strlen(line));
}

/* Descriptors that no command takes over are closed. */
static void
test_unwanted_descriptors_are_closed(void **state)
{
    static const char *const lines[] = {
        "{\"execute\": \"query-status\"}\n",
        "{\"execute\": \"device_add\", \"arguments\": {\"device\": {\"type\": "
        "\"virtio-rng\", \"id\": \"r\", \"slot\": 0, \"fd\": 0}}}\n",
    };
    Fixture *f = *state;
    int fd = connect_client(f);

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        struct pollfd hang_up = { .events = POLLHUP };
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        send_with_fd(fd, lines[i], ends[1]);
        close(ends[1]);
        json_decref(read_line(fd));
        hang_up.fd = ends[0];
        assert_int_equal(poll(&hang_up, 1, 5000), 1);
        close(ends[0]);
    }
    close(fd);
    settle();
}

/* A device's own go with it into the machine. */
static void
test_devices_come_and_go(void **state)
{
    Fixture *f = *state;
    int fd = connect_client(f), ends[2];
    g_autoptr(GPtrArray) configs = NULL;
    const EngineDeviceConfig *config;
    struct pollfd hang_up = { .events = POLLHUP };
    json_t *a;

    assert_int_equal(pipe(ends), 0);
    send_with_fd(fd,
                 "{\"execute\": \"device_add\", \"arguments\": {\"device\": "
                 "{\"type\": \"virtio-rng\", \"id\": \"rng1\", \"slot\": 9, "
                 "\"fd\": 0}}}\n",
                 ends[1]);
    close(ends[1]);
    a = read_line(fd);
    assert_non_null(json_object_get(a, "return"));
    json_decref(a);
    configs = engine_device_configs(f->engine);
    assert_int_equal(configs->len, 1);
    config = g_ptr_array_index(configs, 0);
    assert_int_equal(config->fds->len, 1);
    assert_int_equal(g_array_index(config->fds, int, 0), config->rng.fd);
    hang_up.fd = ends[0];
    assert_int_equal(poll(&hang_up, 1, 0), 0); /* open */
    close(config->rng.fd);
    close(ends[0]);

    a = ask(fd, "{\"execute\": \"query-devices\"}");
    assert_int_equal(json_array_size(json_object_get(a, "return")), 1);
    json_decref(a);
    a = ask(fd, "{\"execute\": \"device_del\", \"arguments\": {\"id\": "
                "\"rng2\"}}");
    assert_text(a, "error.desc", "there is no device 'rng2'");
    json_decref(a);
    send_line(fd, "{\"execute\": \"device_del\", \"arguments\": {\"id\": "
                  "\"rng1\"}}");
    a = await_event(fd, "DEVICE_DELETED");
    assert_text(a, "data.id", "rng1");
    json_decref(a);
    a = read_line(fd);
    assert_non_null(json_object_get(a, "return"));
    json_decref(a);
    close(fd);
    settle();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_queries),
        T(test_changes_and_events),
        T(test_one_controller_at_a_time),
        T(test_bad_requests_are_explained),
        T(test_long_lines_are_refused_once),
        T(test_garbage_is_survived),
        T(test_too_many_clients),
        T(test_slow_reader_is_dropped_others_stay),
        T(test_pipelined_requests_wait),
        T(test_the_longest_answer_arrives),
        T(test_refuse_tells_who_waits),
        T(test_unwanted_descriptors_are_closed),
        T(test_devices_come_and_go),
        cmocka_unit_test(test_parse_is_pure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
