/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/domain.h"
#include "core/state.h"

/*
 * A domain's firmware, and the file of the variables that it keeps. All of
 * these read or write files: without a domain's lock, with its job.
 */

/** core_firmware_list: what the host has; what is wrong with its descriptors is
 * logged. Returns: array of ConfFirmwareDescriptor */
GPtrArray *core_firmware_list(const VirtkvmState *state);

/**
 * core_firmware_choose: settle on the firmware that @conf asks for, and on the
 * file of its variables: from here on its definition names both
 * @error: as conf_domain_choose_firmware()
 */
bool core_firmware_choose(const VirtkvmState *state, ConfDomain *conf,
                          GError **error);

/**
 * core_nvram_prepare: before a start: there is a file of variables, of the
 * template's size; made of the template if it is not there
 * @reset: made anew in any case
 * @error: OPERATION_FAILED if there is nothing to make it of; INVALID_ARG if
 * the file is not one; SYSTEM_ERROR names the file
 */
bool core_nvram_prepare(const VirtkvmState *state, const ConfDomain *conf,
                        bool reset, GError **error);

/**
 * core_nvram_undefine: before a definition is removed
 * @flags: virDomainUndefineFlagsValues
 * @error: OPERATION_INVALID if there is a file and neither flag says what is to
 * become of it; INVALID_ARG if both do
 */
bool core_nvram_undefine(const ConfDomain *conf, unsigned flags,
                         GError **error);

/**
 * core_nvram_follow: @conf is about to be called @name: does its file of
 * variables have the name that we gave it? Then @conf names the next such one.
 */
bool core_nvram_follow(const VirtkvmState *state, ConfDomain *conf,
                       const char *name);
/** core_nvram_move: the file itself, by the names of the domain; one that is
 * not there is fine. @error: SYSTEM_ERROR, also if there is one already */
bool core_nvram_move(const VirtkvmState *state, const char *from,
                     const char *to, GError **error);
