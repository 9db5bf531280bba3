# Completion of bosk for fish. What could stand next is asked of bosk itself (`bosk complete`).

function __bosk_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] complete $words[2..-1] 2>/dev/null)
    switch "$found[1]"
        case :file
            __fish_complete_path (commandline -ct | string replace -r '^--[^=]*=' '')
        case :dir
            __fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '') ''
        case :command
            __fish_complete_command
        case '*'
            printf '%s\n' $found
    end
end
complete -c bosk -f -a '(__bosk_complete)'
