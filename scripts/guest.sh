# shellcheck shell=bash
# Boots Linux kernels in QEMU: fetches packaged kernels, packs an initramfs with nothing but busybox
# and a job, and brings the job's results home over a serial line, so that any kernel works without
# a single module. Source it after lib.sh and own-apt.sh; do not run it.

readonly QEMU=qemu-system-x86_64
readonly GUEST_MEMORY_MIB=1024
# A starved emulator stalls its CPUs. That is not the kernel's fault, so RCU's stall warnings are
# suppressed and do not count as a splat.
readonly GUEST_COMMAND_LINE="loglevel=5 panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1"
# Lines that a kernel prints when it is in trouble. They begin with a timestamp, which no program's
# line does.
readonly SPLAT='^\[ *[0-9]+\.[0-9]+\](\[[^]]*\])? (WARNING: |BUG: |Oops|kernel BUG at|Kernel panic|general protection|INFO: task .* blocked|INFO: lockdep|UBSAN: |KASAN: |refcount_t: )'

need_guest_tools() {
  local tool
  for tool in "$QEMU" busybox cpio gzip xz dpkg-deb setpriv; do
    command -v "$tool" >/dev/null ||
      die "$EXIT_UNABLE" "$tool is not installed; run: scripts/install-deps --matrix"
  done
  ! file_is_dynamic "$(command -v busybox)" ||
    die "$EXIT_UNABLE" "the busybox here is not static; run: scripts/install-deps --matrix"
}

# A guest has no shared libraries.
file_is_dynamic() { ldd "$1" >/dev/null 2>&1; }

# --- packaged kernels ----------------------------------------------------------------------------

# suites_with_kernels CACHE: the usual suites that the mirror has, for a message.
suites_with_kernels() {
  local suite
  for suite in bullseye bookworm bookworm-backports trixie trixie-backports sid; do
    own_apt "$1/apt" "$suite" apt-get update >/dev/null 2>&1 && printf '%s ' "$suite"
  done
}

# newest_kernel CACHE SUITE WHICH: prints the package of the suite's newest kernel. WHICH is cloud,
# rt, or a version such as 6.18, for the newest cloud kernel of that version. Prints nothing if the
# lists have none.
newest_kernel() {
  local cache=$1 suite=$2 which=$3 flavour=cloud version='[0-9]'
  case $which in
    rt) flavour=rt ;;
    cloud | "") ;;
    *) version="${which//./\\.}[.+-]" ;;
  esac
  own_apt "$cache/apt" "$suite" apt-cache pkgnames linux-image- 2>/dev/null |
    grep -E "^linux-image-$version.*-$flavour-${own_architecture:-amd64}\$" |
    in_version_order | tail -n 1 || true
}

# find_kernel_package CACHE SUITE WHICH LOG: sets kernel_package to the newest one, by the mirror's
# lists or, if these cannot be fetched, by older ones. On failure sets kernel_failure to one line
# and returns EXIT_UNABLE if the mirror could not be asked, which says nothing about the kernel.
# shellcheck disable=SC2034  # set for the scripts that source this
find_kernel_package() {
  local cache=$1 suite=$2 which=$3 log=$4 status=0 what="the package index of $2"
  kernel_failure=
  own_apt "$cache/apt" "$suite" apt-get update >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ] && grep -qE '404 |does not have a Release file' "$log" &&
      ! why_apt_failed "$log" "$what" >/dev/null; then
    kernel_failure="the mirror has no suite $suite; it has: $(suites_with_kernels "$cache")"
    rm -rf "${cache:?}/apt/$suite"
    return "$EXIT_ERROR"
  fi
  kernel_package=$(newest_kernel "$cache" "$suite" "$which")
  [ -z "$kernel_package" ] || return 0
  if [ "$status" -ne 0 ]; then
    kernel_failure=$(why_apt_failed "$log" "$what" "$cache") ||
      kernel_failure="$what could not be fetched: $(grep -m 1 -E '^(E|W): ' "$log" || tail -n 1 "$log")"
    return "$EXIT_UNABLE"
  fi
  kernel_failure="no such kernel in $suite: it has no linux-image-${which:-*}...-${own_architecture:-amd64}"
  return "$EXIT_ERROR"
}

