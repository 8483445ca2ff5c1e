/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/error.h"
#include "util/i18n.h"

#define FIRST_FD 3 /* after standard error */
/* kernel, initrd, control, exit, log, two for each serial port, one for each
 * device */
#define FDS_MAX (5 + 2 * ENGINE_SERIALS_MAX + ENGINE_DEVICES_MAX)

typedef struct FdList {
    int fds[FDS_MAX];
    unsigned count;
} FdList;

static void
add(FdList *list, int fd)
{
    if (fd >= 0)
        list->fds[list->count++] = fd;
}

static void
add_config(FdList *list, const EngineConfig *config)
{
    add(list, config->kernel.fd);
    add(list, config->initrd.fd);
    for (int i = 0; i < ENGINE_SERIALS_MAX; i++) {
        const EngineSerialConfig *serial = &config->serials[i];

        if (!serial->present)
            continue;
        add(list, serial->chardev.fd);
        add(list, serial->chardev.log_fd);
    }
    for (size_t i = 0; i < config->n_devices; i++)
        add(list, config->devices[i].rng.fd);
}

bool
engine_inherit_check(const EngineConfig *config, GError **error)
{
    FdList list = { .count = 0 };

    add_config(&list, config);
    for (unsigned i = 0; i < list.count; i++) {
        if (fcntl(list.fds[i], F_GETFD) >= 0)
            continue;
        error_set_errno(error, errno,
                        _("descriptor %d of the machine document"),
                        list.fds[i]);
        return false;
    }
    return true;
}

static int
compare(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

void
engine_inherit_close(const EngineOptions *options, const EngineConfig *config)
{
    FdList list = { .count = 0 };
    unsigned next = FIRST_FD;

    add_config(&list, config);
    add(&list, options->control_fd);
    add(&list, options->exit_fd);
    add(&list, options->log_fd);
    qsort(list.fds, list.count, sizeof(list.fds[0]), compare);
    for (unsigned i = 0; i < list.count; i++) {
        unsigned fd = (unsigned)list.fds[i];

        if (fd > next)
            (void)close_range(next, fd - 1, 0);
        next = MAX(next, fd + 1);
    }
    (void)close_range(next, ~0u, 0);
    (void)close_range(FIRST_FD, ~0u, CLOSE_RANGE_CLOEXEC);
}
