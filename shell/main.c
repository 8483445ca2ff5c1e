/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "shell/interrupt.h"
#include "shell/options.h"
#include "util/i18n.h"

/* libvirt would print errors itself; each is reported once, at the edge. */
static void
ignore_error(void *data, virErrorPtr error)
{
}

static void
run_program(VshShell *shell, const VshProgram *program)
{
    if (program->file)
        vsh_run_file(shell, program->file);
    if (shell->quit)
        return;
    if (program->words[0] && program->words[1])
        vsh_run_words(shell, program->words);
    else if (program->words[0])
        vsh_run_text(shell, program->words[0], NULL);
    else if (program->file)
        return;
    else if (isatty(STDIN_FILENO))
        vsh_run_interactive(shell);
    else
        vsh_run_file(shell, "-");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    VshProgram program;
    VshShell shell;
    int status;

    i18n_init();
    virSetErrorFunc(NULL, ignore_error);
    signal(SIGPIPE, SIG_IGN);
    vsh_shell_init(&shell);
    vsh_interrupt_init(false);
    if (!vsh_options_parse(&shell, argv + (argc > 0), &program, &error)) {
        vsh_print_error(&shell.out, error);
        shell.status = vsh_error_exit(error);
    } else if (!program.done) {
        run_program(&shell, &program);
    }
    status = (int)shell.status;
    vsh_shell_clear(&shell);
    if (fflush(stdout) != 0 && status == VSH_EXIT_OK)
        status = VSH_EXIT_FAILED;
    return status;
}
