/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/xdr.h"

#include <libvirt/libvirt.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/* Messages of the tables nest less deeply; a bound against a wrong table. */
#define NESTING_MAX 8

bool
rpc_read_u32(RpcReader *reader, uint32_t *ret_value)
{
    uint32_t wire;

    if (reader->size - reader->offset < sizeof(wire))
        return false;
    memcpy(&wire, reader->data + reader->offset, sizeof(wire));
    reader->offset += sizeof(wire);
    *ret_value = GUINT32_FROM_BE(wire);
    return true;
}

bool
rpc_read_u64(RpcReader *reader, uint64_t *ret_value)
{
    uint64_t wire;

    if (reader->size - reader->offset < sizeof(wire))
        return false;
    memcpy(&wire, reader->data + reader->offset, sizeof(wire));
    reader->offset += sizeof(wire);
    *ret_value = GUINT64_FROM_BE(wire);
    return true;
}

void
rpc_write_u32(GByteArray *out, uint32_t value)
{
    uint32_t wire = GUINT32_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&wire, sizeof(wire));
}

void
rpc_write_u64(GByteArray *out, uint64_t value)
{
    uint64_t wire = GUINT64_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&wire, sizeof(wire));
}

void
rpc_put_u32(GByteArray *out, size_t offset, uint32_t value)
{
    uint32_t wire = GUINT32_TO_BE(value);

    g_assert(offset + sizeof(wire) <= out->len);
    memcpy(out->data + offset, &wire, sizeof(wire));
}

static size_t
padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* --- decoding ------------------------------------------------------------ */

/* Reads a count that may not exceed @max nor what the rest of the message can
 * hold at @unit bytes each. */
static bool
read_count(RpcReader *reader, uint32_t max, size_t unit, uint32_t *ret_count)
{
    uint32_t count;

    if (!rpc_read_u32(reader, &count) || count > max ||
        count > (reader->size - reader->offset) / unit)
        return false;
    *ret_count = count;
    return true;
}

/* Takes @size bytes and their padding out of @reader. */
static const uint8_t *
take(RpcReader *reader, size_t size)
{
    const uint8_t *bytes = reader->data + reader->offset;

    if (reader->size - reader->offset < padded(size))
        return NULL;
    reader->offset += padded(size);
    return bytes;
}

static bool
read_string(RpcReader *reader, char **ret_text)
{
    const uint8_t *bytes;
    uint32_t size;

    if (!read_count(reader, RPC_STRING_MAX, 1, &size) ||
        !(bytes = take(reader, size)) || memchr(bytes, 0, size))
        return false;
    *ret_text = g_strndup((const char *)bytes, size);
    return true;
}

static bool
read_optional_string(RpcReader *reader, char **ret_text)
{
    uint32_t present;

    if (!rpc_read_u32(reader, &present))
        return false;
    return !present || read_string(reader, ret_text);
}

static bool
read_opaque(RpcReader *reader, uint32_t max, RpcList *ret_bytes)
{
    const uint8_t *bytes;
    uint32_t size;

    if (!read_count(reader, max, 1, &size) || !(bytes = take(reader, size)))
        return false;
    ret_bytes->items = size ? g_memdup2(bytes, size) : NULL;
    ret_bytes->count = size;
    return true;
}

static bool
read_parameter_value(RpcReader *reader, virTypedParameter *parameter)
{
    uint32_t word = 0;
    uint64_t wide = 0;

    switch (parameter->type) {
    case VIR_TYPED_PARAM_INT:
    case VIR_TYPED_PARAM_UINT:
        if (!rpc_read_u32(reader, &word))
            return false;
        parameter->value.ui = word;
        return true;
    case VIR_TYPED_PARAM_LLONG:
    case VIR_TYPED_PARAM_ULLONG:
    case VIR_TYPED_PARAM_DOUBLE: /* IEEE 754, as the host's */
        if (!rpc_read_u64(reader, &wide))
            return false;
        parameter->value.ul = wide;
        return true;
    case VIR_TYPED_PARAM_BOOLEAN:
        if (!rpc_read_u32(reader, &word))
            return false;
        parameter->value.b = word != 0;
        return true;
    case VIR_TYPED_PARAM_STRING:
        return read_string(reader, &parameter->value.s);
    default:
        return false;
    }
}

