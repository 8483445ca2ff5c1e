/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "conf/domain.h"
#include "util/error.h"

#define HEAD "<domain type='kvm'><name>a</name><memory>65536</memory>"
#define OS                                             \
    "<os><type arch='x86_64' machine='q35'>hvm</type>" \
    "<kernel>/boot/vmlinuz</kernel></os>"

static ConfDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    ConfDomain *domain = conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error);

    assert_null(error);
    assert_non_null(domain);
    return domain;
}

static void
assert_refused(const char *xml, virErrorNumber code, const char *words)
{
    g_autoptr(GError) error = NULL;

    assert_null(conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error));
    assert_non_null(error);
    assert_int_equal(error_code(error), code);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
}

static void
test_defaults_are_libvirts(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD "<os><type>hvm</type></os>"
                                              "</domain>");
    static const unsigned char none[VIR_UUID_BUFLEN];

    assert_string_equal(domain->name, "a");
    assert_memory_not_equal(domain->uuid, none, sizeof(none));
    assert_int_equal(domain->memory.memory_kib, 65536);
    assert_int_equal(domain->memory.current_kib, 65536);
    assert_int_equal(domain->vcpus.max, 1);
    assert_string_equal(domain->os.arch, "x86_64");
    assert_string_equal(domain->os.machine, "q35");
    assert_int_equal(domain->on_poweroff, CONF_ACTION_DESTROY);
    assert_int_equal(domain->on_reboot, CONF_ACTION_RESTART);
    assert_int_equal(domain->on_crash, CONF_ACTION_DESTROY);
    assert_int_equal(domain->clock.offset, CONF_CLOCK_UTC);
    assert_int_equal(domain->live.id, -1);
    assert_int_equal(domain->serials->len, 0);
    assert_false(conf_domain_feature(domain, "acpi", false));
    assert_true(conf_domain_feature(domain, "apic", true));
}

static void
test_console_makes_serial(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS "<devices><console type='file'><source path='/tmp/c'/>"
                      "</console></devices></domain>");
    const ConfChardev *serial;

    assert_int_equal(domain->serials->len, 1);
    serial = g_ptr_array_index(domain->serials, 0);
    assert_int_equal(serial->type, CONF_CHARDEV_FILE);
    assert_string_equal(serial->path, "/tmp/c");
    assert_string_equal(serial->target_type, "isa-serial");
    assert_int_equal(serial->port, 0);
    assert_ptr_equal(conf_domain_console(domain, NULL), serial);
}

static void
test_serial_makes_console(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD OS "<devices><serial type='pty'>"
                                                 "<target port='2'/></serial>"
                                                 "</devices></domain>");
    const ConfChardev *console;

    assert_int_equal(domain->consoles->len, 1);
    console = g_ptr_array_index(domain->consoles, 0);
    assert_string_equal(console->target_type, "serial");
    assert_int_equal(console->port, 2);
}

static void
test_live_paths_are_not_kept(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD OS "<devices><serial type='pty'/>"
                                                 "</devices></domain>");
    ConfChardev *serial = g_ptr_array_index(domain->serials, 0);
    g_autofree char *live = NULL, *inactive = NULL;

    domain->live.id = 7;
    serial->path = g_strdup("/dev/pts/9");
    conf_domain_assign_live(domain);
    live = conf_domain_format(domain, 0);
    assert_non_null(strstr(live, "<domain type='kvm' id='7'>"));
    assert_non_null(strstr(live, "<serial type='pty'>\n"
                                 "      <source path='/dev/pts/9'/>\n"));
    assert_non_null(strstr(live, "<console type='pty' tty='/dev/pts/9'>\n"
                                 "      <source path='/dev/pts/9'/>\n"));
    assert_non_null(strstr(live, "<alias name='serial0'/>"));
    assert_ptr_equal(conf_domain_console(domain, "serial0"), serial);
    assert_null(conf_domain_console(domain, "serial1"));
    inactive = conf_domain_format(domain, CONF_FORMAT_INACTIVE);
    assert_null(strstr(inactive, "id='7'"));
    assert_null(strstr(inactive, "/dev/pts/9"));
    assert_null(strstr(inactive, "alias"));
}

static void
test_status_keeps_what_is_live(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD OS "<devices><serial type='pty'/>"
                                                 "</devices></domain>");
    g_autoptr(ConfDomain) again = NULL;
    g_autofree char *before = NULL, *after = NULL;
    ConfChardev *serial = g_ptr_array_index(domain->serials, 0);

    domain->live.id = 7;
    serial->path = g_strdup("/dev/pts/9");
    conf_domain_assign_live(domain);
    before = conf_domain_format(domain, CONF_FORMAT_STATUS);
    again = conf_domain_parse(before, CONF_PARSE_STATUS, NULL);
    assert_non_null(again);
    assert_int_equal(again->live.id, 7);
    after = conf_domain_format(again, CONF_FORMAT_STATUS);
    assert_string_equal(before, after);
}