# fetch_kernel CACHE SUITE PACKAGE: prints the path of its vmlinuz; fetches it with apt, which
# checks signatures, unless it is in the cache. From 7.0 on the image is in its own package.
fetch_kernel() (
  cache=$1 suite=$2 package=$3 image=$1/kernels/$2/$3/vmlinuz
  if [ ! -s "$image" ]; then
    mkdir -p "$cache/kernels/$suite" || exit
    work=$(mktemp -d -p "$cache/kernels/$suite") || exit
    trap 'rm -rf "$work"' EXIT
    binary=${package/linux-image-/linux-binary-}
    if own_apt "$cache/apt" "$suite" apt-cache pkgnames "$binary" 2>/dev/null | grep -qxF "$binary"; then
      package=$binary
    fi
    (cd "$work" && own_apt "$cache/apt" "$suite" apt-get download "$package" >&2) || exit
    dpkg-deb --fsys-tarfile "$work"/*.deb |
      tar -x -C "$work" --wildcards './*/vmlinuz*' || exit
    mkdir -p "$(dirname "$image")" || exit
    find "$work" -name 'vmlinuz*' -type f -exec mv {} "$image.new" \; || exit
    mv "$image.new" "$image" || exit
  fi
  printf '%s\n' "$image"
)

# get_kernel CACHE SUITE PACKAGE LOG: sets kernel_image; fails like find_kernel_package.
# shellcheck disable=SC2034  # set for the scripts that source this
get_kernel() {
  local cache=$1 suite=$2 package=$3 log=$4
  kernel_failure=
  kernel_image=$(fetch_kernel "$cache" "$suite" "$package" 2>"$log") && return 0
  kernel_failure=$(why_apt_failed "$log" "$package" "$cache") && return "$EXIT_UNABLE"
  kernel_failure="$package could not be fetched: $(grep -m 1 -E '^E: ' "$log" || tail -n 1 "$log")"
  return "$EXIT_ERROR"
}

# --- the initramfs -------------------------------------------------------------------------------

# pack_guest DIRECTORY: writes an initramfs of the directory's contents to standard output.
pack_guest() {
  (cd "$1" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0) | gzip -1
}

# make_guest FILE PROGRAM...: makes the part that all jobs share: busybox, /init, and programs in
# /bin.
make_guest() {
  local file=$1 root program
  shift
  root=$(mktemp -d)
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,root,home/results,run,etc}
  cp "${guest_busybox:-$(command -v busybox)}" "$root/bin/busybox"
  cp scripts/guest-init "$root/init"
  chmod 755 "$root/init"
  for program in "$@"; do add_program "$root" "$program"; done
  pack_guest "$root" >"$file"
  rm -rf "$root"
}

# add_program ROOT PROGRAM: copies it into /bin, and its shared libraries to the paths it expects.
add_program() {
  local root=$1 program=$2 library
  cp "$program" "$root/bin/"
  if ! file_is_dynamic "$program"; then return 0; fi
  ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
    mkdir -p "$root/$(dirname "$library")"
    cp -L "$library" "$root/$library"
  done
}

# --- booting -------------------------------------------------------------------------------------

