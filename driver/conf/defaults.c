/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

#include "conf/capabilities.h"
#include "conf/element.h"
#include "util/error.h"
#include "util/i18n.h"

/* libvirt's domain types; which of them run is the driver's business. */
static const char *const domain_types[] = {
    "qemu",      "kqemu", "kvm",    "xen",    "lxc",  "uml",
    "openvz",    "test",  "vmware", "hyperv", "vbox", "phyp",
    "parallels", "bhyve", "vz",     "hvf",    NULL
};

static bool
check_name(const ConfDomain *domain, GError **error)
{
    const char *name = domain->name;

    if (!name || !*name) {
        error_set(error, VIR_ERR_NO_NAME, _("missing name information"));
        return false;
    }
    if (strchr(name, '\n')) {
        error_set(error, VIR_ERR_XML_DETAIL, _("invalid char in name: %c"),
                  '\n');
        return false;
    }
    if (strchr(name, '/')) {
        error_set(error, VIR_ERR_XML_ERROR, _("name %s cannot contain '/'"),
                  name);
        return false;
    }
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        error_set(error, VIR_ERR_XML_ERROR, _("name '%s' is not allowed"),
                  name);
        return false;
    }
    if (strlen(name) > CONF_NAME_MAX_BYTES) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the name is longer than %d bytes"), CONF_NAME_MAX_BYTES);
        return false;
    }
    return true;
}

static bool
check_head(ConfDomain *domain, GError **error)
{
    if (!domain->type) {
        error_set(error, VIR_ERR_XML_ERROR, _("missing domain type attribute"));
        return false;
    }
    if (!g_strv_contains(domain_types, domain->type)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("invalid domain type %s"), domain->type);
        return false;
    }
    if (domain->title && strchr(domain->title, '\n')) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Domain title can't contain newlines"));
        return false;
    }
    return check_name(domain, error) && conf_domain_fill_uuid(domain, error);
}

static bool
fill_memory(ConfMemory *memory, GError **error)
{
    if (memory->memory_kib == 0) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Memory size must be specified via <memory> or in the "
                    "<numa> configuration"));
        return false;
    }
    if (memory->max_kib && memory->max_kib < memory->memory_kib) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("maximum memory size must be equal or greater than the "
                    "actual memory size"));
        return false;
    }
    if (memory->max_kib && !memory->max_slots) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("number of memory slots must be set when maximum memory is "
                    "specified"));
        return false;
    }
    if (memory->current_kib == 0 || memory->current_kib > memory->memory_kib)
        memory->current_kib = memory->memory_kib;
    return true;
}

/* <vcpus> names each vCPU exactly once. */
static bool
check_each_vcpu(const ConfVcpus *vcpus, GError **error)
{
    g_autofree bool *seen = g_new0(bool, vcpus->max);
    unsigned enabled = 0;

    for (guint i = 0; i < vcpus->each->len; i++) {
        const ConfVcpu *vcpu = g_ptr_array_index(vcpus->each, i);

        if (vcpu->id < 0 || (unsigned)vcpu->id >= vcpus->max) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("vcpu id '%d' is out of range of maximum vcpu count"),
                      vcpu->id);
            return false;
        }
        if (seen[vcpu->id]) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("vcpu id '%d' stands more than once in <vcpus>"),
                      vcpu->id);
            return false;
        }
        seen[vcpu->id] = true;
        if (vcpu->id == 0 && vcpu->enabled == CONF_ONOFF_OFF) {
            error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      _("vcpu 0 can't be offline"));
            return false;
        }
        enabled += vcpu->enabled != CONF_ONOFF_OFF;
    }
    if (vcpus->current && vcpus->each->len == vcpus->max &&
        enabled != vcpus->current) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("<vcpus> enables %u vCPUs, but 'current' is %u"), enabled,
                  vcpus->current);
        return false;
    }
    return true;
}

