/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/address.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

#define SLOTS     32
#define FUNCTIONS 8
/* The host bridge, what has its fixed place on pc and q35 (bridges to ISA, IDE,
 * the first display), and the places around them that guests expect so. */
#define SLOTS_OF_MACHINE (1u << 0 | 1u << 1 | 1u << 2 | 1u << 31)

/* --- the table ------------------------------------------------------------ */
typedef struct AddressPart {
    const char *name;
    size_t text, number;
    unsigned most;
    int digits; /* as libvirt writes it; 0: in decimal */
} AddressPart;

static const AddressPart parts[] = {
    { "domain", offsetof(ConfAddress, domain_text),
      offsetof(ConfAddress, domain), 0xffff, 4 },
    { "bus", offsetof(ConfAddress, bus_text), offsetof(ConfAddress, bus), 0xff,
      2 },
    { "slot", offsetof(ConfAddress, slot_text), offsetof(ConfAddress, slot),
      SLOTS - 1, 2 },
    { "function", offsetof(ConfAddress, function_text),
      offsetof(ConfAddress, function), FUNCTIONS - 1, 1 },
};

/* The same of type='drive', in decimal */
static const AddressPart drive_parts[] = {
    { "controller", offsetof(ConfAddress, controller_text),
      offsetof(ConfAddress, controller), 0xff, 0 },
    { "bus", offsetof(ConfAddress, bus_text), offsetof(ConfAddress, bus), 0xff,
      0 },
    { "target", offsetof(ConfAddress, target_text),
      offsetof(ConfAddress, target), 0xff, 0 },
    { "unit", offsetof(ConfAddress, unit_text), offsetof(ConfAddress, unit),
      0x3fff, 0 },
};

static char **
text_of(ConfAddress *address, const AddressPart *part)
{
    return (char **)(void *)((char *)address + part->text);
}

static unsigned *
number_of(ConfAddress *address, const AddressPart *part)
{
    return (unsigned *)(void *)((char *)address + part->number);
}

/* C's notation, as libvirt takes it: 0x for hexadecimal */
static bool
parse_number(const char *text, unsigned most, unsigned *ret_value)
{
    char *end;
    guint64 value;

    if (!g_ascii_isxdigit(*text))
        return false;
    value = g_ascii_strtoull(text, &end, 0);
    if (*end || value > most)
        return false;
    *ret_value = (unsigned)value;
    return true;
}

static void
write_part(ConfAddress *address, const AddressPart *part)
{
    char **text = text_of(address, part);
    unsigned number = *number_of(address, part);

    g_free(*text);
    *text = part->digits > 0 ? g_strdup_printf("0x%0*x", part->digits, number)
                             : g_strdup_printf("%u", number);
}

static void
write_numbers(ConfAddress *address)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        write_part(address, &parts[i]);
}

static bool
read_part(ConfAddress *address, const AddressPart *part, const xmlNode *node,
          GError **error)
{
    const char *text = *text_of(address, part);

    if (!text || parse_number(text, part->most, number_of(address, part)))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Cannot parse <address> '%s' attribute '%s' (line %ld)"),
              part->name, text, xmlGetLineNo(node));
    return false;
}

static bool
read_drive(ConfAddress *address, const xmlNode *node, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(drive_parts); i++) {
        if (!read_part(address, &drive_parts[i], node, error))
            return false;
        write_part(address, &drive_parts[i]);
    }
    return true;
}

void
conf_address_set_drive(ConfAddress *address, unsigned controller, unsigned bus,
                       unsigned target, unsigned unit)
{
    g_free(address->type);
    address->type = g_strdup("drive");
    address->drive = true;
    address->controller = controller;
    address->bus = bus;
    address->target = target;
    address->unit = unit;
    for (size_t i = 0; i < G_N_ELEMENTS(drive_parts); i++)
        write_part(address, &drive_parts[i]);
}

static bool
address_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfAddress *address = base;
    bool any = false;

    address->pci = g_strcmp0(address->type, "pci") == 0;
    address->drive = g_strcmp0(address->type, "drive") == 0;
    if (address->drive)
        return read_drive(address, node, error);
    if (!address->pci)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        any |= *text_of(address, &parts[i]) != NULL;
        if (!read_part(address, &parts[i], node, error))
            return false;
    }
    if (any)
        write_numbers(address);
    return true;
}

