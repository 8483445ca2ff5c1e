/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>
#include <time.h>

#include "util/error.h"
#include "util/i18n.h"

#define MEMORY_UNIT 4096 /* bytes */

static void
set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void
set_string(json_t *object, const char *key, const char *value)
{
    if (value)
        set(object, key, json_string(value));
}

static const char *
machine_of(const char *machine)
{
    if (strcmp(machine, "microvm") == 0)
        return "microvm";
    if (strcmp(machine, "q35") == 0 || g_str_has_prefix(machine, "pc-q35"))
        return "q35";
    return "pc";
}

unsigned
engine_document_vcpus(const ConfVcpus *vcpus)
{
    unsigned enabled = 0;

    if (vcpus->current)
        return vcpus->current;
    if (vcpus->each->len != vcpus->max)
        return vcpus->max;
    for (guint i = 0; i < vcpus->each->len; i++) {
        const ConfVcpu *vcpu = g_ptr_array_index(vcpus->each, i);

        enabled += vcpu->enabled != CONF_ONOFF_OFF;
    }
    return enabled;
}

static void
fill_topology(json_t *root, const ConfCpu *cpu)
{
    json_t *topology;

    if (!cpu->sockets)
        return;
    topology = json_object();
    set(topology, "sockets", json_integer(cpu->sockets));
    set(topology, "dies", json_integer(cpu->dies));
    set(topology, "cores", json_integer(cpu->cores));
    set(topology, "threads", json_integer(cpu->threads));
    set(root, "topology", topology);
}

static const char *
cpu_mode_of(const ConfCpu *cpu)
{
    switch (cpu->mode) {
    case CONF_CPU_CUSTOM:
        return cpu->model ? "custom" : "host-passthrough";
    case CONF_CPU_HOST_MODEL:
        return "host-model";
    case CONF_CPU_ABSENT:
    case CONF_CPU_HOST_PASSTHROUGH:
    case CONF_CPU_MAXIMUM:
        break;
    }
    return "host-passthrough";
}

static void
fill_cpu(json_t *root, const ConfCpu *conf)
{
    static const char *const policies[] = {
        [CONF_CPU_POLICY_FORCE] = "force",
        [CONF_CPU_POLICY_REQUIRE] = "require",
        [CONF_CPU_POLICY_OPTIONAL] = "optional",
        [CONF_CPU_POLICY_DISABLE] = "disable",
        [CONF_CPU_POLICY_FORBID] = "forbid",
    };
    json_t *cpu = json_object();
    json_t *features = json_array();

    set_string(cpu, "mode", cpu_mode_of(conf));
    if (conf->mode == CONF_CPU_CUSTOM) {
        set_string(cpu, "model", conf->model);
        set_string(cpu, "vendor", conf->vendor);
        set(cpu, "unchecked",
            json_boolean(g_strcmp0(conf->check, "none") == 0));
    }
    for (guint i = 0; i < conf->features->len; i++) {
        const ConfCpuFeature *feature = g_ptr_array_index(conf->features, i);

        json_array_append_new(features,
                              json_pack("{s:s,s:s}", "name", feature->name,
                                        "policy", policies[feature->policy]));
    }
    set(cpu, "features", features);
    set(root, "cpu", cpu);
}

static void
fill_features(json_t *root, const ConfDomain *domain)
{
    set(root, "features",
        json_pack("{s:b,s:b,s:b,s:b}", "acpi",
                  conf_domain_feature(domain, "acpi", false), "apic",
                  conf_domain_feature(domain, "apic", true), "pae",
                  conf_domain_feature(domain, "pae", true), "kvm-hidden",
                  conf_domain_feature(domain, "kvm-hidden", false)));
}

/* Seconds that the time zone @name (NULL: the host's) is ahead of UTC now. */
static bool
zone_offset(const char *name, gint64 *ret_s, GError **error)
{
    g_autoptr(GTimeZone) zone =
        name ? g_time_zone_new_identifier(name) : g_time_zone_new_local();

    if (!zone) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the time zone '%s' of <clock> is not known"), name);
        return false;
    }
    *ret_s = conf_zone_offset(zone);
    return true;
}

