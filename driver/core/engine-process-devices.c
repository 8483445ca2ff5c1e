/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/domain-log.h"
#include "core/engine-devices.h"
#include "core/engine-process.h"
#include "core/throttle.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/** The commands of docs/engine-protocol.md about devices. What an engine
 * answers is as trustworthy as its guest: numbers, of which there are at most
 * so many. */

/* Disks or interfaces of one answer. */
#define DEVICES_MAX 1024

static bool
done(json_t *answer)
{
    json_decref(answer);
    return answer != NULL;
}

/* Takes over @arguments. */
static json_t *
ask(CoreEngine *engine, const char *name, json_t *arguments, GError **error)
{
    CoreCommand command = { .name = name, .arguments = arguments };
    json_t *answer = core_process_ask(engine, &command, error);

    json_decref(arguments);
    return answer;
}

static bool
tell(CoreEngine *engine, const char *name, json_t *arguments, GError **error)
{
    return done(ask(engine, name, arguments, error));
}

/* --- answers
 * ----------------------------------------------------------------------
 */

typedef struct Number {
    const char *name;
    size_t offset; /* of a uint64_t or int64_t */
} Number;

static void
read_numbers(const json_t *object, const Number *numbers, size_t count,
             void *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_int_t value =
            json_integer_value(json_object_get(object, numbers[i].name));

        *(uint64_t *)(void *)((char *)ret + numbers[i].offset) =
            (uint64_t)MAX(value, 0);
    }
}

#define BLOCK(name, member)                    \
    {                                          \
        name, offsetof(CoreBlockStats, member) \
    }
#define NET(name, member)                           \
    {                                               \
        name, offsetof(CoreNetStats, counts.member) \
    }

static const Number block_numbers[] = {
    BLOCK("size", size),
    BLOCK("physical", physical),
    BLOCK("allocation", allocation),
    BLOCK("highest_offset", highest_offset),
    BLOCK("rd_operations", rd.operations),
    BLOCK("rd_bytes", rd.bytes),
    BLOCK("rd_total_ns", rd.total_ns),
    BLOCK("wr_operations", wr.operations),
    BLOCK("wr_bytes", wr.bytes),
    BLOCK("wr_total_ns", wr.total_ns),
    BLOCK("flush_operations", flush.operations),
    BLOCK("flush_total_ns", flush.total_ns),
    BLOCK("errors", errors),
};

static const Number net_numbers[] = {
    NET("rx_bytes", rx_bytes), NET("rx_packets", rx_packets),
    NET("rx_errors", rx_errs), NET("rx_dropped", rx_drop),
    NET("tx_bytes", tx_bytes), NET("tx_packets", tx_packets),
    NET("tx_errors", tx_errs), NET("tx_dropped", tx_drop),
};

static int
disk_error(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "error"));

    if (!name || strcmp(name, "none") == 0)
        return VIR_DOMAIN_DISK_ERROR_NONE;
    return strcmp(name, "nospace") == 0 ? VIR_DOMAIN_DISK_ERROR_NO_SPACE
                                        : VIR_DOMAIN_DISK_ERROR_UNSPEC;
}

static char *
id_of(const json_t *object)
{
    return g_strdup(json_string_value(json_object_get(object, "id")));
}

static GArray *
process_block_stats(CoreEngine *engine, const ConfDomain *live, GError **error)
{
    json_t *answer = ask(engine, "query-block", NULL, error);
    GArray *all = answer ? core_block_stats_array() : NULL;

    for (size_t i = 0; i < json_array_size(answer) && i < DEVICES_MAX; i++) {
        const json_t *object = json_array_get(answer, i);
        CoreBlockStats stats = { .id = id_of(object),
                                 .error = disk_error(object) };

        read_numbers(object, block_numbers, G_N_ELEMENTS(block_numbers),
                     &stats);
        g_array_append_val(all, stats);
    }
    json_decref(answer);
    return all;
}

static GArray *
process_net_stats(CoreEngine *engine, const ConfDomain *live, GError **error)
{
    json_t *answer = ask(engine, "query-net", NULL, error);
    GArray *all = answer ? core_net_stats_array() : NULL;

    for (size_t i = 0; i < json_array_size(answer) && i < DEVICES_MAX; i++) {
        const json_t *object = json_array_get(answer, i);
        CoreNetStats stats = { .id = id_of(object) };

        read_numbers(object, net_numbers, G_N_ELEMENTS(net_numbers), &stats);
        g_array_append_val(all, stats);
    }
    json_decref(answer);
    return all;
}

