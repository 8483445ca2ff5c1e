/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "engine/net/net.h"
#include "engine/net/slirp.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"
#include "util/module.h"

/*
 * User mode: libslirp speaks TCP/IP with the guest and plain sockets with the
 * world. It wants to be asked which sockets it waits for each time before one
 * sleeps; that is done once after whatever happened, by a timer that is due at
 * once. The sockets stand in an epoll instance of their own, in which the I/O
 * thread sees one descriptor: one that libslirp has closed vanishes from it.
 */
#define GATEWAY       2 /* in the network: the host itself */
#define NAME_SERVER   3
#define FIRST_LEASE   15
#define EVENTS_MAX    64
#define NS_PER_MS     1000000
#define QUEUE_BYTES   (256 << 10) /* for the guest; then no socket is read */
#define QUEUE_MAX     (4 << 20)   /* then frames are dropped */
#define SLIRP_VERSION 4

/* A frame for the guest. */
typedef struct Frame {
    struct Frame *next;
    size_t size;
    uint8_t bytes[];
} Frame;

typedef struct Socket {
    int fd;
    uint32_t wanted;
    int found; /* SLIRP_POLL_* */
} Socket;

typedef struct User {
    EngineNet net;
    const EngineNetBackendConfig *config;
    const EngineSlirp *slirp;
    Slirp *stack;
    int epoll_fd;
    EngineIoSource *source;
    uint32_t events;     /* of the source */
    GArray *sockets;     /* Socket: by the number that libslirp has for them */
    GArray *before;      /* those of the last time */
    EngineIoTimer later; /* something has happened */
    EngineIoTimer timeout; /* libslirp's */
    Frame *first, **last;
    size_t queued; /* bytes */
    bool listening;
    uint8_t *frame; /* ENGINE_NET_FRAME_MAX: one of the guest's, in one piece */
    LogLimit failures;
} User;

static User *
user_of(EngineNet *net)
{
    return (User *)net;
}

/* --- sockets -------------------------------------------------------------- */
static const struct {
    int slirp;
    uint32_t epoll;
} event_bits[] = {
    { SLIRP_POLL_IN, EPOLLIN },   { SLIRP_POLL_OUT, EPOLLOUT },
    { SLIRP_POLL_PRI, EPOLLPRI }, { SLIRP_POLL_ERR, EPOLLERR },
    { SLIRP_POLL_HUP, EPOLLHUP },
};

static int
add_poll(int fd, int events, void *opaque)
{
    User *user = opaque;
    Socket socket = { .fd = fd };

    for (size_t i = 0; i < G_N_ELEMENTS(event_bits); i++)
        if (events & event_bits[i].slirp)
            socket.wanted |= event_bits[i].epoll;
    g_array_append_val(user->sockets, socket);
    return (int)user->sockets->len - 1;
}

static int
get_revents(int index, void *opaque)
{
    const User *user = opaque;

    return index >= 0 && (guint)index < user->sockets->len
               ? g_array_index(user->sockets, Socket, index).found
               : 0;
}

static void
wait_for(const User *user, guint index)
{
    const Socket *socket = &g_array_index(user->sockets, Socket, index);
    struct epoll_event event = { .events = socket->wanted, .data.u32 = index };

    if (epoll_ctl(user->epoll_fd, EPOLL_CTL_MOD, socket->fd, &event) != 0 &&
        errno == ENOENT)
        (void)epoll_ctl(user->epoll_fd, EPOLL_CTL_ADD, socket->fd, &event);
}

