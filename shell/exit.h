/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/**
 * What a script learns from vshell: the exit status by class of error. The
 * manual page documents the numbers, so they never change.
 */
typedef enum VshExit {
    VSH_EXIT_OK = 0,
    VSH_EXIT_FAILED = 1,      /* any failure without a class of its own */
    VSH_EXIT_USAGE = 2,       /* the command line itself is wrong */
    VSH_EXIT_NOT_FOUND = 3,   /* no such domain (or metadata, console ...) */
    VSH_EXIT_STATE = 4,       /* not possible in the domain's state */
    VSH_EXIT_CONNECT = 5,     /* no connection, or it broke */
    VSH_EXIT_DENIED = 6,      /* read-only, or access refused */
    VSH_EXIT_TIMEOUT = 7,     /* waited for in vain */
    VSH_EXIT_UNSUPPORTED = 8, /* the driver or the configuration cannot */
    VSH_EXIT_DOCUMENT = 9,    /* the XML is bad */
    VSH_EXIT_INTERRUPTED = 130,
} VshExit;

/**
 * Errors of the shell: GErrors whose code is a VshExit. Beside the message
 * they may carry a context line, printed before it, and a hint, printed
 * after it.
 */
#define VSH_ERROR (vsh_error_quark())

GQuark vsh_error_quark(void);

/** vsh_error_set: @format is translated already, a sentence without full stop
 */
void vsh_error_set(GError **error, VshExit code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * vsh_error_virt: the last error of libvirt in this thread
 * @context: printf-like, what was tried ("Failed to start domain 'x'"). Its
 * arguments must call nothing in libvirt, not even virDomainGetName(): every
 * call forgets the last error.
 */
void vsh_error_virt(GError **error, const char *context, ...)
    G_GNUC_PRINTF(2, 3);

/** vsh_error_hint: add what to try next to *@error, if there is one */
void vsh_error_hint(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/** vsh_error_exit: the class of @error; VSH_EXIT_OK for NULL */
VshExit vsh_error_exit(const GError *error);

/** vsh_error_context: the context line or NULL */
const char *vsh_error_context(const GError *error);

/** vsh_error_get_hint: the hint or NULL */
const char *vsh_error_get_hint(const GError *error);

/** vsh_exit_from_virt: the class of a virErrorNumber */
VshExit vsh_exit_from_virt(int code);
