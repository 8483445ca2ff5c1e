/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/acpi-aml.h"

#include <string.h>

/* Opcodes (ACPI 6.4, 20.3) */
#define OP_ZERO        0x00
#define OP_ONE         0x01
#define OP_NAME        0x08
#define OP_BYTE        0x0a
#define OP_WORD        0x0b
#define OP_DWORD       0x0c
#define OP_STRING      0x0d
#define OP_QWORD       0x0e
#define OP_SCOPE       0x10
#define OP_BUFFER      0x11
#define OP_PACKAGE     0x12
#define OP_METHOD      0x14
#define OP_DUAL_NAME   0x2e
#define OP_MULTI_NAME  0x2f
#define OP_EXTENDED    0x5b
#define OP_LOCAL0      0x60
#define OP_ARG0        0x68
#define OP_STORE       0x70
#define OP_AND         0x7b
#define OP_OR          0x7d
#define OP_NOTIFY      0x86
#define OP_DWORD_FIELD 0x8a
#define OP_NOT         0x92
#define OP_EQUAL       0x93
#define OP_IF          0xa0
#define OP_RETURN      0xa4
#define OP_EXT_REGION  0x80
#define OP_EXT_FIELD   0x81
#define OP_EXT_DEVICE  0x82
#define METHOD_SERIAL  0x08
#define REGION_PORTS   0x01
#define FIELD_DWORDS   0x03 /* read and written whole, without a lock */
#define DWORD_BITS     32

/* Resource descriptors (ACPI 6.4, tables 6.27 and 6.40) */
#define RES_IO        0x47
#define RES_IRQ       0x22
#define RES_END       0x79
#define RES_MEMORY32  0x86
#define RES_DWORD     0x87
#define RES_WORD      0x88
#define RES_QWORD     0x8a
#define RES_FIXED     0x0c /* the range's both ends are fixed */
#define RES_TYPE_MEM  0
#define RES_TYPE_IO   1
#define RES_TYPE_BUS  2
#define RES_IO_ALL    0x03 /* ISA and other addresses */
#define RES_WRITABLE  0x01
#define RES_DECODE_16 0x01

static void
put(GByteArray *out, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    g_byte_array_append(out, bytes, size);
}

static void
put_op(GByteArray *out, uint8_t op)
{
    put(out, op, 1);
}

/* A segment of a path, padded with underscores */
static void
put_segment(GByteArray *out, const char *name)
{
    char segment[4] = { '_', '_', '_', '_' };

    g_assert(strlen(name) <= sizeof(segment));
    memcpy(segment, name, strlen(name));
    g_byte_array_append(out, (const uint8_t *)segment, sizeof(segment));
}

static void
put_name(GByteArray *out, const char *name)
{
    bool root = *name == '\\';
    g_auto(GStrv) segments = g_strsplit(name + root, ".", 0);
    guint count = g_strv_length(segments);

    if (root)
        put_op(out, '\\');
    if (count == 2) {
        put_op(out, OP_DUAL_NAME);
    } else if (count > 2) {
        put_op(out, OP_MULTI_NAME);
        put(out, count, 1);
    }
    for (guint i = 0; i < count; i++)
        put_segment(out, segments[i]);
}

/* PkgLength counts itself (20.2.4). */
static void
put_length(GByteArray *out, size_t size)
{
    if (size + 1 < 0x40) {
        put(out, size + 1, 1);
    } else {
        unsigned more = size + 2 < 0x1000 ? 1 : size + 3 < 0x100000 ? 2 : 3;

        size += more + 1;
        put(out, more << 6 | (size & 0xf), 1);
        put(out, size >> 4, more);
    }
}

static void
put_body(GByteArray *out, GByteArray *body)
{
    g_byte_array_append(out, body->data, body->len);
    g_byte_array_unref(body);
}

/* A term that is @op, a length, and @head and @body within that length. */
static void
put_block(GByteArray *out, GByteArray *head, GByteArray *body)
{
    put_length(out, head->len + body->len);
    put_body(out, head);
    put_body(out, body);
}

static GByteArray *
named_head(const char *name)
{
    GByteArray *head = g_byte_array_new();

    put_name(head, name);
    return head;
}

