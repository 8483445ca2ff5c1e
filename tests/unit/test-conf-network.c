/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libxml/relaxng.h>
#include <string.h>

#include "conf/domain.h"
#include "conf/network.h"
#include "conf/xml.h"
#include "util/error.h"

/*
 * Every tests/data/network/NAME.xml must come back as NAME.out.xml or, where
 * there is none, as itself. NAME-invalid.xml must fail validation, the others
 * pass it, and what becomes of them must pass libvirt's own.
 */

#define LIBVIRT_SCHEMA "/usr/share/libvirt/schemas/network.rng"

static char *
top_folder(const char *a, const char *b, const char *c)
{
    const char *top = g_getenv("abs_top_srcdir");

    return g_build_filename(top ? top : ".", a, b, c, NULL);
}

static char *
read_file(const char *folder, const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static bool
libvirt_accepts(const char *xml)
{
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(LIBVIRT_SCHEMA);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt(schema);
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "network", NULL);
    int result = xmlRelaxNGValidateDoc(context, doc);

    xmlRelaxNGFreeValidCtxt(context);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return result == 0;
}

static void
check_document(const char *folder, const char *name)
{
    g_autofree char *in = read_file(folder, name, ".xml");
    g_autofree char *out = read_file(folder, name, ".out.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfNetwork) network =
        conf_network_parse(in, CONF_PARSE_INACTIVE, &error);
    g_autoptr(ConfNetwork) copy = NULL, valid = NULL;
    g_autofree char *found = NULL, *copied = NULL;
    bool invalid = g_str_has_suffix(name, "-invalid");

    if (!network)
        fail_msg("%s: %s", name, error->message);
    found = conf_network_format(network, CONF_FORMAT_INACTIVE);
    assert_string_equal(found, out ? out : in);
    copy = conf_network_copy(network);
    copied = conf_network_format(copy, CONF_FORMAT_INACTIVE);
    assert_string_equal(copied, found);
    valid = conf_network_parse(in, CONF_PARSE_VALIDATE, &error);
    if (!valid == !invalid)
        fail_msg("%s: %s", name, error ? error->message : "is accepted");
    if (!invalid && g_file_test(LIBVIRT_SCHEMA, G_FILE_TEST_EXISTS) &&
        !libvirt_accepts(found))
        fail_msg("%s: libvirt's schema refuses it", name);
}

static void
test_documents_come_back(void **state)
{
    g_autofree char *folder = top_folder("tests", "data", "network");
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned count = 0;
    const char *file;

    assert_non_null(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *name = NULL;

        if (!g_str_has_suffix(file, ".xml") ||
            g_str_has_suffix(file, ".out.xml"))
            continue;
        name = g_strndup(file, strlen(file) - strlen(".xml"));
        check_document(folder, name);
        count++;
    }
    g_dir_close(dir);
    assert_true(count >= 7);
}

/* --- defaults ------------------------------------------------------------ */

static ConfNetwork *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    ConfNetwork *network = conf_network_parse(xml, 0, &error);

    if (!network)
        fail_msg("%s: %s", xml, error->message);
    return network;
}

static void
test_defaults(void **state)
{
    g_autoptr(ConfNetwork) one = parse("<network><name>a</name></network>");
    g_autoptr(ConfNetwork) two = parse("<network><name>a</name></network>");

    assert_memory_not_equal(one->uuid, two->uuid, VIR_UUID_BUFLEN);
    assert_true(g_str_has_prefix(one->bridge.mac, "52:54:00:"));
    assert_int_equal(one->bridge.stp, CONF_ONOFF_ON);
    assert_int_equal(one->bridge.delay_s, 0);
    assert_null(one->bridge.name);
    assert_true(conf_network_owns_bridge(one));
}

static void
test_live_ports(void **state)
{
    g_autoptr(ConfNetwork) network =
        parse("<network><name>a</name><forward mode='nat'/>"
              "<ip address='10.0.0.1' prefix='24'/></network>");
    g_autofree char *text = NULL;

    conf_network_assign_live(network);
    network->connections = 2;
    text = conf_network_format(network, 0);
    assert_non_null(strstr(text, "<port start='1024' end='65535'/>"));
    assert_non_null(strstr(text, "<network connections='2'>"));
}

