"""Audit an account: findings, attribution, exemptions, remediation."""
