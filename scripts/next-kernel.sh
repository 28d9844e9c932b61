#!/usr/bin/env bash
# Picks the next boot of a matrix of real boots and boots it, by GRUB or by kexec.
#
#   scripts/next-kernel.sh OUT
#
# Ends with 0 when the box is on its way down, with 1 when no boot is left, and with 2 when it cannot.
# scripts/boot-matrix and its unit call it; people call scripts/boot-matrix.
# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"
# shellcheck source=scripts/matrix.sh
. scripts/matrix.sh
# shellcheck source=scripts/real-boots.sh
. scripts/real-boots.sh

need_value OUT "$@"
[ -s "$1/matrix" ] || die "$EXIT_ERROR" "which matrix? $self OUT"
out=$1
need_root "to boot another kernel"

# by_reboot KERNEL CPUS: GRUB takes next_entry back before it boots it, so what comes after a kernel
# that dies is the box's default one.
by_reboot() {
  local entry
  entry=$(entry_id "$1" "$2")
  write_block "$out" && grub-reboot "$entry" && [ "$(next_entry)" = "$entry" ] || return
  sync
  # Else a kernel that somebody has loaded for kexec would be booted in place of GRUB.
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
    say_why "$out" "$name" "/boot/vmlinuz-$kernel is not there any more"
    continue
  fi
  note "$out" "$name, try $(tries_of "$out" "$name"): booting by $by; $(boots_to_come "$out" | wc -l) boots to come"
  # Systemctl also complains of what does not keep it from its work; and the box going down may end us
  # right here.
  if said=$("by_$by" "$kernel" "$cpus" 2>&1); then exit 0; fi
  say_why "$out" "$name" "could not be booted by $by: $(tail -n 1 <<<"$said")"
done
