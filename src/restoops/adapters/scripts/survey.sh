# Prints what `doctor` wants to know about a host: a name and a value a line. Changes nothing.
#   $1 directory of the application  $2 its name  $3 port of the proxy
say() { echo "$1 ${2//$'\n'/ }"; }
docker() { timeout 20 docker -H unix:///var/run/docker.sock "$@"; }
say user "$(id -un)"
say bash "$BASH_VERSION"
command -v flock >/dev/null && say flock yes
directory=$1
until [ -e "$directory" ]; do directory=$(dirname "$directory"); done
[ -d "$directory" ] && [ -w "$directory" ] && say writable yes
sudo -n true 2>/dev/null && say sudo yes
type -P docker >/dev/null && say docker-cli yes
if version=$(docker version -f '{{.Server.Version}}' 2>&1); then
    say engine "$version"
else
    say engine-error "$version"
fi
root=$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)
[ -d "$root" ] || root=/var/lib/docker
[ -d "$root" ] || root=/
say disk "$root $(df --output=avail -m "$root" | tail -n 1)"
grep -qs "$(printf ':%04X' "$3") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6 && say port-taken yes
ours=$(docker ps -q -f "label=restoops.app=$2" -f label=restoops.role=proxy 2>/dev/null)
[ -n "$ours" ] && say proxy-runs yes
docker network ls -q 2>/dev/null | while read -r id; do
    say network "$(docker network inspect -f '{{.Name}}{{range .IPAM.Config}} {{.Subnet}}{{end}}' "$id")"
done
ip -4 -o route show 2>/dev/null | while read -r to rest; do
    say route "$to $rest"
done
exit 0
