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
 */

#define DOCUMENT_MAX 65536
#define LINE_MAX_    1024
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

static void
run_cont(int client, json_int_t id)
{
    status = "running";
    event(client, "RESUME", "");
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
};

static void
run_line(int client, const char *line)
{
    json_t *request = json_loads(line, 0, NULL);
    const char *name = json_string_value(json_object_get(request, "execute"));
    json_int_t id = json_integer_value(json_object_get(request, "id"));

    for (size_t i = 0; name && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0 && !behaves("silent") &&
            (commands[i].opening || !behaves("dumb")))
            commands[i].run(client, id);
    json_decref(request);
}

static void
serve(int client)
{
    FILE *stream = fdopen(client, "r");
    char line[LINE_MAX_];

    say(client, "{\"QMP\": {}}\n");
    while (fgets(line, sizeof(line), stream))
        run_line(client, line);
    fclose(stream);
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
