/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

#include "conf/element.h"
#include "conf/type.h"

/* The lists whose devices are numbered: "net0", "net1" ... */
static const struct {
    size_t list, alias;
    const char *prefix;
} numbered[] = {
    { offsetof(ConfDomain, interfaces), offsetof(ConfInterface, alias), "net" },
    { offsetof(ConfDomain, serials), offsetof(ConfChardev, alias), "serial" },
    { offsetof(ConfDomain, consoles), offsetof(ConfChardev, alias), "console" },
    { offsetof(ConfDomain, channels), offsetof(ConfChardev, alias), "channel" },
    { offsetof(ConfDomain, memballoons), offsetof(ConfMemballoon, alias),
      "balloon" },
    { offsetof(ConfDomain, rngs), offsetof(ConfRng, alias), "rng" },
    { offsetof(ConfDomain, panics), offsetof(ConfPanic, alias), "panic" },
};

static GPtrArray *
list_at(const ConfDomain *domain, size_t offset)
{
    const void *member = (const char *)domain + offset;

    return *(GPtrArray *const *)member;
}

static char **
alias_at(const GPtrArray *list, guint index, size_t offset)
{
    void *member = (char *)g_ptr_array_index(list, index) + offset;

    return member;
}

/* The number after the highest that a device of @list has */
static unsigned
next_number(const GPtrArray *list, size_t offset, const char *prefix)
{
    uint64_t next = 0, number;

    for (guint i = 0; i < list->len; i++) {
        const char *alias = *alias_at(list, i, offset);

        if (alias && g_str_has_prefix(alias, prefix) &&
            conf_number_parse(alias + strlen(prefix), INT_MAX, &number))
            next = MAX(next, number + 1);
    }
    return (unsigned)next;
}

static void
name_numbered(const ConfDomain *domain, size_t row)
{
    const GPtrArray *list = list_at(domain, numbered[row].list);
    const char *prefix = numbered[row].prefix;

    for (guint i = 0; i < list->len; i++) {
        char **alias = alias_at(list, i, numbered[row].alias);
        unsigned number = next_number(list, numbered[row].alias, prefix);

        /* the one that has its serial port's name counts, too */
        if (list == domain->consoles)
            number = MAX(number, i);
        if (!*alias)
            *alias = g_strdup_printf("%s%u", prefix, number);
    }
}

/* Disks have the number of their target or their place, controllers that of
 * their index. */
static void
name_disks(const ConfDomain *domain)
{
    for (guint i = 0; i < domain->disks->len; i++) {
        ConfDisk *disk = g_ptr_array_index(domain->disks, i);
        int number = conf_disk_number(disk->target);

        if (disk->alias)
            continue;
        if (conf_disk_is_unit(disk))
            disk->alias = g_strdup_printf(
                "scsi%u-%u-%u-%u", disk->address.controller, disk->address.bus,
                disk->address.target, disk->address.unit);
        else if (number >= 0 && disk->bus == CONF_DISK_BUS_VIRTIO)
            disk->alias = g_strdup_printf("virtio-disk%d", number);
        else
            disk->alias = g_strdup_printf("disk-%s", disk->target);
    }
}

static void
name_controllers(const ConfDomain *domain)
{
    for (guint i = 0; i < domain->controllers->len; i++) {
        ConfController *controller = g_ptr_array_index(domain->controllers, i);

        if (!controller->alias)
            controller->alias = conf_controller_alias(controller);
    }
}

void
conf_domain_assign_live(ConfDomain *domain)
{
    conf_clock_settle(&domain->clock);
    /* what cannot have a port is refused when its device is made */
    conf_domain_fill_channels(domain, true, NULL);
    name_disks(domain);
    name_controllers(domain);
    for (size_t i = 0; i < G_N_ELEMENTS(numbered); i++) {
        if (numbered[i].list == offsetof(ConfDomain, consoles))
            conf_domain_tie_console(domain);
        name_numbered(domain, i);
    }
}

/* The serial port that @console is, or @console itself. */
static ConfChardev *
behind(const ConfDomain *domain, ConfChardev *console)
{
    if (g_strcmp0(console->target_type, "serial") == 0 &&
        domain->serials->len > 0)
        return g_ptr_array_index(domain->serials, 0);
    return console;
}

static ConfChardev *
find_alias(GPtrArray *devices, const char *alias)
{
    for (guint i = 0; i < devices->len; i++) {
        ConfChardev *device = g_ptr_array_index(devices, i);

        if (g_strcmp0(device->alias, alias) == 0)
            return device;
    }
    return NULL;
}

ConfChardev *
conf_domain_console(const ConfDomain *domain, const char *alias)
{
    ConfChardev *found;

    if (alias) {
        found = find_alias(domain->serials, alias);
        if (!found)
            found = find_alias(domain->consoles, alias);
        return found ? behind(domain, found) : NULL;
    }
    if (domain->consoles->len > 0)
        return behind(domain, g_ptr_array_index(domain->consoles, 0));
    return domain->serials->len > 0 ? g_ptr_array_index(domain->serials, 0)
                                    : NULL;
}
