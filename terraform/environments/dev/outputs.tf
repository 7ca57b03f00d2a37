output "hosts" {
  description = "What restoops deploys to: droplet key => name, public and private address, SSH host key where it is pinned."
  value       = module.api_cluster.hosts
}

output "url" {
  description = "Where clients reach the API."
  value       = "http://${coalesce(var.domain, values(module.api_cluster.hosts)[0].public)}:${var.api_port}"
}

output "inventory" {
  description = "Inventory for Ansible."
  value = {
    all = {
      children = {
        api = {
          hosts = {
            for host in values(module.api_cluster.hosts) : host.name => {
              ansible_host    = host.public
              ansible_user    = "deploy"
              private_address = host.private
            }
          }
          vars = {
            restoops_environment = local.environment
            restoops_api_port    = var.api_port
          }
        }
      }
    }
  }
}

output "database_url" {
  description = "Connection string of the application inside the VPC, with TLS required."
  value       = module.database.url
  sensitive   = true
}

output "database_admin_url" {
  description = "Connection string of the database's administrator, for what the application's user may not do."
  value       = module.database.admin_url
  sensitive   = true
}

output "database_ca" {
  description = "Certificate authority of the database, in PEM, for `sslmode=verify-full`."
  value       = module.database.ca_certificate
}

output "cache_url" {
  description = "Connection string of the cache inside the VPC, with TLS."
  value       = module.cache.url
  sensitive   = true
}
