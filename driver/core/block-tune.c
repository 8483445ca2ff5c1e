/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include "core/calls.h"
#include "core/change.h"
#include "core/engine-devices.h"
#include "core/events.h"
#include "core/params.h"
#include "core/throttle.h"
#include "core/view.h"
#include "util/error.h"
#include "util/i18n.h"

/** The limits of disks: domainSetBlockIoTune and domainGetBlockIoTune. */

#define AFFECT_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
/* libvirt's bound of any of them */
#define TUNE_MAX UINT64_C(1000000000000000)

#define KINDS (CORE_THROTTLE_FIELDS + 1)

static void
fill_kinds(CoreParamKind kinds[KINDS])
{
    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++)
        kinds[i] = (CoreParamKind){ core_throttle_fields[i].name,
                                    VIR_TYPED_PARAM_ULLONG };
    kinds[CORE_THROTTLE_FIELDS] =
        (CoreParamKind){ VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME,
                         VIR_TYPED_PARAM_STRING };
}

/* --- putting old and new together
 * ----------------------------------------------
 */

/* Fields that belong together, by index: giving one takes away the others. */
static const size_t groups[][3] = {
    { 0, 1, 2 },
    { 3, 4, 5 },
    { 6, 7, 8 },
    { 9, 10, 11 },
};

static bool
given(const VirtkvmParams *params, size_t field)
{
    return core_params_find(params, core_throttle_fields[field].name) != NULL;
}

static void
forget_groups(ConfThrottle *throttle, const VirtkvmParams *params)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        const size_t *group = groups[i];

        if (!given(params, group[0]) && !given(params, group[1]) &&
            !given(params, group[2]))
            continue;
        for (size_t j = 0; j < G_N_ELEMENTS(groups[i]); j++)
            *core_throttle_value(throttle, group[j]) = 0;
    }
}

/* The length of a burst that is none says nothing. */
static void
forget_lengths(ConfThrottle *throttle)
{
    for (size_t i = CORE_THROTTLE_RATES; i < CORE_THROTTLE_BURSTS; i++)
        if (core_throttle_get(throttle, i) == 0)
            *core_throttle_value(throttle, i + CORE_THROTTLE_FIELDS -
                                               CORE_THROTTLE_BURSTS) = 0;
}

static void
merge(ConfThrottle *throttle, const VirtkvmParams *params)
{
    const virTypedParameter *group =
        core_params_find(params, VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME);

    forget_groups(throttle, params);
    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++) {
        const virTypedParameter *param =
            core_params_find(params, core_throttle_fields[i].name);

        if (param)
            *core_throttle_value(throttle, i) = param->value.ul;
    }
    forget_lengths(throttle);
    if (!group)
        return;
    g_free(throttle->group_name);
    throttle->group_name = *group->value.s ? g_strdup(group->value.s) : NULL;
}

/* --- what cannot be
 * --------------------------------------------------------------
 */

static bool
check_group(const ConfThrottle *throttle, size_t total, GError **error)
{
    static const char *const texts[] = {
        N_("total and read/write of bytes_sec cannot be set at the same time"),
        N_("total and read/write of iops_sec cannot be set at the same time"),
        N_("total and read/write of bytes_sec_max cannot be set at the same "
           "time"),
        N_("total and read/write of iops_sec_max cannot be set at the same "
           "time"),
    };
    const size_t *group = groups[total];

    if (core_throttle_get(throttle, group[0]) == 0 ||
        (core_throttle_get(throttle, group[1]) == 0 &&
         core_throttle_get(throttle, group[2]) == 0))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG, "%s", _(texts[total]));
    return false;
}

static bool
check_burst(const ConfThrottle *throttle, size_t rate, GError **error)
{
    size_t burst = rate + CORE_THROTTLE_RATES;
    uint64_t most = core_throttle_get(throttle, burst);
    uint64_t usual = core_throttle_get(throttle, rate);
    const char *burst_name = core_throttle_fields[burst].name;
    const char *rate_name = core_throttle_fields[rate].name;

    if (most == 0 || (usual > 0 && most >= usual))
        return true;
    if (usual == 0)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("value '%s' cannot be set if '%s' is not set"), burst_name,
                  rate_name);
    else
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("value '%s' cannot be smaller than '%s'"), burst_name,
                  rate_name);
    return false;
}

static bool
check(const ConfThrottle *throttle, GError **error)
{
    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++) {
        if (core_throttle_get(throttle, i) <= TUNE_MAX)
            continue;
        error_set(error, VIR_ERR_OVERFLOW,
                  _("block I/O throttle limit value must be no more than %llu"),
                  (unsigned long long)TUNE_MAX);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (!check_group(throttle, i, error))
            return false;
    for (size_t i = 0; i < CORE_THROTTLE_RATES; i++)
        if (!check_burst(throttle, i, error))
            return false;
    return true;
}

/* --- setting
 * ------------------------------------------------------------------------
 */

typedef struct Tune {
    const char *disk;
    const VirtkvmParams *params;
    /* filled in by applying it to the running definition */
    GPtrArray *ids; /* char *: all that share the limits */
    char *target;
    ConfThrottle throttle;
} Tune;

