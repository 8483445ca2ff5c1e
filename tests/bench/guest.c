/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The benchmark guest: its command line has
 *
 *     disk=PATTERN:SIZE:DEPTH  or  net=PATTERN:SIZE:DEPTH
 *     ticks=N                  how long, in units of the time-stamp counter
 *     count=N                  no more requests than that; then the disk is
 *                              flushed
 *
 * It prints "ready" when the device is set up, "begin" when the time begins,
 * and then "done COUNT TICKS". Without a count, the load has run for a tenth of
 * the time before that.
 */
#include "guest.h"

#define COM1            0x3f8
#define EXIT_PORT       0xf4
#define START_INFO_LINE 24 /* the offset of the command line's address */
#define WARM_UP         10 /* the part of the time that comes before */

extern uint32_t guest_start_info;

void
guest_print(const char *text)
{
    for (; *text; text++)
        guest_gate(GUEST_OUT_8, COM1, (uint8_t)*text);
}

void
guest_print_number(uint64_t number)
{
    char digits[21];
    unsigned at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    guest_print(digits + at);
}

_Noreturn void
guest_fail(const char *why)
{
    guest_print("! ");
    guest_print(why);
    guest_print("\n");
    guest_gate(GUEST_OUT_8, EXIT_PORT, 1);
    for (;;)
        __builtin_ia32_pause();
}

/* gcc's own calls are of these. */
void *
memcpy(void *to, const void *from, size_t size)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return start;
}

void *
memset(void *to, int value, size_t size)
{
    void *start = to;

    __asm__ volatile("rep stosb"
                     : "+D"(to), "+c"(size)
                     : "a"(value)
                     : "memory");
    return start;
}

/* --- the command line ------------------------------------------------------
 */
/* Returns: what follows @key in @line, or NULL */
static const char *
find(const char *line, const char *key)
{
    for (; *line; line++) {
        const char *left = line, *right = key;

        while (*right && *left == *right)
            left++, right++;
        if (!*right)
            return left;
    }
    return NULL;
}

static uint64_t
parse_number(const char **text)
{
    uint64_t number = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = number * 10 + (uint64_t)(**text - '0');
    return number;
}

static GuestLoad
parse_load(const char *text)
{
    GuestLoad load = { .pattern = text };

    while (*text && *text != ':')
        text++;
    text += *text == ':';
    load.size = (uint32_t)parse_number(&text);
    text += *text == ':';
    load.depth = (unsigned)parse_number(&text);
    if (load.size == 0 || load.depth == 0 || load.depth > GUEST_ENTRIES ||
        (uint64_t)load.depth * load.size > GUEST_ARENA_SIZE)
        guest_fail("the load is out of range");
    return load;
}

bool
guest_load_is(const GuestLoad *load, const char *pattern)
{
    const char *text = load->pattern;

    while (*pattern && *text == *pattern)
        text++, pattern++;
    return !*pattern && *text == ':';
}

static uint64_t
number_of(const char *line, const char *key)
{
    const char *text = find(line, key);

    return text ? parse_number(&text) : 0;
}

static void
measure(const char *line, uint64_t (*run)(uint64_t, uint64_t))
{
    uint64_t time = number_of(line, "ticks="),
             count = number_of(line, "count=");
    uint64_t begin;

    if (count == 0)
        run(guest_ticks() + time / WARM_UP, UINT64_MAX);
    guest_print("begin\n");
    begin = guest_ticks();
    if (count > 0) {
        count = run(begin + time, count);
        guest_disk_flush();
    } else {
        count = run(begin + time, UINT64_MAX);
    }
    time = guest_ticks() - begin;
    guest_print("done ");
    guest_print_number(count);
    guest_print(" ");
    guest_print_number(time);
    guest_print("\n");
}

int guest_main(void);

int
guest_main(void)
{
    uint64_t address =
        *(uint64_t *)(uintptr_t)(guest_start_info + START_INFO_LINE);
    const char *line = (const char *)(uintptr_t)address;
    const char *disk = find(line, "disk="), *net = find(line, "net=");
    GuestLoad load;

    if (!disk && !net)
        guest_fail("there is no load on the command line");
    load = parse_load(disk ? disk : net);
    (disk ? guest_disk_begin : guest_net_begin)(&load);
    guest_print("ready\n");
    measure(line, disk ? guest_disk_run : guest_net_run);
    return 0;
}
