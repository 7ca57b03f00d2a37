resource "digitalocean_vpc" "main" {
  name        = var.name
  region      = var.region
  ip_range    = var.ip_range
  description = "Private network of ${var.name}"

  timeouts {
    # Databases take some minutes to leave; until then the API refuses to delete their network.
    delete = "15m"
  }
}

# Firewalls and load balancers find droplets by tag, so that a new droplet is covered from birth.
resource "digitalocean_tag" "api" {
  name = "${var.name}-api"
}

resource "digitalocean_tag" "database" {
  name = "${var.name}-database"
}
