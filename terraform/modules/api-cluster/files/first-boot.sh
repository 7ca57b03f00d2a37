#!/bin/sh
# Makes a fresh droplet ready for `restoops deploy`. cloud-init runs it once, after the packages are
# there; it can be run again.
#   $1 port of the API  $2 range of the VPC  $3 monitoring, or no-monitoring; then the volumes' keys
set -eu
port=$1 inside=$2 monitoring=$3
shift 3

# What a deploy writes to. With these, it needs nothing of root.
install -d -o deploy -g deploy -m 0750 /opt/app /var/lib/restoops

# Ports that Docker publishes would bypass UFW; restoops publishes none.
ufw default deny incoming
ufw default allow outgoing
ufw limit 22/tcp
ufw allow 80/tcp
ufw allow 443/tcp
ufw allow "$port/tcp"
ufw allow from "$inside"
ufw --force enable

systemctl daemon-reload
for key; do
    systemctl enable --now "mnt-$key.automount"
done
systemctl enable --now docker.service
systemctl enable --now restoops-metadata.service

# DigitalOcean installs its agent where it knows the image; elsewhere this does. A droplet without
# it can still be deployed to, so that nothing else depends on it.
if [ "$monitoring" = monitoring ] && ! [ -x /opt/digitalocean/bin/do-agent ]; then
    agent=$(mktemp)
    curl -fsSL --retry 3 https://repos.insights.digitalocean.com/install.sh -o "$agent" &&
        bash "$agent" || echo "the monitoring agent could not be installed" >&2
    rm -f "$agent"
fi