/* Those that are not waited for now; closed ones have gone by themselves. */
static void
forget_others(const User *user)
{
    for (guint i = 0; i < user->before->len; i++) {
        int fd = g_array_index(user->before, Socket, i).fd;
        bool again = false;

        for (guint k = 0; k < user->sockets->len && !again; k++)
            again = g_array_index(user->sockets, Socket, k).fd == fd;
        if (!again)
            (void)epoll_ctl(user->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    }
}

static void
watch(User *user)
{
    uint32_t events = user->queued < QUEUE_BYTES ? EPOLLIN : 0;

    if (events != user->events)
        engine_io_set_events(user->source, events);
    user->events = events;
}

/* Asks libslirp what it waits for. */
static void
ask(User *user)
{
    uint32_t timeout_ms = UINT32_MAX;
    GArray *before = user->before;

    user->before = user->sockets;
    user->sockets = before;
    g_array_set_size(user->sockets, 0);
    user->slirp->pollfds_fill(user->stack, &timeout_ms, add_poll, user);
    forget_others(user);
    for (guint i = 0; i < user->sockets->len; i++)
        wait_for(user, i);
    engine_io_timer_set(&user->timeout,
                        timeout_ms == UINT32_MAX
                            ? 0
                            : engine_io_now() +
                                  (int64_t)timeout_ms * NS_PER_MS + 1);
    watch(user);
}

static void
on_later(void *opaque)
{
    User *user = opaque;
    const EngineNetPeer *peer = user->net.peer;

    if (user->first && user->listening)
        peer->readable(peer->opaque, 0);
    ask(user);
}

static void
something_happened(User *user)
{
    if (user->later.deadline_ns == 0)
        engine_io_timer_set(&user->later, engine_io_now());
}

/* Tells libslirp what it waited for. */
static void
tell(User *user)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(user->epoll_fd, events, EVENTS_MAX, 0);

    for (int i = 0; i < count; i++) {
        guint index = events[i].data.u32;

        for (size_t k = 0;
             index < user->sockets->len && k < G_N_ELEMENTS(event_bits); k++)
            if (events[i].events & event_bits[k].epoll)
                g_array_index(user->sockets, Socket, index).found |=
                    event_bits[k].slirp;
    }
    user->slirp->pollfds_poll(user->stack, count < 0, get_revents, user);
    on_later(user);
}

static void
on_ready(void *opaque)
{
    tell(opaque);
}

/* --- what libslirp calls -------------------------------------------------- */
static ssize_t
send_packet(const void *bytes, size_t size, void *opaque)
{
    User *user = opaque;
    Frame *frame;

    if (size > ENGINE_NET_FRAME_MAX || user->queued + size > QUEUE_MAX)
        return (ssize_t)size;
    frame = g_malloc(sizeof(*frame) + size);
    frame->next = NULL;
    frame->size = size;
    memcpy(frame->bytes, bytes, size);
    *user->last = frame;
    user->last = &frame->next;
    user->queued += size;
    something_happened(user);
    return (ssize_t)size;
}

static void
guest_error(const char *message, void *opaque)
{
    User *user = opaque;

    log_limited(&user->failures, LOG_LEVEL_WARNING,
                _("the guest's network in user mode: %s"), message);
}

static int64_t
clock_get_ns(void *opaque)
{
    return engine_io_now();
}

/* Its only timer is that of IPv6, which is off; without it, it has no use for
 * the other two either. */
static void *
timer_new(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    return opaque;
}

static void
timer_free(void *timer, void *opaque)
{
}

static void
timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
}

static void
poll_fd(int fd, void *opaque)
{
    something_happened(opaque);
}

