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
    g_autofree char *text = NULL;

    if (argc == 2 && strcmp(argv[1], "domain") == 0)
        text = conf_schema_domain();
    else if (argc == 2 && strcmp(argv[1], "virtkvm") == 0)
        text = conf_schema_virtkvm();
    if (!text) {
        fputs("usage: conf-schema domain|virtkvm\n", stderr);
        return 2;
    }
    return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
