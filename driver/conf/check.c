/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"

#include <string.h>

#include "conf/element.h"
#include "util/error.h"
#include "util/i18n.h"

/* Bytes of a carried attribute or start tag that a message shows. */
#define SHOWN_MAX 80

/* While a definition is checked: the warnings, each once. */
typedef struct Check {
    GPtrArray *warnings; /* may be NULL */
} Check;

/* An attribute: "'secure' of <loader>". */
static char *
name_of_attr(const ConfVisit *visit, const char *name, size_t length)
{
    int shown = (int)MIN(length, SHOWN_MAX);

    return visit->owner
               ? g_strdup_printf(_("'%.*s' of <%s>"), shown, name, visit->owner)
               : g_strdup_printf("'%.*s'", shown, name);
}

/* What a message calls the thing: "<disk>" out of a carried element's text. */
static char *
name_of(const ConfVisit *visit)
{
    const char *text = visit->text;

    if (text && visit->kind == CONF_CARRIED_ATTR)
        return name_of_attr(visit, text + 1, strcspn(text + 1, "="));
    if (text)
        return g_strdup_printf(
            "<%.*s>", (int)MIN(strcspn(text + 1, " \n\t/>"), SHOWN_MAX),
            text + 1);
    if (visit->field->kind == CONF_KIND_ATTR)
        return name_of_attr(visit, visit->field->name,
                            strlen(visit->field->name));
    return g_strdup_printf("<%s>", visit->field->kind == CONF_KIND_TEXT
                                       ? visit->owner
                                       : visit->field->name);
}

static void
warn(const Check *check, char *message)
{
    g_autofree char *owned = message;

    if (!check->warnings || g_ptr_array_find_with_equal_func(
                                check->warnings, owned, g_str_equal, NULL))
        return;
    g_ptr_array_add(check->warnings, g_steal_pointer(&owned));
}

static bool
refuse(const ConfVisit *visit, const char *name, GError **error)
{
    const char *advice = visit->field ? visit->field->advice : NULL;

    if (advice)
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("%s cannot be honoured: %s"), name, _(advice));
    else
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  visit->field ? _("%s cannot be honoured: remove it")
                               : _("%s is not known: remove it"),
                  name);
    return false;
}

static ConfPolicy
policy_of(const ConfVisit *visit)
{
    if (!visit->field)
        return CONF_REFUSED;
    if (visit->field->judge)
        return visit->field->judge(visit->text, visit->base);
    return visit->field->policy;
}

static bool
check_row(const ConfVisit *visit, void *opaque, GError **error)
{
    const Check *check = opaque;
    ConfPolicy policy = policy_of(visit);
    g_autofree char *name = NULL;

    if (policy == CONF_HONOURED || policy == CONF_QUIET ||
        (visit->kind == CONF_CARRIED_ATTR && visit->text &&
         g_str_has_prefix(visit->text, " xmlns")))
        return true;
    name = name_of(visit);
    if (policy == CONF_REFUSED)
        return refuse(visit, name, error);
    if (visit->field->advice)
        warn(check, g_strdup_printf(_("%s is not honoured: %s"), name,
                                    _(visit->field->advice)));
    else
        warn(check,
             g_strdup_printf(_("%s is not honoured: the guest runs without it"),
                             name));
    return true;
}

static bool
check_ports(const ConfDomain *domain, GError **error)
{
    g_autoptr(GHashTable) ports = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < domain->serials->len; i++) {
        const ConfChardev *serial = g_ptr_array_index(domain->serials, i);

        if (g_hash_table_add(ports, GINT_TO_POINTER(serial->port)))
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("two <serial> devices have port '%d'"), serial->port);
        return false;
    }
    return true;
}

static bool
check_channels(const ConfDomain *domain, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < domain->channels->len; i++) {
        const ConfChardev *channel = g_ptr_array_index(domain->channels, i);

        if (!channel->name || g_hash_table_add(names, channel->name))
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("two channels have the name '%s'"), channel->name);
        return false;
    }
    return true;
}

static guint
count_virtio(const GPtrArray *consoles)
{
    guint count = 0;

    for (guint i = 0; i < consoles->len; i++)
        count += conf_chardev_is_virtio(g_ptr_array_index(consoles, i));
    return count;
}