# choose_accelerator VMLINUZ GUEST: prints kvm if a guest comes up under it within 20 seconds, else
# tcg. An accessible /dev/kvm does not guarantee that a stock kernel boots.
choose_accelerator() (
  [ -w /dev/kvm ] || { printf 'tcg\n'; exit; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/job"
  printf '#!/bin/sh\ntrue\n' >"$work/job/job"
  if accelerator=kvm boot_guest "$1" "$2" "$work/job" 1 20 "$work/out" 2>/dev/null; then
    printf 'kvm\n'
  else
    printf 'tcg\n'
  fi
)

# boot_guest VMLINUZ GUEST JOB CPUS SECONDS OUT: boots once and waits for the end. JOB is a directory
# laid over the guest's root; its /job runs in /home/results. The contents of /home/results come to
# OUT/results, the job's output to OUT/output, its exit code to OUT/status, and everything that the
# guest printed to OUT/console. `guest_machine` is amd64 (the default) or arm64; `accelerator` is kvm
# or tcg. Returns 0 if the guest finished and brought everything home; otherwise `guest_failure` says
# briefly why not.
boot_guest() {
  local vmlinuz=$1 guest=$2 job=$3 cpus=$4 seconds=$5 out=$6 status=0 began=$SECONDS
  local cpu=max by=${accelerator:?} qemu=$QEMU machine=q35 console=ttyS0
  [ "$by" = tcg ] || cpu=host
  if [ "${guest_machine:-amd64}" = arm64 ]; then
    qemu=qemu-system-aarch64 machine=virt,gic-version=3 cpu=max,pauth-impdef=on console=ttyAMA0
  fi
  mkdir -p "$out"
  { cat "$guest"; pack_guest "$job"; } >"$out/initramfs"
  # QEMU is killed when its parent dies, however that happens.
  setpriv --pdeathsig KILL "$qemu" -nodefaults -no-user-config -no-reboot -display none -monitor none \
    -machine "$machine" -accel "$by$([ "$by" = kvm ] || printf ',thread=multi')" \
    -cpu "$cpu" -smp "$cpus" -m "$((GUEST_MEMORY_MIB + 32 * cpus))" \
    -serial "file:$out/console" -serial "file:$out/home.tar.gz" \
    -kernel "$vmlinuz" -initrd "$out/initramfs" -append "console=$console $GUEST_COMMAND_LINE ${guest_append:-}" \
    </dev/null >"$out/qemu" 2>&1 &
  guest_pid=$!
  guest_failure=
  while kill -0 "$guest_pid" 2>/dev/null; do
    if [ $((SECONDS - began)) -ge "$seconds" ]; then
      guest_failure="was not done after $seconds s"
      kill -KILL "$guest_pid" 2>/dev/null
      break
    fi
    sleep 0.2
  done
  wait "$guest_pid" 2>/dev/null || status=$?
  guest_pid=
  rm -f "$out/initramfs"
  bring_home "$out" "$status"
}

# bring_home OUT STATUS: unpacks what came over the serial line and judges the boot.
bring_home() {
  local out=$1 status=$2 splat
  splat=$(tr -d '\r' <"$out/console" 2>/dev/null | grep -m 1 -E "$SPLAT" | sed -E 's/^\[[^]]*\] *//' | cut -c1-120 || true)
  if [ -z "$guest_failure" ] && [ "$status" -ne 0 ]; then
    guest_failure="QEMU ended with $status: $(tail -n 1 "$out/qemu" | cut -c1-160)"
  elif [ -n "$splat" ]; then
    guest_failure="the kernel said: $splat"
  elif [ -z "$guest_failure" ] &&
      { ! gzip -t "$out/home.tar.gz" 2>/dev/null ||
        ! tar -xzf "$out/home.tar.gz" -C "$out" --no-same-owner 2>/dev/null ||
        [ ! -s "$out/status" ]; }; then
    guest_failure="ended without bringing its results home"
  fi
  rm -f "$out/home.tar.gz"
  [ -s "$out/qemu" ] || rm -f "$out/qemu"
  [ -z "$guest_failure" ]
}

# end_guest, for traps: leaves no QEMU running.
end_guest() {
  if [ -n "${guest_pid:-}" ]; then
    kill -KILL "$guest_pid" 2>/dev/null || true
    wait "$guest_pid" 2>/dev/null || true
    guest_pid=
  fi
}
