output "alert_ids" {
  description = "Alert (`cpu`, `memory`, `disk`, `load`) => id."
  value       = { for key, alert in digitalocean_monitor_alert.droplet : key => alert.uuid }
}
