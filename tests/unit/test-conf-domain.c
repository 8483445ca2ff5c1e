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

#include "conf-domain.h"
#include "util/error.h"

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
        cmocka_unit_test(test_passwords_need_secure),
        cmocka_unit_test(test_metadata_by_namespace),
        cmocka_unit_test(test_strings_that_could_not_be_read_again),
        cmocka_unit_test(test_own_settings),
        cmocka_unit_test(test_uuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
