/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/schema.h"

#include <stdio.h>
#include <string.h>

/* conf-schema: print a schema made from the tables. Used by make only. */
int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        char *(*make)(void);
    } schemas[] = {
        { "domain", conf_schema_domain },
        { "network", conf_schema_network },
        { "virtkvm", conf_schema_virtkvm },
    };
    g_autofree char *text = NULL;

    for (size_t i = 0; argc == 2 && i < G_N_ELEMENTS(schemas); i++) {
        if (strcmp(argv[1], schemas[i].name) == 0)
            text = schemas[i].make();
    }
    if (!text) {
        fputs("usage: conf-schema domain|network|virtkvm\n", stderr);
        return 2;
    }
    return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
