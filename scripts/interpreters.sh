# shellcheck shell=bash
# Interpreters of other Debian suites, each unpacked into a root of its own, so that one machine has many
# versions. Source it after lib.sh, own-apt.sh and unpack.sh; do not run it.

# One line for each: its name, the suite that has it, and its executable. The package has the name, too.
# Bullseye is the last suite with a Python 2.
interpreters() {
  cat <<'TABLE'
python2.7   bullseye  /usr/bin/python2.7
python3.9   bullseye  /usr/bin/python3.9
python3.11  bookworm  /usr/bin/python3.11
python3.13  trixie    /usr/bin/python3.13
python3.14  sid       /usr/bin/python3.14
python3.15  sid       /usr/bin/python3.15
pypy3       trixie    /usr/bin/pypy3
ruby3.1     bookworm  /usr/bin/ruby3.1
ruby3.3     trixie    /usr/bin/ruby3.3
jython      bookworm  /usr/bin/jython
TABLE
}

# Unpacked and never configured, these are of no use to an interpreter.
readonly NOT_UNPACKED='^(debconf|dpkg|tar|perl|perl-.*|libperl.*|ca-certificates.*|rake|ruby-.*|ruby|libruby|lib(avahi|cups|dbus|gnutls|asound|pam|systemd|udev).*|fontconfig-config|fonts-.*|util-linux.*)$'

# finish_interpreter ROOT: what the packages' own scripts would have done.
finish_interpreter() {
  local java
  # Names are looked up in files alone, and there are none.
  printf 'hosts: files\n' >"$1/etc/nsswitch.conf"
  printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
  [ -e "$1/usr/bin/jython" ] || return 0
  # A script that needs a shell becomes a link to the machine that runs it; jython_arguments has the rest.
  java=$(cd "$1" && find usr/lib/jvm -path '*/bin/java' -type f | head -n 1)
  [ -n "$java" ] && ln -sf "/$java" "$1/usr/bin/jython"
}

# interpreter CACHE NAME: sets interpreter_path to its executable, which is fetched unless it is there. On
# failure sets interpreter_failure to one line and returns EXIT_UNABLE if that says nothing about the
# interpreter.
# shellcheck disable=SC2034  # set for the scripts that source this
interpreter() {
  local cache=$1 name=$2 suite executable root log status=0
  interpreter_path='' interpreter_failure=''
  read -r suite executable < <(interpreters | awk -v name="$name" '$1 == name { print $2, $3 }') || true
  if [ -z "${executable:-}" ]; then
    interpreter_failure="there is no interpreter $name; there are: $(interpreters | awk '{ print $1 }' | xargs)"
    return "$EXIT_ERROR"
  fi
  root=$cache/interpreters/$name
  if [ ! -e "$root$executable" ] && [ ! -L "$root$executable" ]; then
    mkdir -p "$cache/interpreters" 2>/dev/null || true
    if [ ! -w "$cache/interpreters" ]; then
      interpreter_failure="$name could not be fetched, because $cache/interpreters cannot be written: choose another place by --cache"
      return "$EXIT_UNABLE"
    fi
    log=$(mktemp)
    # Lists that cannot be renewed may still do: the download tells.
    renew_suite "$cache" "$suite" "$log" || true
    unpack_packages "$cache" "$suite" "$root" "$log" "$NOT_UNPACKED" finish_interpreter "$name" || status=$?
    if [ "$status" -ne 0 ]; then
      status=0
      interpreter_failure=$(why_unpacking_failed "$log" "$name of $suite" "$cache") || status=$?
      rm -f "$log"
      return "$status"
    fi
    rm -f "$log"
  fi
  interpreter_path=$root$executable
}
