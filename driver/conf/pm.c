/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/i18n.h"

#define SLEEP_ADVICE N_("the guest is offered no sleep states")

/* Neither state is offered, which is what "no" asks for. */
static ConfPolicy
judge_mem(const char *text, const void *base)
{
    const ConfPm *pm = base;

    return pm->suspend_to_mem == CONF_ONOFF_ON ? CONF_HARMLESS : CONF_HONOURED;
}

static ConfPolicy
judge_disk(const char *text, const void *base)
{
    const ConfPm *pm = base;

    return pm->suspend_to_disk == CONF_ONOFF_ON ? CONF_HARMLESS : CONF_HONOURED;
}

static const ConfField mem_fields[] = {
    CONF_ATTR("enabled", ConfPm, suspend_to_mem, yesno, .judge = judge_mem,
              .advice = SLEEP_ADVICE),
    CONF_END
};
static const ConfElement mem_element = { .name = "suspend-to-mem",
                                         .fields = mem_fields };

static const ConfField disk_fields[] = {
    CONF_ATTR("enabled", ConfPm, suspend_to_disk, yesno, .judge = judge_disk,
              .advice = SLEEP_ADVICE),
    CONF_END
};
static const ConfElement disk_element = { .name = "suspend-to-disk",
                                          .fields = disk_fields };

static const ConfField pm_fields[] = {
    CONF_GROUP("suspend-to-mem", mem_element),
    CONF_GROUP("suspend-to-disk", disk_element), CONF_END
};
const ConfElement conf_pm_element = { .name = "pm", .fields = pm_fields };
