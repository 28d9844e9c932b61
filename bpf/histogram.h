/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The bucket of a value: log-linear, 8 buckets an octave, so a bucket is at most 12.5 % wide.
 * Values below 8 have a bucket each; the last bucket takes everything from 15 * 2^34 ns (258 s) up.
 * Compiles as C for BPF and as C++ for the user side and the tests.
 */
#ifndef GILSCOPE_BPF_HISTOGRAM_H
#define GILSCOPE_BPF_HISTOGRAM_H

#include "bpf/contract.h"

#define GILSCOPE_SUB_BITS 3
#define GILSCOPE_SUB_BUCKETS (1 << GILSCOPE_SUB_BITS)

/* A branch tree: BPF has no count-leading-zeros instruction. `value` is not 0. */
static inline __u32 gilscope_log2(__u64 value) {
  __u32 log = 0;
  if (value >> 32) value >>= 32, log += 32;
  if (value >> 16) value >>= 16, log += 16;
  if (value >> 8) value >>= 8, log += 8;
  if (value >> 4) value >>= 4, log += 4;
  if (value >> 2) value >>= 2, log += 2;
  if (value >> 1) log += 1;
  return log;
}

static inline __u32 gilscope_bucket(__u64 value) {
  if (value < GILSCOPE_SUB_BUCKETS) return (__u32)value;
  __u32 shift = gilscope_log2(value) - GILSCOPE_SUB_BITS;
  __u32 sub = (__u32)(value >> shift) & (GILSCOPE_SUB_BUCKETS - 1);
  __u32 bucket = (shift + 1) * GILSCOPE_SUB_BUCKETS + sub;
  return bucket < GILSCOPE_BUCKETS ? bucket : GILSCOPE_BUCKETS - 1;
}

/* The smallest value of a bucket; the bucket's end is the next one's start. */
static inline __u64 gilscope_bucket_low(__u32 bucket) {
  if (bucket < GILSCOPE_SUB_BUCKETS) return bucket;
  __u32 shift = bucket / GILSCOPE_SUB_BUCKETS - 1;
  return (__u64)(GILSCOPE_SUB_BUCKETS + bucket % GILSCOPE_SUB_BUCKETS) << shift;
}

static inline void gilscope_histogram_add(struct gilscope_histogram* histogram, __u64 value) {
  __u32 bucket = gilscope_bucket(value);
  if (bucket < GILSCOPE_BUCKETS) histogram->buckets[bucket] += 1; /* the test is the verifier's */
  if (value > histogram->max) histogram->max = value;
}

/* One value, of a core and of a thread: its bucket is looked for once. */
static inline void gilscope_histogram_add_to_both(struct gilscope_histogram* one,
                                                  struct gilscope_histogram* other, __u64 value) {
  __u32 bucket = gilscope_bucket(value);
  if (bucket < GILSCOPE_BUCKETS) {
    one->buckets[bucket] += 1;
    other->buckets[bucket] += 1;
  }
  if (value > one->max) one->max = value;
  if (value > other->max) other->max = value;
}

#endif /* GILSCOPE_BPF_HISTOGRAM_H */
