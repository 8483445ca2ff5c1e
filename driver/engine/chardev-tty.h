/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

/**
 * engine_tty_raw: put the terminal into raw mode until engine_tty_restore();
 * exit() and fatal signals restore it too. One terminal a process.
 * Returns: false if @fd is no terminal, is another job's, or refuses
 * Thread: main
 */
bool engine_tty_raw(int fd);

/** engine_tty_restore: fine when nothing is to restore. Thread: main */
void engine_tty_restore(void);

/**
 * engine_tty_prepare_pty: raw mode for a new pseudo terminal, and a descriptor
 * of its slave side to keep open: while it is, the master never hangs up
 * Returns: descriptor, or -1 with errno set if @master_fd is no master
 */
int engine_tty_prepare_pty(int master_fd);
