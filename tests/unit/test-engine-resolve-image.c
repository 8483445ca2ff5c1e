/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolve-place.h"

/* What lies below a disk: the chain that an image or the document names. */

#define IMAGE_BYTES 1024
#define NAME_AT     512

static void
put32(uint8_t *image, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        image[at + i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The head of an image, with clusters of 1024 bytes; @name, @format: NULL: none
 */
static void
make_head(uint8_t *image, const char *name, const char *format)
{
    memset(image, 0, IMAGE_BYTES);
    put32(image, 0, 0x514649fb);
    put32(image, 4, 3);
    put32(image, 20, 10);
    put32(image, 100, 104);
    if (name) {
        put32(image, 12, NAME_AT);
        put32(image, 16, (uint32_t)strlen(name));
        memcpy(image + NAME_AT, name, strlen(name));
    }
    if (format) {
        put32(image, 104, 0xe2792aca);
        put32(image, 108, (uint32_t)strlen(format));
        memcpy(image + 112, format, strlen(format));
    }
}

static void
write_qcow2(const Place *place, const char *file, const char *name,
            const char *format)
{
    uint8_t image[IMAGE_BYTES];

    make_head(image, name, format);
    place_write(place, file, image, sizeof(image));
}

/* Where the file system can; where it cannot the document is not obeyed, and
 * says what to change. */
static void
test_direct(void **state)
{
    const Place *place = *state;
    g_autofree char *path = place_path(place, "a.raw");
    g_autofree char *disk =
        place_disk(place, "a.raw", "raw", "cache='none'", "");
    g_autofree char *layered =
        place_disk(place, "top.qcow2", "qcow2", "cache='none'", "");
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    g_autoptr(EngineResolved) resolved = NULL;
    json_t *device, *drive;

    if (fd < 0) {
        assert_disk_refused(place, disk, VIR_ERR_SYSTEM_ERROR,
                            "cache='writeback'");
        return;
    }
    close(fd);
    resolved = place_resolve_disk(place, "a", disk, NULL);
    device = first_device(resolved);
    drive = json_object_get(device, "drive");
    fd = (int)json_integer_value(json_object_get(drive, "fd"));
    assert_true(json_is_true(json_object_get(drive, "direct")));
    assert_true(fcntl(fd, F_GETFL) & O_DIRECT);
    assert_null(json_object_get(device, "write_cache"));
    json_decref(device);
    /* the head of an image is read all the same */
    g_clear_pointer(&resolved, engine_resolved_free);
    write_qcow2(place, "top.qcow2", "a.raw", "raw");
    resolved = place_resolve_disk(place, "a", layered, NULL);
    device = first_device(resolved);
    drive = json_object_get(device, "drive");
    assert_true(json_is_true(json_object_get(drive, "direct")));
    assert_true(json_is_true(
        json_object_get(json_object_get(drive, "backing"), "direct")));
    json_decref(device);
}

static void
test_chain_of_the_images(void **state)
{
    const Place *place = *state;
    g_autofree char *absolute = place_path(place, "b.raw");
    g_autofree char *disk = place_disk(place, "top.qcow2", "qcow2", "", "");
    g_autoptr(ConfDomain) domain = place_domain(place, "a", disk);
    g_autoptr(EngineResolved) resolved = NULL;
    g_autofree char *xml = NULL;
    json_t *device, *top, *middle, *base;

    write_qcow2(place, "top.qcow2", "middle.qcow2", "qcow2");
    write_qcow2(place, "middle.qcow2", absolute, "raw");
    resolved = place_resolve(place, domain, NULL);
    device = first_device(resolved);
    top = json_object_get(device, "drive");
    middle = json_object_get(top, "backing");
    base = json_object_get(middle, "backing");
    assert_string_equal(string_of(top, "format"), "qcow2");
    assert_string_equal(string_of(middle, "format"), "qcow2");
    assert_true(json_is_false(json_object_get(middle, "writable")));
    assert_string_equal(string_of(base, "format"), "raw");
    assert_string_equal(string_of(base, "path"), absolute);
    assert_null(json_object_get(base, "backing"));
    json_decref(device);
    /* the live definition shows what was found */
    xml = conf_domain_format(domain, 0);
    assert_non_null(strstr(xml, "<backingStore type='file'>\n"
                                "        <format type='qcow2'/>\n"));
    assert_non_null(strstr(xml, "<backingStore/>"));
}

/* What the document says of the chain is not looked up in the image. */
static void
test_chain_of_the_document(void **state)
{
    const Place *place = *state;
    g_autofree char *given = g_strdup_printf(
        "<backingStore type='file'><format type='raw'/><source file='%s/a.raw'"
        "/><backingStore/></backingStore>",
        place->folder);
    g_autofree char *with = place_disk(place, "top.qcow2", "qcow2", "", given);
    g_autofree char *alone =
        place_disk(place, "top.qcow2", "qcow2", "", "<backingStore/>");
    g_autoptr(EngineResolved) resolved = NULL;
    json_t *device, *backing;

    write_qcow2(place, "top.qcow2", "nbd://elsewhere", NULL);
    resolved = place_resolve_disk(place, "a", with, NULL);
    device = first_device(resolved);
    backing = json_object_get(json_object_get(device, "drive"), "backing");
    assert_true(g_str_has_suffix(string_of(backing, "path"), "/a.raw"));
    json_decref(device);
    g_clear_pointer(&resolved, engine_resolved_free);
    resolved = place_resolve_disk(place, "a", alone, NULL);
    device = first_device(resolved);
    assert_null(json_object_get(json_object_get(device, "drive"), "backing"));
    json_decref(device);
}

static void
test_names_that_reach_outside(void **state)
{
    static const struct {
        const char *name, *format, *words;
        virErrorNumber code;
    } cases[] = {
        { "json:{\"driver\":\"nbd\"}", "raw",
          "json:", VIR_ERR_CONFIG_UNSUPPORTED },
        { "nbd:localhost:10809", "raw", "nbd:", VIR_ERR_CONFIG_UNSUPPORTED },
        { "https://example.com/x", "raw",
          "https:", VIR_ERR_CONFIG_UNSUPPORTED },
        { "file:/etc/passwd", "raw", "file:", VIR_ERR_CONFIG_UNSUPPORTED },
        { "a.raw", NULL, "qemu-img rebase -u -F FORMAT -b 'a.raw'",
          VIR_ERR_CONFIG_UNSUPPORTED },
        { "a.raw", "vmdk", "'vmdk'", VIR_ERR_CONFIG_UNSUPPORTED },
        { "/dev/null", "raw", "not a regular file",
          VIR_ERR_CONFIG_UNSUPPORTED },
        { "/nonexistent/x", "raw", "/nonexistent/x", VIR_ERR_SYSTEM_ERROR },
        { "top.qcow2", "qcow2", "loop", VIR_ERR_RESOURCE_BUSY },
        { "a.raw", "qcow2", "does not begin as one", VIR_ERR_INVALID_ARG },
    };
    const Place *place = *state;
    g_autofree char *disk = place_disk(place, "top.qcow2", "qcow2", "", "");
    g_autofree char *reader =
        place_disk(place, "top.qcow2", "qcow2", "", "<readonly/>");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool loop = cases[i].code == VIR_ERR_RESOURCE_BUSY;

        write_qcow2(place, "top.qcow2", cases[i].name, cases[i].format);
        if (loop) /* one writes it, so it cannot be read either */
            assert_disk_refused(place, disk, cases[i].code, "top.qcow2");
        assert_disk_refused(place, loop ? reader : disk,
                            loop ? VIR_ERR_CONFIG_UNSUPPORTED : cases[i].code,
                            cases[i].words);
    }
}

static void
test_deep_chains_end(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = place_disk(place, "0", "qcow2", "", "");

    for (int i = 0; i < 64; i++) {
        g_autofree char *file = g_strdup_printf("%d", i);
        g_autofree char *name = g_strdup_printf("%d", i + 1);

        write_qcow2(place, file, name, "qcow2");
    }
    write_qcow2(place, "64", NULL, NULL);
    assert_disk_refused(place, disk, VIR_ERR_CONFIG_UNSUPPORTED,
                        "more than 63");
}

/* Each number of a head is one that a stranger chose. */
static void
test_bad_heads(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *words;
    } cases[] = {
        { 0, 0, "does not begin as one" },
        { 4, 4, "version" },
        { 20, 8, "clusters" },
        { 20, 22, "clusters" },
        { 100, 103, "size of its header" },
        { 100, 0xffffffff, "size of its header" },
        { 8, 1, "out of place" },
        { 12, 1024, "out of place" },
        { 12, 50, "out of place" },
        { 16, 0, "out of place" },
        { 16, 1024, "out of place" },
        { 16, 0xffffffff, "out of place" },
        { 16, 6, "zero byte" },
        { 108, 0xffffffff, "too long" },
        { 108, 64, "no name" },
    };
    const Place *place = *state;
    g_autofree char *disk = place_disk(place, "top.qcow2", "qcow2", "", "");
    uint8_t image[IMAGE_BYTES];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        make_head(image, "a.raw", "raw");
        put32(image, cases[i].at, cases[i].value);
        place_write(place, "top.qcow2", image, sizeof(image));
        assert_disk_refused(place, disk, VIR_ERR_INVALID_ARG, cases[i].words);
    }
    for (size_t size = 0; size < NAME_AT + 5; size += 100) {
        make_head(image, "a.raw", "raw");
        place_write(place, "top.qcow2", image, size);
        assert_disk_refused(place, disk, VIR_ERR_INVALID_ARG, "ends within");
    }
}

