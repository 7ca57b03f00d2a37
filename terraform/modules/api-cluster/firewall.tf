resource "digitalocean_firewall" "custom" {
  for_each = toset(length(var.firewall_rules) > 0 ? ["${var.name}-custom"] : [])

  name = each.key
  tags = [digitalocean_tag.cluster.name]

  dynamic "inbound_rule" {
    for_each = var.firewall_rules

    content {
      protocol         = inbound_rule.value.protocol
      port_range       = inbound_rule.value.ports
      source_addresses = inbound_rule.value.addresses
    }
  }
}
