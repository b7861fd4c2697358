-- Takes the key from a run that ended badly. No row: somebody else was faster.
update :"schema".runs set key_held = false
where id = $1::uuid and key_held and status in ('failed', 'compensated', 'cancelled')
returning id
