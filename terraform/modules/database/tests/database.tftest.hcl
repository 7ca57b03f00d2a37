mock_provider "digitalocean" {}

variables {
  name         = "shop-dev-database"
  region       = "fra1"
  vpc_id       = "vpc"
  trusted_tags = ["shop-dev-api"]
}

run "a_cluster_by_default" {
  command = plan

  assert {
    condition     = digitalocean_database_cluster.main.engine == "pg" && digitalocean_database_cluster.main.version == "17"
    error_message = "It should be PostgreSQL 17."
  }

  assert {
    condition     = digitalocean_database_cluster.main.private_network_uuid == "vpc"
    error_message = "It should be in the VPC."
  }

  assert {
    condition     = length(digitalocean_database_connection_pool.app) == 0 && length(digitalocean_database_replica.main) == 0
    error_message = "There should be no pool and no replica."
  }
}

run "everything_that_is_optional" {
  variables {
    size               = "db-s-2vcpu-4gb"
    node_count         = 3
    engine_version     = "16"
    trusted_addresses  = ["198.51.100.7"]
    pool               = { size = 25 }
    replica            = { region = "ams3" }
    maintenance_window = { day = "tuesday", hour = "02:30:00" }
  }

  assert {
    condition     = digitalocean_database_connection_pool.app["app"].mode == "transaction" && digitalocean_database_connection_pool.app["app"].size == 25
    error_message = "The pool should have 25 connections, by transaction."
  }

  assert {
    condition = [
      for it in digitalocean_database_cluster.main.maintenance_window : [it.day, it.hour]
    ] == [["tuesday", "02:30:00"]]
    error_message = "The cluster should be updated when it was asked to be."
  }

  assert {
    condition     = digitalocean_database_replica.main["ams3"].size == "db-s-2vcpu-4gb"
    error_message = "The replica should be as large as the cluster."
  }

  assert {
    condition = { for rule in digitalocean_database_firewall.main.rule : rule.type => rule.value } == {
      tag = "shop-dev-api", ip_addr = "198.51.100.7"
    }
    error_message = "The firewall should trust tag and address."
  }

  assert {
    condition     = alltrue([for url in [output.url, output.public_url, output.pool_url, output.replica_url] : endswith(url, "?sslmode=require")])
    error_message = "Every connection string should require TLS."
  }
}

run "bad_values_are_refused" {
  command = plan

  variables {
    region             = "Frankfurt"
    name               = "DB"
    engine_version     = "13"
    size               = "s-1vcpu-1gb"
    node_count         = 4
    database_name      = "1st"
    user_name          = "the user"
    trusted_addresses  = ["0.0.0.0/0"]
    pool               = { size = 101, mode = "request" }
    maintenance_window = { day = "Someday" }
  }

  expect_failures = [
    var.name, var.region, var.engine_version, var.size, var.node_count, var.database_name, var.user_name,
    var.trusted_addresses, var.pool, var.maintenance_window,
  ]
}

run "a_cluster_that_is_open_to_the_world_is_refused" {
  command = plan

  variables {
    trusted_tags = []
  }

  expect_failures = [digitalocean_database_cluster.main]
}

run "standby_nodes_on_the_smallest_size_are_refused" {
  command = plan

  variables {
    node_count = 2
  }

  expect_failures = [digitalocean_database_cluster.main]
}

run "a_pool_that_the_cluster_cannot_fill_is_refused" {
  command = plan

  variables {
    pool = { size = 25 }
  }

  expect_failures = [digitalocean_database_connection_pool.app]
}

run "a_replica_in_the_same_region_is_refused" {
  command = plan

  variables {
    replica = { region = "fra1" }
  }

  expect_failures = [digitalocean_database_replica.main]
}
