/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/inet.h"
#include "engine/resolve/open.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define TUN_PATH "/dev/net/tun"
/* The kernel counts: libvirt's names */
#define NAME_PATTERN "vnet%d"
/* First byte of the host's end: higher than that of any other, so that a
 * bridge, which has the lowest of its ports, keeps its own */
#define HOST_MAC_BYTE 0xfe

/* Returns: false, with @error set out of errno */
static bool G_GNUC_PRINTF(2, 3) failed(GError **error, const char *format, ...)
{
    int number = errno;
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    error_set_errno(error, number, "%s", text);
    if (number == EPERM)
        g_prefix_error(error, "%s: ",
                       _("a user's daemon may have no tap device, use "
                         "<interface type='user'>"));
    return false;
}

/* --- the device -------------------------------------------------------------
 */
static void
set_name(struct ifreq *request, const char *name)
{
    /* its length was checked when the document was read */
    g_strlcpy(request->ifr_name, name, sizeof(request->ifr_name));
}

/* One queue of the tap that @request names, which learns its name */
static int
open_queue(struct ifreq *request, bool many, GError **error)
{
    g_auto(Fd) fd = open(TUN_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        failed(error, _("cannot open '%s'"), TUN_PATH);
        return -1;
    }
    request->ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
                                 (many ? IFF_MULTI_QUEUE : 0));
    if (ioctl(fd, TUNSETIFF, request) != 0) {
        failed(error, _("cannot open the tap device '%s'"), request->ifr_name);
        return -1;
    }
    return engine_open_high(fd_steal(&fd), error);
}

static void
close_all(int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fd_clear(&fds[i]);
}

static bool
open_queues(struct ifreq *request, int *fds, unsigned count, GError **error)
{
    for (unsigned i = 0; i < count; i++) {
        fds[i] = open_queue(request, count > 1, error);
        if (fds[i] >= 0)
            continue;
        close_all(fds, i);
        return false;
    }
    return true;
}

/* --- what the host makes of it ----------------------------------------------
 */
static bool
set_mac(int control, const char *name, const char *mac, GError **error)
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
    uint8_t bytes[6] = { 0 };

    (void)conf_mac_parse(mac, bytes);
    bytes[0] = HOST_MAC_BYTE;
    memcpy(request.ifr_hwaddr.sa_data, bytes, sizeof(bytes));
    set_name(&request, name);
    return ioctl(control, SIOCSIFHWADDR, &request) == 0 ||
           failed(error, _("cannot set the MAC address of '%s'"), name);
}

static bool
set_mtu(int control, const char *name, unsigned mtu, GError **error)
{
    struct ifreq request = { .ifr_mtu = (int)mtu };

    set_name(&request, name);
    return mtu == 0 || ioctl(control, SIOCSIFMTU, &request) == 0 ||
           failed(error, _("cannot set the MTU of '%s'"), name);
}

static bool
join(int control, const char *name, const char *bridge, GError **error)
{
    struct ifreq request = { 0 };

    if (!bridge)
        return true;
    request.ifr_ifindex = (int)if_nametoindex(name);
    set_name(&request, bridge);
    return ioctl(control, SIOCBRADDIF, &request) == 0 ||
           failed(error, _("cannot put the tap device '%s' into '%s'"), name,
                  bridge);
}

static bool
bring_up(int control, const char *name, GError **error)
{
    struct ifreq request = { 0 };

    set_name(&request, name);
    if (ioctl(control, SIOCGIFFLAGS, &request) != 0)
        return failed(error, _("cannot look at '%s'"), name);
    request.ifr_flags |= IFF_UP;
    return ioctl(control, SIOCSIFFLAGS, &request) == 0 ||
           failed(error, _("cannot bring up '%s'"), name);
}

static bool
set_up(const ConfInterface *net, const char *name, const char *bridge,
       GError **error)
{
    g_auto(Fd) control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (control < 0)
        return failed(error, _("cannot make a socket for '%s'"), name);
    return set_mac(control, name, net->mac, error) &&
           set_mtu(control, name, net->mtu, error) &&
           join(control, name, bridge, error) && bring_up(control, name, error);
}

bool
engine_tap_open(ConfInterface *net, const char *bridge, int *fds,
                unsigned count, GError **error)
{
    struct ifreq request = { 0 };
    bool ours = net->managed != CONF_ONOFF_OFF;

    if (!ours && (!net->target || if_nametoindex(net->target) == 0)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("there is no tap device '%s', which <target managed='no'> "
                    "is to find"),
                  net->target ? net->target : "");
        return false;
    }
    if (bridge && if_nametoindex(bridge) == 0) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("there is no bridge '%s' on this host"), bridge);
        return false;
    }
    set_name(&request, net->target ? net->target : NAME_PATTERN);
    if (!open_queues(&request, fds, count, error))
        return false;
    if (ours && !set_up(net, request.ifr_name, bridge, error)) {
        close_all(fds, count);
        return false;
    }
    g_free(net->target);
    net->target = g_strdup(request.ifr_name);
    return true;
}

bool
engine_tap_move(const char *name, const char *from, const char *to,
                GError **error)
{
    g_auto(Fd) control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_ifindex = (int)if_nametoindex(name) };

    if (control < 0)
        return failed(error, _("cannot make a socket for '%s'"), name);
    if (if_nametoindex(to) == 0) {
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("there is no bridge '%s' on this host"), to);
        return false;
    }
    if (from) {
        /* it may have been taken out, or the bridge be gone */
        set_name(&request, from);
        (void)ioctl(control, SIOCBRDELIF, &request);
    }
    if (join(control, name, to, error))
        return true;
    (void)join(control, name, from, NULL);
    return false;
}