/* --- disks
 * ------------------------------------------------------------------------
 */

static bool
process_block_resize(CoreEngine *engine, const char *id, uint64_t size,
                     GError **error)
{
    return tell(engine, "block_resize",
                json_pack("{s:s,s:I}", "id", id, "size", (json_int_t)size),
                error);
}

static bool
process_block_throttle(CoreEngine *engine, const char *id,
                       const ConfThrottle *throttle, GError **error)
{
    json_t *limits = json_object();

    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++) {
        uint64_t value = core_throttle_get(throttle, i);

        if (value > 0)
            json_object_set_new(limits, core_throttle_fields[i].name,
                                json_integer((json_int_t)value));
    }
    if (throttle->group_name)
        json_object_set_new(limits, "group", json_string(throttle->group_name));
    return tell(engine, "block_set_throttle",
                json_pack("{s:s,s:o}", "id", id, "throttle", limits), error);
}

/* --- interfaces
 * -------------------------------------------------------------------
 */

static bool
process_set_link(CoreEngine *engine, const char *id, bool up, GError **error)
{
    return tell(engine, "set_link",
                json_pack("{s:s,s:b}", "id", id, "up", (int)up), error);
}

static bool
process_net_connect(CoreEngine *base, const ConfInterface *before,
                    ConfInterface *after, GError **error)
{
    EngineResolveContext context =
        core_process_context(((ProcessEngine *)base)->state);

    return engine_resolve_connect(before, after, &context, error);
}

static json_t *
rate(const ConfRate *rate)
{
    return json_pack("{s:I,s:I,s:I}", "average", (json_int_t)rate->average_kib,
                     "peak", (json_int_t)rate->peak_kib, "burst",
                     (json_int_t)rate->burst_kib);
}

static bool
process_net_bandwidth(CoreEngine *engine, const char *id,
                      const ConfBandwidth *bandwidth, GError **error)
{
    json_t *rates = json_pack("{s:o,s:o}", "inbound", rate(&bandwidth->inbound),
                              "outbound", rate(&bandwidth->outbound));

    return tell(engine, "net_set_bandwidth",
                json_pack("{s:s,s:o}", "id", id, "bandwidth", rates), error);
}

/* --- memory
 * -----------------------------------------------------------------------
 */

static bool
process_balloon(CoreEngine *engine, uint64_t bytes, GError **error)
{
    return tell(engine, "balloon",
                json_pack("{s:I}", "value", (json_int_t)bytes), error);
}

static bool
process_balloon_actual(CoreEngine *engine, uint64_t *ret_bytes, GError **error)
{
    json_t *answer = ask(engine, "query-balloon", NULL, error);

    if (!answer)
        return false;
    *ret_bytes =
        (uint64_t)MAX(json_integer_value(json_object_get(answer, "actual")), 0);
    json_decref(answer);
    return true;
}

static bool
process_balloon_period(CoreEngine *engine, unsigned seconds, GError **error)
{
    return tell(engine, "balloon_stats_period",
                json_pack("{s:i}", "seconds", (int)seconds), error);
}

static const struct {
    const char *name;
    int tag;
} balloon_tags[] = {
    { "swap_in", VIR_DOMAIN_MEMORY_STAT_SWAP_IN },
    { "swap_out", VIR_DOMAIN_MEMORY_STAT_SWAP_OUT },
    { "major_fault", VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT },
    { "minor_fault", VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT },
    { "unused", VIR_DOMAIN_MEMORY_STAT_UNUSED },
    { "available", VIR_DOMAIN_MEMORY_STAT_AVAILABLE },
    { "usable", VIR_DOMAIN_MEMORY_STAT_USABLE },
    { "disk_caches", VIR_DOMAIN_MEMORY_STAT_DISK_CACHES },
    { "hugetlb_pgalloc", VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC },
    { "hugetlb_pgfail", VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL },
};