static bool
read_parameter(RpcReader *reader, virTypedParameter *parameter)
{
    g_autofree char *field = NULL;
    uint32_t type;

    if (!read_string(reader, &field) ||
        strlen(field) >= VIR_TYPED_PARAM_FIELD_LENGTH ||
        !rpc_read_u32(reader, &type))
        return false;
    strcpy(parameter->field, field);
    parameter->type = (int)type;
    return read_parameter_value(reader, parameter);
}

static bool
read_parameters(RpcReader *reader, uint32_t max, RpcList *ret_list)
{
    virTypedParameter *items;
    uint32_t count;

    if (!read_count(reader, max, 3 * sizeof(uint32_t), &count))
        return false;
    items = g_new0(virTypedParameter, count);
    ret_list->items = items;
    ret_list->count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!read_parameter(reader, &items[i]))
            return false;
    }
    return true;
}

static bool read_struct(RpcReader *reader, const RpcMessage *type, void *data,
                        unsigned depth, GError **error);

static bool
read_list(RpcReader *reader, const RpcField *field, RpcList *ret_list,
          unsigned depth)
{
    uint32_t count;

    if (!read_count(reader, field->max, sizeof(uint32_t), &count))
        return false;
    ret_list->items = g_malloc0_n(count, field->type->size);
    ret_list->count = count;
    for (uint32_t i = 0; i < count; i++) {
        void *item = (char *)ret_list->items + i * field->type->size;

        if (!read_struct(reader, field->type, item, depth, NULL))
            return false;
    }
    return true;
}

static bool
read_optional_struct(RpcReader *reader, const RpcMessage *type, void **ret_data,
                     unsigned depth)
{
    uint32_t present;

    if (!rpc_read_u32(reader, &present))
        return false;
    if (!present)
        return true;
    *ret_data = g_malloc0(type->size);
    return read_struct(reader, type, *ret_data, depth, NULL);
}

static bool
read_small(RpcReader *reader, const RpcField *field, void *member)
{
    uint32_t word;

    if (!rpc_read_u32(reader, &word))
        return false;
    if (field->kind == RPC_CHAR)
        *(unsigned char *)member = (unsigned char)word;
    else if (field->kind == RPC_SHORT)
        *(uint16_t *)member = (uint16_t)word;
    else
        *(uint32_t *)member = word;
    return true;
}

static bool
read_chars(RpcReader *reader, uint32_t count, unsigned char *member)
{
    uint32_t word;

    for (uint32_t i = 0; i < count; i++) {
        if (!rpc_read_u32(reader, &word))
            return false;
        member[i] = (unsigned char)word;
    }
    return true;
}

static bool
read_uuid(RpcReader *reader, void *member)
{
    const uint8_t *bytes = take(reader, VIR_UUID_BUFLEN);

    if (bytes)
        memcpy(member, bytes, VIR_UUID_BUFLEN);
    return bytes != NULL;
}

static bool
read_field(RpcReader *reader, const RpcField *field, void *member,
           unsigned depth)
{
    switch (field->kind) {
    case RPC_CHAR:
    case RPC_SHORT:
    case RPC_INT:
        return read_small(reader, field, member);
    case RPC_HYPER:
        return rpc_read_u64(reader, member);
    case RPC_STRING:
        return read_string(reader, member);
    case RPC_OPTIONAL_STRING:
        return read_optional_string(reader, member);
    case RPC_UUID:
        return read_uuid(reader, member);
    case RPC_OPAQUE:
        return read_opaque(reader, field->max, member);
    case RPC_CHARS:
        return read_chars(reader, field->max, member);
    case RPC_STRUCT:
        return read_struct(reader, field->type, member, depth, NULL);
    case RPC_OPTIONAL_STRUCT:
        return read_optional_struct(reader, field->type, member, depth);
    case RPC_LIST:
        return read_list(reader, field, member, depth);
    case RPC_TYPED_PARAMETERS:
        return read_parameters(reader, field->max, member);
    default:
        return false;
    }
}

