/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/control.h"
#include "engine/engine.h"
#include "engine/exit-file.h"
#include "engine/inherit.h"
#include "engine/options.h"
#include "engine/signals.h"
#include "engine/xml.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"
#include "util/module.h"

#define STATUS_START_FAILED 1
#define CONTROL_BACKLOG     16

/* Many short-lived threads would each get an arena of their own; what little
 * the engine allocates while it runs does not contend. */
#define MALLOC_ARENAS 1

/* From a file or a pipe; a caller that died before it wrote everything leaves a
 * document that no longer parses. */
static char *
read_document_fd(int fd, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    char chunk[2048];
    ssize_t size;

    while ((size = fd_read_all(fd, chunk, sizeof(chunk))) > 0) {
        g_byte_array_append(bytes, (const guint8 *)chunk, (guint)size);
        if (bytes->len > ENGINE_CONFIG_MAX_BYTES) {
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("descriptor %d is not a machine document"), fd);
            return NULL;
        }
    }
    if (size < 0) {
        error_set_errno(error, errno, _("cannot read descriptor %d"), fd);
        return NULL;
    }
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

static EngineConfig *
read_config(const EngineOptions *options, GError **error)
{
    g_autofree char *text =
        options->machine
            ? file_read(options->machine, ENGINE_CONFIG_MAX_BYTES, NULL, error)
            : read_document_fd(options->machine_fd, error);
    g_autoptr(EngineConfig) config = NULL;

    if (!text)
        return NULL;
    config = engine_config_parse(text, error);
    if (!config || !engine_inherit_check(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

/* xml.h. Returns only on failure. */
static void
become_machine(const EngineOptions *options, char **argv, GError **error)
{
    EngineXmlFunction *resolve = NULL;
    g_autoptr(GPtrArray) next = g_ptr_array_new_with_free_func(g_free);
    int fd;

    *(void **)&resolve =
        module_symbol(ENGINE_XML_MODULE, ENGINE_XML_FUNCTION, error);
    if (!resolve)
        return;
    fd = resolve(options->xml, error);
    if (fd < 0)
        return;
    g_ptr_array_add(next, g_strdup(argv[0]));
    g_ptr_array_add(next, g_strdup_printf("--machine-fd=%d", fd));
    for (int i = 1; argv[i]; i++) {
        if (strcmp(argv[i], "--xml") == 0)
            i++;
        else if (!g_str_has_prefix(argv[i], "--xml="))
            g_ptr_array_add(next, g_strdup(argv[i]));
    }
    g_ptr_array_add(next, NULL);
    execv("/proc/self/exe", (char **)next->pdata);
    error_set_errno(error, errno, _("cannot execute the engine again"));
}

/* Returns: a listening descriptor, -1 with @error set */
static int
listen_at(const char *path, GError **error)
{
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
        sizeof(address.sun_path)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the path of the control socket is too long: '%s'"), path);
        return -1;
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0600) != 0 || listen(fd, CONTROL_BACKLOG) != 0) {
        error_set_errno(error, errno, _("cannot listen at '%s'"), path);
        return -1;
    }
    return fd_steal(&fd);
}

static int
start_failed(const EngineOptions *options, const GError *error)
{
    const EngineExitNote note = { .reason = "start-failed",
                                  .error = error->message,
                                  .status = -1 };

    log_error("%s", error->message);
    engine_exit_file_write(options->exit_fd, &note);
    if (options->control_fd >= 0)
        engine_control_refuse(options->control_fd, error->message);
    return STATUS_START_FAILED;
}

/* A person at the terminal must know how to get out. */
static void
greet(const EngineConfig *config)
{
    for (int i = 0; i < ENGINE_SERIALS_MAX; i++) {
        const EngineSerialConfig *serial = &config->serials[i];

        if (serial->present && serial->chardev.type == ENGINE_CHARDEV_STDIO &&
            isatty(STDIN_FILENO)) {
            fprintf(stderr, _("'%s' runs on this terminal; Ctrl-] ends it\n"),
                    config->name);
            return;
        }
    }
}

static int
run(EngineOptions *options, const EngineConfig *config)
{
    g_autoptr(GError) error = NULL;
    EngineControl *control = NULL;
    Engine *engine;
    int status;

    engine_inherit_close(options, config);
    if (options->control) {
        options->control_fd = listen_at(options->control, &error);
        if (options->control_fd < 0)
            return start_failed(options, error);
    }
    greet(config);
    engine = engine_new(config, &error);
    if (!engine) {
        status = start_failed(options, error);
    } else {
        if (options->control_fd >= 0)
            control = engine_control_new(engine, options->control_fd);
        engine_signals_watch(engine);
        status = engine_run(engine, options->exit_fd);
        engine_control_free(control);
        engine_free(engine);
    }
    if (options->control)
        unlink(options->control);
    return status;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EngineConfig) config = NULL;
    EngineOptions options;

    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    i18n_init();
    if (!engine_options_parse(argc, argv, &options, &error)) {
        fprintf(stderr, "virtkvm-engine: %s\n", error->message);
        return STATUS_START_FAILED;
    }
    if (options.help || options.version) {
        g_autofree char *text = options.help
                                    ? engine_options_help()
                                    : g_strdup("virtkvm-engine " VERSION "\n");

        return fputs(text, stdout) < 0 || fflush(stdout) != 0;
    }
    log_init("virtkvm-engine", LOG_LEVEL_INFO,
             options.log_fd >= 0 ? options.log_fd : STDERR_FILENO);
    if (options.xml)
        become_machine(&options, argv, &error);
    else
        config = read_config(&options, &error);
    if (!config)
        return start_failed(&options, error);
    engine_signals_block();
    return run(&options, config);
}
