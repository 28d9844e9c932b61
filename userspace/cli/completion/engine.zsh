
_gilscope() {
  local command='' option='' value base argument index
  local offered='' files='' terms='' arguments=''
  local -a candidates keys
  for ((index = 2; index < CURRENT; index++)); do
    if [[ ${words[index]} != -* ]]; then command=${words[index]} && break; fi
  done
  if [[ $PREFIX == --*=* ]]; then
    option=${PREFIX%%=*}
    compset -P 1 '*='
  elif ((CURRENT > 2)) && _gilscope_takes_value "$command" "${words[CURRENT-1]}"; then
    option=${words[CURRENT-1]}
  fi
  value=$PREFIX
  if [[ -z $option && $value == -* ]]; then
    _gilscope_options "$command"
  else
    _gilscope_values "$command" "$option"
  fi
  candidates=(${=offered})
  if [[ -n $terms && $value == *:* ]]; then
    base=${value%"${value##*[:,]}"}
    _gilscope_arguments "$terms" "${value%%:*}"
    for argument in ${=arguments}; do
      # Each argument is offered once.
      case ,${base#*:} in *",${argument%%=*}="* | *",$argument,"*) continue ;; esac
      # A key waits for its value.
      if [[ $argument == *= ]]; then keys+=("$base$argument"); else candidates+=("$base$argument"); fi
    done
  fi
  ((${#keys})) && compadd -S '' -- $keys
  ((${#candidates})) && compadd -- $candidates
  case $files in
    -f) _files ;;
    -d) _files -/ ;;
  esac
}

if [[ ${funcstack[1]} == _gilscope ]]; then _gilscope "$@"; else compdef _gilscope gilscope; fi
