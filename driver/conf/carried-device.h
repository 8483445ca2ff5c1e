/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/* What is done to a device that is carried as text. @flags: ConfParseFlags */

/** conf_device_prepare: drop the alias of a domain that ran */
void conf_device_prepare(xmlNode *node, unsigned flags);
/**
 * conf_device_with_alias: the text of a carried device with an <alias>, as
 * libvirt gives it while the domain runs; NULL if it has one already
 * @prefix, @index: its name
 * @level: its depth in the document
 */
char *conf_device_with_alias(const char *text, const char *prefix,
                             unsigned index, unsigned level);
