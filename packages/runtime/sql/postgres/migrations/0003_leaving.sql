-- A member that goes keeps the shards that it is busy with, and takes part in no sharing.
alter table :"schema".event_members add column leaving bool not null default false;
