/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/fd.h"

/* A folder with a kernel, an initrd and room for what is opened. */
typedef struct Place {
    char *folder;
    char *kernel;
    char *initrd;
} Place;

static int
setup(void **state)
{
    Place *place = g_new0(Place, 1);

    place->folder = g_dir_make_tmp("virtkvm-resolve-XXXXXX", NULL);
    assert_non_null(place->folder);
    place->kernel = g_build_filename(place->folder, "kernel", NULL);
    place->initrd = g_build_filename(place->folder, "initrd", NULL);
    assert_true(g_file_set_contents(place->kernel, "kernel", -1, NULL));
    assert_true(g_file_set_contents(place->initrd, "initrd", -1, NULL));
    *state = place;
    return 0;
}

static int
teardown(void **state)
{
    Place *place = *state;
    GDir *dir = g_dir_open(place->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(place->folder, name, NULL);

        assert_int_equal(g_remove(path), 0);
    }
    g_dir_close(dir);
    assert_int_equal(g_rmdir(place->folder), 0);
    g_free(place->folder);
    g_free(place->kernel);
    g_free(place->initrd);
    g_free(place);
    return 0;
}

static ConfDomain *
domain_with(const Place *place, const char *rest)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory unit='KiB'>65537</memory>"
        "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>"
        "<kernel>%s</kernel><initrd>%s</initrd><cmdline>quiet</cmdline></os>"
        "%s</domain>",
        place->kernel, place->initrd, rest);
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    assert_null(error);
    return domain;
}

static EngineResolved *
resolve(ConfDomain *domain, unsigned flags, const char *cache_dir,
        GError **error)
{
    EngineResolveContext context = { .flags = flags, .cache_dir = cache_dir };

    return engine_resolve(domain, &context, error);
}

static EngineConfig *
config_of(const EngineResolved *resolved, int first_fd)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *json = engine_resolved_document(resolved, first_fd);
    EngineConfig *config = engine_config_parse(json, &error);

    assert_null(error);
    return config;
}

static void
test_document_is_what_the_engine_reads(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfDomain) domain = domain_with(
        *state,
        "<vcpu current='2'>4</vcpu><features><acpi/><kvm><hidden state='on'/>"
        "</kvm></features><cpu mode='custom' "
        "check='none'><model>Nehalem</model>"
        "<topology sockets='2' cores='2' threads='1'/><feature "
        "policy='disable' "
        "name='vmx'/></cpu><clock offset='variable' adjustment='3600'><timer "
        "name='kvmclock' present='no'/><timer name='tsc' frequency='2000000000'"
        "/><timer name='pit' "
        "tickpolicy='delay'/></clock><on_reboot>destroy</"
        "on_reboot><on_crash>preserve</on_crash>"
        "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'><v:debug-exit/>"
        "</v:config></metadata>");
    g_autoptr(EngineResolved) resolved =
        resolve(domain, ENGINE_RESOLVE_PAUSED, NULL, &error);
    g_autoptr(EngineConfig) config = NULL;

    assert_null(error);
    config = config_of(resolved, 3);
    assert_string_equal(config->name, "a");
    assert_int_equal(config->machine, ENGINE_MACHINE_PC);
    assert_int_equal(config->memory, 65540 * 1024);
    assert_int_equal(config->vcpus, 2);
    assert_int_equal(config->cpu.sockets, 2);
    assert_int_equal(config->cpu.cores, 2);
    assert_int_equal(config->cpu.mode, ENGINE_CPU_CUSTOM);
    assert_string_equal(config->cpu.model, "Nehalem");
    assert_true(config->cpu.unchecked);
    assert_int_equal(config->cpu.n_features, 1);
    assert_string_equal(config->cpu.features[0].name, "vmx");
    assert_int_equal(config->cpu.features[0].policy, ENGINE_CPU_POLICY_DISABLE);
    assert_string_equal(config->cmdline, "quiet");
    assert_int_equal(config->kernel.fd, 3);
    assert_int_equal(config->initrd.fd, 4);
    assert_true(config->acpi && config->apic && config->kvm_hidden);
    assert_int_equal(config->clock_offset_s, 3600);
    assert_false(config->kvmclock);
    assert_true(config->pit && config->pit_late_ticks);
    assert_int_equal(config->tsc_hz, 2000000000);
    assert_int_equal(config->on_reboot, ENGINE_ACTION_DESTROY);
    assert_int_equal(config->on_crash, ENGINE_ACTION_PRESERVE);
    assert_true(config->debug_exit);
    assert_true(config->paused);
}

