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

bool
engine_inherit_check(const EngineConfig *config, GError **error)
{
    for (guint i = 0; i < config->fds->len; i++) {
        int fd = g_array_index(config->fds, int, i);

        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        error_set_errno(error, errno,
                        _("descriptor %d of the machine document"), fd);
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
    const int own[] = { options->control_fd, options->exit_fd,
                        options->log_fd };
    g_autoptr(GArray) kept = g_array_copy(config->fds);
    unsigned next = FIRST_FD;

    g_array_append_vals(kept, own, G_N_ELEMENTS(own));
    g_array_sort(kept, compare);
    for (guint i = 0; i < kept->len; i++) {
        int fd = g_array_index(kept, int, i);

        if (fd < FIRST_FD) /* or there is none */
            continue;
        if ((unsigned)fd > next)
            (void)close_range(next, (unsigned)fd - 1, 0);
        next = MAX(next, (unsigned)fd + 1);
    }
    (void)close_range(next, ~0u, 0);
    (void)close_range(FIRST_FD, ~0u, CLOSE_RANGE_CLOEXEC);
}
