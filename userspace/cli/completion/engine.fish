
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
