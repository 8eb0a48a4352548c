-- Whoever replaces the master key wraps these again, and sees no other.
CREATE VIEW webhooks.wrapped_secrets AS
    SELECT hook_id, number, secret FROM webhooks.secrets WHERE wrapped;
COMMENT ON VIEW webhooks.wrapped_secrets IS 'Secrets of webhooks that are wrapped under a master key';
