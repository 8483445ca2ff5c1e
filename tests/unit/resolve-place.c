/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolve-place.h"

#include <glib/gstdio.h>
#include <string.h>

#include "util/error.h"

static void
remove_all(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    assert_non_null(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_all(path);
        else
            assert_int_equal(g_remove(path), 0);
    }
    g_dir_close(dir);
    assert_int_equal(g_rmdir(folder), 0);
}

char *
place_path(const Place *place, const char *name)
{
    return g_build_filename(place->folder, name, NULL);
}

void
place_write(const Place *place, const char *name, const void *data, size_t size)
{
    g_autofree char *path = place_path(place, name);

    assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

int
place_setup(void **state)
{
    Place *place = g_new0(Place, 1);
    static const char sectors[4096] = "";

    place->folder = g_dir_make_tmp("virtkvm-resolve-XXXXXX", NULL);
    assert_non_null(place->folder);
    place->run = place_path(place, "run");
    place_write(place, "kernel", "kernel", 6);
    place_write(place, "a.raw", sectors, sizeof(sectors));
    place_write(place, "b.raw", sectors, sizeof(sectors));
    *state = place;
    return 0;
}

int
place_teardown(void **state)
{
    Place *place = *state;

    remove_all(place->folder);
    g_free(place->folder);
    g_free(place->run);
    g_free(place);
    return 0;
}

/* --- domains ----------------------------------------------------------------
 */
ConfDomain *
place_domain(const Place *place, const char *name, const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kernel = place_path(place, "kernel");
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>%s</name><memory>65536</memory>"
        "<iothreads>3</iothreads><iothreadids><iothread id='7'/>"
        "</iothreadids><os><type machine='q35'>hvm</type><kernel>%s</kernel>"
        "</os><devices>%s</devices></domain>",
        name, kernel, devices);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    if (!domain)
        fail_msg("%s", error->message);
    assert_true(conf_domain_check_start(domain, NULL, &error));
    return domain;
}

/* <disk> of @file in the folder */
char *
place_disk(const Place *place, const char *file, const char *format,
           const char *driver, const char *more)
{
    return g_strdup_printf(
        "<disk type='file'><driver name='qemu' type='%s' %s/>"
        "<source file='%s/%s'/><target dev='vda'/>%s</disk>",
        format, driver, place->folder, file, more);
}

EngineResolved *
place_resolve(const Place *place, ConfDomain *domain, GError **error)
{
    EngineResolveContext context = { .run_dir = place->run };

    return engine_resolve(domain, &context, error);
}

EngineResolved *
place_resolve_disk(const Place *place, const char *name, const char *disk,
                   GError **error)
{
    g_autoptr(ConfDomain) domain = place_domain(place, name, disk);

    return place_resolve(place, domain, error);
}

/* The first device; owned */
json_t *
first_device(const EngineResolved *resolved)
{
    g_autofree char *text = engine_resolved_document(resolved, -1);
    json_t *root = json_loads(text, 0, NULL);
    json_t *device =
        json_incref(json_array_get(json_object_get(root, "devices"), 0));
    json_t *threads = json_object_get(root, "iothreads");

    assert_int_equal(json_integer_value(threads), 3);
    json_decref(root);
    assert_non_null(device);
    return device;
}

const char *
string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void
assert_disk_refused(const Place *place, const char *disk, virErrorNumber code,
                    const char *words)
{
    g_autoptr(GError) error = NULL;

    assert_null(place_resolve_disk(place, "a", disk, &error));
    assert_int_equal(error_code(error), code);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
}