static void
test_prefixes(void **state)
{
    static const struct {
        const char *attrs;
        unsigned prefix;
    } cases[] = {
        { "address='10.0.0.1'", 8 },
        { "address='172.16.0.1'", 16 },
        { "address='192.168.0.1'", 24 },
        { "address='192.168.0.1' netmask='255.255.255.128'", 25 },
        { "address='192.168.0.1' prefix='30'", 30 },
        { "family='ipv6' address='fd00::1'", 64 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<network><name>a</name><ip %s/></network>", cases[i].attrs);
        g_autoptr(ConfNetwork) network = parse(xml);

        assert_int_equal(
            conf_network_ip_prefix(g_ptr_array_index(network->ips, 0)),
            cases[i].prefix);
    }
}

/* --- refusals ------------------------------------------------------------ */

static void
assert_refused(const char *inner, virErrorNumber code, const char *words)
{
    g_autofree char *xml =
        g_strconcat("<network><name>net</name>", inner, "</network>", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(ConfNetwork) network = conf_network_parse(xml, 0, &error);

    if (network)
        fail_msg("'%s' is accepted", inner);
    if (!strstr(error->message, words))
        fail_msg("'%s' lacks '%s'", error->message, words);
    assert_int_equal(error_code(error), code);
}

#define IP(REST) "<ip address='10.0.0.1' prefix='24'>" REST "</ip>"

static void
test_refusals(void **state)
{
    static const struct {
        const char *inner;
        virErrorNumber code;
        const char *words;
    } cases[] = {
        { "<forward mode='nat'/>", VIR_ERR_XML_ERROR,
          "nat forwarding requested, but no IP address provided" },
        { "<forward mode='sideways'/>", VIR_ERR_XML_ERROR, "'sideways'" },
        { "<bridge name='a/b'/>", VIR_ERR_XML_ERROR, "'a/b'" },
        { "<bridge name='abcdefghijklmnop'/>", VIR_ERR_XML_ERROR, "'name'" },
        { "<bridge name='a\" accept'/>", VIR_ERR_XML_ERROR, "'name'" },
        { "<mac address='nonsense'/>", VIR_ERR_XML_ERROR, "nonsense" },
        { "<mtu size='12'/>", VIR_ERR_XML_ERROR, "mtu size 12" },
        { "<forward mode='bridge'/><bridge name='b' stp='on'/>",
          VIR_ERR_XML_ERROR, "delay/stp" },
        { "<forward mode='bridge' dev='e'/><bridge name='b'/>",
          VIR_ERR_XML_ERROR, "but not both" },
        { "<forward mode='bridge'/>" IP(""), VIR_ERR_CONFIG_UNSUPPORTED,
          "Unsupported <ip> element" },
        { "<ip/>", VIR_ERR_XML_ERROR, "no address" },
        { "<ip address='10.0.0.1' prefix='33'/>", VIR_ERR_XML_ERROR, "33" },
        { "<ip address='10.0.0.1' netmask='255.0.255.0'/>", VIR_ERR_XML_ERROR,
          "has holes" },
        { "<ip address='10.0.0.1' netmask='255.0.0.0' prefix='8'/>",
          VIR_ERR_XML_ERROR, "both a netmask and a prefix" },
        { "<ip address='fd00::1'/>", VIR_ERR_XML_ERROR,
          "family not specified" },
        { "<ip family='ipv6' address='10.0.0.1'/>", VIR_ERR_XML_ERROR,
          "non-IPv6" },
        { "<ip address='host.example'/>", VIR_ERR_XML_ERROR, "host.example" },
        { IP("<dhcp><range start='10.0.1.1' end='10.0.1.9'/></dhcp>"),
          VIR_ERR_INTERNAL_ERROR, "is not entirely within network" },
        { IP("<dhcp><range start='10.0.0.9' end='10.0.0.3'/></dhcp>"),
          VIR_ERR_INTERNAL_ERROR, "is reversed" },
        { IP("<dhcp><range start='10.0.0.9'/></dhcp>"), VIR_ERR_XML_ERROR,
          "Missing 'end'" },
        { IP("<dhcp><host ip='10.0.0.9'/></dhcp>"), VIR_ERR_XML_ERROR,
          "At least one" },
        { IP("<dhcp><host mac='01:00:00:00:00:01' ip='10.0.0.9'/></dhcp>"),
          VIR_ERR_XML_ERROR, "unicast" },
        { IP("<dhcp><host name='a&#10;b' ip='10.0.0.9'/></dhcp>"),
          VIR_ERR_XML_DETAIL, "not a name" },
        { IP("<dhcp><host id='a,set:b' name='n' ip='10.0.0.9'/></dhcp>"),
          VIR_ERR_XML_ERROR, "Invalid character" },
        { IP("<tftp root='/a&#10;conf-file=/b'/>"), VIR_ERR_XML_ERROR,
          "conf-file" },
        { "<dns><txt name='a' value='b&#10;c'/></dns>", VIR_ERR_XML_DETAIL,
          "line end" },
        { "<dns><host ip='10.0.0.1'/></dns>", VIR_ERR_XML_DETAIL,
          "Missing hostname" },
        { "<domain name='a b'/>", VIR_ERR_XML_DETAIL, "not a name" },
        { "<portgroup name='a' default='yes'/>"
          "<portgroup name='b' default='yes'/>",
          VIR_ERR_CONFIG_UNSUPPORTED, "only one default" },
        { "<bandwidth><inbound peak='3'/></bandwidth>", VIR_ERR_XML_DETAIL,
          "average" },
        { "<forward mode='nat'><nat><port start='9' end='3'/></nat></forward>",
          VIR_ERR_XML_DETAIL, "port" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i].inner, cases[i].code, cases[i].words);
}

static void
test_names(void **state)
{
    static const char *const wrong[] = { "", "a/b", "..", "." };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *xml =
            g_strdup_printf("<network><name>%s</name></network>", wrong[i]);

        assert_null(conf_network_parse(xml, 0, NULL));
    }
    assert_null(conf_network_parse("<domain/>", 0, NULL));
}

static void
assert_start(const char *inner, const char *refusal, const char *warning)
{
    g_autofree char *xml =
        g_strconcat("<network><name>net</name>", inner, "</network>", NULL);
    g_autoptr(ConfNetwork) network = parse(xml);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    bool fine = conf_network_check_start(network, warnings, &error);

    assert_true(fine == !refusal);
    if (refusal && !strstr(error->message, refusal))
        fail_msg("'%s' lacks '%s'", error->message, refusal);
    assert_int_equal(warnings->len, warning ? 1 : 0);
    if (warning)
        assert_non_null(strstr(g_ptr_array_index(warnings, 0), warning));
}

static void
test_what_is_not_honoured(void **state)
{
    assert_start(IP(""), NULL, NULL);
    assert_start("<vlan><tag id='3'/></vlan>", "<vlan> cannot", NULL);
    assert_start("<virtualport type='openvswitch'/>", "<virtualport>", NULL);
    assert_start("<forward mode='vepa' dev='e0'/>", "'mode'", NULL);
    assert_start("<gizmo/>", "<gizmo> is not known", NULL);
    assert_start("<bridge name='b' zone='work'/>", NULL, "'zone'");
    assert_start("<dns><srv service='s' protocol='tcp'/></dns>", NULL, "<srv>");
}

/* --- net-update ---------------------------------------------------------- */

#define UPDATE_NET                                                          \
    "<network><name>net</name><ip address='10.0.0.1' prefix='24'>"          \
    "<dhcp><range start='10.0.0.2' end='10.0.0.99'/>"                       \
    "<host mac='52:54:00:00:00:01' name='one' ip='10.0.0.11'/></dhcp></ip>" \
    "</network>"

typedef struct Update {
    virNetworkUpdateCommand command;
    virNetworkUpdateSection section;
    const char *xml;
    virErrorNumber code; /* VIR_ERR_OK: it succeeds */
    const char *words;   /* in the message, or in the document */
} Update;

#define ADD    VIR_NETWORK_UPDATE_COMMAND_ADD_LAST
#define DELETE VIR_NETWORK_UPDATE_COMMAND_DELETE
#define MODIFY VIR_NETWORK_UPDATE_COMMAND_MODIFY
#define HOST   VIR_NETWORK_SECTION_IP_DHCP_HOST
#define RANGE  VIR_NETWORK_SECTION_IP_DHCP_RANGE
#define DNS    VIR_NETWORK_SECTION_DNS_HOST
#define NO     VIR_ERR_OPERATION_INVALID

static const Update updates[] = {
    { ADD, HOST, "<host mac='52:54:00:00:00:02' ip='10.0.0.12'/>", VIR_ERR_OK,
      "<host mac='52:54:00:00:00:02' ip='10.0.0.12'/>\n    </dhcp>" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST, HOST,
      "<host mac='52:54:00:00:00:02' ip='10.0.0.12'/>", VIR_ERR_OK,
      "ip='10.0.0.12'/>\n      <host mac='52:54:00:00:00:01'" },
    { ADD, HOST, "<host mac='52:54:00:00:00:01' ip='10.0.0.12'/>", NO,
      "existing dhcp host entry in network 'net'" },
    { ADD, HOST, "<host mac='52:54:00:00:00:02' ip='10.0.0.11'/>", NO,
      "existing" },
    { ADD, HOST, "<host ip='10.0.0.12'/>", VIR_ERR_XML_ERROR, "At least one" },
    { ADD, HOST, "<range start='10.0.0.1' end='10.0.0.2'/>", VIR_ERR_XML_ERROR,
      "unexpected element <range>, expecting <host>" },
    { ADD, HOST, "<host", VIR_ERR_XML_DETAIL, "network_update_xml" },
    { MODIFY, HOST, "<host mac='52:54:00:00:00:01' ip='10.0.0.77'/>",
      VIR_ERR_OK, "<host mac='52:54:00:00:00:01' ip='10.0.0.77'/>" },
    { MODIFY, HOST, "<host mac='52:54:00:00:00:09' ip='10.0.0.77'/>", NO,
      "couldn't locate" },
    { DELETE, HOST, "<host mac='52:54:00:00:00:01'/>", VIR_ERR_OK,
      "0.99'/>\n" },
    { DELETE, HOST, "<host mac='52:54:00:00:00:01' ip='10.0.0.12'/>", NO,
      "couldn't locate a matching dhcp host entry in network 'net'" },
    { ADD, RANGE, "<range start='10.0.0.200' end='10.0.0.210'/>", VIR_ERR_OK,
      "10.0.0.210" },
    { ADD, RANGE, "<range start='10.0.0.2' end='10.0.0.99'/>", NO, "existing" },
    { ADD, RANGE, "<range start='10.1.0.2' end='10.1.0.99'/>",
      VIR_ERR_INTERNAL_ERROR, "not entirely within" },
    { MODIFY, RANGE, "<range start='10.0.0.2' end='10.0.0.98'/>", NO,
      "cannot be modified" },
    { DELETE, RANGE, "<range start='10.0.0.2' end='10.0.0.99'/>", VIR_ERR_OK,
      "<dhcp>\n      <host" },
    { ADD, DNS, "<host ip='10.0.0.5'><hostname>five</hostname></host>",
      VIR_ERR_OK, "<hostname>five</hostname>" },
    { ADD, DNS, "<host ip='10.0.0.5'/>", VIR_ERR_XML_DETAIL, "hostname" },
    { DELETE, DNS, "<host ip='10.0.0.5'/>", NO, "couldn't locate" },
    { ADD, VIR_NETWORK_SECTION_DNS_TXT, "<txt name='a' value='b c'/>",
      VIR_ERR_OK, "<txt name='a' value='b c'/>" },
    { ADD, VIR_NETWORK_SECTION_PORTGROUP, "<portgroup name='g'/>", VIR_ERR_OK,
      "<portgroup name='g'/>" },
    { ADD, VIR_NETWORK_SECTION_BRIDGE, "<bridge name='b'/>",
      VIR_ERR_OPERATION_UNSUPPORTED, "can't update 'bridge' section" },
    { ADD, 77, "<x/>", VIR_ERR_NO_SUPPORT, "unrecognized section" },
    { 77, HOST, "<host mac='52:54:00:00:00:02' ip='10.0.0.12'/>",
      VIR_ERR_NO_SUPPORT, "unrecognized network update command" },
};

static void
check_update(const Update *update, int parent)
{
    g_autoptr(ConfNetwork) network = parse(UPDATE_NET);
    g_autofree char *before =
        conf_network_format(network, CONF_FORMAT_INACTIVE);
    ConfNetworkUpdate request = { .command = update->command,
                                  .section = update->section,
                                  .parent = parent,
                                  .xml = update->xml };
    g_autoptr(GError) error = NULL;
    bool done = conf_network_update(network, &request, &error);
    g_autofree char *after = conf_network_format(network, CONF_FORMAT_INACTIVE);

    if (done != (update->code == VIR_ERR_OK))
        fail_msg("%s: %s", update->xml, done ? "is accepted" : error->message);
    assert_int_equal(error_code(error), update->code);
    if (!strstr(done ? after : error->message, update->words))
        fail_msg("'%s' lacks '%s'", done ? after : error->message,
                 update->words);
    if (!done)
        assert_string_equal(after, before);
}

static void
test_updates(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(updates); i++) {
        check_update(&updates[i], -1);
        check_update(&updates[i], 0);
    }
}

static void
test_update_needs_an_ip(void **state)
{
    g_autoptr(ConfNetwork) network = parse(UPDATE_NET);
    ConfNetworkUpdate request = {
        .command = ADD, .section = HOST, .parent = 4, .xml = updates[0].xml
    };
    g_autoptr(GError) error = NULL;

    assert_false(conf_network_update(network, &request, &error));
    assert_non_null(strstr(error->message, "at index 4"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_come_back),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_live_ports),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_not_honoured),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_update_needs_an_ip),
    };
    g_autofree char *schemas = top_folder("schemas", NULL, NULL);

    g_setenv("VIRTKVM_SCHEMA_DIR", schemas, true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
