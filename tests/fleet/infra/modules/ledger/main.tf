variable "region" { type = string }
variable "stage" { type = string }

resource "aws_db_instance" "ledger" {
  identifier          = "ledger-${var.stage}"
  engine              = "postgres"
  instance_class      = "db.t4g.medium"
  deletion_protection = true
}