static bool
clock_offset(const ConfClock *clock, gint64 *ret_s, GError **error)
{
    *ret_s = 0;
    switch (clock->offset) {
    case CONF_CLOCK_LOCALTIME:
        return zone_offset(NULL, ret_s, error);
    case CONF_CLOCK_TIMEZONE:
        return zone_offset(clock->timezone, ret_s, error);
    case CONF_CLOCK_VARIABLE:
        *ret_s = clock->adjustment_s; /* settled: from UTC */
        return true;
    case CONF_CLOCK_ABSOLUTE:
        *ret_s = (gint64)clock->start - g_get_real_time() / G_USEC_PER_SEC;
        return true;
    case CONF_CLOCK_ABSENT:
    case CONF_CLOCK_UTC:
        break;
    }
    return true;
}

/* A chip is there unless its timer says present='no'. */
static const char *
switch_of(ConfTimerName name)
{
    switch (name) {
    case CONF_TIMER_PIT:
        return "pit";
    case CONF_TIMER_RTC:
        return "rtc";
    case CONF_TIMER_KVMCLOCK:
        return "kvmclock";
    case CONF_TIMER_PLATFORM:
    case CONF_TIMER_HPET:
    case CONF_TIMER_TSC:
    case CONF_TIMER_HYPERVCLOCK:
    case CONF_TIMER_ARMVTIMER:
        break;
    }
    return NULL;
}

static bool
gives_late_ticks(const ConfTimer *timer)
{
    return timer->tickpolicy == CONF_TICK_DELAY ||
           timer->tickpolicy == CONF_TICK_CATCHUP;
}

static bool
fill_clock(json_t *root, const ConfClock *conf, GError **error)
{
    json_t *clock = json_object();
    gint64 offset_s;

    set(root, "clock", clock);
    if (!clock_offset(conf, &offset_s, error))
        return false;
    set(clock, "offset_s", json_integer(offset_s));
    for (guint i = 0; i < conf->timers->len; i++) {
        const ConfTimer *timer = g_ptr_array_index(conf->timers, i);

        if (switch_of(timer->name))
            set(clock, switch_of(timer->name),
                json_boolean(timer->present != CONF_ONOFF_OFF));
        if (timer->name == CONF_TIMER_TSC && timer->frequency_hz)
            set(clock, "tsc_hz", json_integer((json_int_t)timer->frequency_hz));
        if (timer->name == CONF_TIMER_PIT)
            set(clock, "pit_late_ticks", json_boolean(gives_late_ticks(timer)));
    }
    return true;
}

static const char *
action_of(ConfAction action)
{
    switch (action) {
    case CONF_ACTION_RESTART:
    case CONF_ACTION_RENAME_RESTART:
    case CONF_ACTION_COREDUMP_RESTART:
        return "restart";
    case CONF_ACTION_PRESERVE:
        return "preserve";
    case CONF_ACTION_ABSENT:
    case CONF_ACTION_DESTROY:
    case CONF_ACTION_COREDUMP_DESTROY:
        break;
    }
    return "destroy";
}

static bool
has_pvpanic(const ConfDomain *domain)
{
    for (guint i = 0; i < domain->panics->len; i++)
        if (conf_panic_is_isa(g_ptr_array_index(domain->panics, i)))
            return true;
    return false;
}

bool
engine_document_fill(json_t *root, const ConfDomain *domain, GError **error)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    uint64_t bytes = domain->memory.memory_kib * 1024;

    conf_uuid_format(domain->uuid, uuid);
    set_string(root, "name", domain->name);
    set_string(root, "uuid", uuid);
    set_string(root, "machine", machine_of(domain->os.machine));
    set(root, "memory",
        json_integer((json_int_t)((bytes + MEMORY_UNIT - 1) & -MEMORY_UNIT)));
    set(root, "vcpus", json_integer(engine_document_vcpus(&domain->vcpus)));
    if (domain->iothreads > 0)
        set(root, "iothreads", json_integer(domain->iothreads));
    set_string(root, "cmdline", domain->os.cmdline);
    set_string(root, "on_poweroff", action_of(domain->on_poweroff));
    set_string(root, "on_reboot", action_of(domain->on_reboot));
    set_string(root, "on_crash", action_of(domain->on_crash));
    set(root, "debug_exit",
        json_boolean(domain->virtkvm.debug_exit == CONF_ONOFF_ON));
    set(root, "pvpanic", json_boolean(has_pvpanic(domain)));
    fill_topology(root, &domain->cpu);
    fill_cpu(root, &domain->cpu);
    fill_features(root, domain);
    return fill_clock(root, &domain->clock, error);
}
