-- What has ended is deleted a few rows at a time; they are found without those that have not.
CREATE INDEX sessions_by_end ON web.sessions (ends_at);
CREATE INDEX sign_ins_by_end ON web.sign_ins (ends_at);
