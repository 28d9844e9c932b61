# Completes gilscope's command line in fish. `gilscope completion fish` writes this from the
# program's own names; `make completions` does so in the source tree.

# __gilscope_terms KIND: policies or workloads, and behind a colon or a comma their arguments.
function __gilscope_terms
    set -l word (string replace -r -- '^--[a-z-]+=' '' (commandline -ct))
    __gilscope_names $argv[1]
    if string match -q -- '*:*' $word
        set -l base (string replace -r -- '[^:,]*$' '' $word)
        set -l given ,(string replace -r -- '^[^:]*:' '' $base)
        for argument in (__gilscope_arguments $argv[1] (string split -m 1 -- : $word)[1])
            set -l key (string split -m 1 -- = $argument)[1]
            string match -q -- "*,$key=*" $given; and continue
            string match -q -- "*,$argument,*" $given; and continue
            echo $base$argument
        end
    end
end

function __gilscope_names
    switch $argv[1]
        case policy
            printf '%s\n' check-interval:100 check-interval:100,lock=condvar check-interval:100,yield switch-interval:5ms switch-interval:5ms,flag=thread fifo:100 pypy:10000 gvl:100ms gvl-handoff:100ms bfs priority:5ms sharded:16 none
        case workload
            printf '%s\n' count:n=20M mixed:n=1k,compute=1k,block=100us throughput:task=pidigits,n=100 latency:background=1,seconds=2s bandwidth:background=1,seconds=2s echo:background=1,seconds=2s file:background=1,seconds=2s native:n=20,length=10ms convoy:background=1,burst=100,seconds=2s ping-pong:seconds=1s yield:seconds=1s
    end
end

function __gilscope_arguments
    switch $argv[1]/$argv[2]
        case policy/check-interval
            printf '%s\n' 100 lock=condvar yield
        case policy/switch-interval
            printf '%s\n' 5ms flag=thread
        case policy/fifo
            printf '%s\n' 100
        case policy/pypy
            printf '%s\n' 10000
        case policy/gvl
            printf '%s\n' 100ms
        case policy/gvl-handoff
            printf '%s\n' 100ms
        case policy/priority
            printf '%s\n' 5ms
        case policy/sharded
            printf '%s\n' 16
        case workload/count
            printf '%s\n' background= n= seconds= task=count task=pidigits task=regex task=compress
        case workload/mixed
            printf '%s\n' background= n= compute= block= seconds= task=count task=pidigits task=regex task=compress
        case workload/throughput
            printf '%s\n' background= task=pidigits task=count task=regex task=compress n=
        case workload/latency
            printf '%s\n' background= seconds= port= interval= task=count task=pidigits task=regex task=compress
        case workload/bandwidth
            printf '%s\n' background= seconds= port= size= window= task=count task=pidigits task=regex task=compress
        case workload/echo
            printf '%s\n' background= seconds= port= size= task=count task=pidigits task=regex task=compress
        case workload/file
            printf '%s\n' background= seconds= size= dir= task=count task=pidigits task=regex task=compress
        case workload/native
            printf '%s\n' background= n= length= task=count task=pidigits task=regex task=compress
        case workload/convoy
            printf '%s\n' background= burst= seconds= task=count task=pidigits task=regex task=compress
        case workload/ping-pong
            printf '%s\n' background= seconds= task=count task=pidigits task=regex task=compress
        case workload/yield
            printf '%s\n' background= seconds= task=count task=pidigits task=regex task=compress
    end
end

