# shellcheck shell=bash
# Debian packages unpacked into a root of their own with the libraries that they need, so that nothing is
# installed and a program of any suite runs on any machine. Source it after lib.sh and own-apt.sh; do not
# run it.

# renew_suite CACHE SUITE LOG: the suite's package lists, at most once in an hour. Older lists do, too, as
# long as the mirror has what they name.
renew_suite() {
  local stamp=$1/apt/$2/renewed
  [ -z "$(find "$stamp" -mmin -60 2>/dev/null)" ] || return 0
  own_apt "$1/apt" "$2" apt-get update >"$3" 2>&1 || return
  touch "$stamp"
}

# unpack_packages CACHE SUITE ROOT LOG NOT-UNPACKED FINISH PACKAGE...: downloads the packages and what they
# depend on but for NOT-UNPACKED, a pattern, and unpacks them into ROOT, where /usr is merged as in every suite
# that is newer than its packages. FINISH WORK does what the packages' own scripts would have done, before
# WORK becomes ROOT.
unpack_packages() (
  cache=$1 suite=$2 root=$3 log=$4 not_unpacked=$5 finish=$6
  shift 6
  work=$(mktemp -d -p "$(dirname "$root")") || exit
  # Programs do not start in a locale that is not there; libc-bin has C.UTF-8.
  trap 'rm -rf "$work"' EXIT
  mapfile -t packages < <(own_apt "$cache/apt" "$suite" apt-get -s --no-install-recommends install libc-bin "$@" 2>>"$log" |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -vE "$not_unpacked")
  [ ${#packages[@]} -gt 0 ] || { printf 'E: %s has no package %s\n' "$suite" "$*" >>"$log"; exit 1; }
  mkdir -p "$work/debs" "$work/root"/{proc,dev,tmp,mnt,etc,usr/{bin,sbin,lib,lib64}} || exit
  for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$work/root/$directory" || exit; done
  (cd "$work/debs" && own_apt "$cache/apt" "$suite" apt-get download "${packages[@]}" >>"$log" 2>&1) || exit
  for deb in "$work/debs"/*.deb; do
    { dpkg-deb --fsys-tarfile "$deb" |
      tar -x --keep-directory-symlink --no-same-owner -C "$work/root" \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'; } 2>>"$log" || exit
  done
  "$finish" "$work/root" || exit
  rm -rf "$root" && mv "$work/root" "$root"
)

# why_unpacking_failed LOG WHAT CACHE: prints why in one line; returns EXIT_UNABLE if that says nothing about
# the packages.
why_unpacking_failed() {
  if why_apt_failed "$1" "$2" "$3"; then return "$EXIT_UNABLE"; fi
  printf '%s could not be fetched: %s\n' "$2" "$(grep -m 1 -E '^(E|tar|dpkg-deb)[: ]' "$1" || tail -n 1 "$1")"
  return "$EXIT_ERROR"
}
