/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shell/address.h"
#include "shell/exit.h"
#include "shell/xml-writer.h"
#include "shell/xml.h"

/* The building blocks of commands about devices: XML written, read and
 * changed, and addresses. */

static void
test_writer_escapes_and_indents(void **state)
{
    g_autoptr(VshXmlWriter) writer = vsh_xml_writer_new();
    g_autofree char *xml = NULL;

    vsh_xml_begin(writer, "disk");
    vsh_xml_attribute(writer, "type", "a'b<c>&\"d");
    vsh_xml_attribute(writer, "absent", NULL);
    vsh_xml_begin(writer, "source");
    vsh_xml_leaf(writer, "host", "name", "h");
    vsh_xml_leaf(writer, "absent", "name", NULL);
    vsh_xml_end(writer);
    vsh_xml_begin(writer, "empty");
    vsh_xml_attribute_number(writer, "n", 5);
    vsh_xml_attribute_number(writer, "zero", 0);
    vsh_xml_end(writer);
    vsh_xml_text(writer, "serial", "<1>");
    vsh_xml_text(writer, "wwn", NULL);
    vsh_xml_end(writer);
    xml = vsh_xml_finish(writer);
    assert_string_equal(xml, "<disk type='a&apos;b&lt;c&gt;&amp;&quot;d'>\n"
                             "  <source>\n"
                             "    <host name='h'/>\n"
                             "  </source>\n"
                             "  <empty n='5'/>\n"
                             "  <serial>&lt;1&gt;</serial>\n"
                             "</disk>\n");
}

/* Whatever a user writes comes back from a parser. */
static void
test_writer_round_trip(void **state)
{
    static const char *const texts[] = {
        "", "'", "\"", "]]>", "<!--", "&amp;", "\xe8\x99\x9a", "a  b",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(VshXmlWriter) writer = vsh_xml_writer_new();
        g_autofree char *xml = NULL;
        g_auto(GStrv) found = NULL;

        vsh_xml_begin(writer, "a");
        vsh_xml_leaf(writer, "b", "c", texts[i]);
        vsh_xml_text(writer, "d", texts[i]);
        vsh_xml_end(writer);
        xml = vsh_xml_finish(writer);
        found = vsh_xml_strings(xml, "/a/b/@c | /a/d");
        assert_non_null(found);
        assert_string_equal(found[0], texts[i]);
        assert_string_equal(found[1], texts[i]);
    }
}

static void
collect(const char *xml, char *const *texts, void *data)
{
    g_string_append_printf(data, "%s|%s|%s\n", xml, texts[0] ? texts[0] : "-",
                           texts[1] ? texts[1] : "-");
}

static void
test_each(void **state)
{
    static const char *const fields[] = { "@x | @y", "c/@d", NULL };
    g_autoptr(GString) got = g_string_new(NULL);

    assert_true(vsh_xml_each("<a><b y='1'/><b x=''><c d='2'/></b></a>", "/a/b",
                             fields, collect, got));
    assert_string_equal(got->str, "<b y=\"1\"/>|1|-\n"
                                  "<b x=\"\">\n  <c d=\"2\"/>\n</b>|-|2\n");
    assert_false(vsh_xml_each("<a>", "/a", fields, collect, got));
    assert_false(vsh_xml_each("", "/a", fields, collect, got));
}

static void
test_with(void **state)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        { "<i/>", "<i>\n  <link state=\"up\"/>\n</i>" },
        { "<i><link state='down' x='1'/></i>",
          "<i>\n  <link state=\"up\" x=\"1\"/>\n</i>" },
        { "<i>t<a><link/></a></i>",
          "<i>t<a><link/></a><link state=\"up\"/></i>" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *after =
            vsh_xml_with(cases[i].before, "link", "state", "up");

        assert_string_equal(after, cases[i].after);
    }
    assert_null(vsh_xml_with("<i", "link", "state", "up"));
}

static char *
address_xml(const char *text, const char *target, bool multifunction)
{
    g_autoptr(VshXmlWriter) writer = vsh_xml_writer_new();
    VshAddress address = { 0 };

    if (!vsh_address_parse(text, target, &address, NULL))
        return NULL;
    vsh_address_write(&address, multifunction, writer);
    return vsh_xml_finish(writer);
}

static void
test_addresses(void **state)
{
    static const struct {
        const char *text;
        const char *target;
        const char *xml;
    } cases[] = {
        { "pci:0000.00.0b.7", "vda",
          "<address type='pci' domain='0x0000' bus='0x00' slot='0x0b' "
          "function='0x7' multifunction='on'/>\n" },
        { "pci:0x0.0x1.0x1f.0", "xvda",
          "<address type='pci' domain='0x0000' bus='0x01' slot='0x1f' "
          "function='0x0' multifunction='on'/>\n" },
        { "scsi:1.2.10", "sda",
          "<address type='drive' controller='1' bus='2' unit='10'/>\n" },
        { "usb:1.2", "sda", "<address type='usb' bus='1' port='2'/>\n" },
        { "ccw:fe.0.1", "vda",
          "<address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>\n" },
        { "pci:0000.00.0b", "vda", NULL },
        { "pci:0000.00.0b.0.0", "vda", NULL },
        { "pci:0000.00.0g.0", "vda", NULL },
        { "pci:10000.00.00.0", "vda", NULL },
        { "pci:-1.00.00.0", "vda", NULL },
        { "pci", "vda", NULL },
        { "pci:", "vda", NULL },
        { "pc:0.0.0.0", "vda", NULL },
        { "", "vda", NULL },
        { "scsi:0x1.2.3", "sda", NULL },
        { "scsi:0.0.1", "vda", NULL },
        { "pci:0.0.1.0", "sda", NULL },
        { "scsi:0.0.1", "hda", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            address_xml(cases[i].text, cases[i].target, true);

        if (!cases[i].xml && xml)
            fail_msg("'%s' is taken for %s", cases[i].text, cases[i].target);
        if (cases[i].xml)
            assert_string_equal(xml, cases[i].xml);
    }
}

static void
test_host_addresses(void **state)
{
    VshAddress address;

    assert_true(vsh_address_parse_pci("0000:00:1f.6", &address));
    assert_int_equal(address.numbers[2], 0x1f);
    assert_int_equal(address.numbers[3], 6);
    assert_false(vsh_address_parse_pci("00:1f.6", &address));
    assert_false(vsh_address_parse_pci("eth0", &address));
    assert_false(vsh_address_parse_pci("", &address));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer_escapes_and_indents),
        cmocka_unit_test(test_writer_round_trip),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_with),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_host_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
