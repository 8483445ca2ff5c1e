/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Registers of the MC146818 that hold the time */
enum {
    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_WEEKDAY = 0x06,
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
};

#define RTC_B_24H    0x02
#define RTC_B_BINARY 0x04

/**
 * engine_rtc_encode: put a time into the registers, in the mode of @cmos[RTC_B]
 * @time_s: seconds since 1970, UTC as the guest sees it
 */
void engine_rtc_encode(uint8_t *cmos, int64_t time_s);

/** engine_rtc_decode: the time in the registers; what is out of range carries
 * over into the next unit, as days of a short month do */
int64_t engine_rtc_decode(const uint8_t *cmos);

/**
 * engine_rtc_next_alarm: the first second after @time_s that the alarm
 * registers match
 * Returns: INT64_MAX if they never do
 */
int64_t engine_rtc_next_alarm(const uint8_t *cmos, int64_t time_s);
