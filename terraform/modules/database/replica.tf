resource "digitalocean_database_replica" "main" {
  for_each = { for it in var.replica == null ? [] : [var.replica] : it.region => it }

  cluster_id           = digitalocean_database_cluster.main.id
  name                 = "${var.name}-replica-${each.key}"
  region               = each.key
  size                 = coalesce(each.value.size, var.size)
  private_network_uuid = each.value.vpc_id
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = each.key != var.region
      error_message = "Let the replica be in another region than ${var.region}: within one, a higher node_count protects better."
    }
  }
}

# A replica has trusted sources of its own; without, it is open to the world.
resource "digitalocean_database_firewall" "replica" {
  for_each = digitalocean_database_replica.main

  cluster_id = each.value.uuid

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
