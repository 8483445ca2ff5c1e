/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/acpi-aml.h"
#include "engine/x86/acpi-table.h"
#include "engine/x86/acpi.h"

/*
 * PCI hotplug as an operating system sees it (ACPI 6.4, 6.3): a device object
 * for every slot of bus 0, which the event of the slots notifies, and whose
 * methods write the registers of dev/hotplug.c.
 */
#define FIRST_SLOT 1 /* the host bridge stays */
#define LAST_SLOT  31

#define NOTIFY_CHECK 1 /* 5.6.6: look whether there is a device */
#define NOTIFY_EJECT 3

#define OST_IN_PROGRESS 0x84 /* 6.3.5: of an ejection */

/* The registers, in their order */
#define REG_PLUGGED "SLUP"
#define REG_WANTED  "SLDN"
#define REG_EJECT   "SLEJ"
#define REG_REFUSED "SLRF"

static void
slot_name(char *name, size_t size, unsigned slot)
{
    g_snprintf(name, size, "SL%02X", slot);
}

static uint64_t
slot_bit(unsigned slot)
{
    return UINT64_C(1) << slot;
}

/* SLNT (slots, what): notify those whose bits are set */
static void
put_notifier(GByteArray *out)
{
    GByteArray *method = g_byte_array_new();

    for (unsigned slot = FIRST_SLOT; slot <= LAST_SLOT; slot++) {
        GByteArray *is_meant = g_byte_array_new();
        GByteArray *tell = g_byte_array_new();
        char name[5];

        slot_name(name, sizeof(name), slot);
        aml_bits(is_meant, 0, slot_bit(slot));
        aml_notify(tell, name);
        aml_argument(tell, 1);
        aml_if(method, is_meant, tell);
    }
    aml_method(out, "SLNT", 2, method);
}

/* Reads a register, writes back what it has read, which is thereby taken, and
 * tells the slots. */
static void
put_scan(GByteArray *method, const char *name, unsigned what)
{
    aml_store(method);
    aml_reference(method, name);
    aml_local(method, 0);
    aml_store(method);
    aml_local(method, 0);
    aml_reference(method, name);
    aml_reference(method, "SLNT");
    aml_local(method, 0);
    aml_integer(method, what);
}

/* SLEV (): something happened to the slots */
static void
put_event(GByteArray *out)
{
    GByteArray *method = g_byte_array_new();

    put_scan(method, REG_PLUGGED, NOTIFY_CHECK);
    put_scan(method, REG_WANTED, NOTIFY_EJECT);
    aml_method(out, "SLEV", 0, method);
}

/* SLST (slots, what, status): how the system got on with what it was asked. Of
 * ejections that succeed, _EJ0 tells. */
static void
put_status(GByteArray *out)
{
    GByteArray *method = g_byte_array_new();
    GByteArray *is_eject = g_byte_array_new();
    GByteArray *failed = g_byte_array_new();
    GByteArray *inner = g_byte_array_new();
    GByteArray *is_over = g_byte_array_new();
    GByteArray *refuse = g_byte_array_new();

    aml_equal(is_eject);
    aml_argument(is_eject, 1);
    aml_integer(is_eject, NOTIFY_EJECT);
    aml_argument(failed, 2);
    aml_not(is_over);
    aml_equal(is_over);
    aml_argument(is_over, 2);
    aml_integer(is_over, OST_IN_PROGRESS);
    aml_store(refuse);
    aml_argument(refuse, 0);
    aml_reference(refuse, REG_REFUSED);
    aml_if(inner, is_over, refuse);
    refuse = g_byte_array_new();
    aml_if(refuse, failed, inner);
    aml_if(method, is_eject, refuse);
    aml_method(out, "SLST", 3, method);
}

static void
put_slot(GByteArray *out, unsigned slot)
{
    GByteArray *body = g_byte_array_new();
    GByteArray *eject = g_byte_array_new();
    GByteArray *status = g_byte_array_new();
    char name[5];

    aml_name_integer(body, "_ADR", (uint64_t)slot << 16);
    aml_name_integer(body, "_SUN", slot);
    aml_store(eject);
    aml_integer(eject, slot_bit(slot));
    aml_reference(eject, REG_EJECT);
    aml_method(body, "_EJ0", 1, eject);
    aml_reference(status, "SLST");
    aml_integer(status, slot_bit(slot));
    aml_argument(status, 0);
    aml_argument(status, 1);
    aml_method(body, "_OST", 3, status);
    slot_name(name, sizeof(name), slot);
    aml_device(out, name, body);
}

void
engine_acpi_put_slots(GByteArray *bridge)
{
    static const char *const registers[] = { REG_PLUGGED, REG_WANTED, REG_EJECT,
                                             REG_REFUSED, NULL };

    aml_ports(bridge, "SLOT", ENGINE_SLOTS_PORT, ENGINE_SLOTS_SIZE);
    aml_dwords(bridge, "SLOT", registers);
    put_status(bridge);
    for (unsigned slot = FIRST_SLOT; slot <= LAST_SLOT; slot++)
        put_slot(bridge, slot);
    put_notifier(bridge);
    put_event(bridge);
}

void
engine_acpi_put_slot_event(GByteArray *root)
{
    GByteArray *scope = g_byte_array_new();
    GByteArray *method = g_byte_array_new();
    char name[5];

    /* Of an edge: the status is cleared before the method is called (5.6.4.1),
     * so that what happens meanwhile calls it again. */
    g_snprintf(name, sizeof(name), "_E%02X", ENGINE_GPE_SLOTS);
    aml_reference(method, "\\_SB.PCI0.SLEV");
    aml_method(scope, name, 0, method);
    aml_scope(root, "\\_GPE", scope);
}
