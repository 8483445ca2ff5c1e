/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/resolve/resolve.h"
#include "util/error.h"

/* Disks: opened, locked, and what lies below them. */

/* A folder with images, and the daemon's for running domains. */
typedef struct Place {
    char *folder;
    char *run;
} Place;

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

static char *
path_of(const Place *place, const char *name)
{
    return g_build_filename(place->folder, name, NULL);
}

static void
write_file(const Place *place, const char *name, const void *data, size_t size)
{
    g_autofree char *path = path_of(place, name);

    assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

static int
setup(void **state)
{
    Place *place = g_new0(Place, 1);
    static const char sectors[4096] = "";

    place->folder = g_dir_make_tmp("virtkvm-resolve-XXXXXX", NULL);
    assert_non_null(place->folder);
    place->run = path_of(place, "run");
    write_file(place, "kernel", "kernel", 6);
    write_file(place, "a.raw", sectors, sizeof(sectors));
    write_file(place, "b.raw", sectors, sizeof(sectors));
    *state = place;
    return 0;
}

static int
teardown(void **state)
{
    Place *place = *state;

    remove_all(place->folder);
    g_free(place->folder);
    g_free(place->run);
    g_free(place);
    return 0;
}

/* --- qcow2 images -----------------------------------------------------------
 */
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
    write_file(place, file, image, sizeof(image));
}

/* --- domains ----------------------------------------------------------------
 */
static ConfDomain *
domain_with(const Place *place, const char *name, const char *devices)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *kernel = path_of(place, "kernel");
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
static char *
disk_of(const Place *place, const char *file, const char *format,
        const char *driver, const char *more)
{
    return g_strdup_printf(
        "<disk type='file'><driver name='qemu' type='%s' %s/>"
        "<source file='%s/%s'/><target dev='vda'/>%s</disk>",
        format, driver, place->folder, file, more);
}

static EngineResolved *
resolve(const Place *place, ConfDomain *domain, GError **error)
{
    EngineResolveContext context = { .run_dir = place->run };

    return engine_resolve(domain, &context, error);
}

static EngineResolved *
resolve_disk(const Place *place, const char *name, const char *disk,
             GError **error)
{
    g_autoptr(ConfDomain) domain = domain_with(place, name, disk);

    return resolve(place, domain, error);
}

/* The first device; owned */
static json_t *
device_of(const EngineResolved *resolved)
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

static const char *
string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
assert_refused(const Place *place, const char *disk, virErrorNumber code,
               const char *words)
{
    g_autoptr(GError) error = NULL;

    assert_null(resolve_disk(place, "a", disk, &error));
    assert_int_equal(error_code(error), code);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
}

/* --- tests ------------------------------------------------------------------
 */
static void
test_members(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = disk_of(
        place, "a.raw", "raw",
        "cache='writethrough' error_policy='stop' io='threads' discard='unmap' "
        "iothread='1' detect_zeroes='on' queues='4' queue_size='128' "
        "packed='on'",
        "<iotune><total_iops_sec>500</total_iops_sec><group_name>g</group_name>"
        "</iotune><serial>0123456789012345678\xc3\xa4</serial><blockio "
        "logical_block_size='4096'/>");
    g_autoptr(EngineResolved) resolved = resolve_disk(place, "a", disk, NULL);
    json_t *device = device_of(resolved);
    json_t *drive = json_object_get(device, "drive");
    json_t *expected = json_pack(
        "{s:s,s:s,s:i,s:i,s:b,s:i,s:i,s:i,s:s,s:s,s:b,s:s,s:s,s:O,s:b,s:s,s:i,"
        "s:{s:i,s:s}}",
        "type", "virtio-blk", "id", "virtio-disk0", "slot", 3, "function", 0,
        "packed", 1, "queues", 4, "queue_size", 128, "iothread", 2, "discard",
        "unmap", "detect_zeroes", "on", "write_cache", 0, "werror", "stop",
        "rerror", "stop", "drive", drive, "readonly", 0, "serial",
        "0123456789012345678", "logical_block_size", 4096, "throttle",
        "total_iops_sec", 500, "group", "g");
    g_autofree char *path = path_of(place, "a.raw");
    int fd = (int)json_integer_value(json_object_get(drive, "fd"));

    assert_true(json_equal(device, expected));
    assert_string_equal(string_of(drive, "path"), path);
    assert_string_equal(string_of(drive, "aio"), "threads");
    assert_true(json_is_true(json_object_get(drive, "writable")));
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_DIRECT),
                     O_RDWR);
    json_decref(expected);
    json_decref(device);
}