static void
test_backing_images_are_not_written(void **state)
{
    const Place *place = *state;
    g_autofree char *top = place_disk(place, "top.qcow2", "qcow2", "", "");
    g_autofree char *other = place_disk(place, "other.qcow2", "qcow2", "", "");
    g_autofree char *base = place_disk(place, "a.raw", "raw", "", "");
    g_autoptr(EngineResolved) first = NULL, second = NULL;

    write_qcow2(place, "top.qcow2", "a.raw", "raw");
    write_qcow2(place, "other.qcow2", "a.raw", "raw");
    first = place_resolve_disk(place, "one", top, NULL);
    second = place_resolve_disk(place, "two", other, NULL);
    assert_non_null(first);
    assert_non_null(second);
    assert_disk_refused(place, base, VIR_ERR_RESOURCE_BUSY, "a.raw");
}

/* --- what is opened ---------------------------------------------------------
 */
static void
test_what_is_no_image(void **state)
{
    const Place *place = *state;
    g_autofree char *fifo = place_path(place, "fifo");
    g_autofree char *pipe = place_disk(place, "fifo", "raw", "", "");
    g_autofree char *folder = place_disk(place, "", "raw", "", "<readonly/>");
    g_autofree char *nothing = place_disk(place, "none", "raw", "", "");
    g_autofree char *block = g_strdup_printf(
        "<disk type='block'><source dev='%s/a.raw'/><target dev='vda'/></disk>",
        place->folder);

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_disk_refused(place, pipe, VIR_ERR_CONFIG_UNSUPPORTED,
                        "not a regular file");
    assert_disk_refused(place, folder, VIR_ERR_CONFIG_UNSUPPORTED,
                        "not a regular file");
    assert_disk_refused(place, nothing, VIR_ERR_SYSTEM_ERROR, "disk 'vda': ");
    assert_disk_refused(place, block, VIR_ERR_CONFIG_UNSUPPORTED,
                        "not a block device");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_chain_of_the_images),
        cmocka_unit_test(test_chain_of_the_document),
        cmocka_unit_test(test_names_that_reach_outside),
        cmocka_unit_test(test_deep_chains_end),
        cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_backing_images_are_not_written),
        cmocka_unit_test(test_what_is_no_image),
    };

    return cmocka_run_group_tests(tests, place_setup, place_teardown);
}