static const char *
balloon_of(const ConfDomain *domain)
{
    const ConfMemballoon *balloon = conf_domain_memballoon(domain);

    return balloon ? balloon->model : NULL;
}

/* One is added where the document has nothing to say. */
static void
test_each_guest_has_a_balloon(void **state)
{
    g_autoptr(ConfDomain) silent = parse(HEAD OS "</domain>");
    g_autoptr(ConfDomain) without = parse(HEAD OS "<devices><memballoon "
                                                  "model='none'/></devices>"
                                                  "</domain>");
    g_autoptr(ConfDomain) given =
        parse(HEAD OS "<devices><memballoon model='virtio-non-transitional'/>"
                      "</devices></domain>");
    g_autoptr(ConfDomain) small =
        parse(HEAD "<os><type machine='microvm'>hvm</type></os></domain>");

    assert_string_equal(balloon_of(silent), "virtio");
    assert_int_equal(silent->memballoons->len, 1);
    assert_null(balloon_of(without));
    assert_int_equal(without->memballoons->len, 1);
    assert_string_equal(balloon_of(given), "virtio-non-transitional");
    assert_int_equal(given->memballoons->len, 1);
    assert_int_equal(small->memballoons->len, 0);
}

/* A guest that runs has no other devices than those of its start. */
static void
test_status_gets_no_balloon(void **state)
{
    g_autoptr(ConfDomain) running =
        conf_domain_parse(HEAD OS "</domain>", CONF_PARSE_STATUS, NULL);

    assert_int_equal(running->memballoons->len, 0);
}

static void
test_copy_is_equal_and_separate(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS "<cpu mode='host-model'><feature name='avx2' "
                      "policy='disable'/></cpu><clock><timer name='tsc'/>"
                      "</clock><devices><disk type='file'><source file='/a'/>"
                      "<backingStore type='file'><format type='raw'/><source "
                      "file='/b'/><backingStore/></backingStore><target "
                      "dev='vda'/></disk><interface type='user'>"
                      "<portForward proto='tcp'><range start='22'/>"
                      "</portForward></interface><channel type='unix'>"
                      "<target type='virtio' name='a'/></channel>"
                      "<memballoon model='virtio'/><panic/>"
                      "<serial type='pty'/>"
                      "</devices></domain>");
    ConfDomain *copy = conf_domain_copy(domain);
    g_autofree char *before = conf_domain_format(domain, 0);
    g_autofree char *copied = conf_domain_format(copy, 0);
    g_autofree char *after = NULL;

    assert_string_equal(before, copied);
    conf_domain_set_name(copy, "b");
    conf_domain_set_title(copy, "t");
    conf_domain_free(copy);
    after = conf_domain_format(domain, 0);
    assert_string_equal(before, after);
}