/* Where nothing is said: a queue for each vCPU, as many as the engine takes. */
static void
test_queues_by_themselves(void **state)
{
    static const struct {
        unsigned vcpus;
        int queues; /* 0: not told */
    } cases[] = { { 1, 0 }, { 4, 4 }, { 16, 16 }, { 40, 16 } };
    const Place *place = *state;
    g_autofree char *disk = disk_of(place, "a.raw", "raw", "", "");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfDomain) domain = domain_with(place, "a", disk);
        g_autoptr(EngineResolved) resolved = NULL;
        json_t *device;

        domain->vcpus.max = cases[i].vcpus;
        resolved = resolve(place, domain, NULL);
        assert_non_null(resolved);
        device = device_of(resolved);
        assert_int_equal(json_integer_value(json_object_get(device, "queues")),
                         cases[i].queues);
        json_decref(device);
    }
}

static void
test_readonly_is_opened_so(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = disk_of(place, "a.raw", "raw", "", "<readonly/>");
    g_autoptr(EngineResolved) resolved = resolve_disk(place, "a", disk, NULL);
    json_t *device = device_of(resolved);
    json_t *drive = json_object_get(device, "drive");
    int fd = (int)json_integer_value(json_object_get(drive, "fd"));

    assert_true(json_is_true(json_object_get(device, "readonly")));
    assert_true(json_is_false(json_object_get(drive, "writable")));
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    json_decref(device);
}

/* Where the file system can; where it cannot the document is not obeyed, and
 * says what to change. */
static void
test_direct(void **state)
{
    const Place *place = *state;
    g_autofree char *path = path_of(place, "a.raw");
    g_autofree char *disk = disk_of(place, "a.raw", "raw", "cache='none'", "");
    g_autofree char *layered =
        disk_of(place, "top.qcow2", "qcow2", "cache='none'", "");
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    g_autoptr(EngineResolved) resolved = NULL;
    json_t *device, *drive;

    if (fd < 0) {
        assert_refused(place, disk, VIR_ERR_SYSTEM_ERROR, "cache='writeback'");
        return;
    }
    close(fd);
    resolved = resolve_disk(place, "a", disk, NULL);
    device = device_of(resolved);
    drive = json_object_get(device, "drive");
    fd = (int)json_integer_value(json_object_get(drive, "fd"));
    assert_true(json_is_true(json_object_get(drive, "direct")));
    assert_true(fcntl(fd, F_GETFL) & O_DIRECT);
    assert_null(json_object_get(device, "write_cache"));
    json_decref(device);
    /* the head of an image is read all the same */
    g_clear_pointer(&resolved, engine_resolved_free);
    write_qcow2(place, "top.qcow2", "a.raw", "raw");
    resolved = resolve_disk(place, "a", layered, NULL);
    device = device_of(resolved);
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
    g_autofree char *absolute = path_of(place, "b.raw");
    g_autofree char *disk = disk_of(place, "top.qcow2", "qcow2", "", "");
    g_autoptr(ConfDomain) domain = domain_with(place, "a", disk);
    g_autoptr(EngineResolved) resolved = NULL;
    g_autofree char *xml = NULL;
    json_t *device, *top, *middle, *base;

    write_qcow2(place, "top.qcow2", "middle.qcow2", "qcow2");
    write_qcow2(place, "middle.qcow2", absolute, "raw");
    resolved = resolve(place, domain, NULL);
    device = device_of(resolved);
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
    g_autofree char *with = disk_of(place, "top.qcow2", "qcow2", "", given);
    g_autofree char *alone =
        disk_of(place, "top.qcow2", "qcow2", "", "<backingStore/>");
    g_autoptr(EngineResolved) resolved = NULL;
    json_t *device, *backing;

    write_qcow2(place, "top.qcow2", "nbd://elsewhere", NULL);
    resolved = resolve_disk(place, "a", with, NULL);
    device = device_of(resolved);
    backing = json_object_get(json_object_get(device, "drive"), "backing");
    assert_true(g_str_has_suffix(string_of(backing, "path"), "/a.raw"));
    json_decref(device);
    g_clear_pointer(&resolved, engine_resolved_free);
    resolved = resolve_disk(place, "a", alone, NULL);
    device = device_of(resolved);
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
    g_autofree char *disk = disk_of(place, "top.qcow2", "qcow2", "", "");
    g_autofree char *reader =
        disk_of(place, "top.qcow2", "qcow2", "", "<readonly/>");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool loop = cases[i].code == VIR_ERR_RESOURCE_BUSY;

        write_qcow2(place, "top.qcow2", cases[i].name, cases[i].format);
        if (loop) /* one writes it, so it cannot be read either */
            assert_refused(place, disk, cases[i].code, "top.qcow2");
        assert_refused(place, loop ? reader : disk,
                       loop ? VIR_ERR_CONFIG_UNSUPPORTED : cases[i].code,
                       cases[i].words);
    }
}