static ConfPolicy
judge_type(const char *text, const void *base)
{
    const ConfAddress *address = base;

    return address->pci || address->plain ? CONF_HONOURED : CONF_REFUSED;
}

static ConfPolicy
judge_bus(const char *text, const void *base)
{
    const ConfAddress *address = base;

    return (address->domain || address->bus) && !address->plain ? CONF_HARMLESS
                                                                : CONF_HONOURED;
}

static const ConfField address_fields[] = {
    CONF_ATTR("type", ConfAddress, type, token, .flags = CONF_REQUIRED,
              .judge = judge_type,
              .advice = N_("the device is on the PCI bus: use type='pci', or "
                           "no address")),
    CONF_ATTR("domain", ConfAddress, domain_text, token),
    CONF_ATTR("controller", ConfAddress, controller_text, token),
    CONF_ATTR("bus", ConfAddress, bus_text, token, .judge = judge_bus,
              .advice = N_("there is PCI bus 0 only, where the device gets a "
                           "free place")),
    CONF_ATTR("slot", ConfAddress, slot_text, token),
    CONF_ATTR("function", ConfAddress, function_text, token),
    CONF_CARRY_ATTR("multifunction", .policy = CONF_QUIET),
    CONF_ATTR("target", ConfAddress, target_text, token),
    CONF_ATTR("unit", ConfAddress, unit_text, token),
    CONF_CARRY_ATTR("port", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("reg", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("iobase", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("irq", .policy = CONF_QUIET),
    CONF_END
};
const ConfElement conf_address_element = { .name = "address",
                                           .fields = address_fields,
                                           .check = address_check };

void
conf_address_copy(ConfAddress *to, const ConfAddress *from)
{
    bool plain = to->plain;

    *to = *from;
    to->plain = plain;
    to->type = g_strdup(from->type);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        *text_of(to, &parts[i]) = g_strdup(*text_of(to, &parts[i]));
    to->controller_text = g_strdup(from->controller_text);
    to->target_text = g_strdup(from->target_text);
    to->unit_text = g_strdup(from->unit_text);
}

/* --- places --------------------------------------------------------------- */
static bool
has_disk(const void *device)
{
    return conf_disk_is_virtio(device);
}

static bool
has_controller(const void *device)
{
    const ConfController *controller = device;

    return controller->type == CONF_CONTROLLER_VIRTIO_SERIAL ||
           conf_controller_is_scsi(controller);
}

static bool
has_balloon(const void *device)
{
    return strcmp(((const ConfMemballoon *)device)->model, "none") != 0;
}

static bool
has_always(const void *device)
{
    return true;
}

static bool
has_never(const void *device)
{
    return false;
}

/* The lists of devices, in the order in which libvirt finds places for them;
 * whether the engine has such a one. */
static const struct {
    size_t list, address;
    bool (*has)(const void *device);
} lists[] = {
    { offsetof(ConfDomain, interfaces), offsetof(ConfInterface, address),
      has_always },
    { offsetof(ConfDomain, controllers), offsetof(ConfController, address),
      has_controller },
    { offsetof(ConfDomain, disks), offsetof(ConfDisk, address), has_disk },
    { offsetof(ConfDomain, memballoons), offsetof(ConfMemballoon, address),
      has_balloon },
    { offsetof(ConfDomain, rngs), offsetof(ConfRng, address), has_always },
    { offsetof(ConfDomain, panics), offsetof(ConfPanic, address), has_never },
};

/* Of every device that the engine has (or, with false, has not) */
static GPtrArray *
all_of(const ConfDomain *domain, bool has)
{
    GPtrArray *all = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        const void *member = (const char *)domain + lists[i].list;
        const GPtrArray *list = *(GPtrArray *const *)member;

        for (guint j = 0; j < list->len; j++) {
            char *device = g_ptr_array_index(list, j);

            if (lists[i].has(device) == has)
                g_ptr_array_add(all, device + lists[i].address);
        }
    }
    return all;
}

static bool
has_numbers(const ConfAddress *address)
{
    return address->domain || address->bus || address->slot ||
           address->function;
}

/* Does the document say where on bus 0? */
static bool
is_placed(const ConfAddress *address)
{
    return address->pci && !address->domain && !address->bus &&
           has_numbers(address);
}

/* The slot that a device, carried as text, has on bus 0; 0: none */
static unsigned
slot_of_text(const char *text)
{
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *type = NULL, *bus = NULL, *slot = NULL;
    xmlNode *address;
    unsigned number;

    if (!strstr(text, "<address"))
        return 0;
    doc = conf_xml_parse_fragment(text);
    address = doc ? conf_xml_child(xmlDocGetRootElement(doc), "address") : NULL;
    if (!address)
        return 0;
    type = conf_xml_attr(address, "type");
    bus = conf_xml_attr(address, "bus");
    slot = conf_xml_attr(address, "slot");
    if (g_strcmp0(type, "pci") != 0 ||
        (bus && (!parse_number(bus, UINT_MAX, &number) || number != 0)) ||
        !slot || !parse_number(slot, SLOTS - 1, &number))
        return 0;
    return number;
}

static uint32_t
slots_of(const GPtrArray *addresses)
{
    uint32_t slots = 0;

    for (guint i = 0; i < addresses->len; i++) {
        const ConfAddress *address = g_ptr_array_index(addresses, i);

        if (is_placed(address))
            slots |= 1u << address->slot;
    }
    return slots;
}

/* Slots of bus 0 that are not free. A device that is only carried keeps its
 * place for the day when it is honoured. */
static uint32_t
taken_slots(const ConfDomain *domain, const GPtrArray *all)
{
    g_autoptr(GPtrArray) kept = all_of(domain, false);
    uint32_t taken = SLOTS_OF_MACHINE | slots_of(all) | slots_of(kept);

    for (const ConfCarriedItem *item = domain->carried.first; item;
         item = item->next) {
        if (item->kind == CONF_CARRIED_ELEMENT)
            taken |= 1u << slot_of_text(item->text);
    }
    return taken;
}

/* Takes the lowest that is free; 0: there is none */
static unsigned
take_slot(uint32_t *taken)
{
    unsigned slot;

    if (*taken == UINT32_MAX)
        return 0;
    slot = (unsigned)__builtin_ctz(~*taken);
    *taken |= 1u << slot;
    return slot;
}

unsigned
conf_domain_place(const ConfDomain *domain, const ConfAddress *address)
{
    g_autoptr(GPtrArray) all = all_of(domain, true);
    uint32_t taken;

    if (is_placed(address))
        return address->slot;
    taken = taken_slots(domain, all);
    for (guint i = 0; i < all->len; i++) {
        const ConfAddress *other = g_ptr_array_index(all, i);
        unsigned slot = is_placed(other) ? other->slot : take_slot(&taken);

        if (other == address)
            return slot;
    }
    return 0;
}

/* --- when a domain is defined --------------------------------------------- */
static bool
check_unique(const GPtrArray *all, GError **error)
{
    bool seen[SLOTS * FUNCTIONS] = { false };

    for (guint i = 0; i < all->len; i++) {
        const ConfAddress *address = g_ptr_array_index(all, i);
        unsigned place = address->slot * FUNCTIONS + address->function;

        if (!is_placed(address))
            continue;
        if (address->slot == 0) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("PCI address 0000:00:00.%u is the host bridge's"),
                      address->function);
            return false;
        }
        if (seen[place]) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("Attempted double use of PCI Address "
                        "0000:00:%02x.%x"),
                      address->slot, address->function);
            return false;
        }
        seen[place] = true;
    }
    return true;
}

static bool
is_open(const ConfAddress *address)
{
    return !address->plain &&
           (!address->type || (address->pci && !has_numbers(address)));
}

static bool
assign(const ConfDomain *domain, const GPtrArray *all, GError **error)
{
    uint32_t taken = taken_slots(domain, all);

    for (guint i = 0; i < all->len; i++) {
        ConfAddress *address = g_ptr_array_index(all, i);

        if (!is_open(address))
            continue;
        address->slot = take_slot(&taken);
        if (address->slot == 0) {
            error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      _("No more available PCI slots"));
            return false;
        }
        g_free(address->type);
        address->type = g_strdup("pci");
        address->pci = true;
        write_numbers(address);
    }
    return true;
}

bool
conf_domain_assign_addresses(ConfDomain *domain, GError **error)
{
    g_autoptr(GPtrArray) all = all_of(domain, true);
    bool any = false;

    for (guint i = 0; i < all->len; i++)
        any |= is_open(g_ptr_array_index(all, i));
    if (!check_unique(all, error))
        return false;
    /* a machine without a PCI bus has no places to give */
    return !any || strcmp(domain->os.machine, "microvm") == 0 ||
           assign(domain, all, error);
}
