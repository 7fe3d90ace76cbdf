"""Who may do what: people, roles, campus scopes, secrets."""