static void
test_deep_chains_end(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = disk_of(place, "0", "qcow2", "", "");

    for (int i = 0; i < 64; i++) {
        g_autofree char *file = g_strdup_printf("%d", i);
        g_autofree char *name = g_strdup_printf("%d", i + 1);

        write_qcow2(place, file, name, "qcow2");
    }
    write_qcow2(place, "64", NULL, NULL);
    assert_refused(place, disk, VIR_ERR_CONFIG_UNSUPPORTED, "more than 63");
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
    g_autofree char *disk = disk_of(place, "top.qcow2", "qcow2", "", "");
    uint8_t image[IMAGE_BYTES];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        make_head(image, "a.raw", "raw");
        put32(image, cases[i].at, cases[i].value);
        write_file(place, "top.qcow2", image, sizeof(image));
        assert_refused(place, disk, VIR_ERR_INVALID_ARG, cases[i].words);
    }
    for (size_t size = 0; size < NAME_AT + 5; size += 100) {
        make_head(image, "a.raw", "raw");
        write_file(place, "top.qcow2", image, size);
        assert_refused(place, disk, VIR_ERR_INVALID_ARG, "ends within");
    }
}

/* --- locks ------------------------------------------------------------------
 */
static void
test_locks(void **state)
{
    static const struct {
        const char *first, *second;
        bool together;
    } cases[] = {
        { "", "", false },
        { "", "<readonly/>", false },
        { "<readonly/>", "", false },
        { "<readonly/>", "<readonly/>", true },
        { "<shareable/>", "<shareable/>", true },
        { "<shareable/>", "", false },
        { "", "<shareable/>", false },
        { "<readonly/><shareable/>", "<shareable/>", true },
    };
    const Place *place = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *one =
            disk_of(place, "a.raw", "raw", "", cases[i].first);
        g_autofree char *two =
            disk_of(place, "a.raw", "raw", "", cases[i].second);
        g_autoptr(EngineResolved) first = resolve_disk(place, "one", one, NULL);
        g_autoptr(EngineResolved) second =
            resolve_disk(place, "two", two, &error);

        assert_non_null(first);
        assert_int_equal(second != NULL, cases[i].together);
        if (cases[i].together)
            continue;
        assert_int_equal(error_code(error), VIR_ERR_RESOURCE_BUSY);
        assert_non_null(strstr(error->message, "a.raw' is in use by the domain "
                                               "'one'"));
        g_clear_pointer(&first, engine_resolved_free);
        second = resolve_disk(place, "two", two, NULL);
        assert_non_null(second);
    }
}

static void
test_backing_images_are_not_written(void **state)
{
    const Place *place = *state;
    g_autofree char *top = disk_of(place, "top.qcow2", "qcow2", "", "");
    g_autofree char *other = disk_of(place, "other.qcow2", "qcow2", "", "");
    g_autofree char *base = disk_of(place, "a.raw", "raw", "", "");
    g_autoptr(EngineResolved) first = NULL, second = NULL;

    write_qcow2(place, "top.qcow2", "a.raw", "raw");
    write_qcow2(place, "other.qcow2", "a.raw", "raw");
    first = resolve_disk(place, "one", top, NULL);
    second = resolve_disk(place, "two", other, NULL);
    assert_non_null(first);
    assert_non_null(second);
    assert_refused(place, base, VIR_ERR_RESOURCE_BUSY, "a.raw");
}

/* --- what is opened ---------------------------------------------------------
 */
