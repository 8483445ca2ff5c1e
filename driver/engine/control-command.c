/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/control-command.h"

#include <stdio.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/* --- the socket's own commands -------------------------------------------- */
static json_t *
run_nothing(Engine *engine, void *arguments, GError **error)
{
    return json_object();
}

static json_t *
run_query_version(Engine *engine, void *arguments, GError **error)
{
    unsigned major = 0, minor = 0, micro = 0;

    (void)sscanf(PACKAGE_VERSION, "%u.%u.%u", &major, &minor, &micro);
    return json_pack("{s:{s:i,s:i,s:i},s:s}", "engine", "major", (int)major,
                     "minor", (int)minor, "micro", (int)micro, "package",
                     PACKAGE_STRING);
}

static json_t *run_query_commands(Engine *engine, void *arguments,
                                  GError **error);

static const EngineControlCommand socket_commands[] = {
    { "qmp_capabilities", false, run_nothing },
    { "query-commands", false, run_query_commands },
    { "query-version", false, run_query_version },
    { "take-control", true, run_nothing },
    { NULL },
};

/* Each subject's, from a file of its own: control-SUBJECT.c. */
static const EngineControlCommand *const tables[] = {
    engine_control_balloon,
    engine_control_block,
    engine_control_device,
    engine_control_machine,
    engine_control_net,
    socket_commands,
};

static json_t *
run_query_commands(Engine *engine, void *arguments, GError **error)
{
    json_t *list = json_array();

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const EngineControlCommand *at = tables[i]; at->name; at++)
            json_array_append_new(list, json_pack("{s:s}", "name", at->name));
    return list;
}

/* --- requests ------------------------------------------------------------- */
static const EngineControlCommand *
find_command(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const EngineControlCommand *at = tables[i]; at->name; at++)
            if (strcmp(at->name, name) == 0)
                return at;
    error_set(error, VIR_ERR_NO_SUPPORT, _("there is no command '%s'"), name);
    return NULL;
}

static bool
parse_arguments(json_t *value, EngineReader *reader, EngineControlCall *call,
                GError **error)
{
    static const EngineMember none[] = { { NULL } };
    const EngineControlCommand *command = call->command;
    const EnginePlace place = { .reader = reader };

    if (value && !json_is_object(value)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'arguments' must be an object"));
        return false;
    }
    reader->arguments = true;
    call->arguments = g_malloc0(MAX(command->size, 1));
    if (value)
        return engine_members_read(value,
                                   command->members ? command->members : none,
                                   call->arguments, &place, error);
    return engine_members_check(
        NULL, command->members ? command->members : none, &place, error);
}

static bool
parse_object(json_t *request, EngineReader *reader, EngineControlCall *call,
             GError **error)
{
    const json_t *execute = json_object_get(request, "execute");
    const EngineControlCommand *command;
    const char *key;
    json_t *value;

    call->id = json_incref(json_object_get(request, "id"));
    if (!json_is_string(execute)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("a request needs 'execute' with the name of a command"));
        return false;
    }
    command = find_command(json_string_value(execute), error);
    if (!command)
        return false;
    json_object_foreach(request, key, value)
    {
        if (strcmp(key, "arguments") != 0 && strcmp(key, "execute") != 0 &&
            strcmp(key, "id") != 0) {
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("a request has no member '%s'"), key);
            return false;
        }
    }
    call->command = command;
    if (parse_arguments(json_object_get(request, "arguments"), reader, call,
                        error))
        return true;
    call->command = NULL;
    if (command->clear && call->arguments)
        command->clear(call->arguments);
    g_clear_pointer(&call->arguments, g_free);
    return false;
}

bool
engine_control_parse(const char *line, size_t size, EngineReader *reader,
                     EngineControlCall *ret_call, GError **error)
{
    json_error_t where;
    json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &where);
    bool ok = false;

    *ret_call = (EngineControlCall){ 0 };
    if (!request)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the line is not JSON: %s at byte %d"), where.text,
                  where.position);
    else if (!json_is_object(request))
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("a request must be a JSON object"));
    else
        ok = parse_object(request, reader, ret_call, error);
    json_decref(request);
    return ok;
}

void
engine_control_call_clear(EngineControlCall *call)
{
    if (call->command && call->command->clear)
        call->command->clear(call->arguments);
    g_free(call->arguments);
    json_decref(call->id);
    *call = (EngineControlCall){ 0 };
}

/* --- answers -------------------------------------------------------------- */
json_t *
engine_control_greeting(void)
{
    return json_pack("{s:{s:o,s:[]}}", "QMP", "version",
                     run_query_version(NULL, NULL, NULL), "capabilities");
}

static json_t *
with_id(json_t *answer, json_t *id)
{
    if (id)
        json_object_set(answer, "id", id);
    return answer;
}

json_t *
engine_control_return(json_t *value, json_t *id)
{
    return with_id(json_pack("{s:o}", "return", value), id);
}

static const char *
error_class(const GError *error)
{
    switch ((int)error_code(error)) {
    case VIR_ERR_NO_SUPPORT:
        return "CommandNotFound";
    case VIR_ERR_OPERATION_DENIED:
        return "ControlTaken";
    default:
        return "GenericError";
    }
}

json_t *
engine_control_error(const GError *error, json_t *id)
{
    return with_id(json_pack("{s:{s:s,s:o}}", "error", "class",
                             error_class(error), "desc",
                             engine_text(error->message)),
                   id);
}

/* --- events --------------------------------------------------------------- */
json_t *
engine_control_event(const char *name, json_t *data)
{
    gint64 now = g_get_real_time();

    return json_pack("{s:s,s:O,s:{s:I,s:I}}", "event", name, "data", data,
                     "timestamp", "seconds", (json_int_t)(now / G_USEC_PER_SEC),
                     "microseconds", (json_int_t)(now % G_USEC_PER_SEC));
}
