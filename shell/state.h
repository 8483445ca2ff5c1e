/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** vsh_state_name: of a virDomainState, translated ("shut off") */
const char *vsh_state_name(int state);

/** vsh_state_reason: of a reason in that state, translated ("destroyed") */
const char *vsh_state_reason(int state, int reason);
