# For PostgreSQL on droplets of your own that carry the tag. A managed database has its own
# firewall (its trusted sources, in the module `database`) and is not reached by this one.
resource "digitalocean_firewall" "database" {
  name = "${var.name}-database"
  tags = [digitalocean_tag.database.name]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "5432"
    source_addresses = [var.ip_range]
  }

  dynamic "outbound_rule" {
    for_each = { tcp = "1-65535", udp = "1-65535", icmp = null }

    content {
      protocol              = outbound_rule.key
      port_range            = outbound_rule.value
      destination_addresses = local.anywhere
    }
  }
}
