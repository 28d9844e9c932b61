# shellcheck shell=bash
# A matrix of boots: kernels x CPU counts, each block of boots in its own random order. A boot is done
# when its directory is there, complete, so an interrupted matrix resumes where it stopped. Source this
# after lib.sh; do not run it.
#
#   OUT/matrix              the request; the same request resumes, any other is refused
#   OUT/order               one line per boot: BLOCK KERNEL CPUS
#   OUT/boots/KERNEL-CPUS-BLOCK/   one boot: report/, console, output, status
#   OUT/failed/KERNEL-CPUS-BLOCK/  a boot that failed: console, and `why` in one line

# new_matrix OUT TEXT BOOTS KERNELS CPUS: writes the plan, or resumes the existing one. KERNELS and
# CPUS are words separated by blanks.
new_matrix() {
  local out=$1 text=$2 boots=$3 kernels=$4 counts=$5 block kernel cpus
  mkdir -p "$out/boots" "$out/failed" || die "$EXIT_ERROR" "cannot write to $out; choose another --out"
  if [ -e "$out/matrix" ]; then
    [ "$(cat "$out/matrix")" = "$text" ] ||
      die "$EXIT_ERROR" "$out holds another matrix ($(diff <(cat "$out/matrix") <(printf '%s\n' "$text") | grep -m 1 '^[<>]' | cut -c3-)); choose another --out"
    return 0
  fi
  for ((block = 1; block <= boots; block++)); do
    for kernel in $kernels; do
      for cpus in $counts; do printf '%s %s %s\n' "$block" "$kernel" "$cpus"; done
    done | shuf
  done >"$out/order.new"
  mv "$out/order.new" "$out/order"
  printf '%s\n' "$text" >"$out/matrix.new"
  mv "$out/matrix.new" "$out/matrix"
}

# boot_name BLOCK KERNEL CPUS
boot_name() { printf '%s-%s-%s' "${2//\//_}" "$3" "$1"; }

# remaining_boots OUT: the lines of the plan that are not done.
remaining_boots() {
  local out=$1 block kernel cpus
  while read -r block kernel cpus; do
    [ -e "$out/boots/$(boot_name "$block" "$kernel" "$cpus")" ] || printf '%s %s %s\n' "$block" "$kernel" "$cpus"
  done <"$out/order"
}

# reports_of OUT: the directories of its reports, kernels by version, and block 10 after block 9.
reports_of() { find "$1/boots" -mindepth 2 -maxdepth 2 -type d -name report | in_version_order; }

# compare_matrix OUT KERNELS CPUS [OPTION...]: compares by kernel if there are several, else by CPU
# count. Writes OUT/comparison.txt and .html, and standard output. Returns what gilscope compare
# returns.
compare_matrix() {
  local out=$1 kernels=$2 counts=$3 status=0 by reports=()
  shift 3
  mapfile -t reports < <(reports_of "$out")
  if [ "${#reports[@]}" -eq 0 ]; then return "$EXIT_ERROR"; fi
  if [ "$(wc -w <<<"$kernels")" -gt 1 ]; then
    by=kernel
  elif [ "$(wc -w <<<"$counts")" -gt 1 ]; then
    by=cpus
  else
    printf 'One kernel and one CPU count: nothing to compare. The reports:\n'
    printf '  %s\n' "${reports[@]}"
    return 0
  fi
  # The page is an extra: if it is refused, compare gives the reason below.
  "${gilscope:?}" html "${reports[@]}" --by "$by" "$@" -o "$out/comparison.html.new" >/dev/null 2>&1 &&
    mv "$out/comparison.html.new" "$out/comparison.html"
  rm -f "$out/comparison.html.new"
  "$gilscope" compare "${reports[@]}" --by "$by" "$@" >"$out/comparison.txt.new" || status=$?
  mv "$out/comparison.txt.new" "$out/comparison.txt"
  cat "$out/comparison.txt"
  return "$status"
}

# time_left DONE ALL SECONDS: "about 12 min left", given that DONE boots took SECONDS.
time_left() {
  local left
  if [ "$1" -eq 0 ] || [ "$1" -eq "$2" ]; then return 0; fi
  left=$((($2 - $1) * $3 / $1))
  if [ "$left" -lt 90 ]; then printf 'about %d s left' "$left"; else printf 'about %d min left' $(((left + 30) / 60)); fi
}