static bool
fill_vcpus(ConfDomain *domain, GError **error)
{
    ConfVcpus *vcpus = &domain->vcpus;
    const ConfCpu *cpu = &domain->cpu;
    uint64_t product;

    if (vcpus->max == 0)
        vcpus->max = 1;
    if (vcpus->placement == CONF_PLACEMENT_ABSENT)
        vcpus->placement = CONF_PLACEMENT_STATIC;
    if (vcpus->current == vcpus->max)
        vcpus->current = 0;
    if (!check_each_vcpu(vcpus, error))
        return false;
    if (!cpu->sockets)
        return true;
    if (!__builtin_mul_overflow((uint64_t)cpu->sockets * cpu->dies,
                                (uint64_t)cpu->cores * cpu->threads,
                                &product) &&
        product == vcpus->max)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("CPU topology doesn't match maximum vcpu count"));
    return false;
}

static bool
fill_os(ConfOs *os, GError **error)
{
    if (!os->type) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("an os <type> must be specified"));
        return false;
    }
    if (strcmp(os->type, "hvm") != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown OS type '%s'"),
                  os->type);
        return false;
    }
    if (!os->arch)
        os->arch = g_strdup("x86_64");
    if (strcmp(os->arch, "x86_64") != 0 && strcmp(os->arch, "i686") != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("architecture '%s' is not supported on this host"),
                  os->arch);
        return false;
    }
    if (!os->machine)
        os->machine = g_strdup("q35");
    if (conf_machine_canonical(os->machine))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("machine type '%s' is not supported: use q35, pc or microvm"),
              os->machine);
    return false;
}

/* What libvirt adds to <cpu> depends on its mode. */
static void
fill_cpu(ConfCpu *cpu)
{
    if (cpu->mode == CONF_CPU_ABSENT && cpu->model)
        cpu->mode = CONF_CPU_CUSTOM;
    if (cpu->mode == CONF_CPU_CUSTOM && !cpu->match)
        cpu->match = g_strdup("exact");
    if (cpu->mode == CONF_CPU_CUSTOM && cpu->model && !cpu->fallback)
        cpu->fallback = g_strdup("allow");
    if (cpu->mode != CONF_CPU_ABSENT && !cpu->check)
        cpu->check = g_strdup(cpu->mode == CONF_CPU_CUSTOM ||
                                      cpu->mode == CONF_CPU_HOST_MODEL
                                  ? "partial"
                                  : "none");
    if (cpu->mode == CONF_CPU_HOST_PASSTHROUGH && !cpu->migratable)
        cpu->migratable = CONF_ONOFF_ON;
}

static void
fill_actions(ConfDomain *domain)
{
    if (!domain->on_poweroff)
        domain->on_poweroff = CONF_ACTION_DESTROY;
    if (!domain->on_reboot)
        domain->on_reboot = CONF_ACTION_RESTART;
    if (!domain->on_crash)
        domain->on_crash = CONF_ACTION_DESTROY;
    if (!domain->clock.offset)
        domain->clock.offset = CONF_CLOCK_UTC;
}

/* The port after the highest that a device of @list has. */
static int
free_port(const GPtrArray *list)
{
    int port = -1;

    for (guint i = 0; i < list->len; i++) {
        const ConfChardev *chardev = g_ptr_array_index(list, i);

        port = MAX(port, chardev->port);
    }
    return port < INT_MAX ? port + 1 : port;
}

static void
fill_serials(GPtrArray *serials)
{
    for (guint i = 0; i < serials->len; i++) {
        ConfChardev *serial = g_ptr_array_index(serials, i);

        if (serial->port < 0)
            serial->port = free_port(serials);
        if (!serial->target_type)
            serial->target_type = g_strdup("isa-serial");
        if (!serial->target_model)
            serial->target_model = g_strdup(serial->target_type);
    }
}

static bool
is_tied(const ConfChardev *console)
{
    return !console->target_type || strcmp(console->target_type, "serial") == 0;
}

static void
insert_chardev(GPtrArray *list, const ConfElement *element,
               const ConfChardev *source)
{
    ConfChardev *added = conf_table_new(element);

    conf_chardev_copy_source(added, source);
    g_ptr_array_insert(list, 0, added);
}

/* Is the first serial port one that a console can be? */
static bool
has_plain_serial(const ConfDomain *domain)
{
    const ConfChardev *serial;

    if (domain->serials->len == 0)
        return false;
    serial = g_ptr_array_index(domain->serials, 0);
    return strcmp(serial->target_type, "isa-serial") == 0;
}

