/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "engine/member.h"

/** A command of the control socket. */
typedef struct EngineControlCommand {
    const char *name;
    bool changes; /* needs control of the engine */
    /** Returns: what stands under "return", or NULL with @error set.
     * @arguments: the struct that `members` describe */
    json_t *(*run)(Engine *engine, void *arguments, GError **error);
    const EngineMember *members; /* NULL: it has no arguments */
    size_t size;                 /* of their struct, which begins as zeroes */
    void (*clear)(void *arguments); /* may be NULL */
} EngineControlCommand;

/* The commands of a subject, in control-SUBJECT.c; the end has no name. They
 * become one list in control-command.c. */
extern const EngineControlCommand engine_control_balloon[];
extern const EngineControlCommand engine_control_block[];
extern const EngineControlCommand engine_control_device[];
extern const EngineControlCommand engine_control_machine[];
extern const EngineControlCommand engine_control_net[];

/** A request line, understood. */
typedef struct EngineControlCall {
    const EngineControlCommand *command; /* NULL: the line was refused */
    json_t *id;                          /* as the client sent it, or NULL */
    void *arguments;
} EngineControlCall;

/**
 * engine_control_parse: understand one line; touches nothing but its arguments
 * @line: @size bytes from a client, without the line feed
 * @reader: the descriptors that came with it
 * @ret_call: to be cleared in every case; has the id even of a refused line
 * @error: NO_SUPPORT for an unknown command, INVALID_ARG for all else
 */
bool engine_control_parse(const char *line, size_t size, EngineReader *reader,
                          EngineControlCall *ret_call, GError **error);
void engine_control_call_clear(EngineControlCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EngineControlCall, engine_control_call_clear)

/* What the engine says. Each returns one object, to be sent as a line. */
json_t *engine_control_greeting(void);
/** @value: consumed; @id may be NULL */
json_t *engine_control_return(json_t *value, json_t *id);
json_t *engine_control_error(const GError *error, json_t *id);
/** @data: borrowed */
json_t *engine_control_event(const char *name, json_t *data);
