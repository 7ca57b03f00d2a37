output "id" {
  description = "Id of the load balancer, for the API firewall."
  value       = digitalocean_loadbalancer.main.id
}

output "ip" {
  description = "Address of the load balancer: what DNS should name. When it changes, DNS has to."
  value       = digitalocean_loadbalancer.main.ip
}
