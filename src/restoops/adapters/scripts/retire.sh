# Stops a container that was kept warm, once its time is over and if nobody routes to it.
#   $1 directory  $2 container  $3 slot  $4 seconds  $5 seconds from SIGTERM to SIGKILL
# `docker wait` ends early when the container goes for another reason: then nothing is left to do.
# Our caller's own variables or context of Docker may name another engine.
export DOCKER_HOST=unix:///var/run/docker.sock
timeout "$4" docker wait "$2" >/dev/null 2>&1
[ $? -eq 124 ] || exit 0
exec 9>>"$1/lock" || exit 0
flock -w 600 9 || exit 0
live=$(echo "show map $1/proxy/live.map" |
    docker -H "unix://$1/proxy/run/admin.sock" system dial-stdio 2>/dev/null |
    sed -n 's/^0x[0-9a-f]* live //p')
case $live in
"$3" | none | "") exit 0 ;;
esac
echo "set server app_$live/$3 state maint" |
    docker -H "unix://$1/proxy/run/admin.sock" system dial-stdio >/dev/null 2>&1
# A release that stood in for a dead one may have requests running.
sleep 1
docker stop -t "$5" "$2" >/dev/null 2>&1