static void
test_what_is_no_image(void **state)
{
    const Place *place = *state;
    g_autofree char *fifo = path_of(place, "fifo");
    g_autofree char *pipe = disk_of(place, "fifo", "raw", "", "");
    g_autofree char *folder = disk_of(place, "", "raw", "", "<readonly/>");
    g_autofree char *nothing = disk_of(place, "none", "raw", "", "");
    g_autofree char *block = g_strdup_printf(
        "<disk type='block'><source dev='%s/a.raw'/><target dev='vda'/></disk>",
        place->folder);

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused(place, pipe, VIR_ERR_CONFIG_UNSUPPORTED,
                   "not a regular file");
    assert_refused(place, folder, VIR_ERR_CONFIG_UNSUPPORTED,
                   "not a regular file");
    assert_refused(place, nothing, VIR_ERR_SYSTEM_ERROR, "disk 'vda': ");
    assert_refused(place, block, VIR_ERR_CONFIG_UNSUPPORTED,
                   "not a block device");
}

static void
test_one_device_alone(void **state)
{
    const Place *place = *state;
    g_autofree char *one = disk_of(place, "a.raw", "raw", "", "");
    g_autoptr(ConfDomain) domain = domain_with(place, "a", one);
    g_autofree char *xml = g_strdup_printf(
        "<disk type='file'><source file='%s/b.raw'/><target dev='vdb'/></disk>",
        place->folder);
    ConfDevice *device = conf_device_parse(xml, 0, NULL);
    EngineResolveContext context = { .run_dir = place->run };
    ConfDevice found = { .kind = CONF_DEVICE_DISK };
    g_autoptr(EngineResolved) resolved = NULL;
    g_autofree char *text = NULL;
    json_t *root, *argument;

    assert_true(conf_domain_add_device(domain, &device, NULL));
    conf_domain_assign_live(domain);
    found.data = conf_domain_disk(domain, "vdb");
    resolved = engine_resolve_device(domain, &found, &context, NULL);
    text = engine_resolved_document(resolved, 0);
    root = json_loads(text, 0, NULL);
    argument = json_object_get(root, "device");
    assert_int_equal(json_object_size(root), 1);
    assert_string_equal(string_of(argument, "id"), "virtio-disk1");
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(argument, "drive"), "fd")),
                     0);
    json_decref(root);
}

/* --- transient disks --------------------------------------------------------
 */
static int
fd_of(const json_t *drive)
{
    return (int)json_integer_value(json_object_get(drive, "fd"));
}

/* Two domains at once: what each writes goes into a file without a name, above
 * the image, which is only read. */
static void
test_transient(void **state)
{
    const Place *place = *state;
    g_autofree char *disk = disk_of(place, "odd.raw", "raw", "cache='none'",
                                    "<transient shareBacking='yes'/>");
    g_autofree char *tool = g_find_program_in_path("qemu-img");
    g_autofree char *path = path_of(place, "odd.raw");
    g_autoptr(EngineResolved) one = NULL, other = NULL;
    json_t *device, *top, *base;
    uint8_t size[8];
    struct stat info;

    write_file(place, "odd.raw", "a sector that ends early", 24);
    if (!tool) {
        assert_refused(place, disk, VIR_ERR_SYSTEM_ERROR, "'qemu-img'");
        return;
    }
    one = resolve_disk(place, "a", disk, NULL);
    other = resolve_disk(place, "b", disk, NULL);
    assert_non_null(other);
    device = device_of(one);
    top = json_object_get(device, "drive");
    base = json_object_get(top, "backing");
    assert_string_equal(string_of(top, "format"), "qcow2");
    assert_true(json_is_true(json_object_get(top, "writable")));
    assert_int_equal(fstat(fd_of(top), &info), 0);
    assert_int_equal(info.st_nlink, 0);
    assert_int_equal(fcntl(fd_of(top), F_SETFL, 0), 0);
    assert_int_equal(pread(fd_of(top), size, sizeof(size), 24), sizeof(size));
    assert_int_equal(size[6] << 8 | size[7], 512);
    assert_string_equal(string_of(base, "path"), path);
    assert_true(json_is_false(json_object_get(base, "writable")));
    assert_int_equal(fcntl(fd_of(base), F_GETFL) & O_ACCMODE, O_RDONLY);
    json_decref(device);
}

static void
test_what_cannot_be_transient(void **state)
{
    static const char *const disks[] = {
        "<disk type='file'><source file='/i'/><target dev='vda'/><readonly/>"
        "<transient/></disk>",
        "<disk type='block'><source dev='/i'/><target dev='vda'/><transient/>"
        "</disk>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autoptr(ConfDevice) device = conf_device_parse(disks[i], 0, NULL);
        g_autoptr(GError) error = NULL;

        assert_false(conf_device_check_start(device, NULL, &error));
        assert_non_null(strstr(error->message, "<transient>"));
    }
}

/* --- on a SCSI controller ---------------------------------------------------
 */
