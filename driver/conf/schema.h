/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

/**
 * conf_schema_validate: check @doc against an installed schema
 * @name: of the file, in $VIRTKVM_SCHEMA_DIR or the package's data folder
 * @error: XML_INVALID_SCHEMA with the first complaint
 */
bool conf_schema_validate(xmlDoc *doc, const char *name, GError **error);

/** conf_schema_domain: domain.rng, made from the tables */
char *conf_schema_domain(void);
/** conf_schema_network: network.rng, made from the tables */
char *conf_schema_network(void);
/** conf_schema_virtkvm: virtkvm.rng, for our own settings */
char *conf_schema_virtkvm(void);
