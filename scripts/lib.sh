# shellcheck shell=bash
# Code that the scripts here share; source it, do not run it. It changes to the top of the source
# tree, so every script works from any current directory.
set -euo pipefail

cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
self=scripts/$(basename "$0")

# The same exit codes as gilscope's (docs/architecture.md).
# shellcheck disable=SC2034  # used by the scripts that source this
readonly EXIT_ERROR=2 EXIT_UNABLE=4

# Sorts lines by the versions in them; 6.18-rc1 comes before 6.18, which sort alone does not know.
in_version_order() { sed -E 's/([0-9])([-.+_]?rc)/\1~~\2/g' | LC_ALL=C sort -V | sed 's/~~//g'; }

step() { printf '\n== %s\n' "$*"; }

die() {  # die EXIT-CODE MESSAGE...
  local code=$1
  shift
  printf '%s: %s\n' "$self" "$*" >&2
  exit "$code"
}

# need_value OPTION [VALUE]: dies unless there is a value. A blank one comes from an unset variable.
need_value() {
  [ $# -ge 2 ] || die "$EXIT_ERROR" "$1 needs a value"
  [[ $2 == *[![:space:],]* ]] || die "$EXIT_ERROR" "$1: the value '$2' is blank: is a variable not set?"
  [[ $2 != --* ]] || die "$EXIT_ERROR" "$1 needs a value, not '$2'"
}

# default_cache: the directory that keeps fetched kernels.
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

# Under sudo, gives build/ and the reports back to the caller: the caller's next `make` could not
# write to root's files.
give_build_back() {
  local directory
  [ -n "${SUDO_UID:-}" ] && [ -n "${SUDO_GID:-}" ] || return 0
  for directory in build reports; do
    [ ! -d "$directory" ] || chown -R --no-dereference "$SUDO_UID:$SUDO_GID" "$directory"
  done
}