static void
test_refusals_carry_libvirts_words(void **state)
{
    assert_refused("<domain type='kvm'><memory>1</memory>" OS "</domain>",
                   VIR_ERR_NO_NAME, "missing name");
    assert_refused("<domain type='kvm'><name/><memory>1</memory>" OS
                   "</domain>",
                   VIR_ERR_NO_NAME, "missing name");
    assert_refused("<domain type='kvm'><name>a/b</name><memory>1</memory>" OS
                   "</domain>",
                   VIR_ERR_XML_ERROR, "name a/b cannot contain '/'");
    assert_refused("<domain type='kvm'><name>a\nb</name><memory>1</memory>" OS
                   "</domain>",
                   VIR_ERR_XML_DETAIL, "invalid char in name");
    assert_refused("<domain type='kvm'><name>..</name><memory>1</memory>" OS
                   "</domain>",
                   VIR_ERR_XML_ERROR, "not allowed");
    assert_refused("<domain type='kvm'><name>a</name>" OS "</domain>",
                   VIR_ERR_XML_ERROR, "Memory size must be specified");
    assert_refused("<domain type='kvm'><name>a</name><memory>0</memory>" OS
                   "</domain>",
                   VIR_ERR_XML_ERROR, "Memory size must be specified");
    assert_refused("<domain type='kvm'><name>a</name>"
                   "<memory unit='EiB'>500</memory>" OS "</domain>",
                   VIR_ERR_OVERFLOW, "value too large: 500EiB");
    assert_refused("<domain type='kvm'><name>a</name>"
                   "<memory unit='foo'>5</memory>" OS "</domain>",
                   VIR_ERR_INVALID_ARG, "unknown suffix 'foo'");
    assert_refused(HEAD OS "<vcpu>0</vcpu></domain>",
                   VIR_ERR_CONFIG_UNSUPPORTED, "at least one vCPU");
    assert_refused(HEAD OS "<vcpu current='3'>2</vcpu></domain>",
                   VIR_ERR_CONFIG_UNSUPPORTED,
                   "maximum vCPU count must not be less");
    assert_refused(HEAD OS "<vcpu>99999999999</vcpu></domain>",
                   VIR_ERR_XML_ERROR, "99999999999");
    assert_refused(HEAD "</domain>", VIR_ERR_XML_ERROR,
                   "an os <type> must be specified");
    assert_refused(HEAD OS "<uuid>zz</uuid></domain>", VIR_ERR_INTERNAL_ERROR,
                   "malformed uuid element");
    assert_refused("<domain><name>a</name></domain>", VIR_ERR_XML_ERROR,
                   "missing domain type attribute");
    assert_refused("<dom/>", VIR_ERR_XML_ERROR,
                   "expecting root element of 'domain', not 'dom'");
    assert_refused(HEAD OS "<name>b</name></domain>", VIR_ERR_XML_ERROR,
                   "<name> stands more than once");
    assert_refused(HEAD OS "<cpu><topology sockets='1' cores='2' threads='1'/>"
                           "</cpu></domain>",
                   VIR_ERR_CONFIG_UNSUPPORTED, "CPU topology doesn't match");
    assert_refused(HEAD OS "<devices><serial type='foo'/></devices></domain>",
                   VIR_ERR_CONFIG_UNSUPPORTED, "unknown type presented");
    assert_refused(HEAD OS "<devices><serial type='unix'/></devices></domain>",
                   VIR_ERR_XML_ERROR, "Missing source path attribute");
}

static void
test_errors_name_the_line(void **state)
{
    assert_refused("<domain type='kvm'>\n<name>a</name>\n<memory>x</memory>"
                   "\n</domain>",
                   VIR_ERR_XML_ERROR, "(line 3)");
    assert_refused("<domain>\n<name>a</nam></domain>", VIR_ERR_XML_DETAIL,
                   "(domain_definition):2:");
}

#define SYSINFO(SYSTEM) \
    "<sysinfo type='smbios'><system>" SYSTEM "</system></sysinfo>"
#define SYSINFO_UUID \
    "<entry name='uuid'>c7a5fdbd-edaf-9455-926a-d65c16db1809</entry>"

static void
test_sysinfo(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD OS SYSINFO(
        "<entry name='serial'>s</entry>" SYSINFO_UUID) "</domain>");
    const ConfSysinfo *sysinfo = conf_domain_sysinfo(domain);
    unsigned char uuid[VIR_UUID_BUFLEN];

    assert_string_equal(conf_sysinfo_value(sysinfo->system, "serial"), "s");
    assert_null(conf_sysinfo_value(sysinfo->system, "sku"));
    assert_true(conf_uuid_parse("c7a5fdbdedaf9455926ad65c16db1809", uuid));
    assert_memory_equal(domain->uuid, uuid, sizeof(uuid));
    assert_refused(
        HEAD OS "<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1800</uuid>" SYSINFO(
            SYSINFO_UUID) "</domain>",
        VIR_ERR_XML_DETAIL, "UUID mismatch between <uuid> and <sysinfo>");
    assert_refused(HEAD OS SYSINFO("<entry name='uuid'>x</entry>") "</domain>",
                   VIR_ERR_XML_DETAIL, "malformed <sysinfo> uuid element");
    assert_refused(HEAD OS "<sysinfo type='smbios'><bios><entry name='date'>"
                           "13/01/2024</entry></bios></sysinfo></domain>",
                   VIR_ERR_XML_DETAIL, "Invalid BIOS 'date' format");
}

/* A folder as the kernel's, with what its SMBIOS says */
static void
test_sysinfo_of_the_host(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("virtkvm-dmi-XXXXXX", NULL);
    g_autofree char *vendor = g_build_filename(folder, "sys_vendor", NULL);
    g_autofree char *board = g_build_filename(folder, "board_name", NULL);
    g_autofree char *xml = NULL;
    g_autoptr(ConfSysinfo) sysinfo = NULL;

    assert_null(conf_sysinfo_host(folder));
    assert_true(g_file_set_contents(vendor, "A & \001B\n", -1, NULL));
    assert_true(g_file_set_contents(board, "b\n", -1, NULL));
    sysinfo = conf_sysinfo_host(folder);
    xml = conf_sysinfo_format(sysinfo);
    assert_string_equal(xml, "<sysinfo type='smbios'>\n"
                             "  <system>\n"
                             "    <entry name='manufacturer'>A &amp; ?B"
                             "</entry>\n"
                             "  </system>\n"
                             "  <baseBoard>\n"
                             "    <entry name='product'>b</entry>\n"
                             "  </baseBoard>\n"
                             "</sysinfo>\n");
    assert_int_equal(g_remove(vendor), 0);
    assert_int_equal(g_remove(board), 0);
    assert_int_equal(g_rmdir(folder), 0);
}

