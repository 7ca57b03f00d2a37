output "vpc_id" {
  description = "VPC to put droplets, databases and load balancers into."
  value       = digitalocean_vpc.main.id
}

output "ip_range" {
  description = "Range of the VPC."
  value       = digitalocean_vpc.main.ip_range
}

output "api_tag" {
  description = "Tag of API droplets: who carries it is behind the API firewall and the load balancer."
  value       = digitalocean_tag.api.name
}

output "database_tag" {
  description = "Tag of droplets that run a database themselves: who carries it answers on 5432, to the VPC only."
  value       = digitalocean_tag.database.name
}
