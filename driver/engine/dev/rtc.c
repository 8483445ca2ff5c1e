/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/dev/dev.h"
#include "engine/dev/rtc-time.h"
#include "engine/engine.h"
#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/*
 * The MC146818 clock with its CMOS memory (Motorola data sheet). The time is
 * the host's plus an offset, looked up when the guest asks. What happened since
 * it last asked is worked out then as well, so that a timer runs only while an
 * interrupt is enabled and not yet delivered.
 */
#define RTC_PORT  0x70 /* index, data */
#define RTC_IRQ   8
#define CMOS_SIZE 128
#define SECOND_US INT64_C(1000000)
#define UPDATE_US 244 /* A's UIP is set so long before a second ends */
#define NEVER     INT64_MAX
/* Seconds: from the year 0 to 9999, which is what the registers can show. */
#define OFFSET_MAX INT64_C(253402300800)

#define A_UIP     0x80
#define A_DIVIDER 0x70
#define A_RUNNING 0x20
#define A_RATE    0x0f
#define A_DEFAULT 0x26

#define B_SET    0x80
#define B_EVENTS 0x70 /* the same bits as in C */
#define B_SQWE   0x08

#define C_IRQ      0x80
#define C_PERIODIC 0x40
#define C_ALARM    0x20
#define C_UPDATE   0x10

#define D_VALID 0x80

typedef struct Rtc {
    EngineDevice device;
    GMutex lock;
    bool present;
    uint8_t index;
    uint8_t cmos[CMOS_SIZE];
    int64_t offset_s;   /* guest time minus the host's CLOCK_REALTIME */
    int64_t checked_us; /* guest time up to which C is complete */
    int64_t armed_us;   /* what the timer is set to; 0: nothing */
    int64_t reported_s; /* offset that the host was told of */
    Fd timer_fd;
    GSource *source;
} Rtc;

typedef struct RtcSource {
    GSource source;
    Rtc *rtc;
} RtcSource;

static Rtc *
rtc_of(EngineDevice *device)
{
    return (Rtc *)device;
}

/* --- time ----------------------------------------------------------------- */
static int64_t
rtc_now(const Rtc *rtc)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec + rtc->offset_s) * SECOND_US + now.tv_nsec / 1000;
}

/* Towards minus infinity, as seconds before 1970 count too. */
static int64_t
floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool
rtc_runs(const Rtc *rtc)
{
    return (rtc->cmos[RTC_A] & A_DIVIDER) == A_RUNNING &&
           !(rtc->cmos[RTC_B] & B_SET);
}

/* --- events --------------------------------------------------------------- */
/* When the next event of each kind after @after_us comes */
static int64_t
next_update(const Rtc *rtc, int64_t after_us)
{
    return rtc_runs(rtc) ? (floor_div(after_us, SECOND_US) + 1) * SECOND_US
                         : NEVER;
}

/* Every rate divides a second evenly. */
static int64_t
next_periodic(const Rtc *rtc, int64_t after_us)
{
    unsigned rate = rtc->cmos[RTC_A] & A_RATE;
    int64_t second_us = floor_div(after_us, SECOND_US) * SECOND_US;
    int64_t hz, tick;

    if (rate == 0 || (rtc->cmos[RTC_A] & A_DIVIDER) != A_RUNNING)
        return NEVER;
    if (rate < 3) /* with the usual time base these two are 256 and 128 Hz */
        rate += 7;
    hz = 32768 >> (rate - 1);
    tick = (after_us - second_us) * hz / SECOND_US + 1;
    return second_us + (tick * SECOND_US + hz - 1) / hz;
}

static int64_t
next_alarm(const Rtc *rtc, int64_t after_us)
{
    int64_t second;

    if (!rtc_runs(rtc))
        return NEVER;
    second = engine_rtc_next_alarm(rtc->cmos, floor_div(after_us, SECOND_US));
    return second == NEVER ? NEVER : second * SECOND_US;
}

