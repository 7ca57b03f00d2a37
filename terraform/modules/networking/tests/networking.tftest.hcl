mock_provider "digitalocean" {}

variables {
  name     = "shop-dev"
  region   = "fra1"
  ip_range = "10.10.0.0/16"
}

run "nobody_reaches_ssh_by_default" {
  command = plan

  assert {
    condition     = !anytrue([for rule in digitalocean_firewall.api.inbound_rule : rule.port_range == "22"])
    error_message = "SSH is open without anybody being named."
  }

  assert {
    condition     = alltrue([for rule in digitalocean_firewall.api.inbound_rule : rule.source_addresses == toset(["10.10.0.0/16"])])
    error_message = "More than the VPC may come in by default."
  }
}

run "admins_and_load_balancers_reach_what_is_theirs" {
  command = plan

  variables {
    admin_addresses   = ["198.51.100.7", "2001:db8::/48"]
    load_balancer_ids = ["balancer"]
    custom_rules = {
      metrics = { ports = "9100", addresses = ["198.51.100.8"] }
      office  = { ports = "all", addresses = ["198.51.100.0/28"] }
      ping    = { protocol = "icmp", addresses = ["0.0.0.0/0"] }
    }
  }

  assert {
    condition = toset([
      for rule in digitalocean_firewall.api.inbound_rule : rule.port_range if length(coalesce(rule.source_load_balancer_uids, [])) > 0
    ]) == toset(["80", "443", "3001"])
    error_message = "Load balancers reach 80, 443 and the API port."
  }

  assert {
    condition = one([
      for rule in digitalocean_firewall.api.inbound_rule : rule.source_addresses if rule.port_range == "22"
    ]) == toset(["198.51.100.7", "2001:db8::/48"])
    error_message = "SSH is for admins only."
  }

  assert {
    condition = {
      for rule in digitalocean_firewall.api.inbound_rule : join(" ", rule.source_addresses) => coalesce(rule.port_range, "-")
      if contains(["198.51.100.8", "198.51.100.0/28", "0.0.0.0/0"], join(" ", rule.source_addresses))
    } == { "198.51.100.8" = "9100", "198.51.100.0/28" = "1-65535", "0.0.0.0/0" = "-" }
    error_message = "A custom rule is missing."
  }
}

run "the_database_firewall_lets_in_postgresql_from_the_vpc" {
  command = plan

  assert {
    condition = [
      for rule in digitalocean_firewall.database.inbound_rule : [rule.protocol, rule.port_range, one(rule.source_addresses)]
    ] == [["tcp", "5432", "10.10.0.0/16"]]
    error_message = "The database firewall lets in something else."
  }
}

run "ssh_for_the_world_is_refused" {
  command = plan

  variables {
    admin_addresses = ["0.0.0.0/0"]
  }

  expect_failures = [var.admin_addresses]
}

run "ssh_for_the_ipv6_world_is_refused" {
  command = plan

  variables {
    admin_addresses = ["::/0"]
  }

  expect_failures = [var.admin_addresses]
}

run "ssh_for_the_world_by_a_custom_rule_is_refused" {
  command = plan

  variables {
    custom_rules = { all = { ports = "all", addresses = ["0.0.0.0/0"] } }
  }

  expect_failures = [var.custom_rules]
}

run "other_bad_values_are_refused" {
  command = plan

  variables {
    name     = "Shop"
    region   = "Frankfurt"
    ip_range = "172.17.0.0/16"
    api_port = 22
  }

  expect_failures = [var.name, var.region, var.ip_range, var.api_port]
}