complete -c gilscope -f
complete -c gilscope -n '__fish_use_subcommand' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_use_subcommand' -l version -d 'Display program version information and exit'
complete -c gilscope -n __fish_use_subcommand -a run -d 'run an experiment and report it'
complete -c gilscope -n __fish_use_subcommand -a exec -d 'run a program and report its GIL'
complete -c gilscope -n __fish_use_subcommand -a attach -d 'report the GIL of a process that runs'
complete -c gilscope -n __fish_use_subcommand -a top -d 'watch the lock of a process that runs'
complete -c gilscope -n __fish_use_subcommand -a list -d 'policies, workloads, built-in experiments; ns per opcode here'
complete -c gilscope -n __fish_use_subcommand -a doctor -d 'check what this machine can do, with a fix for what it cannot'
complete -c gilscope -n __fish_use_subcommand -a env -d 'print what a report would record about this machine'
complete -c gilscope -n __fish_use_subcommand -a restore -d 'undo the changes that a killed run left on this machine'
complete -c gilscope -n __fish_use_subcommand -a find -d 'say which interpreter a process runs, and where its GIL is'
complete -c gilscope -n __fish_use_subcommand -a show -d 'print a report: one screen, or every table'
complete -c gilscope -n __fish_use_subcommand -a html -d 'make a page of a report, or of a comparison: one file that opens offline'
complete -c gilscope -n __fish_use_subcommand -a validate -d 'check a report against its schema and its own sums'
complete -c gilscope -n __fish_use_subcommand -a export -d 'write a report and its segments for other programs'
complete -c gilscope -n __fish_use_subcommand -a compare -d 'say whether reports differ, by how much, and how sure that is'
complete -c gilscope -n __fish_use_subcommand -a merge -d 'gather reports from many directories in one, each report once'
complete -c gilscope -n __fish_use_subcommand -a completion -d 'print what completes this command line in bash, zsh or fish'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from run' -F -a 'demo seed-count cpu-scaling convoy ccbench policies interval-sweep kernels originals' -d 'name of a built-in experiment, or a .toml file'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l policy -x -a '(__gilscope_terms policy)' -d 'GIL policy; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l workload -x -a '(__gilscope_terms workload)' -d 'what the threads do; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l arrangement -x -a 'sequential threaded' -d 'sequential or threaded; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l threads -x -a '1 2 1x 2x' -d 'number of threads (2), or threads per CPU (2x); may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l cpus -x -a '1 2 all 1..all' -d 'how many CPUs (1, 2, all, 1..all) or which (cpu:0,2-3); may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l cpus-by -x -a 'affinity cpuset hotplug' -d 'how to keep the run off the other CPUs: affinity, cpuset or hotplug'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l cpu-order -x -a 'cores-first siblings-first packages-first nodes-first' -d 'which CPUs a count takes first: cores-first, siblings-first, packages-first or nodes-first'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l blocks -x -d 'how often to measure every cell'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l warmup -x -d 'blocks to run before those; kept, but marked as warm-up'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l seed -x -d 'seed for the order of runs'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l trace -x -a 'full counters off' -d 'full, counters or off'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l perf -d 'count each thread\'s cycles, switches and more with perf events, which costs time'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l main-exit -x -a 'join kill' -d 'join: the main thread waits for the others; kill: it ends them'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l out -x -a '(__fish_complete_directories)' -d 'directory for report.json and the segments'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l dry-run -d 'only print the plan and its expected duration'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l yes -d 'run even more than 10 000 cells, or for more than a day'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l quiet -d 'print no progress'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l json -d 'print the report as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from run' -l all -d 'print every table, and not only one screen'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -F -d 'the program and its arguments'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l for -x -a '10s 500ms 2m' -d 'how long to record, such as 500ms, 10s or 2m; the program runs to its end'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l out -x -a '(__fish_complete_directories)' -d 'directory for report.json and the segments'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l lock -x -a 'mutex@ mutex:auto rwlock@ cond@' -d 'report this lock in place of the GIL: mutex@SYMBOL, mutex@0xADDRESS or mutex:auto; likewise rwlock@... and cond@...'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l trace -x -a 'full counters' -d 'full or counters'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l quiet -d 'print no messages but errors'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l json -d 'print the report as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from exec' -l all -d 'print every table, and not only one screen'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -f -d 'the process\'s number'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l for -x -a '10s 500ms 2m' -d 'how long to record, such as 500ms, 10s or 2m; without it, until Ctrl-C or the process\'s end; 0 says so, with --metrics'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l out -x -a '(__fish_complete_directories)' -d 'directory for report.json and the segments'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l lock -x -a 'mutex@ mutex:auto rwlock@ cond@' -d 'report this lock in place of the GIL: mutex@SYMBOL, mutex@0xADDRESS or mutex:auto; likewise rwlock@... and cond@...'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l trace -x -a 'full counters' -d 'full or counters'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l quiet -d 'print no messages but errors'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l json -d 'print the report as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l all -d 'print every table, and not only one screen'
complete -c gilscope -n '__fish_seen_subcommand_from attach' -l metrics -r -F -d 'no report: a file for Prometheus\' node_exporter, written anew every ten seconds'
complete -c gilscope -n '__fish_seen_subcommand_from top' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from top' -F -d 'the process\'s number, or a program to start and its arguments'
complete -c gilscope -n '__fish_seen_subcommand_from top' -l lock -x -a 'mutex@ mutex:auto rwlock@ cond@' -d 'report this lock in place of the GIL: mutex@SYMBOL, mutex@0xADDRESS or mutex:auto; likewise rwlock@... and cond@...'
complete -c gilscope -n '__fish_seen_subcommand_from list' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from list' -l measure -d 'only the speed of the eval loop on this machine'
complete -c gilscope -n '__fish_seen_subcommand_from doctor' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from doctor' -l json -d 'print it as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from env' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from env' -l json -d 'print it as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from restore' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from find' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from find' -f -d 'the process'
complete -c gilscope -n '__fish_seen_subcommand_from find' -l json -d 'print it as JSON'
complete -c gilscope -n '__fish_seen_subcommand_from show' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from show' -F -d 'a report.json, or the directory that holds it'
complete -c gilscope -n '__fish_seen_subcommand_from show' -l json -d 'the derived numbers, for scripts'
complete -c gilscope -n '__fish_seen_subcommand_from show' -l all -d 'every table, and not only one screen'
complete -c gilscope -n '__fish_seen_subcommand_from show' -l per -x -a 'core thread block' -d 'only the tables per CPU, thread or block'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from html' -F -d 'a report.json, the directory that holds it, or a page; several are compared'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l by -x -a 'cpus policy workload threads arrangement kernel host' -d 'the key to compare: cpus, policy, kernel, host, environment.kernel.release'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l within -x -a 'cpus policy workload threads arrangement kernel host' -d 'a key to hold fixed besides; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l baseline -x -d 'the value of the key that the others are held against'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l metric -x -a 'wall_ns slowdown operations_per_s latency_p99_ns contended_per_s woken_lost_per_s timed_out_per_s contended_per_acquire woken_lost_per_acquire timed_out_per_acquire wasted_share migrations_per_s wake_to_run_p50_ns wake_to_run_p99_ns waited_share handoff_p50_ns handoff_p99_ns cpu_ns acquires_per_s drop_requests_per_s voluntary_switches_per_s involuntary_switches_per_s failed_per_acquire failed_per_s acquired_after_wait_per_s mutex_sleeps_per_s wasted_per_acquire migrations_per_acquire fairness latency_p50_ns latency_p999_ns wakeups_per_s holder_preempted_per_s preempt_wait_p99_ns idle_while_free_share owner_preempted_share worst_pair_ns chain_delay_p99_ns' -d 'a primary metric, instead of the spec\'s; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l min-effect -x -d 'less than this either way is the same (2%)'
complete -c gilscope -n '__fish_seen_subcommand_from html' -l force -d 'compare what does not compare, and say so'
complete -c gilscope -n '__fish_seen_subcommand_from html' -s o -r -F -d 'the page to write; - is standard output'
complete -c gilscope -n '__fish_seen_subcommand_from validate' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from validate' -F -d 'report.json, or the directory that holds it'
complete -c gilscope -n '__fish_seen_subcommand_from export' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from export' -F -d 'report.json, or the directory that holds it'
complete -c gilscope -n '__fish_seen_subcommand_from export' -l format -x -a 'perfetto csv ndjson' -d 'perfetto (ui.perfetto.dev), csv or ndjson'
complete -c gilscope -n '__fish_seen_subcommand_from export' -s o -r -F -d 'file to write; - is standard output'
complete -c gilscope -n '__fish_seen_subcommand_from export' -l rows -x -a 'runs cores threads waits segments' -d 'with csv, what a row is: runs (the default), cores, threads, waits or segments'
complete -c gilscope -n '__fish_seen_subcommand_from export' -l cell -x -d 'only this cell; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from export' -l block -x -d 'only this block; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -F -d 'reports, or directories that hold reports: the first is the baseline, unless --by names a key'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l by -x -a 'cpus policy workload threads arrangement kernel host' -d 'the key to compare: cpus, policy, kernel, host, environment.kernel.release'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l within -x -a 'cpus policy workload threads arrangement kernel host' -d 'a key to hold fixed besides; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l baseline -x -d 'the value of the key that the others are held against'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l metric -x -a 'wall_ns slowdown operations_per_s latency_p99_ns contended_per_s woken_lost_per_s timed_out_per_s contended_per_acquire woken_lost_per_acquire timed_out_per_acquire wasted_share migrations_per_s wake_to_run_p50_ns wake_to_run_p99_ns waited_share handoff_p50_ns handoff_p99_ns cpu_ns acquires_per_s drop_requests_per_s voluntary_switches_per_s involuntary_switches_per_s failed_per_acquire failed_per_s acquired_after_wait_per_s mutex_sleeps_per_s wasted_per_acquire migrations_per_acquire fairness latency_p50_ns latency_p999_ns wakeups_per_s holder_preempted_per_s preempt_wait_p99_ns idle_while_free_share owner_preempted_share worst_pair_ns chain_delay_p99_ns' -d 'a primary metric, instead of the spec\'s; may be repeated'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l min-effect -x -d 'less than this either way is the same (2%)'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l force -d 'compare what does not compare, and say so'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l all -d 'every number, and not only what fits a screen (text)'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l format -x -a 'text md csv json' -d 'text, md, csv or json'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l allow-undecided -x -a 'yes no' -d 'whether an undecided primary metric passes (yes), or ends with exit code 1 (no)'
complete -c gilscope -n '__fish_seen_subcommand_from compare' -l allow-missing -x -a 'yes no' -d 'whether runs, blocks or cells that one side lacks pass (yes), or end with exit code 1 (no)'
complete -c gilscope -n '__fish_seen_subcommand_from merge' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from merge' -f -a '(__fish_complete_directories)' -d 'directory with reports in or below it'
complete -c gilscope -n '__fish_seen_subcommand_from merge' -s o -x -a '(__fish_complete_directories)' -d 'directory to fill; may be one that merge made before'
complete -c gilscope -n '__fish_seen_subcommand_from completion' -l help -d 'Print this help message and exit'
complete -c gilscope -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish' -d 'bash, zsh or fish'
