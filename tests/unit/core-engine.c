/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <glib.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fd.h"

/**
 * A stand-in for virtkvm-engine that runs nothing and behaves as the machine
 * document's command line says:
 *
 *   (nothing)   as it should
 *   fail        cannot start
 *   quick       its guest powers off before anybody has asked anything
 *   silent      answers nothing
 *   dumb        answers nothing but the first questions
 *   garbage     answers `stop` with what is no JSON
 *   flood       answers `stop` with a line without an end
 *   crash       is killed by a signal at `stop`
 *   error       ends with a report at `stop`
 *   clock       sets its clock a hundred times at `stop`
 *   broken      its disk has no space left at `stop`
 *   deaf        does not let go of devices
 *   stubborn    refuses to let go of devices
 *   flapping    opens and closes its channel a hundred times at `stop`
 *
 * It has a disk "virtio-disk0", an interface "net0", a channel and a balloon,
 * and takes any device that comes with as many descriptors as it names.
 */

#define DOCUMENT_MAX 65536
#define LINE_MAX_    65536
#define FLOOD_BYTES  (2 << 20)

static struct {
    int control, exit, machine;
} fds = { -1, -1, -1 };
static char behaviour[64];
static const char *status = "running";

static void
leave(int code, const char *line)
{
    if (line)
        (void)fd_write_all(fds.exit, line, strlen(line));
    _exit(code);
}

static void
on_term(int signal_number)
{
    leave(0, "{\"reason\": \"host-quit\"}\n");
}

static bool
behaves(const char *name)
{
    return strcmp(behaviour, name) == 0;
}

static void
read_document(void)
{
    char *text = calloc(1, DOCUMENT_MAX);
    json_t *document;
    const char *cmdline;

    if (fd_read_all(fds.machine, text, DOCUMENT_MAX - 1) <= 0)
        leave(1,
              "{\"reason\": \"start-failed\", \"error\": \"no document\"}\n");
    document = json_loads(text, 0, NULL);
    if (!document)
        leave(1,
              "{\"reason\": \"start-failed\", \"error\": \"bad document\"}\n");
    cmdline = json_string_value(json_object_get(document, "cmdline"));
    g_strlcpy(behaviour, cmdline ? cmdline : "", sizeof(behaviour));
    if (json_is_true(json_object_get(document, "paused")))
        status = "prelaunch";
    json_decref(document);
    free(text);
}

static void
say(int client, const char *text)
{
    (void)send(client, text, strlen(text), MSG_NOSIGNAL);
}

static void
event(int client, const char *name, const char *data)
{
    g_autofree char *line =
        g_strdup_printf("{\"event\": \"%s\", \"data\": {%s}}\n", name, data);

    say(client, line);
}

static void
answer(int client, json_int_t id, const char *value)
{
    g_autofree char *line = g_strdup_printf("{\"return\": %s, \"id\": %lld}\n",
                                            value, (long long)id);

    say(client, line);
}

static void
break_disk(int client)
{
    event(client, "BLOCK_IO_ERROR",
          "\"id\": \"virtio-disk0\", \"operation\": \"write\", "
          "\"action\": \"stop\", \"nospace\": true");
}

static void
misbehave(int client)
{
    if (behaves("garbage")) {
        say(client, "\x01\x02 this is not JSON\n");
    } else if (behaves("flood")) {
        char *flood = malloc(FLOOD_BYTES);

        memset(flood, 'x', FLOOD_BYTES);
        (void)send(client, flood, FLOOD_BYTES, MSG_NOSIGNAL);
        free(flood);
    } else if (behaves("crash")) {
        raise(SIGKILL);
    } else if (behaves("clock")) {
        for (int i = 1; i <= 100; i++) {
            g_autofree char *data = g_strdup_printf("\"offset\": %d", i);

            event(client, "RTC_CHANGE", data);
        }
    } else if (behaves("broken")) {
        break_disk(client);
    } else if (behaves("flapping")) {
        for (int i = 0; i < 100; i++)
            event(client, "VSERPORT_CHANGE",
                  i % 2 ? "\"id\": \"virtio-serial0\", \"port\": 1, "
                          "\"open\": false"
                        : "\"id\": \"virtio-serial0\", \"port\": 1, "
                          "\"open\": true");
    } else if (behaves("error")) {
        event(client, "INTERNAL_ERROR", "\"report\": \"vCPU 0: oh\\nRIP=0\"");
        leave(2, "{\"reason\": \"internal-error\", "
                 "\"report\": \"vCPU 0: oh\\nRIP=0\"}\n");
    }
}

static void
run_stop(int client, json_int_t id)
{
    misbehave(client);
    status = "paused";
    event(client, "STOP", "");
    answer(client, id, "{}");
}

/* With "brief" the guest's next write fails before the answer. */
static void
run_cont(int client, json_int_t id)
{
    status = "running";
    event(client, "RESUME", "");
    if (behaves("brief")) {
        status = "paused";
        break_disk(client);
        event(client, "STOP", "");
    }
    answer(client, id, "{}");
}

