/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * ACPI machine language (ACPI 6.4, chapter 20), as far as our tables need it:
 * every function appends one term to @out. A @body is terms made before; it is
 * consumed. Names are segments of up to four characters with points between
 * them, "\\" before the first is the root.
 */

void aml_integer(GByteArray *out, uint64_t value);
void aml_string(GByteArray *out, const char *text);
/** aml_eisa_id: "PNP0A08" as the compressed number */
void aml_eisa_id(GByteArray *out, const char *id);
/** aml_uuid: a buffer with "33DB4D5B-1FF7-401C-9657-7441C03DD766" */
void aml_uuid(GByteArray *out, const char *uuid);
/** aml_buffer: of @body's bytes */
void aml_buffer(GByteArray *out, GByteArray *body);
/** aml_package: @count elements, at most 255 */
void aml_package(GByteArray *out, unsigned count, GByteArray *body);
/** aml_name: Name (@name, ...): append the value next */
void aml_name(GByteArray *out, const char *name);
void aml_name_integer(GByteArray *out, const char *name, uint64_t value);

void aml_scope(GByteArray *out, const char *name, GByteArray *body);
void aml_device(GByteArray *out, const char *name, GByteArray *body);
/** aml_method: serialized */
void aml_method(GByteArray *out, const char *name, unsigned arguments,
                GByteArray *body);
/** aml_ports: OperationRegion (@name, SystemIO, @port, @size) */
void aml_ports(GByteArray *out, const char *name, uint16_t port, unsigned size);
/** aml_dwords: a Field of 32 bits each, from the region's beginning on
 * @names: NULL-terminated */
void aml_dwords(GByteArray *out, const char *region, const char *const *names);

/* Terms of methods */
void aml_argument(GByteArray *out, unsigned index);
void aml_local(GByteArray *out, unsigned index);
void aml_reference(GByteArray *out, const char *name);
/** aml_if: @predicate, too, is consumed */
void aml_if(GByteArray *out, GByteArray *predicate, GByteArray *body);
/** aml_equal: append the two operands next */
void aml_equal(GByteArray *out);
/** aml_not: append the operand next */
void aml_not(GByteArray *out);
/** aml_bits: Arg@argument & @mask */
void aml_bits(GByteArray *out, unsigned argument, uint64_t mask);
/** aml_store: append the source, then the target */
void aml_store(GByteArray *out);
/** aml_notify: append the value next */
void aml_notify(GByteArray *out, const char *object);
/** aml_return: append the value next */
void aml_return(GByteArray *out);
/** aml_dword_field: CreateDWordField (Arg@argument, @offset, @name) */
void aml_dword_field(GByteArray *out, unsigned argument, unsigned offset,
                     const char *name);
/** aml_and, aml_or: @name = @name & (or |) @mask */
void aml_and(GByteArray *out, const char *name, uint64_t mask);
void aml_or(GByteArray *out, const char *name, uint64_t mask);

/* Resource templates (ACPI 6.4, 6.4): descriptors, then the end; the bytes then
 * go into aml_buffer(). */
void aml_resource_io(GByteArray *out, uint16_t base, uint8_t size);
void aml_resource_irq(GByteArray *out, unsigned irq);
void aml_resource_memory(GByteArray *out, uint32_t base, uint32_t size);
/* What a bridge passes on: the whole range [first, last] */
void aml_resource_buses(GByteArray *out, uint16_t first, uint16_t last);
void aml_resource_io_window(GByteArray *out, uint16_t first, uint16_t last);
void aml_resource_memory_window(GByteArray *out, uint32_t first, uint32_t last);
void aml_resource_memory64_window(GByteArray *out, uint64_t first,
                                  uint64_t last);
void aml_resource_end(GByteArray *out);