/* Those of libvirt: a number makes the clock one with an offset of its own. */
static void
test_clock_adjustments(void **state)
{
    static const struct {
        const char *clock;
        ConfClockOffset offset;
        ConfClockBasis basis;
        int64_t adjustment_s;
    } cases[] = {
        { "<clock offset='utc' adjustment='-60'/>", CONF_CLOCK_VARIABLE,
          CONF_CLOCK_BASIS_UTC, -60 },
        { "<clock offset='localtime' adjustment='7'/>", CONF_CLOCK_VARIABLE,
          CONF_CLOCK_BASIS_LOCALTIME, 7 },
        { "<clock offset='variable' basis='localtime'/>", CONF_CLOCK_VARIABLE,
          CONF_CLOCK_BASIS_LOCALTIME, 0 },
        { "<clock offset='variable'/>", CONF_CLOCK_VARIABLE,
          CONF_CLOCK_BASIS_UTC, 0 },
        { "<clock offset='localtime' adjustment='reset'/>",
          CONF_CLOCK_LOCALTIME, CONF_CLOCK_BASIS_ABSENT, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strconcat(HEAD OS, cases[i].clock, "</domain>", NULL);
        g_autoptr(ConfDomain) domain = parse(xml);

        assert_int_equal(domain->clock.offset, cases[i].offset);
        assert_int_equal(domain->clock.basis, cases[i].basis);
        assert_int_equal(domain->clock.adjustment_s, cases[i].adjustment_s);
    }
    assert_refused(HEAD OS "<clock offset='variable' adjustment='reset'/>"
                           "</domain>",
                   VIR_ERR_XML_ERROR, "unknown clock adjustment 'reset'");
    assert_refused(HEAD OS "<clock adjustment='9223372036854775807'/></domain>",
                   VIR_ERR_XML_ERROR, "clock adjustment");
    assert_refused(HEAD OS "<clock offset='absolute' "
                           "start='9223372036854775808'/></domain>",
                   VIR_ERR_XML_ERROR, "'start'");
    assert_refused(HEAD OS "<clock offset='timezone'/></domain>",
                   VIR_ERR_XML_ERROR, "'timezone'");
}

/* From local time becomes from UTC when the domain starts, and stays it. */
static void
test_clock_settles(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS "<clock offset='localtime' adjustment='10'/></domain>");

    assert_true(g_setenv("TZ", "EST5", TRUE));
    for (unsigned i = 0; i < 2; i++) {
        conf_domain_assign_live(domain);
        assert_int_equal(domain->clock.basis, CONF_CLOCK_BASIS_UTC);
        assert_int_equal(domain->clock.adjustment_s, 10 - 5 * 3600);
        assert_string_equal(domain->clock.adjustment, "-17990");
    }
    g_unsetenv("TZ");
}

static bool
start(const char *xml, GPtrArray *warnings, char **ret_message)
{
    g_autoptr(ConfDomain) domain = parse(xml);
    g_autoptr(GError) error = NULL;
    bool fine = conf_domain_check_start(domain, warnings, &error);

    assert_true(fine == !error);
    if (error) {
        assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
        *ret_message = g_strdup(error->message);
    }
    return fine;
}

static void
assert_start_refused(const char *xml, const char *words)
{
    g_autofree char *message = NULL;

    assert_false(start(xml, NULL, &message));
    if (!strstr(message, words))
        fail_msg("'%s' lacks '%s'", message, words);
}

