locals {
  password = urlencode(digitalocean_database_user.app.password)
  login    = "postgresql://${digitalocean_database_user.app.name}:${local.password}"
  # The cluster refuses connections without TLS; a client should not even try one.
  tail = "${digitalocean_database_db.app.name}?sslmode=require"

  pool    = one(values(digitalocean_database_connection_pool.app))
  replica = one(values(digitalocean_database_replica.main))
}

output "id" {
  description = "Id of the cluster. When it changes, the data is gone."
  value       = digitalocean_database_cluster.main.id
}

output "database_id" {
  description = "Id of the application's database in the cluster. When it changes, the data is gone."
  value       = digitalocean_database_db.app.id
}

output "private_host" {
  description = "Name of the cluster inside the VPC."
  value       = digitalocean_database_cluster.main.private_host
}

output "port" {
  description = "Port of the cluster."
  value       = digitalocean_database_cluster.main.port
}

output "database_name" {
  description = "Database of the application."
  value       = digitalocean_database_db.app.name
}

output "user_name" {
  description = "User of the application."
  value       = digitalocean_database_user.app.name
}

output "password" {
  description = "Password of the application's user."
  value       = digitalocean_database_user.app.password
  sensitive   = true
}

output "url" {
  description = "Connection string of the application inside the VPC, with TLS required."
  value       = "${local.login}@${digitalocean_database_cluster.main.private_host}:${digitalocean_database_cluster.main.port}/${local.tail}"
  sensitive   = true
}

output "public_url" {
  description = "The same from outside the VPC, for a trusted address."
  value       = "${local.login}@${digitalocean_database_cluster.main.host}:${digitalocean_database_cluster.main.port}/${local.tail}"
  sensitive   = true
}

output "pool_url" {
  description = "Connection string through the pool, inside the VPC, with TLS required; null without a pool."
  value       = local.pool == null ? null : "${local.login}@${local.pool.private_host}:${local.pool.port}/${local.pool.name}?sslmode=require"
  sensitive   = true
}

output "replica_url" {
  description = "Connection string of the replica, with TLS required; null without a replica."
  value       = local.replica == null ? null : "${local.login}@${local.replica.host}:${local.replica.port}/${local.tail}"
  sensitive   = true
}

output "admin_url" {
  description = "Connection string of the cluster's administrator to the application's database, inside the VPC, with TLS required."
  value       = "postgresql://${digitalocean_database_cluster.main.user}:${urlencode(digitalocean_database_cluster.main.password)}@${digitalocean_database_cluster.main.private_host}:${digitalocean_database_cluster.main.port}/${local.tail}"
  sensitive   = true
}

output "ca_certificate" {
  description = "Certificate authority of the cluster, in PEM, for `sslmode=verify-full`."
  value       = data.digitalocean_database_ca.main.certificate
}