static void
notify(void *opaque)
{
    something_happened(opaque);
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new_opaque = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

/* --- frames --------------------------------------------------------------- */
static void
user_listen(EngineNet *net, unsigned queue, bool on)
{
    user_of(net)->listening = on;
}

static ssize_t
user_receive(EngineNet *net, unsigned queue, const struct iovec *iov,
             unsigned count)
{
    User *user = user_of(net);
    Frame *frame = user->first;
    size_t copied = 0, size;

    if (!frame)
        return 0;
    size = frame->size;
    for (unsigned i = 0; i < count && copied < size; i++) {
        size_t part = MIN(size - copied, iov[i].iov_len);

        memcpy(iov[i].iov_base, frame->bytes + copied, part);
        copied += part;
    }
    user->first = frame->next;
    if (!user->first)
        user->last = &user->first;
    user->queued -= size;
    g_free(frame);
    watch(user);
    return (ssize_t)size;
}

static EngineNetSent
user_send(EngineNet *net, unsigned queue, const EngineNetFrame *frame)
{
    User *user = user_of(net);
    size_t size = 0;

    for (unsigned i = 1; i < frame->count; i++) {
        memcpy(user->frame + size, frame->iov[i].iov_base,
               frame->iov[i].iov_len);
        size += frame->iov[i].iov_len;
    }
    user->slirp->input(user->stack, user->frame, (int)size);
    something_happened(user);
    return ENGINE_NET_SENT;
}

/* --- life ----------------------------------------------------------------- */
static void
user_close(EngineNet *net)
{
    User *user = user_of(net);

    if (user->stack)
        user->slirp->cleanup(user->stack);
    engine_io_timer_set(&user->later, 0);
    engine_io_timer_set(&user->timeout, 0);
    engine_io_remove(user->source);
    fd_clear(&user->epoll_fd);
    while (user->first) {
        Frame *frame = user->first;

        user->first = frame->next;
        g_free(frame);
    }
    g_array_unref(user->sockets);
    g_array_unref(user->before);
    g_mutex_clear(&user->failures.lock);
    g_free(user->frame);
    g_free(user);
}

static struct in_addr
host_in(const EngineNetBackendConfig *config, uint32_t number)
{
    return (struct in_addr){ config->network.s_addr | htonl(number) };
}

static bool
start_stack(User *user, GError **error)
{
    const EngineNetBackendConfig *config = user->config;
    const SlirpConfig plan = {
        .version = SLIRP_VERSION,
        .restricted = config->restricted,
        .in_enabled = true,
        .vnetwork = config->network,
        .vnetmask.s_addr = htonl(UINT32_MAX << (32 - config->prefix)),
        .vhost = host_in(config, GATEWAY),
        .vhostname = config->hostname,
        .tftp_path = config->tftp_root,
        .bootfile = config->boot_file,
        .vdhcp_start = host_in(config, FIRST_LEASE),
        .vnameserver = host_in(config, NAME_SERVER),
    };

    user->slirp = module_symbol(ENGINE_SLIRP_MODULE, ENGINE_SLIRP_TABLE, error);
    if (!user->slirp)
        return false;
    user->stack = user->slirp->new (&plan, &callbacks, user);
    if (!user->stack)
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("libslirp cannot be used with this network"));
    return user->stack != NULL;
}

static bool
forward_ports(User *user, GError **error)
{
    const EngineNetBackendConfig *config = user->config;
    struct in_addr guest = host_in(config, FIRST_LEASE);

    for (size_t i = 0; i < config->n_forwards; i++) {
        const EngineNetForward *forward = &config->forwards[i];

        if (user->slirp->add_hostfwd(user->stack, forward->udp, forward->host,
                                     (int)forward->host_port, guest,
                                     (int)forward->guest_port) == 0)
            continue;
        error_set_errno(error, errno,
                        _("cannot forward the host's %s port %u to the guest"),
                        forward->udp ? "UDP" : "TCP", forward->host_port);
        return false;
    }
    return true;
}

static EngineNet *
user_open(const EngineNetBackendConfig *config, EngineIo *io, GError **error)
{
    User *user = g_new0(User, 1);

    user->config = config;
    user->last = &user->first;
    user->sockets = g_array_new(FALSE, FALSE, sizeof(Socket));
    user->before = g_array_new(FALSE, FALSE, sizeof(Socket));
    user->frame = g_malloc(ENGINE_NET_FRAME_MAX);
    g_mutex_init(&user->failures.lock);
    engine_io_timer_init(&user->later, io, on_later, user);
    engine_io_timer_init(&user->timeout, io, on_ready, user);
    user->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (user->epoll_fd < 0)
        error_set_errno(error, errno, _("cannot make an I/O thread"));
    else
        user->source = engine_io_add(io, user->epoll_fd, on_ready, user, error);
    user->events = EPOLLIN;
    if (user->source && start_stack(user, error) &&
        forward_ports(user, error)) {
        something_happened(user);
        return &user->net;
    }
    user_close(&user->net);
    return NULL;
}

const EngineNetType engine_net_user_type = {
    .open = user_open,
    .close = user_close,
    .listen = user_listen,
    .receive = user_receive,
    .send = user_send,
};
