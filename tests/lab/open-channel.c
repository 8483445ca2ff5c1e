/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * open-channel URI DOMAIN CHANNEL: opens a guest's channel as every client of
 * libvirt can, sends each line of standard input and prints the line that comes
 * back. Stops at the first that does not.
 */
#include <config.h>

#include <err.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

static bool
send_all(virStreamPtr stream, const char *text, size_t size)
{
    while (size > 0) {
        int sent = virStreamSend(stream, text, size);

        if (sent <= 0)
            return false;
        text += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* A line, with its end. */
static bool
receive_line(virStreamPtr stream, FILE *out)
{
    char byte = 0;

    while (byte != '\n') {
        if (virStreamRecv(stream, &byte, 1) != 1)
            return false;
        fputc(byte, out);
    }
    return fflush(out) == 0;
}

int
main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES];
    virConnectPtr connection;
    virDomainPtr domain;
    virStreamPtr stream;

    if (argc != 4)
        errx(2, "usage: open-channel URI DOMAIN CHANNEL");
    connection = virConnectOpen(argv[1]);
    domain = connection ? virDomainLookupByName(connection, argv[2]) : NULL;
    stream = domain ? virStreamNew(connection, 0) : NULL;
    if (!stream || virDomainOpenChannel(domain, argv[3], stream, 0) < 0)
        return 1; /* libvirt has said why */
    while (fgets(line, sizeof(line), stdin))
        if (!send_all(stream, line, strlen(line)) ||
            !receive_line(stream, stdout))
            return 1;
    virStreamFinish(stream);
    virStreamFree(stream);
    virDomainFree(domain);
    virConnectClose(connection);
    return 0;
}