static bool
read_struct(RpcReader *reader, const RpcMessage *type, void *data,
            unsigned depth, GError **error)
{
    if (depth >= NESTING_MAX)
        return false;
    for (size_t i = 0; i < type->count; i++) {
        const RpcField *field = &type->fields[i];

        if (read_field(reader, field, (char *)data + field->offset, depth + 1))
            continue;
        error_set(error, VIR_ERR_RPC,
                  _("cannot decode field '%s' of message '%s'"), field->name,
                  type->name);
        return false;
    }
    return true;
}

bool
rpc_message_decode(RpcReader *reader, const RpcMessage *type, void *ret,
                   GError **error)
{
    if (!type || read_struct(reader, type, ret, 0, error))
        return true;
    rpc_message_clear(type, ret);
    return false;
}

/* --- encoding ------------------------------------------------------------ */

static bool
write_bytes(GByteArray *out, const void *bytes, size_t size)
{
    static const uint8_t zeros[4];

    if (size > RPC_MESSAGE_MAX - MIN(out->len, RPC_MESSAGE_MAX))
        return false;
    g_byte_array_append(out, bytes, (guint)size);
    g_byte_array_append(out, zeros, (guint)(padded(size) - size));
    return true;
}

static bool
write_counted(GByteArray *out, const void *bytes, size_t size, uint32_t max)
{
    if (size > max)
        return false;
    rpc_write_u32(out, (uint32_t)size);
    return write_bytes(out, bytes ? bytes : "", size);
}

static bool
write_string(GByteArray *out, const char *text)
{
    return text && write_counted(out, text, strlen(text), RPC_STRING_MAX);
}

static bool
write_optional_string(GByteArray *out, const char *text)
{
    rpc_write_u32(out, text != NULL);
    return !text || write_string(out, text);
}

static bool
write_parameter(GByteArray *out, const virTypedParameter *parameter)
{
    if (!write_string(out, parameter->field))
        return false;
    rpc_write_u32(out, (uint32_t)parameter->type);
    switch (parameter->type) {
    case VIR_TYPED_PARAM_INT:
    case VIR_TYPED_PARAM_UINT:
        rpc_write_u32(out, parameter->value.ui);
        return true;
    case VIR_TYPED_PARAM_LLONG:
    case VIR_TYPED_PARAM_ULLONG:
    case VIR_TYPED_PARAM_DOUBLE:
        rpc_write_u64(out, parameter->value.ul);
        return true;
    case VIR_TYPED_PARAM_BOOLEAN:
        rpc_write_u32(out, parameter->value.b != 0);
        return true;
    case VIR_TYPED_PARAM_STRING:
        return write_string(out, parameter->value.s);
    default:
        return false;
    }
}

static bool
write_parameters(GByteArray *out, const RpcList *list, uint32_t max)
{
    const virTypedParameter *items = list->items;

    if (list->count > max)
        return false;
    rpc_write_u32(out, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        if (!write_parameter(out, &items[i]))
            return false;
    }
    return true;
}