static void
take_throttle(ConfThrottle *to, const ConfThrottle *from)
{
    char *group = g_strdup(from->group_name);

    g_free(to->group_name);
    *to = *from;
    to->group_name = group;
}

/* The disks of a group have one bucket, so they say the same. */
static void
spread(ConfDomain *conf, ConfDisk *disk, Tune *tune)
{
    g_ptr_array_set_size(tune->ids, 0);
    for (guint i = 0; i < conf->disks->len; i++) {
        ConfDisk *other = conf->disks->pdata[i];
        bool same = other == disk || (disk->iotune.group_name &&
                                      g_strcmp0(disk->iotune.group_name,
                                                other->iotune.group_name) == 0);

        if (!same)
            continue;
        if (other != disk)
            take_throttle(&other->iotune, &disk->iotune);
        g_ptr_array_add(tune->ids, g_strdup(other->alias));
    }
}

static bool
apply(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    Tune *tune = data;
    ConfDisk *disk = conf_domain_disk(conf, tune->disk);

    if (!disk) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  live ? _("disk '%s' not found in domain")
                       : _("missing persistent configuration for disk '%s'"),
                  tune->disk);
        return false;
    }
    merge(&disk->iotune, tune->params);
    if (!check(&disk->iotune, error) || !conf_domain_check_return(conf, error))
        return false;
    spread(conf, disk, tune);
    if (!live)
        return true;
    g_free(tune->target);
    tune->target = g_strdup(disk->target);
    take_throttle(&tune->throttle, &disk->iotune);
    return true;
}

static bool
ask(CoreEngine *engine, gpointer data, GError **error)
{
    const Tune *tune = data;

    for (guint i = 0; i < tune->ids->len; i++)
        if (!engine->ops->devices->block_throttle(engine, tune->ids->pdata[i],
                                                  &tune->throttle, error))
            return false;
    return true;
}

/* Says what was set, not what the limits are now. */
static void
tell(CoreDomain *domain, const Tune *tune)
{
    CoreParams params = core_params_new();
    VirtkvmParams list;

    core_params_string(&params, VIR_DOMAIN_TUNABLE_BLKDEV_DISK, tune->target);
    for (size_t i = 0; i < tune->params->count; i++) {
        const virTypedParameter *param = &tune->params->items[i];
        char name[VIR_TYPED_PARAM_FIELD_LENGTH];

        g_snprintf(name, sizeof(name), "blkdeviotune.%s", param->field);
        if (param->type == VIR_TYPED_PARAM_STRING)
            core_params_string(&params, name, param->value.s);
        else
            core_params_ullong(&params, name, param->value.ul);
    }
    list = core_params_end(&params);
    core_event_tunable(domain, &list);
    core_params_clear(&list);
}

static bool
set_act(CoreCall *call, GError **error)
{
    Tune *tune = call->data;
    CoreChange change = { apply, ask, tune };
    bool done;

    tune->ids = g_ptr_array_new_with_free_func(g_free);
    done = core_change(call, &change, error);
    if (done && tune->target)
        tell(call->domain, tune);
    g_ptr_array_unref(tune->ids);
    g_free(tune->target);
    g_free(tune->throttle.group_name);
    return done;
}

static const CoreOperation set_operation = {
    .name = "domainSetBlockIoTune",
    .needs = CORE_JOB | CORE_SAVE_STATUS,
    .flags = AFFECT_FLAGS,
    .act = set_act,
};

bool
core_call_set_block_tune(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, const char *disk,
                         const VirtkvmParams *params, unsigned flags,
                         GError **error)
{
    CoreParamKind kinds[KINDS];
    Tune tune = { .disk = disk, .params = params };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &tune
    };

    fill_kinds(kinds);
    return core_params_check(params, kinds, KINDS, error) &&
           core_api_call(&set_operation, &call, dom, error);
}

/* --- getting
 * ------------------------------------------------------------------------
 */

static const CoreOperation get_operation = {
    .name = "domainGetBlockIoTune",
    .flags = AFFECT_FLAGS | VIR_TYPED_PARAM_STRING_OKAY,
};

static VirtkvmParams
params_of(const ConfThrottle *throttle)
{
    CoreParams params = core_params_new();

    for (size_t i = 0; i < CORE_THROTTLE_FIELDS; i++) {
        core_params_ullong(&params, core_throttle_fields[i].name,
                           core_throttle_get(throttle, i));
        if (i == CORE_THROTTLE_SIZE)
            core_params_string(&params, VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME,
                               throttle->group_name ? throttle->group_name
                                                    : "");
    }
    return core_params_end(&params);
}

bool
core_call_block_tune(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, const char *disk,
                     unsigned flags, VirtkvmParams *ret_params, GError **error)
{
    static const ConfThrottle none = { 0 };
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };
    const ConfDisk *found = NULL;

    if (!core_view(&get_operation, &call, dom, &view, error))
        return false;
    if (disk)
        found = conf_domain_disk(view.conf, disk);
    if (disk && !found) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("disk '%s' was not found in the domain config"), disk);
        return false;
    }
    *ret_params = params_of(found ? &found->iotune : &none);
    return true;
}