static void
test_start_refuses_by_name(void **state)
{
    assert_start_refused(HEAD OS "<devices><frobnicator/></devices></domain>",
                         "<frobnicator>");
    assert_start_refused(HEAD OS "<vcpu sideways='yes'>1</vcpu></domain>",
                         "'sideways' of <vcpu>");
    assert_start_refused(HEAD
                         "<os><type machine='microvm'>hvm</type></os></domain>",
                         "<kernel>");
    assert_start_refused(HEAD "<os><type>hvm</type><kernel>/k</kernel>"
                              "<loader>/l</loader></os></domain>",
                         "remove <loader>");
    assert_start_refused(HEAD "<os><type>hvm</type><boot dev='hd'/></os>"
                              "<devices><interface type='user'><model "
                              "type='virtio'/><boot order='1'/></interface>"
                              "</devices></domain>",
                         "os/boot");
    assert_start_refused(HEAD "<os><type>hvm</type></os>"
                              "<devices><interface type='user'><model "
                              "type='virtio'/><boot order='3'/></interface>"
                              "<interface type='user'><model type='virtio'/>"
                              "<boot order='3'/></interface></devices>"
                              "</domain>",
                         "boot order '3' used");
    assert_start_refused(HEAD "<os><type machine='microvm'>hvm</type><kernel>/k"
                              "</kernel><loader>/l</loader></os></domain>",
                         "a microvm has no firmware");
    assert_start_refused(HEAD "<os><type>hvm</type><loader secure='yes' "
                              "type='pflash'>/l</loader></os></domain>",
                         "'secure' of <loader> cannot be honoured: secure");
    assert_start_refused(HEAD "<os firmware='efi'><type>hvm</type><firmware>"
                              "<feature enabled='yes' name='secure-boot'/>"
                              "</firmware></os></domain>",
                         "'enabled' of <feature> cannot be honoured: secure");
    assert_start_refused(HEAD "<os firmware='efi'><type>hvm</type><kernel>/k"
                              "</kernel></os></domain>",
                         "UEFI firmware does not start the <kernel>");
    assert_start_refused(HEAD "<os><type>hvm</type><loader format='qcow2'>/l"
                              "</loader></os></domain>",
                         "'format' of <loader> cannot be honoured");
    assert_start_refused(HEAD "<os><type>hvm</type><loader type='pflash'>/l"
                              "</loader><nvram type='network'><source/></nvram>"
                              "</os></domain>",
                         "'type' of <nvram> cannot be honoured");
    assert_start_refused(HEAD OS "<cpu><numa/></cpu></domain>", "<numa>");
    assert_start_refused(HEAD OS "<cpu match='minimum'><model>Nehalem</model>"
                                 "</cpu></domain>",
                         "'match'");
    assert_start_refused(
        HEAD OS
        "<devices><serial><target port='0'/></serial><serial><target port='0'/>"
        "</serial></devices></domain>",
        "port '0'");
    assert_start_refused(HEAD OS "<devices><serial><target port='4'/></serial>"
                                 "</devices></domain>",
                         "'port'");
    assert_start_refused(HEAD OS "<devices><console><target type='xen'/>"
                                 "</console></devices></domain>",
                         "type='serial'");
    assert_start_refused(HEAD "<os><type>hvm</type><kernel>/k</kernel><smbios "
                              "mode='sysinfo'/></os></domain>",
                         "sysinfo are not available");
    assert_start_refused(HEAD OS "<clock><timer name='pit' "
                                 "tickpolicy='merge'/></clock></domain>",
                         "'tickpolicy' of <timer>");
    assert_start_refused(HEAD OS "<clock><timer name='rtc' track='boot'/>"
                                 "</clock></domain>",
                         "'track' of <timer>");
    assert_start_refused(HEAD OS "<x:y xmlns:x='urn:x'/></domain>", "<x:y>");
    assert_start_refused(HEAD OS "<maxMemory slots='4'>99999</maxMemory>"
                                 "</domain>",
                         "<maxMemory>");
    assert_start_refused(
        "<domain type='xen'><name>a</name><memory>1</memory>" OS "</domain>",
        "'xen'");
    assert_start_refused(HEAD OS "<devices><serial type='spicevmc'/></devices>"
                                 "</domain>",
                         "'type' of <serial>");
    assert_start_refused(
        HEAD "<os><type machine='microvm'>hvm</type><kernel>/k</kernel></os>"
             "<devices><console><target type='virtio'/></console></devices>"
             "</domain>",
        "<console> cannot be honoured: a microvm");
}

static void
test_start_warns_of_the_harmless(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS
                      "<features><acpi/></features>"
                      "<devices><sound model='ich6'/><video/><video/>"
                      "<controller type='usb'/><memballoon model='none'/>"
                      "<input type='tablet'/></devices></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 3);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<input>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 1), "<sound>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 2), "<video>"));
}

static void
test_start_warns_of_what_no_guest_has(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS
                      "<features><acpi/></features><devices>"
                      "<channel type='unix'><target type='virtio' name='a'/>"
                      "</channel><channel type='spicevmc'><target "
                      "type='virtio' name='b'/></channel><console type='pty'>"
                      "<target type='virtio'/></console><panic model='isa'/>"
                      "<panic model='hyperv'/></devices></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 2);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<channel>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 1), "<panic>"));
}

static void
test_start_says_what_becomes_of_actions(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS "<on_reboot>destroy</on_reboot>"
                              "<on_crash>coredump-restart</on_crash></domain>",
                      warnings, &message));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<on_crash>"));
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "dumped"));
}

