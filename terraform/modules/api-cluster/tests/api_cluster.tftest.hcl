mock_provider "digitalocean" {
  mock_data "digitalocean_ssh_key" {
    defaults = { id = 7, public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKey laptop" }
  }

  mock_resource "digitalocean_droplet" {
    defaults = { id = "400000001", ipv4_address = "203.0.113.2", ipv4_address_private = "10.10.0.2" }
  }

  mock_resource "digitalocean_reserved_ip" {
    defaults = { ip_address = "203.0.113.200" }
  }
}

variables {
  name          = "shop-dev"
  region        = "fra1"
  vpc           = { id = "vpc", ip_range = "10.10.0.0/16" }
  droplets      = { a = {} }
  ssh_key_names = ["laptop"]
  tags          = ["shop-dev-api"]
}

run "a_droplet_by_default" {
  command = plan

  assert {
    condition     = digitalocean_droplet.api["a"].name == "shop-dev-a" && digitalocean_droplet.api["a"].vpc_uuid == "vpc"
    error_message = "It should be named for its key, and be in the VPC."
  }

  assert {
    condition     = digitalocean_droplet.api["a"].tags == toset(["shop-dev", "shop-dev-api"])
    error_message = "It should have the tags of cluster and firewall."
  }

  assert {
    condition     = digitalocean_droplet.api["a"].monitoring && !digitalocean_droplet.api["a"].backups && !digitalocean_droplet.api["a"].ipv6
    error_message = "It should be monitored, without backups and IPv6."
  }

  assert {
    condition     = length(digitalocean_reserved_ip.api) + length(digitalocean_volume.data) + length(digitalocean_firewall.custom) == 0
    error_message = "It should have no address, volume or firewall of its own."
  }
}

run "everything_that_is_optional" {
  variables {
    droplets = {
      a = { size = "s-2vcpu-4gb", backups = true, reserved_ip = true, volumes = { data = { size_gb = 10 } } }
      b = {}
    }
    ipv6            = true
    firewall_rules  = { metrics = { ports = "9100", addresses = ["198.51.100.8"] } }
    extra_user_data = "#!/bin/sh\ntrue\n"
    host_keys = {
      a = { private = "-----BEGIN OPENSSH PRIVATE KEY-----\nkey\n", public = "ssh-ed25519 AAAAhost a" }
    }
  }

  assert {
    condition     = alltrue([for it in digitalocean_droplet.api : it.ipv6]) && { for key, it in digitalocean_droplet.api : key => it.backups } == { a = true, b = false }
    error_message = "Both should have IPv6, and the one that asks for them backups."
  }

  assert {
    condition     = output.hosts["a"].public == "203.0.113.200" && output.hosts["b"].public == "203.0.113.2"
    error_message = "A reserved IP should be the public address where there is one."
  }

  assert {
    condition     = output.hosts["a"].host_key == "ssh-ed25519 AAAAhost a" && output.hosts["b"].host_key == null
    error_message = "The public half of a host key should be shown where it is given."
  }

  assert {
    condition     = digitalocean_volume.data["a-data"].size == 10 && digitalocean_volume.data["a-data"].name == "shop-dev-a-data"
    error_message = "The volume is missing."
  }

  assert {
    condition     = digitalocean_firewall.custom["shop-dev-custom"].tags == toset(["shop-dev"])
    error_message = "The firewall should go by the cluster's tag."
  }

  assert {
    condition = [
      for rule in digitalocean_firewall.custom["shop-dev-custom"].inbound_rule : [rule.protocol, rule.port_range, one(rule.source_addresses)]
    ] == [["tcp", "9100", "198.51.100.8"]]
    error_message = "The firewall should let in what was asked for."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    region          = "Frankfurt"
    name            = "Shop"
    vpc             = { id = "vpc", ip_range = "10.10.0.0" }
    droplets        = {}
    ssh_key_names   = []
    image           = "debian-12-x64"
    api_port        = 0
    firewall_rules  = { all = { ports = "1-65535", addresses = ["0.0.0.0/0"] } }
    extra_user_data = "echo"
  }

  expect_failures = [
    var.name, var.region, var.vpc, var.droplets, var.ssh_key_names, var.image, var.api_port, var.firewall_rules,
    var.extra_user_data,
  ]
}

run "user_data_that_is_too_long_is_refused" {
  command = plan

  variables {
    extra_user_data = join("\n", concat(["#!/bin/sh"], [for _ in range(1000) : "echo 012345678901234567890123456789012345678901234567890123456789"]))
  }

  expect_failures = [digitalocean_droplet.api]
}

run "a_host_key_in_another_form_is_refused" {
  command = plan

  variables {
    host_keys = { a = { private = "secret", public = "key" } }
  }

  expect_failures = [digitalocean_droplet.api]
}