static void
test_fds_are_high_and_private(void **state)
{
    g_autoptr(ConfDomain) domain =
        domain_with(*state, "<devices><serial type='pty'/></devices>");
    g_autoptr(EngineResolved) resolved = resolve(domain, 0, NULL, NULL);
    size_t count;
    const int *fds = engine_resolved_fds(resolved, &count);

    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_true(fds[i] >= ENGINE_RESOLVE_FD_MIN);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
    }
}

static void
test_free_closes(void **state)
{
    g_autoptr(ConfDomain) domain =
        domain_with(*state, "<devices><serial type='pty'/></devices>");
    EngineResolved *resolved = resolve(domain, 0, NULL, NULL);
    size_t count;
    int fd = engine_resolved_fds(resolved, &count)[2];

    engine_resolved_free(resolved);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_pty_path_goes_into_the_definition(void **state)
{
    g_autoptr(ConfDomain) domain =
        domain_with(*state, "<devices><console type='pty'/></devices>");
    g_autoptr(EngineResolved) resolved = resolve(domain, 0, NULL, NULL);
    const ConfChardev *serial = g_ptr_array_index(domain->serials, 0);
    const ConfChardev *console = g_ptr_array_index(domain->consoles, 0);
    g_autoptr(EngineConfig) config = config_of(resolved, -1);

    assert_true(g_str_has_prefix(serial->path, "/dev/pts/"));
    assert_string_equal(console->tty, serial->path);
    assert_true(config->serials[0].present);
    assert_int_equal(config->serials[0].chardev.type, ENGINE_CHARDEV_PTY);
    assert_int_equal(access(serial->path, R_OK | W_OK), 0);
}

/* What @text is written through serial 0's descriptor. */
static void
write_serial(const EngineResolved *resolved, const char *text)
{
    g_autoptr(EngineConfig) config = config_of(resolved, -1);

    assert_int_equal(config->serials[0].chardev.type, ENGINE_CHARDEV_FD);
    assert_true(
        fd_write_all(config->serials[0].chardev.fd, text, strlen(text)));
    if (config->serials[0].chardev.log_fd >= 0)
        assert_true(fd_write_all(config->serials[0].chardev.log_fd, text,
                                 strlen(text)));
}

static void
assert_file(const char *path, const char *text)
{
    g_autofree char *found = NULL;

    assert_true(g_file_get_contents(path, &found, NULL, NULL));
    assert_string_equal(found, text);
}

static void
test_file_appends_or_not(void **state)
{
    const Place *place = *state;
    g_autofree char *out = g_build_filename(place->folder, "out", NULL);
    g_autofree char *log = g_build_filename(place->folder, "log", NULL);
    static const char *const expected[] = { "one", "onetwo", "three" };
    static const char *const texts[] = { "one", "two", "three" };

    for (int i = 0; i < 3; i++) {
        g_autofree char *rest =
            g_strdup_printf("<devices><serial type='file'><source path='%s'%s/>"
                            "<log file='%s' append='on'/></serial></devices>",
                            out, i == 1 ? " append='on'" : "", log);
        g_autoptr(ConfDomain) domain = domain_with(place, rest);
        g_autoptr(EngineResolved) resolved = resolve(domain, 0, NULL, NULL);

        write_serial(resolved, texts[i]);
        assert_file(out, expected[i]);
    }
    assert_file(log, "onetwothree");
}

static void
test_unix_both_ways(void **state)
{
    const Place *place = *state;
    g_autofree char *path = g_build_filename(place->folder, "sock", NULL);
    g_autofree char *bind_xml = g_strdup_printf(
        "<devices><serial type='unix'><source mode='bind' path='%s'/></serial>"
        "</devices>",
        path);
    g_autofree char *connect_xml = g_strdup_printf(
        "<devices><serial type='unix'><source mode='connect' path='%s'/>"
        "</serial></devices>",
        path);
    g_autoptr(ConfDomain) server = domain_with(place, bind_xml);
    g_autoptr(ConfDomain) client = domain_with(place, connect_xml);
    g_autoptr(EngineResolved) stale = resolve(server, 0, NULL, NULL);
    g_autoptr(EngineResolved) listening = resolve(server, 0, NULL, NULL);
    g_autoptr(EngineResolved) connected = resolve(client, 0, NULL, NULL);
    g_autoptr(EngineConfig) config = NULL;
    g_auto(Fd) peer = -1;
    char text[4] = "";

    assert_non_null(stale);
    assert_non_null(listening);
    assert_non_null(connected);
    config = config_of(listening, -1);
    assert_int_equal(config->serials[0].chardev.type, ENGINE_CHARDEV_LISTEN);
    peer = accept(config->serials[0].chardev.fd, NULL, NULL);
    assert_true(peer >= 0);
    write_serial(connected, "abc");
    assert_int_equal(fd_read_all(peer, text, 3), 3);
    assert_string_equal(text, "abc");
    engine_resolve_cleanup(client);
    assert_int_equal(access(path, F_OK), 0);
    engine_resolve_cleanup(server);
    assert_int_equal(access(path, F_OK), -1);
}

static void
test_tcp_both_ways(void **state)
{
    const Place *place = *state;
    g_autoptr(ConfDomain) server =
        domain_with(place, "<devices><serial type='tcp'><source mode='bind' "
                           "host='127.0.0.1' service='0'/></serial></devices>");
    g_autoptr(EngineResolved) listening = resolve(server, 0, NULL, NULL);
    g_autoptr(EngineConfig) config = NULL;
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    char port[8];

    assert_non_null(listening);
    config = config_of(listening, -1);
    assert_int_equal(getsockname(config->serials[0].chardev.fd,
                                 (struct sockaddr *)&address, &size),
                     0);
    g_snprintf(
        port, sizeof(port), "%u",
        (unsigned)(((uint8_t *)&address)[2] << 8 | ((uint8_t *)&address)[3]));
    g_autofree char *xml =
        g_strdup_printf("<devices><serial type='tcp'><source mode='connect' "
                        "host='127.0.0.1' service='%s'/></serial></devices>",
                        port);
    g_autoptr(ConfDomain) client = domain_with(place, xml);
    g_autoptr(EngineResolved) connected = resolve(client, 0, NULL, NULL);

    assert_non_null(connected);
    write_serial(connected, "abc");
}

/* A bzImage as small as can be, whose payload is an uncompressed ELF header. */
static void
write_bzimage(const char *path)
{
    g_autofree guint8 *image = g_malloc0(1024 + 128);

    image[0x1f1] = 1; /* setup_sects */
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f;
    image[0x207] = 0x02; /* protocol 2.15 */
    image[0x24c] = 120;  /* payload_length; payload_offset is 0 */
    memcpy(image + 1024,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    assert_true(
        g_file_set_contents(path, (const char *)image, 1024 + 128, NULL));
}

static ssize_t
kernel_size(const EngineResolved *resolved)
{
    g_autoptr(EngineConfig) config = config_of(resolved, -1);
    struct stat info;

    assert_int_equal(fstat(config->kernel.fd, &info), 0);
    return info.st_size;
}

static void
remove_cache(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        assert_int_equal(g_remove(path), 0);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(folder);
}

static void
test_kernel_is_unpacked_unless_told_not_to(void **state)
{
    const Place *place = *state;
    Place packed = *place;
    g_autofree char *cache = g_build_filename(place->folder, "kernels", NULL);
    g_autoptr(ConfDomain) plain = NULL, asked = NULL;
    g_autoptr(EngineResolved) unpacked = NULL, kept = NULL, uncached = NULL;

    packed.kernel = packed.initrd;
    write_bzimage(packed.kernel);
    plain = domain_with(&packed, "");
    asked = domain_with(
        &packed, "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'>"
                 "<v:kernel-unpack enabled='no'/></v:config></metadata>");
    unpacked = resolve(plain, 0, place->folder, NULL);
    kept = resolve(asked, 0, place->folder, NULL);
    uncached = resolve(plain, 0, NULL, NULL);
    assert_true(kernel_size(unpacked) < 1024);
    assert_int_equal(kernel_size(kept), 1024 + 128);
    assert_int_equal(kernel_size(uncached), 1024 + 128);
    remove_cache(cache);
}

static void
assert_unresolved(ConfDomain *domain, virErrorNumber code, const char *words)
{
    g_autoptr(ConfDomain) owned = domain;
    g_autoptr(GError) error = NULL;

    assert_null(resolve(owned, 0, NULL, &error));
    assert_int_equal(error_code(error), code);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
}

static void
test_refusals_name_the_file(void **state)
{
    const Place *place = *state;
    Place odd = *place;
    g_autofree char *fifo = g_build_filename(place->folder, "fifo", NULL);
    g_autofree char *rest = g_strdup_printf(
        "<devices><serial type='file'><source path='%s'/></serial></devices>",
        fifo);

    odd.kernel = (char *)"/nonexistent/kernel";
    assert_unresolved(domain_with(&odd, ""), VIR_ERR_SYSTEM_ERROR,
                      "'/nonexistent/kernel'");
    odd.kernel = place->folder;
    assert_unresolved(domain_with(&odd, ""), VIR_ERR_SYSTEM_ERROR,
                      "not a regular file");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    odd.kernel = fifo;
    assert_unresolved(domain_with(&odd, ""), VIR_ERR_SYSTEM_ERROR, "/fifo'");
    assert_unresolved(domain_with(place, rest), VIR_ERR_SYSTEM_ERROR, "/fifo'");
    assert_unresolved(
        domain_with(place, "<devices><serial type='stdio'/></devices>"),
        VIR_ERR_CONFIG_UNSUPPORTED, "'stdio'");
    assert_unresolved(
        domain_with(place,
                    "<devices><serial type='unix'><source mode='connect' "
                    "path='/nonexistent/s'/></serial></devices>"),
        VIR_ERR_SYSTEM_ERROR, "'/nonexistent/s'");
    assert_unresolved(domain_with(place, "<clock offset='timezone' "
                                         "timezone='Nowhere/Atlantis'/>"),
                      VIR_ERR_CONFIG_UNSUPPORTED, "'Nowhere/Atlantis'");
}

static void
test_by_hand_the_terminal_is_the_console(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        *state, "<devices><serial type='pty'/><serial type='pty'/></devices>");
    g_autoptr(EngineResolved) resolved =
        resolve(domain, ENGINE_RESOLVE_BY_HAND, NULL, NULL);
    g_autoptr(EngineConfig) config = config_of(resolved, -1);

    assert_int_equal(config->serials[0].chardev.type, ENGINE_CHARDEV_STDIO);
    assert_int_equal(config->serials[1].chardev.type, ENGINE_CHARDEV_PTY);
}

static void
test_rng_after_the_balloon(void **state)
{
    g_autoptr(ConfDomain) domain = domain_with(
        *state,
        "<devices><rng model='virtio'><rate bytes='64' period='20'/>"
        "<backend model='random'>/dev/random</backend><driver packed='on'/>"
        "</rng><rng model='virtio'><backend model='builtin'/><address "
        "type='pci' bus='0x05' slot='0x04'/></rng></devices>");
    g_autoptr(EngineResolved) resolved = resolve(domain, 0, NULL, NULL);
    g_autoptr(EngineConfig) config = config_of(resolved, -1);

    assert_int_equal(config->n_devices, 3);
    assert_string_equal(config->devices[0]->id, "balloon0");
    assert_int_equal(config->devices[0]->slot, 3);
    assert_string_equal(config->devices[1]->id, "rng0");
    assert_int_equal(config->devices[1]->slot, 4);
    assert_true(config->devices[1]->packed);
    assert_int_equal(config->devices[1]->rng.bytes, 64);
    assert_int_equal(config->devices[1]->rng.period_ms, 20);
    assert_string_equal(config->devices[2]->id, "rng1");
    assert_int_equal(config->devices[2]->slot, 5); /* free on bus 0 */
    assert_int_equal(config->devices[2]->rng.bytes, 0);
    for (unsigned i = 1; i < 3; i++) {
        uint8_t byte;

        assert_int_equal(read(config->devices[i]->rng.fd, &byte, 1), 1);
    }
}

static void
test_rng_source_is_a_device(void **state)
{
    const Place *place = *state;
    const char *const paths[] = { place->kernel, place->folder,
                                  "/nonexistent/random" };

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *rng = g_strdup_printf(
            "<devices><rng model='virtio'><backend model='random'>%s</backend>"
            "</rng></devices>",
            paths[i]);
        g_autoptr(ConfDomain) domain = domain_with(place, rng);

        assert_null(resolve(domain, 0, NULL, &error));
        assert_non_null(strstr(error->message, paths[i]));
        assert_true(g_str_has_prefix(error->message, "<rng>: "));
    }
}