static bool
fill_console_targets(GPtrArray *consoles, GError **error)
{
    for (guint i = 0; i < consoles->len; i++) {
        ConfChardev *console = g_ptr_array_index(consoles, i);

        if (i > 0 && is_tied(console)) {
            error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                      _("Only the first console can be a serial port"));
            return false;
        }
        if (!console->target_type)
            console->target_type = g_strdup("serial");
        if (console->port < 0)
            console->port = (int)i;
    }
    return true;
}

/* libvirt's customs: the first <console> of type serial is the first <serial>;
 * where one of them is missing it is added. */
static bool
fill_consoles(ConfDomain *domain, GError **error)
{
    GPtrArray *serials = domain->serials, *consoles = domain->consoles;
    bool tied = consoles->len > 0 && is_tied(g_ptr_array_index(consoles, 0));

    if (tied && serials->len == 0)
        insert_chardev(serials, &conf_serial_element,
                       g_ptr_array_index(consoles, 0));
    fill_serials(serials);
    if (!tied && has_plain_serial(domain))
        insert_chardev(consoles, &conf_console_element,
                       g_ptr_array_index(serials, 0));
    if (!fill_console_targets(consoles, error))
        return false;
    conf_domain_tie_console(domain);
    return true;
}

void
conf_domain_tie_console(ConfDomain *domain)
{
    ConfChardev *console, *serial;

    if (domain->consoles->len == 0 || !has_plain_serial(domain))
        return;
    console = g_ptr_array_index(domain->consoles, 0);
    serial = g_ptr_array_index(domain->serials, 0);
    if (!is_tied(console))
        return;
    conf_chardev_copy_source(console, serial);
    console->port = serial->port;
}

/* Each disk has its name, and an I/O thread that there is. */
static bool
check_disks(const ConfDomain *domain, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < domain->disks->len; i++) {
        ConfDisk *disk = g_ptr_array_index(domain->disks, i);
        const ConfDisk *other = g_hash_table_lookup(names, disk->target);

        if (other) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("target '%s' duplicated for disk sources '%s' and "
                        "'%s'"),
                      disk->target, other->path ? other->path : "",
                      disk->path ? disk->path : "");
            return false;
        }
        if (disk->iothread && !conf_domain_iothread(domain, disk->iothread)) {
            error_set(error, VIR_ERR_XML_ERROR,
                      _("Disk iothread '%u' not defined in iothreadid"),
                      disk->iothread);
            return false;
        }
        g_hash_table_insert(names, disk->target, disk);
    }
    return true;
}

static bool
check_controllers(const ConfDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->controllers->len; i++) {
        const ConfController *controller =
            g_ptr_array_index(domain->controllers, i);

        if (!controller->iothread ||
            conf_domain_iothread(domain, controller->iothread))
            continue;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("Controller iothread '%u' not defined in iothreadid"),
                  controller->iothread);
        return false;
    }
    return true;
}

bool
conf_domain_settle_devices(ConfDomain *domain, GError **error)
{
    conf_domain_fill_controllers(domain);
    conf_domain_mark_disks(domain);
    return fill_consoles(domain, error) && check_disks(domain, error) &&
           check_controllers(domain, error) &&
           conf_domain_fill_units(domain, error) &&
           conf_domain_fill_channels(domain, false, error) &&
           conf_domain_assign_addresses(domain, error);
}

bool
conf_domain_fill_defaults(ConfDomain *domain, unsigned flags, GError **error)
{
    if (!check_head(domain, error) || !fill_memory(&domain->memory, error) ||
        !fill_vcpus(domain, error) || !fill_os(&domain->os, error) ||
        !conf_domain_fill_iothreads(domain, error))
        return false;
    fill_cpu(&domain->cpu);
    fill_actions(domain);
    /* a running guest has the devices that it was started with */
    if (!(flags & CONF_PARSE_STATUS))
        conf_domain_fill_memballoon(domain);
    return conf_virtkvm_read(domain, error) &&
           conf_domain_settle_devices(domain, error);
}
