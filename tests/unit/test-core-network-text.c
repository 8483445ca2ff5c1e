/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "conf/domain.h"
#include "core-fixture.h"
#include "core/calls.h"
#include "core/network-lease.h"
#include "core/network-text.h"
#include "core/network-use.h"
#include "core/network.h"
#include "network-xml.h"
#include "util/error.h"

/* Networks: leases, and what the programs that serve them are told. */

/* --- leases
 * -------------------------------------------------------------------------- */

static void
test_leases(void **state)
{
    static const char text[] =
        "1000 52:54:00:00:00:01 192.0.2.50 guest 01:52:54:00:00:00:01\n"
        "500 52:54:00:00:00:02 192.0.2.51 * *\n"
        "0 52:54:00:00:00:03 192.0.2.52 * *\n"
        "nonsense\n"
        "duid 00:01:00:01:2c:aa:bb:cc:52:54:00:11:22:33\n"
        "1000 1234 fd00::5 six 00:01:00:01:2c:aa:bb:cc:52:54:00:11:22:33\n"
        "1000 1235 fd00::6 * 00:03:00:01:52:54:00:11:22:34\n"
        "1000 52:54:00:00:00:04 not-an-address * *\n"
        "1000 52:54:00:00:00:05 192.0";
    g_autoptr(ConfNetwork) conf = conf_network_parse(
        NET("a", UUID_A,
            "<bridge name='vt0'/>" ADDRESS
            "<ip family='ipv6' address='fd00::1' prefix='64'/>"),
        0, NULL);
    g_autoptr(GArray) leases = core_network_lease_array();
    g_autoptr(GArray) one = core_network_lease_array();
    const VirtkvmDhcpLease *lease;

    core_network_parse_leases(text, conf, NULL, 600, leases);
    assert_int_equal(leases->len, 4);
    lease = &g_array_index(leases, VirtkvmDhcpLease, 0);
    assert_string_equal(lease->iface, "vt0");
    assert_string_equal(lease->mac, "52:54:00:00:00:01");
    assert_string_equal(lease->hostname, "guest");
    assert_int_equal(lease->prefix, 24);
    assert_int_equal(lease->expiry_s, 1000);
    lease = &g_array_index(leases, VirtkvmDhcpLease, 1);
    assert_null(lease->hostname);
    assert_null(lease->client_id);
    lease = &g_array_index(leases, VirtkvmDhcpLease, 2);
    assert_int_equal(lease->type, VIR_IP_ADDR_TYPE_IPV6);
    assert_string_equal(lease->iaid, "1234");
    assert_string_equal(lease->mac, "52:54:00:11:22:33");
    assert_int_equal(lease->prefix, 64);
    lease = &g_array_index(leases, VirtkvmDhcpLease, 3);
    assert_string_equal(lease->mac, "52:54:00:11:22:34");
    core_network_parse_leases(text, conf, "52:54:00:11:22:34", 600, one);
    assert_int_equal(one->len, 1);
}

/* --- what the programs are told
 * -------------------------------------------------------- */

static ConfNetwork *
parse(const char *more)
{
    g_autofree char *xml =
        g_strconcat("<network><name>a</name><bridge name='vt0'/>", more,
                    "</network>", NULL);
    g_autoptr(GError) error = NULL;
    ConfNetwork *conf = conf_network_parse(xml, 0, &error);

    if (!conf)
        fail_msg("%s", error->message);
    conf_network_assign_live(conf);
    return conf;
}

static void
assert_has(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_msg("'%s' is not in:\n%s", line, text);
}

static void
assert_lacks(const char *text, const char *line)
{
    if (strstr(text, line))
        fail_msg("'%s' is in:\n%s", line, text);
}

static void
test_dnsmasq_text(void **state)
{
    static const char *const lines[] = {
        "interface=vt0\n",
        "local=/example.com/\ndomain=example.com\nexpand-hosts\n",
        "domain-needed\nlocal=//\n",
        "server=/corp/192.0.2.53\n",
        "txt-record=t,\"some, text\"\n",
        "host-record=gw,gw.example.com,192.0.2.1\n",
        "dhcp-range=192.0.2.2,192.0.2.99,255.255.255.0,7200\n",
        "dhcp-host=52:54:00:00:00:01,192.0.2.9,nine,infinite\n",
        "enable-tftp\ntftp-root=/tftp\ndhcp-boot=pxe.0,,192.0.2.3\n",
        "dhcp-range=fd00::100,fd00::1ff,64\n",
        "dhcp-host=id:00:03:00:01:52:54:00:00:00:02,[fd00::9]\n",
        "dhcp-lease-max=356\n",
        "enable-ra\n",
        "dhcp-option=option:mtu,1400\n",
    };
    CoreDnsmasqPaths paths = { .pid = "/p", .leases = "/l" };
    g_autoptr(ConfNetwork) conf = parse(
        "<forward mode='nat'/><mtu size='1400'/>"
        "<domain name='example.com' localOnly='yes'/>"
        "<dns forwardPlainNames='no'><forwarder domain='corp' "
        "addr='192.0.2.53'/><txt name='t' value='some, text'/>"
        "<host ip='192.0.2.1'><hostname>gw</hostname>"
        "<hostname>gw.example.com</hostname></host></dns>"
        "<ip address='192.0.2.1' prefix='24'><tftp root='/tftp'/><dhcp>"
        "<range start='192.0.2.2' end='192.0.2.99'>"
        "<lease expiry='2' unit='hours'/></range>"
        "<host mac='52:54:00:00:00:01' name='nine' ip='192.0.2.9'>"
        "<lease expiry='0'/></host>"
        "<bootp file='pxe.0' server='192.0.2.3'/></dhcp></ip>"
        "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp>"
        "<range start='fd00::100' end='fd00::1ff'/>"
        "<host id='00:03:00:01:52:54:00:00:00:02' ip='fd00::9'/></dhcp></ip>");
    g_autofree char *text = core_network_dnsmasq_text(conf, &paths);

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_has(text, lines[i]);
    assert_lacks(text, "port=0");
}

