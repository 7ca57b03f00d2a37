resource "digitalocean_reserved_ip" "api" {
  for_each = { for key, it in var.droplets : key => it if it.reserved_ip }

  region = var.region
}

# Apart, so that the address outlives the droplet that has it.
resource "digitalocean_reserved_ip_assignment" "api" {
  for_each = digitalocean_reserved_ip.api

  ip_address = each.value.ip_address
  droplet_id = digitalocean_droplet.api[each.key].id
}
