/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A tap interface in a network namespace of the process's own, and the host's
 * side of it: a packet socket that sees what the guest sends and sends what the
 * guest is to see, with the kernel's header for offloads in front.
 */
#define TAP_NAME "tap-test"

static inline void
tap_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)!write(fd, text, strlen(text));
        close(fd);
    }
}

/** tap_enter: into a namespace where nothing else is; before threads start.
 * Returns: NULL, or why it cannot be */
static inline const char *
tap_enter(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return "/dev/net/tun cannot be opened";
    close(fd);
    if (unshare(CLONE_NEWNET) != 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return "a network namespace cannot be made";
    /* so that the kernel says nothing of its own */
    tap_write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    tap_write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    return NULL;
}

/** tap_open: one queue of the interface, which is made with the first.
 * Returns: a descriptor, or -1 */
static inline int
tap_open(bool several)
{
    struct ifreq request = { .ifr_flags =
                                 (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
                                         (several ? IFF_MULTI_QUEUE : 0)) };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    strcpy(request.ifr_name, TAP_NAME);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static inline bool
tap_set_up(bool up)
{
    struct ifreq request = { .ifr_flags = (short)(up ? IFF_UP : 0) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    strcpy(request.ifr_name, TAP_NAME);
    done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/** tap_delete: the interface itself, whoever holds it */
static inline bool
tap_delete(void)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } request = {
        .header = { .nlmsg_len = sizeof(request),
                    .nlmsg_type = RTM_DELLINK,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
        .info = { .ifi_index = (int)if_nametoindex(TAP_NAME) },
    };
    char answer[1024];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool done = send(fd, &request, sizeof(request), 0) > 0 &&
                recv(fd, answer, sizeof(answer), 0) > 0;

    close(fd);
    return done;
}

/** tap_peer: the host's side. Returns: a packet socket, or -1 */
static inline int
tap_peer(void)
{
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(TAP_NAME),
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    int on = 1, size = 16 << 20;

    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ==
            0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <= 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}
