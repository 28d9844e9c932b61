#compdef gilscope
# Completes gilscope's command line in zsh. `gilscope completion zsh` writes this from the
# program's own names; `make completions` does so in the source tree.

# The options of a command.
_gilscope_options() {
  case $1 in
    '') offered='--help --version' ;;
    run) offered='--help --policy --workload --arrangement --threads --cpus --cpus-by --cpu-order --blocks --warmup --seed --trace --perf --main-exit --out --dry-run --yes --quiet --json --all' ;;
    exec) offered='--help --for --out --lock --trace --quiet --json --all' ;;
    attach) offered='--help --for --out --lock --trace --quiet --json --all --metrics' ;;
    top) offered='--help --lock' ;;
    list) offered='--help --measure' ;;
    doctor) offered='--help --json' ;;
    env) offered='--help --json' ;;
    restore) offered='--help' ;;
    find) offered='--help --json' ;;
    show) offered='--help --json --all --per' ;;
    html) offered='--help --by --within --baseline --metric --min-effect --force -o' ;;
    validate) offered='--help' ;;
    export) offered='--help --format -o --rows --cell --block' ;;
    compare) offered='--help --by --within --baseline --metric --min-effect --force --all --format --allow-undecided --allow-missing' ;;
    merge) offered='--help -o' ;;
    completion) offered='--help' ;;
  esac
}

_gilscope_takes_value() {
  case $1/$2 in
    run/--policy | \
      run/--workload | \
      run/--arrangement | \
      run/--threads | \
      run/--cpus | \
      run/--cpus-by | \
      run/--cpu-order | \
      run/--blocks | \
      run/--warmup | \
      run/--seed | \
      run/--trace | \
      run/--main-exit | \
      run/--out | \
      exec/--for | \
      exec/--out | \
      exec/--lock | \
      exec/--trace | \
      attach/--for | \
      attach/--out | \
      attach/--lock | \
      attach/--trace | \
      attach/--metrics | \
      top/--lock | \
      show/--per | \
      html/--by | \
      html/--within | \
      html/--baseline | \
      html/--metric | \
      html/--min-effect | \
      html/-o | \
      export/--format | \
      export/-o | \
      export/--rows | \
      export/--cell | \
      export/--block | \
      compare/--by | \
      compare/--within | \
      compare/--baseline | \
      compare/--metric | \
      compare/--min-effect | \
      compare/--format | \
      compare/--allow-undecided | \
      compare/--allow-missing | \
      merge/-o) return 0 ;;
  esac
  return 1
}

