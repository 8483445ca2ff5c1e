/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/** core_command_find: a program of the host, also where only root looks
 * @error: OPERATION_FAILED that names the package it is in */
char *core_command_find(const char *program, const char *package,
                        GError **error);

/**
 * core_command_run: run a program to its end, at most COMMAND_TIMEOUT_MS
 * @argv: [0] is the program's path   @input: its standard input
 * @error: OPERATION_FAILED with what it said
 */
bool core_command_run(const char *const *argv, const char *input,
                      GError **error);

/** A program that was started and goes on. */
typedef struct CoreCommand {
    pid_t pid;
    int pidfd;
    int output_fd; /* a memory file with what it says */
} CoreCommand;

/** core_command_start: start it */
bool core_command_start(const char *const *argv, const char *input,
                        CoreCommand *ret_command, GError **error);
/** core_command_ended: has it, within @timeout_ms? Then *@ret_status is as of
 * waitpid(), -1 if it was not our child */
bool core_command_ended(int pidfd, int timeout_ms, int *ret_status);
/** core_command_words: what it said, at most a few lines, for a message */
char *core_command_words(int output_fd);