/* What the table cannot judge: it is one disk's, and the machine has no say. */
static bool
check_microvm(const ConfDomain *domain, const Check *check, GError **error)
{
    static const char *const names[] = { "disk", "interface", "channel",
                                         "console" };
    const guint counts[] = { domain->disks->len, domain->interfaces->len,
                             domain->channels->len,
                             count_virtio(domain->consoles) };

    if (strcmp(domain->os.machine, "microvm") != 0)
        return true;
    if (domain->os.firmware || domain->os.loader.path) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a microvm has no firmware: use machine='q35' or boot a "
                    "<kernel> without <loader>"));
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (counts[i] == 0)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<%s> cannot be honoured: a microvm has no PCI bus: use "
                    "machine='q35'"),
                  names[i]);
        return false;
    }
    if (domain->rngs->len > 0)
        warn(check, g_strdup(_("<rng> is not honoured: a microvm has no PCI "
                               "bus")));
    if (conf_domain_memballoon(domain))
        warn(check, g_strdup(_("<memballoon> is not honoured: a microvm has no "
                               "PCI bus")));
    return true;
}

/* What is read from, or written to, has to be somewhere. */
static bool
check_sources(const ConfDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->disks->len; i++) {
        const ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        if (conf_disk_is_unit(disk) &&
            !conf_disk_controller(domain, disk, error))
            return false;
        if (!conf_disk_is_empty(disk) || disk->device != CONF_DISK_DISK ||
            !(conf_disk_is_virtio(disk) || conf_disk_is_unit(disk)))
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the disk '%s' has no <source>: name an image"),
                  disk->target);
        return false;
    }
    return true;
}

/* A machine without a kernel begins with firmware. */
static bool
check_kernel(const ConfDomain *domain, GError **error)
{
    const ConfOs *os = &domain->os;
    bool microvm = strcmp(os->machine, "microvm") == 0;

    if (!os->kernel && microvm) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<os> has no <kernel>, and a microvm has no firmware: name "
                    "a kernel to boot"));
        return false;
    }
    if (os->kernel && os->loader.path && !microvm &&
        os->loader.type != CONF_LOADER_PFLASH) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("a BIOS does not start the <kernel>: remove <loader>, and "
                    "it is started directly"));
        return false;
    }
    if (os->kernel && !microvm &&
        (os->loader.path || os->firmware == CONF_FIRMWARE_EFI)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("UEFI firmware does not start the <kernel>: remove "
                    "firmware='efi' and <loader>, and it is started directly"));
        return false;
    }
    return true;
}

/* What the guest is to read has to be said, and what is said to be read. */
static bool
check_sysinfo(const ConfDomain *domain, const Check *check, GError **error)
{
    bool wanted = domain->os.smbios == CONF_SMBIOS_SYSINFO;
    bool there = conf_domain_sysinfo(domain) != NULL;

    if (wanted && !there) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("Domain '%s' sysinfo are not available"), domain->name);
        return false;
    }
    if (there && !wanted)
        warn(check, g_strdup(_("<sysinfo> is not honoured: the guest reads it "
                               "only with <smbios mode='sysinfo'/> in <os>")));
    return true;
}

/* Marks @order as taken. Returns: false if it was; 0 is no order */
static bool
take_order(GHashTable *taken, unsigned order, GError **error)
{
    if (order == 0 || g_hash_table_add(taken, GUINT_TO_POINTER(order)))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("boot order '%u' used for more than one device"), order);
    return false;
}

static bool
check_boot_order(const ConfDomain *domain, GError **error)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < domain->disks->len; i++) {
        const ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        if (!take_order(taken, disk->boot_order, error))
            return false;
    }
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const ConfInterface *net = g_ptr_array_index(domain->interfaces, i);

        if (!take_order(taken, net->boot_order, error))
            return false;
    }
    if (g_hash_table_size(taken) == 0 || domain->os.boot->len == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("per-device boot elements cannot be used together with os/boot "
                "elements"));
    return false;
}

static bool
check_whole(const ConfDomain *domain, const Check *check, GError **error)
{
    if (strcmp(domain->type, "kvm") != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("domain type '%s' cannot be run: use type='kvm'"),
                  domain->type);
        return false;
    }
    if (!check_kernel(domain, error) || !check_boot_order(domain, error))
        return false;
    if (!check_microvm(domain, check, error) || !check_sources(domain, error))
        return false;
    if (!check_sysinfo(domain, check, error))
        return false;
    if (domain->vcpus.max > 1 && !conf_domain_feature(domain, "acpi", false))
        warn(check, g_strdup(_("without <acpi/> in <features> the guest finds "
                               "only one of its vCPUs")));
    return true;
}

bool
conf_check_rows(const ConfFrame *frame, GPtrArray *warnings, GError **error)
{
    Check check = { .warnings = warnings };

    return conf_table_visit(frame, check_row, &check, error);
}

bool
conf_domain_check_start(const ConfDomain *domain, GPtrArray *warnings,
                        GError **error)
{
    ConfFrame frame = conf_domain_frame(domain);
    Check check = { .warnings = warnings };

    return check_whole(domain, &check, error) && check_ports(domain, error) &&
           check_channels(domain, error) &&
           conf_check_rows(&frame, warnings, error);
}
