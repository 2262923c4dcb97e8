# SPDX-License-Identifier: BSD-3-Clause
# bash completion for clickos: verbs and options come from the program itself, names from
# the daemon.

_clickos_names() { # path, list
    clickos "$1" ${2:+"$2"} --json 2>/dev/null |
        sed -nE 's/^ {6}"name": "([^"]*)",?$/\1/p'
}

_clickos_values() { # verb, option: what it may be; fails for all others
    case $1:$2 in
    *:--isolation) echo auto kvm process ;;
    *:--restart) echo no on-failure always ;;
    ps:--state) echo starting adopting running crashed ending parked ;;
    graph:-f | graph:--format) echo dot svg text ;;
    graph:--vm) _clickos_names ps ;;
    *) false ;;
    esac
}

_clickos() {
    local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]:-} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(clickos complete 2>/dev/null | cut -d' ' -f1 | sort -u)
    elif [ "$COMP_CWORD" -eq 2 ] && [[ $verb == net || $verb == port ]]; then
        words=$(clickos complete 2>/dev/null | sed -n "s/^$verb //p")
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --net || ${COMP_WORDS[COMP_CWORD - 1]} == --if ]]; then
        words=$(_clickos_names net ls)
    elif words=$(_clickos_values "$verb" "${COMP_WORDS[COMP_CWORD - 1]}"); then
        : # an option that takes one of a few values
    elif [[ $cur == -* || ($verb == port && $COMP_CWORD -ge 4) ]]; then
        [[ $verb == net || $verb == port ]] && verb="$verb ${COMP_WORDS[2]:-}"
        words="--json --socket --help $(clickos complete "$verb" 2>/dev/null)"
        # After "key=" comes a value.
        [[ $cur == *=* || $cur == = ]] && words=
    else
        case $verb in
        rm | ps | read | write | logs | install | show | remove | wait | park | wake | \
            snapshot | clone)
            [ "$COMP_CWORD" -eq 2 ] && words=$(_clickos_names ps) ;;
        help) words=$(clickos complete 2>/dev/null | cut -d' ' -f1 | sort -u) ;;
        elements) words=$(_clickos_names elements) ;;
        net) words=$(_clickos_names net ls) ;;
        port) words=$(_clickos_names port ls) ;;
        capture) [ "$COMP_CWORD" -eq 2 ] && words=$(_clickos_names port ls) ;;
        esac
    fi
    [[ $words == *=* ]] && compopt -o nospace
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _clickos clickos
