/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <errno.h>
#include <string.h>

static const char *const offset_names[] = { NULL,       "utc",      "localtime",
                                            "timezone", "variable", "absolute",
                                            "" };

static bool
clock_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    ConfClock *clock = base;
    char *end = NULL;

    if (clock->offset == CONF_CLOCK_TIMEZONE && !clock->timezone) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing 'timezone' attribute for clock with "
                    "offset='timezone' (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (clock->offset == CONF_CLOCK_ABSOLUTE && !clock->start) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing 'start' attribute for clock with "
                    "offset='absolute' (line %ld)"),
                  xmlGetLineNo(node));
        return false;
    }
    if (!clock->adjustment || strcmp(clock->adjustment, "reset") == 0)
        return true;
    errno = 0;
    clock->adjustment_s = g_ascii_strtoll(clock->adjustment, &end, 10);
    if (errno == 0 && end != clock->adjustment && !*end)
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("invalid clock adjustment '%s' (line %ld)"), clock->adjustment,
              xmlGetLineNo(node));
    return false;
}

static const char *const timer_names[] = {
    "platform", "pit",         "rtc",       "hpet", "tsc",
    "kvmclock", "hypervclock", "armvtimer", ""
};
static const char *const tickpolicy_names[] = { NULL,    "delay",   "catchup",
                                                "merge", "discard", "" };
static const char *const track_names[] = { NULL,   "boot",     "guest",
                                           "wall", "realtime", "" };
static const char *const mode_names[] = { NULL,      "auto",     "native",
                                          "emulate", "paravirt", "smpsafe",
                                          "" };

/* Timers that the engine has not: asking for none of them is what it does. */
static ConfPolicy
judge_present(const char *text, const void *base)
{
    const ConfTimer *timer = base;

    if (timer->present != CONF_ONOFF_ON)
        return CONF_HONOURED;
    switch (timer->name) {
    case CONF_TIMER_HPET:
    case CONF_TIMER_HYPERVCLOCK:
    case CONF_TIMER_PLATFORM:
    case CONF_TIMER_ARMVTIMER:
        return CONF_HARMLESS;
    case CONF_TIMER_PIT:
    case CONF_TIMER_RTC:
    case CONF_TIMER_TSC:
    case CONF_TIMER_KVMCLOCK:
        return CONF_HONOURED;
    }
    return CONF_HARMLESS;
}

/* Missed ticks: the chips in the kernel do as they do, and every tool writes
 * libvirt's customary policies. */
static const ConfField timer_fields[] = {
    CONF_ATTR("name", ConfTimer, name, enum, .names = timer_names,
              .flags = CONF_REQUIRED),
    CONF_ATTR("present", ConfTimer, present, yesno, .judge = judge_present,
              .advice = N_("the guest has no such timer")),
    CONF_ATTR("tickpolicy", ConfTimer, tickpolicy, enum,
              .names = tickpolicy_names, .policy = CONF_QUIET),
    CONF_ATTR("track", ConfTimer, track, enum, .names = track_names,
              .policy = CONF_QUIET),
    CONF_ATTR("frequency", ConfTimer, frequency_hz, uint64),
    CONF_ATTR("mode", ConfTimer, mode, enum, .names = mode_names,
              .policy = CONF_HARMLESS,
              .advice = N_("the timer works as KVM lets it")),
    CONF_CARRY("catchup", .policy = CONF_QUIET),
    CONF_END
};
static const ConfElement timer_element = { .name = "timer",
                                           .fields = timer_fields,
                                           .size = sizeof(ConfTimer),
                                           .carried =
                                               offsetof(ConfTimer, carried) };

static const ConfField clock_fields[] = {
    CONF_ATTR("offset", ConfClock, offset, enum, .names = offset_names),
    CONF_ATTR("adjustment", ConfClock, adjustment, token),
    CONF_ATTR("basis", ConfClock, basis, token),
    CONF_ATTR("timezone", ConfClock, timezone, token),
    CONF_ATTR("start", ConfClock, start, uint64),
    CONF_LIST("timer", ConfClock, timers, timer_element),
    CONF_END
};
const ConfElement conf_clock_element = { .name = "clock",
                                         .fields = clock_fields,
                                         .check = clock_check };
