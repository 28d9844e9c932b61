# shellcheck shell=bash
# The files that a matrix of real boots keeps beside its plan, the changes it makes to its machine, and
# how they are undone. Source this after lib.sh and matrix.sh; do not run it.
#
#   OUT/cmdline, OUT/cpus   the machine's own kernel command line, and its number of CPUs
#   OUT/gilscope, OUT/spec.toml, OUT/scripts/   copies for the boots, independent of the source tree
#   OUT/tries/NAME          how often that boot was tried; NAME.why says why the last try failed
#   OUT/log                 the events, one line each
#
# The power may fail at any moment, so every file is written under a temporary name, synced and renamed.

readonly UNIT=gilscope-boot-matrix.service
readonly UNIT_FILE=/etc/systemd/system/$UNIT
readonly GRUB=/boot/grub
# The ids of our menu entries begin with this.
readonly ENTRY=gilscope-boot-matrix
readonly BLOCK_BEGIN='### BEGIN gilscope boot-matrix: scripts/boot-matrix --stop takes this out ###'
readonly BLOCK_END='### END gilscope boot-matrix ###'
readonly MOST_TRIES=2
# A kernel that panics reboots after this many seconds, into the machine's default kernel.
readonly PANIC_SECONDS=30

# asked_for OUT KEY: the value of that line of OUT/matrix.
asked_for() { sed -n "s/^$2 //p" "$1/matrix"; }

# note OUT TEXT...: writes a line to OUT/log and to standard output.
note() {
  local out=$1
  shift
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$out/log"
  printf '%s\n' "$*"
}

# keep FILE: writes standard input to the file, completely or not at all.
keep() {
  cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync "$(dirname "$1")"
}

cpus_text() { if [ "$1" -eq 1 ]; then printf '1 CPU'; else printf '%s CPUs' "$1"; fi; }

online_cpus() { getconf _NPROCESSORS_ONLN; }

# The CPUs that the running kernel knows, online or not.
known_cpus() { find /sys/devices/system/cpu -maxdepth 1 -name 'cpu[0-9]*' | wc -l; }

# --- tries ---------------------------------------------------------------------------------------

tries_of() { cat "$1/tries/$2" 2>/dev/null || printf '0\n'; }  # tries_of OUT NAME

# count_try OUT NAME: called before the boot, since nothing may run after it.
count_try() {
  local tries
  tries=$(tries_of "$1" "$2")
  printf '%d\n' $((tries + 1)) | keep "$1/tries/$2"
  rm -f "$1/tries/$2.why"
}

# say_why OUT NAME TEXT: records why a try failed.
say_why() {
  printf '%s\n' "$3" | keep "$1/tries/$2.why"
  note "$1" "$2, try $(tries_of "$1" "$2"): $3"
}

# boots_to_come OUT: the lines of the plan that are neither done nor given up.
boots_to_come() {
  local block kernel cpus
  remaining_boots "$1" | while read -r block kernel cpus; do
    [ -e "$1/failed/$(boot_name "$block" "$kernel" "$cpus")/why" ] || printf '%s %s %s\n' "$block" "$kernel" "$cpus"
  done
}

# next_boot OUT: the line of the plan whose turn it is, or nothing. Gives up on boots that were
# tried often enough.
next_boot() {
  local out=$1 line lines block kernel cpus name why
  mapfile -t lines < <(boots_to_come "$out")
  for line in "${lines[@]}"; do
    read -r block kernel cpus <<<"$line"
    name=$(boot_name "$block" "$kernel" "$cpus")
    if [ "$(tries_of "$out" "$name")" -lt "$MOST_TRIES" ]; then
      printf '%s\n' "$line"
      return
    fi
    why="did not come up, or went down before its run ended: a panic, a power cut or a reset"
    [ ! -s "$out/tries/$name.why" ] || why=$(cat "$out/tries/$name.why")
    mkdir -p "$out/failed/$name"
    printf '%s, in %d tries\n' "$why" "$MOST_TRIES" | keep "$out/failed/$name/why"
    note "$out" "$name FAILED: $why" >&2
  done
}

# --- GRUB ----------------------------------------------------------------------------------------

# why_not_grub: prints what prevents booting through GRUB, or nothing.
why_not_grub() {
  local tool
  if ! grep -qs 'custom\.cfg' "$GRUB/grub.cfg"; then
    printf '%s/grub.cfg does not read custom.cfg, where the entries would go; is /etc/grub.d/41_custom there? update-grub rewrites grub.cfg' "$GRUB"
    return
  fi
  if ! grep -q 'next_entry' "$GRUB/grub.cfg"; then
    printf '%s/grub.cfg does not use next_entry, so no entry can be booted just once' "$GRUB"
    return
  fi
  for tool in grub-reboot grub-editenv grub-probe grub-mkrelpath; do
    command -v "$tool" >/dev/null || { printf '%s is not installed' "$tool"; return; }
  done
  # GRUB clears next_entry before it boots that entry. If it cannot write, a kernel that panics
  # would be booted forever.
  case $(grub-probe --target=fs "$GRUB"),$(grub-probe --target=abstraction "$GRUB") in
    btrfs,* | zfs,* | *lvm* | *diskfilter* | *mdraid*)
      printf 'GRUB cannot write to the file system of %s, so no entry can be booted just once; --by kexec needs no GRUB' "$GRUB" ;;
  esac
}

