# shellcheck shell=bash
# apt with suites of its own: the mirror, keys and proxies are those that the box's apt is set up
# with, and its signature checks too; the lists and the packages lie in a directory of ours. The box's
# own configuration is read and never changed. Sourced, not run.

# debian_mirror: where the box's apt fetches Debian from. Fails where it fetches none.
# shellcheck disable=SC2016  # apt-get's own variables
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" { print $2; found = 1; exit } END { exit !found }' && return
  # Before the first `apt-get update` it knows no origin; a source whose address says so will do.
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -m 1 -E '/debian/?$'
}

# own_apt DIRECTORY SUITE TOOL ARGUMENT...: apt-get or apt-cache, knowing that suite and nothing else.
own_apt() {
  local directory=$1 suite=$2 tool=$3 mirror
  shift 3
  mkdir -p "$directory/$suite"/{lists/partial,cache/archives/partial}
  if [ ! -s "$directory/$suite/sources.list" ]; then
    mirror=$(debian_mirror) || return
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
      "$mirror" "$suite" >"$directory/$suite/sources.list"
  fi
  "$tool" -q -o Dir::Etc::SourceList="$directory/$suite/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$directory/$suite/lists" -o Dir::State::status=/dev/null \
    -o Dir::Cache="$directory/$suite/cache" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}
