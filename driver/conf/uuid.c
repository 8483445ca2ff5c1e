/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "conf/domain.h"

void
conf_uuid_format(const unsigned char *uuid, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < VIR_UUID_BUFLEN; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *text++ = '-';
        *text++ = digits[uuid[i] >> 4];
        *text++ = digits[uuid[i] & 15];
    }
    *text = '\0';
}

bool
conf_uuid_parse(const char *text, unsigned char *ret_uuid)
{
    unsigned char uuid[VIR_UUID_BUFLEN] = { 0 };
    int digits = 0;

    while (g_ascii_isspace(*text))
        text++;
    for (; *text && digits < 2 * VIR_UUID_BUFLEN; text++) {
        int value = g_ascii_xdigit_value(*text);

        if (*text == '-')
            continue;
        if (value < 0)
            return false;
        uuid[digits / 2] |= (unsigned char)(digits % 2 ? value : value << 4);
        digits++;
    }
    while (g_ascii_isspace(*text))
        text++;
    if (digits != 2 * VIR_UUID_BUFLEN || *text)
        return false;
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return true;
}

void
conf_uuid_generate(unsigned char *ret_uuid)
{
    ssize_t got;

    do
        got = getrandom(ret_uuid, VIR_UUID_BUFLEN, 0);
    while (got < 0 && errno == EINTR);
    g_assert(got == VIR_UUID_BUFLEN);
    ret_uuid[6] = (unsigned char)((ret_uuid[6] & 0x0f) | 0x40);
    ret_uuid[8] = (unsigned char)((ret_uuid[8] & 0x3f) | 0x80);
}