# own_command_line: the running kernel's command line, without the parameters that each boot sets
# anew.
own_command_line() {
  tr ' ' '\n' </proc/cmdline |
    grep -vE '^((BOOT_IMAGE|initrd|maxcpus|nr_cpus|panic)=.*)?$' | paste -sd ' '
}

# boot_parameters OUT CPUS: ours come first, because what follows a -- is not for the kernel.
boot_parameters() {
  printf '%s=%s panic=%s %s' "$(asked_for "$1" cpus-by)" "$2" "$PANIC_SECONDS" "$(cat "$1/cmdline")"
}

entry_id() { printf '%s-%s-%s' "$ENTRY" "$1" "$2"; }  # entry_id KERNEL CPUS

# print_block OUT: a menu entry for each kernel and CPU count.
print_block() {
  local out=$1 kernel cpus word boot uuid
  boot=$(grub-mkrelpath /boot)
  uuid=$(grub-probe --target=fs_uuid /boot)
  # shellcheck disable=SC2016  # GRUB's variable
  printf '%s\nif [ "${timeout}" = -1 ]; then set timeout=5; fi\n' "$BLOCK_BEGIN"
  for kernel in $(asked_for "$out" kernels); do
    for cpus in $(asked_for "$out" cpus); do
      printf "menuentry 'gilscope: %s on %s' --unrestricted --id %s {\n" \
        "$kernel" "$(cpus_text "$cpus")" "$(entry_id "$kernel" "$cpus")"
      printf '\tload_video\n\tinsmod gzio\n\tsearch --no-floppy --fs-uuid --set=root %s\n' "$uuid"
      printf '\tlinux %s/vmlinuz-%s' "$boot" "$kernel"
      for word in $(boot_parameters "$out" "$cpus"); do printf " '%s'" "$word"; done
      printf '\n'
      [ ! -e "/boot/initrd.img-$kernel" ] || printf '\tinitrd %s/initrd.img-%s\n' "$boot" "$kernel"
      printf '}\n'
    done
  done
  printf '%s\n' "$BLOCK_END"
}

custom_without_block() {
  [ ! -e "$GRUB/custom.cfg" ] || sed "\|^$BLOCK_BEGIN\$|,\|^$BLOCK_END\$|d" "$GRUB/custom.cfg"
}

write_block() {  # write_block OUT
  local wanted
  wanted=$(custom_without_block; print_block "$1")
  if [ -e "$GRUB/custom.cfg" ] && [ "$(cat "$GRUB/custom.cfg")" = "$wanted" ]; then return 0; fi
  [ ! -e "$GRUB/custom.cfg" ] || cp -p "$GRUB/custom.cfg" "$GRUB/custom.cfg.new"
  printf '%s\n' "$wanted" | keep "$GRUB/custom.cfg"
}

# Keeps everything else in custom.cfg.
remove_block() {
  rm -f "$GRUB/custom.cfg.new"
  grep -qsxF "$BLOCK_BEGIN" "$GRUB/custom.cfg" || return 0
  if [ -n "$(custom_without_block)" ]; then
    cp -p "$GRUB/custom.cfg" "$GRUB/custom.cfg.new"
    custom_without_block | keep "$GRUB/custom.cfg"
  else
    rm -f "$GRUB/custom.cfg"
  fi
}

next_entry() { grub-editenv "$GRUB/grubenv" list 2>/dev/null | sed -n 's/^next_entry=//p'; }

# --- the unit ------------------------------------------------------------------------------------

# armed_out: prints the directory of the matrix that is armed on this machine, or nothing.
armed_out() { sed -n 's/^ExecStart=.* //p' "$UNIT_FILE" 2>/dev/null || true; }

arm() {  # arm OUT
  sed "s|@OUT@|$1|g" scripts/gilscope-boot-matrix.service | keep "$UNIT_FILE"
  systemctl daemon-reload
  systemctl --quiet enable "$UNIT"
  sync
}

# disarm: undoes all changes outside the matrix's directory. The unit goes last: while it exists,
# interrupted work is done again after the next boot.
disarm() {
  if [ -e "$GRUB/grubenv" ] && command -v grub-editenv >/dev/null; then
    # GRUB leaves next_entry with an empty value after using it.
    case $(next_entry) in
      "$ENTRY"-* | "") grub-editenv "$GRUB/grubenv" unset next_entry ;;
    esac
  fi
  remove_block
  if [ -e /sys/kernel/kexec_loaded ] && [ "$(cat /sys/kernel/kexec_loaded)" = 1 ] && command -v kexec >/dev/null; then
    kexec -u || true
  fi
  sync
  if [ -e "$UNIT_FILE" ]; then
    systemctl --quiet disable "$UNIT"
    rm -f "$UNIT_FILE" "$UNIT_FILE.new"
    systemctl daemon-reload
  fi
  sync
}
