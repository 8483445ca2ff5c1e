/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

#include "conf/carried.h"
#include "conf/onoff.h"

/** <address type='virtio-serial'>; -1 = absent. */
typedef struct ConfPortAddress {
    char *type;
    int controller, bus, port;
} ConfPortAddress;

/** Below the daemon's own: where the sockets of channels are for which the
 * document names none. */
#define CONF_CHANNEL_FOLDER "/channel/target/"

/** state='' of a live <channel>'s <target> */
typedef enum ConfChannelState {
    CONF_CHANNEL_ABSENT = 0,
    CONF_CHANNEL_CONNECTED,
    CONF_CHANNEL_DISCONNECTED,
} ConfChannelState;

/** Where a character device ends on the host: type='' of <serial>, <console>,
 * <channel> */
typedef enum ConfChardevType {
    CONF_CHARDEV_NULL = 0,
    CONF_CHARDEV_PTY,
    CONF_CHARDEV_FILE,
    CONF_CHARDEV_STDIO, /* only for an engine run by hand */
    CONF_CHARDEV_UNIX,
    CONF_CHARDEV_TCP,
    CONF_CHARDEV_OTHER,  /* known to libvirt, carried, refused at start */
    CONF_CHARDEV_ABSENT, /* no type='': as pty */
} ConfChardevType;

/** <serial>, <console>, <channel>: a character device and its source. */
typedef struct ConfChardev {
    ConfChardevType type;
    char *type_name;  /* as written */
    char *path;       /* pty (live), file, unix; of a unix channel NULL: one is
                         chosen at the start */
    ConfOnOff append; /* file: keep what is there */
    char *mode;       /* unix, tcp: bind, connect */
    bool listen;      /* mode is bind */
    char *host;       /* tcp */
    char *service;    /* tcp port */
    char *protocol;   /* tcp: raw */
    char *log_file;   /* <log file=''> */
    ConfOnOff log_append;
    char *target_type;       /* serial, virtio, isa-serial ... */
    char *target_model;      /* <model name=''> */
    int port;                /* <target port=''>; -1 = absent */
    char *tty;               /* tty='' of a live <console> */
    char *alias;             /* live */
    char *name;              /* <target name=''> of a channel */
    ConfChannelState state;  /* live */
    ConfPortAddress address; /* channels and virtio consoles */
    ConfCarried carried;
} ConfChardev;

/** conf_chardev_is_virtio: is it a port of a virtio-serial device? */
bool conf_chardev_is_virtio(const ConfChardev *chardev);

/** conf_chardev_copy_source: make @to end where @from does; its target stays */
void conf_chardev_copy_source(ConfChardev *to, const ConfChardev *from);