static bool
write_list(GByteArray *out, const RpcField *field, const RpcList *list)
{
    if (list->count > field->max)
        return false;
    rpc_write_u32(out, (uint32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        const void *item = (const char *)list->items + i * field->type->size;

        if (!rpc_message_encode(out, field->type, item, NULL))
            return false;
    }
    return true;
}

static bool
write_optional_struct(GByteArray *out, const RpcMessage *type, const void *data)
{
    rpc_write_u32(out, data != NULL);
    return !data || rpc_message_encode(out, type, data, NULL);
}

static bool
write_chars(GByteArray *out, const unsigned char *chars, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        rpc_write_u32(out, chars[i]);
    return true;
}

/* The kinds of a fixed number of bytes. */
static bool
write_number(GByteArray *out, const RpcField *field, const void *member)
{
    if (field->kind == RPC_HYPER)
        rpc_write_u64(out, *(const uint64_t *)member);
    else if (field->kind == RPC_INT)
        rpc_write_u32(out, *(const uint32_t *)member);
    else if (field->kind == RPC_SHORT)
        rpc_write_u32(out, *(const uint16_t *)member);
    else
        rpc_write_u32(out, *(const unsigned char *)member);
    return true;
}

static bool
write_field(GByteArray *out, const RpcField *field, const void *member)
{
    const RpcList *list = member;

    switch (field->kind) {
    case RPC_CHAR:
    case RPC_SHORT:
    case RPC_INT:
    case RPC_HYPER:
        return write_number(out, field, member);
    case RPC_STRING:
        return write_string(out, *(char *const *)member);
    case RPC_OPTIONAL_STRING:
        return write_optional_string(out, *(char *const *)member);
    case RPC_UUID:
        return write_bytes(out, member, VIR_UUID_BUFLEN);
    case RPC_OPAQUE:
        return write_counted(out, list->items, list->count, field->max);
    case RPC_CHARS:
        return write_chars(out, member, field->max);
    case RPC_STRUCT:
        return rpc_message_encode(out, field->type, member, NULL);
    case RPC_OPTIONAL_STRUCT:
        return write_optional_struct(out, field->type, *(void *const *)member);
    case RPC_LIST:
        return write_list(out, field, member);
    case RPC_TYPED_PARAMETERS:
        return write_parameters(out, member, field->max);
    default:
        return false;
    }
}

bool
rpc_message_encode(GByteArray *out, const RpcMessage *type, const void *data,
                   GError **error)
{
    for (size_t i = 0; type && i < type->count; i++) {
        const RpcField *field = &type->fields[i];

        if (write_field(out, field, (const char *)data + field->offset) &&
            out->len <= RPC_MESSAGE_MAX)
            continue;
        error_set(
            error, VIR_ERR_RPC,
            _("field '%s' of message '%s' exceeds a limit of the protocol"),
            field->name, type->name);
        return false;
    }
    return true;
}

/* --- freeing ------------------------------------------------------------- */

static void
clear_parameters(RpcList *list)
{
    virTypedParameter *items = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (items[i].type == VIR_TYPED_PARAM_STRING)
            g_free(items[i].value.s);
    }
    g_free(items);
}

static void
clear_list(const RpcMessage *type, RpcList *list)
{
    for (size_t i = 0; i < list->count; i++)
        rpc_message_clear(type, (char *)list->items + i * type->size);
    g_free(list->items);
}

static void
clear_field(const RpcField *field, void *member)
{
    switch (field->kind) {
    case RPC_STRING:
    case RPC_OPTIONAL_STRING:
        g_free(*(char **)member);
        break;
    case RPC_OPAQUE:
        g_free(((RpcList *)member)->items);
        break;
    case RPC_STRUCT:
        rpc_message_clear(field->type, member);
        break;
    case RPC_OPTIONAL_STRUCT:
        if (*(void **)member)
            rpc_message_clear(field->type, *(void **)member);
        g_free(*(void **)member);
        break;
    case RPC_LIST:
        clear_list(field->type, member);
        break;
    case RPC_TYPED_PARAMETERS:
        clear_parameters(member);
        break;
    case RPC_CHAR:
    case RPC_SHORT:
    case RPC_INT:
    case RPC_HYPER:
    case RPC_UUID:
    case RPC_CHARS:
    default:
        break;
    }
}

void
rpc_message_clear(const RpcMessage *type, void *data)
{
    if (!type)
        return;
    for (size_t i = 0; i < type->count; i++) {
        const RpcField *field = &type->fields[i];

        clear_field(field, (char *)data + field->offset);
    }
    memset(data, 0, type->size);
}
