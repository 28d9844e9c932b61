/* SPDX-License-Identifier: GPL-2.0-only
 *
 * How much of a stretch of time lies within the window. Compiles as C and as C++.
 */
#ifndef GILSCOPE_BPF_WINDOW_H
#define GILSCOPE_BPF_WINDOW_H

#include "bpf/contract.h"

/* How many ns of [from, to) lie within [open, close), either of which may be GILSCOPE_NEVER; 0
 * where `to` is before `from`. */
static inline __u64 gilscope_within(__u64 from, __u64 to, __u64 open, __u64 close) {
  if (from < open) from = open;
  if (to > close) to = close;
  return to > from ? to - from : 0;
}

#endif /* GILSCOPE_BPF_WINDOW_H */
