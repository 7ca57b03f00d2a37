locals {
  # `rediss`: with TLS, which the cluster requires.
  login = "rediss://${digitalocean_database_cluster.main.user}:${urlencode(digitalocean_database_cluster.main.password)}"
}

output "id" {
  description = "Id of the cluster. When it changes, what it held is gone."
  value       = digitalocean_database_cluster.main.id
}

output "private_host" {
  description = "Name of the cluster inside the VPC."
  value       = digitalocean_database_cluster.main.private_host
}

output "port" {
  description = "Port of the cluster."
  value       = digitalocean_database_cluster.main.port
}

output "password" {
  description = "Password of the cluster's user."
  value       = digitalocean_database_cluster.main.password
  sensitive   = true
}

output "url" {
  description = "Connection string inside the VPC, with TLS."
  value       = "${local.login}@${digitalocean_database_cluster.main.private_host}:${digitalocean_database_cluster.main.port}"
  sensitive   = true
}

output "public_url" {
  description = "The same from outside the VPC, for a trusted address."
  value       = "${local.login}@${digitalocean_database_cluster.main.host}:${digitalocean_database_cluster.main.port}"
  sensitive   = true
}
