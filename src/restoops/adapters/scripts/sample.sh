# Asks the proxy of an application as a client would, again and again until standard input ends.
# Prints the time first, then for each request when it began, when its answer had come whole, both
# in microseconds, and the status; 000 is no answer. Nothing is forked: the host has work to do.
#   $1 port, $2 path, $3 seconds between two requests, $4 seconds an answer may take
LC_ALL=C
exec 2>/dev/null
[ -n "$EPOCHREALTIME" ] || exit 0  # bash before 5.0
trap '' PIPE  # whoever answers before all was asked must not end this
printf -v request 'GET %s HTTP/1.1\r\nHost: restoops\r\nUser-Agent: restoops-probe\r\nConnection: close\r\n\r\n' "$2"
echo "${EPOCHREALTIME/./}"
while :; do
    began=${EPOCHREALTIME/./} status=000
    {
        printf %s "$request" >&3  # in one packet, which a format with line ends is not
        if read -r -t "$4" -u 3 protocol code rest && [[ $protocol == HTTP/* ]]; then
            read -r -d '' -n 65536 -t "$4" -u 3 rest
            [ $? -gt 128 ] || status=${code%$'\r'}
        fi
    } 3<>"/dev/tcp/127.0.0.1/$1"
    echo "$began ${EPOCHREALTIME/./} $status" || exit 0
    read -r -t "$3"
    [ $? -gt 128 ] || exit 0
done
