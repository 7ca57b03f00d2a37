# Stops a container that was kept warm, once its time is over and if nobody routes to it.
#   $1 directory  $2 container  $3 slot  $4 seconds  $5 seconds from SIGTERM to SIGKILL
# `docker wait` ends early when the container goes for another reason: then nothing is left to do.
# The variables or context of Docker of our caller may name another engine.
export DOCKER_HOST=unix:///var/run/docker.sock
# What is kept warm again has a timer of its own: only the last one of a slot counts.
me=$$-$EPOCHREALTIME
echo "$me" >"$1/warm-$3"
timeout "$4" docker wait "$2" >/dev/null 2>&1
[ $? -eq 124 ] || exit 0
# A proxy that was replaced may still run requests there, for ten minutes at most.
app=$(docker inspect -f '{{index .Config.Labels "restoops.app"}}' "$2")
old_proxy_runs() {
    docker ps --format '{{.Names}}' -f "label=restoops.app=$app" -f label=restoops.role=proxy |
        grep -q -e '-ending$'
}
exec 9>>"$1/lock" || exit 0
for _ in {1..660}; do
    flock -w 600 9 || exit 0
    old_proxy_runs || break
    flock -u 9
    sleep 1
done
[ "$(cat "$1/warm-$3")" = "$me" ] || exit 0
# Who finds the lock held is told by whom; that is no run which could be ended (lock.sh).
printf '{"who": "this host", "origin": "%s", "purpose": "%s", "since": "%s"}\n0 0 0\n' \
    "${HOSTNAME//[^A-Za-z0-9.-]/}" "stop $3, which was kept warm for $4 s" \
    "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" >"$1/lock"
map=$1/proxy/live.map
haproxy() {
    echo "$1" | docker -H "unix://${map%/*}/run/admin.sock" system dial-stdio 2>/dev/null
}
live=$(haproxy "show map $map" | sed -n 's/^0x[0-9a-f]* live //p')
case $live in
"$3" | "$3"_* | none | "") exit 0 ;;
*_"$3")
    # It is in reserve. While the live one is down it is what answers, and stays.
    haproxy "show stat" | cut -d, -f1,2,18 | grep -q "^app_${live%_*},${live%_*},UP" || exit 0
    echo "live ${live%_*}" >"$map.new" && mv -f "$map.new" "$map"
    haproxy "set map $map live ${live%_*}"
    # A request that it got while the live one was down may still run.
    sleep 1
    ;;
esac
docker stop -t "$5" "$2" >/dev/null 2>&1
