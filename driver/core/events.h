/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/* Each sends an event about @domain as it is now, with its lock held: so the
 * events of a domain come in the order of its changes. The daemon's receiver
 * copies and returns. */

/** @event: virDomainEventType   @detail: of that type */
void core_event_lifecycle(CoreDomain *domain, int event, int detail);
/** core_event_renamed: UNDEFINED of the old name, DEFINED of the new */
void core_event_renamed(CoreDomain *domain, const char *old_name);
void core_event_reboot(CoreDomain *domain);
void core_event_control_error(CoreDomain *domain);
void core_event_rtc_change(CoreDomain *domain, int64_t offset_s);
/** @type: virDomainMetadataType   @uri: NULL unless ELEMENT */
void core_event_metadata(CoreDomain *domain, int type, const char *uri);
