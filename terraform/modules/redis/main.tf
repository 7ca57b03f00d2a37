# DigitalOcean ended Redis in favour of Valkey, which speaks the same protocol.
resource "digitalocean_database_cluster" "main" {
  name                 = var.name
  engine               = "valkey"
  version              = var.engine_version
  region               = var.region
  size                 = var.size
  node_count           = var.node_count
  private_network_uuid = var.vpc_id
  tags                 = var.tags

  # The API writes policies with underscores; Valkey and everybody else with hyphens.
  eviction_policy = replace(var.eviction_policy, "-", "_")

  maintenance_window {
    day  = var.maintenance_window.day
    hour = var.maintenance_window.hour
  }

  lifecycle {
    precondition {
      condition     = var.node_count == 1 || tonumber(regex("([0-9]+)gb$", var.size)[0]) > 1
      error_message = "Size ${var.size} has no standby nodes: take db-s-1vcpu-2gb or larger, or node_count = 1."
    }
    precondition {
      condition     = length(var.trusted_tags) + length(var.trusted_addresses) > 0
      error_message = "A cluster without trusted sources is open to the world: name trusted_tags or trusted_addresses."
    }
  }
}

resource "digitalocean_database_firewall" "main" {
  cluster_id = digitalocean_database_cluster.main.id

  dynamic "rule" {
    for_each = var.trusted_tags

    content {
      type  = "tag"
      value = rule.value
    }
  }

  dynamic "rule" {
    for_each = var.trusted_addresses

    content {
      type  = "ip_addr"
      value = rule.value
    }
  }
}
