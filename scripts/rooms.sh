# shellcheck shell=bash
# The rooms of the tree, for scripts/lint and scripts/graph; sourced, not run. A room is a directory
# with C or C++ files in it.

# The tree's own files with these endings; outside a git checkout, whatever is not made.
tree_files() {
  if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@"
  else
    local ending names=()
    for ending in "$@"; do names+=(-o -name "$ending"); done
    find . \( -path ./build -o -path ./reports -o -path ./.git \) -prune -o -type f \( "${names[@]:1}" \) -print | sed 's#^\./##'
  fi
}

# One line each: FILE INCLUDED, for every "quoted" include of the tree's own files; the standard's and the
# libraries' stand in <>, and what is made below build/generated is no file of a room.
quoted_includes() {
  grep -HE '^ *# *include *"' "$@" /dev/null | sed -E 's/^([^:]*): *# *include *"([^"]*)".*/\1 \2/' |
    grep -vE '\.(skel\.h|inc)$' || true
}

# Lines of paths, one or several a line, each followed by its room. The contract is what the kernel side and
# the user side share: structures, and pure functions on them.
with_rooms() {
  awk '
    function room(path) {
      if (path ~ "^bpf/(contract[.]h|subject[.]h|lock_words[.]h|segment[.]h|histogram[.]h|counters[.]h|numbers[.]def)$") return "contract"
      if (!sub("/[^/]*$", "", path)) return "."
      return path
    }
    { for (i = 1; i <= NF; i++) printf "%s %s%s", $i, room($i), i < NF ? " " : "\n" }'
}