/* As the tools write them, of a kernel with disks and networks. */
static void
test_start_of_the_tools_documents(void **state)
{
    static const char *const names[] = { "virt-install-disk.xml",
                                         "terraform-kernel.xml",
                                         "disks-all.xml" };
    const char *top = g_getenv("abs_top_srcdir");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(top ? top : ".", "tests",
                                                 "data", "xml", names[i], NULL);
        g_autofree char *xml = NULL, *message = NULL;

        assert_true(g_file_get_contents(path, &xml, NULL, NULL));
        if (!start(xml, NULL, &message))
            fail_msg("%s: %s", names[i], message);
    }
}

/* A disk on a bus that no guest has is refused, or taken as virtio. */
static void
test_start_of_disks_on_other_buses(void **state)
{
    static const char *const buses[] = { "ide", "sata", "usb" };

    for (size_t i = 0; i < G_N_ELEMENTS(buses); i++) {
        g_autofree char *disk = g_strdup_printf(
            "<devices><disk type='file'><source file='/a'/><target dev='sda' "
            "bus='%s'/><address type='drive' unit='0'/></disk></devices>"
            "</domain>",
            buses[i]);
        g_autofree char *plain = g_strconcat(HEAD OS, disk, NULL);
        g_autofree char *taken = g_strconcat(
            HEAD OS
            "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'><v:disk-bus>"
            "virtio</v:disk-bus></v:config></metadata>",
            disk, NULL);
        g_autoptr(ConfDomain) domain = parse(plain);
        g_autofree char *message = NULL;

        assert_start_refused(plain, "'bus' of <target>");
        assert_true(start(taken, NULL, &message));
        conf_domain_disks_as_virtio(domain);
        assert_true(conf_domain_check_start(domain, NULL, NULL));
        assert_true(conf_disk_is_virtio(conf_domain_disk(domain, "sda")));
    }
}

#define SCSI_DISK(DEVICE, MORE)                   \
    "<disk type='file' device='" DEVICE "'>" MORE \
    "<target dev='sda' bus='scsi'/></disk>"
#define SOURCE "<source file='/a'/>"

static void
test_units_start(void **state)
{
    static const char *const fine[] = {
        SCSI_DISK("disk", SOURCE),
        SCSI_DISK("cdrom", SOURCE),
        SCSI_DISK("cdrom", ""),
        SCSI_DISK("cdrom", "<wwn>5000c50015ea71ac</wwn><vendor>A</vendor>"),
        "<controller type='scsi'/>" SCSI_DISK("disk", SOURCE),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++) {
        g_autofree char *xml =
            g_strconcat(HEAD OS "<devices>", fine[i],
                        "<memballoon model='none'/></devices></domain>", NULL);
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(ConfDomain) domain = parse(xml);
        const ConfDisk *disk = conf_domain_disk(domain, "sda");
        g_autofree char *message = NULL;

        assert_true(start(xml, warnings, &message));
        assert_int_equal(warnings->len, 0);
        assert_true(conf_disk_is_unit(disk) && !conf_disk_is_virtio(disk));
        assert_non_null(
            conf_domain_controller(domain, CONF_CONTROLLER_SCSI, 0));
        conf_domain_assign_live(domain);
        assert_string_equal(disk->alias, "scsi0-0-0-0");
    }
    assert_start_refused(
        HEAD OS "<devices>" SCSI_DISK("disk", "") "</devices></domain>",
        "has no <source>");
    assert_start_refused(
        HEAD OS "<devices>" SCSI_DISK("lun", SOURCE) "</devices></domain>",
        "'device' of <disk>");
    assert_start_refused(
        HEAD OS "<devices><controller type='scsi' model='lsilogic'/>" SCSI_DISK(
            "disk", SOURCE) "</devices></domain>",
        "SCSI controller of the model 'lsilogic'");
    assert_start_refused(
        HEAD OS "<devices><disk type='file' device='cdrom'>" SOURCE
                "<target dev='vda' bus='virtio'/></disk></devices></domain>",
        "bus='scsi'");
}

