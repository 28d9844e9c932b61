#!/usr/bin/env bash
# The unit of a matrix of real boots runs this after each boot. If the machine is in the boot whose turn
# it is, this script measures; then it boots the next one. When none is left, it compares the reports
# and restores the machine.
#
#   scripts/boot-matrix-start.sh OUT
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=scripts/matrix.sh
. scripts/matrix.sh
# shellcheck source=scripts/real-boots.sh
. scripts/real-boots.sh

# The machine is at rest when it is busy for at most REST_PERCENT % of REST_SECONDS seconds in a
# row; after REST_LIMIT seconds without rest, the measurement starts anyway.
readonly REST_PERCENT=5 REST_SECONDS=6 REST_LIMIT=120

need_value OUT "$@"
[ -s "$1/matrix" ] || die "$EXIT_ERROR" "no matrix in $1; usage: $self OUT"
out=$1
gilscope=$out/gilscope
need_root "to trace the kernel"
exec 9>"$out/lock"
flock -n 9 || die "$EXIT_ERROR" "another $self is running in $out"

# cpu_times: the ticks of all CPUs so far, and the idle ticks among them. Waiting for a disk
# (iowait) does not count as idle.
cpu_times() { awk '$1 == "cpu" { for (i = 2; i <= 9; i++) all += $i; print all, $5 }' /proc/stat; }

wait_for_rest() {
  local began=$SECONDS rested=0 busy=100 all idle all_then idle_then
  read -r all_then idle_then < <(cpu_times)
  while [ "$rested" -lt "$REST_SECONDS" ]; do
    if [ $((SECONDS - began)) -ge "$REST_LIMIT" ]; then
      note "$out" "not at rest after $REST_LIMIT s, still $busy % busy; measuring anyway"
      return
    fi
    sleep 2
    read -r all idle < <(cpu_times)
    [ "$all" -gt "$all_then" ] || continue
    busy=$((100 - 100 * (idle - idle_then) / (all - all_then)))
    if [ "$busy" -le "$REST_PERCENT" ]; then rested=$((rested + 2)); else rested=0; fi
    all_then=$all idle_then=$idle
  done
}

# why_not_ours KERNEL CPUS: why the running boot is not that one; nothing if it is. The kernel's
# release does not suffice: the machine's default kernel may be one of the plan's.
why_not_ours() {
  local cut
  cut=$(asked_for "$out" cpus-by)=$2
  if [ "$(uname -r)" != "$1" ] || [[ " $(cat /proc/cmdline) " != *" $cut "* ]]; then
    printf 'did not come up, or went down before its run ended: a panic, a power cut or a reset; the next boot was %s' "$(uname -r)"
  elif [ "$(online_cpus)" -ne "$2" ]; then
    printf 'it came up with %s instead of %s' "$(cpus_text "$(online_cpus)")" "$2"
  fi
}

# measure BLOCK KERNEL CPUS NAME: measures one block. Its directory gets its name only once it is on
# the disk.
measure() {
  local block=$1 kernel=$2 cpus=$3 name=$4 spec status=0 new=$out/boots/.new
  spec=$(asked_for "$out" spec)
  spec=${spec%% *}
  [ ! -e "$out/spec.toml" ] || spec=$out/spec.toml
  rm -rf "$new"
  mkdir -p "$new"
  # Otherwise the boot's own dirty pages would be written back in the middle of the run.
  sync
  wait_for_rest
  note "$out" "$name: measuring on $kernel with $(cpus_text "$cpus")"
  "$gilscope" run "$spec" --cpus "$cpus" --blocks 1 --warmup 0 --seed "$block" --quiet \
    --out "$new/report" >"$new/output" 2>&1 </dev/null 9>&- || status=$?
  printf '%d\n' "$status" >"$new/status"
  dmesg >"$new/console" 2>/dev/null || true
  sync
  if [ "$status" -eq 0 ] && [ -s "$new/report/report.json" ]; then
    mv "$new" "$out/boots/$name"
    rm -rf "$out/tries/$name.why" "$out/failed/$name"
    sync
    note "$out" "$name: done"
    return
  fi
  rm -rf "$out/failed/$name"
  mv "$new" "$out/failed/$name"
  sync
  say_why "$out" "$name" "gilscope ended with $status: $(grep -m 1 '^gilscope: ' "$out/failed/$name/output" | cut -c1-160 || tail -n 1 "$out/failed/$name/output")"
}

# finish: idempotent, because the power may fail here too; the unit is the last thing that it undoes.
finish() {
  local status=0 failed
  failed=$(find "$out/failed" -mindepth 2 -maxdepth 2 -name why | wc -l)
  compare_matrix "$out" "$(asked_for "$out" kernels)" "$(asked_for "$out" cpus)" >/dev/null \
    2>"$out/comparison.said" || status=$?
  [ ! -s "$out/comparison.said" ] || note "$out" "gilscope compare: $(tail -n 1 "$out/comparison.said")"
  rm -f "$out/comparison.said"
  note "$out" "The plan is done: $(reports_of "$out" | wc -l) of $(wc -l <"$out/order") boots have a report, $failed failed; gilscope compare exited with $status, see $out/comparison.txt."
  disarm
  if [ "$(online_cpus)" -lt "$(cat "$out/cpus")" ]; then
    note "$out" "This kernel has $(online_cpus) of $(cat "$out/cpus") CPUs: rebooting into the machine's default kernel."
    SYSTEMCTL_SKIP_AUTO_KEXEC=1 systemctl --no-block reboot
  else
    note "$out" "The machine stays on $(uname -r), with all its CPUs; its next reboot is into its default kernel."
  fi
}

# The boot that was started last comes first among those to come, even if this is its last try.
mapfile -t to_come < <(boots_to_come "$out")
if [ "${#to_come[@]}" -gt 0 ]; then
  read -r block kernel cpus <<<"${to_come[0]}"
  name=$(boot_name "$block" "$kernel" "$cpus")
  if [ "$(tries_of "$out" "$name")" -gt 0 ]; then
    why=$(why_not_ours "$kernel" "$cpus")
    if [ -z "$why" ]; then
      measure "$block" "$kernel" "$cpus" "$name"
    elif [ ! -e "$out/tries/$name.why" ]; then
      say_why "$out" "$name" "$why"
    fi
  fi
fi
status=0
scripts/next-kernel.sh "$out" || status=$?
if [ "$status" -eq 1 ] && [ -z "$(next_boot "$out")" ]; then
  finish
elif [ "$status" -ne 0 ]; then
  die "$EXIT_ERROR" "the next boot could not be started; the next reboot tries again"
fi
