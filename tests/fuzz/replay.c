/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * The main program of a fuzz target built without libFuzzer: feeds it the
 * files of the named folders, once each. What a fuzzer found once is so tried
 * in every build.
 */
#include <config.h>

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
replay_folder(const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    const char *name;
    unsigned count = 0;

    if (!dir)
        g_error("%s", error->message);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *data = NULL;
        size_t size;

        if (!g_file_get_contents(path, &data, &size, &error))
            g_error("%s", error->message);
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        count++;
    }
    return count;
}

int
main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
