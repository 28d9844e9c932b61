/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The maps and globals. Sizes marked "set by the loader" depend on the experiment or the machine.
 * The arrays can be mapped: the user side reads and clears them without a system call, and the
 * worker's threads write their slots of the board with plain stores.
 */
#ifndef GILSCOPE_BPF_MAPS_H
#define GILSCOPE_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/counters.h"
#include "bpf/process.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* threads: set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_slot);
} board SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* threads: set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_thread);
} threads SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* possible CPUs: set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_cpu);
} cpus SEC(".maps");

/* By tid in the first PID namespace: the slot + 1, or 0 for a thread that is not traced. An array,
 * because a hash costs each switch two function calls (docs/tracer-cost.md). */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* pid_max: set by the loader */
  __type(key, __u32);
  __type(value, __u64); /* an array's entries are 8 bytes apart anyway */
} slot_of_tid SEC(".maps");

/* A buffer of records_per_cpu records for each CPU: nothing is reserved, locked or shared. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_segment);
} records SEC(".maps");

/* Rung with the CPU's number when its buffer is half full. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096); /* a page: set by the loader */
} doorbell SEC(".maps");

/* --- Of real programs alone: one entry each, and unused, in the runs of models -------------------
 */

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_process);
} processes SEC(".maps");

/* By tgid in the first PID namespace: the place in the table above + 1, or 0. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* pid_max: set by the loader */
  __type(key, __u32);
  __type(value, __u64);
} process_of_tgid SEC(".maps");

/* By slot, as `threads`. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* set by the loader */
  __type(key, __u32);
  __type(value, struct gilscope_waiter);
} waiters SEC(".maps");

/* By process and thread state: the slot of the thread that has it. */
struct gilscope_state_key {
  __u64 state;
  __u64 process;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* set by the loader */
  __type(key, struct gilscope_state_key);
  __type(value, __u64);
} slot_of_state SEC(".maps");

/* Places that are free in `threads` and in `processes`. */
struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __uint(max_entries, 1); /* set by the loader */
  __type(value, __u32);
} free_slots SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __uint(max_entries, 1); /* set by the loader */
  __type(value, __u32);
} free_processes SEC(".maps");

/* Set by the loader before the programs are verified, so that what is off costs nothing. */
const volatile __u32 possible_cpus = 1; /* the length of a process's part of `cpus` */
const volatile bool write_records = true;
const volatile bool has_prev_state =
    false;                                /* sched_switch passes prev_state (5.18, 9c2136be0878) */
const volatile __u32 records_per_cpu = 1; /* a power of two */
const volatile bool watches_lock = false; /* real programs are traced for a lock that is no GIL */

struct gilscope_window window = {.open_ns = GILSCOPE_NEVER, .close_ns = GILSCOPE_NEVER};

#endif /* GILSCOPE_BPF_MAPS_H */
