/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/dev/rtc-time.h"

#include <glib.h>
#include <time.h>

#define PM_FLAG     0x80 /* of an hour in the 12 hours mode */
#define ANY         0xc0 /* both set: an alarm register matches all */
#define DAY_SECONDS 86400

static uint8_t
encode_number(const uint8_t *cmos, int value)
{
    if (cmos[RTC_B] & RTC_B_BINARY)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

static int
decode_number(const uint8_t *cmos, uint8_t value)
{
    if (cmos[RTC_B] & RTC_B_BINARY)
        return value;
    return (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t
encode_hour(const uint8_t *cmos, int hour)
{
    uint8_t value;

    if (cmos[RTC_B] & RTC_B_24H)
        return encode_number(cmos, hour);
    value = encode_number(cmos, hour % 12 ? hour % 12 : 12);
    return hour >= 12 ? value | PM_FLAG : value;
}

static int
decode_hour(const uint8_t *cmos, uint8_t value)
{
    if (cmos[RTC_B] & RTC_B_24H)
        return decode_number(cmos, value);
    return decode_number(cmos, value & (uint8_t)~PM_FLAG) % 12 +
           (value & PM_FLAG ? 12 : 0);
}

void
engine_rtc_encode(uint8_t *cmos, int64_t time_s)
{
    time_t when = (time_t)time_s;
    struct tm parts;

    /* Beyond what a year has digits for the clock stands at the epoch. */
    if (!gmtime_r(&when, &parts) || parts.tm_year < -1900 ||
        parts.tm_year > 8099) {
        when = 0;
        gmtime_r(&when, &parts);
    }
    cmos[RTC_SECONDS] = encode_number(cmos, parts.tm_sec);
    cmos[RTC_MINUTES] = encode_number(cmos, parts.tm_min);
    cmos[RTC_HOURS] = encode_hour(cmos, parts.tm_hour);
    cmos[RTC_WEEKDAY] = encode_number(cmos, parts.tm_wday + 1);
    cmos[RTC_DAY] = encode_number(cmos, parts.tm_mday);
    cmos[RTC_MONTH] = encode_number(cmos, parts.tm_mon + 1);
    cmos[RTC_YEAR] = encode_number(cmos, (parts.tm_year + 1900) % 100);
    cmos[RTC_CENTURY] = encode_number(cmos, (parts.tm_year + 1900) / 100);
}

int64_t
engine_rtc_decode(const uint8_t *cmos)
{
    struct tm parts = {
        .tm_sec = decode_number(cmos, cmos[RTC_SECONDS]),
        .tm_min = decode_number(cmos, cmos[RTC_MINUTES]),
        .tm_hour = decode_hour(cmos, cmos[RTC_HOURS]),
        .tm_mday = decode_number(cmos, cmos[RTC_DAY]),
        .tm_mon = decode_number(cmos, cmos[RTC_MONTH]) - 1,
        .tm_year = decode_number(cmos, cmos[RTC_YEAR]) +
                   (decode_number(cmos, cmos[RTC_CENTURY]) - 19) * 100,
    };

    return (int64_t)timegm(&parts);
}

static bool
matches(uint8_t alarm, int alarm_value, int value)
{
    return (alarm & ANY) == ANY || alarm_value == value;
}

int64_t
engine_rtc_next_alarm(const uint8_t *cmos, int64_t time_s)
{
    uint8_t hours = cmos[RTC_HOURS_ALARM];
    uint8_t minutes = cmos[RTC_MINUTES_ALARM];
    uint8_t seconds = cmos[RTC_SECONDS_ALARM];
    int hour = decode_hour(cmos, hours);
    int minute = decode_number(cmos, minutes);
    int second = decode_number(cmos, seconds);
    int64_t t = time_s + 1;

    /* Skips to the next minute or hour where only they can match. */
    while (t <= time_s + DAY_SECONDS) {
        int of_day = (int)(((t % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS);

        if (!matches(hours, hour, of_day / 3600))
            t += 3600 - of_day % 3600;
        else if (!matches(minutes, minute, of_day / 60 % 60))
            t += 60 - of_day % 60;
        else if (!matches(seconds, second, of_day % 60))
            t++;
        else
            return t;
    }
    return INT64_MAX;
}
