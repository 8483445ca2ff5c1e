/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/error.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

static const char *const offset_names[] = { NULL,       "utc",      "localtime",
                                            "timezone", "variable", "absolute",
                                            "" };

static const char *const basis_names[] = { NULL, "utc", "localtime", "" };

/* Far beyond what a clock shows, and no sum overflows. */
#define TIME_MAX_S (INT64_MAX / 4)

int64_t
conf_zone_offset(GTimeZone *zone)
{
    gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

    return g_time_zone_get_offset(
        zone, g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, now_s));
}

void
conf_clock_adjust(ConfClock *clock, int64_t adjustment_s)
{
    clock->offset = CONF_CLOCK_VARIABLE;
    clock->basis = CONF_CLOCK_BASIS_UTC;
    clock->adjustment_s = adjustment_s;
    g_free(clock->adjustment);
    clock->adjustment = g_strdup_printf("%" PRId64, adjustment_s);
}

void
conf_clock_settle(ConfClock *clock)
{
    g_autoptr(GTimeZone) zone = NULL;

    if (clock->offset != CONF_CLOCK_VARIABLE ||
        clock->basis != CONF_CLOCK_BASIS_LOCALTIME)
        return;
    zone = g_time_zone_new_local();
    conf_clock_adjust(clock, clock->adjustment_s + conf_zone_offset(zone));
}

/* A number is the same as offset='variable' (libvirt: "utc" and "localtime"
 * can be converted), "reset" asks that it is not. */
static bool
read_adjustment(ConfClock *clock, GError **error)
{
    bool fixed = clock->offset != CONF_CLOCK_VARIABLE;
    bool local = fixed ? clock->offset == CONF_CLOCK_LOCALTIME
                       : clock->basis == CONF_CLOCK_BASIS_LOCALTIME;
    const char *text = clock->adjustment ? clock->adjustment : "0";
    gint64 adjustment_s;

    if (fixed && strcmp(text, "reset") == 0)
        return true;
    if (!g_ascii_string_to_signed(text, 10, -TIME_MAX_S, TIME_MAX_S,
                                  &adjustment_s, NULL)) {
        error_set(error, VIR_ERR_XML_ERROR, _("unknown clock adjustment '%s'"),
                  text);
        return false;
    }
    conf_clock_adjust(clock, adjustment_s);
    if (local)
        clock->basis = CONF_CLOCK_BASIS_LOCALTIME;
    return true;
}

/* What 'start' and 'timezone' mean, and whether they are there. */
static bool
check_offset(ConfClock *clock, GError **error)
{
    switch (clock->offset) {
    case CONF_CLOCK_ABSENT:
    case CONF_CLOCK_UTC:
    case CONF_CLOCK_LOCALTIME:
        return !clock->adjustment || read_adjustment(clock, error);
    case CONF_CLOCK_VARIABLE:
        return read_adjustment(clock, error);
    case CONF_CLOCK_TIMEZONE:
        if (clock->timezone)
            return true;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing 'timezone' attribute for clock with "
                    "offset='timezone'"));
        return false;
    case CONF_CLOCK_ABSOLUTE:
        if (clock->start > 0 && clock->start <= (uint64_t)TIME_MAX_S)
            return true;
        error_set(error, VIR_ERR_XML_ERROR,
                  _("missing or too large 'start' attribute for clock with "
                    "offset='absolute'"));
        return false;
    }
    return true;
}

static bool
clock_check(void *base, const xmlNode *node, unsigned flags, GError **error)
{
    if (check_offset(base, error))
        return true;
    g_prefix_error(error, _("line %ld: "), xmlGetLineNo(node));
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

/* KVM's interval timer drops the ticks that the guest was too late for, or
 * gives them late; the clock's periodic interrupts are one then. That every
 * tool asks for catchup of those, which no guest with KVM's clock needs, goes
 * without saying. */
static ConfPolicy
judge_tickpolicy(const char *text, const void *base)
{
    const ConfTimer *timer = base;
    bool pit = timer->name == CONF_TIMER_PIT;

    switch (timer->tickpolicy) {
    case CONF_TICK_ABSENT:
        return CONF_HONOURED;
    case CONF_TICK_DELAY:
        return pit ? CONF_HONOURED : CONF_HARMLESS;
    case CONF_TICK_CATCHUP:
        return pit ? CONF_HONOURED : CONF_QUIET;
    case CONF_TICK_DISCARD:
        return pit || timer->name == CONF_TIMER_RTC ? CONF_HONOURED
                                                    : CONF_REFUSED;
    case CONF_TICK_MERGE:
        return timer->name == CONF_TIMER_RTC ? CONF_HONOURED : CONF_REFUSED;
    }
    return CONF_REFUSED;
}

/* The clock goes with the host's, also while the domain is stopped. */
static ConfPolicy
judge_track(const char *text, const void *base)
{
    const ConfTimer *timer = base;

    if (timer->name != CONF_TIMER_RTC)
        return CONF_QUIET;
    switch (timer->track) {
    case CONF_TRACK_ABSENT:
    case CONF_TRACK_WALL:
    case CONF_TRACK_REALTIME:
        return CONF_HONOURED;
    case CONF_TRACK_GUEST:
        return CONF_HARMLESS;
    case CONF_TRACK_BOOT:
        return CONF_REFUSED;
    }
    return CONF_REFUSED;
}

static const ConfField timer_fields[] = {
    CONF_ATTR("name", ConfTimer, name, enum, .names = timer_names,
              .flags = CONF_REQUIRED),
    CONF_ATTR("present", ConfTimer, present, yesno, .judge = judge_present,
              .advice = N_("the guest has no such timer")),
    CONF_ATTR("tickpolicy", ConfTimer, tickpolicy, enum,
              .names = tickpolicy_names, .judge = judge_tickpolicy,
              .advice = N_("the timer's late ticks are not treated like that")),
    CONF_ATTR("track", ConfTimer, track, enum, .names = track_names,
              .judge = judge_track,
              .advice = N_("the clock goes with the host's")),
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
    CONF_ATTR("basis", ConfClock, basis, enum, .names = basis_names),
    CONF_ATTR("timezone", ConfClock, timezone, token),
    CONF_ATTR("start", ConfClock, start, uint64),
    CONF_LIST("timer", ConfClock, timers, timer_element),
    CONF_END
};
const ConfElement conf_clock_element = { .name = "clock",
                                         .fields = clock_fields,
                                         .check = clock_check };