static void
run_reset(int client, json_int_t id)
{
    event(client, "RESET", "\"guest\": false");
    answer(client, id, "{}");
}

static void
run_powerdown(int client, json_int_t id)
{
    answer(client, id, "{}");
    event(client, "SHUTDOWN",
          "\"guest\": true, \"reason\": \"guest-shutdown\"");
    leave(0, "{\"reason\": \"guest-shutdown\"}\n");
}

static void
run_reboot(int client, json_int_t id)
{
    answer(client, id, "{}");
    event(client, "RESET", "\"guest\": true");
}

static void
run_status(int client, json_int_t id)
{
    g_autofree char *value =
        g_strdup_printf("{\"status\": \"%s\", \"running\": true}", status);

    answer(client, id, value);
}

static void
run_cpus(int client, json_int_t id)
{
    g_autofree char *value = g_strdup_printf(
        "[{\"cpu\": 0, \"thread_id\": %d, \"halted\": false}]", (int)getpid());

    answer(client, id, value);
}

static void
run_take_control(int client, json_int_t id)
{
    answer(client, id, "{}");
}

static void
refuse(int client, json_int_t id, const char *why)
{
    g_autofree char *line = g_strdup_printf(
        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}, "
        "\"id\": %lld}\n",
        why, (long long)id);

    say(client, line);
}

/* --- devices ---------------------------------------------------------------
 */

/* What came beside the last request. */
static unsigned received;
static json_t *arguments;

static bool
is_for(const char *id)
{
    const char *given = json_string_value(json_object_get(arguments, "id"));

    return given && strcmp(given, id) == 0;
}

static bool
needs_file(const json_t *device)
{
    const char *type = json_string_value(json_object_get(device, "type"));

    return strcmp(type, "virtio-scsi") != 0 &&
           (strcmp(type, "unit") != 0 || json_object_get(device, "drive"));
}

static void
run_device_add(int client, json_int_t id)
{
    const json_t *device = json_object_get(arguments, "device");

    if (!json_string_value(json_object_get(device, "id")))
        refuse(client, id, "a device without an id");
    else if (received == 0 && needs_file(device))
        refuse(client, id, "a device without descriptors");
    else
        answer(client, id, "{}");
}

static void
run_device_del(int client, json_int_t id)
{
    g_autofree char *data = g_strdup_printf(
        "\"id\": \"%s\"", json_string_value(json_object_get(arguments, "id")));

    answer(client, id, "{}");
    if (behaves("stubborn"))
        event(client, "DEVICE_UNPLUG_GUEST_ERROR", data);
    else if (!behaves("deaf"))
        event(client, "DEVICE_DELETED", data);
}

/* With a medium comes its file; a guest with a locked tray keeps its own. */
static void
run_change_medium(int client, json_int_t id)
{
    static unsigned tries;

    if (!is_for("scsi0-0-0-0") ||
        (json_object_get(arguments, "drive") != NULL) != (received > 0)) {
        refuse(client, id, "no such drive, or a medium without a file");
        return;
    }
    if (!json_is_true(json_object_get(arguments, "force")) &&
        (behaves("locked") || (behaves("unlocks") && tries++ < 3))) {
        answer(client, id, "{\"asked\": true}");
        return;
    }
    event(client, "DEVICE_TRAY_MOVED",
          "\"id\": \"scsi0-0-0-0\", \"tray-open\": true");
    event(client, "DEVICE_TRAY_MOVED",
          "\"id\": \"scsi0-0-0-0\", \"tray-open\": false");
    answer(client, id, "{}");
}

static void
run_query_block(int client, json_int_t id)
{
    answer(client, id,
           "[{\"id\": \"virtio-disk0\", \"size\": 1048576, "
           "\"physical\": 4096, \"allocation\": 8192, "
           "\"error\": \"nospace\", \"rd_operations\": 1, "
           "\"rd_bytes\": 2, \"rd_total_ns\": 3, \"wr_operations\": 4, "
           "\"wr_bytes\": 5, \"wr_total_ns\": 6, "
           "\"flush_operations\": 7, \"flush_total_ns\": 8, "
           "\"discard_operations\": 9, \"errors\": 10, "
           "\"highest_offset\": 11}, {\"id\": 7}, null]");
}

static void
run_query_net(int client, json_int_t id)
{
    answer(client, id,
           "[{\"id\": \"net0\", \"link\": true, \"rx_bytes\": 1, "
           "\"rx_packets\": 2, \"rx_errors\": 3, \"rx_dropped\": 4, "
           "\"tx_bytes\": 5, \"tx_packets\": 6, \"tx_errors\": 7, "
           "\"tx_dropped\": -8}]");
}

static void
run_query_balloon(int client, json_int_t id)
{
    answer(client, id, "{\"actual\": 67108864, \"target\": 67108864}");
}

static void
run_balloon_stats(int client, json_int_t id)
{
    answer(client, id,
           "{\"last_update\": 9, \"stats\": {\"swap_in\": 2048, "
           "\"major_fault\": 7, \"unused\": \"?\"}}");
}