/* @os: beside <type>; the domain has two disks and an interface */
static EngineConfig *
boot_config(const Place *place, const char *os, const char *orders[3])
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory unit='KiB'>65536</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type>%s"
        "</os><devices><disk type='file'><driver name='qemu' type='raw'/>"
        "<source file='%s'/><target dev='vda' bus='virtio'/>%s<readonly/>"
        "</disk><disk type='file'><driver name='qemu' type='raw'/>"
        "<source file='%s'/><target dev='vdb' bus='virtio'/>%s<readonly/>"
        "</disk><interface type='user'><model type='virtio'/>%s</interface>"
        "</devices></domain>",
        os, place->kernel, orders[0], place->initrd, orders[1], orders[2]);
    g_autoptr(ConfDomain) domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);
    g_autoptr(EngineResolved) resolved = NULL;

    assert_null(error);
    resolved = resolve(domain, 0, NULL, &error);
    if (error)
        fail_msg("%s", error->message);
    return config_of(resolved, 100);
}

static const char *const no_orders[3] = { "", "", "" };

/* Returns: the bootindex of the device that is called so */
static unsigned
bootindex(const EngineConfig *config, const char *id)
{
    for (size_t i = 0; i < config->n_devices; i++)
        if (strcmp(config->devices[i]->id, id) == 0)
            return config->devices[i]->bootindex;
    fail_msg("no device '%s'", id);
    return 0;
}

