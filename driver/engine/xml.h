/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/**
 * `virtkvm-engine --xml FILE` loads the module engine-xml.so from
 * $VIRTKVM_MODULE_DIR or $(pkglibdir), calls its function, and executes itself
 * anew as `--machine-fd N`: so libxml2 leaves no trace in the engine's memory,
 * and what the module opened is simply inherited.
 *
 * Returns: a memory file with the machine document, its offset at 0, or -1.
 * Every descriptor that the document names is open. None of them, nor the
 * memory file, is close-on-exec.
 * @path: of the domain XML
 */
#define ENGINE_XML_MODULE   "engine-xml.so"
#define ENGINE_XML_FUNCTION "virtkvm_engine_xml"

typedef int EngineXmlFunction(const char *path, GError **error);
EngineXmlFunction virtkvm_engine_xml __attribute__((visibility("default")));