static void
run_balloon(int client, json_int_t id)
{
    g_autofree char *data = g_strdup_printf(
        "\"actual\": %lld",
        (long long)json_integer_value(json_object_get(arguments, "value")));

    answer(client, id, "{}");
    event(client, "BALLOON_CHANGE", data);
}

static void
run_resize(int client, json_int_t id)
{
    if (is_for("virtio-disk0") &&
        json_integer_value(json_object_get(arguments, "size")) == 2097152)
        answer(client, id, "{}");
    else
        refuse(client, id, "no such disk, or not that size");
}

static void
run_throttle(int client, json_int_t id)
{
    const json_t *throttle = json_object_get(arguments, "throttle");

    if (is_for("virtio-disk0") && json_object_size(throttle) == 2 &&
        json_integer_value(json_object_get(throttle, "total_iops_sec")) == 5 &&
        json_string_value(json_object_get(throttle, "group")))
        answer(client, id, "{}");
    else
        refuse(client, id, "no such disk, or not these limits");
}

static void
run_set_link(int client, json_int_t id)
{
    if (is_for("net0") && json_is_false(json_object_get(arguments, "up")))
        answer(client, id, "{}");
    else
        refuse(client, id, "no such interface, or it is up");
}

static void
run_bandwidth(int client, json_int_t id)
{
    const json_t *bandwidth = json_object_get(arguments, "bandwidth");
    const json_t *inbound = json_object_get(bandwidth, "inbound");

    if (is_for("net0") && json_object_get(bandwidth, "outbound") &&
        json_integer_value(json_object_get(inbound, "average")) == 7)
        answer(client, id, "{}");
    else
        refuse(client, id, "no such interface, or not these limits");
}

static void
run_period(int client, json_int_t id)
{
    if (json_integer_value(json_object_get(arguments, "seconds")) == 3)
        answer(client, id, "{}");
    else
        refuse(client, id, "not that period");
}

static const struct {
    const char *name;
    bool opening;
    void (*run)(int client, json_int_t id);
} commands[] = {
    { "take-control", true, run_take_control },
    { "query-status", true, run_status },
    { "query-cpus", true, run_cpus },
    { "stop", false, run_stop },
    { "cont", false, run_cont },
    { "system_reset", false, run_reset },
    { "system_powerdown", false, run_powerdown },
    { "system_reboot", false, run_reboot },
    { "device_add", false, run_device_add },
    { "device_del", false, run_device_del },
    { "query-block", false, run_query_block },
    { "query-net", false, run_query_net },
    { "query-balloon", true, run_query_balloon },
    { "query-balloon-stats", false, run_balloon_stats },
    { "balloon", false, run_balloon },
    { "balloon_stats_period", false, run_period },
    { "change_medium", false, run_change_medium },
    { "block_resize", false, run_resize },
    { "block_set_throttle", false, run_throttle },
    { "set_link", false, run_set_link },
    { "net_set_bandwidth", false, run_bandwidth },
};

static void
run_line(int client, const char *line)
{
    json_t *request = json_loads(line, 0, NULL);
    const char *name = json_string_value(json_object_get(request, "execute"));
    json_int_t id = json_integer_value(json_object_get(request, "id"));

    arguments = json_object_get(request, "arguments");
    for (size_t i = 0; name && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0 && !behaves("silent") &&
            (commands[i].opening || !behaves("dumb")))
            commands[i].run(client, id);
    json_decref(request);
}

/* A byte, and what comes beside it. */
static bool
read_byte(int client, char *ret_byte)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int) * 64)];
    } control;
    struct iovec iov = { ret_byte, 1 };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    struct cmsghdr *part;

    if (recvmsg(client, &message, MSG_CMSG_CLOEXEC) != 1)
        return false;
    part = CMSG_FIRSTHDR(&message);
    for (size_t i = 0; part && i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
         i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
        close(fd);
        received++;
    }
    return true;
}

static void
serve(int client)
{
    static char line[LINE_MAX_];
    size_t size = 0;

    say(client, "{\"QMP\": {}}\n");
    while (size < sizeof(line) - 1 && read_byte(client, &line[size])) {
        if (line[size++] != '\n')
            continue;
        line[size] = '\0';
        run_line(client, line);
        received = 0;
        size = 0;
    }
    close(client);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "--machine-fd=%d", &fds.machine) != 1 &&
            sscanf(argv[i], "--control-fd=%d", &fds.control) != 1 &&
            sscanf(argv[i], "--exit-fd=%d", &fds.exit) != 1)
            return 1;
    }
    signal(SIGTERM, on_term);
    read_document();
    if (behaves("fail"))
        leave(1, "{\"reason\": \"start-failed\", \"error\": \"so it is\"}\n");
    if (behaves("quick"))
        leave(0, "{\"reason\": \"guest-shutdown\"}\n");
    for (;;) {
        int client = accept(fds.control, NULL, NULL);

        if (client < 0)
            leave(1, NULL);
        serve(client);
    }
}