# The values of an option of a command, or of its positional.
_gilscope_values() {
  case $1/$2 in
    /) offered='run exec attach top list doctor env restore find show html validate export compare merge completion --help --version' ;;
    run/) offered='demo seed-count cpu-scaling convoy ccbench policies interval-sweep kernels originals' files=-f ;;
    run/--policy) offered='check-interval:100 check-interval:100,lock=condvar check-interval:100,yield switch-interval:5ms switch-interval:5ms,flag=thread fifo:100 pypy:10000 gvl:100ms gvl-handoff:100ms bfs priority:5ms sharded:16 none' terms=policy ;;
    run/--workload) offered='count:n=20M mixed:n=1k,compute=1k,block=100us throughput:task=pidigits,n=100 latency:background=1,seconds=2s bandwidth:background=1,seconds=2s echo:background=1,seconds=2s file:background=1,seconds=2s native:n=20,length=10ms convoy:background=1,burst=100,seconds=2s ping-pong:seconds=1s yield:seconds=1s' terms=workload ;;
    run/--arrangement) offered='sequential threaded' ;;
    run/--threads) offered='1 2 1x 2x' ;;
    run/--cpus) offered='1 2 all 1..all' ;;
    run/--cpus-by) offered='affinity cpuset hotplug' ;;
    run/--cpu-order) offered='cores-first siblings-first packages-first nodes-first' ;;
    run/--trace) offered='full counters off' ;;
    run/--main-exit) offered='join kill' ;;
    run/--out) files=-d ;;
    exec/) files=-f ;;
    exec/--for) offered='10s 500ms 2m' ;;
    exec/--out) files=-d ;;
    exec/--lock) offered='mutex@ mutex:auto rwlock@ cond@' ;;
    exec/--trace) offered='full counters' ;;
    attach/--for) offered='10s 500ms 2m' ;;
    attach/--out) files=-d ;;
    attach/--lock) offered='mutex@ mutex:auto rwlock@ cond@' ;;
    attach/--trace) offered='full counters' ;;
    attach/--metrics) files=-f ;;
    top/) files=-f ;;
    top/--lock) offered='mutex@ mutex:auto rwlock@ cond@' ;;
    list/) offered='--help --measure' ;;
    doctor/) offered='--help --json' ;;
    env/) offered='--help --json' ;;
    restore/) offered='--help' ;;
    show/) files=-f ;;
    show/--per) offered='core thread block' ;;
    html/) files=-f ;;
    html/--by) offered='cpus policy workload threads arrangement kernel host' ;;
    html/--within) offered='cpus policy workload threads arrangement kernel host' ;;
    html/--metric) offered='wall_ns slowdown operations_per_s latency_p99_ns contended_per_s woken_lost_per_s timed_out_per_s contended_per_acquire woken_lost_per_acquire timed_out_per_acquire wasted_share migrations_per_s wake_to_run_p50_ns wake_to_run_p99_ns waited_share handoff_p50_ns handoff_p99_ns cpu_ns acquires_per_s drop_requests_per_s voluntary_switches_per_s involuntary_switches_per_s failed_per_acquire failed_per_s acquired_after_wait_per_s mutex_sleeps_per_s wasted_per_acquire migrations_per_acquire fairness latency_p50_ns latency_p999_ns wakeups_per_s holder_preempted_per_s preempt_wait_p99_ns idle_while_free_share owner_preempted_share worst_pair_ns chain_delay_p99_ns' ;;
    html/-o) files=-f ;;
    validate/) files=-f ;;
    export/) files=-f ;;
    export/--format) offered='perfetto csv ndjson' ;;
    export/-o) files=-f ;;
    export/--rows) offered='runs cores threads waits segments' ;;
    compare/) files=-f ;;
    compare/--by) offered='cpus policy workload threads arrangement kernel host' ;;
    compare/--within) offered='cpus policy workload threads arrangement kernel host' ;;
    compare/--metric) offered='wall_ns slowdown operations_per_s latency_p99_ns contended_per_s woken_lost_per_s timed_out_per_s contended_per_acquire woken_lost_per_acquire timed_out_per_acquire wasted_share migrations_per_s wake_to_run_p50_ns wake_to_run_p99_ns waited_share handoff_p50_ns handoff_p99_ns cpu_ns acquires_per_s drop_requests_per_s voluntary_switches_per_s involuntary_switches_per_s failed_per_acquire failed_per_s acquired_after_wait_per_s mutex_sleeps_per_s wasted_per_acquire migrations_per_acquire fairness latency_p50_ns latency_p999_ns wakeups_per_s holder_preempted_per_s preempt_wait_p99_ns idle_while_free_share owner_preempted_share worst_pair_ns chain_delay_p99_ns' ;;
    compare/--format) offered='text md csv json' ;;
    compare/--allow-undecided) offered='yes no' ;;
    compare/--allow-missing) offered='yes no' ;;
    merge/) files=-d ;;
    merge/-o) files=-d ;;
    completion/) offered='bash zsh fish' ;;
  esac
}

# How the arguments of a policy or a workload begin.
_gilscope_arguments() {
  case $1/$2 in
    policy/check-interval) arguments='100 lock=condvar yield' ;;
    policy/switch-interval) arguments='5ms flag=thread' ;;
    policy/fifo) arguments='100' ;;
    policy/pypy) arguments='10000' ;;
    policy/gvl) arguments='100ms' ;;
    policy/gvl-handoff) arguments='100ms' ;;
    policy/priority) arguments='5ms' ;;
    policy/sharded) arguments='16' ;;
    workload/count) arguments='background= n= seconds= task=count task=pidigits task=regex task=compress' ;;
    workload/mixed) arguments='background= n= compute= block= seconds= task=count task=pidigits task=regex task=compress' ;;
    workload/throughput) arguments='background= task=pidigits task=count task=regex task=compress n=' ;;
    workload/latency) arguments='background= seconds= port= interval= task=count task=pidigits task=regex task=compress' ;;
    workload/bandwidth) arguments='background= seconds= port= size= window= task=count task=pidigits task=regex task=compress' ;;
    workload/echo) arguments='background= seconds= port= size= task=count task=pidigits task=regex task=compress' ;;
    workload/file) arguments='background= seconds= size= dir= task=count task=pidigits task=regex task=compress' ;;
    workload/native) arguments='background= n= length= task=count task=pidigits task=regex task=compress' ;;
    workload/convoy) arguments='background= burst= seconds= task=count task=pidigits task=regex task=compress' ;;
    workload/ping-pong) arguments='background= seconds= task=count task=pidigits task=regex task=compress' ;;
    workload/yield) arguments='background= seconds= task=count task=pidigits task=regex task=compress' ;;
  esac
}

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