/* Device @index; owned */
static json_t *
nth_device(const EngineResolved *resolved, size_t index)
{
    g_autofree char *text = engine_resolved_document(resolved, -1);
    json_t *root = json_loads(text, 0, NULL);
    json_t *device =
        json_incref(json_array_get(json_object_get(root, "devices"), index));

    json_decref(root);
    assert_non_null(device);
    return device;
}

static void
test_units(void **state)
{
    const Place *place = *state;
    g_autofree char *disks = g_strdup_printf(
        "<disk type='file'><driver name='qemu' type='raw' discard='unmap' "
        "cache='writethrough'/><source file='%s/a.raw'/><target dev='sdb' "
        "bus='scsi' rotation_rate='7200'/><serial>a serial number of 24 "
        "bytes</serial><wwn>5000c50015ea71ac</wwn><vendor>ACME</vendor>"
        "<product>Anvil</product></disk>"
        "<disk type='file' device='cdrom'><target dev='sdc' bus='scsi'/></disk>"
        "<controller type='scsi' index='0'><driver queues='2' iothread='7' "
        "packed='on'/></controller>",
        place->folder);
    g_autoptr(EngineResolved) resolved = resolve_disk(place, "a", disks, NULL);
    json_t *controller = nth_device(resolved, 0);
    json_t *disk = nth_device(resolved, 1), *disc = nth_device(resolved, 2);
    json_t *expected = json_pack(
        "{s:s,s:s,s:i,s:i,s:b,s:i,s:i}", "type", "virtio-scsi", "id", "scsi0",
        "slot", 3, "function", 0, "packed", 1, "queues", 2, "iothread", 1);

    assert_true(json_equal(controller, expected));
    json_decref(expected);
    expected = json_pack(
        "{s:s,s:s,s:s,s:s,s:i,s:i,s:O,s:s,s:s,s:s,s:s,s:i,s:b,s:s,s:b}", "type",
        "unit", "id", "scsi0-0-0-1", "device", "disk", "controller", "scsi0",
        "target", 0, "lun", 1, "drive", json_object_get(disk, "drive"),
        "serial", "a serial number of 24 bytes", "vendor", "ACME", "product",
        "Anvil", "wwn", "5000c50015ea71ac", "rotation_rate", 7200, "readonly",
        0, "discard", "unmap", "write_cache", 0);
    assert_true(json_equal(disk, expected));
    json_decref(expected);
    expected = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:b}", "type", "unit", "id",
                         "scsi0-0-0-2", "device", "cdrom", "controller",
                         "scsi0", "target", 0, "lun", 2, "readonly", 1);
    assert_true(json_equal(disc, expected));
    json_decref(expected);
    json_decref(controller);
    json_decref(disk);
    json_decref(disc);
}

static void
test_missing_media(void **state)
{
    static const char disc[] =
        "<disk type='file' device='cdrom'><source file='%s/none.iso' "
        "startupPolicy='%s'/><target dev='sda' bus='scsi'/></disk>";
    const Place *place = *state;
    g_autofree char *needed = g_strdup_printf(disc, place->folder, "requisite");
    g_autofree char *optional =
        g_strdup_printf(disc, place->folder, "optional");
    g_autoptr(ConfDomain) domain = domain_with(place, "a", optional);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    EngineResolveContext context = { .run_dir = place->run,
                                     .warnings = warnings };
    g_autoptr(EngineResolved) resolved = engine_resolve(domain, &context, NULL);
    json_t *device = nth_device(resolved, 1);

    assert_null(json_object_get(device, "drive"));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "none.iso"));
    assert_true(conf_disk_is_empty(conf_domain_disk(domain, "sda")));
    json_decref(device);
    assert_refused(place, needed, VIR_ERR_SYSTEM_ERROR, "none.iso");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_queues_by_themselves),
        cmocka_unit_test(test_readonly_is_opened_so),
        cmocka_unit_test(test_direct),
        cmocka_unit_test(test_chain_of_the_images),
        cmocka_unit_test(test_chain_of_the_document),
        cmocka_unit_test(test_names_that_reach_outside),
        cmocka_unit_test(test_deep_chains_end),
        cmocka_unit_test(test_bad_heads),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_backing_images_are_not_written),
        cmocka_unit_test(test_what_is_no_image),
        cmocka_unit_test(test_one_device_alone),
        cmocka_unit_test(test_transient),
        cmocka_unit_test(test_what_cannot_be_transient),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_missing_media),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