static char *
rom_loader(const Place *place)
{
    return g_strdup_printf("<loader type='rom'>%s</loader>", place->kernel);
}

static void
test_boot_devices(void **state)
{
    g_autofree char *loader = rom_loader(*state);
    g_autofree char *os = g_strconcat(
        loader,
        "<boot dev='network'/><boot dev='cdrom'/><boot dev='hd'/><boot "
        "dev='hd'/><bootmenu enable='yes' timeout='2500'/><bios "
        "useserial='no' rebootTimeout='700'/>",
        NULL);
    g_autoptr(EngineConfig) config =
        boot_config(*state, os, (const char **)no_orders);

    assert_true(engine_config_has_firmware(config));
    assert_int_equal(config->firmware.type, ENGINE_FIRMWARE_ROM);
    assert_false(engine_file_is_named(&config->kernel));
    assert_int_equal(bootindex(config, "net0"), 1);
    assert_int_equal(bootindex(config, "virtio-disk0"), 3);
    assert_int_equal(bootindex(config, "virtio-disk1"), 0);
    assert_true(config->boot.menu);
    assert_int_equal(config->boot.menu_timeout_ms, 2500);
    assert_int_equal(config->boot.reboot_timeout_ms, 700);
    assert_false(config->boot.serial);
}

static void
test_boot_orders(void **state)
{
    const char *orders[3] = { "<boot order='7'/>", "<boot order='2'/>", "" };
    g_autofree char *loader = rom_loader(*state);
    g_autoptr(EngineConfig) config = boot_config(*state, loader, orders);

    assert_int_equal(bootindex(config, "virtio-disk0"), 7);
    assert_int_equal(bootindex(config, "virtio-disk1"), 2);
    assert_int_equal(bootindex(config, "net0"), 0);
    assert_false(config->boot.menu);
    assert_true(config->boot.serial);
    assert_int_equal(config->boot.reboot_timeout_ms, -1);
}

