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

/* The shift that brings a value's highest bit to the fourth place, looked up by a hash of the value
 * with all bits below the highest set: a de Bruijn sequence has each six-bit pattern once. BPF has
 * no instruction that counts leading zeros, and a tree of branches is often mispredicted. */
#define GILSCOPE_DE_BRUIJN 0x03f79d71b4cb0a89ULL
static const __u8 gilscope_shifts[64] = {
    0,  44, 0,  53, 45, 24, 0,  57, 54, 46, 38, 34, 25, 13, 0,  58, 51, 55, 32, 49, 47, 39,
    18, 41, 35, 29, 26, 20, 14, 8,  1,  59, 43, 52, 23, 56, 37, 33, 12, 50, 31, 48, 17, 40,
    28, 19, 7,  42, 22, 36, 11, 30, 16, 27, 6,  21, 10, 15, 5,  9,  4,  3,  2,  60};

static inline __u64 gilscope_bucket(__u64 value) {
  __u64 set = value | value >> 1;
  set |= set >> 2;
  set |= set >> 4;
  set |= set >> 8;
  set |= set >> 16;
  set |= set >> 32;
  __u64 shift = gilscope_shifts[set * GILSCOPE_DE_BRUIJN >> 58];
  __u64 bucket = shift * GILSCOPE_SUB_BUCKETS + (value >> shift);
  return bucket < GILSCOPE_BUCKETS ? bucket : GILSCOPE_BUCKETS - 1;
}

/* The smallest value of a bucket, which ends where the next one begins. */
static inline __u64 gilscope_bucket_low(__u32 bucket) {
  if (bucket < GILSCOPE_SUB_BUCKETS) return bucket;
  __u32 shift = bucket / GILSCOPE_SUB_BUCKETS - 1;
  return (__u64)(GILSCOPE_SUB_BUCKETS + bucket % GILSCOPE_SUB_BUCKETS) << shift;
}

static inline void gilscope_histogram_add(struct gilscope_histogram* histogram, __u64 value) {
  __u64 bucket = gilscope_bucket(value);
  if (bucket < GILSCOPE_BUCKETS) histogram->buckets[bucket] += 1; /* for the verifier */
  if (value > histogram->max) histogram->max = value;
}

/* Adds one value to a CPU's histogram and to a thread's, computing its bucket once. */
static inline void gilscope_histogram_add_to_both(struct gilscope_histogram* one,
                                                  struct gilscope_histogram* other, __u64 value) {
  __u64 bucket = gilscope_bucket(value);
  if (bucket < GILSCOPE_BUCKETS) {
    one->buckets[bucket] += 1;
    other->buckets[bucket] += 1;
  }
  if (value > one->max) one->max = value;
  if (value > other->max) other->max = value;
}

#endif /* GILSCOPE_BPF_HISTOGRAM_H */
