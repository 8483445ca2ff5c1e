/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * vsh_xml_strings: the texts of all nodes that @xpath selects in @xml
 * Returns: NULL-terminated; NULL if either is malformed
 */
char **vsh_xml_strings(const char *xml, const char *xpath);

/**
 * vsh_xml_select: the nodes that @xpath selects, as XML, each on its line
 * @wrap: within one element <nodes>
 * Returns: NULL with DOCUMENT if the document, USAGE if @xpath is malformed
 */
char *vsh_xml_select(const char *xml, const char *xpath, bool wrap,
                     GError **error);
