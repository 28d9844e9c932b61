
# Splits the line up to the cursor at blanks. bash also splits at COMP_WORDBREAKS, such as the colon of
# "check-interval:100"; those parts are joined again.
_gilscope_typed() {
  local rest=${COMP_LINE:0:COMP_POINT} part index
  typed=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    if [ "$index" -eq 0 ] || [[ $rest == [[:space:]]* ]]; then typed+=(''); fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    part=${COMP_WORDS[index]}
    [ "$index" -lt "$COMP_CWORD" ] || part=$rest
    typed[-1]+=$part
    rest=${rest#"$part"}
  done
}

# offer VALUE WORD...: offers the words that begin with the value.
_gilscope_offer() {
  local value=$1 word
  shift
  for word in "$@"; do
    [[ $word != "$value"* ]] || COMPREPLY+=("$word")
  done
}

_gilscope() {
  local typed=() word command='' option='' value lead='' quote='' full cut='' index
  local offered='' files='' terms='' arguments='' base
  COMPREPLY=()
  _gilscope_typed
  word=${typed[-1]}
  for ((index = 1; index < ${#typed[@]} - 1; index++)); do
    if [[ ${typed[index]} != -* ]]; then command=${typed[index]} && break; fi
  done
  value=$word
  if [[ $word == --*=* ]]; then
    option=${word%%=*} value=${word#*=} lead=${word%%=*}=
  elif [ ${#typed[@]} -gt 2 ] && _gilscope_takes_value "$command" "${typed[-2]}"; then
    option=${typed[-2]}
  fi
  case $value in
    [\"\']*) quote=${value:0:1} value=${value:1} ;;
  esac
  if [ -z "$option" ] && [[ $word == -* ]]; then
    _gilscope_options "$command"
  else
    _gilscope_values "$command" "$option"
  fi
  # shellcheck disable=SC2086  # lists of words
  _gilscope_offer "$value" $offered
  if [ -n "$terms" ] && [[ $value == *:* ]]; then
    base=${value%"${value##*[:,]}"}
    _gilscope_arguments "$terms" "${value%%:*}"
    for word in $arguments; do
      # Each argument is offered once.
      case ,${base#*:} in *",${word%%=*}="* | *",$word,"*) continue ;; esac
      [[ " ${COMPREPLY[*]} " == *" $base$word "* ]] || _gilscope_offer "$value" "$base$word"
    done
  fi
  if [ -n "$files" ]; then
    # Escapes special characters and puts a slash behind a directory.
    compopt -o filenames 2>/dev/null
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen "$files" -- "${value//\\/}")
  fi
  # A key waits for its value.
  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
  # A completion replaces only the text behind the last break; there are no breaks within quotes.
  full=$lead$value
  if [ -z "$quote" ]; then
    [[ $COMP_WORDBREAKS != *:* ]] || cut=${full%"${full##*:}"}
    [[ $COMP_WORDBREAKS != *=* ]] || [[ ${full%"${full##*=}"} != "$cut"* ]] || cut=${full%"${full##*=}"}
  fi
  for index in "${!COMPREPLY[@]}"; do
    word=$lead${COMPREPLY[index]}
    COMPREPLY[index]=${word#"$cut"}
  done
}

complete -F _gilscope gilscope
