# Holds the lock of an application for as long as its caller keeps talking.
#   $1 directory  $2 who asks, one line of JSON  $3 seconds to wait  $4 seconds of silence allowed
# Says HELD and the holder when it has to wait, LOCKED once it has the lock.
set -u
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
if ! flock -n 9; then
    echo "HELD $(cat "$1/lock")"
    deadline=$((SECONDS + $3))
    # Each line is also how this shell learns that its caller has gone.
    until flock -w 1 9; do
        [ "$SECONDS" -lt "$deadline" ] || exit 75
        echo "WAITING $(cat "$1/lock")"
    done
fi
printf '%s\n' "$2" >"$1/lock"
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
