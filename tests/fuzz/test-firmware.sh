#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The virtkvm authors
exec "${abs_top_srcdir:?}/tests/fuzz/run-fuzzer" firmware
