locals {
  anywhere = ["0.0.0.0/0", "::/0"]

  ssh = length(var.admin_addresses) > 0 ? [{
    protocol = "tcp", ports = "22", addresses = var.admin_addresses, load_balancers = []
  }] : []

  web = [
    for port in length(var.load_balancer_ids) > 0 ? distinct([80, 443, var.api_port]) : [] : {
      protocol = "tcp", ports = tostring(port), addresses = [], load_balancers = var.load_balancer_ids
    }
  ]

  inside = [
    for protocol in ["tcp", "udp", "icmp"] : {
      protocol = protocol, ports = protocol == "icmp" ? null : "1-65535", addresses = [var.ip_range], load_balancers = []
    }
  ]

  custom = [
    for key, it in var.custom_rules : {
      # All ports are 1-65535 to the provider; what else means them comes back changed from the API.
      protocol       = it.protocol
      ports          = it.protocol == "icmp" ? null : it.ports == "all" ? "1-65535" : it.ports
      addresses      = it.addresses
      load_balancers = []
    }
  ]
}

resource "digitalocean_firewall" "api" {
  name = "${var.name}-api"
  tags = [digitalocean_tag.api.name]

  dynamic "inbound_rule" {
    for_each = concat(local.ssh, local.web, local.inside, local.custom)

    content {
      protocol                  = inbound_rule.value.protocol
      port_range                = inbound_rule.value.ports
      source_addresses          = inbound_rule.value.addresses
      source_load_balancer_uids = inbound_rule.value.load_balancers
    }
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