static const struct {
    uint8_t flag;
    int64_t (*next)(const Rtc *rtc, int64_t after_us);
} rtc_events[] = {
    { C_PERIODIC, next_periodic },
    { C_ALARM, next_alarm },
    { C_UPDATE, next_update },
};

/* Brings C up to date. */
static void
rtc_check_events(Rtc *rtc)
{
    int64_t now = rtc_now(rtc);

    for (size_t i = 0; i < G_N_ELEMENTS(rtc_events); i++) {
        uint8_t flag = rtc_events[i].flag;

        if (!(rtc->cmos[RTC_C] & flag) &&
            rtc_events[i].next(rtc, rtc->checked_us) <= now)
            rtc->cmos[RTC_C] |= flag;
    }
    rtc->checked_us = now;
}

/* The first enabled event still to come, in the host's time; 0: none. */
static int64_t
rtc_wake_us(const Rtc *rtc)
{
    int64_t first = NEVER;

    for (size_t i = 0; i < G_N_ELEMENTS(rtc_events); i++)
        if (rtc->cmos[RTC_B] & rtc_events[i].flag)
            first = MIN(first, rtc_events[i].next(rtc, rtc->checked_us));
    return first == NEVER ? 0 : MAX(first - rtc->offset_s * SECOND_US, 1);
}

/* Sets the interrupt line by C and B, and the timer for what is to come. While
 * the line is up nothing more can happen to it. */
