# shellcheck shell=bash
# Completion of bosk for bash. What could stand next is asked of bosk itself (`bosk complete`).

_bosk() {
    local -a words=() found=()
    local i word line cut
    # Bash has split the words at "=": put them together again, up to the cursor.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]})) && { [[ $word == '='* ]] || [[ ${words[-1]} == *= && ${COMP_WORDS[i - 1]} == '=' ]]; }; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    word=${words[-1]-}
    # What stands before the last "=" is there already.
    cut=''
    [[ $word != *=* || $COMP_WORDBREAKS != *=* ]] || cut=${word%=*}=

    COMPREPLY=()
    mapfile -t found < <("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null)
    case ${found[0]-} in
    :file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "${word#"$cut"}")
        ;;
    :dir)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "${word#"$cut"}")
        ;;
    :command) mapfile -t COMPREPLY < <(compgen -c -- "${word#"$cut"}") ;;
    *)
        for line in "${found[@]}"; do
            line=${line%%$'\t'*}
            COMPREPLY+=("${line#"$cut"}")
        done
        # A key is followed by its value, not by a blank.
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    esac
}
complete -F _bosk bosk
