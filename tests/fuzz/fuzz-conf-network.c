/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Network documents of a hostile hand: what is accepted must come back, and be
 * the same from then on. After a NUL byte: an element for net-update, whose
 * section is its first byte; what it leaves must come back too.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/domain.h"
#include "conf/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_return(const ConfNetwork *network)
{
    g_autofree char *first = conf_network_format(network, CONF_FORMAT_INACTIVE);
    g_autoptr(ConfNetwork) again =
        conf_network_parse(first, CONF_PARSE_INACTIVE, NULL);
    g_autoptr(ConfNetwork) copy = conf_network_copy(network);
    g_autofree char *second = NULL, *copied = NULL;

    if (!again)
        abort();
    second = conf_network_format(again, CONF_FORMAT_INACTIVE);
    copied = conf_network_format(copy, CONF_FORMAT_INACTIVE);
    if (strcmp(first, second) != 0 || strcmp(first, copied) != 0)
        abort();
}

static void
update(ConfNetwork *network, const char *text)
{
    for (int command = VIR_NETWORK_UPDATE_COMMAND_MODIFY;
         command <= VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST; command++) {
        ConfNetworkUpdate request = { .command = command,
                                      .section = *text & 15,
                                      .parent = -1,
                                      .xml = text + 1 };

        if (conf_network_update(network, &request, NULL))
            check_return(network);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *whole = g_malloc0(size + 1);
    g_autoptr(ConfNetwork) network =
        conf_network_parse(text, CONF_PARSE_INACTIVE, NULL);

    if (!network)
        return 0;
    check_return(network);
    if (size > 0)
        memcpy(whole, data, size);
    if (strlen(whole) + 2 < size)
        update(network, whole + strlen(whole) + 1);
    conf_network_check_start(network, NULL, NULL);
    return 0;
}