static void
test_units_are_checked(void **state)
{
    static const struct {
        const char *devices, *words;
    } cases[] = {
        { SCSI_DISK("disk", SOURCE) "<disk type='file'><target dev='sdb' "
                                    "bus='scsi'/><address "
                                    "type='drive'/></disk>",
          "Found duplicate drive address for disk with target name 'sda' "
          "controller='0' bus='0' target='0' unit='0'" },
        { SCSI_DISK("disk", "<wwn>5000</wwn>"), "Malformed wwn: 5000" },
        { SCSI_DISK("disk", "<vendor>much too long</vendor>"),
          "<vendor> 'much too long'" },
        { SCSI_DISK("disk", "<address type='pci' slot='0x5'/>"),
          "type='drive'" },
        { SCSI_DISK("disk", "<address type='drive' target='256'/>"),
          "'target' attribute '256'" },
        { SCSI_DISK("disk", "<address type='drive' bus='1'/>"), "bus 1" },
        { "<controller type='scsi'><driver queues='17'/></controller>",
          "queues '17' of a SCSI controller" },
        { "<controller type='scsi'><driver iothread='1'/></controller>",
          "Controller iothread '1'" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strconcat(
            HEAD OS "<devices>", cases[i].devices, "</devices></domain>", NULL);
        g_autoptr(GError) error = NULL;

        assert_null(conf_domain_parse(xml, CONF_PARSE_INACTIVE, &error));
        if (!strstr(error->message, cases[i].words))
            fail_msg("'%s' lacks '%s'", error->message, cases[i].words);
    }
}

/* What is taken as virtio needs no controller, and gets none. */
static void
test_units_as_virtio(void **state)
{
    g_autoptr(ConfDomain) domain = parse(
        HEAD OS
        "<metadata><v:config xmlns:v='urn:virtkvm:domain:1'>"
        "<v:disk-bus>virtio</v:disk-bus></v:config></"
        "metadata><devices>" SCSI_DISK("disk", SOURCE) "</devices></domain>");

    assert_true(conf_disk_is_virtio(conf_domain_disk(domain, "sda")));
    assert_false(conf_disk_is_unit(conf_domain_disk(domain, "sda")));
    assert_null(conf_domain_controller(domain, CONF_CONTROLLER_SCSI, 0));
}

static void
test_start_finds_vcpus_without_acpi(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *message = NULL;

    assert_true(start(HEAD OS "<vcpu>2</vcpu></domain>", warnings, &message));
    assert_int_equal(warnings->len, 1);
    assert_non_null(strstr(g_ptr_array_index(warnings, 0), "<acpi/>"));
}

static void
test_passwords_need_secure(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS "<devices><graphics type='vnc' passwd='secret' "
                      "port='-1'><listen type='address'/></graphics></devices>"
                      "</domain>");
    g_autofree char *open = conf_domain_format(domain, CONF_FORMAT_SECURE);
    g_autofree char *closed = conf_domain_format(domain, 0);

    assert_non_null(strstr(open, "passwd='secret'"));
    assert_null(strstr(closed, "secret"));
    assert_non_null(strstr(closed, "<graphics type='vnc' port='-1'>\n"
                                   "      <listen type='address'/>\n"));
}

static void
test_metadata_by_namespace(void **state)
{
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS "<metadata><x:a xmlns:x='urn:x'>1</x:a></metadata>"
                      "</domain>");
    g_autoptr(GError) error = NULL;
    g_autofree char *got = conf_domain_metadata_get(domain, "urn:x");
    g_autofree char *set = NULL, *shown = NULL;

    assert_string_equal(got, "<a>1</a>");
    assert_null(conf_domain_metadata_get(domain, "urn:y"));
    assert_true(
        conf_domain_metadata_set(domain, "urn:y", "y", "<b><c/></b>", &error));
    set = conf_domain_metadata_get(domain, "urn:y");
    assert_string_equal(set, "<b>\n  <c/>\n</b>");
    assert_true(conf_domain_metadata_set(domain, "urn:x", NULL, NULL, &error));
    assert_null(conf_domain_metadata_get(domain, "urn:x"));
    shown = conf_domain_format(domain, 0);
    assert_non_null(strstr(shown, "  <metadata>\n"
                                  "    <y:b xmlns:y=\"urn:y\">\n"
                                  "      <y:c/>\n"
                                  "    </y:b>\n"
                                  "  </metadata>\n"));
    assert_false(conf_domain_metadata_set(domain, "urn:z", "z", "<b>", &error));
    assert_int_equal(error_code(error), VIR_ERR_XML_DETAIL);
    g_clear_error(&error);
    assert_false(
        conf_domain_metadata_set(domain, "urn:z", "a b", "<b/>", &error));
    assert_int_equal(error_code(error), VIR_ERR_INVALID_ARG);
}

static void
test_strings_that_could_not_be_read_again(void **state)
{
    g_autoptr(ConfDomain) domain = parse(HEAD OS "</domain>");
    g_autoptr(GError) error = NULL;

    assert_true(conf_domain_check_return(domain, &error));
    conf_domain_set_title(domain, "bell \x07");
    assert_false(conf_domain_check_return(domain, &error));
    assert_non_null(strstr(error->message, "could not be read again"));
    g_clear_error(&error);
    conf_domain_set_title(domain, "not UTF-8 \xff");
    assert_false(conf_domain_check_return(domain, &error));
    g_clear_error(&error);
    conf_domain_set_title(domain, "two\nlines");
    assert_false(conf_domain_check_return(domain, &error));
    conf_domain_set_title(domain, "<fine> & 'good'");
    assert_true(conf_domain_check_return(domain, NULL));
}

