locals {
  volumes = merge([
    for droplet, it in var.droplets : {
      for key, volume in it.volumes : "${droplet}-${key}" => { droplet = droplet, size_gb = volume.size_gb }
    }
  ]...)
}

resource "digitalocean_volume" "data" {
  for_each = local.volumes

  name                    = "${var.name}-${each.key}"
  region                  = var.region
  size                    = each.value.size_gb
  initial_filesystem_type = "ext4"
  description             = "Data of ${var.name}-${each.value.droplet}"
}

# Apart, so that the volume outlives the droplet that has it.
resource "digitalocean_volume_attachment" "data" {
  for_each = local.volumes

  volume_id  = digitalocean_volume.data[each.key].id
  droplet_id = digitalocean_droplet.api[each.value.droplet].id
}