static void
rtc_update(Rtc *rtc)
{
    bool level = rtc->cmos[RTC_C] & rtc->cmos[RTC_B] & B_EVENTS;
    int64_t wake_us = level ? 0 : rtc_wake_us(rtc);

    if (level != !!(rtc->cmos[RTC_C] & C_IRQ)) {
        rtc->cmos[RTC_C] ^= C_IRQ;
        engine_irq_set(rtc->device.engine, RTC_IRQ, level);
    }
    if (wake_us != rtc->armed_us) {
        struct itimerspec when = { .it_value = { wake_us / SECOND_US,
                                                 wake_us % SECOND_US * 1000 } };

        rtc->armed_us = wake_us;
        (void)timerfd_settime(rtc->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    }
}

static gboolean
rtc_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    Rtc *rtc = ((RtcSource *)source)->rtc;
    int64_t offset_s;
    uint64_t expirations;
    bool changed;

    g_source_set_ready_time(source, -1);
    g_mutex_lock(&rtc->lock);
    if (read(rtc->timer_fd, &expirations, sizeof(expirations)) > 0) {
        rtc->armed_us = 0;
        rtc_check_events(rtc);
        rtc_update(rtc);
    }
    offset_s = rtc->offset_s;
    changed = offset_s != rtc->reported_s;
    rtc->reported_s = offset_s;
    g_mutex_unlock(&rtc->lock);
    if (changed)
        engine_event(rtc->device.engine, "RTC_CHANGE",
                     json_pack("{s:I}", "offset", (json_int_t)offset_s));
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs rtc_source_funcs = { .dispatch = rtc_dispatch };

/* --- registers ------------------------------------------------------------ */
static bool
is_time(unsigned index)
{
    return index == RTC_CENTURY ||
           (index <= RTC_YEAR && index != RTC_SECONDS_ALARM &&
            index != RTC_MINUTES_ALARM && index != RTC_HOURS_ALARM);
}

/* The time registers follow the clock unless the guest is setting them. */
static void
rtc_show_time(Rtc *rtc)
{
    if (!(rtc->cmos[RTC_B] & B_SET))
        engine_rtc_encode(rtc->cmos, floor_div(rtc_now(rtc), SECOND_US));
}

/* The clock follows the time registers; fractions of a second go on. */
static void
rtc_take_time(Rtc *rtc)
{
    int64_t shown_s = floor_div(rtc_now(rtc), SECOND_US);
    int64_t moved_s = engine_rtc_decode(rtc->cmos) - shown_s;

    rtc->offset_s += moved_s;
    rtc->checked_us = rtc_now(rtc);
    if (moved_s != 0)
        g_source_set_ready_time(rtc->source, 0);
}

static uint8_t
rtc_read_a(const Rtc *rtc)
{
    int64_t now = rtc_now(rtc);
    int64_t left = (floor_div(now, SECOND_US) + 1) * SECOND_US - now;

    return rtc->cmos[RTC_A] | (rtc_runs(rtc) && left <= UPDATE_US ? A_UIP : 0);
}

static uint8_t
rtc_read_c(Rtc *rtc)
{
    uint8_t value;

    rtc_check_events(rtc);
    rtc_update(rtc);
    value = rtc->cmos[RTC_C];
    rtc->cmos[RTC_C] &= C_IRQ;
    rtc_update(rtc);
    return value;
}

static uint8_t
rtc_read_register(Rtc *rtc)
{
    if (rtc->index == RTC_A)
        return rtc_read_a(rtc);
    if (rtc->index == RTC_C)
        return rtc_read_c(rtc);
    if (is_time(rtc->index))
        rtc_show_time(rtc);
    return rtc->cmos[rtc->index];
}

static void
rtc_write_b(Rtc *rtc, uint8_t value)
{
    bool was_set = rtc->cmos[RTC_B] & B_SET;

    rtc_show_time(rtc);
    rtc->cmos[RTC_B] = value;
    if (was_set && !(value & B_SET))
        rtc_take_time(rtc);
}

static void
rtc_write_time(Rtc *rtc, uint8_t value)
{
    rtc_show_time(rtc);
    rtc->cmos[rtc->index] = value;
    if (!(rtc->cmos[RTC_B] & B_SET))
        rtc_take_time(rtc);
}

static void
rtc_write_register(Rtc *rtc, uint8_t value)
{
    rtc_check_events(rtc);
    if (rtc->index == RTC_A)
        rtc->cmos[RTC_A] = value & (uint8_t)~A_UIP;
    else if (rtc->index == RTC_B)
        rtc_write_b(rtc, value);
    else if (is_time(rtc->index))
        rtc_write_time(rtc, value);
    else if (rtc->index != RTC_C && rtc->index != RTC_D)
        rtc->cmos[rtc->index] = value;
    if (rtc->index < RTC_C || rtc->index == RTC_CENTURY)
        rtc_update(rtc);
}

static uint64_t
rtc_read(EngineDevice *device, unsigned region, uint64_t offset, unsigned size)
{
    Rtc *rtc = rtc_of(device);
    uint64_t value = 0xff; /* of the index */

    g_mutex_lock(&rtc->lock);
    if (offset == 1)
        value = rtc_read_register(rtc);
    else if (size > 1)
        value |= (uint64_t)rtc_read_register(rtc) << 8;
    g_mutex_unlock(&rtc->lock);
    return value;
}

static void
rtc_write(EngineDevice *device, unsigned region, uint64_t offset, unsigned size,
          uint64_t value)
{
    Rtc *rtc = rtc_of(device);

    g_mutex_lock(&rtc->lock);
    if (offset == 0)
        rtc->index = value & (CMOS_SIZE - 1); /* the highest bit masks NMI */
    if (offset == 1)
        rtc_write_register(rtc, (uint8_t)value);
    else if (size > 1)
        rtc_write_register(rtc, (uint8_t)(value >> 8));
    g_mutex_unlock(&rtc->lock);
}

/* --- the device ----------------------------------------------------------- */
static void
put_number(uint8_t *cmos, unsigned at, unsigned bytes, uint64_t value)
{
    uint64_t max = (UINT64_C(1) << (8 * bytes)) - 1;

    value = MIN(value, max);
    for (unsigned i = 0; i < bytes; i++)
        cmos[at + i] = (uint8_t)(value >> (8 * i));
}

/* What firmware looks up: memory sizes, processors, equipment. */
static void
rtc_fill_cmos(uint8_t *cmos, const EngineConfig *config)
{
    const uint64_t mib = 1 << 20;
    uint64_t low = engine_low_memory(config);
    uint64_t high = config->memory - low;
    unsigned sum = 0;

    cmos[0x14] = 0x02; /* an FPU */
    put_number(cmos, 0x15, 2, 640);
    put_number(cmos, 0x17, 2, low > mib ? (low - mib) / 1024 : 0);
    put_number(cmos, 0x30, 2, low > mib ? (low - mib) / 1024 : 0);
    put_number(cmos, 0x34, 2, low > 16 * mib ? (low - 16 * mib) / 65536 : 0);
    put_number(cmos, 0x5b, 3, high / 65536);
    put_number(cmos, 0x5f, 1, config->vcpus ? config->vcpus - 1 : 0);
    for (unsigned i = 0x10; i < 0x2e; i++)
        sum += cmos[i];
    cmos[0x2e] = (uint8_t)(sum >> 8);
    cmos[0x2f] = (uint8_t)sum;
}

static void
rtc_reset(EngineDevice *device)
{
    Rtc *rtc = rtc_of(device);

    if (!rtc->present)
        return;
    g_mutex_lock(&rtc->lock);
    /* SET goes too: who was setting the time is gone. */
    rtc->cmos[RTC_B] &= (uint8_t) ~(B_EVENTS | B_SQWE | B_SET);
    rtc->cmos[RTC_C] &= C_IRQ;
    rtc->checked_us = rtc_now(rtc);
    rtc_update(rtc);
    g_mutex_unlock(&rtc->lock);
}

static void
rtc_unrealize(EngineDevice *device)
{
    Rtc *rtc = rtc_of(device);

    if (!rtc->present)
        return;
    g_source_destroy(rtc->source);
    g_source_unref(rtc->source);
    fd_clear(&rtc->timer_fd);
    g_mutex_clear(&rtc->lock);
}

static bool
rtc_realize(EngineDevice *device, Engine *engine, const EngineConfig *config,
            unsigned index, GError **error)
{
    Rtc *rtc = rtc_of(device);

    if (!config->rtc)
        return true;
    if (config->clock_offset_s < -OFFSET_MAX ||
        config->clock_offset_s > OFFSET_MAX) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the clock's offset of %lld seconds is out of range"),
                  (long long)config->clock_offset_s);
        return false;
    }
    rtc->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (rtc->timer_fd < 0) {
        error_set_errno(error, errno, _("cannot make a timer for the clock"));
        return false;
    }
    g_mutex_init(&rtc->lock);
    rtc->source = g_source_new(&rtc_source_funcs, sizeof(RtcSource));
    ((RtcSource *)rtc->source)->rtc = rtc;
    g_source_set_name(rtc->source, "rtc");
    g_source_add_unix_fd(rtc->source, rtc->timer_fd, G_IO_IN);
    g_source_attach(rtc->source, NULL);
    rtc->present = true;
    rtc->reported_s = config->clock_offset_s;
    rtc->offset_s = config->clock_offset_s;
    rtc->cmos[RTC_A] = A_DEFAULT;
    rtc->cmos[RTC_B] = RTC_B_24H;
    rtc->cmos[RTC_D] = D_VALID;
    rtc_fill_cmos(rtc->cmos, config);
    rtc_reset(device);
    if (engine_bus_map(engine, device, ENGINE_SPACE_PIO, RTC_PORT, 2, 0, error))
        return true;
    rtc_unrealize(device);
    return false;
}

const EngineDeviceType engine_rtc_type = {
    .name = "rtc",
    .size = sizeof(Rtc),
    .realize = rtc_realize,
    .unrealize = rtc_unrealize,
    .reset = rtc_reset,
    .read = rtc_read,
    .write = rtc_write,
};
