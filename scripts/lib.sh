# shellcheck shell=bash
# What the scripts here share; sourced, not run. It leaves the shell in the top of the source tree,
# so that every script works from any current directory.
set -euo pipefail

cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
self=scripts/$(basename "$0")

# The exit codes are the ones of gilscope itself (docs/architecture.md).
# shellcheck disable=SC2034  # used by those who source this
readonly EXIT_ERROR=2 EXIT_UNABLE=4

# Lines in the order of the versions in them; 6.18-rc1 is before 6.18, which sort alone does not know.
in_version_order() { sed -E 's/([0-9])([-.+_]?rc)/\1~~\2/g' | LC_ALL=C sort -V | sed 's/~~//g'; }

step() { printf '\n== %s\n' "$*"; }

die() {  # die EXIT-CODE MESSAGE...
  local code=$1
  shift
  printf '%s: %s\n' "$self" "$*" >&2
  exit "$code"
}

# need_value OPTION [VALUE]: dies unless there is one. Blank is what a variable comes to that was not set.
need_value() {
  [ $# -ge 2 ] || die "$EXIT_ERROR" "$1 needs a value"
  [[ $2 == *[![:space:],]* ]] || die "$EXIT_ERROR" "$1: the value '$2' is blank: is a variable not set?"
  [[ $2 != --* ]] || die "$EXIT_ERROR" "$1 needs a value, and '$2' stands there"
}

# default_cache: where kernels that were fetched stay.
default_cache() {
  if [ "$(id -u)" -eq 0 ]; then
    printf '/var/cache/gilscope'
  elif [[ ${HOME:-} == /* ]]; then
    printf '%s/.cache/gilscope' "$HOME"
  else
    die "$EXIT_ERROR" "HOME is '${HOME:-}'; name a directory by --cache"
  fi
}

need_root() {  # need_root WHAT-FOR: "to load BPF programs"
  if [ "$(id -u)" -eq 0 ]; then return 0; fi
  if command -v sudo >/dev/null; then
    die "$EXIT_UNABLE" "needs root $1; run: sudo $self"
  fi
  die "$EXIT_UNABLE" "needs root $1; become root (su) and run it again"
}

# Under sudo, build/ and the reports go back to whoever called: as root's, their next `make` could not
# write there.
give_build_back() {
  local directory
  [ -n "${SUDO_UID:-}" ] && [ -n "${SUDO_GID:-}" ] || return 0
  for directory in build reports; do
    [ ! -d "$directory" ] || chown -R --no-dereference "$SUDO_UID:$SUDO_GID" "$directory"
  done
}
