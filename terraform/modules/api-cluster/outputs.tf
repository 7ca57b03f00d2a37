output "hosts" {
  description = "What restoops deploys to: droplet key => name, public address (the reserved one where there is one), private address, and SSH host key where it is pinned."
  value = {
    for key, droplet in digitalocean_droplet.api : key => {
      name     = droplet.name
      public   = try(digitalocean_reserved_ip.api[key].ip_address, droplet.ipv4_address)
      private  = droplet.ipv4_address_private
      host_key = terraform_data.host_key[key].output
    }
  }
}

output "droplet_ids" {
  description = "Droplet key => id."
  value       = { for key, droplet in digitalocean_droplet.api : key => droplet.id }
}

output "volume_ids" {
  description = "Volume (`<droplet>-<key>`) => id. When one changes, its data is gone."
  value       = { for key, volume in digitalocean_volume.data : key => volume.id }
}

output "reserved_ips" {
  description = "Droplet key => reserved IP."
  value       = { for key, it in digitalocean_reserved_ip.api : key => it.ip_address }
}

output "tag" {
  description = "Tag that all droplets of this cluster carry."
  value       = digitalocean_tag.cluster.name
}
