# Runs our scripts for one caller, one after the other, until that has gone.
#   $1 a word that nobody else says, then name and text of each script
# Reads a line for each call, quoted for a shell: `run` or `detach`, a name, arguments; what else
# the script reads follows. Answers with what the script says, then a line of the word and its
# status; a first such line says that all before it was the login's.
exec 2>&1
word=$1
shift
declare -A scripts
while [ $# -ge 2 ]; do
    scripts[$1]=$2
    shift 2
done

# Each in a shell of its own: it changes its directory and ends as it likes.
run() {
    local text=${scripts[$1]}
    shift
    eval "$text"
}

# It goes on when the connection has ended.
detach() {
    setsid nohup bash -c "${scripts[$1]}" "restoops-$1" "${@:2}" >/dev/null 2>&1 </dev/null &
}

# One that fails may leave unread what it was to read: it must not be taken for calls.
status=0
while printf '\n%s %s\n' "$word" "$status" && [ "$status" = 0 ] && IFS= read -r line; do
    (eval "$line")
    status=$?
done
