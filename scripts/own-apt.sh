# shellcheck shell=bash
# apt with suites of its own: the mirror, keys and proxies are those that the box's apt is set up
# with, and its signature checks too; the lists and the packages lie in a directory of ours. The box's
# own configuration is read and never changed. Sourced, not run.

# debian_mirror: where the box's apt fetches Debian from. Fails where it fetches none.
# shellcheck disable=SC2016  # apt-get's own variables
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" { print $2; found = 1; exit } END { exit !found }' && return
  # Before the first `apt-get update` it knows of none; then an address that says so will do.
  apt-get update --print-uris 2>/dev/null | sed -n "s|^'\\(.*/debian/\\)dists/.*|\\1|p" | grep -m 1 .
}

# own_apt DIRECTORY SUITE TOOL ARGUMENT...: apt-get or apt-cache, knowing that suite and nothing else,
# for the machine `own_architecture` (amd64). What cannot be fetched is an error; old lists stay.
own_apt() {
  local directory=$1/$2 suite=$2 tool=$3 mirror source architecture=${own_architecture:-amd64}
  shift 3
  [ "$architecture" = amd64 ] || directory=$directory-$architecture
  mkdir -p "$directory"/{lists/partial,cache/archives/partial} || return
  mirror=$(debian_mirror) || mirror=
  if [ -n "$mirror" ]; then
    source="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    [ "$(cat "$directory/sources.list" 2>/dev/null)" = "$source" ] ||
      printf '%s\n' "$source" >"$directory/sources.list" || return
  elif [ ! -s "$directory/sources.list" ]; then
    printf 'E: no Debian mirror is set up\n' >&2
    return 100
  fi
  "$tool" -q -o Dir::Etc::SourceList="$directory/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$directory/lists" -o Dir::State::status=/dev/null \
    -o Dir::Cache="$directory/cache" -o APT::Sandbox::User="$(id -un)" \
    -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" \
    -o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Update::Error-Mode=any "$@"
}

# why_apt_failed LOG WHAT [PLACE]: one line: why apt could not fetch WHAT, by what it said, and the way
# out. PLACE is where it writes. Nothing and a failure where the log has none of the known reasons.
why_apt_failed() {
  local log=$1 what=$2 place=${3:-/var} proxy said
  proxy=$(apt-config dump 2>/dev/null | sed -n 's/^Acquire::https\{0,1\}::Proxy "\(..*\)";$/\1/p' | head -n 1 || true)
  proxy=${proxy:-${http_proxy:-${https_proxy:-${HTTP_PROXY:-${HTTPS_PROXY:-}}}}}
  # said PATTERN: apt's own words for it, shortened.
  said() { said=$(grep -v 'performed unsandboxed' "$log" | grep -m 1 -iE "$1" | sed -E 's/^(E|W|Err): *//; s/^ +//' | cut -c1-200) && [ -n "$said" ]; }
  if said 'no space left|enough free space|write error - write \(28|disk quota exceeded'; then
    printf '%s could not be fetched, because there is no space left in %s: free some, or choose another place (%s)\n' \
      "$what" "$place" "$said"
  elif said 'read-only file system|permission denied'; then
    printf '%s could not be fetched, because %s cannot be written: choose another place (%s)\n' "$what" "$place" "$said"
  elif said 'no Debian mirror is set up'; then
    printf '%s could not be fetched, because apt on this box is set up with no Debian mirror: add one to /etc/apt/sources.list.d\n' "$what"
  elif said 'could not resolve|temporary failure resolving|name or service not known|something wicked happened resolving'; then
    printf '%s could not be reached, because a name was not resolved: see to the network or its DNS%s (%s)\n' \
      "$what" "${proxy:+, or the proxy $proxy}" "$said"
  elif said 'could not connect|unable to connect|cannot initiate the connection|connection (failed|refused|timed out|reset)|network is unreachable|no route to host|could not handshake|proxy|invalid response|40[37] |50[0-9] |timed? ?out|could not wait for server'; then
    printf '%s could not be reached: see to the network%s (%s)\n' "$what" "${proxy:+ or the proxy $proxy}" "$said"
  elif said 'is expired|valid-until|is not valid yet'; then
    printf '%s is refused, because it is out of date or the clock of this box is wrong (it is %s here): see to the clock, or set up a mirror that is kept up (%s)\n' \
      "$what" "$(date -u +%Y-%m-%d)" "$said"
  elif said 'hash sum mismatch|unexpected size|mirror sync in progress'; then
    printf '%s did not arrive as it was sent: the mirror is being renewed, or a proxy alters what passes; try again later (%s)\n' \
      "$what" "$said"
  elif said 'NO_PUBKEY|not signed|signature|EXPKEYSIG|sqv returned'; then
    printf '%s is refused for its signature: renew the package debian-archive-keyring, or the mirror is not Debian (%s)\n' \
      "$what" "$said"
  else
    return 1
  fi
}