static void
test_when_dnsmasq_is_needed(void **state)
{
    static const struct {
        const char *more;
        bool needed;
    } cases[] = {
        { "", false },
        { "<ip address='192.0.2.1'/>", true },
        { "<dns enable='no'/><ip address='192.0.2.1'/>", false },
        { "<dns enable='no'/>" ADDRESS, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfNetwork) conf = parse(cases[i].more);

        assert_int_equal(core_network_needs_dnsmasq(conf), cases[i].needed);
    }
}

static void
test_rules(void **state)
{
    static const struct {
        const char *more;
        const char *has;
        const char *lacks;
    } cases[] = {
        { "<forward mode='nat'/>" ADDRESS,
          "ip saddr 192.0.2.0/24 meta l4proto { tcp, udp } masquerade to "
          ":1024-65535\n",
          "oifname \"eth9\"" },
        { "<forward mode='nat' dev='eth9'/>" ADDRESS,
          "oifname \"eth9\" ip saddr 192.0.2.0/24 masquerade\n", "snat" },
        { "<forward mode='nat'><nat><address start='198.51.100.1' "
          "end='198.51.100.9'/><port start='5000' "
          "end='6000'/></nat></forward>" ADDRESS,
          "snat ip to 198.51.100.1-198.51.100.9:5000-6000\n", "masquerade" },
        { "<forward mode='nat'/>" ADDRESS
          "<ip family='ipv6' address='fd00::1' prefix='64'/>",
          "oifname \"vt0\" ip6 daddr fd00::/64 accept\n",
          "ip6 saddr fd00::/64 masquerade" },
        { "<forward mode='nat'><nat ipv6='yes'/></forward>" ADDRESS
          "<ip family='ipv6' address='fd00::1' prefix='64'/>",
          "ip6 saddr fd00::/64 masquerade\n", "snat" },
        { "<forward mode='route'/>" ADDRESS,
          "oifname \"vt0\" ip daddr 192.0.2.0/24 accept\n", "masquerade" },
        { ADDRESS, "oifname \"vt0\" reject\n", "192.0.2" },
        { "<forward mode='open'/>" ADDRESS, "delete table inet virtkvm_vt0\n",
          "chain" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ConfNetwork) conf = parse(cases[i].more);
        g_autofree char *text = core_network_nft_text(conf);

        assert_has(text, cases[i].has);
        assert_lacks(text, cases[i].lacks);
    }
}

static void
test_links_and_limits(void **state)
{
    g_autoptr(ConfNetwork) plain = parse("");
    g_autoptr(ConfNetwork) conf =
        parse("<mtu size='9000'/><mac address='52:54:00:00:00:01'/><bandwidth>"
              "<inbound average='1000'/><outbound average='128' burst='256'/>"
              "</bandwidth>" ADDRESS);
    g_autofree char *link = core_network_link_text(conf);
    g_autofree char *address = core_network_address_text(conf);
    g_autofree char *limits = core_network_tc_text(conf);
    g_autofree char *rules = core_network_nft_text(conf);

    assert_string_equal(link,
                        "link add name vt0 address 52:54:00:00:00:01 type "
                        "bridge stp_state 1 forward_delay 0\n");
    assert_has(address, "link set dev vt0 mtu 9000\n");
    assert_has(address, "address replace 192.0.2.1/24 dev vt0 broadcast +\n");
    assert_has(limits, "tbf rate 1000kibps burst 64kb");
    assert_has(rules, "iifname \"vt0\" limit rate over 128 kbytes/second "
                      "burst 256 kbytes drop\n");
    assert_null(core_network_tc_text(plain));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_dnsmasq_text),
        cmocka_unit_test(test_when_dnsmasq_is_needed),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_links_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