static void
test_first_disk_is_the_default(void **state)
{
    g_autofree char *loader = rom_loader(*state);
    g_autoptr(EngineConfig) config =
        boot_config(*state, loader, (const char **)no_orders);

    assert_int_equal(bootindex(config, "virtio-disk0"), 1);
    assert_int_equal(bootindex(config, "virtio-disk1"), 0);
}

static void
test_roms(void **state)
{
    const Place *place = *state;
    g_autofree char *loader = rom_loader(place);
    g_autofree char *given = g_strdup_printf("<rom file='%s'/>", place->initrd);
    const struct {
        const char *orders[3];
        bool rom;
    } cases[] = {
        { { "<boot order='1'/>", "", given }, true },
        { { "<boot order='1'/>", "", "" }, false },
        { { "", "", "<boot order='1'/><rom enabled='no'/>" }, false },
        { { "", "", "<boot order='1'/><rom bar='off' file='/x'/>" }, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(EngineConfig) config =
            boot_config(place, loader, (const char **)cases[i].orders);
        const EngineDeviceConfig *net = config->devices[0];

        for (size_t k = 0; net->kind != ENGINE_DEVICE_VIRTIO_NET; k++)
            net = config->devices[k];
        assert_int_equal(net->rom != NULL, cases[i].rom);
        if (cases[i].rom)
            assert_string_equal(net->rom->path, place->initrd);
    }
}

/* A kernel is started as ever, whatever else is said about booting. */
static void
test_kernel_needs_no_firmware(void **state)
{
    const Place *place = *state;
    g_autofree char *os = g_strdup_printf(
        "<kernel>%s</kernel><boot dev='hd'/><bootmenu enable='yes'/>",
        place->kernel);
    g_autoptr(EngineConfig) config =
        boot_config(place, os, (const char **)no_orders);

    assert_false(engine_config_has_firmware(config));
    assert_int_equal(bootindex(config, "virtio-disk0"), 0);
    assert_false(config->boot.menu);
}

/* What <sysinfo> says, under the engine's names */
static void
test_smbios(void **state)
{
    const Place *place = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory>"
        "<sysinfo type='smbios'><bios><entry name='vendor'>V</entry></bios>"
        "<system><entry name='serial'>S</entry><entry name='other'>O</entry>"
        "</system><baseBoard><entry name='asset'>A</entry></baseBoard>"
        "<baseBoard/><chassis><entry name='sku'>K</entry></chassis>"
        "<oemStrings><entry>one</entry><entry>two</entry></oemStrings>"
        "</sysinfo><os><type>hvm</type><kernel>%s</kernel>"
        "<smbios mode='sysinfo'/></os></domain>",
        place->kernel);
    g_autoptr(ConfDomain) domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);
    g_autoptr(EngineResolved) resolved = resolve(domain, 0, NULL, &error);
    g_autoptr(EngineConfig) config = config_of(resolved, 3);

    assert_string_equal(config->smbios.bios.vendor, "V");
    assert_null(config->smbios.bios.version);
    assert_string_equal(config->smbios.system.serial, "S");
    assert_int_equal(config->smbios.n_boards, 2);
    assert_string_equal(config->smbios.boards[0].asset, "A");
    assert_string_equal(config->smbios.chassis.sku, "K");
    assert_int_equal(config->smbios.n_oem_strings, 2);
    assert_string_equal(config->smbios.oem_strings[1], "two");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document_is_what_the_engine_reads),
        cmocka_unit_test(test_smbios),
        cmocka_unit_test(test_fds_are_high_and_private),
        cmocka_unit_test(test_free_closes),
        cmocka_unit_test(test_pty_path_goes_into_the_definition),
        cmocka_unit_test(test_file_appends_or_not),
        cmocka_unit_test(test_unix_both_ways),
        cmocka_unit_test(test_tcp_both_ways),
        cmocka_unit_test(test_kernel_is_unpacked_unless_told_not_to),
        cmocka_unit_test(test_refusals_name_the_file),
        cmocka_unit_test(test_by_hand_the_terminal_is_the_console),
        cmocka_unit_test(test_rng_after_the_balloon),
        cmocka_unit_test(test_rng_source_is_a_device),
        cmocka_unit_test(test_boot_devices),
        cmocka_unit_test(test_boot_orders),
        cmocka_unit_test(test_first_disk_is_the_default),
        cmocka_unit_test(test_roms),
        cmocka_unit_test(test_kernel_needs_no_firmware),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
