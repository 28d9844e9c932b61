#!/usr/bin/env bash
# Picks the next boot of a matrix of real boots and boots it, through GRUB or kexec.
#
#   scripts/next-kernel.sh OUT
#
# Exit code: 0 when the machine is about to reboot, 1 when no boot is left, 2 on an error.
# scripts/boot-matrix and its unit call this script; users call scripts/boot-matrix.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=scripts/matrix.sh
. scripts/matrix.sh
# shellcheck source=scripts/real-boots.sh
. scripts/real-boots.sh

need_value OUT "$@"
[ -s "$1/matrix" ] || die "$EXIT_ERROR" "no matrix in $1; usage: $self OUT"
out=$1
need_root "to boot another kernel"

# by_reboot KERNEL CPUS: GRUB clears next_entry before it boots that entry, so a kernel that dies is
# followed by the machine's default kernel.
by_reboot() {
  local entry
  entry=$(entry_id "$1" "$2")
  write_block "$out" && grub-reboot "$entry" && [ "$(next_entry)" = "$entry" ] || return
  sync
  # Otherwise a kernel that somebody loaded for kexec would be booted instead of GRUB.
  SYSTEMCTL_SKIP_AUTO_KEXEC=1 systemctl --no-block reboot
}

by_kexec() {
  local initrd=()
  [ ! -e "/boot/initrd.img-$1" ] || initrd=(--initrd="/boot/initrd.img-$1")
  kexec -l "/boot/vmlinuz-$1" "${initrd[@]}" --command-line="$(boot_parameters "$out" "$2")" || return
  sync
  systemctl --no-block kexec
}

by=$(asked_for "$out" by)
while true; do
  line=$(next_boot "$out")
  [ -n "$line" ] || exit 1
  read -r block kernel cpus <<<"$line"
  name=$(boot_name "$block" "$kernel" "$cpus")
  count_try "$out" "$name"
  if [ ! -r "/boot/vmlinuz-$kernel" ]; then
    say_why "$out" "$name" "/boot/vmlinuz-$kernel no longer exists"
    continue
  fi
  note "$out" "$name, try $(tries_of "$out" "$name"): booting by $by; $(boots_to_come "$out" | wc -l) boots to come"
  # systemctl also prints complaints when it succeeds, and the machine may go down while this script
  # is still running.
  if said=$("by_$by" "$kernel" "$cpus" 2>&1); then exit 0; fi
  say_why "$out" "$name" "could not be booted by $by: $(tail -n 1 <<<"$said")"
done
