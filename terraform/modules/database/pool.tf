resource "digitalocean_database_connection_pool" "app" {
  for_each = { for it in var.pool == null ? [] : [var.pool] : it.name => it }

  cluster_id = digitalocean_database_cluster.main.id
  name       = each.key
  mode       = each.value.mode
  size       = each.value.size
  db_name    = digitalocean_database_db.app.name
  user       = digitalocean_database_user.app.name

  lifecycle {
    precondition {
      condition     = each.value.size <= local.connections
      error_message = "A pool of ${each.value.size} is more than the ${local.connections} connections of ${var.size}: take a smaller pool or a larger size."
    }
  }
}
