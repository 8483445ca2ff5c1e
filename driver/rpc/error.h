/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>
#include <stdint.h>

#include "rpc/frame.h"

/**
 * rpc_error_text: the message a libvirt client shows: libvirt's text for
 * @code with @detail in it (NULL: without), translated
 */
char *rpc_error_text(virErrorNumber code, const char *detail);

/** rpc_error_domain: the virErrorDomain that goes with @code */
virErrorDomain rpc_error_domain(virErrorNumber code);

/**
 * rpc_error_frame: the answer with status ERROR that carries @error
 * @header: of the answer; its status is set to ERROR
 */
GByteArray *rpc_error_frame(const RpcHeader *header, const GError *error);