/* --- data ----------------------------------------------------------------- */
void
aml_integer(GByteArray *out, uint64_t value)
{
    if (value <= 1) {
        put_op(out, value ? OP_ONE : OP_ZERO);
    } else if (value <= UINT8_MAX) {
        put_op(out, OP_BYTE);
        put(out, value, 1);
    } else if (value <= UINT16_MAX) {
        put_op(out, OP_WORD);
        put(out, value, 2);
    } else if (value <= UINT32_MAX) {
        put_op(out, OP_DWORD);
        put(out, value, 4);
    } else {
        put_op(out, OP_QWORD);
        put(out, value, 8);
    }
}

void
aml_string(GByteArray *out, const char *text)
{
    put_op(out, OP_STRING);
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text) + 1);
}

/* Three letters of five bits each, then four digits, most significant first */
void
aml_eisa_id(GByteArray *out, const char *id)
{
    uint32_t value = 0;

    g_assert(strlen(id) == 7);
    for (unsigned i = 0; i < 3; i++)
        value = value << 5 | (uint32_t)(id[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        value = value << 4 | (uint32_t)g_ascii_xdigit_value(id[i]);
    put_op(out, OP_DWORD);
    put(out, GUINT32_SWAP_LE_BE(value), 4);
}

/* The first three groups are little-endian numbers (19.6.142). */
void
aml_uuid(GByteArray *out, const char *uuid)
{
    static const uint8_t order[16] = { 6,  4,  2,  0,  11, 9,  16, 14,
                                       19, 21, 24, 26, 28, 30, 32, 34 };
    GByteArray *bytes = g_byte_array_new();

    g_assert(strlen(uuid) == 36);
    for (unsigned i = 0; i < sizeof(order); i++)
        put(bytes,
            (uint64_t)(g_ascii_xdigit_value(uuid[order[i]]) << 4 |
                       g_ascii_xdigit_value(uuid[order[i] + 1])),
            1);
    aml_buffer(out, bytes);
}

void
aml_buffer(GByteArray *out, GByteArray *body)
{
    GByteArray *head = g_byte_array_new();

    aml_integer(head, body->len);
    put_op(out, OP_BUFFER);
    put_block(out, head, body);
}

void
aml_package(GByteArray *out, unsigned count, GByteArray *body)
{
    GByteArray *head = g_byte_array_new();

    g_assert(count <= UINT8_MAX);
    put(head, count, 1);
    put_op(out, OP_PACKAGE);
    put_block(out, head, body);
}

void
aml_name(GByteArray *out, const char *name)
{
    put_op(out, OP_NAME);
    put_name(out, name);
}

void
aml_name_integer(GByteArray *out, const char *name, uint64_t value)
{
    aml_name(out, name);
    aml_integer(out, value);
}

/* --- named objects -------------------------------------------------------- */
void
aml_scope(GByteArray *out, const char *name, GByteArray *body)
{
    put_op(out, OP_SCOPE);
    put_block(out, named_head(name), body);
}

void
aml_device(GByteArray *out, const char *name, GByteArray *body)
{
    put_op(out, OP_EXTENDED);
    put_op(out, OP_EXT_DEVICE);
    put_block(out, named_head(name), body);
}

void
aml_method(GByteArray *out, const char *name, unsigned arguments,
           GByteArray *body)
{
    GByteArray *head = named_head(name);

    g_assert(arguments <= 7);
    put(head, arguments | METHOD_SERIAL, 1);
    put_op(out, OP_METHOD);
    put_block(out, head, body);
}

void
aml_ports(GByteArray *out, const char *name, uint16_t port, unsigned size)
{
    put_op(out, OP_EXTENDED);
    put_op(out, OP_EXT_REGION);
    put_name(out, name);
    put_op(out, REGION_PORTS);
    aml_integer(out, port);
    aml_integer(out, size);
}

void
aml_dwords(GByteArray *out, const char *region, const char *const *names)
{
    GByteArray *list = g_byte_array_new();

    put(list, FIELD_DWORDS, 1);
    for (; *names; names++) {
        put_segment(list, *names);
        put(list, DWORD_BITS, 1);
    }
    put_op(out, OP_EXTENDED);
    put_op(out, OP_EXT_FIELD);
    put_block(out, named_head(region), list);
}

/* --- methods -------------------------------------------------------------- */
void
aml_argument(GByteArray *out, unsigned index)
{
    put_op(out, (uint8_t)(OP_ARG0 + index));
}

void
aml_local(GByteArray *out, unsigned index)
{
    put_op(out, (uint8_t)(OP_LOCAL0 + index));
}

void
aml_reference(GByteArray *out, const char *name)
{
    put_name(out, name);
}

void
aml_if(GByteArray *out, GByteArray *predicate, GByteArray *body)
{
    put_op(out, OP_IF);
    put_block(out, predicate, body);
}

void
aml_equal(GByteArray *out)
{
    put_op(out, OP_EQUAL);
}

void
aml_not(GByteArray *out)
{
    put_op(out, OP_NOT);
}

void
aml_bits(GByteArray *out, unsigned argument, uint64_t mask)
{
    put_op(out, OP_AND);
    aml_argument(out, argument);
    aml_integer(out, mask);
    put_op(out, OP_ZERO); /* the result goes nowhere else */
}

void
aml_store(GByteArray *out)
{
    put_op(out, OP_STORE);
}

void
aml_notify(GByteArray *out, const char *object)
{
    put_op(out, OP_NOTIFY);
    put_name(out, object);
}

void
aml_return(GByteArray *out)
{
    put_op(out, OP_RETURN);
}

void
aml_dword_field(GByteArray *out, unsigned argument, unsigned offset,
                const char *name)
{
    put_op(out, OP_DWORD_FIELD);
    aml_argument(out, argument);
    aml_integer(out, offset);
    put_name(out, name);
}

static void
combine(GByteArray *out, uint8_t op, const char *name, uint64_t mask)
{
    put_op(out, op);
    put_name(out, name);
    aml_integer(out, mask);
    put_name(out, name);
}

void
aml_and(GByteArray *out, const char *name, uint64_t mask)
{
    combine(out, OP_AND, name, mask);
}

void
aml_or(GByteArray *out, const char *name, uint64_t mask)
{
    combine(out, OP_OR, name, mask);
}

/* --- resources ------------------------------------------------------------ */
void
aml_resource_io(GByteArray *out, uint16_t base, uint8_t size)
{
    put_op(out, RES_IO);
    put(out, RES_DECODE_16, 1);
    put(out, base, 2);
    put(out, base, 2);
    put(out, 0, 1); /* alignment: it is where it is */
    put(out, size, 1);
}

void
aml_resource_irq(GByteArray *out, unsigned irq)
{
    g_assert(irq < 16);
    put_op(out, RES_IRQ);
    put(out, 1u << irq, 2);
}

void
aml_resource_memory(GByteArray *out, uint32_t base, uint32_t size)
{
    put_op(out, RES_MEMORY32);
    put(out, 9, 2);
    put(out, RES_WRITABLE, 1);
    put(out, base, 4);
    put(out, size, 4);
}

typedef struct Window {
    uint8_t descriptor;
    uint8_t type, type_flags;
    uint64_t first, last;
} Window;

/* An address space descriptor, its numbers @width bytes each (6.4.3.5) */
static void
put_window(GByteArray *out, const Window *window, unsigned width)
{
    put_op(out, window->descriptor);
    put(out, 3 + 5 * width, 2);
    put(out, window->type, 1);
    put(out, RES_FIXED, 1);
    put(out, window->type_flags, 1);
    put(out, 0, width); /* granularity */
    put(out, window->first, width);
    put(out, window->last, width);
    put(out, 0, width); /* translation */
    put(out, window->last - window->first + 1, width);
}

void
aml_resource_buses(GByteArray *out, uint16_t first, uint16_t last)
{
    put_window(out, &(Window){ RES_WORD, RES_TYPE_BUS, 0, first, last }, 2);
}

void
aml_resource_io_window(GByteArray *out, uint16_t first, uint16_t last)
{
    put_window(out, &(Window){ RES_WORD, RES_TYPE_IO, RES_IO_ALL, first, last },
               2);
}

void
aml_resource_memory_window(GByteArray *out, uint32_t first, uint32_t last)
{
    put_window(out,
               &(Window){ RES_DWORD, RES_TYPE_MEM, RES_WRITABLE, first, last },
               4);
}

void
aml_resource_memory64_window(GByteArray *out, uint64_t first, uint64_t last)
{
    put_window(out,
               &(Window){ RES_QWORD, RES_TYPE_MEM, RES_WRITABLE, first, last },
               8);
}

void
aml_resource_end(GByteArray *out)
{
    put_op(out, RES_END);
    put(out, 0, 1); /* no checksum */
}
