# Holds the lock of an application for as long as its caller keeps talking.
#   $1 directory  $2 who asks, one line of JSON  $3 seconds to wait  $4 seconds of silence allowed
#   $5 `preempt`, to end whoever holds the lock and all that runs over its connection
# Says HELD and the holder when somebody has the lock, WAITING as long as it waits, and LOCKED once
# it has it. When it gives up it says why, and who has it: TAKEN, NAMELESS (no process on file),
# FOREIGN (another user's process). An end without one of these words is none of its own.
# The file: who holds the lock; pid, parent and start of the shell that does, and then ends.
set -u
directory=$1
if ! mkdir -p "$1" 2>/dev/null || ! [ -w "$1" ]; then
    sudo -n install -d -o "$(id -u)" -g "$(id -g)" -m 0750 "$1" 2>/dev/null || {
        echo "UNWRITABLE"
        exit 73
    }
fi
for program in docker flock; do
    type -P "$program" >/dev/null || { echo "LACKS $program"; exit 73; }
done
exec 9>>"$1/lock" || { echo "UNWRITABLE"; exit 73; }

say() {
    local holder=
    IFS= read -r holder <"$directory/lock"
    echo "$1 $holder"
}

# Who pre-empts locks the directory first. Whoever gets the lock meanwhile, by having waited for
# it, gives it back: a run that holds nothing is not to be ended.
take() {
    flock "$@" 9 || return
    [ "$claims" ] || flock -n "$directory" true || { flock -u 9; sleep .2; return 1; }
}

# Sets `parent` and `start`, in clock ticks since the boot, of a process that has not ended.
look_at() {
    local text='' fields
    IFS= read -rd '' text 2>/dev/null <"/proc/$1/stat"
    read -ra fields <<<"${text##*) }"
    [[ ${fields[0]:-X} != [XZ] ]] && parent=${fields[1]} start=${fields[19]}
}

end_holder() {
    local pid='' carrier='' began='' parent='' start='' child
    { read -r; read -r pid carrier began; } <"$directory/lock"
    [ "$began" ] || { word=NAMELESS; return; }
    # Else what holds the lock is no run, and the file tells of one that has ended.
    look_at "$pid" || return
    [ "$start" = "$began" ] || return
    if [ "$parent" = "$carrier" ]; then
        # Stopped, it starts no more programs while those that run are ended.
        kill -STOP "$carrier" 2>/dev/null || { word=FOREIGN; return; }
        for child in /proc/[0-9]*; do
            child=${child#/proc/}
            if look_at "$child" && [ "$parent" = "$carrier" ] && [ "$child" != "$pid" ]; then
                kill -KILL "$child" "-$child" 2>/dev/null
            fi
        done
        kill -KILL "$carrier" 2>/dev/null
    fi
    # Last: the lock is free when nothing is left that could make use of it.
    kill -KILL "$pid" 2>/dev/null || word=FOREIGN
}

claims=
word=TAKEN
if ! take -n; then
    say HELD
    deadline=$((SECONDS + $3))
    pause=1
    if [ "$5" ]; then
        exec 8<"$1"
        flock -w "$3" 8 || { say TAKEN; exit 75; }
        claims=yes
        pause=.1
    fi
    # Each line is also how this shell learns that its caller has gone.
    until take -w "$pause"; do
        [ "$SECONDS" -lt "$deadline" ] || { say "$word"; exit 75; }
        word=TAKEN
        [ -z "$claims" ] || end_holder
        say WAITING
    done
fi
look_at $$
printf '%s\n' "$2" "$$ $PPID $start" >"$1/lock"
exec 8<&-
echo "LOCKED"
while :; do
    read -r -t "$4" _
    case $? in
    0) ;;
    1) exit 0 ;;
    # A caller that is frozen or cut off loses its connection with the lock: whatever it may
    # still try after that reaches nobody.
    *) kill -KILL "$PPID"; exit 75 ;;
    esac
done