static bool
process_balloon_stats(CoreEngine *engine, CoreBalloonStats *ret_stats,
                      GError **error)
{
    json_t *answer = ask(engine, "query-balloon-stats", NULL, error);
    const json_t *stats = json_object_get(answer, "stats");

    if (!answer)
        return false;
    *ret_stats = (CoreBalloonStats){ 0 };
    ret_stats->last_update_s = (uint64_t)MAX(
        json_integer_value(json_object_get(answer, "last_update")), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(balloon_tags); i++) {
        const json_t *value = json_object_get(stats, balloon_tags[i].name);

        ret_stats->has[balloon_tags[i].tag] = json_is_integer(value);
        ret_stats->values[balloon_tags[i].tag] =
            (uint64_t)json_integer_value(value);
    }
    json_decref(answer);
    return true;
}

/* --- coming and going
 * ---------------------------------------------------------------
 */

/* The document is the arguments, and numbers its descriptors from 0, as the
 * engine wants them. */
static bool
send_device(CoreEngine *engine, const EngineResolved *resolved, GError **error)
{
    g_autofree char *text = engine_resolved_document(resolved, 0);
    CoreCommand command = { .name = "device_add",
                            .arguments = json_loads(text, 0, NULL) };
    bool added;

    command.fds = engine_resolved_fds(resolved, &command.n_fds);
    added = done(core_process_ask(engine, &command, error));
    json_decref(command.arguments);
    return added;
}

static void
log_warnings(const ProcessEngine *engine, const GPtrArray *warnings)
{
    g_auto(Fd) fd = warnings->len > 0 ? core_domain_log_open(engine->state,
                                                             engine->name, NULL)
                                      : -1;

    if (fd >= 0)
        core_domain_log_warnings(fd, warnings);
}

static bool
process_attach(CoreEngine *base, ConfDomain *live, ConfDevice *device,
               GPtrArray *warnings, GError **error)
{
    const ProcessEngine *engine = (ProcessEngine *)base;
    EngineResolveContext context = core_process_context(engine->state);
    g_autoptr(EngineResolved) resolved = NULL;

    context.warnings = warnings;
    resolved = engine_resolve_device(live, device, &context, error);
    if (!resolved || !send_device(base, resolved, error))
        return false;
    log_warnings(engine, warnings);
    return true;
}

static bool
process_detach(CoreEngine *engine, const char *id, GError **error)
{
    return tell(engine, "device_del", json_pack("{s:s}", "id", id), error);
}

/* A guest that has locked the tray is asked to open it, and takes its time. */
#define TRAY_TRIES    50
#define TRAY_PAUSE_US 100000

static bool
process_change_medium(CoreEngine *base, ConfDomain *live, ConfDisk *disk,
                      bool force, GError **error)
{
    EngineResolveContext context =
        core_process_context(((ProcessEngine *)base)->state);
    g_autoptr(EngineResolved) resolved =
        engine_resolve_medium(live, disk, &context, error);
    g_autofree char *text = NULL;
    CoreCommand command = { .name = "change_medium" };
    bool changed = false, asked = true;

    if (!resolved)
        return false;
    text = engine_resolved_document(resolved, 0);
    command.arguments = json_loads(text, 0, NULL);
    json_object_set_new(command.arguments, "id", json_string(disk->alias));
    json_object_set_new(command.arguments, "force", json_boolean(force));
    command.fds = engine_resolved_fds(resolved, &command.n_fds);
    for (unsigned i = 0; asked && i < TRAY_TRIES; i++) {
        json_t *answer = core_process_ask(base, &command, error);

        asked = json_is_true(json_object_get(answer, "asked"));
        changed = answer && !asked;
        json_decref(answer);
        if (asked)
            g_usleep(TRAY_PAUSE_US);
    }
    json_decref(command.arguments);
    if (asked)
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("timed out waiting to open tray of '%s'"), disk->target);
    return changed;
}

const CoreEngineDeviceOps core_engine_process_devices = {
    .attach = process_attach,
    .detach = process_detach,
    .block_stats = process_block_stats,
    .change_medium = process_change_medium,
    .block_resize = process_block_resize,
    .block_throttle = process_block_throttle,
    .net_stats = process_net_stats,
    .set_link = process_set_link,
    .net_connect = process_net_connect,
    .net_bandwidth = process_net_bandwidth,
    .balloon = process_balloon,
    .balloon_actual = process_balloon_actual,
    .balloon_period = process_balloon_period,
    .balloon_stats = process_balloon_stats,
};
