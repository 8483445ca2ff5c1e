/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/member.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define PLACE_MAX_BYTES 256

/* --- places --------------------------------------------------------------- */
/* "serials[1].chardev.fd" */
static const char *
place_text(const EnginePlace *place, char *buffer, size_t size)
{
    char head[PLACE_MAX_BYTES] = "";

    if (!place->parent) /* the document itself */
        return "";
    if (place->parent->parent)
        place_text(place->parent, head, sizeof(head));
    if (place->name)
        g_snprintf(buffer, size, "%s%s%s", head, head[0] ? "." : "",
                   place->name);
    else
        g_snprintf(buffer, size, "%s[%zu]", head, place->index);
    return buffer;
}

bool
engine_place_refuse(const EnginePlace *place, virErrorNumber code,
                    const char *problem, GError **error)
{
    char text[PLACE_MAX_BYTES];

    error_set(error, code,
              place->reader->arguments ? _("the argument '%s' %s")
                                       : _("'%s' of the machine document %s"),
              place_text(place, text, sizeof(text)), problem);
    return false;
}

bool
engine_place_array(const EnginePlace *place, const json_t *value, size_t most,
                   size_t *ret_count, GError **error)
{
    size_t count = json_array_size(value);

    if (!json_is_array(value))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be an array"), error);
    if (count > most)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("has too many elements"), error);
    *ret_count = count;
    return true;
}

/* --- values --------------------------------------------------------------- */
static bool
store_number(const EngineMember *member, json_t *value, void *target,
             const EnginePlace *place, GError **error)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be a whole number"), error);
    if (number < member->min || number > member->max) {
        g_autofree char *problem =
            g_strdup_printf(_("must be from %lld to %lld"),
                            (long long)member->min, (long long)member->max);

        return engine_place_refuse(place, VIR_ERR_INVALID_ARG, problem, error);
    }
    if (member->kind == ENGINE_MEMBER_UINT)
        *(unsigned *)target = (unsigned)number;
    else
        *(int64_t *)target = number;
    return true;
}

static bool
store_fd(json_t *value, int *target, const EnginePlace *place, GError **error)
{
    const EngineReader *reader = place->reader;
    json_int_t number = json_integer_value(value);
    json_int_t end =
        reader->given ? (json_int_t)reader->n_given : ENGINE_FD_MAX + 1;

    if (!json_is_integer(value) || number < 0 || number >= end)
        return engine_place_refuse(
            place, VIR_ERR_INVALID_ARG,
            reader->given ? _("names no descriptor that came with the request")
                          : _("must be the number of a descriptor"),
            error);
    *target = reader->given ? reader->given[number] : (int)number;
    if (reader->fds)
        g_array_append_val(reader->fds, *target);
    return true;
}

static bool
store_string(const EngineMember *member, json_t *value, void *target,
             const EnginePlace *place, GError **error)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);

    if (!text)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be a string"), error);
    if (length < (size_t)member->min || length > (size_t)member->max) {
        g_autofree char *problem =
            g_strdup_printf(_("must be %lld to %lld bytes long"),
                            (long long)member->min, (long long)member->max);

        return engine_place_refuse(place, VIR_ERR_INVALID_ARG, problem, error);
    }
    g_free(*(char **)target);
    *(char **)target = g_strdup(text);
    return true;
}

static bool
store_enum(const EngineMember *member, json_t *value, void *target,
           const EnginePlace *place, GError **error)
{
    const char *text = json_string_value(value);
    g_autofree char *known = NULL;
    g_autofree char *problem = NULL;

    for (int i = 0; text && member->names[i]; i++) {
        if (strcmp(text, member->names[i]) == 0) {
            *(int *)target = i;
            return true;
        }
    }
    known = g_strjoinv(", ", (char **)member->names);
    problem = g_strdup_printf(_("must be one of: %s"), known);
    return engine_place_refuse(
        place, text ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_INVALID_ARG, problem,
        error);
}

bool
engine_member_read(const EngineMember *member, json_t *value, void *structure,
                   const EnginePlace *place, GError **error)
{
    void *target = (char *)structure + member->offset;

    switch (member->kind) {
    case ENGINE_MEMBER_BOOL:
        if (!json_is_boolean(value))
            return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                       _("must be true or false"), error);
        *(bool *)target = json_is_true(value);
        return true;
    case ENGINE_MEMBER_INT64:
    case ENGINE_MEMBER_UINT:
    case ENGINE_MEMBER_UINT64:
        return store_number(member, value, target, place, error);
    case ENGINE_MEMBER_FD:
        return store_fd(value, target, place, error);
    case ENGINE_MEMBER_ENUM:
        return store_enum(member, value, target, place, error);
    case ENGINE_MEMBER_STRING:
        return store_string(member, value, target, place, error);
    case ENGINE_MEMBER_OBJECT:
        return engine_members_read(value, member->members, target, place,
                                   error);
    case ENGINE_MEMBER_CUSTOM:
        return member->read(value, target, place, error);
    case ENGINE_MEMBER_TABLE:
        break;
    }
    g_assert_not_reached();
}

/* --- objects -------------------------------------------------------------- */
static bool
is_end(const EngineMember *member)
{
    return !member->name && member->kind != ENGINE_MEMBER_TABLE;
}

const EngineMember *
engine_member_find(const EngineMember *members, const char *name)
{
    for (const EngineMember *member = members; !is_end(member); member++) {
        const EngineMember *found = member;

        if (member->kind == ENGINE_MEMBER_TABLE)
            found = engine_member_find(member->members, name);
        else if (strcmp(member->name, name) != 0)
            found = NULL;
        if (found)
            return found;
    }
    return NULL;
}

bool
engine_members_check(const json_t *object, const EngineMember *members,
                     const EnginePlace *place, GError **error)
{
    for (const EngineMember *member = members; !is_end(member); member++) {
        EnginePlace here = engine_place_member(place, member->name);

        if (member->kind == ENGINE_MEMBER_TABLE) {
            if (!engine_members_check(object, member->members, place, error))
                return false;
        } else if (member->required && !json_object_get(object, member->name)) {
            return engine_place_refuse(&here, VIR_ERR_INVALID_ARG,
                                       _("is missing"), error);
        }
    }
    return true;
}

bool
engine_members_read(json_t *object, const EngineMember *members, void *target,
                    const EnginePlace *place, GError **error)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be an object"), error);
    json_object_foreach(object, name, value)
    {
        const EngineMember *member = engine_member_find(members, name);
        EnginePlace here = engine_place_member(place, name);

        if (!member)
            return engine_place_refuse(&here, VIR_ERR_CONFIG_UNSUPPORTED,
                                       _("is not known to this engine"), error);
        if (!engine_member_read(member, value, target, &here, error))
            return false;
    }
    return engine_members_check(object, members, place, error);
}

bool
engine_member_check_power(unsigned value, const char *name,
                          const EnginePlace *place, GError **error)
{
    EnginePlace here = engine_place_member(place, name);

    if (value > 0 && (value & (value - 1)) == 0)
        return true;
    return engine_place_refuse(&here, VIR_ERR_INVALID_ARG,
                               _("must be a power of two"), error);
}
