# shellcheck shell=bash
# apt with suites of our own: it uses the mirror, keys, proxies and signature checks of the
# machine's apt, but keeps lists and packages in our own directory. It reads the machine's
# configuration and never changes it. Source this; do not run it.

# debian_mirror: prints where the machine's apt fetches Debian from; fails if it does not.
# shellcheck disable=SC2016  # apt-get's own variables
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" { print $2; found = 1; exit } END { exit !found }' && return
  # Before the first `apt-get update` there are no index targets; then any address that looks like
  # Debian's will do.
  apt-get update --print-uris 2>/dev/null | sed -n "s|^'\\(.*/debian/\\)dists/.*|\\1|p" | grep -m 1 .
}

# own_apt DIRECTORY SUITE TOOL ARGUMENT...: runs apt-get or apt-cache so that it knows this suite
# alone, for the architecture `own_architecture` (amd64). A failed fetch is an error; old lists
# stay.
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

# why_apt_failed LOG WHAT [PLACE]: prints, in one line, why apt could not fetch WHAT, going by its
# messages, and what to do. PLACE is the directory that it writes to. Prints nothing and fails if
# the log shows no known reason.
why_apt_failed() {
  local log=$1 what=$2 place=${3:-/var} proxy said
  proxy=$(apt-config dump 2>/dev/null | sed -n 's/^Acquire::https\{0,1\}::Proxy "\(..*\)";$/\1/p' | head -n 1 || true)
  proxy=${proxy:-${http_proxy:-${https_proxy:-${HTTP_PROXY:-${HTTPS_PROXY:-}}}}}
  # said PATTERN: apt's own message, shortened.
  said() { said=$(grep -v 'performed unsandboxed' "$log" | grep -m 1 -iE "$1" | sed -E 's/^(E|W|Err): *//; s/^ +//' | cut -c1-200) && [ -n "$said" ]; }
  if said 'no space left|enough free space|write error - write \(28|disk quota exceeded'; then
    printf '%s could not be fetched, because there is no space left in %s: free some, or choose another place (%s)\n' \
      "$what" "$place" "$said"
  elif said 'read-only file system|permission denied'; then
    printf '%s could not be fetched, because %s cannot be written: choose another place (%s)\n' "$what" "$place" "$said"
  elif said 'no Debian mirror is set up'; then
    printf '%s could not be fetched, because apt on this machine has no Debian mirror: add one to /etc/apt/sources.list.d\n' "$what"
  elif said 'could not resolve|temporary failure resolving|name or service not known|something wicked happened resolving'; then
    printf '%s could not be reached, because a name was not resolved: check the network or its DNS%s (%s)\n' \
      "$what" "${proxy:+, or the proxy $proxy}" "$said"
  elif said 'could not connect|unable to connect|cannot initiate the connection|connection (failed|refused|timed out|reset)|network is unreachable|no route to host|could not handshake|proxy|invalid response|40[37] |50[0-9] |timed? ?out|could not wait for server'; then
    printf '%s could not be reached: check the network%s (%s)\n' "$what" "${proxy:+ or the proxy $proxy}" "$said"
  elif said 'is expired|valid-until|is not valid yet'; then
    printf '%s was refused, because it is out of date or the clock of this machine is wrong (it is %s here): set the clock, or use a mirror that is kept up to date (%s)\n' \
      "$what" "$(date -u +%Y-%m-%d)" "$said"
  elif said 'hash sum mismatch|unexpected size|mirror sync in progress'; then
    printf '%s did not arrive as it was sent: the mirror is being updated, or a proxy alters the data; try again later (%s)\n' \
      "$what" "$said"
  elif said 'NO_PUBKEY|not signed|signature|EXPKEYSIG|sqv returned'; then
    printf '%s was refused for its signature: upgrade the package debian-archive-keyring, or the mirror is not Debian (%s)\n' \
      "$what" "$said"
  else
    return 1
  fi
}
