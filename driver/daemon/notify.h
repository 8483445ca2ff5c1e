/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** daemon_notify: tell the service manager @state ("READY=1"), if there is one
 * (sd_notify(3)'s protocol) */
void daemon_notify(const char *state);