static void
test_own_settings(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfDomain) domain =
        parse(HEAD OS
              "<metadata><virtkvm:config xmlns:virtkvm='urn:virtkvm:domain:1'>"
              "<virtkvm:debug-exit/><virtkvm:kernel-unpack enabled='no'/>"
              "<virtkvm:tftp root='/srv/tftp' file='boot.0'/>"
              "</virtkvm:config></metadata></domain>");

    assert_int_equal(domain->virtkvm.debug_exit, CONF_ONOFF_ON);
    assert_int_equal(domain->virtkvm.kernel_unpack, CONF_ONOFF_OFF);
    assert_true(conf_domain_check_start(domain, NULL, &error));
    assert_false(conf_domain_metadata_set(
        domain, "urn:virtkvm:domain:1", "v",
        "<v:config xmlns:v='urn:virtkvm:domain:1'><v:bogus/></v:config>",
        &error));
    assert_int_equal(error_code(error), VIR_ERR_CONFIG_UNSUPPORTED);
    assert_false(conf_domain_metadata_set(
        domain, "urn:virtkvm:domain:1", "v",
        "<v:config xmlns:v='urn:virtkvm:domain:1'><v:tftp "
        "root='x'/></v:config>",
        NULL));
    assert_int_equal(domain->virtkvm.debug_exit, CONF_ONOFF_ON);
    assert_string_equal(domain->virtkvm.tftp_root, "/srv/tftp");
    assert_string_equal(domain->virtkvm.tftp_file, "boot.0");
    assert_true(conf_domain_metadata_set(domain, "urn:virtkvm:domain:1", NULL,
                                         NULL, NULL));
    assert_int_equal(domain->virtkvm.debug_exit, CONF_ONOFF_ABSENT);
    assert_null(domain->virtkvm.tftp_root);
}

static void
test_uuid(void **state)
{
    unsigned char uuid[VIR_UUID_BUFLEN];
    char text[VIR_UUID_STRING_BUFLEN];

    assert_true(conf_uuid_parse("C7A5FDBDEDAF9455926ad65c16db1809", uuid));
    conf_uuid_format(uuid, text);
    assert_string_equal(text, "c7a5fdbd-edaf-9455-926a-d65c16db1809");
    assert_true(conf_uuid_parse(text, uuid));
    assert_false(conf_uuid_parse("c7a5fdbd-edaf-9455-926a-d65c16db180", uuid));
    assert_false(
        conf_uuid_parse("c7a5fdbd-edaf-9455-926a-d65c16db18099", uuid));
    assert_false(conf_uuid_parse("g7a5fdbd-edaf-9455-926a-d65c16db1809", uuid));
    assert_false(conf_uuid_parse("", uuid));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_libvirts),
        cmocka_unit_test(test_console_makes_serial),
        cmocka_unit_test(test_serial_makes_console),
        cmocka_unit_test(test_live_paths_are_not_kept),
        cmocka_unit_test(test_status_keeps_what_is_live),
        cmocka_unit_test(test_each_guest_has_a_balloon),
        cmocka_unit_test(test_status_gets_no_balloon),
        cmocka_unit_test(test_copy_is_equal_and_separate),
        cmocka_unit_test(test_sysinfo),
        cmocka_unit_test(test_sysinfo_of_the_host),
        cmocka_unit_test(test_clock_adjustments),
        cmocka_unit_test(test_clock_settles),
        cmocka_unit_test(test_refusals_carry_libvirts_words),
        cmocka_unit_test(test_errors_name_the_line),
        cmocka_unit_test(test_start_refuses_by_name),
        cmocka_unit_test(test_start_warns_of_the_harmless),
        cmocka_unit_test(test_start_warns_of_what_no_guest_has),
        cmocka_unit_test(test_start_says_what_becomes_of_actions),
        cmocka_unit_test(test_start_of_the_tools_documents),
        cmocka_unit_test(test_start_of_disks_on_other_buses),
        cmocka_unit_test(test_units_start),
        cmocka_unit_test(test_units_are_checked),
        cmocka_unit_test(test_units_as_virtio),
        cmocka_unit_test(test_start_finds_vcpus_without_acpi),
        cmocka_unit_test(test_passwords_need_secure),
        cmocka_unit_test(test_metadata_by_namespace),
        cmocka_unit_test(test_strings_that_could_not_be_read_again),
        cmocka_unit_test(test_own_settings),
        cmocka_unit_test(test_uuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
